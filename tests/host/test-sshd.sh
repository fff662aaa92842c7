#!/bin/bash
# The gate in real services: sshd by key and by password, an expired password (B6), and the other services that judge
# new sessions.
. "$(dirname "$0")/lib.sh"
set_up
start_sshd
old='Pass-word-1' new='Another-word-2'

useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
useradd -m -s /bin/bash -c 'Robin Example' robin >"$work/useradd" 2>&1
printf '%s\n' "taylor:$old" "robin:$old" | chpasswd
give_key taylor
give_key robin
assert_within 20 'taylor is pending' state_is taylor pending

assert_ssh_refused() { # CASE METHOD
    try_ssh "$2" taylor
    assert_eq "$1, $2: ssh fails" 255 "$rc"
    assert_no_match "$1, $2: there is no shell" 'let in as' "$out"
    assert_match "$1, $2: the reason is said" invitation "$out"
    assert_no_match "$1, $2: no link is shown" 'https?://' "$out"
}

methods='publickey keyboard-interactive password'
for method in $methods; do
    assert_ssh_refused pending "$method"
    try_ssh "$method" robin
    assert_match "an account that is not covered, $method" '^let in as robin$' "$out"
done

# With an expired password pam_unix ends the stack before any additional module (B6): the gate is ahead of it.
chage -d 0 taylor
for method in $methods; do assert_ssh_refused 'pending and expired' "$method"; done
capture su -l taylor -c 'echo let in as taylor'
assert_no_match 'pending and expired: su gives no shell' 'let in as' "$out"
assert_match 'pending and expired: su says why' invitation "$out"
chage -d "$(date +%F)" taylor

services=
for service in sshd login su su-l cron atd; do
    ! grep -Eqs 'common-account|system-auth|password-auth' "/etc/pam.d/$service" || services="$services $service"
done
account_stack() { # SERVICE
    if command -v pamtester >/dev/null; then
        capture pamtester "$1" taylor acct_mgmt
    else
        skip "account stack of $1" 'pamtester is not packaged here'
        return 1
    fi
}
# Whole stacks, not the module alone (S4).
for service in $services; do
    account_stack "$service" || continue
    assert_eq "$service: a pending account is refused" 1 "$rc"
done

redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
for method in $methods; do
    try_ssh "$method" taylor
    assert_match "accepted, $method" '^let in as taylor$' "$out"
done
for service in $services; do
    account_stack "$service" || continue
    assert_eq "$service: an accepted account passes" 0 "$rc"
done

# The gate must not switch off what comes after it: an accepted account has to change its expired password.
chage -d 0 taylor
try_ssh publickey taylor
assert_no_match 'accepted but expired: a key gives no shell' 'let in as' "$out"
try_ssh keyboard-interactive taylor
assert_match 'accepted but expired: lets in after a new password' '^let in as taylor$' "$out"
old=$new
try_ssh password taylor
assert_match 'the new password counts' '^let in as taylor$' "$out"

stop_sshd
finish

#!/bin/bash
# What is the tenant's trouble blocks the worker, not the account (design, Whose fault): jobs stay queued with the error
# shown, Graph and login are left in peace, and once it is mended all go on.
. "$(dirname "$0")/lib.sh"
set_up

requests() { # JSON to match
    simulator requests "$1" | json .length
}

number=0
# Runs the case on a worker that starts blocked: LOGIN is added meanwhile.
assert_blocked() { # CASE CODE WHAT-THE-LOG-NAMES
    number=$((number + 1))
    login=blocked$number
    stop_worker
    : >"$worker_log"
    simulator reset ledger >/dev/null
    start_worker
    capture useradd -m -G partners -c "Blocked <$login@fabrikam.com>" "$login"
    assert_eq "$1: useradd succeeds" 0 "$rc"
    assert_within 30 "$1: the error is shown" error_is "$login" "$2"
    assert_eq "$1: the account is not at fault" queued "$(show "$login" .state)"
    assert_eq "$1: status is exit code 1" 1 "$(status_of "$login")"
    assert_match "$1: there is a mend" '[a-z]{3}' "$(show "$login" .error.mend)"
    capture entra-invite status "$login"
    assert_match "$1: status says why" "$2|$3" "$out"
    assert_true "$1: the log says why" log_has "$3"
    # More reasons to try, and more than one refresh interval for a storm to show itself: nothing announces that
    # nothing happens.
    useradd -m -G partners -c "Blocked <also$number@fabrikam.com>" "also$number" >/dev/null 2>&1
    sleep 7
    local tokens posts lookups
    tokens=$(requests '{"path":"/token$"}')
    posts=$(requests '{"method":"POST","path":"^/v1.0/"}')
    lookups=$(requests "{\"path\":\"^/v1.0/\",\"address\":\"$login@fabrikam.com\"}")
    assert_true "$1: no storm (asked for $tokens tokens)" test "$tokens" -le 3
    assert_true "$1: no storm ($posts invitations tried)" test "$posts" -le 3
    assert_true "$1: no storm ($lookups requests about $login)" test "$lookups" -le 4
    capture entra-invite refresh --wait
    assert_eq "$1: refresh --wait does not pretend" 1 "$rc"
    assert_match "$1: refresh --wait says why" "$2" "$out"
    assert_no_match "$1: no secret in the log (K6)" "$(cat "$secret")" "$(cat "$worker_log")"
}

# With the trouble gone, `refresh` is enough.
assert_goes_on() { # CASE
    capture entra-invite refresh --wait
    assert_one_invitation "$1, mended" "$login@fabrikam.com"
    assert_one_invitation "$1, mended, the other" "also$number@fabrikam.com"
    assert_within 20 "$1, mended: the error is gone" error_is "$login" undefined
}

right=$(cat "$secret")
simulator set secret '"Another~Secret"' >/dev/null
assert_blocked 'wrong secret' secret-wrong 7000215
assert_true 'wrong secret: the log says why refresh alone is not enough' \
    log_has "Permission denied.*start entra-invited again, or let the user entra-invite own the file"
assert_match 'wrong secret: the mend says so, too' 'start entra-invited again' "$(show "$login" .error.mend)"
simulator set secret "\"$right\"" >/dev/null
assert_goes_on 'wrong secret'

# The file as README has it made, for the service user: good for root before the drop, and read again after it.
write_config
chown entra-invite: "$secret"
capture entra-invited --test
assert_eq "the service user's own file: --test" 0 "$rc"
printf 'Another~Secret' >"$secret"
assert_blocked "a wrong secret in the service user's own file" secret-wrong 7000215
printf '%s' "$right" >"$secret"
assert_goes_on "a wrong secret in the service user's own file"
write_config

simulator set secretExpired true >/dev/null
assert_blocked 'expired secret' secret-expired 7000222
simulator set secretExpired false >/dev/null
assert_goes_on 'expired secret'

simulator set roles '["User.Read.All"]' >/dev/null
assert_blocked 'no permission to invite' permission '403|Authorization_RequestDenied|permission'
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
assert_goes_on 'no permission to invite'

simulator set allowInvitesFrom '"none"' >/dev/null
assert_blocked 'invitations are off' 'invitations-off' 'invit'
simulator set allowInvitesFrom '"everyone"' >/dev/null
assert_goes_on 'invitations are off'

write_config 'tenant = "nosuch.onmicrosoft.com";'
assert_blocked 'unknown tenant' tenant-unknown 'nosuch\.onmicrosoft\.com|90002'
stop_worker
write_config
start_worker
assert_goes_on 'unknown tenant'

# A login service that has no number for it, and no metadata: it just has no such path.
simulator fault '{"match":{"path":"openid-configuration$"},"times":0,"action":{"status":404,"html":true}}' >/dev/null
simulator fault '{"match":{"path":"/token$"},"times":0,"action":{"status":404,"html":true}}' >/dev/null
assert_blocked 'no such path at the login service' tenant-unknown 404
assert_match 'no such path at the login service: the mend' 'login_url' "$(show "$login" .error.mend)"
assert_true 'no metadata: the log says what that means' log_has "tenant's id cannot be read.*going on with its name"
simulator faults-clear >/dev/null
assert_goes_on 'no such path at the login service'

# Metadata are no more than a guard: a login service that cannot make them must not keep anybody waiting.
stop_worker
for status in 500 501; do
    simulator fault '{"match":{"path":"openid-configuration$"},"action":{"status":'$status'}}' >/dev/null
    start_worker
    useradd -m -G partners -c "Meta <meta$status@fabrikam.com>" "meta$status" >/dev/null 2>&1
    assert_within 15 "metadata are answered with $status: invitations go on" state_is "meta$status" pending
    stop_worker
done
start_worker

openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$work/other-ca.pem" -days 2 -subj '/CN=Other CA' \
    2>"$work/openssl"
chmod 644 "$work/other-ca.pem"
chmod 755 "$work"
write_config "ca_file = \"$work/other-ca.pem\";"
assert_blocked 'TLS certificate not trusted' tls-not-trusted 'certificate|trust'
stop_worker
write_config
start_worker
assert_goes_on 'TLS certificate not trusted'

# Throttled: not blocked, and not asked again before the time that Graph named is over (X8).
simulator reset ledger >/dev/null
simulator fault '{"match":{"path":"^/v1.0/"},"times":2,"action":{"status":429,"retryAfter":"3.5"}}' >/dev/null
useradd -m -G partners -c 'Throttled <throttled@fabrikam.com>' throttled >/dev/null 2>&1
assert_one_invitation throttled throttled@fabrikam.com
assert_eq 'throttled: nothing was sent before the time' 0 "$(sent_during_hold)"

finish

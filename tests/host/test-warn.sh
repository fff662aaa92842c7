#!/bin/bash
# The gate with pending=warn: everybody is let in, the log has who would not be, and only shells read of it.
. "$(dirname "$0")/lib.sh"
set_up
useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
assert_refused 'with the packaged line' taylor

if command -v pam-auth-update >/dev/null; then
    assert_match 'the profile puts the session line into shells only' '^session.*optional.*pam_entra_invite\.so' \
        "$(cat /etc/pam.d/common-session)"
    assert_no_match 'and not where there is none' pam_entra_invite "$(cat /etc/pam.d/common-session-noninteractive)"
    sed -i '/pam_entra_invite/s/$/ pending=warn quiet/' /etc/pam.d/common-account
else
    sed -i '/^account.*pam_entra_invite/s/$/ pending=warn quiet/' /etc/pam.d/system-auth /etc/pam.d/password-auth /etc/pam.d/su
    echo 'session optional pam_entra_invite.so' >>/etc/pam.d/password-auth
    echo 'session optional pam_entra_invite.so' >>/etc/pam.d/system-auth
fi
assert_let_in 'su lets in' taylor
capture bash -c 'echo "echo let in as \$(id -un)" | su -l taylor'
assert_match 'su -l for a shell: lets in' 'let in as taylor' "$out"
assert_match 'su -l for a shell: warns' 'warning: taylor is invited and has not accepted' "$out"

start_sshd
give_key taylor
try_ssh publickey taylor
assert_eq 'ssh with a command: lets in, and adds nothing to its output' 'let in as taylor' \
    "$(grep -v 'Permanently added' <<<"$out")"
capture bash -c "echo 'echo let in as \$(id -un); exit' | ssh -tt -F none -p $sshd_port -i $work/user_key -o BatchMode=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null taylor@127.0.0.1"
assert_match 'ssh for a shell: lets in' 'let in as taylor' "$out"
assert_match 'ssh for a shell: warns' 'warning: taylor is invited and has not accepted' "$out"
assert_eq 'ssh for a shell: once' 1 "$(grep -c 'entra-invite: warning' <<<"$out")"

redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
try_su taylor
assert_no_match 'accepted: no warning any more' warning "$out"
stop_sshd

finish

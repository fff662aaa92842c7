#!/bin/bash
# The PAM module over real accounts: the matrix of return codes, the packaged profile, and the password stack of
# newusers, chpasswd and passwd with a worker that answers, hangs, or is not there.
. "$(dirname "$0")/lib.sh"
install_tree

groupmod -g 4000 partners
useradd -u 4001 -m -G partners -c 'Taylor Example <Taylor@fabrikam.com>' taylor
useradd -u 4002 -M -g partners -c 'Kim Example,,,,mail=kim@fabrikam.com' kim
useradd -u 4003 -m -s /bin/bash -c 'Robin Example <robin@fabrikam.com>' robin
useradd -u 401 -M -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha
usermod -aG partners root

# ---- the matrix ------------------------------------------------------------------------------------------------------

module=$(find /usr/lib /usr/lib64 -name pam_entra_invite.so 2>/dev/null | head -n 1)
matrix=$work/matrix
if ! "${CC:-gcc}" -std=c17 -D_GNU_SOURCE -I"$repo" -o "$matrix" "$repo"/tests/host/pam-matrix/*.c \
    "$repo"/common/view/*.c "$repo"/common/account/gecos.c "$repo"/common/base/{error,file,utf8}.c -lpam -lcdb \
    >"$work/cc" 2>&1; then
    fail 'the matrix compiles' "$(cat "$work/cc")"
    finish
fi
"$matrix" "$module" >"$work/matrix.out" 2>&1 || cases_failed=$((cases_failed + 1))
sed 's/^# /#   /' "$work/matrix.out"
assert_match 'the matrix ran' '^(ok|not ok) - [0-9]+ cells' "$(cat "$work/matrix.out")"

# ---- the profile (B5, B6, P4) --------------------------------------------------------------------------------------------

gate='account[[:space:]]+\[success=ignore ignore=ignore module_unknown=ignore default=die\][[:space:]]+pam_entra_invite.so'
first_account_line() {
    grep -E '^account' /etc/pam.d/common-account | head -n 1
}
if command -v pam-auth-update >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    pam-auth-update --package
    assert_false 'installing the profile turns nothing on' grep -q entra_invite /etc/pam.d/common-account
    cp /etc/pam.d/common-account "$work/common-account.before"

    pam-auth-update --enable entra-invite
    assert_match 'the gate is the first account line' "^$gate *\$" "$(first_account_line)"
    assert_true 'the password line is there' grep -Eq '^password[[:space:]]+optional[[:space:]]+pam_entra_invite.so' \
        /etc/pam.d/common-password
    assert_match 'and behind pam_unix' 'pam_unix.so.*pam_entra_invite.so' "$(tr '\n' ' ' </etc/pam.d/common-password)"

    # What libpam-sss brings: it ends the stack for local accounts.
    printf '%s\n' 'Name: SSS authentication' 'Default: yes' 'Priority: 128' 'Account-Type: Additional' 'Account:' \
        $'\tsufficient\tpam_localuser.so' >/usr/share/pam-configs/sss-test
    pam-auth-update --package --enable sss-test
    assert_match 'it stays first beside a profile like that of libpam-sss (B5)' "^$gate *\$" "$(first_account_line)"

    # What himmelblau brings: it ends the stack for whom it knows, and stands above pam_unix.
    printf '%s\n' 'Name: Entra' 'Default: yes' 'Priority: 2048' 'Account-Type: Primary' 'Account:' \
        $'\t[success=end default=ignore]\tpam_permit.so' >/usr/share/pam-configs/entra-test
    pam-auth-update --package --enable entra-test
    assert_match 'and beside a profile like that of himmelblau' "^$gate *\$" "$(first_account_line)"
    pam-auth-update --package --remove entra-test
    rm /usr/share/pam-configs/entra-test

    sed -i '/pam_entra_invite/s/$/ pending=warn/' /etc/pam.d/common-account
    pam-auth-update --package
    assert_match 'an option that was added stays' "^$gate +pending=warn *\$" "$(first_account_line)"

    pam-auth-update --disable entra-invite
    pam-auth-update --package --remove sss-test
    rm /usr/share/pam-configs/sss-test
    pam-auth-update --package
    assert_true 'turned off, all is as before' cmp "$work/common-account.before" /etc/pam.d/common-account
    pam-auth-update --package
    assert_false 'and stays off' grep -q entra_invite /etc/pam.d/common-account
fi
enable_pam

# ---- without a view --------------------------------------------------------------------------------------------------

install -d -o entra-invite "$public"
assert_let_in 'nothing published yet: nobody is known to be covered' taylor
echo partners >"$public/groups"
assert_refused 'the view is missing: a covered account' taylor 'missing'
assert_refused 'the view is missing: covered by primary group' kim 'missing'
assert_let_in 'the view is missing: an account that is not covered' robin
assert_let_in 'the view is missing: root' root
chmod 666 "$public/groups"
assert_let_in 'a groups file that others may write counts for nothing' taylor
chmod 644 "$public/groups"

# ---- the password stack ----------------------------------------------------------------------------------------------

if ! [ -e /etc/pam.d/chpasswd ]; then
    skip 'the password stack' 'chpasswd does not ask PAM on this system'
    finish
fi
socket_dir=${socket%/*}
install -d -o entra-invite "$socket_dir"
set_password() { # LOGIN
    echo "$1:Pass-word-$RANDOM" >"$work/chpasswd"
    capture bash -c "chpasswd <'$work/chpasswd'"
}
set_password taylor
assert_eq 'no worker: chpasswd succeeds (B7)' 0 "$rc"
assert_match 'no worker: it says when the invitation follows' 'taylor will be invited once entra-invited runs' "$out"
assert_eq 'the line comes once, not for both passes' 1 "$(grep -c entra-invite: <<<"$out")"
set_password robin
assert_eq 'no worker: chpasswd of an account that is not covered' 0 "$rc"
assert_no_match 'nothing is said about it' entra-invite "$out"
set_password sasha
assert_no_match 'nor about one below minimum_uid' entra-invite "$out"

# A worker of a few lines, which keeps what it is told.
cat >"$work/worker.js" <<'END'
const [path, log, reply] = process.argv.slice(1);
require('net').createServer(peer => {
    peer.on('error', () => {});
    peer.on('data', data => {
        require('fs').appendFileSync(log, data.toString().replace('\0', '\n'));
        if (reply) peer.end(reply + '\0');
    });
}).listen(path);
END
fake_worker() { # REPLY
    rm -f "$socket" "$work/calls"
    : >"$work/calls"
    node -e "$(cat "$work/worker.js")" -- "$socket" "$work/calls" "$1" &
    fake_pid=$!
    wait_until 10 test -S "$socket" || fail 'the fake worker starts'
}
end_fake_worker() {
    kill "$fake_pid"
    wait "$fake_pid" 2>/dev/null
}

fake_worker '{"parameters":{"covered":true,"account":{"login":"taylor","state":"queued"},"wait":0}}'
set_password taylor
assert_match 'a worker that answers: the invitation is announced' 'taylor will be invited; see' "$out"
assert_eq 'one fixed message' \
    '{"method":"io.entrainvite.Announce","parameters":{"login":"taylor","source":"pam"}}' "$(cat "$work/calls")"
: >"$work/calls"
set_password robin
printf 'alex:Pass-word-1::4000:Alex Example <alex@fabrikam.com>:/home/alex:/bin/bash\n' >"$work/newusers"
capture newusers "$work/newusers"
assert_eq 'newusers succeeds' 0 "$rc"
assert_match 'newusers says it' 'alex will be invited; see' "$out"
assert_eq 'only the covered account is announced' \
    '{"method":"io.entrainvite.Announce","parameters":{"login":"alex","source":"pam"}}' "$(cat "$work/calls")"
: >"$work/calls"
echo 'taylor:Pass-word-1' | chpasswd >/dev/null 2>&1
: >"$work/calls"
capture runuser -u taylor -- bash -c "printf '%s\n' Pass-word-1 Other-word-22 Other-word-22 | passwd"
assert_eq 'taylor changes the own password' 0 "$rc"
assert_eq "a user's own passwd announces nothing" '' "$(cat "$work/calls")"
end_fake_worker

fake_worker ''
set_password taylor
assert_eq 'a worker that hangs: chpasswd succeeds' 0 "$rc"
assert_match 'a worker that hangs: nothing is promised' 'once entra-invited runs' "$out"
end_fake_worker

finish

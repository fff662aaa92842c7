#!/bin/bash
# Killed while a sign-in is renewed (R1, R2): the old refresh token or the new one is whole on the disk, and both are
# good (contract 1.5), so nobody has to sign in again.
. "$(dirname "$0")/lib.sh"

token_file=/var/lib/entra-invite/private/refresh-token

token_on_disk() {
    json .refreshToken <"$token_file"
}

sign_in() {
    local code
    timeout 60 entra-invite login --json >"$work/login" 2>&1 </dev/null &
    wait_until 20 grep -q userCode "$work/login"
    code=$(head -n 1 "$work/login" | json .userCode)
    simulator approve "$code" >/dev/null
    wait $! || fail 'somebody signs in' "$(cat "$work/login")"
}

install_tree
start_simulator
simulator set deviceInterval 1 >/dev/null
write_config 'credential: { type = "device-code"; };'
start_worker
sign_in
stop_worker

for point in R1 R2 R1 R2; do
    case="$point, a start"
    before=$(token_on_disk)
    EI_FAILPOINT=$point launch_worker
    assert_died
    if [ $point = R1 ]; then
        assert_eq "$case: the old token is on the disk" "$before" "$(token_on_disk)"
    else
        assert_false "$case: the new token is on the disk" test "$before" = "$(token_on_disk)"
    fi
    assert_eq "$case: mode and owner" '600 entra-invite' "$(stat -c '%a %U' "$token_file")"
    start_worker
    number=$((${number:-0} + 1))
    useradd -m -G partners -c "Example <after$number@fabrikam.com>" "after$number" >"$work/useradd" 2>&1
    assert_one_invitation "$case: goes on without a sign-in" "after$number@fabrikam.com"
    assert_eq "$case: nothing blocks" null "$(entra-invite status --json | json .blocked)"
    stop_worker
done

finish

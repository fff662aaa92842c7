#!/bin/bash
# Each fallible call of the PAM and the NSS module fails once, and from then on: never a wrong code or group, no leak, no
# descriptor, nothing of the program's changed (T2, S1, S24, S36). SEED and STRIDE repeat a run; a finding says which
# case it was: CASE='...' tests/faults/run test-torture-modules.sh repeats that one.
. "$(dirname "$0")/torture.sh"
stride=${LAB_STRIDE:-60}

install_tree
build_torture
groupmod -g 4000 partners
useradd -u 4001 -M -G partners -c 'Taylor Example <Taylor@fabrikam.com>' taylor
useradd -u 4002 -M -g partners -c 'Kim Example,,,,mail=kim@fabrikam.com' kim
useradd -u 4003 -M -c 'Robin Example <robin@fabrikam.com>' robin
useradd -u 401 -M -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha 2>/dev/null
usermod -aG partners root
install -d -o entra-invite "$public"
# The sources of accounts are what is tested here, not what a directory's module does.
sed -i -E 's/^(passwd|group|shadow|initgroups):.*/\1: files/' /etc/nsswitch.conf

compile "$work/torture-modules" "$faults/torture-modules.c" "$here"/pam-matrix/{accounts,conditions,session}.c \
    "$repo"/common/view/*.c "$repo"/common/account/gecos.c "$repo"/common/base/{error,file,utf8}.c \
    "$shim" -Wl,-rpath,"$work" -lpam -lcdb
find_module() {
    find /usr/lib /usr/lib64 -name "$1" 2>/dev/null | head -n 1
}
TORTURE_ONE=${LAB_CASE:-} "$trace" "$work/torture-modules" "$(find_module pam_entra_invite.so)" \
    "$(find_module libnss_entra_invite.so.2)" "$stride" "$seed" >"$work/modules" 2>&1 ||
    fail "no module misbehaves under a fault" \
        "repeat one: CASE='…' tests/faults/run $(basename "$0"); all: SEED=$seed STRIDE=$stride"
sed 's/^# /#   /' "$work/modules" | tail -n 60
assert_match 'all of it ran' '^(ok|not ok) - the modules: [0-9]+ fallible calls' "$(cat "$work/modules")"
finish

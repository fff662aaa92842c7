#!/bin/bash
# The NSS module in real programs: id, sshd's AllowGroups, sudoers; who beats it (S17); and in a program that is hard on
# what it loads (S36, T4).
. "$(dirname "$0")/lib.sh"
set_up
sed -i -E 's/^(group:.*)$/\1 entra_invite/' /etc/nsswitch.conf
pending=entra-invite-pending accepted=entra-invite-accepted

has_group() { # LOGIN GROUP
    id -nG "$1" | tr ' ' '\n' | grep -qx -- "$2"
}
assert_groups() { # NAME LOGIN WANTED
    assert_eq "$1" "$3" "$(id -nG "$2" | tr ' ' '\n' | grep '^entra-invite' | xargs)"
}

useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
useradd -m -s /bin/bash -c 'Robin Example' robin >"$work/useradd" 2>&1
useradd -M -G partners -c 'Kim Example' kim >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
assert_within 20 'kim waits' state_is kim waiting
assert_groups 'pending: id shows it' taylor $pending
assert_groups 'waiting: id shows it' kim $pending
assert_groups 'not covered: in neither group' robin ''
assert_groups 'root: in neither group' root ''
assert_true 'the other groups are still there' has_group taylor partners

# ---- services that decide by group -----------------------------------------------------------------------------------

start_sshd
stop_sshd
printf '%s\n' "AllowGroups $accepted" >>"$work/sshd_config"
"$(command -v sshd)" -D -f "$work/sshd_config" -E "$work/sshd.log" &
sshd_pid=$!
wait_until 20 eval ": </dev/tcp/127.0.0.1/$sshd_port"
give_key taylor
give_key robin
try_ssh publickey taylor
assert_eq 'AllowGroups: pending is refused' 255 "$rc"
try_ssh publickey robin
assert_eq 'AllowGroups: who is in no such group is refused' 255 "$rc"

echo "%$accepted ALL=(root) NOPASSWD: /usr/bin/id" >/etc/sudoers.d/partners
chmod 0440 /etc/sudoers.d/partners
may_sudo() {
    runuser -u "$1" -- sudo -n /usr/bin/id -u
}
assert_false 'sudoers: pending may not' may_sudo taylor

redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
assert_within 5 'accepted: id shows it' has_group taylor $accepted
assert_groups 'accepted: and only that' taylor $accepted
try_ssh publickey taylor
assert_match 'AllowGroups: accepted is let in' '^let in as taylor$' "$out"
assert_eq 'sudoers: accepted may' 0 "$(may_sudo taylor)"
assert_false 'sudoers: others may not' may_sudo robin
stop_sshd

# ---- who beats it ----------------------------------------------------------------------------------------------------

gid=$(getent group $accepted | cut -d: -f3)
cp -p /etc/group "$work/group"
echo "staff-of-ours:x:$gid:" >>/etc/group
assert_groups 'S17: a local group that holds the gid under another name wins' taylor ''
sed -i '1i before:x:'"$gid"':' "$work/group" && cp -p "$work/group" /etc/group
assert_groups 'S17: wherever it stands' taylor ''
sed -i 1d "$work/group" && cp -p "$work/group" /etc/group
groupdel $accepted
assert_groups 'S17: without the local group there is no answer' taylor ''
cp -p "$work/group" /etc/group
assert_groups 'and with it there is' taylor $accepted

# Other lines that a distribution may have (P5, P6).
cp /etc/nsswitch.conf "$work/nsswitch.conf"
sed -i -E 's/^group:.*/group: files [SUCCESS=merge] systemd [SUCCESS=merge] entra_invite/' /etc/nsswitch.conf
assert_groups 'P6: groups that are merged: id shows it' taylor $accepted
assert_match 'P6: and no local group gains a member' "^$accepted:[^:]*:$gid:\$" "$(getent group $accepted)"
echo "staff-of-ours:x:$gid:" >>/etc/group
assert_groups 'S17, P6: merged, a local group that holds the gid under another name wins' taylor ''
cp -p "$work/group" /etc/group
sed -i -E 's/^group:.*/group: files entra_invite/' /etc/nsswitch.conf
echo 'initgroups: entra_invite [SUCCESS=continue] files' >>/etc/nsswitch.conf
assert_groups 'P5: an initgroups line, as nss_entra_invite(8) has it: id shows it' taylor $accepted
assert_true 'P5: and the other groups' has_group taylor partners
assert_true 'P5: who is not covered has his groups too' has_group robin robin
assert_groups 'P5: and none of ours' robin ''
sed -i 's/^initgroups:.*/initgroups: files entra_invite/' /etc/nsswitch.conf
assert_groups 'P5: behind the files it would not be asked' taylor ''
assert_match 'P5: which doctor finds' 'warning .*initgroups.* entra_invite \[SUCCESS=continue\]' \
    "$(entra-invite doctor --json | json '.filter((finding) => finding.check === "nss").map((finding) => finding.status + " " + finding.what + " " + finding.mend).join()')"
cp "$work/nsswitch.conf" /etc/nsswitch.conf

# S32: the login belongs to another account now; the worker has not seen it yet.
stop_worker
uid=$(id -u taylor)
usermod -u 4999 taylor
assert_groups 'S32: another uid is somebody else' taylor ''
usermod -u "$uid" taylor
assert_groups 'the daemon need not run' taylor $accepted
mv "$public/status.cdb" "$work/status.cdb"
assert_groups 'without the published status: no answer' taylor ''
assert_true 'and id works' id taylor
head -c 2100 "$work/status.cdb" >"$public/status.cdb"
chown entra-invite: "$public/status.cdb"
assert_groups 'with a damaged one: no answer' taylor ''
mv -f "$work/status.cdb" "$public/status.cdb"

# ---- hostile programs ------------------------------------------------------------------------------------------------

if "${CC:-gcc}" -std=c17 -D_GNU_SOURCE -o "$work/host" "$repo/tests/host/nss-host/host.c" -lpthread >"$work/cc" 2>&1; then
    for case in threads forks closed high full-table full-memory interrupts short-list no-duplicate keeps-state entry-point; do
        assert_true "S36: $case" timeout 60 "$work/host" taylor "$gid" $case
    done
    assert_false 'the program would notice a missing group' "$work/host" robin "$gid" threads
    cp -p /etc/group "$work/group"
    for ((number = 0; number < 100; number++)); do echo "many$number:x:$((7000 + number)):taylor"; done >>/etc/group
    assert_true 'ERANGE: a login of more than 100 groups' timeout 60 "$work/host" taylor "$gid" many-groups
    assert_true 'and id has it among them' has_group taylor $accepted
    cp -p "$work/group" /etc/group
else
    fail 'the hostile program compiles' "$(cat "$work/cc")"
fi
if command -v valgrind >/dev/null; then
    capture valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
        --suppressions=/dev/null id -nG taylor
    assert_eq 'id under valgrind: no error' 0 "$rc"
    [ "$rc" = 0 ] || sed 's/^/#   /' <<<"$out"
fi

finish

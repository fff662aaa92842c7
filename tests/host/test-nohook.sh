#!/bin/bash
# Accounts that no tool with a hook has made: the watch on /etc finds them, however the files are written.
. "$(dirname "$0")/lib.sh"
set_up
rm -rf /etc/shadow-maint

# uid, login, address; gid is that of partners
passwd_line() {
    printf '%s:x:%s:%s:%s Example <%s>:/tmp:/bin/bash\n' "$2" "$1" "$partners" "${2^}" "$3"
}
partners=$(getent group partners | cut -d: -f3)

# In place, as an editor without backup or `>>` in a script does.
passwd_line 4001 taylor taylor@fabrikam.com >>/etc/passwd
assert_one_invitation 'written in place' taylor@fabrikam.com
assert_within 20 'taylor is pending' state_is taylor pending

# By rename, as shadow, vipw and configuration management do.
{ cat /etc/passwd && passwd_line 4002 robin robin@fabrikam.com; } >/etc/passwd.new
mv /etc/passwd.new /etc/passwd
assert_one_invitation 'written by rename' robin@fabrikam.com
assert_within 20 'robin is pending' state_is robin pending
assert_refused 'robin' robin

# Membership alone, in place and by rename.
echo 'kim:x:4003:100:Kim Example <kim@fabrikam.com>:/tmp:/bin/bash' >>/etc/passwd
echo 'sasha:x:4004:100:Sasha Example <sasha@fabrikam.com>:/tmp:/bin/bash' >>/etc/passwd
sed '/^partners:/s/$/kim/' /etc/group >"$work/group"
cat "$work/group" >/etc/group
assert_one_invitation 'membership in place' kim@fabrikam.com
sed '/^partners:/s/$/,sasha/' /etc/group >/etc/group.new
mv /etc/group.new /etc/group
assert_one_invitation 'membership by rename' sasha@fabrikam.com

# A file that is half written: no whole line at its end, so nothing is concluded from it (design, Gone needs proof).
cp /etc/passwd "$work/passwd"
passwd_line 4005 alex alex@fabrikam.com >>"$work/passwd"
head -c -20 "$work/passwd" >/etc/passwd
cat "$work/passwd" >/etc/passwd
assert_one_invitation 'after a torn write' alex@fabrikam.com
for login in taylor robin kim sasha alex; do
    assert_within 20 "$login is pending" state_is "$login" pending
done

# Found in a mass of unannounced accounts: held, not mailed to (design, A mass).
for i in $(seq 25); do passwd_line $((5000 + i)) "mass$i" "mass$i@fabrikam.com"; done >>/etc/passwd
assert_within 30 'a mass is held' listed held 25
assert_eq 'nobody of it is invited' 0 "$(simulator ledger | json '.addresses' | grep -c mass)"
assert_eq 'status of a held account is exit code 1' 1 "$(status_of mass1)"
assert_refused 'a held account' mass1
capture entra-invite adopt --rule partners --dry-run
assert_eq 'adopt --dry-run succeeds' 0 "$rc"
assert_true 'and changes nothing' listed held 25
capture entra-invite adopt --rule partners
assert_eq 'adopt succeeds' 0 "$rc"
assert_one_invitation 'the first of the mass' mass1@fabrikam.com
assert_one_invitation 'the last of the mass' mass25@fabrikam.com
assert_within 30 'the whole mass is invited' listed pending 30

finish

#!/bin/bash
# newusers runs no hook of shadow-maint (B2): the PAM password line announces the account, or the file watch finds it.
. "$(dirname "$0")/lib.sh"
set_up

# kim is a member of the group before there is a kim; sasha joins it afterwards.
sed -i '/^partners:/s/$/kim/' /etc/group
cat >"$work/newusers" <<'END'
robin:Pass-word-1:::Robin Example <robin@fabrikam.com>:/home/robin:/bin/bash
kim:Pass-word-1:::Kim Example <kim@fabrikam.com>:/home/kim:/bin/bash
sasha:Pass-word-1:::Sasha Example <sasha@fabrikam.com>:/home/sasha:/bin/bash
END
partners=$(getent group partners | cut -d: -f3)
sed -i "/^robin:/s/:::/::$partners:/" "$work/newusers"

capture newusers "$work/newusers"
assert_eq 'newusers succeeds (B7)' 0 "$rc"
case='newusers passes on that robin is announced'
if [ -e /etc/pam.d/newusers ]; then
    assert_match "$case" 'robin.*invit|invit.*robin' "$out"
else
    skip "$case" 'newusers does not ask PAM on this system'
fi
assert_no_match 'nothing is said about sasha, who is not covered' 'invit.*sasha|sasha.*invit' "$out"
assert_eq 'the password is set' P "$(passwd -S robin | cut -d' ' -f2)"

assert_one_invitation 'primary group' robin@fabrikam.com
assert_one_invitation 'supplementary group' kim@fabrikam.com
assert_no_invitation 'sasha is nobody yet' sasha@fabrikam.com
try_su sasha
assert_match 'and not refused' '^let in as sasha$' "$out"

capture usermod -aG partners sasha
assert_one_invitation 'added to the group later' sasha@fabrikam.com
for login in robin kim sasha; do
    assert_within 20 "$login is pending" state_is "$login" pending
    assert_refused "$login" "$login"
done

# The same two PAM calls come for a password that changes: nothing new may follow.
echo 'robin:Another-word-2' | chpasswd >"$work/chpasswd" 2>&1
assert_eq 'chpasswd of a covered account succeeds' 0 $?
redeem robin@fabrikam.com
assert_let_in 'robin, accepted' robin
assert_refused 'kim, still pending' kim
assert_eq 'still one POST for robin' 1 "$(ledger robin@fabrikam.com '.posts.filter(post => post.effect).length')"

finish

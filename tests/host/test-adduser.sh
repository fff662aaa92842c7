#!/bin/bash
# Debian's adduser writes GECOS and groups after useradd and its hook are through (B1): an account without an address
# is `waiting`, and becomes an invitation as soon as the file has one.
. "$(dirname "$0")/lib.sh"
if ! [[ -e /etc/debian_version && -f /usr/sbin/adduser && ! -L /usr/sbin/adduser ]]; then
    skip_all "this system's adduser is useradd, not Debian's program"
fi
set_up

comment=--comment
grep -q -- --comment <<<"$(adduser --help 2>&1)" || comment=--gecos

capture adduser --disabled-password "$comment" 'Taylor Example <taylor@fabrikam.com>' taylor
assert_eq 'adduser succeeds' 0 "$rc"
assert_no_invitation 'no group, no invitation' taylor@fabrikam.com
assert_let_in 'and no gate' taylor
capture adduser taylor partners
assert_eq 'adduser LOGIN GROUP succeeds' 0 "$rc"
assert_one_invitation 'adduser, then the group' taylor@fabrikam.com
assert_within 20 'taylor is pending' state_is taylor pending
assert_refused 'taylor, once in the group' taylor

capture adduser --disabled-password --ingroup partners --gecos 'Robin Example <robin@fabrikam.com>' robin
assert_eq 'adduser --ingroup succeeds' 0 "$rc"
assert_one_invitation 'adduser with the group' robin@fabrikam.com
assert_within 20 'robin is pending' state_is robin pending

# As interactive adduser does while it asks for a password: in the group, no GECOS yet.
capture adduser --disabled-password --ingroup partners "$comment" '' kim
assert_eq 'adduser without a comment succeeds' 0 "$rc"
assert_within 20 'kim waits for an address' state_is kim waiting
assert_eq 'status of a waiting account is exit code 1' 1 "$(status_of kim)"
assert_refused 'a waiting account' kim 'address'
capture chfn -f 'Kim Example <kim@fabrikam.com>' kim
assert_eq 'chfn succeeds' 0 "$rc"
assert_one_invitation 'the address comes later' kim@fabrikam.com
assert_within 20 'kim is pending' state_is kim pending

capture adduser --disabled-password --ingroup partners --gecos 'Sasha Example,,,,mail=sasha@fabrikam.com' sasha
assert_one_invitation 'mail= in the fifth part' sasha@fabrikam.com
assert_eq 'its display name' 'Sasha Example' "$(ledger sasha@fabrikam.com '.posts[0].body.invitedUserDisplayName')"

capture deluser kim
assert_eq 'deluser succeeds' 0 "$rc"

finish

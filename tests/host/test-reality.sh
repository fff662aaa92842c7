#!/bin/bash
# The account files as they are treated in real life: rewritten in place while they are read, members dropped by
# usermod, an account removed and made again, a cache before the name service (design, Gone needs proof).
. "$(dirname "$0")/lib.sh"
set_up 'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );' 'max_new = 0;'

add() { # LOGIN [OPTION...]
    useradd -M -G partners -c "${1^} Example <$1@fabrikam.com>" "${@:2}" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
guest_of() { # LOGIN
    show "$1" .invitedUserId
}

# A tenth of the accounts may go without a question: so enough of them stay.
gid=$(getent group partners | cut -d: -f3)
seq 1 60 | sed "s|.*|stays&:x:&:$gid:Stays Example <stays&@fabrikam.com>:/:/bin/sh|" |
    awk -F: -v OFS=: '{ $3 += 7000; print }' >>/etc/passwd
assert_within 60 'sixty accounts are there' listed pending 60

# ---- made again ------------------------------------------------------------------------------------------------------

add taylor -u 4100
assert_within 20 'taylor is pending' state_is taylor pending
guest=$(guest_of taylor)
userdel taylor
add taylor -u 4100
assert_within 20 'removed and made again, the same person: pending' state_is taylor pending
assert_eq 'removed and made again, the same person: the same guest' "$guest" "$(guest_of taylor)"
assert_eq 'removed and made again, the same person: one guest' 1 "$(ledger taylor@fabrikam.com .guests.length)"
userdel taylor
useradd -M -u 4100 -G partners -c 'Someone Else <else@fabrikam.com>' taylor >/dev/null 2>&1
assert_refused 'the same login for another person: refused at once' taylor 'invit'
assert_within 20 'the same login for another person: another guest' eval '[ "$(show taylor .email)" = else@fabrikam.com ]'
assert_one_invitation 'the same login for another person' else@fabrikam.com
redeem taylor@fabrikam.com
assert_refused 'what the first one redeems opens nothing for the second' taylor 'invit'
redeem else@fabrikam.com
assert_within 20 'what the second one redeems does' state_is taylor accepted
assert_let_in 'and lets in' taylor

# ---- dropped by usermod, removed by userdel: on proof ----------------------------------------------------------------

for login in robin kim sasha; do add $login; done
for login in robin kim sasha; do assert_within 20 "$login is pending" state_is $login pending; done
redeem kim@fabrikam.com
assert_within 20 'kim is accepted' state_is kim accepted
usermod -G '' robin
usermod -G '' kim
userdel sasha

# ---- rewritten in place, again and again -----------------------------------------------------------------------------

# The proof of the three takes a minute; meanwhile the file is hardly ever whole.
cp /etc/passwd "$work/passwd"
rewrite() {
    local end=$((SECONDS + 20))
    while [ "$SECONDS" -lt "$end" ]; do
        # Truncated first, then written in pieces, as an editor or a script does.
        { head -c 700 "$work/passwd" && sleep 0.01 && tail -c +701 "$work/passwd"; } >/etc/passwd
        sleep 0.02
    done
}
rewrite
cp "$work/passwd" /etc/passwd
assert_eq 'rewritten in place: nobody is lost' 60 "$(entra-invite list --json | json '.filter((one) => /^stays/.test(one.login) && one.state === "pending").length')"
assert_eq 'rewritten in place: nobody is invited anew' true "$(simulator ledger | json '.counters.guestsCreated' | json ' <= 66')"
printf 'stays61:x:7061:%s:Stays Example <stays61@fab' "$gid" >>/etc/passwd
capture entra-invite refresh --wait
assert_eq 'half a line at the end is nobody' 3 "$(status_of stays61)"
printf 'rikam.com>:/:/bin/sh\n' >>/etc/passwd
assert_within 20 'the whole line is somebody' state_is stays61 pending
assert_one_invitation 'the whole line' stays61@fabrikam.com

assert_within 150 'dropped by usermod before accepting: removed' state_is robin removed
assert_refused 'dropped by usermod before accepting: stays shut' robin .
assert_within 30 'dropped by usermod after accepting: not covered' status_is kim 3
assert_let_in 'dropped by usermod after accepting: passes' kim
assert_within 30 'removed by userdel: forgotten' status_is sasha 3
assert_true 'removed by userdel: the guest stays, as the rule says' guests_in_directory sasha@fabrikam.com 1
assert_eq 'nobody else is touched' 61 "$(entra-invite list --json | json '.filter((one) => /^stays/.test(one.login) && one.state === "pending").length')"
usermod -aG partners robin
assert_within 20 'back in the group: goes on' state_is robin pending
assert_eq 'back in the group: the same guest' 1 "$(ledger robin@fabrikam.com .guests.length)"

# ---- a cache before the name service (host-facts B11) ----------------------------------------------------------------

if ! command -v nscd >/dev/null; then
    skip 'nscd' 'this system has no nscd'
    finish
fi
mkdir -p /run/nscd
nscd
assert_within 10 'nscd runs' test -S /run/nscd/socket
getent group partners >/dev/null
add alex
assert_within 20 'with nscd: invited' state_is alex pending
assert_refused 'with nscd: refused' alex 'invit'
sed -i 's/^\(partners:.*\)$/\1,stranger/' /etc/group
echo "stranger:x:7200:7200:Stranger Example <stranger@fabrikam.com>:/:/bin/sh" >>/etc/passwd
assert_within 20 'with nscd: an edit is seen' state_is stranger pending
assert_refused 'with nscd: and refused' stranger 'invit'
redeem alex@fabrikam.com
assert_within 20 'with nscd: accepted' state_is alex accepted
assert_let_in 'with nscd: lets in' alex
nscd --shutdown

finish

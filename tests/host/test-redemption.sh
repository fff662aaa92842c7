#!/bin/bash
# "Reading Graph's answer" (design, Hard cases), row by row, from what Graph says to who may log in; and how long what
# it said counts (max_age).
. "$(dirname "$0")/lib.sh"
set_up

add() { # LOGIN
    capture useradd -M -s /bin/bash -G partners -c "${1^} Example <$1@fabrikam.com>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
pending() { # LOGIN
    add "$1"
    assert_within 30 "$1 is pending" state_is "$1" pending
}
accepted() { # LOGIN
    pending "$1"
    simulator redeem "$1@fabrikam.com" >"$work/redeem" 2>&1
    refresh
    assert_within 20 "$1 is accepted" state_is "$1" accepted
}
user() { # JSON
    simulator user "$1" >"$work/user" 2>&1 || fail "the simulator takes $1" "$(cat "$work/user")"
}
guest() { # LOGIN JSON-MEMBERS
    user "{\"find\":\"$1@fabrikam.com\",$2}"
}
refresh() {
    capture entra-invite refresh --wait
}
posts() { # LOGIN
    ledger "$1@fabrikam.com" '.posts.filter(post => post.effect).length'
}
# State, and the code of the error shown with it.
stands() { # LOGIN
    show "$1" '.state + " " + (value.error ? value.error.code : "-")'
}
stands_at() { # LOGIN WANTED
    [ "$(stands "$1")" = "$2" ]
}
assert_stands() { # NAME LOGIN WANTED
    if wait_until 10 stands_at "$2" "$3"; then pass "$1"; else fail "$1" "wanted: $3" "got:    $(stands "$2")"; fi
}
view_has() { # LOGIN EXIT-CODE
    assert_within 10 "$1: the gate knows it" own_status_is "$1" "$2"
}

# ---- PendingAcceptance, Accepted -------------------------------------------------------------------------------------

pending pia
refresh
assert_stands 'PendingAcceptance is pending' pia 'pending -'
assert_refused 'PendingAcceptance' pia
accepted ada
assert_stands 'Accepted is accepted' ada 'accepted -'
assert_let_in 'Accepted' ada
guest ada '"state":"PendingAcceptance"'
refresh
assert_stands 'a redemption that was reset in the tenant is pending again' ada 'pending -'
view_has ada 1
assert_refused 'a redemption that was reset' ada
guest ada '"state":"Accepted"'
refresh
assert_stands 'and accepted again' ada 'accepted -'

# ---- accountEnabled false --------------------------------------------------------------------------------------------

guest ada '"enabled":false'
refresh
assert_stands 'a disabled guest has failed, though Accepted' ada 'failed disabled'
assert_match 'disabled: the mend' 'enable the guest' "$(show ada .error.mend)"
assert_eq 'disabled: status is exit code 2' 2 "$(status_of ada)"
view_has ada 2
assert_refused 'a disabled guest' ada disabled
guest ada '"enabled":true'
refresh
assert_stands 'enabled again, it mends itself' ada 'accepted -'
view_has ada 0
assert_let_in 'enabled again' ada
guest pia '"enabled":false'
refresh
assert_stands 'a pending guest that is disabled' pia 'failed disabled'
guest pia '"enabled":true'
refresh
assert_stands 'enabled again, it is pending' pia 'pending -'
assert_eq 'and was not invited again' 1 "$(posts pia)"

user '{"kind":"pending","address":"dora@fabrikam.com","enabled":false}'
user '{"kind":"accepted","address":"dirk@fabrikam.com","enabled":false}'
add dora
add dirk
assert_stands 'found disabled' dora 'failed disabled'
assert_stands 'found disabled, though Accepted' dirk 'failed disabled'
assert_eq 'who is found disabled is not POSTed' '0 0' \
    "$(ledger dora@fabrikam.com .posts.length) $(ledger dirk@fabrikam.com .posts.length)"
guest dora '"enabled":true'
guest dirk '"enabled":true'
refresh
assert_stands 'found disabled, then enabled: pending' dora 'pending -'
assert_within 20 'found disabled, then enabled: it gets a URL' eval '[[ $(show dora .inviteRedeemUrl) == https://* ]]'
assert_eq 'found disabled, then enabled: one POST' 1 "$(posts dora)"
assert_eq 'found disabled, then enabled: no second guest' 1 "$(ledger dora@fabrikam.com .users.length)"
assert_stands 'found disabled, then enabled: who has accepted is accepted' dirk 'accepted -'
assert_eq 'and not POSTed' 0 "$(ledger dirk@fabrikam.com .posts.length)"

# ---- in the tenant's deleted users -----------------------------------------------------------------------------------

pending gus
accepted gia
guest gus '"delete":"soft"'
guest gia '"delete":"soft"'
refresh
assert_stands 'a guest who was deleted is gone' gus 'failed guest-gone'
assert_stands 'a guest who had accepted and was deleted is gone' gia 'failed guest-gone'
assert_match 'guest-gone: the mend' 'restore it|invite' "$(show gus .error.mend)"
view_has gia 2
assert_refused 'a guest who is gone' gia guest-gone
touch /etc/passwd
refresh
assert_eq 'nobody who is gone is invited again by itself' '1 1' "$(posts gus) $(posts gia)"
guest gus '"restore":true'
guest gia '"restore":true'
refresh
assert_stands 'restored, a pending guest is pending' gus 'pending -'
assert_stands 'restored, who had accepted is accepted' gia 'accepted -'
view_has gia 0
assert_let_in 'restored' gia

old=$(show gus '.invitedUserId + " " + value.inviteRedeemUrl')
guest gus '"delete":"soft"'
guest gia '"delete":"soft"'
refresh
assert_stands 'deleted once more' gus 'failed guest-gone'
capture entra-invite invite gus --wait=20
assert_eq 'invite after guest-gone: exit code' 0 "$rc"
assert_stands 'invite after guest-gone: pending, and no second-guest' gus 'pending -'
assert_eq 'invite after guest-gone: a guest of its own' "$(ledger gus@fabrikam.com '.guests[1]')" \
    "$(show gus .invitedUserId)"
assert_eq 'invite after guest-gone: the URL of that answer' \
    "$(ledger gus@fabrikam.com '.posts.pop().inviteRedeemUrl')" "$(show gus .inviteRedeemUrl)"
assert_no_match 'invite after guest-gone: nothing of the old guest' "$(tr ' ' '|' <<<"$old" | sed 's/[.?+]/\\&/g')" \
    "$(show gus '')"
assert_eq 'invite after guest-gone: one new guest' 2 "$(ledger gus@fabrikam.com .guests.length)"
refresh
assert_stands 'invite after guest-gone: still pending' gus 'pending -'
redeem gus@fabrikam.com
assert_stands 'invite after guest-gone: the new URL is good' gus 'accepted -'
capture entra-invite invite gia --wait=20
assert_stands 'who had accepted and is gone: invited anew' gia 'pending -'
view_has gia 1
assert_refused 'invited anew, not accepted yet' gia

# ---- null ------------------------------------------------------------------------------------------------------------

user '{"kind":"self-service","address":"sue@fabrikam.com"}'
user '{"kind":"email-verified","address":"eve@fabrikam.com"}'
user '{"kind":"external-member","address":"max@fabrikam.com"}'
user '{"kind":"member","address":"ina@fabrikam.com"}'
for login in sue eve max ina; do add "$login"; done
assert_stands 'null is accepted for SelfServiceSignUp' sue 'accepted -'
assert_stands 'null is accepted for EmailVerified' eve 'accepted -'
assert_stands 'null is accepted for a Member with #EXT#' max 'accepted -'
assert_stands 'null is internal-user for any other Member' ina 'failed internal-user'
assert_match 'internal-user: the mend' 'group' "$(show ina .error.mend)"
for login in sue eve max ina; do assert_no_invitation "$login is not POSTed" "$login@fabrikam.com"; done
for login in sue eve max; do
    view_has "$login" 0
    assert_let_in "$login, null and accepted" "$login"
done
view_has ina 2
assert_refused 'an internal member' ina internal-user
refresh
assert_stands 'null is accepted at later looks too' sue 'accepted -'
guest pia '"state":null'
refresh
assert_stands 'null for an invited guest says nothing: state unchanged, and said' pia 'pending state-unclear'
guest pia '"state":"PendingAcceptance"'

# ---- what cannot be read: state unchanged, and said ------------------------------------------------------------------

refresh
assert_stands 'before: pending' pia 'pending -'
assert_stands 'before: accepted' ada 'accepted -'
assert_unchanged() { # CASE CODE
    refresh
    assert_stands "$1: pending stays pending, and it is said" pia "pending $2"
    assert_stands "$1: accepted stays accepted, and it is said" ada "accepted $2"
    assert_match "$1: there is a mend" '[a-z]{3}' "$(show ada .error.mend)"
    assert_eq "$1: status goes by the state" '1 0' "$(status_of pia) $(status_of ada)"
    assert_let_in "$1: who was accepted" ada
    assert_refused "$1: who was pending" pia
}
assert_mended() { # CASE
    refresh
    assert_stands "$1, over: pending, and no error" pia 'pending -'
    assert_stands "$1, over: accepted, and no error" ada 'accepted -'
}
guest pia '"absent":["externalUserState"]'
guest ada '"absent":["externalUserState"]'
assert_unchanged 'the property is absent' not-seen
guest pia '"absent":[]'
guest ada '"absent":[]'
assert_mended 'the property is absent'

# A refresh tells what is true when it is asked for, not what a look that was under way by then had read.
simulator fault '{"match":{"path":"^/v1.0/users/"},"times":0,"action":{"when":"after","hold":"looks"}}' >/dev/null
entra-invite refresh >/dev/null
simulator wait '{"path":"^/v1.0/users/","held":true,"count":1}' >/dev/null
guest ada '"state":"PendingAcceptance"'
entra-invite refresh --wait >/dev/null &
refreshing=$!
sleep 1
simulator faults-clear >/dev/null
wait "$refreshing"
assert_match 'refresh --wait: what was read before it does not count' '^pending' "$(show ada .state)"
guest ada '"state":"Accepted"'
assert_mended 'refresh --wait'

guest pia '"state":"Frobnicated"'
guest ada '"state":"Frobnicated"'
assert_unchanged 'an unknown value' state-unclear
assert_match 'an unknown value: it is named' Frobnicated "$(show pia .error.message)"
guest pia '"state":"PendingAcceptance"'
guest ada '"state":"Accepted"'
assert_mended 'an unknown value'

simulator set roles '["User.Invite.All","Organization.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
assert_unchanged '403 on reads' not-seen
add ned
assert_stands '403 on reads: invitations go out all the same (design, Permissions)' ned 'pending -'
capture entra-invite status
assert_match '403 on reads: status says that the gate cannot open' 'User\.Read\.All' "$out"
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
assert_mended '403 on reads'

simulator fault '{"match":{"path":"^/v1.0/users"},"times":0,"action":{"status":401}}' >/dev/null
refresh
# Once one look is refused, those that were not under way are not made.
assert_match '401 on reads: pending stays pending' '^pending (-|not-seen|permission|unauthorized)$' "$(stands pia)"
assert_match '401 on reads: accepted stays accepted' '^accepted (-|not-seen|permission|unauthorized)$' "$(stands ada)"
capture entra-invite status
assert_match '401 on reads: status says it' 'unauthorized' "$out"
assert_let_in '401 on reads: who was accepted' ada
assert_refused '401 on reads: who was pending' pia
simulator faults-clear >/dev/null
assert_mended '401 on reads'

# ---- not one user ----------------------------------------------------------------------------------------------------

user '{"kind":"accepted","address":"amy@fabrikam.com"}'
user '{"kind":"accepted","address":"amy.other@fabrikam.com",
    "set":{"otherMails":["amy.other@fabrikam.com","amy@fabrikam.com"]}}'
add amy
assert_stands 'two users match' amy 'failed ambiguous'
assert_no_invitation 'two users match: nobody is POSTed' amy@fabrikam.com
assert_match 'two users match: the mend' 'all but one' "$(show amy .error.mend)"
user '{"find":"amy.other@fabrikam.com","set":{"otherMails":["amy.other@fabrikam.com"]}}'
capture entra-invite invite amy
assert_stands 'two users matched, and one does after the mend' amy 'accepted -'

pending sid
first=$(show sid .invitedUserId)
second=99999999-0000-4000-8000-000000000009
simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"sid@fabrikam.com"},
    "action":{"when":"after","body":{"id":"5b9d3c1e-1111-4a4a-9c9c-0a0a0a0a0a01","status":"PendingAcceptance",
        "inviteRedeemUrl":"https://login.example/redeem?rd=second","invitedUser":{"id":"'$second'"}}}}' >/dev/null
capture entra-invite resend sid
assert_within 20 'a second guest id for one address is shown' error_is sid second-guest
assert_match 'a second guest: both are named' "$first.*$second|$second.*$first" "$(show sid .error.message)"
assert_match 'a second guest: the mend' 'delete one' "$(show sid .error.mend)"
assert_true 'a second guest: the log says it' log_has second-guest
refresh
refresh
assert_true 'a second guest: looks do not swallow it' error_is sid second-guest
capture entra-invite invite sid --wait=20
assert_stands 'a second guest: invite after the mend' sid 'pending -'
assert_eq 'a second guest: the guest that is left' "$first" "$(show sid .invitedUserId)"

# An object id is the same in either case.
simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"sid@fabrikam.com"},
    "action":{"when":"after","body":{"id":"5b9d3c1e-1111-4a4a-9c9c-0a0a0a0a0a01","status":"PendingAcceptance",
        "inviteRedeemUrl":"https://login.example/redeem?rd=upper","invitedUser":{"id":"'"${first^^}"'"}}}}' >/dev/null
capture entra-invite resend sid
link_is() { # LOGIN LINK
    [ "$(show "$1" .inviteRedeemUrl)" = "$2" ]
}
assert_within 20 'the guest in upper case: the new link' link_is sid 'https://login.example/redeem?rd=upper'
assert_stands 'the guest in upper case is no second guest' sid 'pending -'

# ---- for how long it counts: max_age ---------------------------------------------------------------------------------

useradd -M -s /bin/bash uma
stop_worker
write_config 'max_age = 12;'
start_worker
refresh
assert_let_in 'within max_age' ada
stop_worker
# What makes it stale is that nothing happens.
assert_within 40 'past max_age the view is stale' own_status_is ada 4
capture runuser -u ada -- entra-invite status ada
assert_match 'stale: status says so' 'refreshed|out of date|stale' "$out"
assert_refused 'stale: who was accepted' ada 'out of date'
assert_refused 'stale: who was pending' pia 'out of date'
assert_let_in 'stale: whom no rule covers' uma
assert_let_in 'stale: root' root
start_worker
refresh
assert_within 10 'refreshed again' own_status_is ada 0
assert_let_in 'refreshed again' ada

# A host on which nobody is a guest yet has nothing to look at; its view must not become stale of that.
stop_worker
for login in $(getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }'); do userdel "$login" 2>/dev/null; done
rm -f "$database"* "$public/status.cdb"
start_worker
capture useradd -M -s /bin/bash -G partners -c 'No address yet' wil
assert_within 20 'an idle host: wil waits' own_status_is wil 1
sleep 14 # longer than max_age: nothing announces that nothing happens
assert_true 'an idle host does not become stale' own_status_is wil 1
assert_refused 'an idle host: the gate says what is missing' wil 'no e-mail address'

assert_no_match 'the log names nobody twice in a row' '([^ ]+@[^ :]+): \1:' "$(cat "$worker_log")"

finish

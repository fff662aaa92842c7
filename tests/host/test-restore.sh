#!/bin/bash
# restore: a guest that was deleted or disabled comes back as it was, whatever happens on the way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/offboard.sh"
install_tree
enable_pam
groupadd interns
start_simulator
simulator set roles "$change" >/dev/null
write_config "rules = ( $default_rules,
    { name = \"vendors\"; group = \"vendors\"; on_account_removal = \"disable\"; },
    { name = \"interns\"; group = \"interns\"; on_account_removal = \"delete\"; } );"
start_worker

accepted() { # LOGIN [GROUP]
    pending "$@"
    redeem "$1@fabrikam.com"
    assert_within 20 "$1 is accepted" state_is "$1" accepted
}
removed() { # LOGIN disable|delete
    capture entra-invite remove "$1" "--$2"
    assert_within 20 "$1: $2d" guest_is "$1" "$([ "$2" = delete ] && echo none || echo disabled)"
    assert_within 10 "$1: that is on record" eval '[ "$(show '"$1"' .error)" = null ] && entra-invite refresh --wait'
}
made() { # LOGIN; how many guests our invitations made
    ledger "$1@fabrikam.com" .guests.length
}

# Whose accounts go away now are proven gone a minute later, see below.
accepted dana interns
accepted dirk vendors
simulator user '{"kind":"accepted","address":"lars@fabrikam.com"}' >/dev/null
add lars interns
assert_within 30 'lars is linked' state_is lars accepted
for login in dana dirk lars; do userdel "$login"; done

# ---- deleted by remove -----------------------------------------------------------------------------------------------

accepted taylor
id=$(show taylor .invitedUserId)
removed taylor delete
assert_eq 'a deleted guest is known' "null $id" "$(show taylor '.invitedUserId + " " + value.deletedGuestId')"
capture entra-invite restore taylor
assert_eq 'restore: exit code' 0 "$rc"
assert_match 'restore says that it is queued' 'taylor <taylor@fabrikam.com>: queued' "$out"
assert_within 20 'restore: the guest is back' guest_is taylor enabled
assert_within 20 'restore: accepted, as before' state_is taylor accepted
assert_eq 'restore: the same guest, without another invitation' "$id null 1" \
    "$(show taylor '.invitedUserId + " " + value.deletedGuestId') $(made taylor)"
assert_let_in 'restore: and in' taylor
capture entra-invite restore taylor
assert_eq 'nothing to restore: exit code' 1 "$rc"
assert_match 'nothing to restore: it says so' 'nothing to restore' "$out"

pending robin
url=$(show robin .inviteRedeemUrl)
removed robin delete
capture entra-invite restore robin@fabrikam.com --json
assert_eq 'restore ADDRESS --json' '0 queued' "$rc $(json .state <<<"$out")"
assert_within 20 'a pending guest is pending again' state_is robin pending
assert_within 20 'with another URL' eval '[[ $(show robin .inviteRedeemUrl) == https://* ]]'
assert_false 'which is not the old one' test "$url" = "$(show robin .inviteRedeemUrl)"
assert_eq 'and the same guest' 1 "$(made robin)"
redeem robin@fabrikam.com
assert_within 20 'that can be redeemed' state_is robin accepted

# ---- disabled --------------------------------------------------------------------------------------------------------

accepted kim
removed kim disable
capture entra-invite restore kim
assert_within 20 'a disabled guest is enabled' guest_is kim enabled
assert_within 20 'and accepted again' state_is kim accepted
removed kim disable
capture entra-invite invite kim --wait
assert_eq 'invite of a guest that we disabled' disabled "$(show kim .error.code)"
assert_match 'the mend names restore' 'entra-invite restore' "$(show kim .error.mend)"
capture entra-invite restore kim
assert_within 20 'which helps' state_is kim accepted
removed kim disable
removed kim delete
capture entra-invite restore kim
assert_within 20 'disabled, then deleted: both are undone' guest_is kim enabled
assert_within 20 'disabled, then deleted: accepted again' state_is kim accepted
simulator user '{"find":"kim@fabrikam.com","enabled":false}' >/dev/null
capture entra-invite refresh --wait
assert_within 20 'disabled in Entra' error_is kim disabled
capture entra-invite restore kim
assert_eq 'whom somebody else disabled stays so' '1 disabled' "$rc $(guest kim)"

# ---- deleted in Entra, by somebody else ------------------------------------------------------------------------------

accepted sasha
simulator user '{"find":"sasha@fabrikam.com","delete":"soft"}' >/dev/null
capture entra-invite refresh --wait
assert_within 20 'deleted in Entra' error_is sasha guest-gone
capture entra-invite restore sasha
assert_within 20 'deleted in Entra: restored' state_is sasha accepted
simulator user '{"find":"sasha@fabrikam.com","delete":"soft"}' >/dev/null
capture entra-invite refresh --wait
assert_within 20 'deleted in Entra again' error_is sasha guest-gone
simulator user '{"find":"sasha@fabrikam.com","restore":true}' >/dev/null
capture entra-invite restore sasha
assert_within 20 'restored in Entra meanwhile: found there' state_is sasha accepted

# Deleted users are kept for 30 days.
accepted alex
removed alex delete
simulator user '{"find":"alex@fabrikam.com","delete":"hard"}' >/dev/null
capture entra-invite restore alex
assert_within 40 'past the 30 days: it is gone for good' error_is alex guest-purged
assert_match 'past the 30 days: the mend' 'entra-invite invite' "$(show alex .error.mend)"
assert_eq 'past the 30 days: failed' 'failed null' "$(show alex '.state + " " + value.deletedGuestId')"
capture entra-invite invite alex --wait
assert_eq 'past the 30 days: invite makes a new guest' 'pending 2' "$(show alex .state) $(made alex)"

# ---- refused ---------------------------------------------------------------------------------------------------------

accepted vera
removed vera delete
roles "$invite"
capture entra-invite restore vera
assert_eq 'without the permission: exit code' 0 "$rc"
assert_within 20 'without the permission: the error is shown' error_is vera permission
assert_eq 'without the permission: queued' queued "$(show vera .state)"
assert_refused 'without the permission' vera .
touch /etc/passwd
capture entra-invite refresh --wait
assert_eq 'without the permission: no reading of the accounts calls it off' 'queued 1' "$(show vera .state) $(made vera)"
stop_worker
start_worker
assert_eq 'without the permission: no restart either' queued "$(show vera .state)"
roles "$change"
capture entra-invite refresh --wait
assert_within 20 'the permission is there: accepted' state_is vera accepted
assert_eq 'the permission is there: no error, no other guest' 'undefined 1' "$(show vera '.error?.code') $(made vera)"
removed vera delete
simulator fault '{"match":{"path":"/restore$"},"action":{"status":409}}' >/dev/null
capture entra-invite restore vera
assert_within 20 'somebody else has the address' error_is vera restore-refused
assert_match 'somebody else has the address: failed, and the reason is there' 'failed .*409' \
    "$(show vera '.state + " " + value.error.message')"
capture entra-invite restore vera
assert_within 20 'not any more: restored' state_is vera accepted
capture entra-invite remove vera --delete
gpasswd -d vera partners >/dev/null
assert_within 20 'vera is deleted' guest_is vera none
capture entra-invite refresh --wait
capture entra-invite restore vera
assert_eq 'a login that is not covered: exit code' 1 "$rc"
assert_match 'a login that is not covered: it says so' 'group' "$out"
assert_eq 'a login that is not covered: nothing is restored' none "$(guest vera)"
capture entra-invite restore nobody@fabrikam.com
assert_eq 'a stranger: exit code' 3 "$rc"
capture entra-invite restore
assert_eq 'nobody: exit code' 2 "$rc"

# ---- killed on the way -----------------------------------------------------------------------------------------------

for when in before after; do
    login=kill$when
    accepted "$login"
    id=$(show "$login" .invitedUserId)
    removed "$login" delete
    simulator fault "{\"match\":{\"path\":\"/restore\$\"},\"action\":{\"hold\":\"kill\",\"when\":\"$when\"}}" >/dev/null
    capture entra-invite restore "$login"
    assert_true "killed $when the effect: the request is under way" \
        simulator wait '{"path":"/restore$","held":true,"count":1}' --timeout 20
    capture entra-invite remove "$login"
    assert_eq "killed $when the effect: remove has to wait" 4 "$rc"
    kill_worker
    simulator release kill >/dev/null
    simulator faults-clear >/dev/null
    start_worker
    assert_within 30 "killed $when the effect: accepted" state_is "$login" accepted
    assert_eq "killed $when the effect: the same guest, one invitation" "$id 1" "$(show "$login" .invitedUserId) $(made "$login")"
done

# ---- by rule ---------------------------------------------------------------------------------------------------------

# Three of so few at once are a mass.
assert_within 90 'the removals are proven, and meant' eval 'entra-invite remove --confirm; guest_is dana none'
assert_within 20 'on_account_removal = "delete"' guest_is dana none
assert_within 20 'on_account_removal = "disable"' guest_is dirk disabled
capture entra-invite refresh --wait
assert_eq 'a guest that was there before us stays, whatever the rule says' enabled "$(guest lars)"
capture entra-invite restore dana@fabrikam.com
assert_eq 'restore by rule: exit code' 0 "$rc"
assert_within 20 'restore by rule: the guest is back' guest_is dana enabled
assert_within 20 'restore by rule: accepted' state_is dana@fabrikam.com accepted
add dana interns
assert_within 20 'restore by rule: the account too, when it is' state_is dana accepted
assert_eq 'restore by rule: the same guest' 1 "$(made dana)"
add dirk vendors
assert_within 20 'a new account of a guest that we disabled' error_is dirk disabled
capture entra-invite restore dirk
assert_within 20 'is let in by restore' state_is dirk accepted

finish

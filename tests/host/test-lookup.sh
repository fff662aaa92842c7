#!/bin/bash
# "Was this person already invited?" Each answer is a plain one, and nobody is invited who must not be.
. "$(dirname "$0")/lib.sh"
invite='["User.Invite.All","User.Read.All","Organization.Read.All"]'
change='["User.Invite.All","User.Read.All","Organization.Read.All","User.ReadWrite.All"]'
install_tree
enable_pam
start_simulator
simulator set roles "$change" >/dev/null
simulator set domains '[{"name":"contoso.onmicrosoft.com","isInitial":true},
    {"name":"contoso.example","isDefault":true}]' >/dev/null
write_config 'rules = ( { name = "partners"; group = "partners"; invitation: { send_message = true; }; } );'
start_worker

add() { # LOGIN [ADDRESS]
    capture useradd -M -s /bin/bash -G partners -c "${1^} Example <${2:-$1@fabrikam.com}>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
there_is() { # KIND ADDRESS [MORE-JSON]
    simulator user "{\"kind\":\"$1\",\"address\":\"$2\"${3:+,$3}}" >"$work/user" || fail "there is $2" "$(cat "$work/user")"
}
# The POSTs for an address that had an effect, and the mails.
sent() { # ADDRESS
    ledger "$1" '.posts.filter(post => post.effect).length + " " + value.mails.length'
}
failed() { # NAME LOGIN CODE EXTENDED-REGEX-OF-THE-MESSAGE [ADDRESS]
    assert_within 30 "$1: $3" error_is "$2" "$3"
    assert_match "$1: the message" "$4" "$(show "$2" .error.message)"
    assert_match "$1: failed for good, with a mend" 'failed true .*[a-z]{4}' \
        "$(show "$2" '.state + " " + value.error.permanent + " " + value.error.mend')"
    assert_eq "$1: nobody was invited" '0 0' "$(sent "${5:-$2@fabrikam.com}")"
    assert_refused "$1" "$2"
}

# ---- guests ----------------------------------------------------------------------------------------------------------

there_is accepted taylor@fabrikam.com
add taylor
assert_within 30 'an accepted guest is linked' state_is taylor accepted
assert_eq 'an accepted guest: no invitation, no mail' '0 0' "$(sent taylor@fabrikam.com)"
assert_let_in 'an accepted guest is let in' taylor

there_is pending robin@fabrikam.com
add robin
assert_within 30 'a pending guest gets a fresh URL' state_is robin pending
assert_within 10 'a pending guest: the URL' eval '[[ $(show robin .inviteRedeemUrl) == https://* ]]'
assert_eq 'a pending guest: one POST, no mail by itself' '1 0' "$(sent robin@fabrikam.com)"
assert_eq 'a pending guest: the same user' 0 "$(ledger robin@fabrikam.com .guests.length)"

there_is accepted mover@fabrikam.com '"set":{"mail":"moved@fabrikam.com","otherMails":["moved@fabrikam.com"],
    "proxyAddresses":["SMTP:moved@fabrikam.com"],"identities":[]}'
add mover
assert_within 30 'a guest with another address by now is known by name' state_is mover accepted
assert_eq 'a guest with another address by now: no invitation' '0 0' "$(sent mover@fabrikam.com)"

there_is pending dora@fabrikam.com '"enabled":false'
add dora
failed 'a disabled pending guest' dora disabled 'disabled in the tenant'

simulator user '{"kind":"contact","address":"coco@fabrikam.com"}' >/dev/null
add coco
assert_within 30 'an address on a contact: invited' state_is coco pending
assert_within 30 'an address on a contact: show says what it means' eval \
    '[[ $(show coco .warnings) == *"redeem URL"* ]]'
redeem coco@fabrikam.com
assert_within 20 'an address on a contact: accepted by the link' state_is coco accepted
capture entra-invite remove coco
capture entra-invite invite coco --wait
assert_eq 'an address on a contact: found again, though it has no mail' 'accepted 1' \
    "$(show coco .state) $(ledger coco@fabrikam.com .guests.length)"

# ---- the tenant's own ------------------------------------------------------------------------------------------------

there_is member ina@fabrikam.com
add ina
failed 'an internal user' ina internal-user 'member of the tenant'
there_is member bob@fabrikam.com '"enabled":false'
add bob
failed 'a blocked internal user' bob internal-user 'blocked'
capture entra-invite remove bob --delete
capture entra-invite refresh --wait
assert_eq 'a blocked internal user is none of our guests: remove --delete leaves it' 1 \
    "$(ledger bob@fabrikam.com '.users.filter(user => !user.deletedDateTime).length')"
simulator user '{"kind":"group","address":"gil@fabrikam.com"}' >/dev/null
add gil
failed 'the address of a group' gil group-address 'Group email address'
add own own@contoso.example
failed 'a verified domain' own verified-domain 'verified domain' own@contoso.example
add upper upper@CONTOSO.Example
failed 'a verified domain in capitals' upper verified-domain 'verified domain' upper@contoso.example
add sub sub@mail.contoso.example
assert_within 30 'a subdomain of it is listed on its own, so it is another' state_is sub pending
add like like@xcontoso.example
assert_within 30 'and so is one that ends alike' state_is like pending

# Without User.Read.All it is Microsoft's 400 that tells, in two wordings.
simulator set roles '["User.Invite.All"]' >/dev/null
simulator expire-tokens >/dev/null
there_is member ida@fabrikam.com
there_is member ian@fabrikam.com '"enabled":false'
there_is pending dan@fabrikam.com '"enabled":false'
for login in ida ian; do
    add "$login"
    failed "only Microsoft knows $login" "$login" internal-user 'already exists'
done
assert_match 'the other wording is told too' 'blocked' "$(show ian .error.message)"
add dan
failed 'only Microsoft knows that dan is disabled' dan invitation-refused 'disabled'
simulator set roles "$change" >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait

# ---- a refusal that names a user whom no search shows ----------------------------------------------------------------

# The refusal of every invitation of LOGIN@fabrikam.com; there is KIND under another address.
named() { # KIND LOGIN [MORE-JSON]
    there_is "$1" "$2-hidden@fabrikam.com" "${3:-}"
    named_id=$(json .id <"$work/user")
    name "$2" "$named_id"
}
name() { # LOGIN ID
    simulator fault '{"match":{"method":"POST","path":"/invitations$","address":"'"$1"'@fabrikam.com"},"times":0,
        "action":{"status":400,"code":"BadRequest","message":"The invited user already exists in the directory as object ID: '"$2"'. They can use that account to sign in to shared apps and resources."}}' >/dev/null
}
attempts() { # LOGIN; how often it was asked for
    ledger "$1@fabrikam.com" '.posts.length'
}
named accepted nora
add nora
assert_within 30 'an accepted guest whom only the refusal names is linked' state_is nora accepted
assert_eq 'named, accepted: it is that one, and of the refusal nothing is left' "$named_id undefined" \
    "$(show nora '.invitedUserId + " " + value.error?.code')"
assert_eq 'named, accepted: nobody was invited' '0 0' "$(sent nora@fabrikam.com)"
assert_let_in 'named, accepted: is let in' nora
capture entra-invite remove nora --delete
capture entra-invite refresh --wait
assert_eq 'named, accepted: is none of our making, so remove --delete leaves it' true \
    "$(simulator show "$named_id" | json '[0].accountEnabled')"

named pending paul
add paul
failed 'a pending guest whom the refusal names' paul invitation-refused "guest $named_id has not redeemed"
assert_match 'named, pending: Microsoft'"'"'s words' 'already exists in the directory' "$(show paul .error.message)"
capture entra-invite refresh --wait
touch /etc/passwd
capture entra-invite refresh --wait
assert_eq 'named, pending: asked once' 1 "$(attempts paul)"

named member mia
add mia
failed 'a member whom the refusal names' mia internal-user 'member of the tenant'
named accepted dave '"enabled":false'
add dave
failed 'a disabled guest whom the refusal names' dave disabled "is disabled"

named accepted lara
simulator fault '{"match":{"method":"GET","path":"^/v1.0/users/'"$named_id"'"},"times":2,
    "action":{"status":404,"code":"Request_ResourceNotFound"}}' >/dev/null
add lara
assert_within 40 'a guest who is named and too new to be shown is asked for again' state_is lara accepted

name vic 11111111-0000-4000-8000-000000000009
add vic
failed 'whoever is named and not there' vic internal-user 'already exists in the directory'

# What passes is waited for; nothing is left behind by a crash in between.
named accepted tina
simulator fault '{"match":{"method":"GET","path":"/users/'"$named_id"'"},"action":{"status":503}}' >/dev/null
add tina
assert_within 60 'named, and the reading fails once: linked' state_is tina accepted
named accepted kate
simulator fault '{"match":{"method":"GET","path":"/users/'"$named_id"'"},"action":{"hold":"look"}}' >/dev/null
add kate
simulator wait '{"held":true,"count":1}' >/dev/null || fail 'the look is held'
kill_worker
simulator faults-clear >/dev/null
name kate "$named_id"
launch_worker
assert_within 20 'killed while the named one is read: the worker starts again' worker_ready
assert_within 30 'killed while the named one is read: linked' state_is kate accepted
assert_eq 'killed while the named one is read: nobody was invited' '0 0' "$(sent kate@fabrikam.com)"
simulator faults-clear >/dev/null

# ---- deleted ---------------------------------------------------------------------------------------------------------

there_is accepted dell@fabrikam.com '"deleted":true'
capture entra-invite invite dell@fabrikam.com --dry-run
assert_eq 'a deleted guest: --dry-run says so' 1 "$rc"
assert_match 'a deleted guest: --dry-run says it plainly' 'deleted users' "$out"
add dell
failed 'a deleted guest' dell guest-deleted "deleted users"
assert_match 'a deleted guest: the mend names restore' 'entra-invite restore' "$(show dell .error.mend)"
assert_eq 'a deleted guest: it is named' "$(simulator show dell@fabrikam.com | json '[0].id')" "$(show dell .deletedGuestId)"
touch /etc/passwd
capture entra-invite refresh --wait
assert_eq 'a deleted guest is not invited by itself' '0 0' "$(sent dell@fabrikam.com)"
capture entra-invite restore dell
assert_within 20 'a deleted guest: restore links it' state_is dell accepted
assert_eq 'a deleted guest: without an invitation' '0 0' "$(sent dell@fabrikam.com)"
there_is accepted dean@fabrikam.com '"deleted":true'
add dean
assert_within 20 'another deleted guest' error_is dean guest-deleted
capture entra-invite invite dean --wait
assert_eq 'invite, once more, makes a new one' 'pending 1' "$(show dean .state) $(ledger dean@fabrikam.com .guests.length)"
assert_eq 'and the deleted one is not named any more' null "$(show dean .deletedGuestId)"
there_is member dmem@fabrikam.com '"deleted":true'
add dmem
assert_within 30 'a deleted member is nobody' state_is dmem pending
simulator fault '{"match":{"path":"deletedItems/microsoft"},"times":0,"action":{"status":403}}' >/dev/null
there_is accepted dina@fabrikam.com '"deleted":true'
add dina
assert_within 30 'deleted users cannot be searched: invited as a new one' state_is dina pending
add dirk
assert_within 30 'deleted users cannot be searched: others too' state_is dirk pending
assert_eq 'deleted users cannot be searched: said once' 1 "$(grep -c "deleted users cannot be searched" "$worker_log")"
assert_eq 'deleted users cannot be searched: and asked once' 1 \
    "$(simulator requests '{"path":"deletedItems/microsoft"}' | json '.filter(request => request.status === 403).length')"
simulator faults-clear >/dev/null

# ---- a tenant that refuses a query -----------------------------------------------------------------------------------

simulator fault '{"match":{"query":"#EXT#"},"times":0,"action":{"status":400}}' >/dev/null
there_is accepted refa@fabrikam.com
add refa
assert_within 30 'no look-up by name: found by address' state_is refa accepted
add refb
assert_within 30 'no look-up by name: invited' state_is refb pending
assert_eq 'no look-up by name: asked once' 1 "$(simulator requests '{"query":"#EXT#"}' | json \
    '.filter(request => request.status === 400).length')"
simulator faults-clear >/dev/null

# ---- two addresses, one person ---------------------------------------------------------------------------------------

there_is accepted two@fabrikam.com '"set":{"otherMails":["two@fabrikam.com","zwei@fabrikam.com"]}'
add two
add zwei
for login in two zwei; do assert_within 30 "$login is linked to the one guest" state_is "$login" accepted; done
capture entra-invite remove two --delete
assert_within 20 'another account of the same person needs the guest' log_has 'two@fabrikam.com: the guest .* stays'
assert_eq 'so it stays, though its other address is removed' 'removed accepted true' \
    "$(show two .state) $(show zwei .state) $(ledger two@fabrikam.com '.users[0].accountEnabled')"
capture entra-invite remove zwei --delete
assert_within 20 'until nobody does' eval \
    '[ "$(ledger two@fabrikam.com ".users.filter(user => !user.deletedDateTime).length")" = 0 ]'

# ---- awkward addresses -----------------------------------------------------------------------------------------------

known() { # LOGIN ADDRESS
    there_is accepted "$2"
    add "$1" "$2"
    assert_within 30 "$2 is found" state_is "$1" accepted
    assert_eq "$2: not invited" '0 0' "$(sent "$2")"
}
known oneil "o'neil@fabrikam.com"
there_is accepted loud@fabrikam.com
add loud LOUD@Fabrikam.COM
assert_within 30 'capitals are found' state_is loud accepted
known long "a1234567890123456789012345678901234567890123456789012345678.1234@fabrikam.com"
known longer "a1234567890123456789012345678901234567890123456789@a-rather-long-name-of-a-domain.fabrikam.com"
assert_eq 'no identity can be so long, so none is asked for' 0 \
    "$(ledger "a1234567890123456789012345678901234567890123456789@a-rather-long-name-of-a-domain.fabrikam.com" \
        '.requests.filter(request => /identities/.test(request.query)).length')"
there_is accepted ada@xn--bcher-kva.example
add idn 'ada@bücher.example'
assert_within 30 'a domain with an umlaut is found by its A-label' state_is idn accepted
add percent 'a%41@fabrikam.com'
assert_within 30 'a percent sign is refused before anybody is asked' error_is percent bad-address
assert_eq 'a percent sign reaches nobody' 0 "$(simulator requests '{"address":"aA@fabrikam.com"}' | json .length)"

finish

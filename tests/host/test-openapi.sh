#!/bin/bash
# What the worker sends to Graph, request by request, against the description of Graph's API that lies beside the
# repository (tests/graph-simulator/openapi). Each call that the worker knows is made at least once.
. "$(dirname "$0")/lib.sh"
checker=$repo/tests/graph-simulator/openapi/check-ledger.js
# The description lacks them; the contract has the first (5), Microsoft's reference the other.
undescribed='GET /directory/deletedItems/{id}'
checked='POST /users/{id}/checkMemberGroups'
group=aaaaaaaa-0000-4000-8000-00000000000a

check_ledger() { # sets out and rc
    rc=0
    out=$(simulator ledger | node "$checker" "$undescribed" "$checked" 2>&1) || rc=$?
}
assert_sent() { # OPERATION
    assert_true "the worker sends $1" grep -F "sent: $1: " <<<"$out"
}
add() { # LOGIN GECOS STATE
    useradd -M -G partners -c "$2" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
    assert_within 30 "$1 is $3" state_is "$1" "$3"
}

start_simulator
check_ledger
[ "$rc" != 77 ] || skip_all "$out"
install_tree
simulator set roles '["User.Invite.All","User.ReadWrite.All","Organization.Read.All","Domain.Read.All","GroupMember.ReadWrite.All"]' >/dev/null
write_config 'invitation: { send_message = true; message_body = "Welcome"; message_language = "nl-BE";
    cc = ( "lead@contoso.example" ); };'
sed -i "s/email_domains = /entra_groups = ( \"$group\" ); &/" "$config"
simulator user '{"kind":"accepted","address":"robin@fabrikam.com"}' >/dev/null
simulator group "{\"id\":\"$group\",\"add\":[\"robin@fabrikam.com\"]}" >/dev/null
start_worker

# ---- invitations -----------------------------------------------------------------------------------------------------

add taylor 'Taylor Example <taylor@fabrikam.com>' pending
add oneil "O'Neil <o'neil@fabrikam.com>" pending
assert_true 'a mail is sent' simulator wait '{"mail":true,"answered":true,"count":2}' --timeout 30
capture entra-invite resend taylor
assert_true 'resend: one more' simulator wait '{"address":"taylor@fabrikam.com","mails":2}' --timeout 30
capture entra-invite invite anna@fabrikam.com --wait --type member --redirect-url https://portal.contoso.example/in?a=b \
    --message 'Line one
Line two' --cc boss@contoso.example
assert_eq 'invite with every option: exit code' 0 "$rc"
capture entra-invite invite bo@fabrikam.com --wait --no-send-message
assert_eq 'invite without mail: exit code' 0 "$rc"

# Sponsors: in the invitation, and where that is refused, one by one.
lead=$(simulator user '{"kind":"member","address":"lead@contoso.example"}' | json .userPrincipalName)
owners=$(simulator user '{"kind":"group","address":"owners@contoso.example"}' | json .id)
capture entra-invite invite carl@fabrikam.com --wait --sponsor "$lead" --sponsor "group:$owners"
assert_eq 'invite with sponsors: exit code' 0 "$rc"
simulator set sponsorsBind '"refused"' >/dev/null
capture entra-invite invite dora@fabrikam.com --wait --sponsor "$lead" --sponsor "group:$owners"
assert_true 'sponsors are added one by one' simulator wait \
    '{"method":"POST","path":"/sponsors/","over":true,"count":2}' --timeout 30
capture entra-invite reset bo@fabrikam.com --wait
assert_eq 'reset: exit code' 0 "$rc"

# ---- whoever is there already, redeems, is gone, is removed ----------------------------------------------------------

add robin 'Robin Example <robin@fabrikam.com>' accepted
redeem taylor@fabrikam.com
assert_within 30 'taylor is accepted' state_is taylor accepted
simulator user '{"find":"robin@fabrikam.com","delete":"soft"}' >/dev/null
capture entra-invite refresh --wait
assert_within 30 'robin is gone' error_is robin guest-gone
capture entra-invite restore robin
assert_within 30 'robin is restored' state_is robin accepted
assert_within 30 'taylor is in the group' eval '[[ $(show taylor ".entraGroups[0].addedAt") == 20* ]]'
capture entra-invite remove taylor --disable
assert_true 'remove --disable reaches Graph' simulator wait '{"method":"PATCH","over":true,"count":1}' --timeout 30
capture entra-invite remove oneil --delete
assert_true 'remove --delete reaches Graph' simulator wait '{"method":"DELETE","over":true,"count":1}' --timeout 30

# ---- the tenant's guests, by either filter ---------------------------------------------------------------------------

for state in pending accepted; do
    capture entra-invite list --tenant --state $state --json
    assert_eq "list --tenant --state $state: exit code" 0 "$rc"
done

# ---- the verdict -----------------------------------------------------------------------------------------------------

check_ledger
assert_eq 'every request is as Graph describes it' 0 "$rc"
assert_eq 'nothing is wrong with any' '' "$(grep '^wrong' <<<"$out")"
for operation in 'POST /invitations' 'GET /users' 'GET /users/{user-id}' 'PATCH /users/{user-id}' \
    'DELETE /users/{user-id}' 'GET /users/{user-id}/sponsors' 'POST /users/{user-id}/sponsors/$ref' "$undescribed" \
    "$checked" 'POST /groups/{group-id}/members/$ref' 'POST /directory/deletedItems/{directoryObject-id}/restore'; do
    assert_sent "$operation"
done
assert_eq 'an invitation with all that it can say was among them' 'nl-BE Welcome lead@contoso.example' \
    "$(ledger taylor@fabrikam.com ".posts.map((post) => post.body.invitedUserMessageInfo).filter(Boolean).map((info) =>
        [info.messageLanguage, info.customizedMessageBody, info.ccRecipients[0].emailAddress.address].join(' '))[0]")"
assert_match 'domains or organization are read' '^sent: GET /(domains|organization): [1-9]' "$out"

# The check can fail: one bad request by hand.
node -e 'console.log(JSON.stringify({ requests: [{ n: 1, method: "POST", path: "/v1.0/invitations", query: "",
    body: { invitedUserEmailAddress: "a@b.example", inviteRedirectUrl: "https://a.example/", sendInvitation: true } }] }))' \
    >"$work/bad"
rc=0
out=$(node "$checker" <"$work/bad" 2>&1) || rc=$?
assert_eq 'a body with a member of its own invention is noticed: exit code' 1 "$rc"
assert_match 'and named' 'sendInvitation: no such member' "$out"

finish

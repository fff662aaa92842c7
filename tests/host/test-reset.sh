#!/bin/bash
# reset: the same user object redeems anew, by another address if wanted (contract 2.6, 2.7). Only by the verb (X4); what
# a crash makes of it: tests/faults/test-reset.sh.
. "$(dirname "$0")/lib.sh"
install_tree
enable_pam
start_simulator
may_reset='["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]'
simulator set roles "$may_reset" >/dev/null
write_config "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; invitation: { send_message = true; }; } );"
start_worker

add_accepted() { # LOGIN [GROUP]
    useradd -m -s /bin/bash -G "${2:-partners}" -c "${1^} Example <$1@fabrikam.com>" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
    assert_within 30 "$1 is invited" state_is "$1" pending
    redeem "$1@fabrikam.com"
    assert_within 30 "$1 is accepted" state_is "$1" accepted
}
resets() { # ADDRESS; of that one
    ledger "$1" '.posts.filter((post) => post.resetRedemption && post.effect).length'
}
give_address() { # OLD NEW
    simulator user "{\"find\":\"$1\",\"set\":{\"otherMails\":[\"$1\",\"$2\"]}}" >/dev/null
}

# ---- the new address must be on the user first -----------------------------------------------------------------------

add_accepted taylor
guest=$(show taylor .invitedUserId)
capture entra-invite reset taylor --email taylor.new@fabrikam.com
assert_eq 'an address that the user does not have: exit code' 1 "$rc"
assert_match 'it is said, with those that it has' 'taylor\.new@fabrikam\.com is no address of the user .*: taylor@fabrikam\.com$' "$out"
assert_match 'and the mend' 'otherMails' "$out"
assert_eq 'nothing was sent' 0 "$(ledger taylor.new@fabrikam.com .posts.length)"
assert_eq 'and the guest stands as before' accepted "$(show taylor .state)"

# ---- reset -----------------------------------------------------------------------------------------------------------

give_address taylor@fabrikam.com taylor.new@fabrikam.com
capture entra-invite reset taylor --email Taylor.New@fabrikam.com --wait
assert_eq 'reset: exit code' 0 "$rc"
assert_match 'reset: what it says' '^taylor <Taylor\.New@fabrikam\.com>: pending$' "$out"
assert_eq 'reset: the history has who asked, the address, and what became of it' 'Taylor.New@fabrikam.com root resetting reset' \
    "$(entra-invite events taylor --json | json '.slice(-4).map((event) => event.by ? event.about + " " + event.by :
        event.event).filter((word) => word !== "checking").join(" ")')"
assert_eq 'reset: one POST, with resetRedemption and the user' "true $guest Taylor.New@fabrikam.com false" \
    "$(ledger taylor.new@fabrikam.com '.posts.map(({ body }) => [body.resetRedemption, body.invitedUser.id,
        body.invitedUserEmailAddress, body.sendInvitationMessage].join(" ")).join("\n")')"
assert_eq 'reset: no member that Microsoft ignores' '' "$(ledger taylor.new@fabrikam.com '.posts.flatMap((post) =>
    post.ignored).join()')"
assert_eq 'reset: the same user' "$guest" "$(show taylor .invitedUserId)"
assert_eq 'reset: the new address, a new URL' "Taylor.New@fabrikam.com $(ledger taylor.new@fabrikam.com '.posts[0].inviteRedeemUrl')" \
    "$(show taylor '.email + " " + value.inviteRedeemUrl')"
assert_eq 'reset: show tells that it was one' true "$(show taylor .invitation.resetRedemption)"
assert_eq 'reset: it is found by either address' 'taylor taylor' \
    "$(show taylor@fabrikam.com .login) $(show taylor.new@fabrikam.com .login)"
assert_within 20 'reset: the view has it' own_status_is taylor 1
assert_refused 'reset: the gate is shut' taylor
capture entra-invite refresh --wait
assert_eq 'reset: a refresh changes nothing' 'pending 1' "$(show taylor .state) $(resets taylor.new@fabrikam.com)"
simulator advance 2 >/dev/null
redeem taylor.new@fabrikam.com
assert_within 20 'redeemed anew: accepted' state_is taylor accepted
assert_within 20 'redeemed anew: the view has it' own_status_is taylor 0
assert_let_in 'redeemed anew: the gate opens' taylor
assert_eq 'one user all the while' 1 "$(ledger taylor.new@fabrikam.com '.users.length')"

# ---- with the address that it has, with mail, of a pending guest -----------------------------------------------------

add_accepted robin vendors
capture entra-invite reset robin --wait
assert_eq 'with mail: exit code' 0 "$rc"
assert_within 20 'with mail: sent' eval '[ "$(show robin ".state + value.mail")" = pendingsent ]'
assert_eq 'with mail: first the reset without, then an invitation with mail' 'true false,undefined true' \
    "$(ledger robin@fabrikam.com '.posts.slice(-2).map(({ body }) => body.resetRedemption + " " +
        body.sendInvitationMessage).join()')"
assert_eq 'with mail: one for the invitation, one for the reset' 2 "$(ledger robin@fabrikam.com .mails.length)"
capture entra-invite reset robin@fabrikam.com --wait
assert_eq 'a pending guest, by its address: exit code' 0 "$rc"
assert_within 20 'a pending guest: one more mail' simulator wait '{"address":"robin@fabrikam.com","mails":3}' --timeout 1
assert_eq 'a pending guest: the same user' 1 "$(ledger robin@fabrikam.com .guests.length)"

# ---- refused ---------------------------------------------------------------------------------------------------------

add_accepted kim
simulator user '{"find":"kim@fabrikam.com","directoryRole":true}' >/dev/null
capture entra-invite reset kim --wait
assert_eq 'who holds a directory role: exit code' 1 "$rc"
assert_match 'who holds a directory role: code and mend' 'error: reset-permission' "$out"
assert_match 'the mend names the permission, and that an app cannot' 'User\.ReadWrite\.All.*directory role' "$out"
assert_within 20 'the guest stands as before' state_is kim accepted
assert_within 20 'and its gate is open' own_status_is kim 0
capture entra-invite refresh --wait
assert_eq 'the reason is shown still' reset-permission "$(show kim .error.code)"
simulator user '{"find":"kim@fabrikam.com","directoryRole":false}' >/dev/null
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite reset kim --wait
assert_match 'without the permission: the same' 'error: reset-permission' "$out"
useradd -M -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha >"$work/useradd" 2>&1
assert_within 30 'and nobody else is held up by it' state_is sasha pending
simulator set roles "$may_reset" >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite reset kim --wait
assert_eq 'with the permission: reset' '0 pending null' "$rc $(show kim '.state + " " + value.error')"
simulator advance 2 >/dev/null
redeem kim@fabrikam.com

# Graph refuses what the look-up allowed.
simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"kim@fabrikam.com"},"action":{"status":400,"code":"BadRequest",
    "message":"The email you'"'"'re using to invite this user doesn'"'"'t match any emails on the user object"}}' >/dev/null
capture entra-invite reset kim --wait
assert_match "Graph finds the address on no user: code" 'error: reset-address' "$out"
assert_within 20 'and the guest stands as before' state_is kim accepted

capture entra-invite reset nobody@fabrikam.com
assert_eq 'a stranger: exit code' 3 "$rc"
useradd -M -G partners vera >"$work/useradd" 2>&1
assert_within 20 'vera waits for an address' state_is vera waiting
capture entra-invite reset vera
assert_eq 'who was never invited: exit code' 1 "$rc"
assert_match 'who was never invited: it is said' 'no guest to reset \(it is waiting\)' "$out"
capture entra-invite reset kim --email 'kim+tag@fabrikam.com'
assert_match "a '+' is refused before the network" "must not have '\\+'" "$out"
capture entra-invite reset kim --email kim@contoso.example
assert_eq "the tenant's own domain: exit code" 1 "$rc"
capture entra-invite reset kim --email taylor@fabrikam.com
assert_match 'an address of somebody else here' 'on record for somebody else' "$out"
capture entra-invite reset kim --email kim@elsewhere.example
assert_match 'a domain that the rule does not list' 'does not list the domain' "$out"
simulator user '{"find":"kim@fabrikam.com","enabled":false}' >/dev/null
capture entra-invite reset kim
assert_match 'a disabled guest' 'is disabled in the tenant' "$out"
simulator user '{"find":"kim@fabrikam.com","enabled":true,"set":{"userType":"Member","creationType":null,
    "externalUserState":null,"userPrincipalName":"kim@contoso.onmicrosoft.com"}}' >/dev/null
capture entra-invite reset kim
assert_match 'an internal user' 'is a member of the tenant, not a guest' "$out"
simulator user '{"find":"kim@fabrikam.com","delete":"hard"}' >/dev/null
capture entra-invite reset kim
assert_eq 'nobody there: exit code' 1 "$rc"
assert_match 'nobody there: it is said' 'the tenant does not have this guest' "$out"

# ---- the answer is lost ----------------------------------------------------------------------------------------------

reset_post='"method":"POST","path":"^/v1.0/invitations","address":"taylor.new@fabrikam.com"'
before=$(resets taylor.new@fabrikam.com)
simulator fault "{\"match\":{$reset_post},\"action\":{\"reset\":true,\"when\":\"after\"}}" >/dev/null
capture entra-invite reset taylor --wait
assert_eq 'lost after its effect: reset in the end' "0 pending" "$rc $(show taylor .state)"
assert_eq 'lost after its effect: reset once, then an invitation for its URL' $((before + 1)) "$(resets taylor.new@fabrikam.com)"
assert_eq 'lost after its effect: the URL of the latest answer' \
    "$(ledger taylor.new@fabrikam.com '.posts.filter((post) => !post.resetRedemption).pop().inviteRedeemUrl')" \
    "$(show taylor .inviteRedeemUrl)"
simulator advance 2 >/dev/null
redeem taylor.new@fabrikam.com
assert_within 20 'lost after its effect: it opens the door' state_is taylor accepted
simulator advance 2 >/dev/null # change times are whole seconds, and nobody accepts, is reset and accepts within one

before=$(resets taylor.new@fabrikam.com)
simulator fault "{\"match\":{$reset_post},\"action\":{\"reset\":true,\"when\":\"after\"}}" >/dev/null
capture entra-invite reset taylor
assert_within 20 'lost once more' eval '[ "$(resets taylor.new@fabrikam.com)" = $((before + 1)) ]'
simulator redeem taylor.new@fabrikam.com >/dev/null # the first look comes five seconds later
assert_within 30 'lost, and redeemed meanwhile: accepted' state_is taylor accepted
assert_eq 'lost, and redeemed meanwhile: no second reset' $((before + 1)) "$(resets taylor.new@fabrikam.com)"
simulator faults-clear >/dev/null

# ---- a directory that is behind shows the old redemption -------------------------------------------------------------

simulator advance 2 >/dev/null
simulator set replication '{"staleMs":3600000}' >/dev/null
capture entra-invite reset taylor --wait
capture entra-invite refresh --wait
assert_eq 'the gate does not open by what was before' 'pending PendingAcceptance' \
    "$(show taylor .state) $(ledger taylor.new@fabrikam.com '.users[0].externalUserState')"
simulator set replication '{"staleMs":0}' >/dev/null

# ---- Graph is down, or the worker --------------------------------------------------------------------------------

add_accepted alex
simulator fault '{"match":{"path":"^/v1.0/users/"},"times":2,"action":{"status":503}}' >/dev/null
capture entra-invite reset alex
assert_eq 'Graph does not answer: it is on record all the same' '0 queued' "$rc $(show alex .state)"
assert_within 60 'and done when Graph is back' state_is alex pending
assert_eq 'once' 1 "$(resets alex@fabrikam.com)"
assert_eq 'no reset but by the verb (X4)' 'alex@fabrikam.com kim@fabrikam.com robin@fabrikam.com taylor.new@fabrikam.com' \
    "$(simulator ledger | json '.addresses' | json ' && Object.keys(value).filter((address) =>
        value[address].posts.some((post) => post.resetRedemption)).sort().join(" ")' | tr '[:upper:]' '[:lower:]')"
stop_worker
capture entra-invite reset alex
assert_eq 'without a worker: exit code' 4 "$rc"

finish

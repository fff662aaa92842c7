#!/bin/bash
# Thousands of guests in a tenant that does not tell which users changed: its guests are listed, or read one by one,
# by what it costs; and a list is a hint, never believed.
. "$(dirname "$0")/lib.sh"
pending=1000
accepted=2000
guests=$((pending + accepted))

install_tree
start_simulator
write_config 'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );' 'max_new = 0;'
simulator set delta false >/dev/null
simulator seed "{\"count\":$accepted,\"kind\":\"accepted\",\"domain\":\"fabrikam.com\"}" >/dev/null
simulator seed "{\"count\":$pending,\"kind\":\"pending\",\"domain\":\"fabrikam.com\",\"first\":$accepted}" >/dev/null
simulator seed '{"count":500,"kind":"pending","domain":"others.example"}' >/dev/null
gid=$(getent group partners | cut -d: -f3)
seq 0 $((guests - 1)) | sed "s|.*|many&:x:&:$gid:Many Example <user&@fabrikam.com>:/:/bin/sh|" |
    awk -F: -v OFS=: '{ $3 += 10000; print }' >>/etc/passwd

redemption() { # JAVASCRIPT-PATH
    entra-invite status --json | json ".redemption$1"
}
method_is() { # METHOD
    [ "$(redemption .method)" = "$1" ]
}
lists() { # [REGULAR EXPRESSION on the query]: first pages asked for
    simulator requests "{\"path\":\"^/v1.0/users\$\",\"query\":\"select=id,externalUserState.*${1:-}\"}" | json .length
}
lists_at_least() { # NUMBER [REGULAR EXPRESSION]
    [ "$(lists "${2:-}")" -ge "$1" ]
}
looks() { # JAVASCRIPT condition on a request
    simulator requests '{"path":"^/v1.0/users/[0-9a-f-]{36}$","method":"GET"}' | json ".filter((one) => $1).length"
}

# ---- listed ----------------------------------------------------------------------------------------------------------

start_worker
assert_within 180 'all are found' eval "listed pending $pending && listed accepted $accepted"
assert_within 60 'the tenant does not tell changes: its guests are listed' method_is list
capture entra-invite status
assert_match 'status says so, and why' 'redemption: list since .*; 3000 guests, 1000 pending, [0-9]+ units a round; .*does not tell' "$out"
assert_eq 'status --json: what it has to say' 'method reason since lastRound guests pending costPerRound deltaLinkAge' \
    "$(redemption ' && Object.keys(value.redemption).join(" ")')"
assert_eq 'a list costs less than reading each' true "$(redemption '.costPerRound < 50')"
assert_eq 'no changes are told' null "$(redemption .deltaLinkAge)"

# At rest, once those that were due before have had their turn.
left_alone() {
    simulator reset ledger >/dev/null
    wait_until 20 lists_at_least 2
    [ "$(looks true)" -lt 60 ]
}
assert_within 120 'at rest: hardly anybody is read' left_alone
since=$(redemption .since)

simulator redeem user2500@fabrikam.com >/dev/null
assert_within 15 'a redemption: noticed' state_is many2500 accepted
assert_true 'a redemption: by a read of the guest' test "$(looks "one.path.endsWith('$(show many2500 .invitedUserId)')")" -ge 1
simulator user '{"find":"user17@fabrikam.com","enabled":false}' >/dev/null
assert_within 15 'an accepted guest is disabled: noticed' state_is many17 failed
simulator user '{"find":"user17@fabrikam.com","enabled":true}' >/dev/null
assert_within 15 'and enabled again: noticed' state_is many17 accepted
simulator user '{"find":"user18@fabrikam.com","delete":"soft"}' >/dev/null
assert_within 15 'an accepted guest is deleted: noticed' state_is many18 failed
simulator user '{"find":"user19@fabrikam.com","state":"PendingAcceptance"}' >/dev/null
assert_within 15 'a redemption that is reset: noticed' eval '[ "$(show many19 .externalUserState)" = PendingAcceptance ]'

# ---- never believed --------------------------------------------------------------------------------------------------

# An index that shows nobody, then everybody as pending: those that differ are read, and stay what they are.
simulator reset ledger >/dev/null
simulator fault '{"match":{"path":"^/v1.0/users$"},"action":{"status":200,"body":{"value":[]}}}' >/dev/null
assert_within 20 'a list of nobody: guests are read' eval '[ "$(looks true)" -ge 1000 ]'
assert_true 'a list of nobody: nobody is taken as accepted' eval '[ "$(entra-invite list --state accepted --json | json .length)" -le $((accepted + 1)) ]'
assert_true 'a list of nobody: nobody is taken as gone' eval '[ "$(entra-invite list --state failed --json | json .length)" = 1 ]'
assert_within 120 'and it is quiet again' left_alone
assert_eq 'the method has not changed meanwhile' "list $since" "$(redemption .method) $(redemption .since)"

# ---- small pages, and the filter -------------------------------------------------------------------------------------

# All guests are more than ten pages now, so only pending ones are listed at each tick.
simulator set maxTop 100 >/dev/null
kill -HUP "$worker_pid"
simulator reset ledger >/dev/null
assert_within 30 'small pages: pending guests are filtered by the tenant' lists_at_least 2 'filter=externalUserState'
assert_eq 'small pages: an advanced query, on each page' true "$(simulator requests \
    '{"path":"^/v1.0/users$","query":"filter=externalUserState|skiptoken"}' |
    json '.filter((one) => /externalUserState eq/.test(one.query)).every((one) => /consistencylevel/.test(one.headers))')"
simulator redeem user2501@fabrikam.com >/dev/null
assert_within 15 'small pages: a redemption is noticed' state_is many2501 accepted

simulator set externalUserStateFilter '"refused"' >/dev/null
kill -HUP "$worker_pid"
simulator reset ledger >/dev/null
assert_within 30 'a filter that is refused: all guests are listed' lists_at_least 2 'filter=userType'
simulator redeem user2502@fabrikam.com >/dev/null
assert_within 15 'a filter that is refused: a redemption is noticed' state_is many2502 accepted
assert_true 'a filter that is refused: still the same method' method_is list

# ---- in the middle of a list -----------------------------------------------------------------------------------------

simulator reset ledger >/dev/null
simulator fault '[{"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":3,"action":{"status":429,"retryAfter":2}},
    {"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":7,"action":{"status":500}}]' >/dev/null
simulator expire-tokens >/dev/null
simulator redeem user2503@fabrikam.com >/dev/null
assert_within 30 'throttled, failed, and with a token that runs out: noticed all the same' state_is many2503 accepted
assert_eq 'nothing is sent while Graph has asked to wait' 0 "$(sent_during_hold)"

# ---- neither changes nor lists ---------------------------------------------------------------------------------------

simulator fault '{"match":{"path":"^/v1.0/users$"},"times":0,"action":{"status":403}}' >/dev/null
assert_within 20 'lists are refused: each guest is read' method_is batch
assert_match 'lists are refused: the reason' 'neither tells .* nor lists' "$(redemption .reason)"
simulator redeem user2504@fabrikam.com >/dev/null
assert_within 60 'lists are refused: a redemption is noticed' state_is many2504 accepted
assert_eq 'lists are refused: said once' 1 "$(grep -c 'does not list its guests' "$worker_log")"
simulator faults-clear >/dev/null

# ---- it tells after all ----------------------------------------------------------------------------------------------

simulator set delta true >/dev/null
kill -HUP "$worker_pid"
assert_within 20 'changes are told after all' method_is delta
assert_eq 'changes are told: the age of the list of changes' true "$(redemption '.deltaLinkAge < 60')"
simulator user '{"find":"user21@fabrikam.com","enabled":false}' >/dev/null
assert_within 20 'changes are told: a change is noticed' state_is many21 failed
stop_worker
assert_eq 'the worker stops cleanly' 0 "$worker_rc"

finish

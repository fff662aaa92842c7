#!/bin/bash
# Many guests: asked for in batches, and looked at when the tenant says that they changed (GET /users/delta).
. "$(dirname "$0")/lib.sh"
rules='rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );'
guests=600

set_up_many() {
    install_tree
    start_simulator
    write_config "$rules" 'max_new = 0;'
    simulator seed "{\"count\":$guests,\"kind\":\"accepted\",\"domain\":\"fabrikam.com\"}" >/dev/null
    local gid
    gid=$(getent group partners | cut -d: -f3)
    seq 0 $((guests - 1)) | sed "s|.*|many&:x:&:$gid:Many Example <user&@fabrikam.com>:/:/bin/sh|" |
        awk -F: -v OFS=: '{ $3 += 5000; print }' >>/etc/passwd
}
asked_changes() { # how often
    simulator requests '{"path":"^/v1.0/users/delta"}' | json .length
}
asked_at_least() { # NUMBER
    [ "$(asked_changes)" -ge "$1" ]
}
looks() { # JAVASCRIPT condition on a request
    simulator requests '{"path":"^/v1.0/users/[0-9a-f-]{36}$","method":"GET"}' | json ".filter((one) => $1).length"
}
add() { # LOGIN
    useradd -M -G partners -c "${1^} Example <$1@fabrikam.com>" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
guest_of() { # LOGIN
    show "$1" .invitedUserId
}

# ---- found, all at once ----------------------------------------------------------------------------------------------

set_up_many
start_worker
assert_within 60 'all are linked' listed accepted "$guests"
assert_eq 'they were looked up in batches' true "$(simulator ledger | json '.counters.batched >= 1000')"
assert_eq 'nothing was sent' 0 "$(simulator requests '{"path":"^/v1.0/invitations"}' | json .length)"
assert_within 20 'the tenant is asked for changes' asked_at_least 1
for login in taylor robin kim; do add $login; done
for login in taylor robin kim; do assert_within 20 "$login is invited" state_is $login pending; done

# ---- looked at -------------------------------------------------------------------------------------------------------

# Over two ticks, once those that were looked at before the tenant told changes have had their turn.
left_alone() {
    simulator reset ledger >/dev/null
    wait_until 20 asked_at_least 2
    [ "$(looks true)" -lt 60 ]
}
assert_within 90 'at rest: the accepted ones are left alone' left_alone
assert_eq 'at rest: the pending ones are looked at, at each tick' true "$(looks "one.path.endsWith('$(guest_of taylor)')" | json ' >= 1')"

simulator user '{"find":"user17@fabrikam.com","enabled":false}' >/dev/null
assert_within 20 'an accepted guest is disabled: noticed' state_is many17 failed
assert_eq 'an accepted guest is disabled: why' disabled "$(show many17 .error.code)"
simulator user '{"find":"user17@fabrikam.com","enabled":true}' >/dev/null
assert_within 20 'and enabled again: noticed' state_is many17 accepted
simulator user '{"find":"user18@fabrikam.com","delete":"soft"}' >/dev/null
assert_within 20 'an accepted guest is deleted: noticed' state_is many18 failed
simulator redeem robin@fabrikam.com >/dev/null
assert_within 20 'a redemption: noticed' state_is robin accepted

# The first answer after a change may be of a copy that has not heard of it (contract 7): the next tick looks once more.
simulator user '{"find":"user19@fabrikam.com","staleMs":3000,"enabled":false}' >/dev/null
assert_within 30 'a change that the copies learn late: noticed' state_is many19 failed

# It is nowhere promised that a redemption is a change.
simulator set deltaTracksState false >/dev/null
simulator redeem kim@fabrikam.com >/dev/null
assert_within 20 'a redemption that is no change: noticed' state_is kim accepted
simulator set deltaTracksState true >/dev/null

# ---- the thread of changes ------------------------------------------------------------------------------------------

simulator reset ledger >/dev/null
stop_worker
simulator user '{"find":"user20@fabrikam.com","enabled":false}' >/dev/null
start_worker
assert_within 20 'changed while the worker was down: noticed' state_is many20 failed
assert_eq 'over a restart the thread is taken up, not begun anew' 0 \
    "$(simulator requests '{"path":"^/v1.0/users/delta","query":"latest"}' | json .length)"

simulator reset ledger >/dev/null
simulator advance 691200 >/dev/null
assert_true 'a lost thread: begun anew' simulator wait '{"path":"^/v1.0/users/delta","query":"latest","count":1}' --timeout 30
assert_within 20 'a lost thread: everybody is looked at' eval '[ "$(looks true)" -ge $((guests - 10)) ]'
assert_true 'a lost thread: the log says so' log_has 'begin anew'

# ---- a tenant that does not tell ---------------------------------------------------------------------------------------

stop_worker
simulator set delta 403 >/dev/null
: >"$worker_log"
start_worker
assert_within 20 'changes are refused: the log says so' log_has 'does not tell which users changed'
simulator user '{"find":"user21@fabrikam.com","enabled":false}' >/dev/null
assert_within 60 'changes are refused: noticed all the same' state_is many21 failed
assert_eq 'changes are refused: said once' 1 "$(grep -c 'does not tell which users changed' "$worker_log")"
assert_eq 'changes are refused: and not asked for again at once' 1 "$(simulator requests '{"path":"^/v1.0/users/delta","count":1}' |
    json '.filter((one) => one.status === 403).length')"
capture entra-invite status
assert_no_match 'changes are refused: no word of a missing permission' 'User.Read.All' "$out"
stop_worker
assert_eq 'the worker stops cleanly' 0 "$worker_rc"

finish

#!/bin/bash
# list --state pending answers as a filter on externalUserState in the tenant does, wherever this host has the accounts.
. "$(dirname "$0")/lib.sh"
install_tree
useradd -M -G vendors -c 'Sasha Example <sasha@contoso.net>' sasha >/dev/null 2>&1
start_simulator
simulator user '{"kind":"pending","address":"sasha@contoso.net"}' >/dev/null
write_config "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; } );"
start_worker

add() { # LOGIN
    useradd -M -G partners -c "${1^} Example <$1@fabrikam.com>" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
in_directory() { # JAVASCRIPT condition on a user; the addresses of the accounts that fulfil it
    local address
    for address in {taylor,robin,kim,alex}@fabrikam.com sasha@contoso.net; do
        simulator show "$address" | json "" |
            json ".filter((user) => !user.deletedDateTime && ($1)).map(() => '$address').join(' ')"
    done | sort | xargs
}
listed_pending() { # OPTION...
    entra-invite list --state pending "$@"
}
of_json() { # JAVASCRIPT-PATH of each
    json ".map((one) => one$1).sort().join(' ')"
}

for login in taylor robin kim alex; do add $login; done
for login in taylor robin kim alex; do assert_within 20 "$login is invited" state_is $login pending; done
assert_within 20 'sasha, found in a mass, is held' state_is sasha held
simulator redeem alex@fabrikam.com >/dev/null
assert_within 20 'alex has redeemed' state_is alex accepted
simulator user '{"find":"robin@fabrikam.com","enabled":false}' >/dev/null
assert_within 20 'robin is disabled before redeeming' state_is robin failed
simulator user '{"find":"kim@fabrikam.com","delete":"soft"}' >/dev/null
assert_within 20 'kim is deleted before redeeming' state_is kim failed

pending_there() {
    [ "$(listed_pending --json | of_json .email)" = "$(in_directory 'user.externalUserState === "PendingAcceptance"')" ]
}
assert_within 20 'all that the directory has as PendingAcceptance, and nobody else' pending_there
assert_eq 'those are' 'robin@fabrikam.com sasha@contoso.net taylor@fabrikam.com' "$(listed_pending --json | of_json .email)"
assert_eq 'each with its own state here' 'failed held pending' "$(listed_pending --json | of_json .state)"
assert_eq 'externalUserState, as Graph has it' 'PendingAcceptance PendingAcceptance PendingAcceptance' \
    "$(listed_pending --json | of_json .externalUserState)"
assert_eq 'the ids are those of the directory' "$(simulator show taylor@fabrikam.com | json '[0].id')" \
    "$(listed_pending --json | json '.find((one) => one.login === "taylor").invitedUserId')"
assert_eq 'the user principal name, as Graph has it' "$(simulator show taylor@fabrikam.com | json '[0].userPrincipalName')" \
    "$(listed_pending --json | json '.find((one) => one.login === "taylor").userPrincipalName')"
assert_eq 'the time of the change, to the second' \
    "$(simulator show taylor@fabrikam.com | json ' && Math.floor(Date.parse(value[0].externalUserStateChangeDateTime) / 1000)')" \
    "$(listed_pending --json | json ' && Date.parse(value.find((one) => one.login === "taylor").externalUserStateChangeDateTime) / 1000')"
assert_match 'in JSON: RFC 3339 in UTC' '"externalUserStateChangeDateTime":\s+"20[0-9-]+T[0-9:]+Z"' "$(listed_pending --json)"
assert_match 'CSV: the same members' '^login,host,email,rule,state,.*userPrincipalName,.*externalUserState,externalUserStateChangeDateTime,' \
    "$(listed_pending --csv)"
assert_match 'through a pipe: local time, with its offset' '^taylor .* 20[0-9-]+T[0-9:]+\+05:45$' \
    "$(TZ='<+0545>-5:45' entra-invite list --state pending)"
assert_match 'show: the same' '^externalUserStateChangeDateTime: 20[0-9-]+T[0-9:]+\+05:45$' \
    "$(TZ='<+0545>-5:45' entra-invite show taylor)"
entra-invite remove taylor >/dev/null 2>&1
assert_false 'who was removed here is not listed' grep -q '^taylor ' <(listed_pending)
stop_worker
assert_eq 'the worker stops cleanly' 0 "$worker_rc"

finish

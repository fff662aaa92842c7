#!/bin/bash
# entra_groups: guests become members of their rules' groups in Entra once they exist, and trouble with a group is
# nobody's but the group's.
. "$(dirname "$0")/lib.sh"
invite='["User.Invite.All","User.Read.All","Organization.Read.All"]'
change='["User.Invite.All","User.Read.All","Organization.Read.All","GroupMember.ReadWrite.All"]'
id() { # NUMBER
    printf 'aaaaaaaa-0000-4000-8000-%012d' "$1"
}
install_tree
enable_pam
start_simulator
simulator set roles "$change" >/dev/null
for number in 1 2 3 4 8; do simulator group "{\"id\":\"$(id $number)\"}" >/dev/null; done
simulator group "{\"id\":\"$(id 5)\",\"dynamic\":true}" >/dev/null
simulator group "{\"id\":\"$(id 7)\",\"roleAssignable\":true}" >/dev/null
for group in lost odd roles held; do groupadd "$group"; done

rule() { # NAME [GROUP-NUMBER...]
    local name=$1 list=
    shift
    for number in "$@"; do list+="${list:+, }\"$(id "$number")\""; done
    printf '{ name = "%s"; group = "%s"; entra_groups = ( %s ); }' "$name" "$name" "$list"
}
configure() { # GROUP-NUMBER... ; those of the rule partners
    write_config 'max_new = 2;' "rules = ( $(rule partners "$@"), $(rule vendors 2 3), $(rule lost 6), $(rule odd 5 1),
        $(rule roles 7), $(rule held 4) );"
}
configure 1 2
start_worker

add() { # LOGIN GROUP [ADDRESS]
    capture useradd -M -s /bin/bash -G "$2" -c "${1^} Example <${3:-$1@fabrikam.com}>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
members() { # GROUP-NUMBER; the addresses, sorted
    local user
    for user in $(simulator group "{\"find\":\"$(id "$1")\"}" | json '.members.join(" ")'); do
        simulator show "$user" | json '[0].otherMails[0]'
    done | sort | tr '\n' ' '
}
is_member() { # GROUP-NUMBER ADDRESS
    [[ " $(members "$1")" == *" $2 "* ]]
}
shown() { # LOGIN GROUP-NUMBER JAVASCRIPT-PATH
    show "$1" ".entraGroups.find(group => group.id === '$(id "$2")')$3"
}
shown_is() { # LOGIN GROUP-NUMBER JAVASCRIPT-PATH WANTED
    [ "$(shown "$1" "$2" "$3")" = "$4" ]
}
added() { # LOGIN GROUP-NUMBER
    [[ $(shown "$1" "$2" .addedAt) == 20*Z ]]
}
joins() { # ADDRESS
    ledger "$1" '.requests.filter(request => /members\/\$ref$/.test(request.path)).length'
}
times_logged() { # EXTENDED-REGEX; since the worker was started
    tac "$worker_log" | sed '/ for tenant /q' | grep -Ec -- "$1"
}

# An unknown group takes its time to be found out, see below.
add lou lost

# ---- when the guest exists -------------------------------------------------------------------------------------------

add taylor partners
assert_within 30 'a pending guest is added' is_member 1 taylor@fabrikam.com
assert_within 20 'to each group of the rule' is_member 2 taylor@fabrikam.com
assert_within 10 'show says since when' added taylor 1
assert_within 10 'of each group' added taylor 2
assert_eq 'nothing is wrong' 'pending undefined undefined' \
    "$(show taylor '.state + " " + value.error?.code') $(shown taylor 1 '.error?.code')"
assert_match 'show says it in words' "^entraGroup: $(id 1), member since 20" "$(entra-invite show taylor)"
assert_match 'the history has it' 'group' "$(grep -a 'member of the group' "$worker_log")"
redeem taylor@fabrikam.com
assert_within 20 'and is accepted like anybody' state_is taylor accepted
capture entra-invite refresh --wait
capture entra-invite refresh --wait
assert_eq 'who was added is left alone' 2 "$(joins taylor@fabrikam.com)"
simulator group "{\"find\":\"$(id 2)\",\"remove\":[\"taylor@fabrikam.com\"]}" >/dev/null
capture entra-invite refresh --wait
assert_false 'who is taken out in Entra stays out' is_member 2 taylor@fabrikam.com

# ---- the union of the rules, and who is a member already -------------------------------------------------------------

simulator user '{"kind":"accepted","address":"kim@fabrikam.com"}' >/dev/null
simulator group "{\"find\":\"$(id 2)\",\"add\":[\"kim@fabrikam.com\"]}" >/dev/null
add kim vendors
assert_within 30 'a linked guest is added' is_member 3 kim@fabrikam.com
assert_within 20 'a member already: that is success' added kim 2
assert_eq 'a member already: no error' 'accepted undefined null' \
    "$(show kim '.state + " " + value.error?.code') $(shown kim 2 .error)"
assert_false 'no group of another rule' is_member 1 kim@fabrikam.com
add kim2 partners kim@fabrikam.com
capture entra-invite refresh --wait
assert_within 20 'another login brings the groups of its rule' is_member 1 kim@fabrikam.com
assert_eq 'the person has the union' "$(id 1) $(id 2) $(id 3)" "$(show kim '.entraGroups.map(group => group.id).sort().join(" ")')"

# ---- a guest that is not everywhere yet (contract 7) -----------------------------------------------------------------

simulator fault '{"match":{"address":"robin@fabrikam.com","path":"/members/"},"times":3,"action":{"status":404}}' >/dev/null
add robin partners
assert_true 'the group does not know the guest yet' \
    simulator wait '{"address":"robin@fabrikam.com","path":"/members/","over":true,"count":2}' --timeout 30
assert_eq 'that is not shown' null "$(shown robin 1 .error)"
assert_within 40 'soon it does' is_member 1 robin@fabrikam.com
assert_within 10 'and then everything is as it should' eval 'added robin 1 && added robin 2'

# ---- what is wrong with a group --------------------------------------------------------------------------------------

for login in ode ora; do add "$login" odd; done
for login in ode ora; do
    assert_within 30 "$login: a dynamic group" shown_is "$login" 5 .error.code entra-group-refused
    assert_within 20 "$login: the other group has a member" is_member 1 "$login@fabrikam.com"
    assert_eq "$login: the account is none the worse" 'pending undefined 1' \
        "$(show "$login" '.state + " " + value.error?.code') $(status_of "$login")"
done
assert_match 'a dynamic group: there is a mend' 'dynamic' "$(shown ode 5 .error.mend)"
assert_match 'a dynamic group: show says it in words' 'entra-group-refused' "$(entra-invite show ode)"
assert_match 'a dynamic group: status says so' "$(id 5)" "$(entra-invite status)"
assert_eq 'a dynamic group: said once in the log' 1 "$(times_logged "entra_groups: .*$(id 5)")"
redeem ode@fabrikam.com
assert_within 20 'a dynamic group delays no acceptance' state_is ode accepted
assert_let_in 'a dynamic group shuts nobody out' ode

add rory roles
assert_within 30 'a group for roles needs a permission of its own' shown_is rory 7 .error.code entra-group-denied
assert_match 'a group for roles: the mend names it' 'RoleManagement.ReadWrite.Directory' "$(shown rory 7 .error.mend)"
simulator set roles "${change%]},\"RoleManagement.ReadWrite.Directory\"]" >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
assert_within 20 'it is granted: refresh is enough' is_member 7 rory@fabrikam.com
assert_within 20 'and the error is gone' shown_is rory 7 .error null

# ---- without the permission ------------------------------------------------------------------------------------------

simulator set roles "$invite" >/dev/null
simulator expire-tokens >/dev/null
for login in sasha alex; do
    add "$login" vendors
    assert_within 30 "$login: not permitted" shown_is "$login" 3 .error.code entra-group-denied
    assert_within 20 "$login: invited all the same" state_is "$login" pending
done
assert_match 'not permitted: the mend names the permission' 'GroupMember.ReadWrite.All' "$(shown sasha 3 .error.mend)"
assert_eq 'not permitted: nothing is blocked' null "$(entra-invite status --json | json .blocked)"
tries() {
    simulator requests '{"path":"/members/"}' | json ".filter(request => request.status === 403).length"
}
no_more_tries() { # what was under way for both has been answered
    local now
    now=$(tries)
    sleep 2
    [ "$now" = "$(tries)" ]
}
wait_until 20 no_more_tries
before=$(tries)
touch /etc/passwd
sleep 12
assert_eq 'not permitted: it is not asked again and again' "$before" "$(tries)"
assert_eq 'not permitted: said once a group' 1 "$(times_logged "entra_groups: .*$(id 3)")"
simulator set roles "$change" >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
for login in sasha alex; do
    assert_within 30 "$login: permitted" is_member 3 "$login@fabrikam.com"
done
assert_within 10 'permitted: the error is gone' shown_is alex 3 .error null

# ---- while something else is wrong -----------------------------------------------------------------------------------

simulator fault '{"match":{"address":"sven@fabrikam.com","path":"/members/"},"times":1,"action":{"stuck":true}}' >/dev/null
add sven vendors
assert_true 'no answer about the group' \
    simulator wait '{"address":"sven@fabrikam.com","path":"/members/","count":1}' --timeout 30
simulator redeem sven@fabrikam.com >/dev/null
assert_within 20 'no answer about the group: accepted meanwhile' state_is sven accepted
simulator faults-clear >/dev/null
assert_within 90 'no answer about the group: added later' is_member 3 sven@fabrikam.com

# The worker dies when the guest has just become a member: nothing of it is written down.
simulator fault '{"match":{"address":"vera@fabrikam.com","path":"/members/"},"action":{"hold":"vera","when":"after"}}' >/dev/null
add vera vendors
assert_true 'killed meanwhile: the request is under way' \
    simulator wait '{"address":"vera@fabrikam.com","path":"/members/","held":true,"count":1}' --timeout 30
kill_worker
simulator release vera >/dev/null
start_worker
capture entra-invite refresh --wait
assert_within 30 'killed meanwhile: on record after the start' added vera 3
assert_within 30 'killed meanwhile: the other group too' is_member 2 vera@fabrikam.com
assert_eq 'killed meanwhile: no error' null "$(shown vera 3 .error)"

# ---- who is not wanted there -----------------------------------------------------------------------------------------

stop_worker
for login in hal hank hope; do
    useradd -M -s /bin/bash -G held -c "${login^} Example <$login@fabrikam.com>" "$login"
done
simulator user '{"kind":"pending","address":"hal@fabrikam.com"}' >/dev/null
start_worker
assert_within 30 'held accounts' listed held 3
capture entra-invite refresh --wait
assert_eq 'held accounts are in no group' '' "$(members 4)"
capture entra-invite adopt hal
assert_within 40 'an adopted one is' is_member 4 hal@fabrikam.com
capture entra-invite remove alex
before=$(joins alex@fabrikam.com)

# ---- another configuration -------------------------------------------------------------------------------------------

configure 1 8
kill -HUP "$worker_pid"
assert_within 30 'a new group reaches who was invited before' is_member 8 taylor@fabrikam.com
assert_within 30 'and the others' is_member 8 robin@fabrikam.com
assert_true 'nobody is taken out of the old one' is_member 2 robin@fabrikam.com
assert_eq 'a removed one joins no group' "$before" "$(joins alex@fabrikam.com)"

# ---- a group that is not there ---------------------------------------------------------------------------------------

assert_within 120 'an unknown group is an error after a while' shown_is lou 6 .error.code entra-group-unknown
assert_match 'an unknown group: named, and the guest' "$(id 6).*$(show lou .invitedUserId)" "$(shown lou 6 .error.message)"
assert_eq 'an unknown group: the account is none the worse' 'pending undefined' "$(show lou '.state + " " + value.error?.code')"
assert_eq 'an unknown group: said once in the log' 1 "$(times_logged "entra_groups: .*$(id 6)")"
simulator group "{\"id\":\"$(id 6)\"}" >/dev/null
capture entra-invite refresh --wait
assert_within 20 'it is made: the guest is added' is_member 6 lou@fabrikam.com

finish

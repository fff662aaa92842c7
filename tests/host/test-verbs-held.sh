#!/bin/bash
# What is held, and adopt: accounts that were there before their rule, and masses that nobody announced (design, A mass).
. "$(dirname "$0")/lib.sh"
install_tree
enable_pam
vendors='{ name = "vendors"; group = "vendors"; email_domains = ( "fabrikam.com" ); existing = "invite"; }'
invitations='{"method":"POST","path":"^/v1.0/invitations"}'
requests() { # JSON to match
    simulator requests "$1" | json .length
}
states() { # LOGIN...; their states in one line
    entra-invite list --json | json " && '$*'.split(' ').map((name) => value.find((one) => one.login === name)?.state).join(' ')"
}
states_are() { # WANTED LOGIN...
    [ "$(states "${@:2}")" = "$1" ]
}
held_number() {
    entra-invite list --state held --json | json .length
}
# Adds accounts as a tool does that knows of no hook: passwd, then group, each replaced at once.
edit_files() { # GROUP LINE-OF-PASSWD...
    local group=$1 names
    shift
    names=$(printf '%s\n' "$@" | cut -d: -f1 | paste -sd,)
    { cat /etc/passwd && printf '%s\n' "$@"; } >/etc/passwd.new
    chmod 644 /etc/passwd.new && mv /etc/passwd.new /etc/passwd
    sed -E "s/^($group:[^:]*:[^:]*:)(.+)$/\1\2,$names/; s/^($group:[^:]*:[^:]*:)$/\1$names/" /etc/group >/etc/group.new
    chmod 644 /etc/group.new && mv /etc/group.new /etc/group
}
line() { # LOGIN UID [ADDRESS]
    echo "$1:x:$2:100:${1^} Example <${3:-$1@fabrikam.com}>:/home/$1:/bin/bash"
}

# ---- there before the rule -------------------------------------------------------------------------------------------

edit_files partners "$(line taylor 3001)" "$(line robin 3002)" "$(line kim 3003)" "$(line alex 3004)" "$(line walt 3005)"
edit_files vendors "$(line sasha 3006)"
start_simulator
simulator user '{"kind":"accepted","address":"walt@fabrikam.com"}' >/dev/null
write_config "rules = ( $default_rules, $vendors );"
start_worker

assert_one_invitation 'existing = "invite"' sasha@fabrikam.com
assert_within 20 'existing = "hold": held; who is a guest already is linked' \
    states_are 'held held held held accepted' taylor robin kim alex walt
assert_eq 'only one was invited' 1 "$(requests "$invitations")"
assert_true 'the held are looked up' test "$(requests '{"path":"^/v1.0/users$","address":"taylor@fabrikam.com"}')" -ge 1
capture entra-invite status
assert_match 'status counts them' '^status: .*4 held' "$out"
assert_match 'status says what to do' 'note: 4 held:.*adopt' "$out"
assert_eq 'status of a held one: exit code' 1 "$(status_of taylor)"
assert_refused 'a held account' taylor

capture entra-invite adopt --rule partners --dry-run
assert_eq 'adopt --dry-run: exit code' 0 "$rc"
assert_match 'adopt --dry-run names each' 'taylor <taylor@fabrikam.com>' "$out"
assert_match 'adopt --dry-run counts them' '^4 accounts would go on$' "$out"
capture entra-invite adopt taylor --dry-run --json
assert_eq 'adopt LOGIN --dry-run --json: an array of accounts' 'taylor held' \
    "$(json ' && value.map((one) => one.login + " " + one.state).join()' <<<"$out")"
capture entra-invite refresh --wait
assert_eq 'adopt --dry-run lets nobody go on' 'held held held held' "$(states taylor robin kim alex)"
assert_eq 'adopt --dry-run sends nothing' 1 "$(requests "$invitations")"

capture entra-invite adopt taylor robin
assert_eq 'adopt LOGIN LOGIN: exit code' 0 "$rc"
assert_match 'adopt LOGIN LOGIN counts them' '^2 accounts adopted$' "$out"
assert_match 'adopt LOGIN LOGIN says where they stand now' '^taylor <taylor@fabrikam.com>: queued$' "$out"
assert_one_invitation 'adopt LOGIN' taylor@fabrikam.com
assert_one_invitation 'adopt a second LOGIN' robin@fabrikam.com
assert_eq 'the history has who let them go on' root \
    "$(entra-invite events robin --json | json '.filter((event) => event.event === "adopted").map((event) => event.by).join()')"
assert_within 20 'only those named go on' states_are 'pending pending held held' taylor robin kim alex
capture entra-invite invite kim --rule nosuch
assert_eq 'an invite that is refused lifts no hold' '3 held' "$rc $(show kim .state)"
capture entra-invite invite kim --wait
assert_eq 'invite LOGIN lifts a hold' 0 "$rc"
assert_one_invitation 'invite LOGIN' kim@fabrikam.com
capture entra-invite adopt taylor
assert_eq 'adopt of one that is not held changes nothing' '0 0 accounts adopted' "$rc $out"
capture entra-invite adopt --rule nosuch
assert_eq 'adopt --rule of no rule: exit code' 3 "$rc"
capture entra-invite adopt --rule partners taylor
assert_eq 'adopt --rule with a LOGIN: exit code' 2 "$rc"
capture entra-invite adopt --rule vendors
assert_eq 'adopt of another rule lets nobody go on' '0 accounts adopted' "$out"
assert_eq 'alex is held to the end' held "$(show alex .state)"

# ---- a mass (max_new = 20) -------------------------------------------------------------------------------------------

lines=()
for number in {1..20}; do lines+=("$(line "few$number" $((4000 + number)))"); done
edit_files partners "${lines[@]}"
assert_within 30 'max_new accounts at once are believed' eval '[ "$(entra-invite list --json |
    json ".filter((one) => /^few/.test(one.login) && one.state === \"pending\").length")" = 20 ]'

lines=()
for number in {1..23}; do lines+=("$(line "many$number" $((5000 + number)))"); done
simulator user '{"kind":"accepted","address":"many24@fabrikam.com"}' >/dev/null
lines+=("$(line many24 5024)" "$(line many25 5025 walt@fabrikam.com)")
simulator reset ledger >/dev/null
edit_files partners "${lines[@]}"
assert_within 30 'more than max_new at once are held' eval '[ "$(held_number)" = 24 ]'
assert_true 'the log says how many' log_has '25 accounts that nobody announced'
assert_within 20 'who is a guest already is linked all the same' states_are 'accepted' many24
assert_within 20 'and so is another login of a guest' states_are 'accepted' many25
capture entra-invite refresh --wait
stop_worker
start_worker
assert_eq 'held over a refresh and a restart' 'held held 24' "$(states many1 many23) $(held_number)"
assert_eq 'nothing is sent about a mass' 0 "$(requests "$invitations")"
looked_up() { # how many of the 23
    simulator requests '{"path":"^/v1.0/users$"}' |
        json ' && new Set(value.map((one) => one.address).filter((address) => /^many/.test(address))).size'
}
assert_true "but each is looked up ($(looked_up))" test "$(looked_up)" -ge 23

# One more in the meantime, announced by its hook, is nobody's mass.
capture useradd -M -G partners -c 'New Example <new@fabrikam.com>' new
assert_one_invitation 'an announced account beside a mass' new@fabrikam.com
capture entra-invite adopt --rule partners --json
assert_eq 'adopt --rule --json: all of them' '0 24' "$rc $(json .length <<<"$out")"
assert_true 'adopt --rule: each is invited' simulator wait '{"method":"POST","path":"^/v1.0/invitations","count":25}'
assert_within 30 'adopt --rule: nobody is held any more' eval '[ "$(held_number)" = 0 ]'
assert_within 30 'adopt --rule: all are pending' states_are 'pending pending pending' many1 many23 alex
assert_eq 'adopt --rule: one POST and one guest each' '23 1 1' "$(simulator ledger | json ' && ((all) =>
    [all.length, Math.max(...all.map((one) => one.posts.length)), Math.max(...all.map((one) => one.guests.length))].join(" "))(
    Object.entries(value.addresses).filter(([name, one]) => /^many/.test(name) && one.posts.length).map(([, one]) => one))')"
assert_no_invitation 'the linked ones were never invited' many24@fabrikam.com
assert_no_invitation 'nor the guest with two logins' walt@fabrikam.com

finish

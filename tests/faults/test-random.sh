#!/bin/bash
# Accounts arrive by useradd and by edited files while the worker is killed every 200 to 800 ms and Graph loses answers,
# throttles and fails. Afterwards the ledger is right (design, Promises).
# The tools are called by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
hook_wait=0
runs=3
accounts=40
kills_after=4 # when all have arrived
seed=${LAB_SEED:-$((EPOCHSECONDS % 30000))}
groupadd bystanders

# In a mass of accounts that nobody announced some would be held.
settings=('max_new = 0;' 'refresh_interval = 5;')

# What happens, drawn before it begins: two processes drawing from one generator would not repeat.
draw() { # SEED
    local i
    RANDOM=$1
    tools=() pauses=() delays=()
    for ((i = 0; i < accounts; i++)); do
        case $((RANDOM % 4)) in
        0) tools[i]=member_by_edit ;;
        1) tools[i]=primary_by_edit ;;
        *) tools[i]=by_useradd ;;
        esac
        pauses[i]=0.$((RANDOM % 3))$((RANDOM % 10))
    done
    for ((i = 0; i < 500; i++)); do delays[i]=0.$((200 + RANDOM % 601)); done
}

by_useradd() { # LOGIN UID
    useradd -M -u "$2" -G partners -c "Random Example <$1@fabrikam.com>" "$1" || echo "$1" >>"$work/useradd-failed"
}

edit() { # FILE SED-PROGRAM; by rename, as vipw does
    sed "$2" "$1" >"$1.new"
    mv "$1.new" "$1"
}

primary_by_edit() { # LOGIN UID
    edit /etc/passwd "\$a $1:x:$2:$partners:Random Example <$1@fabrikam.com>:/tmp:/bin/bash"
}

# The account first, its group a moment later, as adduser does.
member_by_edit() { # LOGIN UID
    edit /etc/passwd "\$a $1:x:$2:$bystanders:Random Example <$1@fabrikam.com>:/tmp:/bin/bash"
    edit /etc/group "/^partners:/{s/:\$/:$1/;t;s/\$/,$1/}"
}

arrive() { # PREFIX FIRST-UID
    local i
    for ((i = 0; i < accounts; i++)); do
        sleep "${pauses[i]}"
        "${tools[i]}" "$1$i" $(($2 + i)) >>"$work/arrivals" 2>&1
    done
}

# The slow answers are what a kill falls into: the effect is done, the outcome not yet known.
misbehave() {
    simulator fault - >/dev/null <<JSON
[{"match":{$invitations},"chance":0.5,"times":0,"action":{"dribble":{"bytes":40,"everyMs":20}}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"reset":true,"when":"after"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"close":true,"when":"before"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"status":503,"when":"after"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"status":500,"when":"before"}},
 {"match":{"path":"^/v1.0/"},"chance":0.02,"times":0,"action":{"status":429,"retryAfter":"0.5"}},
 {"match":{"path":"^/v1.0/users"},"chance":0.1,"times":0,"action":{"status":503}},
 {"match":{"path":"^/v1.0/users"},"chance":0.1,"times":0,"action":{"reset":true}},
 {"match":{"path":"^/v1.0/"},"chance":0.1,"times":0,"action":{"truncate":30}},
 {"match":{"path":"/token$"},"chance":0.1,"times":0,"action":{"status":503}},
 {"match":{"path":"^/v1.0/"},"chance":0.5,"times":0,"action":{"latencyMs":100}}]
JSON
}

# Kills until all have arrived, and a few times more. Says which worker ended by itself.
kill_at_random() {
    local i=0 more=$kills_after
    while [ $more -gt 0 ]; do
        kill -0 $arrivals 2>/dev/null || more=$((more - 1))
        launch_worker
        sleep "${delays[i++]}"
        kill_worker
        [ $worker_rc = 137 ] || echo "start $i: exit code $worker_rc"
    done
    kills=$i
}

all_settled() { # NUMBER
    local list='.filter(account => account.state === "pending" && /^(sent|unknown)$/.test(account.mail)).length'
    [ "$(entra-invite list --json | json "$list")" = "$1" ]
}

assert_ledger() {
    entra-invite list --json >"$work/list.json"
    simulator ledger >"$work/ledger.json"
    assert_eq "$case: one guest, at most one mail, none lost" '' \
        "$(node "$faults/check-ledger.js" "$work/list.json" "$work/ledger.json" $accounts 2>&1)"
    echo "# $case: $(json '.filter(account => account.mail === "unknown").length' <"$work/list.json") mails unknown"
}

assert_database() {
    stop_worker
    if command -v sqlite3 >/dev/null; then
        assert_eq "$case: the database is whole" ok \
            "$(runuser -u entra-invite -- sqlite3 "$database" 'PRAGMA integrity_check')"
    fi
    start_worker
    pass "$case: the database opens"
}

one_run() { # SEED PREFIX FIRST-UID
    case="seed $1"
    kill_worker
    stop_simulator
    rm -rf /var/lib/entra-invite /run/entra-invite
    start_simulator --seed "$1"
    write_config 'invitation: { send_message = true; };' "hook_wait = $hook_wait;" "${settings[@]}"
    start_worker
    draw "$1"
    misbehave
    kill_worker
    arrive "$2" "$3" &
    arrivals=$!
    kill_at_random >"$work/ended"
    wait $arrivals
    assert_eq "$case: no worker ended by itself" '' "$(cat "$work/ended")"
    assert_true "$case: the worker was killed often ($kills times)" test "$kills" -gt 8
    simulator faults-clear >/dev/null
    sent=$(simulator requests "{$invitations}" | json .length)
    assert_true "$case: the worker invited in between ($sent requests)" test "$sent" -gt 4
    assert_false "$case: useradd never fails" test -e "$work/useradd-failed"
    start_worker
    assert_within 60 "$case: all $accounts are invited" all_settled $accounts
    capture entra-invite refresh --wait
    assert_ledger
    assert_database
    entra-invite list --json | json '.map(account => account.inviteRedeemUrl).join("\n")' | open_links
    capture entra-invite refresh --wait
    assert_within 20 "$case: all $accounts are accepted" listed accepted $accounts
}

forget_accounts() { # PREFIX
    edit /etc/passwd "/^$1[0-9]/d"
    edit /etc/group "/^partners:/s/[^:]*\$//"
}

install_tree
start_simulator
partners=$(getent group partners | cut -d: -f3)
bystanders=$(getent group bystanders | cut -d: -f3)
for ((run = 0; run < runs; run++)); do
    one_run $((seed + run)) "r$run" $((10000 + 1000 * run))
    forget_accounts "r$run"
done

finish

# Library of the random crash tests (bash): accounts arrive by every tool while the worker is killed again and again and
# Graph loses answers, throttles and fails. Afterwards the ledger is right (design, Promises). All is drawn from a seed
# before it begins; the test that failed says how to repeat it.
#
# A test sets these, then calls `begin_arrivals` and, for each seed, `one_run`:
#
#     accounts=40              # that arrive in a run
#     pause_most=300           # ms between two arrivals, at the most
#     kill_least=200 kill_most=800     # ms between two kills
#     answer_ms=100            # what about half of the answers take
#     patience=15              # seconds until all are invited once Graph behaves again, then a refresh helps
#
# shellcheck shell=bash
# Settings come from the test that sources this (SC2154), results are for it (SC2034); the tools are called by name
# (SC2317); single quotes hold code for another shell (SC2016); options are for some calls only (SC2119).
# shellcheck disable=SC2016,SC2034,SC2119,SC2154,SC2317

# shellcheck source=tests/faults/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hook_wait=0
kills_after=60 # at the most, when all have arrived; it ends when there are POSTs for a quarter of them
seed=${LAB_SEED:-$((EPOCHSECONDS % 30000))}
# In a mass of accounts that nobody announced some would be held.
settings=('max_new = 0;' 'refresh_interval = 60;')

begin_arrivals() {
    install_tree
    enable_pam
    groupadd bystanders
    partners=$(getent group partners | cut -d: -f3)
    bystanders=$(getent group bystanders | cut -d: -f3)
}

# ---- what happens, drawn before it begins: two processes drawing from one generator would not repeat -----------------

draw() { # SEED
    local left=$accounts number i
    RANDOM=$1
    tools=() numbers=() pauses=() delays=()
    while [ "$left" -gt 0 ]; do
        number=1
        case $((RANDOM % 8)) in
        0 | 1) tools+=(member_by_edit) ;;
        2 | 3) tools+=(primary_by_edit) ;;
        4) tools+=(by_newusers) number=$((2 + RANDOM % 12)) ;;
        *) tools+=(by_useradd) ;;
        esac
        [ "$number" -le "$left" ] || number=$left
        left=$((left - number))
        numbers+=("$number")
        pauses+=("$(seconds $((RANDOM % (pause_most + 1))))")
    done
    for ((i = 0; i < 500; i++)); do
        delays+=("$(seconds $((kill_least + RANDOM % (kill_most - kill_least + 1))))")
    done
}

seconds() { # MILLISECONDS
    printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}

# ---- arriving --------------------------------------------------------------------------------------------------------

gecos() { # LOGIN
    echo "Random Example <$1@fabrikam.com>"
}

by_useradd() { # PREFIX FIRST NUMBER FIRST-UID
    useradd -M -u $(($4 + $2)) -G partners -c "$(gecos "$1$2")" "$1$2" || echo "$1$2" >>"$work/tools-failed"
}

by_newusers() { # PREFIX FIRST NUMBER FIRST-UID
    local i
    for ((i = $2; i < $2 + $3; i++)); do
        echo "$1$i:Pass-word-$i:$(($4 + i)):$partners:$(gecos "$1$i"):/tmp:/bin/bash"
    done | newusers || echo "$1$2 to $1$(($2 + $3 - 1))" >>"$work/tools-failed"
}

edit() { # FILE SED-PROGRAM; by rename, as vipw does
    sed "$2" "$1" >"$1.new"
    mv "$1.new" "$1"
}

primary_by_edit() { # PREFIX FIRST NUMBER FIRST-UID
    edit /etc/passwd "\$a $1$2:x:$(($4 + $2)):$partners:$(gecos "$1$2"):/tmp:/bin/bash"
}

# The account first, its group a moment later, as adduser does.
member_by_edit() { # PREFIX FIRST NUMBER FIRST-UID
    edit /etc/passwd "\$a $1$2:x:$(($4 + $2)):$bystanders:$(gecos "$1$2"):/tmp:/bin/bash"
    edit /etc/group "/^partners:/{s/:\$/:$1$2/;t;s/\$/,$1$2/}"
}

arrive() { # PREFIX FIRST-UID
    local i next=0
    for i in "${!tools[@]}"; do
        sleep "${pauses[i]}"
        "${tools[i]}" "$1" $next "${numbers[i]}" "$2" >>"$work/arrivals" 2>&1
        next=$((next + numbers[i]))
    done
}

# ---- meanwhile -------------------------------------------------------------------------------------------------------

# The slow answers are what a kill falls into: the effect is done, the outcome not yet known.
misbehave() {
    simulator fault - >/dev/null <<JSON
[{"match":{$invitations},"chance":0.5,"times":0,"action":{"dribble":{"bytes":100,"everyMs":$((answer_ms / 5))}}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"reset":true,"when":"after"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"close":true,"when":"before"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"status":503,"when":"after"}},
 {"match":{$invitations},"chance":0.1,"times":0,"action":{"status":500,"when":"before"}},
 {"match":{"path":"^/v1.0/"},"chance":0.005,"times":0,"action":{"status":429,"retryAfter":"0.3"}},
 {"match":{"path":"^/v1.0/users"},"chance":0.1,"times":0,"action":{"status":503}},
 {"match":{"path":"^/v1.0/users"},"chance":0.1,"times":0,"action":{"reset":true}},
 {"match":{"path":"^/v1.0/"},"chance":0.1,"times":0,"action":{"truncate":30}},
 {"match":{"path":"/token$"},"chance":0.1,"times":0,"action":{"status":503}},
 {"match":{"path":"^/v1.0/"},"chance":0.5,"times":0,"action":{"latencyMs":$answer_ms}}]
JSON
}

# Kills until all have arrived, and then some more, so that it falls into the creates and mails on a slow machine too:
# there a worker does not get far in 200 ms. Says which worker ended by itself.
kill_at_random() {
    kills=0
    while kill -0 "$arrivals" 2>/dev/null; do
        launch_worker
        kill_after_delay
    done
    local most=$((kills + kills_after))
    until [ $kills -ge $most ]; do
        launch_until_published || echo "start $kills: no view"
        kill_after_delay
        [ $((kills % 5)) != 0 ] || [ "$(invitations_sent)" -lt $((accounts / 4)) ] || break
    done
}

kill_after_delay() {
    sleep "${delays[kills % ${#delays[@]}]}"
    kill_worker
    [ $worker_rc = 137 ] || echo "start $kills: exit code $worker_rc"
    kills=$((kills + 1))
}

invitations_sent() {
    simulator requests "{$invitations}" | json .length
}

# ---- afterwards ------------------------------------------------------------------------------------------------------

unsettled() {
    entra-invite list --json | json '.filter(account => account.state !== "pending" ||
        !/^(sent|unknown)$/.test(account.mail)).map(account => account.login + ": " + account.state + ", mail " +
            account.mail + ", " + (account.error ? account.error.code : "no error")).join("\n")'
}

all_settled() {
    listed pending "$accounts" && [ -z "$(unsettled)" ]
}

# A job that failed again and again backs off by up to 15 minutes (X8). Whoever has no such patience brings it forward.
assert_rest() {
    local from=$SECONDS took=0
    until all_settled; do
        took=$((SECONDS - from))
        if [ $took -ge $((2 * patience + 30)) ]; then
            fail "$case: all $accounts are invited" "not within $took s:" "$(unsettled | head -n 20)"
            return
        fi
        [ $took -lt "$patience" ] || entra-invite refresh >/dev/null
        sleep 1
    done
    pass "$case: all $accounts are invited, $took s after the last kill"
}

# Where a test that failed leaves what can't be seen again; how to see it once more.
keep_log() {
    [ $cases_failed != 0 ] || return 0
    cp "$worker_log" "$repo/build/crash-logs/$(basename "$0" .sh).worker.log"
    echo "#   repeat it: SEED=$seed ACCOUNTS=$accounts tests/faults/run $(basename "$0")"
}

assert_ledger() {
    local list=$work/list.json
    entra-invite list --json >"$list"
    local expected="{\"accounts\":$accounts,\"addresses\":$accounts}"
    assert_eq "$case: one guest, at most one mail, the latest link, none lost" '' \
        "$(node "$faults/check-ledger.js" "$simulator_dir" "$expected" <"$list" 2>&1)"
    echo "# $case: $(json '.filter(account => account.mail === "unknown").length' <"$list") mails unknown"
}

# As somebody who has no right but to read it.
assert_view_of_all() { # EXIT-CODE of status
    local script='while read -r login; do
        entra-invite status "$login" </dev/null >/dev/null; rc=$?; [ "$rc" = "$1" ] || echo "$login: $rc"; done'
    assert_eq "$case: the view says where each of them stands" '' \
        "$(json '.map(account => account.login).join("\n")' <"$work/list.json" |
            runuser -u nobody -- bash -c "$script" status "$1" 2>&1)"
    assert_eq "$case: no half-written file is left" '' "$(half_written)"
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

refresh_all() {
    capture entra-invite refresh --wait
    assert_eq "$case: refresh" '0 refreshed' "$rc $out"
}

begin_run() { # SEED
    case="seed $1"
    kill_worker
    stop_simulator
    rm -rf /var/lib/entra-invite /run/entra-invite "$work/tools-failed"
    start_simulator --seed "$1"
    write_config 'invitation: { send_message = true; };' "hook_wait = $hook_wait;" "${settings[@]}"
    start_worker
    draw "$1"
    misbehave
    kill_worker
}

one_run() { # SEED PREFIX FIRST-UID
    begin_run "$1"
    arrive "$2" "$3" &
    arrivals=$!
    kill_at_random >"$work/ended"
    wait $arrivals
    assert_eq "$case: no worker ended by itself" '' "$(cat "$work/ended")"
    assert_true "$case: the worker was killed often ($kills times)" test "$kills" -gt 8
    simulator faults-clear >/dev/null
        sent=$(invitations_sent)
    assert_true "$case: the worker invited in between ($sent requests)" test "$sent" -gt 4
    assert_eq "$case: no tool ever fails" '' "$(cat "$work/tools-failed" 2>/dev/null)"
    start_worker --debug
    assert_rest
    refresh_all
    assert_ledger
    assert_view_of_all 1
    assert_database
    entra-invite list --json | json '.map(account => account.inviteRedeemUrl).join("\n")' | open_links
    refresh_all
    assert_within 20 "$case: all $accounts are accepted" listed accepted "$accounts"
}

forget_accounts() { # PREFIX
    edit /etc/passwd "/^$1[0-9]/d"
    edit /etc/shadow "/^$1[0-9]/d"
    edit /etc/group "/^partners:/s/[^:]*\$//"
}

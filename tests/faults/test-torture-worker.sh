#!/bin/bash
# The whole worker, from its start until two partners are invited and mailed, with one fallible call of it made to fail
# (once, or from then on): it does not crash, and after a clean restart all is as if nothing had happened: nothing lost,
# nobody invited or mailed twice, the database whole (T2, X9). Faults are spread over the run by SEED; RUNS=N says how
# many, CASE='WAY NTH ON ERROR' repeats one. The first allocations have runs of their own: configuration, libraries and
# store are opened there.
#
# What is waited for is called by name (SC2317).
# shellcheck disable=SC2317

# shellcheck source=tests/faults/torture.sh
. "$(dirname "$0")/torture.sh"
runs=${LAB_RUNS:-4}
report=$work/report
expected='{"accounts":2,"addresses":2}'
wait_pause=0.05

set_up_crash 'refresh_interval = 60;' \
    'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );'
build_torture
for name in taylor robin; do
    useradd -M -G partners -c "$name Example <$name@fabrikam.com>" "$name" >/dev/null 2>&1
done

# Those crash or abort where they themselves have no memory (test-torture-programs.sh): they are spared that.
launch_under_fault() { # WAY NTH ON ERROR
    local with=()
    if [ "$1" = memory ]; then
        LD_PRELOAD=$shim TORTURE_SPARE='libconfig libc.so ld-linux' TORTURE_NTH=$2 TORTURE_THEN_ON=$3 TORTURE_REPORT=$report \
            launch_worker
        return
    fi
    [ "$3" = 0 ] || with=(--then-on)
    "$trace" --nth "$2" "${with[@]}" --error "$4" --report "$report" env LD_PRELOAD="$shim" TORTURE_MAIN=1 \
        entra-invited --foreground >>"$worker_log" 2>&1 </dev/null &
    worker_pid=$!
}

both_settled() {
    settled taylor && settled robin
}

settled_or_ended() {
    ! kill -0 "$worker_pid" 2>/dev/null || both_settled
}

# The worker itself, where torture-trace runs it.
terminate() {
    pkill -TERM -x entra-invited
    worker_ends
}

begin_run() {
    kill_worker
    simulator reset all >/dev/null
    rm -rf /var/lib/entra-invite /run/entra-invite "$report"
    install -m 0666 /dev/null "$report" # the service user writes to it
}

# How many calls of this way a run makes that nothing befalls; sets most.
count_calls() { # WAY
    begin_run
    launch_under_fault "$1" 0 0 0
    wait_until 20 both_settled || fail "$case: undisturbed, it invites"
    terminate
    if [ "$1" = memory ]; then
        most=$(sort -k3n "$report" | sed -n 's/.* allocations \([0-9]*\) .*/\1/p' | tail -n 1)
    else
        most=$(sed -n 's/^calls //p' "$report")
    fi
}

# A worker that gives up says so, and its exit code says that it failed; one that goes on does its work later.
suffer() { # WAY NTH ON ERROR
    case="$*"
    begin_run
    launch_under_fault "$@"
    wait_until 3 settled_or_ended
    ! kill -0 "$worker_pid" 2>/dev/null || pkill -TERM -x entra-invited
    worker_ends
    case $worker_rc in
    0 | 1) pass "$case: it ends in an orderly way ($worker_rc)" ;;
    124 | 137) fail "$case: it hangs" "$(sed -n 2,4p "$report")" ;;
    *) fail "$case: it crashes (exit code $worker_rc)" "$(sed -n 2,4p "$report")" "$(tail -n 5 "$worker_log")" ;;
    esac
    start_worker
    if ! wait_until 10 both_settled; then
        entra-invite refresh >/dev/null 2>&1
        wait_until 20 both_settled || fail "$case: nothing is lost" "$(entra-invite list)"
    fi
    entra-invite list --json >"$work/list.json"
    assert_eq "$case: one guest, at most one mail, the latest link, none lost" '' \
        "$(node "$faults/check-ledger.js" "$simulator_dir" "$expected" <"$work/list.json" 2>&1)"
    assert_true "$case: the view says where they stand" own_status_is taylor 1
    stop_worker
    assert_eq "$case: no half-written file is left" '' "$(half_written)"
    assert_eq "$case: the database is whole" ok "$(sqlite3 "$database" 'PRAGMA integrity_check')"
}

RANDOM=$seed
if [ -n "${LAB_CASE:-}" ]; then
    # shellcheck disable=SC2086
    suffer $LAB_CASE
    finish
fi
stride=$((runs > 100 ? 1 : 100))
for ((nth = 1 + RANDOM % stride; nth <= 300; nth += stride)); do
    suffer memory "$nth" 0 0
done
for way in memory call; do
    case="$way, undisturbed"
    count_calls "$way"
    echo "# $way: $most fallible calls; SEED=$seed"
    assert_true "$case: calls are counted" test "$most" -gt 100
    for ((run = 0; run < runs / 2; run++)); do
        # One from each stretch of the run.
        nth=$((run * most / (runs / 2) + (RANDOM * 32768 + RANDOM) % (most / (runs / 2)) + 1))
        suffer "$way" "$nth" $((run % 2)) $((RANDOM % 3))
    done
done
finish

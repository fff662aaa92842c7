#!/bin/bash
# A few arrive while the worker is killed every 200 to 800 ms, so that it gets far and dies at any place. SEED and
# ACCOUNTS repeat a run.
. "$(dirname "$0")/arrivals.sh"
runs=2
accounts=${LAB_ACCOUNTS:-40}
pause_most=300
kill_least=200 kill_most=800
answer_ms=100
patience=15

begin_arrivals
start_simulator
for ((run = 0; run < runs; run++)); do
    one_run $((seed + run)) "r$run" $((10000 + 1000 * run))
    forget_accounts "r$run"
done
assert_edges
keep_log
finish

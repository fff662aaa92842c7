#!/bin/bash
# A crowd arrives while the worker is killed every 200 ms. `make soak` runs it with 1,000 accounts; SEED and ACCOUNTS
# repeat a run.
. "$(dirname "$0")/arrivals.sh"
accounts=${LAB_ACCOUNTS:-120}
pause_most=40
kill_least=200 kill_most=200
answer_ms=20
# The long form waits for whatever backs off.
patience=$((accounts > 500 ? 960 : 10))

begin_arrivals
start_simulator
one_run "$seed" r 10000
assert_edges
keep_log
finish

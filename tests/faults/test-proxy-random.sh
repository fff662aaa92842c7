#!/bin/bash
# A proxy between worker and service, the service and SIGKILLs do their worst, by schedules drawn from a seed (X13, X16).
# SEED and SCHEDULES repeat some; `make soak` runs thousands.
. "$(dirname "$0")/proxied.sh"
set_up_proxied
node_test schedules.js "${LAB_SEED:-$((EPOCHSECONDS % 30000))}" "${LAB_SCHEDULES:-1000}" "$([ -n "${LAB_SCHEDULES:-}" ] || echo 20)"
[ $cases_failed = 0 ] || cp "$worker_log" "$repo/build/crash-logs/test-proxy-random.worker.log"
finish

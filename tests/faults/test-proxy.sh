#!/bin/bash
# Each fault of the proxy between worker and service, one by one, and answers that are cut off in the middle (X13).
# EVERY=1 cuts at each byte, as `make soak` does; else the bytes are drawn, and SEED draws them again.
. "$(dirname "$0")/proxied.sh"
seed=${LAB_SEED:-$((EPOCHSECONDS % 30000))}
set_up_proxied
node_test one-by-one.js "${LAB_EVERY:-16}" "$seed"
[ $cases_failed = 0 ] || echo "#   repeat it: SEED=$seed tests/faults/run test-proxy.sh"
finish

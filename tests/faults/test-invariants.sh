#!/bin/bash
# The check by which the other crash tests judge a ledger: it finds what is wrong in ledgers that are doctored.
. "$(dirname "$0")/lib.sh"
node "$faults/invariants-selftest.js" || cases_failed=1
finish

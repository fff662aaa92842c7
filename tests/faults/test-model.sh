#!/bin/bash
# The model of rules.md, section 6, explored exhaustively with up to six faults at any places (X16): the design as it is
# built breaks no promise, those that the rules reject break theirs.
. "$(dirname "$0")/lib.sh"
node "$faults/model-check.js" || cases_failed=1
finish

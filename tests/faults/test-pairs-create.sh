#!/bin/bash
# The crash matrix, rows C1 to C7: the first death is before the guest and its link are on record.
. "$(dirname "$0")/pairs.sh"
run_rows C1 C2 C3 C4 C5 C6 C7
assert_edges
finish

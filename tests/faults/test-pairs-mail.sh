#!/bin/bash
# The crash matrix, rows C8 to C13: the first death is around the mail, or while the view is published.
. "$(dirname "$0")/pairs.sh"
run_rows C8 C9 C10 C11 C12 C13
assert_edges
finish

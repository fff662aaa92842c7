# Which skips a run with CI=true accepts (bash, sourced by the runners).
#
# shellcheck shell=bash

expected_skips=$(dirname "${BASH_SOURCE[0]}")/expected-skips

# Reads lines `skip - CASE: REASON` from stdin. With CI=true it prints `not ok` for each that expected-skips does not
# list: a line there is `TEST: CASE: REASON`, as the runner prints a skip, or a glob pattern for it.
unlisted_skips() { # TEST
    [ "${CI:-}" = true ] || return 0
    local skipped pattern
    while IFS= read -r skipped; do
        while IFS= read -r pattern; do
            # shellcheck disable=SC2053
            [[ "$1: ${skipped#skip - }" != $pattern ]] || continue 2
        done < <(grep -Ev '^(#|$)' "$expected_skips")
        echo "not ok - skips only what expected-skips lists (${skipped#skip - })"
    done
}

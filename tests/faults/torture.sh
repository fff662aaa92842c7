# Library of the torture tests (bash): builds what makes calls fail (torture-trace, torture-shim.so), and says how much
# of it all is tried.
#
#   STRIDE=N   about one fault of so many (1: each; `make soak` does that); SEED=N says which
#
# shellcheck shell=bash
# Settings are for the test that sources this (SC2034).
# shellcheck disable=SC2034

# shellcheck source=tests/faults/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The worker ends where it cannot write to it.
unset EI_FAILPOINT_TRANSITIONS
seed=${LAB_SEED:-$((EPOCHSECONDS % 30000))}
trace=$work/torture-trace
shim=$work/torture-shim.so

compile() { # OUTPUT ARGUMENT...
    if ! "${CC:-gcc}" -std=c17 -D_GNU_SOURCE -O1 -g -I"$repo" -o "$@" >"$work/cc" 2>&1; then
        fail "$(basename "$1") compiles" "$(cat "$work/cc")"
        finish
    fi
}

build_torture() {
    compile "$trace" "$faults/torture-trace.c"
    compile "$shim" -fno-builtin -fPIC -shared "$faults/torture-shim.c"
    if "$trace" true; [ $? = 77 ]; then
        skip_all 'system calls cannot be made to fail on this machine'
    fi
}

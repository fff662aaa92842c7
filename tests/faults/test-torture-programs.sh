#!/bin/bash
# The hook and the verbs of the command line, each fallible call of theirs made to fail once, and from then on. The hook
# ends with 0 and promises nothing that is not so; a verb gives what it gives otherwise, or says that it cannot and ends
# with another exit code (T2). SEED and STRIDE repeat a run, CASE='NAME WAY NTH ON ERROR' one of it.
#
# What judges a run is called by name (SC2317).
# shellcheck disable=SC2317

# shellcheck source=tests/faults/torture.sh
. "$(dirname "$0")/torture.sh"
stride=${LAB_STRIDE:-100}
report=$work/report
findings=$work/findings
runs=0 calls=0

set_up_crash 'refresh_interval = 86400;'
build_torture
start_worker
for name in taylor robin; do
    useradd -M -G partners -c "$name Example <$name@fabrikam.com>" "$name" >/dev/null 2>&1
done
wait_until 20 listed pending 2 || fail 'two are invited' "$(entra-invite list)"

# Runs COMMAND under a fault; sets rc, out and err, and number: how many calls of this way there were. libconfig and glibc's
# look-ups of accounts crash where they themselves have no memory (libconfig 1.5, glibc 2.36), and glibc's loader aborts
# where it has none for a library's thread-local data: they are spared that.
under_fault() { # WAY NTH ON ERROR COMMAND...
    local way=$1 nth=$2 on=$3 error=$4 with=()
    shift 4
    rm -f "$report"
    rc=0
    if [ "$way" = memory ]; then
        out=$(timeout 20 env LD_PRELOAD="$shim" TORTURE_SPARE='libconfig libc.so ld-linux' TORTURE_NTH="$nth" \
            TORTURE_THEN_ON="$on" TORTURE_REPORT="$report" "$@" 2>"$work/err" </dev/null) || rc=$?
        number=$(sed -n 's/.* allocations \([0-9]*\) .*/\1/p' "$report" 2>/dev/null | tail -n 1)
    else
        [ "$on" = 0 ] || with=(--then-on)
        out=$(timeout 20 "$trace" --nth "$nth" "${with[@]}" --error "$error" --report "$report" \
            env LD_PRELOAD="$shim" TORTURE_MAIN=1 "$@" 2>"$work/err" </dev/null) || rc=$?
        number=$(sed -n 's/^calls //p' "$report" 2>/dev/null)
    fi
    err=$(<"$work/err")
    number=${number:-0}
}

# Ages and times pass.
still() {
    tr -d '0-9' <<<"$1"
}

found() { # WHAT NAME WAY NTH ON ERROR
    printf '%s; exit code %s, output: %.200s, errors: %.200s; case: %s\n' "$1" "$rc" "${out//$'\n'/ }" "${err//$'\n'/ }" \
        "${*:2}" >>"$findings"
    [ "$3" = memory ] || sed -n 2,4p "$report" >>"$findings"
}

# The worker may have learned something since the last undisturbed run.
still_so() { # WAY
    local report=$work/undisturbed faulted="$out" rc out err
    under_fault "$1" 0 0 0 "${command[@]}"
    plain_out=$out
    [ "$(still "$faulted")" = "$(still "$plain_out")" ]
}

# A message may be lost where writing fails.
judge_verb() { # NAME WAY NTH ON ERROR
    if [ "$rc" = "$plain_rc" ] && [ "$(still "$out")" = "$(still "$plain_out")" ]; then
        return
    elif [ "$rc" = 0 ] && [ "$plain_rc" = 0 ]; then
        still_so "$2" || found 'another output, and all was well' "$@"
    elif [ "$rc" -ge 124 ]; then
        found 'it crashed, or hung' "$@"
    elif [ -z "$err$out" ] && { [ "$2" = memory ] || [ "$4" = 0 ]; } && ! grep -q write "$report"; then
        found 'it says nothing' "$@"
    fi
}

judge_hook() { # NAME WAY NTH ON ERROR
    if [ "$rc" != 0 ]; then
        found 'the hook must not fail' "$@"
    elif ! grep -Eqx "$hook_says" <<<"$out$err"; then
        found 'the hook says something else' "$@"
    fi
}

chosen() { # WORD...
    [ -z "${LAB_CASE:-}" ] || { [ "$*" = "$LAB_CASE" ] && return; }
    [ -z "${LAB_CASE:-}" ] && [ $(((seed * 7919 + counter * 31) % stride)) = 0 ]
}

suffer() { # JUDGE NAME COMMAND...
    local judge=$1 name=$2 way nth on error most errors plain_rc plain_out
    shift 2
    local command=("$@")
    for way in memory call; do
        under_fault "$way" 0 0 0 "$@"
        most=$number plain_rc=$rc plain_out=$out
        calls=$((calls + most))
        [ "$most" -gt 0 ] || found 'nothing is counted' "$name" "$way" 0 0 0
        errors=0
        [ "$way" = memory ] || errors='0 1 2'
        for ((nth = 1; nth <= most; nth++)); do
            for on in 0 1; do
                for error in $errors; do
                    counter=$((counter + 1))
                    chosen "$name" "$way" "$nth" "$on" "$error" || continue
                    under_fault "$way" "$nth" "$on" "$error" "$@"
                    runs=$((runs + 1))
                    "$judge" "$name" "$way" "$nth" "$on" "$error"
                done
            done
        done
    done
}

counter=0
: >"$findings"
hook=$(find /usr/libexec/entra-invite /usr/lib/entra-invite -name entra-invite-hook 2>/dev/null | head -n 1)
# What the hook has to say of an account that is invited already, or that it cannot ask for now.
hook_says='|entra-invite: taylor[ :].*|entra-invite: entra-invited is not running; it looks at taylor .*'
ACTION=useradd SUBJECT=taylor suffer judge_hook hook "$hook"
suffer judge_verb show entra-invite show taylor
suffer judge_verb show-json entra-invite show taylor --json
suffer judge_verb list entra-invite list
suffer judge_verb list-json entra-invite list --json
suffer judge_verb list-some entra-invite list --domain fabrikam.com --state pending --sort email
suffer judge_verb adopt entra-invite adopt --dry-run taylor
suffer judge_verb events entra-invite events taylor
suffer judge_verb status entra-invite status
suffer judge_verb status-of entra-invite status taylor
suffer judge_verb check entra-invite check
suffer judge_verb export entra-invite export
suffer judge_verb mail entra-invite mail taylor
suffer judge_verb refresh entra-invite refresh
suffer judge_verb unknown entra-invite show nobody-of-this-name
suffer judge_verb doctor entra-invite doctor

assert_eq "the hook and the verbs: $calls fallible calls, $runs faults (SEED=$seed STRIDE=$stride)" '' \
    "$(head -c 20000 "$findings")"
assert_true 'faults were made' test "$runs" -gt 0
assert_true 'the worker goes on' worker_answers
for name in taylor robin; do
    assert_eq "$name: one guest" 1 "$(ledger "$name@fabrikam.com" .guests.length)"
    assert_eq "$name: one mail" 1 "$(ledger "$name@fabrikam.com" .mails.length)"
done
finish

#!/bin/bash
# (f) Start with 100,000 collaborators, and publishing the view when one of them has changed.
. "$(dirname "$0")/lib.sh"
count=100000 pairs=5

timed() { # COMMAND...; sets took, in microseconds
    local before
    before=$(now_us)
    "$@" || fail "$1 failed"
    took=$(($(now_us) - before))
}

# Sets answers and published: microseconds from the exec to an answer on the socket, and to the view.
start_once() {
    local before
    rm -f "$public/status.cdb"
    before=$(now_us)
    launch_worker
    "$bench/wait-for" answer >"$work/answered" &
    local waiting=$!
    published=$(($("$bench/wait-for" view user 1 1 accepted) - before))
    wait "$waiting" || fail 'the worker does not answer'
    answers=$(($(cat "$work/answered") - before))
}

# Sets published: from the command to the view that shows it.
change_one() { # NUMBER
    local before
    before=$(now_us)
    entra-invite remove "user$1" >/dev/null || fail 'entra-invite remove failed'
    published=$(($("$bench/wait-for" view user "$1" "$1" removed) - before))
}

set_up 'refresh_interval = 86400;'
save_accounts
stopped_worker_with "$count"
: >"$work/answers"
: >"$work/published"
for ((pair = 0; pair <= pairs; pair++)); do
    stop_worker
    timed "$bench/bare-sqlite" "$database" check
    checked=$took
    timed "$bench/bare-sqlite" "$database" read
    start_once
    [ "$pair" != 0 ] || continue
    echo "$checked $answers" >>"$work/answers"
    echo "$took $published" >>"$work/published"
done
result f 'start, 100000 collaborators, to an answer' 'quick_check' us - <"$work/answers"
result f 'start, 100000 collaborators, to the view' 'quick_check, all rows read' us - <"$work/published"

mkdir "$work/bare"
: >"$work/change"
: >"$work/writer"
for ((pair = 1; pair <= pairs; pair++)); do
    timed "$bench/bare-cdb" "$work/bare/status.cdb" "$count" 40
    bare=$took
    # Publications are spaced out by five times what one takes; the first view is not to be waited for.
    sleep $((published * 7 / 1000000 + 2))
    change_one "$pair"
    echo "$bare $published" >>"$work/change"
    timed "$bench/make-view" "$work/bare/ours.cdb" "$count"
    echo "$bare $took" >>"$work/writer"
done
result f 'one change of 100000, to the view' 'cdb, fsync, rename' us - <"$work/change"
result f 'of it, the view writer' 'cdb, fsync, rename' us - <"$work/writer"

#!/bin/bash
# Peers of the socket that mean harm (S23, S27, S28, S34): whatever they send, hold or leave unread, an honest call is
# answered meanwhile, the worker's memory is bounded, and its descriptors come back. SEED=N repeats a run, TIMES=N makes
# it N times as long.
. "$(dirname "$0")/lib.sh"

seed=${SEED:-$RANDOM}
times=${TIMES:-1}
echo "# SEED=$seed"
accounts=3000
answer_ms=5000  # an honest call's time in the worst case, on a busy machine; alone it takes 10 ms
behind_ms=20000 # the same behind callers who ask for much: each of their calls is as honest as any
memory_kb=$((64 * 1024)) # what all of this may take beyond a quiet worker: 32 MB of unread answers, and the making of one

install_tree
enable_pam
start_simulator
write_config 'refresh_interval = 3600;' 'hook_wait = 0;'
# Accounts that were there before are held: a long list, without one request to Graph.
gid=$(getent group partners | cut -d: -f3)
seq 0 $((accounts - 1)) | sed "s|.*|many&:x:&:$gid:Many Example <user&@fabrikam.com>:/:/bin/sh|" |
    awk -F: -v OFS=: '{ $3 += 10000; print }' >>/etc/passwd
# The unit sets no LimitNOFILE, so it is systemd's.
ulimit -Hn 524288 2>/dev/null || ulimit -Hn "$(ulimit -Hn)"
ulimit -Sn 1024
start_worker
ulimit -Sn 12000
assert_within 60 'a long list' listed held $accounts
# One whose invitation is not answered, to be waited for.
simulator fault '{"match":{"path":"^/v1.0/invitations"},"times":0,"action":{"stuck":true}}' >/dev/null
capture useradd -M -G partners -c 'Stuck Example <stuck@fabrikam.com>' stuck
capture entra-invite refresh

peak_kb() { worker_kb VmHWM; }
# But for the connections to Graph, which come and go.
descriptors() {
    worker_open |
        grep -vcxFf <(awk '{ print "socket:[" $10 "]" }' "/proc/$worker_pid/net/tcp" "/proc/$worker_pid/net/tcp6")
}
descriptors_are() { # NUMBER
    [ "$(descriptors)" -le "$1" ]
}
milliseconds() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

calls=0
slowest=0
# Honest calls, one after the other, for as long as the peers live.
serve_meanwhile() { # PID...
    local began took
    lost=
    calls=0 slowest=0
    while kill -0 "$@" 2>/dev/null; do
        began=$(milliseconds)
        entra-invite status >/dev/null 2>"$work/honest" || lost=$(cat "$work/honest")
        took=$(($(milliseconds) - began))
        calls=$((calls + 1))
        [ "$took" -le "$slowest" ] || slowest=$took
    done
}

attack() { # NAME ATTACK COUNT [SECONDS [PROCESSES [MILLISECONDS]]]
    local pids=() rc=0 i began
    began=$(milliseconds)
    for ((i = 0; i < ${5:-1}; i++)); do
        timeout 100 node "$here/hostile-peer.js" "$socket" $((seed + i)) "$2" "$3" "${4:-0}" >"$work/peer.$i" 2>&1 &
        pids+=($!)
    done
    serve_meanwhile "${pids[@]}"
    for i in "${pids[@]}"; do wait "$i" || rc=$?; done
    assert_eq "$1: the peers had their turn" 0 "$rc"
    [ "$rc" = 0 ] || sed 's/^/#   /' "$work"/peer.*
    assert_eq "$1: every honest call was answered" '' "$lost"
    assert_true "$1: in time" test "$slowest" -le "${6:-$answer_ms}"
    assert_within 5 "$1: the descriptors come back" descriptors_are "$quiet_fds"
    echo "# $1: $calls honest calls, the slowest $slowest ms; peak $(peak_kb) kB; took $(($(milliseconds) - began)) ms"
}

quiet_fds=$(descriptors)
quiet_kb=$(peak_kb)
echo "# quiet: $quiet_fds descriptors, peak $quiet_kb kB"

# ---- what is no call -------------------------------------------------------------------------------------------------

attack 'noise' noise $((300 * times))
attack 'calls with damaged bytes' damaged $((300 * times))
attack 'huge strings' huge $((100 * times))
attack 'deep and wide JSON' nested $((100 * times))

# ---- calls in unkind ways --------------------------------------------------------------------------------------------

attack 'a message in single bytes' bytes $((20 * times))
attack 'a thousand calls in one go' pipelined $((10 * times))
attack 'peers that die in each phase' dies $((150 * times)) 0 1 "$behind_ms"
attack 'half messages' half $((500 * times)) 1

# ---- many ------------------------------------------------------------------------------------------------------------

attack '10,000 connections of one process' idle 10000 1
attack '10,000 connections of four processes' idle 2500 1 4
attack 'slow readers of much' slow 64 1 1 "$behind_ms"
attack 'slow readers of four processes' slow 20 1 4 "$behind_ms"

# ---- others than root (S23) ------------------------------------------------------------------------------------------

capture runuser -u nobody -- node "$here/varlink-call.js" "$socket" org.varlink.service.GetInfo '{}'
assert_eq 'another user: the mode is the first gate' 2 "$rc"
chmod 0666 "$socket"
capture runuser -u nobody -- entra-invite show stuck
assert_match 'another user, with the mode undone: refused by who it is' '^entra-invite: .*uid [0-9]+ may not ask' "$out"
timeout 60 runuser -u nobody -- node "$here/hostile-peer.js" "$socket" "$seed" idle 3000 1 >"$work/peer.0" 2>&1 &
serve_meanwhile $!
assert_eq 'many connections of another user: every honest call was answered' '' "$lost"
assert_true 'many connections of another user: in time' test "$slowest" -le "$answer_ms"
chmod 0600 "$socket"

# ---- afterwards ------------------------------------------------------------------------------------------------------

assert_true 'it is the same worker' kill -0 "$worker_pid"
assert_true "memory is bounded: $(peak_kb) kB at most, $quiet_kb kB when quiet" \
    test "$(peak_kb)" -le $((quiet_kb + memory_kb))
assert_no_match 'the log is not flooded' '.' "$(sed -n '2001p' "$worker_log")"
simulator faults-clear >/dev/null
capture entra-invite refresh
assert_within 60 'and its work goes on' state_is stuck pending
capture useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_one_invitation 'so does what comes' taylor@fabrikam.com
stop_worker
assert_eq 'it ends as it should' 0 "$worker_rc"

finish

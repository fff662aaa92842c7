#!/bin/bash
# (e) Memory and wake-ups of the idle worker with 100,000 collaborators.
. "$(dirname "$0")/lib.sh"
count=100000
seconds=60

of_status() { awk -v key="$2:" '$1 == key { print $2 * 1024 }' "/proc/$1/status"; } # PID KEY; bytes
pss() { awk '$1 == "Pss:" { print $2 * 1024 }' "/proc/$1/smaps_rollup"; }         # PID; bytes
wakeups() { cat "/proc/$1"/task/*/status | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum }'; } # PID

set_up 'refresh_interval = 86400;'
save_accounts
stopped_worker_with "$count"
start_worker
"$bench/wait-for" view user 1 1 accepted >/dev/null || fail 'no view'
# As it is after hours: the account files have been read again.
for _ in 1 2 3; do
    sleep 3
    cp -p /etc/passwd /etc/passwd.new && mv /etc/passwd.new /etc/passwd
done
sleep 5
"$bench/bare-idle" "$database" "$(json .loginUrl <"$simulator_dir/ready.json")/" "$simulator_dir/ca.pem" >"$work/idle" &
bare=$!
wait_until 10 grep -q ready "$work/idle" || fail 'bare-idle does not start'
before=$(wakeups "$worker_pid")
sleep "$seconds"
woken=$(($(wakeups "$worker_pid") - before))
allowed=$((6000000 + 200 * count))
rss=$(of_status "$worker_pid" VmRSS)
proportional=$(pss "$worker_pid")
result e 'worker, VmRSS, 100000 collaborators' '6 MB + 200 B each' bytes 1 <<<"$allowed $rss"
result e 'worker, Pss, 100000 collaborators' '6 MB + 200 B each' bytes 1 <<<"$allowed $proportional"
result e 'worker, VmRSS, 100000 collaborators' 'bare, idle' bytes - <<<"$(of_status "$bare" VmRSS) $rss"
result e 'worker, Pss, 100000 collaborators' 'bare, idle' bytes - <<<"$(pss "$bare") $proportional"
result e "worker, wake-ups in $seconds s, none is due" 'the timer' count - <<<"0 $woken"
kill "$bare"

#!/bin/bash
# (d) One `entra-invite invite ADDRESS --wait` against a bare libcurl program that sends the same requests.
#
# No token is fetched on either side: the worker has one, and so has the bare program. Once it is a command like ours,
# which has to connect first, and once it runs already and is connected, as the worker is; then only its requests count.
. "$(dirname "$0")/lib.sh"
number=0

# Each sets took, in microseconds, and invites somebody new.
next_address() {
    number=$((number + 1))
    address=person$number@fabrikam.com
}

cold() {
    local before
    next_address
    before=$(now_us)
    "$bench/bare-graph" "$simulator_dir/ready.json" each "$work/token" <<<"$address" >/dev/null || fail 'bare-graph failed'
    took=$(($(now_us) - before))
}

connected() {
    next_address
    echo "$address" >&"${warm[1]}"
    read -r took <&"${warm[0]}" || fail 'bare-graph failed'
}

ours() {
    local before
    next_address
    before=$(now_us)
    entra-invite invite "$address" --wait >/dev/null || fail 'entra-invite invite failed'
    took=$(($(now_us) - before))
}

compare() { # LATENCY PAIRS
    local pair a b
    latency "$1"
    : >"$work/command"
    : >"$work/connected"
    for ((pair = 0; pair <= $2; pair++)); do
        cold && a=$took
        connected && b=$took
        ours
        [ "$pair" != 0 ] || continue
        echo "$a $took" >>"$work/command"
        echo "$b $took" >>"$work/connected"
    done
    result d "entra-invite invite --wait, $1 ms latency" 'bare command' us - <"$work/command"
    result d "entra-invite invite --wait, $1 ms latency" 'bare, connected' us - <"$work/connected"
}

set_up 'refresh_interval = 300;'
"$bench/bare-graph" "$simulator_dir/ready.json" token >"$work/token" || fail 'no token'
coproc warm { exec "$bench/bare-graph" "$simulator_dir/ready.json" each; }
compare 0 41
compare 100 11

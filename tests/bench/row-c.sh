#!/bin/bash
# (c) From accounts that are there to all of them invited, against a bare libcurl program that sends the same requests.
. "$(dirname "$0")/lib.sh"

# Each sets took, in microseconds, and begins with a directory without guests.
bare() { # single|batch COUNT
    empty_directory
    seq -f 'user%g@fabrikam.com' 0 $(($2 - 1)) >"$work/addresses"
    took=$("$bench/bare-graph" "$simulator_dir/ready.json" "$1" <"$work/addresses") || fail 'bare-graph failed'
}

ours() { # COUNT LATENCY
    local before after
    latency 0
    fresh_worker
    latency "$2"
    before=$(now_us)
    add_accounts 0 "$1"
    after=$("$bench/wait-for" view user 0 $(($1 - 1)) pending) || fail 'not all are invited'
    took=$((after - before))
}

compare() { # COUNT LATENCY PAIRS
    local pair mode aim=-
    rm -f "$work"/pairs-*
    for ((pair = 0; pair < $3; pair++)); do
        latency "$2"
        for mode in "${modes[@]}"; do
            bare "$mode" "$1"
            echo "$took" >"$work/took-$mode"
        done
        ours "$1" "$2"
        for mode in "${modes[@]}"; do echo "$(cat "$work/took-$mode") $took" >>"$work/pairs-$mode"; done
    done
    result c "$1 invitations, $2 ms latency" 'one request each' us - <"$work/pairs-single"
    [ -e "$work/pairs-batch" ] || return 0
    [ "$2" != 100 ] || aim=1.3
    result c "$1 invitations, $2 ms latency" 'batches of 20' us "$aim" <"$work/pairs-batch"
}

set_up 'max_new = 0;' 'refresh_interval = 300;'
save_accounts
modes=(single batch)
if ! "$bench/bare-graph" "$simulator_dir/ready.json" batch <<<'somebody@fabrikam.com' >/dev/null 2>&1; then
    note "this simulator does not play \$batch: that reference is left out"
    modes=(single)
fi
compare 200 0 5
compare 200 100 5
compare 2000 0 3
compare 2000 100 3

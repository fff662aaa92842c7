# Library of the bench rows (bash). A row runs in a lab of its own, measures its pairs and prints them with `result`.
#
# shellcheck shell=bash
# shellcheck source=../host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../host/lib.sh"
# shellcheck disable=SC2034
bench=$repo/build/release/bench

# What goes wrong here makes the numbers worthless, so it ends the row.
fail() { # WHAT [DETAIL...]
    printf 'bench: %s\n' "$@" >&2
    [ ! -s "$worker_log" ] || tail -n 5 "$worker_log" >&2
    exit 1
}

note() { # TEXT
    printf '    %s\n' "$*" >&2
}

# Lines "REFERENCE OURS" on stdin, one a pair, become one line of the table: the medians of both, and of the pairs'
# ratios the median, the smallest and the largest. UNIT: us (microseconds), bytes or count. AIM: the largest ratio that
# will do, - for none.
result() { # ROW WHAT REFERENCE UNIT AIM
    awk -v OFS='\t' -v row="$1" -v what="$2" -v reference="$3" -v unit="$4" -v aim="$5" '
        function sort(list, n,    i, k, value) {
            for (i = 2; i <= n; i++) {
                value = list[i]
                for (k = i - 1; k > 0 && list[k] > value; k--) list[k + 1] = list[k]
                list[k + 1] = value
            }
        }
        function median(list, n) {
            sort(list, n)
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        function shown(value) {
            if (unit == "bytes") return sprintf("%.2f MB", value / 1e6)
            if (unit == "count") return sprintf("%g", value)
            if (value >= 1e6) return sprintf("%.2f s", value / 1e6)
            if (value >= 1e4) return sprintf("%.1f ms", value / 1e3)
            if (value >= 1e3) return sprintf("%.2f ms", value / 1e3)
            return sprintf("%.1f us", value)
        }
        NF == 2 { n++; theirs[n] = $1 + 0; ours[n] = $2 + 0; ratio[n] = $1 > 0 ? $2 / $1 : 0 }
        END {
            if (n == 0) exit 1
            ratios = median(ratio, n)
            verdict = aim == "-" ? "-" : sprintf("%s %s", aim, ratios <= aim ? "met" : "missed")
            print row, what, reference " " shown(median(theirs, n)), shown(median(ours, n)),
                (ratios > 0 ? sprintf("%.2f (%.2f..%.2f)", ratios, ratio[1], ratio[n]) : "-"), verdict
        }' || fail "$1: nothing was measured ($2)"
}

# Columns A and B of the lines on stdin, as pairs; each divided by DIVISOR.
columns() { # A B DIVISOR
    awk -v a="$1" -v b="$2" -v by="$3" '{ print $a / by, $b / by }'
}

now_us() {
    echo "${EPOCHREALTIME/./}"
}

# Adds accounts userFIRST … to the account files at once, all of them members of partners. 0 … COUNT - 1 have the uids
# from 100000 on, as make-store has them.
add_accounts() { # FIRST COUNT
    awk -v first="$1" -v count="$2" '
        { print }
        END {
            for (i = first; i < first + count; i++)
                printf "user%d:x:%d:100:User %d <user%d@fabrikam.com>:/home/user%d:/bin/bash\n", i, 100000 + i, i, i, i
        }' /etc/passwd >/etc/passwd.new
    awk -F : -v first="$1" -v count="$2" '
        $1 != "partners" { print; next }
        {
            printf "%s", $0
            for (i = first; i < first + count; i++) printf "%suser%d", i == first && $4 == "" ? "" : ",", i
            print ""
        }' /etc/group >/etc/group.new
    chmod 644 /etc/passwd.new /etc/group.new
    mv /etc/group.new /etc/group
    mv /etc/passwd.new /etc/passwd
}

save_accounts() { cp -p /etc/passwd /etc/group "$work/"; }
restore_accounts() {
    cp -p "$work/passwd" /etc/passwd.new && mv /etc/passwd.new /etc/passwd
    cp -p "$work/group" /etc/group.new && mv /etc/group.new /etc/group
}

empty_directory() {
    simulator reset ledger >/dev/null
    simulator reset users >/dev/null
}

# A worker that has seen nobody yet, has its token, and a directory without guests.
fresh_worker() {
    stop_worker
    restore_accounts
    rm -rf "${database%/*}" "$public/status.cdb"
    empty_directory
    start_worker
    simulator wait '{"path":"^/v1.0/(organization|domains)","count":1,"over":true}' >/dev/null ||
        fail 'the worker does not ask about its tenant'
}

# Every Graph request takes so long, beside what it costs. 0: no longer.
latency() { # MILLISECONDS
    simulator faults-clear >/dev/null
    [ "$1" = 0 ] || simulator fault "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0,\"action\":{\"latencyMs\":$1}}" >/dev/null
}

# A store with COUNT collaborators and their accounts, and a worker that is not running.
stopped_worker_with() { # COUNT
    fresh_worker
    stop_worker
    # A store is opened by its owner only.
    chown -R root:root "${database%/*}"
    "$bench/make-store" "${database%/*}" "$1" 100000 || fail 'make-store failed'
    chown -R entra-invite:entra-invite "${database%/*}"
    add_accounts 0 "$1"
}

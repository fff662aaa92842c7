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
    [ ! -s "$worker_log" ] || tail -n 20 "$worker_log" >&2
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
                sprintf("%.2f (%.2f..%.2f)", ratios, ratio[1], ratio[n]), verdict
        }' || fail "$1: nothing was measured ($2)"
}

# Columns A and B of the lines on stdin, as pairs; each divided by DIVISOR.
columns() { # A B DIVISOR
    awk -v a="$1" -v b="$2" -v by="$3" '{ print $a / by, $b / by }'
}

now_us() {
    echo "${EPOCHREALTIME/./}"
}

#!/bin/bash
# A week passes within a minute (X15): the worker of the crash tests' build skips the time in which nothing is under way
# (common/base/clock.h), the simulator answers for real, with the date of the day. What is due happens once and when it is due; and memory,
# descriptors, database, log and requests of the last day are those of the first.
#
# ACCOUNTS=N is how many accounts there are. `make soak` has 1,000, looked at every five minutes and not every two hours.
. "$(dirname "$0")/lib.sh"
accounts=${LAB_ACCOUNTS:-40}
patient=15 # of them by a rule that reminds and gives up
interval=$((accounts > 40 ? 300 : 7200)) # seconds between two looks at everybody
skip=$work/skip

install_tree
start_simulator
install -d -o entra-invite "$work/collector"
metrics=$work/collector/entra-invite.prom
chmod 711 "$work"
write_config 'invitation: { send_message = true; };' 'max_new = 0;' 'hook_wait = 0;' "metrics_file = \"$metrics\";" \
    "refresh_interval = $interval;" \
    'rules = ( { name = "partners"; group = "partners"; existing = "invite"; remind_after = 2; give_up_after = 5; },
        { name = "vendors"; group = "vendors"; existing = "invite"; } );'

add_members() { # GROUP PREFIX NUMBER FIRST-UID
    seq 0 $(($3 - 1)) | awk -v OFS=: -v prefix="$2" -v gid="$(getent group "$1" | cut -d: -f3)" -v uid="$4" '
        { print prefix $1, "x", uid + $1, gid, "Week Example <" prefix $1 "@fabrikam.com>", "/", "/bin/sh" }' >>/etc/passwd
}
add_members partners p $patient 10000
add_members vendors v $((accounts - patient)) 20000

# ---- time ------------------------------------------------------------------------------------------------------------

# The answers have the time that it is then: Microsoft's clock decides about reminders.
go_on_to() { # DAY
    local date
    date=$(LC_ALL=C date -u -d "@$((started + $1 * 86400))" '+%a, %d %b %Y %H:%M:%S GMT')
    simulator faults-clear >/dev/null
    simulator fault "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0,\"action\":{\"headers\":{\"Date\":\"$date\"}}}" >/dev/null
    echo $(($1 * 86400)) >"$skip"
    assert_within 300 "day $1 comes" day_is "$1"
    memories+=" $(memory)"
}
day_is() { # DAY; the worker's last answer about its guests is of its end
    local refreshed
    refreshed=$(sed -n 's/^entra_invite_last_refresh_timestamp_seconds \([0-9]*\).*/\1/p' "$metrics")
    [ "${refreshed:-0}" -gt $((started + $1 * 86400 - 2 * interval)) ]
}
memory() { worker_kb VmRSS; }
# But for the connections to Graph, of which there are as many as there was to ask at once the last time.
descriptors() { worker_open | grep -vc '^socket:'; }
sockets() { worker_open | grep -c '^socket:'; }
states() { entra-invite list --json | json '.map((one) => one.state).filter((state) => state === "'"$1"'").length'; }
counted() { # COUNTER; the list of requests ends at the hundred thousandth
    simulator ledger | json ".counters.$1"
}
lines() { wc -l <"$worker_log"; }
pages() { runuser -u entra-invite -- sqlite3 -readonly "$database" 'PRAGMA page_count'; }
mails_of() { # PREFIX NUMBER; how many mails each got, each number once
    simulator ledger | json ".addresses && [...new Set(Object.entries(value.addresses).filter(([name]) =>
        name.startsWith('$1')).map(([, one]) => one.mails.length))].join()"
}

memories=
echo 0 >"$skip"
export EI_CLOCK_SKIP=$skip
started=$EPOCHSECONDS
start_worker
assert_within 300 'all are pending' listed pending "$accounts"
assert_within 60 'all are mailed' eval '[ "$(mails_of p),$(mails_of v)" = 1,1 ]'
for number in 0 1 2; do simulator redeem "p$number@fabrikam.com" >/dev/null; done

go_on_to 1
assert_true 'who redeemed is accepted' listed accepted 3
assert_eq 'nobody is reminded before the second day' 1,1 "$(mails_of p),$(mails_of v)"
memory=$(memory) descriptors=$(descriptors) pages=$(pages)
tokens=$(counted tokensIssued)
simulator reset ledger >/dev/null
go_on_to 2
requests=$(counted requests)
assert_true "a token serves for most of an hour ($tokens in a day)" test "$tokens" -ge 20 -a "$tokens" -le 40
go_on_to 4
reminded=$(simulator ledger | json '.addresses && Object.values(value.addresses).filter((one) => one.mails.length === 1).length')
assert_eq 'the reminder goes to all who have not redeemed, once' "$((patient - 3)) 1 " \
    "$reminded $(simulator ledger | json '.addresses && Math.max(...Object.values(value.addresses).map((one) => one.mails.length))') $(mails_of v)"
go_on_to 6
assert_eq 'on the fifth day they are given up, and nobody else' "$((patient - 3)) $((accounts - patient)) 3" \
    "$(states expired) $(states pending) $(states accepted)"
simulator reset ledger >/dev/null
before=$(lines)
go_on_to 7

# ---- the last day against the first ----------------------------------------------------------------------------------

last=$(counted requests)
echo "# $accounts accounts: VmRSS in KiB after one, two, four, six, seven days:$memories; $requests requests on the second day, $last on the last"
assert_true "memory is flat" test "$(memory)" -le $((memory + memory / 10))
assert_eq 'no descriptor more' "$descriptors" "$(descriptors)"
assert_true "and no more than a few connections ($(sockets))" test "$(sockets)" -le 12
assert_true "the database does not grow ($pages pages, then $(pages))" test "$(pages)" -le $((pages + pages / 5 + 8))
assert_true "nor what is asked of Graph in a day ($requests requests, then $last)" test "$last" -le $((requests + requests / 10 + 10))
assert_true "nothing is logged on a day on which nothing happens ($before lines, then $(lines))" test $(($(lines) - before)) -le 2
assert_eq 'and nobody is mailed' 0 "$(simulator ledger | json '.addresses && Object.values(value.addresses).filter((one) => one.mails.length > 0).length')"
stop_worker
assert_eq 'the database is whole' ok "$(runuser -u entra-invite -- sqlite3 "$database" 'PRAGMA integrity_check')"

finish

#!/bin/bash
# What the log says, with a real systemd-journald: fields, the catalogue, a journald that goes away; and syslog.
# shellcheck disable=SC2016 # single quotes hold code for an inner shell
. "$(dirname "$0")/lib.sh"

journald=
for path in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
    [ -n "$journald" ] || [ ! -x "$path" ] || journald=$path
done
[ -n "$journald" ] || skip_all 'no systemd-journald here'

# By itself it needs little more than the place where it finds who sent a message.
mount -t cgroup2 none /sys/fs/cgroup 2>"$work/cgroup" || skip_all "no cgroup2: $(cat "$work/cgroup")"
mkdir -p /run/systemd/journal /run/log/journal

start_journald() {
    rm -f /run/systemd/journal/stdout # it stays behind one that was killed
    "$journald" 2>>"$work/journald" &
    journald_pid=$!
    if ! wait_until 20 test -S /run/systemd/journal/stdout; then
        fail 'journald starts' "$(cat "$work/journald")"
        finish
    fi
}

stop_journald() {
    kill "$journald_pid"
    wait "$journald_pid" 2>/dev/null
}

# [SELECTION...] entries of entra-invited, one JSON object a line.
entries() {
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o json -t entra-invited "$@"
}

# SELECTION JAVASCRIPT-PATH: of the last such entry.
last() {
    entries "$1" | tail -n 1 | json "$2"
}

has_entry() { # SELECTION...
    [ -n "$(entries "$@")" ]
}

id_of() { # KIND, as the manual has it; the MESSAGE_ID
    sed -n "s/.*X($1, \"\(.*\)\").*/\1/p" "$repo/common/base/log_id.h"
}

# As a unit is started: stderr is the journal, and $JOURNAL_STREAM says so.
launch_in_journal() {
    systemd-cat -t entra-invited sh -c \
        'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec entra-invited' </dev/null &
    worker_pid=$!
    wait_until 30 worker_ready || {
        fail 'entra-invited starts' "$(journalctl -q --no-pager -n 20)"
        finish
    }
}

install_tree
journalctl --update-catalog
start_simulator
write_config
start_journald
launch_in_journal
capture useradd -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
capture useradd -G partners -c 'Robin Example <robin@adatum.example>' robin
assert_within 20 'Taylor is invited' state_is taylor pending
assert_within 20 "Robin's domain is not allowed" state_is robin failed

# ---- fields
assert_within 20 'the entries of one login' has_entry ENTRA_INVITE_LOGIN=taylor
invited=MESSAGE_ID=$(id_of INVITED)
assert_eq 'invited: the login' taylor "$(last "$invited" .ENTRA_INVITE_LOGIN)"
assert_eq 'invited: the address' taylor@fabrikam.com "$(last "$invited" .ENTRA_INVITE_EMAIL)"
assert_eq 'invited: the rule' partners "$(last "$invited" .ENTRA_INVITE_RULE)"
assert_eq 'invited: the state' pending "$(last "$invited" .ENTRA_INVITE_STATE)"
assert_eq 'invited: urgency' 6 "$(last "$invited" .PRIORITY)"
assert_match 'invited: no error' undefined "$(last "$invited" .ENTRA_INVITE_ERROR)"
assert_match "invited: Microsoft's id of the answer" '^[0-9a-f-]{36}$' "$(last "$invited" .REQUEST_ID)"
assert_match 'invited: our id of the request' '^[0-9a-f-]{36}$' "$(last "$invited" .CLIENT_REQUEST_ID)"
assert_eq 'invited: the request with that id is known to the journal' 2 \
    "$(entries "CLIENT_REQUEST_ID=$(last "$invited" .CLIENT_REQUEST_ID)" | wc -l)"
assert_eq 'not by way of stderr' journal "$(last "$invited" ._TRANSPORT)"
failed=MESSAGE_ID=$(id_of FAILED)
assert_eq 'failed: the login' robin "$(last "$failed" .ENTRA_INVITE_LOGIN)"
assert_eq 'failed: the error' domain-not-allowed "$(last "$failed" .ENTRA_INVITE_ERROR)"
assert_eq 'failed: the state' failed "$(last "$failed" .ENTRA_INVITE_STATE)"
assert_eq 'failed: urgency' 4 "$(last "$failed" .PRIORITY)"
assert_match 'failed: the line says all of it' \
    'robin@adatum.example: .* \[domain-not-allowed; login robin; rule partners; state failed\] - correct the address' \
    "$(last "$failed" .MESSAGE)"
assert_eq 'the start' "$(id_of STARTED)" "$(last MESSAGE_ID="$(id_of STARTED)" .MESSAGE_ID)"
redeem taylor@fabrikam.com
assert_within 20 'Taylor accepts' has_entry "MESSAGE_ID=$(id_of ACCEPTED)" ENTRA_INVITE_LOGIN=taylor \
    ENTRA_INVITE_STATE=accepted

# ---- the catalogue
capture journalctl -q --no-pager -x -t entra-invited
assert_match 'journalctl -x: what it means' 'Subject: The invitation of robin failed: domain-not-allowed' "$out"
assert_match 'journalctl -x: what to do' 'entra-invite invite robin' "$out"
assert_match 'journalctl -x: where to read on' 'man:entra-invited\(8\)' "$out"
assert_no_match 'journalctl -x: no field is left unfilled' '@?ENTRA_INVITE_(TARGET|ERROR)@?' "$out"

# ---- untrusted text (S16), secrets (K3, K6)
capture useradd -G partners -c $'Kim <kim@fabrikam.com\xc2\x9bPRIORITY=0>' kim
assert_within 20 'an address with a control character' has_entry "$failed" ENTRA_INVITE_LOGIN=kim
assert_no_match 'it forges no field' '"PRIORITY":"0"' "$(entries)"
export=$(journalctl -q --no-pager -o export | tr -d '\0')
assert_no_match 'no link in any field (K3)' 'https?://[^ ]*redeem' "$export"
assert_false 'no secret in any field (K6)' grep -qFf "$secret" <<<"$export"
assert_no_match 'no token in any field (K6)' 'eyJ|Bearer' "$export"

# ---- journald goes away
stop_journald
capture useradd -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha
assert_within 20 'journald is dead, its socket left: work goes on' state_is sasha pending
start_journald
capture useradd -G partners -c 'Alex Example <alex@fabrikam.com>' alex
assert_within 20 'journald is back: the next entry has fields' has_entry "$invited" ENTRA_INVITE_LOGIN=alex
stop_worker

# ---- journald's socket alone is missing: the line goes to standard error, which is the journal
mv /run/systemd/journal/socket /run/systemd/journal/away
launch_in_journal
mv /run/systemd/journal/away /run/systemd/journal/socket
assert_within 20 'its socket is gone: the line is kept all the same' \
    eval 'entries | grep -q "\"_TRANSPORT\":\"stdout\".*for tenant\|for tenant.*\"_TRANSPORT\":\"stdout\""'
stop_worker

# ---- the last words: by standard error, of which journald knows the unit when the process is gone
capture systemd-cat -t entra-invited sh -c \
    'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec entra-invited --config /no/such.conf'
assert_eq 'no configuration: exit code' 6 "$rc"
assert_match 'no configuration: said, and how' '"_TRANSPORT":"stdout"' "$(entries | grep 'such\.conf' | tail -n 1)"
assert_match 'and how urgent' '"PRIORITY":"3"' "$(entries | grep 'such\.conf' | tail -n 1)"
assert_match 'stopped: said so too' '"_TRANSPORT":"stdout"' "$(entries | grep '"MESSAGE":"stopped"' | tail -n 1)"

# ---- syslog: the same line, no fields
rm -f /dev/log
ln -s /run/systemd/journal/dev-log /dev/log
userdel -f alex 2>/dev/null
usermod -c 'Robin Example <robin@contoso.example>' robin
env -u JOURNAL_STREAM entra-invited </dev/null >"$work/background" 2>&1
assert_within 30 'in the background' worker_ready
assert_within 20 'syslog has the line' eval 'entries _TRANSPORT=syslog | grep -q robin@contoso.example'
assert_match 'syslog: with the same facts' 'login robin; rule partners; state failed\]' \
    "$(entries _TRANSPORT=syslog | grep robin@contoso.example | tail -n 1)"
entra_pid=$(pgrep -x entra-invited) && kill "$entra_pid"
stop_journald
umount /sys/fs/cgroup

finish

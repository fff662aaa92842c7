#!/bin/bash
# Killed around a mail of our own (C8 to C11): the same promises as of Microsoft's. Nobody is mailed twice, whatever is
# killed; what may have been sent is unknown until somebody asks for another (X1, X9).
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/host/relay.sh
. "$faults/../host/relay.sh"
rule='rules = ( { name = "partners"; group = "partners"; invitation: { deliver = "smtp"; }; } );'
set_up_crash
make_relay
start_relay
write_config "hook_wait = $hook_wait;" "$rule" "$(relay_config)"

begin_mail_case() { # NAME
    begin_case "smtp: $1"
    rm -f "$relay_dir/mail/inbox"
}
relayed() { # NUMBER
    mails_are $address "$1"
}
assert_state() { # MAIL NUMBER
    assert_one_guest
    assert_eq "$case: the mail is $1" "$1" "$(show $login .mail)"
    assert_within 10 "$case: mails at the relay: $2" relayed "$2"
    assert_eq "$case: Microsoft mailed nothing" 0 "$(mails)"
}

while read -r point mail sent; do
    begin_mail_case "$point"
    EI_FAILPOINT=$point start_worker
    add_taylor
    assert_died
    recover
    assert_state "$mail" "$sent"
    for signal in TERM KILL; do
        end_worker $signal
        start_worker
        capture entra-invite refresh --wait
    done
    assert_state "$mail" "$sent"
    capture entra-invite mail $login --send --wait=30
    assert_eq "$case: mail --send succeeds" 0 "$rc"
    assert_within 10 "$case: mail --send: one more" relayed $((sent + 1))
    assert_redeems
done <<'POINTS'
C8 sent 1
C9 unknown 0
C10 unknown 1
C11 unknown 1
POINTS

# What is known not to have left is repeated by itself; a crash in the repetition is the same case again.
begin_mail_case 'the relay is away, then C10'
stop_relay
start_worker
add_taylor
assert_within 30 "$case: it waits" mail_is wanted
kill_worker
start_relay
EI_FAILPOINT=C10 launch_worker
assert_died
recover
assert_state unknown 1
stop_relay

finish

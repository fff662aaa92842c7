#!/bin/bash
# C6 and C10 as they happen: the request is sent and has its effect, the answer never arrives. And a directory that is
# behind, so that the look-up after a lost create doesn't find the guest (contract 7).
. "$(dirname "$0")/lib.sh"
set_up_crash

# The simulator sits on the answer until the worker is dead.
crash_before_answer() { # MAIL
    fault "{\"match\":{$invitations,\"mail\":$1},\"action\":{\"hold\":\"answer\",\"when\":\"after\"}}"
    start_worker
    add_taylor
    assert_true "$case: the request has its effect" \
        simulator wait "{$invitations,\"mail\":$1,\"held\":true,\"count\":1}" --timeout 20
    kill_worker
    simulator faults-clear >/dev/null
}

# A new guest is found neither by address nor by id for an hour.
fall_behind() {
    simulator set replication '{"byIdMs":3600000,"filterMs":3600000}' >/dev/null
}

catch_up() {
    simulator advance 3601 >/dev/null
}

begin_case 'C6, the answer is under way'
crash_before_answer false
recover
assert_one_mail
assert_redeems

begin_case 'C6, the answer is under way, the directory is behind'
fall_behind
crash_before_answer false
recover
assert_one_mail
catch_up
assert_redeems

for point in C5 C6 C7; do
    begin_case "$point, the directory is behind"
    fall_behind
    EI_FAILPOINT=$point start_worker
    add_taylor
    assert_died
    recover
    assert_one_mail
    catch_up
    assert_redeems
done

# A look-up that is cut off has not failed to find the guest: all three come before the next create (contract 7).
begin_case 'C6, then C4 three times, the directory is behind'
fall_behind
EI_FAILPOINT=C6 start_worker
add_taylor
assert_died
for _ in 1 2 3; do
    EI_FAILPOINT=C4 launch_worker
    assert_died
done
recover
assert_eq "$case: look-ups: the first, three cut off, three that find nobody" 7 \
    "$(simulator requests '{"path":"^/v1.0/users$","query":"issuerAssignedId"}' | json .length)"
assert_one_mail

begin_case 'C10, the answer is under way'
crash_before_answer true
recover
assert_unknown_mail 1
assert_redeems

# Without a crash of the worker: it finds out by itself.
for action in '"reset":true,"when":"after"' '"close":true,"when":"after"' '"status":503,"when":"after"' \
    '"truncate":40' '"html":true' '"reset":true,"when":"before"'; do
    begin_case "the create's answer: $action"
    fall_behind
    fault "{\"match\":{$invitations,\"mail\":false},\"action\":{$action}}"
    start_worker
    add_taylor
    become_quiet
    assert_one_mail
    catch_up
    assert_redeems
done

# Killed while it waits for the look-up after a lost answer.
begin_case 'a lost answer, then a crash'
fault "{\"match\":{$invitations,\"mail\":false},\"action\":{\"reset\":true,\"when\":\"after\"}}"
fault '{"match":{"path":"^/v1.0/users$"},"nth":2,"action":{"hold":"look-up","when":"before"}}'
start_worker
add_taylor
assert_true "$case: the look-up comes" simulator wait '{"path":"^/v1.0/users$","held":true,"count":1}' --timeout 20
kill_worker
simulator faults-clear >/dev/null
recover
assert_one_mail
assert_redeems

assert_edges
finish

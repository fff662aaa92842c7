#!/bin/bash
# Killed before the guest and its link are on record (C1 to C8): the request is not lost, there is one guest, one mail.
. "$(dirname "$0")/lib.sh"
set_up_crash

begin_case C1
start_worker
kill_worker
add_taylor
recover
assert_one_mail
assert_redeems

for point in C2 C3 C4 C5 C6 C7 C8; do
    begin_case $point
    # The watch of the files may be faster than the hook; so that C2 comes before anything is sent, the look-up waits.
    [ $point != C2 ] || fault '{"match":{"path":"^/v1.0/users$"},"times":0,"action":{"hold":"look-up","when":"before"}}'
    EI_FAILPOINT=$point start_worker
    add_taylor
    assert_died
    simulator faults-clear >/dev/null
    recover
    assert_one_mail
    assert_redeems
done

# Each start gets as far as the next point. C2 is none of them: the watch of the files may be done before the hook asks.
begin_case 'C3 to C10, one after the other'
EI_FAILPOINT=C3 start_worker
add_taylor
assert_died
for point in C4 C5 C6 C7 C8 C10; do
    case="C3 to $point, one after the other"
    EI_FAILPOINT=$point launch_worker
    assert_died
done
recover
assert_unknown_mail 1
assert_redeems

# The same point again and again: what is tried anew is as safe as what was tried first.
begin_case 'C6 three times'
EI_FAILPOINT=C6 start_worker
add_taylor
assert_died
for _ in 1 2; do
    EI_FAILPOINT=C6 launch_worker
    assert_died
done
recover
assert_one_mail
assert_redeems

# To die under a look-up is no failure of Graph's: when one does fail, the next try comes in seconds all the same (X8).
begin_case 'C4 eight times, then a look-up fails'
EI_FAILPOINT=C4 start_worker
add_taylor
assert_died
for _ in {2..8}; do
    EI_FAILPOINT=C4 launch_worker
    assert_died
done
fault '{"match":{"path":"^/v1.0/users$"},"action":{"status":503}}'
start_worker
assert_within 8 "$case: it is tried again in seconds" settled $login
assert_one_mail

assert_edges
finish

#!/bin/bash
# Killed while the view is published (C12, C13): the old one or the new one is whole, and the next start makes it right.
. "$(dirname "$0")/lib.sh"
# An account made while the first start has not got far is there when the rule is first seen.
set_up_crash 'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );'

# A start passes C13 three times: the covered groups, then the view, written and about to be renamed. What comes after
# belongs to what happens then.
at_start='C12 C13 C13:2 C13:3'
after_start='C12:2 C13:4 C13:5'

for point in $at_start; do
    begin_case "$point at the first start"
    EI_FAILPOINT=$point launch_worker
    assert_died
    assert_false "$case: there is no view yet" test -e "$public/status.cdb"
    add_taylor
    recover
    assert_one_mail
    assert_redeems
done

for point in $after_start; do
    begin_case "$point, a new account"
    fault "{\"match\":{$invitations},\"action\":{\"hold\":\"create\",\"when\":\"before\"}}"
    EI_FAILPOINT=$point start_worker
    add_taylor
    assert_died
    simulator faults-clear >/dev/null
    assert_true "$case: the old view is whole" own_status_is $login 3
    recover
    assert_one_mail

    case="$point, accepted"
    kill_worker
    EI_FAILPOINT=$point start_worker
    show $login .inviteRedeemUrl | open_links
    capture entra-invite refresh --wait
    assert_died
    assert_true "$case: the old view is whole" own_status_is $login 1
    start_worker
    assert_view 0
    assert_eq "$case: $login is accepted" accepted "$(show $login .state)"
    assert_one_guest
    assert_eq "$case: one mail" 1 "$(mails)"

    case="$point, at a later start"
    kill_worker
    EI_FAILPOINT=${point%:*} launch_worker
    assert_died
    assert_true "$case: the old view is whole" own_status_is $login 0
    start_worker
    assert_view 0
done

assert_edges
finish

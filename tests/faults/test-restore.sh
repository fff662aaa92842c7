#!/bin/bash
# Killed while a guest is brought back (B1, B2), or made a member of a group (J1, J2): the same guest, enabled, a member
# once, and nobody else. Each of these requests may be repeated, so nothing is written down before them but the wish.
. "$(dirname "$0")/lib.sh"
group=aaaaaaaa-0000-4000-8000-00000000000a
roles='["User.Invite.All","User.ReadWrite.All","Organization.Read.All","GroupMember.ReadWrite.All"]'
set_up_crash 'refresh_interval = 5;' "rules = ( { name = \"partners\"; group = \"partners\";
    email_domains = ( \"fabrikam.com\" ); entra_groups = ( \"$group\" ); } );"

begin() { # NAME
    begin_case "$1"
    simulator set roles "$roles" >/dev/null
    simulator group "{\"id\":\"$group\"}" >/dev/null
}
members() {
    simulator group "{\"find\":\"$group\"}" | json '.members.join()'
}
accepted() {
    [ "$(show $login .state)" = accepted ]
}
become_accepted() {
    simulator redeem "$address" >/dev/null
    capture entra-invite refresh --wait
    assert_within 20 "$case: $login is accepted" accepted
}
assert_back() {
    assert_within 30 "$case: $login is accepted again" accepted
    assert_one_guest
    assert_eq "$case: enabled" true "$(ledger "$address" '.users[0].accountEnabled')"
    assert_eq "$case: one mail, the first one" 1 "$(mails)"
    assert_eq "$case: nothing is left to do" 'null undefined' "$(show $login '.deletedGuestId + " " + value.error?.code')"
    assert_view 0
}

for point in J1 J2; do
    begin $point
    EI_FAILPOINT=$point start_worker
    add_taylor
    assert_died
    recover
    assert_within 90 "$case: a member, and on record" eval \
        '[[ $(show $login ".entraGroups[0].addedAt") == 20* ]] && [ "$(members)" = "$(show $login .invitedUserId)" ]'
    assert_eq "$case: no error" null "$(show $login '.entraGroups[0].error')"
    assert_one_mail
done

# Disabled and then deleted, it takes two requests to bring the guest back.
for points in B1 B2 B1:2 B2:2 'B1 B2 B1 B2'; do
    begin "restore, $points"
    start_worker
    add_taylor
    become_quiet
    become_accepted
    capture entra-invite remove $login --disable
    assert_within 20 "$case: disabled" eval '[ "$(ledger "$address" .users[0].accountEnabled)" = false ]'
    capture entra-invite refresh --wait
    capture entra-invite remove $login --delete
    assert_within 20 "$case: deleted" eval '[ "$(show $login .deletedGuestId)" != null ]'
    kill_worker
    read -r first others <<<"$points"
    EI_FAILPOINT=$first start_worker
    capture entra-invite restore $login
    assert_died
    for point in $others; do
        EI_FAILPOINT=$point launch_worker
        assert_died
    done
    start_worker
    assert_back
done

finish

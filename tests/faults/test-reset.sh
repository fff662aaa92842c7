#!/bin/bash
# Killed while a guest is reset (C4 to C11): the same user, reset or not as it was asked, at most one mail for it, and
# nothing stuck. A reset is never sent but by the verb (X4).
. "$(dirname "$0")/lib.sh"
set_up_crash
new=taylor.new@fabrikam.com

roles='["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]'

# taylor has accepted, has been mailed once, and has a second address in Entra.
begin_reset() { # NAME
    begin_case "$1"
    simulator set roles "$roles" >/dev/null
    start_worker
    add_taylor
    become_quiet
    show $login .inviteRedeemUrl | open_links
    capture entra-invite refresh --wait
    assert_eq "$case: $login is accepted at first" accepted "$(show $login .state)"
    simulator user "{\"find\":\"$address\",\"set\":{\"otherMails\":[\"$address\",\"$new\"]}}" >/dev/null
    # Change times are whole seconds, and nobody accepts, is reset and accepts anew within one.
    simulator advance 2 >/dev/null
    kill_worker
}

ask_reset() {
    capture entra-invite reset $login --email $new
}

all_posts() { # JAVASCRIPT; of the POSTs with an effect about the new address
    ledger $new ".posts.filter((post) => post.effect)$1"
}

assert_reset() { # MAILS MAIL
    assert_eq "$case: one guest, the same" "$(ledger "$address" '.guests.join()')" "$(show $login .invitedUserId)"
    assert_eq "$case: nobody else was made" 0 "$(ledger $new .guests.length)"
    assert_true "$case: it was reset" test "$(all_posts '.filter((post) => post.resetRedemption).length')" -ge 1
    assert_eq "$case: mails of this round" "$1" "$(ledger $new .mails.length)"
    assert_eq "$case: what show says of the mail" "$2" "$(show $login .mail)"
    assert_eq "$case: no mail about the old address" 1 "$(mails)"
    assert_eq "$case: pending, by the new address" "pending $new" "$(show $login '.state + " " + value.email')"
    assert_view 1
}

# By the link on record; it is that of the latest answer that arrived.
assert_redeems_anew() {
    simulator advance 2 >/dev/null
    show $login .inviteRedeemUrl | open_links
    capture entra-invite refresh --wait
    assert_eq "$case: redeemed anew by the link on record" 'accepted Accepted' \
        "$(show $login .state) $(ledger $new '.users[0].externalUserState')"
    assert_view 0
}

come_to_rest() {
    start_worker
    become_quiet
}

for point in C4 C5 C6 C7 C8 C9:0 C10:1 C11:1; do
    begin_reset "reset, ${point%:*}"
    EI_FAILPOINT=${point%:*} start_worker
    ask_reset
    assert_died
    come_to_rest
    case $point in
    *:*) assert_reset "${point#*:}" unknown ;;
    *) assert_reset 1 sent ;;
    esac
    capture entra-invite refresh --wait
    assert_redeems_anew
done

# Each start gets as far as the next point.
begin_reset 'reset, C4 to C8, one after the other'
EI_FAILPOINT=C4 start_worker
ask_reset
assert_died
for point in C5 C6 C7 C8; do
    case="reset, C4 to $point, one after the other"
    EI_FAILPOINT=$point launch_worker
    assert_died
done
come_to_rest
assert_reset 1 sent
assert_redeems_anew

# Redeemed anew before the worker is back: it is not reset a second time.
begin_reset 'reset, C7, redeemed meanwhile'
EI_FAILPOINT=C7 start_worker
ask_reset
assert_died
simulator advance 2 >/dev/null
simulator redeem $new >/dev/null
start_worker
assert_within 30 "$case: accepted" eval '[ "$(show $login .state)" = accepted ]'
assert_eq "$case: one reset, no mail" '1 0' \
    "$(all_posts '.filter((post) => post.resetRedemption).length') $(ledger $new .mails.length)"
assert_eq "$case: by the new address" $new "$(show $login .email)"
assert_view 0

# The verb's own answer was lost with the worker: nothing is on record, nothing is sent.
begin_reset 'reset, killed before it is on record'
fault '{"match":{"method":"GET","path":"^/v1.0/users/[0-9a-f-]+$"},"times":0,"action":{"hold":"look","when":"before"}}'
start_worker
capture timeout 3 entra-invite reset $login --email $new
kill_worker
simulator faults-clear >/dev/null
start_worker
capture entra-invite refresh --wait
assert_eq "$case: the guest stands as before" 'accepted 0' "$(show $login .state) $(ledger $new .posts.length)"

finish

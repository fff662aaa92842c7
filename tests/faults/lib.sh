# Library of the crash tests (bash): that of the host tests, and the worker that dies where it is told to. A case is
#
#     begin_case C6                   # a host and a tenant that know nobody
#     EI_FAILPOINT=C6 start_worker
#     add_taylor
#     assert_died
#     recover                         # a worker without failpoint, until nothing moves any more
#     assert_one_mail
#     assert_redeems
#
# What is asserted is what the simulator counted, not what the worker says about itself.
#
# shellcheck shell=bash
# Results are for the test that sources this; single quotes hold code for another language.
# shellcheck disable=SC2034,SC2016,SC2119,SC2120

faults=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/host/lib.sh
. "$faults/../host/lib.sh"

# The build that has the failpoints; in it, one second between the look-ups that follow an ambiguous create.
export VARIANT=failpoints EI_SETTLE_NOW=1

# What its workers make of each collaborator, for assert_edges.
export EI_FAILPOINT_TRANSITIONS=$work/transitions
install -m 0666 /dev/null "$EI_FAILPOINT_TRANSITIONS"

login=taylor
address=taylor@fabrikam.com
invitations='"method":"POST","path":"^/v1.0/invitations"'
case=
hook_wait=2
wait_pause=0.02

set_up_crash() { # [CONFIG-LINE...]
    install_tree
    start_simulator
    write_config 'invitation: { send_message = true; };' "hook_wait = $hook_wait;" "$@"
}

# ---- a case ----------------------------------------------------------------------------------------------------------

begin_case() { # NAME
    case=$1
    kill_worker
    ! id -u $login >/dev/null 2>&1 || userdel -f -r $login >/dev/null 2>&1
    rm -rf /var/lib/entra-invite /run/entra-invite
    simulator reset >/dev/null || fail "$case: the simulator starts anew"
    echo "==== $case" >>"$worker_log"
}

fault() { # JSON
    simulator fault "$1" >/dev/null || fail "$case: the simulator takes the fault" "$1"
}

# useradd never fails and never waits longer than hook_wait, whatever becomes of the worker (design, Promises). The
# three seconds are what useradd itself may take on a busy machine.
add_taylor() {
    local name="$case: useradd succeeds in time"
    capture_timed useradd -m -s /bin/bash -G partners -c "Taylor Example <$address>" $login
    if [ "$rc" = 0 ] && [ "$took" -le $((hook_wait + 3)) ]; then
        pass "$name"
    else
        fail "$name" "exit code $rc after $took s" "$out"
    fi
}

# Where a view of an earlier worker may be: returns when this one has published its first.
launch_until_published() {
    touch "$work/launched"
    launch_worker
    wait_until 20 test "$public/status.cdb" -nt "$work/launched"
}

# By the failpoint: nobody else sends the signal. 128 + 9 is how the shell tells of SIGKILL.
assert_died() {
    worker_ends
    assert_eq "$case: the worker is killed at its point" 137 "$worker_rc"
}

# Whatever is to be sent has been. Asked often, so by a pattern: a node for each answer takes longer than the worker.
settled() { # LOGIN
    local said
    said=$(entra-invite show "$1" --json 2>&1)
    [[ $said =~ \"state\":[[:space:]]*\"pending\" && $said =~ \"mail\":[[:space:]]*\"(sent|unknown)\" ]]
}

mail_is() { # STATE
    [ "$(show $login .mail)" = "$1" ]
}

# All that can happen by itself has happened: what was due is done, and what a refresh brings forward as well.
become_quiet() {
    if ! wait_until 30 settled $login; then
        fail "$case: the request is not lost" "$(show $login '')" "$(ledger "$address" .posts)"
        return
    fi
    pass "$case: the request is not lost"
    capture entra-invite refresh --wait
    [ "$rc" = 0 ] || fail "$case: refresh" "$out"
}

# After a crash (C12, C13) the view must open again, and nothing of the old one be left.
recover() {
    start_worker
    become_quiet
    assert_view 1
}

assert_view() { # EXIT-CODE of status
    assert_true "$case: the view says where $login stands" own_status_is $login "$1"
    assert_eq "$case: no half-written file is left" '' "$(half_written)"
}

half_written() {
    find "$public" ! -name public ! -name status.cdb ! -name groups ! -name changed
}

# Whatever happened in this test, the model has it (X16).
assert_edges() {
    local strange
    strange=$(node "$faults/transitions.js" "$EI_FAILPOINT_TRANSITIONS" 2>&1)
    assert_eq 'every transition is an edge of the model' '' "$(grep -v '^#' <<<"$strange")"
    grep '^#' <<<"$strange"
}

# ---- what the simulator counted --------------------------------------------------------------------------------------

mails() {
    ledger "$address" .mails.length
}

posts() {
    ledger "$address" .posts.length
}

# The links of the invitations that the simulator answered with 201, without or with mail.
links() { # true|false|undefined
    ledger "$address" ".posts.filter(post => post.effect && ($1 ?? post.sendInvitationMessage) ===
        post.sendInvitationMessage).map(post => post.inviteRedeemUrl).pop()"
}

# What holds after every crash: one guest, and a link that opens the door.
assert_one_guest() {
    assert_eq "$case: one guest" 1 "$(ledger "$address" .guests.length)"
    assert_eq "$case: show has that guest" "$(ledger "$address" '.guests[0]')" "$(show $login .invitedUserId)"
}

# The mail went out, once, and it is known; the link is that of the latest 201.
assert_one_mail() {
    assert_one_guest
    assert_eq "$case: one mail" 1 "$(mails)"
    assert_eq "$case: the mail is known to be sent" sent "$(show $login .mail)"
    assert_eq "$case: the link is the latest" "$(links undefined)" "$(show $login .inviteRedeemUrl)"
}

# Whether Microsoft has sent a mail can't be told, so it is said, and the link is the one that the worker got last:
# that of an invitation without mail (C9 to C11).
assert_unknown_mail() { # MAILS
    assert_one_guest
    assert_eq "$case: mails sent: $1" "$1" "$(mails)"
    assert_eq "$case: the mail is reported as unknown" unknown "$(show $login .mail)"
    assert_eq "$case: and why" mail-unknown "$(show $login '.error?.code')"
    assert_match "$case: with the mend" resend "$(show $login '.error?.mend')"
    assert_eq "$case: the link is the latest that arrived" "$(links false)" "$(show $login .inviteRedeemUrl)"
}

# The partner opens the very link that was recorded; then the door opens.
assert_redeems() {
    show $login .inviteRedeemUrl | open_links
    capture entra-invite refresh --wait
    assert_eq "$case: the recorded link is redeemed" 1 \
        "$(ledger "$address" '.redemptions.filter(one => one.exact).length')"
    assert_eq "$case: $login is accepted" accepted "$(show $login .state)"
    assert_view 0
}

# Opens links, one a line of stdin, as a partner's browser does.
open_links() {
    node "$faults/open-links.js" "$(simulator ready | json .caFile)" >>"$work/open-links" 2>&1 ||
        fail "$case: the links open" "$(tail -n 5 "$work/open-links")"
}

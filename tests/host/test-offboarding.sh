#!/bin/bash
# Removals: while something is under way, while Graph is away, without the permission, and by rule when the account is
# gone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/offboard.sh"
install_tree
enable_pam
groupadd interns
start_simulator
write_config 'hook_wait = 1;' "rules = ( $default_rules,
    { name = \"vendors\"; group = \"vendors\"; on_account_removal = \"disable\"; },
    { name = \"interns\"; group = \"interns\"; on_account_removal = \"delete\"; } );"
start_worker

hold() { # METHOD PATH NAME [WHEN]
    simulator fault "{\"match\":{\"method\":\"$1\",\"path\":\"$2\"},
        \"action\":{\"hold\":\"$3\",\"when\":\"${4:-after}\"}}" >/dev/null
}
held() { # NAME METHOD
    assert_true "$1: the request is under way" \
        simulator wait "{\"method\":\"$2\",\"held\":true,\"count\":1}" --timeout 20
}
# Lets the held request of METHOD go on and waits until it is over and written down.
release() { # NAME METHOD LOGIN
    simulator release "$1" >/dev/null
    simulator wait "{\"method\":\"$2\",\"address\":\"$3@fabrikam.com\",\"over\":true,\"count\":1}" >/dev/null
    capture entra-invite refresh --wait
}
looks() { # LOGIN
    ledger "$1@fabrikam.com" '.requests.filter(request => request.method === "GET").length'
}

# Whose accounts go away now are proven gone a minute later, see the end.
pending leon vendors
pending lisa interns
pending lena
userdel leon
userdel lisa

# ---- while the create is under way -----------------------------------------------------------------------------------

roles "$change"
hold POST ^/v1.0/invitations create
add rita
held 'removed while it is created' POST
capture entra-invite remove rita
assert_eq 'removed while it is created: exit code' 0 "$rc"
release create POST rita
assert_within 10 'removed while it is created: removed' state_is rita removed
assert_eq 'removed while it is created: the guest is on record' "$(ledger rita@fabrikam.com '.guests[0]')" \
    "$(show rita .invitedUserId)"
assert_within 10 'removed while it is created: no URL is kept' eval '[ "$(show rita .inviteRedeemUrl)" = null ]'
assert_refused 'removed while it is created' rita
before=$(looks rita)
capture entra-invite refresh --wait
capture entra-invite refresh --wait
assert_eq 'removed while it is created: nobody looks at it any more' "$before" "$(looks rita)"
assert_eq 'removed while it is created: one POST, no mail' '1 0' \
    "$(ledger rita@fabrikam.com '.posts.length + " " + value.mails.length')"
assert_eq 'removed while it is created: the guest stays' enabled "$(guest rita)"
assert_false 'removed while it is created: no link in the database (K7)' \
    grep -aqF "$(ledger rita@fabrikam.com '.posts[0].inviteRedeemUrl')" "$database" "$database-wal"

for action in disable delete; do
    login=in$action
    wanted=$([ "$action" = disable ] && echo disabled || echo none)
    hold POST ^/v1.0/invitations create before
    add "$login"
    held "remove --$action while it is created" POST
    capture entra-invite remove "$login" "--$action"
    assert_eq "remove --$action while it is created: exit code" 0 "$rc"
    release create POST "$login"
    assert_within 20 "remove --$action while it is created: the guest is what was asked for" guest_is "$login" "$wanted"
    assert_within 10 "remove --$action while it is created: removed" state_is "$login" removed
    assert_eq "remove --$action while it is created: no URL is kept" null "$(show "$login" .inviteRedeemUrl)"
done

# ---- changed one's mind ----------------------------------------------------------------------------------------------

pending ruth
hold DELETE ^/v1.0/users delete before
capture entra-invite remove ruth --delete
held 'invited again while it is deleted' DELETE
capture entra-invite invite ruth
assert_eq 'invited again while it is deleted: exit code' 0 "$rc"
release delete DELETE ruth
assert_within 30 'invited again while it is deleted: a guest is there' guest_is ruth enabled
assert_within 20 'invited again while it is deleted: pending' state_is ruth pending
assert_within 20 'invited again while it is deleted: with that guest' eval \
    '[ "$(show ruth .invitedUserId)" = "$(ledger ruth@fabrikam.com ".guests[1]")" ]'
assert_true 'invited again while it is deleted: no error' error_is ruth undefined

# ---- without the permission, and while inviting is refused -----------------------------------------------------------

for login in rob ron roy; do pending "$login"; done
roles "$invite"
capture entra-invite remove rob --disable
assert_eq 'remove without the permission: exit code' 0 "$rc"
assert_within 20 'remove without the permission: the error is shown' error_is rob permission
assert_eq 'remove without the permission: removed all the same' removed "$(show rob .state)"
assert_match 'remove without the permission: there is a mend' '[a-z]{3}' "$(show rob .error.mend)"
assert_refused 'remove without the permission' rob removed
pending rex
simulator set allowInvitesFrom '"none"' >/dev/null
add ray
assert_within 20 'inviting is refused' error_is ray invitations-off
capture entra-invite remove ron --disable
capture entra-invite remove roy --delete
assert_eq 'inviting is refused, no permission: removed all the same' 'removed removed' \
    "$(show ron .state) $(show roy .state)"
# Neither removal may take the place of the one invitation that finds out whether inviting is allowed again.
simulator set allowInvitesFrom '"everyone"' >/dev/null
kill -HUP "$worker_pid"
assert_within 20 'inviting is allowed again: SIGHUP is enough, whatever else waits' state_is ray pending
assert_true 'inviting is allowed again: the block is gone' eval \
    '[ "$(entra-invite status --json | json .blocked)" = null ]'
changes=$(simulator requests '{"path":"^/v1.0/users/"}' | json '.filter(one => /PATCH|DELETE/.test(one.method)).length')
assert_true "without the permission: no storm ($changes tries)" test "$changes" -le 15
roles "$change"
capture entra-invite refresh --wait
assert_within 20 'the permission is there: disabled' guest_is rob disabled
assert_within 20 'the permission is there: disabled, the other' guest_is ron disabled
assert_within 20 'the permission is there: deleted' guest_is roy none
assert_within 20 'the permission is there: the error is gone' error_is rob undefined

# ---- invited again while Graph is away -------------------------------------------------------------------------------

pending raul
url=$(show raul .inviteRedeemUrl)
guest_id=$(show raul .invitedUserId)
capture entra-invite remove raul
assert_within 20 'raul is removed' state_is raul removed
# Started again later, the simulator would know nobody; so it only stops answering.
simulator fault '{"match":{},"times":0,"action":{"reset":true}}' >/dev/null
capture entra-invite invite raul
assert_eq 'invited again while Graph is away: exit code' 0 "$rc"
assert_match 'invited again while Graph is away: it says queued' 'queued' "$out"
assert_eq 'invited again while Graph is away: queued, no URL' 'queued null' \
    "$(show raul '.state + " " + value.inviteRedeemUrl')"
assert_within 20 'invited again while Graph is away: the reason is shown' eval \
    '[ "$(show raul ".error?.code")" != undefined ]'
assert_eq 'invited again while Graph is away: still queued' queued "$(show raul .state)"
hook=$(grep -o '/[^ ]*/entra-invite-hook' /etc/shadow-maint/useradd-post.d/entra-invite | head -n 1)
capture env ACTION=useradd SUBJECT=raul "$hook"
assert_match 'invited again while Graph is away: the hook says queued' 'raul.*queued' "$out"
assert_no_match 'invited again while Graph is away: the hook does not say invited' 'is invited;' "$out"
simulator faults-clear >/dev/null
capture entra-invite refresh --wait
assert_within 30 'Graph is back: pending' state_is raul pending
assert_within 10 'Graph is back: a URL' eval '[[ $(show raul .inviteRedeemUrl) == https://* ]]'
assert_false 'Graph is back: another URL' test "$url" = "$(show raul .inviteRedeemUrl)"
assert_eq 'Graph is back: the same guest' "$guest_id" "$(show raul .invitedUserId)"

# ---- by rule, on proof (design, Gone needs proof) --------------------------------------------------------------------

assert_within 90 'on_account_removal = "disable"' guest_is leon disabled
assert_within 20 'on_account_removal = "delete"' guest_is lisa none
userdel lena
assert_eq 'whoever is gone since a moment is not yet proven gone' pending "$(show lena .state)"
assert_eq 'nobody else was touched' 'enabled enabled enabled' "$(guest lena) $(guest rita) $(guest rex)"

finish

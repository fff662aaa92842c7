#!/bin/bash
# The main job with plain useradd: invited, shut out, redeemed, let in, removed, added again.
. "$(dirname "$0")/lib.sh"
set_up
address=taylor@fabrikam.com

capture useradd -m -s /bin/bash -G partners -c "Taylor Example <$address>" taylor
assert_eq 'useradd succeeds' 0 "$rc"
assert_match 'useradd says that taylor is invited' '(taylor|entra-invite).*invited' "$out"
assert_no_match 'useradd does not print the link (K3)' 'https?://' "$out"
assert_one_invitation useradd "$address"
assert_within 20 'taylor is pending' state_is taylor pending
assert_eq 'Graph sent no mail' 0 "$(ledger "$address" .mails.length)"

posts='.posts.filter(post => post.effect)'
assert_eq 'show has the link as Graph gave it' "$(ledger "$address" "$posts.pop().inviteRedeemUrl")" \
    "$(show taylor .inviteRedeemUrl)"
assert_eq 'show has the guest' "$(ledger "$address" '.guests[0]')" "$(show taylor .invitedUserId)"
assert_eq 'show has the address as it was written' "$address" "$(show taylor .email)"
assert_eq 'show has the rule' partners "$(show taylor .rule)"
assert_eq 'the display name is from GECOS' 'Taylor Example' \
    "$(ledger "$address" "$posts.pop().body.invitedUserDisplayName")"
capture entra-invite list
assert_match 'list has taylor' 'taylor.*pending|pending.*taylor' "$out"
capture entra-invite list --state accepted --json
assert_eq 'list can be asked for one state' '[]' "$(json '' <<<"$out")"

capture entra-invite refresh --wait
assert_eq 'after a refresh show has the state by its name at Microsoft' PendingAcceptance \
    "$(show taylor .externalUserState)"
assert_eq 'status of a pending account is exit code 1' 1 "$(status_of taylor)"
assert_eq 'status of a stranger is exit code 3' 3 "$(status_of nobody-of-that-name)"
capture runuser -u taylor -- entra-invite status taylor
assert_eq 'taylor may ask about taylor' 1 "$rc"
assert_no_match 'and gets no link' 'https?://' "$out"
capture runuser -u taylor -- entra-invite show taylor
assert_eq 'but show is for root' 4 "$rc"

assert_refused 'a pending account' taylor
assert_false 'the public directory has no address (design, Names)' grep -rqa fabrikam "$public"
assert_false 'nor the link, which the modules therefore never hold (S40)' grep -rqai redeem "$public"
assert_false 'nobody else reads the database (S26)' runuser -u taylor -- cat "$database"
assert_false 'nobody else reads the secret (S26)' runuser -u taylor -- cat "$secret"
assert_false 'nobody else reaches the socket (S23)' runuser -u taylor -- test -w "$socket"
assert_no_match 'no link in the log (K3)' 'https?://[^ ]*redeem' "$(cat "$worker_log")"

redeem "$address"
assert_eq 'refresh succeeds' 0 "$rc"
assert_within 15 'status says accepted' status_is taylor 0
assert_eq 'show says accepted' accepted "$(show taylor .state)"
assert_eq 'the link is erased (K7)' null "$(show taylor .inviteRedeemUrl)"
assert_let_in 'an accepted account may log in' taylor
capture entra-invite invite taylor
assert_eq 'to invite an accepted guest is no error' 0 "$rc"
assert_match 'and says so' 'already a guest' "$out"

capture userdel -r taylor
assert_eq 'userdel succeeds' 0 "$rc"
assert_eq 'a rule that says keep leaves the guest' 1 "$(ledger "$address" .users.length)"
capture useradd -m -s /bin/bash -G partners -c "Taylor Example <$address>" taylor
assert_eq 'the account can be made again' 0 "$rc"
assert_within 20 'and is the accepted guest at once' state_is taylor accepted
assert_let_in 'who may log in' taylor
assert_eq 'without a second invitation' 1 "$(ledger "$address" "$posts.length")"

finish

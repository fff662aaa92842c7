#!/bin/bash
# remove, and what follows from it: the tombstone, the guest in the tenant, the way back (design, The admin's word stays).
. "$(dirname "$0")/lib.sh"
install_tree
enable_pam
start_simulator
all_roles='["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]'
simulator set roles "$all_roles" >/dev/null
write_config
start_worker
add() { # LOGIN [ADDRESS]
    useradd -m -s /bin/bash -G partners -c "${1^} Example <${2:-$1@fabrikam.com}>" "$1" >"$work/useradd" 2>&1
    assert_within 30 "$1 is pending" state_is "$1" pending
}
posts() { # ADDRESS
    ledger "$1" .posts.length
}
# Every occasion on which a job could arise.
provoke() {
    touch /etc/passwd /etc/group
    capture entra-invite refresh --wait
    stop_worker
    start_worker
    capture entra-invite refresh --wait
}
directory() { # ADDRESS JAVASCRIPT-EXPRESSION about `users`
    ledger "$1" ".users && ((users) => $2)(value.users)"
}

# ---- the tombstone ---------------------------------------------------------------------------------------------------

add taylor
capture entra-invite remove taylor
assert_eq 'remove: exit code' 0 "$rc"
assert_match 'remove says so' 'taylor <taylor@fabrikam.com>: removed' "$out"
assert_eq 'remove: state and exit code of status' 'removed 3' "$(show taylor .state) $(status_of taylor)"
assert_eq 'remove: the URL is gone (K7)' null "$(show taylor .inviteRedeemUrl)"
assert_refused 'a removed account' taylor .
provoke
usermod -c 'Taylor B. Example <taylor@fabrikam.com>' taylor
capture entra-invite adopt --rule partners
capture entra-invite resend taylor
assert_eq 'resend to a removed one: exit code' 1 "$rc"
capture entra-invite refresh --wait
assert_eq 'no job arises for a tombstone' 'removed 1' "$(show taylor .state) $(posts taylor@fabrikam.com)"
assert_eq 'the rule says keep: the guest stays' true "$(directory taylor@fabrikam.com 'users[0].accountEnabled')"
assert_eq 'list --state removed has it' taylor "$(entra-invite list --state removed --json | json '.map((one) => one.login).join()')"
capture entra-invite invite taylor --rule nosuch
assert_eq 'an invite that is refused ends no tombstone' '3 removed' "$rc $(show taylor .state)"
capture entra-invite invite taylor --wait
assert_eq 'invite ends it: exit code' 0 "$rc"
assert_eq 'invite ends it: one more POST, the same guest' '2 1 pending' \
    "$(posts taylor@fabrikam.com) $(ledger taylor@fabrikam.com .guests.length) $(show taylor .state)"

capture entra-invite remove taylor
usermod -c 'Taylor Example <taylor.example@fabrikam.com>' taylor
assert_one_invitation 'another address ends it' taylor.example@fabrikam.com
assert_within 20 'another address is pending' state_is taylor pending
capture entra-invite remove taylor
userdel -r taylor >/dev/null 2>&1
useradd -m -u 6001 -s /bin/bash -G partners -c 'Taylor Example <taylor.example@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'a new account of that name ends it' state_is taylor pending
assert_eq 'a new account: the same guest' 1 "$(ledger taylor.example@fabrikam.com .guests.length)"

# ---- the guest in the tenant -----------------------------------------------------------------------------------------

add kim
redeem kim@fabrikam.com
assert_within 20 'kim is accepted' state_is kim accepted
capture entra-invite remove kim --disable
assert_eq 'remove --disable: exit code' 0 "$rc"
assert_within 20 'remove --disable: the guest is disabled' \
    eval '[ "$(directory kim@fabrikam.com "users[0].accountEnabled")" = false ]'
assert_within 20 'remove --disable: removed' state_is kim removed
assert_refused 'remove --disable' kim .
provoke
assert_eq 'a disabled guest stays disabled' 'removed false' "$(show kim .state) $(directory kim@fabrikam.com 'users[0].accountEnabled')"
capture entra-invite invite kim --wait
assert_eq 'invite of a disabled guest: exit code and reason' '1 disabled' "$rc $(show kim .error.code)"
simulator user '{"find":"kim@fabrikam.com","enabled":true}' >/dev/null
capture entra-invite refresh --wait
assert_within 20 'enabled again in the tenant: accepted again' state_is kim accepted
assert_eq 'without another invitation' 1 "$(posts kim@fabrikam.com)"

add robin
capture entra-invite remove robin --delete
assert_eq 'remove --delete: exit code' 0 "$rc"
assert_within 20 'remove --delete: the guest is gone' eval '[ "$(directory robin@fabrikam.com \
    "users.filter((user) => !user.deletedDateTime).length")" = 0 ]'
assert_within 20 'remove --delete: nothing is kept of it' eval '[ "$(show robin .invitedUserId)" = null ]'
provoke
assert_eq 'remove --delete: nothing arises' 'removed 1' "$(show robin .state) $(posts robin@fabrikam.com)"
capture entra-invite invite robin --wait
assert_eq 'invite after remove --delete: exit code' 0 "$rc"
assert_eq 'invite after remove --delete: a new guest' 'pending 2' "$(show robin .state) $(ledger robin@fabrikam.com .guests.length)"

# Without the permission the removal counts on the host at once, and is made up for later.
add alex
simulator set roles '["User.Invite.All","User.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite remove alex --delete
assert_eq 'no permission to delete: exit code' 0 "$rc"
assert_within 20 'no permission to delete: it is said' error_is alex permission
assert_eq 'no permission to delete: removed on the host' removed "$(show alex .state)"
assert_refused 'no permission to delete' alex .
add sasha
simulator set roles "$all_roles" >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
assert_within 20 'permission granted: the guest is gone' eval '[ "$(show alex .invitedUserId)" = null ]'
assert_eq 'permission granted: the error too' undefined "$(show alex '.error?.code')"

# ---- gone in the tenant ----------------------------------------------------------------------------------------------

simulator user '{"find":"sasha@fabrikam.com","delete":"soft"}' >/dev/null
capture entra-invite refresh --wait
assert_within 20 'deleted in the tenant: failed' error_is sasha guest-gone
provoke
assert_eq 'deleted in the tenant: not invited again by itself' 'failed 1' "$(show sasha .state) $(posts sasha@fabrikam.com)"
capture entra-invite invite sasha --wait
assert_eq 'deleted in the tenant: invite begins anew' '0 pending' "$rc $(show sasha .state)"
assert_eq 'deleted in the tenant: with a new guest' 2 "$(ledger sasha@fabrikam.com .guests.length)"
assert_eq 'whom show names' "$(ledger sasha@fabrikam.com '.guests.pop()')" "$(show sasha .invitedUserId)"

# ---- two logins of one person ----------------------------------------------------------------------------------------

add uma
useradd -m -s /bin/bash -G partners -c 'Uma Example <uma@fabrikam.com>' uma2 >"$work/useradd" 2>&1
assert_within 20 'a second login is pending too' state_is uma2 pending
capture entra-invite remove uma2 --delete
assert_eq 'one of two is removed, the other stays' 'removed pending' "$(show uma2 .state) $(show uma .state)"
capture entra-invite refresh --wait
assert_eq 'whom somebody needs is not deleted' true "$(directory uma@fabrikam.com 'users[0].accountEnabled')"
capture entra-invite remove uma@fabrikam.com
assert_eq 'remove ADDRESS removes each login' 'removed removed' "$(show uma2 .state) $(show uma .state)"

# ---- --forget --------------------------------------------------------------------------------------------------------

add vera
capture entra-invite remove vera --forget
assert_eq 'remove --forget of a covered login: exit code' 1 "$rc"
assert_match 'remove --forget of a covered login: it says why' 'vera.*group' "$out"
assert_eq 'remove --forget of a covered login changes nothing' pending "$(show vera .state)"
gpasswd -d vera partners >/dev/null
capture entra-invite remove vera --forget
assert_eq 'remove --forget: exit code and word' '0 removed and forgotten' "$rc $out"
capture entra-invite show vera
assert_eq 'remove --forget: nothing is known of the login' 3 "$rc"
capture entra-invite show vera@fabrikam.com
assert_eq 'remove --forget: nor of the address' 3 "$rc"
capture entra-invite invite yuri@fabrikam.com --wait
capture entra-invite remove yuri@fabrikam.com --forget --json
assert_eq 'remove ADDRESS --forget --json: null' '0 null' "$rc $out"
capture entra-invite show yuri@fabrikam.com
assert_eq 'remove ADDRESS --forget: nothing is known' 3 "$rc"
capture entra-invite invite xena@fabrikam.com --wait
capture entra-invite remove xena@fabrikam.com
assert_eq 'remove ADDRESS: exit code and state' '0 removed' "$rc $(show xena@fabrikam.com .state)"
capture entra-invite remove xena@fabrikam.com --delete --forget
assert_eq 'remove --delete --forget: first one, then the other' 1 "$rc"

# ---- wrong use -------------------------------------------------------------------------------------------------------

capture entra-invite remove nobody@fabrikam.com
assert_eq 'remove of a stranger: exit code' 3 "$rc"
capture entra-invite remove
assert_eq 'remove of nobody: exit code' 2 "$rc"
capture entra-invite remove sasha --disable --delete
assert_eq 'remove --disable --delete: exit code' 2 "$rc"
capture entra-invite remove --confirm
assert_eq 'remove --confirm of nothing: exit code' 1 "$rc"
assert_match 'remove --confirm of nothing: it says so' 'no removal is held back' "$out"
assert_eq 'and nobody was removed' pending "$(show sasha .state)"

finish

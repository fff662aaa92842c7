#!/bin/bash
# Accounts that change under an invitation: a new name, a new address, another group, gone; who asked.
. "$(dirname "$0")/lib.sh"
set_up
add() { # LOGIN
    useradd -m -s /bin/bash -G partners -c "${1^} Example <$1@fabrikam.com>" "$1" >"$work/useradd" 2>&1
    assert_within 30 "$1 is pending" state_is "$1" pending
}

# ---- who asked -------------------------------------------------------------------------------------------------------

useradd -m -s /bin/bash alex >"$work/useradd" 2>&1
echo 'alex ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alex
capture runuser -u alex -- sudo useradd -m -G partners -c 'Kim Example <kim@fabrikam.com>' kim
assert_eq 'sudo useradd succeeds' 0 "$rc"
assert_within 30 'kim is pending' state_is kim pending
assert_match 'who used sudo is who asked' '^alex( |$)' "$(show kim .requestedBy)"
capture runuser -u alex -- sudo SUDO_USER=root useradd -m -G partners -c 'Lee Example <lee@fabrikam.com>' lee
assert_within 30 'lee is pending' state_is lee pending
assert_match 'a forged SUDO_USER counts for nothing (host-facts 1)' '^alex( |$)' "$(show lee .requestedBy)"

# ---- a new name ------------------------------------------------------------------------------------------------------

add taylor
redeem taylor@fabrikam.com
assert_within 20 'taylor is accepted' state_is taylor accepted
capture usermod -l tmorgan taylor
assert_eq 'usermod -l succeeds' 0 "$rc"
assert_within 30 'a new name is the same guest' state_is tmorgan accepted
assert_eq 'and no second invitation' 1 "$(ledger taylor@fabrikam.com .posts.length)"
assert_let_in 'the renamed account' tmorgan

# Two accounts of one person: linked, invited once.
useradd -m -s /bin/bash -G partners -c 'Taylor Example <Taylor@Fabrikam.com>' taylor2 >"$work/useradd" 2>&1
assert_within 30 'a second account of an accepted guest is accepted' state_is taylor2 accepted
assert_eq 'one address in any case is one guest' 1 "$(ledger taylor@fabrikam.com .guests.length)"
assert_let_in 'the second account' taylor2

# ---- a new address ---------------------------------------------------------------------------------------------------

capture usermod -c 'Taylor Example <taylor.morgan@fabrikam.com>' tmorgan
assert_eq 'usermod -c succeeds' 0 "$rc"
assert_refused 'another address shuts the gate' tmorgan .
assert_one_invitation 'another address' taylor.morgan@fabrikam.com
assert_within 30 'the new address is pending' state_is tmorgan pending
assert_let_in 'the account that kept the old address' taylor2
assert_true 'the old guest stays' guests_in_directory taylor@fabrikam.com 1

# ---- removed by the administrator ------------------------------------------------------------------------------------

add sasha
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All","User.ReadWrite.All"]' >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite remove sasha --delete
assert_eq 'remove --delete succeeds' 0 "$rc"
assert_within 30 'sasha is removed' state_is sasha removed
assert_within 30 'and the guest deleted' guests_in_directory sasha@fabrikam.com 0
assert_eq 'status of a removed account is exit code 3' 3 "$(status_of sasha)"
assert_refused 'a removed account' sasha .
touch /etc/passwd
capture entra-invite refresh --wait
assert_eq 'a tombstone is not invited anew' removed "$(show sasha .state)"
assert_eq 'and not POSTed' 1 "$(ledger sasha@fabrikam.com .posts.length)"

# ---- out of the group (proof: two readings a minute apart; design, Gone needs proof) ---------------------------------

add robin
capture gpasswd -d robin partners
capture gpasswd -d taylor2 partners
capture userdel -r kim
assert_eq 'right after leaving, robin is what it was' pending "$(show robin .state)"
assert_refused 'robin, right after leaving' robin .
assert_within 30 'so many at once are held back' log_has 'removals are held back'
capture entra-invite remove --confirm
assert_eq 'remove --confirm succeeds' 0 "$rc"
assert_within 120 'left before accepting: removed' state_is robin removed
assert_refused 'left before accepting' robin .
assert_within 30 'left after accepting: not covered' status_is taylor2 3
assert_let_in 'left after accepting' taylor2
assert_within 30 'a deleted account is forgotten' status_is kim 3
assert_true 'its guest stays: the rule says keep' guests_in_directory kim@fabrikam.com 1

finish

#!/bin/bash
# Accounts that were there before the rule: held until an administrator adopts them, unless the rule says `invite`.
. "$(dirname "$0")/lib.sh"
install_tree
enable_pam
useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_eq 'useradd before entra-invite runs succeeds' 0 $?
useradd -m -s /bin/bash -G partners -c 'Robin Example <robin@fabrikam.com>' robin >"$work/useradd" 2>&1
useradd -m -s /bin/bash -G vendors -c 'Kim Example <kim@contoso.net>' kim >"$work/useradd" 2>&1
start_simulator
simulator user '{"kind":"accepted","address":"robin@fabrikam.com"}' >"$work/user"
write_config "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; existing = \"invite\"; } );"
start_worker

assert_one_invitation 'existing = "invite"' kim@contoso.net
assert_within 20 'taylor is held' state_is taylor held
assert_no_invitation 'who is held is not invited' taylor@fabrikam.com
assert_refused 'a held account' taylor
assert_within 20 'who is a guest already is linked' state_is robin accepted
assert_no_invitation 'and not invited' robin@fabrikam.com
assert_let_in 'a guest already' robin

stop_worker
assert_eq 'the worker ends cleanly' 0 "$worker_rc"
start_worker
assert_within 20 'held stays held over a restart' state_is taylor held
capture entra-invite adopt taylor
assert_eq 'adopt LOGIN succeeds' 0 "$rc"
assert_one_invitation 'adopted' taylor@fabrikam.com

capture entra-invite remove taylor
assert_eq 'remove succeeds' 0 "$rc"
assert_within 20 'removed' state_is taylor removed
assert_refused 'a removed account' taylor
capture entra-invite refresh --wait
stop_worker
start_worker
assert_eq 'the tombstone stays over a restart' removed "$(show taylor .state)"
assert_eq 'nothing arises for it' 1 "$(ledger taylor@fabrikam.com .posts.length)"
capture entra-invite invite taylor
assert_eq 'invite ends the tombstone' 0 "$rc"
assert_within 20 'pending again' state_is taylor pending

finish

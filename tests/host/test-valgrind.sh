#!/bin/bash
# The PAM module under valgrind, in a program that is not ours: no error and no leak, whatever the view says (T4, T5).
. "$(dirname "$0")/lib.sh"
for program in valgrind pamtester; do
    command -v $program >/dev/null || skip_all "this system has no $program"
done
set_up
module=pam_entra_invite.so
cat >/etc/pam.d/ours-alone <<END
auth     required $module
account  required $module
account  required pam_permit.so
session  required $module
session  required pam_permit.so
password required $module
password required pam_permit.so
END

# Exit code 9 is valgrind's; 0 and 1 are pamtester's own, with what libpam answered.
under_valgrind() { # NAME EXIT-CODE LOGIN OPERATION...
    capture valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
        --keep-debuginfo=yes pamtester ours-alone "${@:3}"
    assert_eq "$1: no error, and the answer" "$2" "$rc"
    [ "$rc" = "$2" ] || sed 's/^/#   /' <<<"$out"
}

# That this way finds something at all.
cat >"$work/leak.c" <<'END'
#include <stdlib.h>
int main(void)
{
    return malloc(7) == NULL;
}
END
if gcc -O0 -o "$work/leak" "$work/leak.c" 2>/dev/null; then
    capture valgrind -q --error-exitcode=9 --leak-check=full "$work/leak"
    assert_eq 'a leak is found' 9 "$rc"
fi

useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >/dev/null 2>&1
useradd -M -c 'Robin Example' robin >/dev/null 2>&1
useradd -M -G partners -c 'Kim Example' kim >/dev/null 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
assert_within 20 'kim waits' state_is kim waiting

under_valgrind 'pending' 1 taylor acct_mgmt
under_valgrind 'waiting' 1 kim acct_mgmt
under_valgrind 'not covered' 0 robin acct_mgmt
under_valgrind 'root' 0 root acct_mgmt
under_valgrind 'nobody of that name' 1 nobody-of-that-name acct_mgmt
under_valgrind 'a session' 0 taylor open_session close_session
under_valgrind 'a password of a covered account' 0 kim chauthtok
redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
under_valgrind 'accepted' 0 taylor acct_mgmt
stop_worker
under_valgrind 'a password, and no worker' 0 kim chauthtok
cp "$public/status.cdb" "$work/status.cdb"
dd if=/dev/urandom of="$public/status.cdb" bs=64 seek=8 count=1 conv=notrunc 2>/dev/null
under_valgrind 'a damaged header' 1 kim acct_mgmt
cp "$work/status.cdb" "$public/status.cdb"
truncate -s 2100 "$public/status.cdb"
under_valgrind 'a truncated view' 1 kim acct_mgmt
rm "$public/status.cdb"
under_valgrind 'no view' 1 kim acct_mgmt
under_valgrind 'no view, not covered' 0 robin acct_mgmt
rm "$public/groups"
under_valgrind 'neither view nor groups' 0 kim acct_mgmt

finish

#!/bin/bash
# A thousand accounts by newusers: PAM announces each, and where it does not, the reading of the files finds them; both
# ways end the same, and with the limit for masses in force only those that nobody announced are held.
. "$(dirname "$0")/lib.sh"
accounts=1000

install_tree
enable_pam
# What became of a stream that broke is looked up after a minute only; that is not what is looked at here.
start_simulator --http1-only
write_config 'hook_wait = 1;' 'refresh_interval = 3600;'
start_worker
started=$(date +%s)
gid=$(getent group partners | cut -d: -f3)
# What a password costs is not what is looked at here.
sed -i 's/\(pam_unix.so.*\)yescrypt/\1md5/' /etc/pam.d/common-password 2>/dev/null
by_newusers() { # PREFIX FIRST-UID; sets took
    awk -v prefix="$1" -v uid="$2" -v gid="$gid" -v count=$accounts 'BEGIN { for (i = 0; i < count; i++)
        printf "%s%d:Pass-word-1:%d:%d:Many Example <%s%d@fabrikam.com>:/:/bin/sh\n", prefix, i, uid + i, gid, prefix, i }' \
        >"$work/$1"
    local before=$SECONDS
    timeout 120 newusers "$work/$1" >"$work/newusers" 2>&1 </dev/null
    rc=$?
    took=$((SECONDS - before))
}
settled() { # PREFIX STATE
    [ "$(entra-invite list --state "$2" --json | grep -c "\"login\":.*\"$1")" = "$accounts" ]
}
invited_once() { # PREFIX; how many have one guest by one POST
    simulator ledger | json ".addresses && Object.entries(value.addresses).filter(([address, one]) =>
        address.startsWith('$1') && one.guests.length === 1 && one.posts.filter((post) => post.effect).length === 1).length"
}

# Accounts of the second in which a rule is first seen count as those that were there before it.
later_than() { # SECOND
    [ "$(date +%s)" -gt "$1" ]
}
wait_until 5 later_than $((started + 1))
by_newusers pam 20000
assert_eq "by PAM: newusers succeeds ($took s)" 0 "$rc"
if [ -e /etc/pam.d/newusers ]; then
    assert_eq 'by PAM: each is announced' $accounts "$(grep -c 'pam[0-9]* .*invit' "$work/newusers")"
    assert_within 60 'by PAM: all are invited, none is held' settled pam pending
    assert_eq 'by PAM: each once' $accounts "$(invited_once pam)"
else
    skip 'by PAM' 'newusers does not ask PAM on this system'
fi

# The same without PAM: the files tell. So many that nobody announced wait for a word.
DEBIAN_FRONTEND=noninteractive pam-auth-update --remove entra-invite >"$work/pam" 2>&1
by_newusers file 30000
assert_eq "by the files: newusers succeeds ($took s)" 0 "$rc"
assert_no_match 'by the files: nothing is announced' invit "$(cat "$work/newusers")"
assert_within 60 'by the files: all are found, and held' settled file held
assert_eq 'by the files: nobody is invited yet' 0 "$(invited_once file)"
capture entra-invite adopt --rule partners
assert_eq 'by the files: adopt' 0 "$rc"
assert_within 60 'by the files: all are invited' settled file pending
assert_eq 'by the files: each once' $accounts "$(invited_once file)"
assert_eq 'nobody was invited twice meanwhile' $accounts "$(invited_once pam)"
same() { # PREFIX
    show "${1}7" ".rule + ' ' + value.mail + ' ' + value.invitation.invitedUserType + ' ' + value.invitation.invitedUserDisplayName"
}
assert_eq 'by PAM: the invitation' 'partners none Guest Many Example' "$(same pam)"
assert_eq 'by the files: the same' 'partners none Guest Many Example' "$(same file)"

finish

#!/bin/bash
# Five thousand accounts, and a group that a slow directory serves (design, idea 1: a slow NSS source must not stop the
# loop).
. "$(dirname "$0")/lib.sh"
accounts=5000

install_tree
enable_pam
start_simulator
write_config 'max_new = 0;' 'hook_wait = 5;' 'rules = ( { name = "partners"; group = "partners"; existing = "invite"; },
    { name = "directory"; group = "directory"; existing = "invite"; } );'
simulator seed "{\"count\":$accounts,\"kind\":\"accepted\",\"domain\":\"fabrikam.com\"}" >/dev/null
gid=$(getent group partners | cut -d: -f3)
seq 0 $((accounts - 1)) | sed "s|.*|many&:x:&:$gid:Many Example <user&@fabrikam.com>:/:/bin/sh|" |
    awk -F: -v OFS=: '{ $3 += 10000; print }' >>/etc/passwd
pwconv

# ---- thousands -------------------------------------------------------------------------------------------------------

start_worker
assert_within 120 'thousands are linked' listed accepted "$accounts"
assert_let_in 'the first of them' many0
assert_let_in 'the last of them' many$((accounts - 1))
useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_match 'one more among thousands: useradd says that it is invited' 'taylor.*is invited' "$(cat "$work/useradd")"

# More than a tenth at once is not believed, however often it is read.
cp /etc/passwd "$work/passwd"
grep -v '^many[0-9]*[13579]:' "$work/passwd" >/etc/passwd.new && chmod 644 /etc/passwd.new && mv /etc/passwd.new /etc/passwd
assert_within 30 'half of them gone at once: held back' log_has 'removals are held back'
capture entra-invite status
assert_match 'half of them gone at once: status says so, and the mend' 'remove --confirm' "$out"
assert_true 'half of them gone at once: nobody is removed' listed accepted "$accounts"
cp "$work/passwd" /etc/passwd
assert_within 30 'they are back: nothing is held back any more' eval '! entra-invite status | grep -q "remove --confirm"'
assert_true 'they are back: nothing has changed' listed accepted "$accounts"

# ---- a slow directory ------------------------------------------------------------------------------------------------

cat >"$work/slow.c" <<'END'
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <string.h>
#include <unistd.h>

enum nss_status _nss_eislow_getgrnam_r(const char *name, struct group *gr, char *buffer, size_t size, int *error)
{
    if (strcmp(name, "directory") != 0)
        return NSS_STATUS_NOTFOUND;
    sleep(20);
    if (size < 256)
        return *error = ERANGE, NSS_STATUS_TRYAGAIN;
    char **members = (char **)buffer;
    char *text = buffer + 4 * sizeof *members;
    strcpy(text, "directory");
    strcpy(text + 16, "robin");
    members[0] = text + 16;
    members[1] = NULL;
    *gr = (struct group){.gr_name = text, .gr_passwd = text + 22, .gr_gid = 77777, .gr_mem = members};
    return NSS_STATUS_SUCCESS;
}
END
libdir=$(dirname "$(ldconfig -p | sed -n 's/.*libc\.so\.6.* => //p' | head -n 1)")
stop_worker
gcc -shared -fPIC -Wl,-soname,libnss_eislow.so.2 -o "$libdir/libnss_eislow.so.2" "$work/slow.c" ||
    fail 'the slow source is built'
cp /etc/nsswitch.conf "$work/nsswitch.conf"
sed -i 's/^group:.*/group: files eislow/' /etc/nsswitch.conf
useradd -M -c 'Robin Example <robin@fabrikam.com>' robin >/dev/null 2>&1
: >"$worker_log"
start_worker
capture_timed entra-invite list --state pending
assert_true "while the directory is slow, list answers ($took s)" test "$took" -le 5
capture_timed useradd -M -G partners -c 'Kim Example <kim@fabrikam.com>' kim
assert_eq 'while the directory is slow, useradd succeeds' 0 "$rc"
assert_match 'while the directory is slow, useradd says that kim is invited' 'kim.*is invited' "$out"
simulator redeem kim@fabrikam.com >/dev/null
assert_within 15 'while the directory is slow, redemptions are seen' state_is kim accepted
assert_within 90 'the member that the slow directory names is invited' state_is robin pending
kill -TERM "$worker_pid"
assert_true 'it stops in the middle of a slow reading' wait_until 15 eval '! kill -0 "$worker_pid"'
cp "$work/nsswitch.conf" /etc/nsswitch.conf

finish

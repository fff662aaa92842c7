#!/bin/bash
# entra-invite-flush: what nscd has kept of a login's groups is gone once an invitation has another state, at the cost of
# one flush for a burst; nothing happens without a change, and nothing is followed or waited for that should not be.
. "$(dirname "$0")/lib.sh"
set_up
sed -i -E 's/^(group:.*)$/\1 entra_invite/' /etc/nsswitch.conf
flush=/usr/libexec/entra-invite/entra-invite-flush
changed=$public/changed
if ! command -v nscd >/dev/null; then
    skip_all 'this system has no nscd'
fi

shows() { # LOGIN GROUP: and no other of ours
    [ "$(id -nG "$1" | tr ' ' '\n' | grep '^entra-invite' | xargs)" = "$2" ]
}
useradd -m -s /bin/bash -c 'Robin Example' robin >"$work/useradd" 2>&1
useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending

# ---- no cache runs ---------------------------------------------------------------------------------------------------

assert_true 'the worker has left word of the change' test -e "$changed"
capture "$flush"
assert_eq 'no cache runs: nothing is said, nothing fails' '0:' "$rc:$out"
assert_false 'and the word is taken' test -e "$changed"
capture entra-invite refresh --wait
capture entra-invite refresh --wait
assert_within 10 'a refresh is published' eval '[ "$(show taylor .checkedAt)" != null ]'
assert_false 'a refresh that changes nothing leaves no word' test -e "$changed"
capture_timed "$flush"
assert_eq 'without a word it does nothing' '0:' "$rc:$out"
assert_true "and at once (took $took s)" test "$took" -le 2

# ---- nscd ------------------------------------------------------------------------------------------------------------

# What it is asked is written down.
mv /usr/sbin/nscd /usr/sbin/nscd.real
printf '%s\n' '#!/bin/sh' "env >$work/environment" "echo \"\$*\" >>$work/asked" 'exec /usr/sbin/nscd.real "$@"' >/usr/sbin/nscd
chmod 755 /usr/sbin/nscd
mkdir -p /run/nscd
nscd.real
assert_within 10 'nscd runs' test -S /run/nscd/socket
assert_true 'nscd is asked' shows taylor entra-invite-pending
redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
assert_within 5 'the view says so' own_status_is taylor 0
assert_true 'nscd has kept the group of before' shows taylor entra-invite-pending
assert_true 'the worker has left word again' test -e "$changed"
capture env SECRET=1 LD_LIBRARY_PATH=/tmp "$flush" &
flushing=$!
for _ in 1 2 3 4 5 6; do
    sleep 0.2
    : >>"$changed"
done
wait "$flushing"
assert_true 'id shows the state' shows taylor entra-invite-accepted
assert_eq 'a burst of changes: one flush' '-i group' "$(cat "$work/asked")"
assert_no_match 'nothing of the caller reaches it' 'SECRET|LD_LIBRARY_PATH' "$(cat "$work/environment")"
assert_false 'the word is taken' test -e "$changed"

# A change that comes while the caches are told is told the next time.
printf '%s\n' '#!/bin/sh' ": >>$changed" 'exec /usr/sbin/nscd.real "$@"' >/usr/sbin/nscd
: >"$changed"
capture "$flush"
assert_eq 'a change in the middle: the flush succeeds' 0 "$rc"
assert_true 'and the word of it stays' test -e "$changed"

# ---- what goes wrong -------------------------------------------------------------------------------------------------

printf '%s\n' '#!/bin/sh' 'echo no space >&2' 'exit 3' >/usr/sbin/nscd
capture "$flush"
assert_eq 'a cache that refuses: exit code' 1 "$rc"
assert_match 'and it is said which, and why' '/usr/sbin/nscd: exit code 3' "$out"
: >"$changed"
printf '%s\n' '#!/bin/sh' 'exec sleep 100' >/usr/sbin/nscd
capture_timed "$flush"
assert_eq 'a cache that hangs: exit code' 1 "$rc"
assert_match 'and it is said' '/usr/sbin/nscd: was ended by signal 14' "$out"
assert_true 'and it is not waited for' test "$took" -le 20
: >"$changed"
rm /usr/sbin/nscd
capture "$flush"
assert_match 'a program that is not there: it is said' '^1 .*/usr/sbin/nscd: No such file' "$rc $(head -n 1 <<<"$out")"
mv /usr/sbin/nscd.real /usr/sbin/nscd
nscd --shutdown

: >"$changed"
capture runuser -u robin -- "$flush"
assert_match 'for root only' '^1 .*root' "$rc $out"
capture "$flush" now
assert_eq 'it takes no arguments' 2 "$rc"

# The service user owns these directories, and might put a link there.
stop_worker
mkdir /srv/other
: >/srv/other/changed
mv "$public" "$work/public"
ln -s /srv/other "$public"
capture "$flush"
assert_eq 'a link instead of the directory: nothing happens' '0:' "$rc:$out"
assert_true 'and what it leads to is left alone' test -e /srv/other/changed
rm "$public"
capture "$flush"
assert_eq 'no directory: nothing happens' '0:' "$rc:$out"
mv "$work/public" "$public"
rm -f "$changed"
ln -s /srv/other/new "$changed"
start_worker
assert_false 'the worker does not write through a link' test -e /srv/other/new
capture "$flush"
assert_eq 'and flush takes the link away' '0:' "$rc:$out$(ls "$changed" 2>/dev/null)"

finish

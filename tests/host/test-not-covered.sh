#!/bin/bash
# Whatever is broken, an account that no rule covers is never refused, and root never is (design, Promises). Covered
# accounts are shut out only when nothing trustworthy says that they may pass.
. "$(dirname "$0")/lib.sh"
set_up
view=$public/status.cdb

useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
useradd -m -s /bin/bash -G partners -c 'Kim Example <kim@fabrikam.com>' kim >"$work/useradd" 2>&1
useradd -m -s /bin/bash -G vendors -c 'Robin Example <robin@fabrikam.com>' robin >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
assert_within 20 'kim is pending' state_is kim pending

assert_others_pass() { # CASE
    assert_let_in "$1: robin, who is not covered" robin
    assert_let_in "$1: root" root
}

assert_others_pass 'all is well'
assert_let_in 'all is well: taylor' taylor
assert_refused 'all is well: kim' kim

stop_worker
assert_eq 'the worker ends cleanly' 0 "$worker_rc"
assert_others_pass 'worker down'
assert_let_in 'worker down: taylor, as the view says' taylor
assert_refused 'worker down: kim' kim

cp -p "$view" "$work/view"
size=$(stat -c %s "$view")
damage() { # KIND; breaks the view that is in place
    rm -f "$view"
    cp -p "$work/view" "$view"
    case $1 in
    missing) rm "$view" ;;
    empty) : >"$view" ;;
    'cut in half') truncate -s $((size / 2)) "$view" ;;
    'cut by a byte') truncate -s $((size - 1)) "$view" ;;
    'all zero') rm "$view" && truncate -s "$size" "$view" ;;
    random) head -c "$size" /dev/urandom >"$view" ;;
    'with random pointers') head -c 2048 /dev/urandom | dd of="$view" conv=notrunc status=none ;;
    'writable for all') chmod 666 "$view" ;;
    'owned by robin') chown robin "$view" ;;
    'a symbolic link') mv "$view" "$view.real" && ln -s "$view.real" "$view" ;;
    'a FIFO') rm "$view" && mkfifo "$view" ;;
    'a directory') rm "$view" && mkdir "$view" ;;
    esac
}
for kind in missing empty 'cut in half' 'all zero' random 'with random pointers' 'writable for all' 'owned by robin' \
    'a symbolic link' 'a FIFO' 'a directory'; do
    damage "$kind"
    assert_others_pass "view $kind"
    assert_refused "view $kind: taylor, who is covered" taylor .
    [ ! -d "$view" ] || rmdir "$view"
    rm -f "$view.real"
done
damage 'cut by a byte'
assert_others_pass 'view cut by a byte'

# Without the list of covered groups too, nobody can be told to be covered: nobody is shut out.
damage missing
mv "$public/groups" "$work/groups"
assert_others_pass 'view and groups missing'
head -c 4096 /dev/urandom >"$public/groups"
assert_others_pass 'view missing, groups random'
rm -rf "$public"
assert_others_pass 'public directory missing'
mv /var/lib/entra-invite "$work/state"
assert_others_pass 'state directory missing'

# A config that the worker refuses.
mv "$work/state" /var/lib/entra-invite
echo 'colour = "green";' >>"$config"
launch_worker
worker_ends
assert_eq 'a broken config ends the worker' 1 "$((worker_rc != 0 && worker_rc != 124))"
assert_others_pass 'config broken'
capture useradd -m -c 'Alex Example' alex
assert_eq 'config broken: useradd succeeds' 0 "$rc"
assert_let_in 'config broken: alex' alex

# What is left when the package goes, or was only half installed (B4).
rm -f /usr/libexec/entra-invite/entra-invite-hook /usr/sbin/entra-invited
capture userdel -r alex
assert_eq 'programs gone: userdel succeeds' 0 "$rc"
capture useradd -m alex
assert_eq 'programs gone: useradd succeeds' 0 "$rc"
find / -xdev -name pam_entra_invite.so -path '*/security/*' -delete
assert_others_pass 'PAM module gone'
assert_let_in 'PAM module gone: alex' alex

finish

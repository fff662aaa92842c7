#!/bin/bash
# Whole login stacks (S4, T4): sshd, login, su, sudo and cron, each the real program with the files of its system, over
# accounts in each standing; then again with what other profiles put into the same stack, and with a view that is gone.
# The verdict depends on the account alone, never on who asks or who else is in the stack.
. "$(dirname "$0")/lib.sh"
set_up
start_sshd
mkdir -p "$work/said"
chmod 1777 "$work/said"
chmod 755 "$work"

logins='taylor sasha kim robin root' # pending, accepted, waiting for an address, not covered, root
useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
useradd -m -s /bin/bash -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha >"$work/useradd" 2>&1
useradd -m -s /bin/bash -G partners -c 'Kim Example' kim >"$work/useradd" 2>&1
useradd -m -s /bin/bash -c 'Robin Example' robin >"$work/useradd" 2>&1
assert_within 20 'sasha is pending' state_is sasha pending
redeem sasha@fabrikam.com
assert_within 15 'sasha is accepted' state_is sasha accepted
assert_within 20 'taylor is pending' state_is taylor pending
assert_within 20 'kim waits' state_is kim waiting
for login in $logins; do give_key "$login"; done

# ---- a way in for each service: prints the line `in` where LOGIN gets in -------------------------------------------------------

through_sshd() { # LOGIN
    ssh -F none -p "$sshd_port" -i "$work/user_key" -o BatchMode=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 "$1@127.0.0.1" 'echo in'
}
through_su() { # LOGIN
    su -l "$1" -c 'echo in'
}
through_login() { # LOGIN; a terminal of its own, whose shell is told what to say
    script -qefc "setsid --ctty --wait login -f $1" /dev/null <<<'stty -echo; echo; echo in; exit' | tr -d '\r'
}
through_sudo() { # LOGIN; it is the one who asks that sudo's account stack judges
    runuser -u "$1" -- sudo -n /bin/echo in
}
echo 'ALL ALL=(root) NOPASSWD: /bin/echo' >/etc/sudoers.d/everybody
chmod 0440 /etc/sudoers.d/everybody

let_in() { # a letter for each of $logins, by what $work/said has of it: i(n) or o(ut)
    local login verdict=
    for login in $logins; do
        if grep -qsx in "$work/said/$login"; then verdict+=i; else verdict+=o; fi
    done
    echo "$verdict"
}

# All at once: login and su let who is refused wait.
judged() { # SERVICE
    local login pids=()
    rm -f "$work/said/"*
    for login in $logins; do
        "through_$1" "$login" >"$work/said/$login" 2>/dev/null </dev/null &
        pids+=($!)
    done
    wait "${pids[@]}"
    let_in
}

cron=$(command -v cron || command -v crond)
foreground=-f
[ "${cron##*/}" = cron ] || foreground=-n
# Jobs that are due when cron starts, so that no minute has to pass. Those who are to get in are waited for.
judged_by_cron() { # WANTED
    local login pid letter=0
    rm -f "$work/said/"* /run/crond.reboot /var/run/crond.reboot /run/cron.reboot
    for login in $logins; do
        echo "@reboot echo in > $work/said/$login" | crontab -u "$login" - || return
    done
    "$cron" "$foreground" >>"$work/cron.log" 2>&1 </dev/null &
    pid=$!
    for login in $logins; do
        [ "${1:letter++:1}" = o ] || wait_until 20 test -s "$work/said/$login"
    done
    wait_until 5 no_jobs "$pid"
    kill "$pid"
    wait "$pid" 2>/dev/null
    let_in
}
no_jobs() { # PID of cron
    ! pgrep -P "$1" >/dev/null
}

assert_verdicts() { # CASE WANTED
    local service
    for service in sshd su login sudo; do
        assert_eq "$1: $service" "$2" "$(judged $service)"
    done
    assert_eq "$1: cron" "$2" "$(judged_by_cron "$2")"
}

by_standing=oioii
assert_verdicts 'S4: as installed' $by_standing

# ---- others in the same stack ----------------------------------------------------------------------------------------

if [ -e /etc/pam.d/common-account ]; then stacks=(/etc/pam.d/common-account); else stacks=(/etc/pam.d/system-auth /etc/pam.d/password-auth); fi
for stack in "${stacks[@]}"; do cp -p --dereference "$stack" "$work/${stack##*/}"; done
behind_gate() { # LINE: what another profile has there
    local stack
    for stack in "${stacks[@]}"; do
        cp -p "$work/${stack##*/}" "$stack"
        sed -i --follow-symlinks "/^account.*pam_entra_invite/a $1" "$stack"
    done
}
as_installed() {
    local stack
    for stack in "${stacks[@]}"; do cp -p "$work/${stack##*/}" "$stack"; done
}

while IFS='|' read -r who line; do
    behind_gate "$line"
    assert_verdicts "beside $who" $by_standing
done <<'END_OF_PROFILES'
libpam-sss, which passes local accounts (B5)|account sufficient pam_localuser.so
a provider that ends the stack for its own|account [success=done default=ignore] pam_permit.so
pam_faillock|account required pam_faillock.so
pam_access|account required pam_access.so
END_OF_PROFILES
behind_gate 'account required pam_deny.so'
assert_eq 'who passes the gate is still for the others to judge: su' ooooo "$(judged su)"
as_installed

touch /etc/nologin
assert_eq 'pam_nologin keeps out whom the gate passes: sshd' ooooi "$(judged sshd)"
rm /etc/nologin

# ---- a view that is gone, or no view of ours -------------------------------------------------------------------------

stop_worker
assert_verdicts 'L2: without a worker' $by_standing
mv "$public/status.cdb" "$work/status.cdb"
assert_verdicts 'S24: without the view, covered accounts stay out and no others' oooii
head -c 2100 /dev/urandom >"$public/status.cdb"
chown entra-invite: "$public/status.cdb"
assert_eq 'S24: with a view of garbage: sshd' oooii "$(judged sshd)"
mv -f "$work/status.cdb" "$public/status.cdb"
assert_eq 'and with the view again: sshd' $by_standing "$(judged sshd)"

finish

#!/bin/bash
# (b) useradd with the hook against useradd without it, when it is not to wait (hook_wait = 0).
. "$(dirname "$0")/lib.sh"
pairs=31
hook=/etc/shadow-maint/useradd-post.d/entra-invite
number=0

hook_on() { [ -e "$hook" ] || mv "$work/hook" "$hook"; }
hook_off() { [ ! -e "$hook" ] || mv "$hook" "$work/hook"; }

# Adds the next account of GROUP; sets took, in microseconds.
add() { # GROUP
    local before
    number=$((number + 1))
    login=user$number
    before=$(now_us)
    useradd -m -G "$1" -c "User $number <$login@fabrikam.com>" "$login" >"$work/useradd" 2>&1 ||
        fail "useradd $login failed" "$(cat "$work/useradd")"
    took=$(($(now_us) - before))
}

# The worker is to be idle again before the next account comes.
settle() { # GROUP
    case $1 in
    partners) wait_until 20 state_is "$login" pending || fail "$login is not invited" ;;
    *) sleep 0.3 ;;
    esac
    sleep 0.05
}

# Leaves the pairs in $work/pairs: not in a pipe, which would forget how many accounts there are.
compare() { # GROUP SETTLE-COMMAND...
    local pair without
    for ((pair = 0; pair <= pairs; pair++)); do
        hook_off && add "$1" && "${@:2}" && without=$took
        hook_on && add "$1" && "${@:2}"
        # The first pair only warms the caches.
        [ "$pair" = 0 ] || echo "$without $took"
    done >"$work/pairs"
}

set_up 'hook_wait = 0;' 'max_new = 0;'
compare partners settle partners
result b 'useradd with the hook, covered account' 'useradd without' us 1.1 <"$work/pairs"
compare users settle users
result b 'useradd with the hook, other account' 'useradd without' us 1.1 <"$work/pairs"
stop_worker
compare partners :
result b 'useradd with the hook, no worker' 'useradd without' us 1.1 <"$work/pairs"

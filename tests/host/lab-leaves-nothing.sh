#!/bin/bash
# Tests ./lab itself, from outside: what ran in a lab leaves no mount, process or file, however the lab ended, and the
# lab gives its command what host tests need. Prints cases as lib.sh does.

set -uo pipefail

lab=$(cd "$(dirname "$0")" && pwd)/lab
repo=$(dirname "$(dirname "$(dirname "$lab")")")
labs=$(readlink -m "${LAB_DIR:-$repo/build/lab}")
# An argument that no other process has.
marker=$((100000000 + $$))

check() { # NAME COMMAND...
    if "${@:2}"; then echo "ok - $1"; else echo "not ok - $1"; fi
}

equal() { # WANTED GOT
    [ "$1" = "$2" ] || { printf '#   wanted: %s\n#   got:    %s\n' "$1" "$2" && false; }
}

# The processes that have the marker as an argument (the pattern does not match itself), and: is it asleep yet?
marked() {
    grep -lazx "[${marker:0:1}]${marker:1}" /proc/[0-9]*/cmdline 2>/dev/null
}

sleeping() {
    local process
    for process in $(marked); do
        [ "$(head -zn 1 "$process" 2>/dev/null | tr -d '\0')" != sleep ] || return 0
    done
    return 1
}

in_lab() { # SHELL-TEXT
    "$lab" run check -- bash -c "$1"
}

host_files() {
    cksum /etc/passwd /etc/shadow /etc/group /etc/hosts /etc/hostname /proc/sys/kernel/hostname
    # Reading / itself would see others' files come and go.
    ls -A / /etc /home
}

leftovers() { # works that are not in use, processes, mounts
    local dir
    for dir in "$labs"/work.*; do
        [ ! -d "$dir" ] || flock -n "$dir" echo "$dir"
    done
    marked
    grep -F " $labs/" /proc/self/mountinfo
}

before=$(host_files)

in_lab "useradd -m zed; echo x >/etc/hostname; touch /zed /var/zed; rm -rf /usr/share/doc
    setsid sleep $marker & (sleep $marker &)" >/dev/null 2>&1
check 'the host files stay as they were' equal "$before" "$(host_files)"
check 'nothing is left after the end' equal '' "$(leftovers)"

in_lab 'exit 42'
check "the command's exit code is the lab's" equal 42 $?
check 'stdin reaches the command' equal hello "$(echo hello | in_lab cat)"

for signal in TERM INT HUP KILL; do
    env --default-signal=INT "$lab" run check -- sleep "$marker" &
    pid=$!
    until sleeping || ! kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    kill "-$signal" "$pid"
    wait "$pid" 2>/dev/null
    # The processes of a lab whose owner was killed outright are on their way out, but nobody waits for them.
    for ((i = 0; i < 100; i++)); do [ -n "$(marked)" ] || break; sleep 0.05; done
    check "no process outlives a lab ended by SIG$signal" equal '' "$(marked)"
done
in_lab true
check 'the next lab clears away what a killed one left' equal '' "$(leftovers)"

check 'a lab has a loopback and no other interface' equal lo "$(in_lab 'ls /sys/class/net')"
check 'loopback carries traffic' in_lab 'exec 3<>/dev/udp/127.0.0.1/9 && grep -q 127.0.0.1 /proc/net/fib_trie'
check 'a lab sees its own processes only' equal 2 "$(in_lab 'set -- /proc/[0-9]*; echo $#')"
check 'a lab is called lab' equal lab "$(in_lab 'cat /proc/sys/kernel/hostname')"
check 'the repository is writable' in_lab "touch '$repo/build/lab-was-here' && rm '$repo/build/lab-was-here'"
check 'no state of an entra-invite on the host' in_lab '[ ! -e /etc/entra-invite ] && [ ! -e /var/lib/entra-invite ]'
check 'users have terminals' in_lab "script -qec true /dev/null"
check 'a normal user can use /tmp, /dev/null and /dev/shm' in_lab \
    "setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'touch /tmp/a /dev/shm/a && : >/dev/null'"
echo '# end'

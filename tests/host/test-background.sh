#!/bin/bash
# Without systemd: `entra-invited` returns when it serves, in the background and as its own user, or says why it can't.
. "$(dirname "$0")/lib.sh"
install_tree
start_simulator
write_config

running() { pgrep -x entra-invited; }

capture entra-invited
assert_eq 'it returns with 0' 0 "$rc"
assert_true 'and serves at once' worker_answers
pid=$(running)
assert_eq 'one process' 1 "$(wc -w <<<"$pid")"
assert_eq 'it is not root any more, in none of its ids' 'entra-invite entra-invite entra-invite entra-invite' \
    "$(sed -n 's/^Uid:\t//p' "/proc/$pid/status" | tr '\t' '\n' | xargs -n1 getent passwd | cut -d: -f1 | xargs)"
assert_eq 'it has no terminal' '?' "$(ps -o tty= -p "$pid" | xargs)"
assert_eq 'and no other input or output' /dev/null "$(for fd in 0 1 2; do readlink "/proc/$pid/fd/$fd"; done | sort -u)"
assert_eq 'no core is dumped (K4)' 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$pid/limits")"

capture entra-invited
assert_eq 'a second one fails' 1 "$rc"
assert_match 'and says that there can be only one' 'only one' "$out"
assert_true 'the first one goes on' worker_answers

kill -TERM "$pid"
assert_within 10 'it stops when it is asked to' eval '! running'

rm "$secret"
capture entra-invited
assert_eq 'a missing secret file is exit code 6' 6 "$rc"
assert_match 'and is named on the terminal' "$secret" "$out"
assert_false 'nothing stays behind' running
finish

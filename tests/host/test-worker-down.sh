#!/bin/bash
# useradd never fails, and never waits longer than hook_wait, because of Graph, the network or the worker; what was asked
# meanwhile is not lost (P12, X2).
. "$(dirname "$0")/lib.sh"
hook_wait=2
set_up "hook_wait = $hook_wait;"
port=$(simulator ready | json .port)

# hook_wait, and what useradd itself takes on a busy machine.
bound=$((hook_wait + 3))
add() { # CASE LOGIN
    capture_timed useradd -m -s /bin/bash -G partners -c "Example <$2@fabrikam.com>" "$2"
    assert_eq "$1: useradd succeeds" 0 "$rc"
    assert_true "$1: useradd waits $bound s at most (took $took)" test "$took" -le "$bound"
}
add_by_newusers() { # CASE LOGIN
    echo "$2:Pass-word-1:::Example <$2@fabrikam.com>:/home/$2:/bin/bash" >"$work/newusers"
    sed -i "/^partners:/s/:\$/:$2/; t; /^partners:/s/\$/,$2/" /etc/group
    capture_timed newusers "$work/newusers"
    assert_eq "$1: newusers succeeds" 0 "$rc"
    assert_true "$1: newusers waits $bound s at most (took $took)" test "$took" -le "$bound"
}

stop_worker
add 'worker down' down1
add_by_newusers 'worker down' down2
assert_refused 'worker down: an account of this moment' down1 .
start_worker
assert_one_invitation 'worker down' down1@fabrikam.com
assert_one_invitation 'worker down, newusers' down2@fabrikam.com

kill_worker
add 'worker killed, its socket left behind' killed1
start_worker
assert_one_invitation 'worker killed' killed1@fabrikam.com

# Stopped, so that its socket still takes connections and nobody answers.
kill -STOP "$worker_pid"
add 'worker hangs' hung1
add_by_newusers 'worker hangs' hung2
kill -CONT "$worker_pid"
assert_one_invitation 'worker hung' hung1@fabrikam.com
assert_one_invitation 'worker hung, newusers' hung2@fabrikam.com

simulator fault '{"match":{"path":"^/v1.0/"},"times":0,"action":{"stuck":true}}' >/dev/null
add 'Graph never answers' stuck1
add_by_newusers 'Graph never answers' stuck2
capture userdel -r stuck2
assert_eq 'Graph never answers: userdel succeeds' 0 "$rc"
simulator faults-clear >/dev/null
capture entra-invite refresh
assert_one_invitation 'Graph never answered' stuck1@fabrikam.com

stop_simulator
# One after the other, to see that waiting does not add up: the worker knows that Graph is away (design, Hooks).
for i in 1 2 3 4 5; do add "Graph down, account $i" "away$i"; done
assert_within 20 'Graph down: away1 is queued' state_is away1 queued
assert_match 'Graph down: show says why' '[a-z]' "$(show away1 '.error.message')"
assert_match 'Graph down: and what to do' '[a-z]' "$(show away1 '.error.mend')"
assert_eq 'Graph down: status is exit code 1' 1 "$(status_of away1)"
capture entra-invite status
assert_eq 'Graph down: status of the worker is exit code 2' 2 "$rc"
assert_match 'Graph down: and says why' 'trouble: .*Couldn.t connect' "$out"
assert_match 'Graph down: and what to do' 'mend: check the network' "$out"
capture entra-invite refresh --wait
assert_eq 'Graph down: refresh --wait does not pretend' 1 "$rc"
assert_match 'Graph down: refresh --wait says why' 'reason: .*Couldn.t connect' "$out"
assert_within 90 'Graph down: once it lasts, the log says so' log_has 'asking Microsoft Graph: .*Couldn.t connect'
assert_refused 'Graph down: a queued account' away1
start_simulator --port "$port"
capture entra-invite refresh
for i in 1 2 3 4 5; do assert_one_invitation "Graph was down, account $i" "away$i@fabrikam.com"; done
assert_true 'Graph was down: the log says that it answers again' log_has 'answers again'
capture entra-invite status
assert_eq 'Graph was down: status of the worker' 0 "$rc"

# Somebody else's socket in the place: a server that takes everything and says nothing, then one that talks rubbish.
stop_worker
fake_server() { # JAVASCRIPT of what to do with a connection
    rm -f "$socket"
    node -e "require('net').createServer((peer) => { peer.on('error', () => {}); $1 }).listen('$socket')" &
    fake=$!
    wait_until 20 test -S "$socket"
}
fake_server ''
add 'a silent server on the socket' silent1
kill "$fake"
fake_server "peer.end('{\"parameters\":[[[[\\0HTTP/1.1 200 OK\\r\\n\\r\\n\\0');"
add 'a babbling server on the socket' babble1
kill "$fake"
fake_server "setInterval(() => peer.write('x'.repeat(65536)), 1);"
add 'an endless answer on the socket' endless1
kill "$fake"
rm -f "$socket"
start_worker
for login in silent1 babble1 endless1; do
    assert_one_invitation "$login, found at the start" "$login@fabrikam.com"
done

finish

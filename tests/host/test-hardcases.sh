#!/bin/bash
# What goes wrong around the worker: Graph away at its first start, inviting refused, requests that are refused, peers
# on the socket that die or talk rubbish, a stop in the middle of a mail, a cloned machine, another tenant.
. "$(dirname "$0")/lib.sh"
hook_wait=4
settings=("hook_wait = $hook_wait;" 'max_new = 2;')
install_tree
enable_pam
openssl rand -hex 16 >/etc/machine-id
start_simulator
write_config "${settings[@]}"
port=$(simulator ready | json .port)

add() { # LOGIN
    capture useradd -M -s /bin/bash -G partners -c "${1^} Example <$1@fabrikam.com>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
pending() { # LOGIN
    add "$1"
    assert_within 30 "$1 is pending" state_is "$1" pending
}
posts() { # LOGIN
    ledger "$1@fabrikam.com" .posts.length
}
mails() { # LOGIN...
    local login
    for login; do ledger "$login@fabrikam.com" .mails.length; done | xargs
}
blocked_is() { # CODE; undefined: not blocked
    [ "$(entra-invite status --json | json '.blocked?.code')" = "$1" ]
}
tries() { # LOGIN; invitations tried, the refused ones included
    simulator requests "{\"method\":\"POST\",\"address\":\"$1@fabrikam.com\"}" | json .length
}
more_tries() { # LOGIN THAN
    [ "$(tries "$1")" -gt "$2" ]
}

# ---- Graph cannot be reached when the worker starts for the first time -----------------------------------------------

stop_simulator
start_worker
for login in una udo; do
    capture_timed useradd -M -s /bin/bash -G partners -c "${login^} Example <$login@fabrikam.com>" "$login"
    assert_eq "Graph away at the first start: useradd $login succeeds" 0 "$rc"
    assert_true "Graph away at the first start: useradd $login does not wait (took $took)" test "$took" -lt "$hook_wait"
done
assert_within 20 'Graph away at the first start: queued, and why' eval \
    '[ "$(show una ".state + value.error?.code")" = queuedunreachable ]'
capture entra-invite status una
assert_eq 'Graph away at the first start: status: exit code' 1 "$rc"
assert_match 'Graph away at the first start: status says why' 'unreachable|onnect' "$out"
assert_match 'Graph away at the first start: status has the mend' 'mend: .*network' "$out"
capture entra-invite status
assert_match 'Graph away at the first start: status of the worker says why' 'unreachable|onnect' "$out"
for _ in 1 2 3; do capture entra-invite refresh --wait=5; done
same=$(grep -c 'onnect' "$worker_log")
assert_true "Graph away at the first start: the log says it once, not at each try ($same lines)" test "$same" -le 2
start_simulator --port "$port"
capture entra-invite refresh
assert_one_invitation 'Graph is there' una@fabrikam.com
assert_one_invitation 'Graph is there, the other' udo@fabrikam.com
assert_within 20 'Graph is there: pending, no error' eval \
    '[ "$(show una ".state + value.error?.code")" = pendingundefined ]'
capture entra-invite status
assert_no_match 'Graph is there: status is content' 'unreachable|onnect' "$out"

# ---- a request that is refused changes nothing -----------------------------------------------------------------------

for i in 1 2 3 4; do
    echo "held$i:x:301$i:100:Held <held$i@fabrikam.com>:/nonexistent:/bin/sh" >>/etc/passwd
done
sed -i '/^partners:/{s/$/,held1,held2,held3,held4/; s/:,/:/}' /etc/group
assert_within 20 'a mass is held' listed held 4
capture entra-invite invite held1 --rule nosuch
assert_eq 'invite --rule nosuch: exit code' 3 "$rc"
assert_match 'invite --rule nosuch: it is named' nosuch "$out"
capture entra-invite invite held1 --cc 'not an address'
assert_eq "invite --cc 'not an address': exit code" 1 "$rc"
assert_match "invite --cc 'not an address': it is named" 'not an address' "$out"
capture entra-invite refresh --wait
assert_eq 'who is held stays held' held "$(show held1 .state)"
assert_true 'refused requests lift no hold' listed held 4
assert_no_invitation 'refused requests: nothing is sent' held1@fabrikam.com
capture entra-invite invite held1 --display-name 'Held One'
assert_within 20 'a good request goes on' state_is held1 pending
assert_eq 'with its own settings' 'Held One' "$(ledger held1@fabrikam.com '.posts[0].body.invitedUserDisplayName')"
assert_true 'the others stay held' listed held 3

# ---- the verified domains may not be read: an offer, not a fault (design, Permissions) --------------------------------

simulator set roles '["User.Invite.All","User.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
assert_eq 'domains may not be read: refresh succeeds' 0 "$rc"
capture entra-invite refresh --wait
assert_eq 'domains may not be read: said once, with the permission that helps' 1 \
    "$(grep -c 'verified domains cannot be read.*Organization.Read.All' "$worker_log")"
assert_false 'domains may not be read: nothing else is asked for' log_has 'grant the app'
capture entra-invite status
assert_eq 'domains may not be read: all is well' 0 "$rc"

# ---- inviting is refused: everything else goes on (design, Whose fault) ----------------------------------------------

simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All","User.ReadWrite.All"]' >/dev/null
simulator expire-tokens >/dev/null
pending pam
pending paul
simulator set allowInvitesFrom '"none"' >/dev/null
add nina
assert_within 20 'invitations are off: blocked' blocked_is invitations-off
assert_within 10 'invitations are off: queued, and why' error_is nina invitations-off
capture entra-invite status
assert_eq 'invitations are off: status: exit code' 2 "$rc"
simulator redeem pam@fabrikam.com >"$work/redeem"
assert_within 20 'invitations are off: looks go on by themselves' own_status_is pam 0
assert_let_in 'invitations are off: who redeems meanwhile' pam
capture entra-invite remove paul --disable
assert_within 20 'invitations are off: removals go on' eval \
    '[ "$(ledger paul@fabrikam.com ".users[0].accountEnabled")" = false ]'
assert_within 10 'invitations are off: and are done' error_is paul undefined
assert_true 'invitations are off: still blocked' blocked_is invitations-off
before=$(tries nina)
kill -HUP "$worker_pid"
assert_within 10 'invitations are off: SIGHUP probes at once' more_tries nina "$before"
wait_until 10 blocked_is invitations-off
before=$(tries nina)
capture entra-invite refresh --wait
assert_within 10 'invitations are off: refresh probes at once' more_tries nina "$before"
add nora
simulator set allowInvitesFrom '"everyone"' >/dev/null
kill -HUP "$worker_pid"
assert_within 20 'invitations are on: nina is pending' state_is nina pending
assert_within 20 'invitations are on: nora is pending' state_is nora pending
assert_true 'invitations are on: not blocked' blocked_is undefined
assert_eq 'invitations are on: one guest each' '1 1' \
    "$(ledger nina@fabrikam.com .guests.length) $(ledger nora@fabrikam.com .guests.length)"

simulator fault '{"match":{"path":"^/v1.0/users"},"times":0,"action":{"status":401}}' >/dev/null
assert_within 30 '401 on reads: blocked' blocked_is unauthorized
assert_let_in '401 on reads: who was accepted' pam
simulator faults-clear >/dev/null
# The probe that does this by itself comes every 15 minutes; a refresh brings it forward.
capture entra-invite refresh --wait
assert_within 10 '401 on reads, over: a read that works ends it' blocked_is undefined
add noel
assert_within 20 '401 on reads, over: invitations go out' state_is noel pending

# ---- peers that die, peers that talk rubbish -------------------------------------------------------------------------

ticks() {
    awk '{ print $14 + $15 }' "/proc/$worker_pid/stat"
}
assert_quiet() { # NAME
    local before
    before=$(ticks)
    sleep 3 # the time over which is counted
    local used=$(($(ticks) - before))
    assert_true "$1: the worker rests ($used ticks in 3 s)" test "$used" -lt 20
    assert_true "$1: the worker serves" worker_answers
}
# In a call that the worker has read and not answered: it asks nothing more of the processor.
in_call() { # PID
    grep -q '^State:.S' "/proc/$1/status" && worker_answers && grep -q '^State:.S' "/proc/$1/status"
}
capture useradd -M -G partners -c 'No address yet' wanda
assert_within 20 'wanda waits' state_is wanda waiting
entra-invite invite wanda --wait=60 >/dev/null 2>&1 &
peer=$!
assert_within 10 'invite --wait waits' in_call "$peer"
kill -KILL "$peer"
wait "$peer" 2>/dev/null
assert_quiet 'a killed invite --wait'

stop_worker
write_config "${settings[@]}" 'hook_wait = 20;'
start_worker
capture entra-invite refresh --wait
simulator fault '{"match":{"method":"POST"},"action":{"hold":"hook","when":"before"}}' >/dev/null
useradd -M -G partners -c 'Hilda Example <hilda@fabrikam.com>' hilda >"$work/useradd" 2>&1 &
adding=$!
assert_true 'the hook waits' simulator wait '{"method":"POST","held":true,"count":1}' --timeout 15
assert_within 10 'the hook is there' pgrep -x entra-invite-ho
assert_within 10 'the hook is in its call' in_call "$(pgrep -x entra-invite-ho)"
kill -KILL "$(pgrep -x entra-invite-ho)"
wait "$adding"
assert_quiet 'a killed hook'
simulator release hook >/dev/null
assert_within 20 'a killed hook: the invitation goes on' state_is hilda pending
stop_worker
write_config "${settings[@]}"
start_worker

cat >"$work/rubbish.js" <<'JS'
// Sends each text, waits until the other end closes or half a second passes, and goes away without a word; the halves
// stay open till the end.
const net = require('net');
const call = (method, parameters) => JSON.stringify({ method: 'io.entrainvite.' + method, parameters }) + '\0';
const whole = [
    '', '\0', '\0\0\0\0', '{}\0', '[]\0', 'null\0', '"text"\0', '{"method":5}\0', 'GET / HTTP/1.1\r\n\r\n\0',
    '{"method":"io.entrainvite.Show","parameters":[]}\0', '['.repeat(5000) + '\0', '{"a":'.repeat(5000) + '\0',
    '\xff\xfe\x00\x01\x80', 'x'.repeat(300000), 'x'.repeat(300000) + '\0', call('NoSuch', {}),
    call('Wait', { target: 'wanda', timeout: 'soon' }), call('Wait', { target: 'wanda', timeout: -1 }),
    call('Wait', { target: 'wanda', timeout: 1e300 }), call('Invite', { target: '\u0000' }),
    call('Announce', { login: 'a'.repeat(100000) }), call('Announce', { login: ['root'] }), call('List', { states: 7 }),
    call('Adopt', { logins: [null, {}, 3] }), call('Remove', { target: {} }), call('Resend', {}),
    call('Show', { target: 'wanda' }).repeat(200),
];
const halves = ['{', '{"method":"io.entrainvite.Sh', call('Wait', { target: 'wanda', timeout: 60000 }), ''];
const send = (text) => new Promise((done) => {
    const peer = net.connect(process.argv[2], () => peer.write(Buffer.from(text, 'latin1')));
    peer.on('data', () => {}).on('error', () => {}).on('close', done);
    setTimeout(() => peer.destroy(), 500);
});
(async () => {
    for (const text of halves)
        net.connect(process.argv[2], function () { this.write(text); }).on('error', () => {}).on('data', () => {});
    await Promise.all(whole.map(send));
    console.log('sent');
    process.kill(process.pid, 'SIGKILL');
})();
JS
node "$work/rubbish.js" "$socket" >"$work/rubbish" 2>&1 &
peer=$!
assert_within 5 'while rubbish comes, the worker serves' worker_answers
wait "$peer" 2>/dev/null
assert_eq 'all rubbish was sent' sent "$(cat "$work/rubbish")"
assert_quiet 'rubbish on the socket'
assert_true 'rubbish on the socket: it is the same worker' kill -0 "$worker_pid"
assert_eq 'rubbish on the socket: nothing changed' waiting "$(show wanda .state)"

# ---- a stop in the middle of a mail ----------------------------------------------------------------------------------

stop_worker
mailing=("${settings[@]}" 'invitation: { send_message = true; };')
write_config "${mailing[@]}"
start_worker
simulator fault '{"match":{"method":"POST","mail":true},"action":{"latencyMs":1500}}' >/dev/null
add mia
simulator wait '{"method":"POST","mail":true,"address":"mia@fabrikam.com","count":1}' >/dev/null
stop_worker
assert_eq 'a stop in the middle of a mail: exit code' 0 "$worker_rc"
start_worker
assert_eq 'a stop in the middle of a mail: it ends as sent' 'pending sent undefined' \
    "$(show mia '.state + " " + value.mail + " " + value.error?.code')"
capture entra-invite refresh --wait
assert_eq 'a stop in the middle of a mail: one mail' 1 "$(mails mia)"
assert_eq 'a stop in the middle of a mail: two POSTs' 2 "$(posts mia)"
simulator fault '{"match":{"method":"POST"},"action":{"stuck":true}}' >/dev/null
add max
assert_true 'Graph does not answer' \
    simulator wait '{"method":"POST","address":"max@fabrikam.com","count":1}' --timeout 15
kill -TERM "$worker_pid"
worker_ends
assert_eq 'a stop while Graph does not answer: exit code' 0 "$worker_rc"
simulator faults-clear >/dev/null

# ---- a clone of the machine: mail is held until adopt ----------------------------------------------------------------

start_worker
capture entra-invite refresh --wait
openssl rand -hex 16 >/etc/machine-id
stop_worker
start_worker
assert_true 'a clone: status says that mail is held' eval '[ "$(entra-invite status --json | json .mailHeld)" = true ]'
for login in cara cleo cole chad; do add "$login"; done
for login in cara cleo cole chad; do assert_within 20 "a clone: $login is pending" state_is "$login" pending; done
simulator redeem cleo@fabrikam.com >"$work/redeem"
simulator user '{"find":"cole@fabrikam.com","enabled":false}' >"$work/user"
simulator user '{"find":"chad@fabrikam.com","delete":"soft"}' >"$work/user"
capture entra-invite refresh --wait
assert_eq 'a clone: where they stand' 'pending accepted failed failed' \
    "$(for login in cara cleo cole chad; do show "$login" .state; done | xargs)"
assert_eq 'a clone: no mail before adopt' '0 0 0 0' "$(mails cara cleo cole chad)"
assert_let_in 'a clone: who has accepted, before adopt' cleo
capture entra-invite adopt
assert_eq 'a clone: adopt: exit code' 0 "$rc"
assert_let_in 'a clone: who has accepted, right after adopt' cleo
assert_true 'a clone: the mail of who is pending' \
    simulator wait '{"address":"cara@fabrikam.com","mails":1}' --timeout 20
assert_within 20 'a clone: and is sent' eval '[ "$(show cara ".state + value.mail")" = pendingsent ]'
capture entra-invite refresh --wait
capture entra-invite refresh --wait
assert_eq 'a clone: where they stand after adopt' 'pending accepted failed failed' \
    "$(for login in cara cleo cole chad; do show "$login" .state; done | xargs)"
assert_eq 'a clone: one mail for who is pending, none for the others' '1 0 0 0' "$(mails cara cleo cole chad)"
assert_eq 'a clone: none again for whom the original had mailed' 1 "$(mails mia)"
assert_true 'a clone: who has accepted is known to the gate' own_status_is cleo 0
assert_let_in 'a clone: who has accepted, after adopt' cleo
add cora
assert_true 'a clone: after adopt mail goes out as ever' \
    simulator wait '{"address":"cora@fabrikam.com","mails":1}' --timeout 20

# ---- another tenant's database ---------------------------------------------------------------------------------------

stop_worker
write_config "${mailing[@]}" 'tenant = "22222222-3333-4444-5555-666666666666";'
simulator reset ledger >/dev/null
start_worker
assert_within 20 'another tenant: blocked' blocked_is tenant-changed
capture entra-invite status
assert_match 'another tenant: both are named' '11111111-2222.*22222222-3333' "$out"
assert_match 'another tenant: there is a mend' 'mend: .*(tenant|database)' "$out"
assert_within 10 'another tenant: the view stays' own_status_is cleo 0
assert_let_in 'another tenant: who was accepted' cleo
capture entra-invite refresh --wait=5
kill -HUP "$worker_pid"
add tom
assert_within 10 'another tenant: what is new is queued' state_is tom queued
assert_eq 'another tenant: nothing is asked of its Graph' 0 "$(simulator requests '{"path":"^/v1.0/"}' | json .length)"
assert_let_in 'another tenant: who was accepted, after a refresh' cleo
stop_worker
stop_simulator
start_simulator --port "$port" --tenant-id 22222222-3333-4444-5555-666666666666
write_config "${mailing[@]}"
start_worker
assert_within 20 'the same name, another tenant: blocked' blocked_is tenant-changed
capture entra-invite refresh --wait=5
assert_eq 'the same name, another tenant: nothing is asked of its Graph' 0 \
    "$(simulator requests '{"path":"^/v1.0/"}' | json .length)"
assert_true 'the same name, another tenant: the view stays' own_status_is cleo 0
assert_let_in 'the same name, another tenant: who was accepted' cleo

# An id is the same in either case.
stop_worker
stop_simulator
rm -f "$database"*
start_simulator --port "$port" --tenant-id abcdefab-3333-4444-5555-666666666666
write_config "${settings[@]}"
start_worker
pending tina
stop_worker
write_config "${settings[@]}" 'tenant = "ABCDEFAB-3333-4444-5555-666666666666";'
start_worker
pending tilda

finish

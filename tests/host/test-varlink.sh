#!/bin/bash
# The socket as other programs use it: plain varlink, and systemd's varlinkctl where this system has it.
. "$(dirname "$0")/lib.sh"
set_up

varlink() { # METHOD PARAMETERS [more]
    capture node "$here/varlink-call.js" "$socket" "$@"
}
replies() { # JAVASCRIPT on the list of replies
    sed 's/.*/&,/; 1s/^/[/; $s/,$/]/' <<<"$1" | json "$2"
}

varlink org.varlink.service.GetInfo '{}'
assert_eq 'GetInfo: who it is' '0 entra-invited' "$rc $(json .parameters.product <<<"$out")"
assert_match 'GetInfo: what it speaks' 'io\.entrainvite' "$(json .parameters.interfaces <<<"$out")"
varlink org.varlink.service.GetInterfaceDescription '{"interface":"io.entrainvite"}'
assert_eq 'GetInterfaceDescription: the file in the tree' "$(cat "$repo/common/ipc/io.entrainvite.varlink")" \
    "$(json .parameters.description <<<"$out")"
varlink io.entrainvite.Show '{"target":"nobody"}'
assert_eq 'an error of the interface' '1 io.entrainvite.Failed not-found' "$rc $(json .error <<<"$out") $(json .parameters.code <<<"$out")"

# ---- a wait that tells what happens on the way -----------------------------------------------------------------------

simulator fault '{"match":{"path":"^/v1.0/invitations"},"action":{"hold":"invitation","when":"before"}}' >/dev/null
useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
node "$here/varlink-call.js" "$socket" io.entrainvite.Wait '{"target":"taylor","timeout":30000}' more >"$work/stream" 2>&1 &
stream=$!
assert_within 10 'Wait with more: the state at the beginning comes at once' grep -q '"state":"queued".*"continues":true' "$work/stream"
assert_true 'Wait with more: no end yet' kill -0 $stream
simulator release invitation >/dev/null
wait $stream
assert_eq 'Wait with more: it ends' 0 $?
said=$(cat "$work/stream")
assert_eq 'Wait with more: queued at first, pending at the end' 'queued pending' \
    "$(replies "$said" '[0].parameters.account.state') $(replies "$said" '.pop().parameters.account.state')"
assert_eq 'Wait with more: only the last is the last' true \
    "$(replies "$said" '.every((one, i, all) => (one.continues === true) === (i < all.length - 1))')"
varlink io.entrainvite.Wait '{"target":"taylor","timeout":30000}'
assert_eq 'Wait without more: one reply' '0 1' "$rc $(wc -l <<<"$out")"

# The state changes under way: the address goes wrong, then right.
useradd -M -G partners -c 'Kim Example' kim >/dev/null 2>&1
node "$here/varlink-call.js" "$socket" io.entrainvite.Wait '{"target":"kim","timeout":30000}' more >"$work/stream" 2>&1 &
stream=$!
assert_within 10 'Wait with more: waiting for an address' grep -q '"state":"waiting"' "$work/stream"
usermod -c 'Kim Example <kim@fabrikam.com>' kim
wait $stream
assert_eq 'Wait with more: what came of it' pending "$(replies "$(cat "$work/stream")" '.pop().parameters.account.state')"

# ---- varlinkctl ------------------------------------------------------------------------------------------------------

if ! command -v varlinkctl >/dev/null; then
    skip 'varlinkctl' 'this system has no varlinkctl'
    finish
fi
capture varlinkctl info "$socket"
assert_match 'varlinkctl info' 'entra-invited' "$out"
capture varlinkctl list-interfaces "$socket"
assert_match 'varlinkctl list-interfaces' 'io\.entrainvite' "$out"
capture varlinkctl introspect "$socket" io.entrainvite
assert_match 'varlinkctl introspect: its parser takes the interface' 'method Announce' "$out"
capture varlinkctl call "$socket" io.entrainvite.Show '{"target":"taylor"}'
assert_eq 'varlinkctl call: exit code' 0 "$rc"
assert_match 'varlinkctl call: the account' '"state" *: *"pending"' "$out"
capture varlinkctl call --more "$socket" io.entrainvite.Wait '{"target":"taylor","timeout":1000}'
assert_match 'varlinkctl call --more' '"state" *: *"pending"' "$out"
capture varlinkctl validate-idl "$repo/common/ipc/io.entrainvite.varlink"
assert_eq 'varlinkctl validate-idl' 0 "$rc"

finish

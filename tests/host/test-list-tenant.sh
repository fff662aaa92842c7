#!/bin/bash
# list --tenant: the guests of the tenant that this host did not invite, page by page, however many there are.
. "$(dirname "$0")/lib.sh"
set_up 'refresh_interval = 3600;'

listing() { # OPTION...; sets out (stdout only), err and rc
    rc=0
    out=$(timeout 300 entra-invite list --tenant "$@" 2>"$work/err" </dev/null) || rc=$?
    err=$(cat "$work/err")
}
users_pages() { # requests for a page of the list
    simulator requests '{"path":"^/v1.0/users$","query":"userType eq|externalUserState eq|skiptoken"}' | json .length
}

# ---- who is listed ---------------------------------------------------------------------------------------------------

listing --json
assert_eq 'nobody: an empty array' '0 []' "$rc $out"
useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >/dev/null 2>&1
assert_within 20 'taylor is invited' state_is taylor pending
simulator user '{"kind":"pending","address":"robin@proseware.example","set":{"displayName":"Robin, \"R\" Müller"}}' >/dev/null
simulator user '{"kind":"accepted","address":"kim@proseware.example"}' >/dev/null
simulator user '{"kind":"self-service","address":"alex@proseware.example"}' >/dev/null
simulator user '{"kind":"member","address":"sasha@contoso.example"}' >/dev/null
simulator user '{"kind":"external-member","address":"member@proseware.example"}' >/dev/null
simulator user '{"kind":"pending","address":"gone@proseware.example","deleted":true}' >/dev/null
listing --json
assert_eq 'guests of the tenant without taylor, whom this host invited' \
    'alex@proseware.example kim@proseware.example robin@proseware.example' \
    "$(json '.map((user) => user.mail).sort().join(" ")' <<<"$out")"
assert_eq 'JSON: what Graph says of one, by its names' \
    '["id","displayName","mail","userPrincipalName","userType","creationType","externalUserState","externalUserStateChangeDateTime","accountEnabled"]' \
    "$(json '.map((user) => Object.keys(user))[0]' <<<"$out")"
for state in pending:robin accepted:kim none:alex; do
    listing --json --state "${state%:*}"
    assert_eq "--state ${state%:*}" "${state#*:}@proseware.example" "$(json '.map((user) => user.mail).join(" ")' <<<"$out")"
done
listing --state held
assert_eq 'a state that no directory has: exit code' 2 "$rc"
assert_match 'a state that no directory has: what there is' 'pending, accepted or none' "$err"
listing --state pending --state none
assert_eq 'two states: exit code' 2 "$rc"
listing --csv --state pending
assert_match 'CSV: a heading, and quotes' '^id,displayName,mail,userPrincipalName' "$out"
assert_match 'CSV: quoted as in RFC 4180' ',"Robin, ""R"" Müller",robin@proseware.example,' "$out"
listing --state pending
assert_match 'a table: its heading' '^EMAIL +EXTERNAL STATE +SINCE +NAME$' "$out"
assert_match 'a table: a row' '^robin@proseware\.example +PendingAcceptance +20[0-9T:-]+Z +Robin, "R" Müller$' "$out"
assert_eq 'a filter that a tenant refuses: asked without' 'true 1' "$(
    simulator set externalUserStateFilter '"refused"' >/dev/null
    listing --json --state pending
    json '.length === 1 && value[0].mail === "robin@proseware.example"' <<<"$out"
    ) $(simulator requests '{"path":"^/v1.0/users$","query":"userType eq .Guest.*top=999|top=999.*userType eq"}' | json '.length > 0 ? 1 : 0')"
simulator set externalUserStateFilter '"advanced"' >/dev/null
capture runuser -u nobody -- entra-invite list --tenant
assert_eq 'not root: exit code' 4 "$rc"
assert_match 'not root: the mend' 'run it as root' "$out"
capture node "$here/varlink-call.js" "$socket" io.entrainvite.ListTenant '{}'
assert_match 'without more: the error of varlink itself' 'org.varlink.service.ExpectedMore' "$out"

# ---- a token without the permission ----------------------------------------------------------------------------------

simulator set roles '["User.Invite.All"]' >/dev/null
simulator expire-tokens >/dev/null
listing --json
assert_eq 'no User.Read.All: exit code' 1 "$rc"
assert_match 'no User.Read.All: said' 'User\.Read\.All' "$err"
assert_eq 'no User.Read.All: nothing is printed' '' "$out"
simulator set roles '["User.Invite.All","User.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null

# ---- a long list -----------------------------------------------------------------------------------------------------

simulator seed '{"count":5000,"kind":"accepted","domain":"long.example"}' >/dev/null
simulator reset ledger >/dev/null
# In the middle: the token runs out, then Graph asks to wait, then it fails once.
simulator fault '[{"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":2,"action":{"hold":"page","when":"before"}},
    {"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":4,"action":{"status":429,"retryAfter":{"decimal":"2.1"}}},
    {"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":6,"action":{"status":503}}]' >/dev/null
{ simulator wait '{"path":"^/v1.0/users$","held":true,"count":1}' && simulator expire-tokens && simulator release page; } >/dev/null &
listing --json --state accepted
assert_eq 'a token that runs out, a 429, a 503 in the middle: all are there, once' '0 5001 5001' \
    "$rc $(json .length <<<"$out") $(json '.map((user) => user.id).filter((id, i, all) => all.indexOf(id) === i).length' <<<"$out")"
assert_eq 'another token was asked for, and the page again' 1 "$(simulator requests '{"path":"^/v1.0/users$","query":"skiptoken"}' |
    json '.filter((one, i, all) => one.status === 401 && all.some((other) => other.status === 200 && other.query === one.query)).length')"
assert_eq 'no request while Graph had asked to wait' 0 "$(sent_during_hold)"

# It fails for good: said, and no JSON that looks whole.
simulator fault '{"match":{"path":"^/v1.0/users$","query":"skiptoken"},"nth":3,"times":0,"action":{"status":400,"code":"Directory_ExpiredPageToken"}}' >/dev/null
listing --json
assert_eq 'an error in the middle: exit code' 1 "$rc"
assert_match 'an error in the middle: said' 'Directory_ExpiredPageToken' "$err"
assert_match 'an error in the middle: the mend' 'mend: run it again' "$err"
assert_false 'an error in the middle: what was printed is no whole JSON' json .length <<<"$out"
simulator faults-clear >/dev/null

# Who went away, or does not read, is not asked for.
simulator reset ledger >/dev/null
entra-invite list --tenant --csv | head -n 2 >"$work/head"
assert_eq 'the reader goes away: what it read' 2 "$(wc -l <"$work/head")"
sleep 2
assert_true 'the reader goes away: the rest is not asked for' test "$(users_pages)" -lt 6
simulator reset ledger >/dev/null
entra-invite list --tenant --json | { sleep 12 && cat; } >"$work/slow" &
slow=$!
sleep 3
assert_true 'a reader that waits: Graph is not asked for more meanwhile' test "$(users_pages)" -lt 6
useradd -M -G partners -c 'Robin Example <robin@fabrikam.com>' robin >/dev/null 2>&1
assert_within 5 'a reader that waits: others do not' state_is robin pending
wait $slow
assert_eq 'a reader that waits: it gets all in the end' 5003 "$(json .length <"$work/slow")"

# ---- a hundred thousand ----------------------------------------------------------------------------------------------

simulator seed '{"count":100000,"kind":"pending","domain":"seed.example"}' >/dev/null
stop_worker
start_worker
before=$(worker_kb VmHWM)
entra-invite list --tenant --csv 2>"$work/err" >"$work/all.csv" &
list=$!
peak=0
asked=0
while kill -0 $list 2>/dev/null; do
    now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$list/status" 2>/dev/null)
    [ "${now:-0}" -le "$peak" ] || peak=$now
    ! entra-invite status >/dev/null 2>&1 || asked=$((asked + 1))
    sleep 0.1
done
wait $list
assert_eq '100,000 guests: exit code' 0 $?
assert_eq '100,000 guests: all of them' 105004 "$(wc -l <"$work/all.csv")"
after=$(worker_kb VmHWM)
if [ "${VARIANT:-}" != sanitize ]; then # AddressSanitizer keeps what is freed
    assert_true "100,000 guests: the worker stays small (from $before to $after KiB)" test "$after" -lt $((before + 12 * 1024))
    assert_true "100,000 guests: so does the command ($peak KiB)" test "$peak" -lt $((24 * 1024))
fi
assert_true "100,000 guests: others are answered meanwhile ($asked times)" test "$asked" -ge 3
stop_worker
assert_eq 'the worker stops cleanly' 0 "$worker_rc"

finish

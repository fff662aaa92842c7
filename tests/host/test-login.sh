#!/bin/bash
# App + User: a person signs in with a device code (contract 1.4), and the refresh token keeps the sign-in (1.5).
. "$(dirname "$0")/lib.sh"

token_file=/var/lib/entra-invite/private/refresh-token
operator=operator@contoso.onmicrosoft.com

code_shown() {
    [ -s "$work/login.out" ] && grep -Eq '"userCode":"|^code: ' "$work/login.out"
}

# Starts `entra-invite login`; sets code once it is shown.
begin_login() { # [COMMAND...]
    : >"$work/login.out"
    [ $# -gt 0 ] || set -- entra-invite login
    timeout 90 "$@" >"$work/login.out" 2>"$work/login.err" </dev/null &
    login_pid=$!
    wait_until 20 code_shown || fail 'a code is shown' "$(cat "$work/login.out" "$work/login.err")"
    code=$(tr -d '\r' <"$work/login.out" | sed -nE 's/^code: (.*)/\1/p; s/.*"userCode":"([^"]*)".*/\1/p' | head -n 1)
}

# Sets rc and out.
end_login() {
    rc=0
    wait "$login_pid" || rc=$?
    out=$(tr -d '\r' <"$work/login.out" && cat "$work/login.err")
}

sign_in() { # NAME
    begin_login
    simulator approve "$code" >/dev/null || fail "$1: approved"
    end_login
    assert_eq "$1: exit code" 0 "$rc"
}

add() { # LOGIN
    useradd -m -G partners -c "Example <$1@fabrikam.com>" "$1" >"$work/useradd" 2>&1
}

blocked_is() { # CODE; `undefined`: it is not blocked
    [ "$(entra-invite status --json | json '.blocked?.code')" = "$1" ]
}

token_on_disk() {
    json .refreshToken <"$token_file"
}

tokens_seen=()
remember_token() {
    tokens_seen+=("$(token_on_disk)")
}

polls() {
    simulator requests '{"grant":"device_code"}'
}

install_tree
enable_pam
start_simulator
simulator set deviceInterval 1 >/dev/null
write_config 'credential: { type = "device-code"; };'
start_worker

# ---- before anybody has signed in ------------------------------------------------------------------------------------

assert_within 20 'nobody has signed in: status says so' blocked_is sign-in-needed
assert_true 'nobody has signed in: the log says so, with the mend' \
    log_has 'nobody has signed in yet.*sudo entra-invite login'
assert_eq 'nobody has signed in: status' null "$(entra-invite status --json | json .signedInAs)"
add first
assert_eq 'nobody has signed in: useradd succeeds' 0 $?
assert_within 20 'nobody has signed in: the account waits' state_is first queued
assert_within 20 'nobody has signed in: its error says why' error_is first sign-in-needed
assert_match 'nobody has signed in: its mend' 'sudo entra-invite login' "$(show first .error.mend)"
assert_refused 'nobody has signed in: the gate works' first
assert_eq 'nobody has signed in: nothing was sent to Graph' 0 \
    "$(simulator requests '{"path":"^/v1.0/"}' | json .length)"
capture runuser -u nobody -- entra-invite login
assert_eq 'only root may sign in' 4 "$rc"
capture node "$here/varlink-call.js" "$socket" io.entrainvite.Login '{}'
assert_match 'on the socket, without more: the error of varlink itself' 'org.varlink.service.ExpectedMore' "$out"
capture entra-invited --test
assert_eq '--test takes it' 0 "$rc"

# ---- signing in, through a pipe --------------------------------------------------------------------------------------

begin_login
assert_match 'login: the page' '^open: https://.*/devicelogin$' "$(cat "$work/login.out")"
assert_match 'login: until when' '^valid until: 20[0-9-]+T[0-9:]+Z$' "$(cat "$work/login.out")"
assert_no_match 'login: no colours, no progress in a pipe' $'\033|waiting' "$(cat "$work/login.out" "$work/login.err")"
capture entra-invite login
assert_eq 'a second login at once: exit code' 4 "$rc"
assert_match 'a second login at once: is told so' 'somebody else is signing in' "$out"
simulator approve "$code" >/dev/null
end_login
assert_eq 'login: exit code' 0 "$rc"
assert_eq 'login: ends with who signed in' "signed in as $operator" "$(tail -n 1 <<<"$out")"
assert_one_invitation 'after login all goes on' first@fabrikam.com
assert_within 10 'after login nothing is blocked' blocked_is undefined
assert_true 'the log says who signed in' log_has "$operator .*has signed in"
assert_eq 'the token asks for what is needed, and as a person' true \
    "$(simulator requests '{"path":"/devicecode$"}' | json '.every(request => request.status === 200)')"
redeem first@fabrikam.com
assert_within 10 'the redemption is seen' state_is first accepted

# ---- what is kept ----------------------------------------------------------------------------------------------------

assert_eq 'the refresh token: mode and owner' '600 entra-invite entra-invite' "$(stat -c '%a %U %G' "$token_file")"
assert_eq 'status --json: who' "$operator" "$(entra-invite status --json | json .signedInAs)"
assert_match 'status --json: since when the token' '^20[0-9-]+T[0-9:]+Z$' "$(entra-invite status --json | json .tokenRenewedAt)"
capture entra-invite status
assert_match 'status: who' "^signed in as: $operator$" "$out"
entra-invite doctor --json >"$work/doctor" 2>&1
for check in sign-in credential-file token permission-invite permission-status permission-excess; do
    assert_eq "doctor: $check" ok "$(json ".find(finding => finding.check === '$check').status" <"$work/doctor")"
done
remember_token
assert_eq 'the token is in no argument and no environment' '' \
    "$(grep -lF -- "${tokens_seen[0]}" "/proc/$worker_pid/cmdline" "/proc/$worker_pid/environ")"
stop_worker
start_worker
add second
assert_one_invitation 'a restart keeps the sign-in' second@fabrikam.com
remember_token
assert_false 'each use brings a new refresh token to the disk' test "${tokens_seen[0]}" = "${tokens_seen[1]}"
assert_eq 'no secret is sent: each request is good' 0 \
    "$(simulator requests '{"path":"/token$"}' | json '.filter(request => request.status === 401).length')"

# Killed with the new token on its way: the old one is on the disk, and good (contract 1.5).
simulator fault '{"match":{"grant":"refresh_token"},"action":{"hold":"renewal"}}' >/dev/null
simulator expire-tokens >/dev/null
add third
simulator wait '{"grant":"refresh_token","held":true,"count":1}' >/dev/null
kill_worker
simulator release renewal >/dev/null
assert_eq 'killed while it renews: the old token is on the disk' "${tokens_seen[1]}" "$(token_on_disk)"
start_worker
assert_one_invitation 'killed while it renews: goes on' third@fabrikam.com
remember_token

# A disk that is full, for the token only: the sign-in holds, and the old token stays whole.
mkdir "$token_file.tmp"
simulator expire-tokens >/dev/null
add fourth
assert_one_invitation 'the new token cannot be written: goes on' fourth@fabrikam.com
assert_true 'the new token cannot be written: said' log_has 'renewed sign-in cannot be kept'
assert_eq 'the new token cannot be written: the old one is whole' "${tokens_seen[2]}" "$(token_on_disk)"
rmdir "$token_file.tmp"

# ---- revoked ---------------------------------------------------------------------------------------------------------

for number in 50173 700082 70043 50076 50079; do
    simulator revoke "$number" >/dev/null
    simulator expire-tokens >/dev/null
    add "revoked$number"
    assert_within 20 "AADSTS$number: blocked" blocked_is sign-in-needed
    assert_within 20 "AADSTS$number: the account is not at fault" state_is "revoked$number" queued
    assert_match "AADSTS$number: the mend" 'sudo entra-invite login' "$(entra-invite status --json | json .blocked.mend)"
    assert_match "AADSTS$number: whose sign-in, and why" "$operator is not signed in any more: .*$number" \
        "$(entra-invite status --json | json .blocked.message)"
    sign_in "AADSTS$number: signing in again"
    assert_one_invitation "AADSTS$number: signed in again" "revoked$number@fabrikam.com"
    remember_token
done

# ---- on a terminal, and as JSON --------------------------------------------------------------------------------------

begin_login script -qefc 'entra-invite login' /dev/null
simulator approve "$code" >/dev/null
end_login
assert_eq 'on a terminal: exit code' 0 "$rc"
assert_match 'on a terminal: the page' '^open: https://' "$out"
assert_match 'on a terminal: it says that it waits' 'waiting for the sign-in' "$out"
assert_match 'on a terminal: who signed in' "signed in as $operator" "$out"
remember_token

simulator user '{"kind":"member","address":"kim@contoso.example"}' >/dev/null
begin_login entra-invite login --json
simulator approve "$code" --user kim@contoso.onmicrosoft.com >/dev/null
end_login
assert_eq '--json: one object a line' 2 "$(grep -c '^{.*}$' "$work/login.out")"
assert_eq '--json: the last one says who' kim@contoso.onmicrosoft.com "$(tail -n 1 "$work/login.out" | json .signedInAs)"
assert_eq '--json: and of which tenant' 11111111-2222-3333-4444-555555555555 \
    "$(tail -n 1 "$work/login.out" | json .tenantId)"
assert_eq 'somebody else signed in: status' kim@contoso.onmicrosoft.com "$(entra-invite status --json | json .signedInAs)"
remember_token

# ---- what does not lead to a sign-in ---------------------------------------------------------------------------------

assert_not_signed_in() { # NAME CODE
    end_login
    assert_eq "$1: exit code" 1 "$rc"
    assert_match "$1: the mend" 'mend: .*entra-invite login' "$out"
    assert_eq "$1: the sign-in that there was stays" "${tokens_seen[-1]}" "$(token_on_disk)"
    assert_true "$1: the log says so" log_has "signing in: .*\[$2"
}
entra-invite refresh --wait >/dev/null
remember_token

begin_login
simulator decline "$code" >/dev/null
assert_not_signed_in declined sign-in-declined

begin_login
simulator advance 901 >/dev/null
assert_not_signed_in 'expired, as the login service says' sign-in-expired
simulator set deviceExpiresIn 2 >/dev/null
begin_login
assert_not_signed_in 'expired, by our own clock' sign-in-expired
simulator set deviceExpiresIn 900 >/dev/null

simulator set idTokenTenant '"99999999-0000-4000-8000-000000000000"' >/dev/null
begin_login
simulator approve "$code" >/dev/null
assert_not_signed_in 'another tenant' sign-in-tenant
assert_match 'another tenant: which' '99999999-0000-4000-8000-000000000000' "$out"
simulator set idTokenTenant null >/dev/null

simulator fault '{"match":{"grant":"device_code"},"action":{"status":200,"body":{"access_token":"a.b.c","token_type":"Bearer"}}}' >/dev/null
begin_login
end_login
assert_eq 'no refresh token: exit code' 1 "$rc"
assert_match 'no refresh token: what is missing' 'offline_access' "$out"

simulator set publicClient false >/dev/null
begin_login
end_login
assert_eq 'not a public client: exit code' 1 "$rc"
assert_match 'not a public client: the mend' 'Allow public client flows' "$out"
simulator set publicClient true >/dev/null

begin_login
kill "$login_pid"
wait "$login_pid" 2>/dev/null
assert_within 10 'the caller goes away: the sign-in is called off' log_has 'sign-in was called off'
before=$(polls | json .length)
sleep 2.5
assert_eq 'the caller goes away: nobody asks any more' "$before" "$(polls | json .length)"

# ---- how often it is asked -------------------------------------------------------------------------------------------

simulator reset ledger >/dev/null
simulator fault '{"match":{"grant":"device_code"},"action":{"aadsts":70016,"error":"slow_down"}}' >/dev/null
simulator fault '{"match":{"grant":"device_code"},"nth":3,"action":{"reset":true}}' >/dev/null
begin_login
simulator wait '{"grant":"device_code","count":3,"over":true}' >/dev/null
simulator approve "$code" >/dev/null
end_login
assert_eq 'slow_down, and an answer that is lost: signed in all the same' 0 "$rc"
assert_eq 'slow_down: from then on 5 seconds more' true "$(polls | json '.map((poll) => Date.parse(poll.time))
    .every((time, i, all) => i === 0 || time - all[i - 1] >= 6000)')"
assert_eq 'each poll is sent once, on a connection of its own (X6)' true \
    "$(polls | json '.every(poll => poll.connectionRequest === 1)')"
remember_token

# ---- a person's mail has the custom body -----------------------------------------------------------------------------

stop_worker
: >"$worker_log"
write_config 'credential: { type = "device-code"; };' \
    'invitation: { send_message = true; message_body = "Welcome to the project"; };'
start_worker
add mailed
assert_true 'a mail is sent' simulator wait '{"address":"mailed@fabrikam.com","mails":1}' --timeout 30
assert_eq 'its body is ours' 'Welcome to the project' "$(simulator mails mailed@fabrikam.com | json '[0].body')"
assert_false 'so there is no warning' log_has 'message_body'
remember_token

# ---- a person who may not invite (contract 2.1) ----------------------------------------------------------------------

simulator set allowInvitesFrom '"adminsAndGuestInviters"' >/dev/null
add roleless
assert_within 20 'a person without the role: said' blocked_is invitations-off
assert_match 'a person without the role: the mend' 'role Guest Inviter' "$(entra-invite status --json | json .blocked.mend)"
assert_eq 'a person without the role: the account waits' queued "$(show roleless .state)"
simulator set personRoles '["Guest Inviter"]' >/dev/null
entra-invite refresh --wait >/dev/null
assert_true 'a person with the role: goes on' simulator wait '{"address":"roleless@fabrikam.com","mails":1}' --timeout 30

# ---- what a newer configuration needs --------------------------------------------------------------------------------

write_config 'credential: { type = "device-code"; };' \
    'rules = ( { name = "partners"; group = "partners"; on_account_removal = "delete"; } );'
kill -HUP "$worker_pid"
assert_within 20 'a permission that was not asked for: status says so' \
    eval 'entra-invite status | grep -q "User.ReadWrite.All.*on_account_removal.*entra-invite login"'

# ---- another app, and another type of credential ---------------------------------------------------------------------

stop_worker
write_config 'credential: { type = "device-code"; };' 'client_id = "12345678-0000-4000-8000-000000000000";'
simulator reset ledger >/dev/null
start_worker
assert_within 20 'another client_id: the token is not sent for it' blocked_is sign-in-needed
assert_eq 'another client_id: nothing was sent' 0 "$(simulator requests '{"grant":"refresh_token"}' | json .length)"
stop_worker
write_config
start_worker
capture entra-invite login
assert_eq 'a client secret: login is refused' 1 "$rc"
assert_match 'a client secret: why' 'device-code' "$out"
assert_eq 'a client secret: nobody is signed in' null "$(entra-invite status --json | json .signedInAs)"
stop_worker

# ---- no secret anywhere else (K6) ------------------------------------------------------------------------------------

for token in "${tokens_seen[@]}"; do
    assert_eq 'a refresh token is in its file only' '' \
        "$(grep -rlF -- "$token" "$worker_log" "$work" "$public" /var/log "$simulator_dir/log" 2>/dev/null)"
done
assert_false 'nor in the database' grep -aqF -- "${tokens_seen[-1]}" "$database"
assert_eq 'the configuration directory has no new file' "client-secret entra-invite.conf" \
    "$(find "${config%/*}" -type f -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"

finish

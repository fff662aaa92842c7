#!/bin/bash
# Managed identity with the real worker (contract 1.6, K1): the service of an Azure VM and the Azure Arc agent's, asked over
# plain HTTP on this machine only; what passes is waited for, what does not is named with its mend.
. "$(dirname "$0")/lib.sh"
set_up
stop_worker
endpoint=$(simulator ready | json .identityUrl)
keys=/var/opt/azcmagent/tokens
other_identity=12121212-3434-4656-8878-909090909090
number=0

with_identity() { # [MORE-OF-THE-GROUP [ENDPOINT]]
    write_config "credential: { type = \"managed-identity\"; endpoint = \"${2:-$endpoint}\"; ${1:-} };"
    sed -i '/^client_id/d' "$config" # the identity is the app
}

restart() {
    stop_worker
    : >"$worker_log"
    simulator reset ledger >/dev/null
    start_worker "$@"
}

add_person() {
    number=$((number + 1))
    useradd -M -G partners -c "Person <person$number@fabrikam.com>" "person$number" >/dev/null 2>&1
}

assert_invites() { # CASE
    add_person
    assert_one_invitation "$1" "person$number@fabrikam.com"
}

assert_error() { # CASE CODE WHAT-IS-SAID MEND
    add_person
    assert_within 30 "$1: the error is shown" error_is "person$number" "$2"
    assert_match "$1: what" "$3" "$(show "person$number" .error.message)"
    assert_match "$1: the mend" "$4" "$(show "person$number" .error.mend)"
    assert_eq "$1: the account is not at fault" queued "$(show "person$number" .state)"
}

assert_goes_on() { # CASE
    capture entra-invite refresh --wait
    assert_one_invitation "$1" "person$number@fabrikam.com"
}

asked() { # JAVASCRIPT on the list of questions to the identity service
    simulator requests '{"path":"/identity/"}' | json "$1"
}

# ---- a VM ------------------------------------------------------------------------------------------------------------

with_identity
capture entra-invited --test
assert_eq 'a VM: --test needs no client_id' 0 "$rc"
restart --debug
assert_invites 'a VM'
assert_eq 'a VM: one question' 1 "$(asked .length)"
assert_match 'a VM: for the Graph of this cloud' 'api-version=2018-02-01&resource=https://localhost' "$(asked '[0].query')"
assert_match 'a VM: with the header' '\bmetadata\b' "$(asked '[0].headers')"
assert_no_match 'a VM: with nothing secret' 'authorization' "$(asked '[0].headers')"
assert_eq 'a VM: nothing else came over plain HTTP' 0 "$(simulator ledger | json \
    '.requests.filter((one) => one.path.includes("/v1.0/") && value.connections.find((c) => c.id === one.connection &&
        c.alpn === "plain")).length')"
assert_eq 'a VM: the login service was not asked' 0 "$(simulator requests '{"path":"/oauth2/v2.0/token$"}' | json .length)"
simulator expire-tokens >/dev/null
assert_invites 'a VM: another token after a 401'

simulator fault '[{"match":{"path":"/identity/"},"action":{"status":410}},
    {"match":{"path":"/identity/"},"action":{"status":429,"retryAfter":1}},
    {"match":{"path":"/identity/"},"action":{"status":500,"html":true}},
    {"match":{"path":"/identity/"},"action":{"status":404}}]' >/dev/null
restart
assert_invites 'gone, throttled, failed, not there: it is tried again by itself'
assert_eq 'gone, throttled, failed, not there: five questions' 5 "$(asked .length)"
assert_true 'gone, throttled, failed, not there: not within one second' test "$(asked \
    '.reduce((least, one, i, all) => i === 0 ? least : Math.min(least, Date.parse(one.time) - Date.parse(all[i - 1].time)),
        1e9)')" -ge 900
capture entra-invite status
assert_no_match 'the tenant is not held by that' 'asked to wait' "$out"

simulator set identitySystem null >/dev/null
restart
assert_error 'no identity' identity-refused '400 invalid_request: Identity not found' 'managed identity in Azure'
capture entra-invite status
assert_match 'no identity: status says so' identity-refused "$out"
simulator set identityClientIds "[\"$other_identity\"]" >/dev/null
assert_goes_on 'no identity, then one'

with_identity "identity_client_id = \"$other_identity\";"
restart
assert_invites 'one of several'
assert_match 'one of several: it is named' "client_id=$other_identity" "$(asked '[0].query')"
with_identity 'identity_client_id = "00000000-3434-4656-8878-909090909090";'
restart
assert_error 'one that is not there' identity-refused 'Identity not found' 'identity_client_id'
simulator reset settings >/dev/null

with_identity '' http://127.0.0.1:9/metadata/identity/oauth2/token
restart
assert_error 'nothing listens' identity-unreachable '127\.0\.0\.1: .*(connect|refused)' 'Azure VM.*entra-invited\(8\)'

for bad in http://identity.contoso.com/t http://10.1.2.3/t 'http://127.0.0.1/t?x=y'; do
    with_identity '' "$bad"
    capture entra-invited --test
    assert_eq "$bad: refused" 6 "$rc"
    assert_match "$bad: says why" 'endpoint: .*(loopback or link-local|behind the path)' "$out"
done

# ---- Azure Arc -------------------------------------------------------------------------------------------------------

stop_worker
groupadd --system himds
mkdir -p /opt/azcmagent/bin "$keys"
: >/opt/azcmagent/bin/himds
chown root:himds "$keys"
chmod 0750 "$keys"
simulator set identity '"arc"' >/dev/null
with_identity
capture entra-invited --test
assert_eq 'Arc, the keys are out of reach: --test fails' 6 "$rc"
assert_match 'Arc, the keys are out of reach: --test says what to do' 'tokens: the user entra-invite cannot.*-G himds entra-invite' "$out"
restart
assert_error 'Arc, the keys are out of reach' identity-key 'tokens/.*\.key: Permission denied' 'usermod -a -G himds'
rm "$keys"/*.key
usermod -a -G himds entra-invite
capture entra-invited --test
assert_eq 'Arc: --test' 0 "$rc"
restart --debug
assert_one_invitation 'Arc, the keys are in reach' "person$number@fabrikam.com"
assert_invites 'Arc'
assert_eq 'Arc: the challenge and its answer' '401 200' "$(asked '.map((one) => one.status).join(" ")')"
assert_match 'Arc: the answer has the key' '\bauthorization\b' "$(asked '[1].headers')"
assert_match 'Arc: its api-version' 'api-version=2020-06-01' "$(asked '[1].query')"
assert_eq 'Arc: no key is left' 0 "$(find "$keys" -name '*.key' | wc -l)"
key_text=$(printf 'made-up' | base64)
assert_no_match 'Arc: no key and no token in the log (K6)' "Basic|Bearer|eyJ|$key_text" "$(cat "$worker_log")"

mkdir /secrets
echo canary-of-a-file >/secrets/a.key
chmod 0644 /secrets/a.key
ln -s /secrets/a.key "$keys/link.key"
printf canary-of-a-file >"$keys/a.txt"
chown root:himds "$keys/a.txt"
for realm in /etc/shadow /secrets/a.key "$keys/../../../../secrets/a.key" "$keys/a.txt"; do
    simulator set identityRealm "\"$realm\"" >/dev/null
    restart
    assert_error "Arc names $realm" identity-refused 'names no key of the Arc agent' 'managed identity'
    assert_no_match "Arc names $realm: it is not sent" '\bauthorization\b' "$(asked '.map((one) => one.headers).join()')"
done
simulator set identityRealm "\"$keys/link.key\"" >/dev/null
restart
assert_error 'Arc names a link' identity-key 'link.key: is a symbolic link' himds
assert_no_match 'what lies there is nowhere' canary-of-a-file "$(cat "$worker_log"; entra-invite list --json)"
simulator set identityRealm null >/dev/null
assert_goes_on 'Arc, mended'

# An old agent gives the system's token whatever it is asked for.
simulator set identityEcho false >/dev/null
with_identity "identity_client_id = \"$other_identity\";"
restart
assert_error 'an old agent' identity-refused 'not name, not of 12121212' identity_client_id
stop_worker
assert_eq 'it stops cleanly' 0 "$worker_rc"

finish

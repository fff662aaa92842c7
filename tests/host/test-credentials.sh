#!/bin/bash
# Ways to prove who the app is, each with the real worker from its files to an invitation: certificate and federated
# token (contract 1.2, 1.3); what is wrong is named by --test and by status with its mend; no key, passphrase or token
# is ever seen (K1, K6).
. "$(dirname "$0")/lib.sh"
set_up
stop_worker

keys=/etc/entra-invite/keys
mkdir "$keys"
number=0

# ---- keys and tokens -------------------------------------------------------------------------------------------------

new_certificate() { # NAME [DAYS [BITS]]
    openssl req -x509 -newkey "rsa:${3:-2048}" -nodes -keyout "$keys/$1.key" -out "$keys/$1.pem" -days "${2:-365}" \
        -subj "/CN=$1" 2>>"$work/openssl"
    chmod 0644 "$keys/$1.pem"
    chmod 0600 "$keys/$1.key"
    chown entra-invite "$keys/$1.key"
}

new_dated_certificate() { # NAME FROM TO
    local dir=$work/ca-$1
    mkdir "$dir"
    : >"$dir/index"
    echo 01 >"$dir/serial"
    printf '%s\n' '[ca]' 'default_ca = own' '[own]' "database = $dir/index" "serial = $dir/serial" \
        "new_certs_dir = $dir" 'default_md = sha256' 'policy = any' '[any]' 'commonName = supplied' >"$dir/config"
    new_certificate "$1"
    openssl req -new -key "$keys/$1.key" -subj "/CN=$1" -out "$dir/request" 2>>"$work/openssl"
    openssl ca -batch -config "$dir/config" -selfsign -keyfile "$keys/$1.key" -in "$dir/request" -out "$keys/$1.pem" \
        -startdate "$2" -enddate "$3" -notext >>"$work/openssl" 2>&1
}

# The app in Entra has these certificates and no others.
register() { # NAME...
    local files=()
    for name in "$@"; do files+=("$keys/$name.pem"); done
    node -e 'console.log(JSON.stringify(process.argv.slice(1).map((file) =>
        require("fs").readFileSync(file, "utf8"))))' -- "${files[@]}" | simulator set certificates - >"$work/register"
}

# The files that the configuration names.
install_pair() { # KEY-NAME CERTIFICATE-NAME
    install -m 0600 -o entra-invite "$keys/$1.key" "$keys/key.pem"
    install -m 0644 "$keys/$2.pem" "$keys/certificate.pem"
}

# A token as another issuer makes it, valid for so many seconds from now.
token() { # KEY-NAME SECONDS
    node -e '
        const crypto = require("crypto"), fs = require("fs");
        const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const now = Math.floor(Date.now() / 1000), end = now + Number(process.argv[2]);
        const text = `${part({ alg: "RS256", kid: "1" })}.${part({ iss: "https://cluster.example/", sub: "worker",
            aud: "api://AzureADTokenExchange", nbf: Math.min(now, end) - 60, exp: end })}`;
        console.log(`${text}.${crypto.sign("sha256", Buffer.from(text), fs.readFileSync(process.argv[1]))
            .toString("base64url")}`);' -- "$keys/$1.key" "$2"
}

trust_issuer() { # KEY-NAME
    node -e '
        const key = require("crypto").createPublicKey(require("fs").readFileSync(process.argv[1]));
        console.log(JSON.stringify([{ issuer: "https://cluster.example/", subject: "worker",
            audience: "api://AzureADTokenExchange", publicKey: key.export({ type: "spki", format: "pem" }) }]));' \
        -- "$keys/$1.key" | simulator set federated - >"$work/trust"
}

# ---- cases -----------------------------------------------------------------------------------------------------------

# What must never be seen: pieces of every key and token so far.
secrets() {
    sed -s -n 5p "$keys"/*.key
    cat "$work"/seen-* 2>/dev/null
}

assert_test_says() { # CASE EXIT-CODE EXTENDED-REGEX
    capture entra-invited --test
    assert_eq "$1: --test exits $2" "$2" "$rc"
    assert_match "$1: --test says so" "$3" "$out"
}

assert_invites() { # CASE
    number=$((number + 1))
    useradd -M -G partners -c "Person <person$number@fabrikam.com>" "person$number" >/dev/null 2>&1
    assert_one_invitation "$1" "person$number@fabrikam.com"
}

# The worker wants a token, and cannot have one: nobody is at fault but the credential.
assert_blocked() { # CASE CODE WHAT-IS-SAID MEND
    number=$((number + 1))
    simulator expire-tokens >/dev/null
    useradd -M -G partners -c "Person <person$number@fabrikam.com>" "person$number" >/dev/null 2>&1
    assert_within 30 "$1: the error is shown" error_is "person$number" "$2"
    assert_eq "$1: the account is not at fault" queued "$(show "person$number" .state)"
    assert_match "$1: what" "$3" "$(show "person$number" .error.message)"
    assert_match "$1: the mend" "$4" "$(show "person$number" .error.mend)"
}

assert_goes_on() { # CASE
    capture entra-invite refresh --wait
    assert_one_invitation "$1" "person$number@fabrikam.com"
}

with_certificate() { # [MORE-OF-THE-GROUP]
    write_config "credential: { type = \"certificate\"; file = \"$keys/key.pem\";
        certificate = \"$keys/certificate.pem\"; ${1:-} };"
}

fresh_log() {
    cat "$worker_log" >>"$work/log-before"
    : >"$worker_log"
}

hang_up() {
    fresh_log
    kill -HUP "$worker_pid"
}

# ---- a certificate ---------------------------------------------------------------------------------------------------

for name in first second third; do new_certificate "$name"; done
with_certificate
install_pair first first
register first
assert_test_says 'certificate' 0 'are good'
start_worker --debug
assert_invites 'certificate'
assert_no_match 'certificate: it has time' 'expires at' "$(cat "$worker_log")"

# A new one, as the manual says: into the app, into the files, SIGHUP.
register first second
install_pair second second
hang_up
assert_within 20 'a new certificate: read' log_has 'configuration was read again'
register second
simulator expire-tokens >/dev/null
assert_invites 'a new certificate, by SIGHUP'

install -m 0600 -o entra-invite "$keys/third.key" "$keys/key.pem"
hang_up
assert_within 20 'half of a new certificate: said' log_has 'kept as it was.*was not made for the private key'
simulator expire-tokens >/dev/null
assert_invites 'half of a new certificate: the old one goes on'

register first
assert_blocked 'another certificate in the app' assertion-refused 700027 'register.*certificate.*Entra'
capture entra-invite status
assert_match 'another certificate in the app: status says so' assertion-refused "$out"
install_pair first first
assert_goes_on 'the files mended, and refresh'
stop_worker

install_pair first second
assert_test_says 'another key' 6 'certificate.pem: the certificate was not made for the private key in .*key.pem'
new_certificate small 365 1024
install_pair small small
assert_test_says 'a small key' 6 'key.pem: the RSA key has 1024 bits'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$keys/curve.key" -out "$keys/curve.pem" \
    -subj /CN=curve 2>>"$work/openssl"
install_pair curve curve
assert_test_says 'no RSA key' 6 'key.pem: the private key is not an RSA key'
install_pair first first
chmod 0644 "$keys/key.pem"
assert_test_says 'a key that all can read' 6 'key.pem: mode 0644'
install_pair first first
chmod 0666 "$keys/certificate.pem"
assert_test_says 'a certificate that all can write' 6 'certificate.pem: mode 0666'

# ---- an encrypted key ------------------------------------------------------------------------------------------------

openssl pkey -in "$keys/first.key" -aes256 -passout pass:canary-passphrase -out "$keys/encrypted.key"
echo canary-passphrase >"$work/seen-passphrase"
cp "$keys/first.pem" "$keys/encrypted.pem"
install_pair encrypted encrypted
assert_test_says 'an encrypted key' 6 'key.pem: the private key is encrypted, and passphrase_name is not set.*LoadCredential'
with_certificate 'passphrase_name = "passphrase";'
assert_test_says 'no credential from systemd' 6 'passphrase_name: CREDENTIALS_DIRECTORY is not set'
# As systemd makes it: root's, and the mask of its ACL shows as the group's right.
export CREDENTIALS_DIRECTORY=/run/credentials/entra-invited.service
mkdir -p "$CREDENTIALS_DIRECTORY"
install -m 0440 "$work/seen-passphrase" "$CREDENTIALS_DIRECTORY/passphrase"
assert_test_says 'with its passphrase' 0 'are good'
register first
start_worker --debug
assert_invites 'with its passphrase'
hang_up
assert_within 20 'read again without the passphrase: it is read' log_has 'configuration was read again'
simulator expire-tokens >/dev/null
assert_invites 'read again without the passphrase: the old one goes on'
stop_worker
echo wrong >"$CREDENTIALS_DIRECTORY/passphrase"
assert_test_says 'a wrong passphrase' 6 'passphrase in .*passphrase does not open'
unset CREDENTIALS_DIRECTORY

# ---- its dates -------------------------------------------------------------------------------------------------------

with_certificate
new_dated_certificate old 20200101000000Z 20200201000000Z
new_dated_certificate early 20400101000000Z 20410101000000Z
new_certificate ending 10
install_pair early early
assert_test_says 'not valid yet' 6 'not valid before 2040-01-01T00:00:00Z, and here it is 20'
install_pair old old
assert_test_says 'expired' 6 'certificate.pem: the certificate expired at 2020-02-01T00:00:00Z'
fresh_log
simulator reset ledger >/dev/null
start_worker
assert_blocked 'expired' certificate-expired '2020-02-01T00:00:00Z' 'new certificate'
assert_eq 'expired: nothing is asked with it' 0 "$(simulator requests '{"path":"/token$"}' | json .length)"
register ending
install_pair ending ending
assert_goes_on 'expired, then mended'
for _ in 1 2 3; do capture entra-invite refresh --wait; done
# The dates are looked at once a minute, whatever happens.
assert_within 90 'ten days before its end: the log says so' log_has 'credential expires at'
assert_match 'ten days before its end: once, with the date' '^[^:]*: the credential expires at 20[^,]*, in (9|10) days' \
    "$(grep 'credential expires at' "$worker_log")"
assert_eq 'ten days before its end: once' 1 "$(grep -c 'credential expires at' "$worker_log")"
stop_worker

# ---- a federated token -----------------------------------------------------------------------------------------------

new_certificate issuer
new_certificate next-issuer
trust_issuer issuer

# As Kubernetes projects it: root's, readable, behind two links, replaced as a whole.
projected=/run/secrets-of-pod
project() { # TOKEN
    local dir
    dir=$(mktemp -d "$projected/..XXXXXX")
    chmod 0755 "$dir"
    printf '%s' "$1" >"$dir/token"
    chmod 0644 "$dir/token"
    ln -s "${dir##*/}" "$projected/..data_new"
    mv -T "$projected/..data_new" "$projected/..data"
    printf '%s\n' "$1" >>"$work/seen-tokens"
}
mkdir -m 0755 "$projected"
ln -s ..data/token "$projected/token"

write_config 'credential: { type = "federated"; credential_name = "token"; };'
assert_test_says 'a credential of systemd as the token' 6 'fixed while the service runs'
write_config "credential: { type = \"federated\"; file = \"$projected/token\"; };"
assert_test_says 'no token yet' 6 'token: No such file'
project "$(token issuer 300)"
assert_test_says 'a token' 0 'are good'
start_worker --debug
assert_invites 'a token'

trust_issuer next-issuer
project "$(token next-issuer 300)"
simulator expire-tokens >/dev/null
assert_invites 'the token was renewed: it is read again after a 401'

project "$(token next-issuer -5)"
assert_test_says 'a stale token' 6 'token: the token in it expired at 20.*clock'
assert_blocked 'a stale token' token-stale 700024 'renews.*clock'
project "$(token next-issuer 300)"
assert_one_invitation 'a stale token, then renewed: it goes on by itself' "person$number@fabrikam.com"

# A federated credential that was added just now: refused for minutes, and that passes.
simulator expire-tokens >/dev/null
simulator fault '{"match":{"path":"/token$"},"times":2,"action":{"aadsts":70021}}' >/dev/null
number=$((number + 1))
useradd -M -G partners -c "Person <person$number@fabrikam.com>" "person$number" >/dev/null 2>&1
assert_one_invitation 'not known everywhere yet: it is tried again by itself' "person$number@fabrikam.com"

number=$((number + 1))
chmod 0600 "$projected/..data/token"
capture entra-invited --test
assert_match 'a token for root only: --test says who must read it' 'user entra-invite cannot read it' "$out"
simulator expire-tokens >/dev/null
useradd -M -G partners -c "Person <person$number@fabrikam.com>" "person$number" >/dev/null 2>&1
assert_within 30 'a token for root only: shown' error_is "person$number" token-file
assert_match 'a token for root only: the mend' 'let the user entra-invite read' "$(show "person$number" .error.mend)"
chmod 0644 "$projected/..data/token"
assert_one_invitation 'a token for root only, then mended: it goes on by itself' "person$number@fabrikam.com"

# ---- nothing of it is seen (K6) --------------------------------------------------------------------------------------

{
    cat "$work/log-before" "$worker_log" "/proc/$worker_pid/cmdline" "/proc/$worker_pid/environ" "$simulator_dir/log"
    entra-invite status
    entra-invite status --json
    entra-invite list --json
    for i in $(seq "$number"); do entra-invite show "person$i" --json; done
    cat /var/lib/entra-invite/private/* "$public"/*
} >"$work/all" 2>&1
assert_true 'what is looked for is there at all' test "$(secrets | wc -l)" -ge 12
assert_false 'no key, passphrase or token is seen anywhere' grep -aFq -f <(secrets) "$work/all"
assert_false 'nor any other JWT: an assertion, an access token' grep -aEq 'eyJ[A-Za-z0-9_-]{10}' "$work/all"

# libcrypto's copies of a key's text are erased as it frees them (K4).
stop_worker
with_certificate
register first
install_pair first first
start_worker
assert_invites 'a certificate again'
piece=$(sed -n 9p "$keys/first.key")
in_memory() { # TEXT
    node -e '
        const fs = require("fs");
        const [pid, text] = process.argv.slice(1), memory = fs.openSync(`/proc/${pid}/mem`, "r");
        for (const line of fs.readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
            const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) || [];
            const size = parseInt(to, 16) - parseInt(from, 16);
            if (!(size < 2 ** 28)) // a sanitizer reserves terabytes
                continue;
            const bytes = Buffer.alloc(size);
            try { fs.readSync(memory, bytes, 0, size, parseInt(from, 16)); } catch (error) { continue; }
            if (bytes.includes(text))
                process.exit(0);
        }
        process.exit(1);' -- "$worker_pid" "$1"
}
assert_true 'in memory: what is looked for can be found' in_memory contoso.onmicrosoft.com
assert_false 'in memory: the text of the key is not' in_memory "$piece"
stop_worker
assert_eq 'it stops cleanly' 0 "$worker_rc"

finish

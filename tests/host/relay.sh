# A mail relay for the tests that carry the redeem URL by mail: a real Exim on this lab's loopback, with STARTTLS and
# AUTH, whose mail all goes into one file; and the peer that misbehaves on demand (tests/deliver-peer).
#
# shellcheck shell=bash
# Results are for the test that sources this; single quotes hold code for another language.
# shellcheck disable=SC2034,SC2016

relay_dir=/var/spool/relay
relay_port=2525
relay_password=s3cret-of-the-relay
relay_pid=
peer_control=

# What Exim needs once: a certificate that is its own authority, its configuration, an empty file for the mail.
make_relay() {
    rm -rf "$relay_dir"
    mkdir -p "$relay_dir/spool" "$relay_dir/mail"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=relay \
        -addext subjectAltName=DNS:localhost -keyout "$relay_dir/key.pem" -out "$relay_dir/ca.pem" 2>"$work/relay-openssl" ||
        fail 'a certificate for the relay' "$(cat "$work/relay-openssl")"
    cat >"$relay_dir/exim.conf" <<CONF
primary_hostname = relay.contoso.example
daemon_smtp_ports = $relay_port
local_interfaces = 127.0.0.1
spool_directory = $relay_dir/spool
log_file_path = $relay_dir/spool/%slog
tls_advertise_hosts = *
tls_certificate = $relay_dir/ca.pem
tls_privatekey = $relay_dir/key.pem
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
qualify_domain = contoso.example
deliver_drop_privilege = true
keep_environment =
begin acl
rcpt:
  deny condition = \${if eq{\$local_part}{nobody}}
       message = no such person
  accept authenticated = *
  deny message = authenticate first
begin routers
all:
  driver = accept
  transport = inbox
begin transports
inbox:
  driver = appendfile
  file = $relay_dir/mail/inbox
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{entra-invite}}{eq{\$auth3}{$relay_password}}}}
  server_set_id = \$auth2
CONF
    # A daemon whose configuration is not the built-in one runs as this user alone.
    chown -R "$(relay_user):" "$relay_dir/spool" "$relay_dir/mail"
    chgrp "$(id -ng "$(relay_user)")" "$relay_dir/key.pem" && chmod 0640 "$relay_dir/key.pem"
    install -m 0600 -o entra-invite -g entra-invite /dev/stdin /etc/entra-invite/relay-password <<<"$relay_password"
}

relay_user() {
    if id -u Debian-exim >/dev/null 2>&1; then echo Debian-exim; else echo exim; fi
}

relay_listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$relay_port") 2>/dev/null
}

start_relay() {
    local program
    program=$(command -v exim4 || command -v exim)
    "$program" -C "$relay_dir/exim.conf" -bdf -q1h >"$work/relay.log" 2>&1 </dev/null &
    relay_pid=$!
    wait_until 20 relay_listens || fail 'the relay starts' "$(cat "$work/relay.log" "$relay_dir"/spool/*log 2>/dev/null)"
}

stop_relay() {
    kill "$relay_pid" 2>/dev/null
    wait "$relay_pid" 2>/dev/null
    relay_pid=
}

# The line of the configuration that names it.
relay_config() { # [MORE-KEYS]
    echo "smtp: { url = \"smtp://localhost:$relay_port\"; from = \"Contoso IT <it@contoso.example>\"; user = \"entra-invite\";
        password_file = \"/etc/entra-invite/relay-password\"; ca_file = \"$relay_dir/ca.pem\"; ${1:-} };"
}

# What the relay has for an address, as JSON: [{from, to, subject, body, headers}], decoded.
mailbox() { # ADDRESS JAVASCRIPT-PATH
    node "$here/mailbox.js" "$relay_dir/mail/inbox" "$1" | json "$2"
}

mails_are() { # ADDRESS NUMBER
    [ "$(mailbox "$1" .length)" = "$2" ]
}

# ---- the peer that misbehaves ----------------------------------------------------------------------------------------

start_peer() { # uses the relay's certificate as good.pem
    cp "$relay_dir/ca.pem" "$work/good.pem"
    cp "$relay_dir/key.pem" "$work/good.key"
    mkfifo "$work/peer.in"
    node "$repo/tests/deliver-peer/peer.js" "$work" <"$work/peer.in" >"$work/peer.port" 2>"$work/peer.log" &
    exec 7>"$work/peer.in"
    wait_until 20 test -s "$work/peer.port" || fail 'the peer starts' "$(cat "$work/peer.log")"
    peer_control=$(<"$work/peer.port")
}

peer() { # QUESTION; see tests/deliver-peer/peer.js
    local answer
    exec 6<>"/dev/tcp/127.0.0.1/$peer_control"
    printf '%s\n' "$1" >&6
    read -r answer <&6
    exec 6>&-
    printf '%s\n' "$answer"
}

#!/bin/bash
# Messages that this host carries itself, through a real mail server (Exim: STARTTLS, AUTH PLAIN, delivery to files) and
# to a real web server: what arrives is what was rendered, byte for byte, in scripts that are not Latin.
. "$(dirname "$0")/lib.sh"

spool=$work/spool
mails=$work/mails
password=$work/password
port=2525

if command -v exim4 >/dev/null; then exim=exim4; else exim=exim; fi

# ---- what is built and installed -------------------------------------------------------------------------------------

# With catalogues for three languages, as a translator would add them.
if ! flock "$repo/build" make -s -C "$repo" install build/release/deliver PODIR="$here/deliver/po" >"$work/install" 2>&1; then
    fail 'make install, with catalogues' "$(cat "$work/install")"
    finish
fi
deliver=$repo/build/release/deliver
assert_true 'make install puts catalogues where gettext has them' \
    cmp "$repo/build/release/locale/th/LC_MESSAGES/entra-invite.mo" /usr/share/locale/th/LC_MESSAGES/entra-invite.mo

# ---- the mail server -------------------------------------------------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/relay.key" -out "$work/relay.pem" \
    -days 2 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>"$work/openssl"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -out "$work/other.pem" \
    -days 2 -subj /CN=other -addext 'subjectAltName=DNS:other.example' 2>>"$work/openssl"
(umask 077 && echo 's3cret Passw0rd' >"$password" && echo wrong >"$work/wrong")
# Exim gives up being root; where it does, and how its user is called, is the system's.
chmod 0755 "$work"
mkdir -m 1777 "$spool" "$mails"
chmod 0644 "$work/relay.key"
cat >"$work/exim.conf" <<END
spool_directory = $spool
log_file_path = $spool/log-%s
primary_hostname = relay.contoso.example
daemon_smtp_ports = $port
local_interfaces = 127.0.0.1
tls_certificate = $work/relay.pem
tls_privatekey = $work/relay.key
tls_advertise_hosts = *
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
acl_smtp_data = data
queue_only = false
begin acl
rcpt:
  deny message = 5.1.1 nobody of this name
       local_parts = nobody
  require message = authenticate first
          authenticated = *
  accept
data:
  accept
begin routers
all:
  driver = accept
  transport = files
begin transports
files:
  driver = appendfile
  directory = $mails
  create_directory = true
  user = \$exim_uid
  group = \$exim_gid
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{mailer}}{eq{\$auth3}{s3cret Passw0rd}}}}
  server_set_id = \$auth2
END
"$exim" -C "$work/exim.conf" -bdf -v >"$work/exim.out" 2>&1 &
exim_pid=$!
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if ! wait_until 20 listens "$port"; then
    fail 'Exim starts' "$(cat "$work/exim.out")"
    finish
fi

mail_count() { find "$mails" -type f -name 'q*' | wc -l; }
one_mail() { [ "$(mail_count)" = 1 ]; }
send() { # LANGUAGE TLS CA [USER FILE]
    capture "$deliver" mail "$1" "smtp://localhost:$port" "${@:2}"
}

# Prints what a mail reader makes of the file on stdin: the subject, an empty line, the text.
read_mail() {
    node -e '
        const mail = require("fs").readFileSync(0, "latin1").replace(/\r\n/g, "\n");
        const end = mail.indexOf("\n\n");
        const header = mail.slice(0, end + 1).replace(/\n[ \t]+/g, " ");
        const field = (name) => (new RegExp(`^${name}: *(.*)$`, "im").exec(header) || [0, ""])[1];
        const subject = field("Subject").replace(/(\?=) +(=\?)/g, "$1$2").replace(/=\?utf-8\?b\?([^?]*)\?=/gi,
            (all, text) => Buffer.from(text, "base64").toString("latin1"));
        const body = mail.slice(end + 2);
        const encoding = field("Content-Transfer-Encoding").toLowerCase();
        const text = encoding === "base64" ? Buffer.from(body, "base64").toString("latin1") : body;
        const type = field("Content-Type").toLowerCase();
        if (!type.includes("text/plain") || !type.includes("utf-8")) throw new Error(`type: ${type}`);
        process.stdout.write(Buffer.from(`${subject}\n\n${text.replace(/\r\n/g, "\n")}`, "latin1"));'
}

# ---- what arrives ----------------------------------------------------------------------------------------------------

for language in en th-TH ko zh-CN; do
    rm -f "$mails"/*
    send "$language" required "$work/relay.pem" mailer "$password"
    assert_eq "$language: the mail server takes it" '0 done ok 250: ' "$rc $out"
    assert_within 20 "$language: it arrives once" one_mail
    "$deliver" text "$language" >"$work/wanted"
    cat "$mails"/q* | read_mail >"$work/got" 2>&1
    assert_true "$language: subject and text arrive byte for byte" cmp "$work/wanted" "$work/got"
done
assert_match 'Chinese is what the catalogue has' '^您对 lab1.contoso.example 的访问权限$' "$(cat "$work/got")"
message=$(cat "$mails"/q*)
assert_match 'it says that a program sent it' '^Auto-Submitted: auto-generated' "$message"
assert_match 'its id is of the sender'"'"'s domain' '^Message-I[Dd]: <[0-9a-f-]{36}@contoso.example>' "$message"
assert_match 'it came encrypted and authenticated' 'with esmtpsa' "$message"

# ---- what does not ---------------------------------------------------------------------------------------------------

rm -f "$mails"/*
send en required "$work/relay.pem" mailer "$work/wrong"
assert_match 'a wrong password is the relay'"'"'s trouble, not the account'"'"'s' '^rejected mail-relay 535: localhost:2525: 535 after AUTH' "$out"
send en required "$work/relay.pem"
assert_match 'so is a missing one' '^rejected mail-' "$out"
send en required "$work/other.pem" mailer "$password"
assert_match 'a certificate of an unknown authority ends it' '^not-sent delivery-not-trusted 220: .*certificate not trusted' "$out"
send en none "$work/relay.pem"
assert_match 'without TLS this server offers no AUTH, and refuses' '^rejected mail-' "$out"
kill "$exim_pid"
wait "$exim_pid" 2>/dev/null
send en required "$work/relay.pem" mailer "$password"
assert_match 'a server that is not there is tried again later' '^not-sent unreachable 0: ' "$out"
assert_eq 'none of these arrived' 0 "$(mail_count)"
assert_no_match 'nothing that was said holds the password' 's3cret|czNjcmV0' "$(cat "$spool"/log-* "$work/exim.out" 2>/dev/null; echo "$out")"

# A resolver that never answers holds up neither the end of the program nor what is known: nothing was sent.
node -e 'require("dgram").createSocket("udp4").bind(53, "127.0.0.1")' &
resolver_pid=$!
resolves() { grep -q ':0035 ' /proc/net/udp; }
wait_until 20 resolves
rm -f /etc/resolv.conf
printf 'nameserver 127.0.0.1\noptions timeout:20 attempts:1\n' >/etc/resolv.conf
capture_timed "$deliver" leave en smtp://relay.slow.example none "$work/relay.pem"
assert_match 'who ends while a name is looked up is told that nothing was sent' \
    '^not-sent unreachable 0: relay.slow.example: this program ends$' "$out"
assert_true 'and does not wait for the name' [ "$took" -le 8 ]
kill "$resolver_pid"
wait "$resolver_pid" 2>/dev/null

# ---- a chat ----------------------------------------------------------------------------------------------------------

node -e '
    const fs = require("fs");
    require("https").createServer({ key: fs.readFileSync(process.argv[1]), cert: fs.readFileSync(process.argv[2]) },
        (request, answer) => {
            let text = "";
            request.setEncoding("utf8").on("data", (piece) => { text += piece; }).on("end", () => {
                fs.appendFileSync(process.argv[3], JSON.stringify({ url: request.url, body: JSON.parse(text) }) + "\n");
                answer.writeHead(202).end();
            });
        }).listen(2443, "127.0.0.1");' -- "$work/relay.key" "$work/relay.pem" "$work/posts" &
chat_pid=$!
wait_until 20 listens 2443
(umask 077 && echo 'https://localhost:2443/hooks/T0/secret?sig=x' >"$work/hook")
for format in json slack teams; do
    rm -f "$work/posts"
    capture "$deliver" hook th "$work/hook" "$format" "$work/relay.pem"
    assert_eq "$format: the chat takes it" '0 done ok 202: ' "$rc $out"
    assert_eq "$format: it arrives once" 1 "$(wc -l <"$work/posts")"
    assert_eq "$format: at the URL of the file" '/hooks/T0/secret?sig=x' "$(json .url <"$work/posts")"
    case $format in
    json) json .body.text <"$work/posts" >"$work/got" && "$deliver" text th | tail -n +3 >"$work/wanted" ;;
    slack) json .body.text <"$work/posts" >"$work/got" && "$deliver" text th | sed 's/&/\&amp;/g' >"$work/wanted" ;;
    teams) json '.body.attachments[0].content.body.map((block) => block.inlines[0].text).join("\n\n")' <"$work/posts" >"$work/got" &&
        "$deliver" text th >"$work/wanted" ;;
    esac
    # The last line break is the printing's.
    assert_eq "$format: the text arrives byte for byte" "$(cat "$work/wanted")" "$(cat "$work/got")"
done
kill "$chat_pid"
wait "$chat_pid" 2>/dev/null

finish

#!/bin/bash
# K6: every secret that the worker has carries a mark of its own, everything is done with it at the highest verbosity, and
# no mark is found afterwards where a secret has no business: journal, standard error, syslog, core, /proc, database, view,
# metrics, the relay's log, temporary files, what the verbs print; nor in memory, once the secret is done with (K4, K7).
# shellcheck disable=SC2016 # single quotes hold code for an inner shell
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/host/relay.sh
. "$(dirname "$0")/relay.sh"

needles=/root/needles # lines `NAME TEXT`; nobody gets a secret as an argument
seen=$work/seen       # what was said, printed or shown
keys=/etc/entra-invite/keys
private=${database%/*}
mkdir -p "$seen" "$keys" /run/systemd/journal /run/log/journal
install -m 0600 /dev/null "$needles"
touch -d '1 second ago' "$work/began"

# ---- marks -----------------------------------------------------------------------------------------------------------

mark() {
    echo "canary$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')"
}

remember() { # NAME TEXT
    [ -n "$2" ] && [ "$2" != null ] || { fail "$1: has a mark" && return; }
    printf '%s %s\n' "$1" "$2" >>"$needles"
}

ticket() { # LOGIN; what makes its redeem URL a secret
    show "$1" .inviteRedeemUrl | sed 's/.*ticket//'
}

# The access token that the worker has; it is nowhere else.
token_in_memory() {
    node "$here/memory-grep.js" "$worker_pid" --token
}

remember_token() { # NAME
    local token
    token=$(token_in_memory)
    remember "$1" "$token"
}

# ---- looking ---------------------------------------------------------------------------------------------------------

# Names of the secrets that are in these files, or in what comes.
found_in() { # FILE...
    local name text
    while read -r name text; do
        ! grep -asqF -- "$text" "$@" || printf '%s ' "$name"
    done <"$needles"
}

assert_clean() { # NAME FILE...
    assert_eq "$1" '' "$(found_in "${@:2}")"
}

# Names of the secrets that are in the worker's memory.
in_memory() {
    node "$here/memory-grep.js" "$worker_pid" "$needles" | awk '$2 > 0 { printf "%s ", $1 }'
}

in_memory_is() { # NAMES, each with a blank behind it
    [ "$(in_memory)" = "$1" ]
}

# All files of this run that hold one of the marks, but for those that are the secret's own place.
strays() {
    local own=("$@")
    cut -d' ' -f2- "$needles" >/root/marks
    find /run /tmp /var /etc /root /home /dev/shm -type f -newer "$work/began" -print0 2>/dev/null |
        xargs -0 grep -laFf /root/marks -- 2>/dev/null |
        grep -vxF -e "$needles" -e /root/marks "${own[@]/#/-e}" | tr '\n' ' '
}

look_at_process() { # NAME
    local file
    for file in cmdline environ status maps limits comm stat; do
        assert_clean "$1: /proc/PID/$file" "/proc/$worker_pid/$file"
    done
}

# ---- the journal -----------------------------------------------------------------------------------------------------

journald=
for path in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
    [ -n "$journald" ] || [ ! -x "$path" ] || journald=$path
done
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || journald=

launch_in_journal() { # OPTION...
    systemd-cat -t entra-invited sh -c \
        'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec entra-invited "$@"' - "$@" </dev/null &
    worker_pid=$!
}

start_anywhere() { # journal or syslog or stderr
    case $journald/$1 in
    /*/stderr | /journal | */stderr) launch_worker --debug ;;
    */journal) launch_in_journal --debug ;;
    */syslog)
        entra-invited --debug </dev/null >"$seen/background" 2>&1
        worker_pid=$(pgrep -x entra-invited)
        ;;
    esac
    wait_until 30 worker_ready || {
        fail "entra-invited starts, logging to $1" "$(tail -n 20 "$worker_log")"
        finish
    }
}

stop_anywhere() {
    kill "$worker_pid"
    wait_until 20 eval '! kill -0 "$worker_pid"'
    worker_pid=
}

install_tree
enable_pam
if [ -n "$journald" ]; then
    "$journald" 2>"$work/journald" &
    journald_pid=$!
    wait_until 20 test -S /run/systemd/journal/stdout
    rm -f /dev/log
    ln -s /run/systemd/journal/dev-log /dev/log
else
    skip 'journal and syslog' 'no systemd-journald here'
fi

# ---- a client secret, a mail relay, a webhook ------------------------------------------------------------------------

mark | install -m 0600 /dev/stdin /root/first-secret
start_simulator --secret-file /root/first-secret
remember client-secret "$(cat /root/first-secret)"
relay_password=$(mark)
remember relay-password "$relay_password"
remember relay-password-in-base64 "$(printf '\0entra-invite\0%s' "$relay_password" | base64 -w0)"
make_relay
start_relay
start_peer
hook=$(peer 'http status=202')
webhook_mark=$(mark)
remember webhook "$webhook_mark"
install -m 0600 -o entra-invite /dev/stdin /etc/entra-invite/webhook-url <<<"http://127.0.0.1:$hook/hook/$webhook_mark"

with_credential() { # GROUP
    write_config "credential: { $1 };" "$(relay_config)" 'webhook: { url_file = "/etc/entra-invite/webhook-url"; };' \
        'rules = ( { name = "partners"; group = "partners"; invitation: { deliver = "smtp"; }; },
            { name = "vendors"; group = "vendors"; invitation: { deliver = "webhook"; }; } );' \
        'refresh_interval = 3600;' 'metrics_file = "/var/lib/entra-invite/public/entra-invite.prom";'
    # Another host than Graph's, as in life: what its connection leaves behind is not overwritten by Graph's.
    [[ $1 == *certificate* ]] || # whose assertion names the host that the simulator knows itself by
        sed -i 's|^login_url = "https://localhost|login_url = "https://127.0.0.1|' "$config"
    chown entra-invite "$secret"
}

add() { # LOGIN [GROUP]
    useradd -M -G "${2:-partners}" -c "${1^} Example <$1@fabrikam.com>" "$1" >>"$seen/useradd" 2>&1
}

is_mailed() { # LOGIN
    [ "$(show "$1" '.state + value.mail')" = pendingsent ]
}

with_credential "type = \"secret\"; file = \"$secret\";"
start_anywhere journal
add taylor
add robin vendors
add kim vendors
for login in taylor robin kim; do
    assert_within 30 "a client secret: $login has a message" is_mailed $login
    remember "url-of-$login" "$(ticket $login)"
done
remember_token token-of-secret
assert_eq 'the marks are real: the message has the URL' true \
    "$(mailbox taylor@fabrikam.com "[0].body.includes('$(show taylor .inviteRedeemUrl)')")"
assert_match 'the marks are real: the database has the URLs' 'url-of-taylor url-of-robin url-of-kim' "$(found_in "$database"*)"
look_at_process 'a client secret'

# What people see. Only these may show a URL: show, mail, and --json of an account.
n=0
for words in 'list' 'list --csv' 'list --tenant --state pending' 'status' 'status --json' 'status taylor' 'doctor' \
    'doctor --json' 'check' 'check taylor' 'events taylor' 'events robin --json' 'export' 'export --himmelblau' \
    'invite taylor' 'invite sasha@fabrikam.com --rule vendors --wait=30' 'adopt' 'refresh --wait' 'mail robin --send --wait=30' \
    'resend kim' 'login' 'remove nobody' 'show nobody' 'restore taylor' 'reset taylor' '--version' '--help'; do
    n=$((n + 1))
    # shellcheck disable=SC2086 # words are words
    entra-invite $words >"$seen/verb-$n" 2>&1 </dev/null
done
entra-invited --test >"$seen/test" 2>&1
for login in taylor robin kim; do
    runuser -u "$login" -- entra-invite status "$login" >>"$seen/own-status" 2>&1
    su -l "$login" -c id >>"$seen/su" 2>&1
done
assert_within 30 'a new URL after resend' eval '[ "$(ticket kim)" != "$(sed -n "s/^url-of-kim //p" "$needles")" ]'
for login in taylor robin kim; do remember "new-url-of-$login" "$(ticket $login)"; done
assert_clean 'what the verbs print' "$seen"/verb-* "$seen"/own-status "$seen"/su "$seen"/test "$seen"/useradd

# ---- erased where it has ended (K7) ----------------------------------------------------------------------------------

# Neither the database nor its log nor a copy beside it has it any more.
erased_everywhere() { # SECRET-NAME
    local text
    text=$(sed -n "s/^$1 //p" "$needles")
    ! grep -rqaF -- "$text" "$private"
}
assert_true 'K7: the URL that resend replaced is in no file' erased_everywhere url-of-kim
assert_false 'K7: the new one is' erased_everywhere new-url-of-kim
redeem taylor@fabrikam.com
assert_within 20 'taylor accepts' state_is taylor accepted
assert_true 'K7: accepted: in no file' erased_everywhere new-url-of-taylor
gpasswd -d robin vendors >/dev/null
capture entra-invite remove robin --forget
assert_eq 'K7: forgotten' 0 "$rc"
assert_true 'K7: forgotten: in no file' erased_everywhere new-url-of-robin
kill -KILL "$worker_pid"
wait_until 20 eval '! kill -0 "$worker_pid"'
start_anywhere journal
assert_true 'K7: nor after a SIGKILL' erased_everywhere new-url-of-taylor

# ---- a secret that is replaced, a token that is renewed --------------------------------------------------------------

capture entra-invite refresh --wait
remember_token token-of-the-next-run
mark | install -m 0600 /dev/stdin /root/second-secret
remember second-secret "$(cat /root/second-secret)"
simulator set secret - <<<"\"$(cat /root/second-secret)\"" >/dev/null
install -m 0600 -o entra-invite /root/second-secret "$secret"
kill -HUP "$worker_pid"
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
redeem kim@fabrikam.com
assert_within 20 'kim accepts' state_is kim accepted
# Of what it still works with it has one copy; of everything else none is left.
wait_until 10 in_memory_is 'second-secret '
assert_eq 'K4: what is done with is in memory no more' 'second-secret ' "$(in_memory)"
assert_eq 'K4: of what is not, one copy' 1 "$(node "$here/memory-grep.js" "$worker_pid" "$needles" |
    sed -n 's/^second-secret \([0-9]*\).*/\1/p')"
remember_token token-of-second-secret

# ---- no core ---------------------------------------------------------------------------------------------------------

ulimit -c unlimited
assert_match 'no core: its limit is 0, hard too' 'Max core file size +0 +0 ' "$(cat "/proc/$worker_pid/limits")"
assert_false 'not dumpable: its own user does not see its memory' runuser -u entra-invite -- \
    head -c 1 "/proc/$worker_pid/mem"
kill -ABRT "$worker_pid"
wait_until 20 eval '! kill -0 "$worker_pid"'
assert_eq 'SIGABRT leaves no core' '' "$(find / /run /tmp /var -maxdepth 4 -name 'core*' -type f -newer "$work/began" -not -path '/proc/*' 2>/dev/null)"

# ---- a certificate, its key encrypted --------------------------------------------------------------------------------

passphrase=$(mark)
remember passphrase "$passphrase"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$keys/plain.key" -out "$keys/certificate.pem" -days 30 \
    -subj /CN=canary 2>/dev/null
openssl pkey -in "$keys/plain.key" -aes256 -passout stdin -out "$keys/key.pem" <<<"$passphrase"
remember private-key "$(sed -n 5p "$keys/plain.key")"
rm "$keys/plain.key"
chown entra-invite "$keys/key.pem"
chmod 0600 "$keys/key.pem"
export CREDENTIALS_DIRECTORY=/run/credentials/entra-invited.service
mkdir -p "$CREDENTIALS_DIRECTORY"
install -m 0440 /dev/stdin "$CREDENTIALS_DIRECTORY/passphrase" <<<"$passphrase"
with_credential "type = \"certificate\"; file = \"$keys/key.pem\"; certificate = \"$keys/certificate.pem\";
    passphrase_name = \"passphrase\";"
node -e 'console.log(JSON.stringify([require("fs").readFileSync(process.argv[1], "utf8")]))' -- "$keys/certificate.pem" |
    simulator set certificates - >/dev/null
start_anywhere stderr
add sophia
assert_within 30 'a certificate: invited' is_mailed sophia
remember url-of-sophia "$(ticket sophia)"
remember_token token-of-certificate
look_at_process 'a certificate'
assert_no_match 'K4: the passphrase is in memory no more' 'passphrase' "$(in_memory)"
assert_no_match 'K4: nor the text of the key' 'private-key' "$(in_memory)"
stop_anywhere
unset CREDENTIALS_DIRECTORY

# ---- a person's sign-in ----------------------------------------------------------------------------------------------

simulator set deviceInterval 1 >/dev/null
with_credential 'type = "device-code";'
start_anywhere syslog
refresh_token() {
    json .refreshToken <"$private/refresh-token"
}
code_shown() {
    grep -q '^code: ' "$seen/login"
}
timeout 90 entra-invite login >"$seen/login" 2>&1 </dev/null &
login_pid=$!
wait_until 20 code_shown
simulator approve "$(sed -n 's/^code: //p' "$seen/login")" >/dev/null
wait "$login_pid"
assert_eq 'a person signs in' 0 $?
add vera
assert_within 30 'a sign-in: invited' is_mailed vera
remember url-of-vera "$(ticket vera)"
remember refresh-token "$(refresh_token)"
remember_token token-of-person
look_at_process 'a sign-in'
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
assert_within 20 'a sign-in: a new refresh token' eval '[ "$(refresh_token)" != "$(sed -n "s/^refresh-token //p" "$needles")" ]'
assert_within 20 'K4: the old refresh token is in memory no more' eval '! in_memory | grep -q "refresh-token"'
assert_false 'nor on disk' grep -rqaF -- "$(sed -n 's/^refresh-token //p' "$needles")" "$private"
remember new-refresh-token "$(refresh_token)"
stop_anywhere

# ---- a managed identity ----------------------------------------------------------------------------------------------

with_credential "type = \"managed-identity\"; endpoint = \"$(simulator ready | json .identityUrl)\";"
sed -i '/^client_id/d' "$config"
start_anywhere stderr
add alex
assert_within 30 'a managed identity: invited' is_mailed alex
remember url-of-alex "$(ticket alex)"
remember_token token-of-identity
stop_anywhere

# ---- everywhere ------------------------------------------------------------------------------------------------------

remember any-token 'eyJ0eXAi' # how each token of the simulator begins
cp "$worker_log" "$seen/stderr"
if [ -n "$journald" ]; then
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o export -t entra-invited >"$seen/journal"
    assert_match 'the journal has it all: debug' 'ENTRA_INVITE|PRIORITY=7' "$(grep -a '^PRIORITY=7' "$seen/journal" | head -n 1)"
    assert_true 'the journal has it all: syslog' grep -aq '_TRANSPORT=syslog' "$seen/journal"
    assert_clean 'journal and syslog' "$seen/journal"
    kill "$journald_pid"
fi
assert_true 'standard error has it all' grep -q 'GET /v1.0/' "$seen/stderr"
assert_clean 'standard error' "$seen/stderr"
assert_clean 'the view, the groups, the metrics' "$public"/*
assert_clean "the relay's log" "$relay_dir/spool/mainlog" "$relay_dir/spool/rejectlog"
# Where they belong: the credential files, the database's own slots for who is still pending, and what plays the others.
left=$(strays "$secret" /root/first-secret /root/second-secret /etc/entra-invite/relay-password /etc/entra-invite/webhook-url \
    "$private/refresh-token" "$database" "$database-wal" /run/credentials/entra-invited.service/passphrase \
    "$simulator_dir/client-secret" "$relay_dir/exim.conf" "$relay_dir/mail/inbox")
assert_eq 'no other file has any of them' '' "$left"
assert_eq 'the database has the URLs of who is pending, and nothing else' 'url-of-sophia url-of-vera url-of-alex ' "$(found_in "$database" "$database-wal")"

finish

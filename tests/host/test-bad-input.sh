#!/bin/bash
# Bad accounts and bad files: each gets a message that names the thing, the reason and the mend, in the log and in show
# and status; no retry storm; and whoever is not concerned goes on. (What the tenant refuses: test-blocked.sh.)
. "$(dirname "$0")/lib.sh"
set_up
add() { # LOGIN GECOS [GROUP]
    useradd -m -s /bin/bash -G "${3:-partners}" -c "$2" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
requests() { # JSON to match
    simulator requests "$1" | json .length
}

# ---- accounts --------------------------------------------------------------------------------------------------------

assert_failed() { # LOGIN CODE WHAT-THE-MESSAGE-NAMES
    assert_within 20 "$1 fails" state_is "$1" failed
    assert_eq "$1: code" "$2" "$(show "$1" .error.code)"
    assert_match "$1: the message names it" "$3" "$(show "$1" .error.message)"
    assert_match "$1: there is a mend" '[a-z]{3}' "$(show "$1" .error.mend)"
    assert_eq "$1: status is exit code 2" 2 "$(status_of "$1")"
    capture entra-invite status "$1"
    assert_match "$1: status says why" "$3|$2" "$out"
    assert_within 10 "$1: the log says why" log_has "$3"
    assert_refused "$1" "$1" .
}

add noaddress 'No Address'
assert_within 20 'an account without an address waits' state_is noaddress waiting
capture entra-invite status noaddress
assert_match 'status says what is missing' address "$out"
capture entra-invite show noaddress
assert_match 'show says what is missing' 'no .*address|address: *(none|-)' "$out"

add spaced 'Spaced <spa ced@fabrikam.com>'
assert_failed spaced bad-address 'spa ced@fabrikam\.com'
add semicolon 'Semicolon <a;b@fabrikam.com>'
assert_failed semicolon bad-address 'a;b@fabrikam\.com'
add nonascii 'Non Ascii <töm@fabrikam.com>'
assert_failed nonascii bad-address '@fabrikam\.com'
add nodomain 'No Domain <taylor@>'
assert_failed nodomain bad-address 'taylor@'
add outside 'Outside <taylor@adatum.example>'
assert_failed outside domain-not-allowed 'adatum\.example'
add lookalike 'Look Alike <taylor@evilfabrikam.com>'
assert_failed lookalike domain-not-allowed 'evilfabrikam\.com'
assert_eq 'nothing was sent about any of them' 0 "$(requests '{"method":"POST","path":"^/v1.0/invitations"}')"

# An apostrophe is good in an address and means something in a filter (S30).
add obrien "O Brien <o'brien@fabrikam.com>"
assert_one_invitation 'an apostrophe' "o'brien@fabrikam.com"

# The tenant's own domain, with a rule that takes any.
write_config "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; } );"
stop_worker
start_worker
add internal 'Internal <kim@contoso.example>' vendors
assert_failed internal verified-domain 'contoso\.example'
assert_no_invitation 'an own domain is not invited' kim@contoso.example
simulator user '{"kind":"member","address":"sasha@fabrikam.com"}' >/dev/null
add sasha 'Sasha Example <sasha@fabrikam.com>'
assert_failed sasha internal-user 'sasha@'
assert_no_invitation 'a member of the tenant is not invited' sasha@fabrikam.com

# Mended, each goes on by itself; nobody else was held up.
usermod -c 'Outside <outside@fabrikam.com>' outside
assert_one_invitation 'a mended address' outside@fabrikam.com
assert_within 20 'outside is pending' state_is outside pending
add good 'Good Example <good@fabrikam.com>'
assert_one_invitation 'a good account among the bad' good@fabrikam.com

# ---- a rule without its group ----------------------------------------------------------------------------------------

write_config "rules = ( $default_rules, { name = \"ghosts\"; group = \"ghosts\"; } );"
stop_worker
start_worker
assert_within 20 'the log names the missing group' log_has 'ghosts'
assert_true 'and the mend' log_has 'groupadd'
add robin 'Robin Example <robin@fabrikam.com>'
assert_one_invitation 'the other rule works on' robin@fabrikam.com
assert_eq 'an account of the missing group stays what it was' pending "$(show good .state)"

# ---- the config ------------------------------------------------------------------------------------------------------

assert_config_refused() { # CASE WHAT-THE-MESSAGE-NAMES LINE...
    stop_worker
    : >"$worker_log"
    write_config "${@:3}"
    launch_worker
    worker_ends
    assert_eq "$1: the worker does not start: exit code 6" 6 "$worker_rc"
    # What is missing has no line.
    assert_true "$1: file and line are named" log_has 'entra-invite\.conf:([0-9]+: | .*missing)'
    assert_true "$1: $2 is named" log_has "$2"
}

assert_config_refused 'unknown key' colour 'colour = "green";'
assert_config_refused 'unknown key in a rule' emaildomains \
    'rules = ( { name = "p"; group = "partners"; emaildomains = ( "fabrikam.com" ); } );'
assert_config_refused 'wrong type' refresh_interval 'refresh_interval = "often";'
assert_config_refused 'out of range' refresh_interval 'refresh_interval = 1;'
assert_config_refused 'not libconfig' 'syntax|rules' 'rules = ( ;'
assert_config_refused 'group sudo' sudo 'rules = ( { name = "p"; group = "sudo"; } );'
assert_config_refused 'no rules' rules 'rules = ( );'
assert_config_refused 'plain HTTP' graph_url 'graph_url = "http://localhost:1";'
write_config
rm "$config"
: >"$worker_log"
launch_worker
worker_ends
assert_eq 'no config: the worker does not start: exit code 6' 6 "$worker_rc"
assert_true 'no config: the file is named' log_has "$config"

# ---- the secret file -------------------------------------------------------------------------------------------------

# The worker refuses to start, or runs blocked: the message is the same.
assert_secret_refused() { # CASE
    : >"$worker_log"
    launch_worker
    assert_within 20 "secret $1: the log names the file" log_has "$secret"
    assert_true "secret $1: and the mend" log_has '0600'
    stop_worker
    write_config
}

write_config
chmod 644 "$secret"
assert_secret_refused 'readable by the world'
mv "$secret" "$secret.real"
ln -s "$secret.real" "$secret"
assert_secret_refused 'a symbolic link'
rm -f "$secret"
write_config
chown nobody "$secret"
assert_secret_refused 'owned by somebody else'
rm "$secret"
mkfifo "$secret"
assert_secret_refused 'a FIFO'
rm -f "$secret"
: >"$worker_log"
launch_worker
assert_within 20 'no secret: the log names the file' log_has "$secret"
stop_worker
write_config
assert_false 'the secret is in no log (K6)' grep -qFf "$secret" "$worker_log"

# ---- database and view -----------------------------------------------------------------------------------------------

start_worker
stop_worker
cp -p "$database" "$work/database"
rm -f "$database"-*
head -c 65536 /dev/urandom | dd of="$database" conv=notrunc status=none
: >"$worker_log"
launch_worker
worker_ends
assert_eq 'damaged database: the worker ends' 1 "$((worker_rc != 0 && worker_rc != 124))"
assert_true 'damaged database: the log names the file' log_has 'entra-invite\.db'
assert_true 'damaged database: and the mend' log_has 'backup'
assert_true 'damaged database: it is left for a look' test -s "$database"
capture su -l good -c 'echo let in as good'
assert_no_match 'damaged database: the view still shuts good out' 'let in as' "$out"
cp -p "$work/database" "$database"

head -c 4096 /dev/urandom >"$public/status.cdb"
start_worker
assert_within 20 'damaged view: the worker writes it anew' own_status_is good 1
assert_eq 'damaged view: nothing is sent anew' 1 "$(ledger good@fabrikam.com .posts.length)"

# ---- the socket ------------------------------------------------------------------------------------------------------

send_to_socket() { # JAVASCRIPT expression of what to send
    timeout 20 node -e "const peer = require('net').connect('$socket', () => { peer.end($1); });
        peer.on('error', () => {}); peer.on('close', () => process.exit()); peer.resume();"
}
send_to_socket "require('crypto').randomBytes(100000)"
send_to_socket "'\\0'.repeat(10000)"
send_to_socket "'{\"method\":\"io.entrainvite.Show\",\"parameters\":{\"target\":[]}}\\0'"
send_to_socket "'{\"method\":\"io.entrainvite.Announce\",\"parameters\":{\"login\":\"' + 'a'.repeat(5e6) + '\"}}\\0'"
send_to_socket "'['.repeat(200000) + '\\0'"
send_to_socket "'{\"method\":\"no.such.Method\"}\\0'"
assert_eq 'garbage on the socket: the worker lives and answers' pending "$(show good .state)"
# Connections that say nothing do not lock others out.
node -e "for (let i = 0; i < 200; i++) require('net').connect('$socket').on('error', () => {}); setTimeout(() => {}, 60000)" &
idle=$!
add alex 'Alex Example <alex@fabrikam.com>'
assert_one_invitation 'idle connections' alex@fabrikam.com
kill "$idle"
assert_within 20 'and afterwards it answers' state_is alex pending

capture setpriv --reuid nobody --regid nogroup --clear-groups entra-invite list
assert_eq 'list is for root: exit code 4' 4 "$rc"
assert_match 'and says so' 'root' "$out"

finish

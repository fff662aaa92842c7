# Library of the host tests (bash). A test sources it, makes its cases and calls `finish`:
#
#     . "$(dirname "$0")/lib.sh"
#     set_up                      # install, PAM, service user, simulator, config, worker
#     capture useradd -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
#     assert_eq 'useradd succeeds' 0 "$rc"
#     finish
#
# Each case is one line: `ok - NAME`, `not ok - NAME` (with `# ` lines that say why) or `skip - NAME: REASON`.
# Tests run in a lab (see ./lab), never on the machine itself.
#
# shellcheck shell=bash
# Results are for the test that sources this (SC2034); single quotes hold code for another shell (SC2016); options
# are for some tests only (SC2119, SC2120).
# shellcheck disable=SC2034,SC2016,SC2119,SC2120

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$(dirname "$here")")
work=/run/test
simulator_dir=/run/simulator
config=/etc/entra-invite/entra-invite.conf
secret=/etc/entra-invite/client-secret
public=/var/lib/entra-invite/public
database=/var/lib/entra-invite/private/entra-invite.db
socket=/run/entra-invite/entra-invite.sock
worker_log=$work/worker.log
worker_pid=
cases_failed=0
wait_pause=0.1 # seconds between two looks at what is waited for

# PID 1 is the lab's shell, or the systemd of tests/package/boot.
if [ "$(cat /proc/sys/kernel/hostname)" != lab ] || ! grep -qE '^(bash|systemd)$' /proc/1/comm; then
    echo "$0: changes accounts and /etc, so it runs in a lab only: tests/host/lab run check -- $0" >&2
    exit 125
fi
mkdir -p "$work"

# ---- cases -----------------------------------------------------------------------------------------------------------

pass() { # NAME
    printf 'ok - %s\n' "$1"
}

fail() { # NAME [DETAIL...]
    printf 'not ok - %s\n' "$1"
    cases_failed=$((cases_failed + 1))
    shift
    [ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

skip() { # NAME REASON
    printf 'skip - %s: %s\n' "$1" "$2"
}

skip_all() { # REASON
    skip 'all of it' "$1"
    finish
}

assert_eq() { # NAME WANTED GOT
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "wanted: $2" "got:    $3"; fi
}

assert_match() { # NAME EXTENDED-REGEX TEXT
    if grep -Eq -- "$2" <<<"$3"; then pass "$1"; else fail "$1" "no match for: $2" "in: $3"; fi
}

assert_no_match() { # NAME EXTENDED-REGEX TEXT
    if grep -Eq -- "$2" <<<"$3"; then fail "$1" "match for: $2" "in: $3"; else pass "$1"; fi
}

assert_true() { # NAME COMMAND...
    local said
    if said=$("${@:2}" 2>&1); then pass "$1"; else fail "$1" "failed: ${*:2}" "$said"; fi
}

assert_false() { # NAME COMMAND...
    local said
    if said=$("${@:2}" 2>&1); then fail "$1" "did not fail: ${*:2}" "$said"; else pass "$1"; fi
}

# Ends the test. Without this line in its output the runner takes the test as broken off.
finish() {
    # Ended in order, it writes down what it ran through.
    [ "${VARIANT:-}" != coverage ] || stop_worker
    if [ "$cases_failed" -gt 0 ] && [ -s "$worker_log" ]; then
        echo '# end of the log of entra-invited:'
        tail -n 60 "$worker_log" | sed 's/^/#   /'
    fi
    if [ "$cases_failed" -gt 0 ] && [ -s "$simulator_dir/stderr" ]; then
        echo '# what the simulator said:'
        tail -n 30 "$simulator_dir/stderr" | sed 's/^/#   /'
    fi
    echo '# end'
    exit $((cases_failed > 0))
}

# ---- running things --------------------------------------------------------------------------------------------------

# Runs a command that must end by itself; sets out (stdout and stderr) and rc (124: it took a minute, or
# capture_limit seconds).
capture() { # COMMAND...
    rc=0
    out=$(timeout "${capture_limit:-60}" "$@" 2>&1 </dev/null) || rc=$?
}

# The same, and sets took: whole seconds, rounded up.
capture_timed() { # COMMAND...
    local before=${EPOCHREALTIME/./}
    capture "$@"
    took=$(((${EPOCHREALTIME/./} - before + 999999) / 1000000))
}

# Waits for what nothing announces. Fails after SECONDS of a quiet machine: a busy one gets three times that.
wait_until() { # SECONDS COMMAND...
    local limit=$((SECONDS + 3 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$limit" ] || return 1
        sleep "$wait_pause"
    done
}

assert_within() { # SECONDS NAME COMMAND...
    if wait_until "$1" "${@:3}"; then pass "$2"; else fail "$2" "not within $1 s: ${*:3}"; fi
}

# Prints a value of the JSON text on stdin: json .posts.length
json() { # JAVASCRIPT-PATH
    node -e 'const text = require("fs").readFileSync(0, "utf8");
        const value = new Function("value", "return value" + process.argv[1])(JSON.parse(text));
        console.log(typeof value === "object" ? JSON.stringify(value) : String(value));' -- "$1"
}

# Value of `show --json`: show taylor .state
show() { # TARGET JAVASCRIPT-PATH
    entra-invite show "$1" --json 2>>"$work/show.log" | json "$2" 2>>"$work/show.log"
}

# The gate reads the view, which is published moments after the worker knows: `accepted` is what both say.
state_is() { # TARGET STATE
    [ "$(show "$1" .state)" = "$2" ] && { [ "$2" != accepted ] || ! id "$1" >/dev/null 2>&1 || own_status_is "$1" 0; }
}

status_of() { # TARGET; prints the exit code of `entra-invite status`
    entra-invite status "$1" >/dev/null 2>&1
    echo $?
}

status_is() { # TARGET EXIT-CODE
    [ "$(status_of "$1")" = "$2" ]
}

own_status_is() { # LOGIN EXIT-CODE; as LOGIN sees it, from the view
    local seen=0
    runuser -u "$1" -- entra-invite status "$1" || seen=$?
    [ "$seen" = "$2" ]
}

error_is() { # TARGET CODE; `undefined`: there is none
    [ "$(show "$1" '.error?.code')" = "$2" ]
}

listed() { # STATE NUMBER
    [ "$(entra-invite list --state "$1" --json | json .length)" = "$2" ]
}

log_has() { # EXTENDED-REGEX
    grep -Eq -- "$1" "$worker_log"
}

# ---- the simulator ---------------------------------------------------------------------------------------------------

simulator() { # VERB [ARGUMENT...]
    "$repo/tests/graph-simulator/ctl" "$simulator_dir" "$@"
}

start_simulator() { # [OPTION...]
    if ! simulator start "$@" >"$work/ready" 2>&1; then
        fail 'the Graph simulator starts' "$(cat "$work/ready")"
        finish
    fi
}

stop_simulator() {
    simulator stop
}

ledger() { # ADDRESS JAVASCRIPT-PATH
    simulator ledger "$1" | json "$2"
}

guests_in_directory() { # ADDRESS NUMBER
    [ "$(ledger "$1" '.users.filter(user => !user.deletedDateTime).length')" = "$2" ]
}

# One guest and one POST that had an effect: what every way to add an account must lead to.
assert_one_invitation() { # NAME ADDRESS
    assert_true "$1: the invitation arrives" simulator wait "{\"address\":\"$2\",\"guests\":1}" --timeout 30
    assert_eq "$1: one guest" 1 "$(ledger "$2" .guests.length)"
    assert_eq "$1: one POST" 1 "$(ledger "$2" '.posts.filter(post => post.effect).length')"
}

assert_no_invitation() { # NAME ADDRESS
    assert_eq "$1" 0 "$(ledger "$2" .posts.length)"
}

# Graph requests that a Retry-After forbade (X8). What was under way when it was answered is not counted.
sent_during_hold() {
    simulator requests '{"path":"^/v1.0/"}' | json '.filter((request, i, all) => request.duringHold &&
        !all.some((other) => other.status === 429 && other.n < request.n &&
            Date.parse(request.time) - Date.parse(other.time) < 500)).length'
}

# The partner follows the link; then the worker asks Graph.
redeem() { # ADDRESS
    simulator redeem "$1" >"$work/redeem" 2>&1 || fail "$1 redeems" "$(cat "$work/redeem")"
    capture entra-invite refresh --wait
}

# ---- the host under test ---------------------------------------------------------------------------------------------

# The tests of one machine run side by side and share its build directory.
# As tests/run has it: files that all may write, at a place that all can get to.
count_what_is_run() {
    mkdir /run/counts && mount --bind "$repo/build/coverage" /run/counts
    GCOV_PREFIX_STRIP=$(tr -cd / <<<"$repo/build/coverage" | wc -c)
    export GCOV_PREFIX=/run/counts GCOV_PREFIX_STRIP
}

install_tree() {
    local name
    [ "${VARIANT:-}" != coverage ] || count_what_is_run
    if ! flock "$repo/build" make -s -C "$repo" install >"$work/install" 2>&1; then
        fail 'make install' "$(cat "$work/install")"
        finish
    fi
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers entra-invite.conf entra-invite-groups.conf >"$work/sysusers" 2>&1
    elif ! id -u entra-invite >/dev/null 2>&1; then
        for name in entra-invite entra-invite-pending entra-invite-accepted; do groupadd --system "$name"; done
        useradd --system -g entra-invite -d / -s /usr/sbin/nologin entra-invite
    fi
    # Accounts that the machine below may happen to have.
    for name in taylor robin kim sasha alex; do
        ! id -u "$name" >/dev/null 2>&1 || userdel -f -r "$name" >/dev/null 2>&1
    done
    for name in partners vendors; do
        ! getent group "$name" >/dev/null || groupdel -f "$name"
        groupadd "$name"
    done
}

# What the package does on Debian, and what the manual page tells others to do.
enable_pam() {
    if command -v pam-auth-update >/dev/null; then
        DEBIAN_FRONTEND=noninteractive pam-auth-update --enable entra-invite >"$work/pam" 2>&1 ||
            fail 'pam-auth-update takes the profile' "$(cat "$work/pam")"
        return
    fi
    local gate='[success=ignore ignore=ignore module_unknown=ignore default=die]' file
    for file in /etc/pam.d/system-auth /etc/pam.d/password-auth; do
        sed -i --follow-symlinks "0,/^account/s/^account/account $gate pam_entra_invite.so\n&/" "$file"
        sed -i --follow-symlinks '0,/^password/s/^password/password optional pam_entra_invite.so\n&/' "$file"
    done
    # There, root's su is let through before the file includes system-auth.
    sed -i "0,/^account/s/^account/account $gate pam_entra_invite.so\n&/" /etc/pam.d/su
}

default_rules='{ name = "partners"; group = "partners"; email_domains = ( "fabrikam.com" ); }'

# Writes the config against the running simulator. Each argument is a line; KEY = … replaces the default of that key.
write_config() { # [LINE...]
    local ready line key
    ready=$(simulator ready)
    declare -A lines=(
        [tenant]="tenant = \"$(json .tenant <<<"$ready")\";"
        [client_id]="client_id = \"$(json .clientId <<<"$ready")\";"
        [login_url]="login_url = \"$(json .loginUrl <<<"$ready")\";"
        [graph_url]="graph_url = \"$(json .graphUrl <<<"$ready")\";"
        [ca_file]="ca_file = \"$(json .caFile <<<"$ready")\";"
        [credential]="credential: { type = \"secret\"; file = \"$secret\"; };"
        [rules]="rules = ( $default_rules );"
        [refresh_interval]='refresh_interval = 5;'
    )
    for line in "$@"; do
        key=${line%%[ =:]*}
        lines[$key]=$line
    done
    mkdir -p "${config%/*}"
    printf '%s\n' "${lines[@]}" >"$config"
    install -m 0600 "$(json .secretFile <<<"$ready")" "$secret"
}

worker_answers() {
    entra-invite list
}

# Starts the worker and returns 0 once it answers on its socket and has published the view.
start_worker() { # [OPTION...]
    launch_worker "$@"
    if ! wait_until 30 worker_ready; then
        fail 'entra-invited starts' "$(tail -n 20 "$worker_log")"
        finish
    fi
}

worker_ready() {
    worker_answers && [ -s "$public/status.cdb" ]
}

launch_worker() { # [OPTION...]
    entra-invited --foreground "$@" >>"$worker_log" 2>&1 </dev/null &
    worker_pid=$!
}

end_worker() { # SIGNAL; sets worker_rc
    worker_rc=0
    [ -n "$worker_pid" ] || return 0
    kill "-$1" "$worker_pid" 2>/dev/null
    wait "$worker_pid" 2>/dev/null || worker_rc=$?
    worker_pid=
}

stop_worker() { end_worker TERM; }
kill_worker() { end_worker KILL; }

# Waits for a worker that is expected to give up, and says with what exit code; 124: it goes on.
worker_ends() {
    wait_until 20 eval '! kill -0 "$worker_pid"' || { kill_worker && worker_rc=124 && return; }
    worker_rc=0
    wait "$worker_pid" || worker_rc=$?
    worker_pid=
}

# What the kernel says of the worker.
worker_kb() { # VmHWM|VmRSS
    sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$worker_pid/status"
}
worker_open() { # what its descriptors are, one a line: a path, socket:[INODE], ...
    find "/proc/$worker_pid/fd" -mindepth 1 -printf '%l\n'
}

set_up() { # [CONFIG-LINE...]
    install_tree
    enable_pam
    start_simulator
    write_config "$@"
    start_worker
}

# ---- logging in ------------------------------------------------------------------------------------------------------

# A root's su passes no password, so what refuses it is the account stack. Sets out and rc.
try_su() { # LOGIN
    capture su -l "$1" -c 'echo let in as $(id -un)'
}

assert_let_in() { # NAME LOGIN
    try_su "$2"
    assert_match "$1" "^let in as $2\$" "$out"
}

# The gate says why, in a sentence, and never shows the URL (B12, K3).
assert_refused() { # NAME LOGIN [EXTENDED-REGEX]
    try_su "$2"
    assert_eq "$1: su fails" 1 "$((rc != 0))"
    assert_no_match "$1: there is no shell" 'let in as' "$out"
    assert_match "$1: the reason is said" "${3:-invitation}" "$out"
    assert_no_match "$1: no link is shown" 'https?://' "$out"
}

sshd_port=2222

start_sshd() {
    local sshd
    sshd=$(command -v sshd)
    install -d -m 0755 /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
    [ -e "$work/user_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
    printf '%s\n' "Port $sshd_port" 'ListenAddress 127.0.0.1' "HostKey $work/host_key" 'PidFile none' \
        'UsePAM yes' 'PubkeyAuthentication yes' 'PasswordAuthentication yes' 'KbdInteractiveAuthentication yes' \
        'UseDNS no' 'LogLevel VERBOSE' >"$work/sshd_config"
    # Newer ones shut out an address after some refusals, which are what a test is about.
    ! "$sshd" -t -f "$work/sshd_config" -o PerSourcePenalties=no 2>/dev/null ||
        echo 'PerSourcePenalties no' >>"$work/sshd_config"
    "$sshd" -D -f "$work/sshd_config" -E "$work/sshd.log" &
    sshd_pid=$!
    if ! wait_until 20 eval ": </dev/tcp/127.0.0.1/$sshd_port"; then
        fail 'sshd starts' "$(cat "$work/sshd.log")"
        finish
    fi
}

stop_sshd() {
    kill "$sshd_pid"
    wait "$sshd_pid" 2>/dev/null
}

# Lets LOGIN in with the test's key.
give_key() { # LOGIN
    local home
    home=$(getent passwd "$1" | cut -d: -f6)
    install -d -m 0700 -o "$1" -g "$(id -gn "$1")" "$home/.ssh"
    install -m 0600 -o "$1" -g "$(id -gn "$1")" "$work/user_key.pub" "$home/.ssh/authorized_keys"
}

# Answers what ssh prompts for: $old for a (current) password, $new for a new one.
write_askpass() {
    cat >"$work/askpass" <<'END'
#!/bin/sh
case $1 in
*[Nn]ew*) echo "$NEW_PASSWORD" ;;
*) echo "$OLD_PASSWORD" ;;
esac
END
    chmod 755 "$work/askpass"
}

# Sets out and rc.
try_ssh() { # publickey|password|keyboard-interactive LOGIN
    [ -e "$work/askpass" ] || write_askpass
    capture env OLD_PASSWORD="${old:-}" NEW_PASSWORD="${new:-}" SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force \
        ssh -F none -p "$sshd_port" -i "$work/user_key" -o PreferredAuthentications="$1" -o NumberOfPasswordPrompts=1 \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 \
        "$2@127.0.0.1" 'echo let in as $(id -un)'
}

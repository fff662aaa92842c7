#!/bin/bash
# A crowd at once: so many accounts that are new, so many guests that the tenant has already, and a thousand calls a
# second on the socket. All are served, in bounded memory, and no descriptor stays. How long an account check takes
# meanwhile is printed, against the same on a quiet host.
#
# CROWD=N new accounts, KNOWN=N guests, LONG=N seconds of calls; `make soak` has 10,000, 100,000 and 60.
. "$(dirname "$0")/lib.sh"
crowd=${LAB_CROWD:-400} known=${LAB_KNOWN:-1000} seconds=${LAB_LONG:-3}
rate=1000
memory_max=131072 # KiB: half of the unit's MemoryMax=
patience=$((120 + (crowd + known) / 50))
set_up 'max_new = 0;' 'hook_wait = 0;' 'refresh_interval = 3600;' \
    'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );'

peak() { worker_kb VmHWM; }
memory() { worker_kb VmRSS; }
descriptors() { worker_open | grep -vc '^socket:'; }
sockets() { worker_open | grep -c '^socket:'; }
add_accounts() { # PREFIX NUMBER FIRST-UID; at once
    awk -v prefix="$1" -v number="$2" -v uid="$3" -v gid="$(getent group partners | cut -d: -f3)" -v OFS=: '{ print }
        END { for (i = 0; i < number; i++)
            print prefix i, "x", uid + i, gid, "Crowd Example <" prefix i "@fabrikam.com>", "/", "/bin/sh" }' \
        /etc/passwd >/etc/passwd.new
    chmod 644 /etc/passwd.new
    mv /etc/passwd.new /etc/passwd
}
count() { # STATE
    entra-invite status --json | json ".counts.$1"
}
count_is() { # STATE NUMBER
    [ "$(count "$1")" = "$2" ]
}
# Nanoseconds of one account check by the module alone, of an account that is pending; empty where the program of
# `make bench` is not built.
check_time() {
    [ ! -x "$repo/build/release/bench/pam-time" ] ||
        "$repo/build/release/bench/pam-time" "$work/pam.d" taylor 5 gate=6 | sort -n | sed -n 3p
}
mkdir "$work/pam.d"
echo 'account required pam_entra_invite.so' >"$work/pam.d/gate"

useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
quiet=$(check_time) descriptors=$(descriptors)

# ---- new accounts ----------------------------------------------------------------------------------------------------

add_accounts new "$crowd" 100000
wait_until 20 eval '[ "$(count queued)" != 0 ]'
busy=$(check_time)
assert_within "$patience" "$crowd at once: all are invited" count_is pending $((crowd + 1))
assert_eq 'each is one guest, by one invitation' "$((crowd + 1)) 1 1" "$(simulator ledger | json '.addresses && [
    Object.keys(value.addresses).length, ...["guests", "posts"].map((what) =>
        Math.max(...Object.values(value.addresses).map((one) => one[what].length)))].join(" ")')"
assert_true "the peak of memory is below half of the unit's limit ($(peak) KiB)" test "$(peak)" -le $memory_max
echo "# account check: ${quiet:-not measured} ns on a quiet host, ${busy:-not measured} ns while $crowd are invited"

# ---- guests that are there -------------------------------------------------------------------------------------------

simulator seed "{\"count\":$known,\"kind\":\"accepted\",\"domain\":\"known.example\"}" >/dev/null
write_config 'max_new = 0;' 'hook_wait = 0;' 'refresh_interval = 3600;' 'rules = ( { name = "partners"; group = "partners";
    existing = "invite"; email_domains = ( "fabrikam.com", "known.example" ); } );'
kill -HUP "$worker_pid"
add_accounts user "$known" 200000
sed -i -E '/^user[0-9]/s/@fabrikam.com/@known.example/' /etc/passwd
assert_within "$patience" "$known that are guests already: all are linked" count_is accepted "$known"
assert_true "the peak of memory is below half of the unit's limit ($(peak) KiB)" test "$(peak)" -le $memory_max
capture_limit=$patience capture_timed entra-invite refresh --wait="$patience"
assert_eq "a refresh of everybody ends (in $took s)" '0 refreshed' "$rc $out"
echo "# account check: $(check_time) ns with $((crowd + known + 1)) accounts"

# ---- calls -----------------------------------------------------------------------------------------------------------

before=$(memory)
# Announce reads the account files, as the useradd does that makes it: ten of them a second are more than useradds there
# can be on a host with so many accounts.
mix=('io.entrainvite.Announce={"login":"root","source":"pam"}')
for _ in {1..33}; do
    mix+=('io.entrainvite.Show={"target":"taylor"}' 'org.varlink.service.GetInfo={}' 'io.entrainvite.Status={}')
done
node "$repo/tests/host/many-calls.js" "$socket" $rate "$seconds" "${mix[@]}" >"$work/calls" 2>&1 &
calls=$!
sleep 1
capture_timed useradd -M -G partners -c 'Robin Example <robin@fabrikam.com>' robin
assert_true "$rate calls a second: useradd succeeds meanwhile (in $took s)" test "$rc" = 0 -a "$took" -le 5
busy=$(check_time)
wait "$calls"
assert_eq "$rate calls a second for $seconds s: each is answered" "$((rate * seconds)) 0" \
    "$(json '.answers + " " + value.errors' <"$work/calls")"
echo "# $(cat "$work/calls"); account check meanwhile: ${busy:-not measured} ns"
assert_within 20 'robin is invited' state_is robin pending
assert_eq 'no descriptor stays' "$descriptors" "$(descriptors)"
assert_within 20 'nor a connection' eval '[ "$(sockets)" -le 20 ]'
assert_true "memory is what it was ($before KiB, then $(memory))" test "$(memory)" -le $((before + before / 4))
finish

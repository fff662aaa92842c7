#!/bin/bash
# What watches over many hosts: metrics for node_exporter, the plugin for Nagios and its like, root's message of the day.
. "$(dirname "$0")/lib.sh"

collector=/var/lib/prometheus/node-exporter
metrics=$public/entra-invite.prom
install -d -m 0755 "$collector"
ln -s "$metrics" "$collector/entra-invite.prom"
set_up "metrics_file = \"$metrics\";"
bin=$(command -v entra-invite)

metric() { # SAMPLE; its value
    sed -n "s/^$1 //p" "$collector/entra-invite.prom"
}

metric_is() { # SAMPLE VALUE
    [ "$(metric "$1")" = "$2" ]
}

accounts() { # STATE; the sample
    echo "entra_invite_accounts{rule=\"partners\",state=\"$1\"}"
}

check_as() { # LOGIN [OPTION...]; what NRPE does
    capture runuser -u "$1" -- "$bin" check "${@:2}"
}

# ---- all is well
capture entra-invite check
assert_match 'nothing there yet: OK' '^ENTRA-INVITE OK - 0 queued, 0 pending, 0 accepted, 0 failed \| ' "$out"
assert_eq 'nothing there yet: exit code' 0 "$rc"
capture useradd -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_within 20 'Taylor is invited' state_is taylor pending
assert_within 20 'the metrics say so, by the link' metric_is "$(accounts pending)" 1
assert_eq 'everybody may read them' 644 "$(stat -L -c %a "$collector/entra-invite.prom")"
assert_eq 'they are written by the service user' entra-invite "$(stat -L -c %U "$collector/entra-invite.prom")"
assert_true 'nobody can read them through the link' runuser -u nobody -- cat "$collector/entra-invite.prom"
if command -v promtool >/dev/null; then
    assert_true 'promtool has nothing to say against them' promtool check metrics <"$metrics"
    assert_eq 'promtool: nor any advice' '' "$(promtool check metrics <"$metrics" 2>&1)"
fi
motd=$(entra-invite check --motd)
assert_eq 'no message of the day' '' "$motd"

# ---- somebody failed
capture useradd -G partners -c 'Robin Example <robin@adatum.example>' robin
assert_within 20 "Robin's domain is not allowed" state_is robin failed
capture entra-invite check
assert_eq 'one failed: WARNING' 1 "$rc"
assert_match 'one failed: the line' '^ENTRA-INVITE WARNING - 1 failed \| .* failed=1;0;;0 ' "$out"
assert_match 'one failed: who and why' '^failed: robin \(domain-not-allowed\) since 20' "$out"
check_as nobody
assert_eq 'as nobody: WARNING too' 1 "$rc"
assert_match 'as nobody: who and why' '^failed: robin \(domain-not-allowed\)' "$out"
check_as nobody --failed ,
assert_eq 'as nobody, with other limits: OK' 0 "$rc"
assert_within 20 'the metrics have one failed' metric_is "$(accounts failed)" 1

# ---- the queue stands
simulator fault '{"match":{"path":"^/v1.0/"},"action":{"status":429,"retryAfter":300}}' >/dev/null
capture useradd -G partners -c 'Kim Example <kim@fabrikam.com>' kim
assert_within 20 'Kim waits' state_is kim queued
assert_within 20 'the metrics have who waits' metric_is "$(accounts queued)" 1
assert_true 'since when' test "$(metric entra_invite_oldest_queued_timestamp_seconds)" -gt 1700000000
assert_true 'until when Microsoft asked to wait' test "$(metric entra_invite_hold_until_timestamp_seconds)" -gt "$(date +%s)"
assert_true 'the 429s are counted' grep -Eq '^entra_invite_throttled_total\{kind="(read|write)"\} [1-9]' "$metrics"
capture entra-invite check --queue-age ,0s
assert_eq 'a queue that stands: CRITICAL' 2 "$rc"
assert_match 'a queue that stands: the line' '^ENTRA-INVITE CRITICAL - 1 queued, the oldest for ' "$out"

# ---- the message of the day
said="$(entra-invite check --motd)"
assert_eq 'message of the day: numbers, no names' 'entra-invite: 1 invitation failed. See: sudo entra-invite check' "$said"
if [ -d /etc/update-motd.d ] && find / -xdev -name pam_motd.so 2>/dev/null | grep -q . && command -v pamtester >/dev/null; then
    find /etc/update-motd.d -type f ! -name '95-entra-invite' -delete
    assert_eq 'update-motd: the script may be run by root only as it is' '755 root' \
        "$(stat -c '%a %U' /etc/update-motd.d/95-entra-invite)"
    echo 'session optional pam_motd.so motd=/run/motd.dynamic' >/etc/pam.d/motd-test
    capture pamtester motd-test root open_session
    assert_match 'pam_motd: root is told' '^entra-invite: 1 invitation failed\. See: sudo entra-invite check$' "$out"
    mv "$bin" "$bin.away"
    capture pamtester motd-test root open_session
    assert_no_match 'pam_motd: silent after the program is gone' entra-invite "$(grep -v pamtester <<<"$out")"
    capture run-parts --lsbsysinit /etc/update-motd.d
    assert_eq 'run-parts: no error then' '0:' "$rc:$out"
    mv "$bin.away" "$bin"
fi
make -s -C "$repo" install UPDATEMOTDDIR= PROFILEDIR=/etc/profile.d DESTDIR="$work/root" >"$work/install-profile" 2>&1 ||
    fail 'make install with PROFILEDIR' "$(cat "$work/install-profile")"
profile=$work/root/etc/profile.d/entra-invite.sh
assert_false 'with UPDATEMOTDDIR empty there is no script for pam_motd' test -e "$work/root/etc/update-motd.d"
# shellcheck disable=SC2016 # the path is for the inner shell
login_shell() { # WHO; what a shell at a terminal says that reads the file
    runuser -u "$1" -- script -qec "sh -c '. $profile; echo end'" /dev/null </dev/null | tr -d '\r'
}
chmod 755 "$work" "$work/root"
assert_match 'profile.d: root is told at a terminal' '^entra-invite: 1 invitation failed' "$(login_shell root)"
assert_eq 'profile.d: others are not' end "$(login_shell nobody)"
assert_eq 'profile.d: nor is a shell without a terminal' end "$(sh -euc ". $profile; echo end")"

# ---- the worker ends
stop_worker
assert_eq 'stopped: the metrics say so' 0 "$(metric entra_invite_up)"
capture entra-invite check
assert_eq 'stopped: CRITICAL' 2 "$rc"
assert_match 'stopped: the line' '^ENTRA-INVITE CRITICAL - entra-invited does not answer' "$out"
check_as nobody --failed , --queue-age , --refresh-age ,1s
assert_eq 'stopped, as nobody: seen by the view that is not refreshed' 2 "$rc"
assert_match 'stopped, as nobody: the line' '^ENTRA-INVITE CRITICAL - not refreshed for ' "$out"
write_config "metrics_file = \"$collector/no/entra-invite.prom\";"
: >"$worker_log"
start_worker
assert_true 'metrics that cannot be written: said, with the reason' \
    log_has "metrics_file: $collector/no/entra-invite.prom.tmp: No such file or directory \\[metrics-file\\]"
assert_eq 'metrics that cannot be written: once' 1 "$(grep -c metrics_file "$worker_log")"
assert_true 'and the worker works' worker_answers
stop_worker

finish

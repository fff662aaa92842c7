#!/bin/bash
# SIGHUP: the configuration is read again, without a start and without a gap.
. "$(dirname "$0")/lib.sh"
set_up

reload() { # CONFIG-LINE...
    write_config "$@"
    : >"$worker_log"
    kill -HUP "$worker_pid"
}
both_rules="rules = ( $default_rules,
    { name = \"vendors\"; group = \"vendors\"; email_domains = ( \"vendor.example\" ); existing = \"invite\"; } );"

useradd -M -G vendors -c 'Robin Example <robin@vendor.example>' robin >/dev/null 2>&1
capture entra-invite status robin
assert_eq 'before: robin is nobody of ours' 3 "$rc"
assert_let_in 'before: robin comes in' robin

reload "$both_rules"
assert_within 20 'another rule: said' log_has 'configuration was read again'
assert_within 20 'another rule: robin is invited' state_is robin pending
assert_eq 'another rule: and covered, also without a view' 'partners vendors' "$(tr '\n' ' ' <"$public/groups" | sed 's/ $//')"
assert_refused 'another rule: robin is refused' robin

# ---- a file that is wrong --------------------------------------------------------------------------------------------

reload "$both_rules" 'colour = "green";'
assert_within 20 'an unknown key: said, with file, line and key' log_has 'entra-invite\.conf:[0-9]+: colour'
capture entra-invite status
assert_match 'an unknown key: status says so' 'not in force.*colour' "$out"
useradd -M -G vendors -c 'Kim Example <kim@vendor.example>' kim >"$work/useradd" 2>&1
assert_match 'an unknown key: the old rules go on' 'kim.*is invited' "$(cat "$work/useradd")"
reload 'tenant = "other.onmicrosoft.com";'
assert_within 20 'another tenant: said' log_has 'another tenant needs a start'
capture entra-invite status
assert_match 'another tenant: status says so' 'not in force.*tenant' "$out"
assert_refused 'another tenant: the gate is as before' robin
chmod 0666 "$config"
kill -HUP "$worker_pid"
assert_within 20 'others could have written it: said' log_has 'entra-invite\.conf.*(write|mode)'
rm "$config"
: >"$worker_log"
kill -HUP "$worker_pid"
assert_within 20 'no file: said' log_has 'entra-invite\.conf: .*No such file'
assert_true 'no file: it answers' worker_answers

# ---- mended ----------------------------------------------------------------------------------------------------------

reload "$both_rules" 'accounts = ( { login = "sasha"; email = "sasha@fabrikam.com"; } );' 'hook_wait = 0;'
assert_within 20 'mended: said' log_has 'configuration was read again'
capture entra-invite status
assert_no_match 'mended: status says no more of it' 'not in force' "$out"
useradd -M -G partners -c 'Sasha Example' sasha >/dev/null 2>&1
assert_within 20 'mended: an address for a login counts' state_is sasha pending
assert_one_invitation 'robin' robin@vendor.example

# Many at once, while accounts are read all the time.
for _ in $(seq 30); do
    kill -HUP "$worker_pid"
    touch /etc/passwd
    sleep 0.02
done
assert_within 20 'thirty in a row: it answers' worker_answers
assert_within 20 'thirty in a row: at rest' eval 'entra-invite refresh --wait'
assert_eq 'thirty in a row: nothing is lost' 'pending pending pending' "$(show robin .state) $(show kim .state) $(show sasha .state)"
stop_worker
assert_eq 'it stops cleanly' 0 "$worker_rc"

finish

#!/bin/bash
# Killed around the mail (C9 to C11), or its answer lost: it is reported as unknown, and nothing ever repeats it but
# `resend` (design, idea 4 and Promises).
. "$(dirname "$0")/lib.sh"
set_up_crash

# Each of these is an occasion on which a worker that forgot might send again.
assert_stays_silent() {
    local before signal
    before=$(posts)
    for signal in TERM KILL TERM; do
        end_worker $signal
        start_worker
        capture entra-invite refresh --wait
    done
    capture entra-invite invite $login
    usermod -c "Taylor $before Example <$address>" $login
    capture entra-invite refresh --wait
    assert_eq "$case: restarts, refreshes and invite send nothing" "$before" "$(posts)"
}

assert_resend_sends_one() {
    local before
    before=$(mails)
    capture entra-invite resend $login
    assert_eq "$case: resend succeeds" 0 "$rc"
    assert_within 30 "$case: and its mail is known to be sent" mail_is sent
    assert_eq "$case: resend sends exactly one mail" $((before + 1)) "$(mails)"
    assert_one_guest
    assert_eq "$case: resend brings the latest link" "$(links undefined)" "$(show $login .inviteRedeemUrl)"
}

for point in C9:0 C10:1 C11:1; do
    begin_case "${point%:*}"
    EI_FAILPOINT=${point%:*} start_worker
    add_taylor
    assert_died
    recover
    assert_unknown_mail "${point#*:}"
    assert_stays_silent
    assert_resend_sends_one
    assert_stays_silent
    assert_redeems
done

begin_case 'C10, then C10 in the resend'
EI_FAILPOINT=C10 start_worker
add_taylor
assert_died
EI_FAILPOINT=C10 start_worker
become_quiet
capture entra-invite resend $login
assert_died
recover
assert_unknown_mail 2
assert_stays_silent
assert_redeems

requests='.requests.filter(request => request.mail)'
# The answer to the mail is lost. A kept connection that dies after the body was read is what libcurl would repeat by
# itself: exactly one request may arrive (X6).
while read -r sent action; do
    begin_case "the mail's answer: $action"
    fault "{\"match\":{$invitations,\"mail\":true},\"action\":{$action}}"
    start_worker
    add_taylor
    become_quiet
    assert_unknown_mail "$sent"
    assert_eq "$case: one request arrived" 1 "$(ledger "$address" "$requests.length")"
    assert_eq "$case: as the first of a fresh connection, HTTP/1.1 (X6)" '1 1.1' \
        "$(ledger "$address" "$requests.map(r => r.connectionRequest + ' ' + r.httpVersion).pop()")"
done <<'ACTIONS'
1 "close":true,"when":"after"
1 "reset":true,"when":"after"
0 "reset":true,"when":"before"
1 "status":503,"when":"after"
0 "status":500,"when":"before"
1 "truncate":40
1 "html":true
ACTIONS
assert_stays_silent
assert_resend_sends_one

# No mail goes out on a connection that another mail has left open, so none is repeated by libcurl (X6).
begin_case 'a second mail, its answer lost'
start_worker
add_taylor
become_quiet
assert_one_mail
fault "{\"match\":{$invitations,\"mail\":true},\"action\":{\"close\":true,\"when\":\"after\"}}"
capture entra-invite resend $login
assert_within 30 "$case: it is unknown" mail_is unknown
assert_unknown_mail 2
assert_eq "$case: two requests arrived, each on a connection of its own" '1 1' \
    "$(ledger "$address" "$requests.map(request => request.connectionRequest).join(' ')")"

# Definitely not applied: repeating it is free, and it is one mail in the end.
begin_case 'the mail is throttled'
fault "{\"match\":{$invitations,\"mail\":true},\"times\":2,\"action\":{\"status\":429,\"retryAfter\":\"1\"}}"
start_worker
add_taylor
become_quiet
assert_one_mail

assert_edges
finish

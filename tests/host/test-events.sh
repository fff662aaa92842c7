#!/bin/bash
# events: the history of one collaborator as the real worker writes it; and list: order and filters of real accounts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/offboard.sh"
set_up "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; } );" \
    'refresh_interval = 3600;'
roles "$change"

events_of() { # LOGIN JAVASCRIPT-PATH
    entra-invite events "$1" --json 2>>"$work/events.log" | json "$2" 2>>"$work/events.log"
}
words_of() { # LOGIN
    events_of "$1" '.map((event) => event.event).join(" ")'
}
latest() { # LOGIN WORD JAVASCRIPT-PATH; of the latest event with this word
    events_of "$1" ".filter((event) => event.event === '$2').pop()$3"
}
has_event() { # LOGIN WORD
    [[ " $(words_of "$1") " = *" $2 "* ]]
}
request_id() { # CLIENT-REQUEST-ID; Microsoft's, of the answer
    simulator requests '{}' | json ".find((request) => request.clientRequestId === '$1')?.requestId"
}

# ---- an invitation, from the request to the redemption ---------------------------------------------------------------

simulator fault '{"match":{"path":"/invitations$"},"times":1,"action":{"status":429,"retryAfter":"1"}}' >/dev/null
capture useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_eq 'useradd succeeds' 0 "$rc"
assert_within 30 'taylor is invited' state_is taylor pending
assert_eq 'who asked, the look-up, each attempt, the outcome' 'linked checking creating retry creating invited' \
    "$(words_of taylor | sed 's/ announced//')"
# The reading of the files may be faster than the hook, whose word is then an event of its own.
assert_eq 'which account it was, and who made it' 'taylor root' \
    "$(events_of taylor '.filter((event) => event.by).map((event) => event.login + " " + event.by).shift()')"
attempts=$(ledger taylor@fabrikam.com '.posts.map((post) => post.clientRequestId).join(" ")')
assert_eq 'each attempt has the id that was sent with it' "$attempts" \
    "$(events_of taylor '.filter((event) => event.event === "creating").map((event) => event.clientRequestId).join(" ")')"
assert_match 'there were two' '^[0-9a-f-]{36} [0-9a-f-]{36}$' "$attempts"
assert_match 'the failure has its error' '^throttled: .*429' "$(latest taylor retry '.error + ": " + value.find((event) => event.error).reason')"
assert_eq 'and Microsoft'\''s id of the answer' "$(request_id "${attempts%% *}")" \
    "$(latest taylor retry .requestId)"
assert_eq 'the invitation has the ids of its answer' "${attempts##* } $(request_id "${attempts##* }")" \
    "$(latest taylor invited '.clientRequestId') $(latest taylor invited '.requestId')"
simulator redeem taylor@fabrikam.com >/dev/null
entra-invite refresh --wait >/dev/null 2>&1
assert_within 20 'the redemption is an event' has_event taylor accepted

# ---- what admins decide ----------------------------------------------------------------------------------------------

entra-invite events taylor --follow --json >"$work/follow" 2>&1 &
follower=$!
assert_within 20 'events --follow begins with what was' grep -q '"event":"accepted"' "$work/follow"
capture entra-invite remove taylor --disable
assert_within 20 'remove --disable is done' has_event taylor guest-disabled
assert_eq 'who removed it, and how' 'taylor root disable' \
    "$(latest taylor removed '.login') $(latest taylor removed '.by') $(latest taylor removed '.about')"
assert_within 20 'events --follow goes on, an object a line' grep -q '^{.*"event":"guest-disabled".*}$' "$work/follow"
kill "$follower"
wait "$follower" 2>/dev/null
capture entra-invite restore taylor
assert_within 20 'restore is done' has_event taylor restored
assert_eq 'who asked for it' root "$(latest taylor restore .by)"
entra-invite invite robin@fabrikam.com --rule vendors --wait >/dev/null 2>&1
assert_within 20 'robin, by address, is invited' state_is robin@fabrikam.com pending
assert_eq 'who asked for robin' root "$(latest robin@fabrikam.com queued .by)"
capture entra-invite resend robin@fabrikam.com
assert_within 20 'the new redeem URL is an event' has_event robin@fabrikam.com url-renewed
assert_eq 'who asked for it' root "$(latest robin@fabrikam.com resend .by)"

# ---- how it is told ---------------------------------------------------------------------------------------------------

capture env TZ='<+0545>-5:45' entra-invite events taylor
assert_eq 'events: exit code' 0 "$rc"
assert_match 'people read local time, and who asked' '^20[0-9-]+T[0-9:]+\+05:45  .* \(taylor, by root\)$' "$out"
assert_match 'a sentence an event' '^20[0-9-]+T[0-9:]+\+05:45  the account has an address that may be invited \(taylor' "$out"
assert_match 'and who removed it' '^20.*  the invitation was taken back \(taylor, disable, by root\)$' "$out"
assert_match 'with the ids below' '^  request-id: [0-9a-f-]{36}$' "$out"
assert_eq 'oldest first' "$(grep -o '^20[^ ]*' <<<"$out" | sort)" "$(grep -o '^20[^ ]*' <<<"$out")"
assert_eq 'programs read UTC' true "$(events_of taylor '.every((event) => /^20[0-9-]+T[0-9:]+Z$/.test(event.at))')"
urls=$(ledger robin@fabrikam.com '.guests.length')
assert_no_match 'K7: no event has a redeem URL' 'https?://|redeem\?' "$(entra-invite events robin@fabrikam.com --json) guests: $urls"
capture entra-invite events nobody-here
assert_eq 'nobody of that name: exit code' 3 "$rc"
capture runuser -u nobody -- entra-invite events taylor
assert_eq 'root only: exit code' 4 "$rc"

# ---- list ------------------------------------------------------------------------------------------------------------

useradd -M -G vendors -c 'Kim Example <kim@adatum.example>' kim >"$work/useradd" 2>&1
useradd -M -G vendors -c 'Nobody yet' alex >"$work/useradd" 2>&1
useradd -M -G vendors -c "Sasha <a-rather-long-local-part-of-an-address@a-rather-long-name.of.adatum.example>" sasha >"$work/useradd" 2>&1
assert_within 20 'kim is invited' state_is kim pending
assert_within 20 'alex waits' state_is alex waiting
assert_within 20 'sasha is invited' state_is sasha pending
shown() { # OPTION...; the logins, with blanks between
    entra-invite list --no-header --columns=login "$@" 2>&1 | xargs
}
assert_eq 'without options: in order of login' 'alex kim sasha taylor -' "$(shown)"
assert_eq '--sort=-login' 'taylor sasha kim alex -' "$(shown --sort=-login)"
assert_eq '--rule, by state and login' 'alex kim sasha -' "$(shown --rule vendors --sort state,login)"
assert_eq '--domain' 'taylor -' "$(shown --domain fabrikam.com)"
assert_eq 'patterns' 'alex kim' "$(shown 'a*' '*@adatum.example')"
assert_eq '--newer-than' 'alex kim sasha taylor -' "$(shown --newer-than 1h)"
assert_eq '--older-than' '' "$(shown --older-than 1h)"
assert_eq 'with --state' 'sasha kim' "$(shown --state pending --sort=-login '?[ai]*')"
assert_eq 'in JSON as well' '["kim"]' "$(entra-invite list --json --domain adatum.example | json '.map((one) => one.login)')"
assert_eq 'and in CSV' 'kim,kim@adatum.example' "$(entra-invite list --csv --no-header --columns login,email kim)"
assert_match 'through a pipe nothing is cut' ' a-rather-long-local-part-of-an-address@a-rather-long-name\.of\.adatum\.example ' \
    "$(entra-invite list sasha)"
at_terminal() { # COLUMNS; the heading that list prints there
    script -qec "stty cols $1 rows 24; entra-invite list kim" /dev/null </dev/null | tr -d '\r' | head -n 1
}
assert_no_match 'on a narrow terminal the wide columns are left out' 'PRINCIPAL' "$(at_terminal 80)"
assert_match 'on a wide one they are there' 'USER PRINCIPAL NAME$' "$(at_terminal 240)"
capture entra-invite list --sort=size
assert_eq 'a bad key: exit code' 2 "$rc"
assert_match 'a bad key: named, with what would do' 'list: --sort size: takes .*login, email, rule, state' "$out"
capture entra-invite list --tenant --sort=login
assert_match 'not with --tenant, and why' '--sort with --tenant: the guests of a tenant are printed as' "$out"

# ---- the end -----------------------------------------------------------------------------------------------------------

gpasswd -d kim vendors >/dev/null 2>&1
capture entra-invite remove kim --forget
assert_eq 'remove --forget: exit code' 0 "$rc"
capture entra-invite events kim
assert_eq 'a history goes with its record' 3 "$rc"
kill_worker
start_worker
assert_true 'a history survives a crash' has_event taylor restored
stop_worker
assert_eq 'the worker stops cleanly' 0 "$worker_rc"

finish

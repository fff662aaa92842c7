#!/bin/bash
# import and export with a real worker: all or nothing, what is bad, resuming, a terminal and a pipe, thousands.
. "$(dirname "$0")/lib.sh"
vendors='{ name = "vendors"; group = "vendors"; email_domains = ( "adatum.example" );
    invitation: { redirect_url = "https://vendors.contoso.example/"; user_type = "member"; }; }'
set_up "rules = ( $default_rules, $vendors );" 'refresh_interval = 3600;'
csv=$work/people.csv

of_many() { # JAVASCRIPT-EXPRESSION on the ledger of one address; the sum over many…
    simulator ledger | json ".addresses && Object.entries(value.addresses).filter(([address]) => address.startsWith('many'))
        .reduce((sum, [, one]) => sum + ($1), 0)"
}
effects() { # ADDRESS
    ledger "$1" '.posts.filter(post => post.effect).length'
}
sent() { # ADDRESS JAVASCRIPT-EXPRESSION; of the latest POST
    ledger "$1" ".posts.slice(-1).map(({ body }) => [$2].join('|')).pop()"
}
recorded() { # how many
    entra-invite list --json | json .length
}
rows() { # NUMBER PREFIX; a plain file
    echo email
    seq -f "$2%g@fabrikam.com" 1 "$1"
}

# ---- Entra's own file ------------------------------------------------------------------------------------------------

printf '\xef\xbb\xbf%s\r\n' 'version:v1.0' \
    'Email address to invite [inviteeEmail] Required,Redirection url [inviteRedirectURL] Required,Send invitation message (true or false) [sendEmail],Customized invitation message [customizedMessageBody]' \
    'Example: cmpauser@contoso.com,https://myapplications.microsoft.com,true,"Hi, I added you"' \
    'anna@fabrikam.com,https://app.contoso.example/,true,"Dear ""Anna"", welcome"' \
    'bo@adatum.example,,false,' | sed '2,$s/^\xef\xbb\xbf//' >"$csv"
capture entra-invite import --wait "$csv"
assert_eq "the portal's file: exit code" 0 "$rc"
assert_match "the portal's file: the sums" '^2 rows: 2 invited$' "$out"
assert_eq "the portal's file: the row's settings apply" 'https://app.contoso.example/|Dear "Anna", welcome' \
    "$(sent anna@fabrikam.com 'body.inviteRedirectUrl, body.invitedUserMessageInfo.customizedMessageBody')"
assert_eq "the portal's file: an empty field leaves it to the configuration" 'https://myapps.microsoft.com/|Guest' \
    "$(sent bo@adatum.example 'body.inviteRedirectUrl, body.invitedUserType')"
assert_no_invitation "the portal's file: its example is nobody" cmpauser@contoso.com

# ---- all or nothing --------------------------------------------------------------------------------------------------

useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
useradd -M -c 'Sasha Example <sasha@fabrikam.com>' sasha >"$work/useradd" 2>&1
assert_within 20 'taylor is invited by useradd' state_is taylor pending
capture entra-invite invite gone@fabrikam.com --wait
capture entra-invite remove gone@fabrikam.com
before=$(recorded)
cat >"$csv" <<'END'
email,login,rule,send_message
kim@fabrikam.com,,,
kim@northwind.example,,,
carl@fabrikam.com,,nosuch,
karl@fabrikam.com,,vendors,
taylor@fabrikam.com,taylor,,
robin@fabrikam.com,taylor,,
sasha@fabrikam.com,sasha,,
nobody@fabrikam.com,nosuchlogin,,
gone@fabrikam.com,,,
dora@@fabrikam.com,,,
dora@fabrikam.com,,,perhaps
KIM@fabrikam.com,,,
END
capture entra-invite import "$csv"
assert_eq 'bad rows: exit code' 6 "$rc"
for named in '3: email.*northwind\.example' '4: rule.*nosuch' '5: email.*vendors' '7: email.*taylor@fabrikam\.com, not robin' \
    '8: login.*no rule' '9: login.*no such local account' '10: email.*removed' '11: email.*dora@@' '12: send_message.*perhaps' \
    '13: email.*in line 2 already'; do
    assert_match "bad rows: line ${named%%:*} is named, with column and reason" "people\\.csv:$named" "$out"
done
assert_no_match 'bad rows: the good ones are not named' 'csv:(2|6):' "$out"
assert_match 'bad rows: how many, and the mend' '10 of 12 rows are bad; nothing was done' "$out"
assert_eq 'bad rows: nothing is recorded' "$before" "$(recorded)"
assert_no_invitation 'bad rows: nobody is invited' kim@fabrikam.com

capture entra-invite import --dry-run --skip-bad "$csv"
assert_eq '--dry-run: exit code' 6 "$rc"
assert_match '--dry-run: the sums' '12 rows: 1 good, 1 already on record, 10 bad.*nothing was done' "$out"
assert_eq '--dry-run: nothing is recorded' "$before" "$(recorded)"

entra-invite import --skip-bad --wait --json "$csv" >"$work/json" 2>"$work/err"
assert_eq '--skip-bad: exit code' 6 $?
assert_eq '--json: one object for each row' 12 "$(wc -l <"$work/json")"
assert_eq '--json: the row that was good' '{"line":2,"login":null,"email":"kim@fabrikam.com","state":"pending","already":false,"column":null,"error":null}' \
    "$(grep '"line":2,' "$work/json")"
assert_eq '--json: the row that was there' 'true pending' "$(grep '"line":6,' "$work/json" | json '.already + " " + value.state')"
assert_eq '--json: a bad one' 'bad rule not-found' "$(grep '"line":4,' "$work/json" | json '.state + " " + value.column + " " + value.error.code')"
assert_one_invitation '--skip-bad: the good one' kim@fabrikam.com
assert_eq '--skip-bad: who was there is not asked for again' 1 "$(effects taylor@fabrikam.com)"
assert_no_invitation '--skip-bad: not the bad ones' dora@fabrikam.com

printf 'email\n"a\n' >"$csv"
capture entra-invite import "$csv"
assert_match 'a quote that nothing closes: the line' 'people\.csv:2: a quote opens' "$out"
capture entra-invite import /nowhere
assert_eq 'a file that is not there: exit code' 2 "$rc"

# ---- there and back --------------------------------------------------------------------------------------------------

cat >"$csv" <<'END'
email,display_name,message,language,type,sponsors,send_message,redirect_url,cc
ex1@fabrikam.com,"김, 민준 ""MJ""","안녕하세요
สวัสดี",ko-KR,,group:6c1c3f2e-0000-4000-8000-000000000001;requester,false,https://a.example/?x=1,boss@fabrikam.com
ex2@fabrikam.com,'=HYPERLINK(1),王小明,,member,,,,
ex3@fabrikam.com,'+1,'@me,,guest,robin@contoso.com,true,,
END
capture entra-invite import --wait "$csv"
assert_eq 'odd names are taken: exit code' 0 "$rc"
assert_eq 'odd names arrive as they are' '김, 민준 "MJ"' "$(sent ex1@fabrikam.com body.invitedUserDisplayName)"
assert_eq 'an apostrophe before a formula is no part of it' '=HYPERLINK(1)' "$(sent ex2@fabrikam.com body.invitedUserDisplayName)"
usermod -c '=cmd(1) <taylor@fabrikam.com>' taylor
entra-invite export >"$work/exported"
assert_false 'export: no cell begins a formula' grep -qE '(^|,)"?[=+@-]' "$work/exported"
capture entra-invite import "$work/exported"
assert_eq 'export is read back: exit code' 0 "$rc"
assert_match 'export is read back: all are there' "^$(recorded) rows: .* already on record|rows: [0-9]+ already" "$out"
for address in ex1 ex2 ex3; do entra-invite remove --forget "$address@fabrikam.com" >/dev/null; done
simulator user '{"find":"ex1@fabrikam.com","delete":"hard"}' >/dev/null
grep -v '^ex[23]@' "$work/exported" | awk 'NR == 1 || /ex1@/ { on = 1 } on { print } /cc|boss/ { on = 0 }' >"$csv"
capture entra-invite import "$csv"
assert_match 'what was forgotten comes back by the export' '1 queued' "$out"
entra-invite export | awk '/^ex1@/ { on = 1 } on { print } /boss/ { on = 0 }' >"$work/again"
assert_eq 'and is exported the same' "$(awk '/^ex1@/ { on = 1 } on { print } /boss/ { on = 0 }' "$work/exported")" "$(cat "$work/again")"

redeem taylor@fabrikam.com
assert_eq 'export --himmelblau: login and user principal name' "taylor:$(show taylor .userPrincipalName)" "$(entra-invite export --himmelblau)"

# ---- broken off, and again -------------------------------------------------------------------------------------------

{
    echo email,send_message
    seq -f 'many%g@fabrikam.com,true' 1 100
    seq -f 'many%g@fabrikam.com,' 101 1500
} >"$csv"
many_recorded() { # NUMBER at least
    [ "$(entra-invite list --json | grep -c '"email":.*many')" -ge "$1" ]
}
nothing_under_way() { # nor a mail, whose outcome nobody would know once the worker is killed
    [ "$(entra-invite list --json | json ".filter((one) => one.state === 'queued' || ['wanted', 'sending'].includes(one.mail)).length")" = 0 ]
}
entra-invite import "$csv" >"$work/out" 2>&1 &
import=$!
wait_pause=0.02 wait_until 20 many_recorded 1
kill -KILL $import
wait $import 2>/dev/null
reached=$(entra-invite list --json | grep -c '"email":.*many')
assert_true "killed in the middle ($reached of 1500)" test "$reached" -ge 1 -a "$reached" -lt 1500
# An answer that is lost on the way is looked up after a while, before anything is sent again: hence the long limits.
assert_within 180 'what was acknowledged is invited all the same' nothing_under_way
kill_worker
start_worker
assert_eq 'and survives the worker' "$reached" "$(entra-invite list --json | grep -c '"email":.*many')"
rc=0
out=$(timeout 200 entra-invite import --wait=180 "$csv" 2>&1) || rc=$?
assert_eq 'again with the same file: exit code' 0 "$rc"
assert_match 'again with the same file: the sums' "1500 rows: $((1500 - reached)) invited, $reached already on record\$" "$out"
assert_eq 'nobody is invited twice' '1500 1500' \
    "$(of_many one.guests.length) $(of_many 'one.posts.some((post) => post.effect) ? 1 : 0')"
mailed() { # NUMBER
    [ "$(of_many one.mails.length)" = "$1" ]
}
assert_within 30 'a hundred are mailed' mailed 100
capture entra-invite import "$csv"
assert_eq 'a file that is done' '1500 rows: 1500 already on record' "$out"
assert_eq 'one POST each, and one more with mail for a hundred' 1600 "$(of_many 'one.posts.filter((post) => post.effect).length')"
assert_eq 'nobody is mailed twice' 100 "$(of_many one.mails.length)"

# ---- a terminal, a pipe, ten thousand ---------------------------------------------------------------------------------

rows 10000 bulk >"$csv"
before=$(recorded)
out=$(TERM=xterm timeout 60 script -qec "stty cols 70; entra-invite import --dry-run $csv" /dev/null </dev/null)
assert_match 'on a terminal: a bar with rate, failures and time' 'checking [0-9]+/10000 (\[#* *\] )?[0-9.]+/s, 0 failed, .* left' "$out"
assert_match 'on a terminal: it is gone at the end' $'\r\033\\[K10000 rows: 10000 good; nothing was done' "$out"
assert_eq 'on a terminal: no line is wider' '' "$(tr '\r' '\n' <<<"$out" | sed 's/\x1b\[K//g' | awk 'length($0) > 70')"
out=$(entra-invite import --dry-run - <"$csv" 2>&1 | cat)
assert_eq 'through a pipe, from standard input: the sums alone' '10000 rows: 10000 good; nothing was done' "$out"
rss=$(/bin/bash -c 'entra-invite import --dry-run "$1" >/dev/null & peak=0
    while kill -0 $! 2>/dev/null; do
        now=$(sed -n "s/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$!/status" 2>/dev/null); peak=${now:-$peak}
    done; echo $peak' - "$csv")
assert_true "ten thousand rows are held in less than 32 MiB ($rss KiB)" test "$rss" -gt 0 -a "$rss" -lt 32768
assert_eq 'nothing of it is recorded' "$before" "$(recorded)"

# ---- interrupted -----------------------------------------------------------------------------------------------------

# What is in the background ignores SIGINT, unless a shell with job control starts it.
begin_import() { # FILE [OPTION...]; sets import
    rm -f "$work/import.pid"
    bash -mc 'entra-invite import "${@:3}" - <"$1" & echo $! >"$2"; wait $!' - "$1" "$work/import.pid" "${@:2}" \
        >"$work/out" 2>&1 &
    waiter=$!
    wait_until 10 test -s "$work/import.pid"
    import=$(cat "$work/import.pid")
}
end_import() { # SIGNAL; sets rc and out
    kill "-$1" "$import"
    rc=0
    wait "$waiter" || rc=$?
    out=$(cat "$work/out")
}
catches_sigint() {
    grep -q '^Name:.*entra-invite$' "/proc/$import/status" && grep -qi '^SigCgt:.*[2367abef]$' "/proc/$import/status"
}
bulk_recorded() { # NUMBER at least
    [ "$(entra-invite list --json | grep -c '"email":.*bulk')" -ge "$1" ]
}

mkfifo "$work/fifo"
exec 9<>"$work/fifo"
begin_import "$work/fifo"
wait_until 10 catches_sigint
end_import INT
exec 9>&-
assert_eq 'SIGINT while it reads: exit code' 130 "$rc"
assert_match 'SIGINT while it reads: what it says' 'interrupted; nothing was done' "$out"

begin_import "$csv"
wait_pause=0.02 wait_until 20 bulk_recorded 1
end_import INT
assert_eq 'SIGINT in the middle: exit code' 130 "$rc"
assert_match 'SIGINT in the middle: how far' 'interrupted: [1-9][0-9]* of 10000 rows are on record$' "$out"
assert_match 'SIGINT in the middle: how to go on' 'mend: run it again with the same file' "$out"
reached=$(sed -n 's/.*interrupted: \([0-9]*\) of.*/\1/p' <<<"$out")
assert_eq 'SIGINT in the middle: it says what is true' "$reached" "$(entra-invite list --json | grep -c '"email":.*bulk')"

begin_import "$csv"
wait_pause=0.02 wait_until 20 bulk_recorded $((reached + 1))
kill_worker
rc=0
wait "$waiter" || rc=$?
assert_eq 'the worker dies in the middle: exit code' 4 "$rc"
assert_match 'the worker dies in the middle: how far' 'of 10000 rows are on record$' "$(cat "$work/out")"
start_worker
kept=$(entra-invite list --json | grep -c '"email":.*bulk')
capture entra-invite import "$csv"
assert_eq 'and again: exit code' 0 "$rc"
assert_eq 'and again: only what is missing' "10000 rows: $((10000 - kept)) queued, $kept already on record" "$out"
assert_eq 'and again: all are on record, once' 10000 "$(entra-invite list --json | grep '"email":.*bulk' | sort -u | wc -l)"

finish

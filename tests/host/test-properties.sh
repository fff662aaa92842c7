#!/bin/bash
# Every property of an invitation (contract 2.2 to 2.7): from the configuration's defaults, per rule, and from `invite`;
# as sent, as shown; and what Microsoft does not do although it says nothing.
. "$(dirname "$0")/lib.sh"
install_tree
start_simulator
simulator set roles '["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]' >/dev/null

printf 'Grüß Gott,\nwillkommen – ยินดีต้อนรับ\n' >/etc/entra-invite/welcome.txt
boss=$(simulator user '{"kind":"member","address":"boss@contoso.example"}' | json .id)
lead=$(simulator user '{"kind":"member","address":"lead@contoso.example"}' | json .userPrincipalName)
alex=$(simulator user '{"kind":"member","address":"alex@contoso.example"}' | json .userPrincipalName)
owners=$(simulator user '{"kind":"group","address":"owners@contoso.example"}' | json .id)

defaults='redirect_url = "https://defaults.contoso.example/"; message_language = "nl-BE"; cc = ( "lead@contoso.example" );
    send_message = true; sponsors = ( "'$lead'" );'
vendors='redirect_url = "https://vendors.contoso.example"; user_type = "member";
    message_body_file = "/etc/entra-invite/welcome.txt"; message_language = "de-DE"; cc = ( );
    sponsors = ( "requester", "'$boss'", "group:'$owners'" );'
write_all() { # [LINE...]
    write_config "invitation: { $defaults };" "rules = ( { name = \"partners\"; group = \"partners\"; },
        { name = \"vendors\"; group = \"vendors\"; invitation: { $vendors }; } );" \
        "requesters = ( { login = \"alex\"; upn = \"$alex\"; } );" 'refresh_interval = 5;' "$@"
}
write_all
start_worker

add() { # LOGIN GROUP GECOS
    useradd -M -G "$2" -c "$3" "$1" >"$work/useradd" 2>&1 || fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
is_mailed() { # TARGET
    [ "$(show "$1" '.state + " " + value.mail')" = 'pending sent' ]
}
sent_body() { # ADDRESS true|false JAVASCRIPT-PATH; of the last POST with or without mail
    ledger "$1" ".posts.filter((post) => post.effect && post.sendInvitationMessage === $2).pop().body$3"
}
sponsors_of() { # ADDRESS; sorted ids
    ledger "$1" ".users[0].sponsors?.sort().join(' ')"
}
id_of() { # UPN
    simulator show "$1" | json '[0].id'
}
has_sponsors() { # ADDRESS ID...
    [ "$(sponsors_of "$1")" = "$(printf '%s\n' "${@:2}" | sort | paste -sd' ')" ]
}
warned() { # TARGET EXTENDED-REGEX
    show "$1" '.warnings.join("\n")' | grep -Eq -- "$2"
}

# ---- the configuration's defaults ------------------------------------------------------------------------------------

add taylor partners 'Taylor Example <taylor@fabrikam.com>'
assert_within 30 'defaults: invited and mailed' is_mailed taylor
assert_eq 'defaults: the body without mail' \
    'taylor@fabrikam.com|https://defaults.contoso.example/|Taylor Example|Guest|false|undefined' \
    "$(ledger taylor@fabrikam.com '.posts.filter((post) => !post.sendInvitationMessage).map(({ body }) =>
        [body.invitedUserEmailAddress, body.inviteRedirectUrl, body.invitedUserDisplayName, body.invitedUserType,
        body.sendInvitationMessage, body.invitedUserMessageInfo].map(String).join("|")).pop()')"
assert_eq 'defaults: the mail has language and copy' 'nl-BE lead@contoso.example undefined' \
    "$(sent_body taylor@fabrikam.com true '.invitedUserMessageInfo' | json ' && [value.messageLanguage,
        value.ccRecipients[0].emailAddress.address, String(value.customizedMessageBody)].join(" ")')"
assert_within 30 'defaults: the guest has the sponsor' has_sponsors taylor@fabrikam.com "$(id_of "$lead")"
assert_eq 'defaults: the mail names no sponsors again' undefined \
    "$(sent_body taylor@fabrikam.com true "['invitedUserSponsors@odata.bind']")"
assert_eq 'defaults: show --json' \
    'https://defaults.contoso.example/|Taylor Example|Guest|true|nl-BE|lead@contoso.example|users/'"$lead"'|false|PendingAcceptance' \
    "$(show taylor '.invitation' | json ' && [value.inviteRedirectUrl, value.invitedUserDisplayName, value.invitedUserType,
        value.sendInvitationMessage, value.invitedUserMessageInfo.messageLanguage,
        value.invitedUserMessageInfo.ccRecipients[0].emailAddress.address, value.invitedUserSponsors.join(),
        value.resetRedemption, value.status].join("|")')"
assert_eq 'defaults: nothing to warn of' '[]' "$(show taylor .warnings)"
assert_eq 'defaults: no member that Microsoft ignores' '' "$(ledger taylor@fabrikam.com '.posts.flatMap((post) =>
    post.ignored).join()')"
capture entra-invite show taylor
assert_match 'defaults: show for people' '^invitation\.inviteRedirectUrl: https://defaults\.contoso\.example/$' "$out"
assert_match 'defaults: show for people: the sponsor' "^invitation\.invitedUserSponsors: users/$lead\$" "$out"

# ---- a rule, and whoever ran useradd ---------------------------------------------------------------------------------

useradd -M alex >"$work/useradd" 2>&1
as_alex() { # COMMAND...; as sudo runs it for alex. The login uid cannot be set here; it beats SUDO_UID where it is.
    env SUDO_UID="$(id -u alex)" "$@"
}
if [ "$(cat /proc/self/loginuid 2>/dev/null || echo 4294967295)" != 4294967295 ]; then
    skip 'requester from SUDO_UID' 'this session has a login uid, which beats it'
else
    as_alex useradd -M -G vendors -c 'Kim Example <kim@adatum.example>' kim >"$work/useradd" 2>&1
    assert_within 30 'rule: invited and mailed' is_mailed kim
    assert_eq 'rule: the body' 'https://vendors.contoso.example Member' \
        "$(ledger kim@adatum.example '.posts.map(({ body }) => body.inviteRedirectUrl + " " +
            body.invitedUserType).pop()')"
    assert_eq 'rule: the text of the mail, from its file, to the byte' "$(cat /etc/entra-invite/welcome.txt)" \
        "$(sent_body kim@adatum.example true .invitedUserMessageInfo.customizedMessageBody)"
    assert_eq 'rule: no copy' undefined "$(sent_body kim@adatum.example true .invitedUserMessageInfo.ccRecipients)"
    assert_within 30 'rule: requester, user and group are sponsors' has_sponsors kim@adatum.example \
        "$(id_of "$alex")" "$boss" "$owners"
    assert_eq 'rule: sent in one body' 3 "$(sent_body kim@adatum.example false "['invitedUserSponsors@odata.bind'].length")"
    assert_true 'rule: show says that the text is left out' warned kim '^customizedMessageBody: Microsoft leaves the text out'
    assert_true 'rule: and that the language is void' warned kim '^messageLanguage: has no effect beside'
    assert_eq 'rule: a slash at the end of the URL is no difference' '' \
        "$(show kim '.warnings.filter((text) => /inviteRedirectUrl/.test(text)).join()')"
    assert_true 'the config check says that the text is left out' log_has 'rule "vendors": message_body: Microsoft leaves'
    assert_true 'and that the language is void' log_has 'rule "vendors": message_language: has no effect'
fi
add robin vendors 'Robin Example <robin@adatum.example>'
assert_within 30 'a requester who is nobody: invited all the same' is_mailed robin
assert_true 'it is said in show' warned robin '^invitedUserSponsors: "requester" is nobody'
assert_true 'and in the log' log_has 'robin@adatum\.example: sponsors: "requester" is nobody'
assert_within 30 'the others are sponsors' has_sponsors robin@adatum.example "$boss" "$owners"
assert_true 'it is still said' warned robin '"requester" is nobody'

# ---- the command line ------------------------------------------------------------------------------------------------

capture entra-invite invite vera@northwind.example --wait --rule partners --display-name 'Vera Ö' --type member \
    --redirect-url https://portal.contoso.example/in --message 'Hello
Vera' --language fr-FR --cc boss@contoso.example --sponsor "group:$owners" --sponsor requester --send-message
assert_eq 'invite with every option: exit code' 0 "$rc"
assert_within 30 'invite: mailed' is_mailed vera@northwind.example
assert_eq 'invite: show --json' \
    'https://portal.contoso.example/in|Vera Ö|Member|true|Hello\nVera|fr-FR|boss@contoso.example|groups/'"$owners" \
    "$(show vera@northwind.example '.invitation' | json ' && [value.inviteRedirectUrl, value.invitedUserDisplayName,
        value.invitedUserType, value.sendInvitationMessage, JSON.stringify(value.invitedUserMessageInfo.customizedMessageBody).slice(1, -1),
        value.invitedUserMessageInfo.messageLanguage, value.invitedUserMessageInfo.ccRecipients[0].emailAddress.address,
        value.invitedUserSponsors.join()].join("|")')"
assert_within 30 'invite: the guest has the sponsor' has_sponsors vera@northwind.example "$owners"
assert_eq 'invite: Microsoft made a member' Member "$(ledger vera@northwind.example '.users[0].userType')"
capture entra-invite invite walt@fabrikam.com --wait --no-send-message --message-file /etc/entra-invite/welcome.txt
assert_eq 'invite --no-send-message: nothing about a mail' null "$(show walt@fabrikam.com .invitation.invitedUserMessageInfo)"
capture entra-invite invite xena@fabrikam.com --cc a@contoso.example --cc b@contoso.example
assert_eq 'two copies: exit code' 2 "$rc"
assert_match 'two copies: Graph takes one' 'takes one cc recipient, not 2' "$out"
capture entra-invite invite xena@fabrikam.com --sponsor alex
assert_eq 'a sponsor who is none: exit code' 2 "$rc"
capture entra-invite invite xena+tag@fabrikam.com
assert_match "a '+' is refused before the network (contract 2.4)" "must not have '\\+'" "$out"
assert_no_invitation 'and nothing was sent' xena+tag@fabrikam.com
capture entra-invite invite "xena.o'neil_x-y@fabrikam.com" --wait
assert_eq 'an apostrophe is none of the forbidden (contract 2.4)' 0 "$rc"

# ---- names in any script, to the byte --------------------------------------------------------------------------------

names='nok:สมชาย ใจดี
wei:张伟
jisoo:김지수
jurgen:Jürgen Größl-Übelhör'
while IFS=: read -r login name; do
    add "$login" partners "$name <$login@fabrikam.com>"
    assert_within 30 "$login: invited" state_is "$login" pending
    assert_eq "$login: GECOS to Graph" "$name" "$(ledger "$login@fabrikam.com" '.posts[0].body.invitedUserDisplayName')"
    assert_eq "$login: the guest's name" "$name" "$(ledger "$login@fabrikam.com" '.users[0].displayName')"
    assert_eq "$login: back in JSON" "$name" "$(show "$login" .invitation.invitedUserDisplayName)"
    out=$(TERM=xterm script -qec "entra-invite show $login" /dev/null </dev/null | tr -d '\r')
    assert_match "$login: back on a terminal" "^invitation\.invitedUserDisplayName: $name\$" "$out"
    assert_eq "$login: nothing to warn of" '[]' "$(show "$login" '.warnings.filter((text) => !/sponsor/i.test(text))')"
done <<<"$names"

# ---- what Microsoft does not do --------------------------------------------------------------------------------------

simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"alma@fabrikam.com"},"action":{"ghost":true}}' >/dev/null
capture entra-invite invite alma@fabrikam.com --wait --no-send-message
assert_within 30 '201 and no user appears: it is said' error_is alma@fabrikam.com unconfirmed
assert_eq 'and it is pending meanwhile' pending "$(show alma@fabrikam.com .state)"
capture entra-invite show alma@fabrikam.com
assert_match 'show for people says it' 'does not show it yet' "$out"
if command -v sqlite3 >/dev/null; then
    stop_worker
    runuser -u entra-invite -- sqlite3 "$database" \
        'UPDATE collaborator SET not_found_since = not_found_since - 86400 WHERE not_found_since > 0'
    start_worker
    assert_within 30 'a day later it is a failure of its own words' error_is alma@fabrikam.com guest-gone
    assert_match 'which say that it never appeared' 'was made, and has not shown it in a day' \
        "$(show alma@fabrikam.com .error.message)"
fi

simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"otto@fabrikam.com"},"times":1,
    "action":{"when":"after","body":{"id":"5b9d3c1e-1111-4a4a-9c9c-0a0a0a0a0a01","invitedUserType":"Guest",
    "invitedUserDisplayName":null,"status":"InProgress","inviteRedeemUrl":"https://login.example/redeem",
    "invitedUser":{"id":"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"}}}}' >/dev/null
capture entra-invite invite otto@fabrikam.com --wait --no-send-message --type member --display-name Otto
assert_true 'what is answered otherwise than sent is told: the type' warned otto@fabrikam.com \
    '^invitedUserType: "Member" was sent, Microsoft answered "Guest"'
assert_true 'and the name' warned otto@fabrikam.com '^invitedUserDisplayName: "Otto" was sent, Microsoft answered null'
assert_eq 'status is that of the answer' InProgress "$(show otto@fabrikam.com .invitation.status)"

simulator user '{"kind":"self-service","address":"ida@fabrikam.com"}' >/dev/null
capture entra-invite invite ida@fabrikam.com --wait
assert_eq 'a self-service guest is accepted' 'accepted null' "$(show ida@fabrikam.com '.state + " " + value.externalUserState')"
assert_true 'and that Microsoft keeps no state is said' warned ida@fabrikam.com '^externalUserState: Microsoft keeps none'

# ---- a member who is refused does not stop the others ----------------------------------------------------------------

simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations","address":"mia@fabrikam.com"},"times":0,
    "action":{"status":403,"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}' >/dev/null
capture entra-invite invite mia@fabrikam.com --type member
assert_within 30 'a member who is refused: it is said' error_is mia@fabrikam.com member-refused
assert_match 'with the mend' 'only administrators may make members' "$(show mia@fabrikam.com .error.mend)"
add sasha partners 'Sasha Example <sasha@fabrikam.com>'
assert_within 30 'and a guest is invited meanwhile' is_mailed sasha
simulator faults-clear >/dev/null

# ---- sponsors, whichever way it turns out ----------------------------------------------------------------------------

posts() { # ADDRESS
    ledger "$1" '.posts.length'
}
simulator set sponsorsBind '"refused"' >/dev/null
add anna partners 'Anna Example <anna@fabrikam.com>'
assert_within 30 'refused with sponsors: invited and mailed without' is_mailed anna
assert_within 30 'refused: the guest has them all the same' has_sponsors anna@fabrikam.com "$(id_of "$lead")"
assert_eq 'refused: one refusal, one guest, one mail' '3 1 1' \
    "$(posts anna@fabrikam.com) $(ledger anna@fabrikam.com .guests.length) $(ledger anna@fabrikam.com .mails.length)"
assert_match 'refused: the history has the attempts and the refusal between' 'creating (announced )?sponsors-refused creating .*sponsors-set' \
    "$(entra-invite events anna --json | json '.map((event) => event.event).join(" ")')"
assert_match 'refused: with the ids of that answer' '^[0-9a-f-]{36} [0-9a-f-]{36}$' \
    "$(entra-invite events anna --json |
        json '.filter((event) => event.event === "sponsors-refused").map((event) => event.requestId + " " + event.clientRequestId).join()')"
assert_within 30 'refused: nothing to warn of in the end' eval '[ "$(show anna .warnings)" = "[]" ]'
add bo partners 'Bo Example <bo@fabrikam.com>'
assert_within 30 'refused before: invited and mailed' is_mailed bo
assert_eq 'refused before: the next does not try it' 2 "$(posts bo@fabrikam.com)"
assert_within 30 'refused before: the guest has them' has_sponsors bo@fabrikam.com "$(id_of "$lead")"
simulator set sponsorsBind '"ignored"' >/dev/null
stop_worker
start_worker
add carl partners 'Carl Example <carl@fabrikam.com>'
assert_within 30 'ignored without a word: the guest has them' has_sponsors carl@fabrikam.com "$(id_of "$lead")"
assert_eq 'ignored: two POSTs' 2 "$(posts carl@fabrikam.com)"
simulator set sponsorsBind '"accepted"' >/dev/null
capture entra-invite invite dora@fabrikam.com --wait --sponsor 11111111-0000-4000-8000-000000000001
assert_eq 'a sponsor who does not exist: invited all the same' 0 "$rc"
assert_within 30 'and it is said which' warned dora@fabrikam.com 'users/11111111-0000-4000-8000-000000000001'
assert_eq 'the account has not failed' pending "$(show dora@fabrikam.com .state)"

# ---- sponsors by name ------------------------------------------------------------------------------------------------

bound() { # ADDRESS; what the first invitation names, without the root
    ledger "$1" ".posts[0].body['invitedUserSponsors@odata.bind']" |
        json '.map((url) => url.replace(/.*\/v1\.0\//, "")).join(" ")'
}
asked() { # ENCODED-NAME; how often for its id
    simulator requests '{"method":"GET","query":"^.?\\$select=id,mail$"}' |
        json '.filter((one) => decodeURIComponent(one.path) === "/v1.0/users/'"$1"'").length'
}
# A worker that starts anew has not learnt yet that the form is refused; by now nobody is left who could teach it.
capture entra-invite refresh --wait
stop_worker
start_worker
fay=$(simulator user '{"kind":"accepted","address":"fay@fabrikam.com"}' | json .userPrincipalName)
capture entra-invite invite gus@fabrikam.com --wait --sponsor "$fay" --sponsor "$lead" --sponsor "$boss"
assert_eq 'sponsors by name: invited' 0 "$rc"
assert_match 'one of them is a guest, with a name of its kind' '#EXT#' "$fay"
assert_eq 'the invitation names ids' "users/$(id_of "$fay") users/$(id_of "$lead") users/$boss" "$(bound gus@fabrikam.com)"
assert_within 30 'the guest has them' has_sponsors gus@fabrikam.com "$(id_of "$fay")" "$(id_of "$lead")" "$boss"
assert_eq 'show has the names that were given' "users/$fay,users/$lead,users/$boss" \
    "$(show gus@fabrikam.com '.invitation.invitedUserSponsors.join()')"
capture entra-invite invite hal@fabrikam.com --wait --sponsor "$fay" --sponsor "$(id_of "$fay")"
assert_eq 'name and id of one person: named once' "users/$(id_of "$fay")" "$(bound hal@fabrikam.com)"
assert_eq 'a name is asked for once' 1 "$(asked "$fay")"
capture entra-invite invite ike@fabrikam.com --wait --sponsor nobody@contoso.example --sponsor "$lead"
assert_eq 'a name that the tenant does not have: invited all the same' 0 "$rc"
assert_true 'and it is said by name' warned ike@fabrikam.com 'no user nobody@contoso\.example'
assert_eq 'the invitation goes out with the other' "users/$(id_of "$lead")" "$(bound ike@fabrikam.com)"
assert_within 30 'who is a sponsor' has_sponsors ike@fabrikam.com "$(id_of "$lead")"
assert_eq 'it was not refused' 1 "$(ledger ike@fabrikam.com '.posts.filter((post) => !post.sendInvitationMessage).length')"
simulator fault '{"match":{"path":"/users/late(@|%40)contoso","method":"GET"},"times":0,"action":{"status":403,
    "code":"Authorization_RequestDenied"}}' >/dev/null
late=$(simulator user '{"kind":"member","address":"late@contoso.example"}' | json .userPrincipalName)
capture entra-invite invite jim@fabrikam.com --wait --sponsor "$late"
assert_eq 'a name that may not be read: invited' 0 "$rc"
assert_eq 'by name, as there is nothing else' "users/${late/@/%40}" "$(bound jim@fabrikam.com)"
simulator faults-clear >/dev/null
mo=$(simulator user '{"kind":"member","address":"mo@contoso.example"}' | json .userPrincipalName)
simulator fault '{"match":{"path":"/users/mo(@|%40)contoso","method":"GET"},"times":0,"action":{"hold":"mo"}}' >/dev/null
for login in kay lou; do capture entra-invite invite "$login@fabrikam.com" --sponsor "$mo"; done
simulator wait '{"held":true,"count":1}' >/dev/null || fail 'the question for a name is held'
assert_eq 'nobody is invited before the name is known' '0 0' \
    "$(ledger kay@fabrikam.com .posts.length) $(ledger lou@fabrikam.com .posts.length)"
simulator faults-clear >/dev/null
for login in kay lou; do
    assert_within 30 "two who wait for one name: $login has the sponsor" has_sponsors "$login@fabrikam.com" "$(id_of "$mo")"
done
assert_eq 'two who wait for one name: it is asked for once' 1 "$(asked "$mo")"

simulator set sponsorsBind '"refused"' >/dev/null
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All"]' >/dev/null
simulator expire-tokens >/dev/null
stop_worker
start_worker
add emil partners 'Emil Example <emil@fabrikam.com>'
assert_within 30 'without User.ReadWrite.All: invited and mailed' is_mailed emil
assert_within 30 'and it is said that the guest has no sponsor, and what would help' warned emil \
    'does not have users/.*User\.ReadWrite\.All'
add finn partners 'Finn Example <finn@fabrikam.com>'
assert_within 30 'the worker is not blocked by it' is_mailed finn
assert_eq 'nobody was mailed twice' 1 \
    "$(simulator ledger | json '.addresses' | json ' && Math.max(...Object.values(value).map((one) => one.mails.length))')"

# ---- the config check ------------------------------------------------------------------------------------------------

check() { # SED-PROGRAM; sets out and rc
    sed "$1" "$config" >"$work/bad.conf"
    capture entra-invited --test --config "$work/bad.conf"
}
check 's/cc = ( "lead@contoso.example" )/cc = ( "a@b.example", "c@b.example" )/'
assert_match 'two copies in the configuration' 'invitation\.cc: Microsoft Graph takes one cc recipient, not 2' "$out"
check "s/sponsors = ( \"$lead\" )/sponsors = ( \"a@b.ex\", \"b@b.ex\", \"c@b.ex\", \"d@b.ex\", \"e@b.ex\", \"f@b.ex\" )/"
assert_match 'six sponsors in the configuration' 'invitation\.sponsors: Microsoft takes at most 5 sponsors' "$out"
chmod 666 /etc/entra-invite/welcome.txt
check ''
assert_match "a mail's text that others can write" 'welcome\.txt: mode 0666 lets group or others write' "$out"
chmod 644 /etc/entra-invite/welcome.txt

finish

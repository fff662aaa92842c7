#!/bin/bash
# The verbs of entra-invite that ask and invite, with a real worker: what they send, print and answer. (adopt and remove:
# test-verbs-held.sh, test-verbs-remove.sh.)
. "$(dirname "$0")/lib.sh"
vendors='{ name = "vendors"; group = "vendors"; email_domains = ( "adatum.example" );
    invitation: { redirect_url = "https://vendors.contoso.example/"; user_type = "member"; }; }'
# Nothing is looked at again by itself, so that two answers can be compared.
set_up "rules = ( $default_rules, $vendors );" 'refresh_interval = 3600;'

posts() { # ADDRESS
    ledger "$1" .posts.length
}
sent() { # ADDRESS JAVASCRIPT-EXPRESSION...; of the latest POST
    ledger "$1" ".posts.slice(-1).map(({ body }) => [$2].join(' ')).pop()"
}
# An account that has no invitation yet, whatever is done to it.
useradd_without_address() { # LOGIN
    useradd -M -G partners -c 'No address yet' "$1" >"$work/useradd" 2>&1
    assert_within 20 "$1 waits" state_is "$1" waiting
}

# ---- invite ADDRESS --------------------------------------------------------------------------------------------------

capture entra-invite invite anna@fabrikam.com --json
assert_eq 'invite ADDRESS: exit code' 0 "$rc"
assert_eq 'invite ADDRESS: the answer is the account' 'null anna@fabrikam.com queued' \
    "$(json '.login + " " + value.email + " " + value.state' <<<"$out")"
assert_one_invitation 'invite ADDRESS' anna@fabrikam.com
assert_within 20 'invite ADDRESS: it is pending' state_is anna@fabrikam.com pending
assert_eq 'invite ADDRESS: the default block applies' 'https://myapps.microsoft.com/ Guest false' \
    "$(sent anna@fabrikam.com 'body.inviteRedirectUrl, body.invitedUserType, body.sendInvitationMessage')"
capture entra-invite invite anna@fabrikam.com --wait
assert_eq 'inviting a pending guest again: exit code' 0 "$rc"
assert_eq 'inviting a pending guest again sends nothing' 1 "$(posts anna@fabrikam.com)"

capture entra-invite invite bo@adatum.example --rule vendors --wait
assert_eq 'invite --rule: exit code' 0 "$rc"
assert_match 'invite --wait says where it ended' 'bo@adatum\.example.*pending' "$out"
assert_eq 'invite --rule: that rule applies' 'https://vendors.contoso.example/ Member' \
    "$(sent bo@adatum.example 'body.inviteRedirectUrl, body.invitedUserType')"
assert_eq 'show names the rule' vendors "$(show bo@adatum.example .rule)"

assert_refused_invite() { # NAME EXIT-CODE WHAT-IS-NAMED ADDRESS [OPTION...]
    capture entra-invite invite "${@:4}"
    assert_eq "$1: exit code" "$2" "$rc"
    assert_match "$1: it is named" "$3" "$out"
    assert_match "$1: there is a mend" 'mend' "$out"
    assert_no_invitation "$1: nothing is sent" "$4"
    capture entra-invite show "$4"
    assert_eq "$1: nothing is recorded" 3 "$rc"
}
assert_refused_invite 'a domain that no rule lists' 1 'northwind\.example' kim@northwind.example
assert_refused_invite 'a domain that this rule does not list' 1 'vendors.*fabrikam\.com' kim@fabrikam.com --rule vendors
assert_refused_invite 'a rule that is not there' 3 nosuch kim@fabrikam.com --rule nosuch
assert_refused_invite 'a bad address' 1 'kim@@fabrikam\.com' kim@@fabrikam.com
assert_refused_invite 'a bad type' 2 alien kim@fabrikam.com --type alien
assert_refused_invite 'a bad copy address' 1 'b;oss' kim@fabrikam.com --cc 'b;oss@fabrikam.com'
assert_refused_invite 'two messages' 2 message kim@fabrikam.com --message a --message-file /etc/hostname
assert_refused_invite 'a message file that is not there' 2 nowhere kim@fabrikam.com --message-file /nowhere

# ---- each option reaches the body ------------------------------------------------------------------------------------

printf 'Dear "partner",\n\twelcome – Grüße.\n' >"$work/message"
number=0
mail_is_over() { # ADDRESS; --wait is for the URL, which comes before the mail
    [[ $(show "$1" .mail) =~ ^(none|sent|unknown)$ ]]
}
assert_option() { # MEMBER-OF-THE-BODY WANTED OPTION...
    number=$((number + 1))
    capture entra-invite invite "option$number@fabrikam.com" "${@:3}" --wait
    assert_eq "$3: exit code" 0 "$rc"
    assert_within 20 "$3: no mail is left to send" mail_is_over "option$number@fabrikam.com"
    assert_eq "$3 reaches the body" "$2" "$(sent "option$number@fabrikam.com" "body.$1")"
    assert_eq "$3: Graph ignores no member" '[]' "$(ledger "option$number@fabrikam.com" '.posts.pop().ignored')"
}
assert_option invitedUserDisplayName 'Ödön O. Example' --display-name 'Ödön O. Example'
assert_option inviteRedirectUrl https://portal.contoso.example/in?a=b --redirect-url https://portal.contoso.example/in?a=b
assert_option invitedUserMessageInfo.customizedMessageBody 'Welcome "all"' --message 'Welcome "all"' --send-message
assert_option invitedUserMessageInfo.customizedMessageBody "$(cat "$work/message")" --message-file "$work/message" \
    --send-message
assert_option invitedUserMessageInfo.messageLanguage fr-FR --language fr-FR --send-message
assert_option 'invitedUserMessageInfo.ccRecipients[0].emailAddress.address' boss@contoso.example --cc boss@contoso.example \
    --send-message
assert_eq 'what is for the mail goes out with the mail only' undefined \
    "$(ledger "option$number@fabrikam.com" '.posts[0].body.invitedUserMessageInfo')"
assert_option invitedUserType Member --type member
assert_option sendInvitationMessage true --send-message
assert_eq '--send-message: one mail' 1 "$(ledger "option$number@fabrikam.com" .mails.length)"
assert_option sendInvitationMessage false --no-send-message
assert_eq '--no-send-message: nothing is said of a mail' '' "$(sent "option$number@fabrikam.com" body.invitedUserMessageInfo)"
assert_eq '--no-send-message: one POST' 1 "$(posts "option$number@fabrikam.com")"
assert_eq '--no-send-message: no mail' 0 "$(ledger "option$number@fabrikam.com" .mails.length)"

# ---- invite LOGIN ----------------------------------------------------------------------------------------------------

useradd -M -c 'Uma Example <uma@fabrikam.com>' uma
capture entra-invite invite uma
assert_eq 'a login that no rule covers: exit code' 1 "$rc"
assert_match 'a login that no rule covers: the usermod is named' 'usermod -aG partners uma' "$out"
assert_no_invitation 'a login that no rule covers: nothing is sent' uma@fabrikam.com
capture entra-invite invite root
assert_eq 'root: exit code' 1 "$rc"
assert_match 'root: the reason' 'uid 0 is never a collaborator' "$out"
assert_no_match 'root: nobody is told to put it into a group' 'usermod' "$out"
capture entra-invite invite nosuchlogin
assert_eq 'a login that is not there: exit code' 3 "$rc"
assert_match 'a login that is not there: it is named' nosuchlogin "$out"

useradd_without_address vera
capture entra-invite invite vera --display-name 'V. Example' --redirect-url https://vera.contoso.example/
assert_eq 'invite LOGIN without an address yet: exit code' 0 "$rc"
assert_match 'invite LOGIN without an address yet: it waits' waiting "$out"
usermod -c 'Vera Example <vera@fabrikam.com>' vera
assert_one_invitation 'the address comes later' vera@fabrikam.com
assert_eq 'what invite LOGIN asked for still counts' 'V. Example https://vera.contoso.example/' \
    "$(sent vera@fabrikam.com 'body.invitedUserDisplayName, body.inviteRedirectUrl')"
capture entra-invite invite vera --rule nosuch
assert_eq 'invite LOGIN --rule: the rule must be there' 3 "$rc"

# ---- --dry-run -------------------------------------------------------------------------------------------------------

simulator user '{"kind":"accepted","address":"walt@fabrikam.com"}' >/dev/null
simulator user '{"kind":"member","address":"xena@fabrikam.com"}' >/dev/null
simulator user '{"kind":"pending","address":"yuri@fabrikam.com"}' >/dev/null
useradd_without_address zoe
recorded() {
    entra-invite list --json | json '.map((one) => [one.login, one.email, one.rule, one.state, one.requestedAt].join(" "))'
}
before=$(recorded)
dry_run() { # TARGET [OPTION...]
    capture entra-invite invite --dry-run "$@"
}
dry_run kim@fabrikam.com --display-name 'Kim Example' --message Hello --send-message --type member
assert_eq '--dry-run: exit code' 0 "$rc"
assert_eq '--dry-run prints the body' 'kim@fabrikam.com|https://myapps.microsoft.com/|Kim Example|Member|true|Hello' \
    "$(json ' && [value.invitedUserEmailAddress, value.inviteRedirectUrl, value.invitedUserDisplayName,
        value.invitedUserType, value.sendInvitationMessage, value.invitedUserMessageInfo.customizedMessageBody].join("|")' \
        <<<"$out")"
dry_run kim@fabrikam.com --json
assert_eq '--dry-run --json has account, alreadyGuest, body' 'account alreadyGuest body false' \
    "$(json ' && Object.keys(value).join(" ") + " " + value.alreadyGuest' <<<"$out")"
dry_run walt@fabrikam.com
assert_eq '--dry-run of an accepted guest: exit code' 0 "$rc"
assert_match '--dry-run of an accepted guest says so' 'walt@fabrikam\.com.*already a guest' "$out"
dry_run xena@fabrikam.com
assert_eq '--dry-run of a member: exit code' 1 "$rc"
assert_match '--dry-run of a member says why' 'member of the tenant' "$out"
dry_run yuri@fabrikam.com
assert_eq '--dry-run of a pending guest: exit code' 0 "$rc"
dry_run kim@contoso.example
assert_eq '--dry-run of a domain that no rule lists' 1 "$rc"
dry_run uma
assert_eq '--dry-run of a login that no rule covers' 1 "$rc"
dry_run zoe
assert_eq '--dry-run of a login without an address' 1 "$rc"
assert_match '--dry-run of a login without an address: the mend' usermod "$out"
dry_run vera --display-name 'Somebody Else'
assert_eq '--dry-run of a login' 'vera@fabrikam.com Somebody Else' \
    "$(json ' && value.invitedUserEmailAddress + " " + value.invitedUserDisplayName' <<<"$out")"
assert_eq '--dry-run recorded nothing' "$before" "$(recorded)"
for address in kim walt xena yuri; do
    assert_no_invitation "--dry-run sent nothing about $address" $address@fabrikam.com
done
assert_eq '--dry-run sent nothing about vera' 1 "$(posts vera@fabrikam.com)"

# ---- who is there already --------------------------------------------------------------------------------------------

capture entra-invite invite walt@fabrikam.com --wait
assert_eq 'an accepted guest: exit code' 0 "$rc"
assert_match 'an accepted guest is linked' 'walt@fabrikam\.com: accepted' "$out"
capture entra-invite invite walt@fabrikam.com
assert_eq 'an accepted guest, again: exit code' 0 "$rc"
assert_match 'an accepted guest, again: it says so' 'walt@fabrikam\.com: already a guest' "$out"
assert_no_invitation 'an accepted guest is not invited' walt@fabrikam.com
capture entra-invite invite xena@fabrikam.com --wait
assert_eq 'a member of the tenant: exit code' 1 "$rc"
assert_match 'a member of the tenant: code and mend' 'internal-user' "$out"
assert_no_invitation 'a member is not invited' xena@fabrikam.com

# ---- --wait ----------------------------------------------------------------------------------------------------------

simulator fault '{"match":{"method":"POST","path":"^/v1.0/invitations"},"action":{"hold":"wait","when":"before"}}' >/dev/null
capture_timed entra-invite invite kim@fabrikam.com --wait=2
assert_eq '--wait=2: exit code when its time is up' 5 "$rc"
assert_match '--wait=2: it says where it stands' queued "$out"
assert_true "--wait=2 waits that long (it took $took s)" test "$took" -ge 2 -a "$took" -le 6
simulator release wait >/dev/null
assert_within 20 'the work goes on' state_is kim@fabrikam.com pending

# ---- show ------------------------------------------------------------------------------------------------------------

# Prints what is wrong with the account on stdin, by the list of the design; nothing if it is as documented.
wrong_shape() {
    node -e '
        const time = (v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(v) && !isNaN(Date.parse(v));
        const text = (v) => typeof v === "string" && v.length > 0;
        const guid = (v) => text(v) && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(v);
        const orNull = (f) => (v) => v === null || f(v);
        const oneOf = (...words) => (v) => words.includes(v);
        const error = { code: text, message: text, mend: text, requestId: orNull(text), clientRequestId: orNull(guid),
            permanent: (v) => typeof v === "boolean" };
        const invitation = { invitedUserEmailAddress: text, inviteRedirectUrl: text, invitedUserDisplayName: orNull(text),
            invitedUserType: oneOf("Guest", "Member"), sendInvitationMessage: (v) => typeof v === "boolean",
            invitedUserMessageInfo: orNull((v) => typeof v === "object"),
            invitedUserSponsors: (v) => Array.isArray(v) && v.every(text),
            resetRedemption: (v) => typeof v === "boolean", status: orNull(text) };
        const account = {
            login: orNull(text), host: orNull(guid), email: orNull(text), rule: orNull(text),
            state: oneOf("waiting", "held", "queued", "pending", "accepted", "failed", "removed", "expired"),
            requestedBy: orNull(text), requestedAt: orNull(time), inviteRedeemUrl: orNull((v) => /^https:\/\/./.test(v)),
            invitedUserId: orNull(guid), userPrincipalName: orNull(text), invitedUserType: orNull(oneOf("Guest", "Member")),
            externalUserState: orNull(text), externalUserStateChangeDateTime: orNull(time), checkedAt: orNull(time),
            mail: oneOf("none", "wanted", "sending", "sent", "unknown", "held"),
            mailChannel: oneOf("none", "microsoft", "smtp", "webhook"), mailedAt: orNull(time),
            remindedAt: orNull(time), expiredAt: orNull(time),
            entraGroups: (v) => Array.isArray(v), deletedGuestId: orNull(guid),
            error: orNull((v) => wrong(v, error).length === 0),
            asked: orNull((v) => Object.keys(v).length > 0), invitation: orNull((v) => wrong(v, invitation).length === 0),
            warnings: (v) => Array.isArray(v) && v.every(text) };
        function wrong(value, shape) {
            const names = [...new Set([...Object.keys(shape), ...Object.keys(value)])];
            return names.filter((n) => !(n in shape) || !(n in value) || !shape[n](value[n]));
        }
        const value = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const all = Array.isArray(value) ? value : [value];
        for (const one of all)
            for (const name of wrong(one, account))
                console.log(`${one.login || one.email}: ${name} = ${JSON.stringify(one[name])}`);'
}
useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'taylor is pending' state_is taylor pending
for target in taylor zoe walt@fabrikam.com xena@fabrikam.com anna@fabrikam.com; do
    capture entra-invite show "$target" --json
    assert_eq "show $target: exit code" 0 "$rc"
    assert_eq "show $target: exactly the documented members, of their types" '' "$(wrong_shape <<<"$out")"
done
capture entra-invite refresh --wait
assert_eq 'show has what Graph said of a pending guest' 'PendingAcceptance Guest string string' \
    "$(show taylor '.externalUserState + " " + value.invitedUserType + " " + typeof value.checkedAt + " " +
        typeof value.userPrincipalName')"
assert_eq 'show of an accepted guest has no URL' null "$(show walt@fabrikam.com .inviteRedeemUrl)"
assert_eq 'show of a failed one says why' 'internal-user true' \
    "$(show xena@fabrikam.com '.error.code + " " + value.error.permanent')"
assert_eq 'show says who asked' root "$(show anna@fabrikam.com .requestedBy)"
capture entra-invite show taylor
assert_match 'show for people has a line per member' "^inviteRedeemUrl: $(show taylor .inviteRedeemUrl | sed 's/[?.+]/\\&/g')\$" "$out"
capture entra-invite show nobody@fabrikam.com
assert_eq 'show of a stranger: exit code' 3 "$rc"
assert_match 'show of a stranger: it is named' nobody@fabrikam.com "$out"
capture entra-invite show TAYLOR@Fabrikam.com --json
assert_eq 'an address is found in any case' taylor "$(json .login <<<"$out")"

# ---- list ------------------------------------------------------------------------------------------------------------

capture entra-invite list --json
assert_eq 'list --json: each is as show has it' '' "$(wrong_shape <<<"$out")"
assert_eq 'list --json: logins in order, then addresses' true "$(json '.map((one) => (one.login ? "" : "~") +
    (one.login || one.email)).every((key, i, all) => i === 0 || all[i - 1] < key)' <<<"$out")"
assert_eq 'list --json: taylor is in it as shown' "$(show taylor '')" "$(json '.find((one) => one.login === "taylor")' <<<"$out")"
count=$(json .length <<<"$out")
capture entra-invite list
assert_eq 'list: one line each and a heading' $((count + 1)) "$(wc -l <<<"$out")"
assert_match 'list: the heading' '^LOGIN +EMAIL +RULE +STATE +SINCE' "$out"
assert_match 'list: a line' '^taylor +taylor@fabrikam\.com +partners +pending +20..-' "$out"
assert_no_match 'list has no URL' 'https://' "$out"
capture entra-invite list --state waiting --state failed --json
assert_eq 'list --state, twice: only those' 'failed,waiting' \
    "$(json ' && [...new Set(value.map((one) => one.state))].sort().join()' <<<"$out")"
capture entra-invite list --state nosuch
assert_eq 'list --state nosuch: exit code' 2 "$rc"
capture entra-invite list --csv
assert_eq 'list --csv: one line each and a heading' $((count + 1)) "$(wc -l <<<"$out")"
assert_match 'list --csv: the heading' '^login,host,email,rule,state,.*,errorCode,errorMessage$' "$(head -n 1 <<<"$out")"
assert_match 'list --csv: a line' '^taylor,[0-9a-f-]+,taylor@fabrikam\.com,partners,pending,' "$out"
assert_match 'list --csv: an error' '^,,xena@fabrikam\.com,.*,internal-user,' "$out"
assert_no_match 'list --csv has no URL (K7)' 'https://' "$out"

# ---- resend ----------------------------------------------------------------------------------------------------------

url=$(show taylor .inviteRedeemUrl)
guest=$(show taylor .invitedUserId)
capture entra-invite resend taylor
assert_eq 'resend: exit code' 0 "$rc"
assert_true 'resend: a second POST arrives' simulator wait '{"address":"taylor@fabrikam.com","posts":2}' --timeout 20
capture entra-invite invite taylor --wait
assert_within 20 'resend: another URL' eval '[ "$(show taylor .inviteRedeemUrl)" != "$url" ]'
assert_eq 'resend: the URL of the latest answer' "$(ledger taylor@fabrikam.com '.posts.pop().inviteRedeemUrl')" \
    "$(show taylor .inviteRedeemUrl)"
assert_eq 'resend: the same guest' "$guest $guest" "$(show taylor .invitedUserId) $(ledger taylor@fabrikam.com '.guests.join()')"
assert_eq 'resend: no mail where mail is off' '0 none' "$(ledger taylor@fabrikam.com .mails.length) $(show taylor .mail)"
assert_eq 'resend: still pending' pending "$(show taylor .state)"
capture entra-invite resend walt@fabrikam.com
assert_eq 'resend to an accepted guest: exit code' 1 "$rc"
assert_match 'resend to an accepted guest: it says why' 'already' "$out"
capture entra-invite resend nobody@fabrikam.com
assert_eq 'resend to a stranger: exit code' 3 "$rc"
capture entra-invite resend zoe
assert_eq 'resend to one who was not invited: exit code' 1 "$rc"

# ---- refresh and status ----------------------------------------------------------------------------------------------

capture entra-invite refresh
assert_eq 'refresh: exit code and word' '0 refreshing' "$rc $out"
capture entra-invite refresh --wait --json
assert_eq 'refresh --wait --json' '0 true' "$rc $(json .done <<<"$out")"
simulator redeem taylor@fabrikam.com >/dev/null
capture entra-invite refresh --wait
assert_eq 'refresh --wait: exit code and word' '0 refreshed' "$rc $out"
assert_eq 'refresh --wait: what Graph says is known when it is done' 'accepted 0' "$(show taylor .state) $(status_of taylor)"
assert_true 'and the view has it' own_status_is taylor 0
simulator fault '{"match":{"path":"^/v1.0/users"},"action":{"hold":"refresh","when":"before"}}' >/dev/null
capture entra-invite refresh --wait=1
assert_eq 'refresh --wait=1 while Graph does not answer: exit code' 5 "$rc"
simulator release refresh >/dev/null

for expected in taylor:0 walt@fabrikam.com:0 anna@fabrikam.com:1 zoe:1 xena@fabrikam.com:2 stranger:3; do
    assert_eq "status of ${expected%:*}: exit code" "${expected##*:}" "$(status_of "${expected%:*}")"
done
capture entra-invite status xena@fabrikam.com
assert_match 'status of a failed one: the mend' 'mend: .+' "$out"
capture entra-invite status --json
assert_eq 'status: exit code' 0 "$rc"
assert_eq 'status --json: its members' 'status tenant blocked trouble doubt holdUntil mailHeld signedInAs tokenRenewedAt credentialExpiresAt lastRefresh counts redemption notes' \
    "$(json ' && Object.keys(value).join(" ")' <<<"$out")"
assert_eq 'status --json: a count for each state' 'waiting held queued pending accepted failed removed expired' \
    "$(json ' && Object.keys(value.counts).join(" ")' <<<"$out")"
assert_eq 'status --json: the counts are those of list' "$(entra-invite list --json | json '.length')" \
    "$(json ' && Object.values(value.counts).reduce((a, b) => a + b)' <<<"$out")"
capture entra-invite status
assert_match 'status for people' '^status: [0-9]+ pending, [0-9]+ accepted, [0-9]+ failed' "$out"
simulator set secret '"Another~Secret"' >/dev/null
simulator expire-tokens >/dev/null
capture entra-invite refresh --wait
capture entra-invite status
assert_eq 'status of a blocked worker: exit code' 2 "$rc"
assert_match 'status of a blocked worker: what and the mend' 'blocked: .*7000215' "$out"

capture entra-invite invite vetted@fabrikam.com --redirect-url 'apps page'
assert_eq 'a redirect URL that is none is refused' 2 "$rc"
assert_match 'and named' 'apps page' "$out"
capture entra-invite invite vetted@fabrikam.com --language 'Klingon language'
assert_eq 'a language that is none is refused' 2 "$rc"
assert_no_invitation 'neither was sent' vetted@fabrikam.com

# ---- not running -----------------------------------------------------------------------------------------------------

stop_worker
for verb in list 'show taylor' 'invite taylor' 'resend taylor' 'remove taylor' 'adopt taylor' refresh; do
    # shellcheck disable=SC2086
    capture entra-invite $verb
    assert_eq "$verb without a worker: exit code" 4 "$rc"
done
assert_match 'without a worker: the mend' 'systemctl start entra-invited' "$out"
assert_eq 'status without a worker: what was published last' 0 "$(status_of taylor)"

finish

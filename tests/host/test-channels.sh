#!/bin/bash
# deliver = "smtp" and "webhook": the redeem URL carried by ourselves, once, to the right one, in the words of the
# configuration; and what becomes of it when the relay or the webhook does not do.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/host/relay.sh
. "$(dirname "$0")/relay.sh"

install_tree
enable_pam
start_simulator
make_relay
start_relay
start_peer
hook=$(peer 'http status=202')
install -m 0600 -o entra-invite -g entra-invite /dev/stdin /etc/entra-invite/webhook-url \
    <<<"http://127.0.0.1:$hook/hook/s3cret-of-the-webhook"

templates=/etc/entra-invite/templates
mkdir -p "$templates"
printf 'Subject: 초대: {rule}\n\n{name} 님,\n{url}\n{hosts} {login}\n' >"$templates/ko.txt"
printf 'Subject: 邀请\n\n{name}：\n{url}\n' >"$templates/zh.txt"

rules='rules = ( { name = "partners"; group = "partners"; invitation: { deliver = "smtp"; }; },
    { name = "vendors"; group = "vendors"; invitation: { deliver = "webhook"; message_language = "zh-CN"; }; } );'
texts='templates = ( { rule = "vendors"; language = "zh"; file = "/etc/entra-invite/templates/zh.txt"; },
    { language = "ko-KR"; file = "/etc/entra-invite/templates/ko.txt"; } );'
webhook='webhook: { url_file = "/etc/entra-invite/webhook-url"; };'
write_config "$rules" "$(relay_config)" "$webhook" "$texts"
start_worker

add() { # LOGIN [NAME [GROUP]]
    capture useradd -m -s /bin/bash -G "${3:-partners}" -c "${2:-${1^} Example} <$1@fabrikam.com>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
mail_is() { # LOGIN MAIL
    [ "$(show "$1" '.state + " " + value.mail')" = "pending $2" ]
}
microsofts() { # LOGIN; POSTs and mails of Microsoft's
    ledger "$1@fabrikam.com" '.posts.length + " " + value.mails.length'
}
posted() { # JAVASCRIPT-PATH; what the webhook got
    peer "log $hook" | json ".flatMap((one) => one.requests)$1"
}
again() { # every occasion on which something could be sent again
    capture entra-invite refresh --wait
    stop_worker
    start_worker
    capture entra-invite refresh --wait
}

# ---- a mail of our own -----------------------------------------------------------------------------------------------

add taylor 'ทดสอบ Example'
assert_within 30 'smtp: pending, mail sent' mail_is taylor sent
assert_within 10 'smtp: one mail' mails_are taylor@fabrikam.com 1
assert_eq 'smtp: Microsoft was asked once, and mailed nothing' '1 0' "$(microsofts taylor)"
url=$(show taylor .inviteRedeemUrl)
assert_eq 'smtp: it carries the URL that is on record' true "$(mailbox taylor@fabrikam.com "[0].body.includes('$url')")"
assert_match 'smtp: and the name, in its own script' 'ทดสอบ Example' "$(mailbox taylor@fabrikam.com '[0].body')"
assert_match 'smtp: to that person' '<taylor@fabrikam.com>' "$(mailbox taylor@fabrikam.com '[0].to')"
assert_eq 'smtp: from whom the configuration says' 'Contoso IT <it@contoso.example>' \
    "$(mailbox taylor@fabrikam.com '[0].from')"
assert_eq 'smtp: no machine answers it' auto-generated "$(mailbox taylor@fabrikam.com '[0].headers["auto-submitted"]')"
assert_match 'smtp: the relay had it encrypted and signed in' 'esmtpsa' "$(mailbox taylor@fabrikam.com '[0].headers.received')"
assert_eq 'smtp: show says by whom' smtp "$(show taylor .mailChannel)"
assert_match 'smtp: and when' '^20..-..-..T..:..:..Z$' "$(show taylor .mailedAt)"
assert_refused 'smtp: until it is redeemed' taylor
again
assert_within 10 'smtp: nothing sends it again' mails_are taylor@fabrikam.com 1

capture entra-invite mail taylor
assert_eq 'mail prints what is sent' "$(mailbox taylor@fabrikam.com '[0].body')" "$(sed '1,/^$/d' <<<"$out")"
assert_match 'mail names the partner' '^To: taylor@fabrikam.com$' "$out"
capture entra-invite mail taylor --send --wait=30
assert_eq 'mail --send: exit code' 0 "$rc"
assert_within 10 'mail --send: one more' mails_are taylor@fabrikam.com 2
assert_eq 'mail --send: with the same URL' true "$(mailbox taylor@fabrikam.com "[1].body.includes('$url')")"
assert_eq 'mail --send: Microsoft was not asked' '1 0' "$(microsofts taylor)"
capture entra-invite resend taylor
assert_within 30 'resend: one more' mails_are taylor@fabrikam.com 3
assert_within 20 'resend: known to be sent' mail_is taylor sent
assert_eq 'resend: with a new URL' true "$(mailbox taylor@fabrikam.com "[2].body.includes('$(show taylor .inviteRedeemUrl)')")"
redeem taylor@fabrikam.com
assert_within 20 'redeemed: accepted' state_is taylor accepted
assert_let_in 'redeemed' taylor
capture entra-invite mail taylor
assert_match 'mail: an accepted guest has none' 'no redeem URL' "$rc $out"

# ---- words -----------------------------------------------------------------------------------------------------------

capture entra-invite invite kim@fabrikam.com --rule partners --language ko-KR --display-name '김' --wait=30
assert_within 20 'a template: sent' mails_are kim@fabrikam.com 1
assert_eq 'a template: the subject' '초대: partners' "$(mailbox kim@fabrikam.com '[0].subject')"
assert_eq 'a template: the text, byte for byte; no host and no login, so no line' \
    "김 님,|$(show kim@fabrikam.com .inviteRedeemUrl)|" "$(mailbox kim@fabrikam.com '[0].body' | tr '\n' '|' | sed 's/||$/|/')"
capture entra-invite mail kim@fabrikam.com
assert_match 'a template: on the terminal too' '^Subject: 초대: partners' "$(sed -n 2p <<<"$out")"

# ---- a webhook -------------------------------------------------------------------------------------------------------

add vera '' vendors
assert_within 30 'webhook: pending, sent' mail_is vera sent
assert_eq 'webhook: one POST' 1 "$(posted .length)"
assert_eq 'webhook: what it holds' \
    "invitation vera vera@fabrikam.com vendors $(show vera .inviteRedeemUrl) 邀请" \
    "$(posted '.map((one) => JSON.parse(one.body)).map((one) => [one.event, one.login, one.email, one.rule, one.url,
        one.subject].join(" "))[0]')"
assert_eq 'webhook: Microsoft mailed nothing' '1 0' "$(microsofts vera)"
again
assert_eq 'webhook: nothing sends it again' 1 "$(posted .length)"
assert_eq 'webhook: show says so' webhook "$(show vera .mailChannel)"

# ---- who is at fault -------------------------------------------------------------------------------------------------

capture entra-invite invite nobody@fabrikam.com --rule partners
assert_within 30 'a recipient that the relay refuses: said' error_is nobody@fabrikam.com mail-address
assert_eq 'it is pending, and has no mail' 'pending none' "$(show nobody@fabrikam.com '.state + " " + value.mail')"
assert_match 'with the words of the relay' 'no such person' "$(show nobody@fabrikam.com .error.message)"
again
assert_true 'a look at the guest does not hide it' error_is nobody@fabrikam.com mail-address
assert_eq 'nor is it tried again' 1 "$(grep -c 'rejected RCPT <nobody@fabrikam.com>' "$relay_dir/spool/mainlog")"

stop_relay
add robin
assert_within 30 'a relay that is down: said' error_is robin unreachable
assert_eq 'the invitation is pending, its mail waits' 'pending wanted' "$(show robin '.state + " " + value.mail')"
capture entra-invite status
assert_match 'status tells of the channel' 'deliver by smtp: ' "$out"
assert_eq 'so does doctor' 'failed unreachable' "$(entra-invite doctor --json |
    json '.filter((one) => one.check === "delivery" && /smtp|2525/.test(one.what + one.error?.message)).map((one) =>
        one.status + " " + one.error?.code)[0]')"
add sasha
assert_within 30 'the next one waits as well' mail_is sasha wanted
redeem sasha@fabrikam.com
assert_within 20 'who redeems meanwhile is accepted' state_is sasha accepted
start_relay
capture entra-invite refresh --wait
assert_within 30 'the relay is back: sent' mail_is robin sent
assert_within 10 'once' mails_are robin@fabrikam.com 1
assert_eq 'and to whom it is of no use any more, not at all' '0 none' \
    "$(mailbox sasha@fabrikam.com .length) $(show sasha .mail)"
assert_within 10 'the log says that it goes again' log_has 'smtp: goes again'

install -m 0600 -o entra-invite -g entra-invite /dev/stdin /etc/entra-invite/relay-password <<<wrong
add alex
assert_within 30 'a wrong password: the relay is named, not the account' error_is alex mail-relay
assert_eq 'a wrong password: it waits' 'pending wanted' "$(show alex '.state + " " + value.mail')"
install -m 0600 -o entra-invite -g entra-invite /dev/stdin /etc/entra-invite/relay-password <<<"$relay_password"
capture entra-invite refresh --wait
assert_within 30 'the right one, read anew: sent' mail_is alex sent
assert_within 10 'the right one: once' mails_are alex@fabrikam.com 1

# ---- catalogues ------------------------------------------------------------------------------------------------------

# The built-in text in the language of the message, from catalogues that msgfmt made, whatever the worker's locale is.
for language in th zh_CN ko; do
    mkdir -p "/usr/share/locale/$language/LC_MESSAGES"
    msgfmt -o "/usr/share/locale/$language/LC_MESSAGES/entra-invite.mo" "$here/deliver/po/$language.po" ||
        fail "a catalogue: $language"
done
stop_worker
write_config "$rules" "$(relay_config)" "$webhook"
start_worker
# The first line of the translation that has nothing to fill in.
plain_line() { # LANGUAGE
    sed -n '/^"Hello {name}/,$ { /^msgstr/,/^$/ p }' "$here/deliver/po/$1.po" | grep -v '[{]' | LC_ALL=C grep -m 1 '[^ -~]' |
        sed 's/^"//; s/\\n"$//'
}
while read -r login language catalogue; do
    capture entra-invite invite "$login@fabrikam.com" --rule partners --language "$language" --wait=30
    assert_within 20 "a catalogue, $language: sent" mails_are "$login@fabrikam.com" 1
    body=$(mailbox "$login@fabrikam.com" '[0].body')
    assert_true "a catalogue, $language: in its own script" grep -qxF "$(plain_line "$catalogue")" <<<"$body"
    capture entra-invite mail "$login@fabrikam.com"
    assert_eq "a catalogue, $language: the same on a terminal, byte for byte" "$body" "$(sed '1,/^$/d' <<<"$out")"
    assert_eq "a catalogue, $language: the subject too" "$(mailbox "$login@fabrikam.com" '[0].subject')" \
        "$(sed -n 's/^Subject: //p' <<<"$out")"
done <<'LANGUAGES'
ploy th-TH th
wei zh-CN zh_CN
min ko-KR ko
LANGUAGES

# ---- nobody knows ----------------------------------------------------------------------------------------------------

stop_worker
lost=$(peer 'smtp tls end=close')
write_config "$rules" "smtp: { url = \"smtp://localhost:$lost\"; from = \"it@contoso.example\"; ca_file = \"$relay_dir/ca.pem\"; };" \
    "$webhook"
start_worker
add lena
assert_within 30 'an answer that is lost: unknown' mail_is lena unknown
assert_match 'an answer that is lost: said, with the mend' 'mail-unknown .*relay took.* resend' \
    "$(show lena '.error.code + " " + value.error.message + " " + value.error.mend')"
again
assert_eq 'an answer that is lost: nothing repeats it' 1 "$(peer "count $lost")"
capture entra-invite mail lena --send --wait=30
assert_eq 'mail --send repeats it' '1 2' "$rc $(peer "count $lost")"

clear=$(peer 'smtp')
write_config "$rules" "smtp: { url = \"smtp://localhost:$clear\"; from = \"it@contoso.example\"; ca_file = \"$relay_dir/ca.pem\"; };" \
    "$webhook"
kill -HUP "$worker_pid"
assert_within 20 'the configuration is read again' log_has 'the configuration was read again'
add nora
assert_within 30 'no STARTTLS: nothing is sent in the clear' error_is nora mail-relay
assert_eq 'no STARTTLS: not a word of it' 0 "$(peer "log $clear" | json '[0].messages.length')"

# ---- what is wrong in the configuration ------------------------------------------------------------------------------

refused() { # NAME EXTENDED-REGEX CONFIG-LINE...
    write_config "$rules" "$webhook" "${@:3}"
    capture entra-invited --test
    assert_eq "$1: --test exits 6" 6 "$rc"
    assert_match "$1: --test says so" "$2" "$out"
}
printf 'Subject: x\n\n{nmae}\n' >"$templates/bad.txt"
refused 'a placeholder that is none' 'bad.txt:3: .*nmae' "$(relay_config)" \
    'templates = ( { file = "/etc/entra-invite/templates/bad.txt"; } );'
printf 'Subject: x\n\nno link\n' >"$templates/bad.txt"
refused 'an invitation without the URL' 'bad.txt.*url' "$(relay_config)" \
    'templates = ( { file = "/etc/entra-invite/templates/bad.txt"; } );'
refused 'a sender that is none' 'entra-invite.conf: smtp.from: ' \
    'smtp: { url = "smtp://localhost"; from = "Contoso IT"; };'
refused 'a password in the clear' 'entra-invite.conf: smtp: ' \
    'smtp: { url = "smtp://relay.contoso.com"; from = "it@contoso.example"; tls = "none"; user = "u"; password_file = "/p"; };'

# ---- secrets (K6) ----------------------------------------------------------------------------------------------------

for secret_text in "$relay_password" s3cret-of-the-webhook "$url" "$(show vera .inviteRedeemUrl)"; do
    assert_eq "not in the log: ${secret_text:0:12}..." 0 "$(grep -cF -- "$secret_text" "$worker_log")"
    assert_eq "not in the view: ${secret_text:0:12}..." 0 "$(grep -cF -- "$secret_text" "$public/status.cdb")"
    assert_eq "not in argv or environment: ${secret_text:0:12}..." 0 \
        "$(cat "/proc/$worker_pid/cmdline" "/proc/$worker_pid/environ" | grep -cF -- "$secret_text")"
done

stop_worker
stop_relay
finish

#!/bin/bash
# send_message = true: Microsoft sends the mail, one per address and never by accident (design, idea 4 and One mail). What
# a crash makes of it: tests/faults.
. "$(dirname "$0")/lib.sh"
set_up 'invitation: { send_message = true; message_body = "Welcome"; };'
mail_post='"method":"POST","path":"^/v1.0/invitations","mail":true'

add() { # LOGIN [ADDRESS]
    useradd -M -G partners -c "${1^} Example <${2:-$1@fabrikam.com}>" "$1" >"$work/useradd" 2>&1 ||
        fail "useradd of $1 succeeds" "$(cat "$work/useradd")"
}
mail_is() { # LOGIN MAIL
    [ "$(show "$1" '.state + " " + value.mail')" = "pending $2" ]
}
assert_mail() { # NAME LOGIN MAIL; a pending one's
    assert_within 30 "$1: pending, mail $3" mail_is "$2" "$3"
}
# What went out about an address: POSTs without mail, POSTs with, mails, guests.
sent() { # LOGIN
    ledger "$1@fabrikam.com" ' && [value.posts.filter((post) => !post.sendInvitationMessage).length,
        value.posts.filter((post) => post.sendInvitationMessage).length, value.mails.length, value.guests.length].join(" ")'
}
assert_sent() { # NAME LOGIN WANTED
    assert_eq "$1" "$3" "$(sent "$2")"
}
# X6: a connection of its own, HTTP/1.1, one request on it, no Expect.
connection() { # LOGIN; of the latest mail POST
    simulator ledger | json " && ((all) => {
        const post = all.addresses['$1@fabrikam.com'].posts.filter((one) => one.sendInvitationMessage).pop();
        const request = all.requests.find((one) => one.n === post.n);
        const used = all.connections.find((one) => one.id === post.connection).requests;
        return [post.httpVersion, post.connectionRequest, used, request.expect].join(' ');
    })(value)"
}
fault() { # JSON
    simulator fault "$1" >/dev/null || fail 'the simulator takes the fault' "$1"
}
again() { # every occasion on which something could be sent again
    capture entra-invite refresh --wait
    stop_worker
    start_worker
    capture entra-invite refresh --wait
}

# ---- one invitation, one mail ----------------------------------------------------------------------------------------

add taylor
assert_mail 'a new guest' taylor sent
assert_sent 'a new guest: first without mail, then with; one mail, one guest' taylor '1 1 1 1'
assert_eq 'a new guest: the first POST is the one without' 'false true' \
    "$(ledger taylor@fabrikam.com '.posts.map((post) => post.sendInvitationMessage).join(" ")')"
assert_eq 'a new guest: each attempt has its own id (X7)' 2 \
    "$(ledger taylor@fabrikam.com ' && new Set(value.posts.map((post) => post.clientRequestId)).size')"
assert_eq 'a new guest: the text of the config' Welcome \
    "$(ledger taylor@fabrikam.com '.posts[1].body.invitedUserMessageInfo.customizedMessageBody')"
assert_eq 'the mail POST has a fresh connection, HTTP/1.1, no Expect (X6)' '1.1 1 1 false' "$(connection taylor)"
assert_eq 'show has the URL of the latest answer' "$(ledger taylor@fabrikam.com '.posts.pop().inviteRedeemUrl')" \
    "$(show taylor .inviteRedeemUrl)"

# A kept connection that dies after the body was read would make libcurl send it twice.
fault "{\"name\":\"reused\",\"match\":{$mail_post,\"reused\":true},\"times\":0,\"action\":{\"close\":true,\"when\":\"after\"}}"
add sasha
assert_mail 'kept connections that die' sasha sent
assert_sent 'kept connections that die: one mail (X6)' sasha '1 1 1 1'
simulator faults-clear >/dev/null

# Two logins of one person, found in one reading and one after the other.
lines='alex:x:4001:100:Alex Example <alex@fabrikam.com>:/:/bin/sh
alex2:x:4002:100:Alex Example <ALEX@Fabrikam.com>:/:/bin/sh'
{ cat /etc/passwd && echo "$lines"; } >/etc/passwd.new && chmod 644 /etc/passwd.new && mv /etc/passwd.new /etc/passwd
sed -E 's/^(partners:.*)$/\1,alex,alex2/; s/:,/:/' /etc/group >/etc/group.new && chmod 644 /etc/group.new && mv /etc/group.new /etc/group
assert_mail 'two logins of one person' alex sent
assert_mail 'two logins of one person, the other' alex2 sent
add alex3 alex@fabrikam.com
assert_mail 'a third login' alex3 sent
assert_sent 'three logins of one person: one guest, one mail' alex '1 1 1 1'

# ---- who was there before --------------------------------------------------------------------------------------------

simulator user '{"kind":"pending","address":"kim@fabrikam.com"}' >/dev/null
simulator user '{"kind":"accepted","address":"robin@fabrikam.com"}' >/dev/null
add kim
assert_mail 'a guest invited by hand' kim none
assert_sent 'a guest invited by hand: a URL, and no mail' kim '1 0 0 0'
assert_match 'a guest invited by hand: show has the URL' '^https://' "$(show kim .inviteRedeemUrl)"
add robin
assert_within 20 'an accepted guest is linked' state_is robin accepted
again
assert_sent 'an accepted guest: nothing is sent' robin '0 0 0 0'
assert_sent 'a guest invited by hand is not mailed later either' kim '1 0 0 0'
assert_sent 'nobody is mailed twice' taylor '1 1 1 1'
capture entra-invite resend kim
assert_mail 'a guest invited by hand, resend' kim sent
assert_sent 'a guest invited by hand, resend: one mail' kim '2 1 1 0'

capture entra-invite resend taylor
assert_true 'resend: one more mail' simulator wait '{"address":"taylor@fabrikam.com","mails":2}' --timeout 20
assert_mail resend taylor sent
assert_sent 'resend: exactly one more' taylor '2 2 2 1'
assert_eq 'resend: again on a fresh connection (X6)' '1.1 1 1 false' "$(connection taylor)"

# ---- the answer is lost ----------------------------------------------------------------------------------------------

fault "{\"match\":{$mail_post},\"action\":{\"reset\":true,\"when\":\"after\"}}"
add uma
assert_mail 'the answer is lost' uma unknown
assert_match 'the answer is lost: the mend names resend' resend "$(show uma .error.mend)"
assert_match 'the answer is lost: the URL of the first POST is there' '^https://' "$(show uma .inviteRedeemUrl)"
again
capture entra-invite invite uma
capture entra-invite adopt
usermod -c 'Uma U. Example <uma@fabrikam.com>' uma
again
assert_mail 'the answer is lost, later' uma unknown
assert_sent 'the answer is lost: nothing repeats it' uma '1 1 1 1'
capture entra-invite resend uma
assert_mail 'the answer is lost, resend' uma sent
assert_sent 'the answer is lost: resend sends one more' uma '2 2 2 1'
assert_eq 'the answer is lost, resend: no error is left' undefined "$(show uma '.error?.code')"

# A server error says nothing about the effect either (X5).
fault "{\"match\":{$mail_post},\"action\":{\"status\":503,\"when\":\"after\"}}"
add vera
assert_mail 'a server error' vera unknown
again
assert_sent 'a server error: nothing repeats it' vera '1 1 1 1'

# ---- refused: free to send again -------------------------------------------------------------------------------------

simulator reset ledger >/dev/null
# The first answer comes while the worker is ending: what it says still counts.
fault "{\"match\":{$mail_post},\"times\":2,\"action\":{\"latencyMs\":1000,\"status\":429,\"retryAfter\":\"2.5\"}}"
add walt
assert_true 'throttled: it is asked to wait' simulator wait "{$mail_post,\"count\":1}"
stop_worker
start_worker
assert_mail 'throttled, and a restart' walt sent
assert_sent 'throttled: sent later, once' walt '1 3 1 1'
assert_eq 'throttled: not before the time (X8)' 0 "$(sent_during_hold)"

fault "{\"match\":{$mail_post},\"action\":{\"status\":403,\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges\"}}"
add xena
assert_within 20 'forbidden: the worker is blocked, not the account' error_is xena permission
assert_eq 'forbidden: the guest stands, with its URL' pending "$(show xena .state)"
capture entra-invite refresh --wait
assert_mail 'forbidden, then mended' xena sent
assert_sent 'forbidden, then mended: one mail' xena '1 2 1 1'

fault "{\"match\":{$mail_post},\"action\":{\"status\":400,\"code\":\"BadRequest\",\"message\":\"The text is refused.\"}}"
add yuri
assert_mail 'the mail alone is refused' yuri none
assert_match 'the mail alone is refused: the URL can be handed over' '^https://' "$(show yuri .inviteRedeemUrl)"
assert_sent 'the mail alone is refused: not tried again' yuri '1 1 0 1'

# ---- a clone, a restored image ---------------------------------------------------------------------------------------

mail_held() {
    entra-invite status --json | json .mailHeld
}
become_another_machine() {
    stop_worker
    tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
    : >"$worker_log"
    start_worker
}

# One mail was about to be sent when the image was taken: both would send it.
fault "{\"match\":{$mail_post},\"action\":{\"status\":429,\"retryAfter\":5}}"
add zoe
assert_true 'before the clone: it is asked to wait' simulator wait "{$mail_post,\"address\":\"zoe@fabrikam.com\",\"over\":true,\"count\":1}"
assert_within 20 'before the clone: zoe is to be mailed' mail_is zoe sending
posts_before=$(ledger taylor@fabrikam.com .posts.length)
become_another_machine
assert_true 'a clone: the log says so, and the mend' log_has 'another machine.*adopt'
assert_eq 'a clone: status says so' true "$(mail_held)"
capture entra-invite status
assert_match 'a clone: in words too' 'mail held until adopt' "$out"
add anna
assert_mail 'a clone: invitations without mail go on' anna held
assert_match 'a clone: with a URL' '^https://' "$(show anna .inviteRedeemUrl)"
add bo
assert_mail 'a clone: another' bo held
add carl
assert_mail 'a clone: and another' carl held
redeem bo@fabrikam.com
assert_within 20 'a clone: held mail does not keep bo out' state_is bo accepted
capture entra-invite remove carl
assert_within 20 'a clone: zoe is known here too' mail_is zoe held
again
assert_eq 'a clone: mail stays held over a restart' true "$(mail_held)"
for login in anna bo carl; do assert_sent "a clone: no mail to $login" $login '1 0 0 1'; done
assert_sent 'a clone: what was about to be sent is not' zoe '1 1 0 1'
assert_eq 'a clone: who was mailed before is not sent anything' "$posts_before" "$(ledger taylor@fabrikam.com .posts.length)"

capture entra-invite adopt --dry-run
assert_eq 'adopt --dry-run: mail stays held' '0 true' "$rc $(mail_held)"
capture entra-invite adopt
assert_eq 'adopt: exit code and words' '0 mail is no longer held' "$rc $out"
assert_mail adopt anna sent
assert_mail 'adopt: what was about to be sent' zoe sent
again
assert_eq 'adopt: one mail to anna' 1 "$(ledger anna@fabrikam.com .mails.length)"
assert_eq 'adopt: one mail to zoe' 1 "$(ledger zoe@fabrikam.com .mails.length)"
assert_eq 'adopt: none to bo, who has accepted' '1 0 0 1 accepted' "$(sent bo) $(show bo .state)"
assert_eq 'adopt: none to carl, who was removed' '1 0 0 1 removed' "$(sent carl) $(show carl .state)"
assert_eq 'adopt: status is as before' false "$(mail_held)"
add dora
assert_mail 'after adopt, mail is as ever' dora sent

# The database comes from a backup: who was mailed since is not known to it.
stop_worker
cp -a /var/lib/entra-invite/private "$work/backup"
start_worker
add emil
assert_mail 'before the restore' emil sent
stop_worker
rm -rf /var/lib/entra-invite/private
cp -a "$work/backup" /var/lib/entra-invite/private
: >"$worker_log"
start_worker
assert_true 'a restored database: the log says so, and the mend' log_has 'newer than the database.*adopt'
assert_eq 'a restored database: status says so' true "$(mail_held)"
add fred
assert_mail 'a restored database: invitations without mail go on' fred held
assert_within 20 'a restored database: emil is found again' state_is emil pending
capture entra-invite adopt
assert_mail 'a restored database, adopt' fred sent
again
assert_eq 'a restored database: one mail to each' '1 1' \
    "$(ledger fred@fabrikam.com .mails.length) $(ledger emil@fabrikam.com .mails.length)"

finish

#!/bin/bash
# Who is pending too long: reminded once, given up, offboarded if the rule says so; and who redeems late.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/host/relay.sh
. "$(dirname "$0")/relay.sh"
install_tree
enable_pam
start_simulator
make_relay
start_relay
boss=boss@contoso.onmicrosoft.com
simulator user "{\"kind\":\"member\",\"address\":\"$boss\"}" >"$work/boss"
lead=$(simulator user '{"kind":"member","address":"lead@contoso.onmicrosoft.com"}' | json .id)
write_config "$(relay_config)" 'rules = ( { name = "partners"; group = "partners"; remind_after = 7; give_up_after = 30;
        invitation: { send_message = true; }; },
    { name = "vendors"; group = "vendors"; give_up_after = 30; on_give_up = "delete"; tell_sponsors = true;
        invitation: { sponsors = ( "'$boss'", "group:0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02", "'"$lead"'" ); }; } );'
start_worker
simulator set roles '["User.Invite.All","User.Read.All","Organization.Read.All","User.ReadWrite.All"]' >/dev/null

add() { # LOGIN [GROUP]
    capture useradd -m -s /bin/bash -G "${2:-partners}" -c "${1^} Example <$1@fabrikam.com>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
    assert_within 30 "$1 is pending" state_is "$1" pending
}
mails() { # LOGIN
    ledger "$1@fabrikam.com" .mails.length
}
has_mails() { # LOGIN NUMBER
    [ "$(mails "$1")" = "$2" ]
}
# Nobody waits a week here: the records are made so much older while the worker is away.
days_pass() { # DAYS
    stop_worker
    runuser -u entra-invite -- sqlite3 /var/lib/entra-invite/private/entra-invite.db \
        "UPDATE collaborator SET invited_at = invited_at - $1 * 86400 WHERE invited_at > 0" ||
        fail "$1 days pass"
    start_worker
    capture entra-invite refresh --wait
}

# ---- a reminder ------------------------------------------------------------------------------------------------------

add taylor
add robin
add vera vendors
assert_within 20 'the first mail' has_mails taylor 1
since=$(show taylor .requestedAt)
days_pass 6
assert_eq 'six days: no reminder' '1 null' "$(mails taylor) $(show taylor .remindedAt)"
days_pass 1
assert_within 30 'seven days: a reminder' has_mails taylor 2
assert_match 'show says when' '^20..-' "$(show taylor .remindedAt)"
assert_eq 'still pending, asked for when it was' "pending $since" "$(show taylor '.state + " " + value.requestedAt')"
assert_eq 'no rule of remind_after, no reminder' 0 "$(mails vera)"
days_pass 8
assert_eq 'one reminder, whatever passes' 2 "$(mails taylor)"
redeem robin@fabrikam.com
assert_within 20 'who accepts is accepted' state_is robin accepted

# ---- given up --------------------------------------------------------------------------------------------------------

days_pass 15
assert_within 30 'thirty days: expired' state_is taylor expired
assert_eq 'status: exit code 2' 2 "$(status_of taylor)"
assert_match 'show says when it was given up' '^20..-' "$(show taylor .expiredAt)"
assert_within 10 'the log says so' log_has 'taylor@fabrikam.com: did not accept within 30 days; given up'
assert_refused 'expired' taylor 'did not accept in time'
assert_eq 'the guest stays' true "$(guests_in_directory taylor@fabrikam.com 1 && echo true)"
assert_eq 'list has it' taylor "$(entra-invite list --state expired --json | json '.map((one) => one.login).sort()[0]')"
assert_eq 'in no group of the module' '' "$(id -nG taylor | grep -o 'entra-invite-[a-z]*')"
assert_within 30 'on_give_up = "delete": the guest is deleted' guests_in_directory vera@fabrikam.com 0
assert_eq 'and the account expired' expired "$(show vera .state)"
assert_refused 'expired and deleted' vera 'did not accept in time'
for one in "$boss" lead@contoso.onmicrosoft.com; do
    assert_within 20 "tell_sponsors: $one has a mail" mails_are "$one" 1
    assert_match "tell_sponsors: $one: about whom" 'vera@fabrikam.com' "$(mailbox "$one" '[0].body')"
    assert_eq "tell_sponsors: $one: without the URL" false "$(mailbox "$one" '[0].body.includes("redeem")')"
done
assert_true 'who had accepted is not touched' state_is robin accepted
days_pass 400
assert_eq 'sponsors are told once' '1 1' "$(mailbox "$boss" .length) $(mailbox lead@contoso.onmicrosoft.com .length)"
assert_eq 'nothing more happens' '2 0 expired expired' \
    "$(mails taylor) $(mails vera) $(show taylor .state) $(show vera .state)"

# ---- after it --------------------------------------------------------------------------------------------------------

redeem taylor@fabrikam.com
assert_within 20 'who redeems late is accepted all the same' state_is taylor accepted
assert_let_in 'who redeems late' taylor
capture entra-invite invite vera --wait=30
assert_eq 'invite begins anew' 0 "$rc"
assert_within 30 'invite: pending' state_is vera pending
assert_eq 'invite: waited for anew' null "$(show vera .expiredAt)"
redeem vera@fabrikam.com
assert_within 20 'invite: accepted in the end' state_is vera accepted

# ---- sponsors, with a relay that is away -----------------------------------------------------------------------------

add alex vendors
stop_relay
days_pass 31
assert_within 30 'the relay is away: expired all the same' state_is alex expired
assert_within 20 'the relay is away: said' log_has 'smtp: .*localhost'
stop_worker
start_relay
start_worker
assert_within 20 'the relay is back, after a restart: told' mails_are "$boss" 2
assert_within 20 'and the other one' mails_are lead@contoso.onmicrosoft.com 2
capture entra-invite refresh --wait
assert_eq 'and not again' '2 2' "$(mailbox "$boss" .length) $(mailbox lead@contoso.onmicrosoft.com .length)"

add sasha
days_pass 31
assert_within 30 'resend: expired before' state_is sasha expired
capture entra-invite resend sasha
assert_eq 'resend begins anew: exit code' 0 "$rc"
assert_within 30 'resend: pending' state_is sasha pending
assert_within 20 'resend: its mail' has_mails sasha 2

add kim
days_pass 31
assert_within 30 'remove: expired before' state_is kim expired
capture entra-invite remove kim
assert_within 20 'remove: the word of the administrator' state_is kim removed

stop_worker
stop_relay
finish

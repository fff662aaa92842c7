#!/bin/bash
# on_account_removal = "delete" deletes nobody without proof that the account is gone (design, Gone needs proof): not
# while the account file is rewritten in place, not for a group that is missing or that a directory does not answer for.
. "$(dirname "$0")/lib.sh"
proof=60 # seconds between two readings that prove it
install_tree
enable_pam
groupadd interns
start_simulator
simulator set roles '["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]' >/dev/null
rules=
for group in partners vendors interns; do
    rules+="${rules:+, }{ name = \"$group\"; group = \"$group\"; on_account_removal = \"delete\"; }"
done
write_config "rules = ( $rules );"
start_worker

add() { # LOGIN GROUP
    capture useradd -M -s /bin/bash -G "$2" -c "${1^} Example <$1@fabrikam.com>" "$1"
    assert_within 30 "$1 is pending" state_is "$1" pending
}
deleted() { # LOGIN
    guests_in_directory "$1@fabrikam.com" 0
}
# Readings of the account files all along, for longer than a proof takes.
wait_for_proof() {
    local end=$((SECONDS + proof + 15))
    while [ "$SECONDS" -lt "$end" ]; do
        touch /etc/group
        sleep 5
    done
    capture entra-invite refresh --wait
}
all_there() { # NAME LOGIN...
    local login
    for login in "${@:2}"; do
        assert_eq "$1: the guest of $login stays" '1 pending' \
            "$(ledger "$login@fabrikam.com" '.users.filter(user => !user.deletedDateTime).length') $(show "$login" .state)"
    done
}

for login in pat pam; do add "$login" partners; done
add vic vendors
add ian interns

# ---- the account file, cut off in place ------------------------------------------------------------------------------

cp /etc/passwd "$work/passwd"
# As copytruncate and a full disk leave it: the same file, its end missing.
head -c "$(($(grep -b '^pat:' "$work/passwd" | cut -d: -f1) + 6))" "$work/passwd" >/etc/passwd
wait_for_proof
all_there 'a file that is cut off' pat pam vic ian
assert_match 'a file that is cut off: it is said' 'passwd' "$(entra-invite status --json | json .doubt.message)"
cat "$work/passwd" >/etc/passwd
assert_within 30 'whole again: there is no doubt any more' eval '[ "$(entra-invite status --json | json .doubt)" = null ]'

# ---- groups that nobody answers for, and one account that is really gone ---------------------------------------------

stop_worker
cp /etc/group "$work/group"
cp /etc/nsswitch.conf "$work/nsswitch"
sed -i '/^vendors:/d; /^interns:/d' /etc/group
sed -i 's/^group:.*/group: files nosuchdirectory/' /etc/nsswitch.conf
start_worker
userdel pat
wait_for_proof
all_there 'a group that is missing' vic ian
all_there 'another account of the group' pam
assert_within 30 'an account that is proven gone, in the same readings: its guest is deleted' deleted pat
assert_match 'a group that is missing: it is said' 'vendors' "$(entra-invite status --json | json .notes)"
cp "$work/nsswitch" /etc/nsswitch.conf
sed -n '/^vendors:/p; /^interns:/p' "$work/group" >>/etc/group
capture entra-invite refresh --wait
all_there 'the groups are back' vic ian pam
assert_eq 'nobody was invited anew' '1 1 1' \
    "$(for login in vic ian pam; do ledger "$login@fabrikam.com" .posts.length; done | xargs)"

finish

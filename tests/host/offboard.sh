# Sourced after lib.sh by the tests of guests who go, and of those who come back.
# shellcheck shell=bash
# The roles are for the tests that source this (SC2034); what capture leaves is lib.sh's (SC2154).
# shellcheck disable=SC2034,SC2154

# Roles of the app: those that invitations need, and those with the right to change users.
invite='["User.Invite.All","User.Read.All","Organization.Read.All"]'
change='["User.Invite.All","User.Read.All","Organization.Read.All","User.ReadWrite.All"]'

add() { # LOGIN [GROUP]
    capture useradd -M -s /bin/bash -G "${2:-partners}" -c "${1^} Example <$1@fabrikam.com>" "$1"
    [ "$rc" = 0 ] || fail "useradd $1 succeeds" "$out"
}
pending() { # LOGIN [GROUP]
    add "$@"
    assert_within 30 "$1 is pending" state_is "$1" pending
}
roles() { # JSON
    simulator set roles "$1" >/dev/null
    simulator expire-tokens >/dev/null
}
# The guests as the directory has them: none, disabled or enabled.
guest() { # LOGIN
    ledger "$1@fabrikam.com" '.users.filter(user => !user.deletedDateTime)
        .map(user => user.accountEnabled ? "enabled" : "disabled").join(" ") || "none"'
}
guest_is() { # LOGIN WANTED
    [ "$(guest "$1")" = "$2" ]
}

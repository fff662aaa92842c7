#!/bin/bash
# rpm-authselect.sh: the commands that pam_entra_invite(8) and nss_entra_invite(8) give for systems with authselect, run
# as they are written. Debian has no authselect: a stand-in copies profiles, and writes down what was selected. Runs in
# the lab of rpm.sh.
. "$(dirname "$0")/../host/lib.sh"
custom=/etc/authselect/custom/invited
export CALLS=$work/calls

commands() { # PAGE PATTERN: the commands of the example in which it is
    awk -v pattern="$2" '/^\.Bd/ { text = "" } { text = text $0 "\n" } /^\.Ed/ && text ~ pattern { printf "%s", text }' "$repo/$1" |
        sed -n 's/^[#>] //p' | sed 's/\\e/\\/g'
}

mkdir -p /usr/share/authselect/default/sssd /etc/authselect/custom
cat >/usr/local/bin/authselect <<'END'
#!/bin/bash
case $1 in
current) echo 'sssd with-mkhomedir with-faillock' ;;
create-profile) cp -r "/usr/share/authselect/default/$4" "/etc/authselect/custom/$2" ;;
*) echo "$*" >>"$CALLS" ;;
esac
END
chmod 755 /usr/local/bin/authselect
for file in system-auth password-auth; do
    cat >/usr/share/authselect/default/sssd/$file <<'END'
auth        required                                     pam_env.so
auth        required                                     pam_faillock.so preauth silent {include if "with-faillock"}
auth        sufficient                                   pam_unix.so {if not "without-nullok":nullok}
auth        required                                     pam_deny.so

account     required                                     pam_access.so {include if "with-pamaccess"}
account     required                                     pam_unix.so
account     sufficient                                   pam_localuser.so {exclude if "with-files-access-provider"}
account     [default=bad success=ok user_unknown=ignore] pam_sss.so
account     required                                     pam_permit.so

password    requisite                                    pam_pwquality.so local_users_only
password    sufficient                                   pam_unix.so yescrypt shadow {if not "without-nullok":nullok} use_authtok
password    required                                     pam_deny.so

session     required                                     pam_limits.so
session     required                                     pam_unix.so
END
done
printf 'passwd:     sss files systemd\ngroup:      files {if "with-group-merging":[SUCCESS=merge] }sss systemd\ninitgroups: files sss\nshadow: files\n' \
    >/usr/share/authselect/default/sssd/nsswitch.conf

capture bash -euc "$(commands plugin/pam/pam_entra_invite.8 'authselect create-profile')"
assert_eq 'the commands of pam_entra_invite(8) work' '0:' "$rc:$out"
for file in system-auth password-auth; do
    now=$custom/$file was=/usr/share/authselect/default/sssd/$file
    assert_eq "P3: in $file the gate comes before what ends the stack" \
        'account [success=ignore ignore=ignore module_unknown=ignore default=die] pam_entra_invite.so' "$(grep -m 1 '^account' "$now")"
    assert_eq "and the password line, too" 'password optional pam_entra_invite.so' "$(grep -m 1 '^password' "$now")"
    assert_eq "the session line comes last" 'session optional pam_entra_invite.so' "$(tail -n 1 "$now")"
    assert_eq "and nothing else changed in $file" '' "$(grep -v pam_entra_invite "$now" | diff - "$was")"
done
assert_eq 'the profile is selected with the features from before' 'select custom/invited with-mkhomedir with-faillock' "$(cat "$CALLS")"

capture bash -euc "$(commands plugin/nss/nss_entra_invite.8 'authselect apply')"
assert_eq 'the commands of nss_entra_invite(8) work' '0:' "$rc:$out"
assert_eq 'the service is last on the group line, first on the initgroups line, and on no other' \
    'group: files {if "with-group-merging":[SUCCESS=merge] }sss systemd entra_invite initgroups: entra_invite [SUCCESS=continue] files sss' \
    "$(grep entra_invite "$custom/nsswitch.conf" | tr -s ' \n' ' ' | sed 's/ $//')"
assert_eq 'and applied' 'apply-changes' "$(tail -n 1 "$CALLS")"
finish

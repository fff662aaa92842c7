#!/bin/bash
# lab: directory
# Accounts from a directory: a real slapd and a real sssd answer for users, groups and GECOS, and for passwords. The
# reconciler finds who is covered, the gate and the groups work, GECOS is followed; and what a directory does not say
# proves nothing (design, "Gone needs proof").
. "$(dirname "$0")/lib.sh"
[ -d /etc/ldap/schema ] || skip_all "this system has not Debian's slapd"
proof=60 # seconds between two readings that prove it
slapd=/srv/slapd
install_tree
groupdel partners
groupdel vendors
enable_pam
sed -i -E 's/^(group:.*)$/\1 entra_invite/' /etc/nsswitch.conf

# ---- the directory ---------------------------------------------------------------------------------------------------

base='dc=example,dc=com'
password=Pass-word-1
user() { # LOGIN UID GECOS
    printf '%s\n' "dn: uid=$1,ou=people,$base" 'objectClass: account' 'objectClass: posixAccount' "uid: $1" "cn: $1" \
        "uidNumber: $2" 'gidNumber: 6000' "homeDirectory: /srv/home/$1" 'loginShell: /bin/bash' "gecos: $3" \
        "userPassword: $password" ''
    install -d -m 0700 -o "$2" -g 6000 "/srv/home/$1"
}
group() { # NAME GID [LOGIN...]
    printf '%s\n' "dn: cn=$1,ou=groups,$base" 'objectClass: posixGroup' "cn: $1" "gidNumber: $2"
    [ $# -le 2 ] || printf 'memberUid: %s\n' "${@:3}"
    echo
}
start_slapd() {
    slapd -f "$slapd/slapd.conf" -h 'ldaps://localhost:1636 ldapi://%2Fsrv%2Fslapd%2Fldapi' >>"$work/slapd.log" 2>&1
    wait_until 20 eval ': </dev/tcp/127.0.0.1/1636'
}
change() { # LDIF on stdin; and what sssd has kept of it is forgotten
    ldapmodify -Q -Y EXTERNAL -H ldapi://%2Fsrv%2Fslapd%2Fldapi >"$work/change" 2>&1 ||
        fail 'the directory is changed' "$(cat "$work/change")"
    sss_cache -E
}
member() { # add|delete LOGIN GROUP
    printf '%s\n' "dn: cn=$3,ou=groups,$base" 'changetype: modify' "$1: memberUid" "memberUid: $2" | change
}

mkdir -p "$slapd/db"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$slapd/key" -out "$slapd/certificate" -days 2 -subj /CN=localhost \
    -addext 'subjectAltName = DNS:localhost' 2>"$work/openssl"
{
    printf 'include /etc/ldap/schema/%s.schema\n' core cosine nis
    printf '%s\n' 'modulepath /usr/lib/ldap' 'moduleload back_mdb' "pidfile $slapd/pid" \
        "TLSCertificateFile $slapd/certificate" "TLSCertificateKeyFile $slapd/key" 'database mdb' "suffix $base" \
        "directory $slapd/db" 'access to attrs=userPassword by anonymous auth by * none' 'access to * by * read' \
        "rootdn gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"
} >"$slapd/slapd.conf"
{
    printf '%s\n' "dn: $base" 'objectClass: dcObject' 'objectClass: organization' 'o: Example' 'dc: example' ''
    for unit in people groups; do printf '%s\n' "dn: ou=$unit,$base" 'objectClass: organizationalUnit' "ou: $unit" ''; done
    user taylor 5001 'Taylor Example <taylor@fabrikam.com>'
    user robin 5002 'Robin Example <robin@fabrikam.com>'
    user kim 5003 'Kim Example <kim@fabrikam.com>'
    user sasha 5004 'Sasha Example <sasha@fabrikam.com>'
    user alex 5005 'Alex Example <alex@fabrikam.com>'
    user jo 5006 'Jo Example <jo@fabrikam.com>'
    user dana 5007 'Dana Example <dana@fabrikam.com>'
    group everybody 6000
    group partners 6001 taylor robin kim sasha
    group vendors 6002 alex
    group interns 6003 jo
    group building 6004
} >"$work/directory.ldif"
slapadd -f "$slapd/slapd.conf" -l "$work/directory.ldif" >"$work/slapadd" 2>&1 ||
    fail 'the directory is filled' "$(cat "$work/slapadd")"
start_slapd || fail 'slapd starts' "$(cat "$work/slapd.log")"

printf '%s\n' '[sssd]' 'services = nss, pam' 'domains = example' '[domain/example]' 'id_provider = ldap' \
    'auth_provider = ldap' 'ldap_uri = ldaps://localhost:1636' "ldap_search_base = $base" 'ldap_schema = rfc2307' \
    "ldap_tls_cacert = $slapd/certificate" >/etc/sssd/sssd.conf
chmod 600 /etc/sssd/sssd.conf
start_sssd() { # [SECONDS]: for its first answer
    mkdir -p /run/sssd
    sssd -i --logger=stderr >>"$work/sssd.log" 2>&1 </dev/null &
    sssd_pid=$!
    wait_until "${1:-20}" getent -s sss group partners
}
stop_sssd() {
    kill "$sssd_pid"
    wait "$sssd_pid" 2>/dev/null
}
start_sssd || fail 'sssd answers' "$(tail -n 20 "$work/sssd.log")"
assert_eq 'sssd has what the directory has' 'taylor:*:5001:6000:Taylor Example <taylor@fabrikam.com>' \
    "$(getent passwd taylor | cut -d: -f1-5)"
assert_false 'and no local file has it' grep -q taylor /etc/passwd

# ---- reconciler, gate and groups -------------------------------------------------------------------------------------

start_simulator
simulator set roles '["User.Invite.All","User.ReadWrite.All","Organization.Read.All"]' >/dev/null
rules=
for name in partners vendors interns; do
    rules+="${rules:+, }{ name = \"$name\"; group = \"$name\"; existing = \"invite\"; on_account_removal = \"delete\"; }"
done
write_config "rules = ( $rules );"
start_worker
useradd -m -s /bin/bash pat # a local account that no rule covers

for login in taylor robin kim sasha alex jo; do
    assert_within 30 "$login of the directory is found and invited" state_is "$login" pending
done
assert_one_invitation 'taylor' taylor@fabrikam.com
assert_eq 'the address is that of GECOS' taylor@fabrikam.com "$(show taylor .email)"
assert_eq 'who is in no such group is not' '' "$(ledger dana@fabrikam.com '.posts.map((post) => post.effect).join()')"
ours() { # LOGIN
    id -nG "$1" | tr ' ' '\n' | grep -E '^(entra-invite|partners)' | xargs
}
assert_eq 'id shows the group of the directory, and the state' 'partners entra-invite-pending' "$(ours taylor)"

assert_match "the gate comes before pam_sss's profile (B5)" pam_entra_invite "$(grep -m 1 ^account /etc/pam.d/common-account)"
start_sshd
give_key taylor
old=$password
assert_refused 'pending, su' taylor
try_ssh publickey taylor
assert_match 'pending, ssh with a key: refused, with the reason' '^255 .*invitation' "$rc $(tr '\n' ' ' <<<"$out")"
try_ssh password taylor
assert_match "pending, ssh with the directory's password: refused, with the reason" '^255 .*invitation' "$rc $(tr '\n' ' ' <<<"$out")"
try_ssh password dana
assert_match "not covered, ssh with the directory's password: let in" '^let in as dana$' "$out"
assert_let_in 'not covered, su' dana
assert_let_in 'local, not covered' pat

redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
assert_within 5 'id shows it' eval '[ "$(ours taylor)" = "partners entra-invite-accepted" ]'
try_ssh password taylor
assert_match "accepted, ssh with the directory's password: let in" '^let in as taylor$' "$out"
assert_let_in 'accepted, su' taylor

# ---- GECOS -----------------------------------------------------------------------------------------------------------

printf '%s\n' "dn: uid=robin,ou=people,$base" 'changetype: modify' 'replace: gecos' \
    'gecos: Robin Example <robin.example@fabrikam.com>' | change
assert_within 30 'GECOS is changed in the directory: it is followed' \
    eval '[ "$(show robin .email)" = robin.example@fabrikam.com ]'
assert_within 20 'and the new address is invited' state_is robin pending
assert_one_invitation 'the new address' robin.example@fabrikam.com

# ---- what a directory does not say -----------------------------------------------------------------------------------

member delete kim partners
member delete alex vendors
printf '%s\n' "dn: uid=sasha,ou=people,$base" 'changetype: delete' | change
printf '%s\n' "dn: cn=interns,ou=groups,$base" 'changetype: delete' | change
assert_false 'sssd knows that sasha is deleted' getent passwd sasha
sss_cache -E # it dropped sasha from the group as well, where the directory still has the name
assert_eq 'sssd tells what the directory has' 'partners:*:6001:taylor,robin,sasha|vendors:*:6002:|' \
    "$(getent group partners vendors interns | tr '\n' '|')"
started=$SECONDS

# Meanwhile: sssd's own cache, told by entra-invite-flush.
assert_eq 'dana is not in the group yet' 'building:*:6004:' "$(getent group building)"
printf '%s\n' "dn: cn=building,ou=groups,$base" 'changetype: modify' 'add: memberUid' 'memberUid: dana' |
    ldapmodify -Q -Y EXTERNAL -H ldapi://%2Fsrv%2Fslapd%2Fldapi >"$work/change" 2>&1
assert_no_match 'sssd has kept that' dana "$(getent group building)"
: >"$public/changed"
capture /usr/libexec/entra-invite/entra-invite-flush
assert_eq 'entra-invite-flush tells sssd' '0:' "$rc:$out"
assert_match 'and sssd asks anew' dana "$(getent group building)"

# Meanwhile: a directory that hangs holds up nobody who does not need it.
kill -STOP "$(cat "$slapd/pid")"
sss_cache -E
touch /etc/group
sleep 1
capture_timed entra-invite list
assert_true "the directory hangs: the worker answers (took $took s)" test "$rc" = 0 -a "$took" -le 5
capture_timed useradd -M -s /bin/bash lee
assert_true "the directory hangs: useradd ends, once sssd gives up (took $took s)" test "$rc" = 0 -a "$took" -le 40
capture_timed su -l pat -c 'echo let in as $(id -un)'
assert_match "the directory hangs: a local account gets in (took $took s)" '^let in as pat$' "$out"
capture_timed su -l dana -c 'echo let in as $(id -un)'
assert_match "the directory hangs: who sssd knows and no rule covers gets in (took $took s)" '^let in as dana$' "$out"
assert_refused 'the directory hangs: who is pending stays out' robin
assert_let_in 'the directory hangs: who is accepted gets in' taylor
kill -CONT "$(cat "$slapd/pid")"
kill -USR2 "$sssd_pid" # it is online again

while [ $((SECONDS - started)) -lt $((proof + 8)) ]; do sleep 1; done
touch /etc/group
assert_within 30 'who left a group that others are still in is gone, by proof' state_is kim removed
for login in sasha alex jo; do
    assert_eq "$login, of whom the directory says nothing any more: nothing changes" 'pending 1' \
        "$(show "$login" .state) $(ledger "$login@fabrikam.com" '.users.filter(user => !user.deletedDateTime).length')"
done
notes=$(entra-invite status --json | json .notes)
assert_match 'a group that is not there: it is said, with where to look' 'the group interns does not exist - .*sssd' "$notes"
assert_match 'a group without members: it is said, with where to look' 'the group vendors cannot be judged now - .*getent group' "$notes"

# ---- no sssd, no slapd -----------------------------------------------------------------------------------------------

stop_sssd
states() {
    entra-invite list --json | json '.map((account) => account.login + " " + account.state).sort().join()'
}
before=$(states)
useradd -m -s /bin/bash sam
for _ in 1 2 3; do
    touch /etc/group
    capture entra-invite refresh --wait
done
assert_eq 'sssd is stopped: nothing changes' "$before" "$(states)"
assert_let_in 'sssd is stopped: a local account gets in' sam
kill "$(cat "$slapd/pid")"
wait_until 10 eval '! (: </dev/tcp/127.0.0.1/1636) 2>/dev/null'
start_sssd
assert_let_in 'slapd is stopped: who is accepted gets in, from what sssd has kept' taylor
assert_refused 'slapd is stopped: who is pending stays out' robin
stop_sssd
rm -f /var/lib/sss/db/* /var/lib/sss/mc/*
start_sssd 3
assert_false 'slapd is stopped and sssd knows nobody' getent group partners
touch /etc/group
capture entra-invite refresh --wait
assert_eq 'slapd is stopped and sssd knows nobody: nothing changes' "$before" "$(states)"
start_slapd
stop_sssd
start_sssd
capture entra-invite refresh --wait
assert_within 20 'both are back' getent passwd taylor
assert_eq 'both are back: nothing has changed' "$before" "$(states)"
assert_eq 'nobody was invited twice' '1 1 1 1 1' \
    "$(for login in taylor kim sasha alex jo; do ledger "$login@fabrikam.com" '.posts.filter(post => post.effect).length'; done | xargs)"
assert_let_in 'both are back: accepted' taylor
stop_sshd
finish

#!/bin/bash
# deb-installed.sh PACKAGES: installs them from a signed apt repository on a machine that systemd has booted, runs the
# main job confined, upgrades, removes and purges. Runs in a machine of tests/package/boot.
packages=$1
. "$(dirname "$0")/../host/lib.sh"
export DEBIAN_FRONTEND=noninteractive
all='entra-invite libpam-entra-invite libnss-entra-invite'

apt_get() {
    capture apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}
assert_apt() { # NAME ARGUMENT...
    apt_get "${@:2}"
    assert_eq "$1" 0 "$rc"
    [ "$rc" = 0 ] || tail -n 30 <<<"$out" | sed 's/^/#   /'
}

# ---- the repository --------------------------------------------------------------------------------------------------

publish() { # FILE.deb...
    mkdir -p /srv/repository
    cp "$@" /srv/repository/
    (cd /srv/repository && rm -f Release* InRelease && apt-ftparchive packages . >Packages &&
        apt-ftparchive -o APT::FTPArchive::Release::Suite=test release . >"$work/Release" && mv "$work/Release" Release &&
        gpg --batch -q --default-key packager@example.com --clearsign -o InRelease Release) >"$work/publish" 2>&1 ||
        fail 'the repository is published' "$(cat "$work/publish")"
    apt_get update -o Dir::Etc::sourcelist=sources.list.d/test.list -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
    assert_eq 'apt-get update takes the signed repository' 0 "$rc"
}
export GNUPGHOME=$work/gnupg
install -d -m 0700 "$GNUPGHOME"
gpg --batch -q --passphrase '' --quick-gen-key 'Packager <packager@example.com>' default default never 2>"$work/gpg" ||
    fail 'a key is made' "$(cat "$work/gpg")"
gpg --export >/usr/share/keyrings/test.gpg
echo 'deb [signed-by=/usr/share/keyrings/test.gpg] file:/srv/repository ./' >/etc/apt/sources.list.d/test.list

# ---- installing changes nothing --------------------------------------------------------------------------------------

login_files() { # every file that decides about logins
    (cd / && find etc/pam.d etc/nsswitch.conf -type f -exec sha256sum {} + | sort -k 2)
}
groupadd partners
groupadd vendors
useradd -m -s /bin/bash robin
login_files >"$work/login-files"
publish "$packages"/*_*.deb
assert_apt 'apt-get install' install $all
assert_eq 'installing leaves the PAM stack as it was' '' "$(login_files | grep pam.d | diff - <(grep pam.d "$work/login-files"))"
assert_match 'the NSS service is last of the group line' '^group:.*[[:space:]]entra_invite$' "$(grep '^group:' /etc/nsswitch.conf)"
assert_eq 'and of no other' 1 "$(grep -c entra_invite /etc/nsswitch.conf)"
assert_eq 'the daemon is not enabled' disabled "$(systemctl is-enabled entra-invited.service)"
assert_eq 'and not started' inactive "$(systemctl is-active entra-invited.service)"
assert_true 'the system user is there' id entra-invite
assert_true 'and the status groups' getent group entra-invite-pending entra-invite-accepted
groups=$(getent group entra-invite-pending entra-invite-accepted)
assert_eq 'L7: directories: owner and mode' '755 entra-invite 755 entra-invite 700 entra-invite' \
    "$(stat -c '%a %U' /var/lib/entra-invite /var/lib/entra-invite/public /var/lib/entra-invite/private | xargs)"
assert_let_in 'an account that no rule covers' robin
capture useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_eq 'useradd says nothing, not configured' '0:' "$rc:$out"
assert_eq 'groups are as they were' 'robin' "$(id -nG robin)"
capture userdel -r taylor

# The sample configuration, untouched.
capture systemctl start entra-invited.service
assert_false 'the untouched sample starts nothing' test "$rc" = 0
assert_match 'the journal says what is missing' 'entra-invite.conf.*tenant' "$(journalctl -o cat -u entra-invited.service)"
sleep 6
assert_eq 'and it stays quiet' 1 "$(journalctl -o cat -u entra-invited.service | grep -c 'tenant:')"
systemctl reset-failed entra-invited.service entra-invited.socket
systemctl stop entra-invited.socket

# ---- one file edited -------------------------------------------------------------------------------------------------

start_simulator
write_config 'credential: { type = "secret"; credential_name = "client-secret"; };'
drop_in=/etc/systemd/system/entra-invited.service.d
examples=/usr/share/doc/entra-invite/examples
install -D -m 0644 "$examples/secret.conf" "$drop_in/credential.conf"
chown root:root "$secret"
systemctl daemon-reload
capture systemctl enable --now entra-invited.service
assert_eq 'systemctl enable --now' 0 "$rc"
wait_until 30 worker_ready || fail 'the worker answers' "$(journalctl -o cat -u entra-invited | tail -n 20)"
assert_eq 'it is active' active "$(systemctl is-active entra-invited.service)"
assert_eq 'its socket is enabled too' enabled "$(systemctl is-enabled entra-invited.socket)"
assert_eq 'and what looks after the caches' 'enabled active' \
    "$(systemctl is-enabled entra-invite-flush.path) $(systemctl is-active entra-invite-flush.path)"
assert_eq 'the socket is root'"'"'s' '600 root root' "$(stat -c '%a %U %G' "$socket")"
pid=$(systemctl show -P MainPID entra-invited.service)
assert_eq 'runs as entra-invite' entra-invite "$(stat -c %U "/proc/$pid")"
assert_match 'confined: a seccomp filter' 'Seccomp:[[:space:]]2' "$(cat "/proc/$pid/status")"
assert_match 'confined: no new privileges' 'NoNewPrivs:[[:space:]]1' "$(cat "/proc/$pid/status")"
assert_match 'confined: no capability' 'CapBnd:[[:space:]]0000000000000000' "$(cat "/proc/$pid/status")"
assert_no_match 'the secret is in no environment' 'client-secret-value|SECRET' "$(tr '\0' '\n' <"/proc/$pid/environ")"

capture pam-auth-update --enable entra-invite
assert_eq 'pam-auth-update --enable entra-invite' 0 "$rc"
capture useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_match 'useradd says that taylor is invited' 'taylor.*invited' "$out"
assert_within 20 'taylor is pending' state_is taylor pending
assert_match 'the redeem URL is shown to root' '^https://' "$(show taylor .inviteRedeemUrl)"
assert_refused 'pending' taylor
assert_match 'id shows the state' entra-invite-pending "$(id -nG taylor)"

# ---- the gate, with what stands beside it (B5, B6) -------------------------------------------------------------------

assert_apt 'libpam-sss is installed beside it' install --no-download --no-install-recommends libpam-sss
chage -d 0 taylor
echo 'taylor:Pass-word-1' | chpasswd
chage -d 0 taylor
start_sshd
give_key taylor
old=Pass-word-1 new=Another-word-2
for method in publickey keyboard-interactive password; do
    try_ssh "$method" taylor
    assert_no_match "with libpam-sss, expired password: ssh by $method gives no shell" 'let in as' "$out"
done
assert_refused 'with libpam-sss, expired password: su' taylor
capture script -qefc 'setsid --ctty --wait login -f taylor' /dev/null
assert_match 'with libpam-sss, expired password: login is refused' 'invitation' "$out"
chage -d "$(date +%F)" taylor
redeem taylor@fabrikam.com
assert_within 15 'taylor is accepted' state_is taylor accepted
assert_let_in 'accepted' taylor
try_ssh publickey taylor
assert_match 'accepted, by ssh' '^let in as taylor$' "$out"
stop_sshd
assert_match 'id shows the state' entra-invite-accepted "$(id -nG taylor)"

# ---- a cache between the login and the module (B11) --------------------------------------------------------------------

flushed() {
    [ "$(systemctl is-active entra-invite-flush.service)" = inactive ] && [ ! -e "$public/changed" ]
}
ours() { # LOGIN: as whoever asks for groups is told
    id -nG "$1" | tr ' ' '\n' | grep '^entra-invite' | xargs
}
assert_within 20 'without nscd and sssd the changes were taken note of' flushed
assert_eq 'and nothing failed' success "$(systemctl show -P Result entra-invite-flush.service)"
assert_apt 'nscd is installed beside it' install --no-download --no-install-recommends nscd
systemctl start nscd
assert_within 10 'nscd runs' test -S /run/nscd/socket
useradd -m -s /bin/bash -G partners -c 'Alex Example <alex@fabrikam.com>' alex >/dev/null 2>&1
assert_within 20 'alex is pending' state_is alex pending
assert_within 20 'and nscd was told' flushed
assert_eq 'nscd is asked' entra-invite-pending "$(ours alex)"
systemctl stop entra-invite-flush.path
redeem alex@fabrikam.com
assert_within 15 'alex is accepted' state_is alex accepted
assert_within 5 'the view says so' own_status_is alex 0
assert_eq 'unless it is told, nscd goes on with what it was told' entra-invite-pending "$(ours alex)"
systemctl start entra-invite-flush.path
assert_within 10 'a change from before is not missed: id shows the state' eval '[ "$(ours alex)" = entra-invite-accepted ]'
# More changes than any limit of systemd lets through: the last one counts, too.
runs=$(journalctl -o cat -u entra-invite-flush.service | grep -c Finished)
for ((change = 0; change < 60; change++)); do
    : >"$public/changed"
    sleep 0.1
done
capture entra-invite remove alex
assert_within 10 'after a burst of 60 changes: id shows the last one' eval '[ "$(ours alex)" = "" ]'
assert_within 20 'and it ends' flushed
runs=$(($(journalctl -o cat -u entra-invite-flush.service | grep -c Finished) - runs))
assert_true "it cost $runs flushes, not 60" test "$runs" -le 8
assert_eq 'both units are well' 'active success success' \
    "$(systemctl is-active entra-invite-flush.path) $(systemctl show -P Result entra-invite-flush.path) $(systemctl show -P Result entra-invite-flush.service)"
assert_eq 'nothing was denied to it' '' "$(journalctl -o cat -u entra-invite-flush.service | grep -iE 'entra-invite-flush: |denied|not permitted')"
systemctl stop entra-invited.service
assert_eq 'it stops with the daemon' inactive "$(systemctl is-active entra-invite-flush.path)"
systemctl start entra-invited.service
assert_eq 'and starts with it' active "$(systemctl is-active entra-invite-flush.path)"
wait_until 30 worker_ready
apt_get purge nscd

# ---- other ways to hand over the credential --------------------------------------------------------------------------

restart_with() { # NAME EXAMPLE
    install -m 0644 "$examples/$2" "$drop_in/credential.conf"
    systemctl daemon-reload
    capture systemctl restart entra-invited.service
    assert_eq "$1: starts" 0 "$rc"
    [ "$rc" = 0 ] || journalctl -o cat -u entra-invited | tail -n 10 | sed 's/^/#   /'
    assert_within 30 "$1: answers" worker_ready
    simulator expire-tokens >/dev/null
    capture entra-invite refresh --wait
    assert_eq "$1: Graph is asked" 0 "$rc"
}
if capture systemd-creds encrypt --with-key=host --name=client-secret "$secret" /etc/entra-invite/client-secret.cred &&
    [ "$rc" = 0 ]; then
    restart_with 'an encrypted secret' secret-encrypted.conf
else
    fail 'systemd-creds encrypts' "$out"
fi
restart_with 'a plain secret' secret.conf

# A certificate whose key is encrypted: the key and what opens it are credentials of the service.
printf 'pass-phrase' >"$work/passphrase"
openssl req -x509 -newkey rsa:2048 -keyout /etc/entra-invite/client.key -out /etc/entra-invite/client.pem -days 90 \
    -subj /CN=entra-invite -passout "file:$work/passphrase" 2>"$work/openssl"
chmod 0600 /etc/entra-invite/client.key
systemd-creds encrypt --with-key=host --name=client-key-passphrase "$work/passphrase" \
    /etc/entra-invite/client-key-passphrase.cred 2>"$work/creds"
node -e 'console.log(JSON.stringify([require("fs").readFileSync("/etc/entra-invite/client.pem", "utf8")]))' |
    simulator set certificates - >"$work/register"
cp "$config" "$work/config"
sed -i 's|^credential:.*|credential: { type = "certificate"; credential_name = "client-key"; passphrase_name = "client-key-passphrase"; certificate = "/etc/entra-invite/client.pem"; };|' "$config"
restart_with 'a certificate, its key and passphrase' certificate.conf
cp "$work/config" "$config"
restart_with 'the secret again' secret.conf

# ---- no denial -------------------------------------------------------------------------------------------------------

assert_eq 'H9: no seccomp or access denial in the journal' '' \
    "$(journalctl -o cat -u entra-invited.service | grep -iE 'permission denied|operation not permitted|EPERM|EACCES|seccomp|SIGSYS')"
assert_eq 'and no restart' 0 "$(systemctl show -P NRestarts entra-invited.service)"

# ---- upgrade ---------------------------------------------------------------------------------------------------------

useradd -m -s /bin/bash -G partners -c 'Kim Example <kim@fabrikam.com>' kim >/dev/null 2>&1
assert_within 20 'kim is pending' state_is kim pending
url=$(show kim .inviteRedeemUrl)
generation=$(entra-invite list --json | json .length)
for package in $all; do
    dpkg-deb -R "$packages/${package}"_*.deb "$work/$package"
    sed -i -E 's/^(Version: .*)$/\1+next/; s/\(= ([^)]*)\)/(= \1+next)/' "$work/$package/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/$package" "$work/${package}_next.deb" >/dev/null
done
rm -f /srv/repository/*.deb
publish "$work"/*_next.deb
before=$(systemctl show -P MainPID entra-invited.service)
# All the restarts above count for the unit's start limit (five in ten seconds), and a fast machine gets there.
systemctl reset-failed entra-invited.service
assert_apt 'apt-get upgrade' upgrade
assert_match 'the new version is installed' '\+next' "$(dpkg-query -f '${Version}' -W entra-invite)"
assert_within 30 'the worker runs again' worker_ready
worker_ready >/dev/null 2>&1 || journalctl -o cat -n 20 -u entra-invited.service | sed 's/^/#   /'
assert_false 'as a new process' test "$before" = "$(systemctl show -P MainPID entra-invited.service)"
assert_eq 'upgrade keeps the state: kim' "$url" "$(show kim .inviteRedeemUrl)"
assert_eq 'and everybody else' "$generation" "$(entra-invite list --json | json .length)"
assert_eq 'and the configuration' 1 "$(grep -c 'credential_name' $config)"
assert_true 'and the PAM line' grep -q pam_entra_invite /etc/pam.d/common-account
assert_refused 'after the upgrade' kim
assert_eq 'the status groups keep their gids (S20)' "$groups" "$(getent group entra-invite-pending entra-invite-accepted)"

# ---- remove ----------------------------------------------------------------------------------------------------------

assert_apt 'apt-get remove' remove $all
assert_false 'remove takes the PAM lines out' grep -rq pam_entra_invite /etc/pam.d
assert_false 'remove takes the NSS service out' grep -q entra_invite /etc/nsswitch.conf
assert_eq 'remove stops the worker' inactive "$(systemctl is-active entra-invited.service)"
assert_let_in 'after remove the gate is gone' kim
capture useradd -m -G partners -c 'Sasha Example <sasha@fabrikam.com>' sasha
assert_eq 'the hooks that stay are harmless (B4)' '0:' "$rc:$out"
capture userdel -r sasha
assert_eq 'for userdel too' 0 "$rc"
assert_true 'remove keeps the state' test -s "$database"
assert_true 'and the configuration' test -s "$config"
# A distribution may have such a line, which is asked instead of the group line (P5).
echo 'initgroups: files' >>/etc/nsswitch.conf
assert_apt 'installed again' install $all
assert_eq 'P5: an initgroups line asks our service first, and goes on' 'initgroups: entra_invite [SUCCESS=continue] files' \
    "$(grep ^initgroups: /etc/nsswitch.conf)"
assert_match 'P5: and id shows the state' entra-invite-accepted "$(id -nG taylor)"
systemctl daemon-reload
systemctl start entra-invited.service
assert_within 30 'the worker runs again after all' worker_ready
assert_eq 'and knows what it knew' "$url" "$(show kim .inviteRedeemUrl)"
assert_true 'the NSS service is back' grep -q entra_invite /etc/nsswitch.conf

# ---- purge (P10) -----------------------------------------------------------------------------------------------------------

assert_apt 'apt-get purge' purge $all
apt_get purge --autoremove libpam-sss
assert_true 'P5: the initgroups line is as it was' grep -qx 'initgroups: files' /etc/nsswitch.conf
sed -i '/^initgroups: files$/d' /etc/nsswitch.conf
assert_eq 'purge leaves PAM and nsswitch byte-identical' '' "$(login_files | diff - "$work/login-files")"
assert_eq 'purge takes state, secrets and hooks' '' \
    "$(find /etc/entra-invite /var/lib/entra-invite /run/entra-invite /etc/shadow-maint /etc/apparmor.d /etc/update-motd.d /usr/lib/systemd/catalog -name '*entra*' 2>/dev/null; ls -d /etc/entra-invite /var/lib/entra-invite 2>/dev/null)"
assert_true 'the system user is kept' id entra-invite
finish

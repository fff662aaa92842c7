#!/bin/bash
# rpm-installed.sh PACKAGES: installs the rpm packages with dnf from a signed repository into a root of its own, which has
# stand-ins for the packages of the distribution; upgrades, goes back, removes. Runs in the lab of rpm.sh.
packages=$1
. "$(dirname "$0")/../host/lib.sh"
root=/var/tmp/root
repository=/var/tmp/repository
ours='entra-invite pam_entra_invite nss_entra_invite'

inside() { # COMMAND...: in the root
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
}
capture_inside() { # COMMAND...: as capture
    capture env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
}
dnf_does() { # ARGUMENT...
    capture dnf -q -y --installroot="$root" --releasever=9 --setopt=reposdir=/etc/yum.repos.d --disableplugin='*' "$@"
}
assert_dnf() { # NAME ARGUMENT...
    dnf_does "${@:2}"
    assert_eq "$1" 0 "$rc"
    [ "$rc" = 0 ] || tail -n 30 <<<"$out" | sed 's/^/#   /'
}
calls() { # what the stand-ins of systemd and SELinux were asked since the last time
    cat "$root/calls" 2>/dev/null
    rm -f "$root/calls"
}
login_files() {
    (cd "$root" && find etc/pam.d etc/nsswitch.conf etc/security -type f -exec sha256sum {} + | sort -k 2)
}

# ---- the distribution -------------------------------------------------------------------------------------------------

stand_in() { # NAME PROVIDES TREE-OR-NONE: an rpm package, into the repository
    {
        printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: Stand-in\nLicense: MIT\nAutoReqProv: no\n' "$1" "${version:-1}"
        sed 's/^/Provides: /' <<<"$2" | grep -v '^Provides: $'
        printf '%%description\nStand-in.\n%%install\n'
        [ -z "${3:-}" ] || printf 'cp -a %s/. %%{buildroot}/\n' "$3"
        printf '%%files\n'
        [ -z "${3:-}" ] || (cd "$3" && find . -mindepth 1 \( -type d -printf '%%dir "/%P"\n' -o -printf '"/%P"\n' \))
    } >"$work/$1.spec"
    capture rpmbuild -bb --quiet --define "_topdir $work/rpmbuild" --define "_rpmdir $repository" \
        --define '__os_install_post %{nil}' --define '__spec_install_post %{nil}' --define '_build_id_links none' \
        --define 'debug_package %{nil}' --define '_binary_payload w1.gzdio' "$work/$1.spec"
    [ "$rc" = 0 ] || fail "stand-in $1" "$out"
}

# Real programs of this machine with the libraries that they and ours need; what would talk to a systemd or a kernel that
# is not there writes down what it was asked.
build_distribution() { # DIRECTORY
    local program file name
    mkdir -p "$1"/usr/{bin,sbin,lib,lib64,libexec} "$1"/{etc/pam.d,etc/security,var/lib,var/tmp,run,tmp,proc,dev,root,home}
    for name in bin sbin lib lib64; do ln -s usr/$name "$1/$name"; done
    for program in sh cat chmod chown cp getent id ls mkdir rm stat true useradd userdel usermod groupadd systemd-tmpfiles su sed \
        chpasswd grep env; do
        for file in $(type -P $program) $(ldd "$(type -P $program)" | grep -o '/[^ ]*'); do copy_in "$1" "$file"; done
    done
    mkdir "$work/ours"
    for file in "$packages"/1/*-1.[!s]*.rpm; do rpm2cpio "$file" | (cd "$work/ours" && cpio -idmu --quiet 2>/dev/null); done
    for file in $(find "$work/ours/usr" -type f -perm -100 ! -name '*.debug' -exec ldd {} + 2>/dev/null | grep -o ' /[^ ]*' | sort -u) \
        $(find / -xdev \( -name 'pam_permit.so' -o -name 'pam_deny.so' -o -name 'libnss_files.so.2' \) 2>/dev/null) /etc/login.defs /etc/shells; do
        copy_in "$1" "$file"
    done
    mkdir -p "$1/usr/lib/systemd"
    for name in usr/lib/systemd/systemd-update-helper usr/bin/systemctl; do recorder "$1/$name"; done
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\npartners:x:1100:\n' >"$1/etc/group"
    printf 'root:*:19000:0:99999:7:::\n' >"$1/etc/shadow"
    printf 'passwd: files\ngroup: files\nshadow: files\n' >"$1/etc/nsswitch.conf"
    printf 'auth sufficient pam_permit.so\naccount required pam_permit.so\npassword required pam_permit.so\nsession required pam_permit.so\n' |
        tee "$1/etc/pam.d/su" "$1/etc/pam.d/chpasswd" >"$1/etc/pam.d/other"
}
copy_in() { # DIRECTORY FILE
    mkdir -p "$1$(dirname "$2")" && cp -nL "$2" "$1$2"
}
recorder() { # FILE
    mkdir -p "${1%/*}"
    printf '#!/bin/sh\necho "${0##*/} $*" >>/calls\n' >"$1"
    chmod 755 "$1"
}

# What our packages ask for and do not bring themselves.
needed=$({ rpm -qp --requires "$packages"/1/*-1.[!s]*.rpm; rpm -qp --provides "$packages"/1/*-1.[!s]*.rpm | sed 's/^/-/'; } |
    awk '/^-/ { sub(/^-/, ""); have[$1] = 1; next } !/^rpmlib|^\(|selinux|^policycoreutils/ { want[$1] = 1 } END { for (n in want) if (!(n in have)) print n }' | sort)
mkdir -p "$repository" "$root"
build_distribution "$work/distribution"
stand_in distribution "$needed" "$work/distribution"
mkdir -p "$work/policy/etc/selinux/targeted/contexts/files" "$work/policy/usr/sbin" "$work/policy/var/lib/rpm-state"
echo '# contexts' >"$work/policy/etc/selinux/targeted/contexts/files/file_contexts"
for name in semodule load_policy fixfiles selinuxenabled; do recorder "$work/policy/usr/sbin/$name"; done
stand_in selinux-policy-targeted $'selinux-policy\npolicycoreutils' "$work/policy"

# ---- the repository: packages and index are signed -----------------------------------------------------------------------

export GNUPGHOME=$work/gnupg
install -d -m 0700 "$GNUPGHOME"
gpg --batch -q --passphrase '' --quick-gen-key 'Packager <packager@example.com>' rsa3072 sign never 2>"$work/gpg" ||
    fail 'a key is made' "$(cat "$work/gpg")"
gpg --export --armor >"$work/key"
mkdir -p /etc/yum.repos.d
cat >/etc/yum.repos.d/test.repo <<END
[test]
name=Test
baseurl=file://$repository
gpgcheck=1
repo_gpgcheck=1
gpgkey=file://$work/key
metadata_expire=1
END
sign() { # FILE.rpm...
    capture rpmsign --define '_gpg_name packager@example.com' --define '__gpg /usr/bin/gpg' --addsign "$@"
    [ "$rc" = 0 ] || fail 'the packages are signed' "$out"
}
publish() { # FILE.rpm...: copies and signs them, and signs the new index
    cp "$@" "$repository/" && (cd "$repository" && sign "${@##*/}")
    index
}
index() {
    rm -rf "$repository/repodata"
    createrepo_c -q "$repository" >"$work/createrepo" 2>&1 || fail 'the index is made' "$(cat "$work/createrepo")"
    gpg --batch -q --yes --detach-sign --armor "$repository/repodata/repomd.xml"
    rm -rf "$root/var/cache/dnf"
}
find "$repository" -name '*.rpm' -exec mv -t "$repository" {} + 2>/dev/null
sign "$repository"/*.rpm
publish "$packages"/1/*-1.[!s]*.rpm

assert_dnf 'dnf installs the stand-in of the distribution' install distribution
mount -t proc proc "$root/proc"
inside useradd -m -s /bin/sh robin

# ---- who may publish ----------------------------------------------------------------------------------------------------

cp "$packages"/1/entra-invite-[0-9]*-1.[!s]*.rpm "$repository/"
index
dnf_does install entra-invite
assert_eq 'a package without signature is refused' 1 "$rc"
assert_match 'with that reason' 'not signed|GPG check FAILED' "$out"
publish "$packages"/1/entra-invite-[0-9]*-1.[!s]*.rpm
echo '<!-- changed -->' >>"$repository/repodata/repomd.xml"
dnf_does install entra-invite
assert_eq 'a changed index is refused' 1 "$rc"
index

# ---- installing changes nothing --------------------------------------------------------------------------------------------

login_files >"$work/login-files"
calls >/dev/null
assert_dnf 'dnf install' install entra-invite nss_entra_invite
assert_eq 'the PAM package comes along, the policy does not: there is no SELinux' \
    'entra-invite nss_entra_invite pam_entra_invite' \
    "$(rpm --root "$root" -qa --qf '%{NAME}\n' | grep entra | sort | xargs)"
assert_eq 'the PAM stack and nsswitch.conf are as they were' '' "$(login_files | diff - "$work/login-files")"
assert_eq 'every file is as packaged' '' "$(rpm --root "$root" -V $ours)"
assert_eq 'systemd is told of the units, by the presets' 'systemd-update-helper install-system-units entra-invited.service entra-invited.socket entra-invite-flush.path' "$(calls)"
assert_eq 'and nothing is enabled' '' "$(find "$root/etc/systemd" -type l 2>/dev/null)"
assert_true 'the system user is there' inside id entra-invite
assert_match 'it has no shell' ':/usr/sbin/nologin$' "$(grep '^entra-invite:' "$root/etc/passwd")"
assert_true 'and the status groups' inside getent group entra-invite-pending entra-invite-accepted
assert_eq 'directories: owner and mode' '755 entra-invite 755 entra-invite 700 entra-invite' \
    "$(inside stat -c '%a %U' /var/lib/entra-invite /var/lib/entra-invite/public /var/lib/entra-invite/private | xargs)"
version=$(sed -n 's/^VERSION *:= *//p' "$repo/Makefile")
for program in entra-invite entra-invited; do
    capture_inside "$program" --version
    assert_match "$program runs, and is of this version" "(^| )$version( |\$)" "$out"
done
capture_inside entra-invited --test
assert_false 'the sample configuration starts nothing' test "$rc" = 0
assert_match 'and it is said what to fill in' 'entra-invite\.conf.*tenant' "$out"
capture_inside useradd -m -s /bin/sh -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_eq 'useradd says nothing, not configured' '0:' "$rc:$out"

# The gate, with the line of pam_entra_invite(8); nothing is published yet.
gate='account [success=ignore ignore=ignore module_unknown=ignore default=die] pam_entra_invite.so'
sed -i "/^account/i $(sed 's|pam_entra|/usr/lib64/security/pam_entra|' <<<"$gate")" "$root/etc/pam.d/su"
for login in robin taylor; do
    capture_inside su "$login" -c true
    assert_eq "nothing is configured: $login gets in" 0 "$rc"
done
echo partners >"$root/var/lib/entra-invite/public/groups"
inside chown entra-invite /var/lib/entra-invite/public/groups
capture_inside su taylor -c true
assert_match 'the module works: who is covered is refused' '^[1-9].*entra-invite: taylor' "$rc $(tr -d '\n' <<<"$out")"
capture_inside su robin -c true
assert_eq 'and who is not gets in' 0 "$rc"

# ---- upgrade and back --------------------------------------------------------------------------------------------------------

sed -i 's/^tenant .*/tenant = "contoso.onmicrosoft.com";/' "$root/etc/entra-invite/entra-invite.conf"
install -m 0600 /dev/null "$root/etc/entra-invite/client-secret"
echo queue >"$root/var/lib/entra-invite/private/entra-invite.db"
inside chown entra-invite /etc/entra-invite/client-secret /var/lib/entra-invite/private/entra-invite.db
kept() { # what must outlive every package, and its owner
    (cd "$root" && find etc/entra-invite/entra-invite.conf etc/entra-invite/client-secret var/lib/entra-invite -type f \
        -printf '%p %m %U ' -exec cat {} \; | cksum)
}
before=$(kept)
publish "$packages"/next/*-2.[!s]*.rpm
assert_dnf 'dnf upgrade' upgrade
assert_eq 'to the next release' "2 2 2" "$(rpm --root "$root" -q --qf '%{RELEASE} ' $ours | xargs)"
assert_eq 'configuration, secret and state are as they were' "$before" "$(kept)"
assert_match 'the new sample is beside the configuration' 'A later sample' "$(cat "$root/etc/entra-invite/entra-invite.conf.rpmnew")"
assert_eq 'the daemon is restarted if it runs, and nothing else' 'systemd-update-helper mark-restart-system-units entra-invited.service' "$(calls)"
assert_eq 'the owners are as they were' '755 entra-invite 755 entra-invite 700 entra-invite' \
    "$(inside stat -c '%a %U' /var/lib/entra-invite /var/lib/entra-invite/public /var/lib/entra-invite/private | xargs)"
assert_dnf 'dnf downgrade' downgrade $ours
assert_eq 'back to the release before' "1 1 1" "$(rpm --root "$root" -q --qf '%{RELEASE} ' $ours | xargs)"
assert_eq 'configuration, secret and state are as they were then, too' "$before" "$(kept)"
rm -f "$root"/etc/entra-invite/*.rpmnew "$repository"/*-2.*.rpm

version=9 stand_in entra-invite 'entra-invite-view = 9'
find "$repository" -mindepth 2 -name '*.rpm' -exec mv -t "$repository" {} +
sign "$repository"/entra-invite-9-1.*.rpm
index
dnf_does --best upgrade entra-invite
assert_eq 'a daemon of another view format does not leave the modules behind' 1 "$rc"
assert_match 'with that reason' 'entra-invite-view = 1' "$out"
rm -f "$repository"/entra-invite-9-1.*.rpm
index

# ---- SELinux comes, and goes ----------------------------------------------------------------------------------------------------

calls >/dev/null
assert_dnf 'dnf installs a policy' install selinux-policy-targeted
assert_true "P17: and with it ours, since the daemon is there" rpm --root "$root" -q entra-invite-selinux
assert_match 'our module goes into its store' 'semodule -n -s targeted -X 200 -i /usr/share/selinux/packages/targeted/entra_invite.pp.bz2' "$(calls)"
assert_dnf 'dnf removes all of it' remove $ours entra-invite-selinux selinux-policy-targeted
said=$(calls)
assert_match 'our module leaves the store' 'semodule -n -X 200 -s targeted -r entra_invite' "$said"
assert_match 'systemd is told to stop and forget the units' 'remove-system-units entra-invited.service entra-invited.socket entra-invite-flush.path' "$said"

# ---- what stays ---------------------------------------------------------------------------------------------------------------

assert_eq 'no package is left' '' "$(rpm --root "$root" -qa | grep entra)"
assert_eq 'of its files only configuration, secret and state stay' \
'/etc/entra-invite
/etc/entra-invite/client-secret
/etc/entra-invite/entra-invite.conf.rpmsave
/var/lib/entra-invite
/var/lib/entra-invite/private
/var/lib/entra-invite/private/entra-invite.db
/var/lib/entra-invite/public
/var/lib/entra-invite/public/groups' \
    "$(find "$root" -path "$root/proc" -prune -o -path '*entra*invite*' -print | sed "s|^$root||" | sort)"
assert_match 'the configuration as it was edited' contoso "$(cat "$root/etc/entra-invite/entra-invite.conf.rpmsave")"
assert_true 'the user stays, as system users do' inside id entra-invite
capture_inside useradd -m -s /bin/sh kim
assert_eq 'useradd works, the hooks are gone' '0:' "$rc:$out"
capture_inside su robin -c true
assert_eq 'a gate line that was left in locks nobody out' 0 "$rc"
sed -i '/pam_entra_invite/d' "$root/etc/pam.d/su"
assert_eq 'without it the login stack is that from before' '' "$(login_files | diff - "$work/login-files")"
finish

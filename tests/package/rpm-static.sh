#!/bin/bash
# rpm-static.sh PACKAGES: what can be seen of the rpm packages without installing them. Runs in the lab of rpm.sh.
packages=$1
. "$(dirname "$0")/../host/lib.sh"
. "$(dirname "$0")/hardened.sh"
cd "$packages/1" || exit 1
binary='entra-invite pam_entra_invite nss_entra_invite entra-invite-selinux'
version=$(sed -n 's/^VERSION *:= *//p' "$repo/Makefile")

package() { # NAME: its file
    echo "$1-$version-1".[!s]*.rpm
}
query() { # NAME FORMAT
    rpm -qp --qf "$2" "$(package "$1")"
}

assert_eq 'the packages are those of the deb half, the policy, and what debuggers need' \
    "entra-invite entra-invite-debuginfo entra-invite-selinux nss_entra_invite pam_entra_invite" \
    "$(rpm -qp --qf '%{NAME}\n' ./*-1.[!s]*.rpm | sort -u | xargs)"
for file in *.rpm; do
    assert_true "P9: reproducible: $file" cmp "$file" "../2/$file"
done
# shellcheck disable=SC2046
capture rpmlint -c "$repo/tests/package/rpmlint.toml" -r "$repo/rpm/entra-invite.rpmlintrc" \
    $(ls -- *.rpm | grep -v debuginfo)
assert_match 'P8: rpmlint has no error and no warning' '5 packages and 0 specfiles checked; 0 errors, 0 warnings' "$out"
while read -r filter; do
    assert_true "P8: each filter has its reason: $filter" \
        awk -v f="$filter" 'index($0, f) && last ~ /^#/ { ok = 1 } { last = $0 } END { exit !ok }' "$repo/rpm/entra-invite.rpmlintrc"
done < <(grep -v '^#' "$repo/rpm/entra-invite.rpmlintrc")
capture rpmlint -c "$repo/tests/package/rpmlint.toml" "$(package pam_entra_invite)"
assert_match 'P8: without the filter it knows the module as unauthorized' 'pam-unauthorized-module' "$out"

# ---- files ------------------------------------------------------------------------------------------------------------

files() { # NAME: mode, owner, group, flags, name; without what rpm adds for debuggers
    query "$1" '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILENAMES}\n]' |
        grep -v '/\.build-id' | sed 's/  */ /g'
}
assert_eq 'files of entra-invite' \
"drwxr-xr-x root:root /etc/entra-invite
-rw-r--r-- root:root cn /etc/entra-invite/entra-invite.conf
-rw-r--r-- root:root cn /etc/profile.d/entra-invite.sh
drwxr-xr-x root:root /etc/shadow-maint
drwxr-xr-x root:root /etc/shadow-maint/useradd-post.d
-rwxr-xr-x root:root /etc/shadow-maint/useradd-post.d/entra-invite
drwxr-xr-x root:root /etc/shadow-maint/userdel-post.d
-rwxr-xr-x root:root /etc/shadow-maint/userdel-post.d/entra-invite
drwxr-xr-x root:root g /run/entra-invite
-rwxr-xr-x root:root /usr/bin/entra-invite
-rw-r--r-- root:root /usr/lib/systemd/catalog/entra-invite.catalog
-rw-r--r-- root:root /usr/lib/systemd/system/entra-invite-flush.path
-rw-r--r-- root:root /usr/lib/systemd/system/entra-invite-flush.service
-rw-r--r-- root:root /usr/lib/systemd/system/entra-invited.service
-rw-r--r-- root:root /usr/lib/systemd/system/entra-invited.socket
-rw-r--r-- root:root /usr/lib/sysusers.d/entra-invite.conf
-rw-r--r-- root:root /usr/lib/tmpfiles.d/entra-invite.conf
drwxr-xr-x root:root /usr/libexec/entra-invite
-rwxr-xr-x root:root /usr/libexec/entra-invite/entra-invite-flush
-rwxr-xr-x root:root /usr/libexec/entra-invite/entra-invite-hook
-rwxr-xr-x root:root /usr/sbin/entra-invited
drwxr-xr-x root:root g /var/lib/entra-invite
drwxr-xr-x root:root g /var/lib/entra-invite/private
drwxr-xr-x root:root g /var/lib/entra-invite/public" "$(files entra-invite | grep -v ' /usr/share/')"
assert_eq 'its completions' 'bash-completion/completions/entra-invite fish/vendor_completions.d/entra-invite.fish zsh/site-functions/_entra-invite' \
    "$(files entra-invite | grep -v ' /usr/share/\(doc\|man\|licenses\)/' | sed -n 's|^-rw-r--r-- root:root /usr/share/||p' | sort | xargs)"
assert_eq 'its manual pages' \
    "entra-invite-directories.7.gz entra-invite-errors.7.gz entra-invite-flush.8.gz entra-invite-hook.8.gz entra-invite.1.gz entra-invite.conf.5.gz entra-invited.8.gz" \
    "$(files entra-invite | sed -n 's|.*/usr/share/man/man[1578]/||p' | sort | xargs)"
assert_eq 'files of pam_entra_invite' \
"-rwxr-xr-x root:root /usr/lib64/security/pam_entra_invite.so
drwxr-xr-x root:root /usr/share/licenses/pam_entra_invite-$version
-rw-r--r-- root:root l /usr/share/licenses/pam_entra_invite-$version/LICENSE
-rw-r--r-- root:root d /usr/share/man/man8/pam_entra_invite.8.gz" "$(files pam_entra_invite)"
assert_eq 'files of nss_entra_invite' \
"-rw-r--r-- root:root /usr/lib/sysusers.d/entra-invite-groups.conf
-rwxr-xr-x root:root /usr/lib64/libnss_entra_invite.so.2
drwxr-xr-x root:root /usr/share/licenses/nss_entra_invite-$version
-rw-r--r-- root:root l /usr/share/licenses/nss_entra_invite-$version/LICENSE
-rw-r--r-- root:root d /usr/share/man/man8/nss_entra_invite.8.gz" "$(files nss_entra_invite)"
assert_eq 'files of entra-invite-selinux' \
"drwxr-xr-x root:root /usr/share/licenses/entra-invite-selinux-$version
-rw-r--r-- root:root l /usr/share/licenses/entra-invite-selinux-$version/LICENSE
-rw-r--r-- root:root d /usr/share/man/man8/entra_invite_selinux.8.gz
-rw-r--r-- root:root /usr/share/selinux/devel/include/distributed/entra_invite.if
-rw-r--r-- root:root /usr/share/selinux/packages/targeted/entra_invite.pp.bz2
-rw-r--r-- root:root g /var/lib/selinux/targeted/active/modules/200/entra_invite" "$(files entra-invite-selinux)"
assert_match 'each package has the licence' LICENSE "$(files entra-invite)"
assert_eq 'the source package has all that it needs' \
    "entra-invite-$version.tar.gz entra-invite-groups.sysusers entra-invite.spec entra-invite.sysusers" \
    "$(rpm -qpl "entra-invite-$version-1.src.rpm" | sort | xargs)"

# ---- dependencies and scriptlets --------------------------------------------------------------------------------------

major=$(sed -n 's/.*EI_VIEW_MAJOR = \([0-9]*\).*/\1/p' "$repo/common/view/view.h")
assert_match 'the daemon provides its view format' "^entra-invite-view = $major\$" "$(rpm -qp --provides "$(package entra-invite)")"
for name in pam_entra_invite nss_entra_invite; do
    assert_match "$name needs a daemon of this view format" "^entra-invite-view = $major\$" "$(rpm -qpR "$(package "$name")")"
done
assert_match 'P17: with SELinux the daemon needs its policy' "^\(entra-invite-selinux = $version-1 if selinux-policy-targeted\)\$" \
    "$(rpm -qpR "$(package entra-invite)")"
assert_match "Debian's name of the PAM package leads to it" '^libpam-entra-invite = ' "$(rpm -qp --provides "$(package pam_entra_invite)")"
assert_match "and that of the NSS package" '^libnss-entra-invite = ' "$(rpm -qp --provides "$(package nss_entra_invite)")"
for name in $binary; do
    assert_no_match "no scriptlet of $name touches the login stack" 'pam\.d|nsswitch|authselect' "$(rpm -qp --scripts "$(package "$name")")"
done
assert_eq 'the PAM module has no scriptlet' '' "$(rpm -qp --scripts "$(package pam_entra_invite)")"
scripts=$(rpm -qp --scripts "$(package entra-invite)")
assert_match 'the user is made before the files are there' 'getent passwd entra-invite .*useradd -r .*entra-invite$' \
    "$(sed -n '/^preinstall/,/^postinstall/p' <<<"$scripts")"
assert_no_match 'no scriptlet enables or starts the daemon' 'systemctl|enable|start ' "$(grep -v '^#' <<<"$scripts")"
assert_no_match 'P19: nothing is compiled on the target' 'checkmodule|semodule_package|make' \
    "$(rpm -qp --scripts "$(package entra-invite-selinux)")"

# ---- what the compiler and the linker were told -----------------------------------------------------------------------

mkdir "$work/tree"
for name in $binary; do
    rpm2cpio "$(package "$name")" | (cd "$work/tree" && cpio -idmu --quiet 2>"$work/cpio")
done
tree=$work/tree
module=$tree/usr/lib64/security/pam_entra_invite.so
nss=$tree/usr/lib64/libnss_entra_invite.so.2
for program in usr/sbin/entra-invited usr/bin/entra-invite usr/libexec/entra-invite/entra-invite-hook; do
    hardened_program "$tree/$program" '/(var/)?tmp/|another-and-longer|BUILD'
done
hardened_program "$tree/usr/libexec/entra-invite/entra-invite-flush" '/(var/)?tmp/|another-and-longer|BUILD' 2
for file in "$module" "$nss"; do
    hardened_file "$file"
    [ "$(uname -m)" != x86_64 ] || assert_match "${file##*/} has CET" 'IBT, SHSTK' "$(readelf -n "$file")"
done
contained_modules "$module" "$nss"

# ---- SELinux: the policy is linked with Debian's reference policy, and asked ----------------------------------------------

bunzip2 -k "$tree/usr/share/selinux/packages/targeted/entra_invite.pp.bz2"
capture semodule -n -s default -X 200 -i "$tree/usr/share/selinux/packages/targeted/entra_invite.pp"
assert_eq 'the policy links: every name is known, and no neverallow rule is broken' 0 "$rc"
[ "$rc" = 0 ] || sed 's/^/#   /' <<<"$out"
policy=$(ls /etc/selinux/default/policy/policy.*)
rules() { # SESEARCH-OPTION...
    sesearch "$policy" -A "$@"
}
assert_match 'P19: no domain is permissive' 'Permissive Types: 0' "$(seinfo "$policy" --permissive)"
assert_match 'P16: systemd starts the daemon in its domain' entra_invited_t "$(sesearch "$policy" -T -s init_t -t entra_invited_exec_t)"
assert_match 'P16: also with NoNewPrivileges=' nnp_transition "$(rules -s init_t -t entra_invited_t -c process2)"
assert_match 'P17: whoever looks up accounts reads the view' '^allow nsswitch_domain entra_invite_public_t:file \{ getattr ioctl lock open read \};' \
    "$(rules -s nsswitch_domain -t entra_invite_public_t -c file)"
for domain in sshd_t local_login_t crond_t useradd_t init_t; do
    assert_match "P17: among them $domain" nsswitch_domain "$(seinfo "$policy" -t "$domain" -x)"
done
for type in entra_invite_conf_t entra_invite_var_lib_t; do
    assert_eq "of what is about $type by name, only the daemon and systemd may read" '' \
        "$(rules -t "$type" -c file -p read | awk '$3 ~ /^entra_invite_/ && $2 != "entra_invited_t" && $2 != "init_t"')"
    assert_eq "sshd may not read $type" '' "$(rules -s sshd_t -t "$type" -c file -p read)"
done
for domain in useradd_t passwd_t; do
    assert_match "P18: $domain may ask the daemon" connectto "$(rules -s "$domain" -t entra_invited_t -c unix_stream_socket)"
    assert_eq "P18: and $domain does not become it" '' "$(rules -s "$domain" -t entra_invited_t -c process -p transition)"
done
assert_match 'systemd may watch for what entra-invite-flush.path waits for' '^allow init_t entra_invite_public_t:dir .*watch' \
    "$(rules -s init_t -t entra_invite_public_t -c dir -p watch)"
assert_eq 'sshd may not ask the daemon' '' "$(rules -s sshd_t -t entra_invited_t -c unix_stream_socket -p connectto)"
ports=$(rules -s entra_invited_t -c tcp_socket -p name_connect | grep '^allow entra_invited_t')
assert_eq 'the ports of the daemon, beside DNS; etcd and Azure Arc only by their booleans' \
"allow entra_invited_t entra_invite_etcd_port_t:tcp_socket name_connect; [ entra_invite_connect_etcd ]:True
allow entra_invited_t http_port_t:tcp_socket name_connect;
allow entra_invited_t port_type:tcp_socket name_connect; [ entra_invite_azure_arc ]:True
allow entra_invited_t smtp_port_t:tcp_socket name_connect;" "$(grep -v ' dns_port_t' <<<"$ports" | sort)"
for boolean in entra_invite_connect_etcd entra_invite_azure_arc; do
    assert_match "$boolean is off" "bool $boolean false" "$(seinfo "$policy" -b "$boolean" -x)"
done
assert_eq 'the daemon has no capability' '' "$(rules -s entra_invited_t -c capability | grep '^allow entra_invited_t' | grep -v allow_ypbind)"
while read -r path type; do
    assert_eq "label of $path" "system_u:object_r:$type:s0" \
        "$(matchpathcon -n -f /etc/selinux/default/contexts/files/file_contexts "$path")"
done <<'LABELS'
/usr/sbin/entra-invited entra_invited_exec_t
/usr/bin/entra-invited entra_invited_exec_t
/usr/bin/entra-invite bin_t
/usr/libexec/entra-invite/entra-invite-hook bin_t
/etc/shadow-maint/useradd-post.d/entra-invite bin_t
/etc/shadow-maint/userdel-post.d/entra-invite bin_t
/etc/entra-invite/client-secret entra_invite_conf_t
/var/lib/entra-invite/private/entra-invite.db entra_invite_var_lib_t
/var/lib/entra-invite/public/status.cdb entra_invite_public_t
/run/entra-invite/entra-invite.sock entra_invite_var_run_t
LABELS
finish

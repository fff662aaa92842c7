#!/bin/bash
# deb-static.sh OUT: what can be seen of the Debian packages without installing them. Runs in a machine of
# tests/package/boot, of the suite that built them.
out_dir=$1
. "$(dirname "$0")/../host/lib.sh"
. "$(dirname "$0")/hardened.sh"
cd "$out_dir/1" || exit 1

for file in *.deb *.dsc *.tar.*; do
    assert_true "P9: reproducible: $file" cmp "$file" "../2/$file"
done
capture lintian --allow-root --fail-on error,warning *.changes
assert_eq 'P7: lintian has no error and no warning' 0 "$rc"
[ "$rc" = 0 ] || sed 's/^/#   /' <<<"$out"
while read -r override; do
    assert_true "each lintian override has its reason: $override" \
        awk -v o="$override" 'index($0, o) && last ~ /^#/ { ok = 1 } { last = $0 } END { exit !ok }' "$repo"/debian/*.lintian-overrides
done < <(grep -hv '^#' "$repo"/debian/*.lintian-overrides | sort -u)

mkdir "$work/tree"
for package in entra-invite libpam-entra-invite libnss-entra-invite; do
    dpkg-deb -x "${package}"_*.deb "$work/tree"
done
tree=$work/tree
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
module=$tree/usr/lib/$multiarch/security/pam_entra_invite.so
nss=$tree/usr/lib/$multiarch/libnss_entra_invite.so.2
programs="$tree/usr/sbin/entra-invited $tree/usr/bin/entra-invite $tree/usr/libexec/entra-invite/entra-invite-hook"
assert_eq 'P1: nothing else is in the packages' '' "$(find "$tree" -type f | sed "s|^$tree/||" | grep -vE \
    '^etc/(apparmor\.d|entra-invite|shadow-maint|update-motd\.d)/|^(usr/)?lib/systemd/system/entra-invite(d\.(service|socket)|-flush\.(path|service))$|^usr/lib/(sysusers|tmpfiles)\.d/|^usr/lib/systemd/catalog/|^usr/share/(doc|man|lintian|pam-configs)/|^usr/share/(bash-completion/completions|fish/vendor_completions\.d|zsh/vendor-completions)/_?entra-invite(\.fish)?$|^usr/(bin|sbin|libexec)/(entra-invite/)?entra-invite|\.so(\.2)?$')"
assert_eq 'completions for three shells' 'bash-completion/completions/entra-invite fish/vendor_completions.d/entra-invite.fish zsh/vendor-completions/_entra-invite' \
    "$(find "$tree/usr/share" -path '*completions*' -type f -printf '%P\n' | sort | xargs)"
assert_eq 'nothing is writable for others or set-uid' '' "$(find "$tree" ! -type l -perm /6022)"

# ---- what the compiler and the linker were told (issue: flags are read from the files) --------------------------------

for program in $programs; do hardened_program "$program" '/(var/)?tmp/|another-and-longer'; done
hardened_program "$tree/usr/libexec/entra-invite/entra-invite-flush" '/(var/)?tmp/|another-and-longer' 2
for file in "$module" "$nss"; do hardened_file "$file"; done
contained_modules "$module" "$nss"

# ---- dependencies ----------------------------------------------------------------------------------------------------

major=$(sed -n 's/.*EI_VIEW_MAJOR = \([0-9]*\).*/\1/p' "$repo/common/view/view.h")
assert_eq 'the daemon provides its view format' "entra-invite-view-$major" "$(dpkg-deb -f entra-invite_*.deb Provides)"
for package in libpam-entra-invite libnss-entra-invite; do
    assert_match "$package needs a daemon of this view format" "(^|, )entra-invite-view-$major(,|\$)" "$(dpkg-deb -f "${package}"_*.deb Depends)"
done
version=$(dpkg-parsechangelog -l "$repo/debian/changelog" -S Version)
assert_eq 'the version is that of the source' "$(sed -n 's/^VERSION *:= *//p' "$repo/Makefile")" "${version%-*}"

# ---- systemd ---------------------------------------------------------------------------------------------------------

units=$(find "$tree" -type d -path '*systemd/system')
cp "$units"/* /etc/systemd/system/
cp "$tree/usr/sbin/entra-invited" /usr/sbin/
cp "$tree"/usr/share/man/man8/entra-invited.8.gz /usr/share/man/man8/ 2>/dev/null
capture systemd-analyze security --offline=true --threshold=12 /etc/systemd/system/entra-invited.service
assert_eq 'H1: exposure is at most 1.2' 0 "$rc"
assert_match 'H1: as systemd-analyze says itself' 'exposure level.*: (0\.|1\.[012])' "$(grep -i 'overall exposure' <<<"$out")"
# This one is root, and writes to the caches.
install -D -t /usr/libexec/entra-invite "$tree/usr/libexec/entra-invite/entra-invite-flush"
capture systemd-analyze security --offline=true --threshold=12 /etc/systemd/system/entra-invite-flush.service
assert_eq 'H1: the exposure of entra-invite-flush is at most 1.2' 0 "$rc"
capture systemd-analyze verify --man=no entra-invited.service entra-invited.socket entra-invite-flush.path entra-invite-flush.service
assert_eq 'the units verify' '0:' "$rc:$out"
groupadd -r himds
for example in "$tree"/usr/share/doc/entra-invite/examples/*.conf; do
    rm -rf /etc/systemd/system/entra-invited.service.d
    install -D -m 0644 "$example" /etc/systemd/system/entra-invited.service.d/x.conf
    capture systemd-analyze verify --man=no entra-invited.service
    assert_eq "the drop-in ${example##*/} verifies" '0:' "$rc:$out"
    assert_match "the drop-in ${example##*/} says what it is for" '^#' "$(head -n 1 "$example")"
done

# H8: which systemd knows which directive; Ubuntu 22.04 has 249, Debian 12 and EL 9 have 252.
floor=249
while read -r since names; do
    for name in $names; do
        ! grep -q "^$name=" "$units"/* || assert_true "H8: $name= is known to systemd $floor" test "$since" -le "$floor"
    done
done <<'TABLE'
247 LoadCredential SetCredential ProcSubset ProtectProc
248 NoExecPaths ExecPaths PrivateIPC IPCNamespacePath
249 SocketBindDeny SocketBindAllow RestrictFileSystems
250 LoadCredentialEncrypted SetCredentialEncrypted RestrictFileSystemAccess
251 ExtensionDirectories
252 OpenFile
253 MemoryZSwapMax ExitType
254 MemoryKSM RestartSteps RestartMaxDelaySec ImportCredential
TABLE

# ---- AppArmor (no kernel here that enforces it: parsed only) ----------------------------------------------------------

mkdir -p /etc/apparmor.d/abstractions/nameservice.d
cp "$tree/etc/apparmor.d/abstractions/nameservice.d/entra-invite" /etc/apparmor.d/abstractions/nameservice.d/
capture apparmor_parser -Q -K -T "$tree/etc/apparmor.d/usr.sbin.entra-invited"
assert_eq 'P20: the AppArmor profile is parsed' '0:' "$rc:$(grep -viE 'not enforced|^cache ' <<<"$out")"
finish

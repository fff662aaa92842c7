#!/bin/bash
# What `make install` puts on a host: modes and owners, the module's symbols and libraries, its place in the PAM stack,
# and that it is quiet until it is configured.
. "$(dirname "$0")/lib.sh"
touch "$work/before"
install_tree
enable_pam

module=$(find / -xdev -name pam_entra_invite.so -path '*/security/*' -newer "$work/before" | head -n 1)
assert_eq 'exports are pam_sm_* only (T4)' '' \
    "$(nm -D --defined-only "$module" | awk '$2 ~ /[A-TV-Z]/ && $3 !~ /^pam_sm_/ { print $3 }')"
assert_eq 'the module needs libc and libpam only (P2)' 'libc.so.6 libpam.so.0' \
    "$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | xargs)"

installed() {
    find /etc/entra-invite /etc/shadow-maint /usr/sbin /usr/bin /usr/libexec /usr/share/pam-configs "$module" -xdev \
        -name '*entra*' "$@"
}
assert_eq 'nothing is writable for others or the group' '' "$(installed ! -type l -perm /022)"
assert_eq 'everything is owned by root' '' "$(installed ! -user root)"
assert_eq 'nothing is set-uid or set-gid' '' "$(installed -perm /6000)"
assert_eq 'only the hook is in the hook directories (B3)' 'entra-invite entra-invite' \
    "$(find /etc/shadow-maint -newer "$work/before" -type f -printf '%f ' | xargs)"
assert_eq 'and it is executable' '' "$(find /etc/shadow-maint -newer "$work/before" -type f ! -perm 755)"

if [ -e /etc/pam.d/common-account ]; then
    assert_match 'the gate is the first account line (B5, B6)' pam_entra_invite \
        "$(grep -m 1 '^account' /etc/pam.d/common-account)"
    assert_match 'it does not jump over pam_unix' 'success=ignore' "$(grep pam_entra_invite /etc/pam.d/common-account)"
    assert_match 'a missing module locks nobody out' 'module_unknown=ignore' \
        "$(grep pam_entra_invite /etc/pam.d/common-account)"
    assert_match 'the password line comes last' pam_entra_invite "$(grep '^password' /etc/pam.d/common-password | tail -n 1)"
fi

# Installed, not configured, not started.
capture useradd -m -s /bin/bash -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor
assert_eq 'not started: useradd succeeds' 0 "$rc"
assert_let_in 'not started: root' root
assert_let_in 'never started: nobody is shut out' taylor
capture userdel -r taylor
assert_eq 'not started: userdel succeeds' 0 "$rc"
launch_worker
worker_ends
assert_eq 'the sample config starts nothing by itself' 1 "$((worker_rc != 0 && worker_rc != 124))"
assert_true 'and the log says what to fill in' log_has 'entra-invite\.conf'

for program in entra-invite entra-invited; do
    capture "$program" --version
    assert_eq "$program --version" 0 "$rc"
    capture "$program" --help
    assert_eq "$program --help" 0 "$rc"
    assert_match "$program --help shows how to call it" '[Uu]sage' "$out"
    capture "$program" --no-such-option
    assert_false "$program refuses what it doesn't know" test "$rc" = 0
done

finish

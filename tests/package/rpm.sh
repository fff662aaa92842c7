#!/bin/bash
# rpm.sh: builds the rpm packages and tests them. Ends with `package-rpm: N passed, N failed`. Run as root on Debian,
# whose rpm, dnf and SELinux policy they are tested with, it enters a lab of its own (tests/host/lab).
#
# Not run here, for want of a Fedora and of a kernel that enforces SELinux: a build in mock, and the daemon, useradd and
# sshd under the policy. The policy is linked with Debian's reference policy instead, and asked (rpm-static.sh).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lab=$(dirname "$here")/host/lab
packages='bzip2 cpio createrepo-c dnf elfutils gnupg libcmocka-dev rpm rpmlint selinux-policy-default selinux-policy-dev
    setools systemd'

if ! command -v apt-get >/dev/null; then
    echo 'skip - rpm packages: this system has no apt' && echo 'package-rpm: 0 passed, 0 failed, 1 skipped'
    exit 0
fi
if [ "$(cat /proc/sys/kernel/hostname)" != lab ]; then
    # shellcheck disable=SC2046
    "$lab" prepare package-rpm $(printf -- '--with %s ' $packages) || exit 1
    exec "$lab" run package-rpm -- "$here/rpm.sh"
fi

out=/tmp/packages log=/tmp/package-rpm.log
{
    # shellcheck disable=SC2086
    if "$here/rpm-build" "$out" >/tmp/rpm-build.log 2>&1; then
        echo 'ok - make rpm builds the packages, and its tests pass'
        for test in rpm-static rpm-installed rpm-authselect; do
            "$here/$test.sh" "$out" >/tmp/$test.log 2>&1
            cat /tmp/$test.log
            grep -qx '# end' /tmp/$test.log || echo "not ok - $test.sh runs to its end"
        done
    else
        echo 'not ok - make rpm builds the packages, and its tests pass'
        tail -n 40 /tmp/rpm-build.log | sed 's/^/#   /'
    fi
} | tee "$log"
failed=$(grep -c '^not ok - ' "$log")
echo "package-rpm: $(grep -c '^ok - ' "$log") passed, $failed failed"
[ "$failed" = 0 ]

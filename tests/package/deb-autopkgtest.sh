#!/bin/bash
# deb-autopkgtest.sh PACKAGES: debian/tests as autopkgtest runs it, in a machine of tests/package/boot.
packages=$1
. "$(dirname "$0")/../host/lib.sh"
capture dpkg -i "$packages"/{entra-invite,libpam-entra-invite,libnss-entra-invite}_*.deb
assert_eq 'the packages are installed' 0 "$rc"
for name in $(sed -n 's/^Tests: //p' "$repo/debian/tests/control" | tr -d ,); do
    cd "$repo" || exit 1
    capture env AUTOPKGTEST_TMP="$(mktemp -d)" DEBIAN_FRONTEND=noninteractive "debian/tests/$name"
    assert_eq "P11: autopkgtest $name" 0 "$rc"
    [ "$rc" = 0 ] || tail -n 20 <<<"$out" | sed 's/^/#   /'
done
finish

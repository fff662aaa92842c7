#!/bin/bash
# deps, which installs what the build and the labs need: with the real apt-get and a repository of this test's own, and
# with a dnf that only writes down what it is asked for.
. "$(dirname "$0")/lib.sh"
# Tools that deps calls by name.
# shellcheck disable=SC2317

deps() { # APT-PACKAGES DNF-PACKAGES
    capture "$here/deps" "$1" "$2"
}

# ---- apt-get ---------------------------------------------------------------------------------------------------------

archive=$work/archive

# The archive gets this version of the packages, and no longer has another.
publish() { # VERSION
    local name file
    rm -rf "$archive"
    mkdir -p "$archive"
    for name in ei-one ei-two; do
        file=${name}_$1_all.deb
        mkdir -p "$work/$name/DEBIAN"
        printf '%s\n' "Package: $name" "Version: $1" 'Architecture: all' 'Maintainer: none' 'Description: empty' \
            >"$work/$name/DEBIAN/control"
        dpkg-deb --root-owner-group --build "$work/$name" "$archive/$file" >/dev/null
        cat "$work/$name/DEBIAN/control" >>"$archive/Packages"
        printf '%s\n' "Filename: ./$file" "Size: $(stat -c %s "$archive/$file")" \
            "SHA256: $(sha256sum "$archive/$file" | cut -d' ' -f1)" '' >>"$archive/Packages"
    done
}

version_of() { # PACKAGE
    dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null
}

# Another package manager is at work: dpkg and apt lock by fcntl, which no shell has.
hold_lock() { # FILE SECONDS
    perl -MFcntl -e 'my $lock = pack("s! s! l! l! i", F_WRLCK, 0, 0, 0, 0);
        open my $file, ">>", $ARGV[0] or die $!; fcntl($file, F_SETLK, $lock) or die $!;
        open my $held, ">", "$ARGV[2]/held" or die $!; close $held; sleep $ARGV[1]' "$1" "$2" "$work" &
    wait_until 10 test -e "$work/held" || fail "$1 is locked"
    rm -f "$work/held"
}

with_apt() {
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
    echo "deb [trusted=yes] file:$archive ./" >/etc/apt/sources.list.d/test.list
    publish 1

    deps ei-one nothing
    assert_eq 'a machine without lists' '0 installed 1' "$rc $(version_of ei-one)"
    assert_match 'what is missing is listed first' '^These packages are missing: ei-one$' "$(head -n 1 <<<"$out")"
    deps ei-one nothing
    assert_eq 'nothing is missing: it says nothing' '0 ' "$rc $out"

    publish 2
    deps 'ei-one ei-two' nothing
    assert_eq 'stale lists: the rest gets installed' '0 installed 2' "$rc $(version_of ei-two)"
    assert_eq 'what is there stays as it is' 'installed 1' "$(version_of ei-one)"
    assert_match 'only what is missing is listed' '^These packages are missing: ei-two$' "$out"

    dpkg --purge ei-one ei-two >/dev/null
    rm -rf /var/lib/apt/lists/*
    echo 'deb cdrom:[Debian]/ stable main' >>/etc/apt/sources.list.d/test.list
    deps ei-one nothing
    assert_eq 'a source that is not there, as a disc that was taken out' '0 installed 2' "$rc $(version_of ei-one)"
    sed -i 1q /etc/apt/sources.list.d/test.list
    deps ei-none nothing
    assert_eq 'a package that is nowhere is a failure' 100 "$rc"
    assert_match 'and is named' 'Unable to locate package ei-none' "$out"

    # What a run meets after one that was broken off, or soon after the machine has started.
    rm -rf /var/lib/apt/lists/*
    mkdir -p /var/lib/apt/lists
    hold_lock /var/lib/apt/lists/lock 1
    hold_lock /var/lib/dpkg/lock-frontend 6
    deps ei-two nothing
    assert_eq 'another apt-get is at work: it waits' '0 installed 2' "$rc $(version_of ei-two)"

    # By stdin: nobody may have no way to the script.
    capture bash -c "setpriv --reuid 65534 --regid 65534 --clear-groups sh -s -- ei-none nothing <'$here/deps'"
    assert_eq 'not root: a failure' 1 "$rc"
    assert_match 'not root: what to do' 'missing: ei-none.*Run this as root' "$(tr '\n' ' ' <<<"$out")"
}

# ---- dnf -------------------------------------------------------------------------------------------------------------

bin=$work/bin

# A host with these commands and no others. dnf knows the packages in the file `known`, rpm those in `there`.
dnf_host() { # OS-ID
    local tool
    rm -rf "$bin" /etc/os-release
    mkdir "$bin"
    printf 'ID=%s\n' "$1" >/etc/os-release
    : >"$work/there"
    : >"$work/calls"
    for tool in sh grep id timeout; do ln -s "$(command -v $tool)" "$bin/$tool"; done
    cat >"$bin/rpm" <<'RPM'
#!/bin/sh
[ "$1 $2" = '-q --whatprovides' ] && grep -qxF "$3" /run/test/there
RPM
    cat >"$bin/dnf" <<'DNF'
#!/bin/sh
echo "dnf $*" >>/run/test/calls
asked=
for word; do
    case $word in -* | install) ;; *) asked="$asked $word" ;; esac
done
for word in $asked; do grep -qxF "$word" /run/test/known || { echo "No match for argument: $word" && exit 1; }; done
for word in $asked; do echo "$word" >>/run/test/there; done
DNF
    printf '#!/bin/sh\necho "crb $*" >>/run/test/calls\necho tinycdb-devel >>/run/test/known\n' >"$bin/crb"
    chmod 755 "$bin"/{rpm,dnf,crb}
}

with_dnf() {
    printf '%s\n' gcc cjson-devel tinycdb-devel >"$work/known"
    dnf_host fedora
    PATH=$bin deps nothing 'gcc tinycdb-devel cjson-devel'
    assert_eq 'dnf: all is installed' '0 cjson-devel gcc tinycdb-devel' "$rc $(sort "$work/there" | xargs)"
    assert_eq 'dnf: with one call' 'dnf -q -y --setopt=install_weak_deps=False install gcc tinycdb-devel cjson-devel' \
        "$(cat "$work/calls")"
    PATH=$bin deps nothing 'gcc cjson-devel'
    assert_eq 'dnf: nothing is missing: it says nothing' '0  1' "$rc $out $(wc -l <"$work/calls")"
    PATH=$bin deps nothing 'gcc ei-none'
    assert_eq 'dnf: a package that is nowhere is a failure' 1 "$rc"
    assert_match 'dnf: and is named' 'ei-none$' "$out"
    assert_false 'dnf: Fedora has no EPEL' grep -q epel "$work/calls"

    printf '%s\n' gcc epel-release 'dnf-command(config-manager)' >"$work/known"
    dnf_host centos
    PATH=$bin deps nothing 'gcc tinycdb-devel'
    assert_eq 'Enterprise Linux: all is installed' '0 crb enable' "$rc $(grep crb "$work/calls")"
    assert_true 'Enterprise Linux: what EPEL and CRB have too' grep -qx tinycdb-devel "$work/there"

    echo gcc >"$work/known"
    dnf_host rhel
    PATH=$bin deps nothing 'gcc tinycdb-devel'
    assert_eq 'without EPEL: a failure' 1 "$rc"
    assert_match 'without EPEL: what to do' 'enable EPEL and CRB' "$out"
    assert_match 'without EPEL: the missing package is named' 'tinycdb-devel$' "$out"

    rm "$bin/dnf"
    PATH=$bin deps 'ei-one ei-two' nothing
    assert_eq 'neither apt-get nor dnf: a failure' 1 "$rc"
    assert_match 'neither: what is needed' 'ei-one ei-two$' "$out"
}

if command -v apt-get >/dev/null; then
    with_apt
else
    skip 'apt-get' 'this system has none'
fi
with_dnf

finish

# Sourced after tests/host/lib.sh: what the compiler and the linker were told, read from the files that they made.
# shellcheck shell=bash

compiled_with_cet() { [ "$(objdump -d "$1" | grep -c endbr64)" -gt "$2" ]; } # FILE NUMBER: of those in start files

# FILE PLACES [NUMBER]; PLACES: a pattern of the places where it was built; NUMBER: for a program of one file
hardened_program() {
    local name=${1##*/}
    assert_match "$name is position-independent" 'Type:[[:space:]]+DYN' "$(readelf -hW "$1")"
    hardened_file "$1"
    assert_match "$name is fortified" '__[a-z]+_chk' "$(nm -D "$1" | grep -v __stack_chk)"
    assert_no_match "$name has no executable stack" 'GNU_STACK.*RWE' "$(readelf -lW "$1")"
    # Debian's start files are not marked, so the linker does not mark the whole; the code is compiled for it.
    [ "$(uname -m)" != x86_64 ] || assert_true "$name is compiled with CET" compiled_with_cet "$1" "${3:-20}"
    assert_no_match "$name knows nothing of the place where it was built" "$2" "$(strings -a "$1")"
}

hardened_file() { # FILE
    local name=${1##*/}
    assert_match "$name has RELRO" GNU_RELRO "$(readelf -lW "$1")"
    assert_match "$name is bound at once" 'BIND_NOW|FLAGS_1.*NOW' "$(readelf -dW "$1")"
    assert_match "$name has a stack protector" __stack_chk_fail "$(nm -D "$1")"
}

# The two modules: what they need and what they show.
contained_modules() { # PAM-MODULE NSS-MODULE
    assert_eq 'P2: the PAM module needs libc and libpam' 'libc.so.6 libpam.so.0' \
        "$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | xargs)"
    assert_eq 'P2: the NSS module needs libc' libc.so.6 "$(readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
    assert_eq 'P2: the PAM module exports its entry points' '' \
        "$(nm -D --defined-only "$1" | awk '$3 !~ /^pam_sm_/ { print $3 }')"
    assert_eq 'P2: the NSS module exports its entry point' _nss_entra_invite_initgroups_dyn \
        "$(nm -D --defined-only "$2" | awk '{ print $3 }')"
    assert_match 'P7: its SONAME' 'libnss_entra_invite.so.2' "$(readelf -d "$2" | grep SONAME)"
}

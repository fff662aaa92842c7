#!/bin/bash
# (a) One PAM account check with the module alone, against pam_permit alone and pam_unix alone, by the number of accounts
# in the view. The account that logs in is taylor, in a passwd file of a usual size; the others are in the view only.
. "$(dirname "$0")/lib.sh"
runs=21
sizes=(1 1000 100000 1000000)

install_tree
useradd -u 4001 -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor 2>/dev/null
useradd -u 4003 -M -c 'Robin Example' robin 2>/dev/null

services=$work/pam.d
mkdir "$services"
: >"$services/other"
echo 'account required pam_permit.so' >"$services/permit"
echo 'account required pam_unix.so' >"$services/unix"
measured=(permit=0 unix=0)
for size in "${sizes[@]}"; do
    install -d -m 0755 "$work/view-$size"
    "$bench/make-view" "$work/view-$size/status.cdb" "$size" taylor 4001 taylor@fabrikam.com || fail 'no view'
    echo "account required pam_entra_invite.so view=$work/view-$size/status.cdb" >"$services/ours-$size"
    measured+=("ours-$size=0")
done

times=$("$bench/pam-time" "$services" taylor "$runs" "${measured[@]}") || fail 'pam-time failed'
column=3
for size in "${sizes[@]}"; do
    columns 1 "$column" 1000 <<<"$times" | result a "PAM, accepted, $size accounts" pam_permit us 1.15
    columns 2 "$column" 1000 <<<"$times" | result a "PAM, accepted, $size accounts" pam_unix us -
    column=$((column + 1))
done
columns 3 6 1000 <<<"$times" | result a 'PAM, 1000000 accounts against 1' 'the module' us 1.05

# PERM_DENIED (6) is what libpam makes of a stack in which no module decides: the module has answered PAM_IGNORE.
times=$("$bench/pam-time" "$services" robin "$runs" permit=0 ours-1=6 ours-1000000=6) || fail 'pam-time failed'
columns 1 2 1000 <<<"$times" | result a 'PAM, not covered, 1 account' pam_permit us -
columns 1 3 1000 <<<"$times" | result a 'PAM, not covered, 1000000 accounts' pam_permit us -

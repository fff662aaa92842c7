#!/bin/bash
# The disk below /var/lib/entra-invite fills, becomes read-only or gives nothing but errors while accounts arrive, and
# comes back. useradd never fails for it and never waits long, the gate goes on as it was, the worker says what is wrong
# and how to mend it, goes on by itself, and nobody is lost or mailed twice (X1, X10, X11).
. "$(dirname "$0")/lib.sh"

disk=/var/lib/entra-invite

set_up_crash
umount "$disk" 2>/dev/null
rm -rf "$disk"
install -d "$disk"
mount -t tmpfs -o size=3m,mode=755 disk "$disk" || { fail 'a small disk' && finish; }

number=0
# useradd in $case; what it leads to is looked at in the end.
arrive() { # COUNT
    local login
    for _ in $(seq "$1"); do
        number=$((number + 1))
        login=p$number
        capture_timed useradd -M -G partners -c "Person $number <$login@fabrikam.com>" "$login"
        [ "$rc" = 0 ] || fail "$case: useradd $login succeeds" "$out"
        [ "$took" -le $((hook_wait + 3)) ] || fail "$case: useradd $login in time" "$took s"
    done
}

all_settled() {
    entra-invite list --json | node -e 'const list = JSON.parse(require("fs").readFileSync(0));
        process.exit(list.length === Number(process.argv[1]) && list.every((one) => one.state === "pending" &&
            ["sent", "unknown"].includes(one.mail)) ? 0 : 1)' "$number"
}

fill() {
    dd if=/dev/zero of="$disk/filler" bs=4k status=none 2>/dev/null
    dd if=/dev/zero of="$disk/filler" bs=1 oflag=append conv=notrunc status=none 2>/dev/null
}

# While it lasts: everything that people see.
assert_told() { # CODE REASON MEND
    assert_within 30 "$case: the log has the thing, the reason and the mend" \
        log_has "the store failed.*$database.*($2).*\[$1\] - $3"
    capture entra-invite status
    assert_match "$case: status has them" "the store failed: $database.*($2).* - $3" "$out"
    capture entra-invite doctor
    assert_match "$case: doctor has them" "failed +$database.*($2)" "$out"
    assert_match "$case: doctor has the mend" "$3" "$out"
    assert_true "$case: the gate goes on as it was" own_status_is p1 1
    assert_eq "$case: no half-written file is left" '' "$(half_written)"
}

works_again() {
    ! entra-invite status | grep -E 'store failed|cannot be published'
}

# By itself: nobody asks for a refresh.
assert_recovered() {
    assert_within 60 "$case: it goes on by itself" all_settled
    assert_within 20 "$case: status has nothing to say any more" works_again
    assert_true "$case: the log says that it is over" log_has 'the store can be written again'
    assert_eq "$case: it was said once" 1 "$(grep -c 'the store failed' "$worker_log")"
    entra-invite list --json >"$work/list.json"
    assert_eq "$case: one guest, at most one mail, the latest link, none lost" '' \
        "$(node "$faults/check-ledger.js" "$simulator_dir" "{\"accounts\":$number,\"addresses\":$number}" \
            <"$work/list.json" 2>&1)"
    assert_within 20 "$case: the view has the newest account" own_status_is "p$number" 1
    : >"$worker_log"
}

# ---- the disk fills while accounts arrive ----------------------------------------------------------------------------

case='full disk'
start_worker
arrive 2
assert_within 30 "$case: the first are invited" all_settled
: >"$worker_log"
(sleep 0.2 && fill) & # somewhere among them
arrive 3
wait $!
arrive 3
assert_told store-full 'full|No space left' 'free space'
rm "$disk/filler"
assert_recovered

case='started on a full disk'
stop_worker
fill
launch_worker
worker_ends
assert_eq "$case: it does not run on" 1 "$((worker_rc != 0 && worker_rc != 124))"
assert_match "$case: it says why, and how to mend it" 'No space left|is full' "$(tail -n 1 "$worker_log")"
assert_match "$case: and how to mend it" 'free space' "$(tail -n 1 "$worker_log")"
arrive 1
rm "$disk/filler"
start_worker
assert_within 60 "$case: with room it goes on" all_settled

case='started on a read-only disk'
stop_worker
mount -o remount,ro "$disk"
launch_worker
worker_ends
assert_eq "$case: it does not run on" 1 "$((worker_rc != 0 && worker_rc != 124))"
assert_match "$case: it says why" "$disk.*Read-only file system" "$(tail -n 1 "$worker_log")"
assert_true "$case: the gate goes on as it was" own_status_is p1 1
arrive 1
mount -o remount,rw "$disk"

# ---- errors, from one moment to the other ----------------------------------------------------------------------------

assert_true 'the shim is built' "${CC:-gcc}" -D_GNU_SOURCE -shared -fPIC -I"$repo" -o "$work/disk-shim.so" "$faults/disk-shim.c"
export EI_DISK_FAULT=$work/disk-fault
LD_PRELOAD=$work/disk-shim.so start_worker
assert_within 60 "$case: once it can be written to it goes on" all_settled
: >"$worker_log"

errors() { # ERRNO CODE REASON MEND
    arrive 1
    echo "$1" >"$EI_DISK_FAULT"
    arrive 2
    assert_told "$2" "$3" "$4"
    rm "$EI_DISK_FAULT"
    assert_recovered
}

case='read-only at once'
errors 30 io-error 'Read-only file system|readonly' "see the system's log"
case='errors of the disk'
errors 5 io-error 'Input/output error' "see the system's log"
stop_worker
assert_eq 'the database is whole in the end' ok \
    "$(runuser -u entra-invite -- sqlite3 "$database" 'PRAGMA integrity_check')"
finish

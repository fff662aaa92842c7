#!/bin/bash
# The power fails under the worker, at any moment and again and again (X14): killed, it finds on its disk what it had
# synced, and of the rest all, nothing, or some, in torn sectors. Nobody is lost, mailed twice or has a link that Graph
# never gave; no mail is held back for it, and the gate's view is whole each time.
#
# SEED=N tests/faults/run test-power.sh repeats a run (as far as the moments do), CUTS=N makes it longer.
. "$(dirname "$0")/lib.sh"

cuts=${LAB_CUTS:-3}
seed=${LAB_SEED:-$((EPOCHSECONDS % 30000))}
disk=/var/lib/entra-invite
record=$work/record
hook_wait=0
RANDOM=$seed
case="seed $seed"
# Whoever was there before the worker first looked counts as invited all the same.
set_up_crash 'max_new = 0;' 'rules = ( { name = "partners"; group = "partners"; existing = "invite"; } );'
assert_true 'the shim is built' "${CC:-gcc}" -D_GNU_SOURCE -shared -fPIC -I"$repo" -o "$work/disk-shim.so" "$faults/disk-shim.c"
assert_true 'the power switch is built' "${CC:-gcc}" -D_GNU_SOURCE -I"$repo" -o "$work/power-cut" "$faults/power-cut.c"

begin_record() {
    rm -rf "$work/before"
    cp -a "$disk" "$work/before"
    : >"$record"
    chmod 0666 "$record"
}

run_worker() {
    LD_PRELOAD=$work/disk-shim.so EI_DISK_RECORD=$record launch_worker
}

cut_power() { # SEED
    kill_worker
    rm -rf "$work/after"
    mkdir "$work/after"
    "$work/power-cut" "$record" "$work/before" "$work/after" "$1" >>"$work/cuts" || fail "$case: the cut" "$1"
    find "$disk" -mindepth 1 -delete
    cp -a "$work/after/." "$disk/"
    chown -R entra-invite:entra-invite "$disk"
    chmod 0755 "$disk/public" 2>/dev/null
    tail -n 1 "$work/cuts" | sed "s/^/# $case: /"
}

# Whole, or not there yet: nothing of the gate's own may ever be half.
view_is_whole() {
    local rc=0
    [ -e "$public/status.cdb" ] || return 0
    runuser -u nobody -- entra-invite status --json >"$work/whole" 2>&1 || rc=$?
    ! grep -q 'view-damaged\|view-unsafe' "$work/whole"
}

all_settled() {
    entra-invite list --json | node -e 'const list = JSON.parse(require("fs").readFileSync(0));
        process.exit(list.length === Number(process.argv[1]) && list.every((one) => one.state === "pending" &&
            ["sent", "unknown"].includes(one.mail)) ? 0 : 1)' "$number"
}

install -d -o entra-invite -g entra-invite "$disk"
number=0
for ((cut = 1; cut <= cuts; cut++)); do
    begin_record
    run_worker
    for _ in 1 2 3; do
        number=$((number + 1))
        useradd -M -G partners -c "Person $number <p$number@fabrikam.com>" "p$number" >/dev/null 2>&1 ||
            fail "$case: useradd p$number succeeds"
        sleep "0.$(printf '%03d' $((RANDOM % 250)))"
    done
    cut_power $((seed + cut))
    view_is_whole || fail "$case: the view is whole after cut $cut" "$(cat "$work/whole")"
    log_has 'no mail is sent until' && fail "$case: cut $cut holds the mail" "$(tail -n 3 "$worker_log")"
done
start_worker
assert_within 60 "$case: the rest is done" all_settled
entra-invite list --json >"$work/list.json"
assert_eq "$case: one guest, at most one mail, a link of Graph's, none lost" '' \
    "$(node "$faults/check-ledger.js" "$simulator_dir" "{\"accounts\":$number,\"addresses\":$number}" \
        <"$work/list.json" 2>&1)"
echo "# $case: $(json '.filter(account => account.mail === "unknown").length' <"$work/list.json") of $number mails unknown"
assert_eq "$case: no mail is held" 0 "$(grep -c 'no mail is sent until' "$worker_log")"
stop_worker
assert_eq "$case: the database is whole" ok \
    "$(runuser -u entra-invite -- sqlite3 "$database" 'PRAGMA integrity_check')"
assert_eq "$case: no half-written file is left" '' "$(half_written)"
finish

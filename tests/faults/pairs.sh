# Library of the crash matrix (bash): every pair of crash points (X12). The worker dies at the first one, is started
# again and dies at the second one, is started again and comes to rest; then the ledger is right. One line a pair.
#
# C1 and C2 belong to a useradd. As the second point it is that of another account of the same person, so these two can
# follow any point. What can follow none is in the table `never`; the worker then comes to rest without dying.
#
# shellcheck shell=bash
# Results are for the test that sources this; options are for some calls only.
# shellcheck disable=SC2034,SC2119,SC2120

# shellcheck source=tests/faults/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

points=(C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13)
logins=()
problems=
account_files=(passwd shadow group gshadow subuid subgid)
state=/var/lib/entra-invite

# Why the second point is not reached after the first; nothing: it is.
never() { # FIRST SECOND
    case $1:$2 in
    C[567]:C3)
        echo 'the create is on record, so its outcome is looked up; nothing begins anew' ;;
    C8:C[34567])
        echo 'the guest and its link are on record; nobody is looked up or created' ;;
    C9:C[3-9] | C9:C1[01] | C1[01]:C[3-9] | C1[01]:C1[01])
        echo "the mail's intent is on record, so it ends as unknown; nothing is sent" ;;
    esac
}

# The passage that belongs to the publication with the first account in it, and that of the view at a start: a start
# passes C13 for the covered groups, then twice for the view (see test-view.sh).
declare -A with_account=([C12]=C12:2 [C13]=C13:5) at_start=([C12]=C12 [C13]=C13:3)

# The state of a host whose worker has seen its rule, and its account files: what every pair begins with.
set_up_pairs() {
    set_up_crash
    start_worker
    stop_worker
    mkdir "$work/start"
    cp -a "$state" "$work/start/state"
    cp -p "${account_files[@]/#//etc/}" "$work/start"
}

begin_pair() { # FIRST SECOND
    case="$1, then $2"
    logins=() problems=
    kill_worker
    cp -p "${account_files[@]/#/$work/start/}" /etc
    rm -rf "$state"
    cp -a "$work/start/state" "$state"
    simulator reset >/dev/null || problem 'the simulator does not start anew'
    echo "==== $case" >>"$worker_log"
}

problem() { # TEXT
    problems+="$1"$'\n'
}

# Returns when the worker has published the view of its start; what it publishes from then on is of what happens then.
start_again() {
    launch_until_published || problem 'the worker publishes no view'
}

# ---- dying -----------------------------------------------------------------------------------------------------------

# Nothing goes to Graph before the tenant is known: the worker stands still where the files and the hook bring it.
stand_still() {
    fault '{"match":{"path":"/openid-configuration$"},"times":0,"action":{"hold":"tenant","when":"before"}}'
}

move_on() {
    simulator faults-clear >/dev/null || problem 'the simulator does not forget its faults'
}

add_account() { # LOGIN
    logins+=("$1")
    capture_timed useradd -M -s /bin/bash -G partners -c "Taylor Example <$address>" "$1"
    if [ "$rc" != 0 ] || [ "$took" -gt $((hook_wait + 3)) ]; then
        problem "useradd $1: exit code $rc after $took s: $out"
    fi
}

dies_at() { # POINT
    worker_ends
    [ "$worker_rc" = 137 ] || problem "at $1: exit code $worker_rc, it was to be killed there"
}

die_first() { # POINT
    case $1 in
    C1)
        add_account $login
        return ;;
    C2 | C12 | C13)
        stand_still
        EI_FAILPOINT=${with_account[$1]:-$1} start_again ;;
    *)
        EI_FAILPOINT=$1 start_again ;;
    esac
    add_account $login
    dies_at "$1"
    case $1 in C2 | C12 | C13) move_on ;; esac
}

die_second() { # POINT
    case $1 in
    C1)
        stand_still
        start_again
        kill_worker
        add_account ${login}2
        move_on ;;
    C2)
        stand_still
        EI_FAILPOINT=C2 start_again
        add_account ${login}2
        dies_at C2
        move_on ;;
    *)
        EI_FAILPOINT=${at_start[$1]:-$1} launch_worker
        dies_at "$1" ;;
    esac
}

pass_by() { # POINT
    EI_FAILPOINT=$1 launch_worker
    come_to_rest
    kill -0 "$worker_pid" 2>/dev/null || problem "it died at $1, which is said to be out of reach"
    kill_worker
}

# ---- what must be true in the end ------------------------------------------------------------------------------------

come_to_rest() {
    local name
    for name in "${logins[@]}"; do
        wait_until 20 settled "$name" ||
            problem "the request of $name is lost: $(entra-invite show "$name" --json 2>&1)"
    done
    capture entra-invite refresh --wait
    [ "$rc $out" = '0 refreshed' ] || problem "refresh: exit code $rc: $out"
}

# What becomes of the mail is decided by the first of the points at which it is under way.
expected() { # POINT...
    local mail=sent mails=1 point
    for point in "$@"; do
        case $point in
        C9) mail=unknown mails=0 && break ;;
        C10 | C11) mail=unknown && break ;;
        esac
    done
    echo "{\"accounts\":${#logins[@]},\"addresses\":1,\"mail\":\"$mail\",\"mails\":$mails}"
}

judge() { # POINT...
    local name found
    found=$(entra-invite list --json | node "$faults/check-ledger.js" "$simulator_dir" "$(expected "$@")" 2>&1)
    [ -z "$found" ] || problem "$found"
    for name in "${logins[@]}"; do
        own_status_is "$name" 1 >/dev/null || problem "the view does not say that $name is pending"
    done
    [ -z "$(half_written)" ] || problem "half-written: $(half_written)"
}

log_of_case() {
    awk '/^==== / { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$worker_log" | tail -n 40
}

run_pair() { # FIRST SECOND
    local reason
    reason=$(never "$1" "$2")
    begin_pair "$1" "$2"
    die_first "$1"
    if [ -n "$reason" ]; then
        case+=" (never: $reason)"
        pass_by "$2"
    else
        die_second "$2"
    fi
    launch_worker
    come_to_rest
    judge "$1" "$2"
    if [ -z "$problems" ]; then pass "$case"; else fail "$case" "$problems" "$(log_of_case)"; fi
}

# Rows of the matrix: each point of them, then each of all.
run_rows() { # POINT...
    local first second
    set_up_pairs
    for first in "$@"; do
        for second in "${points[@]}"; do
            run_pair "$first" "$second"
        done
    done
}

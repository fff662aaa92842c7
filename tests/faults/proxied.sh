# Library of the tests with the fault proxy (bash): a host whose accounts are there from the beginning, and a simulator
# that takes itself to be where the proxy listens.
#
# shellcheck shell=bash
# Results are for the test that sources this.
# shellcheck disable=SC2034

# shellcheck source=tests/faults/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

proxy_port=18443

# The state of a worker that has seen its rule goes to $work/start; host.js adds the accounts.
set_up_proxied() { # [CONFIG-LINE...]
    install_tree
    start_simulator --public-port $proxy_port
    write_config 'invitation: { send_message = true; };' 'max_new = 0;' 'refresh_interval = 60;' "$@"
    start_worker
    stop_worker
    cp -a /var/lib/entra-invite "$work/start"
}

# Runs a test that is one Node.js process, and counts what it says.
node_test() { # FILE [ARGUMENT...]
    local said=$work/node-test
    EI_HOST="{\"dir\":\"$work\",\"simulator\":\"$simulator_dir\",\"start\":\"$work/start\",\"port\":$proxy_port,\"gid\":$(
        getent group partners | cut -d: -f3)}" node "$faults/$1" "${@:2}" 2>&1 | tee "$said"
    [ "${PIPESTATUS[0]}" = 0 ] || fail "$1 runs to its end" 'see above'
    cases_failed=$((cases_failed + $(grep -c '^not ok' "$said")))
}

# Whether invitations failed or wait for too long: a line of numbers for root at a terminal, or nothing.
# shellcheck shell=sh
if [ -t 1 ] && [ "$(id -u)" = 0 ] && [ -x @BINDIR@/entra-invite ]; then
    @BINDIR@/entra-invite check --motd 2>/dev/null
fi

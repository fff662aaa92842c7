#include "tests/host/pam-matrix/matrix.h"

/* ../test-pam-matrix.sh makes the same accounts with useradd; tests/unit/test_pam.c makes them up. */
const struct account accounts[] = {
    {"taylor", 4001, COVERED, "Taylor Example <Taylor@fabrikam.com>", "taylor@fabrikam.com"}, /* member */
    {"kim", 4002, COVERED, "Kim Example,,,,mail=kim@fabrikam.com", "kim@fabrikam.com"},       /* by primary group */
    {"robin", 4003, NOT_COVERED, "Robin Example <robin@fabrikam.com>", "robin@fabrikam.com"},
    {"sasha", 401, EXEMPT, "Sasha Example <sasha@fabrikam.com>", "sasha@fabrikam.com"},
    {"root", 0, EXEMPT, "Root Example <root@fabrikam.com>", "root@fabrikam.com"},
    {"ghost", 4009, UNKNOWN, "", "ghost@fabrikam.com"},
};

const size_t account_count = sizeof accounts / sizeof accounts[0];

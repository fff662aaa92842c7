/* What covers an account: being in one of the rules' groups (as a member, or by primary group), with a uid that counts.
 */
#ifndef EI_ACCOUNT_COVERAGE_H
#define EI_ACCOUNT_COVERAGE_H

#include <stddef.h>
#include <sys/types.h>

/* groups[i] is the group of rule i. */
struct ei_coverage {
    const char **groups;
    size_t count;
    uid_t minimum_uid;
};

#endif

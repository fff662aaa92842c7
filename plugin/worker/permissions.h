/* The permissions that a token names, held against those that what is configured needs (contract 2.1, 3, 5). Pure. */
#ifndef EI_WORKER_PERMISSIONS_H
#define EI_WORKER_PERMISSIONS_H

#include <cjson/cJSON.h>

#include "common/config/config.h"

enum { EI_PERMISSIONS_MAX = 9 };

struct ei_permission {
    const char *name; /* "User.Invite.All" */
    const char *what; /* what it is for: "inviting guests" */
};

/* What a person who signs in is to be asked for: the least for each thing that the configuration wants done. */
size_t ei_permissions_least(const struct ei_config *config, struct ei_permission permissions[EI_PERMISSIONS_MAX]);

/* One finding for each thing that is done with Graph, and one for permissions that nothing needs. names: an array of
 * strings, NULL if the token does not tell: all is skipped then. */
void ei_permissions_judge(const struct ei_config *config, const cJSON *names, bool delegated, cJSON *findings);

#endif

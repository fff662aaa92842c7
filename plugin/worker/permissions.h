/* The permissions that a token names, held against those that what is configured needs (contract 2.1, 3, 5). Pure. */
#ifndef EI_WORKER_PERMISSIONS_H
#define EI_WORKER_PERMISSIONS_H

#include <cjson/cJSON.h>

#include "common/config/config.h"

/* One finding for each thing that is done with Graph, and one for permissions that nothing needs. names: an array of
 * strings, NULL if the token does not tell: all is skipped then. */
void ei_permissions_judge(const struct ei_config *config, const cJSON *names, bool delegated, cJSON *findings);

#endif

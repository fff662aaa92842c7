/* From root to the service user, for good (started without systemd). */
#ifndef EI_WORKER_PRIVILEGES_H
#define EI_WORKER_PRIVILEGES_H

#include "common/base/error.h"
#include "common/config/config.h"

/*
 * As root: makes the state and run directories for the service user, then drops to it irrevocably, which is verified.
 * As the service user already: nothing but making what is missing below the directories it owns. As anybody else:
 * EI_NOT_ROOT.
 */
enum ei_err ei_privileges_drop(const struct ei_config *config, struct ei_error *err);

#endif

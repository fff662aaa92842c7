/* SIGHUP: the configuration is read again. What the worker was started with (tenant, credential, places) stays; another
 * value of it, or a file that is wrong, leaves the whole old configuration in force, and says so until it is mended. */
#ifndef EI_WORKER_RELOAD_H
#define EI_WORKER_RELOAD_H

#include "plugin/worker/worker.h"

/* Does what SIGHUP asked for, as soon as no reading of the accounts uses the old configuration. */
void ei_reload_run(struct ei_worker *worker);

#endif

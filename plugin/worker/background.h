/* Going to the background without systemd: the starter returns when the worker serves, or with its failure. */
#ifndef EI_WORKER_BACKGROUND_H
#define EI_WORKER_BACKGROUND_H

#include "common/base/error.h"

/*
 * Forks. The parent waits until the child calls ei_background_ready, then exits with 0; if the child ends first, it
 * exits with the child's status. Returns in the child only. To be called before any thread starts. *ret_fd is for
 * ei_background_ready.
 */
enum ei_err ei_background_enter(int *ret_fd, struct ei_error *err);

/* Lets the starter go, and the terminal: until then what goes wrong is seen there. fd -1: nothing to do. */
void ei_background_ready(int fd);

#endif

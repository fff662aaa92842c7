/*
 * An invitation was refused because the address is a user's already, whom the look-up did not show: the search index
 * was late, or the user has the address where no search sees it. The refusal names the user (contract 2.6), and is no
 * verdict about them: they are read and judged like a user whom the look-up found.
 *
 * The refusal is on record before the user is read, and reading has no effect: after a crash the invitation is sent
 * again, refused again, and the user is read again.
 */
#ifndef EI_WORKER_EXISTING_H
#define EI_WORKER_EXISTING_H

#include "plugin/worker/worker.h"

/* A create was answered: true if it named a user, who is being read now; the flight is taken over. */
bool ei_existing_look(struct ei_worker *worker, struct ei_collaborator *collaborator,
                      const struct ei_graph_result *result, struct ei_flight *flight);

#endif

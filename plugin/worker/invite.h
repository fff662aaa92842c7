/* POST /invitations for a job: with or without mail, a new invitation or a reset, its sponsors by id. */
#ifndef EI_WORKER_INVITE_H
#define EI_WORKER_INVITE_H

#include "plugin/worker/worker.h"

/* The intent is durable. EI_OK: the flight is taken over. */
enum ei_err ei_invite_send(struct ei_worker *worker, const struct ei_collaborator *collaborator,
                           struct ei_flight *flight);

#endif

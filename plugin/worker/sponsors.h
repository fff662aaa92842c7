/*
 * Sponsors of a guest (contract 2.2, 5). No page of Microsoft's shows how an invitation names them, so every way that
 * it may turn out leads to the same end: the guest has them, or `show` says why not. An invitation never fails for
 * them.
 *
 *   sent with the invitation ─┬→ 201: read the guest's sponsors back; add what is missing
 *                             └→ 400, 403, 404: the same invitation without them; add them to the guest
 *
 * What is to be done is on record before it is done, and adding a sponsor twice is adding it once: a crash at any point
 * only repeats.
 */
#ifndef EI_WORKER_SPONSORS_H
#define EI_WORKER_SPONSORS_H

#include "plugin/worker/settings.h"
#include "plugin/worker/worker.h"

/* Before the intent to create is written down: who is to sponsor the guest. Not stored yet; false when out of memory.
 */
bool ei_sponsors_plan(struct ei_worker *worker, struct ei_collaborator *collaborator,
                      const struct ei_settings *settings);

/* Before the request goes out: tells of sponsors whom the tenant does not have, and stores that. */
enum ei_err ei_sponsors_note_missing(struct ei_worker *worker, struct ei_collaborator *collaborator,
                                     const struct ei_settings *settings);

/* A create was refused, maybe for the sponsors in it: true if it is to be sent once more without them. Not stored yet.
 */
bool ei_sponsors_refused(const struct ei_worker *worker, struct ei_collaborator *collaborator,
                         const struct ei_graph_result *result);

/* The guest was seen: reads its sponsors and adds what is missing, where that is still to be done. true: the flight is
 * taken over. */
bool ei_sponsors_look(struct ei_worker *worker, const struct ei_collaborator *collaborator, struct ei_flight *flight);

#endif

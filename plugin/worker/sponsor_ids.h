/*
 * Sponsors by object id. Whoever is named by userPrincipalName is asked for once and kept for the worker's life, as
 * long as there is room: Graph documents the URL of a sponsor with an id only (contract 5). Where the tenant does not
 * say, the name goes into the URL, and whoever is not known is told.
 *
 * A sponsor is written as in struct ei_graph_invite.
 */
#ifndef EI_WORKER_SPONSOR_IDS_H
#define EI_WORKER_SPONSOR_IDS_H

#include "plugin/worker/settings.h"
#include "plugin/worker/worker.h"

/* Asks for the ids that are not known yet: true if done will be called, from a dispatch, when each is answered for.
 * false: there is nothing to wait for. */
bool ei_sponsor_ids_ask(struct ei_worker *worker, const char *const *sponsors, size_t count,
                        void (*done)(void *context), void *context);
/* As it is to be sent: by id where that is known. Good until the next ask. NULL: the tenant has no such user. */
const char *ei_sponsor_ids_find(const struct ei_worker *worker, const char *sponsor);
/* The sponsors of the settings as they are to be sent, each once; nothing of it may outlive the next ask. */
void ei_sponsor_ids_apply(const struct ei_worker *worker, struct ei_settings *settings);
/* Whom the last answer said not to be there; nothing is done if there is none. Added to note, whatever it has. */
void ei_sponsor_ids_tell(const struct ei_worker *worker, const struct ei_settings *settings, char note[EI_MESSAGE_MAX]);
/* After the graph: nobody waits any more. */
void ei_sponsor_ids_free(struct ei_worker *worker);

#endif

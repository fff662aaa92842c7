/* What an event of the history (store.h) tells beside its word, as the text that the store keeps of it. */
#ifndef EI_WORKER_HISTORY_H
#define EI_WORKER_HISTORY_H

#include <cjson/cJSON.h>

#include "common/store/store.h"

/* All of it may be NULL, and none of it is a secret. */
struct ei_event_facts {
    const char *login; /* of the account that it is about */
    const char *by;    /* who asked: "root", "alice (uid 1000)" */
    const char *about; /* what else: an address, a group's id, what is done with the guest; a name of the collaborator's
                        * error (ei_err_name) stands for that error, told in full */
    const struct ei_error *error;  /* in place of the collaborator's */
    const struct ei_error *answer; /* the ids of the answer that led to it (ei_graph_answered) */
};

/* ei_store_put, with these facts as the event's detail. event NULL: none. */
enum ei_err ei_history_put(struct ei_store *store, struct ei_collaborator *collaborator, const char *event,
                           const struct ei_event_facts *facts, struct ei_error *err);
/* The type Event of the interface. */
cJSON *ei_history_event(const struct ei_event *event);

#endif

/*
 * entra_groups: guests become members of the groups that the rules of their accounts name, once they exist.
 *
 * Driven by the looks: when one has shown the guest pending or accepted, what is missing is asked for, in requests of
 * its own that no look waits for. Adding is idempotent (ei_graph_add_member), so nothing is written down before it and
 * a crash costs at most one superfluous request. A membership that was added is not watched: who takes the guest out of
 * the group in Entra keeps them out. Trouble with a group fails no account and delays no acceptance; it is shown with
 * the account, said once in the log, and what is wrong with the group itself is tried again every quarter of an hour
 * by one guest for all.
 */
#ifndef EI_WORKER_GROUPS_H
#define EI_WORKER_GROUPS_H

#include <cjson/cJSON.h>

#include "plugin/worker/worker.h"

/* Before a look is saved that showed the guest: brings the list of memberships up to the configuration, and the next
 * look forward to the next try. */
void ei_groups_plan(struct ei_worker *worker, struct ei_collaborator *collaborator);
/* After it was saved: asks for what is missing. */
void ei_groups_join(struct ei_worker *worker, const struct ei_collaborator *collaborator);
/* The guest is another one: a member of nothing. */
void ei_groups_forget(struct ei_collaborator *collaborator);

/* entraGroups of the interface's Account. */
cJSON *ei_groups_told(const struct ei_collaborator *collaborator);
/* Lines about groups that take no members, for Status. */
void ei_groups_notes(const struct ei_worker *worker, cJSON *notes);

/* Whatever is wrong with a group may be mended: it is tried at the next look. */
void ei_groups_probe_now(struct ei_worker *worker);
void ei_groups_close(struct ei_worker *worker);

#endif

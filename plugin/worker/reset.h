/*
 * resetRedemption: the same user object redeems anew, by another address if wanted (contract 2.6). Only ever at a
 * person's word that names the guest (X4); the job goes the steps of an invitation:
 *
 *   checking ─┬→ creating (POST with resetRedemption, without mail) ─┬→ created → mailing → pending, as an invitation
 *             └→ pending, with an error, nothing changed             ├→ pending, with an error, nothing changed
 *                                                                    └→ checking (answer lost: was it reset?)
 */
#ifndef EI_WORKER_RESET_H
#define EI_WORKER_RESET_H

#include "plugin/worker/worker.h"

/* The address that it is reset to. */
const char *ei_reset_address(const struct ei_collaborator *collaborator);

/* Whether this user can be reset to this address: a guest who is seen and enabled, and has it. Else why not; for a
 * foreign address (EI_RESET_ADDRESS) with those that the user has. */
enum ei_err ei_reset_check(const struct ei_graph_user *user, const char *address, struct ei_error *err);

/* Sets the job up; email NULL: the address that it has. Not stored yet. false when out of memory. */
bool ei_reset_start(struct ei_collaborator *collaborator, const char *email, int64_t now);

/* CHECKING of a reset. */
ei_graph_user_done ei_answer_reset_checked;

/* CREATING of a reset was refused: true if that is dealt with here, because it is no fault of the tenant's or the
 * network's. */
bool ei_reset_refused(struct ei_worker *worker, struct ei_collaborator *collaborator,
                      const struct ei_graph_result *result);
/* It is reset: the address comes first, the state is Graph's to tell anew, and it is another round of mail, like
 * `resend`. Not stored yet. */
void ei_reset_apply(struct ei_worker *worker, struct ei_collaborator *collaborator);

/* A copy of the directory that does not know of the reset yet (contract 7) shows the redemption of before. */
bool ei_reset_not_seen(const struct ei_collaborator *collaborator, const struct ei_graph_user *user);

/* Why the last reset was not done; it is shown until somebody asks for something else. */
bool ei_reset_failure(enum ei_err code);

#endif

/* What Graph answered: one callback per step. Each ends its flight, writes the outcome down and chooses the next step.
 */
#ifndef EI_WORKER_ANSWERS_H
#define EI_WORKER_ANSWERS_H

#include "plugin/worker/worker.h"

/* answers.c: what leads to an invitation */
ei_graph_users_done ei_answer_checked;
ei_graph_users_done ei_answer_deleted_found;
ei_graph_invited ei_answer_created;

/* answers_mail.c: what became of Microsoft's mail */
ei_graph_invited ei_answer_mailed;

/* looks.c: what comes after it */
ei_graph_user_done ei_answer_looked;
ei_graph_plain_done ei_answer_deleted_items;

/* offboard.c: the guest is to go, or to come back */
enum ei_err ei_offboard_prepare(struct ei_worker *worker, struct ei_collaborator *collaborator);
enum ei_err ei_offboard_send(struct ei_worker *worker, const struct ei_collaborator *collaborator,
                             struct ei_flight *flight);

/* Shared by these files. */
enum { EI_DENIED_AGAIN = 15 * 60 }; /* seconds until what is not permitted is tried again */

struct ei_collaborator *ei_answer_reload(struct ei_flight *flight); /* NULL: it is gone; the caller frees it */
/* Nothing is tried any more until somebody asks for it. */
void ei_answer_fail(struct ei_worker *worker, struct ei_collaborator *collaborator, const struct ei_error *err);
/* The one user who has the address, seen before an invitation: linked, refused, or to be invited. */
void ei_answer_found_user(struct ei_worker *worker, struct ei_collaborator *collaborator,
                          const struct ei_graph_user *user);
void ei_answer_clear_error(struct ei_collaborator *collaborator);
/* Takes down what a 201 says. false: a second guest for one address, which is shown and never swallowed, or no memory;
 * err says which. */
bool ei_answer_take_invitation(struct ei_collaborator *collaborator, const struct ei_graph_invitation *invitation,
                               struct ei_error *err);
/* Stores PENDING: the partner is waited for. */
enum ei_err ei_answer_pending(struct ei_worker *worker, struct ei_collaborator *collaborator, const char *event);
/* The mail that was under way arrived where it was to go. Not stored yet. */
void ei_answer_mail_sent(struct ei_collaborator *collaborator);
/* Whether the mail was sent is not known, and nothing but `resend` repeats it. why: what cut it off, or NULL. */
void ei_answer_mail_unknown(struct ei_collaborator *collaborator, const char *why);
void ei_answer_try_again(struct ei_worker *worker, struct ei_collaborator *collaborator,
                         const struct ei_graph_result *result);
/* Copies what the user object says; false when out of memory. */
bool ei_answer_take_user(struct ei_collaborator *collaborator, const struct ei_graph_user *user);
/*
 * A deleted guest of whom this record does not know yet; NULL if there is none. Who knows, and invites all the same,
 * wants another guest. Deleted members are none of our business.
 */
const struct ei_graph_user *ei_answer_unknown_deleted(const struct ei_collaborator *collaborator,
                                                      const struct ei_graph_user *users, size_t count);
/* Stores ACCEPTED, erases the URL (K7), links held accounts. */
void ei_answer_accept(struct ei_worker *worker, struct ei_collaborator *collaborator, const char *event);

#endif

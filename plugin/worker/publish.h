/* What the worker publishes: the view for PAM and NSS, the covered groups, the STATUS line. */
#ifndef EI_WORKER_PUBLISH_H
#define EI_WORKER_PUBLISH_H

#include "plugin/worker/worker.h"

/* At start: the last generation and refresh from the store; a clone or a restored database holds all mail steps. */
enum ei_err ei_publish_open(struct ei_worker *worker, struct ei_error *err);
/* public/groups: the covered groups, one a line; changes only with the config. */
enum ei_err ei_publish_groups(struct ei_worker *worker, struct ei_error *err);
/* Publishes if the view is dirty, or its not_after is to move on, and it is time. */
void ei_publish_run(struct ei_worker *worker);
/* Something is known that the published view does not say yet. */
bool ei_publish_pending(struct ei_worker *worker);
int64_t ei_publish_wait_ms(struct ei_worker *worker);
/* Whatever is to be published is not put off any longer. */
void ei_publish_now(struct ei_worker *worker);
/* The STATUS line as it is now, once the worker has said that it is ready. */
void ei_publish_tell(struct ei_worker *worker);

/* The error to show with an account: its own, else what blocks the worker while it is queued. */
const struct ei_error *ei_publish_error(const struct ei_worker *worker, const struct ei_collaborator *collaborator,
                                        const struct ei_account *account);
/* "12 pending, 30 accepted, 1 failed"; blocked, doubt and holds after it. size >= 512. */
void ei_publish_status_text(const struct ei_worker *worker, char *text, size_t size);
/* adopt: mail may go out again. */
enum ei_err ei_publish_lift_mail_hold(struct ei_worker *worker, struct ei_error *err);

#endif

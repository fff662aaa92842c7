/*
 * The sponsors of a guest who does not come are told, each by one mail, without the redeem URL.
 *
 * That they are to be told is on record (notice), and so is how far it has got (notice_next). The right to tell one of
 * them is spent before the mail leaves (X9); a mail whose outcome is not known is not repeated. Who is to be told is
 * found by the walk that publishes the view.
 */
#ifndef EI_WORKER_NOTICES_H
#define EI_WORKER_NOTICES_H

#include "plugin/worker/worker.h"

/* Its sponsors are to be told. */
void ei_notices_note(struct ei_worker *worker, const struct ei_collaborator *collaborator);
/* Not within a batch: what is sent must be durable before. */
void ei_notices_run(struct ei_worker *worker);
int64_t ei_notices_wait_ms(const struct ei_worker *worker);
/* After ei_deliver_free and ei_graph_free. */
void ei_notices_close(struct ei_worker *worker);

#endif

/* What the files of the refresh share: refresh.c (when, and how), refresh_delta.c, refresh_list.c. */
#ifndef EI_WORKER_REFRESH_INTERNAL_H
#define EI_WORKER_REFRESH_INTERNAL_H

#include "plugin/worker/worker.h"

enum { EI_REFUSED_AGAIN_S = 60 * 60 }; /* what a tenant refuses is asked for again so often */

/* Looked at now, if it is looked at at all. */
void ei_refresh_hasten(struct ei_worker *worker, const char *collaborator_id);
/* Every guest is looked at at this wall time, or before. */
void ei_refresh_look_at_all(struct ei_worker *worker, int64_t when);
/* What told whose look is worth it was refused: those that were to be looked at seldom come to their turn within the
 * interval again, and the next method is tried at once. */
void ei_refresh_try_next(struct ei_worker *worker, bool looks_were_put_off);
/* By what is known now. */
void ei_refresh_choose(struct ei_worker *worker);
int64_t ei_refresh_refused_until(const struct ei_worker *worker);
void ei_refresh_facts(const struct ei_worker *worker, struct ei_choice_facts *ret_facts);

/* --- refresh_delta.c --- */

enum ei_err ei_delta_open(struct ei_worker *worker, struct ei_error *err);
/* Those that changed are looked at once more at the tick behind: what was asked next may have been answered by a copy
 * of the directory that had not heard of the change yet (contract 7). */
void ei_delta_second_looks(struct ei_worker *worker);
void ei_delta_ask(struct ei_worker *worker);
/* Changes are of no use any more. */
void ei_delta_forget(struct ei_worker *worker);
void ei_delta_close(struct ei_worker *worker);

/* --- refresh_list.c --- */

void ei_list_round(struct ei_worker *worker);

#endif

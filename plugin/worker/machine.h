/*
 * Jobs: the crash-safe sequence (design idea 4). Each network step is bracketed by two commits (X1): the intent, with
 * the client-request-id of the attempt, before; the outcome after. A step that is found with its intent written and no
 * outcome was cut off: it may have had its effect.
 *
 *   queued → checking ─┬→ accepted                       (an accepted guest is linked)
 *                      ├→ failed                         (internal user, two users, …)
 *                      └→ creating ─┬→ created ─┬→ mailing → pending
 *                                   │           └→ pending
 *                                   └→ checking          (answer lost: look up after 5, 15, 45 s, then POST again)
 *   pending ⇄ accepted, each looked at every refresh_interval
 */
#ifndef EI_WORKER_MACHINE_H
#define EI_WORKER_MACHINE_H

#include "plugin/worker/worker.h"

/* Starts what is due, as far as hold, pacing, block and room allow. */
void ei_machine_run(struct ei_worker *worker);
/* ms until something may be due, for the loop's time-out. */
int64_t ei_machine_wait_ms(struct ei_worker *worker);
/* Sends what became durable with the last batch (or drops it, when the batch failed). */
void ei_machine_send_ready(struct ei_worker *worker, bool durable);

/* Writes down step and, if it is a network step with an effect, a fresh intent; queues it for sending. */
enum ei_err ei_machine_enter(struct ei_worker *worker, struct ei_collaborator *collaborator, enum ei_step step,
                             const char *event);
/* Puts off the next try of the current step: Retry-After if there is one, else exponential with full jitter (X8). */
void ei_machine_back_off(struct ei_collaborator *collaborator, int64_t retry_after);

/* After a create whose answer is not known: look up, then POST again; the more often, the later. Not stored yet. */
void ei_machine_look_first(struct ei_collaborator *collaborator);
/* Seconds to wait before look-up number n (0, 1, 2) after an ambiguous create; -1: looked often enough, POST again. */
int64_t ei_machine_settle(unsigned lookup);

/* Everybody is to be looked at now: what looks that are under way bring back is from before that. */
void ei_machine_outdate_looks(struct ei_worker *worker);
bool ei_machine_in_flight(const struct ei_worker *worker, const char *id);
void ei_machine_land(struct ei_flight *flight);

#endif

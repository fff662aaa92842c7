/*
 * This host's clock may be wrong, and set right: forward and back, while the worker runs and while it does not (X8).
 * Waiting inside one run is by monotonic time; what is stored is wall time, and what must not come too early or for
 * nothing (reminders, giving up) is counted by Microsoft's clock, which every answer tells.
 */
#ifndef EI_WORKER_CLOCK_H
#define EI_WORKER_CLOCK_H

#include "plugin/worker/worker.h"

/* At the start, with the store open: nothing waits for a time that no wait of ours would have reached. */
void ei_clock_begin(struct ei_worker *worker);
/* At each turn of the loop: where the clock was set back, nothing waits longer than it would have. */
void ei_clock_check(struct ei_worker *worker);

/* An answer of Microsoft's arrived. */
void ei_clock_note(struct ei_worker *worker, const struct ei_graph_result *result);
/* Wall time by Microsoft's clock as the last answer told it; this host's where they differ by no more than a minute. */
int64_t ei_clock_theirs(const struct ei_worker *worker);

/* By this host's clock less than so many seconds have passed since. false as well where that is still to come: the
 * clock was set back, and nothing may count as young until the old time comes again. */
bool ei_clock_within(int64_t since, int64_t seconds);

#endif

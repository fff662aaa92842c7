/*
 * When guests are looked at again. Everything falls on ticks, refresh_interval apart, so that an idle worker wakes up
 * at those alone; where they lie in time differs from host to host.
 *
 * Few guests are looked at one by one, all of them at each tick. Where they are many, Graph is asked at each tick which
 * users changed (GET /users/delta), and those are looked at. Since it is nowhere promised that a redemption is such a
 * change, pending guests are looked at at every tick all the same, as long as they are not too many for that; accepted
 * ones only now and then. A tenant that does not tell changes has everybody looked at as often as the pace of looks
 * allows.
 */
#ifndef EI_WORKER_REFRESH_H
#define EI_WORKER_REFRESH_H

#include "plugin/worker/worker.h"

enum {
    EI_CHANGES_FROM = 500,    /* more guests than this are many */
    EI_LOOKS_PER_SECOND = 20, /* on average; Graph allows at least 350 units a second (contract 6) */
    EI_LOOKS_AT_ONCE = 2000,  /* at a tick, and so many again in each period behind it */
    EI_LOOKS_PERIOD_MS = 10000,
    EI_SLOW_LOOK_S = 6 * 60 * 60, /* between two looks at an accepted guest, where changes are told */
};

enum ei_err ei_refresh_open(struct ei_worker *worker, struct ei_error *err);
/* Asks for the changes when it is time. */
void ei_refresh_run(struct ei_worker *worker);
int64_t ei_refresh_wait_ms(const struct ei_worker *worker);
/* `refresh`, SIGHUP: ask at once, whatever was refused before. */
void ei_refresh_now(struct ei_worker *worker);
/* Nothing is asked or about to be. */
bool ei_refresh_settled(const struct ei_worker *worker);
void ei_refresh_close(struct ei_worker *worker);

/* Wall time of the next regular look at a guest in this step. */
int64_t ei_refresh_next_look(const struct ei_worker *worker, enum ei_step step);

#endif

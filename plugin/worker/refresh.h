/*
 * When guests are looked at again. Everything falls on ticks, refresh_interval apart, so that an idle worker wakes up
 * at those alone; where they lie in time differs from host to host.
 *
 * A look is a read of the user by its id: it alone tells where a redemption stands, and neither a list, nor changes,
 * nor the status of an invitation is believed. Few guests are looked at one by one, all of them at each tick. Where
 * they are many, choice.c chooses what tells whose look is worth its cost:
 *
 *   delta  Graph is asked at each tick which users changed (GET /users/delta), and those are looked at. Since it is
 *          nowhere promised that a redemption is such a change, pending guests are looked at at every tick all the
 *          same, as long as they are not too many for that; accepted ones every six hours. The link is kept in the
 *          store; one of more than six days, or that the tenant refuses, begins anew, and everybody is looked at.
 *   list   where the tenant does not tell changes: its pending guests are listed at each tick, all of them once an hour
 *          (or always, where that is cheap), and whoever differs from what is known is looked at; the others every hour
 *          if pending, else every six.
 *   batch  everybody is looked at as often as the pace of looks allows.
 *
 * What a tenant refuses is asked for again every hour, at SIGHUP and by `refresh`.
 */
#ifndef EI_WORKER_REFRESH_H
#define EI_WORKER_REFRESH_H

#include <cjson/cJSON.h>

#include "plugin/worker/worker.h"

enum {
    EI_LOOKS_AT_ONCE = 2000, /* at a tick, and so many again in each period behind it */
    EI_LOOKS_PERIOD_MS = 10000,
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

/* The one in force: until the wanted one has answered, batch. */
enum ei_refresh_method ei_refresh_in_force(const struct ei_worker *worker);

/* The Redemption object of the interface. */
cJSON *ei_refresh_status(const struct ei_worker *worker);

/* Wall time of the next regular look at a guest in this step. */
int64_t ei_refresh_next_look(const struct ei_worker *worker, enum ei_step step);

#endif

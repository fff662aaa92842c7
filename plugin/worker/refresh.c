#include "plugin/worker/refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/refresh_internal.h"
#include "plugin/worker/tenant.h"

/* --- ticks --- */

/* Where in the interval this host's ticks lie: hosts of a fleet must not all ask at one instant. */
static int64_t phase(const struct ei_worker *w)
{
    uint32_t sum = 0;

    for (const char *c = w->host; *c != '\0'; c++)
        sum = sum * 31 + (unsigned char)*c;
    return sum % w->config->refresh_interval;
}

/* The last tick at or before t. */
static int64_t tick_before(const struct ei_worker *w, int64_t t)
{
    int64_t interval = w->config->refresh_interval;
    return t - (t - phase(w)) % interval;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- the method --- */

void ei_refresh_facts(const struct ei_worker *w, struct ei_choice_facts *ret)
{
    const struct ei_refresh *r = &w->refresh;
    bool known = ei_now() - r->pages_at < EI_SLOW_LOOK_S; /* a list that was too dear may be cheaper by now */

    *ret = (struct ei_choice_facts){
        .interval = w->config->refresh_interval,
        .pending = w->counts[EI_STATE_PENDING],
        .others = w->counts[EI_STATE_ACCEPTED] + w->counts[EI_STATE_FAILED] + w->counts[EI_STATE_EXPIRED],
        .delta_refused = r->delta_refused,
        .list_refused = r->list_refused,
        .list_all_only = r->list_all_only,
        .pages_pending = known ? r->pages_pending : 0,
        .pages_all = known ? r->pages_all : 0,
    };
}

static bool many(const struct ei_worker *w)
{
    struct ei_choice_facts facts;

    ei_refresh_facts(w, &facts);
    return ei_choice_many(&facts, w->refresh.wanted);
}

enum ei_refresh_method ei_refresh_in_force(const struct ei_worker *w)
{
    if (w->refresh.told)
        return EI_BY_DELTA;
    return w->refresh.listed ? EI_BY_LIST : EI_BY_BATCH;
}

static void note_method(struct ei_worker *w)
{
    struct ei_refresh *r = &w->refresh;
    enum ei_refresh_method in_force = ei_refresh_in_force(w);

    if (r->since != 0 && in_force == r->shown)
        return;
    r->shown = in_force;
    r->since = ei_now();
}

/* What was refused is tried again once its time has come; a clock that was set back makes that soon. */
static bool is_due(int64_t again_at)
{
    int64_t now = ei_now();
    return now >= again_at || again_at > now + 25 * EI_REFUSED_AGAIN_S;
}

/* Until the wanted method has answered once, everybody is read as without it. */
void ei_refresh_choose(struct ei_worker *w)
{
    struct ei_refresh *r = &w->refresh;
    struct ei_choice_facts facts;

    if (r->list_refused && is_due(r->list_again_at))
        r->list_refused = false;
    ei_refresh_facts(w, &facts);
    r->wanted = ei_choice_make(&facts, r->wanted, r->reason);
    if (r->wanted == EI_BY_BATCH && r->listed) {
        r->listed = false;
        ei_refresh_look_at_all(w, ei_now() + w->config->refresh_interval);
    }
    note_method(w);
}

int64_t ei_refresh_next_look(const struct ei_worker *w, enum ei_step step)
{
    struct ei_choice_facts facts;
    int64_t interval = w->config->refresh_interval;

    ei_refresh_facts(w, &facts);
    int64_t apart = ei_choice_apart(&facts, ei_refresh_in_force(w), step == EI_STEP_PENDING);
    /* Those that are looked at seldom are spread over the ticks. */
    if (apart > interval)
        apart -= ei_random_below((uint32_t)(apart / 4));
    return tick_before(w, ei_now() + longer(apart, interval));
}

/* --- looks --- */

void ei_refresh_hasten(struct ei_worker *w, const char *id)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;
    int64_t now = ei_now();

    if (ei_store_get(w->store, id, &c, &err) != EI_OK)
        return;
    if (ei_collaborator_looked_at(c) && c->job.not_before > now) {
        c->job.not_before = now;
        ei_worker_save(w, c, NULL, NULL);
    }
    ei_collaborator_free(c);
}

void ei_refresh_look_at_all(struct ei_worker *w, int64_t when)
{
    struct ei_error err;

    if (ei_store_hasten(w->store, when, false, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
}

void ei_refresh_try_next(struct ei_worker *w, bool looks_were_put_off)
{
    if (looks_were_put_off)
        ei_refresh_look_at_all(w, ei_now() + w->config->refresh_interval);
    w->refresh.at = ei_now();
}

int64_t ei_refresh_refused_until(const struct ei_worker *w)
{
    return ei_now() + longer(EI_REFUSED_AGAIN_S, w->config->refresh_interval);
}

/* --- in time --- */

/* Few enough by now to be looked at one by one. */
static void stop_asking(struct ei_worker *w, int64_t next)
{
    struct ei_refresh *r = &w->refresh;

    if (r->told || r->listed)
        ei_refresh_look_at_all(w, next);
    ei_delta_forget(w);
    r->listed = false;
    r->at = next;
}

static bool may_ask(struct ei_worker *w)
{
    int64_t wait_ms;

    return w->tenant_fact == EI_FACT_KNOWN && w->blocked.code == EI_OK && w->paused_until_ms <= ei_monotonic_ms() &&
           ei_graph_may_send(w->graph, 0, &wait_ms);
}

void ei_refresh_run(struct ei_worker *w)
{
    struct ei_refresh *r = &w->refresh;
    int64_t now = ei_now();
    int64_t next = tick_before(w, now) + w->config->refresh_interval;

    if (r->at > next) /* the clock was set back */
        r->at = next;
    if (r->asked || now < r->at || !w->ready_said) /* before the first view nobody is counted */
        return;
    ei_refresh_choose(w);
    if (!many(w)) {
        stop_asking(w, next);
        ei_refresh_choose(w);
        return;
    }
    r->at = next;
    if (!may_ask(w))
        return;
    ei_delta_second_looks(w);
    if (!r->delta_refused || is_due(r->delta_again_at))
        ei_delta_ask(w);
    else if (r->wanted == EI_BY_LIST)
        ei_list_round(w);
}

int64_t ei_refresh_wait_ms(const struct ei_worker *w)
{
    int64_t wait = (w->refresh.at - ei_now()) * 1000;

    if (w->refresh.asked || !many(w)) /* the answer, or what makes them many, wakes the loop */
        return INT64_MAX;
    return wait > 0 ? wait : 0;
}

void ei_refresh_now(struct ei_worker *w)
{
    w->refresh.at = ei_now();
    w->refresh.delta_again_at = 0;
    w->refresh.list_again_at = 0;
    w->refresh.list_all_only = false;
}

bool ei_refresh_settled(const struct ei_worker *w)
{
    return !w->refresh.asked && (!many(w) || ei_now() < w->refresh.at);
}

/* --- what is told of it --- */

cJSON *ei_refresh_status(const struct ei_worker *w)
{
    const struct ei_refresh *r = &w->refresh;
    enum ei_refresh_method method = ei_refresh_in_force(w);
    struct ei_choice_facts facts;
    int64_t age = ei_now() - r->link_at;
    int64_t round_at = method == EI_BY_BATCH ? w->last_refresh : r->round_at;
    cJSON *object = cJSON_CreateObject();

    ei_refresh_facts(w, &facts);
    ei_json_add_text(object, "method", ei_choice_name(method));
    ei_json_add_text(object, "reason",
                     method == r->wanted ? r->reason : "it is being tried whether another method works here");
    ei_json_add_time(object, "since", r->since);
    ei_json_add_time(object, "lastRound", w->answered_at != 0 ? round_at : 0);
    cJSON_AddNumberToObject(object, "guests", (double)(facts.pending + facts.others));
    cJSON_AddNumberToObject(object, "pending", (double)facts.pending);
    cJSON_AddNumberToObject(object, "costPerRound", (double)ei_choice_cost(&facts, method));
    if (r->link_at != 0)
        cJSON_AddNumberToObject(object, "deltaLinkAge", (double)(age > 0 ? age : 0));
    else
        cJSON_AddNullToObject(object, "deltaLinkAge");
    return object;
}

enum ei_err ei_refresh_open(struct ei_worker *w, struct ei_error *err)
{
    enum ei_err rc = ei_delta_open(w, err);

    ei_pace_init(&w->looks, EI_LOOKS_AT_ONCE, EI_LOOKS_PERIOD_MS, ei_monotonic_ms());
    w->refresh.wanted = ei_refresh_in_force(w);
    snprintf(w->refresh.reason, sizeof w->refresh.reason, "as it was before the start");
    note_method(w);
    return rc;
}

void ei_refresh_close(struct ei_worker *w)
{
    ei_guest_set_clear(&w->refresh.seen);
    ei_delta_close(w);
}

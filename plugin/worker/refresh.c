#include "plugin/worker/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/tenant.h"

enum {
    REFUSED_AGAIN_S = 60 * 60, /* a tenant that does not tell changes is asked again so often */
    AGAIN_MAX = 10000,         /* guests remembered for a second look */
};

static const char meta_link[] = "changes-link";

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

int64_t ei_refresh_next_look(const struct ei_worker *w, enum ei_step step)
{
    int64_t interval = w->config->refresh_interval;
    int64_t pending = (int64_t)w->counts[EI_STATE_PENDING];
    int64_t others = (int64_t)(w->counts[EI_STATE_ACCEPTED] + w->counts[EI_STATE_FAILED]);
    int64_t apart;

    if (step == EI_STEP_PENDING)
        apart = longer(interval, pending / EI_LOOKS_PER_SECOND);
    else if (w->changes_told)
        apart = longer(interval, EI_SLOW_LOOK_S);
    else
        apart = longer(interval, (pending + others) / EI_LOOKS_PER_SECOND);
    /* Those that are looked at seldom are spread over the ticks. */
    if (apart > interval)
        apart -= ei_random_below((uint32_t)(apart / 4));
    return tick_before(w, ei_now() + longer(apart, interval));
}

/* --- what changed --- */

/* A guest that changed is looked at now, and once more at the next tick: what is asked next may be answered by a copy
 * of the directory that has not heard of the change yet (contract 7). */
static void look_again(struct ei_worker *w, const char *id)
{
    if (w->again_count == AGAIN_MAX)
        return;
    void *grown = ei_array_room(w->again, w->again_count, &w->again_room, sizeof *w->again);
    if (grown == NULL)
        return;
    w->again = grown;
    memcpy(w->again[w->again_count++], id, EI_GUID_TEXT);
}

static enum ei_err hasten(struct ei_worker *w, struct ei_collaborator *c)
{
    bool looked_at = c->job.step == EI_STEP_PENDING || c->job.step == EI_STEP_ACCEPTED;
    int64_t now = ei_now();

    if (!looked_at || c->job.not_before <= now)
        return EI_OK;
    c->job.not_before = now;
    return ei_worker_save(w, c, NULL, NULL);
}

static void on_changes(void *context, const char *const *ids, size_t count)
{
    struct ei_worker *w = context;

    for (size_t i = 0; i < count; i++) {
        struct ei_collaborator *c = NULL;
        struct ei_error err;
        enum ei_err rc = ei_store_by_guest(w->store, ids[i], &c, &err);
        if (rc == EI_OK) {
            hasten(w, c);
            look_again(w, c->id);
        } else if (rc != EI_NOT_FOUND) {
            ei_worker_store_failed(w, &err);
        }
        ei_collaborator_free(c);
    }
}

static void look_at_all(struct ei_worker *w, int64_t when)
{
    struct ei_error err;

    if (ei_store_hasten(w->store, when, false, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
}

static void remember_link(struct ei_worker *w, const char *link)
{
    struct ei_error err;

    if (ei_store_meta_set(w->store, meta_link, link, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
}

/* What a service answers that knows no such thing, or does not give it to this app, or makes no sense. */
static bool is_refusal(const struct ei_graph_result *result)
{
    bool rejected = result->outcome == EI_GRAPH_REJECTED && result->error.code != EI_UNAUTHORIZED &&
                    result->error.code != EI_THROTTLED;

    return rejected || result->status == 501 || result->error.code == EI_GRAPH_ANSWER;
}

static void refused(struct ei_worker *w, const struct ei_error *why)
{
    if (!w->changes_refused)
        ei_log(LOG_NOTICE,
               "this tenant does not tell which users changed, so all guests are looked at again and again: %s",
               why->message);
    /* Those that were to be looked at seldom come to their turn within the interval again. */
    if (w->changes_told)
        look_at_all(w, ei_now() + w->config->refresh_interval);
    w->changes_told = false;
    w->changes_refused = true;
    w->changes_at = ei_now() + longer(REFUSED_AGAIN_S, w->config->refresh_interval);
}

static void on_done(void *context, const struct ei_graph_result *result, const char *link)
{
    struct ei_worker *w = context;

    w->changes_asked = false;
    if (!is_refusal(result)) /* what a refusal means for reading users is for the looks to say */
        ei_tenant_note(w, result, EI_CALL_READ);
    if (result->outcome == EI_GRAPH_DONE) {
        remember_link(w, link);
        /* With a link that begins now, what changed before it is known to nobody; and looks were put off. */
        if (w->changes_afresh && w->changes_told)
            look_at_all(w, ei_now());
        w->changes_told = true;
        w->changes_refused = false;
        w->last_refresh = ei_now();
    } else if (result->error.code == EI_RESYNC && !w->changes_afresh) {
        ei_log(LOG_NOTICE, "the list of changed users has to begin anew, all guests are looked at: %s",
               result->error.message);
        remember_link(w, NULL);
        w->changes_at = ei_now();
    } else if (is_refusal(result)) {
        remember_link(w, NULL);
        refused(w, &result->error);
    }
}

/* --- in time --- */

static void ask(struct ei_worker *w)
{
    struct ei_error err;
    char *link = NULL;

    if (ei_store_meta_get(w->store, meta_link, &link, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        return;
    }
    w->changes_afresh = link == NULL;
    if (ei_graph_changes(w->graph, link, on_changes, on_done, w) == EI_OK)
        w->changes_asked = true;
    free(link);
}

static void take_second_looks(struct ei_worker *w)
{
    struct ei_error err;

    if (w->again_count == 0)
        return;
    enum ei_err rc = ei_store_batch_begin(w->store, &err);
    for (size_t i = 0; i < w->again_count && rc == EI_OK; i++) {
        struct ei_collaborator *c = NULL;
        if (ei_store_get(w->store, w->again[i], &c, &err) == EI_OK)
            hasten(w, c);
        ei_collaborator_free(c);
    }
    if (rc == EI_OK)
        rc = ei_store_batch_end(w->store, &err);
    if (rc != EI_OK)
        ei_worker_store_failed(w, &err);
    w->again_count = 0;
}

static bool many(const struct ei_worker *w)
{
    return w->counts[EI_STATE_PENDING] + w->counts[EI_STATE_ACCEPTED] + w->counts[EI_STATE_FAILED] > EI_CHANGES_FROM;
}

/* Few enough by now to be looked at one by one. */
static void stop_asking(struct ei_worker *w, int64_t next)
{
    if (w->changes_told) {
        look_at_all(w, next);
        remember_link(w, NULL);
    }
    w->changes_told = false;
    w->changes_at = next;
}

void ei_refresh_run(struct ei_worker *w)
{
    int64_t now = ei_now();
    int64_t next = tick_before(w, now) + w->config->refresh_interval;
    int64_t wait_ms;

    if (w->changes_at > now + longer(REFUSED_AGAIN_S, w->config->refresh_interval))
        w->changes_at = next;                                      /* the clock was set back */
    if (w->changes_asked || now < w->changes_at || !w->ready_said) /* before the first view nobody is counted */
        return;
    if (!many(w)) {
        stop_asking(w, next);
        return;
    }
    w->changes_at = next;
    if (w->tenant_fact != EI_FACT_KNOWN || w->blocked.code != EI_OK || w->paused_until_ms > ei_monotonic_ms() ||
        !ei_graph_may_send(w->graph, 0, &wait_ms))
        return;
    take_second_looks(w);
    ask(w);
}

int64_t ei_refresh_wait_ms(const struct ei_worker *w)
{
    int64_t wait = (w->changes_at - ei_now()) * 1000;

    if (w->changes_asked || !many(w)) /* the answer, or what makes them many, wakes the loop */
        return INT64_MAX;
    return wait > 0 ? wait : 0;
}

void ei_refresh_now(struct ei_worker *w)
{
    w->changes_at = ei_now();
}

bool ei_refresh_settled(const struct ei_worker *w)
{
    return !w->changes_asked && (!many(w) || ei_now() < w->changes_at);
}

enum ei_err ei_refresh_open(struct ei_worker *w, struct ei_error *err)
{
    char *link = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_link, &link, err);

    ei_pace_init(&w->looks, EI_LOOKS_AT_ONCE, EI_LOOKS_PERIOD_MS, ei_monotonic_ms());
    w->changes_told = link != NULL; /* so looks have been put off */
    free(link);
    return rc;
}

void ei_refresh_close(struct ei_worker *w)
{
    free(w->again);
}

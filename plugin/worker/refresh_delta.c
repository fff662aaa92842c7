/* Method delta: the tenant tells which users changed (GET /users/delta, contract 4.3), by a link kept in the store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "plugin/worker/refresh_internal.h"
#include "plugin/worker/tenant.h"

enum {
    AGAIN_MAX = 10000,               /* guests remembered for a second look */
    LINK_AGE_MAX = 6 * 24 * 60 * 60, /* it is good for seven days; begun anew before it is refused */
};

static const char meta_link[] = "changes-link";
static const char meta_link_at[] = "changes-link-at";

/* --- the link --- */

static void remember_link(struct ei_worker *w, const char *link)
{
    struct ei_error err;
    char at[32];

    w->refresh.link_at = link != NULL ? ei_now() : 0;
    snprintf(at, sizeof at, "%" PRId64, w->refresh.link_at);
    if (ei_store_meta_set(w->store, meta_link, link, &err) != EI_OK ||
        ei_store_meta_set(w->store, meta_link_at, link != NULL ? at : NULL, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
}

enum ei_err ei_delta_open(struct ei_worker *w, struct ei_error *err)
{
    char *link = NULL;
    char *at = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_link, &link, err);

    if (rc == EI_OK)
        rc = ei_store_meta_get(w->store, meta_link_at, &at, err);
    w->refresh.told = link != NULL; /* so looks have been put off */
    if (link != NULL)
        w->refresh.link_at = at != NULL ? strtoll(at, NULL, 10) : ei_now();
    free(link);
    free(at);
    return rc;
}

/* The clock may have been set back since. */
static bool too_old(const struct ei_worker *w)
{
    int64_t age = ei_now() - w->refresh.link_at;
    return age > LINK_AGE_MAX || age < -LINK_AGE_MAX;
}

/* --- what changed --- */

static void look_again(struct ei_worker *w, const char *id)
{
    struct ei_refresh *r = &w->refresh;

    if (r->again_count == AGAIN_MAX)
        return;
    void *grown = ei_array_room(r->again, r->again_count, &r->again_room, sizeof *r->again);
    if (grown == NULL)
        return;
    r->again = grown;
    memcpy(r->again[r->again_count++], id, EI_GUID_TEXT);
}

void ei_delta_second_looks(struct ei_worker *w)
{
    struct ei_error err;

    if (w->refresh.again_count == 0)
        return;
    if (ei_store_batch_begin(w->store, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        return;
    }
    for (size_t i = 0; i < w->refresh.again_count; i++)
        ei_refresh_hasten(w, w->refresh.again[i]);
    if (ei_store_batch_end(w->store, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
    w->refresh.again_count = 0;
}

static void on_changes(void *context, const char *const *ids, size_t count)
{
    struct ei_worker *w = context;

    for (size_t i = 0; i < count; i++) {
        char records[EI_OF_ONE_GUEST][EI_GUID_TEXT];
        size_t found = 0;
        struct ei_error err;
        if (ei_store_of_guest(w->store, ids[i], records, EI_OF_ONE_GUEST, &found, &err) != EI_OK)
            ei_worker_store_failed(w, &err);
        for (size_t r = 0; r < found; r++) {
            ei_refresh_hasten(w, records[r]);
            look_again(w, records[r]);
        }
    }
}

static void refused(struct ei_worker *w, const struct ei_error *why)
{
    struct ei_refresh *r = &w->refresh;
    bool told = r->told;

    if (!r->delta_refused)
        ei_log(LOG_NOTICE,
               "this tenant does not tell which users changed, so its guests are listed, or read one by one: %s",
               why->message);
    remember_link(w, NULL);
    r->told = false;
    r->delta_refused = true;
    r->delta_again_at = ei_refresh_refused_until(w);
    ei_refresh_try_next(w, told);
}

static void take_link(struct ei_worker *w, const char *link)
{
    struct ei_refresh *r = &w->refresh;

    remember_link(w, link);
    /* With a link that begins now, what changed before it is known to nobody; and looks were put off. */
    if (r->afresh && (r->told || r->listed))
        ei_refresh_look_at_all(w, ei_now());
    r->told = true;
    r->listed = false;
    r->delta_refused = false;
    r->round_at = ei_now();
    w->last_refresh = ei_now();
}

static void on_done(void *context, const struct ei_graph_result *result, const char *link)
{
    struct ei_worker *w = context;
    struct ei_refresh *r = &w->refresh;

    r->asked = false;
    if (!ei_tenant_is_refusal(result)) /* what a refusal means for reading users is for the looks to say */
        ei_tenant_note(w, result, EI_CALL_READ);
    if (result->outcome == EI_GRAPH_DONE) {
        take_link(w, link);
    } else if (result->error.code == EI_RESYNC && !r->afresh) {
        ei_log(LOG_NOTICE, "the list of changed users has to begin anew, all guests are looked at: %s",
               result->error.message);
        remember_link(w, NULL);
        r->at = ei_now();
    } else if (ei_tenant_is_refusal(result)) {
        refused(w, &result->error);
    }
    ei_refresh_choose(w);
}

void ei_delta_ask(struct ei_worker *w)
{
    struct ei_error err;
    char *link = NULL;

    if (ei_store_meta_get(w->store, meta_link, &link, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        return;
    }
    if (link != NULL && too_old(w)) {
        ei_log(LOG_NOTICE, "the list of changed users is more than six days old: it has to begin anew, all guests are "
                           "looked at");
        free(link);
        link = NULL;
    }
    w->refresh.afresh = link == NULL;
    if (ei_graph_changes(w->graph, link, on_changes, on_done, w) == EI_OK)
        w->refresh.asked = true;
    free(link);
}

void ei_delta_forget(struct ei_worker *w)
{
    if (w->refresh.told)
        remember_link(w, NULL);
    w->refresh.told = false;
}

void ei_delta_close(struct ei_worker *w)
{
    free(w->refresh.again);
}

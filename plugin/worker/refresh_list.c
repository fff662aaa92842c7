/*
 * Method list: the tenant's guests are listed (common/graph/list.h), and those that differ from what is known are read.
 * The list may be answered from an index that lags (contract 7), so nothing in it is believed: a guest that it shows as
 * pending no more is read by its id, and only that tells whether it was redeemed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "plugin/worker/guest_list.h"
#include "plugin/worker/refresh_internal.h"

enum { HINTS_MAX = 2000 }; /* followed up a round; more come next time, and regular looks find all in the end */

/* Disabled ones are left out: so whoever was disabled differs, and so does whoever is enabled again. */
static bool on_page(void *context, const struct ei_graph_page *page)
{
    struct ei_worker *w = context;
    struct ei_refresh *r = &w->refresh;

    r->pages++;
    if (page->all_guests && !r->list_is_of_all)
        r->list_all_only = true;
    for (size_t i = 0; i < page->count; i++) {
        const struct ei_graph_user *user = &page->users[i];
        const char *state = user->external_user_state;
        bool pending = ei_text_same(state, "PendingAcceptance");
        if (user->has_account_enabled && !user->account_enabled)
            continue;
        if (!ei_guest_set_add(&r->seen, user->id, pending))
            r->list_short = true;
    }
    return true;
}

/* --- what differs --- */

struct hints {
    struct ei_worker *worker;
    char ids[HINTS_MAX][EI_GUID_TEXT];
    size_t count;
};

/* Invited as a member: not among the guests that a list of all of them shows. */
static bool is_member(const struct ei_collaborator *c)
{
    return ei_text_same(c->user_type, "Member");
}

static bool differs(struct ei_refresh *r, const struct ei_collaborator *c)
{
    const struct ei_guest_mark *mark = ei_guest_set_find(&r->seen, c->guest_id);
    bool shown_pending = mark != NULL && mark->pending;

    if (c->error_permanent)
        return mark != NULL;
    if (c->job.step == EI_STEP_PENDING)
        return !shown_pending;
    return shown_pending || (r->list_is_of_all && mark == NULL && !is_member(c));
}

static enum ei_err collect(void *context, const struct ei_collaborator *c)
{
    struct hints *hints = context;

    if (ei_collaborator_looked_at(c) && c->guest_id != NULL && hints->count < HINTS_MAX &&
        differs(&hints->worker->refresh, c))
        memcpy(hints->ids[hints->count++], c->id, EI_GUID_TEXT);
    return EI_OK;
}

static void follow_up(struct ei_worker *w)
{
    struct hints *hints = calloc(1, sizeof *hints);
    struct ei_error err;

    if (hints == NULL)
        return;
    hints->worker = w;
    w->walked = true;
    if (ei_store_each(w->store, collect, hints, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        hints->count = 0;
    }
    for (size_t i = 0; i < hints->count; i++)
        ei_refresh_hasten(w, hints->ids[i]);
    if (hints->count != 0)
        ei_log(LOG_DEBUG, "the list of guests differs from what is known of %zu, which are read", hints->count);
    free(hints);
}

/* --- a round --- */

static void refused(struct ei_worker *w, const struct ei_error *why)
{
    struct ei_refresh *r = &w->refresh;
    bool listed = r->listed;

    if (!r->list_refused)
        ei_log(LOG_NOTICE, "this tenant does not list its guests, so they are read one by one: %s", why->message);
    r->listed = false;
    r->list_refused = true;
    r->list_again_at = ei_refresh_refused_until(w);
    ei_refresh_try_next(w, listed);
}

static void on_end(void *context, const struct ei_error *error, bool is_refused)
{
    struct ei_worker *w = context;
    struct ei_refresh *r = &w->refresh;

    r->asked = false;
    if (error->code == EI_OK && !r->list_short) {
        r->pages_at = ei_now();
        *(r->list_is_of_all || r->list_all_only ? &r->pages_all : &r->pages_pending) = r->pages;
        if (r->list_is_of_all)
            r->list_all_at = ei_now();
        r->listed = true;
        r->list_refused = false;
        r->round_at = ei_now();
        w->last_refresh = ei_now();
        follow_up(w);
    } else if (is_refused) {
        refused(w, error);
    }
    ei_guest_set_clear(&r->seen);
    ei_refresh_choose(w);
}

void ei_list_round(struct ei_worker *w)
{
    struct ei_refresh *r = &w->refresh;
    struct ei_choice_facts facts;
    const struct ei_guest_list_reader reader = {.page = on_page, .end = on_end, .context = w};
    struct ei_guest_list *list;

    ei_refresh_facts(w, &facts);
    r->list_is_of_all = ei_choice_lists_all(&facts) || ei_now() - r->list_all_at >= EI_LIST_ALL_S;
    r->list_short = false;
    r->pages = 0;
    ei_guest_set_clear(&r->seen);
    const struct ei_graph_list_options options = {.pending = !r->list_is_of_all, .brief = true};
    if (ei_guest_list_start(w, &options, &reader, &list) == EI_OK)
        r->asked = true;
}

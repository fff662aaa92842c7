#include "plugin/worker/guest_list.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/guid.h"
#include "plugin/worker/tenant.h"

enum { TRIES_MAX = 6, FIRST_WAIT_MS = 1000 };

struct ei_guest_list {
    struct ei_guest_list *next;
    struct ei_worker *worker;
    struct ei_graph_list *pages;
    struct ei_guest_list_reader reader;
    bool asked;
    bool begun;          /* a page came */
    unsigned tries;      /* of this page, without an answer */
    int64_t again_at_ms; /* monotonic */
};

static void drop(struct ei_guest_list *list)
{
    struct ei_guest_list **at = &list->worker->guest_lists;

    while (*at != list)
        at = &(*at)->next;
    *at = list->next;
    ei_graph_list_free(list->pages);
    free(list);
}

static void finish(struct ei_guest_list *list, const struct ei_error *error, bool refused)
{
    struct ei_guest_list_reader reader = list->reader;

    drop(list);
    reader.end(reader.context, error, refused);
}

/* true: the page is asked for again, later. What Graph asked to wait is for ei_graph_may_send to say, and no failure.
 */
static bool put_off(struct ei_guest_list *list, const struct ei_graph_result *result)
{
    int64_t wait_ms = ((int64_t)FIRST_WAIT_MS << list->tries) + ei_random_below(FIRST_WAIT_MS);

    if (result->error.code == EI_THROTTLED)
        return true;
    if (ei_tenant_is_refusal(result) || ei_err_fault(result->error.code) != EI_FAULT_TRANSIENT ||
        ++list->tries == TRIES_MAX)
        return false;
    if (result->retry_after >= 0)
        wait_ms = result->retry_after * 1000;
    list->again_at_ms = ei_monotonic_ms() + wait_ms;
    return true;
}

static void on_page(void *context, const struct ei_graph_result *result, const struct ei_graph_page *page)
{
    static const struct ei_error none = {.code = EI_OK};
    struct ei_guest_list *list = context;
    bool refused = ei_tenant_is_refusal(result);

    list->asked = false;
    if (!refused)
        ei_tenant_note(list->worker, result, EI_CALL_READ);
    if (page == NULL) {
        if (!put_off(list, result))
            finish(list, &result->error, refused && !list->begun);
        return;
    }
    list->tries = 0;
    list->begun = true;
    if (!list->reader.page(list->reader.context, page))
        drop(list);
    else if (page->last)
        finish(list, &none, false);
}

enum ei_err ei_guest_list_start(struct ei_worker *w, const struct ei_graph_list_options *options,
                                const struct ei_guest_list_reader *reader, struct ei_guest_list **ret_list)
{
    struct ei_guest_list *list = calloc(1, sizeof *list);

    if (list == NULL)
        return EI_NOMEM;
    list->worker = w;
    list->reader = *reader;
    enum ei_err rc = ei_graph_list_new(w->graph, options, on_page, list, &list->pages);
    if (rc != EI_OK) {
        free(list);
        return rc;
    }
    list->next = w->guest_lists;
    w->guest_lists = list;
    *ret_list = list;
    return EI_OK;
}

void ei_guest_list_stop(struct ei_guest_list *list)
{
    drop(list);
}

/* --- in time --- */

static bool is_ready(const struct ei_guest_list *list)
{
    return !list->asked && (list->reader.ready == NULL || list->reader.ready(list->reader.context));
}

static int64_t wait_of(const struct ei_guest_list *list)
{
    int64_t hold_ms = 0;
    int64_t wait_ms = list->again_at_ms - ei_monotonic_ms();

    if (!is_ready(list)) /* an answer, or the reader, wakes the loop */
        return INT64_MAX;
    (void)ei_graph_may_send(list->worker->graph, 0, &hold_ms);
    if (wait_ms < hold_ms)
        wait_ms = hold_ms;
    return wait_ms > 0 ? wait_ms : 0;
}

static void ask(struct ei_guest_list *list)
{
    struct ei_error err = {0};
    enum ei_err rc = ei_graph_list_next(list->pages);

    list->asked = rc == EI_OK;
    if (list->asked)
        return;
    ei_fail(&err, rc, "the next page of users was not asked for");
    finish(list, &err, false);
}

void ei_guest_lists_run(struct ei_worker *w)
{
    struct ei_guest_list *next;

    for (struct ei_guest_list *list = w->guest_lists; list != NULL; list = next) {
        next = list->next;
        if (wait_of(list) == 0)
            ask(list);
    }
}

int64_t ei_guest_lists_wait_ms(const struct ei_worker *w)
{
    int64_t wait = INT64_MAX;

    for (const struct ei_guest_list *list = w->guest_lists; list != NULL; list = list->next) {
        int64_t of_this = wait_of(list);
        wait = of_this < wait ? of_this : wait;
    }
    return wait;
}

void ei_guest_lists_close(struct ei_worker *w)
{
    while (w->guest_lists != NULL)
        drop(w->guest_lists);
}

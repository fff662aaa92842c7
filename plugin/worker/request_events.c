/* Events: the history of one collaborator, in pages. */
#include "common/base/json.h"
#include "plugin/worker/history.h"
#include "plugin/worker/requests.h"

enum { EVENTS_MAX = 500 }; /* of one reply, which is bounded; an event has less than 2 KiB */

struct page {
    cJSON *events;
    int count;
    int64_t last;
    bool more;
};

static enum ei_err add(void *context, const struct ei_event *event)
{
    struct page *page = context;

    page->more = page->count == EVENTS_MAX;
    if (page->more)
        return EI_STATE; /* ends the walk */
    if (!ei_json_push(page->events, ei_history_event(event)))
        return EI_NOMEM;
    page->last = event->number;
    page->count++;
    return EI_OK;
}

static enum ei_err read_page(struct ei_worker *w, const char *target, int64_t after, struct page *page,
                             struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    enum ei_err rc = ei_request_find(w, target, &c, &login, err);

    if (rc != EI_OK)
        return rc;
    rc = ei_store_history(w->store, c->id, after, add, page, err);
    if (page->more)
        rc = EI_OK;
    else if (rc == EI_NOMEM)
        ei_fail(err, rc, "%s: no memory for the history", target);
    ei_collaborator_free(c);
    return rc;
}

void ei_request_events(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    cJSON *reply = cJSON_CreateObject();
    struct page page = {.events = cJSON_AddArrayToObject(reply, "events")};
    int64_t after = 0;
    struct ei_error err;
    enum ei_err rc = EI_OK;

    (void)ei_json_int(parameters, "after", &after);
    if (target == NULL)
        rc = ei_fail(&err, EI_USAGE, "Events: target is needed");
    if (rc == EI_OK)
        rc = read_page(w, target, after, &page, &err);
    if (rc != EI_OK) {
        cJSON_Delete(reply);
        ei_call_fail(call, &err);
        return;
    }
    if (page.more)
        cJSON_AddNumberToObject(reply, "next", (double)page.last);
    else
        cJSON_AddNullToObject(reply, "next");
    ei_call_reply(call, reply);
}

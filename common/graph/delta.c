/* Which users changed: GET /users/delta (contract 4.3). */
#include <stdlib.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/link.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"

enum { PAGES_MAX = 10000 };

/* $select limits what counts as a change. From now on: a link without the users that there are. */
static const char from_now[] = "/v1.0/users/delta?$select=externalUserState,accountEnabled,userType"
                               "&$deltatoken=latest";

struct changes {
    struct ei_graph *graph;
    ei_graph_changes_page *page;
    ei_graph_changes_done *done;
    void *context;
    struct ei_circle circle;
    unsigned pages;
};

static void finish(struct changes *changes, const struct ei_graph_result *result, const char *link)
{
    changes->done(changes->context, result, result->outcome == EI_GRAPH_DONE ? link : NULL);
    ei_circle_clear(&changes->circle);
    free(changes);
}

/* false when out of memory. What is no user is passed over: it cannot be a guest that is known. */
static bool hand_over(const struct changes *changes, const cJSON *value)
{
    const char **ids = calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof *ids);
    const cJSON *item;
    size_t count = 0;

    if (ids == NULL)
        return false;
    cJSON_ArrayForEach(item, value)
    {
        const char *id = ei_json_string(item, "id");
        if (id != NULL && ei_guid_valid(id))
            ids[count++] = id;
    }
    if (count != 0)
        changes->page(changes->context, ids, count);
    free(ids);
    return true;
}

static void on_page(void *context, struct ei_reply *reply);

/* true: the next page was asked for. */
static bool follow(struct changes *changes, const char *link, struct ei_reply *reply)
{
    struct ei_request_spec spec = {.method = EI_GET, .service = EI_SERVICE_GRAPH, .target = link};

    if (ei_circle_closed(&changes->circle, link) || ++changes->pages == PAGES_MAX) {
        ei_reply_bad(reply, "the changes have no end");
        return false;
    }
    if (ei_request_start(changes->graph, &spec, on_page, changes) == EI_OK)
        return true;
    reply->result->outcome = EI_GRAPH_NOT_SENT;
    ei_fail_again(&reply->result->error, EI_NOMEM, "the next page of changes was not asked for");
    return false;
}

static void on_page(void *context, struct ei_reply *reply)
{
    struct changes *changes = context;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    const cJSON *value = ei_json_array(json, "value");
    const char *next;
    const char *last;
    bool readable = ei_link_read(json, "@odata.nextLink", &next);
    readable = ei_link_read(json, "@odata.deltaLink", &last) && readable;
    const char *link = next != NULL ? next : last;
    bool goes_on = false;

    if (reply->result->outcome == EI_GRAPH_DONE) {
        if (value == NULL || link == NULL || !readable)
            ei_reply_bad(reply, "the answer is no list of changes");
        else if (!ei_link_on_root(link, changes->graph->graph_url))
            ei_reply_bad(reply, "its link leads away from the configured Graph root");
        else if (!hand_over(changes, value)) {
            reply->result->outcome = EI_GRAPH_UNCLEAR;
            ei_fail_again(&reply->result->error, EI_NOMEM, "no memory for the changes");
        } else if (next != NULL)
            goes_on = follow(changes, next, reply);
    }
    if (!goes_on)
        finish(changes, reply->result, last);
    ei_graph_json_free(json);
}

enum ei_err ei_graph_changes(struct ei_graph *graph, const char *link, ei_graph_changes_page *page,
                             ei_graph_changes_done *done, void *context)
{
    struct ei_request_spec spec = {.method = EI_GET, .service = EI_SERVICE_GRAPH, .target = from_now};
    struct changes *changes = calloc(1, sizeof *changes);

    if (changes == NULL)
        return EI_NOMEM;
    *changes = (struct changes){.graph = graph, .page = page, .done = done, .context = context};
    /* A link of another cloud or server, from before the configuration changed, gets no token of this one. */
    if (link != NULL && ei_link_on_root(link, graph->graph_url))
        spec.target = link;
    enum ei_err rc = ei_request_start(graph, &spec, on_page, changes);
    if (rc != EI_OK)
        free(changes);
    return rc;
}

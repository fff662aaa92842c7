#include "common/graph/pages.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/link.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"

struct walk {
    struct ei_graph *graph;
    ei_pages_done *done;
    void *context;
    struct ei_pages pages;
    char *links[EI_PAGES_MAX]; /* those that were followed */
    size_t link_count;
    size_t bytes;
};

void ei_pages_free(struct ei_pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        ei_graph_json_free(pages->page[i]);
    pages->count = 0;
}

static void walk_free(struct walk *walk)
{
    ei_pages_free(&walk->pages);
    for (size_t i = 0; i < walk->link_count; i++)
        free(walk->links[i]);
    free(walk);
}

static void finish(struct walk *walk, const struct ei_graph_result *result)
{
    if (result->outcome != EI_GRAPH_DONE)
        ei_pages_free(&walk->pages);
    walk->done(walk->context, result, &walk->pages);
    walk_free(walk);
}

/* NULL and the reply made bad if the link must not be followed; else the copy in walk->links. */
static const char *accept_link(struct walk *walk, const char *link, struct ei_reply *reply)
{
    if (!ei_link_on_root(link, walk->graph->graph_url)) {
        ei_reply_bad(reply, "its nextLink leads away from the configured Graph root");
        return NULL;
    }
    for (size_t i = 0; i < walk->link_count; i++) {
        if (strcmp(walk->links[i], link) == 0) {
            ei_reply_bad(reply, "its nextLink leads in a circle");
            return NULL;
        }
    }
    if (walk->pages.count == EI_PAGES_MAX || walk->bytes > EI_PAGES_BYTES_MAX) {
        ei_reply_bad(reply, "the collection has no end");
        return NULL;
    }
    char *copy = strdup(link);
    if (copy == NULL) {
        ei_fail_again(&reply->result->error, EI_NOMEM, "no memory for a collection");
        reply->result->outcome = EI_GRAPH_UNCLEAR;
        return NULL;
    }
    return walk->links[walk->link_count++] = copy;
}

static void on_page(void *context, struct ei_reply *reply)
{
    struct walk *walk = context;
    struct ei_request_spec spec = {.method = EI_GET, .service = EI_SERVICE_GRAPH};
    cJSON *page = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    const char *link;

    if (reply->result->outcome != EI_GRAPH_DONE)
        goto out;
    if (ei_json_array(page, "value") == NULL || !ei_link_read(page, "@odata.nextLink", &link)) {
        ei_reply_bad(reply, "the answer is no collection");
        goto out;
    }
    walk->bytes += reply->length;
    walk->pages.page[walk->pages.count++] = page;
    page = NULL; /* transferred */
    if (link == NULL)
        goto out;
    spec.target = accept_link(walk, link, reply);
    if (spec.target == NULL)
        goto out;
    enum ei_err rc = ei_request_start(walk->graph, &spec, on_page, walk);
    if (rc == EI_OK)
        return;
    reply->result->outcome = EI_GRAPH_NOT_SENT;
    ei_fail_again(&reply->result->error, rc == EI_NOMEM ? EI_NOMEM : EI_UNREACHABLE, "the next page was not asked for");
out:
    ei_graph_json_free(page);
    finish(walk, reply->result);
}

enum ei_err ei_pages_start(struct ei_graph *graph, const char *target, const char *crid, ei_pages_done *done,
                           void *context)
{
    struct walk *walk = calloc(1, sizeof *walk);

    if (walk == NULL)
        return EI_NOMEM;
    walk->graph = graph;
    walk->done = done;
    walk->context = context;
    struct ei_request_spec spec = {.method = EI_GET, .service = EI_SERVICE_GRAPH, .target = target, .crid = crid};
    enum ei_err rc = ei_request_start(graph, &spec, on_page, walk);
    if (rc != EI_OK)
        walk_free(walk);
    return rc;
}

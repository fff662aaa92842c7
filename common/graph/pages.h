/* A collection over all its pages: @odata.nextLink, followed on the configured Graph root only (contract 4.2). */
#ifndef EI_GRAPH_PAGES_H
#define EI_GRAPH_PAGES_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/graph/graph.h"

enum {
    EI_PAGES_MAX = 50,                     /* a longer collection is an error, not a part of the truth */
    EI_PAGES_BYTES_MAX = 16 * 1024 * 1024, /* of all pages together */
};

/* Every page has an array "value". Owner frees with ei_pages_free. */
struct ei_pages {
    cJSON *page[EI_PAGES_MAX];
    size_t count;
};

/* pages is empty unless result is DONE. The callee may take it over by a copy and emptying *pages. */
typedef void ei_pages_done(void *context, const struct ei_graph_result *result, struct ei_pages *pages);

/* target: "/v1.0/…". crid: of the first page (X7); those that follow get new ones. EI_OK: done will be called, as for
 * every request. */
enum ei_err ei_pages_start(struct ei_graph *graph, const char *target, const char *crid, ei_pages_done *done,
                           void *context);
void ei_pages_free(struct ei_pages *pages);

#endif

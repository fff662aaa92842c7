/* How often was asked, and what came of it, since the graph was made. */
#ifndef EI_GRAPH_COUNTS_H
#define EI_GRAPH_COUNTS_H

#include <stdint.h>

#include "common/base/error.h"

struct ei_graph;

enum ei_request_kind {
    EI_KIND_READ,     /* of Graph; each by itself, be it in a batch or not */
    EI_KIND_WRITE,    /* the same of POST, PATCH, DELETE */
    EI_KIND_BATCH,    /* the requests that carry others */
    EI_KIND_LOGIN,    /* of the login service: tokens, the tenant's metadata */
    EI_KIND_IDENTITY, /* of this machine's managed identity service */
    EI_REQUEST_KINDS
};

struct ei_graph_counts {
    uint64_t ended[EI_REQUEST_KINDS];                /* whatever came of it */
    uint64_t throttled[EI_REQUEST_KINDS];            /* answered 429 */
    uint64_t errors[EI_REQUEST_KINDS][EI_ERR_COUNT]; /* by code, those that failed */
};

/* Good as long as the graph is. */
const struct ei_graph_counts *ei_graph_counts(const struct ei_graph *graph);
const char *ei_request_kind_name(enum ei_request_kind kind);

/* Wall time at which the token ends; 0: there is none. */
int64_t ei_graph_token_expires(const struct ei_graph *graph);

#endif

#include "common/graph/counts.h"

#include "common/graph/request.h"

static enum ei_request_kind kind_of(const struct ei_request *request)
{
    switch (request->service) {
    case EI_SERVICE_LOGIN:
        return EI_KIND_LOGIN;
    case EI_SERVICE_IDENTITY:
        return EI_KIND_IDENTITY;
    case EI_SERVICE_GRAPH:
        break;
    }
    if (request->done == NULL)
        return EI_KIND_BATCH;
    return request->method == EI_GET ? EI_KIND_READ : EI_KIND_WRITE;
}

void ei_request_count(const struct ei_request *request)
{
    struct ei_graph_counts *counts = &request->graph->counts;
    enum ei_request_kind kind = kind_of(request);

    counts->ended[kind]++;
    if (request->result.status == 429)
        counts->throttled[kind]++;
    if (request->result.error.code != EI_OK)
        counts->errors[kind][request->result.error.code]++;
}

const struct ei_graph_counts *ei_graph_counts(const struct ei_graph *graph)
{
    return &graph->counts;
}

const char *ei_request_kind_name(enum ei_request_kind kind)
{
    static const char *const names[] = {
        [EI_KIND_READ] = "read",   [EI_KIND_WRITE] = "write",       [EI_KIND_BATCH] = "batch",
        [EI_KIND_LOGIN] = "login", [EI_KIND_IDENTITY] = "identity",
    };
    return names[kind];
}

int64_t ei_graph_token_expires(const struct ei_graph *graph)
{
    return graph->token.value.length != 0 ? graph->token.expires_at : 0;
}

#include "common/graph/request.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/graph/link.h"

void ei_request_free(struct ei_request *request)
{
    ei_http_land(request);
    ei_buffer_free(&request->body);
    ei_buffer_free(&request->answer);
    free(request->url);
    free(request);
}

void ei_request_forget_headers(struct ei_request *request)
{
    request->retry_after[0] = request->date[0] = request->request_id[0] = '\0';
    request->answered_id[0] = request->challenge[0] = '\0';
}

static struct ei_request *request_new(struct ei_graph *graph, ei_request_done *done, void *context)
{
    struct ei_request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->graph = graph;
    request->done = done;
    request->context = context;
    request->serial_at_start = ei_token_usable(graph) ? graph->token.serial : 0;
    ei_buffer_init(&request->body, EI_BODY_MAX);
    ei_buffer_init(&request->answer, EI_ANSWER_MAX);
    TAILQ_INIT(&request->inner);
    return request;
}

void ei_queue_remove(struct ei_graph *graph, struct ei_request *request)
{
    TAILQ_REMOVE(&graph->queue, request, link);
    graph->queued--;
}

void ei_queue_first(struct ei_graph *graph, struct ei_request *request)
{
    TAILQ_INSERT_HEAD(&graph->queue, request, link);
    graph->queued++;
}

static void queue_last(struct ei_graph *graph, struct ei_request *request)
{
    TAILQ_INSERT_TAIL(&graph->queue, request, link);
    graph->queued++;
}

void ei_request_end(struct ei_request *request)
{
    TAILQ_INSERT_TAIL(&request->graph->ended, request, link);
}

void ei_request_end_unsent(struct ei_request *request, const struct ei_error *err)
{
    request->result =
        (struct ei_graph_result){.outcome = EI_GRAPH_NOT_SENT, .error = *err, .retry_after = -1, .status = 0};
    ei_request_end(request);
}

static char *join_url(const struct ei_graph *graph, enum ei_service service, const char *target)
{
    const char *root = service == EI_SERVICE_LOGIN ? graph->login_url : graph->graph_url;
    struct ei_buffer url;

    if (target[0] != '/')
        return strdup(target);
    ei_buffer_init(&url, EI_LINK_MAX);
    if (!ei_buffer_append_text(&url, root) || !ei_buffer_append_text(&url, target)) {
        ei_buffer_free(&url);
        return NULL;
    }
    return url.data;
}

enum ei_err ei_request_start(struct ei_graph *graph, const struct ei_request_spec *spec, ei_request_done *done,
                             void *context)
{
    if (graph->closing)
        return EI_BUSY;
    struct ei_request *request = request_new(graph, done, context);
    if (request == NULL)
        return EI_NOMEM;
    request->method = spec->method;
    request->service = spec->service;
    request->about = spec->about;
    request->mail = spec->mail;
    request->inspect = spec->inspect;
    request->alone = spec->alone || spec->eventual; /* an inner request's headers have no room for it */
    request->eventual = spec->eventual;
    if (request->alone)
        request->answer.limit = EI_BODY_MAX;
    request->url = join_url(graph, spec->service, spec->target);
    ei_graph_request_id(request->crid, spec->crid);
    if (request->crid[0] == '\0')
        ei_guid_new(request->crid);
    if (request->url == NULL || (spec->body != NULL && !ei_buffer_append_text(&request->body, spec->body))) {
        ei_request_free(request);
        return EI_NOMEM;
    }
    if (spec->headers != NULL) {
        request->headers = *spec->headers;
        *spec->headers = NULL;
    }
    graph->active++;
    if (spec->method != EI_GET && spec->service == EI_SERVICE_GRAPH)
        ei_pace_take(&graph->pace, 1, ei_monotonic_ms());
    if (spec->service != EI_SERVICE_GRAPH)
        ei_queue_first(graph, request);
    else
        queue_last(graph, request);
    return EI_OK;
}

struct ei_request *ei_request_carrier(struct ei_graph *graph, const char *target)
{
    struct ei_request *carrier = request_new(graph, NULL, NULL);

    if (carrier == NULL)
        return NULL;
    carrier->method = EI_POST;
    carrier->url = join_url(graph, EI_SERVICE_GRAPH, target);
    ei_guid_new(carrier->crid);
    if (carrier->url != NULL)
        return carrier;
    ei_request_free(carrier);
    return NULL;
}

enum ei_err ei_request_start_failed(struct ei_graph *graph, const struct ei_error *err, ei_request_done *done,
                                    void *context)
{
    if (graph->closing)
        return EI_BUSY;
    struct ei_request *request = request_new(graph, done, context);
    if (request == NULL)
        return EI_NOMEM;
    graph->active++;
    ei_request_end_unsent(request, err);
    return EI_OK;
}

void ei_graph_fail_waiting(struct ei_graph *graph, const struct ei_graph_result *why)
{
    struct ei_request *request = TAILQ_FIRST(&graph->queue);

    while (request != NULL) {
        struct ei_request *next = TAILQ_NEXT(request, link);
        if (request->service == EI_SERVICE_GRAPH) {
            ei_queue_remove(graph, request);
            ei_request_end_unsent(request, &why->error);
            request->result.retry_after = why->retry_after;
        }
        request = next;
    }
}

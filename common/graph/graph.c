#include "common/graph/graph.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/graph/batch.h"
#include "common/graph/credential_type.h"
#include "common/graph/errors.h"
#include "common/graph/link.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"
#include "common/graph/retry.h"

enum {
    DEFAULT_CONNECTIONS = 32,
    DEFAULT_TIMEOUT_MS = 60 * 1000,
    TENANT_MAX = 253,
    CLIENT_ID_MAX = 128,
    DRAIN_MS = 2000
};

static bool may_lack_client_id(const struct ei_graph_options *options)
{
    return options->credential != NULL && options->credential->type->without_client_id;
}

/* The tenant becomes part of a URL's path; the shared authorities would give a token of no tenant (contract 1.1). */
static enum ei_err check_options(const struct ei_graph_options *options, struct ei_error *err)
{
    static const char *const shared[] = {"common", "organizations", "consumers"};
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *tenant = options->tenant != NULL ? options->tenant : "";
    const char *client_id = options->client_id != NULL ? options->client_id : "";
    size_t length = strlen(tenant);

    if (length == 0 || length > TENANT_MAX || strspn(tenant, allowed) != length || !isalnum((unsigned char)tenant[0]))
        return ei_fail(err, EI_CONFIG, "tenant: \"%.200s\" is neither a domain name nor an id", tenant);
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (strcasecmp(tenant, shared[i]) == 0)
            return ei_fail(err, EI_CONFIG, "tenant: \"%s\" names no tenant", tenant);
    length = strlen(client_id);
    if ((length == 0 && !may_lack_client_id(options)) || length > CLIENT_ID_MAX || strspn(client_id, allowed) != length)
        return ei_fail(err, EI_CONFIG, "client_id: \"%.200s\" is not an application's id", client_id);
    enum ei_err rc = ei_link_check_root("login_url", options->login_url, err);
    return rc != EI_OK ? rc : ei_link_check_root("graph_url", options->graph_url, err);
}

static bool copy(char **to, const char *from)
{
    *to = strdup(from);
    return *to != NULL;
}

static bool open_curl(struct ei_graph *graph)
{
    bool opened = ei_multi_open(&graph->multi);

    graph->share = curl_share_init();
    /* TLS sessions are kept over connections, so that the fresh one of each mail POST (X6) is cheaper. */
    return opened && graph->share != NULL &&
           curl_share_setopt(graph->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

enum ei_err ei_graph_new(const struct ei_graph_options *options, struct ei_graph **ret_graph, struct ei_error *err)
{
    enum ei_err rc = check_options(options, err);
    if (rc != EI_OK)
        return rc;
    if (!ei_graph_memory_init())
        return ei_fail(err, EI_NOMEM, "libcurl could not be initialised");
    struct ei_graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) {
        curl_global_cleanup();
        return ei_fail(err, EI_NOMEM, "no memory for the connection to Microsoft Graph");
    }
    TAILQ_INIT(&graph->queue);
    TAILQ_INIT(&graph->flying);
    TAILQ_INIT(&graph->ended);
    graph->credential = options->credential;
    graph->connections = options->connections > 0 ? (size_t)options->connections : DEFAULT_CONNECTIONS;
    graph->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    ei_pace_init(&graph->pace, EI_PACE_WRITES, EI_PACE_PERIOD_MS, ei_monotonic_ms());
    if (!copy(&graph->tenant, options->tenant) || !copy(&graph->client_id, options->client_id) ||
        !copy(&graph->login_url, options->login_url) || !copy(&graph->graph_url, options->graph_url) ||
        (options->ca_file != NULL && !copy(&graph->ca_file, options->ca_file)) || !open_curl(graph)) {
        ei_graph_free(graph);
        return ei_fail(err, EI_NOMEM, "no memory for the connection to Microsoft Graph");
    }
    *ret_graph = graph;
    return EI_OK;
}

/* --- hold and pace --- */

static int64_t hold_left_ms(const struct ei_graph *graph)
{
    int64_t left = graph->hold_until_ms - ei_monotonic_ms();
    return left > 0 ? left : 0;
}

/* until: the end as it is stored; what was stored must come back unchanged, or each restart would hold for longer. */
static void hold_for(struct ei_graph *graph, int64_t left_ms, int64_t until)
{
    int64_t until_ms = ei_monotonic_ms() + left_ms;

    if (until_ms <= graph->hold_until_ms)
        return;
    graph->hold_until_ms = until_ms;
    graph->hold_until = until;
}

/* With jitter, lest all hosts of a fleet come back at one instant. */
void ei_graph_hold(struct ei_graph *graph, int64_t seconds)
{
    int64_t left_ms = seconds * 1000 + 20 + ei_random_below(1000);

    hold_for(graph, left_ms, ei_now() + left_ms / 1000 + 1);
}

void ei_graph_set_hold(struct ei_graph *graph, int64_t until)
{
    int64_t now = ei_now();

    /* A clock that was wrong when it was stored must not hold for years (X8). */
    if (until > now + EI_RETRY_CAP)
        until = now + EI_RETRY_CAP;
    if (until > now)
        hold_for(graph, (until - now) * 1000, until);
}

int64_t ei_graph_hold_until(const struct ei_graph *graph)
{
    return hold_left_ms(graph) != 0 ? graph->hold_until : 0;
}

bool ei_graph_may_send(struct ei_graph *graph, unsigned writes, int64_t *ret_wait_ms)
{
    int64_t hold = hold_left_ms(graph);
    int64_t pace = ei_pace_wait_ms(&graph->pace, writes, ei_monotonic_ms());

    *ret_wait_ms = hold > pace ? hold : pace;
    return *ret_wait_ms == 0;
}

void ei_graph_drop_token(struct ei_graph *graph)
{
    ei_token_drop(graph);
    memset(graph->list_form, 0, sizeof graph->list_form);
    graph->own_name_refused = false;
}

/* --- progress --- */

static bool needs_token(const struct ei_request *request)
{
    return request->service == EI_SERVICE_GRAPH;
}

/* A 503 wants a new connection. Those that are open can be closed only when nothing flies on them, so what comes next
 * waits a little for that: else each would open one of its own. ms, 0: no waiting. */
static int64_t drain_left_ms(const struct ei_graph *graph)
{
    int64_t left = graph->drain_until_ms - ei_monotonic_ms();

    return graph->new_connections && graph->flying_count != 0 && left > 0 ? left : 0;
}

void ei_graph_renew_connections(struct ei_graph *graph)
{
    if (!graph->new_connections)
        graph->drain_until_ms = ei_monotonic_ms() + DRAIN_MS;
    graph->new_connections = true;
}

static void renew_connections(struct ei_graph *graph)
{
    if (graph->new_connections && graph->flying_count == 0 && ei_multi_renew(&graph->multi))
        graph->new_connections = false;
}

static void refuse_under_hold(struct ei_graph *graph, struct ei_request *request)
{
    struct ei_error err = {0};

    ei_fail(&err, EI_THROTTLED, "not sent: Microsoft Graph asked to wait");
    ei_request_end_unsent(request, &err);
    request->result.retry_after = hold_left_ms(graph) / 1000 + 1;
}

/* In no list; a carrier that cannot fly lets what it carries go with the same result. */
static void launch(struct ei_graph *graph, struct ei_request *request)
{
    struct ei_error err = {0};

    renew_connections(graph);
    request->serial_used = graph->token.serial;
    if (ei_http_launch(request)) {
        TAILQ_INSERT_TAIL(&graph->flying, request, link);
        graph->flying_count++;
        return;
    }
    ei_fail(&err, EI_NOMEM, "no memory for a request");
    if (request->done != NULL) {
        ei_request_end_unsent(request, &err);
        return;
    }
    request->result = (struct ei_graph_result){.outcome = EI_GRAPH_NOT_SENT, .error = err, .retry_after = -1};
    ei_batch_land(graph, request);
    ei_request_free(request);
}

static void launch_next(struct ei_graph *graph, bool together)
{
    struct ei_request *head = TAILQ_FIRST(&graph->queue);
    bool held = head->service == EI_SERVICE_GRAPH && hold_left_ms(graph) != 0;
    struct ei_request *carrier = held || !together ? NULL : ei_batch_take(graph);

    if (carrier != NULL) {
        launch(graph, carrier);
        return;
    }
    head = TAILQ_FIRST(&graph->queue);
    ei_queue_remove(graph, head);
    if (held)
        refuse_under_hold(graph, head);
    else
        launch(graph, head);
}

/* The head of the queue can go on: it can be sent, or end, or have its token asked for. */
static bool runnable(const struct ei_graph *graph)
{
    const struct ei_request *head = TAILQ_FIRST(&graph->queue);

    if (head == NULL || graph->flying_count >= graph->connections || drain_left_ms(graph) != 0)
        return false;
    return !needs_token(head) || !graph->token.fetching || hold_left_ms(graph) != 0;
}

static void pump(struct ei_graph *graph)
{
    bool together = ei_batch_wanted(graph);

    while (runnable(graph)) {
        struct ei_request *head = TAILQ_FIRST(&graph->queue);
        struct ei_graph_result why = {.outcome = EI_GRAPH_NOT_SENT, .retry_after = -1};
        if (!needs_token(head) || ei_token_usable(graph) || hold_left_ms(graph) != 0)
            launch_next(graph, together);
        else if (ei_token_fetch(graph, &why.error) != EI_OK)
            ei_graph_fail_waiting(graph, &why);
    }
}

/* The token that was refused may have been revoked or have expired early: it was not fetched for this very request, or
 * Graph has taken it from others, or it is the first that is refused. Only so often, for a service that never takes any
 * for this kind of request would be asked for ever. */
static bool was_good(struct ei_graph *graph, const struct ei_request *request)
{
    struct ei_token *token = &graph->token;

    if (request->serial_used == 0)
        return false;
    if (request->serial_used == request->serial_at_start)
        return true;
    bool first = token->doubts == 0 && request->repeats == 0;
    if (first || (request->serial_used <= token->taken_serial && token->doubts < EI_DOUBTS_MAX)) {
        token->doubts++;
        return true;
    }
    return false;
}

static void drop_refused(struct ei_graph *graph, const struct ei_request *request)
{
    if (graph->token.serial == request->serial_used &&
        graph->token.value.length != 0) /* else a new one is on its way */
        ei_token_drop(graph);
}

/* A write that is repeated is another attempt with another client-request-id (X7), so that is its caller's to begin. */
static void leave_to_caller(struct ei_request *request)
{
    struct ei_error refused = request->result.error;

    ei_fail_again(&request->result.error, EI_TOKEN_TRANSIENT, "%s; once more with a new token", refused.message);
    request->result.retry_after = request->serial_used == request->serial_at_start ? 0 : -1;
}

static void note_taken(struct ei_graph *graph, const struct ei_request *request)
{
    if (request->serial_used > graph->token.taken_serial)
        graph->token.taken_serial = request->serial_used;
    if (request->method != EI_GET || request->repeats != 0 || graph->token.doubts < 2)
        graph->token.doubts = 0;
}

/* It was the token that was refused, plainly or by a challenge: what a policy refuses of one token it may not of the
 * next. */
static bool token_refused(const struct ei_graph_result *result)
{
    return result->status == 401 &&
           (result->error.code == EI_UNAUTHORIZED || result->error.code == EI_CONDITIONAL_ACCESS);
}

/* A complete 401 had no effect: once more with a new token. */
static bool repeat_unauthorized(struct ei_graph *graph, struct ei_request *request)
{
    if (!token_refused(&request->result) || graph->closing)
        return false;
    bool good = was_good(graph, request);
    if (good || request->serial_used > graph->token.taken_serial) /* what others are let in with is kept */
        drop_refused(graph, request);
    if (!good)
        return false;
    if (request->method != EI_GET || request->repeats == EI_REPEATS_MAX) {
        leave_to_caller(request);
        return false;
    }
    request->repeats++;
    ei_buffer_free(&request->answer);
    request->header_bytes = 0;
    ei_request_forget_headers(request);
    ei_guid_new(request->crid);
    ei_queue_first(graph, request);
    return true;
}

void ei_request_landed(struct ei_graph *graph, struct ei_request *request)
{
    if (request->result.outcome == EI_GRAPH_DONE && request->service == EI_SERVICE_GRAPH)
        note_taken(graph, request);
    if (!repeat_unauthorized(graph, request))
        ei_request_end(request);
}

static void land(struct ei_graph *graph, struct ei_request *request, CURLcode code)
{
    TAILQ_REMOVE(&graph->flying, request, link);
    graph->flying_count--;
    ei_outcome_read(request, code);
    ei_http_land(request);
    if (request->done != NULL) {
        ei_request_landed(graph, request);
        return;
    }
    ei_batch_land(graph, request);
    ei_request_free(request);
}

static void collect(struct ei_graph *graph)
{
    CURLMsg *message;

    while ((message = ei_multi_ended(&graph->multi)) != NULL) {
        struct ei_request *request = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request) == CURLE_OK)
            land(graph, request, message->data.result);
    }
}

/* What a callback starts is in the queue afterwards, or in ended for the next round. */
static void deliver(struct ei_graph *graph)
{
    struct ei_request_list due = TAILQ_HEAD_INITIALIZER(due);
    struct ei_request *request;

    TAILQ_CONCAT(&due, &graph->ended, link);
    while ((request = TAILQ_FIRST(&due)) != NULL) {
        TAILQ_REMOVE(&due, request, link);
        struct ei_reply reply = {.result = &request->result, .challenge = request->challenge};
        if (request->result.outcome == EI_GRAPH_DONE) {
            reply.body = request->answer.data != NULL ? request->answer.data : "";
            reply.length = request->answer.length;
        }
        graph->delivered = request;
        request->done(request->context, &reply);
        graph->delivered = NULL;
        graph->active--;
        ei_request_free(request);
    }
}

void ei_graph_dispatch(struct ei_graph *graph)
{
    pump(graph);
    ei_multi_perform(&graph->multi);
    collect(graph);
    deliver(graph);
    if (runnable(graph)) {
        pump(graph);
        ei_multi_perform(&graph->multi);
        collect(graph); /* what failed at once would not wake ei_graph_wait */
    }
}

enum ei_err ei_graph_wait(struct ei_graph *graph, const struct curl_waitfd *extra, unsigned count, int timeout_ms)
{
    int64_t drain_ms = drain_left_ms(graph);

    if (!TAILQ_EMPTY(&graph->ended) || runnable(graph))
        timeout_ms = 0;
    else if (drain_ms != 0 && !TAILQ_EMPTY(&graph->queue) && drain_ms < timeout_ms)
        timeout_ms = (int)drain_ms;
    CURLMcode code = ei_multi_wait(&graph->multi, extra, count, timeout_ms);
    if (code == CURLM_OK)
        return EI_OK;
    return code == CURLM_OUT_OF_MEMORY ? EI_NOMEM : EI_IO;
}

const struct ei_error *ei_graph_answered(const struct ei_graph *graph)
{
    return graph->delivered != NULL ? &graph->delivered->result.error : NULL;
}

size_t ei_graph_active(const struct ei_graph *graph)
{
    return graph->active;
}

static void end_all(struct ei_graph *graph)
{
    struct ei_request *request;
    struct ei_error err;

    ei_fail(&err, EI_UNREACHABLE, "not sent: this program ends");
    while ((request = TAILQ_FIRST(&graph->flying)) != NULL)
        land(graph, request, CURLE_ABORTED_BY_CALLBACK);
    while ((request = TAILQ_FIRST(&graph->queue)) != NULL) {
        ei_queue_remove(graph, request);
        ei_request_end_unsent(request, &err);
    }
    while (!TAILQ_EMPTY(&graph->ended))
        deliver(graph);
}

void ei_graph_free(struct ei_graph *graph)
{
    if (graph == NULL)
        return;
    graph->closing = true;
    end_all(graph);
    ei_token_drop(graph);
    ei_multi_close(&graph->multi);
    curl_share_cleanup(graph->share);
    curl_global_cleanup();
    free(graph->tenant);
    free(graph->client_id);
    free(graph->login_url);
    free(graph->graph_url);
    free(graph->ca_file);
    for (size_t i = 0; i < EI_GUEST_DOMAINS; i++)
        free(graph->guest_domains[i]);
    free(graph);
}

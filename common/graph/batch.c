#include "common/graph/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/graph/memory.h"

static const char version_root[] = "/v1.0";

/* --- going out --- */

/* The URL relative to the version's root, as an inner request has it; NULL where there is none. */
static const char *relative_url(const struct ei_request *request)
{
    size_t root = strlen(request->graph->graph_url);

    if (strncmp(request->url, request->graph->graph_url, root) != 0 ||
        strncmp(request->url + root, version_root, strlen(version_root)) != 0)
        return NULL;
    const char *rest = request->url + root + strlen(version_root);
    return *rest == '/' ? rest : NULL;
}

/* A mail has a connection of its own (X6); what came back from a batch, or follows a 401, goes by itself. */
static bool can_join(const struct ei_request *request)
{
    return request->service == EI_SERVICE_GRAPH && !request->mail && !request->alone && request->repeats == 0 &&
           relative_url(request) != NULL;
}

/* Strings are never printed by hand: an address holds whatever its owner chose. */
static bool add_part(cJSON *list, const struct ei_request *request, size_t number)
{
    char id[16];
    cJSON *part = cJSON_CreateObject();

    if (!ei_json_push(list, part))
        return false;
    snprintf(id, sizeof id, "%zu", number);
    cJSON *headers = cJSON_AddObjectToObject(part, "headers");
    bool added = headers != NULL && ei_json_add_text(headers, "client-request-id", request->crid) &&
                 ei_json_add_text(part, "id", id) &&
                 ei_json_add_text(part, "method", ei_method_name(request->method)) &&
                 ei_json_add_text(part, "url", relative_url(request));
    if (added && request->body.data != NULL)
        added = ei_json_add_text(headers, "Content-Type", "application/json") &&
                cJSON_AddRawToObject(part, "body", request->body.data) != NULL;
    return added;
}

static bool write_body(struct ei_request *carrier)
{
    const struct ei_request *request;
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "requests");
    bool written = list != NULL;
    size_t number = 0;

    TAILQ_FOREACH(request, &carrier->inner, link)
    written = written && add_part(list, request, ++number);
    written = written && ei_json_append(&carrier->body, body);
    cJSON_Delete(body);
    return written;
}

static size_t size_of_part(const struct ei_request *request)
{
    enum { AROUND = 256 }; /* the names, the ids and the punctuation of one part */
    return strlen(request->url) + request->body.length + AROUND;
}

/* Moves what can go together from the queue to the carrier, in order. */
static void collect(struct ei_graph *graph, struct ei_request *carrier)
{
    struct ei_request *request = TAILQ_FIRST(&graph->queue);
    size_t bytes = 0;

    while (request != NULL && carrier->inner_count < EI_BATCH_MAX) {
        struct ei_request *next = TAILQ_NEXT(request, link);
        if (can_join(request)) {
            bytes += size_of_part(request);
            if (bytes > EI_BATCH_BYTES_MAX)
                return;
            ei_queue_remove(graph, request);
            TAILQ_INSERT_TAIL(&carrier->inner, request, link);
            carrier->inner_count++;
            request->serial_used = graph->token.serial;
        }
        request = next;
    }
}

/* Puts what is left in the carrier back to the head of the queue, in order, to be sent one by one. */
static void send_alone(struct ei_graph *graph, struct ei_request *carrier)
{
    struct ei_request *request;

    while ((request = TAILQ_LAST(&carrier->inner, ei_request_list)) != NULL) {
        TAILQ_REMOVE(&carrier->inner, request, link);
        carrier->inner_count--;
        request->alone = true;
        ei_queue_first(graph, request);
    }
}

bool ei_batch_wanted(const struct ei_graph *graph)
{
    return graph->queued > graph->connections - graph->flying_count && ei_monotonic_ms() >= graph->batch_again_ms;
}

struct ei_request *ei_batch_take(struct ei_graph *graph)
{
    if (!can_join(TAILQ_FIRST(&graph->queue)))
        return NULL;
    struct ei_request *carrier = ei_request_carrier(graph, "/v1.0/$batch");
    if (carrier == NULL)
        return NULL;
    collect(graph, carrier);
    if (carrier->inner_count >= 2 && write_body(carrier))
        return carrier;
    send_alone(graph, carrier);
    ei_request_free(carrier);
    return NULL;
}

/* --- coming back --- */

static void stop_batching(struct ei_graph *graph, const struct ei_error *why)
{
    ei_log(LOG_WARNING, "requests go one by one for an hour, $batch does not work here: %s", why->message);
    graph->batch_again_ms = ei_monotonic_ms() + EI_BATCH_PAUSE_MS;
}

/* A complete refusal of $batch as such: none of the parts was looked at. 401 and 429 are about every request. */
static bool is_refusal(long status)
{
    return (status >= 400 && status <= 499 && status != 401 && status != 408 && status != 429) || status == 501;
}

static void copy_header(const cJSON *headers, const char *name, char value[EI_HEADER_VALUE_MAX])
{
    const cJSON *item;

    value[0] = '\0';
    cJSON_ArrayForEach(item, headers)
    {
        const char *text = cJSON_GetStringValue(item);
        if (strcasecmp(item->string, name) != 0)
            continue;
        if (text != NULL && strlen(text) < EI_HEADER_VALUE_MAX)
            memcpy(value, text, strlen(text) + 1);
        else if (cJSON_IsNumber(item))
            snprintf(value, EI_HEADER_VALUE_MAX, "%g", item->valuedouble);
    }
}

/* false if the part makes no sense. The body of an answer that is no JSON comes as a base64 text, and stays as good as
 * none. */
static bool read_part(struct ei_request *request, const struct ei_request *carrier, const cJSON *part)
{
    int64_t status = 0;
    const cJSON *headers = ei_json_object(part, "headers");
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(part, "body");

    if (!ei_json_int(part, "status", &status) || status < 100 || status > 599)
        return false;
    if ((cJSON_IsObject(body) || cJSON_IsArray(body)) && !ei_json_append(&request->answer, body))
        return false;
    copy_header(headers, "Retry-After", request->retry_after);
    copy_header(headers, "Date", request->date);
    copy_header(headers, "request-id", request->request_id);
    if (request->date[0] == '\0')
        memcpy(request->date, carrier->date, sizeof request->date);
    if (request->request_id[0] == '\0')
        memcpy(request->request_id, carrier->request_id, sizeof request->request_id);
    ei_outcome_answered(request, (long)status, NULL);
    return true;
}

/* The part with this id; ids are compared as they were given out. */
static const cJSON *find_part(const cJSON *responses, size_t number)
{
    char id[16];
    const cJSON *part;

    snprintf(id, sizeof id, "%zu", number);
    cJSON_ArrayForEach(part, responses)
    {
        const char *given = ei_json_string(part, "id");
        if (ei_text_same(given, id))
            return part;
    }
    return NULL;
}

/* As the transfer ended, so did each part; but a read has no effect that could be unclear. */
static void share(struct ei_request *request, const struct ei_request *carrier)
{
    struct ei_graph_result result = carrier->result;

    if (request->method == EI_GET && result.error.code == EI_GRAPH_AMBIGUOUS)
        result.error.code = EI_UNREACHABLE;
    ei_outcome_shared(request, &result);
}

static void hand_out(struct ei_graph *graph, struct ei_request *carrier, const cJSON *responses)
{
    struct ei_request *request;
    size_t number = 0;

    while ((request = TAILQ_FIRST(&carrier->inner)) != NULL) {
        TAILQ_REMOVE(&carrier->inner, request, link);
        carrier->inner_count--;
        const cJSON *part = find_part(responses, ++number);
        if (responses == NULL || part == NULL || !read_part(request, carrier, part))
            share(request, carrier);
        ei_request_landed(graph, request);
    }
}

/* The older pages have 424 for the whole where a part was throttled; its parts are read all the same. */
static cJSON *parse(const struct ei_request *carrier)
{
    if (carrier->result.outcome != EI_GRAPH_DONE && carrier->result.status != 424)
        return NULL;
    return ei_json_parse(carrier->answer.data, carrier->answer.length);
}

void ei_batch_land(struct ei_graph *graph, struct ei_request *carrier)
{
    cJSON *json = parse(carrier);
    const cJSON *responses = ei_json_array(json, "responses");
    struct ei_reply reply = {.result = &carrier->result};

    if (responses == NULL && is_refusal(carrier->result.status) && !graph->closing) {
        stop_batching(graph, &carrier->result.error);
        send_alone(graph, carrier);
    } else {
        /* What the answer leaves out, or all of it, may have had its effect. */
        if (carrier->result.outcome == EI_GRAPH_DONE || responses != NULL)
            ei_reply_bad(&reply,
                         responses != NULL ? "the batch's answer leaves a part out" : "it is no batch's answer");
        if (responses == NULL && carrier->result.error.code == EI_GRAPH_ANSWER)
            stop_batching(graph, &carrier->result.error);
        hand_out(graph, carrier, responses);
    }
    ei_graph_json_free(json);
}

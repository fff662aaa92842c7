#include "tests/fuzz/graph_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/graph/batch.h"
#include "common/graph/credential_type.h"
#include "common/graph/memory.h"
#include "common/graph/retry.h"
#include "tests/fuzz/fuzz.h"

static enum ei_err ask(struct ei_credential *credential, const struct ei_token_app *app,
                       struct ei_token_request *request, struct ei_error *err)
{
    (void)credential;
    return ei_token_form_begin(request, app, "client_credentials", err);
}

static const struct ei_credential_ops asking = {.name = "secret", .request = ask};
static struct ei_credential credential = {.type = &asking};

struct ei_graph *ei_world_new(void)
{
    static bool initialised;
    static const struct ei_graph_options options = {
        .tenant = "contoso.onmicrosoft.com",
        .client_id = "00000000-1111-2222-3333-444444444444",
        .login_url = EI_WORLD_LOGIN,
        .graph_url = EI_WORLD_ROOT,
        .credential = &credential,
    };
    struct ei_graph *graph = NULL;
    struct ei_error err;

    if (!initialised)
        EI_MUST(ei_graph_memory_init()); /* kept, lest each graph initialises libcurl anew */
    initialised = true;
    ei_fuzz_stop_clock();
    EI_MUST(ei_graph_new(&options, &graph, &err) == EI_OK);
    graph->connections = 0; /* nothing ever flies */
    EI_MUST(ei_secret_new(&graph->token.value, strlen(EI_WORLD_TOKEN)) == EI_OK);
    memcpy(graph->token.value.data, EI_WORLD_TOKEN, sizeof EI_WORLD_TOKEN);
    graph->token.value.length = strlen(EI_WORLD_TOKEN);
    graph->token.serial = 1;
    graph->token.renew_ms = EI_FUZZ_NOW_MS + 3600 * 1000;
    graph->token.expires_at = graph->token.renew_at = EI_FUZZ_NOW + 3600;
    return graph;
}

/* The host of a URL, without a port that means 443 (none may stand behind the colon, RFC 3986, 3.2.3), as libcurl takes
 * it: any number of slashes before it, and %XX for a character. */
static bool plain_host(const char *url, char *host, size_t size)
{
    static const char scheme[] = "https:/";
    size_t length = 0;
    unsigned code;

    if (strncasecmp(url, scheme, strlen(scheme)) != 0)
        return false;
    url += strlen(scheme);
    for (url += strspn(url, "/"); *url != '\0' && strchr("/?#", *url) == NULL && length + 1 < size; length++) {
        bool encoded = sscanf(url, "%%%2x", &code) == 1;
        host[length] = encoded ? (char)code : *url;
        url += encoded ? 3 : 1;
    }
    host[length] = '\0';
    char *port = strchr(host, ':');
    if (port != NULL &&
        (port[1] == '\0' || (strspn(port + 1, "0123456789") == strlen(port + 1) && atoi(port + 1) == 443)))
        *port = '\0';
    return strpbrk(host, "@\\:%") == NULL;
}

static void judge_url(const struct ei_request *request)
{
    const char *root = request->service == EI_SERVICE_LOGIN ? EI_WORLD_LOGIN : EI_WORLD_ROOT;
    char host[256];

    EI_MUST(plain_host(request->url, host, sizeof host));
    EI_MUST(strcasecmp(host, root + strlen("https://")) == 0);
    for (const char *c = request->url; *c != '\0'; c++)
        EI_MUST(*c > ' ' && *c < 0x7f);
}

struct ei_request *ei_world_next(struct ei_graph *graph, bool together)
{
    struct ei_request *request = TAILQ_FIRST(&graph->queue);

    if (request == NULL)
        return NULL;
    struct ei_request *carrier = together ? ei_batch_take(graph) : NULL;
    if (carrier != NULL) {
        EI_MUST(carrier->inner_count >= 2 && carrier->inner_count <= EI_BATCH_MAX);
        request = carrier;
    } else {
        request = TAILQ_FIRST(&graph->queue);
        ei_queue_remove(graph, request);
    }
    request->serial_used = graph->token.serial;
    if (request->service != EI_SERVICE_IDENTITY)
        judge_url(request);
    return request;
}

void ei_world_answer(struct ei_request *request, long status, const char *body, size_t length, const char *location)
{
    struct ei_graph *graph = request->graph;
    bool of_tenant = request->service != EI_SERVICE_IDENTITY;

    EI_MUST(ei_buffer_append(&request->answer, body, length));
    ei_outcome_answered(request, status, location);
    if (request->done != NULL) {
        ei_request_landed(graph, request);
    } else {
        ei_batch_land(graph, request);
        EI_MUST(request->inner_count == 0);
        ei_request_free(request);
    }
    ei_graph_dispatch(graph);
    int64_t hold = ei_graph_hold_until(graph);
    EI_MUST(hold == 0 || (hold > EI_FUZZ_NOW && hold <= EI_FUZZ_NOW + EI_RETRY_CAP + 3));
    EI_MUST(status != 429 || (hold != 0) == of_tenant);
}

static void judge_id(const char *id)
{
    EI_MUST(strnlen(id, EI_REQUEST_ID_MAX) < EI_REQUEST_ID_MAX);
    EI_MUST(strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(id));
}

void ei_world_judge(const struct ei_graph_result *result, enum ei_service service)
{
    EI_MUST(result->outcome <= EI_GRAPH_UNCLEAR);
    EI_MUST(result->retry_after >= -1 && result->retry_after <= EI_RETRY_CAP);
    EI_MUST(result->status == 0 || (result->status >= 100 && result->status <= 599));
    judge_id(result->error.request_id);
    judge_id(result->error.client_request_id);
    EI_MUST(result->user_id[0] == '\0' ||
            (strlen(result->user_id) == EI_GUID_TEXT - 1 && ei_guid_valid(result->user_id)));
    if (result->outcome == EI_GRAPH_DONE) {
        EI_MUST(result->error.code == EI_OK);
        return;
    }
    ei_fuzz_judge_error(result->error.code, &result->error);
    EI_MUST(result->outcome != EI_GRAPH_NOT_SENT || result->error.code != EI_GRAPH_AMBIGUOUS);
    /* X5: nothing but a complete refusal says that there was no effect. */
    if (result->outcome == EI_GRAPH_REJECTED && service == EI_SERVICE_GRAPH)
        EI_MUST((result->status >= 400 && result->status <= 499 && result->status != 408 && result->status != 424 &&
                 result->status != 499) ||
                result->status == 307 || result->status == 308);
}

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/odata.h"
#include "common/graph/request.h"

enum {
    RENEW_EARLY = 5 * 60,    /* seconds before the end (contract 1.8) */
    LIFE_DEFAULT = 5 * 60,   /* where no expires_in can be read: short, and a 401 renews it sooner */
    LIFE_MAX = 28 * 60 * 60, /* contract 1.8 */
    TOKEN_MAX = 32 * 1024,   /* bytes; a longer one would not pass as a header */
    FORM_MAX = 4 * EI_SECRET_MAX
};

bool ei_token_usable(const struct ei_graph *graph)
{
    const struct ei_token *token = &graph->token;

    return token->value.length != 0 && ei_monotonic_ms() < token->renew_ms && ei_now() < token->renew_at;
}

void ei_token_drop(struct ei_graph *graph)
{
    ei_secret_free(&graph->token.value);
    graph->token.stale = graph->token.fetching;
}

/* It goes into a header as it is, so anything but visible ASCII is refused. */
static bool is_token(const char *text)
{
    size_t length = 0;

    for (; text[length] != '\0'; length++)
        if (text[length] <= 0x20 || text[length] >= 0x7f || length >= TOKEN_MAX)
            return false;
    return length != 0;
}

static enum ei_err store_token(struct ei_token *token, const char *text, int64_t life)
{
    struct ei_secret value = {0};
    enum ei_err rc = ei_secret_new(&value, strlen(text));

    if (rc != EI_OK)
        return rc;
    if (life > LIFE_MAX)
        life = LIFE_MAX;
    int64_t use = life > 2 * RENEW_EARLY ? life - RENEW_EARLY : life / 2;
    memcpy(value.data, text, strlen(text) + 1);
    value.length = strlen(text);
    ei_secret_free(&token->value);
    token->value = value;
    token->serial++;
    token->renew_ms = ei_monotonic_ms() + (life == 1 ? 500 : use * 1000);
    token->renew_at = ei_now() + (use > 0 ? use : 1);
    return EI_OK;
}

static void read_token(struct ei_graph *graph, struct ei_reply *reply)
{
    cJSON *json = ei_json_parse(reply->body, reply->length);
    const char *text = ei_json_string(json, "access_token");
    const char *type = ei_json_string(json, "token_type");
    int64_t life = LIFE_DEFAULT;

    (void)ei_json_int(json, "expires_in", &life);
    if (json == NULL)
        ei_reply_bad(reply, "the login service sent no JSON");
    else if (text == NULL || !is_token(text) || (type != NULL && strcasecmp(type, "Bearer") != 0))
        ei_reply_bad(reply, "the login service sent no bearer token");
    else if (life <= 0)
        ei_reply_bad(reply, "the token has expired already");
    else if (store_token(&graph->token, text, life) != EI_OK) {
        reply->result->outcome = EI_GRAPH_NOT_SENT;
        ei_fail(&reply->result->error, EI_NOMEM, "no memory for the token");
    }
    ei_graph_json_free(json);
}

static void on_token(void *context, struct ei_reply *reply)
{
    struct ei_graph *graph = context;
    bool stale = graph->token.stale;

    graph->token.fetching = false;
    graph->token.stale = false;
    if (stale && !graph->closing)
        return; /* the requests that wait ask for another */
    if (reply->result->outcome == EI_GRAPH_DONE)
        read_token(graph, reply);
    if (reply->result->outcome == EI_GRAPH_DONE)
        return;
    enum ei_err *code = &reply->result->error.code;
    if (reply->result->status == 404 && (*code == EI_TOKEN_REFUSED || *code == EI_GRAPH_ANSWER))
        *code = EI_TENANT_UNKNOWN; /* Microsoft has a number for it; others just have no such path */
    /* A page of somebody else, or a token that is none: nothing that a change of the configuration would mend. */
    if (*code == EI_GRAPH_ANSWER)
        *code = EI_TOKEN_TRANSIENT;
    ei_graph_fail_waiting(graph, reply->result);
}

/* The form is a secret. scope names the cloud's own Graph root (contract 0). */
static enum ei_err make_form(const struct ei_graph *graph, struct ei_buffer *form, struct ei_error *err)
{
    if (!ei_buffer_append_text(form, "grant_type=client_credentials&client_id=") ||
        !ei_odata_encode(form, graph->client_id) || !ei_buffer_append_text(form, "&scope=") ||
        !ei_odata_encode(form, graph->graph_url) || !ei_buffer_append_text(form, "%2F.default"))
        return ei_fail(err, EI_NOMEM, "no memory for the token request");
    return ei_credential_add_to_form(graph->credential, form, err);
}

enum ei_err ei_token_fetch(struct ei_graph *graph, struct ei_error *err)
{
    char target[320];
    struct ei_buffer form;
    struct ei_request_spec spec = {.method = EI_POST, .service = EI_SERVICE_LOGIN, .target = target};
    enum ei_err rc;

    ei_buffer_init(&form, FORM_MAX);
    snprintf(target, sizeof target, "/%s/oauth2/v2.0/token", graph->tenant);
    rc = make_form(graph, &form, err);
    if (rc != EI_OK)
        goto out;
    spec.body = form.data;
    rc = ei_request_start(graph, &spec, on_token, graph);
    if (rc != EI_OK) {
        ei_fail(err, rc, "no memory for the token request");
        goto out;
    }
    graph->token.fetching = true;
out:
    ei_buffer_free(&form);
    return rc;
}

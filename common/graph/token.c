#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/graph/credential_type.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"

enum {
    RENEW_EARLY = 5 * 60,         /* seconds before the end (contract 1.8) */
    LIFE_DEFAULT = 5 * 60,        /* where no expires_in can be read: short, and a 401 renews it sooner */
    LIFE_MAX = 28 * 60 * 60,      /* contract 1.8 */
    MISMATCH_MS = 10 * 60 * 1000, /* so long a federated credential that nobody knows may only be new */
    TOKEN_MAX = 32 * 1024,        /* bytes; a longer one would not pass as a header */
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
    token->expires_at = ei_now() + life;
    token->renew_ms = ei_monotonic_ms() + (life == 1 ? 500 : use * 1000);
    token->renew_at = ei_now() + (use > 0 ? use : 1);
    return EI_OK;
}

/* granted has kept what else the answer holds before the token counts. stale: only that, since the token was dropped
 * while it was on its way. */
static void read_token(struct ei_graph *graph, struct ei_reply *reply, bool stale)
{
    const struct ei_credential_ops *type = graph->credential->type;
    cJSON *json = ei_json_parse(reply->body, reply->length);
    const char *text = ei_json_string(json, "access_token");
    const char *token_type = ei_json_string(json, "token_type");
    struct ei_error *err = &reply->result->error;
    int64_t life = LIFE_DEFAULT;
    enum ei_err rc;

    (void)ei_json_int(json, "expires_in", &life);
    if (json == NULL) {
        ei_reply_bad(reply, "it is no JSON");
    } else if (text == NULL || !is_token(text) || (token_type != NULL && strcasecmp(token_type, "Bearer") != 0)) {
        ei_reply_bad(reply, "it holds no bearer token");
    } else if (life <= 0) {
        ei_reply_bad(reply, "the token has expired already");
    } else {
        rc = type->granted != NULL ? type->granted(graph->credential, json, err) : EI_OK;
        if (rc == EI_OK && !stale && store_token(&graph->token, text, life) != EI_OK)
            rc = ei_fail(err, EI_NOMEM, "no memory for the token");
        if (rc != EI_OK)
            reply->result->outcome = EI_GRAPH_NOT_SENT;
    }
    ei_graph_json_free(json);
}

/* What the answer says by itself; a credential may know better. */
static void judge_refusal(struct ei_graph_result *result)
{
    enum ei_err *code = &result->error.code;

    if (result->status == 404 && (*code == EI_TOKEN_REFUSED || *code == EI_GRAPH_ANSWER))
        *code = EI_TENANT_UNKNOWN; /* Microsoft has a number for it; others just have no such path */
    /* A page of somebody else, or a token that is none: nothing that a change of the configuration would mend. */
    if (*code == EI_GRAPH_ANSWER)
        *code = EI_TOKEN_TRANSIENT;
}

/* A credential that was added just now is not known everywhere for minutes, also after a first success (contract 1.3).
 */
static void judge_mismatch(struct ei_token *token, enum ei_err *code)
{
    int64_t now = ei_monotonic_ms();

    if (*code != EI_FEDERATION_MISMATCH) {
        token->mismatch_since_ms = 0;
        return;
    }
    if (token->mismatch_since_ms == 0)
        token->mismatch_since_ms = now;
    if (now - token->mismatch_since_ms < MISMATCH_MS)
        *code = EI_FEDERATION_NEW;
}

/* What another credential would mend; it may lie in the files by then, put there by somebody who tells nobody. */
static bool wants_another(enum ei_err code)
{
    return code == EI_SECRET_WRONG || code == EI_SECRET_EXPIRED || code == EI_ASSERTION_REFUSED ||
           code == EI_CERTIFICATE_INVALID || code == EI_CERTIFICATE_EXPIRED || code == EI_CERTIFICATE_EARLY;
}

static void on_token(void *context, struct ei_reply *reply)
{
    struct ei_graph *graph = context;
    const struct ei_credential_ops *type = graph->credential->type;
    struct ei_graph_result *result = reply->result;
    bool stale = graph->token.stale;

    graph->token.fetching = false;
    graph->token.stale = false;
    if (result->outcome == EI_GRAPH_DONE)
        read_token(graph, reply, stale);
    if (stale && !graph->closing)
        return; /* the requests that wait ask for another */
    judge_mismatch(&graph->token, &result->error.code);
    if (result->outcome == EI_GRAPH_DONE)
        return;
    judge_refusal(result);
    graph->token.reload = wants_another(result->error.code);
    if (type->refused != NULL && type->refused(graph->credential, result, reply->challenge) && !graph->closing) {
        struct ei_graph_result why = {.outcome = EI_GRAPH_NOT_SENT, .retry_after = -1};
        if (ei_token_fetch(graph, &why.error) != EI_OK)
            ei_graph_fail_waiting(graph, &why);
        return;
    }
    ei_graph_fail_waiting(graph, result);
}

enum ei_err ei_token_fetch(struct ei_graph *graph, struct ei_error *err)
{
    const struct ei_token_app app = {
        .tenant = graph->tenant,
        .client_id = graph->client_id,
        .login_url = graph->login_url,
        .graph_url = graph->graph_url,
    };
    struct ei_token_request request;

    /* Quietly: that it is refused is known, and a file for root only cannot be read any more. */
    if (graph->token.reload)
        (void)ei_credential_reload(graph->credential, NULL);
    ei_token_request_init(&request);
    enum ei_err rc = graph->credential->type->request(graph->credential, &app, &request, err);
    graph->token.reload = wants_another(rc);
    if (rc != EI_OK)
        goto out;
    const struct ei_request_spec spec = {
        .method = request.method,
        .service = request.service,
        .about = request.about,
        .target = request.target,
        .body = request.form.data,
        .headers = &request.headers,
    };
    rc = ei_request_start(graph, &spec, on_token, graph);
    if (rc != EI_OK) {
        ei_fail(err, rc, "no memory for the token request");
        goto out;
    }
    graph->token.fetching = true;
out:
    ei_token_request_free(&request);
    return rc;
}

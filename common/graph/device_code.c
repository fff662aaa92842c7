#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/graph/credential_type.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/odata.h"
#include "common/graph/request.h"
#include "common/graph/sign_in.h"

enum {
    INTERVAL_DEFAULT = 5, /* seconds, where the service names none (RFC 8628 3.2) */
    INTERVAL_MAX = 300,
    SLOWER_BY = 5,         /* each slow_down (RFC 8628 3.5) */
    EXPIRES_DEFAULT = 900, /* contract 1.4 */
    EXPIRES_MAX = 3600,
    BACK_OFF_MAX_MS = 60 * 1000,
    CODE_MAX = 64, /* bytes of what a person types */
    URL_MAX = 512,
    MESSAGE_MAX = 1024,
    SECRET_MAX = 8 * 1024,
    SCOPE_MAX = 4 * 1024,
};

struct ei_device_code {
    struct ei_graph *graph;
    struct ei_device_handler handler;
    char *scope;
    struct ei_secret secret; /* device_code; empty: it is being asked for */
    int64_t interval_ms;
    int64_t failed_ms; /* how long to wait because of failures, 0: the last answer was one */
    int64_t next_ms;   /* monotonic, like the next one */
    int64_t expires_ms;
    bool asking; /* a request is under way, whose callback owns the struct if called_off */
    bool ended;
    bool called_off;
};

/* Visible ASCII, blanks apart: it goes to a terminal, or into a form. */
static bool is_plain(const char *text, size_t most)
{
    size_t length = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < length; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    return length != 0 && length <= most;
}

static bool is_page(const char *url)
{
    static const char https[] = "https://";

    return is_plain(url, URL_MAX) && strncmp(url, https, strlen(https)) == 0;
}

static void free_now(struct ei_device_code *code)
{
    ei_secret_free(&code->secret);
    free(code->scope);
    free(code);
}

static void end(struct ei_device_code *code, const struct ei_signed_in *signed_in, const struct ei_error *err)
{
    code->ended = true;
    code->handler.done(code->handler.context, signed_in, err);
}

/* --- asking --- */

static enum ei_err no_memory(struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "no memory for the sign-in");
}

static enum ei_err send_form(struct ei_device_code *code, const char *endpoint, struct ei_token_request *request,
                             ei_request_done *done, struct ei_error *err)
{
    const struct ei_request_spec spec = {
        .method = EI_POST,
        .service = EI_SERVICE_LOGIN,
        .about = EI_ABOUT_SIGN_IN,
        .mail = true, /* as for one (X6): what libcurl repeats by itself would be asked too soon */
        .target = request->target,
        .body = request->form.data,
    };

    snprintf(request->target, sizeof request->target, "/%s/oauth2/v2.0/%s", code->graph->tenant, endpoint);
    enum ei_err rc = ei_token_form_add(request, "client_id", code->graph->client_id, err);
    if (rc != EI_OK)
        return rc;
    rc = ei_request_start(code->graph, &spec, done, code);
    if (rc != EI_OK)
        return rc == EI_NOMEM ? no_memory(err) : ei_fail(err, rc, "this program ends");
    code->asking = true;
    return EI_OK;
}

/* --- the answer to a poll --- */

static void wait_for(struct ei_device_code *code, int64_t wait_ms)
{
    code->next_ms = ei_monotonic_ms() + wait_ms;
}

/* RFC 8628 3.5: less often where the way there is bad, by doubling. */
static void back_off(struct ei_device_code *code, int64_t retry_after)
{
    code->failed_ms = code->failed_ms == 0 ? code->interval_ms : 2 * code->failed_ms;
    if (code->failed_ms > BACK_OFF_MAX_MS)
        code->failed_ms = BACK_OFF_MAX_MS;
    wait_for(code, retry_after * 1000 > code->failed_ms ? retry_after * 1000 : code->failed_ms);
}

static void take_tokens(struct ei_device_code *code, const struct ei_reply *reply)
{
    cJSON *json = ei_json_parse(reply->body, reply->length);
    const char *id_token = ei_json_string(json, "id_token");
    struct ei_signed_in signed_in = {.refresh_token = ei_json_string(json, "refresh_token"), .scope = code->scope};
    struct ei_error err = {0};

    if (ei_json_string(json, "access_token") == NULL)
        ei_fail(&err, EI_TOKEN_REFUSED, "the login service sent no token");
    else if (signed_in.refresh_token == NULL)
        ei_fail(&err, EI_CONSENT_MISSING,
                "the login service sent no refresh_token: the app is not allowed offline_access");
    else if (id_token != NULL)
        (void)ei_person_read(id_token, code->graph->client_id, &signed_in.person, &err);
    end(code, err.code == EI_OK ? &signed_in : NULL, &err);
    ei_graph_json_free(json);
}

static bool passes(enum ei_err code)
{
    return ei_err_fault(code) == EI_FAULT_TRANSIENT || code == EI_NOMEM;
}

static void on_poll(void *context, struct ei_reply *reply)
{
    struct ei_device_code *code = context;
    const struct ei_graph_result *result = reply->result;

    code->asking = false;
    if (code->called_off) {
        free_now(code);
    } else if (result->outcome == EI_GRAPH_DONE) {
        take_tokens(code, reply);
    } else if (result->error.code == EI_SIGN_IN_PENDING || result->error.code == EI_SIGN_IN_SLOW) {
        if (result->error.code == EI_SIGN_IN_SLOW)
            code->interval_ms += SLOWER_BY * 1000;
        code->failed_ms = 0;
        wait_for(code, code->interval_ms);
    } else if (passes(result->error.code)) {
        back_off(code, result->retry_after);
    } else {
        end(code, NULL, &result->error);
    }
}

static enum ei_err poll_now(struct ei_device_code *code, struct ei_error *err)
{
    struct ei_token_request request;

    ei_token_request_init(&request);
    enum ei_err rc = ei_token_form_add(&request, "grant_type", "urn:ietf:params:oauth:grant-type:device_code", err);
    if (rc == EI_OK)
        rc = ei_token_form_add(&request, "device_code", code->secret.data, err);
    if (rc == EI_OK)
        rc = send_form(code, "token", &request, on_poll, err);
    ei_token_request_free(&request);
    return rc;
}

void ei_device_code_run(struct ei_device_code *code)
{
    int64_t now = ei_monotonic_ms();
    struct ei_error err;

    if (code->ended || code->asking || now < code->next_ms)
        return;
    if (now >= code->expires_ms)
        ei_fail(&err, EI_SIGN_IN_EXPIRED, "nobody has signed in while the code was valid");
    else if (poll_now(code, &err) == EI_OK)
        return;
    end(code, NULL, &err);
}

int64_t ei_device_code_wait_ms(const struct ei_device_code *code)
{
    if (code->ended || code->asking)
        return INT64_MAX;
    int64_t wait = code->next_ms - ei_monotonic_ms();
    return wait > 0 ? wait : 0;
}

/* --- the answer with the code --- */

static enum ei_err keep_secret(struct ei_device_code *code, const char *text, struct ei_error *err)
{
    size_t length = strlen(text);

    if (ei_secret_new(&code->secret, length) != EI_OK)
        return no_memory(err);
    memcpy(code->secret.data, text, length + 1);
    code->secret.length = length;
    return EI_OK;
}

static int64_t seconds(const cJSON *json, const char *name, int64_t fallback, int64_t most)
{
    int64_t value = fallback;

    if (!ei_json_int(json, name, &value) || value < 1)
        return value < 1 ? 1 : fallback;
    return value < most ? value : most;
}

static enum ei_err read_code(struct ei_device_code *code, const cJSON *json, struct ei_error *err)
{
    const char *secret = ei_json_string(json, "device_code");
    const char *message = ei_json_string(json, "message");
    char words[MESSAGE_MAX];
    struct ei_device_prompt prompt = {
        .user_code = ei_json_string(json, "user_code"),
        .verification_uri = ei_json_string(json, "verification_uri"),
        .verification_uri_complete = ei_json_string(json, "verification_uri_complete"),
    };
    int64_t life = seconds(json, "expires_in", EXPIRES_DEFAULT, EXPIRES_MAX);

    if (!is_plain(secret, SECRET_MAX) || !is_plain(prompt.user_code, CODE_MAX) || !is_page(prompt.verification_uri))
        return ei_fail(err, EI_TOKEN_REFUSED, "the login service sent no device code, or none that can be used");
    enum ei_err rc = keep_secret(code, secret, err);
    if (rc != EI_OK)
        return rc;
    code->interval_ms = 1000 * seconds(json, "interval", INTERVAL_DEFAULT, INTERVAL_MAX);
    code->expires_ms = ei_monotonic_ms() + life * 1000;
    wait_for(code, code->interval_ms);
    if (!is_page(prompt.verification_uri_complete))
        prompt.verification_uri_complete = NULL;
    ei_graph_text(words, sizeof words, message != NULL ? message : "");
    prompt.message = words[0] != '\0' ? words : NULL;
    prompt.expires_at = ei_now() + life;
    code->handler.prompt(code->handler.context, &prompt);
    return EI_OK;
}

static void on_code(void *context, struct ei_reply *reply)
{
    struct ei_device_code *code = context;
    struct ei_error *err = &reply->result->error;

    code->asking = false;
    if (code->called_off) {
        free_now(code);
        return;
    }
    if (reply->result->outcome == EI_GRAPH_DONE) {
        cJSON *json = ei_json_parse(reply->body, reply->length);
        enum ei_err rc = read_code(code, json, err);
        ei_graph_json_free(json);
        if (rc == EI_OK)
            return;
    } else if (err->code == EI_GRAPH_ANSWER) {
        /* A page of somebody else: no such path there, or no login service at all. */
        err->code = reply->result->status == 404 ? EI_TENANT_UNKNOWN : EI_TOKEN_REFUSED;
    }
    end(code, NULL, err);
}

/* "https://graph.microsoft.com/User.Invite.All … offline_access openid profile": one resource only (contract 1.1). */
static char *make_scope(const struct ei_graph *graph, const char *const *permissions, size_t count)
{
    struct ei_buffer scope;
    bool made = true;

    ei_buffer_init(&scope, SCOPE_MAX);
    for (size_t i = 0; i < count && made; i++)
        made = ei_buffer_append_text(&scope, graph->graph_url) && ei_buffer_append_text(&scope, "/") &&
               ei_buffer_append_text(&scope, permissions[i]) && ei_buffer_append_text(&scope, " ");
    if (made && ei_buffer_append_text(&scope, "offline_access openid profile"))
        return scope.data;
    ei_buffer_free(&scope);
    return NULL;
}

static enum ei_err ask_for_code(struct ei_device_code *code, struct ei_error *err)
{
    struct ei_token_request request;

    ei_token_request_init(&request);
    enum ei_err rc = ei_token_form_add(&request, "scope", code->scope, err);
    if (rc == EI_OK)
        rc = send_form(code, "devicecode", &request, on_code, err);
    ei_token_request_free(&request);
    return rc;
}

enum ei_err ei_device_code_start(struct ei_graph *graph, const char *const *permissions, size_t count,
                                 const struct ei_device_handler *handler, struct ei_device_code **ret_code,
                                 struct ei_error *err)
{
    struct ei_device_code *code = calloc(1, sizeof *code);

    if (code == NULL)
        return no_memory(err);
    code->graph = graph;
    code->handler = *handler;
    code->scope = make_scope(graph, permissions, count);
    enum ei_err rc = code->scope != NULL ? ask_for_code(code, err) : no_memory(err);
    if (rc != EI_OK) {
        free_now(code);
        return rc;
    }
    *ret_code = code;
    return EI_OK;
}

void ei_device_code_free(struct ei_device_code *code)
{
    if (code == NULL)
        return;
    if (code->asking)
        code->called_off = true;
    else
        free_now(code);
}

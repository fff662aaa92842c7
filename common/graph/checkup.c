#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/jwt.h"
#include "common/graph/keypair.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"

enum { URL_MAX = 1024 };

struct checkup {
    ei_graph_plain_done *plain_done;
    ei_graph_text_done *text_done;
    void *context;
};

static enum ei_err start(struct ei_graph *graph, const struct ei_request_spec *spec, ei_request_done *done,
                         const struct checkup *given)
{
    struct checkup *checkup = malloc(sizeof *checkup);

    if (checkup == NULL)
        return EI_NOMEM;
    *checkup = *given;
    enum ei_err rc = ei_request_start(graph, spec, done, checkup);
    if (rc != EI_OK)
        free(checkup);
    return rc;
}

static bool never_got_there(const struct ei_graph_result *result)
{
    enum ei_err code = result->error.code;

    return result->status == 0 || code == EI_REDIRECTED || code == EI_TLS_TRUST || code == EI_TENANT_UNKNOWN ||
           code == EI_WRONG_CLOUD;
}

static void on_reached(void *context, struct ei_reply *reply)
{
    struct checkup *checkup = context;
    struct ei_graph_result *result = reply->result;

    if (!never_got_there(result)) {
        result->outcome = EI_GRAPH_DONE;
        ei_error_clear(&result->error);
    }
    checkup->plain_done(checkup->context, result);
    free(checkup);
}

/* As for the login service: no token goes with it, and neither hold nor pace is asked. */
static enum ei_err reach(struct ei_graph *graph, const char *target, ei_graph_plain_done *done, void *context)
{
    const struct ei_request_spec spec = {
        .method = EI_GET, .service = EI_SERVICE_LOGIN, .target = target, .inspect = true};

    return start(graph, &spec, on_reached, &(struct checkup){.plain_done = done, .context = context});
}

enum ei_err ei_graph_reach(struct ei_graph *graph, ei_graph_plain_done *done, void *context)
{
    char url[URL_MAX];

    if (snprintf(url, sizeof url, "%s/v1.0/", graph->graph_url) >= (int)sizeof url)
        return EI_NOMEM;
    return reach(graph, url, done, context);
}

enum ei_err ei_graph_reach_login(struct ei_graph *graph, ei_graph_plain_done *done, void *context)
{
    char target[URL_MAX];

    snprintf(target, sizeof target, "/%s/v2.0/.well-known/openid-configuration", graph->tenant);
    return reach(graph, target, done, context);
}

int64_t ei_graph_ca_ends(const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *certificate;
    int64_t last = 0;
    int64_t end;

    while (file != NULL && (certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
        if (ei_certificate_time(X509_get0_notAfter(certificate), &end) && end > last)
            last = end;
        X509_free(certificate);
    }
    if (file != NULL)
        fclose(file);
    ERR_clear_error(); /* the end of the file is one to OpenSSL */
    return last;
}

static void on_policy(void *context, struct ei_reply *reply)
{
    struct checkup *checkup = context;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    const char *value = ei_json_string(json, "allowInvitesFrom");

    if (reply->result->outcome == EI_GRAPH_DONE && value == NULL)
        ei_reply_bad(reply, "the policy holds no allowInvitesFrom");
    checkup->text_done(checkup->context, reply->result, value);
    ei_graph_json_free(json);
    free(checkup);
}

enum ei_err ei_graph_invite_policy(struct ei_graph *graph, ei_graph_text_done *done, void *context)
{
    static const struct ei_request_spec spec = {
        .method = EI_GET, .target = "/v1.0/policies/authorizationPolicy?$select=allowInvitesFrom"};

    return start(graph, &spec, on_policy, &(struct checkup){.text_done = done, .context = context});
}

/* --- what the token says --- */

static void add_name(cJSON *names, const char *begin, size_t length)
{
    char name[128];

    if (length == 0 || length >= sizeof name)
        return;
    memcpy(name, begin, length);
    name[length] = '\0';
    ei_json_push(names, cJSON_CreateString(name));
}

static void add_roles(cJSON *names, const cJSON *roles)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, roles)
    {
        const char *name = cJSON_GetStringValue(item);
        add_name(names, name, name != NULL ? strlen(name) : 0);
    }
}

static void add_scopes(cJSON *names, const char *scopes)
{
    while (*scopes != '\0') {
        size_t length = strcspn(scopes, " ");
        add_name(names, scopes, length);
        scopes += length + (scopes[length] == ' ' ? 1 : 0);
    }
}

cJSON *ei_graph_token_permissions(const struct ei_graph *graph, bool *ret_delegated)
{
    cJSON *claims = graph->token.value.length != 0 ? ei_jwt_claims(graph->token.value.data) : NULL;
    const cJSON *roles = ei_json_array(claims, "roles");
    const char *scopes = ei_json_string(claims, "scp");
    cJSON *names = roles != NULL || scopes != NULL ? cJSON_CreateArray() : NULL;

    *ret_delegated = scopes != NULL;
    if (names != NULL && scopes != NULL)
        add_scopes(names, scopes);
    else if (names != NULL)
        add_roles(names, roles);
    ei_graph_json_free(claims);
    return names;
}

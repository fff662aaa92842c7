/* Who sponsors a guest: reading and adding (contract 5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/memory.h"
#include "common/graph/odata.h"
#include "common/graph/request.h"
#include "common/graph/sponsors.h"
#include "common/graph/user.h"

enum { NAMES_MAX = 128 }; /* two a sponsor; more than any guest can have */

struct call {
    ei_graph_names_done *names_done; /* one of the two */
    ei_graph_plain_done *plain_done;
    void *context;
};

bool ei_sponsor_url(struct ei_buffer *out, const char *graph_url, const char *sponsor)
{
    const char *slash = strchr(sponsor, '/');
    char kind[16];

    if (slash == NULL || snprintf(kind, sizeof kind, "%.*s", (int)(slash - sponsor), sponsor) >= (int)sizeof kind)
        return false;
    return ei_buffer_append_text(out, graph_url) && ei_buffer_append_text(out, "/v1.0/") &&
           ei_buffer_append_text(out, kind) && ei_buffer_append_text(out, "/") && ei_odata_encode(out, slash + 1);
}

static void on_refused(void *context, struct ei_reply *reply)
{
    struct call *call = context;

    if (call->names_done != NULL)
        call->names_done(call->context, reply->result, NULL, 0);
    else
        call->plain_done(call->context, reply->result);
    free(call);
}

/* user_id + suffix is what is asked for. */
static enum ei_err start(struct ei_graph *graph, const struct call *model, const char *user_id, const char *suffix,
                         const struct ei_request_spec *spec, ei_request_done *done)
{
    struct call *call = malloc(sizeof *call);
    enum ei_err rc;

    if (call == NULL)
        return EI_NOMEM;
    *call = *model;
    rc = ei_user_request(graph, spec, "/v1.0/users/", user_id, suffix, done, on_refused, call);
    if (rc != EI_OK)
        free(call);
    return rc;
}

static void add_name(const char *names[NAMES_MAX], size_t *count, const char *name)
{
    if (name != NULL && name[0] != '\0' && *count < NAMES_MAX)
        names[(*count)++] = name;
}

static void on_sponsors(void *context, struct ei_reply *reply)
{
    struct call *call = context;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    const cJSON *value = ei_json_array(json, "value");
    const char *names[NAMES_MAX];
    const cJSON *item;
    size_t count = 0;

    if (reply->result->outcome == EI_GRAPH_DONE && value == NULL)
        ei_reply_bad(reply, "the answer is no list of sponsors");
    cJSON_ArrayForEach(item, value)
    {
        add_name(names, &count, ei_json_string(item, "id"));
        add_name(names, &count, ei_json_string(item, "userPrincipalName"));
    }
    bool done = reply->result->outcome == EI_GRAPH_DONE;
    call->names_done(call->context, reply->result, done ? names : NULL, done ? count : 0);
    ei_graph_json_free(json);
    free(call);
}

enum ei_err ei_graph_sponsors(struct ei_graph *graph, const char *user_id, const char *crid, ei_graph_names_done *done,
                              void *context)
{
    struct call call = {.names_done = done, .context = context};
    struct ei_request_spec spec = {.method = EI_GET, .about = EI_ABOUT_OBJECT, .crid = crid};

    return start(graph, &call, user_id, "/sponsors", &spec, on_sponsors);
}

/* Only the text tells this from other bad requests (contract 5): whoever is a sponsor already is one. */
static bool is_one_already(const struct ei_graph_result *result)
{
    return result->outcome == EI_GRAPH_REJECTED && result->status == 400 &&
           strcasestr(result->error.message, "object references already exist") != NULL;
}

static void on_added(void *context, struct ei_reply *reply)
{
    struct call *call = context;
    struct ei_graph_result *result = reply->result;

    if (is_one_already(result)) {
        result->outcome = EI_GRAPH_DONE;
        ei_error_clear(&result->error);
    }
    call->plain_done(call->context, result);
    free(call);
}

enum ei_err ei_graph_add_sponsor(struct ei_graph *graph, const char *user_id, const char *sponsor, const char *crid,
                                 ei_graph_plain_done *done, void *context)
{
    struct call call = {.plain_done = done, .context = context};
    struct ei_buffer url;
    char *body = NULL;
    enum ei_err rc = EI_NOMEM;

    ei_buffer_init(&url, EI_SPONSOR_URL_MAX);
    if (ei_sponsor_url(&url, graph->graph_url, sponsor))
        body = ei_odata_reference(url.data);
    struct ei_request_spec spec = {.method = EI_POST, .about = EI_ABOUT_OBJECT, .crid = crid, .body = body};
    if (body != NULL)
        rc = start(graph, &call, user_id, "/sponsors/$ref", &spec, on_added);
    cJSON_free(body);
    ei_buffer_free(&url);
    return rc;
}

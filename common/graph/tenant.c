#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/pages.h"
#include "common/graph/request.h"

enum { NAME_MAX_BYTES = 253 };

struct names {
    struct ei_graph *graph;
    ei_graph_names_done *done;
    void *context;
    char **list;
    size_t count;
    size_t room;
};

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    free(names);
}

static struct names *names_new(struct ei_graph *graph, ei_graph_names_done *done, void *context)
{
    struct names *names = calloc(1, sizeof *names);

    if (names != NULL) {
        names->graph = graph;
        names->done = done;
        names->context = context;
    }
    return names;
}

static void finish(struct names *names, const struct ei_graph_result *result)
{
    if (result->outcome == EI_GRAPH_DONE)
        names->done(names->context, result, (const char *const *)names->list, names->count);
    else
        names->done(names->context, result, NULL, 0);
    names_free(names);
}

/* Folds it. What is no domain name or id cannot match one and is left out. false when out of memory. */
static bool add(struct names *names, const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;

    if (length == 0 || length > NAME_MAX_BYTES)
        return true;
    char **list = ei_array_room(names->list, names->count, &names->room, sizeof *list);
    if (list == NULL)
        return false;
    names->list = list;
    char *copy = strdup(name);
    if (copy == NULL)
        return false;
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    names->list[names->count++] = copy;
    return true;
}

/* The domain in a guest's own name is the initial or the default one (contract 2.4). */
static void note_guest_domain(struct ei_graph *graph, const cJSON *domain, const char *name)
{
    static const char *const marks[EI_GUEST_DOMAINS] = {"isInitial", "isDefault"};

    for (size_t i = 0; i < EI_GUEST_DOMAINS && name != NULL && strlen(name) <= NAME_MAX_BYTES; i++) {
        char *copy = ei_json_bool(domain, marks[i], false) ? strdup(name) : NULL;
        if (copy == NULL)
            continue;
        free(graph->guest_domains[i]);
        graph->guest_domains[i] = copy;
    }
}

static void no_memory(struct ei_graph_result *result)
{
    result->outcome = EI_GRAPH_UNCLEAR;
    ei_fail_again(&result->error, EI_NOMEM, "no memory for the tenant's domains");
}

static void on_domains(void *context, const struct ei_graph_result *given, struct ei_pages *pages)
{
    struct names *names = context;
    struct ei_graph_result result = *given;
    const cJSON *item;

    for (size_t i = 0; i < pages->count && result.outcome == EI_GRAPH_DONE; i++) {
        cJSON_ArrayForEach(item, ei_json_array(pages->page[i], "value"))
        {
            /* here id is the name, and those that are not verified are listed too (contract 3) */
            const char *name = ei_json_string(item, "id");
            if (!ei_json_bool(item, "isVerified", false))
                continue;
            if (!add(names, name))
                no_memory(&result);
            note_guest_domain(names->graph, item, name);
        }
    }
    finish(names, &result);
}

static bool add_organization(struct names *names, const struct ei_pages *pages, struct ei_graph_result *result)
{
    const cJSON *item;
    const cJSON *organization = cJSON_GetArrayItem(ei_json_array(pages->page[0], "value"), 0);
    const cJSON *domains = ei_json_array(organization, "verifiedDomains");

    cJSON_ArrayForEach(item, domains)
    {
        const char *name = ei_json_string(item, "name");
        if (!add(names, name))
            no_memory(result);
        note_guest_domain(names->graph, item, name);
    }
    return domains != NULL;
}

static void on_organization(void *context, const struct ei_graph_result *given, struct ei_pages *pages)
{
    struct names *names = context;
    struct ei_graph_result result = *given;

    if (result.outcome == EI_GRAPH_REJECTED && result.status == 403 &&
        ei_pages_start(names->graph, "/v1.0/domains?$select=id,isVerified,isInitial,isDefault", NULL, on_domains,
                       names) == EI_OK)
        return;
    if (result.outcome == EI_GRAPH_DONE && !add_organization(names, pages, &result)) {
        result.outcome = EI_GRAPH_UNCLEAR;
        ei_fail_again(&result.error, EI_GRAPH_ANSWER, "the answer holds no verifiedDomains");
    }
    finish(names, &result);
}

enum ei_err ei_graph_verified_domains(struct ei_graph *graph, const char *crid, ei_graph_names_done *done,
                                      void *context)
{
    struct names *names = names_new(graph, done, context);

    if (names == NULL)
        return EI_NOMEM;
    enum ei_err rc =
        ei_pages_start(graph, "/v1.0/organization?$select=id,verifiedDomains", crid, on_organization, names);
    if (rc != EI_OK)
        names_free(names);
    return rc;
}

/* The issuer is https://HOST/GUID/v2.0, whatever name the tenant was asked for by. */
static bool read_tenant_id(const cJSON *json, char id[EI_GUID_TEXT])
{
    const char *issuer = ei_json_string(json, "issuer");

    if (issuer == NULL || strncmp(issuer, "https://", strlen("https://")) != 0)
        return false;
    const char *segment = strchr(issuer + strlen("https://"), '/');
    if (segment == NULL || strcspn(segment + 1, "/") != EI_GUID_TEXT - 1)
        return false;
    snprintf(id, EI_GUID_TEXT, "%s", segment + 1);
    return ei_guid_valid(id);
}

/* Not every login service has metadata, and a refusal to show them says nothing about the credential. */
static void judge_refusal(struct ei_graph_result *result)
{
    enum ei_err code = result->error.code;

    if (result->outcome == EI_GRAPH_REJECTED && result->status >= 400 && result->status <= 499 &&
        code != EI_TENANT_UNKNOWN && code != EI_WRONG_CLOUD && code != EI_THROTTLED && code != EI_TOKEN_TRANSIENT &&
        code != EI_LOGIN_THROTTLED)
        result->error.code = EI_GRAPH_ANSWER;
}

static void on_metadata(void *context, struct ei_reply *reply)
{
    struct names *names = context;
    char id[EI_GUID_TEXT];
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;

    if (reply->result->outcome == EI_GRAPH_DONE) {
        if (!read_tenant_id(json, id))
            ei_reply_bad(reply, "the OpenID metadata names no tenant");
        else if (!add(names, id))
            no_memory(reply->result);
    }
    judge_refusal(reply->result);
    ei_graph_json_free(json);
    finish(names, reply->result);
}

enum ei_err ei_graph_tenant_id(struct ei_graph *graph, ei_graph_names_done *done, void *context)
{
    char target[320];
    struct ei_request_spec spec = {.method = EI_GET, .service = EI_SERVICE_LOGIN, .target = target};
    struct names *names = names_new(graph, done, context);

    if (names == NULL)
        return EI_NOMEM;
    snprintf(target, sizeof target, "/%s/v2.0/.well-known/openid-configuration", graph->tenant);
    enum ei_err rc = ei_request_start(graph, &spec, on_metadata, names);
    if (rc != EI_OK)
        names_free(names);
    return rc;
}

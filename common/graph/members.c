/* Members of groups (contract 5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/odata.h"
#include "common/graph/request.h"
#include "common/graph/user.h"

struct joining {
    struct ei_graph *graph;
    ei_graph_plain_done *done;
    void *context;
    char group[EI_GUID_TEXT];
    char user[EI_GUID_TEXT];
    struct ei_graph_result refusal; /* of the POST */
};

static void finish(struct joining *joining, const struct ei_graph_result *result)
{
    joining->done(joining->context, result);
    free(joining);
}

/* The same error under another code; what identifies the request at Microsoft stays. */
static void finish_as(struct joining *joining, const struct ei_graph_result *result, enum ei_err code)
{
    struct ei_graph_result told = *result;

    ei_fail_again(&told.error, code, "group %s: %s", joining->group, result->error.message);
    finish(joining, &told);
}

static bool lists(const cJSON *json, const char *id)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, ei_json_array(json, "value"))
    {
        const char *text = cJSON_GetStringValue(item);
        if (text != NULL && strcasecmp(text, id) == 0)
            return true;
    }
    return false;
}

static void on_checked(void *context, struct ei_reply *reply)
{
    struct joining *joining = context;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    long status = reply->result->status;
    bool answered = status >= 200 && status <= 499 && status != 408 && status != 429;

    if (reply->result->outcome == EI_GRAPH_DONE && lists(json, joining->group))
        finish(joining, reply->result);
    else if (!answered) /* nothing is known yet */
        finish(joining, reply->result);
    else
        finish_as(joining, &joining->refusal, EI_ENTRA_GROUP_REFUSED);
    ei_graph_json_free(json);
}

static enum ei_err start_check(struct joining *joining)
{
    char target[EI_USER_PATH_MAX];
    char body[128];
    struct ei_request_spec spec = {.method = EI_POST, .about = EI_ABOUT_OBJECT, .target = target, .body = body};

    snprintf(target, sizeof target, "/v1.0/users/%s/checkMemberGroups", joining->user);
    snprintf(body, sizeof body, "{\"groupIds\":[\"%s\"]}", joining->group);
    return ei_request_start(joining->graph, &spec, on_checked, joining);
}

static void on_added(void *context, struct ei_reply *reply)
{
    struct joining *joining = context;
    const struct ei_graph_result *result = reply->result;

    if (result->outcome == EI_GRAPH_REJECTED && result->status == 400) {
        joining->refusal = *result;
        if (start_check(joining) != EI_OK)
            finish(joining, result);
    } else if (result->error.code == EI_PERMISSION) {
        finish_as(joining, result, EI_ENTRA_GROUP_DENIED);
    } else if (result->error.code == EI_GRAPH_NOT_FOUND) {
        finish_as(joining, result, EI_GRAPH_NOT_FOUND);
    } else {
        finish(joining, result);
    }
}

static void on_refused(void *context, struct ei_reply *reply)
{
    finish(context, reply->result);
}

static enum ei_err start_add(struct joining *joining, const char *crid)
{
    char target[EI_USER_PATH_MAX];
    enum ei_err rc = EI_NOMEM;
    char *link = NULL;
    char *body = NULL;
    struct ei_request_spec spec = {.method = EI_POST, .about = EI_ABOUT_OBJECT, .target = target, .crid = crid};

    if (asprintf(&link, "%s/v1.0/directoryObjects/%s", joining->graph->graph_url, joining->user) < 0)
        link = NULL;
    if (link != NULL)
        body = ei_odata_reference(link);
    if (body == NULL)
        goto out;
    snprintf(target, sizeof target, "/v1.0/groups/%s/members/$ref", joining->group);
    spec.body = body;
    rc = ei_request_start(joining->graph, &spec, on_added, joining);
out:
    cJSON_free(body);
    free(link);
    return rc;
}

enum ei_err ei_graph_add_member(struct ei_graph *graph, const char *group, const char *user, const char *crid,
                                ei_graph_plain_done *done, void *context)
{
    struct ei_error err;
    enum ei_err rc;
    struct joining *joining = calloc(1, sizeof *joining);

    if (joining == NULL)
        return EI_NOMEM;
    joining->graph = graph;
    joining->done = done;
    joining->context = context;
    if (group == NULL || user == NULL || !ei_guid_valid(group) || !ei_guid_valid(user)) {
        ei_fail(&err, EI_USAGE, "\"%.64s\" and \"%.64s\" are not ids of a group and a user", group != NULL ? group : "",
                user != NULL ? user : "");
        rc = ei_request_start_failed(graph, &err, on_refused, joining);
    } else {
        memcpy(joining->group, group, EI_GUID_TEXT);
        memcpy(joining->user, user, EI_GUID_TEXT);
        rc = start_add(joining, crid);
    }
    if (rc != EI_OK)
        free(joining);
    return rc;
}

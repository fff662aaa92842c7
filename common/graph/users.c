#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/odata.h"
#include "common/graph/request.h"
#include "common/graph/user.h"

enum { NAME_PATH_MAX = 2048 };

/* A request about one user, by id. */
struct one {
    ei_graph_user_done *user_done; /* one of the two */
    ei_graph_plain_done *plain_done;
    void *context;
    char id[EI_GUID_TEXT];
    bool gone_is_done;
    bool restoring;
};

static void on_user(void *context, struct ei_reply *reply)
{
    struct one *one = context;
    struct ei_graph_user user;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;

    if (reply->result->outcome == EI_GRAPH_DONE && (!ei_user_read(json, &user) || strcasecmp(user.id, one->id) != 0))
        ei_reply_bad(reply, "the answer is not the user that was asked for");
    one->user_done(one->context, reply->result, reply->result->outcome == EI_GRAPH_DONE ? &user : NULL);
    ei_graph_json_free(json);
    free(one);
}

static void on_deleted(void *context, struct ei_reply *reply)
{
    struct one *one = context;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    const char *id = ei_json_string(json, "id");

    if (reply->result->outcome == EI_GRAPH_DONE && (id == NULL || strcasecmp(id, one->id) != 0))
        ei_reply_bad(reply, "the answer is not the deleted user that was asked for");
    one->plain_done(one->context, reply->result);
    ei_graph_json_free(json);
    free(one);
}

static void on_change(void *context, struct ei_reply *reply)
{
    struct one *one = context;
    struct ei_graph_result *result = reply->result;

    if (one->gone_is_done && result->outcome == EI_GRAPH_REJECTED && result->error.code == EI_GRAPH_NOT_FOUND) {
        result->outcome = EI_GRAPH_DONE;
        result->error.code = EI_OK;
        result->error.message[0] = '\0';
    }
    if (one->restoring && result->outcome == EI_GRAPH_REJECTED && (result->status == 400 || result->status == 409))
        result->error.code = EI_RESTORE_REFUSED;
    one->plain_done(one->context, result);
    free(one);
}

static void on_refused(void *context, struct ei_reply *reply)
{
    struct one *one = context;

    if (one->user_done != NULL)
        one->user_done(one->context, reply->result, NULL);
    else
        one->plain_done(one->context, reply->result);
    free(one);
}

/* prefix + id + suffix is the target. */
static enum ei_err start(struct ei_graph *graph, const struct one *model, const char *id, const char *prefix,
                         const char *suffix, const struct ei_request_spec *spec, ei_request_done *done)
{
    struct one *one = malloc(sizeof *one);
    enum ei_err rc;

    if (one == NULL)
        return EI_NOMEM;
    *one = *model;
    snprintf(one->id, sizeof one->id, "%s", id != NULL ? id : "");
    rc = ei_user_request(graph, spec, prefix, id, suffix, done, on_refused, one);
    if (rc != EI_OK)
        free(one);
    return rc;
}

enum ei_err ei_graph_get_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_user_done *done,
                              void *context)
{
    struct one one = {.user_done = done, .context = context};
    struct ei_request_spec spec = {.method = EI_GET, .about = EI_ABOUT_OBJECT, .crid = crid};

    return start(graph, &one, id, "/v1.0/users/", "?" EI_USER_SELECT, &spec, on_user);
}

static void on_named(void *context, struct ei_reply *reply)
{
    struct one *one = context;
    struct ei_graph_user user;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;

    if (reply->result->outcome == EI_GRAPH_DONE && !ei_user_read(json, &user))
        ei_reply_bad(reply, "the answer is no user");
    one->user_done(one->context, reply->result, reply->result->outcome == EI_GRAPH_DONE ? &user : NULL);
    ei_graph_json_free(json);
    free(one);
}

/* Encoded: "#EXT#" would end the path (contract 2.4). */
enum ei_err ei_graph_find_user_id(struct ei_graph *graph, const char *user_principal_name, const char *crid,
                                  ei_graph_user_done *done, void *context)
{
    struct ei_request_spec spec = {.method = EI_GET, .about = EI_ABOUT_OBJECT, .crid = crid};
    struct one *one = malloc(sizeof *one);
    struct ei_buffer target;
    enum ei_err rc = EI_NOMEM;

    ei_buffer_init(&target, NAME_PATH_MAX);
    if (one != NULL && ei_buffer_append_text(&target, "/v1.0/users/") &&
        ei_odata_encode(&target, user_principal_name) && ei_buffer_append_text(&target, "?$select=id,mail")) {
        *one = (struct one){.user_done = done, .context = context};
        spec.target = target.data;
        rc = ei_request_start(graph, &spec, on_named, one);
    }
    if (rc != EI_OK)
        free(one);
    ei_buffer_free(&target);
    return rc;
}

enum ei_err ei_graph_get_user_addresses(struct ei_graph *graph, const char *id, const char *crid,
                                        ei_graph_user_done *done, void *context)
{
    struct one one = {.user_done = done, .context = context};
    struct ei_request_spec spec = {.method = EI_GET, .about = EI_ABOUT_OBJECT, .crid = crid};

    return start(graph, &one, id, "/v1.0/users/", "?" EI_USER_SELECT_ADDRESSES, &spec, on_user);
}

enum ei_err ei_graph_get_deleted(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context)
{
    struct one one = {.plain_done = done, .context = context};
    struct ei_request_spec spec = {.method = EI_GET, .about = EI_ABOUT_OBJECT, .crid = crid};

    return start(graph, &one, id, "/v1.0/directory/deletedItems/", "", &spec, on_deleted);
}

enum ei_err ei_graph_disable_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                  void *context)
{
    struct one one = {.plain_done = done, .context = context};
    struct ei_request_spec spec = {
        .method = EI_PATCH, .about = EI_ABOUT_OBJECT, .crid = crid, .body = "{\"accountEnabled\":false}"};

    return start(graph, &one, id, "/v1.0/users/", "", &spec, on_change);
}

enum ei_err ei_graph_enable_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context)
{
    struct one one = {.plain_done = done, .context = context};
    struct ei_request_spec spec = {
        .method = EI_PATCH, .about = EI_ABOUT_OBJECT, .crid = crid, .body = "{\"accountEnabled\":true}"};

    return start(graph, &one, id, "/v1.0/users/", "", &spec, on_change);
}

/* By itself: it has no body, and a batch takes no POST without one. */
enum ei_err ei_graph_restore_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                  void *context)
{
    struct one one = {.plain_done = done, .context = context, .restoring = true};
    struct ei_request_spec spec = {.method = EI_POST, .about = EI_ABOUT_OBJECT, .crid = crid, .alone = true};

    return start(graph, &one, id, "/v1.0/directory/deletedItems/", "/restore", &spec, on_change);
}

enum ei_err ei_graph_delete_user(struct ei_graph *graph, const char *id, const char *crid, ei_graph_plain_done *done,
                                 void *context)
{
    struct one one = {.plain_done = done, .context = context, .gone_is_done = true};
    struct ei_request_spec spec = {.method = EI_DELETE, .about = EI_ABOUT_OBJECT, .crid = crid};

    return start(graph, &one, id, "/v1.0/users/", "", &spec, on_change);
}

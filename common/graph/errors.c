#include "common/graph/errors.h"

#include <ctype.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/memory.h"

enum { PART_MAX = 320, CODE_MAX = 64 };

/* A Graph error object, taken apart. All "" for a body that is none (contract 6: some are HTML). */
struct parts {
    char code[CODE_MAX];
    char message[PART_MAX];
    char folded[PART_MAX]; /* message in lower case */
    char request_id[EI_REQUEST_ID_MAX];
    bool is_error; /* the body is a Graph error object */
};

static void read_inner(const cJSON *error, struct parts *parts)
{
    enum { DEPTH = 8 };

    for (int depth = 0; error != NULL && depth < DEPTH && parts->request_id[0] == '\0'; depth++) {
        const cJSON *inner = ei_json_object(error, "innerError");
        if (inner == NULL)
            inner = ei_json_object(error, "innererror");
        if (inner != NULL)
            ei_graph_request_id(parts->request_id, ei_json_string(inner, "request-id"));
        error = inner;
    }
}

static void read_parts(const struct ei_answer *answer, struct parts *parts)
{
    cJSON *json = answer->length != 0 ? ei_json_parse(answer->body, answer->length) : NULL;
    const cJSON *error = ei_json_object(json, "error");

    *parts = (struct parts){0};
    ei_graph_request_id(parts->request_id, answer->request_id);
    if (error != NULL) {
        const char *code = ei_json_string(error, "code");
        const char *message = ei_json_string(error, "message");
        parts->is_error = code != NULL;
        ei_graph_text(parts->code, sizeof parts->code, code != NULL ? code : "");
        ei_graph_text(parts->message, sizeof parts->message, message != NULL ? message : "");
        if (parts->message[0] == '<')
            parts->message[0] = '\0'; /* UnknownError with an HTML page as its message says nothing */
        for (size_t i = 0; parts->message[i] != '\0'; i++)
            parts->folded[i] = (char)tolower((unsigned char)parts->message[i]);
        read_inner(error, parts);
    }
    ei_graph_json_free(json);
}

/* A complete 4xx had no effect (X5), but for those that gateways send when they gave up half-way. */
static enum ei_graph_outcome outcome_of(long status)
{
    if (status == 307 || status == 308)
        return EI_GRAPH_REJECTED;
    if (status < 400 || status > 499 || status == 408 || status == 424 || status == 499)
        return EI_GRAPH_UNCLEAR;
    return EI_GRAPH_REJECTED;
}

static bool code_is(const struct parts *parts, const char *const *codes)
{
    for (; *codes != NULL; codes++)
        if (strcmp(parts->code, *codes) == 0)
            return true;
    return false;
}

/* Graph itself says so, by whatever code; not UnknownError around a page that it did not understand (contract 6). */
static bool is_gone(const struct parts *parts)
{
    return parts->is_error && !(strcmp(parts->code, "UnknownError") == 0 && parts->message[0] == '\0');
}

/* By status and code alone. */
static enum ei_err general_code(long status, const struct parts *parts, enum ei_about about)
{
    static const char *const throttled[] = {"TooManyRequests", "activityLimitReached", NULL};
    static const char *const quota[] = {"Directory_QuotaExceeded", NULL};
    static const char *const resync[] = {"syncStateNotFound", "resyncRequired", NULL};

    if (status == 429 || (status >= 400 && status <= 499 && code_is(parts, throttled)))
        return EI_THROTTLED;
    if (status >= 400 && status <= 499 && code_is(parts, quota))
        return EI_QUOTA;
    if (status == 410 || (status >= 400 && status <= 499 && code_is(parts, resync)))
        return EI_RESYNC;
    if (status == 401)
        return EI_UNAUTHORIZED;
    if (status == 403)
        return EI_PERMISSION;
    if (status == 404)
        return about == EI_ABOUT_OBJECT && is_gone(parts) ? EI_GRAPH_NOT_FOUND : EI_GRAPH_ANSWER;
    if (status >= 500 || status == 408 || status == 409 || status == 423)
        return EI_GRAPH_DOWN;
    return EI_GRAPH_ANSWER;
}

/* The rows of contract 2.7. What a 403 says about one address must not read as a missing permission: that would block
 * the worker for everybody. */
static enum ei_err invitation_code(long status, const struct parts *parts)
{
    static const struct {
        long status; /* 0: any 4xx */
        const char *part;
        enum ei_err code;
    } rows[] = {
        {400, "primary smtp address is an invalid value", EI_GRAPH_ADDRESS},
        {400, "group email address is not supported", EI_GROUP_ADDRESS},
        {400, "invitee is in inviter tenant", EI_VERIFIED_DOMAIN},
        {400, "is a verified domain of this directory", EI_VERIFIED_DOMAIN},
        {400, "already exists", EI_INTERNAL_USER},
        {403, "guest invitations not allowed", EI_INVITATIONS_OFF},
        {0, "blocked by cross-tenant access settings", EI_INVITATION_REFUSED},
        {0, "cross cloud worker application has been disabled", EI_INVITATION_REFUSED},
    };
    enum ei_err general = general_code(status, parts, EI_ABOUT_INVITATION);

    if (status < 400 || status > 499 || general == EI_THROTTLED || general == EI_QUOTA || !parts->is_error)
        return general;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].status == 0 || rows[i].status == status) && strstr(parts->folded, rows[i].part) != NULL)
            return rows[i].code;
    return status == 400 ? EI_INVITATION_REFUSED : general;
}

/* contract 2.6: the id stands behind "object ID: ", up to the next '.' or ','. */
static void read_user_id(const struct parts *parts, char user_id[EI_GUID_TEXT])
{
    static const char mark[] = "object id: ";
    const char *at = strstr(parts->folded, mark);

    user_id[0] = '\0';
    if (at == NULL)
        return;
    const char *id = parts->message + (at - parts->folded) + strlen(mark);
    size_t length = strcspn(id, ".,");
    while (length != 0 && id[length - 1] == ' ')
        length--;
    if (length != EI_GUID_TEXT - 1)
        return;
    memcpy(user_id, id, length);
    user_id[length] = '\0';
    if (!ei_guid_valid(user_id))
        user_id[0] = '\0';
}

void ei_graph_error_read(const struct ei_answer *answer, enum ei_about about, struct ei_graph_result *result)
{
    struct parts parts;

    read_parts(answer, &parts);
    result->outcome = outcome_of(answer->status);
    result->user_id[0] = '\0';
    if (answer->status >= 300 && answer->status <= 399) {
        ei_graph_redirected(answer, &result->error);
    } else {
        enum ei_err code = about == EI_ABOUT_INVITATION ? invitation_code(answer->status, &parts)
                                                        : general_code(answer->status, &parts, about);
        if (code == EI_INTERNAL_USER)
            read_user_id(&parts, result->user_id);
        if (!parts.is_error)
            ei_fail(&result->error, code, "Microsoft Graph answered %ld without an error object", answer->status);
        else
            ei_fail(&result->error, code, "Microsoft Graph answered %ld %s%s%s", answer->status, parts.code,
                    parts.message[0] != '\0' ? ": " : "", parts.message);
    }
    memcpy(result->error.request_id, parts.request_id, sizeof result->error.request_id);
}

bool ei_graph_query_refused(const struct ei_graph_result *result)
{
    return (result->status == 400 && result->outcome == EI_GRAPH_REJECTED) || result->status == 501;
}

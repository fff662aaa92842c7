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

/* Graph itself says so, by whatever code; not UnknownError around a page that it did not understand (contract 6). */
static bool is_gone(const struct parts *parts)
{
    return parts->is_error && !(strcmp(parts->code, "UnknownError") == 0 && parts->message[0] == '\0');
}

/* By status alone. */
static enum ei_err code_of_status(long status)
{
    if (status == 429)
        return EI_THROTTLED;
    if (status == 410)
        return EI_RESYNC;
    if (status == 401)
        return EI_UNAUTHORIZED;
    if (status == 403)
        return EI_PERMISSION;
    if (status >= 500 || status == 408 || status == 409 || status == 423)
        return EI_GRAPH_DOWN;
    return EI_GRAPH_ANSWER;
}

static enum ei_err code_of_not_found(const struct parts *parts, enum ei_about about)
{
    return about == EI_ABOUT_OBJECT && is_gone(parts) ? EI_GRAPH_NOT_FOUND : EI_GRAPH_ANSWER;
}

static enum ei_err general_code(long status, const struct parts *parts, enum ei_about about,
                                const struct ei_catalogue_row *row)
{
    if (status == 429)
        return EI_THROTTLED; /* whatever code comes with it */
    if (status == 404 && (row == NULL || row->status == 404))
        return code_of_not_found(parts, about);
    return row != NULL ? row->code : code_of_status(status);
}

/* Whether only the text can tell: a complete refusal that is not the whole tenant's (contract 2.7). What a 403 says
 * about one address must not read as a missing permission: that would block the worker for everybody. */
static bool text_decides(long status, const struct parts *parts, enum ei_err general)
{
    return status >= 400 && status <= 499 && parts->is_error && general != EI_THROTTLED && general != EI_QUOTA;
}

/* *row: that of the code which is returned, NULL if it has none. */
static enum ei_err code_of(long status, const struct parts *parts, enum ei_about about,
                           const struct ei_catalogue_row **row)
{
    *row = ei_catalogue_graph(status, parts->code);
    enum ei_err general = general_code(status, parts, about, *row);
    bool invitation = about == EI_ABOUT_INVITATION || about == EI_ABOUT_RESET;

    if (invitation && text_decides(status, parts, general)) {
        const struct ei_catalogue_row *by_text = ei_catalogue_invite(status, parts->folded, about);
        if (by_text != NULL || status == 400) {
            *row = by_text;
            return by_text != NULL ? by_text->code : EI_INVITATION_REFUSED;
        }
    }
    if (*row != NULL && (*row)->code != general)
        *row = NULL;
    return general;
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

/* A challenge with claims (contract 6): a policy wants another token than the one that the app can have. */
static bool claims_wanted(const struct ei_answer *answer)
{
    return answer->status == 401 && answer->challenge != NULL && strstr(answer->challenge, "claims=") != NULL;
}

static void tell(const struct ei_answer *answer, const struct parts *parts, enum ei_err code, const char *cause,
                 struct ei_error *err)
{
    bool known = cause != NULL;

    if (!parts->is_error)
        ei_fail(err, code, "Microsoft Graph answered %ld without an error object%s%s%s", answer->status,
                known ? " (" : "", known ? cause : "", known ? ")" : "");
    else
        ei_fail(err, code, "Microsoft Graph answered %ld %s%s%s%s%s%s", answer->status, parts->code, known ? " (" : "",
                known ? cause : "", known ? ")" : "", parts->message[0] != '\0' ? ": " : "", parts->message);
}

void ei_graph_error_read(const struct ei_answer *answer, enum ei_about about, struct ei_graph_result *result)
{
    struct parts parts;
    const struct ei_catalogue_row *row = NULL;

    read_parts(answer, &parts);
    result->outcome = outcome_of(answer->status);
    result->user_id[0] = '\0';
    if (answer->status >= 300 && answer->status <= 399) {
        ei_graph_redirected(answer, &result->error);
    } else if (claims_wanted(answer)) {
        tell(answer, &parts, EI_CONDITIONAL_ACCESS, "a policy asks for a token with other claims", &result->error);
    } else {
        enum ei_err code = code_of(answer->status, &parts, about, &row);
        if (code == EI_INTERNAL_USER)
            read_user_id(&parts, result->user_id);
        tell(answer, &parts, code, row != NULL ? row->cause : NULL, &result->error);
    }
    memcpy(result->error.request_id, parts.request_id, sizeof result->error.request_id);
}

bool ei_graph_query_refused(const struct ei_graph_result *result)
{
    return (result->status == 400 && result->outcome == EI_GRAPH_REJECTED) || result->status == 501;
}

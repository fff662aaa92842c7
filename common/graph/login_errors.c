#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"

enum { TEXT_MAX = 320, ERROR_MAX = 64 };

/* RFC 6749 5.2 and OpenID Connect, and what other login services than Microsoft's say: where no number is known. */
static const struct {
    const char *error;
    enum ei_err code;
} oauth[] = {
    {"invalid_client", EI_SECRET_WRONG},         {"unauthorized_client", EI_CLIENT_UNKNOWN},
    {"invalid_tenant", EI_TENANT_UNKNOWN},       {"invalid_scope", EI_BAD_SCOPE},
    {"invalid_resource", EI_BAD_SCOPE},          {"consent_required", EI_CONSENT_MISSING},
    {"interaction_required", EI_SIGN_IN_NEEDED}, {"login_required", EI_SIGN_IN_NEEDED},
    {"access_denied", EI_CONDITIONAL_ACCESS},
};

/* What somebody is told who asks with a device code whether the sign-in is done (contract 1.4, RFC 8628 3.5). */
static const struct {
    const char *error;
    enum ei_err code;
} polling[] = {
    {"authorization_pending", EI_SIGN_IN_PENDING},   {"slow_down", EI_SIGN_IN_SLOW},
    {"authorization_declined", EI_SIGN_IN_DECLINED}, {"bad_verification_code", EI_SIGN_IN_EXPIRED},
    {"expired_token", EI_SIGN_IN_EXPIRED},
};

struct parts {
    char error[ERROR_MAX]; /* "" for a body that is no OAuth error */
    char suberror[ERROR_MAX];
    char text[TEXT_MAX];
    char request_id[EI_REQUEST_ID_MAX];
    bool claims;                        /* a policy asks for claims (contract 1.7) */
    const struct ei_catalogue_row *row; /* NULL: no number that is known */
};

static const struct ei_catalogue_row *row_of_numbers(const cJSON *numbers)
{
    const cJSON *item;
    const struct ei_catalogue_row *row = NULL;

    cJSON_ArrayForEach(item, numbers)
    {
        if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 1e9)
            row = ei_catalogue_login((int64_t)item->valuedouble);
        if (row != NULL)
            break;
    }
    return row;
}

/* "AADSTS7000215: …", where a server that leaves error_codes out has the number. Not the wording, which may change. */
static const struct ei_catalogue_row *row_of_description(const char *description)
{
    enum { DIGITS_MAX = 9 };
    static const char mark[] = "AADSTS";
    int64_t number = 0;

    if (strncmp(description, mark, strlen(mark)) != 0)
        return NULL;
    description += strlen(mark);
    for (int i = 0; i < DIGITS_MAX && *description >= '0' && *description <= '9'; i++)
        number = number * 10 + (*description++ - '0');
    return *description == ':' ? ei_catalogue_login(number) : NULL;
}

/* The AADSTS sentence: what stands before the first line break, and so before the trace lines. */
static void read_text(const char *description, char out[TEXT_MAX])
{
    char line[4 * TEXT_MAX];

    snprintf(line, sizeof line, "%.*s", (int)strcspn(description, "\r\n"), description);
    char *trace = strstr(line, " Trace ID:");
    if (trace != NULL)
        *trace = '\0';
    ei_graph_text(out, TEXT_MAX, line);
}

static void read_parts(const struct ei_answer *answer, struct parts *parts)
{
    cJSON *json = answer->length != 0 ? ei_json_parse(answer->body, answer->length) : NULL;
    const char *error = ei_json_string(json, "error");
    const char *description = ei_json_string(json, "error_description");

    *parts = (struct parts){0};
    if (error != NULL) {
        const char *suberror = ei_json_string(json, "suberror");
        ei_graph_text(parts->error, sizeof parts->error, error);
        ei_graph_text(parts->suberror, sizeof parts->suberror, suberror != NULL ? suberror : "");
        parts->claims = ei_json_string(json, "claims") != NULL;
        description = description != NULL ? description : "";
        read_text(description, parts->text);
        ei_graph_request_id(parts->request_id, ei_json_string(json, "trace_id"));
        parts->row = ei_json_has(json, "error_codes") ? row_of_numbers(ei_json_array(json, "error_codes"))
                                                      : row_of_description(description);
    }
    if (parts->request_id[0] == '\0')
        ei_graph_request_id(parts->request_id, answer->request_id);
    ei_graph_json_free(json);
}

/* EI_OK: it is none of a sign-in's own. */
static enum ei_err code_of_polling(const struct parts *parts)
{
    for (size_t i = 0; i < sizeof polling / sizeof polling[0]; i++)
        if (strcmp(parts->error, polling[i].error) == 0)
            return polling[i].code;
    if (parts->row == NULL && strcmp(parts->error, "access_denied") == 0)
        return EI_SIGN_IN_DECLINED; /* RFC 8628's word for it */
    if (parts->row == NULL && strcmp(parts->error, "invalid_grant") == 0)
        return EI_SIGN_IN_NEEDED;
    if (parts->row == NULL && strcmp(parts->error, "invalid_client") == 0)
        return EI_APP_NOT_PUBLIC; /* no secret is sent that could be wrong */
    return EI_OK;
}

static enum ei_err code_of(long status, enum ei_about about, const struct parts *parts)
{
    enum ei_err sign_in = about == EI_ABOUT_SIGN_IN ? code_of_polling(parts) : EI_OK;

    if (status == 429)
        return EI_THROTTLED;
    if (status >= 500 || status == 408 || strcmp(parts->error, "temporarily_unavailable") == 0 ||
        strcmp(parts->error, "server_error") == 0)
        return EI_TOKEN_TRANSIENT;
    if (parts->error[0] == '\0')
        return EI_GRAPH_ANSWER;
    if (sign_in != EI_OK)
        return sign_in;
    if (parts->row != NULL)
        return parts->row->code;
    for (size_t i = 0; i < sizeof oauth / sizeof oauth[0]; i++)
        if (strcmp(parts->error, oauth[i].error) == 0)
            return oauth[i].code;
    return EI_TOKEN_REFUSED;
}

/* "invalid_grant, suberror basic_action (the sign-in has expired; claims are asked for): AADSTS700082: …" */
static void tell(const struct ei_answer *answer, enum ei_err code, const struct parts *parts, struct ei_error *err)
{
    char why[TEXT_MAX] = "";
    /* Where the number did not decide, it does not explain either. */
    const char *cause = parts->row != NULL && parts->row->code == code ? parts->row->cause : "";

    if (cause[0] != '\0' || parts->claims)
        snprintf(why, sizeof why, " (%s%s%s)", cause, cause[0] != '\0' && parts->claims ? "; " : "",
                 parts->claims ? "a policy asks for claims" : "");
    ei_fail(err, code, "the login service answered %ld %s%s%s%s%s%s", answer->status, parts->error,
            parts->suberror[0] != '\0' ? ", suberror " : "", parts->suberror, why, parts->text[0] != '\0' ? ": " : "",
            parts->text);
}

void ei_login_error_read(const struct ei_answer *answer, enum ei_about about, struct ei_graph_result *result)
{
    struct parts parts;

    read_parts(answer, &parts);
    enum ei_err code = code_of(answer->status, about, &parts);
    result->outcome = answer->status >= 400 && answer->status <= 499 ? EI_GRAPH_REJECTED : EI_GRAPH_UNCLEAR;
    result->user_id[0] = '\0';
    if (answer->status >= 300 && answer->status <= 399)
        ei_graph_redirected(answer, &result->error);
    else if (parts.error[0] == '\0')
        ei_fail(&result->error, code, "the login service answered %ld without an OAuth error object", answer->status);
    else
        tell(answer, code, &parts, &result->error);
    memcpy(result->error.request_id, parts.request_id, sizeof result->error.request_id);
}

void ei_identity_error_read(const struct ei_answer *answer, struct ei_graph_result *result)
{
    struct parts parts;
    long status = answer->status;
    bool passes = status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;

    read_parts(answer, &parts);
    result->outcome = status >= 400 && status <= 499 ? EI_GRAPH_REJECTED : EI_GRAPH_UNCLEAR;
    result->user_id[0] = '\0';
    if (status >= 300 && status <= 399)
        ei_graph_redirected(answer, &result->error);
    else
        ei_fail(&result->error, passes ? EI_TOKEN_TRANSIENT : EI_IDENTITY_REFUSED,
                "the managed identity service answered %ld%s%s%s%s", status, parts.error[0] != '\0' ? " " : "",
                parts.error, parts.text[0] != '\0' ? ": " : "", parts.text);
    memcpy(result->error.request_id, parts.request_id, sizeof result->error.request_id);
}

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"

enum { TEXT_MAX = 320, ERROR_MAX = 64 };

/* contract 1.7. Those that are TOKEN_REFUSED stand here since their `error` alone would name the wrong mend. */
static const struct {
    int64_t number;
    enum ei_err code;
} aadsts[] = {
    {7000215, EI_SECRET_WRONG},  {7000222, EI_SECRET_EXPIRED}, {700016, EI_CLIENT_UNKNOWN}, {90002, EI_TENANT_UNKNOWN},
    {900023, EI_TENANT_UNKNOWN}, {90038, EI_TENANT_UNKNOWN},   {900382, EI_TENANT_UNKNOWN}, {900432, EI_TENANT_UNKNOWN},
    {90033, EI_TOKEN_TRANSIENT}, {90006, EI_TOKEN_TRANSIENT},  {50033, EI_TOKEN_TRANSIENT}, {90024, EI_TOKEN_TRANSIENT},
    {90012, EI_TOKEN_TRANSIENT}, {50196, EI_TOKEN_TRANSIENT},  {90055, EI_TOKEN_TRANSIENT}, {700027, EI_TOKEN_REFUSED},
    {700024, EI_TOKEN_REFUSED},  {700025, EI_TOKEN_REFUSED},   {7000218, EI_TOKEN_REFUSED}, {50012, EI_TOKEN_REFUSED},
};

/* RFC 6749 5.2, and what other login services than Microsoft's say. */
static const struct {
    const char *error;
    enum ei_err code;
} oauth[] = {
    {"invalid_client", EI_SECRET_WRONG},
    {"unauthorized_client", EI_CLIENT_UNKNOWN},
    {"invalid_tenant", EI_TENANT_UNKNOWN},
};

struct parts {
    char error[ERROR_MAX]; /* "" for a body that is no OAuth error */
    char text[TEXT_MAX];
    char request_id[EI_REQUEST_ID_MAX];
    enum ei_err by_number; /* EI_OK: no number that is known */
};

static enum ei_err code_of_number(int64_t number)
{
    for (size_t i = 0; i < sizeof aadsts / sizeof aadsts[0]; i++)
        if (aadsts[i].number == number)
            return aadsts[i].code;
    return EI_OK;
}

static enum ei_err code_of_numbers(const cJSON *numbers)
{
    const cJSON *item;
    enum ei_err code = EI_OK;

    cJSON_ArrayForEach(item, numbers)
    {
        if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 1e9)
            code = code_of_number((int64_t)item->valuedouble);
        if (code != EI_OK)
            break;
    }
    return code;
}

/* "AADSTS7000215: …", where a server that leaves error_codes out has the number. Not the wording, which may change. */
static enum ei_err code_of_description(const char *description)
{
    enum { DIGITS_MAX = 9 };
    static const char mark[] = "AADSTS";
    int64_t number = 0;

    if (strncmp(description, mark, strlen(mark)) != 0)
        return EI_OK;
    description += strlen(mark);
    for (int i = 0; i < DIGITS_MAX && *description >= '0' && *description <= '9'; i++)
        number = number * 10 + (*description++ - '0');
    return *description == ':' ? code_of_number(number) : EI_OK;
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

    *parts = (struct parts){.by_number = EI_OK};
    if (error != NULL) {
        ei_graph_text(parts->error, sizeof parts->error, error);
        description = description != NULL ? description : "";
        read_text(description, parts->text);
        ei_graph_request_id(parts->request_id, ei_json_string(json, "trace_id"));
        parts->by_number = ei_json_has(json, "error_codes") ? code_of_numbers(ei_json_array(json, "error_codes"))
                                                            : code_of_description(description);
    }
    if (parts->request_id[0] == '\0')
        ei_graph_request_id(parts->request_id, answer->request_id);
    ei_graph_json_free(json);
}

static enum ei_err code_of(long status, const struct parts *parts)
{
    if (status == 429)
        return EI_THROTTLED;
    if (status >= 500 || status == 408 || strcmp(parts->error, "temporarily_unavailable") == 0 ||
        strcmp(parts->error, "server_error") == 0)
        return EI_TOKEN_TRANSIENT;
    if (parts->error[0] == '\0')
        return EI_GRAPH_ANSWER;
    if (parts->by_number != EI_OK)
        return parts->by_number;
    for (size_t i = 0; i < sizeof oauth / sizeof oauth[0]; i++)
        if (strcmp(parts->error, oauth[i].error) == 0)
            return oauth[i].code;
    return EI_TOKEN_REFUSED;
}

void ei_login_error_read(const struct ei_answer *answer, struct ei_graph_result *result)
{
    struct parts parts;

    read_parts(answer, &parts);
    result->outcome = answer->status >= 400 && answer->status <= 499 ? EI_GRAPH_REJECTED : EI_GRAPH_UNCLEAR;
    result->user_id[0] = '\0';
    if (answer->status >= 300 && answer->status <= 399)
        ei_graph_redirected(answer, &result->error);
    else if (parts.error[0] == '\0')
        ei_fail(&result->error, code_of(answer->status, &parts),
                "the login service answered %ld without an OAuth error object", answer->status);
    else
        ei_fail(&result->error, code_of(answer->status, &parts), "the login service answered %ld %s%s%s",
                answer->status, parts.error, parts.text[0] != '\0' ? ": " : "", parts.text);
    memcpy(result->error.request_id, parts.request_id, sizeof result->error.request_id);
}

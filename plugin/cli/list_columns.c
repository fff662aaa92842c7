#include "plugin/cli/list_columns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"

/* By the names of the members; wide ones are left out of a table without --columns where there is no room. */
static const struct {
    const char *name;
    struct ei_column column;
} known[] = {
    {"login", {"LOGIN", "login", NULL, EI_CELL_TEXT, false}},
    {"host", {"HOST", "host", NULL, EI_CELL_TEXT, false}},
    {"email", {"EMAIL", "email", NULL, EI_CELL_TEXT, false}},
    {"rule", {"RULE", "rule", NULL, EI_CELL_TEXT, false}},
    {"state", {"STATE", "state", NULL, EI_CELL_STATE, false}},
    {"since", {"SINCE", "externalUserStateChangeDateTime", "requestedAt", EI_CELL_TIME, false}},
    {"requestedBy", {"REQUESTED BY", "requestedBy", NULL, EI_CELL_TEXT, false}},
    {"requestedAt", {"REQUESTED", "requestedAt", NULL, EI_CELL_TIME, false}},
    {"invitedUserId", {"USER ID", "invitedUserId", NULL, EI_CELL_TEXT, false}},
    {"externalUserState", {"EXTERNAL STATE", "externalUserState", NULL, EI_CELL_TEXT, true}},
    {"userPrincipalName", {"USER PRINCIPAL NAME", "userPrincipalName", NULL, EI_CELL_TEXT, true}},
    {"invitedUserType", {"USER TYPE", "invitedUserType", NULL, EI_CELL_TEXT, false}},
    {"externalUserStateChangeDateTime",
     {"STATE CHANGED", "externalUserStateChangeDateTime", NULL, EI_CELL_TIME, false}},
    {"checkedAt", {"CHECKED", "checkedAt", NULL, EI_CELL_TIME, false}},
    {"mail", {"MAIL", "mail", NULL, EI_CELL_TEXT, false}},
    {"mailChannel", {"MAIL BY", "mailChannel", NULL, EI_CELL_TEXT, false}},
    {"mailedAt", {"MAILED", "mailedAt", NULL, EI_CELL_TIME, false}},
    {"remindedAt", {"REMINDED", "remindedAt", NULL, EI_CELL_TIME, false}},
    {"expiredAt", {"EXPIRED", "expiredAt", NULL, EI_CELL_TIME, false}},
    {"errorCode", {"ERROR", "errorCode", NULL, EI_CELL_TEXT, false}},
    {"errorMessage", {"REASON", "errorMessage", NULL, EI_CELL_TEXT, false}},
};

enum { KNOWN = sizeof known / sizeof *known };

static const char of_table[] = "login,email,rule,state,since,externalUserState,userPrincipalName";
static const char of_csv[] = "login,host,email,rule,state,requestedBy,requestedAt,invitedUserId,userPrincipalName,"
                             "invitedUserType,externalUserState,externalUserStateChangeDateTime,checkedAt,mail,"
                             "errorCode,errorMessage";

const char *ei_list_column_name(size_t i)
{
    return i < KNOWN ? known[i].name : NULL;
}

static bool add(struct ei_list_columns *columns, const char *word, size_t length)
{
    for (size_t i = 0; i < KNOWN && columns->count < EI_COLUMNS_MAX; i++) {
        if (strlen(known[i].name) == length && strncasecmp(known[i].name, word, length) == 0) {
            columns->names[columns->count] = known[i].name;
            columns->columns[columns->count++] = known[i].column;
            return true;
        }
    }
    return false;
}

static bool read(const char *text, struct ei_list_columns *columns)
{
    *columns = (struct ei_list_columns){0};
    for (const char *word = text; word != NULL;) {
        size_t length = strcspn(word, ",");
        if (!add(columns, word, length))
            return false;
        word = word[length] == ',' ? word + length + 1 : NULL;
    }
    return true;
}

static int refuse(const struct ei_args *args, const char *text)
{
    char names[320] = "";

    for (size_t i = 0; i < KNOWN; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", i != 0 ? ", " : "", known[i].name);
    }
    return ei_usage_error(args->verb, "--columns %.64s: takes up to %d of %s, with commas between", text,
                          EI_COLUMNS_MAX, names);
}

bool ei_list_columns_read(const struct ei_args *args, bool csv, struct ei_list_columns *ret_columns)
{
    const char *text = ei_args_get(args, "columns");

    if (text == NULL)
        return read(csv ? of_csv : of_table, ret_columns);
    if (!read(text, ret_columns)) {
        refuse(args, text);
        return false;
    }
    for (size_t i = 0; i < ret_columns->count; i++)
        ret_columns->columns[i].wide = false; /* asked for by name */
    return true;
}

void ei_list_columns_prepare(cJSON *rows)
{
    cJSON *row = NULL;

    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *error = ei_json_object(row, "error");
        ei_json_add_text(row, "errorCode", ei_json_string(error, "code"));
        ei_json_add_text(row, "errorMessage", ei_json_string(error, "message"));
    }
}

/* list: everybody that is known, walked page by page. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/table.h"

static const char *const csv_columns[] = {
    "login",
    "host",
    "email",
    "rule",
    "state",
    "requestedBy",
    "requestedAt",
    "invitedUserId",
    "userPrincipalName",
    "invitedUserType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "checkedAt",
    "mail",
};

/* SINCE: the redemption's change where Graph has told one, else the request. */
static const struct ei_column columns[] = {
    {"LOGIN", "login", NULL, EI_CELL_TEXT, false},
    {"EMAIL", "email", NULL, EI_CELL_TEXT, false},
    {"RULE", "rule", NULL, EI_CELL_TEXT, false},
    {"STATE", "state", NULL, EI_CELL_STATE, false},
    {"SINCE", "externalUserStateChangeDateTime", "requestedAt", EI_CELL_TIME, false},
    {"EXTERNAL STATE", "externalUserState", NULL, EI_CELL_TEXT, true},
    {"USER PRINCIPAL NAME", "userPrincipalName", NULL, EI_CELL_TEXT, true},
};

static void print_csv(const cJSON *accounts)
{
    const size_t count = sizeof csv_columns / sizeof *csv_columns;
    const cJSON *account = NULL;

    ei_csv_heading(csv_columns, count);
    puts(",errorCode,errorMessage");
    cJSON_ArrayForEach(account, accounts)
    {
        const cJSON *error = ei_json_object(account, "error");
        ei_csv_members(account, csv_columns, count);
        putchar(',');
        ei_csv_cell(ei_json_string(error, "code"));
        putchar(',');
        ei_csv_cell(ei_json_string(error, "message"));
        putchar('\n');
    }
}

static cJSON *states_wanted(const struct ei_args *args)
{
    cJSON *states = cJSON_CreateArray();

    for (size_t i = 0; i < args->given_count; i++) {
        enum ei_state state;
        if (strcmp(args->given[i].name, "state") != 0)
            continue;
        if (!ei_state_from_name(args->given[i].value, &state)) {
            ei_usage_error(args->verb, "--state %.32s: no such state", args->given[i].value);
            cJSON_Delete(states);
            return NULL;
        }
        cJSON_AddItemToArray(states, cJSON_CreateString(args->given[i].value));
    }
    return states;
}

static void move_items(cJSON *from, cJSON *to)
{
    while (from != NULL && from->child != NULL)
        cJSON_AddItemToArray(to, cJSON_DetachItemViaPointer(from, from->child));
}

/* All pages into all. false: *ret_exit is set. */
static bool fetch(const struct ei_cli *cli, const cJSON *states, cJSON *all, int *ret_exit)
{
    char after[1024] = "";

    for (;;) {
        cJSON *parameters = cJSON_CreateObject();
        cJSON *page = NULL;
        if (cJSON_GetArraySize(states) != 0)
            cJSON_AddItemToObject(parameters, "states", cJSON_Duplicate(states, true));
        ei_add_text(parameters, "after", *after != '\0' ? after : NULL);
        if (!ei_call(cli, "List", parameters, EI_ANSWER_MS, "list", &page, ret_exit))
            return false;
        move_items(cJSON_GetObjectItemCaseSensitive(page, "accounts"), all);
        const char *next = ei_json_string(page, "next");
        /* A page that leads to itself or backwards would have no end. */
        bool good = next == NULL || (strlen(next) < sizeof after && strcmp(next, after) > 0);
        bool last = next == NULL;
        if (!last && good)
            memcpy(after, next, strlen(next) + 1);
        ei_varlink_free(page);
        if (!good) {
            struct ei_error err;
            ei_fail(&err, EI_PROTOCOL, "entra-invited's pages do not end");
            *ret_exit = ei_say_error("list", &err);
            return false;
        }
        if (last)
            return true;
    }
}

int ei_verb_list(const struct ei_cli *cli, const struct ei_args *args)
{
    int exit_code = EI_EXIT_DONE;
    bool csv = ei_args_has(args, "csv");
    struct ei_table table = {.columns = columns, .count = sizeof columns / sizeof columns[0]};

    if (csv && cli->json)
        return ei_usage_error(args->verb, "--json and --csv exclude each other");
    if (ei_args_has(args, "tenant"))
        return ei_list_tenant(cli, args);
    cJSON *states = states_wanted(args);
    if (states == NULL)
        return EI_EXIT_USAGE;
    cJSON *accounts = cJSON_CreateArray();
    if (fetch(cli, states, accounts, &exit_code)) {
        if (cli->json)
            ei_print_json(accounts);
        else if (csv)
            print_csv(accounts);
        else
            ei_table_print(cli, &table, accounts);
    }
    ei_varlink_free(accounts);
    cJSON_Delete(states);
    return exit_code;
}

/* list: everybody that is known, walked page by page. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"

enum { COLUMNS = 5, COLUMN_MAX = 40 };

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

/* Since when it stands where it stands: the redemption's change where Graph has told one, else the request. */
static const char *since(const cJSON *account)
{
    const char *changed = ei_json_string(account, "externalUserStateChangeDateTime");
    return changed != NULL ? changed : ei_json_string(account, "requestedAt");
}

static const char *cell(const cJSON *account, int column)
{
    static const char *const names[COLUMNS] = {"login", "email", "rule", "state", NULL};
    const char *text = names[column] != NULL ? ei_json_string(account, names[column]) : since(account);
    return text != NULL ? text : "-";
}

static size_t width(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void pad(size_t from, size_t to)
{
    for (; from < to; from++)
        putchar(' ');
}

static void print_table(const struct ei_cli *cli, const cJSON *accounts)
{
    static const char *const titles[COLUMNS] = {"LOGIN", "EMAIL", "RULE", "STATE", "SINCE"};
    size_t widths[COLUMNS];
    const cJSON *account = NULL;

    for (int column = 0; column < COLUMNS; column++) {
        widths[column] = strlen(titles[column]);
        cJSON_ArrayForEach(account, accounts)
        {
            size_t needed = width(cell(account, column));
            if (needed > widths[column])
                widths[column] = needed < COLUMN_MAX ? needed : COLUMN_MAX;
        }
    }
    for (int column = 0; column < COLUMNS; column++) {
        fputs(titles[column], stdout);
        if (column + 1 < COLUMNS)
            pad(strlen(titles[column]), widths[column] + 2);
    }
    putchar('\n');
    cJSON_ArrayForEach(account, accounts)
    {
        for (int column = 0; column < COLUMNS; column++) {
            const char *text = cell(account, column);
            if (column == COLUMNS - 2)
                ei_print_state(cli, text);
            else
                ei_print_text(text);
            if (column + 1 < COLUMNS)
                pad(width(text), widths[column]);
            fputs(column + 1 < COLUMNS ? "  " : "\n", stdout);
        }
    }
}

/* RFC 4180 quoting; a line break inside quotes stays one. */
static void print_csv_cell(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(const cJSON *accounts)
{
    const size_t count = sizeof csv_columns / sizeof *csv_columns;
    const cJSON *account = NULL;

    for (size_t i = 0; i < count; i++)
        printf("%s,", csv_columns[i]);
    puts("errorCode,errorMessage");
    cJSON_ArrayForEach(account, accounts)
    {
        const cJSON *error = ei_json_object(account, "error");
        const char *code = ei_json_string(error, "code");
        const char *message = ei_json_string(error, "message");
        for (size_t i = 0; i < count; i++) {
            const char *text = ei_json_string(account, csv_columns[i]);
            print_csv_cell(text != NULL ? text : "");
            putchar(',');
        }
        print_csv_cell(code != NULL ? code : "");
        putchar(',');
        print_csv_cell(message != NULL ? message : "");
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

    if (csv && cli->json)
        return ei_usage_error(args->verb, "--json and --csv exclude each other");
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
            print_table(cli, accounts);
    }
    ei_varlink_free(accounts);
    cJSON_Delete(states);
    return exit_code;
}

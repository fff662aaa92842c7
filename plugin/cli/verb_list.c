/* list: everybody that is known, walked page by page. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/list_columns.h"
#include "plugin/cli/list_rows.h"
#include "plugin/cli/table.h"

static void print_csv(const cJSON *accounts, const struct ei_list_columns *columns, bool bare)
{
    const cJSON *account = NULL;

    if (!bare) {
        ei_csv_heading(columns->names, columns->count);
        putchar('\n');
    }
    cJSON_ArrayForEach(account, accounts)
    {
        for (size_t i = 0; i < columns->count; i++) {
            const char *text = ei_json_string(account, columns->columns[i].member);
            if (text == NULL && columns->columns[i].otherwise != NULL)
                text = ei_json_string(account, columns->columns[i].otherwise);
            if (i != 0)
                putchar(',');
            ei_csv_cell(text);
        }
        putchar('\n');
    }
}

cJSON *ei_list_states(const struct ei_args *args)
{
    cJSON *states = cJSON_CreateArray();

    for (size_t i = 0; i < args->given_count; i++) {
        enum ei_state state;
        if (strcmp(args->given[i].name, "state") != 0)
            continue;
        if (!ei_state_from_name(args->given[i].value, &state)) {
            ei_usage_error(args->verb,
                           "--state %.32s: no such state; takes waiting, held, queued, pending, accepted, failed, "
                           "removed or expired",
                           args->given[i].value);
            cJSON_Delete(states);
            return NULL;
        }
        ei_json_push(states, cJSON_CreateString(args->given[i].value));
    }
    return states;
}

/* Those that are wanted; the others go with the page. */
static void move_items(cJSON *from, cJSON *to, const struct ei_list_filter *filter)
{
    for (cJSON *item = from != NULL ? from->child : NULL, *next; item != NULL; item = next) {
        next = item->next;
        if (filter == NULL || ei_list_filter_passes(filter, item))
            ei_json_push(to, cJSON_DetachItemViaPointer(from, item));
    }
}

bool ei_list_fetch(const struct ei_cli *cli, const cJSON *states, const struct ei_list_filter *filter, cJSON *all,
                   int *ret_exit)
{
    char after[1024] = "";

    for (;;) {
        cJSON *parameters = cJSON_CreateObject();
        cJSON *page = NULL;
        if (cJSON_GetArraySize(states) != 0)
            ei_json_add_item(parameters, "states", cJSON_Duplicate(states, true));
        ei_add_text(parameters, "after", *after != '\0' ? after : NULL);
        if (!ei_call(cli, "List", parameters, EI_ANSWER_MS, "list", &page, ret_exit))
            return false;
        move_items(cJSON_GetObjectItemCaseSensitive(page, "accounts"), all, filter);
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

static int print(const struct ei_cli *cli, const struct ei_args *args, cJSON *accounts,
                 const struct ei_list_columns *columns)
{
    bool bare = ei_args_has(args, "no-header");
    struct ei_table table = {.columns = columns->columns, .count = columns->count, .bare = bare};

    if (cli->json) {
        ei_print_json(accounts);
        return EI_EXIT_DONE;
    }
    ei_list_columns_prepare(accounts);
    if (ei_args_has(args, "csv"))
        print_csv(accounts, columns, bare);
    else
        ei_table_print(cli, &table, accounts);
    return EI_EXIT_DONE;
}

static int list(const struct ei_cli *cli, const struct ei_args *args, const cJSON *states,
                const struct ei_list_filter *filter)
{
    struct ei_list_columns columns;
    struct ei_list_order order;
    int exit_code = EI_EXIT_DONE;

    if (!ei_list_columns_read(args, ei_args_has(args, "csv"), &columns) || !ei_list_order_read(args, &order))
        return EI_EXIT_USAGE;
    cJSON *accounts = cJSON_CreateArray();
    if (ei_list_fetch(cli, states, filter, accounts, &exit_code)) {
        if (ei_list_sort(accounts, &order)) {
            exit_code = print(cli, args, accounts, &columns);
        } else {
            exit_code = ei_say_no_memory("list");
        }
    }
    ei_varlink_free(accounts);
    return exit_code;
}

int ei_verb_list(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_list_filter filter;
    int exit_code = EI_EXIT_USAGE;

    if (ei_args_has(args, "csv") && cli->json)
        return ei_usage_error(args->verb, "--json and --csv exclude each other");
    if (cli->json && (ei_args_has(args, "columns") || ei_args_has(args, "no-header")))
        return ei_usage_error(args->verb, "--columns and --no-header are for tables and --csv; JSON has every member");
    if (!ei_list_filter_read(args, &filter))
        return EI_EXIT_USAGE;
    if (ei_args_has(args, "tenant")) {
        exit_code = ei_list_tenant(cli, args, &filter);
    } else {
        cJSON *states = ei_list_states(args);
        if (states != NULL)
            exit_code = list(cli, args, states, &filter);
        cJSON_Delete(states);
    }
    ei_list_filter_clear(&filter);
    return exit_code;
}

/* list --tenant: the guests of the tenant that this host did not invite, as they come; however many there are, one page
 * of them is held. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/list_rows.h"
#include "plugin/cli/table.h"

/* entra-invited says so often that it goes on (request_tenant.c), and this is more than twice as long. */
enum { NEXT_MS = 90 * 1000 };

static const char *const csv_columns[] = {
    "id",
    "displayName",
    "mail",
    "userPrincipalName",
    "userType",
    "creationType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "accountEnabled",
};
enum { CSV_COLUMNS = sizeof csv_columns / sizeof csv_columns[0] };

static const struct ei_column columns[] = {
    {"EMAIL", "mail", "userPrincipalName", EI_CELL_TEXT, false},
    {"EXTERNAL STATE", "externalUserState", NULL, EI_CELL_TEXT, false},
    {"SINCE", "externalUserStateChangeDateTime", NULL, EI_CELL_TIME, false},
    {"NAME", "displayName", NULL, EI_CELL_TEXT, false},
    {"USER PRINCIPAL NAME", "userPrincipalName", NULL, EI_CELL_TEXT, true},
};

struct stream {
    const struct ei_cli *cli;
    const struct ei_list_filter *filter;
    bool bare;
    bool csv;
    bool counts; /* on a terminal, while the rows go elsewhere */
    struct ei_table table;
    bool begun; /* something was printed */
    uint64_t count;
};

/* Not before there is an answer: an error alone prints nothing here. */
static void begin(struct stream *stream)
{
    if (stream->begun)
        return;
    stream->begun = true;
    if (stream->cli->json) {
        fputs("[", stdout);
    } else if (stream->csv && !stream->bare) {
        ei_csv_heading(csv_columns, CSV_COLUMNS);
        putchar('\n');
    }
}

static void print_json(struct stream *stream, const cJSON *users)
{
    const cJSON *user;

    cJSON_ArrayForEach(user, users)
    {
        char *text = cJSON_PrintUnformatted(user);
        if (text != NULL)
            printf("%s\n  %s", stream->count != 0 ? "," : "", text);
        free(text);
        stream->count++;
    }
}

static void print_csv(struct stream *stream, const cJSON *users)
{
    const cJSON *user;

    cJSON_ArrayForEach(user, users)
    {
        ei_csv_members(user, csv_columns, CSV_COLUMNS);
        putchar('\n');
        stream->count++;
    }
}

static void print_users(struct stream *stream, const cJSON *users)
{
    begin(stream);
    if (stream->cli->json) {
        print_json(stream, users);
    } else if (stream->csv) {
        print_csv(stream, users);
    } else if (cJSON_GetArraySize(users) != 0 || !stream->table.begun) {
        ei_table_print(stream->cli, &stream->table, users);
        stream->count += (uint64_t)cJSON_GetArraySize(users);
    }
}

/* Those that are wanted, which stay the reply's. */
static cJSON *wanted(const struct stream *stream, const cJSON *users)
{
    cJSON *list = cJSON_CreateArray();
    cJSON *user = NULL;

    cJSON_ArrayForEach(user, users)
    {
        if (ei_list_filter_passes(stream->filter, user))
            cJSON_AddItemReferenceToArray(list, user);
    }
    return list;
}

static int on_reply(void *context, const cJSON *reply)
{
    struct stream *stream = context;
    cJSON *users = wanted(stream, ei_json_array(reply, "users"));
    const char *hold = ei_json_string(reply, "holdUntil");
    char time[EI_TIME_LOCAL_TEXT];

    if (cJSON_GetArraySize(users) != 0)
        print_users(stream, users);
    (void)fflush(stdout); /* who waits for the next page sees this one */
    if (stream->counts)
        fprintf(stderr, "\r\033[K%" PRIu64 " guests%s%s", stream->count,
                hold != NULL ? "; Microsoft Graph asks to wait until " : "",
                hold != NULL ? ei_local_time(hold, time) : "");
    cJSON_Delete(users);
    return NEXT_MS;
}

/* An array that is not closed is no JSON: nobody can take a part of the list for all of it. */
static void end(struct stream *stream, const cJSON *last)
{
    cJSON *users = wanted(stream, ei_json_array(last, "users"));

    print_users(stream, users);
    cJSON_Delete(users);
    if (stream->cli->json)
        puts(stream->count != 0 ? "\n]" : "]");
}

static bool read_state(const struct ei_args *args, const char **ret_state)
{
    size_t given = 0;

    for (size_t i = 0; i < args->given_count; i++)
        given += strcmp(args->given[i].name, "state") == 0;
    *ret_state = ei_args_get(args, "state");
    if (given > 1) {
        ei_usage_error(args->verb, "with --tenant, --state can be given once");
        return false;
    }
    if (*ret_state == NULL || strcmp(*ret_state, "pending") == 0 || strcmp(*ret_state, "accepted") == 0 ||
        strcmp(*ret_state, "none") == 0)
        return true;
    ei_usage_error(args->verb, "--state %.32s: a guest of the tenant is pending, accepted or none", *ret_state);
    return false;
}

/* What cannot be had of a list that goes by, or of people without an account here. */
static bool options_fit(const struct ei_args *args)
{
    static const struct {
        const char *option;
        const char *why;
    } refused[] = {
        {"sort", "the guests of a tenant are printed as Microsoft Graph gives them; sort what --csv prints"},
        {"columns", "the columns are those of the directory; choose from what --csv prints"},
        {"rule", "a guest of the tenant is not known here, and has no rule"},
    };

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (ei_args_has(args, refused[i].option)) {
            ei_usage_error(args->verb, "--%s with --tenant: %s", refused[i].option, refused[i].why);
            return false;
        }
    }
    for (size_t i = 0; i < args->operand_count; i++) {
        if (strchr(args->operands[i], '@') == NULL) {
            ei_usage_error(args->verb, "%.64s with --tenant: takes a pattern of addresses, such as '*@fabrikam.com'",
                           args->operands[i]);
            return false;
        }
    }
    return true;
}

int ei_list_tenant(const struct ei_cli *cli, const struct ei_args *args, const struct ei_list_filter *filter)
{
    bool bare = ei_args_has(args, "no-header");
    struct stream stream = {
        .cli = cli,
        .filter = filter,
        .bare = bare,
        .csv = ei_args_has(args, "csv"),
        .counts = cli->progress && !cli->terminal,
        .table = {.columns = columns, .count = sizeof columns / sizeof columns[0], .bare = bare},
    };
    const char *state;
    struct ei_error err;
    cJSON *last = NULL;
    int exit_code = EI_EXIT_DONE;

    if (!options_fit(args) || !read_state(args, &state))
        return EI_EXIT_USAGE;
    cJSON *parameters = cJSON_CreateObject();
    ei_add_text(parameters, "state", state);
    ei_error_clear(&err);
    enum ei_err result =
        ei_client_call_more(cli->socket_path, "ListTenant", parameters, NEXT_MS, on_reply, &stream, &last, &err);
    if (stream.counts)
        fputs("\r\033[K", stderr);
    if (result == EI_OK)
        end(&stream, last);
    else
        exit_code = ei_say_error("list --tenant", &err);
    ei_varlink_free(last);
    cJSON_Delete(parameters);
    return exit_code;
}

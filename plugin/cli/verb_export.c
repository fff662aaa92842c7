/* export: who is known, as a file that import reads; and the user map of himmelblau. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buffer.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/config/config.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/csv.h"
#include "plugin/cli/import_check.h"
#include "plugin/cli/table.h"

/* --- CSV --- */

/* As --sponsor takes it: what is sent is "users/ID" or "groups/ID". */
static bool add_sponsor(struct ei_buffer *out, const char *sponsor)
{
    const char *user = ei_sponsor_user(sponsor);
    bool group = strncmp(sponsor, "groups/", 7) == 0;

    return (out->length == 0 || ei_buffer_append_text(out, ";")) && (!group || ei_buffer_append_text(out, "group:")) &&
           ei_buffer_append_text(out, user != NULL ? user : sponsor + (group ? 7 : 0));
}

/* false when out of memory. */
static bool join_sponsors(const cJSON *asked, struct ei_buffer *out)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, ei_json_array(asked, "sponsors"))
    {
        if (cJSON_IsString(item) && !add_sponsor(out, item->valuestring))
            return false;
    }
    return true;
}

static const char *boolean(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsBool(item) ? (cJSON_IsTrue(item) ? "true" : "false") : NULL;
}

/* What somebody asked for; the settings of the rule stay the rule's. Only the name is also taken from what was sent: it
 * may be that of the account. */
static const char *value_of(const cJSON *account, enum ei_import_column column)
{
    const cJSON *asked = ei_json_object(account, "asked");
    const char *value = ei_json_string(asked, ei_import_parameter(column));

    switch (column) {
    case EI_IMPORT_EMAIL:
    case EI_IMPORT_LOGIN:
        return ei_json_string(account, ei_import_parameter(column));
    case EI_IMPORT_RULE:
        return value == NULL && ei_json_string(account, "login") == NULL ? ei_json_string(account, "rule") : value;
    case EI_IMPORT_DISPLAY_NAME:
        return value != NULL ? value : ei_json_string(ei_json_object(account, "invitation"), "invitedUserDisplayName");
    case EI_IMPORT_SEND_MESSAGE:
        return boolean(asked, ei_import_parameter(column));
    default:
        return value;
    }
}

static bool print_row(const cJSON *account)
{
    struct ei_buffer sponsors;
    bool whole;

    ei_buffer_init(&sponsors, EI_SPONSORS_TEXT_MAX);
    whole = join_sponsors(ei_json_object(account, "asked"), &sponsors);
    for (size_t i = 0; i < EI_IMPORT_COLUMNS && whole; i++) {
        if (i != 0)
            putchar(',');
        ei_csv_cell(i == EI_IMPORT_SPONSORS ? sponsors.data : value_of(account, i));
    }
    putchar('\n');
    ei_buffer_free(&sponsors);
    return whole;
}

/* Who has no address cannot be imported, and who was removed is not to come back by it. */
static bool is_wanted(const cJSON *account, bool removed_too)
{
    const char *state = ei_json_string(account, "state");
    bool removed = ei_text_same(state, "removed");

    return ei_json_string(account, "email") != NULL && (!removed || removed_too);
}

static int print_csv(const cJSON *accounts, bool removed_too)
{
    const cJSON *account;

    for (size_t i = 0; i < EI_IMPORT_COLUMNS; i++)
        printf("%s%s", i != 0 ? "," : "", ei_import_column_name(i));
    putchar('\n');
    cJSON_ArrayForEach(account, accounts)
    {
        if (is_wanted(account, removed_too) && !print_row(account)) {
            fputs("entra-invite: export: out of memory; the output is not whole\n", stderr);
            return EI_EXIT_FAILED;
        }
    }
    return EI_EXIT_DONE;
}

/* --- himmelblau --- */

struct mapping {
    const char *login;
    const char *name; /* userPrincipalName, NULL: not known yet */
    size_t place;
    bool twice; /* somebody before it has the same name: himmelblau takes the first */
};

static int by_name(const void *a, const void *b)
{
    const struct mapping *one = a;
    const struct mapping *other = b;
    int order = strcasecmp(one->name != NULL ? one->name : "", other->name != NULL ? other->name : "");

    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

static int by_place(const void *a, const void *b)
{
    const struct mapping *one = a;
    const struct mapping *other = b;

    return (one->place > other->place) - (one->place < other->place);
}

static void find_doubles(struct mapping *mappings, size_t count)
{
    if (count == 0)
        return;
    qsort(mappings, count, sizeof *mappings, by_name);
    for (size_t i = 1; i < count; i++)
        mappings[i].twice = mappings[i].name != NULL && mappings[i - 1].name != NULL &&
                            strcasecmp(mappings[i].name, mappings[i - 1].name) == 0;
    qsort(mappings, count, sizeof *mappings, by_place);
}

/* Its lines are split at the first ':', both halves lose the blanks around them, '#' begins a comment. */
static bool fits_map(const struct mapping *mapping)
{
    return mapping->login[0] != '#' && strpbrk(mapping->login, ": \t") == NULL && ei_utf8_printable(mapping->login) &&
           strpbrk(mapping->name, " \t") == NULL && ei_utf8_printable(mapping->name);
}

static bool left_out(const struct mapping *mapping, const char *why)
{
    struct ei_error err;

    ei_fail(&err, EI_STATE, "%.256s: left out: %s", mapping->login, why);
    fprintf(stderr, "entra-invite: export: %s\n", err.message);
    return false;
}

static bool print_mapping(const struct mapping *mapping)
{
    if (mapping->name == NULL)
        return left_out(mapping, "its user principal name is not known yet");
    if (!fits_map(mapping))
        return left_out(mapping, "login or user principal name cannot stand in a user map");
    if (mapping->twice)
        return left_out(mapping, "another login is the same user, and himmelblau takes one");
    printf("%s:%s\n", mapping->login, mapping->name);
    return true;
}

static int print_map(const cJSON *accounts)
{
    struct mapping *mappings = calloc((size_t)cJSON_GetArraySize(accounts) + 1, sizeof *mappings);
    const cJSON *account;
    bool whole = mappings != NULL;
    size_t count = 0;

    cJSON_ArrayForEach(account, accounts)
    {
        const char *login = ei_json_string(account, "login");
        if (login == NULL || mappings == NULL)
            continue;
        mappings[count] = (struct mapping){.login = login, .place = count};
        mappings[count++].name = ei_json_string(account, "userPrincipalName");
    }
    find_doubles(mappings, count);
    for (size_t i = 0; i < count; i++)
        whole &= print_mapping(&mappings[i]);
    free(mappings);
    return whole ? EI_EXIT_DONE : EI_EXIT_FAILED;
}

int ei_verb_export(const struct ei_cli *cli, const struct ei_args *args)
{
    bool map = ei_args_has(args, "himmelblau");
    int exit_code = EI_EXIT_DONE;

    if (cli->json)
        return ei_usage_error(args->verb, "--json: has no JSON; list --json has");
    if (map && (ei_args_has(args, "csv") || ei_args_has(args, "state")))
        return ei_usage_error(args->verb, "--himmelblau takes neither --csv nor --state");
    cJSON *states = ei_list_states(args);
    if (states == NULL)
        return EI_EXIT_USAGE;
    if (map)
        ei_json_push(states, cJSON_CreateString("accepted"));
    cJSON *accounts = cJSON_CreateArray();
    if (ei_list_fetch(cli, states, NULL, accounts, &exit_code))
        exit_code = map ? print_map(accounts) : print_csv(accounts, cJSON_GetArraySize(states) != 0);
    ei_varlink_free(accounts);
    cJSON_Delete(states);
    return exit_code;
}

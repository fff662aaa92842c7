/* show: all that is known of one account, its redeem URL included (root only, over the socket). */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

static void print_groups(const cJSON *groups)
{
    const cJSON *group;

    cJSON_ArrayForEach(group, groups)
    {
        char local[EI_TIME_LOCAL_TEXT];
        const cJSON *error = ei_json_object(group, "error");
        const char *added_at = ei_json_string(group, "addedAt");
        printf("entraGroup: ");
        ei_print_text(ei_json_string(group, "id") != NULL ? ei_json_string(group, "id") : "");
        printf(", %s", added_at != NULL ? "member since " : "not yet a member");
        ei_print_text(added_at != NULL ? ei_local_time(added_at, local) : "");
        putchar('\n');
        ei_print_error_object(error);
    }
}

/* By the names of the interface: requestedAt, externalUserStateChangeDateTime … */
static bool is_time(const char *name)
{
    size_t length = strlen(name);
    return (length > 2 && strcmp(name + length - 2, "At") == 0) ||
           (length > 8 && strcmp(name + length - 8, "DateTime") == 0);
}

int ei_verb_show(const struct ei_cli *cli, const struct ei_args *args)
{
    cJSON *parameters = ei_target(args, args->operands[0]);
    cJSON *reply = NULL;
    int exit_code = EI_EXIT_USAGE;

    if (parameters == NULL)
        return EI_EXIT_USAGE;
    if (!ei_call(cli, "Show", parameters, EI_ANSWER_MS, args->operands[0], &reply, &exit_code))
        return exit_code;
    const cJSON *account = ei_json_object(reply, "account");
    if (cli->json) {
        ei_print_json(account);
    } else {
        for (const cJSON *item = account != NULL ? account->child : NULL; item != NULL; item = item->next)
            (is_time(item->string) ? ei_print_time : ei_print_field)(item->string, cJSON_GetStringValue(item));
        print_groups(ei_json_array(account, "entraGroups"));
        ei_print_error_object(ei_json_object(account, "error"));
    }
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

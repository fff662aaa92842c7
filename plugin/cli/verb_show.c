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

/* Members with a text, a truth or a list of texts, one line each; a member within a member as "outer.inner". */
static void print_members(const char *prefix, const cJSON *object)
{
    char key[128];

    for (const cJSON *item = object != NULL ? object->child : NULL; item != NULL; item = item->next) {
        snprintf(key, sizeof key, "%s%s", prefix, item->string);
        if (cJSON_IsBool(item))
            ei_print_field(key, cJSON_IsTrue(item) ? "true" : "false");
        else
            ei_print_field(key, cJSON_GetStringValue(item));
    }
}

static void print_texts(const char *key, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        ei_print_field(key, cJSON_GetStringValue(item));
    }
}

static void print_invitation(const cJSON *invitation)
{
    const cJSON *info = ei_json_object(invitation, "invitedUserMessageInfo");
    const cJSON *recipient = cJSON_GetArrayItem(ei_json_array(info, "ccRecipients"), 0);

    print_members("invitation.", invitation);
    print_members("invitation.invitedUserMessageInfo.", info);
    ei_print_field("invitation.invitedUserMessageInfo.ccRecipients",
                   ei_json_string(ei_json_object(recipient, "emailAddress"), "address"));
    print_texts("invitation.invitedUserSponsors", ei_json_array(invitation, "invitedUserSponsors"));
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
        print_invitation(ei_json_object(account, "invitation"));
        print_texts("warning", ei_json_array(account, "warnings"));
        ei_print_error_object(ei_json_object(account, "error"));
    }
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

/* reset: the guest redeems anew, by another address if wanted. */
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum {
    WAIT_DEFAULT_S = 60,
    WAIT_MAX_S = 3600,
    ASKING_MS = 90 * 1000, /* it asks Graph about the guest first */
};

/* Not done after all (what the look before it could not see): the account stands as it did, with the reason. */
static int waited_exit(const cJSON *account)
{
    return ei_json_object(account, "error") != NULL ? EI_EXIT_FAILED : ei_outcome_exit(account);
}

int ei_verb_reset(const struct ei_cli *cli, const struct ei_args *args)
{
    const char *target = args->operands[0];
    const char *email = ei_args_get(args, "email");
    cJSON *reply = NULL;
    int seconds = 0;
    int exit_code = EI_EXIT_USAGE;

    if (!ei_args_seconds(args, "wait", WAIT_DEFAULT_S, WAIT_MAX_S, &seconds))
        return EI_EXIT_USAGE;
    if (email != NULL && !ei_utf8_printable(email))
        return ei_usage_error(args->verb, "--email: not one line of UTF-8");
    cJSON *parameters = ei_target(args, target);
    if (parameters == NULL)
        return EI_EXIT_USAGE;
    ei_add_text(parameters, "email", email);
    ei_add_requested_by(parameters);
    if (!ei_call(cli, "Reset", parameters, ASKING_MS, target, &reply, &exit_code))
        return exit_code;
    exit_code = EI_EXIT_DONE;
    if (ei_args_has(args, "wait")) {
        if (!ei_outcome_wait(cli, target, seconds, &reply, &exit_code))
            goto out;
        exit_code = waited_exit(ei_json_object(reply, "account"));
    }
    ei_print_account(cli, ei_json_object(reply, "account"));
out:
    ei_varlink_free(reply);
    return exit_code;
}

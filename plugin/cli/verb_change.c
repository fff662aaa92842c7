/* adopt, resend, remove, restore, refresh: what an admin decides. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum { REFRESH_DEFAULT_S = 60, REFRESH_MAX_S = 3600, GRACE_MS = 5000 };

static cJSON *adopt_parameters(const struct ei_args *args)
{
    cJSON *parameters = cJSON_CreateObject();

    ei_add_requested_by(parameters);
    ei_add_text(parameters, "rule", ei_args_get(args, "rule"));
    if (args->operand_count != 0) {
        cJSON *logins = cJSON_AddArrayToObject(parameters, "logins");
        for (size_t i = 0; i < args->operand_count; i++) {
            cJSON *checked = ei_target(args, args->operands[i]);
            if (checked == NULL) {
                cJSON_Delete(parameters);
                return NULL;
            }
            cJSON_Delete(checked);
            ei_json_push(logins, cJSON_CreateString(args->operands[i]));
        }
    }
    if (ei_args_has(args, "dry-run"))
        cJSON_AddTrueToObject(parameters, "dryRun");
    return parameters;
}

int ei_verb_adopt(const struct ei_cli *cli, const struct ei_args *args)
{
    bool mail = args->operand_count == 0 && !ei_args_has(args, "rule");
    bool dry_run = ei_args_has(args, "dry-run");
    cJSON *reply = NULL;
    int exit_code = EI_EXIT_USAGE;

    if (args->operand_count != 0 && ei_args_has(args, "rule"))
        return ei_usage_error(args->verb, "--rule and LOGIN exclude each other");
    cJSON *parameters = adopt_parameters(args);
    if (parameters == NULL)
        return EI_EXIT_USAGE;
    if (!ei_call(cli, "Adopt", parameters, EI_ANSWER_MS, "adopt", &reply, &exit_code))
        return exit_code;
    const cJSON *accounts = ei_json_array(reply, "accounts");
    int64_t count = cJSON_GetArraySize(accounts);
    (void)ei_json_int(reply, "total", &count);
    if (cli->json) {
        ei_print_json(accounts);
    } else if (mail) {
        puts(dry_run ? "mail would no longer be held" : "mail is no longer held");
    } else {
        const cJSON *account = NULL;
        cJSON_ArrayForEach(account, accounts)
        {
            ei_print_account(cli, account);
        }
        printf("%" PRId64 " %s%s\n", count, count == 1 ? "account" : "accounts", dry_run ? " would go on" : " adopted");
    }
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

/* A method that takes a target and answers with its account. */
static int change_one(const struct ei_cli *cli, const struct ei_args *args, const char *method)
{
    cJSON *parameters = ei_target(args, args->operands[0]);
    cJSON *reply = NULL;
    int exit_code = EI_EXIT_USAGE;

    if (parameters == NULL)
        return EI_EXIT_USAGE;
    ei_add_requested_by(parameters);
    if (!ei_call(cli, method, parameters, EI_ANSWER_MS, args->operands[0], &reply, &exit_code))
        return exit_code;
    ei_print_account(cli, ei_json_object(reply, "account"));
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

int ei_verb_resend(const struct ei_cli *cli, const struct ei_args *args)
{
    return change_one(cli, args, "Resend");
}

int ei_verb_restore(const struct ei_cli *cli, const struct ei_args *args)
{
    return change_one(cli, args, "Restore");
}

static cJSON *remove_parameters(const struct ei_args *args)
{
    bool confirm = ei_args_has(args, "confirm");
    bool disable = ei_args_has(args, "disable");
    bool delete = ei_args_has(args, "delete");
    bool forget = ei_args_has(args, "forget");

    if (disable && delete) {
        ei_usage_error(args->verb, "--disable and --delete exclude each other");
        return NULL;
    }
    if (confirm && (args->operand_count != 0 || disable || delete || forget)) {
        ei_usage_error(args->verb, "--confirm stands alone");
        return NULL;
    }
    if (!confirm && args->operand_count == 0) {
        ei_usage_error(args->verb, "takes LOGIN|ADDRESS or --confirm");
        return NULL;
    }
    cJSON *parameters = confirm ? cJSON_CreateObject() : ei_target(args, args->operands[0]);
    if (parameters == NULL)
        return NULL;
    ei_add_requested_by(parameters);
    if (disable || delete)
        ei_add_text(parameters, "action", disable ? "disable" : "delete");
    if (forget)
        cJSON_AddTrueToObject(parameters, "forget");
    if (confirm)
        cJSON_AddTrueToObject(parameters, "confirm");
    return parameters;
}

int ei_verb_remove(const struct ei_cli *cli, const struct ei_args *args)
{
    const char *what = args->operand_count != 0 ? args->operands[0] : "remove";
    cJSON *parameters = remove_parameters(args);
    cJSON *reply = NULL;
    int exit_code = EI_EXIT_USAGE;

    if (parameters == NULL)
        return EI_EXIT_USAGE;
    if (!ei_call(cli, "Remove", parameters, EI_ANSWER_MS, what, &reply, &exit_code))
        return exit_code;
    const cJSON *account = ei_json_object(reply, "account");
    if (account != NULL)
        ei_print_account(cli, account);
    else if (cli->json)
        puts("null");
    else
        puts(args->operand_count != 0 ? "removed and forgotten" : "confirmed");
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

static int print_refresh(const struct ei_cli *cli, const cJSON *reply, bool wait)
{
    const cJSON *error = ei_json_object(reply, "error");
    bool done = ei_json_bool(reply, "done", false);

    if (cli->json) {
        ei_print_json(reply);
    } else {
        puts(error != NULL ? "not everything is refreshed" : done ? "refreshed" : "refreshing");
        ei_print_error_object(error);
    }
    if (error != NULL)
        return EI_EXIT_FAILED;
    return wait && !done ? EI_EXIT_NOT_YET : EI_EXIT_DONE;
}

int ei_verb_refresh(const struct ei_cli *cli, const struct ei_args *args)
{
    bool wait = ei_args_has(args, "wait");
    cJSON *reply = NULL;
    int seconds = 0;
    int exit_code = EI_EXIT_USAGE;

    if (!ei_args_seconds(args, "wait", REFRESH_DEFAULT_S, REFRESH_MAX_S, &seconds))
        return EI_EXIT_USAGE;
    cJSON *parameters = cJSON_CreateObject();
    if (wait) {
        cJSON_AddTrueToObject(parameters, "wait");
        cJSON_AddNumberToObject(parameters, "timeout", seconds * 1000.0);
    }
    if (wait && cli->progress)
        fputs("asking Microsoft Graph …", stderr);
    bool answered = ei_call(cli, "Refresh", parameters, wait ? seconds * 1000 + GRACE_MS : EI_ANSWER_MS, "refresh",
                            &reply, &exit_code);
    if (wait && cli->progress)
        fputs("\r\033[K", stderr);
    if (!answered)
        return exit_code;
    exit_code = print_refresh(cli, reply, wait);
    ei_varlink_free(reply);
    return exit_code;
}

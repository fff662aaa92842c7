/* status: one account's state as a word and an exit code, or the worker's own. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

static int status_error(const char *what, const struct ei_error *err)
{
    ei_say_error(what, err);
    return err->code == EI_NOT_FOUND ? 3 : EI_EXIT_STATUS_ERROR;
}

static void print_counts(const cJSON *counts)
{
    for (const cJSON *item = counts != NULL ? counts->child : NULL; item != NULL; item = item->next)
        if (cJSON_IsNumber(item))
            printf("%s: %.0f\n", item->string, item->valuedouble);
}

static void print_trouble(const char *name, const cJSON *error)
{
    if (error == NULL)
        return;
    ei_print_field(name, ei_json_string(error, "message"));
    ei_print_field("mend", ei_json_string(error, "mend"));
    ei_print_field("request-id", ei_json_string(error, "requestId"));
    ei_print_field("client-request-id", ei_json_string(error, "clientRequestId"));
}

/* "delta since …: 603 guests, 3 pending, 4 units a round; why" */
static void print_redemption(const cJSON *redemption)
{
    const char *method = ei_json_string(redemption, "method");
    const char *reason = ei_json_string(redemption, "reason");
    const char *since = ei_json_string(redemption, "since");
    char local[EI_TIME_LOCAL_TEXT];
    int64_t guests = 0;
    int64_t pending = 0;
    int64_t cost = 0;

    if (method == NULL || reason == NULL || !ei_json_int(redemption, "guests", &guests) ||
        !ei_json_int(redemption, "pending", &pending) || !ei_json_int(redemption, "costPerRound", &cost))
        return;
    printf("redemption: %s%s%s; %" PRId64 " guests, %" PRId64 " pending, %" PRId64 " units a round; ", method,
           since != NULL ? " since " : "", since != NULL ? ei_local_time(since, local) : "", guests, pending, cost);
    ei_print_text(reason);
    putchar('\n');
}

static void print_worker(const cJSON *status)
{
    const cJSON *note = NULL;

    ei_print_field("status", ei_json_string(status, "status"));
    ei_print_field("tenant", ei_json_string(status, "tenant"));
    ei_print_field("signed in as", ei_json_string(status, "signedInAs"));
    ei_print_time("token renewed", ei_json_string(status, "tokenRenewedAt"));
    ei_print_time("credential expires", ei_json_string(status, "credentialExpiresAt"));
    print_counts(ei_json_object(status, "counts"));
    print_trouble("blocked", ei_json_object(status, "blocked"));
    print_trouble("trouble", ei_json_object(status, "trouble"));
    print_trouble("doubt", ei_json_object(status, "doubt"));
    ei_print_time("holds until", ei_json_string(status, "holdUntil"));
    if (ei_json_bool(status, "mailHeld", false))
        ei_print_field("mail", "held (a clone or a restored image?); entra-invite adopt lets it go");
    ei_print_time("last refresh", ei_json_string(status, "lastRefresh"));
    print_redemption(ei_json_object(status, "redemption"));
    cJSON_ArrayForEach(note, ei_json_array(status, "notes"))
    {
        ei_print_field("note", cJSON_GetStringValue(note));
    }
}

static int worker_status(const struct ei_cli *cli)
{
    struct ei_error err;
    cJSON *status = NULL;

    ei_error_clear(&err);
    enum ei_err result = ei_client_call(cli->socket_path, "Status", NULL, EI_ANSWER_MS, &status, &err);
    /* Whoever may not ask gets an answer about itself. */
    if (result == EI_NOT_ROOT || (result != EI_OK && geteuid() != 0))
        return ei_status_from_view(cli, NULL);
    if (result != EI_OK)
        return status_error("status", &err);
    if (cli->json)
        ei_print_json(status);
    else
        print_worker(status);
    bool trouble = ei_json_object(status, "blocked") != NULL || ei_json_object(status, "trouble") != NULL ||
                   ei_json_object(status, "doubt") != NULL;
    ei_varlink_free(status);
    return trouble ? 2 : 0;
}

int ei_verb_status(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_error err;
    cJSON *reply = NULL;

    if (ei_args_has(args, "list-logins") && args->operand_count != 0)
        return ei_usage_error(args->verb, "--list-logins takes no LOGIN");
    if (ei_args_has(args, "list-logins"))
        return ei_status_logins(cli);
    if (args->operand_count == 0)
        return worker_status(cli);
    const char *target = args->operands[0];
    cJSON *parameters = ei_target(args, target);
    if (parameters == NULL)
        return EI_EXIT_STATUS_ERROR;
    ei_error_clear(&err);
    enum ei_err result = ei_client_call(cli->socket_path, "Show", parameters, EI_ANSWER_MS, &reply, &err);
    cJSON_Delete(parameters);
    if (result == EI_NOT_ROOT || result == EI_WORKER_DOWN) {
        if (geteuid() == 0)
            fputs("entra-invite: entra-invited does not answer; this is what it published last\n", stderr);
        return ei_status_from_view(cli, target);
    }
    if (result != EI_OK)
        return status_error(target, &err);

    const cJSON *account = ei_json_object(reply, "account");
    const char *state = ei_json_string(account, "state");
    if (cli->json) {
        ei_print_json(account);
    } else {
        ei_print_who(account);
        fputs(": ", stdout);
        ei_print_state(cli, state != NULL ? state : "unknown");
        putchar('\n');
        ei_print_time("checked", ei_json_string(account, "checkedAt"));
        ei_print_error_object(ei_json_object(account, "error"));
    }
    int exit_code = state != NULL ? ei_state_exit(state) : EI_EXIT_STATUS_ERROR;
    ei_varlink_free(reply);
    return exit_code;
}

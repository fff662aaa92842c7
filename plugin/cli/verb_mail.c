/* mail: the message with the redeem URL, to look at, to pass on, or sent once more. */
#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum {
    WAIT_DEFAULT_S = 60,
    WAIT_MAX_S = 3600,
    POLL_MS = 200,
};

static bool under_way(const cJSON *account)
{
    const char *mail = ei_json_string(account, "mail");

    return (ei_text_same(mail, "wanted") || ei_text_same(mail, "sending")) && ei_json_object(account, "error") == NULL;
}

/* Until it is sent, or known why it is not. */
static bool follow(const struct ei_cli *cli, const char *target, int seconds, cJSON **reply, int *ret_exit)
{
    int64_t until = ei_monotonic_ms() + (int64_t)seconds * 1000;

    while (under_way(ei_json_object(*reply, "account")) && ei_monotonic_ms() < until) {
        struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
        cJSON *parameters = cJSON_CreateObject();
        nanosleep(&pause, NULL);
        ei_add_text(parameters, "target", target);
        ei_varlink_free(*reply);
        *reply = NULL;
        if (!ei_call(cli, "Show", parameters, EI_ANSWER_MS, target, reply, ret_exit))
            return false;
    }
    return true;
}

static int sent_exit(const cJSON *account)
{
    const char *mail = ei_json_string(account, "mail");

    if (under_way(account))
        return EI_EXIT_NOT_YET;
    return ei_text_same(mail, "sent") ? EI_EXIT_DONE : EI_EXIT_FAILED;
}

/* As a mail program would show it; the text ends with a line break of its own. */
static void print_message(const cJSON *reply)
{
    const cJSON *account = ei_json_object(reply, "account");

    ei_print_field("To", ei_json_string(account, "email"));
    ei_print_field("Subject", ei_json_string(reply, "subject"));
    putchar('\n');
    const char *body = ei_json_string(reply, "body");
    ei_print_lines(body != NULL ? body : "");
}

int ei_verb_mail(const struct ei_cli *cli, const struct ei_args *args)
{
    const char *target = args->operands[0];
    bool send = ei_args_has(args, "send");
    cJSON *reply = NULL;
    int seconds = 0;
    int exit_code = EI_EXIT_USAGE;

    if (!ei_args_seconds(args, "wait", WAIT_DEFAULT_S, WAIT_MAX_S, &seconds))
        return EI_EXIT_USAGE;
    if (ei_args_has(args, "wait") && !send)
        return ei_usage_error(args->verb, "--wait goes with --send");
    cJSON *parameters = ei_target(args, target);
    if (parameters == NULL)
        return EI_EXIT_USAGE;
    if (send) {
        cJSON_AddTrueToObject(parameters, "send");
        ei_add_requested_by(parameters);
    }
    if (!ei_call(cli, "Mail", parameters, EI_ANSWER_MS, target, &reply, &exit_code))
        return exit_code;
    exit_code = EI_EXIT_DONE;
    if (ei_args_has(args, "wait")) {
        if (!follow(cli, target, seconds, &reply, &exit_code))
            goto out;
        exit_code = sent_exit(ei_json_object(reply, "account"));
    }
    if (send)
        ei_print_account(cli, ei_json_object(reply, "account"));
    else if (cli->json)
        ei_print_json(reply);
    else
        print_message(reply);
out:
    ei_varlink_free(reply);
    return exit_code;
}

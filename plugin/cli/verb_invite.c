/* invite: the request. The waiting is a second thing (outcome.c; design, "The socket"). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/config/config.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum {
    MESSAGE_MAX = 64 * 1024,
    WAIT_DEFAULT_S = 60,
    WAIT_MAX_S = 3600,
    DRY_RUN_MS = 90 * 1000, /* it looks the address up in Graph */
};

static char *read_message(const struct ei_args *args, const char *path)
{
    char *text = malloc(MESSAGE_MAX + 2);
    size_t length = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (text != NULL && fd >= 0 && length <= MESSAGE_MAX) {
        got = read(fd, text + length, MESSAGE_MAX + 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    const char *reason = NULL;
    if (text == NULL)
        reason = "out of memory";
    else if (fd < 0 || got < 0)
        reason = strerror(errno);
    else if (length > MESSAGE_MAX)
        reason = "larger than 64 KiB";
    if (fd >= 0)
        close(fd);
    if (reason == NULL) {
        text[length] = '\0';
        if (!ei_utf8_text(text, length))
            reason = "not UTF-8 text, or with control characters in it";
    }
    if (reason == NULL)
        return text;
    ei_usage_error(args->verb, "--message-file %.200s: %s", path, reason);
    free(text);
    return NULL;
}

static size_t times(const struct ei_args *args, const char *option)
{
    size_t count = 0;

    for (size_t i = 0; i < args->given_count; i++)
        count += strcmp(args->given[i].name, option) == 0;
    return count;
}

static bool options_fit(const struct ei_args *args)
{
    const char *type = ei_args_get(args, "type");
    const char *deliver = ei_args_get(args, "deliver");
    enum ei_channel channel;
    struct ei_error err;

    if (ei_args_has(args, "message") && ei_args_has(args, "message-file"))
        return ei_usage_error(args->verb, "--message and --message-file exclude each other"), false;
    if (ei_args_has(args, "send-message") + ei_args_has(args, "no-send-message") + ei_args_has(args, "deliver") > 1)
        return ei_usage_error(args->verb, "--send-message, --no-send-message and --deliver exclude each other"), false;
    if (deliver != NULL && !ei_channel_from_name(deliver, &channel))
        return ei_usage_error(args->verb, "--deliver %.32s: takes none, microsoft, smtp or webhook", deliver), false;
    if (ei_args_has(args, "dry-run") && ei_args_has(args, "wait"))
        return ei_usage_error(args->verb, "--dry-run and --wait exclude each other"), false;
    if (times(args, "cc") > 1)
        return ei_usage_error(args->verb, "--cc: Microsoft Graph takes one cc recipient, not %zu", times(args, "cc")),
               false;
    if (ei_sponsors_count(times(args, "sponsor"), &err) != EI_OK)
        return ei_usage_error(args->verb, "--sponsor: %s", err.message), false;
    if (type != NULL && strcmp(type, "guest") != 0 && strcmp(type, "member") != 0)
        return ei_usage_error(args->verb, "--type %.32s: takes guest or member", type), false;
    return true;
}

/* The option's value as a parameter; false if it is no text that JSON can carry. */
static bool add_option(const struct ei_args *args, cJSON *parameters, const char *option, const char *name)
{
    const char *value = ei_args_get(args, option);

    if (value != NULL && !ei_utf8_text(value, strlen(value)))
        return ei_usage_error(args->verb, "--%s: not UTF-8 text, or with control characters in it", option), false;
    ei_add_text(parameters, name, value);
    return true;
}

/* As they were written; the worker reads them by the rules of the configuration. */
static bool add_sponsors(const struct ei_args *args, cJSON *parameters)
{
    cJSON *list = ei_args_has(args, "sponsor") ? cJSON_AddArrayToObject(parameters, "sponsors") : NULL;
    char sponsor[EI_SPONSOR_SIZE];
    struct ei_error err;

    for (size_t i = 0; i < args->given_count && list != NULL; i++) {
        if (strcmp(args->given[i].name, "sponsor") != 0)
            continue;
        if (ei_sponsor_read(args->given[i].value, sponsor, &err) != EI_OK)
            return ei_usage_error(args->verb, "--sponsor: %s", err.message), false;
        ei_json_push(list, cJSON_CreateString(args->given[i].value));
    }
    return true;
}

static bool add_settings(const struct ei_args *args, cJSON *parameters)
{
    static const struct {
        const char *option;
        const char *name;
    } texts[] = {
        {"rule", "rule"},       {"display-name", "displayName"}, {"redirect-url", "redirectUrl"},
        {"message", "message"}, {"language", "language"},        {"cc", "cc"},
        {"type", "type"},       {"deliver", "deliver"},
    };
    const char *file = ei_args_get(args, "message-file");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!add_option(args, parameters, texts[i].option, texts[i].name))
            return false;
    if (file != NULL) {
        char *text = read_message(args, file);
        if (text == NULL)
            return false;
        ei_add_text(parameters, "message", text);
        free(text);
    }
    if (ei_args_has(args, "send-message") || ei_args_has(args, "no-send-message"))
        cJSON_AddBoolToObject(parameters, "sendMessage", ei_args_has(args, "send-message"));
    if (ei_args_has(args, "dry-run"))
        cJSON_AddTrueToObject(parameters, "dryRun");
    ei_add_requester(parameters);
    return add_sponsors(args, parameters);
}

static void print_already(const cJSON *account)
{
    ei_print_who(account);
    puts(": already a guest");
}

int ei_verb_invite(const struct ei_cli *cli, const struct ei_args *args)
{
    const char *target = args->operands[0];
    bool dry_run = ei_args_has(args, "dry-run");
    cJSON *reply = NULL;
    int seconds = 0;
    int exit_code = EI_EXIT_USAGE;

    if (!options_fit(args) || !ei_args_seconds(args, "wait", WAIT_DEFAULT_S, WAIT_MAX_S, &seconds))
        return EI_EXIT_USAGE;
    cJSON *parameters = ei_target(args, target);
    if (parameters == NULL || !add_settings(args, parameters)) {
        cJSON_Delete(parameters);
        return EI_EXIT_USAGE;
    }
    if (!ei_call(cli, "Invite", parameters, dry_run ? DRY_RUN_MS : EI_ANSWER_MS, target, &reply, &exit_code))
        return exit_code;

    bool already = ei_json_bool(reply, "alreadyGuest", false);
    exit_code = EI_EXIT_DONE;
    if (ei_args_has(args, "wait") && !already) {
        if (!ei_outcome_wait(cli, target, seconds, &reply, &exit_code))
            goto out;
        exit_code = ei_outcome_exit(ei_json_object(reply, "account"));
    }
    if (cli->json)
        ei_print_json(dry_run ? reply : ei_json_object(reply, "account"));
    else if (ei_json_object(reply, "body") != NULL)
        ei_print_json(ei_json_object(reply, "body"));
    else if (already)
        print_already(ei_json_object(reply, "account"));
    else
        ei_print_account(cli, ei_json_object(reply, "account"));
out:
    ei_varlink_free(reply);
    return exit_code;
}

/* What people and programs read. Text from accounts and from Graph is escaped here, at the last write point (S16). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/secret.h"
#include "common/base/utf8.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"

static int error_exit(enum ei_err code)
{
    switch (code) {
    case EI_NOT_FOUND:
        return EI_EXIT_NOT_FOUND;
    case EI_WORKER_DOWN:
    case EI_NOT_ROOT:
    case EI_TIMEOUT:
    case EI_PROTOCOL:
    case EI_BUSY:
        return EI_EXIT_NO_ANSWER;
    case EI_USAGE:
        return EI_EXIT_USAGE;
    default:
        return EI_EXIT_FAILED;
    }
}

int ei_say_error(const char *what, const struct ei_error *err)
{
    struct ei_error shown;
    size_t length = strlen(what);
    bool named = strncmp(err->message, what, length) == 0 && strchr(": ", err->message[length]) != NULL;

    /* One line, whatever was typed: ei_fail replaces control characters. */
    ei_fail(&shown, err->code, "%s%s%s", named ? "" : what, named ? "" : ": ", err->message);
    fprintf(stderr, "entra-invite: %s\n", shown.message);
    if (err->request_id[0] != '\0')
        fprintf(stderr, "  request-id: %s\n", err->request_id);
    if (err->client_request_id[0] != '\0')
        fprintf(stderr, "  client-request-id: %s\n", err->client_request_id);
    fprintf(stderr, "  mend: %s\n", ei_err_mend(err->code));
    return error_exit(err->code);
}

int ei_say_no_memory(const char *what)
{
    struct ei_error err;

    ei_fail(&err, EI_NOMEM, "no memory");
    return ei_say_error(what, &err);
}

void ei_print_text(const char *text)
{
    while (*text != '\0') {
        size_t length = ei_utf8_length(text);
        if (length == 0 || ei_utf8_control(text)) {
            printf("\\x%02x", (unsigned char)*text++);
            continue;
        }
        fwrite(text, 1, length, stdout);
        text += length;
    }
}

void ei_print_lines(const char *text)
{
    for (size_t length; *text != '\0'; text += length) {
        length = strcspn(text, "\n");
        char *line = strndup(text, length);
        ei_print_text(line != NULL ? line : "");
        ei_free_erased(line); /* the redeem URL may stand in it */
        length += text[length] == '\n';
        putchar('\n');
    }
}

void ei_print_field(const char *key, const char *value)
{
    if (value == NULL)
        return;
    printf("%s: ", key);
    ei_print_text(value);
    putchar('\n');
}

const char *ei_local_time(const char *text, char out[EI_TIME_LOCAL_TEXT])
{
    int64_t t;

    if (!ei_time_parse(text, &t))
        return text;
    ei_time_format_local(t, out);
    return out;
}

void ei_print_time(const char *key, const char *value)
{
    char local[EI_TIME_LOCAL_TEXT];

    if (value != NULL)
        ei_print_field(key, ei_local_time(value, local));
}

void ei_print_json(const cJSON *value)
{
    char *text = cJSON_Print(value);

    if (text != NULL)
        puts(text);
    ei_free_erased(text);
}

void ei_print_json_line(const cJSON *value)
{
    char *text = ei_json_print(value);

    if (text != NULL)
        puts(text);
    ei_free_erased(text);
}

void ei_print_state(const struct ei_cli *cli, const char *state)
{
    static const struct {
        const char *state;
        const char *code;
    } colours[] = {{"accepted", "32"}, {"pending", "33"}, {"failed", "31"}, {"expired", "31"}};
    const char *code = NULL;

    for (size_t i = 0; i < sizeof colours / sizeof *colours && cli->colour; i++)
        if (strcmp(colours[i].state, state) == 0)
            code = colours[i].code;
    if (code != NULL)
        printf("\033[%sm", code);
    ei_print_text(state);
    if (code != NULL)
        fputs("\033[m", stdout);
}

void ei_print_who(const cJSON *account)
{
    const char *login = ei_json_string(account, "login");
    const char *email = ei_json_string(account, "email");

    if (login != NULL)
        ei_print_text(login);
    if (email != NULL) {
        fputs(login != NULL ? " <" : "", stdout);
        ei_print_text(email);
        fputs(login != NULL ? ">" : "", stdout);
    }
}

void ei_print_error_object(const cJSON *error)
{
    if (error == NULL)
        return;
    ei_print_field("error", ei_json_string(error, "code"));
    ei_print_field("reason", ei_json_string(error, "message"));
    ei_print_field("mend", ei_json_string(error, "mend"));
    ei_print_field("request-id", ei_json_string(error, "requestId"));
    ei_print_field("client-request-id", ei_json_string(error, "clientRequestId"));
}

void ei_print_account(const struct ei_cli *cli, const cJSON *account)
{
    const char *state = ei_json_string(account, "state");

    if (cli->json) {
        ei_print_json(account);
        return;
    }
    ei_print_who(account);
    fputs(": ", stdout);
    ei_print_state(cli, state != NULL ? state : "unknown");
    putchar('\n');
    ei_print_error_object(ei_json_object(account, "error"));
}

int ei_state_exit(const char *name)
{
    enum ei_state state;

    if (!ei_state_from_name(name, &state))
        return EI_EXIT_STATUS_ERROR;
    switch (state) {
    case EI_STATE_ACCEPTED:
        return 0;
    case EI_STATE_PENDING:
    case EI_STATE_QUEUED:
    case EI_STATE_WAITING:
    case EI_STATE_HELD:
        return 1;
    case EI_STATE_FAILED:
    case EI_STATE_EXPIRED:
        return 2;
    case EI_STATE_REMOVED:
        return 3;
    }
    return EI_EXIT_STATUS_ERROR;
}

int ei_output_finish(int exit_code)
{
    bool written = fflush(stdout) == 0 && ferror(stdout) == 0;

    if (written && !ei_json_lacked())
        return exit_code;
    if (!written)
        fprintf(stderr, "entra-invite: standard output: %s\n", strerror(errno));
    else
        fputs("entra-invite: memory is short: what was printed is not whole\n", stderr);
    return exit_code != EI_EXIT_DONE ? exit_code : EI_EXIT_FAILED;
}

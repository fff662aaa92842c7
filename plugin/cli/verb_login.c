/* login: somebody signs in for the app, on whatever machine has a browser. */
#include <stdint.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/secret.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum {
    FIRST_ANSWER_MS = 90 * 1000, /* the login service may take a minute */
    GRACE_MS = 90 * 1000,        /* after the code has expired */
    LIFE_MAX_S = 24 * 60 * 60,
};

/* One object a line, so that whoever reads it through a pipe has each whole as soon as it is there. */
static void print_line(const cJSON *object)
{
    char *text = ei_json_print(object);

    if (text != NULL)
        puts(text);
    ei_free_erased(text);
}

static int on_told(void *context, const cJSON *parameters)
{
    const struct ei_cli *cli = context;
    const char *expires = ei_json_string(parameters, "expiresAt");
    int64_t at = 0;

    if (cli->json) {
        print_line(parameters);
    } else {
        ei_print_field("open", ei_json_string(parameters, "verificationUri"));
        ei_print_field("code", ei_json_string(parameters, "userCode"));
        ei_print_field("or open", ei_json_string(parameters, "verificationUriComplete"));
        ei_print_time("valid until", expires);
    }
    fflush(stdout);
    if (cli->progress)
        fputs("waiting for the sign-in …", stderr);
    int64_t left = expires != NULL && ei_time_parse(expires, &at) ? at - ei_now() : 0;
    if (left < 0 || left > LIFE_MAX_S)
        left = left < 0 ? 0 : LIFE_MAX_S;
    return (int)left * 1000 + GRACE_MS;
}

int ei_verb_login(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_error err;
    cJSON *reply = NULL;

    (void)args;
    ei_error_clear(&err);
    enum ei_err result =
        ei_client_call_more(cli->socket_path, "Login", NULL, FIRST_ANSWER_MS, on_told, (void *)cli, &reply, &err);
    if (cli->progress)
        fputs("\r\033[K", stderr);
    if (result != EI_OK)
        return ei_say_error("login", &err);
    const char *name = ei_json_string(reply, "signedInAs");
    if (cli->json) {
        print_line(reply);
    } else {
        fputs("signed in as ", stdout);
        ei_print_text(name != NULL ? name : "somebody without a name");
        putchar('\n');
    }
    ei_varlink_free(reply);
    return EI_EXIT_DONE;
}

/*
 * Sends one message by common/deliver as the worker's loop does, and says what came of it; for the host tests.
 *
 *   deliver text LANGUAGE                          prints the subject and the text of the built-in invitation
 *   deliver mail LANGUAGE URL TLS CA [USER FILE]   TLS: required, opportunistic, none
 *   deliver leave LANGUAGE URL TLS CA [USER FILE]  the same, but ends while it is under way
 *   deliver hook LANGUAGE URL-FILE FORMAT CA       FORMAT: json, slack, teams
 *
 * The last line is "OUTCOME CODE STATUS: MESSAGE". Exits with 0 if the message was taken.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/guid.h"
#include "common/deliver/deliver.h"

static const char *const hosts[] = {"lab1.contoso.example"};
static const struct ei_template_values values = {
    .name = "Taylor Ex\xc3\xa4mple",
    .login = "taylor",
    .email = "taylor@fabrikam.example",
    .url =
        "https://login.microsoftonline.com/redeem?rd=https%3a%2f%2finvitations.microsoft.com%2fredeem%2f%3ftenant%3d1",
    .sponsor = "Robin",
    .hosts = hosts,
    .host_count = 1,
    .expires = 1796056140,
};

static int choose(const char *text, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    fprintf(stderr, "deliver: what is %s?\n", text);
    exit(2);
}

static void on_done(void *context, const struct ei_deliver_result *result)
{
    static const char *const names[] = {
        [EI_DELIVER_DONE] = "done",
        [EI_DELIVER_NOT_SENT] = "not-sent",
        [EI_DELIVER_REJECTED] = "rejected",
        [EI_DELIVER_UNCLEAR] = "unclear",
    };

    *(int *)context = result->outcome == EI_DELIVER_DONE ? 0 : 1;
    printf("%s %s %ld: %s\n", names[result->outcome], ei_err_name(result->error.code), result->status,
           result->error.message);
}

static enum ei_err send_mail(struct ei_deliver *deliver, char **argv, const struct ei_template_text *text, int *code,
                             struct ei_error *err)
{
    static const char *const tls[] = {"required", "opportunistic", "none", NULL};
    struct ei_relay relay = {.url = argv[3], .tls = (enum ei_relay_tls)choose(argv[4], tls), .ca_file = argv[5]};
    struct ei_mailbox to;
    char id[EI_GUID_TEXT];
    struct ei_letter mail = {.id = id, .to = &to, .language = argv[2], .subject = text->subject, .body = text->body};

    ei_guid_new(id);
    if (argv[6] != NULL) {
        relay.user = argv[6];
        relay.password_file = argv[7];
    }
    enum ei_err rc = ei_mailbox_parse("Contoso IT <it@contoso.example>", &relay.from, err);
    if (rc == EI_OK)
        rc = ei_mailbox_make(values.name, values.email, &to, err);
    return rc == EI_OK ? ei_deliver_mail(deliver, &relay, &mail, on_done, code, err) : rc;
}

static enum ei_err send_chat(struct ei_deliver *deliver, char **argv, const struct ei_template_text *text, int *code,
                             struct ei_error *err)
{
    static const char *const formats[] = {"json", "slack", "teams", NULL};
    struct ei_webhook webhook = {
        .url_file = argv[3], .format = (enum ei_webhook_format)choose(argv[4], formats), .ca_file = argv[5]};
    char id[EI_GUID_TEXT];
    struct ei_chat chat = {.id = id, .values = &values, .subject = text->subject, .body = text->body};

    ei_guid_new(id);
    return ei_deliver_webhook(deliver, &webhook, &chat, on_done, code, err);
}

static int carry(char **argv, const struct ei_template_text *text)
{
    struct ei_deliver *deliver = NULL;
    struct ei_error err = {0};
    int code = -1;
    enum ei_err rc = ei_deliver_new(NULL, &deliver, &err);

    if (rc == EI_OK)
        rc = (strcmp(argv[1], "hook") == 0 ? send_chat : send_mail)(deliver, argv, text, &code, &err);
    if (rc == EI_OK && strcmp(argv[1], "leave") == 0)
        ei_deliver_dispatch(deliver);
    while (rc == EI_OK && code < 0 && strcmp(argv[1], "leave") != 0) {
        struct pollfd wait = {.fd = ei_deliver_fd(deliver), .events = POLLIN};
        int limit = ei_deliver_wait_ms(deliver);
        (void)poll(&wait, 1, limit == INT_MAX ? -1 : limit);
        ei_deliver_dispatch(deliver);
    }
    ei_deliver_free(deliver);
    if (rc != EI_OK)
        printf("refused %s 0: %s\n", ei_err_name(rc), err.message);
    return rc == EI_OK ? code : 2;
}

int main(int argc, char **argv)
{
    static const char *const verbs[] = {"text", "mail", "leave", "hook", NULL};
    struct ei_template *template = NULL;
    struct ei_template_text text = {0};
    struct ei_error err = {0};
    int code = 0;

    if (argc < 3 || (choose(argv[1], verbs) > 0 && argc < 6))
        return 2;
    enum ei_err rc = ei_template_builtin(EI_TEMPLATE_INVITATION, argv[2], NULL, &template, &err);
    if (rc == EI_OK)
        rc = ei_template_render(template, &values, &text, &err);
    if (rc != EI_OK)
        fprintf(stderr, "deliver: %s\n", err.message);
    else if (strcmp(argv[1], "text") == 0)
        printf("%s\n\n%s", text.subject, text.body);
    else
        code = carry(argv, &text);
    ei_template_text_free(&text);
    ei_template_free(template);
    return rc == EI_OK ? code : 2;
}

/* Which relay and which webhook a configuration may name: what is wrong is said when it is read, not with the first
 * message; and no password goes in the clear to another host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/deliver/channel.h"

static struct ei_relay good(void)
{
    struct ei_relay relay = {.url = "smtp://mail.contoso.example"};

    strcpy(relay.from.address, "it@contoso.example");
    return relay;
}

static void expect_good(const struct ei_relay *relay)
{
    struct ei_error err = {0};

    if (ei_relay_check(relay, &err) != EI_OK)
        fail_msg("%s: %s", relay->url, err.message);
}

static void expect_bad(const struct ei_relay *relay, const char *reason)
{
    struct ei_error err = {0};

    if (ei_relay_check(relay, &err) != EI_CONFIG)
        fail_msg("%s was taken", relay->url != NULL ? relay->url : "no URL");
    if (strstr(err.message, reason) == NULL)
        fail_msg("wanted \"%s\" in \"%s\"", reason, err.message);
}

static void urls_of_relays(void **state)
{
    static const char *const taken[] = {"smtp://mail.contoso.example",  "smtp://mail.contoso.example:587",
                                        "smtps://mail.contoso.example", "smtp://192.0.2.1:25",
                                        "smtps://[2001:db8::1]:465",    "smtp://localhost",
                                        "smtp://relay:65535",           "smtp://[::1]"};
    static const char *const refused[] = {"",
                                          "mail.contoso.example",
                                          "smtp:",
                                          "smtp://",
                                          "smtp://:25",
                                          "http://mail.contoso.example",
                                          "SMTP//mail",
                                          "smtp://mail.contoso.example/",
                                          "smtp://mail.contoso.example/helo",
                                          "smtp://mail.contoso.example?x",
                                          "smtp://mail.contoso.example#x",
                                          "smtp://user@mail.contoso.example",
                                          "smtp://user:password@mail.contoso.example",
                                          "smtp://mail.contoso.example:",
                                          "smtp://mail.contoso.example:0",
                                          "smtp://mail.contoso.example:65536",
                                          "smtp://mail.contoso.example:25x",
                                          "smtp://mail.contoso.example:000025",
                                          "smtp://mail contoso",
                                          "smtp://mail\r\nx",
                                          "smtp://-mail",
                                          "smtp://[::1",
                                          "smtp://[]",
                                          "smtp://[zz]",
                                          "smtp://[::1]x"};
    struct ei_relay relay = good();

    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        relay.url = taken[i];
        expect_good(&relay);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        relay.url = refused[i];
        expect_bad(&relay, "smtp://HOST, smtps://HOST");
    }
    relay.url = NULL;
    expect_bad(&relay, "smtp://HOST, smtps://HOST");
}

static void a_user_has_a_password_and_the_other_way_round(void **state)
{
    struct ei_relay relay = good();

    (void)state;
    relay.user = "mailer";
    expect_bad(&relay, "a user but no password file");
    relay.user = NULL;
    relay.password_file = "/etc/entra-invite/mail-password";
    expect_bad(&relay, "a password file but no user");
    relay.user = "mailer";
    expect_good(&relay);
    relay.user = "mailer\r\nRCPT TO:<x>";
    expect_bad(&relay, "one line of UTF-8");
}

static void no_password_goes_in_the_clear(void **state)
{
    struct ei_relay relay = good();

    (void)state;
    relay.user = "mailer";
    relay.password_file = "/etc/entra-invite/mail-password";
    relay.tls = EI_RELAY_TLS_NONE;
    expect_bad(&relay, "without TLS no password is sent to another host");
    relay.url = "smtp://localhost.contoso.example";
    expect_bad(&relay, "without TLS");
    relay.url = "smtp://127.0.0.1.example";
    expect_bad(&relay, "without TLS");
    relay.url = "smtp://localhost:25";
    expect_good(&relay);
    relay.url = "smtps://mail.contoso.example";
    expect_good(&relay);
    relay.url = "smtp://mail.contoso.example";
    relay.tls = EI_RELAY_TLS_OPPORTUNISTIC;
    expect_good(&relay);
}

static void what_else_a_relay_is_told(void **state)
{
    struct ei_relay relay = good();

    (void)state;
    relay.helo = "host.contoso.example";
    expect_good(&relay);
    relay.helo = "host/x";
    expect_bad(&relay, "EHLO");
    relay.helo = "a b";
    expect_bad(&relay, "EHLO");
    relay = good();
    relay.from.address[0] = '\0';
    expect_bad(&relay, "from is no address");
    relay = good();
    strcpy(relay.reply_to.address, "a>\r\nX: <b");
    expect_bad(&relay, "reply_to is no address");
    relay = good();
    relay.tls = (enum ei_relay_tls)7;
    expect_bad(&relay, "TLS");
}

static void this_host_is_known_by_its_numbers(void **state)
{
    static const char *const own[] = {"localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"};
    static const char *const others[] = {
        "", "localhost.example", "128.0.0.1", "127.0.0.1.example", "::2", "[::1]x", "0.0.0.0", "[", "[]"};

    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        assert_true(ei_host_is_loopback(own[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (ei_host_is_loopback(others[i]))
            fail_msg("%s was taken for this host", others[i]);
}

static void a_webhook_has_a_file_and_a_format(void **state)
{
    struct ei_webhook webhook = {.url_file = "/etc/entra-invite/hook", .format = EI_WEBHOOK_TEAMS};
    struct ei_error err = {0};

    (void)state;
    assert_int_equal(ei_webhook_check(&webhook, &err), EI_OK);
    webhook.format = (enum ei_webhook_format)3;
    assert_int_equal(ei_webhook_check(&webhook, &err), EI_CONFIG);
    webhook = (struct ei_webhook){.url_file = ""};
    assert_int_equal(ei_webhook_check(&webhook, &err), EI_CONFIG);
    webhook.url_file = NULL;
    assert_int_equal(ei_webhook_check(&webhook, &err), EI_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_relays),
        cmocka_unit_test(a_user_has_a_password_and_the_other_way_round),
        cmocka_unit_test(no_password_goes_in_the_clear),
        cmocka_unit_test(what_else_a_relay_is_told),
        cmocka_unit_test(this_host_is_known_by_its_numbers),
        cmocka_unit_test(a_webhook_has_a_file_and_a_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A mail to a relay that must be the right one, and that must not be told to anybody else: encryption, certificates,
 * passwords, and what a relay's words tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/deliver_smtp_fixture.h"

/* --- encryption --- */

static void starttls_encrypts(void **state)
{
    NEEDS_PEER();
    int port = peer_open("smtp tls auth");
    struct ei_relay relay = relay_at(port, "smtp");
    relay.tls = EI_RELAY_TLS_REQUIRED;
    relay.user = "mailer";
    relay.password_file = in_dir("password");

    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    expect_log(port, 1, 1);
    cJSON *log = peer_log(port);
    assert_true(ei_json_bool(cJSON_GetArrayItem(log, 0), "encrypted", false));
    cJSON_Delete(log);
    /* "\0mailer\0s3cret-Passw0rd" */
    assert_true(was_told(port, "AUTH PLAIN") && (was_told(port, "AUTH PLAIN AG1haWxlcgBzM2NyZXQtUGFzc3cwcmQ=") ||
                                                 was_told(port, "AG1haWxlcgBzM2NyZXQtUGFzc3cwcmQ=")));
}

static void smtps_encrypts(void **state)
{
    NEEDS_PEER();
    int port = peer_open("smtp inside auth");
    struct ei_relay relay = relay_at(port, "smtps");
    relay.user = "mailer";
    relay.password_file = in_dir("password");

    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    expect_log(port, 1, 1);
}

/* Somebody on the way takes the offer out. */
static void without_starttls_nothing_is_sent(void **state)
{
    NEEDS_PEER();
    static const char *const modes[] = {"smtp auth", "smtp tls auth starttls=454:not_now",
                                        "smtp tls starttls=502:what"};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int port = peer_open(modes[i]);
        struct ei_relay relay = relay_at(port, "smtp");
        relay.tls = EI_RELAY_TLS_REQUIRED;
        struct outcome outcome = send_to(&relay);
        print_message("%s: %s\n", modes[i], outcome.result.error.message);
        assert_true(outcome.result.outcome == EI_DELIVER_NOT_SENT || outcome.result.outcome == EI_DELIVER_REJECTED);
        assert_int_equal(outcome.result.error.code, i == 1 ? EI_DELIVERY_LATER : EI_MAIL_RELAY);
        assert_false(was_told(port, "MAIL"));
        assert_false(was_told(port, "AUTH"));
        expect_log(port, 1, 0);
    }
}

static void opportunistic_encrypts_where_it_can(void **state)
{
    NEEDS_PEER();
    int port = peer_open("smtp");
    struct ei_relay relay = relay_at(port, "smtp");
    relay.tls = EI_RELAY_TLS_OPPORTUNISTIC;
    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);

    port = peer_open("smtp tls");
    relay = relay_at(port, "smtp");
    relay.tls = EI_RELAY_TLS_OPPORTUNISTIC;
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    cJSON *log = peer_log(port);
    assert_true(ei_json_bool(cJSON_GetArrayItem(log, 0), "encrypted", false));
    cJSON_Delete(log);

    /* A password makes it a must. */
    port = peer_open("smtp auth");
    relay = relay_at(port, "smtp");
    relay.tls = EI_RELAY_TLS_OPPORTUNISTIC;
    relay.user = "mailer";
    relay.password_file = in_dir("password");
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_MAIL_RELAY);
    assert_false(was_told(port, "AUTH"));
}

static void a_wrong_certificate_is_not_trusted(void **state)
{
    NEEDS_PEER();
    static const char *const authorities[] = {"good.pem", "other.pem"};

    /* Unknown authority; then a known one, and another's name. */
    for (size_t i = 0; i < 2; i++) {
        int port = peer_open("smtp tls other");
        struct ei_relay relay = relay_at(port, "smtp");
        relay.tls = EI_RELAY_TLS_REQUIRED;
        relay.ca_file = in_dir(authorities[i]);
        struct outcome outcome = send_to(&relay);
        print_message("%s: %s\n", authorities[i], outcome.result.error.message);
        expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_DELIVERY_TRUST);
        assert_false(was_told(port, "MAIL"));
    }
    int port = peer_open("smtp tls");
    struct ei_relay relay = relay_at(port, "smtp");
    relay.tls = EI_RELAY_TLS_REQUIRED;
    relay.ca_file = in_dir("no-such-file");
    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_DELIVERY_TRUST);
    /* TLS spoken to who has none. */
    port = peer_open("smtp");
    relay = relay_at(port, "smtps");
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
}

/* --- secrets --- */

static void a_refused_password_is_the_relays(void **state)
{
    NEEDS_PEER();
    static const char *const modes[] = {"smtp auth login=535:5.7.8_wrong", "smtp auth login=535:" PASSWORD,
                                        "smtp auth login=535:AG1haWxlcgBzM2NyZXQtUGFzc3cwcmQ="};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int port = peer_open(modes[i]);
        struct ei_relay relay = relay_at(port, "smtp");
        relay.user = "mailer";
        relay.password_file = in_dir("password");
        struct outcome outcome = send_to(&relay);
        print_message("%s\n", outcome.result.error.message);
        expect_result(&outcome, EI_DELIVER_REJECTED, EI_MAIL_RELAY);
        assert_null(strstr(outcome.result.error.message, "AG1haWxlcgBz"));
        assert_false(was_told(port, "MAIL"));
    }
    int port = peer_open("smtp auth login=454:later");
    struct ei_relay relay = relay_at(port, "smtp");
    relay.user = "mailer";
    relay.password_file = in_dir("password");
    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_REJECTED, EI_DELIVERY_LATER);
}

static void a_password_is_read_each_time(void **state)
{
    NEEDS_PEER();
    int port = peer_open("smtp auth");
    struct ei_relay relay = relay_at(port, "smtp");
    relay.user = "mailer";
    relay.password_file = in_dir("password");

    assert_int_equal(chmod(in_dir("password"), 0644), 0);
    struct outcome outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_SECRET_FILE);
    assert_non_null(strstr(outcome.result.error.message, "mode 0644"));
    assert_int_equal(chmod(in_dir("password"), 0600), 0);
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    relay.password_file = in_dir("no-such-file");
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_SECRET_FILE);
}

static void a_relays_words_tell_no_url(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp end=554:blocked_for_" REDEEM "_see_https://help.example/why", &port);

    print_message("%s\n", outcome.result.error.message);
    expect_result(&outcome, EI_DELIVER_REJECTED, EI_MAIL_REFUSED);
    assert_non_null(strstr(outcome.result.error.message, "https://login.microsoftonline.com\xe2\x80\xa6 "));
    outcome =
        send_plain("smtp end=554:rd%3dinvitations%2fq%3fs%3dabcdefghijklmnopqrstuvwxyz0123456789%26SECRETPART", &port);
    expect_result(&outcome, EI_DELIVER_REJECTED, EI_MAIL_REFUSED);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, deliver_start, deliver_stop)
    const struct CMUnitTest tests[] = {
        WITH(starttls_encrypts),
        WITH(smtps_encrypts),
        WITH(without_starttls_nothing_is_sent),
        WITH(opportunistic_encrypts_where_it_can),
        WITH(a_wrong_certificate_is_not_trusted),
        WITH(a_refused_password_is_the_relays),
        WITH(a_password_is_read_each_time),
        WITH(a_relays_words_tell_no_url),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

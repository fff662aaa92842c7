/* A mail and the outcome it is given, for whatever a relay does: what was taken, what was not, and what nobody knows
 * (X5); whose fault it is; and that nothing is sent in the clear that was to be encrypted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/deliver_fixture.h"

enum { LINES = 3000 };

static const char subject[] = "Zug\xc3\xa4nge f\xc3\xbcr Taylor";
static const char body[] = "Hello Taylor,\n.\n..dots\n" REDEEM "\n";

static struct ei_relay relay_at(int port, const char *scheme)
{
    static char url[64];
    struct ei_relay relay = {
        .url = url, .tls = EI_RELAY_TLS_NONE, .helo = "host.example", .ca_file = in_dir("good.pem")};

    snprintf(url, sizeof url, "%s://localhost:%d", scheme, port);
    strcpy(relay.from.name, "Contoso IT");
    strcpy(relay.from.address, "it@contoso.example");
    return relay;
}

static struct outcome send_text(const struct ei_relay *relay, const char *text)
{
    static const struct ei_mailbox to = {.name = "Taylor", .address = "taylor@fabrikam.example"};
    struct ei_mail mail = {.id = ATTEMPT, .to = &to, .language = "de", .subject = subject, .body = text};
    struct outcome outcome = {.began_ms = ei_monotonic_ms()};

    assert_int_equal(ei_deliver_mail(peer.deliver, relay, &mail, on_done, &outcome, NULL), EI_OK);
    assert_int_equal(outcome.calls, 0);
    await_outcome(&outcome);
    return outcome;
}

static struct outcome send_to(const struct ei_relay *relay)
{
    return send_text(relay, body);
}

static struct outcome send_plain(const char *mode, int *ret_port)
{
    *ret_port = peer_open(mode);
    struct ei_relay relay = relay_at(*ret_port, "smtp");
    return send_to(&relay);
}

/* Connections, and messages of the first. */
static void expect_log(int port, int connections, int messages)
{
    cJSON *log = peer_log(port);

    assert_int_equal(cJSON_GetArraySize(log), connections);
    assert_int_equal(cJSON_GetArraySize(ei_json_array(cJSON_GetArrayItem(log, 0), "messages")), messages);
    cJSON_Delete(log);
}

static bool was_told(int port, const char *beginning)
{
    cJSON *log = peer_log(port);
    const cJSON *command;
    bool found = false;

    cJSON_ArrayForEach(command, ei_json_array(cJSON_GetArrayItem(log, 0), "commands")) found =
        found || strncmp(command->valuestring, beginning, strlen(beginning)) == 0;
    cJSON_Delete(log);
    return found;
}

#define NEEDS_PEER()                                                                                                   \
    (void)state;                                                                                                       \
    if (!peer.runs)                                                                                                    \
    skip()

static void a_mail_is_taken(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp", &port);

    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    assert_int_equal(outcome.result.status, 250);
    expect_log(port, 1, 1);
    assert_true(was_told(port, "EHLO host.example"));
    assert_true(was_told(port, "MAIL FROM:<it@contoso.example>"));
    assert_true(was_told(port, "RCPT TO:<taylor@fabrikam.example>"));
    cJSON *log = peer_log(port);
    const char *message = cJSON_GetArrayItem(ei_json_array(cJSON_GetArrayItem(log, 0), "messages"), 0)->valuestring;
    assert_non_null(strstr(message, "\r\n\r\nHello Taylor,\r\n.\r\n..dots\r\n" REDEEM "\r\n"));
    assert_non_null(strstr(message, "\r\nMessage-ID: <" ATTEMPT "@contoso.example>\r\n"));
    cJSON_Delete(log);
}

/* The worker answers hooks and its watchdog meanwhile. */
static void a_slow_answer_holds_nothing_up(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp end=slow", &port);

    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    assert_true(outcome.took_ms >= 1900);
    assert_true(outcome.longest_dispatch_ms < 1000);
    expect_log(port, 1, 1);
}

static void what_was_said_before_quit_counts(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp quit=close", &port);

    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    outcome = send_plain("smtp quit=stall", &port);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    assert_true(outcome.took_ms < 5000);
    outcome = send_plain("smtp rcpt=550:no_such_person quit=421:bye", &port);
    expect_result(&outcome, EI_DELIVER_REJECTED, EI_MAIL_ADDRESS);
    assert_int_equal(outcome.result.status, 550);
}

/* Whose fault it is, for each command. */
static void a_refusal_is_of_whom_it_is_about(void **state)
{
    NEEDS_PEER();
    static const struct {
        const char *mode;
        enum ei_err code;
        enum ei_fault fault;
        long status;
    } cases[] = {
        {"smtp greeting=554:not_you", EI_MAIL_RELAY, EI_FAULT_TENANT, 554},
        {"smtp greeting=421:busy", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 421},
        {"smtp hello=550:bad_name", EI_MAIL_RELAY, EI_FAULT_TENANT, 550},
        {"smtp hello=451:later", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 451},
        {"smtp mail=550:no_such_sender", EI_MAIL_RELAY, EI_FAULT_TENANT, 550},
        {"smtp mail=530:authenticate_first", EI_MAIL_RELAY, EI_FAULT_TENANT, 530},
        {"smtp mail=451:later", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 451},
        {"smtp mail=552:too_large", EI_MAIL_REFUSED, EI_FAULT_ACCOUNT, 552},
        {"smtp rcpt=550:5.1.1_no_such_person", EI_MAIL_ADDRESS, EI_FAULT_ACCOUNT, 550},
        {"smtp rcpt=450:4.2.0_greylisted", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 450},
        {"smtp data=554:no", EI_MAIL_REFUSED, EI_FAULT_ACCOUNT, 554},
        {"smtp data=451:later", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 451},
        {"smtp end=554:5.7.1_spam", EI_MAIL_REFUSED, EI_FAULT_ACCOUNT, 554},
        {"smtp end=452:full", EI_DELIVERY_LATER, EI_FAULT_TRANSIENT, 452},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int port;
        struct outcome outcome = send_plain(cases[i].mode, &port);
        print_message("%s: %s\n", cases[i].mode, outcome.result.error.message);
        expect_result(&outcome, EI_DELIVER_REJECTED, cases[i].code);
        assert_int_equal(ei_err_fault(outcome.result.error.code), cases[i].fault);
        assert_int_equal(outcome.result.status, cases[i].status);
        expect_log(port, 1, strstr(cases[i].mode, "end=") != NULL ? 1 : 0);
    }
}

static void what_ends_before_the_final_dot_was_not_sent(void **state)
{
    NEEDS_PEER();
    static const char *const stages[] = {"greeting", "hello", "mail", "rcpt", "data"};

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        char mode[64];
        int port;
        snprintf(mode, sizeof mode, "smtp %s=close", stages[i]);
        struct outcome outcome = send_plain(mode, &port);
        expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
        expect_log(port, 1, 0);
    }
}

static void silence_before_the_final_dot_was_not_sent(void **state)
{
    NEEDS_PEER();
    static const char *const modes[] = {"smtp greeting=stall", "smtp greeting=drip", "smtp hello=stall",
                                        "smtp hello=endless",  "smtp rcpt=stall",    "smtp data=stall"};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int port;
        struct outcome outcome = send_plain(modes[i], &port);
        print_message("%s: %s\n", modes[i], outcome.result.error.message);
        expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
        assert_true(outcome.took_ms < 5000);
        expect_log(port, 1, 0);
    }
}

/* It has the whole of it: whether it took it, nobody knows (X5), and nobody sends it again by itself. */
static void no_answer_to_the_final_dot_is_unclear(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp end=close", &port);

    expect_result(&outcome, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR);
    expect_log(port, 1, 1);
}

static void silence_after_the_final_dot_is_unclear(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = send_plain("smtp end=stall", &port);

    expect_result(&outcome, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR);
    assert_true(outcome.took_ms < 5000);
    expect_log(port, 1, 1);
}

static void nobody_there_is_not_sent(void **state)
{
    NEEDS_PEER();
    struct ei_relay relay = relay_at(1, "smtp");
    struct outcome outcome = send_to(&relay);

    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
    assert_non_null(strstr(outcome.result.error.message, "localhost:1: "));
    relay.url = "smtp://no-such-host.invalid";
    outcome = send_to(&relay);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
}

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

/* --- the object --- */

static void a_large_mail_goes_whole(void **state)
{
    NEEDS_PEER();
    struct ei_buffer text;
    int port = peer_open("smtp");
    struct ei_relay relay = relay_at(port, "smtp");

    ei_buffer_init(&text, EI_TEMPLATE_TEXT_MAX);
    for (int i = 0; i < LINES; i++)
        assert_true(
            ei_buffer_append_text(&text, "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5\n"));
    struct outcome outcome = send_text(&relay, text.data);
    ei_buffer_free(&text);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    expect_log(port, 1, 1);
}

static void many_go_side_by_side(void **state)
{
    NEEDS_PEER();
    enum { MANY = 12 };
    static const struct ei_mailbox to = {.name = "", .address = "taylor@fabrikam.example"};
    const struct ei_mail mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
    struct outcome outcomes[MANY] = {0};
    int port = peer_open("smtp");
    struct ei_relay relay = relay_at(port, "smtp");

    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, on_done, &outcomes[i], NULL), EI_OK);
    assert_int_equal(ei_deliver_active(peer.deliver), MANY);
    int64_t until = ei_monotonic_ms() + GIVE_UP_MS;
    while (ei_deliver_active(peer.deliver) != 0 && ei_monotonic_ms() < until) {
        struct pollfd wait = {.fd = ei_deliver_fd(peer.deliver), .events = POLLIN};
        int limit = ei_deliver_wait_ms(peer.deliver);
        (void)poll(&wait, 1, limit < 1000 ? limit : 1000);
        ei_deliver_dispatch(peer.deliver);
    }
    for (size_t i = 0; i < MANY; i++)
        expect_result(&outcomes[i], EI_DELIVER_DONE, EI_OK);
    expect_log(port, MANY, 1);
}

static void refuse_another(void *context, const struct ei_deliver_result *result)
{
    static const struct ei_mailbox to = {.name = "", .address = "taylor@fabrikam.example"};
    const struct ei_mail mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
    struct ei_relay relay = relay_at(1, "smtp");

    on_done(context, result);
    assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, on_done, context, NULL), EI_BUSY);
}

/* The worker ends: each callback comes, and says what is known. */
static void freeing_ends_what_is_under_way(void **state)
{
    NEEDS_PEER();
    static const struct ei_mailbox to = {.name = "", .address = "taylor@fabrikam.example"};
    const struct ei_mail mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
    struct outcome before = {0};
    struct outcome after = {0};
    struct outcome waiting = {0};
    int silent = peer_open("smtp rcpt=stall");
    int taking = peer_open("smtp end=stall");
    struct ei_relay relay = relay_at(silent, "smtp");

    assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, on_done, &before, NULL), EI_OK);
    relay = relay_at(taking, "smtp");
    assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, on_done, &after, NULL), EI_OK);
    ei_deliver_dispatch(peer.deliver);
    int64_t until = ei_monotonic_ms() + GIVE_UP_MS;
    for (bool there = false; !there && ei_monotonic_ms() < until; poll(NULL, 0, 20)) {
        cJSON *log = peer_log(taking);
        there = cJSON_GetArraySize(ei_json_array(cJSON_GetArrayItem(log, 0), "messages")) == 1;
        cJSON_Delete(log);
    }
    assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, refuse_another, &waiting, NULL), EI_OK);
    int64_t began = ei_monotonic_ms();
    ei_deliver_free(peer.deliver);
    assert_true(ei_monotonic_ms() - began < 5000);
    peer.deliver = NULL;
    assert_int_equal(before.calls, 1);
    expect_result(&before, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
    assert_int_equal(after.calls, 1);
    expect_result(&after, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR);
    assert_int_equal(waiting.calls, 1);
    expect_result(&waiting, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
}

int main(void)
{
#define WITH(test)       cmocka_unit_test_setup_teardown(test, deliver_start, deliver_stop)
#define WITH_HASTY(test) cmocka_unit_test_setup_teardown(test, deliver_start_hasty, deliver_stop)
    const struct CMUnitTest tests[] = {
        WITH(a_mail_is_taken),
        WITH(a_slow_answer_holds_nothing_up),
        WITH(what_was_said_before_quit_counts),
        WITH(a_refusal_is_of_whom_it_is_about),
        WITH(what_ends_before_the_final_dot_was_not_sent),
        WITH_HASTY(silence_before_the_final_dot_was_not_sent),
        WITH(no_answer_to_the_final_dot_is_unclear),
        WITH_HASTY(silence_after_the_final_dot_is_unclear),
        WITH(nobody_there_is_not_sent),
        WITH(starttls_encrypts),
        WITH(smtps_encrypts),
        WITH(without_starttls_nothing_is_sent),
        WITH(opportunistic_encrypts_where_it_can),
        WITH(a_wrong_certificate_is_not_trusted),
        WITH(a_refused_password_is_the_relays),
        WITH(a_password_is_read_each_time),
        WITH(a_relays_words_tell_no_url),
        WITH(a_large_mail_goes_whole),
        WITH(many_go_side_by_side),
        WITH(freeing_ends_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

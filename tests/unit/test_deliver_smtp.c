/* A mail and the outcome it is given, for whatever a relay does: what was taken, what was not, and what nobody knows
 * (X5); and whose fault it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/deliver_smtp_fixture.h"

enum { LINES = 3000 };

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
    const struct ei_letter mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
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
    const struct ei_letter mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
    struct ei_relay relay = relay_at(1, "smtp");

    on_done(context, result);
    assert_int_equal(ei_deliver_mail(peer.deliver, &relay, &mail, on_done, context, NULL), EI_BUSY);
}

/* The worker ends: each callback comes, and says what is known. */
static void freeing_ends_what_is_under_way(void **state)
{
    NEEDS_PEER();
    static const struct ei_mailbox to = {.name = "", .address = "taylor@fabrikam.example"};
    const struct ei_letter mail = {.id = ATTEMPT, .to = &to, .subject = "s", .body = "b\n"};
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
        WITH(a_large_mail_goes_whole),
        WITH(many_go_side_by_side),
        WITH(freeing_ends_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

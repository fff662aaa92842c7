/* mail, and who carries the redeem URL: what is asked, what is printed, what the exit code says. */
#include "tests/unit/cli_run.h"

#define URL "https://login.microsoftonline.com/redeem?rd=made-up"
#define OF(state)                                                                                                      \
    "{\"login\":\"taylor\",\"email\":\"taylor@fabrikam.com\",\"state\":\"pending\",\"mail\":\"" state "\","
#define TEXT(state)                                                                                                    \
    "{\"account\":" OF(state) "\"error\":null},\"channel\":\"smtp\",\"subject\":\"\xe0\xb8\xaa\xe0\xb8\xa7\","         \
                              "\"body\":\"Dear \xed\x95\x9c,\\n" URL "\\n\\u001b[2J.\\n\"}"

static void the_message_is_printed_and_cannot_move_the_cursor(void **state)
{
    struct fixture *f = *state;

    answer(f, TEXT("none"));
    cli(f, "mail", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Mail", "{\"target\":\"taylor\"}");
    assert_string_equal(f->out, "To: taylor@fabrikam.com\nSubject: \xe0\xb8\xaa\xe0\xb8\xa7\n\n"
                                "Dear \xed\x95\x9c,\n" URL "\n\\x1b[2J.\n");
    cli(f, "mail", "--json", "taylor", NULL);
    cJSON *reply = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(reply, "channel"), "smtp");
    assert_non_null(strstr(ei_json_string(reply, "body"), URL));
    cJSON_Delete(reply);
}

static void sending_is_asked_for_and_waited_for(void **state)
{
    struct fixture *f = *state;

    answer(f, TEXT("sending"));
    answer(f, "{\"account\":" OF("sending") "\"error\":null}}");
    answer(f, "{\"account\":" OF("sent") "\"error\":null}}");
    cli(f, "mail", "--send", "--wait=20", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Mail", "{\"target\":\"taylor\",\"send\":true}");
    sent(f, 1, "Show", "{\"target\":\"taylor\"}");
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: pending\n");
    assert_null(strstr(f->out, URL));
}

static void what_was_not_sent_is_a_failure(void **state)
{
    struct fixture *f = *state;

    answer(f, TEXT("sending"));
    answer(f, "{\"account\":" OF("wanted") "\"error\":" ERROR "}}");
    cli(f, "mail", "--send", "--wait", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    answer(f, TEXT("sending"));
    answer(f, "{\"account\":" OF("unknown") "\"error\":" ERROR "}}");
    cli(f, "mail", "--send", "--wait", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    answer(f, TEXT("sending"));
    answer(f, "{\"account\":" OF("sending") "\"error\":null}}");
    cli(f, "mail", "--send", "--wait=1", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NOT_YET);
}

static void wrong_usage_asks_nothing(void **state)
{
    struct fixture *f = *state;

    cli(f, "mail", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "mail", "--wait", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "--wait goes with --send"));
    cli(f, "invite", "taylor", "--deliver", "pigeon", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "takes none, microsoft, smtp or webhook"));
    cli(f, "invite", "taylor", "--deliver", "smtp", "--send-message", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "exclude each other"));
    assert_int_equal(f->calls, 0);
}

static void invite_names_the_channel(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
    cli(f, "invite", "taylor", "--deliver", "webhook", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Invite", "{\"target\":\"taylor\",\"deliver\":\"webhook\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_message_is_printed_and_cannot_move_the_cursor),
        CLI_TEST(sending_is_asked_for_and_waited_for),
        CLI_TEST(what_was_not_sent_is_a_failure),
        CLI_TEST(wrong_usage_asks_nothing),
        CLI_TEST(invite_names_the_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

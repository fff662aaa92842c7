/* login: what is told before the end, and the end. */
#include "common/base/clock.h"
#include "tests/unit/cli_run.h"

#define PROMPT(code, uri, complete)                                                                                    \
    "{\"userCode\":\"" code "\",\"verificationUri\":\"" uri "\",\"verificationUriComplete\":" complete                 \
    ",\"message\":\"To sign in, …\",\"expiresAt\":\"2099-11-23T15:45:00Z\",\"signedInAs\":null,\"objectId\":null,"   \
    "\"tenantId\":null}"
#define SIGNED_IN(name)                                                                                                \
    "{\"userCode\":null,\"verificationUri\":null,\"verificationUriComplete\":null,\"message\":null,\"expiresAt\":"     \
    "null,"                                                                                                            \
    "\"signedInAs\":" name ",\"objectId\":\"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\","                                   \
    "\"tenantId\":\"11111111-2222-3333-4444-555555555555\"}"

static void tell(struct fixture *f, const char *told)
{
    f->answers[f->answer_count].told = told;
}

static void prints_page_and_code_and_who_it_was(void **state)
{
    struct fixture *f = *state;

    tell(f, PROMPT("F7Q2XKRTN", "https://microsoft.com/devicelogin", "null"));
    answer(f, SIGNED_IN("\"kim@contoso.example\""));
    cli(f, "login", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Login", "{}");
    assert_string_equal(f->out, "open: https://microsoft.com/devicelogin\ncode: F7Q2XKRTN\n"
                                "valid until: 2099-11-23T15:45:00Z\nsigned in as kim@contoso.example\n");
    assert_string_equal(f->err, "");
}

static void json_is_one_object_a_line(void **state)
{
    struct fixture *f = *state;

    tell(f,
         PROMPT("F7Q2XKRTN", "https://microsoft.com/devicelogin", "\"https://microsoft.com/devicelogin?F7Q2XKRTN\""));
    answer(f, SIGNED_IN("\"kim@contoso.example\""));
    cli(f, "login", "--json", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    char *second = strchr(f->out, '\n');
    assert_non_null(second);
    *second++ = '\0';
    cJSON *first = cJSON_Parse(f->out);
    cJSON *last = cJSON_Parse(second);
    assert_string_equal(ei_json_string(first, "userCode"), "F7Q2XKRTN");
    assert_string_equal(ei_json_string(first, "verificationUriComplete"),
                        "https://microsoft.com/devicelogin?F7Q2XKRTN");
    assert_string_equal(ei_json_string(last, "signedInAs"), "kim@contoso.example");
    assert_ptr_equal(strchr(second, '\n'), second + strlen(second) - 1);
    cJSON_Delete(first);
    cJSON_Delete(last);
}

/* S16: what a login service says goes to root's terminal. */
static void text_of_the_service_cannot_move_the_cursor(void **state)
{
    struct fixture *f = *state;

    tell(f, PROMPT("A\\u001b[2J", "https://x/\\u009b", "\"https://x/\\n\""));
    answer(f, SIGNED_IN("\"kim\\u001b[31m\""));
    cli(f, "login", NULL);
    assert_null(strchr(f->out, '\033'));
    assert_null(strstr(f->out, "\xc2\x9b"));
    assert_non_null(strstr(f->out, "code: A\\x1b[2J\n"));
    assert_non_null(strstr(f->out, "or open: https://x/\\x0a\n"));
    assert_non_null(strstr(f->out, "signed in as kim\\x1b[31m\n"));
}

static void ends_as_the_worker_says(void **state)
{
    static const struct {
        enum ei_err code;
        int exit_code;
    } rows[] = {
        {EI_SIGN_IN_DECLINED, EI_EXIT_FAILED}, {EI_SIGN_IN_EXPIRED, EI_EXIT_FAILED}, {EI_CONFIG, EI_EXIT_FAILED},
        {EI_SIGN_IN_TENANT, EI_EXIT_FAILED},   {EI_BUSY, EI_EXIT_NO_ANSWER},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget_calls(f);
        answer_error(f, rows[i].code);
        cli(f, "login", NULL);
        assert_int_equal(f->exit_code, rows[i].exit_code);
        assert_string_equal(f->out, "");
        assert_non_null(strstr(f->err, "entra-invite: login: taylor: the reason\n"));
        assert_non_null(strstr(f->err, ei_err_mend(rows[i].code)));
    }
    forget_calls(f);
    answer(f, SIGNED_IN("null"));
    cli(f, "login", NULL);
    assert_string_equal(f->out, "signed in as somebody without a name\n");
    cli(f, "login", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    worker_stop(f);
    cli(f, "login", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
}

#define CLI_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(prints_page_and_code_and_who_it_was),
        CLI_TEST(json_is_one_object_a_line),
        CLI_TEST(text_of_the_service_cannot_move_the_cursor),
        CLI_TEST(ends_as_the_worker_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

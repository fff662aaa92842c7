/* Signing in with a device code: contract 1.4, RFC 8628. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sign_in_fixture.h"

static void assert_ended(struct signing_in *s, enum ei_err code)
{
    assert_int_equal(s->ends, 1);
    assert_false(s->signed_in);
    if (s->err.code != code)
        fail_msg("%s: %s", ei_err_name(s->err.code), s->err.message);
}

/* Waits so long before it asks again, give or take what the test itself takes. */
static void assert_waits(const struct signing_in *s, int seconds)
{
    int64_t wait = ei_device_code_wait_ms(s->code);

    assert_int_equal(s->ends, 0);
    if (wait > seconds * 1000 || wait <= (seconds - 1) * 1000)
        fail_msg("waits %lld ms, not %d s", (long long)wait, seconds);
}

static void test_the_whole_way(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    assert_int_equal(s.prompts, 1);
    assert_non_null(strstr(s.page, "/devicelogin"));
    assert_string_equal(s.complete, "");
    assert_non_null(strstr(s.message, s.user_code));
    assert_true(s.expires_at - ei_now() > 890 && s.expires_at - ei_now() <= 900);
    assert_waits(&s, 5);
    ei_device_code_run(s.code);
    assert_int_equal(count_requests(DEVICE), 0);
    later(&s, 5);
    assert_waits(&s, 5);
    CTL("approve", s.user_code);
    later(&s, 5);
    assert_int_equal(s.ends, 1);
    assert_true(s.signed_in);
    assert_string_equal(s.person.name, "operator@contoso.onmicrosoft.com");
    assert_true(ei_guid_valid(s.person.object_id));
    assert_string_equal(s.person.tenant_id, "11111111-2222-3333-4444-555555555555");
    assert_true(s.refresh_token[0] != '\0');
    assert_non_null(strstr(s.scope, "/User.Invite.All "));
    assert_non_null(strstr(s.scope, "/User.Read.All offline_access openid profile"));
    assert_int_equal(count_requests(DEVICE), 2);
}

/* contract 1.4: both numbers may be texts, and the interval absent. */
static void test_numbers(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    CTL("set", "deviceInterval", "7");
    CTL("set", "deviceExpiresIn", "60");
    CTL("set", "deviceNumbers", "\"text\"");
    CTL("set", "deviceComplete", "true");
    begin(&s);
    assert_waits(&s, 7);
    assert_true(s.expires_at - ei_now() > 50 && s.expires_at - ei_now() <= 60);
    assert_non_null(strstr(s.complete, s.user_code));
    ei_device_code_free(s.code);
    CTL("set", "deviceNumbers", "\"absent\"");
    begin(&s);
    assert_waits(&s, 5);
    ei_device_code_free(s.code);
    CTL("set", "deviceNumbers", "\"number\"");
    CTL("set", "deviceInterval", "0");
    begin(&s);
    assert_waits(&s, 1);
    ei_device_code_free(s.code);
}

static void test_ends_without_a_sign_in(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    CTL("decline", s.user_code);
    later(&s, 5);
    assert_ended(&s, EI_SIGN_IN_DECLINED);
    /* RFC 8628's own word, without a number. */
    CTL("fault",
        "{\"match\":{\"grant\":\"device_code\"},\"action\":{\"status\":400,\"body\":{\"error\":\"access_denied\"}}}");
    begin(&s);
    later(&s, 5);
    assert_ended(&s, EI_SIGN_IN_DECLINED);
    /* With a number it is a policy. */
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"action\":{\"aadsts\":53003}}");
    begin(&s);
    later(&s, 5);
    assert_ended(&s, EI_CONDITIONAL_ACCESS);
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"action\":{\"aadsts\":70018}}");
    begin(&s);
    later(&s, 5);
    assert_ended(&s, EI_SIGN_IN_EXPIRED);
    CTL("set", "publicClient", "false");
    begin(&s);
    later(&s, 5);
    assert_ended(&s, EI_APP_NOT_PUBLIC);
}

static void test_expires(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    CTL("advance", "901"); /* of its clock only */
    later(&s, 5);
    assert_ended(&s, EI_SIGN_IN_EXPIRED);
    assert_int_equal(count_requests(DEVICE), 1);
    begin(&s);
    skew_ms += 901 * 1000; /* of ours only: nobody is asked any more */
    ei_device_code_run(s.code);
    assert_ended(&s, EI_SIGN_IN_EXPIRED);
    assert_int_equal(count_requests(DEVICE), 1);
}

/* RFC 8628 3.5: five seconds more, from then on. */
static void test_slows_down(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"times\":2,"
                 "\"action\":{\"aadsts\":70016,\"error\":\"slow_down\"}}");
    later(&s, 5);
    assert_waits(&s, 10);
    later(&s, 10);
    assert_waits(&s, 15);
    later(&s, 15);
    assert_waits(&s, 15);
    CTL("approve", s.user_code);
    later(&s, 15);
    assert_true(s.signed_in);
}

/* What passes does not end it, only makes it ask less often, and is forgotten with the next answer. */
static void test_passing_failures(void **state)
{
    static const char *const actions[] = {
        "{\"reset\":true}",
        "{\"close\":true}",
        "{\"aadsts\":90033}",
        "{\"status\":502,\"html\":true}",
        "{\"status\":200,\"html\":true,\"reset\":\"stream\"}",
    };
    char rule[256];
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    later(&s, 5);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        int count = count_requests(DEVICE);
        snprintf(rule, sizeof rule, "{\"match\":{\"grant\":\"device_code\"},\"times\":2,\"action\":%s}", actions[i]);
        CTL("fault", rule);
        later(&s, 5);
        assert_waits(&s, 5);
        later(&s, 5);
        assert_waits(&s, 10);
        later(&s, 10);
        assert_waits(&s, 5);
        /* X6: libcurl repeats nothing by itself. */
        assert_int_equal(count_requests(DEVICE), count + 3);
    }
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"action\":{\"aadsts\":90055,\"retryAfter\":40}}");
    later(&s, 5);
    assert_waits(&s, 40);
    CTL("approve", s.user_code);
    later(&s, 40);
    assert_true(s.signed_in);
}

/* It is never asked so seldom that a code of a few minutes would be missed. */
static void test_backs_off_to_a_minute(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"times\":0,\"action\":{\"reset\":true}}");
    later(&s, 5);
    for (int wait = 5; wait < 60; wait *= 2) {
        assert_waits(&s, wait);
        later(&s, wait);
    }
    assert_waits(&s, 60);
    later(&s, 60);
    assert_waits(&s, 60);
    ei_device_code_free(s.code);
}

static void test_answers_that_are_no_code(void **state)
{
#define CODE(user, device, page)                                                                                       \
    "{\"status\":200,\"body\":{\"user_code\":" user ",\"device_code\":" device ",\"verification_uri\":" page "}}"
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"status\":200,\"html\":true}", EI_TOKEN_REFUSED},
        {"{\"status\":200,\"body\":{}}", EI_TOKEN_REFUSED},
        {"{\"status\":200,\"empty\":true}", EI_TOKEN_REFUSED},
        {CODE("\"A\"", "\"d\"", "\"http://login.example\""), EI_TOKEN_REFUSED},
        {CODE("\"A\"", "\"d\"", "\"https://a b\""), EI_TOKEN_REFUSED},
        {CODE("\"A\\u001b[2J\"", "\"d\"", "\"https://a\""), EI_TOKEN_REFUSED},
        {CODE("\"A\"", "\"\"", "\"https://a\""), EI_TOKEN_REFUSED},
        {CODE("7", "\"d\"", "\"https://a\""), EI_TOKEN_REFUSED},
        {"{\"status\":404,\"html\":true}", EI_TENANT_UNKNOWN},
        {"{\"aadsts\":90002}", EI_TENANT_UNKNOWN},
        {"{\"aadsts\":700016}", EI_CLIENT_UNKNOWN},
        {"{\"aadsts\":90033}", EI_TOKEN_TRANSIENT},
        {"{\"reset\":true}", EI_UNREACHABLE},
    };
    char rule[512];
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(rule, sizeof rule, "{\"match\":{\"path\":\"/devicecode$\"},\"action\":%s}", rows[i].action);
        CTL("fault", rule);
        begin(&s);
        assert_int_equal(s.prompts, 0);
        assert_ended(&s, rows[i].code);
    }
}

static void test_answers_that_are_no_sign_in(void **state)
{
#define TOKENS(members) "{\"status\":200,\"body\":{\"token_type\":\"Bearer\"" members "}}"
    static const struct {
        const char *action;
        enum ei_err code;
        const char *says;
    } rows[] = {
        {TOKENS(""), EI_TOKEN_REFUSED, "no token"},
        {TOKENS(",\"access_token\":\"a\""), EI_CONSENT_MISSING, "offline_access"},
        {TOKENS(",\"access_token\":\"a\",\"refresh_token\":7"), EI_CONSENT_MISSING, "offline_access"},
        {TOKENS(",\"access_token\":\"a\",\"refresh_token\":\"r\",\"id_token\":\"x\""), EI_TOKEN_REFUSED, "id_token"},
        {TOKENS(",\"access_token\":\"a\",\"refresh_token\":\"r\",\"id_token\":\"e30.e30.e30\""), EI_SIGN_IN_TENANT,
         "another app"},
        {"{\"status\":200,\"html\":true}", EI_TOKEN_REFUSED, "no token"},
    };
    char rule[512];
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(rule, sizeof rule, "{\"match\":{\"grant\":\"device_code\"},\"action\":%s}", rows[i].action);
        CTL("fault", rule);
        begin(&s);
        later(&s, 5);
        assert_ended(&s, rows[i].code);
        assert_non_null(strstr(s.err.message, rows[i].says));
    }
    /* Without an id_token nobody knows who it is; the sign-in is good all the same. */
    CTL("fault", "{\"match\":{\"grant\":\"device_code\"},\"action\":" TOKENS(
                     ",\"access_token\":\"a\",\"refresh_token\":\"r\"") "}");
    begin(&s);
    later(&s, 5);
    assert_true(s.signed_in);
    assert_string_equal(s.refresh_token, "r");
    assert_string_equal(s.person.name, "");
}

/* Called off, at whatever moment: nobody is told anything any more. */
static void test_called_off(void **state)
{
    struct signing_in s = {0};
    const struct ei_device_handler handler = {.prompt = got_prompt, .done = got_end, .context = &s};
    struct ei_error err;

    NEEDS_SIMULATOR();
    assert_int_equal(ei_device_code_start(sim.graph, NULL, 0, &handler, &s.code, &err), EI_OK);
    ei_device_code_free(s.code);
    run(sim.graph);
    assert_int_equal(s.prompts + s.ends, 0);
    begin(&s);
    CTL("approve", s.user_code);
    CTL("advance", "5");
    skew_ms += 5000;
    ei_device_code_run(s.code);
    assert_int_equal(ei_device_code_wait_ms(s.code), INT64_MAX);
    ei_device_code_free(s.code);
    run(sim.graph);
    assert_int_equal(s.prompts, 1);
    assert_int_equal(s.ends, 0);
    begin(&s);
    ei_device_code_free(s.code);
    ei_device_code_free(NULL);
    assert_int_equal(ei_graph_active(sim.graph), 0);
}

/* The worker ends with a request under way: its owner has called it off before. */
static void test_the_graph_ends_first(void **state)
{
    struct signing_in s = {0};

    NEEDS_SIMULATOR();
    begin(&s);
    skew_ms += 5000;
    ei_device_code_run(s.code);
    ei_device_code_free(s.code);
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    assert_int_equal(s.ends, 0);
}

#define SIGN_IN_TEST(test) cmocka_unit_test_setup_teardown(test, use_skewed_clock, use_real_clock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGN_IN_TEST(test_the_whole_way),
        SIGN_IN_TEST(test_numbers),
        SIGN_IN_TEST(test_ends_without_a_sign_in),
        SIGN_IN_TEST(test_expires),
        SIGN_IN_TEST(test_slows_down),
        SIGN_IN_TEST(test_passing_failures),
        SIGN_IN_TEST(test_backs_off_to_a_minute),
        SIGN_IN_TEST(test_answers_that_are_no_code),
        SIGN_IN_TEST(test_answers_that_are_no_sign_in),
        SIGN_IN_TEST(test_called_off),
        SIGN_IN_TEST(test_the_graph_ends_first),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

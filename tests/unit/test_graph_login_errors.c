/* What the login service's errors are taken for: contract 1.5, 1.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/graph/errors.h"

static struct ei_graph_result read_login(long status, const char *body)
{
    struct ei_graph_result result = {0};
    struct ei_answer answer = {.status = status, .body = body, .length = strlen(body), .request_id = "ee-5"};

    ei_login_error_read(&answer, EI_ABOUT_OTHER, &result);
    return result;
}

static void test_login_rows(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *error;
        long number;
        enum ei_err err;
    } rows[] = {
        {401, "invalid_client", 7000215, EI_SECRET_WRONG},
        {401, "invalid_client", 7000222, EI_SECRET_EXPIRED},
        {400, "unauthorized_client", 700016, EI_CLIENT_UNKNOWN},
        {400, "invalid_request", 90002, EI_TENANT_UNKNOWN},
        {401, "invalid_client", 700027, EI_ASSERTION_REFUSED},
        {401, "invalid_client", 700021, EI_ASSERTION_REFUSED},
        {401, "invalid_client", 700023, EI_ASSERTION_REFUSED},
        {400, "invalid_request", 50027, EI_ASSERTION_REFUSED},
        {400, "unauthorized_client", 7000112, EI_APP_DISABLED},
        {400, "invalid_grant", 70000, EI_SIGN_IN_NEEDED},
        {400, "invalid_grant", 70008, EI_SIGN_IN_NEEDED},
        {400, "interaction_required", 50078, EI_SIGN_IN_NEEDED},
        {400, "interaction_required", 53000, EI_CONDITIONAL_ACCESS},
        {400, "interaction_required", 53001, EI_CONDITIONAL_ACCESS},
        {400, "interaction_required", 53002, EI_CONDITIONAL_ACCESS},
        {401, "invalid_client", 700024, EI_ASSERTION_TIME},
        {401, "invalid_client", 50012, EI_CERTIFICATE_INVALID},
        {400, "invalid_grant", 50013, EI_CERTIFICATE_INVALID},
        {400, "invalid_request", 70021, EI_FEDERATION_MISMATCH},
        {401, "invalid_client", 7000218, EI_APP_NOT_PUBLIC},
        {401, "invalid_client", 700025, EI_APP_IS_PUBLIC},
        {400, "invalid_request", 900144, EI_TOKEN_REFUSED},
        {400, "invalid_scope", 70011, EI_BAD_SCOPE},
        {400, "invalid_resource", 500011, EI_BAD_SCOPE},
        {400, "invalid_request", 700022, EI_BAD_SCOPE},
        {400, "invalid_grant", 65001, EI_CONSENT_MISSING},
        {400, "interaction_required", 65001, EI_CONSENT_MISSING},
        {400, "interaction_required", 53003, EI_CONDITIONAL_ACCESS},
        {400, "access_denied", 530032, EI_CONDITIONAL_ACCESS},
        {400, "interaction_required", 50105, EI_USER_BLOCKED},
        {400, "invalid_grant", 50057, EI_USER_BLOCKED},
        {400, "invalid_grant", 50034, EI_USER_BLOCKED},
        {400, "invalid_request", 90038, EI_WRONG_CLOUD},
        {400, "invalid_request", 900382, EI_WRONG_CLOUD},
        {400, "invalid_request", 900432, EI_WRONG_CLOUD},
        {400, "invalid_request", 50194, EI_TENANT_UNKNOWN},
        {400, "invalid_request", 9001023, EI_TENANT_UNKNOWN},
        /* contract 1.5: sign in again */
        {400, "invalid_grant", 700082, EI_SIGN_IN_NEEDED},
        {400, "invalid_grant", 50173, EI_SIGN_IN_NEEDED},
        {400, "invalid_grant", 70043, EI_SIGN_IN_NEEDED},
        {400, "interaction_required", 50076, EI_SIGN_IN_NEEDED},
        {400, "interaction_required", 50079, EI_SIGN_IN_NEEDED},
        {400, "something_new", 123, EI_TOKEN_REFUSED},
        {400, "invalid_request", 90033, EI_TOKEN_TRANSIENT},
        {400, "invalid_request", 90006, EI_TOKEN_TRANSIENT},
        {400, "invalid_request", 50033, EI_TOKEN_TRANSIENT},
        {400, "invalid_request", 90024, EI_TOKEN_TRANSIENT},
        {400, "invalid_request", 90012, EI_TOKEN_TRANSIENT},
        {400, "invalid_grant", 50196, EI_LOGIN_THROTTLED},
        {400, "invalid_grant", 90055, EI_LOGIN_THROTTLED},
        {503, "temporarily_unavailable", 90033, EI_TOKEN_TRANSIENT},
        /* `error` decides first: the number is a detail of it */
        {400, "temporarily_unavailable", 7000215, EI_TOKEN_TRANSIENT},
        {500, "server_error", 0, EI_TOKEN_TRANSIENT},
        {429, "temporarily_unavailable", 90055, EI_THROTTLED},
        /* a number that is not known: by `error`, as without one */
        {401, "invalid_client", 7, EI_SECRET_WRONG},
        {400, "unauthorized_client", 7, EI_CLIENT_UNKNOWN},
        {400, "invalid_tenant", 90002, EI_TENANT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"d\",\"error_codes\":[1,%ld]}",
                 rows[i].error, rows[i].number);
        struct ei_graph_result result = read_login(rows[i].status, body);
        if (result.error.code != rows[i].err)
            fail_msg("%s %ld: %s", rows[i].error, rows[i].number, ei_err_name(result.error.code));
    }
}

/* RFC 6749 5.2: a server that is not Microsoft's has no numbers, or has them in the text only. */
static void test_login_without_error_codes(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *body;
        enum ei_err err;
    } rows[] = {
        {401, "{\"error\":\"invalid_client\"}", EI_SECRET_WRONG},
        {400, "{\"error\":\"invalid_client\",\"error_description\":\"Bad client credentials\"}", EI_SECRET_WRONG},
        {400, "{\"error\":\"unauthorized_client\"}", EI_CLIENT_UNKNOWN},
        {400, "{\"error\":\"invalid_tenant\"}", EI_TENANT_UNKNOWN},
        {400, "{\"error\":\"temporarily_unavailable\"}", EI_TOKEN_TRANSIENT},
        {400, "{\"error\":\"server_error\"}", EI_TOKEN_TRANSIENT},
        {400, "{\"error\":\"invalid_scope\"}", EI_BAD_SCOPE},
        {400, "{\"error\":\"interaction_required\"}", EI_SIGN_IN_NEEDED},
        {400, "{\"error\":\"login_required\"}", EI_SIGN_IN_NEEDED},
        {400, "{\"error\":\"consent_required\"}", EI_CONSENT_MISSING},
        {400, "{\"error\":\"access_denied\"}", EI_CONDITIONAL_ACCESS},
        {400, "{\"error\":\"invalid_grant\"}", EI_TOKEN_REFUSED},
        {400, "{\"error\":\"INVALID_CLIENT\"}", EI_TOKEN_REFUSED},
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: expired\"}", EI_SECRET_EXPIRED},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: no tenant\"}", EI_TENANT_UNKNOWN},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002\"}", EI_TOKEN_REFUSED},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS99999999990002: x\"}", EI_TOKEN_REFUSED},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"not AADSTS90002: x\"}", EI_TOKEN_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_graph_result result = read_login(rows[i].status, rows[i].body);
        if (result.error.code != rows[i].err || result.outcome != EI_GRAPH_REJECTED)
            fail_msg("%s: %s", rows[i].body, ei_err_name(result.error.code));
    }
}

/* RFC 8628 3.5: the words that a sign-in is told, before any number but a known one (contract 1.4). */
static void test_sign_in_rows(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum ei_err err;
    } rows[] = {
        {"{\"error\":\"authorization_pending\",\"error_codes\":[70016]}", EI_SIGN_IN_PENDING},
        {"{\"error\":\"slow_down\"}", EI_SIGN_IN_SLOW},
        {"{\"error\":\"authorization_declined\"}", EI_SIGN_IN_DECLINED},
        {"{\"error\":\"access_denied\"}", EI_SIGN_IN_DECLINED},
        {"{\"error\":\"access_denied\",\"error_codes\":[53003]}", EI_CONDITIONAL_ACCESS},
        {"{\"error\":\"bad_verification_code\"}", EI_SIGN_IN_EXPIRED},
        {"{\"error\":\"expired_token\",\"error_codes\":[70019]}", EI_SIGN_IN_EXPIRED},
        {"{\"error\":\"invalid_grant\"}", EI_SIGN_IN_NEEDED},
        {"{\"error\":\"invalid_grant\",\"error_codes\":[50057]}", EI_USER_BLOCKED},
        {"{\"error\":\"invalid_grant\",\"error_codes\":[65001]}", EI_CONSENT_MISSING},
        {"{\"error\":\"invalid_client\"}", EI_APP_NOT_PUBLIC},
        {"{\"error\":\"invalid_client\",\"error_codes\":[700025]}", EI_APP_IS_PUBLIC},
        {"{\"error\":\"invalid_request\"}", EI_TOKEN_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_graph_result result = {0};
        struct ei_answer answer = {.status = 400, .body = rows[i].body, .length = strlen(rows[i].body)};
        ei_login_error_read(&answer, EI_ABOUT_SIGN_IN, &result);
        if (result.error.code != rows[i].err)
            fail_msg("%s: %s", rows[i].body, ei_err_name(result.error.code));
        /* Nobody else is told such: there they are words like others. */
        ei_login_error_read(&answer, EI_ABOUT_OTHER, &result);
        assert_false(result.error.code >= EI_SIGN_IN_DECLINED && result.error.code <= EI_SIGN_IN_TENANT);
        assert_int_not_equal(result.error.code, EI_SIGN_IN_PENDING);
        assert_int_not_equal(result.error.code, EI_SIGN_IN_SLOW);
    }
}

static void test_login_text(void **state)
{
    (void)state;
    struct ei_graph_result result = read_login(
        401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided."
             "\\r\\nTrace ID: 0f0f0f0f-1111-2222-3333-444444444444\\r\\nTimestamp: 2026-01-05 10:11:12Z\","
             "\"error_codes\":[7000215],\"trace_id\":\"0f0f0f0f-1111-2222-3333-444444444444\"}");

    assert_string_equal(result.error.message, "the login service answered 401 invalid_client (the client secret is "
                                              "wrong, or its id was given for its value, or "
                                              "it is too new): AADSTS7000215: Invalid client secret provided.");
    assert_string_equal(result.error.request_id, "0f0f0f0f-1111-2222-3333-444444444444");
    result = read_login(400, "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant not found. "
                             "Trace ID: 0f0f0f0f Correlation ID: 1\",\"error_codes\":[90002]}");
    assert_string_equal(result.error.message,
                        "the login service answered 400 invalid_request (there is no such tenant in this cloud): "
                        "AADSTS90002: Tenant not found.");
    assert_string_equal(result.error.request_id, "ee-5");
}

/* What the table does not have stays visible as it came; suberror and the wish for claims are shown (contract 1.7). */
static void test_login_details(void **state)
{
    (void)state;
    struct ei_graph_result result =
        read_login(400, "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS999999: Brand new.\","
                        "\"error_codes\":[999999],\"suberror\":\"basic_action\",\"claims\":\"{}\"}");

    assert_int_equal(result.error.code, EI_TOKEN_REFUSED);
    assert_string_equal(result.error.message,
                        "the login service answered 400 invalid_grant, suberror basic_action (a policy asks for "
                        "claims): AADSTS999999: Brand new.");
    result = read_login(400, "{\"error\":\"interaction_required\",\"error_codes\":[50076],\"claims\":\"{}\"}");
    assert_string_equal(result.error.message, "the login service answered 400 interaction_required (a second factor is "
                                              "wanted; a policy asks for claims)");
}

/* Each row is found by its number, once, and says something that a line can hold. */
static void test_catalogue_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < ei_catalogue_count; i++) {
        const struct ei_catalogue_row *row = &ei_catalogue[i];
        assert_true(row->cause[0] != '\0' && strlen(row->cause) < 120);
        assert_true(row->code != EI_OK);
        if (row->kind == EI_ROW_LOGIN)
            assert_ptr_equal(ei_catalogue_login(row->number), row);
        else if (row->kind == EI_ROW_GRAPH)
            assert_ptr_equal(ei_catalogue_graph(row->status != 0 ? row->status : 400, row->text), row);
        else
            assert_ptr_equal(ei_catalogue_invite(row->status != 0 ? row->status : 403, row->text, EI_ABOUT_RESET), row);
    }
    assert_null(ei_catalogue_login(0));
    assert_null(ei_catalogue_graph(400, ""));
    assert_null(ei_catalogue_graph(500, "TooManyRequests"));
}

static void test_login_bodies_without_an_error(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "<html></html>", "{\"error\":{\"code\":\"x\"}}", "{\"error\":\"inv", "7"};

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(read_login(404, bodies[i]).error.code, EI_GRAPH_ANSWER);
        assert_int_equal(read_login(503, bodies[i]).error.code, EI_TOKEN_TRANSIENT);
        assert_int_equal(read_login(429, bodies[i]).error.code, EI_THROTTLED);
    }
    assert_int_equal(
        read_login(400, "{\"error\":\"invalid_grant\",\"error_codes\":[\"7000215\",null,-1,1e300]}").error.code,
        EI_TOKEN_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_rows),
        cmocka_unit_test(test_login_without_error_codes),
        cmocka_unit_test(test_sign_in_rows),
        cmocka_unit_test(test_login_text),
        cmocka_unit_test(test_login_details),
        cmocka_unit_test(test_catalogue_is_sound),
        cmocka_unit_test(test_login_bodies_without_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

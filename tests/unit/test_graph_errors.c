/* What Graph's answers outside 2xx are taken for: contract 2.7, 6 and X5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/graph/errors.h"

static struct ei_graph_result read_graph(long status, const char *body, enum ei_about about)
{
    struct ei_graph_result result = {0};
    struct ei_answer answer = {.status = status, .body = body, .length = strlen(body)};

    ei_graph_error_read(&answer, about, &result);
    return result;
}

static struct ei_graph_result read_coded(long status, const char *code, const char *message, enum ei_about about)
{
    char body[1024];

    snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    return read_graph(status, body, about);
}

struct row {
    long status;
    const char *code, *message;
    enum ei_err err;
    enum ei_graph_outcome outcome;
};

static void check_rows(const struct row *rows, size_t count, enum ei_about about)
{
    for (size_t i = 0; i < count; i++) {
        struct ei_graph_result result = read_coded(rows[i].status, rows[i].code, rows[i].message, about);
        if (result.error.code != rows[i].err || result.outcome != rows[i].outcome)
            fail_msg("%ld %s %s: %s, outcome %d", rows[i].status, rows[i].code, rows[i].message,
                     ei_err_name(result.error.code), result.outcome);
    }
}

static void test_graph_rows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {401, "InvalidAuthenticationToken", "Access token has expired.", EI_UNAUTHORIZED, EI_GRAPH_REJECTED},
        {403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", EI_PERMISSION,
         EI_GRAPH_REJECTED},
        {403, "Directory_QuotaExceeded", "", EI_QUOTA, EI_GRAPH_REJECTED},
        {403, "UnknownError", "", EI_PERMISSION, EI_GRAPH_REJECTED},
        {404, "Request_ResourceNotFound", "Resource 'x' does not exist", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "Directory_ObjectNotFound", "Unable to read", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "ResourceNotFound", "", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "NotFound", "", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "itemNotFound", "Item not found.", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "UnknownError", "Not here.", EI_GRAPH_NOT_FOUND, EI_GRAPH_REJECTED},
        {404, "UnknownError", "<html>404</html>", EI_GRAPH_ANSWER, EI_GRAPH_REJECTED},
        {404, "UnknownError", "", EI_GRAPH_ANSWER, EI_GRAPH_REJECTED},
        {400, "Request_BadRequest", "already exists as object ID: x", EI_REQUEST_REFUSED, EI_GRAPH_REJECTED},
        {400, "Request_UnsupportedQuery", "Unsupported property filter", EI_REQUEST_REFUSED, EI_GRAPH_REJECTED},
        {400, "BadRequest", "Resource not found for the segment", EI_GRAPH_ANSWER, EI_GRAPH_REJECTED},
        {400, "activityLimitReached", "", EI_THROTTLED, EI_GRAPH_REJECTED},
        {400, "syncStateNotFound", "", EI_RESYNC, EI_GRAPH_REJECTED},
        {410, "resyncRequired", "", EI_RESYNC, EI_GRAPH_REJECTED},
        {410, "Gone", "", EI_RESYNC, EI_GRAPH_REJECTED},
        {404, "syncStateNotFound", "", EI_RESYNC, EI_GRAPH_REJECTED},
        {429, "TooManyRequests", "", EI_THROTTLED, EI_GRAPH_REJECTED},
        {409, "Conflict", "", EI_GRAPH_DOWN, EI_GRAPH_REJECTED},
        {408, "Timeout", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {500, "InternalServerError", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {501, "NotImplemented", "", EI_REQUEST_REFUSED, EI_GRAPH_UNCLEAR},
        {502, "BadGateway", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {503, "ServiceUnavailable", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {504, "GatewayTimeout", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {503, "TooManyRequests", "", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
        {302, "x", "", EI_REDIRECTED, EI_GRAPH_UNCLEAR},
        {308, "x", "", EI_REDIRECTED, EI_GRAPH_REJECTED},
    };
    check_rows(rows, sizeof rows / sizeof rows[0], EI_ABOUT_OBJECT);
}

/* A 404 is about a user only where one was asked for by id. */
static void test_not_found_of_a_collection(void **state)
{
    (void)state;
    struct ei_graph_result result =
        read_coded(404, "Directory_ObjectNotFound", "Unable to read the company information", EI_ABOUT_OTHER);

    assert_int_equal(result.outcome, EI_GRAPH_REJECTED);
    assert_int_equal(result.error.code, EI_GRAPH_ANSWER);
}

static void test_invitation_rows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {400, "BadRequest", "The Primary SMTP Address is an invalid value.", EI_GRAPH_ADDRESS, EI_GRAPH_REJECTED},
        {400, "BadRequest", "Group email address is not supported.", EI_GROUP_ADDRESS, EI_GRAPH_REJECTED},
        {400, "BadRequest", "Invitee is in inviter tenant.", EI_VERIFIED_DOMAIN, EI_GRAPH_REJECTED},
        {400, "BadRequest", "The domain of the user's email address is a verified domain of this directory",
         EI_VERIFIED_DOMAIN, EI_GRAPH_REJECTED},
        {400, "BadRequest", "The invited user ALREADY EXISTS in the directory", EI_INTERNAL_USER, EI_GRAPH_REJECTED},
        {400, "BadRequest", "something new", EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
        /* rows whose text nobody knows: a proxy address of another user, a missing property, the list of domains */
        {400, "BadRequest", "Conflict: ambiguous user", EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
        {400, "BadRequest", "Property inviteRedirectUrl is required.", EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
        {400, "BadRequest", "The domain is not allowed by policy.", EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
        {403, "Forbidden", "Guest invitations not allowed for your company.", EI_INVITATIONS_OFF, EI_GRAPH_REJECTED},
        {403, "Forbidden", "Generic authorization exception", EI_PERMISSION, EI_GRAPH_REJECTED},
        {403, "Authorization_RequestDenied", "Insufficient privileges", EI_PERMISSION, EI_GRAPH_REJECTED},
        {403, "Directory_QuotaExceeded", "guest invitations not allowed", EI_QUOTA, EI_GRAPH_REJECTED},
        {403, "Forbidden", "This invitation is blocked by cross-tenant access settings.", EI_CROSS_TENANT,
         EI_GRAPH_REJECTED},
        {400, "BadRequest", "Microsoft B2B Cross Cloud Worker application has been disabled", EI_CROSS_CLOUD,
         EI_GRAPH_REJECTED},
        {401, "UnknownError", "ControllerName=MSGraphInviteAPI", EI_PERMISSION, EI_GRAPH_REJECTED},
        {429, "TooManyRequests", "already exists", EI_THROTTLED, EI_GRAPH_REJECTED},
        {404, "Request_ResourceNotFound", "no user's", EI_GRAPH_ANSWER, EI_GRAPH_REJECTED},
        {500, "x", "already exists", EI_GRAPH_DOWN, EI_GRAPH_UNCLEAR},
    };
    check_rows(rows, sizeof rows / sizeof rows[0], EI_ABOUT_INVITATION);
}

/* What only a reset is told. An invitation with the same words must not fail a person for what the app may not do. */
static void test_reset_rows(void **state)
{
    (void)state;
    static const char foreign[] =
        "The email you're using to invite this user doesn't match any emails on the user object";
    static const struct row reset[] = {
        {400, "BadRequest", foreign, EI_RESET_ADDRESS, EI_GRAPH_REJECTED},
        {403, "Forbidden", "Generic authorization exception.", EI_RESET_DENIED, EI_GRAPH_REJECTED},
        {403, "Authorization_RequestDenied", "Insufficient privileges", EI_PERMISSION, EI_GRAPH_REJECTED},
        {403, "Forbidden", "Guest invitations not allowed for your company.", EI_INVITATIONS_OFF, EI_GRAPH_REJECTED},
        {400, "BadRequest", "something new", EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
    };
    static const struct row invitation[] = {
        {400, "BadRequest", foreign, EI_INVITATION_REFUSED, EI_GRAPH_REJECTED},
        {403, "Forbidden", "Generic authorization exception.", EI_PERMISSION, EI_GRAPH_REJECTED},
    };
    check_rows(reset, sizeof reset / sizeof reset[0], EI_ABOUT_RESET);
    check_rows(invitation, sizeof invitation / sizeof invitation[0], EI_ABOUT_INVITATION);
}

/* contract 6: no text decides where a code does, and nothing but an invitation is read by its text. */
static void test_texts_decide_invitations_only(void **state)
{
    (void)state;
    static const enum ei_about others[] = {EI_ABOUT_OTHER, EI_ABOUT_OBJECT};

    for (size_t i = 0; i < ei_catalogue_count; i++) {
        const struct ei_catalogue_row *row = &ei_catalogue[i];
        if (row->kind != EI_ROW_INVITE && row->kind != EI_ROW_RESET)
            continue;
        long status = row->status != 0 ? row->status : 400;
        for (size_t j = 0; j < 2; j++) {
            struct ei_graph_result result = read_coded(status, "Forbidden", row->text, others[j]);
            assert_int_equal(result.error.code, status == 403   ? EI_PERMISSION
                                                : status == 401 ? EI_UNAUTHORIZED
                                                                : EI_GRAPH_ANSWER);
        }
        struct ei_graph_result result = read_coded(429, "TooManyRequests", row->text, EI_ABOUT_RESET);
        assert_int_equal(result.error.code, EI_THROTTLED);
        result = read_coded(403, "Directory_QuotaExceeded", row->text, EI_ABOUT_RESET);
        assert_int_equal(result.error.code, EI_QUOTA);
    }
}

static void test_the_message_has_the_cause(void **state)
{
    (void)state;
    struct ei_graph_result result =
        read_coded(403, "Authorization_RequestDenied", "Insufficient privileges.", EI_ABOUT_OBJECT);

    assert_string_equal(result.error.message, "Microsoft Graph answered 403 Authorization_RequestDenied (the app lacks "
                                              "a permission, or consent to it): Insufficient privileges.");
    result = read_coded(400, "Brand_New", "Never seen.", EI_ABOUT_INVITATION);
    assert_string_equal(result.error.message, "Microsoft Graph answered 400 Brand_New: Never seen.");
    /* the cause of another code would mislead */
    result = read_coded(404, "Directory_ObjectNotFound", "No company information.", EI_ABOUT_OTHER);
    assert_string_equal(result.error.message,
                        "Microsoft Graph answered 404 Directory_ObjectNotFound: No company information.");
}

/* contract 6: 401 with claims= is conditional access, whatever else the answer says. */
static void test_claims_challenge(void **state)
{
    (void)state;
    static const char body[] = "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Continuous access "
                               "evaluation resulted in challenge\"}}";
    struct ei_graph_result result = {0};
    struct ei_answer answer = {
        .status = 401,
        .body = body,
        .length = sizeof body - 1,
        .challenge = "Bearer realm=\"\", authorization_uri=\"https://login.example\", error=\"insufficient_claims\", "
                     "claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
    };

    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_int_equal(result.error.code, EI_CONDITIONAL_ACCESS);
    assert_non_null(strstr(result.error.message, "other claims"));
    answer.challenge = "Bearer realm=\"\", error=\"invalid_token\"";
    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_int_equal(result.error.code, EI_UNAUTHORIZED);
    answer.challenge = "Bearer claims=\"x\"";
    answer.status = 403;
    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_int_equal(result.error.code, EI_PERMISSION);
}

/* contract 2.6: the id stands up to the next full stop or comma. */
static void test_existing_user(void **state)
{
    (void)state;
    static const char id[] = "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02";
    struct ei_graph_result result = read_coded(400, "BadRequest",
                                               "The invited user already exists in the directory as object ID: "
                                               "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02. They can use that account.",
                                               EI_ABOUT_INVITATION);

    assert_int_equal(result.error.code, EI_INTERNAL_USER);
    assert_string_equal(result.user_id, id);
    assert_non_null(strstr(result.error.message, "has this address): The invited user already exists"));
    result = read_coded(400, "BadRequest",
                        "user already exists as object id: 0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02, but is blocked",
                        EI_ABOUT_INVITATION);
    assert_string_equal(result.user_id, id);
    result = read_coded(400, "BadRequest", "already exists as object ID: 0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02",
                        EI_ABOUT_INVITATION);
    assert_string_equal(result.user_id, id);
    result = read_coded(400, "BadRequest", "already exists as object ID: ../../me.", EI_ABOUT_INVITATION);
    assert_string_equal(result.user_id, "");
    result = read_coded(400, "BadRequest", "already exists as object ID: ", EI_ABOUT_INVITATION);
    assert_string_equal(result.user_id, "");
}

static void test_bodies_without_an_error_object(void **state)
{
    (void)state;
    static const char *const bodies[] = {"",
                                         "<!DOCTYPE html><html><body>403 - Forbidden</body></html>",
                                         "{",
                                         "{\"error\":{\"code\":\"BadReq",
                                         "null",
                                         "[]",
                                         "{\"error\":\"x\"}",
                                         "{\"error\":{}}",
                                         "{\"error\":{\"code\":7}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(read_graph(403, bodies[i], EI_ABOUT_INVITATION).error.code, EI_PERMISSION);
        assert_int_equal(read_graph(401, bodies[i], EI_ABOUT_OBJECT).error.code, EI_UNAUTHORIZED);
        /* not a user's 404, and no verdict on an address */
        assert_int_equal(read_graph(404, bodies[i], EI_ABOUT_OBJECT).error.code, EI_GRAPH_ANSWER);
        assert_int_equal(read_graph(400, bodies[i], EI_ABOUT_INVITATION).error.code, EI_GRAPH_ANSWER);
        assert_int_equal(read_graph(429, bodies[i], EI_ABOUT_INVITATION).error.code, EI_THROTTLED);
        assert_int_equal(read_graph(502, bodies[i], EI_ABOUT_INVITATION).error.code, EI_GRAPH_DOWN);
    }
    struct ei_graph_result result = read_coded(403, "UnknownError", "<html>a page</html>", EI_ABOUT_OBJECT);
    assert_string_equal(result.error.message, "Microsoft Graph answered 403 UnknownError");
}

/* contract 6: both spellings, any depth; the header's beats it. */
static void test_request_ids(void **state)
{
    (void)state;
    static const char old[] = "{\"error\":{\"code\":\"x\",\"message\":\"y\",\"innerError\":{\"request-id\":\"aa-1\"}}}";
    static const char nested[] = "{\"error\":{\"code\":\"x\",\"message\":\"y\",\"innererror\":{\"code\":\"z\","
                                 "\"innerError\":{\"innererror\":{\"request-id\":\"bb-2\"}}}}}";
    struct ei_graph_result result = {0};
    struct ei_answer answer = {.status = 400, .body = old, .length = sizeof old - 1, .request_id = "cc-3"};

    assert_string_equal(read_graph(400, old, EI_ABOUT_OBJECT).error.request_id, "aa-1");
    assert_string_equal(read_graph(400, nested, EI_ABOUT_OBJECT).error.request_id, "bb-2");
    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_string_equal(result.error.request_id, "cc-3");
    answer.request_id = "not an id\n";
    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_string_equal(result.error.request_id, "aa-1");
}

/* S16: untrusted text cannot forge a line, and is cut between characters. */
static void test_messages_are_one_line(void **state)
{
    (void)state;
    char out[8];
    char long_message[700];
    struct ei_graph_result result =
        read_coded(400, "Bad\\nRequest", "one\\r\\n<3>two\\u001b[2J \\u0085\xff three", EI_ABOUT_INVITATION);

    assert_string_equal(result.error.message, "Microsoft Graph answered 400 Bad Request: one <3>two [2J ? three");
    ei_graph_text(out, sizeof out, "12345\xc3\xa9\xc3\xa9");
    assert_string_equal(out, "12345\xc3\xa9");
    ei_graph_text(out, sizeof out, "123456\xc3\xa9");
    assert_string_equal(out, "123456");
    ei_graph_text(out, sizeof out, " \t\n ");
    assert_string_equal(out, "");
    ei_graph_text(out, sizeof out, "\xf0\x9f\x98");
    assert_string_equal(out, "???");
    memset(long_message, 'm', sizeof long_message - 1);
    long_message[sizeof long_message - 1] = '\0';
    result = read_coded(400, "BadRequest", long_message, EI_ABOUT_INVITATION);
    assert_true(strlen(result.error.message) < 400);
}

/* X13: cut anywhere, it is the whole truth or none of it. */
static void test_cut_bodies(void **state)
{
    (void)state;
    static const char body[] = "{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"m\",\"innerError\":"
                               "{\"request-id\":\"aa-1\"}}}";
    static const char login[] = "{\"error\":\"invalid_client\",\"error_description\":\"d\",\"error_codes\":[7000215]}";
    struct ei_graph_result result = {0};

    for (size_t length = 0; length <= strlen(body); length++) {
        struct ei_answer answer = {.status = 404, .body = body, .length = length};
        ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
        assert_int_equal(result.error.code, length == strlen(body) ? EI_GRAPH_NOT_FOUND : EI_GRAPH_ANSWER);
    }
    for (size_t length = 0; length <= strlen(login); length++) {
        struct ei_answer answer = {.status = 401, .body = login, .length = length};
        ei_login_error_read(&answer, EI_ABOUT_OTHER, &result);
        assert_int_equal(result.error.code, length == strlen(login) ? EI_SECRET_WRONG : EI_GRAPH_ANSWER);
    }
}

static void test_redirect_names_the_host_only(void **state)
{
    (void)state;
    struct ei_graph_result result = {0};
    struct ei_answer answer = {.status = 302, .location = "https://portal.fabrikam.com/x?token=secret"};

    ei_graph_error_read(&answer, EI_ABOUT_OBJECT, &result);
    assert_int_equal(result.error.code, EI_REDIRECTED);
    assert_non_null(strstr(result.error.message, "portal.fabrikam.com"));
    assert_null(strstr(result.error.message, "secret"));
    ei_login_error_read(&answer, EI_ABOUT_OTHER, &result);
    assert_int_equal(result.error.code, EI_REDIRECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_rows),
        cmocka_unit_test(test_not_found_of_a_collection),
        cmocka_unit_test(test_invitation_rows),
        cmocka_unit_test(test_reset_rows),
        cmocka_unit_test(test_texts_decide_invitations_only),
        cmocka_unit_test(test_the_message_has_the_cause),
        cmocka_unit_test(test_claims_challenge),
        cmocka_unit_test(test_existing_user),
        cmocka_unit_test(test_bodies_without_an_error_object),
        cmocka_unit_test(test_request_ids),
        cmocka_unit_test(test_messages_are_one_line),
        cmocka_unit_test(test_cut_bodies),
        cmocka_unit_test(test_redirect_names_the_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

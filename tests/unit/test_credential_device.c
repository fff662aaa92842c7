/* The sign-in of a person as the worker's credential: its file. The sign-in itself is in test_graph_sign_in.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/graph/sign_in.h"
#include "tests/unit/credential_fixture.h"
#include "tests/unit/descriptors_fixture.h"

/* Else the host would want somebody to sign in again, over a shortage of a moment. */
static void a_file_that_could_not_be_opened_is_tried_again(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_token_request request;
    struct ei_error err;

    (void)state;
    put_file(in_dir("refresh-token"), 0600,
             "{\"refreshToken\":\"x\",\"clientId\":\"99999999-8888-7777-6666-555555555555\","
             "\"loginUrl\":\"https://login.microsoftonline.com\",\"graphUrl\":\"https://graph.microsoft.com\","
             "\"scope\":\"s\"}\n");
    assert_int_equal(ei_credential_device(in_dir("refresh-token"), &credential, &err), EI_OK);
    take_descriptors(0);
    enum ei_err rc = request_fails(credential, &err);
    give_descriptors();
    assert_int_equal(rc, EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(err.message, "Too many open files"));
    make_request(credential, &request);
    char *token = form_value(&request, "refresh_token");
    assert_string_equal(token, "x");
    free(token);
    ei_token_request_free(&request);
    ei_credential_free(credential);
}

static void a_file_that_is_wrong_is_read_when_told(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    put_file(in_dir("refresh-token"), 0600, "{}");
    assert_int_equal(ei_credential_device(in_dir("refresh-token"), &credential, &err), EI_OK);
    assert_int_equal(request_fails(credential, &err), EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(err.message, "not a sign-in that was written here"));
    assert_int_equal(unlink(in_dir("refresh-token")), 0);
    assert_int_equal(request_fails(credential, &err), EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(err.message, "not a sign-in that was written here"));
    assert_int_equal(ei_credential_reload(credential, &err), EI_OK);
    assert_int_equal(request_fails(credential, &err), EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(err.message, "nobody has signed in yet"));
    ei_credential_free(credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_could_not_be_opened_is_tried_again, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_that_is_wrong_is_read_when_told, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The client secret: its form, its file, a new one (contract 1.1; K3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/credential_fixture.h"
#include "tests/unit/descriptors_fixture.h"

#define BEFORE                                                                                                         \
    "grant_type=client_credentials&client_id=99999999-8888-7777-6666-555555555555"                                     \
    "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret="

static void assert_form(struct ei_credential *credential, const char *form)
{
    struct ei_token_request request;

    make_request(credential, &request);
    assert_string_equal(request.form.data, form);
    assert_string_equal(request.target, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_int_equal(request.method, EI_POST);
    assert_int_equal(request.service, EI_SERVICE_LOGIN);
    assert_null(request.headers);
    ei_token_request_free(&request);
}

static void the_secret_is_encoded(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    put_file(in_dir("secret"), 0600, "a~b+c&d=e%f/g h\n");
    assert_int_equal(ei_credential_secret(in_dir("secret"), &credential, &err), EI_OK);
    assert_form(credential, BEFORE "a~b%2Bc%26d%3De%25f%2Fg%20h");
    assert_int_equal(ei_credential_check(credential, &err), EI_OK);
    assert_int_equal(ei_credential_expires(credential), 0); /* nothing tells */
    ei_credential_free(credential);
}

static void a_bad_new_secret_leaves_the_old_one(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    put_file(in_dir("secret"), 0600, "old");
    assert_int_equal(ei_credential_secret(in_dir("secret"), &credential, &err), EI_OK);
    put_file(in_dir("secret"), 0600, "new");
    assert_int_equal(ei_credential_reload(credential, &err), EI_OK);
    put_file(in_dir("secret"), 0644, "newer"); /* K3 */
    assert_int_equal(ei_credential_reload(credential, &err), EI_SECRET_FILE);
    assert_null(strstr(err.message, "newer"));
    assert_form(credential, BEFORE "new");
    ei_credential_free(credential);
    ei_credential_free(NULL);
}

static void no_file(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    assert_int_equal(ei_credential_secret(in_dir("none"), &credential, &err), EI_SECRET_FILE);
    assert_null(credential);
}

/* Nobody has to mend the file for what passes: the worker is started again. */
static void no_descriptor_is_not_the_files_fault(void **state)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    put_file(in_dir("secret"), 0600, "old");
    take_descriptors(0);
    enum ei_err rc = ei_credential_secret(in_dir("secret"), &credential, &err);
    give_descriptors();
    assert_int_equal(rc, EI_IO);
    assert_non_null(strstr(err.message, "/secret: Too many open files"));
    assert_null(credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_secret_is_encoded, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_bad_new_secret_leaves_the_old_one, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(no_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(no_descriptor_is_not_the_files_fault, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

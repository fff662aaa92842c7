/* The federated token: read for each request, whatever Kubernetes makes of the file, and nothing unsafe (contract 1.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/credential_fixture.h"
#include "tests/unit/descriptors_fixture.h"

#define FIRST  "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl"
#define SECOND "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJiIn0.b3RoZXI-_w"

static struct ei_credential *opened(const char *path)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    assert_int_equal(ei_credential_federated(path, &credential, &err), EI_OK);
    return credential;
}

static void expect_sent(struct ei_credential *credential, const char *token)
{
    struct ei_token_request request;

    make_request(credential, &request);
    char *value = form_value(&request, "client_assertion");
    assert_non_null(value);
    assert_string_equal(value, token);
    free(value);
    value = form_value(&request, "client_assertion_type");
    assert_string_equal(value, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    free(value);
    value = form_value(&request, "grant_type");
    assert_string_equal(value, "client_credentials");
    free(value);
    assert_string_equal(request.target, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    ei_token_request_free(&request);
}

static void expect_refused(struct ei_credential *credential, const char *saying)
{
    struct ei_error err;

    assert_int_equal(request_fails(credential, &err), EI_TOKEN_FILE);
    if (strncmp(err.message, in_dir("token"), strlen(in_dir("token"))) != 0 || strstr(err.message, saying) == NULL)
        fail_msg("expected \"%s: … %s\", got %s", in_dir("token"), saying, err.message);
    assert_int_equal(err.code, EI_TOKEN_FILE);
    assert_null(strstr(err.message, "eyJ"));
}

static void it_is_read_for_each_request(void **state)
{
    struct ei_credential *credential = opened(in_dir("token"));
    struct ei_error err;

    (void)state;
    expect_refused(credential, "No such file"); /* it may come later */
    assert_int_equal(ei_credential_check(credential, &err), EI_TOKEN_FILE);
    put_file(in_dir("token"), 0600, FIRST "\n");
    expect_sent(credential, FIRST);
    put_file(in_dir("token.new"), 0640, SECOND);
    assert_int_equal(rename(in_dir("token.new"), in_dir("token")), 0);
    expect_sent(credential, SECOND);
    take_descriptors(0);
    enum ei_err rc = request_fails(credential, &err);
    give_descriptors();
    assert_int_equal(rc, EI_TOKEN_FILE);
    assert_int_equal(ei_err_fault(EI_TOKEN_FILE), EI_FAULT_TRANSIENT);
    ei_credential_free(credential);
}

/* A projected token: token → ..data/token, ..data → ..2026_01/, replaced by a rename of ..data. */
static void as_kubernetes_has_it(void **state)
{
    struct ei_credential *credential = opened(in_dir("token"));

    (void)state;
    assert_int_equal(mkdir(in_dir("..first"), 0755), 0);
    assert_int_equal(mkdir(in_dir("..second"), 0755), 0);
    put_file(in_dir("..first/token"), 0644, FIRST);
    put_file(in_dir("..second/token"), 0644, SECOND);
    assert_int_equal(symlink("..first", in_dir("..data")), 0);
    assert_int_equal(symlink("..data/token", in_dir("token")), 0);
    expect_sent(credential, FIRST);
    assert_int_equal(symlink("..second", in_dir("..data_tmp")), 0);
    assert_int_equal(rename(in_dir("..data_tmp"), in_dir("..data")), 0);
    expect_sent(credential, SECOND);
    ei_credential_free(credential);
}

static void files_that_are_refused(void **state)
{
    struct ei_credential *credential = opened(in_dir("token"));
    static const char *const no_tokens[] = {"secret", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c d", "a.b.c\nd"};

    (void)state;
    for (size_t i = 0; i < sizeof no_tokens / sizeof no_tokens[0]; i++) {
        put_file(in_dir("token"), 0600, no_tokens[i]);
        expect_refused(credential, "holds no token (JWT)");
    }
    put_file(in_dir("token"), 0600, "");
    expect_refused(credential, "empty");
    put_file(in_dir("token"), 0664, FIRST);
    expect_refused(credential, "mode 0664 lets group or others write");
    put_file(in_dir("token"), 0646, FIRST);
    expect_refused(credential, "mode 0646 lets group or others write");
    put_file(in_dir("token"), 0600, FIRST);
    assert_int_equal(link(in_dir("token"), in_dir("other")), 0);
    expect_refused(credential, "has 2 links");
    assert_int_equal(unlink(in_dir("other")), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(in_dir("token"), 12345, 0), 0);
        expect_refused(credential, "owned by uid 12345");
    }
    assert_int_equal(unlink(in_dir("token")), 0);
    assert_int_equal(mkfifo(in_dir("token"), 0600), 0);
    expect_refused(credential, "not a regular file");
    assert_int_equal(unlink(in_dir("token")), 0);
    FILE *file = fopen(in_dir("token"), "we");
    for (int i = 0; i < EI_SECRET_MAX + 1; i++)
        fputc('a', file);
    fclose(file);
    expect_refused(credential, "larger than");
    ei_credential_free(credential);
}

/* {"exp":1767225600}, which is 2026-01-01T00:00:00Z. */
static void a_token_that_has_expired(void **state)
{
    static const char expired[] = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3NjcyMjU2MDB9.c2ln";
    static const char lasting[] = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2ln";
    struct ei_credential *credential = opened(in_dir("token"));
    struct ei_error err;

    (void)state;
    put_file(in_dir("token"), 0644, expired);
    assert_int_equal(ei_credential_check(credential, &err), EI_ASSERTION_TIME);
    assert_non_null(strstr(err.message, "/token: the token in it expired at 2026-01-01T00:00:00Z, and here it is 20"));
    expect_sent(credential, expired); /* Microsoft judges */
    put_file(in_dir("token"), 0644, lasting);
    if (ei_credential_check(credential, &err) != EI_OK)
        assert_non_null(strstr(err.message, "the user entra-invite cannot read it")); /* the test's own directory */
    ei_credential_free(credential);
}

static void what_a_refusal_is_about(void **state)
{
    static const enum ei_err rows[][2] = {
        {EI_SECRET_WRONG, EI_FEDERATION_MISMATCH},        {EI_ASSERTION_REFUSED, EI_FEDERATION_MISMATCH},
        {EI_CERTIFICATE_INVALID, EI_FEDERATION_MISMATCH}, {EI_ASSERTION_TIME, EI_TOKEN_STALE},
        {EI_FEDERATION_NEW, EI_FEDERATION_NEW},           {EI_TENANT_UNKNOWN, EI_TENANT_UNKNOWN},
    };
    struct ei_credential *credential = opened(in_dir("token"));

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_graph_result result = {.error.code = rows[i][0]};
        assert_false(credential->type->refused(credential, &result, ""));
        assert_int_equal(result.error.code, rows[i][1]);
    }
    assert_non_null(strstr(ei_err_mend(EI_TOKEN_STALE), "clock"));
    ei_credential_free(credential);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        T(it_is_read_for_each_request), T(as_kubernetes_has_it),    T(files_that_are_refused),
        T(a_token_that_has_expired),    T(what_a_refusal_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Managed identity: which service, how it is asked, Arc's challenge and every file it must not name (contract 1.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/credential_fixture.h"

#define ENDPOINT "http://127.0.0.1:40342/metadata/identity/oauth2/token"
#define ID       "12121212-3434-5656-7878-909090909090"
#define KEYS     "/var/opt/azcmagent/tokens"

/* What it is told by the environment lasts for one test. */
static int forget_arc(void **state)
{
    (void)state;
    unsetenv("IDENTITY_ENDPOINT");
    unsetenv("IMDS_ENDPOINT");
    return 0;
}

static struct ei_credential *opened(const char *endpoint, const char *client_id)
{
    struct ei_credential *credential = NULL;
    struct ei_error err;

    if (ei_credential_managed(endpoint, client_id, &credential, &err) != EI_OK)
        fail_msg("%s", err.message);
    return credential;
}

static struct ei_credential *on_arc(const char *client_id)
{
    setenv("IDENTITY_ENDPOINT", ENDPOINT, 1);
    setenv("IMDS_ENDPOINT", "http://127.0.0.1:40342", 1);
    return opened(NULL, client_id);
}

/* key: NULL for no Authorization. */
static void expect_asked(struct ei_credential *credential, const char *url, const char *key)
{
    struct ei_token_request request;
    char line[8192];

    make_request(credential, &request);
    assert_string_equal(request.target, url);
    assert_int_equal(request.method, EI_GET);
    assert_int_equal(request.service, EI_SERVICE_IDENTITY);
    assert_int_equal(request.form.length, 0);
    assert_string_equal(request.headers->data, "Metadata: true");
    if (key == NULL) {
        assert_null(request.headers->next);
    } else {
        snprintf(line, sizeof line, "Authorization: Basic %s", key);
        assert_non_null(request.headers->next);
        assert_string_equal(request.headers->next->data, line);
    }
    ei_token_request_free(&request);
}

#define GRAPH_ENCODED "&resource=https%3A%2F%2Fgraph.microsoft.com"

static void which_service_is_asked(void **state)
{
    (void)state;
    struct ei_credential *credential = opened(NULL, NULL);
    expect_asked(credential,
                 "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01" GRAPH_ENCODED, NULL);
    ei_credential_free(credential);
    credential = opened("https://identity.contoso.com/token", ID);
    expect_asked(credential, "https://identity.contoso.com/token?api-version=2018-02-01" GRAPH_ENCODED "&client_id=" ID,
                 NULL);
    ei_credential_free(credential);
    setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/other", 1); /* alone it is another service's */
    credential = opened(NULL, NULL);
    expect_asked(credential,
                 "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01" GRAPH_ENCODED, NULL);
    ei_credential_free(credential);
    credential = on_arc(NULL);
    expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, NULL);
    ei_credential_free(credential);
    credential = opened("http://localhost:7/t", NULL);
    expect_asked(credential, "http://localhost:7/t?api-version=2020-06-01" GRAPH_ENCODED, NULL);
    ei_credential_free(credential);
}

static void k5_where_plain_http_may_go(void **state)
{
    static const char *const good[] = {
        "http://127.0.0.1/t",   "http://127.9.9.9:1/t", "http://localhost:40342/t",       "http://169.254.169.254/t",
        "http://[::1]:40342/t", "http://[fe80::1]/t",   "https://identity.contoso.com/t", "HTTP://LOCALHOST/t",
    };
    static const char *const bad[] = {
        "http://identity.contoso.com/t",
        "http://10.0.0.1/t",
        "http://169.253.0.1/t",
        "http://128.0.0.1/t",
        "http://127.0.0.1.evil.com/t",
        "http://localhost.evil/t",
        "http://[2001:db8::1]/t",
        "http://[::ffff:10.0.0.1]/t",
        "http://u:p@127.0.0.1/t",
        "http://127.0.0.1/t?x=y",
        "http://127.0.0.1/t#x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/t",
        "127.0.0.1/t",
        "",
        "http://127.0.0.1/a b",
    };
    struct ei_credential *credential = NULL;
    struct ei_error err;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ei_credential_free(opened(good[i], NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (ei_credential_managed(bad[i], NULL, &credential, &err) != EI_CONFIG)
            fail_msg("%s is taken", bad[i]);
        assert_memory_equal(err.message, "endpoint:", 9);
    }
    setenv("IDENTITY_ENDPOINT", "http://203.0.113.5/t", 1);
    setenv("IMDS_ENDPOINT", "x", 1);
    assert_int_equal(ei_credential_managed(NULL, NULL, &credential, &err), EI_CONFIG);
    assert_memory_equal(err.message, "IDENTITY_ENDPOINT", 17);
}

/* Old agents ignore the selector and silently give the system's identity. */
static void the_echo_is_checked(void **state)
{
    static const struct {
        bool arc;
        const char *asked;
        const char *answer;
        bool good;
    } rows[] = {
        {false, NULL, "{}", true},
        {false, NULL, "{\"client_id\":\"other\"}", true},
        {false, ID, "{}", true},
        {false, ID, "{\"client_id\":\"" ID "\"}", true},
        {false, ID, "{\"client_id\":\"00000000-3434-5656-7878-909090909090\"}", false},
        {true, NULL, "{}", true},
        {true, ID, "{}", false},
        {true, ID, "{\"client_id\":\"" ID "\"}", true},
        {true, ID, "{\"client_id\":\"00000000-3434-5656-7878-909090909090\"}", false},
    };
    struct ei_error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget_arc(NULL);
        struct ei_credential *credential = rows[i].arc ? on_arc(rows[i].asked) : opened(ENDPOINT, rows[i].asked);
        cJSON *json = ei_json_parse(rows[i].answer, strlen(rows[i].answer));
        enum ei_err rc = credential->type->granted(credential, json, &err);
        if (rc != (rows[i].good ? EI_OK : EI_IDENTITY_REFUSED))
            fail_msg("row %zu: %s", i, ei_err_name(rc));
        cJSON_Delete(json);
        ei_credential_free(credential);
    }
}

/* --- the challenge --- */

static bool challenge(struct ei_credential *credential, const char *header, struct ei_graph_result *result)
{
    *result = (struct ei_graph_result){.status = 401, .error.code = EI_IDENTITY_REFUSED};
    return credential->type->refused(credential, result, header);
}

/* In a lab only: it makes the agent's directory. */
static bool make_keys(void)
{
    char name[64] = "";

    if (gethostname(name, sizeof name) != 0 || strcmp(name, "lab") != 0 || geteuid() != 0) {
        print_message("skipped: it makes " KEYS ", and so runs in a lab only (tests/run)\n");
        return false;
    }
    return system("rm -rf " KEYS " && mkdir -p -m 0755 " KEYS) == 0;
}

static void the_challenge_is_answered_once(void **state)
{
    struct ei_graph_result result;
    static const char *const headers[] = {"Basic realm=" KEYS "/a-1.key", "basic Realm=\"" KEYS "/a-1.key\"",
                                          "Basic  realm=" KEYS "/a-1.key, charset=\"UTF-8\""};

    (void)state;
    if (!make_keys())
        skip();
    put_file(KEYS "/a-1.key", 0640, "c2VjcmV0LWtleQ==\r\n");
    struct ei_credential *credential = on_arc(NULL);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (!challenge(credential, headers[i], &result))
            fail_msg("%s: %s", headers[i], result.error.message);
        expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, "c2VjcmV0LWtleQ==");
        /* the same again, once it was answered, is the end: no loop */
        assert_false(challenge(credential, headers[i], &result));
        assert_int_equal(result.error.code, EI_IDENTITY_REFUSED);
        expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, NULL);
    }
    ei_credential_free(credential);
}

/* On a VM there is no challenge, so a 401 there opens no file. */
static void no_challenge_on_a_vm(void **state)
{
    struct ei_graph_result result;

    (void)state;
    if (!make_keys())
        skip();
    put_file(KEYS "/a.key", 0640, "key");
    struct ei_credential *credential = opened(ENDPOINT, NULL);
    assert_false(challenge(credential, "Basic realm=" KEYS "/a.key", &result));
    expect_asked(credential, ENDPOINT "?api-version=2018-02-01" GRAPH_ENCODED, NULL);
    ei_credential_free(credential);
}

static void challenges_that_are_refused(void **state)
{
    static const char *const headers[] = {
        "",
        "Basic",
        "Basic realm=",
        "Bearer realm=" KEYS "/a.key",
        "Basic realm=/etc/shadow",
        "Basic realm=/etc/a.key",
        "Basic realm=" KEYS "/a.txt",
        "Basic realm=" KEYS "/.key",
        "Basic realm=" KEYS "/../tokens/a.key",
        "Basic realm=" KEYS "/sub/a.key",
        "Basic realm=" KEYS "a.key",
        "Basic realm=" KEYS "/",
        "Basic realm=\"" KEYS "/a.key\\",
        "Basic realm=tokens/a.key",
    };
    struct ei_graph_result result;

    (void)state;
    if (!make_keys())
        skip();
    put_file(KEYS "/a.key", 0640, "key");
    put_file(KEYS "/a.txt", 0640, "key");
    assert_int_equal(mkdir(KEYS "/sub", 0755), 0);
    put_file(KEYS "/sub/a.key", 0640, "key");
    struct ei_credential *credential = on_arc(NULL);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (challenge(credential, headers[i], &result))
            fail_msg("%s is answered", headers[i]);
        assert_int_equal(result.error.code, EI_IDENTITY_REFUSED);
        assert_non_null(strstr(result.error.message, "names no key"));
    }
    ei_credential_free(credential);
}

static void expect_key_refused(struct ei_credential *credential, const char *saying)
{
    struct ei_graph_result result;

    if (challenge(credential, "Basic realm=" KEYS "/a.key", &result))
        fail_msg("taken, but: %s", saying);
    assert_int_equal(result.error.code, EI_IDENTITY_KEY);
    if (strstr(result.error.message, KEYS "/a.key: ") == NULL || strstr(result.error.message, saying) == NULL)
        fail_msg("expected %s, got: %s", saying, result.error.message);
    (void)unlink(KEYS "/a.key");
    expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, NULL);
}

static void key_files_that_are_refused(void **state)
{
    struct ei_graph_result result;
    static char text[4200];

    (void)state;
    if (!make_keys())
        skip();
    struct ei_credential *credential = on_arc(NULL);
    expect_key_refused(credential, "No such file");
    put_file("/tmp/other.key", 0600, "key");
    assert_int_equal(symlink("/tmp/other.key", KEYS "/a.key"), 0);
    expect_key_refused(credential, "symbolic link");
    assert_int_equal(mkdir(KEYS "/a.key", 0755), 0);
    expect_key_refused(credential, "not a regular file");
    assert_int_equal(rmdir(KEYS "/a.key"), 0);
    assert_int_equal(mkfifo(KEYS "/a.key", 0600), 0);
    expect_key_refused(credential, "not a regular file");
    memset(text, 'k', 4097);
    put_file(KEYS "/a.key", 0640, text);
    expect_key_refused(credential, "larger than 4096 bytes");
    text[4096] = '\0';
    put_file(KEYS "/a.key", 0640, text);
    assert_true(challenge(credential, "Basic realm=" KEYS "/a.key", &result));
    expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, text);
    assert_false(challenge(credential, "Basic realm=" KEYS "/a.key", &result));
    expect_asked(credential, ENDPOINT "?api-version=2020-06-01" GRAPH_ENCODED, NULL);
    put_file(KEYS "/a.key", 0640, "");
    expect_key_refused(credential, "empty");
    put_file(KEYS "/a.key", 0640, "a\r\nX-Header: b");
    expect_key_refused(credential, "holds no key");
    put_file(KEYS "/a.key", 0640, "key");
    assert_int_equal(chown(KEYS "/a.key", 12345, 0), 0);
    expect_key_refused(credential, "owned by uid 12345");
    assert_int_equal(system("rm -rf " KEYS " && mkdir -p /tmp/keys && ln -s /tmp/keys " KEYS), 0);
    put_file("/tmp/keys/a.key", 0640, "key");
    expect_key_refused(credential, "");
    assert_int_equal(system("rm -rf " KEYS " /tmp/keys"), 0);
    ei_credential_free(credential);
}

static void what_is_unreachable(void **state)
{
    struct ei_credential *credential = opened(ENDPOINT, NULL);
    struct ei_graph_result result = {.error.code = EI_UNREACHABLE};

    (void)state;
    assert_false(credential->type->refused(credential, &result, ""));
    assert_int_equal(result.error.code, EI_IDENTITY_DOWN);
    assert_int_equal(ei_err_fault(EI_IDENTITY_DOWN), EI_FAULT_TRANSIENT);
    ei_credential_free(credential);
}

static int64_t clock_ms = 5000;

static int64_t given_ms(void)
{
    return clock_ms;
}

static int64_t given_now(void)
{
    return clock_ms / 1000;
}

static void expect_rest_until(struct ei_credential *credential, int64_t end_ms)
{
    struct ei_error err;

    clock_ms = end_ms - 1;
    assert_int_equal(request_fails(credential, &err), EI_TOKEN_TRANSIENT);
    clock_ms = end_ms;
    assert_int_equal(request_fails(credential, &err), EI_OK);
}

/* Others than the one that failed may want a token at the same moment. */
static void after_a_failure_it_is_left_in_peace(void **state)
{
    static const struct ei_clock clock = {.now = given_now, .monotonic_ms = given_ms};
    struct ei_credential *credential = opened(ENDPOINT, NULL);
    struct ei_graph_result result = {.status = 410, .error.code = EI_TOKEN_TRANSIENT, .retry_after = -1};

    (void)state;
    ei_clock_set(&clock);
    assert_false(credential->type->refused(credential, &result, ""));
    expect_rest_until(credential, 6000);
    result.retry_after = 20;
    assert_false(credential->type->refused(credential, &result, ""));
    expect_rest_until(credential, 26000);
    ei_clock_set(NULL);
    ei_credential_free(credential);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, forget_arc, forget_arc)
    const struct CMUnitTest tests[] = {
        T(which_service_is_asked),         T(k5_where_plain_http_may_go), T(the_echo_is_checked),
        T(the_challenge_is_answered_once), T(no_challenge_on_a_vm),       T(challenges_that_are_refused),
        T(key_files_that_are_refused),     T(what_is_unreachable),        T(after_a_failure_it_is_left_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A person's sign-in as the credential: the refresh token, used and renewed (contract 1.5). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/sign_in_fixture.h"

static char token_path[128];
static struct ei_credential *person;

static void use_person(const char *client_id, const char *graph_url)
{
    char ca[128];
    struct ei_error err = {0};

    snprintf(ca, sizeof ca, "%s/ca.pem", sim.dir);
    const struct ei_graph_options options = {
        .tenant = "contoso.onmicrosoft.com",
        .client_id = client_id != NULL ? client_id : "99999999-8888-7777-6666-555555555555",
        .login_url = sim.url,
        .graph_url = graph_url != NULL ? graph_url : sim.url,
        .ca_file = ca,
        .credential = person,
    };
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    if (ei_graph_new(&options, &sim.graph, &err) != EI_OK)
        fail_msg("%s", err.message);
}

/* As a new process has it: what is in the file. */
static void start_anew(void)
{
    struct ei_error err;

    ei_graph_free(sim.graph);
    sim.graph = NULL;
    ei_credential_free(person);
    assert_int_equal(ei_credential_device(token_path, &person, &err), EI_OK);
    use_person(NULL, NULL);
}

static int set_up_person(void **state)
{
    if (use_skewed_clock(state) != 0 || !sim.runs)
        return 0;
    snprintf(token_path, sizeof token_path, "%s/refresh-token", sim.dir);
    unlink(token_path);
    start_anew();
    return 0;
}

static int tear_down_person(void **state)
{
    int rc = use_real_clock(state);

    ei_credential_free(person);
    person = NULL;
    if (sim.runs)
        unlink(token_path);
    return rc;
}

static void token_in_file(char out[512])
{
    char text[4096] = "";
    int fd = open(token_path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    cJSON *json = ei_json_parse(text, strlen(text));
    assert_non_null(ei_json_string(json, "refreshToken"));
    snprintf(out, 512, "%s", ei_json_string(json, "refreshToken"));
    cJSON_Delete(json);
}

static void use_token(enum ei_graph_outcome outcome, enum ei_err code)
{
    struct got got;

    get(sim.graph, OTHER_ID, &got);
    expect(&got, outcome, code);
}

#define ASSERT_WORKS()         use_token(EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND) /* there is no such user */
#define ASSERT_NOT_SIGNED_IN() use_token(EI_GRAPH_NOT_SENT, EI_SIGN_IN_NEEDED)

static void test_nobody_yet(void **state)
{
    struct ei_sign_in who;
    struct got got;

    NEEDS_SIMULATOR();
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(got.result.error.message, "nobody has signed in yet"));
    assert_int_equal(count_requests("{}"), 0);
    assert_false(ei_credential_sign_in(person, &who));
    assert_int_equal(ei_credential_check(person, NULL), EI_OK);
}

static void test_kept_and_renewed(void **state)
{
    struct signing_in s = {.keep = true};
    struct ei_sign_in who;
    struct stat st;
    char first[512];
    char second[512];

    NEEDS_SIMULATOR();
    sign_in(&s);
    token_in_file(first);
    assert_string_equal(first, s.refresh_token);
    assert_int_equal(stat(token_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    ASSERT_WORKS();
    token_in_file(second);
    assert_string_not_equal(first, second);
    assert_true(ei_credential_sign_in(person, &who));
    assert_string_equal(who.person.name, "operator@contoso.onmicrosoft.com");
    int64_t signed_in_at = who.signed_in_at;
    CTL("expire-tokens", NULL);
    skew_ms += 3600 * 1000;
    ASSERT_WORKS();
    assert_true(ei_credential_sign_in(person, &who));
    assert_int_equal(who.signed_in_at, signed_in_at);
    assert_true(who.renewed_at >= signed_in_at + 3600);
    start_anew();
    assert_true(ei_credential_sign_in(person, &who));
    assert_int_equal(who.signed_in_at, signed_in_at);
    ASSERT_WORKS();
    assert_int_equal(count_requests(REFRESH), 3);
    assert_true(ei_credential_has_permission(person, "User.Invite.All"));
    assert_true(ei_credential_has_permission(person, "User.Read.All"));
    assert_false(ei_credential_has_permission(person, "User.Read"));
    assert_false(ei_credential_has_permission(person, "Read.All"));
}

/* Killed between the answer and the file: the old token is there, and good. */
static void test_the_old_one_is_good(void **state)
{
    struct signing_in s = {.keep = true};
    char text[4096] = "";

    NEEDS_SIMULATOR();
    sign_in(&s);
    int fd = open(token_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    ASSERT_WORKS();
    fd = open(token_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, text, (size_t)length), length);
    close(fd);
    start_anew();
    ASSERT_WORKS();
}

/* RFC 6749, 6: a service need not send a new one, and may end the old one. */
static void test_other_ways_to_renew(void **state)
{
    struct signing_in s = {.keep = true};
    char token[512];

    NEEDS_SIMULATOR();
    sign_in(&s);
    CTL("set", "refreshRotation", "\"none\"");
    ASSERT_WORKS();
    token_in_file(token);
    assert_string_equal(token, s.refresh_token);
    CTL("set", "refreshRotation", "\"revoke\"");
    for (int i = 0; i < 3; i++) {
        start_anew();
        ASSERT_WORKS();
    }
}

/* The access token is dropped (SIGHUP) while it is on its way; the refresh token that comes with it must not be lost.
 */
static void test_dropped_on_its_way(void **state)
{
    struct signing_in s = {.keep = true};
    struct got got = {0};

    NEEDS_SIMULATOR();
    CTL("set", "refreshRotation", "\"revoke\"");
    sign_in(&s);
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, CRID, got_user, &got), EI_OK);
    ei_graph_dispatch(sim.graph);
    ei_graph_drop_token(sim.graph);
    run(sim.graph);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(count_requests(REFRESH), 2);
    start_anew();
    ASSERT_WORKS();
}

/* Somebody else signs in while the token of the one before is renewed: his comes too late. */
static void test_signed_in_meanwhile(void **state)
{
    struct signing_in first = {.keep = true};
    struct signing_in second = {0};
    struct got got = {0};
    struct ei_error err;
    char token[512];

    NEEDS_SIMULATOR();
    sign_in(&first);
    sign_in(&second);
    CTL("fault", "{\"match\":{\"grant\":\"refresh_token\"},\"action\":{\"hold\":\"first\"}}");
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, CRID, got_user, &got), EI_OK);
    while (count_requests("{\"grant\":\"refresh_token\",\"held\":true}") == 0) {
        ei_graph_dispatch(sim.graph);
        assert_int_equal(ei_graph_wait(sim.graph, NULL, 0, 20), EI_OK);
    }
    const struct ei_signed_in kept = {
        .person = second.person, .refresh_token = second.refresh_token, .scope = second.scope};
    assert_int_equal(ei_graph_keep_sign_in(sim.graph, &kept, &err), EI_OK);
    CTL("set", "refreshRotation", "\"none\"");
    CTL("release", "first");
    run(sim.graph);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    token_in_file(token);
    assert_string_equal(token, second.refresh_token);
}

static void test_refused(void **state)
{
    static const struct {
        const char *number;
        enum ei_err code;
    } rows[] = {
        {"50173", EI_SIGN_IN_NEEDED}, {"700082", EI_SIGN_IN_NEEDED}, {"70043", EI_SIGN_IN_NEEDED},
        {"50076", EI_SIGN_IN_NEEDED}, {"50079", EI_SIGN_IN_NEEDED},  {"70000", EI_SIGN_IN_NEEDED},
        {"50057", EI_USER_BLOCKED},   {"65001", EI_CONSENT_MISSING}, {"7000218", EI_APP_NOT_PUBLIC},
    };
    struct signing_in s = {.keep = true};
    struct got got;

    NEEDS_SIMULATOR();
    sign_in(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[128];
        snprintf(rule, sizeof rule, "{\"match\":{\"grant\":\"refresh_token\"},\"action\":{\"aadsts\":%s}}",
                 rows[i].number);
        CTL("fault", rule);
        ei_graph_drop_token(sim.graph);
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_NOT_SENT, rows[i].code);
        assert_non_null(strstr(got.result.error.message, rows[i].number));
        if (rows[i].code == EI_SIGN_IN_NEEDED)
            assert_non_null(strstr(got.result.error.message, "operator@contoso.onmicrosoft.com is not signed in"));
        assert_true(got.result.error.request_id[0] != '\0');
    }
    ASSERT_WORKS(); /* it was only the answer */
    CTL("revoke", NULL);
    ei_graph_drop_token(sim.graph);
    ASSERT_NOT_SIGNED_IN();
    sign_in(&s);
    ASSERT_WORKS();
}

/* It goes to nobody but who gave it, and for no other app or Graph. */
static void test_only_for_its_own(void **state)
{
    struct signing_in s = {.keep = true};

    NEEDS_SIMULATOR();
    sign_in(&s);
    use_person("12345678-8888-7777-6666-555555555555", NULL);
    ASSERT_NOT_SIGNED_IN();
    use_person(NULL, "https://graph.microsoft.us");
    ASSERT_NOT_SIGNED_IN();
    assert_int_equal(count_requests(REFRESH), 0);
    use_person("99999999-8888-7777-6666-555555555555", NULL);
    ASSERT_WORKS();
}

/* Reading again: a file that was removed ends the sign-in, one that is not as it must be does not. */
static void test_read_again(void **state)
{
    struct signing_in s = {.keep = true};
    struct ei_error err;
    char token[512];

    NEEDS_SIMULATOR();
    sign_in(&s);
    assert_int_equal(chmod(token_path, 0644), 0);
    assert_int_equal(ei_credential_reload(person, &err), EI_SECRET_FILE);
    assert_non_null(strstr(err.message, "mode 0644"));
    assert_int_equal(ei_credential_reload(person, NULL), EI_SECRET_FILE);
    assert_int_equal(ei_credential_check(person, &err), EI_SECRET_FILE);
    ASSERT_WORKS();
    assert_int_equal(ei_credential_reload(person, &err), EI_OK); /* it was written anew, with its own mode */
    assert_int_equal(unlink(token_path), 0);
    assert_int_equal(ei_credential_reload(person, &err), EI_OK);
    ei_graph_drop_token(sim.graph);
    ASSERT_NOT_SIGNED_IN();
    sign_in(&s);
    assert_int_equal(chmod(token_path, 0640), 0);
    start_anew();
    struct got got;
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_SIGN_IN_NEEDED);
    assert_non_null(strstr(got.result.error.message, "mode 0640"));
    sign_in(&s);
    ASSERT_WORKS();
    token_in_file(token);
    assert_string_not_equal(token, s.refresh_token);
}

/* A disk that is full: it goes on with what it has in memory, and writes it with the next one. */
static void test_cannot_be_written(void **state)
{
    struct signing_in s = {.keep = true};
    char in_the_way[160];
    char token[512];

    NEEDS_SIMULATOR();
    sign_in(&s);
    snprintf(in_the_way, sizeof in_the_way, "%s.tmp", token_path);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    ASSERT_WORKS();
    token_in_file(token);
    assert_string_equal(token, s.refresh_token);
    const struct ei_signed_in again = {.refresh_token = "r", .scope = "s"};
    struct ei_error err;
    assert_int_equal(ei_graph_keep_sign_in(sim.graph, &again, &err), EI_IO);
    ASSERT_WORKS();
    /* The file is read again (SIGHUP): what is in it is older, and may be good no more. */
    CTL("set", "refreshRotation", "\"revoke\"");
    ei_graph_drop_token(sim.graph);
    ASSERT_WORKS();
    assert_int_equal(ei_credential_reload(person, &err), EI_OK);
    ei_graph_drop_token(sim.graph);
    ASSERT_WORKS();
    assert_int_equal(rmdir(in_the_way), 0);
    assert_int_equal(ei_credential_reload(person, &err), EI_OK);
    token_in_file(token);
    assert_string_not_equal(token, s.refresh_token);
    start_anew();
    ASSERT_WORKS();
}

static void test_another_type_of_credential(void **state)
{
    const struct ei_signed_in signed_in = {.refresh_token = "r", .scope = "s"};
    struct ei_sign_in who;
    struct ei_error err;

    NEEDS_SIMULATOR();
    use_graph(NULL, NULL, 0);
    assert_int_equal(ei_graph_keep_sign_in(sim.graph, &signed_in, &err), EI_STATE);
    assert_false(ei_credential_sign_in(sim.credential, &who));
    assert_false(ei_credential_has_permission(sim.credential, "User.Read.All"));
    assert_int_equal(access(token_path, F_OK), -1);
}

#define PERSON_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_person, tear_down_person)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERSON_TEST(test_nobody_yet),
        PERSON_TEST(test_kept_and_renewed),
        PERSON_TEST(test_the_old_one_is_good),
        PERSON_TEST(test_other_ways_to_renew),
        PERSON_TEST(test_dropped_on_its_way),
        PERSON_TEST(test_signed_in_meanwhile),
        PERSON_TEST(test_refused),
        PERSON_TEST(test_only_for_its_own),
        PERSON_TEST(test_read_again),
        PERSON_TEST(test_cannot_be_written),
        PERSON_TEST(test_another_type_of_credential),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/*
 * A Graph, and a login service, that mean harm (S23, S27, S34, K5; contract 4): no redirect is followed, no link leads
 * off the configured root, no cookie is kept, and whatever comes as head or body ends in an error and in bounded
 * memory. hostile-graph.js is the other side; its `elsewhere` must never hear a word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "common/graph/list.h"
#include "tests/unit/graph_fixture.h"

enum { MEMORY_KB = 64 * 1024 }; /* what an answer may take in the worst case, in this test as a whole */

static struct {
    pid_t pid;
    char url[64];
    char *simulator_url;
} hostile;

/* --- the other side --- */

static char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", sim.dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *name)
{
    struct ei_buffer text;
    char chunk[4096];
    size_t count;
    FILE *file = fopen(path_of(name), "r");

    ei_buffer_init(&text, 16 * 1024 * 1024);
    while (file != NULL && (count = fread(chunk, 1, sizeof chunk, file)) != 0)
        assert_true(ei_buffer_append(&text, chunk, count));
    if (file != NULL)
        fclose(file);
    return text.data != NULL ? text.data : strdup("");
}

static int seen(const char *line_start)
{
    char *text = read_file("seen");
    int count = 0;

    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        count += strncmp(line, line_start, strlen(line_start)) == 0;
    free(text);
    return count;
}

static void launch(void)
{
    char script[4096];
    const char *source = getenv("EI_SOURCE_DIR");

    snprintf(script, sizeof script, "%s/tests/unit/hostile-graph.js", source != NULL ? source : ".");
    hostile.pid = fork();
    assert_true(hostile.pid >= 0);
    if (hostile.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("node", "node", script, sim.dir, NULL);
        _exit(127);
    }
}

static int group_start(void **state)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    char *ports = NULL;

    sim_start(state);
    if (!sim.runs)
        return 0;
    launch();
    for (int i = 0; i < 1500 && (ports == NULL || ports[0] == '\0'); i++) {
        nanosleep(&pause, NULL);
        free(ports);
        ports = read_file("hostile.ports");
    }
    assert_true(ports != NULL && atoi(ports) > 0);
    snprintf(hostile.url, sizeof hostile.url, "https://localhost:%d", atoi(ports));
    free(ports);
    return 0;
}

static int group_stop(void **state)
{
    static const char *const files[] = {"hostile.ports", "attack", "seen"};

    if (hostile.pid > 0) {
        kill(hostile.pid, SIGKILL);
        waitpid(hostile.pid, NULL, 0);
    }
    for (size_t i = 0; sim.runs && i < sizeof files / sizeof files[0]; i++)
        (void)unlink(path_of(files[i]));
    return sim_stop(state);
}

/* Graph is hostile; the token is the simulator's. */
static int graph_set_up(void **state)
{
    (void)state;
    if (sim.runs) {
        char root[80];
        snprintf(root, sizeof root, "\"%s\"", hostile.url);
        CTL("set", "graphRoot", root);
        write_file("seen", "");
        use_graph(hostile.url, NULL, 10 * 1000);
    }
    return 0;
}

/* The login service is hostile. */
static int login_set_up(void **state)
{
    (void)state;
    if (sim.runs) {
        write_file("seen", "");
        hostile.simulator_url = sim.url;
        sim.url = hostile.url;
        use_graph(hostile.simulator_url, NULL, 10 * 1000);
        sim.url = hostile.simulator_url;
    }
    return 0;
}

/* --- every kind of request --- */

static void got_page(void *context, const struct ei_graph_result *result, const struct ei_graph_page *page)
{
    got_users(context, result, page != NULL ? page->users : NULL, page != NULL ? page->count : 0);
}

static void got_ids(void *context, const char *const *ids, size_t count)
{
    (void)context;
    (void)ids;
    (void)count;
}

static void got_link(void *context, const struct ei_graph_result *result, const char *link)
{
    assert_true((link != NULL) == (result->outcome == EI_GRAPH_DONE));
    got_plain(context, result);
}

static void do_find(struct got *got)
{
    find(sim.graph, ADDRESS, got);
}

static void do_get(struct got *got)
{
    get(sim.graph, OTHER_ID, got);
}

static void do_invite(struct got *got)
{
    invite(sim.graph, ADDRESS, false, got);
}

static void do_mail(struct got *got)
{
    invite(sim.graph, ADDRESS, true, got);
}

static void do_list(struct got *got)
{
    const struct ei_graph_list_options options = {.pending = false};
    struct ei_graph_list *list = NULL;

    assert_int_equal(ei_graph_list_new(sim.graph, &options, got_page, got, &list), EI_OK);
    RUN(sim.graph, got, ei_graph_list_next(list));
    ei_graph_list_free(list);
}

static void do_changes(struct got *got)
{
    RUN(sim.graph, got, ei_graph_changes(sim.graph, NULL, got_ids, got_link, got));
}

static const struct kind {
    const char *name;
    void (*run)(struct got *got);
    bool collection;
} kinds[] = {
    {"find", do_find, true},  {"get", do_get, false},  {"invite", do_invite, false},
    {"mail", do_mail, false}, {"list", do_list, true}, {"changes", do_changes, true},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void must_fail(const struct kind *kind, const char *attack, enum ei_err code)
{
    struct got got;

    write_file("attack", attack);
    kind->run(&got);
    if (got.result.outcome == EI_GRAPH_DONE || (code != EI_OK && got.result.error.code != code))
        fail_msg("%s, %.200s: outcome %d, %s: %s", kind->name, attack, got.result.outcome,
                 ei_err_name(got.result.error.code), got.result.error.message);
    assert_int_equal(got.count, 0);
}

static void nothing_went_elsewhere(void)
{
    char *text = read_file("seen");

    assert_null(strstr(text, "elsewhere")); /* neither a connection there, nor such a path here */
    free(text);
}

/* --- redirects --- */

static const char *const targets[] = {
    "%ELSEWHERE%/v1.0/users",
    "%PLAIN%/v1.0/users",
    "file:///etc/passwd",
    "%SELF%/v1.0/elsewhere",
    "/elsewhere",
    "//localhost/elsewhere",
    "gopher://localhost",
    "",
};
static const int statuses[] = {301, 302, 303, 307, 308, 300, 304};

static void redirect_with(const struct kind *kind, int *ret_count)
{
    char attack[256];

    for (size_t s = 0; s < sizeof statuses / sizeof statuses[0]; s++) {
        for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
            snprintf(attack, sizeof attack, "{\"status\":%d,\"head\":[\"Location: %s\"]}", statuses[s], targets[t]);
            must_fail(kind, attack, EI_REDIRECTED);
            ++*ret_count;
        }
    }
}

static void k5_no_redirect_of_graph_is_followed(void **state)
{
    int count = 0;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < KINDS; i++)
        redirect_with(&kinds[i], &count);
    assert_true(seen("graph ") >= count);
    nothing_went_elsewhere();
}

static void k5_no_redirect_of_the_login_is_followed(void **state)
{
    int count = 0;

    NEEDS_SIMULATOR();
    redirect_with(&kinds[0], &count);
    assert_int_equal(seen("graph POST"), count);
    assert_int_equal(seen("graph "), count);
    nothing_went_elsewhere();
}

/* --- links --- */

static const char *const links[] = {
    "\"%ELSEWHERE%/v1.0/users?$skiptoken=x\"",
    "\"%PLAIN%/v1.0/users?$skiptoken=x\"",
    "\"http://localhost/v1.0/users\"",
    "\"https://user:word@localhost/v1.0/users\"",
    "\"https://localhost\\\\@fabrikam.com/v1.0/users\"",
    "\"file:///etc/passwd\"",
    "\"//localhost/v1.0/users\"",
    "\"/v1.0/users\"",
    "\"%SELF%.fabrikam.com/v1.0/users\"",
    "\"%SELF%/v1.0/users?a\\r\\nHost: fabrikam.com\"",
    "\"%SELF%/v1.0/users?\\u00e9\"",
    "\"%SELF%/v1.0/users#fragment\"",
    "\"\"",
    /* What is there and is no text is no end of the collection. */
    "7",
    "true",
    "{}",
    "[\"%SELF%/v1.0/users\"]",
};

static void no_link_leads_off_the_root(void **state)
{
    static const char *const names[] = {"@odata.nextLink", "@odata.deltaLink"};
    char body[512];
    char attack[1024];

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t l = 0; kinds[i].collection && l < sizeof links / sizeof links[0]; l++) {
            const char *name = names[kinds[i].run == do_changes && l % 2 == 0];
            cJSON *json = cJSON_CreateObject();
            snprintf(body, sizeof body, "{\"value\":[],\"%s\":%s}", name, links[l]);
            cJSON_AddStringToObject(json, "body", body);
            assert_true(cJSON_PrintPreallocated(json, attack, sizeof attack, 0));
            cJSON_Delete(json);
            must_fail(&kinds[i], attack, EI_GRAPH_ANSWER);
        }
    }
    nothing_went_elsewhere();
}

static void a_chain_of_pages_has_an_end(void **state)
{
    NEEDS_SIMULATOR();
    must_fail(&kinds[0], "{\"chain\":true}", EI_GRAPH_ANSWER);
    assert_true(seen("graph ") <= 120);
    write_file("seen", "");
    must_fail(&kinds[0],
              "{\"body\":\"{\\\"value\\\":[],\\\"@odata.nextLink\\\":\\\"%SELF%/v1.0/users?$skiptoken=1\\\"}\"}",
              EI_GRAPH_ANSWER);
    assert_true(seen("graph ") <= 4);
    write_file("seen", "");
    must_fail(&kinds[5],
              "{\"body\":\"{\\\"value\\\":[],\\\"@odata.nextLink\\\":\\\"%SELF%/v1.0/users/delta?$skiptoken=1\\\"}\"}",
              EI_GRAPH_ANSWER);
    assert_true(seen("graph ") < 8);
}

/* --- heads and bodies beyond all measure --- */

static const char *const measureless[] = {
    "{\"endless\":\"head\"}",
    "{\"endless\":\"body\"}",
    "{\"long\":70000,\"body\":\"{}\"}",
    "{\"long\":2000000,\"body\":\"{}\"}",
    "{\"many\":20000,\"body\":\"{}\"}",
    "{\"pad\":9000000,\"body\":\"{}\"}",
    "{\"length\":1000000000000,\"body\":\"{}\"}",
    "{\"length\":99999999999999999999,\"body\":\"{}\"}",
    "{\"length\":-1,\"body\":\"{}\"}",
    "{\"bomb\":\"gzip\"}",
    "{\"bomb\":\"deflate\"}",
    "{\"bomb\":\"br\"}",
};

static long peak_kb(void)
{
    char line[256];
    long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = atol(line + 6);
    fclose(file);
    return peak;
}

/* AddressSanitizer keeps what was freed, so the peak says nothing there. */
static void assert_peak(long before)
{
#ifdef __SANITIZE_ADDRESS__
    (void)before;
    return;
#endif
    if (peak_kb() > before + MEMORY_KB)
        fail_msg("%ld kB before, %ld kB at most", before, peak_kb());
}

static void nothing_is_taken_beyond_measure(void **state)
{
    NEEDS_SIMULATOR();
    long before = peak_kb();
    for (size_t a = 0; a < sizeof measureless / sizeof measureless[0]; a++)
        for (size_t i = 0; i < KINDS; i++)
            must_fail(&kinds[i], measureless[a], EI_OK);
    assert_peak(before);
}

static void nothing_of_the_login_either(void **state)
{
    NEEDS_SIMULATOR();
    long before = peak_kb();
    for (size_t a = 0; a < sizeof measureless / sizeof measureless[0]; a++)
        must_fail(&kinds[0], measureless[a], EI_OK);
    assert_peak(before);
}

/* Each is within what an answer alone may have, all of them together are not within what the worker may have. */
static void large_answers_at_once_are_bounded(void **state)
{
    enum { MANY = 64 };
    struct got got[MANY] = {0};
    const struct ei_graph_invite body = {.invited_user_email_address = ADDRESS,
                                         .invite_redirect_url = "https://myapps.microsoft.com/",
                                         .send_invitation_message = true};

    NEEDS_SIMULATOR();
    write_file("attack", "{\"pad\":6000000,\"body\":\"{}\"}");
    long before = peak_kb();
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ei_graph_invite(sim.graph, &body, NULL, got_invited, &got[i]), EI_OK);
    run(sim.graph);
    for (int i = 0; i < MANY; i++)
        expect(&got[i], EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    assert_peak(before);
}

/* Eight million bytes that a parser makes several hundred of. */
static void json_of_countless_values_is_refused(void **state)
{
    static const char *const pieces[] = {"0,", "{},", "[],", "\"\","};

    NEEDS_SIMULATOR();
    long before = peak_kb();
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        enum { BYTES = 7 * 1024 * 1024 };
        size_t length = strlen(pieces[p]);
        struct ei_buffer text;
        ei_buffer_init(&text, BYTES + 1024);
        ei_buffer_append_text(&text, "{\"value\":[");
        for (size_t i = 0; i < BYTES / length; i++)
            assert_true(ei_buffer_append(&text, pieces[p], length));
        ei_buffer_append_text(&text, "0]}");
        assert_null(ei_json_parse(text.data, text.length));
        ei_buffer_free(&text);
    }
    assert_peak(before);
}

/* --- cookies --- */

static void cookies_are_not_kept(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    write_file("attack", "{\"cookies\":20,\"body\":\"{\\\"value\\\":[]}\"}");
    for (int i = 0; i < 3; i++) {
        do_find(&got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
    }
    char *text = read_file("seen");
    assert_true(seen("graph GET") >= 3);
    assert_null(strstr(text, "crumb"));
    assert_null(strstr(text, "ookie"));
    free(text);
}

/* --- JSON that is not what it should be --- */

#define GUEST "\"id\":\"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\""

static void send_body(const char *body)
{
    cJSON *json = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(json, "body", body);
    text = cJSON_PrintUnformatted(json);
    write_file("attack", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void answers_that_are_none(void **state)
{
    static const char *const bodies[] = {
        "",
        "null",
        "7",
        "\"text\"",
        "[]",
        "{",
        "{}x",
        "{\"id\":7}",
        "{\"id\":null}",
        "{\"id\":[\"" OTHER_ID "\"]}",
        "{\"id\":\"" OTHER_ID "x\"}",
        "{\"id\":\"../" OTHER_ID "\"}",
        "{" GUEST ",\"a\":\"\\u0000\"}",
        "{\"value\":{" GUEST "}}",
        "{\"value\":\"" OTHER_ID "\"}",
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            send_body(bodies[b]);
            kinds[i].run(&got);
            if (got.result.outcome == EI_GRAPH_DONE)
                fail_msg("%s took %s", kinds[i].name, bodies[b]);
        }
    }
}

/* Of two members of one name the first counts, for whoever reads; of what has the wrong type, nothing. */
static void a_guest_of_twisted_members(void **state)
{
    static const struct {
        const char *body;
        const char *state; /* what is believed of externalUserState */
    } rows[] = {
        {"{" GUEST ",\"externalUserState\":\"PendingAcceptance\",\"externalUserState\":\"Accepted\"}",
         "PendingAcceptance"},
        {"{" GUEST ",\"ExternalUserState\":\"Accepted\"}", ""},
        {"{" GUEST ",\"externalUserState\":true}", ""},
        {"{" GUEST ",\"externalUserState\":1}", ""},
        {"{" GUEST ",\"externalUserState\":[\"Accepted\"]}", ""},
        {"{" GUEST ",\"externalUserState\":{\"Accepted\":true}}", ""},
        {"{" GUEST ",\"accountEnabled\":\"true\"}", ""},
        {"{" GUEST ",\"accountEnabled\":1}", ""},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        send_body(rows[i].body);
        do_get(&got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
        assert_string_equal(got.text, rows[i].state);
        assert_false(got.has_enabled);
    }
}

/* The URL goes into a mail, onto a terminal, to a webhook. */
static void redeem_urls_that_are_none(void **state)
{
    static const char *const urls[] = {
        "\"http://login.microsoftonline.com/redeem?rd=x\"",
        "\"javascript:alert(1)\"",
        "\"file:///etc/passwd\"",
        "\"https://a\\nSubject: x\"",
        "\"https://a\\r\\n.\\r\\nQUIT\"",
        "\"https://a\\u001b[31m\"",
        "\"https://a\\u009b31m\"",
        "\"https://a\\u0000b\"",
        "\"https://a b\"",
        "\"https://\\u202e\"",
        "\"HTTPS\"",
        "\"\"",
        "7",
        "null",
        "[\"https://a\"]",
    };
    char body[512];
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        for (int mail = 0; mail < 2; mail++) {
            snprintf(body, sizeof body, "{\"inviteRedeemUrl\":%s,\"invitedUser\":{" GUEST "}}", urls[i]);
            send_body(body);
            (mail ? do_mail : do_invite)(&got);
            expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
        }
    }
    char *longer = malloc(20001);
    assert_non_null(longer);
    snprintf(longer, 20001, "{\"invitedUser\":{" GUEST "},\"inviteRedeemUrl\":\"https://a/%0*d\"}", 12000, 7);
    send_body(longer);
    free(longer);
    do_invite(&got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
}

/* What the service says of an error is shown and logged: as one line of text, whatever it was. */
static void words_of_an_error_are_tamed(void **state)
{
    static const char *const words[] = {
        "\\u001b]0;title\\u0007\\u001b[2J", "one\\ntwo\\r\\nthree", "\\u009b31m", "a\\u202eb", "<script>", "%s%n%s",
    };
    char attack[1024];
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(attack, sizeof attack,
                 "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"innerError\":{\"request-id\":\"%s\"}}}", words[i],
                 words[i], words[i]);
        cJSON *json = cJSON_CreateObject();
        cJSON_AddNumberToObject(json, "status", 403);
        cJSON_AddStringToObject(json, "body", attack);
        cJSON_AddItemToObject(json, "head", cJSON_CreateArray());
        cJSON_AddItemToArray(cJSON_GetObjectItem(json, "head"), cJSON_CreateString("request-id: \033[31mred\x07"));
        char *text = cJSON_PrintUnformatted(json);
        write_file("attack", text);
        cJSON_free(text);
        cJSON_Delete(json);
        do_get(&got);
        expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
        for (const unsigned char *c = (const unsigned char *)got.result.error.message; *c != '\0'; c++)
            assert_true(*c >= 0x20 && *c != 0x7f);
        assert_null(strstr(got.result.error.message, "\xc2\x9b"));
        assert_string_equal(got.result.error.request_id, "");
    }
}

int main(void)
{
#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, graph_set_up, tear_down)
#define LOGIN_TEST(name) cmocka_unit_test_setup_teardown(name, login_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(k5_no_redirect_of_graph_is_followed),
        LOGIN_TEST(k5_no_redirect_of_the_login_is_followed),
        GRAPH_TEST(no_link_leads_off_the_root),
        GRAPH_TEST(a_chain_of_pages_has_an_end),
        GRAPH_TEST(nothing_is_taken_beyond_measure),
        LOGIN_TEST(nothing_of_the_login_either),
        GRAPH_TEST(large_answers_at_once_are_bounded),
        GRAPH_TEST(json_of_countless_values_is_refused),
        GRAPH_TEST(cookies_are_not_kept),
        GRAPH_TEST(answers_that_are_none),
        LOGIN_TEST(answers_that_are_none),
        GRAPH_TEST(a_guest_of_twisted_members),
        GRAPH_TEST(redeem_urls_that_are_none),
        GRAPH_TEST(words_of_an_error_are_tamed),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}

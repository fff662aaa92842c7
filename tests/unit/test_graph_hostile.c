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

#include "tests/unit/hostile_fixture.h"

enum { MEMORY_KB = 64 * 1024 }; /* what an answer may take in the worst case, in this test as a whole */

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

int main(void)
{
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
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}

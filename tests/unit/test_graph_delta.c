/* Which users changed: GET /users/delta (contract 4.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

enum { IDS_MAX = 1000 };

static struct {
    int calls;
    struct ei_graph_result result;
    char *link;
    char ids[IDS_MAX][EI_GUID_TEXT];
    size_t count;
} told;

static void on_page(void *context, const char *const *ids, size_t count)
{
    (void)context;
    assert_true(count != 0 && told.count + count <= IDS_MAX);
    for (size_t i = 0; i < count; i++)
        snprintf(told.ids[told.count++], EI_GUID_TEXT, "%s", ids[i]);
}

static void on_done(void *context, const struct ei_graph_result *result, const char *link)
{
    (void)context;
    told.calls++;
    told.result = *result;
    assert_true((link != NULL) == (result->outcome == EI_GRAPH_DONE));
    if (link != NULL) {
        free(told.link);
        told.link = strdup(link);
    }
}

static void ask(const char *link, enum ei_graph_outcome outcome, enum ei_err code)
{
    char *given = link != NULL ? strdup(link) : NULL;

    told.calls = 0;
    told.count = 0;
    assert_int_equal(ei_graph_changes(sim.graph, given, on_page, on_done, NULL), EI_OK);
    free(given);
    run(sim.graph);
    assert_int_equal(told.calls, 1);
    if (told.result.outcome != outcome || told.result.error.code != code)
        fail_msg("outcome %d, %s: %s", told.result.outcome, ei_err_name(told.result.error.code),
                 told.result.error.message);
}

static bool is_told(const char *id)
{
    for (size_t i = 0; i < told.count; i++)
        if (strcmp(told.ids[i], id) == 0)
            return true;
    return false;
}

static void make_user(const char *kind, const char *address, char id[EI_GUID_TEXT])
{
    char text[256];

    snprintf(text, sizeof text, "{\"kind\":\"%s\",\"address\":\"%s\"}", kind, address);
    cJSON *user = CTL_JSON("user", text);
    snprintf(id, EI_GUID_TEXT, "%s", ei_json_string(user, "id"));
    cJSON_Delete(user);
}

static int fresh(void **state)
{
    free(told.link);
    told.link = NULL;
    return set_up(state);
}

static int done(void **state)
{
    free(told.link);
    told.link = NULL;
    return tear_down(state);
}

static void test_changes_since(void **state)
{
    char redeemed[EI_GUID_TEXT];
    char disabled[EI_GUID_TEXT];
    char deleted[EI_GUID_TEXT];
    char same[EI_GUID_TEXT];
    char patch[128];

    NEEDS_SIMULATOR();
    make_user("pending", "robin@fabrikam.com", redeemed);
    make_user("accepted", "kim@fabrikam.com", disabled);
    make_user("accepted", "sasha@fabrikam.com", deleted);
    make_user("accepted", "alex@fabrikam.com", same);
    ask(NULL, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(told.count, 0); /* from now on */
    CTL("redeem", "robin@fabrikam.com");
    struct got plain = {0};
    snprintf(patch, sizeof patch, "%s", disabled);
    CTL("set", "roles", "[\"User.Invite.All\",\"User.ReadWrite.All\"]");
    ei_graph_drop_token(sim.graph);
    RUN(sim.graph, &plain, ei_graph_disable_user(sim.graph, patch, CRID, got_plain, &plain));
    RUN(sim.graph, &plain, ei_graph_delete_user(sim.graph, deleted, CRID, got_plain, &plain));
    ask(told.link, EI_GRAPH_DONE, EI_OK);
    assert_true(is_told(redeemed));
    assert_true(is_told(disabled));
    assert_true(is_told(deleted));
    assert_false(is_told(same));
    ask(told.link, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(told.count, 0);
}

/* Over pages, some of them empty. */
static void test_many_pages(void **state)
{
    NEEDS_SIMULATOR();
    ask(NULL, EI_GRAPH_DONE, EI_OK);
    CTL("set", "pageSize", "30");
    CTL("set", "emptyPages", "2");
    CTL("seed", "{\"count\":200,\"kind\":\"accepted\",\"domain\":\"fabrikam.com\"}");
    ask(told.link, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(told.count, 200);
    assert_true(count_requests("{\"path\":\"^/v1.0/users/delta$\"}") >= 8);
}

/* A link that is too old, however the service says it. */
static void test_expired(void **state)
{
    static const char *const ways[] = {"\"gone\"", "\"syncStateNotFound\"", "\"resyncRequired\""};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        CTL("reset", "all");
        use_graph(NULL, NULL, 0);
        CTL("set", "deltaExpired", ways[i]);
        ask(NULL, EI_GRAPH_DONE, EI_OK);
        CTL("advance", "691200");
        ei_graph_drop_token(sim.graph);
        ask(told.link, EI_GRAPH_REJECTED, EI_RESYNC);
    }
}

static void test_refused(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "delta", "false");
    ask(NULL, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER);
    CTL("set", "delta", "403");
    ask(NULL, EI_GRAPH_REJECTED, EI_PERMISSION);
    CTL("set", "delta", "501");
    ask(NULL, EI_GRAPH_UNCLEAR, EI_REQUEST_REFUSED);
    assert_int_equal(told.result.status, 501);
}

/* The token goes to the configured root only, and a list without an end is given up. */
static void test_bad_links(void **state)
{
    char fault[600];
    const char *const bodies[] = {
        "{\"value\":[],\"@odata.deltaLink\":\"https://graph.example/v1.0/users/delta?$deltatoken=x\"}",
        "{\"value\":[],\"@odata.nextLink\":\"http://localhost/v1.0/users/delta?$skiptoken=x\"}",
        "{\"value\":[]}",
        "{\"@odata.deltaLink\":\"x\"}",
        "{\"value\":{}}",
        "[]",
    };

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"/users/delta$\"},\"action\":{\"body\":%s}}", bodies[i]);
        CTL("fault", fault);
        ask(NULL, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    }
    snprintf(fault, sizeof fault,
             "{\"match\":{\"path\":\"/users/delta$\"},\"times\":0,\"action\":{\"status\":200,\"body\":{\"value\":[],"
             "\"@odata.nextLink\":\"%s/v1.0/users/delta?$skiptoken=again\"}}}",
             sim.url);
    CTL("fault", fault);
    ask(NULL, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    int again = count_requests("{\"query\":\"skiptoken=again\"}");
    assert_true(again >= 1 && again <= 2);
}

/* Two links that lead to each other have no end either, and it is noticed soon. */
static void test_circle(void **state)
{
    char fault[400];

    NEEDS_SIMULATOR();
    for (int i = 0; i < 2; i++) {
        snprintf(fault, sizeof fault,
                 "{\"match\":{\"path\":\"/users/delta$\",\"query\":\"%s\"},\"times\":0,\"action\":{\"status\":200,"
                 "\"body\":{\"value\":[],\"@odata.nextLink\":\"%s/v1.0/users/delta?$skiptoken=%s\"}}}",
                 i == 0 ? "latest|there" : "here", sim.url, i == 0 ? "here" : "there");
        CTL("fault", fault);
    }
    ask(NULL, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    assert_true(count_requests("{\"path\":\"/users/delta$\"}") < 10);
}

/* contract 4.3: soft-deleted and gone users are both told, and what comes twice is no matter. */
static void test_removed_and_replayed(void **state)
{
    char soft[EI_GUID_TEXT];
    char gone[EI_GUID_TEXT];

    NEEDS_SIMULATOR();
    make_user("accepted", "robin@fabrikam.com", soft);
    make_user("pending", "kim@fabrikam.com", gone);
    CTL("set", "deltaReplays", "3");
    ask(NULL, EI_GRAPH_DONE, EI_OK);
    CTL("user", "{\"find\":\"robin@fabrikam.com\",\"delete\":\"soft\"}");
    CTL("user", "{\"find\":\"kim@fabrikam.com\",\"delete\":\"hard\"}");
    for (int round = 0; round < 2; round++) { /* the second one replays the first */
        ask(told.link, EI_GRAPH_DONE, EI_OK);
        assert_true(is_told(soft));
        assert_true(is_told(gone));
    }
}

/* A link that was stored under another configuration begins anew instead of being followed. */
static void test_link_of_another_root(void **state)
{
    NEEDS_SIMULATOR();
    ask("https://graph.example/v1.0/users/delta?$deltatoken=theirs", EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests("{\"query\":\"deltatoken=latest\"}"), 1);
    assert_int_equal(count_requests("{\"query\":\"theirs\"}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes_since, fresh, done),
        cmocka_unit_test_setup_teardown(test_many_pages, fresh, done),
        cmocka_unit_test_setup_teardown(test_expired, fresh, done),
        cmocka_unit_test_setup_teardown(test_refused, fresh, done),
        cmocka_unit_test_setup_teardown(test_bad_links, fresh, done),
        cmocka_unit_test_setup_teardown(test_circle, fresh, done),
        cmocka_unit_test_setup_teardown(test_removed_and_replayed, fresh, done),
        cmocka_unit_test_setup_teardown(test_link_of_another_root, fresh, done),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/* What is known of a request's effect when the answer is late, broken or missing: X5, X6, X8, against the simulator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/graph/retry.h"
#include "tests/unit/graph_fixture.h"

#define INVITATIONS "\"match\":{\"method\":\"POST\",\"path\":\"^/v1.0/invitations\"}"

/* Numbers of the ledger of ADDRESS. */
struct seen {
    int posts, guests, mails;
};

static struct seen look(void)
{
    cJSON *ledger = CTL_JSON("ledger", ADDRESS);
    struct seen seen = {
        .posts = cJSON_GetArraySize(ei_json_array(ledger, "posts")),
        .guests = cJSON_GetArraySize(ei_json_array(ledger, "guests")),
        .mails = cJSON_GetArraySize(ei_json_array(ledger, "mails")),
    };

    cJSON_Delete(ledger);
    return seen;
}

/* A token and a kept connection, as a worker has them that has run for a while. */
static void warm_up(void)
{
    struct got got;

    find(sim.graph, "nobody@fabrikam.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
}

/* X6: the one POST that mails went out alone, on a fresh HTTP/1.1 connection, without Expect. */
static void check_mail_post(void)
{
    cJSON *posts = CTL_JSON("requests", "{\"mail\":true}");
    cJSON *ledger = CTL_JSON("ledger", NULL);
    const cJSON *post = cJSON_GetArrayItem(posts, 0);
    const cJSON *connection;
    int64_t number = 0;
    int64_t id = 0;
    int64_t requests = 0;

    assert_int_equal(cJSON_GetArraySize(posts), 1);
    assert_string_equal(ei_json_string(post, "httpVersion"), "1.1");
    assert_true(ei_json_int(post, "connectionRequest", &number));
    assert_int_equal(number, 1);
    assert_false(ei_json_bool(post, "expect", false));
    assert_true(ei_json_int(post, "connection", &number));
    cJSON_ArrayForEach(connection, ei_json_array(ledger, "connections"))
    {
        if (ei_json_int(connection, "id", &id) && id == number)
            assert_true(ei_json_int(connection, "requests", &requests));
    }
    assert_int_equal(requests, 1);
    cJSON_Delete(ledger);
    cJSON_Delete(posts);
}

static void test_mail_post(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    warm_up();
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    find(sim.graph, ADDRESS, &got); /* and nobody uses its connection afterwards */
    check_mail_post();
    assert_int_equal(look().mails, 1);
}

/* X6's own test: the server closes after it has read the body. One request arrives, and nobody claims to know. */
static void test_mail_post_is_never_repeated(void **state)
{
    static const char *const ends[] = {"{\"close\":true,\"when\":\"after\"}", "{\"reset\":true,\"when\":\"after\"}",
                                       "{\"close\":true}", "{\"truncate\":0}", "{\"truncate\":300}"};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char fault[256];
        CTL("reset", "all");
        ei_graph_drop_token(sim.graph);
        warm_up();
        snprintf(fault, sizeof fault, "{\"match\":{\"mail\":true},\"times\":0,\"action\":%s}", ends[i]);
        CTL("fault", fault);
        invite(sim.graph, ADDRESS, true, &got);
        expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
        check_mail_post();
        assert_true(look().mails <= 1);
    }
}

/* What makes X6 necessary: on a kept connection libcurl repeats a POST by itself. Without mail that is harmless. */
static void test_create_on_a_dying_connection(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    warm_up();
    CTL("fault", "{" INVITATIONS ",\"times\":0,\"action\":{\"close\":true,\"when\":\"after\"}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
    assert_int_equal(look().guests, 1);
    CTL("faults-clear", NULL);
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(look().guests, 1);
}

/* A 201 that was not read whole, or says nothing, may have had its effect. */
static void test_broken_answers_to_create(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"truncate\":0}", EI_GRAPH_AMBIGUOUS},
        {"{\"truncate\":1}", EI_GRAPH_AMBIGUOUS},
        {"{\"truncate\":40}", EI_GRAPH_AMBIGUOUS},
        {"{\"truncate\":600}", EI_GRAPH_AMBIGUOUS},
        {"{\"reset\":\"stream\",\"when\":\"after\"}", EI_GRAPH_AMBIGUOUS},
        {"{\"empty\":true}", EI_GRAPH_ANSWER},
        {"{\"html\":true}", EI_GRAPH_ANSWER},
        {"{\"body\":\"{\"}", EI_GRAPH_ANSWER},
        {"{\"body\":[]}", EI_GRAPH_ANSWER},
        {"{\"body\":{\"inviteRedeemUrl\":\"https://x.example/\"}}", EI_GRAPH_ANSWER},
        {"{\"body\":{\"inviteRedeemUrl\":\"https://x.example/\",\"invitedUser\":{\"id\":\"../me\"}}}", EI_GRAPH_ANSWER},
        {"{\"body\":{\"invitedUser\":{\"id\":\"" OTHER_ID "\"}}}", EI_GRAPH_ANSWER},
        {"{\"body\":{\"inviteRedeemUrl\":\"https://x.example/\\u001b[2J\",\"invitedUser\":{\"id\":\"" OTHER_ID "\"}}}",
         EI_GRAPH_ANSWER},
        {"{\"huge\":9000000}", EI_GRAPH_ANSWER},
        {"{\"status\":500,\"when\":\"after\"}", EI_GRAPH_DOWN},
        {"{\"status\":503,\"when\":\"after\",\"html\":true}", EI_GRAPH_DOWN},
        {"{\"status\":504,\"when\":\"after\"}", EI_GRAPH_DOWN},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[512];
        snprintf(fault, sizeof fault, "{" INVITATIONS ",\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        invite(sim.graph, ADDRESS, false, &got);
        if (got.result.outcome != EI_GRAPH_UNCLEAR || got.result.error.code != rows[i].code)
            fail_msg("%s: outcome %d, %s", rows[i].action, got.result.outcome, got.result.error.message);
    }
    assert_int_equal(look().guests, 1);
}

/* Somebody in between answers twice, and an older libcurl takes what is left over for the answer to the next request.
 */
static void test_answer_to_another_request(void **state)
{
    static const char other[] = "\"action\":{\"headers\":{\"client-request-id\":\"" OTHER_ID "\"}}";
    static const char none[] = "\"action\":{\"headers\":{\"client-request-id\":\"\"}}";
    char fault[256];
    struct got got;

    NEEDS_SIMULATOR();
    snprintf(fault, sizeof fault, "{" INVITATIONS ",%s}", other);
    CTL("fault", fault);
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
    assert_int_equal(look().guests, 1);
    snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"^/v1.0/users$\"},%s}", other);
    CTL("fault", fault);
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_UNREACHABLE);
    /* The next goes over a connection of its own; an answer without the id is taken as it always was. */
    snprintf(fault, sizeof fault, "{" INVITATIONS ",%s}", none);
    CTL("fault", fault);
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests("{\"method\":\"POST\",\"path\":\"^/v1.0/invitations\",\"reused\":true}"), 0);
}

static void test_dribbled_answer_is_whole(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{" INVITATIONS ",\"action\":{\"dribble\":{\"bytes\":100,\"everyMs\":1}}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
}

/* X5: a complete 4xx without a Graph error is no verdict on the address, and no effect either. */
static void test_refusals_without_a_reason(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"status\":400,\"html\":true}", EI_GRAPH_ANSWER},
        {"{\"status\":403,\"html\":true}", EI_PERMISSION},
        {"{\"status\":404,\"html\":true}", EI_GRAPH_ANSWER},
        {"{\"status\":401,\"code\":\"UnknownError\",\"message\":\"ControllerName=MSGraphInviteAPI\"}", EI_PERMISSION},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        snprintf(fault, sizeof fault, "{" INVITATIONS ",\"times\":2,\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        ei_graph_drop_token(sim.graph); /* one that was good before may just have ended: that is no refusal yet */
        invite(sim.graph, ADDRESS, false, &got);
        expect(&got, EI_GRAPH_REJECTED, rows[i].code);
        CTL("faults-clear", NULL);
    }
    assert_int_equal(look().guests, 0);
}

static void test_redirect_is_not_followed(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{" INVITATIONS ",\"action\":{\"status\":302,\"headers\":{\"Location\":\"/v1.0/elsewhere?x\"}}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_REDIRECTED);
    assert_int_equal(count_requests("{\"path\":\"elsewhere\"}"), 0);
}

/* X8: every form of Retry-After; the tenant is held, and nothing reaches it meanwhile. */
static void test_throttled(void **state)
{
    static const struct {
        const char *retry_after;
        int64_t seconds;
        int64_t held; /* seconds */
    } rows[] = {
        {",\"retryAfter\":7", 7, 7},
        {",\"retryAfter\":{\"decimal\":\"5.128\"}", 6, 6},
        {",\"retryAfter\":\"-1\"", -1, EI_RETRY_DEFAULT},
        {",\"retryAfter\":\"soon\"", -1, EI_RETRY_DEFAULT},
        {",\"retryAfter\":\"\"", -1, EI_RETRY_DEFAULT},
        {",\"retryAfter\":\"99999999999\"", EI_RETRY_CAP, EI_RETRY_CAP},
        {"", -1, EI_RETRY_DEFAULT},
    };
    struct got got;
    int64_t wait;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        use_graph(NULL, NULL, 0);
        CTL("reset", "ledger");
        snprintf(fault, sizeof fault, "{" INVITATIONS ",\"action\":{\"status\":429%s}}", rows[i].retry_after);
        CTL("fault", fault);
        invite(sim.graph, ADDRESS, false, &got);
        expect(&got, EI_GRAPH_REJECTED, EI_THROTTLED);
        assert_int_equal(got.result.retry_after, rows[i].seconds);
        assert_false(ei_graph_may_send(sim.graph, 0, &wait));
        assert_true(wait >= rows[i].held * 1000 - 3000 && wait <= rows[i].held * 1000 + 3000);
        assert_true(ei_graph_hold_until(sim.graph) > ei_now());
        find(sim.graph, ADDRESS, &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_THROTTLED);
        assert_int_equal(count_requests("{\"path\":\"^/v1.0/\"}"), 1);
    }
}

static void test_throttled_by_date(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{" INVITATIONS ",\"action\":{\"status\":429,\"retryAfter\":{\"date\":30}}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_THROTTLED);
    assert_true(got.result.retry_after >= 28 && got.result.retry_after <= 31);
}

/* contract 6: 503 as 429, and over a new connection. Without Retry-After nothing is held. */
static void test_service_unavailable(void **state)
{
    struct got got;
    int64_t wait;
    int64_t before = 0;
    int64_t after = 0;

    NEEDS_SIMULATOR();
    warm_up();
    CTL("fault", "{" INVITATIONS ",\"action\":{\"status\":503}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_DOWN);
    assert_true(ei_graph_may_send(sim.graph, 1, &wait));
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    cJSON *posts = CTL_JSON("requests", "{\"path\":\"^/v1.0/invitations\"}");
    assert_true(ei_json_int(cJSON_GetArrayItem(posts, 0), "connection", &before));
    assert_true(ei_json_int(cJSON_GetArrayItem(posts, 1), "connection", &after));
    assert_int_not_equal(before, after);
    cJSON_Delete(posts);
    CTL("fault", "{" INVITATIONS ",\"action\":{\"status\":503,\"retryAfter\":30}}");
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_DOWN);
    assert_int_equal(got.result.retry_after, 30);
    assert_false(ei_graph_may_send(sim.graph, 0, &wait));
}

static int64_t connection_of(const cJSON *requests, int at)
{
    int64_t connection = 0;

    assert_true(ei_json_int(cJSON_GetArrayItem(requests, at), "connection", &connection));
    return connection;
}

/* One new connection is meant, and not one for each request that follows. */
static void test_service_unavailable_to_many(void **state)
{
    enum { MANY = 60 };
    struct got got[MANY] = {0};
    int64_t seen[MANY];
    int connections = 0;

    NEEDS_SIMULATOR();
    CTL("set", "batch", "false"); /* singly, over HTTP/2 */
    warm_up();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/users/\"},\"nth\":5,\"action\":{\"status\":503}}");
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, got_user, &got[i]), EI_OK);
    run(sim.graph);
    cJSON *requests = CTL_JSON("requests", "{\"path\":\"^/v1.0/users/\"}");
    assert_true(cJSON_GetArraySize(requests) >= MANY);
    for (int i = 0; i < cJSON_GetArraySize(requests) && connections < MANY; i++) {
        int64_t connection = connection_of(requests, i);
        bool known = false;
        for (int j = 0; j < connections; j++)
            known = known || seen[j] == connection;
        if (!known)
            seen[connections++] = connection;
    }
    assert_int_equal(connections, 2);
    cJSON_Delete(requests);
    CTL("reset", "settings");
}

static void test_no_answer(void **state)
{
    struct got got[3] = {0};
    struct ei_graph_invite body = {.invited_user_email_address = ADDRESS,
                                   .invite_redirect_url = "https://myapps.microsoft.com/"};

    NEEDS_SIMULATOR();
    use_graph(NULL, NULL, 2000);
    warm_up();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0,\"action\":{\"stuck\":true}}");
    assert_int_equal(ei_graph_invite(sim.graph, &body, CRID, got_invited, &got[0]), EI_OK);
    body.send_invitation_message = true;
    assert_int_equal(ei_graph_invite(sim.graph, &body, CRID, got_invited, &got[1]), EI_OK);
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, CRID, got_user, &got[2]), EI_OK);
    run(sim.graph);
    expect(&got[0], EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
    expect(&got[1], EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
    expect(&got[2], EI_GRAPH_UNCLEAR, EI_UNREACHABLE);
}

/* X5: what failed before the first byte is free to repeat, mail or not. */
static void test_not_sent(void **state)
{
    struct got got;
    char url[64];

    NEEDS_SIMULATOR();
    CTL("fault",
        "{\"match\":{\"path\":\"/token$\"},\"times\":0,\"action\":{\"status\":200,\"body\":{\"token_type\":\"Bearer\","
        "\"access_token\":\"abc\",\"expires_in\":3599}}}");
    use_graph("https://localhost:1", NULL, 0);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_UNREACHABLE);
    assert_non_null(strstr(got.result.error.message, "localhost"));
    use_graph("https://graph.invalid", NULL, 0);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_UNREACHABLE);
    assert_memory_equal(got.result.error.message, "graph.invalid: ", 15);
    assert_int_equal(look().posts, 0);
    if (access("/proc/net/if_inet6", F_OK) != 0)
        return;
    /* 127.0.0.1 by a name that the certificate does not have */
    snprintf(url, sizeof url, "https://[::ffff:127.0.0.1]%s", strrchr(sim.url, ':'));
    use_graph(url, NULL, 0);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_TLS_TRUST);
    assert_int_equal(look().posts, 0);
}

/* A CA that the server's certificate is not from; ca_file is instead of the system's, not beside them. */
static void test_tls_trust(void **state)
{
    static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt", "/nonexistent/ca.pem"};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        use_graph(NULL, files[i], 0);
        invite(sim.graph, ADDRESS, true, &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_TLS_TRUST);
        assert_memory_equal(got.result.error.message, "localhost: ", 11);
    }
}

/* What is under way when the graph ends is UNCLEAR, what waited is not sent; each callback comes once. */
static void test_end_while_under_way(void **state)
{
    struct got got[3] = {0};
    const struct ei_graph_invite body = {.invited_user_email_address = ADDRESS,
                                         .invite_redirect_url = "https://myapps.microsoft.com/"};

    NEEDS_SIMULATOR();
    warm_up();
    CTL("fault", "{" INVITATIONS ",\"action\":{\"hold\":\"h\",\"when\":\"after\"}}");
    assert_int_equal(ei_graph_invite(sim.graph, &body, CRID, got_invited, &got[0]), EI_OK);
    do {
        assert_int_equal(ei_graph_wait(sim.graph, NULL, 0, 50), EI_OK);
        ei_graph_dispatch(sim.graph);
    } while (count_requests("{\"path\":\"^/v1.0/invitations\"}") == 0);
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, CRID, got_user, &got[1]), EI_OK);
    assert_int_equal(ei_graph_tenant_id(sim.graph, got_names, &got[2]), EI_OK);
    assert_int_equal(ei_graph_active(sim.graph), 3);
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    CTL("release", NULL);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(got[i].calls, 1);
    expect(&got[0], EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS);
    expect(&got[1], EI_GRAPH_NOT_SENT, EI_UNREACHABLE);
    expect(&got[2], EI_GRAPH_NOT_SENT, EI_UNREACHABLE);
}

int main(void)
{
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_mail_post),
        SIM_TEST(test_mail_post_is_never_repeated),
        SIM_TEST(test_create_on_a_dying_connection),
        SIM_TEST(test_broken_answers_to_create),
        SIM_TEST(test_answer_to_another_request),
        SIM_TEST(test_dribbled_answer_is_whole),
        SIM_TEST(test_refusals_without_a_reason),
        SIM_TEST(test_redirect_is_not_followed),
        SIM_TEST(test_throttled),
        SIM_TEST(test_throttled_by_date),
        SIM_TEST(test_service_unavailable),
        SIM_TEST(test_service_unavailable_to_many),
        SIM_TEST(test_no_answer),
        SIM_TEST(test_not_sent),
        SIM_TEST(test_tls_trust),
        SIM_TEST(test_end_while_under_way),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/* The token: fetched once, renewed in time, dropped when refused; what the login service says instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

#define TOKEN "\"match\":{\"path\":\"/token$\"}"

static int64_t skew_ms;

static int64_t skewed_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + skew_ms / 1000;
}

static int64_t skewed_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000 + skew_ms;
}

static int use_skewed_clock(void **state)
{
    static const struct ei_clock clock = {.now = skewed_now, .monotonic_ms = skewed_ms};

    skew_ms = 0;
    ei_clock_set(&clock);
    return set_up(state);
}

static int use_real_clock(void **state)
{
    ei_clock_set(NULL);
    return tear_down(state);
}

static int tokens(void)
{
    return count_requests("{\"path\":\"/token$\"}");
}

/* Fifty requests at once need one token and one connection, besides that of the token (K4). */
static void test_one_token_for_many(void **state)
{
    static struct got got[50];

    NEEDS_SIMULATOR();
    memset(got, 0, sizeof got);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, got_user, &got[i]), EI_OK);
    run(sim.graph);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(got[i].calls, 1);
        expect(&got[i], EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    }
    assert_int_equal(tokens(), 1);
    cJSON *ledger = CTL_JSON("ledger", NULL);
    const cJSON *counters = ei_json_object(ledger, "counters");
    int64_t most = 0;
    int64_t connections = 0;
    assert_true(ei_json_int(counters, "maxConcurrency", &most));
    assert_true(ei_json_int(counters, "connections", &connections));
    assert_true(most <= 32);
    assert_int_equal(connections, 2);
    cJSON_Delete(ledger);
}

/* contract 1.8: five minutes before the end. */
static void test_renewed_early(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    get(sim.graph, OTHER_ID, &got);
    skew_ms = (3599 - 300 - 20) * 1000;
    get(sim.graph, OTHER_ID, &got);
    assert_int_equal(tokens(), 1);
    skew_ms = (3599 - 300) * 1000;
    get(sim.graph, OTHER_ID, &got);
    assert_int_equal(tokens(), 2);
    ei_graph_drop_token(sim.graph);
    get(sim.graph, OTHER_ID, &got);
    assert_int_equal(tokens(), 3);
}

/* A complete 401 on a kept token: a new token, and a read once more. A write is its caller's to repeat, as another
 * attempt (X7); the 401 had no effect. */
static void test_refused_token_is_renewed(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    get(sim.graph, OTHER_ID, &got);
    CTL("expire-tokens", NULL);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(tokens(), 2);
    CTL("expire-tokens", NULL);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_TOKEN_TRANSIENT);
    assert_int_equal(got.result.retry_after, 0);
    assert_int_equal(tokens(), 2);
    got = (struct got){0};
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(tokens(), 3);
    cJSON *mails = CTL_JSON("mails", ADDRESS);
    assert_int_equal(cJSON_GetArraySize(mails), 1);
    cJSON_Delete(mails);
}

/* The second 401 comes while the new token is being fetched already: it is another one, and good. */
static void test_refused_together(void **state)
{
    struct got got[2] = {0};

    NEEDS_SIMULATOR();
    get(sim.graph, OTHER_ID, &got[0]);
    got[0] = (struct got){0};
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"action\":{\"status\":401}}");
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"action\":{\"status\":401,\"latencyMs\":300}}");
    CTL("fault", "{" TOKEN ",\"action\":{\"latencyMs\":1500}}");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, got_user, &got[i]), EI_OK);
    run(sim.graph);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(got[i].calls, 1);
        expect(&got[i], EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    }
    assert_int_equal(tokens(), 2);
}

/* X7: support can tell any two attempts apart. */
static void test_request_ids_of_repeats(void **state)
{
    static const char reads[] = "{\"path\":\"^/v1.0/users/\"}";
    static const char writes[] = "{\"path\":\"^/v1.0/invitations\"}";
    struct got got;

    NEEDS_SIMULATOR();
    find(sim.graph, ADDRESS, &got); /* a token */
    CTL("expire-tokens", NULL);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_request_ids(reads, 2, 1);
    CTL("expire-tokens", NULL);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_TOKEN_TRANSIENT);
    assert_request_ids(writes, 1, 1);
}

/* Where a new token is refused as well it ends: no loop. */
static void test_unauthorized_ends(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0,\"action\":{\"status\":401}}");
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_UNAUTHORIZED);
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/\"}"), 2); /* its token was new, and another one is no better */
    for (int i = 1; i <= 3; i++) {
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_REJECTED, EI_UNAUTHORIZED);
        assert_int_equal(count_requests("{\"path\":\"^/v1.0/\"}"), 2 + i);
        assert_int_equal(tokens(), 2 + i); /* one that was refused is not sent again */
    }
}

/* A token that others were let in with is not wrong because it ended early; but not for ever. */
static void test_taken_token_ends_early(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/invitations\"},\"times\":0,\"action\":{\"status\":401}}");
    for (int i = 0; i < 12; i++) {
        get(sim.graph, OTHER_ID, &got); /* the token is taken */
        expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
        find(sim.graph, ADDRESS, &got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
        got = (struct got){0};
        invite(sim.graph, ADDRESS, false, &got);
        assert_int_equal(got.result.outcome, EI_GRAPH_REJECTED);
    }
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/invitations\"}"), 12);
    CTL("faults-clear", NULL);
    got = (struct got){0};
    invite(sim.graph, ADDRESS, false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
}

/* contract 1.3: a new federated credential is not known everywhere for minutes, also after a first success. */
static void test_federation_mismatch_may_pass(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{" TOKEN ",\"times\":0,\"action\":{\"aadsts\":70021}}");
    skew_ms = 0;
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_FEDERATION_NEW);
    skew_ms = 9 * 60 * 1000;
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_FEDERATION_NEW);
    skew_ms = 11 * 60 * 1000;
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_FEDERATION_MISMATCH);
    CTL("faults-clear", NULL);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    CTL("fault", "{" TOKEN ",\"times\":0,\"action\":{\"aadsts\":70021}}");
    ei_graph_drop_token(sim.graph);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_FEDERATION_NEW);
    skew_ms = 0;
}

/* contract 1.6: some services send the number as a string. */
#define NOT_FOUND_ONCE                                                                                                 \
    "{\"match\":{\"path\":\"^/v1.0/\"},\"action\":{\"status\":404,\"code\":\"Request_ResourceNotFound\"}}"

static void test_expires_in_as_a_string(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("fault", "{" TOKEN ",\"action\":{\"body\":{\"token_type\":\"bearer\",\"access_token\":\"abc\","
                 "\"expires_in\":\"3599\"}}}");
    CTL("fault", NOT_FOUND_ONCE); /* it is none of the simulator's */
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(tokens(), 1);
}

/* What RFC 6749 5.1 lets a server leave out, or add. */
static void test_plain_oauth_tokens(void **state)
{
    static const char *const bodies[] = {
        "{\"token_type\":\"bearer\",\"access_token\":\"abc\"}",
        "{\"token_type\":\"BEARER\",\"access_token\":\"abc\",\"expires_in\":null,\"ext_expires_in\":3599}",
        "{\"access_token\":\"abc\",\"expires_in\":\"soon\",\"scope\":\"x\",\"refresh_token\":\"\",\"more\":[{}]}",
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char fault[256];
        int before = tokens();
        snprintf(fault, sizeof fault, "{" TOKEN ",\"action\":{\"body\":%s}}", bodies[i]);
        CTL("fault", fault);
        skew_ms = 0;
        ei_graph_drop_token(sim.graph);
        CTL("fault", NOT_FOUND_ONCE);
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
        CTL("fault", NOT_FOUND_ONCE);
        skew_ms = 120 * 1000; /* a short life is assumed: still good after two minutes, not after five */
        get(sim.graph, OTHER_ID, &got);
        assert_int_equal(tokens(), before + 1);
        skew_ms = 300 * 1000;
        get(sim.graph, OTHER_ID, &got);
        assert_int_equal(tokens(), before + 2);
    }
}

static void test_login_throttled(void **state)
{
    struct got got;
    int64_t wait;

    NEEDS_SIMULATOR();
    CTL("fault", "{" TOKEN ",\"action\":{\"status\":429,\"retryAfter\":20}}");
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_THROTTLED);
    assert_int_equal(got.result.retry_after, 20);
    assert_false(ei_graph_may_send(sim.graph, 0, &wait));
}

/* After SIGHUP: an answer to the old secret does not count. */
static void test_token_dropped_while_it_is_fetched(void **state)
{
    struct got got = {0};

    NEEDS_SIMULATOR();
    CTL("fault", "{" TOKEN ",\"action\":{\"aadsts\":7000215,\"hold\":\"h\",\"when\":\"before\"}}");
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, CRID, got_user, &got), EI_OK);
    do {
        assert_int_equal(ei_graph_wait(sim.graph, NULL, 0, 50), EI_OK);
        ei_graph_dispatch(sim.graph);
    } while (tokens() == 0);
    ei_graph_drop_token(sim.graph);
    CTL("release", "h");
    run(sim.graph);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(tokens(), 2);
}

struct chain {
    struct got got;
    int left;
};

static void next_link(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct chain *chain = context;
    int calls = chain->got.calls;

    got_user(&chain->got, result, user);
    if (--chain->left > 0)
        assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, next_link, chain), EI_OK);
    assert_int_equal(chain->got.calls, calls + 1);
}

static void test_callbacks_start_requests(void **state)
{
    struct chain chain = {.left = 5};

    NEEDS_SIMULATOR();
    assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, next_link, &chain), EI_OK);
    run(sim.graph);
    assert_int_equal(chain.got.calls, 5);
}

int main(void)
{
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_one_token_for_many),
        cmocka_unit_test_setup_teardown(test_renewed_early, use_skewed_clock, use_real_clock),
        SIM_TEST(test_refused_token_is_renewed),
        SIM_TEST(test_refused_together),
        SIM_TEST(test_request_ids_of_repeats),
        SIM_TEST(test_taken_token_ends_early),
        SIM_TEST(test_unauthorized_ends),
        cmocka_unit_test_setup_teardown(test_federation_mismatch_may_pass, use_skewed_clock, use_real_clock),
        SIM_TEST(test_expires_in_as_a_string),
        cmocka_unit_test_setup_teardown(test_plain_oauth_tokens, use_skewed_clock, use_real_clock),
        SIM_TEST(test_login_throttled),
        SIM_TEST(test_token_dropped_while_it_is_fetched),
        SIM_TEST(test_callbacks_start_requests),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

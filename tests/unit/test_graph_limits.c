/* How long to wait and how fast to write: Retry-After, the token bucket, the tenant's hold (X8, contract 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/graph/graph.h"
#include "common/graph/pace.h"
#include "common/graph/retry.h"

static int64_t fake_now;
static int64_t fake_ms;

static int64_t get_now(void)
{
    return fake_now;
}

static int64_t get_ms(void)
{
    return fake_ms;
}

static int use_fake_clock(void **state)
{
    static const struct ei_clock clock = {.now = get_now, .monotonic_ms = get_ms};

    (void)state;
    fake_now = 1795446000; /* 2026-11-23T15:00:00Z */
    fake_ms = 1000000;
    ei_clock_set(&clock);
    return 0;
}

static int use_real_clock(void **state)
{
    (void)state;
    ei_clock_set(NULL);
    return 0;
}

static void test_retry_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t seconds;
    } rows[] = {
        {"0", 0},
        {"2", 2},
        {" 120 ", 120},
        {"2.128", 3}, /* Microsoft's own sample */
        {"2.0", 2},
        {"0.001", 1},
        {"3600", 3600},
        {"3601", EI_RETRY_CAP},
        {"99999999999999999999999999", EI_RETRY_CAP},
        {"3600.5", EI_RETRY_CAP},
        {"-1", -1},
        {"+5", -1},
        {"soon", -1},
        {"", -1},
        {"   ", -1},
        {".5", -1},
        {"5.", -1},
        {"5s", -1},
        {"1,5", -1},
        {"0x10", -1},
        {"1e3", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (ei_retry_after(rows[i].value, NULL) != rows[i].seconds)
            fail_msg("\"%s\" gave %lld", rows[i].value, (long long)ei_retry_after(rows[i].value, NULL));
    assert_int_equal(ei_retry_after(NULL, NULL), -1);
}

static void test_retry_dates(void **state)
{
    (void)state;
    static const char later[] = "Mon, 23 Nov 2026 15:00:30 GMT";

    assert_int_equal(ei_retry_after(later, NULL), 30);
    /* The answer's Date counts, so that a wrong clock of this host does not matter. */
    assert_int_equal(ei_retry_after(later, "Mon, 23 Nov 2026 15:00:20 GMT"), 10);
    assert_int_equal(ei_retry_after(later, "yesterday"), 30);
    assert_int_equal(ei_retry_after(later, "Mon, 23 Nov 2026 15:01:00 GMT"), 0);
    assert_int_equal(ei_retry_after("Tue, 24 Nov 2026 15:00:00 GMT", NULL), EI_RETRY_CAP);
    assert_int_equal(ei_retry_after("Monday, 23-Nov-26 15:00:05 GMT", NULL), 5);
    assert_int_equal(ei_retry_after("Mon, 99 Nov 2026 15:00:00 GMT", NULL), -1);
    assert_int_equal(ei_http_date("Tue, 06 Jan 1925 08:09:10 GMT"), -1);
    assert_int_equal(ei_retry_after("Mon", NULL), -1);
}

/* 3,000 writes at once, then 20 a second. */
static void test_pace(void **state)
{
    (void)state;
    struct ei_pace pace;

    ei_pace_init(&pace, EI_PACE_WRITES, EI_PACE_PERIOD_MS, 0);
    assert_int_equal(ei_pace_wait_ms(&pace, 3000, 0), 0);
    ei_pace_take(&pace, 3000, 0);
    assert_int_equal(ei_pace_wait_ms(&pace, 1, 0), 50);
    assert_int_equal(ei_pace_wait_ms(&pace, 0, 0), 0);
    assert_int_equal(ei_pace_wait_ms(&pace, 1, 49), 1);
    assert_int_equal(ei_pace_wait_ms(&pace, 1, 50), 0);
    ei_pace_take(&pace, 1, 50);
    assert_int_equal(ei_pace_wait_ms(&pace, 20, 50), 1000);
    assert_int_equal(ei_pace_wait_ms(&pace, 20, 1050), 0);
    ei_pace_take(&pace, 40, 1050); /* more than there are: a debt */
    assert_int_equal(ei_pace_wait_ms(&pace, 1, 1050), 1050);
    assert_int_equal(ei_pace_wait_ms(&pace, 1, 0), 1050); /* a clock that goes back fills nothing */
    assert_int_equal(ei_pace_wait_ms(&pace, 3000, 1000000), 0);
    ei_pace_take(&pace, 1, 1000000); /* never fuller than full */
    assert_int_equal(ei_pace_wait_ms(&pace, 3000, 1000000), 50);
    assert_int_equal(ei_pace_wait_ms(&pace, 4000000, 1000050), 0);
}

/* No 150 s see more than two bucketfuls, and a steady stream sees 20 a second. */
static void test_pace_over_time(void **state)
{
    (void)state;
    struct ei_pace pace;
    int64_t writes = 0;

    ei_pace_init(&pace, EI_PACE_WRITES, EI_PACE_PERIOD_MS, 0);
    for (int64_t now = 0; now < 10 * EI_PACE_PERIOD_MS; now += 7) {
        while (ei_pace_wait_ms(&pace, 1, now) == 0) {
            ei_pace_take(&pace, 1, now);
            writes++;
        }
    }
    assert_true(writes >= 11 * EI_PACE_WRITES - 2 && writes <= 11 * EI_PACE_WRITES + 1);
}

static struct ei_graph *new_graph(void)
{
    struct ei_graph *graph = NULL;
    struct ei_graph_options options = {.tenant = "contoso.onmicrosoft.com",
                                       .client_id = "99999999-8888-7777-6666-555555555555",
                                       .login_url = "https://localhost:1",
                                       .graph_url = "https://localhost:1"};

    assert_int_equal(ei_graph_new(&options, &graph, NULL), EI_OK);
    return graph;
}

static void test_hold(void **state)
{
    (void)state;
    struct ei_graph *graph = new_graph();
    int64_t wait = -1;

    assert_int_equal(ei_graph_hold_until(graph), 0);
    assert_true(ei_graph_may_send(graph, 1, &wait));
    assert_int_equal(wait, 0);
    ei_graph_set_hold(graph, fake_now - 5); /* over already */
    assert_true(ei_graph_may_send(graph, 1, &wait));
    ei_graph_set_hold(graph, fake_now + 30);
    assert_false(ei_graph_may_send(graph, 0, &wait));
    assert_int_equal(wait, 30000);
    assert_int_equal(ei_graph_hold_until(graph), fake_now + 30); /* or it would grow with each restart */
    ei_graph_set_hold(graph, fake_now + 10);                     /* never shortened */
    assert_false(ei_graph_may_send(graph, 0, &wait));
    assert_int_equal(wait, 30000);
    fake_ms += 30000;
    fake_now += 30;
    assert_true(ei_graph_may_send(graph, 0, &wait));
    assert_int_equal(ei_graph_hold_until(graph), 0);
    ei_graph_free(graph);
}

/* X8: a stepped clock neither ends a hold nor makes it last for years. */
static void test_hold_and_stepped_clock(void **state)
{
    (void)state;
    struct ei_graph *graph = new_graph();
    int64_t wait = -1;

    ei_graph_set_hold(graph, fake_now + 60);
    fake_now += 86400;
    assert_false(ei_graph_may_send(graph, 0, &wait));
    assert_int_equal(wait, 60000);
    fake_now -= 30 * 86400;
    fake_ms += 60000;
    assert_true(ei_graph_may_send(graph, 0, &wait));
    ei_graph_set_hold(graph, fake_now + 400 * 86400LL);
    assert_false(ei_graph_may_send(graph, 0, &wait));
    assert_true(wait <= EI_RETRY_CAP * 1000LL);
    ei_graph_free(graph);
}

static void plain_done(void *context, const struct ei_graph_result *result)
{
    (*(int *)context)++;
    assert_int_equal(result->outcome, EI_GRAPH_NOT_SENT);
    assert_int_equal(result->error.code, EI_THROTTLED);
    assert_int_equal(result->status, 0);
    assert_true(result->retry_after > 0);
}

/* A write that starts takes its unit; one that starts under a hold ends unsent, and from dispatch only. */
static void test_start_under_hold(void **state)
{
    (void)state;
    struct ei_graph *graph = new_graph();
    int64_t wait = -1;
    int calls = 0;

    ei_graph_set_hold(graph, fake_now + 30);
    assert_int_equal(ei_graph_delete_user(graph, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02", NULL, plain_done, &calls),
                     EI_OK);
    assert_int_equal(calls, 0);
    assert_int_equal(ei_graph_active(graph), 1);
    assert_int_equal(ei_graph_wait(graph, NULL, 0, 60000), EI_OK); /* at once: there is something to do */
    ei_graph_dispatch(graph);
    assert_int_equal(calls, 1);
    assert_int_equal(ei_graph_active(graph), 0);
    assert_false(ei_graph_may_send(graph, 3000, &wait));
    assert_int_equal(wait, 30000); /* the hold; the one unit comes back in 50 ms */
    ei_graph_free(graph);
}

static void unsent_done(void *context, const struct ei_graph_result *result)
{
    struct ei_graph **graph = context;

    assert_int_equal(result->outcome, EI_GRAPH_NOT_SENT);
    assert_int_equal(result->error.code, EI_UNREACHABLE);
    assert_int_equal(ei_graph_delete_user(*graph, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02", NULL, unsent_done, context),
                     EI_BUSY);
    *graph = NULL;
}

static void test_free_ends_what_waits(void **state)
{
    (void)state;
    struct ei_graph *graph = new_graph();
    struct ei_graph *seen = graph;

    assert_int_equal(ei_graph_delete_user(graph, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02", NULL, unsent_done, &seen),
                     EI_OK);
    ei_graph_free(graph);
    assert_null(seen);
}

struct chain {
    struct ei_graph *graph;
    int left;
};

static void next_link(void *context, const struct ei_graph_result *result, const char *const *names, size_t count)
{
    struct chain *chain = context;

    assert_int_equal(result->outcome, EI_GRAPH_NOT_SENT);
    assert_int_equal(result->error.code, EI_UNREACHABLE);
    assert_null(names);
    assert_int_equal(count, 0);
    if (--chain->left > 0)
        assert_int_equal(ei_graph_tenant_id(chain->graph, next_link, chain), EI_OK);
}

/* A request that fails at once, started from a callback, is told of at once: nothing waits for the time-out. */
static void test_immediate_failures_wake(void **state)
{
    (void)state;
    struct chain chain = {.graph = new_graph(), .left = 20};
    int waits = 0;

    assert_int_equal(ei_graph_tenant_id(chain.graph, next_link, &chain), EI_OK);
    while (ei_graph_active(chain.graph) != 0) {
        assert_int_equal(ei_graph_wait(chain.graph, NULL, 0, 60000), EI_OK);
        ei_graph_dispatch(chain.graph);
        waits++;
    }
    assert_int_equal(chain.left, 0);
    assert_true(waits > 0);
    ei_graph_free(chain.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_numbers),
        cmocka_unit_test_setup_teardown(test_retry_dates, use_fake_clock, use_real_clock),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_pace_over_time),
        cmocka_unit_test_setup_teardown(test_hold, use_fake_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(test_hold_and_stepped_clock, use_fake_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(test_start_under_hold, use_fake_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(test_free_ends_what_waits, use_fake_clock, use_real_clock),
        cmocka_unit_test(test_immediate_failures_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

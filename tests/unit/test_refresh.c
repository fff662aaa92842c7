/* How redemptions of many are noticed: the list of changes and its age, refusals, lists that are hints (contract 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "plugin/worker/guest_list.h"
#include "plugin/worker/refresh.h"
#include "tests/unit/graph_fixture.h"

enum { INTERVAL = 300, DAY = 24 * 60 * 60, MANY = 1000 };

#define DELTA  "{\"path\":\"^/v1.0/users/delta$\"}"
#define LATEST "{\"path\":\"^/v1.0/users/delta$\",\"query\":\"latest\"}"
#define LISTS  "{\"path\":\"^/v1.0/users$\"}"

static struct {
    struct ei_worker *w;
    struct ei_config config;
    char dir[64];
    char pending[EI_GUID_TEXT]; /* collaborators */
    char accepted[EI_GUID_TEXT];
} f;

static int64_t skew;

static int64_t skewed_now(void)
{
    return time(NULL) + skew;
}

static int64_t skewed_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000 + skew * 1000;
}

/* A guest of the simulated tenant that this store follows; it is not due for a day. */
static void make_guest(const char *kind, const char *address, enum ei_step step, char id[EI_GUID_TEXT])
{
    char text[256];
    struct ei_error err;
    struct ei_collaborator *c = ei_collaborator_new();

    snprintf(text, sizeof text, "{\"kind\":\"%s\",\"address\":\"%s\"}", kind, address);
    cJSON *user = CTL_JSON("user", text);
    assert_true(ei_collaborator_add_address(c, address));
    assert_true(ei_text_set(&c->guest_id, ei_json_string(user, "id")));
    assert_true(ei_text_set(&c->user_type, "Guest"));
    c->job.step = step;
    c->job.not_before = ei_now() + DAY;
    assert_int_equal(ei_store_put(f.w->store, c, "made", NULL, &err), EI_OK);
    memcpy(id, c->id, EI_GUID_TEXT);
    ei_collaborator_free(c);
    cJSON_Delete(user);
}

static bool is_due(const char *id)
{
    struct ei_error err;
    struct ei_collaborator *c = NULL;

    assert_int_equal(ei_store_get(f.w->store, id, &c, &err), EI_OK);
    bool due = c->job.not_before <= ei_now();
    ei_collaborator_free(c);
    return due;
}

static void put_off(const char *id)
{
    struct ei_error err;
    struct ei_collaborator *c = NULL;

    assert_int_equal(ei_store_get(f.w->store, id, &c, &err), EI_OK);
    c->job.not_before = ei_now() + DAY;
    assert_int_equal(ei_store_put(f.w->store, c, NULL, NULL, &err), EI_OK);
    ei_collaborator_free(c);
}

static void put_all_off(void)
{
    put_off(f.pending);
    put_off(f.accepted);
}

/* What a worker has that only refreshes. */
static void worker_begin(void)
{
    struct ei_error err = {0};
    char path[96];

    f.w = calloc(1, sizeof *f.w);
    f.config.refresh_interval = INTERVAL;
    f.w->config = &f.config;
    snprintf(f.w->host, sizeof f.w->host, "%s", OTHER_ID);
    f.w->graph = sim.graph;
    f.w->tenant_fact = EI_FACT_KNOWN;
    f.w->ready_said = true;
    f.w->counts[EI_STATE_PENDING] = MANY / 2;
    f.w->counts[EI_STATE_ACCEPTED] = MANY / 2;
    snprintf(path, sizeof path, "%s/private", f.dir);
    if (ei_store_open_sqlite(path, &f.w->store, &err) != EI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(ei_refresh_open(f.w, &err), EI_OK);
}

static void worker_end(void)
{
    ei_guest_lists_close(f.w);
    ei_refresh_close(f.w);
    ei_store_close(f.w->store);
    free(f.w);
    f.w = NULL;
}

/* Turns of the loop until nothing is asked any more. */
static void turn(void)
{
    int64_t end = ei_monotonic_ms() + GIVE_UP_MS;

    do {
        ei_refresh_run(f.w);
        ei_guest_lists_run(f.w);
        assert_int_equal(ei_graph_wait(sim.graph, NULL, 0, 20), EI_OK);
        ei_graph_dispatch(sim.graph);
        assert_true(ei_monotonic_ms() < end);
    } while (f.w->refresh.asked || ei_graph_active(sim.graph) != 0 || ei_refresh_wait_ms(f.w) == 0);
}

static void next_tick(void)
{
    skew += INTERVAL;
    turn();
}

static int begin(void **state)
{
    static const struct ei_clock clock = {.now = skewed_now, .monotonic_ms = skewed_ms};

    if (!sim.runs)
        return 0;
    skew = 0;
    ei_clock_set(&clock);
    snprintf(f.dir, sizeof f.dir, "/tmp/ei-refresh-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    int rc = set_up(state);
    worker_begin();
    make_guest("pending", "robin@fabrikam.com", EI_STEP_PENDING, f.pending);
    make_guest("accepted", "kim@fabrikam.com", EI_STEP_ACCEPTED, f.accepted);
    return rc;
}

static int end(void **state)
{
    char command[128];

    if (!sim.runs)
        return 0;
    if (f.w != NULL)
        worker_end();
    snprintf(command, sizeof command, "rm -rf '%s'", f.dir);
    assert_int_equal(system(command), 0);
    ei_clock_set(NULL);
    return tear_down(state);
}

/* --- the list of changes --- */

static void few_guests_ask_nothing(void **state)
{
    NEEDS_SIMULATOR();
    f.w->counts[EI_STATE_PENDING] = 250;
    f.w->counts[EI_STATE_ACCEPTED] = 250;
    turn();
    next_tick();
    assert_int_equal(count_requests(DELTA), 0);
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_BATCH);
}

static void the_list_of_changes_outlives_the_worker(void **state)
{
    NEEDS_SIMULATOR();
    turn();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_DELTA);
    assert_int_equal(count_requests(LATEST), 1);
    worker_end();
    CTL("redeem", "robin@fabrikam.com");
    skew += 2 * DAY;
    worker_begin();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_DELTA);
    put_all_off();
    turn();
    assert_int_equal(count_requests(LATEST), 1);
    assert_true(is_due(f.pending)); /* a read of it is to tell */
    assert_false(is_due(f.accepted));
    cJSON *status = ei_refresh_status(f.w);
    int64_t age = -1;
    assert_true(ei_json_int(status, "deltaLinkAge", &age));
    assert_in_range(age, 0, 60); /* it is a new one */
    cJSON_Delete(status);
}

/* contract 4.3: it is good for seven days. Before Graph refuses it, it begins anew, and all are looked at. */
static void an_old_list_begins_anew(void **state)
{
    NEEDS_SIMULATOR();
    turn();
    worker_end();
    skew += 6 * DAY + INTERVAL;
    worker_begin();
    put_all_off();
    turn();
    assert_int_equal(count_requests(LATEST), 2);
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/users/delta$\",\"query\":\"deltatoken=[^l]\"}"), 0);
    assert_true(is_due(f.pending));
    assert_true(is_due(f.accepted));
}

/* However the tenant says that it has forgotten it. */
static void a_list_that_is_refused_begins_anew(void **state)
{
    static const char *const ways[] = {"\"gone\"", "\"syncStateNotFound\"", "\"resyncRequired\""};

    NEEDS_SIMULATOR();
    turn();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        CTL("set", "deltaExpired", ways[i]);
        CTL("advance", "691200"); /* of the tenant's clock only */
        put_all_off();
        next_tick();
        assert_int_equal(count_requests(LATEST), (int)i + 2);
        assert_true(is_due(f.pending));
        assert_true(is_due(f.accepted));
        assert_int_equal(ei_refresh_in_force(f.w), EI_BY_DELTA);
    }
}

static void removed_guests_are_looked_at(void **state)
{
    NEEDS_SIMULATOR();
    turn();
    CTL("user", "{\"find\":\"kim@fabrikam.com\",\"delete\":\"soft\"}");
    CTL("user", "{\"find\":\"robin@fabrikam.com\",\"delete\":\"hard\"}");
    put_all_off();
    next_tick();
    assert_true(is_due(f.pending));
    assert_true(is_due(f.accepted));
    put_all_off(); /* and once more at the next tick: a copy may not have heard of it (contract 7) */
    next_tick();
    assert_true(is_due(f.pending));
    put_all_off();
    next_tick();
    assert_false(is_due(f.pending));
}

/* --- no changes: lists --- */

static void refused_changes_fall_back(void **state)
{
    static const char *const refusals[] = {"false", "400", "403", "404", "501"};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        CTL("reset", "ledger");
        CTL("set", "delta", refusals[i]);
        ei_refresh_now(f.w);
        next_tick();
        assert_int_equal(ei_refresh_in_force(f.w), EI_BY_LIST);
        assert_int_equal(count_requests(LISTS), 1);
        next_tick();
        assert_int_equal(count_requests(DELTA), 1); /* for an hour */
        assert_int_equal(count_requests(LISTS), 2);
        skew += 3600;
        CTL("set", "delta", "true");
        turn();
        assert_int_equal(ei_refresh_in_force(f.w), EI_BY_DELTA);
    }
}

/* What the list shows is a hint: who differs is to be read, and nothing else happens to it. */
static void who_differs_is_read(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "delta", "false");
    turn();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_LIST);
    put_all_off();
    next_tick();
    assert_false(is_due(f.pending) || is_due(f.accepted));
    CTL("redeem", "robin@fabrikam.com");
    next_tick();
    assert_true(is_due(f.pending));
    assert_false(is_due(f.accepted));
    struct ei_collaborator *c = NULL;
    assert_int_equal(ei_store_get(f.w->store, f.pending, &c, NULL), EI_OK);
    assert_int_equal(c->job.step, EI_STEP_PENDING);
    ei_collaborator_free(c);
    put_all_off();
    CTL("user", "{\"find\":\"kim@fabrikam.com\",\"enabled\":false}");
    next_tick();
    assert_true(is_due(f.accepted));
}

/* An accepted guest is not among those that a filter of pending ones shows, and that says nothing. */
static void a_list_of_pending_ones_says_nothing_of_others(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "delta", "false");
    CTL("seed", "{\"count\":1500,\"kind\":\"accepted\",\"domain\":\"others.example\"}");
    CTL("set", "maxTop", "100");
    turn(); /* all of them first: more than ten pages */
    put_all_off();
    CTL("reset", "ledger");
    next_tick();
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/users$\",\"query\":\"externalUserState eq\"}"), 2);
    assert_false(is_due(f.pending) || is_due(f.accepted));
    CTL("user", "{\"find\":\"kim@fabrikam.com\",\"state\":\"PendingAcceptance\"}"); /* its redemption is reset */
    next_tick();
    assert_true(is_due(f.accepted));
    put_all_off();
    CTL("user", "{\"find\":\"kim@fabrikam.com\",\"delete\":\"hard\"}");
    skew += 3600; /* an hour later all are listed again */
    turn();
    assert_true(is_due(f.accepted));
}

static void refused_lists_leave_single_reads(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "delta", "false");
    turn();
    put_all_off();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/users$\"},\"times\":0,\"action\":{\"status\":403}}");
    next_tick();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_BATCH);
    skew += INTERVAL;
    assert_true(is_due(f.pending) && is_due(f.accepted)); /* within the interval, as nothing tells who is worth it */
    CTL("reset", "faults");
    ei_refresh_now(f.w); /* `refresh` asks again, whatever was refused */
    turn();
    next_tick();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_LIST);
}

/* A link that the tenant has forgotten in the middle of a list is no refusal of lists. */
static void a_list_that_breaks_off_begins_anew(void **state)
{
    NEEDS_SIMULATOR();
    CTL("set", "delta", "false");
    CTL("seed", "{\"count\":1500,\"kind\":\"accepted\",\"domain\":\"others.example\"}");
    turn();
    put_all_off();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/users$\",\"query\":\"skiptoken\"},\"action\":{\"status\":400,"
                 "\"code\":\"Directory_ExpiredPageToken\"}}");
    next_tick();
    assert_int_equal(ei_refresh_in_force(f.w), EI_BY_LIST);
    assert_false(is_due(f.pending) || is_due(f.accepted)); /* half a list says nothing */
    CTL("redeem", "robin@fabrikam.com");
    next_tick();
    assert_true(is_due(f.pending));
}

int main(void)
{
#define REFRESH_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        REFRESH_TEST(few_guests_ask_nothing),
        REFRESH_TEST(the_list_of_changes_outlives_the_worker),
        REFRESH_TEST(an_old_list_begins_anew),
        REFRESH_TEST(a_list_that_is_refused_begins_anew),
        REFRESH_TEST(removed_guests_are_looked_at),
        REFRESH_TEST(refused_changes_fall_back),
        REFRESH_TEST(who_differs_is_read),
        REFRESH_TEST(a_list_of_pending_ones_says_nothing_of_others),
        REFRESH_TEST(a_list_that_breaks_off_begins_anew),
        REFRESH_TEST(refused_lists_leave_single_reads),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

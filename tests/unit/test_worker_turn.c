/* A turn of the jobs: what is due and may go, what holds it back, and how long the loop may sleep (machine.c). */
#include "tests/unit/machine_fixture.h"

/* What no store gives: a job that is due and has nothing to do. */
static enum ei_step odd_step;

static enum ei_err due_is_taylor(struct ei_store *store, int64_t t, char (*ids)[EI_GUID_TEXT], size_t limit,
                                 size_t *ret_count, struct ei_error *err)
{
    (void)store, (void)t, (void)limit, (void)err;
    memcpy(ids[0], f.id, EI_GUID_TEXT);
    *ret_count = 1;
    return EI_OK;
}

static enum ei_err get_at_odd_step(struct ei_store *store, const char *id, struct ei_collaborator **ret,
                                   struct ei_error *err)
{
    enum ei_err rc = f.ops->get(store, id, ret, err);
    (*ret)->job.step = odd_step;
    return rc;
}

static void what_has_nothing_to_do_does_nothing(void **state)
{
    static const enum ei_step steps[] = {EI_STEP_IDLE, EI_STEP_FAILED, (enum ei_step)99};
    (void)state;
    put(taylor(EI_STEP_IDLE));
    breaks();
    f.broken.due = due_is_taylor;
    f.broken.get = get_at_odd_step;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        odd_step = steps[i];
        sends(NULL);
    }
    mended();
    gone();
    struct ei_collaborator *c = taylor(EI_STEP_OFFBOARDING);
    c->job.offboard = EI_REMOVAL_DISABLE;
    c->accounts[0].state = EI_ACCOUNT_REMOVED;
    assert_true(ei_text_set(&c->guest_id, GUEST));
    c->made = true;
    put(c);
    sends("offboard");
    stands_at(EI_STEP_OFFBOARDING);
}

/* --- a turn of the machine --- */

static void a_store_that_fails_pauses_the_jobs(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    breaks();
    f.broken.due = no_due;
    sends(NULL);
    assert_int_equal(f.w->store_error.code, EI_STORE_FULL);
    assert_int_equal(ei_machine_wait_ms(f.w), EI_STORE_PAUSE_MS);
    sends(NULL); /* paused */
    mended();
    breaks();
    f.broken.get = no_get;
    sends(NULL);
    assert_true(f.w->paused_until_ms > clock_ms);
    mended();
    breaks();
    f.broken.get = found_none;
    sends(NULL);
    assert_int_equal(f.w->store_error.code, EI_STORE_DAMAGED);
    mended();
    breaks();
    f.broken.batch_begin = no_batch;
    sends(NULL);
    mended();
    breaks();
    f.broken.batch_end = no_batch;
    sends(NULL);
    assert_int_equal(f.w->flight_count, 0);
    assert_int_equal(f.ops->batch_end(f.w->store, NULL), EI_OK);
    mended();
    breaks();
    f.broken.put = no_put;
    sends(NULL);
    mended();
    breaks();
    f.broken.next_due = no_next_due;
    assert_int_equal(ei_machine_wait_ms(f.w), 60 * 60 * 1000);
}

static void no_more_are_under_way_than_there_is_room_for(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    f.w->flight_count = EI_FLIGHTS_MAX;
    sends(NULL);
    assert_int_equal(ei_machine_wait_ms(f.w), 60 * 60 * 1000);
    f.w->flight_count = EI_FLIGHTS_MAX - 1; /* the limit of what is asked for is the room of the list */
    sends("find");
    f.w->flight_count = 1;
}

static void one_after_the_other_where_there_is_room_for_one(void **state)
{
    struct ei_error err = {0};
    struct ei_collaborator *robin = ei_collaborator_new();
    (void)state;
    assert_true(ei_collaborator_add_address(robin, "robin@fabrikam.com"));
    robin->job.step = EI_STEP_CREATING;
    robin->job.rule = strdup("partners");
    assert_int_equal(f.ops->put(f.w->store, robin, NULL, NULL, &err), EI_OK);
    ei_collaborator_free(robin);
    struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
    c->job.not_before = START;
    put(c);
    f.w->flight_count = EI_FLIGHTS_MAX - 1;
    sends("invite"); /* who has waited longer */
    stands_at(EI_STEP_QUEUED);
    f.w->flight_count = 1;
}

static void nothing_is_sent_before_the_tenant_is_known_or_while_graph_holds(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    f.w->tenant_fact = EI_FACT_ASKED;
    sends(NULL);
    assert_true(ei_machine_wait_ms(f.w) == INT64_MAX);
    f.w->tenant_fact = EI_FACT_KNOWN;
    f.w->domains_fact = EI_FACT_ASKED;
    assert_true(ei_machine_wait_ms(f.w) == INT64_MAX);
    f.w->domains_fact = EI_FACT_KNOWN;
    assert_int_equal(ei_machine_wait_ms(f.w), 0);
    ei_graph_set_hold(f.w->graph, START + 30);
    sends(NULL);
    assert_int_equal(ei_machine_wait_ms(f.w), 30000);
    stored()->job.not_before = START + 60;
    put_found();
    assert_int_equal(ei_machine_wait_ms(f.w), 60000);
    wait_seconds(60);
    sends("find");
    assert_int_equal(ei_machine_wait_ms(f.w), 1000); /* no spinning over what is under way */
}

static void blocked_one_job_probes(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    ei_fail(&f.w->blocked, EI_SECRET_EXPIRED, "the secret has ended");
    f.w->probe_at_ms = clock_ms + 5000;
    sends(NULL);
    assert_int_equal(ei_machine_wait_ms(f.w), 5000);
    wait_seconds(5);
    f.w->flight_count = 1;
    sends(NULL);
    f.w->flight_count = 0;
    assert_int_equal(ei_machine_wait_ms(f.w), 0);
    sends("find");
    assert_int_equal(f.w->probe_at_ms, clock_ms + EI_PROBE_MS);
}

static void while_inviting_is_refused_looks_go_on(void **state)
{
    (void)state;
    ei_fail(&f.w->blocked, EI_QUOTA, "no guest more");
    f.w->blocked_inviting = true;
    put(taylor(EI_STEP_QUEUED));
    sends("find"); /* finds out */
    ei_machine_land(f.flight);
    stored()->job.crid[0] = '\0';
    put_found();
    assert_int_equal(ei_machine_wait_ms(f.w), 0);
    sends(NULL);
    stands_at(EI_STEP_CHECKING);
    assert_int_equal(f.found->error.code, EI_QUOTA);
    assert_int_equal(f.found->job.not_before, START + EI_PROBE_MS / 1000 + 1);
    f.found->job.not_before = START;
    put_found();
    sends(NULL); /* no news */
    gone();
    put(taylor(EI_STEP_ACCEPTED));
    sends("get");
    wait_seconds(2 * EI_PROBE_MS / 1000);
}

static void a_far_day_is_waited_for_by_the_hour(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
    (void)state;
    assert_int_equal(ei_machine_wait_ms(f.w), 60 * 60 * 1000);
    c->job.not_before = START + 24 * 60 * 60;
    put(c);
    assert_int_equal(ei_machine_wait_ms(f.w), 60 * 60 * 1000);
    ei_pace_take(&f.w->looks, 10, clock_ms);
    assert_int_equal(ei_machine_wait_ms(f.w), 60 * 60 * 1000);
    sends(NULL);
    wait_seconds(48 * 60 * 60);
    assert_int_equal(ei_machine_wait_ms(f.w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_has_nothing_to_do_does_nothing),
        T(a_store_that_fails_pauses_the_jobs),
        T(no_more_are_under_way_than_there_is_room_for),
        T(one_after_the_other_where_there_is_room_for_one),
        T(nothing_is_sent_before_the_tenant_is_known_or_while_graph_holds),
        T(blocked_one_job_probes),
        T(while_inviting_is_refused_looks_go_on),
        T(a_far_day_is_waited_for_by_the_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Clocks that jump (X8, X15), with a clock that only the test turns: forward and back by days and years, while the
 * worker runs and while it does not. No work is stranded or comes at once, nobody is reminded or given up by a jump,
 * and no view counts as fresh for longer.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "plugin/worker/carrier.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/patience.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/reset.h"
#include "tests/unit/clock_fixture.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/store_fixture.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, YEAR = 365 * DAY, REMIND = 7 * DAY, GIVE_UP = 30 * DAY };

#define GROUP "00000000-0000-4000-8000-00000000c10c"
#define IMPATIENT                                                                                                      \
    TENANT CLIENT CREDENTIAL "refresh_interval = 300;\ninvitation: { send_message = true; };\n"                        \
                             "rules = ( { name = \"partners\"; group = \"partners\"; remind_after = 7;"                \
                             " give_up_after = 30; entra_groups = ( \"" GROUP "\" ); } );\n"

static const int64_t start = 1795440000;

static struct {
    struct store_fixture *store;
    struct config_fixture *config;
    struct ei_worker w;
} f;

static int begin(void **state)
{
    memset(&f, 0, sizeof f);
    clock_stand(start, 5000000);
    assert_int_equal(store_setup((void **)&f.store), 0);
    assert_int_equal(config_setup((void **)&f.config), 0);
    f.w.config = accepted(f.config, IMPATIENT);
    f.w.store = f.store->store;
    (void)state;
    return 0;
}

static int end(void **state)
{
    (void)state;
    ei_machine_send_ready(&f.w, false);
    store_teardown((void **)&f.store);
    config_teardown((void **)&f.config);
    ei_clock_set(NULL);
    return 0;
}

static struct ei_collaborator *waiting_until(enum ei_step step, int64_t not_before)
{
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    c->job.step = step;
    c->job.not_before = not_before;
    put(f.store, c);
    return c;
}

static int64_t not_before(const struct ei_collaborator *c)
{
    struct ei_collaborator *now = get(f.store, c->id);
    int64_t at = now->job.not_before;

    ei_collaborator_free(now);
    return at;
}

static void forget(struct ei_collaborator *c)
{
    struct ei_collaborator *stored = get(f.store, c->id);

    assert_int_equal(ei_store_delete(f.store->store, stored, &f.store->err), EI_OK);
    ei_collaborator_free(stored);
    ei_collaborator_free(c);
}

static void answer(int64_t skew)
{
    ei_clock_note(&f.w, &(struct ei_graph_result){.has_skew = true, .skew = skew});
}

/* --- the worker's jobs --- */

/* The clock was ahead when the worker was stopped, and is right at the next start. */
static void X8_a_wait_until_next_year_is_cut_at_the_start(void **state)
{
    static const enum ei_step steps[] = {EI_STEP_CHECKING, EI_STEP_CREATING, EI_STEP_PENDING, EI_STEP_ACCEPTED,
                                         EI_STEP_OFFBOARDING};
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct ei_collaborator *c = waiting_until(steps[i], clock_now + YEAR);
        ei_clock_begin(&f.w);
        int64_t wait = not_before(c) - clock_now;
        if (wait < 0 || wait > DAY)
            fail_msg("%s waits %" PRId64 " s", ei_step_name(steps[i]), wait);
        forget(c);
    }
}

static void X8_a_start_changes_no_usual_wait(void **state)
{
    static const int64_t usual[] = {-YEAR, 0, 1, 15 * MINUTE, HOUR, 6 * HOUR};
    (void)state;

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        struct ei_collaborator *c = waiting_until(EI_STEP_ACCEPTED, clock_now + usual[i]);
        ei_clock_begin(&f.w);
        assert_int_equal(not_before(c), clock_now + usual[i]);
        forget(c);
    }
}

static void X8_set_back_while_it_runs(void **state)
{
    static const int64_t steps[] = {HOUR, DAY, YEAR, 20 * (int64_t)YEAR};
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        clock_now = start;
        struct ei_collaborator *c = waiting_until(EI_STEP_CHECKING, clock_now + 10 * MINUTE);
        ei_clock_begin(&f.w);
        wait_seconds(60);
        clock_now -= steps[i];
        ei_clock_check(&f.w);
        assert_true(not_before(c) - clock_now <= 15 * MINUTE);
        assert_true(not_before(c) > clock_now); /* no storm either */
        forget(c);
    }
}

/* Forward, or by what daylight saving, a leap second or NTP make of it (the first two do not touch this clock). */
static void X8_other_changes_put_nothing_forward(void **state)
{
    static const int64_t steps[] = {1, -1, 20, -20, HOUR, DAY, YEAR};
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        clock_now = start;
        struct ei_collaborator *c = waiting_until(EI_STEP_PENDING, clock_now + 10 * HOUR);
        f.w.wall_offset_ms = clock_now * 1000 - clock_ms;
        clock_now += steps[i];
        ei_clock_check(&f.w);
        assert_int_equal(not_before(c), start + 10 * HOUR);
        forget(c);
    }
}

static void X8_back_off_is_bounded_whenever_it_is(void **state)
{
    static const int64_t times[] = {0, 1, start, INT64_C(2147483647), INT64_C(4294967296), INT64_C(253402300799)};
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    (void)state;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        clock_now = times[i];
        for (c->job.attempts = 0; c->job.attempts < 40; c->job.attempts++) {
            ei_machine_back_off(c, -1);
            assert_in_range(c->job.not_before - clock_now, 1, 15 * MINUTE);
        }
    }
    ei_collaborator_free(c);
}

/* The membership was to be tried again in a quarter of an hour, of a clock that was a year ahead. */
static void X8_memberships_do_not_wait_for_next_year(void **state)
{
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    (void)state;

    snprintf(f.w.host, sizeof f.w.host, "host-1");
    c->job.step = EI_STEP_PENDING;
    assert_true(ei_text_set(&c->guest_id, GROUP));
    ei_groups_plan(&f.w, c);
    assert_int_equal(c->membership_count, 1);
    c->memberships[0].attempts = 3;
    c->memberships[0].not_before = clock_now + YEAR;
    c->job.not_before = clock_now + 6 * HOUR;
    ei_groups_plan(&f.w, c);
    assert_true(c->job.not_before <= clock_now + 15 * MINUTE);
    c->memberships[0].not_before = clock_now + 10 * MINUTE; /* a usual one stays */
    c->job.not_before = clock_now + 6 * HOUR;
    ei_groups_plan(&f.w, c);
    assert_int_equal(c->job.not_before, clock_now + 10 * MINUTE);
    ei_collaborator_free(c);
}

static void X8_greylisted_mail_does_not_wait_for_next_year(void **state)
{
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    (void)state;

    c->job.step = EI_STEP_PENDING;
    c->mail = EI_MAIL_WANTED;
    c->mail_channel = EI_CHANNEL_SMTP;
    ei_fail(&c->error, EI_DELIVERY_LATER, "greylisted");
    c->job.started_at = clock_now;
    assert_in_range(ei_carrier_next(&f.w, c) - clock_now, 1, HOUR);
    c->job.started_at = clock_now + YEAR;
    assert_true(ei_carrier_next(&f.w, c) == INT64_MAX); /* nothing to wait for */
    ei_collaborator_free(c);
}

/* What was read before a reset shows is not believed for a moment; that moment must end. */
static void X8_an_acceptance_is_seen_after_a_step_back(void **state)
{
    char accepted_text[] = "Accepted";
    struct ei_graph_user user = {.external_user_state = accepted_text, .external_user_state_changed = start - DAY};
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    (void)state;

    c->job.step = EI_STEP_PENDING;
    assert_true(ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up"));
    c->state_changed_at = start - DAY;
    c->url_at = clock_now;
    assert_true(ei_reset_not_seen(c, &user));
    clock_now -= YEAR;
    assert_false(ei_reset_not_seen(c, &user));
    ei_collaborator_free(c);
}

/* --- reminders and giving up --- */

static struct ei_collaborator *invited(void)
{
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    c->job.step = EI_STEP_PENDING;
    c->invited_at = ei_clock_theirs(&f.w);
    c->mail = EI_MAIL_SENT;
    assert_true(ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up"));
    put(f.store, c);
    return c;
}

static void expect_nothing(struct ei_collaborator *c)
{
    assert_false(ei_patience_run(&f.w, c));
    assert_int_equal(c->mail, EI_MAIL_SENT);
    assert_int_equal(c->expired_at, 0);
    assert_int_equal(c->reminded_at, 0);
}

static void X15_in_time_it_reminds_once_and_gives_up(void **state)
{
    struct ei_collaborator *c = invited();
    (void)state;

    wait_seconds(REMIND - 1);
    expect_nothing(c);
    wait_seconds(1);
    assert_true(ei_patience_run(&f.w, c));
    assert_int_equal(c->mail, EI_MAIL_WANTED);
    uint32_t round = c->mail_round;
    c->mail = EI_MAIL_SENT;
    c->job.step = EI_STEP_PENDING;
    assert_false(ei_patience_run(&f.w, c));
    wait_seconds(GIVE_UP - REMIND);
    assert_true(ei_patience_run(&f.w, c));
    assert_int_equal(c->expired_at, clock_now);
    assert_int_equal(c->mail_round, round);
    ei_collaborator_free(c);
}

/* An hour after the invitation the clock is years ahead: Microsoft's answer, by which this is judged, says so. */
static void X15_a_jump_forward_reminds_and_expires_nobody(void **state)
{
    static const int64_t jumps[] = {REMIND, GIVE_UP, YEAR, 100 * (int64_t)YEAR};
    struct ei_collaborator *c = invited();
    (void)state;

    wait_seconds(HOUR);
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        int64_t right = clock_now;
        clock_now += jumps[i];
        answer(jumps[i]);
        expect_nothing(c);
        clock_now = right;
        answer(1);
        expect_nothing(c);
    }
    wait_seconds(REMIND);
    assert_true(ei_patience_run(&f.w, c)); /* as if nothing had been */
    ei_collaborator_free(c);
}

/* Invited while the clock was wrong, either way; then it is set right. */
static void X15_who_was_invited_by_a_wrong_clock_has_the_whole_time(void **state)
{
    static const int64_t wrong[] = {-YEAR, -GIVE_UP, -REMIND, REMIND, YEAR};
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        clock_now = start + wrong[i];
        answer(wrong[i]);
        struct ei_collaborator *c = invited();
        clock_now = start;
        answer(0);
        expect_nothing(c);
        wait_seconds(REMIND - 1);
        expect_nothing(c);
        wait_seconds(1);
        assert_true(ei_patience_run(&f.w, c));
        forget(c);
    }
}

static void X15_no_date_changes_nothing(void **state)
{
    (void)state;
    answer(YEAR);
    ei_clock_note(&f.w, &(struct ei_graph_result){.has_skew = false});
    assert_int_equal(ei_clock_theirs(&f.w), clock_now - YEAR);
    answer(59);
    assert_int_equal(ei_clock_theirs(&f.w), clock_now);
}

/* --- the view --- */

/* Published while the clock was a year ahead; set back, it is published anew, and not_after with it. */
static void X15_a_view_of_next_year_is_published_anew(void **state)
{
    (void)state;
    assert_true(f.w.config->max_age > 0);
    f.w.counts[EI_STATE_ACCEPTED] = 1;
    f.w.last_refresh = f.w.view_refresh = clock_now;
    f.w.scanned = true;
    ei_clock_begin(&f.w);
    f.w.dirty = false;
    assert_false(ei_publish_pending(&f.w));
    clock_now -= YEAR;
    ei_clock_check(&f.w);
    assert_int_equal(f.w.last_refresh, clock_now);
    f.w.dirty = false; /* by the times alone */
    assert_true(ei_publish_pending(&f.w));
}

/* Stored by an earlier run whose clock was ahead. */
static void X15_a_refresh_of_next_year_is_none(void **state)
{
    (void)state;
    f.w.last_refresh = clock_now + YEAR;
    ei_clock_begin(&f.w);
    assert_int_equal(f.w.last_refresh, clock_now);
    assert_true(f.w.dirty);
    f.w.last_refresh = clock_now - DAY; /* and one of yesterday is no younger for it */
    ei_clock_begin(&f.w);
    assert_int_equal(f.w.last_refresh, clock_now - DAY);
}

/* --- history --- */

static enum ei_err note_event(void *context, const struct ei_event *event)
{
    char *order = context;

    strncat(order, event->event, 1);
    return EI_OK;
}

static void X15_history_is_in_the_order_of_what_happened(void **state)
{
    static const int64_t steps[] = {HOUR, -YEAR, DAY, -1, 30 * (int64_t)YEAR};
    char name[2] = "a";
    char order[16] = "";
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++, name[0]++) {
        clock_now += steps[i];
        assert_int_equal(ei_store_put(f.store->store, c, name, NULL, &f.store->err), EI_OK);
    }
    assert_int_equal(ei_store_history(f.store->store, c->id, 0, note_event, order, &f.store->err), EI_OK);
    assert_string_equal(order, "abcde");
    ei_collaborator_free(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(X8_a_wait_until_next_year_is_cut_at_the_start),
        T(X8_a_start_changes_no_usual_wait),
        T(X8_set_back_while_it_runs),
        T(X8_other_changes_put_nothing_forward),
        T(X8_back_off_is_bounded_whenever_it_is),
        T(X8_memberships_do_not_wait_for_next_year),
        T(X8_greylisted_mail_does_not_wait_for_next_year),
        T(X8_an_acceptance_is_seen_after_a_step_back),
        T(X15_in_time_it_reminds_once_and_gives_up),
        T(X15_a_jump_forward_reminds_and_expires_nobody),
        T(X15_who_was_invited_by_a_wrong_clock_has_the_whole_time),
        T(X15_no_date_changes_nothing),
        T(X15_a_view_of_next_year_is_published_anew),
        T(X15_a_refresh_of_next_year_is_none),
        T(X15_history_is_in_the_order_of_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

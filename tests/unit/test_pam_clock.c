/*
 * The gate and the clock (X15): the module keeps no state, so what it makes of a clock that is set is in the times of
 * the view alone. Its clock is this program's here. A view is used until its not_after, whatever else the clock does;
 * from then on nobody who is covered gets in, and whoever is not covered is none of its business.
 */
#include <time.h>

#include "tests/unit/pam_fixture.h"

#include "common/view/view_write.h"

enum { DAY = 24 * 60 * 60, WEEK = 7 * DAY };

static const int64_t published = 1795440000;
static int64_t clock_shows;

/* Before the C library's, for the module too. */
time_t time(time_t *ret)
{
    if (ret != NULL)
        *ret = (time_t)clock_shows;
    return (time_t)clock_shows;
}

/* Everybody is accepted, by a view of that time. */
static void publish_at(int64_t created_at, int64_t not_after)
{
    struct ei_view_header header = {.generation = 1,
                                    .created_at = created_at,
                                    .not_after = not_after,
                                    .minimum_uid = 1000,
                                    .first_trusted = true,
                                    .groups = GROUP "\0"};
    struct ei_view_writer *writer = NULL;

    healthy(EI_STATE_ACCEPTED);
    assert_int_equal(ei_view_writer_new(view_path, &header, &writer, NULL), EI_OK);
    for (size_t i = 0; i < account_count; i++) {
        struct ei_view_record record = {.state = EI_STATE_ACCEPTED, .uid = (uint32_t)accounts[i].uid};
        if (strcmp(accounts[i].login, "taylor") == 0)
            assert_int_equal(ei_view_writer_add(writer, accounts[i].login, &record, NULL), EI_OK);
    }
    assert_int_equal(ei_view_writer_publish(writer, NULL), EI_OK);
}

static void expect_at(int64_t now, int wanted)
{
    clock_shows = now;
    int code = code_of("taylor");
    if (code != wanted)
        fail_msg("at %lld: %d, not %d", (long long)now, code, wanted);
    assert_int_equal(code_of("robin"), PAM_IGNORE);
}

static void X15_used_until_not_after(void **state)
{
    (void)state;
    publish_at(published, published + WEEK);
    expect_at(published, PAM_SUCCESS);
    expect_at(published + WEEK - 1, PAM_SUCCESS);
    expect_at(published + WEEK, PAM_AUTHINFO_UNAVAIL);
    expect_at(published + WEEK + 1, PAM_AUTHINFO_UNAVAIL);
}

/* Forward shuts, at once and for as long as it lasts; back again opens: there is no memory of it. */
static void X15_a_jump_forward_shuts_and_back_opens(void **state)
{
    static const int64_t jumps[] = {WEEK, 365 * DAY, INT64_C(2147483648) - 1795440000, INT64_C(4294967296),
                                    INT64_C(253402300800)};
    (void)state;

    publish_at(published, published + WEEK);
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        expect_at(published + jumps[i], PAM_AUTHINFO_UNAVAIL);
        expect_at(published + 1, PAM_SUCCESS);
    }
}

/* A view from the future: the clock was set back since. The worker publishes it anew at once (test_clock.c); shutting
 * everybody out until then would turn each correction of a clock into an outage. */
static void X15_a_jump_back_shuts_nobody_out(void **state)
{
    static const int64_t jumps[] = {1, DAY, 365 * DAY, 1795440000};
    (void)state;

    publish_at(published, published + WEEK);
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++)
        expect_at(published - jumps[i], PAM_SUCCESS);
    expect_at(-1, PAM_SUCCESS); /* before 1970, as a dead battery may have it */
}

static void X15_times_beyond_2038(void **state)
{
    static const int64_t ends[] = {INT64_C(2147483647), INT64_C(2147483648), INT64_C(4294967295), INT64_C(4294967296),
                                   INT64_C(253402300799)};
    (void)state;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        publish_at(ends[i] - WEEK, ends[i]);
        expect_at(ends[i] - 1, PAM_SUCCESS);
        expect_at(ends[i], PAM_AUTHINFO_UNAVAIL);
    }
}

static void X15_never_stale_without_max_age(void **state)
{
    (void)state;
    publish_at(published, 0);
    expect_at(0, PAM_SUCCESS);
    expect_at(INT64_C(253402300799), PAM_SUCCESS);
}

/* What no worker writes, and damage might: a time before 1970 has passed. */
static void X15_a_negative_not_after_has_passed(void **state)
{
    (void)state;
    publish_at(published, -1);
    expect_at(0, PAM_AUTHINFO_UNAVAIL);
    expect_at(published, PAM_AUTHINFO_UNAVAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MODULE(X15_used_until_not_after),         WITH_MODULE(X15_a_jump_forward_shuts_and_back_opens),
        WITH_MODULE(X15_a_jump_back_shuts_nobody_out), WITH_MODULE(X15_times_beyond_2038),
        WITH_MODULE(X15_never_stale_without_max_age),  WITH_MODULE(X15_a_negative_not_after_has_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

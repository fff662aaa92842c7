/* How redemptions are noticed, by cost (contract 6); and the set that holds what a list showed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/worker/choice.h"
#include "plugin/worker/guest_set.h"

static char reason[EI_REASON_MAX];

static enum ei_refresh_method choose(const struct ei_choice_facts *facts, enum ei_refresh_method current)
{
    reason[0] = '\0';
    enum ei_refresh_method method = ei_choice_make(facts, current, reason);
    assert_true(reason[0] != '\0' && strlen(reason) < EI_REASON_MAX - 1);
    return method;
}

static void few_are_read_many_are_told(void **state)
{
    struct ei_choice_facts f = {.interval = 300, .pending = 100, .others = 400};

    (void)state;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_BATCH);
    f.others = 401;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_DELTA);
    /* and back only when they are clearly fewer */
    f.others = 301;
    assert_int_equal(choose(&f, EI_BY_DELTA), EI_BY_DELTA);
    f.others = 300;
    assert_int_equal(choose(&f, EI_BY_DELTA), EI_BY_BATCH);
}

static void a_tenant_that_does_not_tell_lists(void **state)
{
    struct ei_choice_facts f = {.interval = 300, .pending = 2000, .others = 3000, .delta_refused = true};

    (void)state;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_LIST);
    assert_non_null(strstr(reason, "5000 units"));
    f.list_refused = true;
    assert_int_equal(choose(&f, EI_BY_LIST), EI_BY_BATCH);
    f.delta_refused = false;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_DELTA);
}

/* Six hundred guests of ours among a million of the tenant's, which does not filter: single reads are cheaper. */
static void a_list_that_is_too_dear_is_not_made(void **state)
{
    struct ei_choice_facts f = {.interval = 300,
                                .pending = 300,
                                .others = 300,
                                .delta_refused = true,
                                .list_all_only = true,
                                .pages_all = 1001,
                                .pages_pending = 1001};

    (void)state;
    assert_true(ei_choice_cost(&f, EI_BY_LIST) > 1001);
    assert_int_equal(ei_choice_cost(&f, EI_BY_BATCH), 600);
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_BATCH);
    assert_int_equal(choose(&f, EI_BY_LIST), EI_BY_BATCH);
    assert_non_null(strstr(reason, "would cost"));
}

/* Around the point where both cost the same the choice stays what it is. */
static void the_choice_does_not_flap(void **state)
{
    struct ei_choice_facts f = {
        .interval = 300, .pending = 300, .others = 300, .delta_refused = true, .list_all_only = true};
    int changes = 0;
    enum ei_refresh_method method = EI_BY_BATCH;

    (void)state;
    for (int i = 0; i < 100; i++) {
        f.pages_all = 540 + (uint64_t)(i % 2) * 30; /* with the slow looks: just below, just above 600 */
        enum ei_refresh_method next = choose(&f, method);
        changes += next != method;
        method = next;
    }
    assert_true(changes <= 1);
    f.pages_all = 200;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_LIST);
    f.pages_all = 400;
    assert_int_equal(choose(&f, EI_BY_BATCH), EI_BY_BATCH);
    assert_int_equal(choose(&f, EI_BY_LIST), EI_BY_LIST);
}

/* The units of a round: a page each, and the share of it that falls to the slow reads. */
static void costs_are_units_of_a_round(void **state)
{
    struct ei_choice_facts f = {.interval = 300, .pending = 3600, .others = 21600};

    (void)state;
    assert_int_equal(ei_choice_apart(&f, EI_BY_BATCH, true), 300);
    assert_int_equal(ei_choice_apart(&f, EI_BY_BATCH, false), 25200 / EI_LOOKS_PER_SECOND);
    assert_int_equal(ei_choice_cost(&f, EI_BY_BATCH), 3600 + 21600 * 300 / 1260 + 1);
    assert_int_equal(ei_choice_apart(&f, EI_BY_DELTA, false), EI_SLOW_LOOK_S);
    assert_int_equal(ei_choice_cost(&f, EI_BY_DELTA), 1 + 3600 + 300);
    assert_int_equal(ei_choice_apart(&f, EI_BY_LIST, true), EI_LISTED_LOOK_S);
    f.pages_all = 60;
    f.pages_pending = 4;
    assert_false(ei_choice_lists_all(&f));
    assert_int_equal(ei_choice_cost(&f, EI_BY_LIST), 4 + 60 / 12 + 300 + 300);
    f.pages_all = EI_LIST_ALL_PAGES;
    assert_true(ei_choice_lists_all(&f));
    assert_int_equal(ei_choice_cost(&f, EI_BY_LIST), EI_LIST_ALL_PAGES + 300 + 300);
    f = (struct ei_choice_facts){.interval = 300};
    for (int method = EI_BY_BATCH; method <= EI_BY_LIST; method++)
        assert_true(ei_choice_cost(&f, (enum ei_refresh_method)method) <= 1);
}

static void a_set_finds_what_it_was_given(void **state)
{
    struct ei_guest_set set = {0};
    char id[40];

    (void)state;
    assert_null(ei_guest_set_find(&set, "5a5a5a5a-1111-2222-3333-444444444444"));
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "5a5a5a5a-1111-2222-%04x-4444444444aa", i * 7919 % 5003);
        assert_true(ei_guest_set_add(&set, id, i % 2 == 0));
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "5A5A5A5A-1111-2222-%04X-4444444444AA", (unsigned)(i * 7919 % 5003));
        const struct ei_guest_mark *mark = ei_guest_set_find(&set, id);
        assert_non_null(mark);
        assert_int_equal(mark->pending, i % 2 == 0);
    }
    assert_null(ei_guest_set_find(&set, "5a5a5a5a-1111-2222-0000-444444444400"));
    /* twice, and not the same: then it is worth a look */
    assert_true(ei_guest_set_add(&set, "5a5a5a5a-1111-2222-0000-444444444400", true));
    assert_true(ei_guest_set_add(&set, "5a5a5a5a-1111-2222-0000-444444444400", false));
    assert_false(ei_guest_set_find(&set, "5a5a5a5a-1111-2222-0000-444444444400")->pending);
    assert_false(ei_guest_set_add(&set, "nobody", true));
    assert_null(ei_guest_set_find(&set, "nobody"));
    ei_guest_set_clear(&set);
    assert_int_equal(set.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_are_read_many_are_told),          cmocka_unit_test(a_tenant_that_does_not_tell_lists),
        cmocka_unit_test(a_list_that_is_too_dear_is_not_made), cmocka_unit_test(the_choice_does_not_flap),
        cmocka_unit_test(costs_are_units_of_a_round),          cmocka_unit_test(a_set_finds_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

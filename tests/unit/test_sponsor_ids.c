/* Sponsors by object id (contract 5): each name asked for once, whoever waits for it, and only so many kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/worker/sponsor_ids.h"
#include "tests/unit/graph_fixture.h"

enum { MANY = 70 }; /* more than are kept */

#define ASKED  "{\"path\":\"^/v1.0/users/[^/]+$\",\"method\":\"GET\"}"
#define NOBODY "users/nobody@contoso.example"
#define GROUP  "groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"

static struct ei_worker *w;
static const struct ei_config config;

static int begin(void **state)
{
    int rc = set_up(state);

    w = calloc(1, sizeof *w);
    w->config = &config;
    w->graph = sim.graph;
    return rc;
}

static int end(void **state)
{
    int rc = tear_down(state);

    ei_sponsor_ids_free(w);
    free(w);
    return rc;
}

/* Adds a member of the tenant: by name, and by id. */
static void member(const char *name, char sponsor[EI_SPONSOR_SIZE], char object[EI_SPONSOR_SIZE])
{
    char text[256];

    snprintf(text, sizeof text, "{\"kind\":\"member\",\"address\":\"%s@contoso.example\"}", name);
    cJSON *user = CTL_JSON("user", text);
    snprintf(sponsor, EI_SPONSOR_SIZE, "users/%s", ei_json_string(user, "userPrincipalName"));
    snprintf(object, EI_SPONSOR_SIZE, "users/%s", ei_json_string(user, "id"));
    cJSON_Delete(user);
}

static void count_call(void *context)
{
    (*(int *)context)++;
}

static bool ask(const char *sponsor, int *calls)
{
    return ei_sponsor_ids_ask(w, &sponsor, 1, count_call, calls);
}

static void each_name_is_asked_for_once(void **state)
{
    NEEDS_SIMULATOR();
    char amy[EI_SPONSOR_SIZE], amy_id[EI_SPONSOR_SIZE], ben[EI_SPONSOR_SIZE], ben_id[EI_SPONSOR_SIZE];
    int calls[3] = {0};
    member("amy", amy, amy_id);
    member("ben", ben, ben_id);
    const char *both[] = {amy, GROUP, amy_id, ben, amy};

    assert_true(ask(amy, &calls[0]));
    assert_true(ei_sponsor_ids_ask(w, both, 5, count_call, &calls[1]));
    assert_true(ask(ben, &calls[2]));
    assert_string_equal(ei_sponsor_ids_find(w, amy), amy); /* not known yet */
    run(sim.graph);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(calls[i], 1);
    assert_int_equal(count_requests(ASKED), 2);
    assert_string_equal(ei_sponsor_ids_find(w, amy), amy_id);
    assert_string_equal(ei_sponsor_ids_find(w, ben), ben_id);
    assert_string_equal(ei_sponsor_ids_find(w, GROUP), GROUP);
    assert_false(ei_sponsor_ids_ask(w, both, 5, count_call, &calls[1]));

    struct ei_settings settings = {.sponsors = {amy, GROUP, amy_id, NOBODY, ben}, .invite.sponsor_count = 5};
    ei_sponsor_ids_apply(w, &settings);
    assert_int_equal(settings.invite.sponsor_count, 4); /* amy once */
    assert_string_equal(settings.sponsors[0], amy_id);
    assert_string_equal(settings.sponsors[1], GROUP);
    assert_string_equal(settings.sponsors[2], NOBODY); /* never asked for: as it is */
    assert_string_equal(settings.sponsors[3], ben_id);
}

static void who_is_not_there_is_told(void **state)
{
    NEEDS_SIMULATOR();
    struct ei_settings settings = {.sponsors = {NOBODY, GROUP}, .invite.sponsor_count = 2};
    char note[EI_MESSAGE_MAX] = "a word";
    int calls = 0;

    assert_true(ask(NOBODY, &calls));
    run(sim.graph);
    assert_int_equal(calls, 1);
    assert_null(ei_sponsor_ids_find(w, NOBODY));
    ei_sponsor_ids_tell(w, &settings, note);
    assert_string_equal(note, "a word; the tenant has no user nobody@contoso.example");
    ei_sponsor_ids_apply(w, &settings);
    assert_int_equal(settings.invite.sponsor_count, 1);
    assert_string_equal(settings.sponsors[0], GROUP);
    assert_false(ask(NOBODY, &calls)); /* not again at once */
}

static void what_is_not_answered_is_asked_for_again(void **state)
{
    NEEDS_SIMULATOR();
    int calls = 0;

    CTL("fault", "{\"match\":{\"path\":\"nobody\"},\"action\":{\"status\":503}}");
    assert_true(ask(NOBODY, &calls));
    run(sim.graph);
    assert_string_equal(ei_sponsor_ids_find(w, NOBODY), NOBODY);
    assert_true(ask(NOBODY, &calls));
    run(sim.graph);
    assert_null(ei_sponsor_ids_find(w, NOBODY));
    assert_int_equal(calls, 2);
}

static void only_so_many_are_kept(void **state)
{
    NEEDS_SIMULATOR();
    char first[EI_SPONSOR_SIZE], id[EI_SPONSOR_SIZE], name[32], sponsor[64];
    int calls = 0;

    member("first", first, id);
    assert_true(ask(first, &calls));
    run(sim.graph);
    for (int i = 0; i < MANY; i++) {
        snprintf(sponsor, sizeof sponsor, "users/n%d@contoso.example", i);
        ask(sponsor, &calls); /* where there is no room nobody waits */
    }
    run(sim.graph);
    assert_true(calls > 1 && calls <= MANY);
    snprintf(name, sizeof name, "users/n%d@contoso.example", 0);
    assert_null(ei_sponsor_ids_find(w, name));
    assert_string_equal(ei_sponsor_ids_find(w, first), first); /* the oldest made room */
    assert_true(ask(first, &calls));
    run(sim.graph);
    assert_string_equal(ei_sponsor_ids_find(w, first), id);
}

static void whoever_waits_is_told_at_the_end(void **state)
{
    NEEDS_SIMULATOR();
    int calls = 0;

    assert_true(ask(NOBODY, &calls));
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    assert_int_equal(calls, 1);
    assert_string_equal(ei_sponsor_ids_find(w, NOBODY), NOBODY);
}

int main(void)
{
#define ID_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        ID_TEST(each_name_is_asked_for_once),
        ID_TEST(who_is_not_there_is_told),
        ID_TEST(what_is_not_answered_is_asked_for_again),
        ID_TEST(only_so_many_are_kept),
        ID_TEST(whoever_waits_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

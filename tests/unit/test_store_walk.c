/* What the store tells about many: work that is due, walks, history, facts about itself. */
#include "tests/unit/store_fixture.h"

#include "common/base/clock.h"

static struct ei_collaborator *job(struct store_fixture *f, unsigned number, enum ei_step step, bool urgent,
                                   int64_t not_before)
{
    char address[64];
    snprintf(address, sizeof address, "u%u@fabrikam.com", number);
    struct ei_collaborator *c = collaborator_with(address, NULL);
    c->job.step = step;
    c->job.urgent = urgent;
    c->job.not_before = not_before;
    put(f, c);
    return c;
}

enum { JOBS = 9 };

static void free_jobs(struct ei_collaborator **jobs)
{
    for (size_t i = 0; i < JOBS; i++)
        ei_collaborator_free(jobs[i]);
}

static void make_jobs(struct store_fixture *f, struct ei_collaborator **jobs)
{
    jobs[0] = job(f, 0, EI_STEP_ACCEPTED, false, 10);
    jobs[1] = job(f, 1, EI_STEP_PENDING, true, 40);
    jobs[2] = job(f, 2, EI_STEP_QUEUED, false, 60);
    jobs[3] = job(f, 3, EI_STEP_CREATING, true, 90);
    jobs[4] = job(f, 4, EI_STEP_FAILED, true, 0);
    jobs[5] = job(f, 5, EI_STEP_IDLE, false, 0);
    jobs[6] = job(f, 6, EI_STEP_OFFBOARDING, false, 30);
    jobs[7] = job(f, 7, EI_STEP_CHECKING, true, 200);
    jobs[8] = job(f, 8, EI_STEP_PENDING, false, 5);
}

static void assert_due(struct store_fixture *f, struct ei_collaborator **jobs, int64_t now, size_t limit,
                       const int *expected)
{
    char ids[JOBS][EI_GUID_TEXT];
    size_t count;

    assert_int_equal(ei_store_due(f->store, now, ids, limit, &count, &f->err), EI_OK);
    for (size_t i = 0; i < count; i++) {
        assert_true(expected[i] >= 0);
        assert_string_equal(ids[i], jobs[expected[i]]->id);
    }
    assert_int_equal(expected[count], -1);
}

/* What changes the tenant before the looks, urgent before the others, then by time. */
static void due_work_comes_in_order(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *jobs[JOBS];
    int64_t next;

    assert_int_equal(ei_store_next_due(f->store, &next, &f->err), EI_OK);
    assert_true(next == INT64_MAX);
    make_jobs(f, jobs);
    assert_due(f, jobs, 100, JOBS, (const int[]){3, 6, 2, 1, 8, 0, -1});
    assert_due(f, jobs, 100, 4, (const int[]){3, 6, 2, 1, -1});
    assert_due(f, jobs, 100, 0, (const int[]){-1});
    assert_due(f, jobs, 39, JOBS, (const int[]){6, 8, 0, -1});
    assert_due(f, jobs, 4, JOBS, (const int[]){-1});
    assert_int_equal(ei_store_next_due(f->store, &next, &f->err), EI_OK);
    assert_int_equal(next, 5);

    /* a job that has moved on is not found where it was */
    jobs[3]->job.step = EI_STEP_FAILED;
    put(f, jobs[3]);
    jobs[8]->job.not_before = 500;
    put(f, jobs[8]);
    assert_due(f, jobs, 100, JOBS, (const int[]){6, 2, 1, 0, -1});
    free_jobs(jobs);
}

static void refresh_hastens_the_looks(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *jobs[JOBS];

    make_jobs(f, jobs);
    jobs[0]->job.not_before = 1000;
    put(f, jobs[0]);
    assert_int_equal(ei_store_hasten(f->store, 50, false, &f->err), EI_OK);
    assert_due(f, jobs, 50, JOBS, (const int[]){6, 1, 8, 0, -1});
    struct ei_collaborator *look = get(f, jobs[1]->id);
    assert_int_equal(look->job.not_before, 40); /* only forward, never back */
    assert_int_equal(look->revision, jobs[1]->revision);
    ei_collaborator_free(look);
    assert_int_equal(ei_store_hasten(f->store, 50, true, &f->err), EI_OK);
    char ids[JOBS][EI_GUID_TEXT];
    size_t count;
    assert_int_equal(ei_store_due(f->store, 50, ids, JOBS, &count, &f->err), EI_OK);
    assert_int_equal(count, 7);
    free_jobs(jobs);
}

enum { SEEN_MAX = 64 };

struct walk {
    struct store_fixture *fixture;
    unsigned count;
    unsigned stop_at; /* 0: never */
    char seen[SEEN_MAX][EI_GUID_TEXT];
};

/* Not met before in this walk, and as it is when it is read by itself. */
static enum ei_err visit(void *context, const struct ei_collaborator *c)
{
    struct walk *walk = context;
    struct ei_collaborator *alone = get(walk->fixture, c->id);

    assert_true(walk->count < SEEN_MAX);
    for (unsigned i = 0; i < walk->count; i++)
        assert_string_not_equal(walk->seen[i], c->id);
    snprintf(walk->seen[walk->count], EI_GUID_TEXT, "%s", c->id);
    assert_int_equal(c->revision, alone->revision);
    assert_int_equal(c->address_count, alone->address_count);
    for (size_t i = 0; i < c->address_count; i++)
        assert_string_equal(c->addresses[i], alone->addresses[i]);
    assert_int_equal(c->account_count, alone->account_count);
    for (size_t i = 0; i < c->account_count; i++) {
        assert_string_equal(c->accounts[i].login, alone->accounts[i].login);
        assert_string_equal(c->accounts[i].rule, alone->accounts[i].rule);
        assert_int_equal(c->accounts[i].uid, alone->accounts[i].uid);
        assert_int_equal(c->accounts[i].state, alone->accounts[i].state);
    }
    ei_collaborator_free(alone);
    return ++walk->count == walk->stop_at ? EI_TIMEOUT : EI_OK;
}

/* Reading is allowed in a walk; what would change the store under its feet is refused. */
static enum ei_err visit_and_meddle(void *context, const struct ei_collaborator *c)
{
    struct walk *walk = context;
    struct store_fixture *f = walk->fixture;
    struct walk inner = {.fixture = f};

    struct ei_collaborator *copy = get(f, c->id);
    assert_int_equal(ei_store_put(f->store, copy, NULL, NULL, &f->err), EI_BUSY);
    assert_int_equal(ei_store_delete(f->store, copy, &f->err), EI_BUSY);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_BUSY);
    ei_collaborator_free(copy);
    assert_int_equal(ei_store_each(f->store, visit, &inner, &f->err), EI_OK);
    walk->count++;
    return EI_OK;
}

static void a_walk_sees_each_once(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *jobs[JOBS];
    struct walk all = {.fixture = f};
    struct walk some = {.fixture = f, .stop_at = 3};
    struct walk meddling = {.fixture = f};

    assert_int_equal(ei_store_each(f->store, visit, &all, &f->err), EI_OK);
    assert_int_equal(all.count, 0);
    make_jobs(f, jobs);
    assert_int_equal(ei_store_each(f->store, visit, &all, &f->err), EI_OK);
    assert_int_equal(all.count, JOBS);
    assert_int_equal(ei_store_each(f->store, visit, &some, &f->err), EI_TIMEOUT);
    assert_int_equal(some.count, 3);
    assert_int_equal(ei_store_each(f->store, visit_and_meddle, &meddling, &f->err), EI_OK);
    assert_int_equal(meddling.count, JOBS);
    put(f, jobs[0]); /* and afterwards all is as before */
    free_jobs(jobs);
}

/* Each with its own lists, whatever those of its neighbours are: none, one, some; and rows that are gone. */
static void a_walk_brings_each_with_its_lists(void **state)
{
    enum { COUNT = 24 };
    struct store_fixture *f = *state;
    struct ei_collaborator *all[COUNT];
    struct walk walk = {.fixture = f};
    char text[64];

    for (unsigned i = 0; i < COUNT; i++) {
        all[i] = ei_collaborator_new();
        for (unsigned k = 0; k < i % 3; k++) {
            snprintf(text, sizeof text, "u%u-%u@fabrikam.com", i, k);
            assert_true(ei_collaborator_add_address(all[i], text));
        }
        for (unsigned k = 0; k < i % 4; k++) {
            snprintf(text, sizeof text, "login%u-%u", i, k);
            assert_non_null(ei_collaborator_add_account(all[i], "host-1", text, 1000 + 10 * i + k, "partners"));
        }
        put(f, all[i]);
    }
    for (unsigned i = 0; i < COUNT; i += 5)
        assert_int_equal(ei_store_delete(f->store, all[i], &f->err), EI_OK);
    /* Its lists are written anew, behind those of the others. */
    snprintf(text, sizeof text, "late@fabrikam.com");
    assert_true(ei_collaborator_add_address(all[1], text));
    put(f, all[1]);
    assert_int_equal(ei_store_each(f->store, visit, &walk, &f->err), EI_OK);
    assert_int_equal(walk.count, COUNT - (COUNT + 4) / 5);
    for (unsigned i = 0; i < COUNT; i++)
        ei_collaborator_free(all[i]);
}

static int64_t test_time;
static int64_t test_now(void)
{
    return test_time;
}

struct told {
    unsigned count;
    char text[512];
};

static enum ei_err tell(void *context, const struct ei_event *event)
{
    struct told *told = context;
    size_t used = strlen(told->text);

    snprintf(told->text + used, sizeof told->text - used, "%lld %s [%s] [%s]\n", (long long)event->at, event->event,
             event->detail, event->crid);
    told->count++;
    return told->count == 100 ? EI_TIMEOUT : EI_OK;
}

static void history_is_kept_in_order(void **state)
{
    struct store_fixture *f = *state;
    const struct ei_clock clock = {.now = test_now};
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *other = collaborator_with("other@fabrikam.com", NULL);
    struct told told = {0};

    ei_clock_set(&clock);
    test_time = 300;
    assert_int_equal(ei_store_put(f->store, c, "queued", "by root", &f->err), EI_OK);
    assert_int_equal(ei_store_put(f->store, other, "queued", NULL, &f->err), EI_OK);
    test_time = 200; /* the clock was set back: the order stays */
    snprintf(c->job.crid, sizeof c->job.crid, "7d0c2f5e-0c1d-4c55-9a53-2f1f5a3b9c01");
    assert_int_equal(ei_store_put(f->store, c, "creating", NULL, &f->err), EI_OK);
    assert_int_equal(ei_store_put(f->store, c, NULL, NULL, &f->err), EI_OK); /* a mere look leaves none */
    c->job.crid[0] = '\0';
    other->revision = 9;
    assert_int_equal(ei_store_put(f->store, other, "failed", NULL, &f->err), EI_CONFLICT);
    ei_clock_set(NULL);

    assert_int_equal(ei_store_history(f->store, c->id, 0, tell, &told, &f->err), EI_OK);
    assert_string_equal(told.text, "300 queued [by root] []\n"
                                   "200 creating [] [7d0c2f5e-0c1d-4c55-9a53-2f1f5a3b9c01]\n");
    told = (struct told){0};
    assert_int_equal(ei_store_history(f->store, other->id, 0, tell, &told, &f->err), EI_OK);
    assert_int_equal(told.count, 1);
    told = (struct told){.count = 99};
    assert_int_equal(ei_store_history(f->store, c->id, 0, tell, &told, &f->err), EI_TIMEOUT);
    assert_int_equal(ei_store_delete(f->store, c, &f->err), EI_OK);
    told = (struct told){0};
    assert_int_equal(ei_store_history(f->store, c->id, 0, tell, &told, &f->err), EI_OK);
    assert_int_equal(told.count, 0); /* forgotten with it */
    assert_int_equal(ei_store_history(f->store, other->id, 0, tell, &told, &f->err), EI_OK);
    assert_int_equal(told.count, 1);
    ei_collaborator_free(c);
    ei_collaborator_free(other);
}

struct kept {
    size_t count;
    char first[16];
    char second[16];
    char last[16];
    int64_t last_number;
};

static enum ei_err keep(void *context, const struct ei_event *event)
{
    struct kept *kept = context;
    char *into = kept->count == 0 ? kept->first : kept->count == 1 ? kept->second : kept->last;

    assert_true(event->number > kept->last_number);
    kept->last_number = event->number;
    snprintf(into, sizeof kept->last, "%s", event->detail);
    kept->count++;
    return EI_OK;
}

/* The first line, which has who asked, and the newest; another's history is not touched. */
static void history_is_bounded(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *other = collaborator_with("other@fabrikam.com", NULL);
    struct kept kept = {0};
    char detail[16];

    assert_int_equal(ei_store_put(f->store, other, "queued", "other", &f->err), EI_OK);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    for (int i = 0; i < EI_HISTORY_MAX + 100; i++) {
        snprintf(detail, sizeof detail, "%d", i);
        assert_int_equal(ei_store_put(f->store, c, "checking", detail, &f->err), EI_OK);
    }
    assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
    assert_int_equal(ei_store_history(f->store, c->id, 0, keep, &kept, &f->err), EI_OK);
    assert_int_equal(kept.count, EI_HISTORY_MAX + 1);
    assert_string_equal(kept.first, "0");
    assert_string_equal(kept.second, "100");
    assert_string_equal(kept.last, "499");
    int64_t last = kept.last_number;
    assert_int_equal(ei_store_put(f->store, c, "checking", "more", &f->err), EI_OK);
    kept = (struct kept){0};
    assert_int_equal(ei_store_history(f->store, c->id, last, keep, &kept, &f->err), EI_OK);
    assert_int_equal(kept.count, 1);
    assert_string_equal(kept.first, "more");
    kept = (struct kept){0};
    assert_int_equal(ei_store_history(f->store, other->id, 0, keep, &kept, &f->err), EI_OK);
    assert_int_equal(kept.count, 1);
    ei_collaborator_free(c);
    ei_collaborator_free(other);
}

static void facts_about_the_store(void **state)
{
    struct store_fixture *f = *state;
    char *value = NULL;

    assert_int_equal(ei_store_meta_get(f->store, "tenant", &value, &f->err), EI_OK);
    assert_null(value);
    assert_int_equal(ei_store_meta_set(f->store, "tenant", "one", &f->err), EI_OK);
    assert_int_equal(ei_store_meta_set(f->store, "tenant", "two", &f->err), EI_OK);
    assert_int_equal(ei_store_meta_set(f->store, "empty", "", &f->err), EI_OK);
    store_reopen(f);
    assert_int_equal(ei_store_meta_get(f->store, "tenant", &value, &f->err), EI_OK);
    assert_string_equal(value, "two");
    free(value);
    assert_int_equal(ei_store_meta_get(f->store, "empty", &value, &f->err), EI_OK);
    assert_string_equal(value, "");
    free(value);
    assert_int_equal(ei_store_meta_set(f->store, "tenant", NULL, &f->err), EI_OK);
    assert_int_equal(ei_store_meta_set(f->store, "tenant", NULL, &f->err), EI_OK);
    assert_int_equal(ei_store_meta_get(f->store, "tenant", &value, &f->err), EI_OK);
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(due_work_comes_in_order, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(refresh_hastens_the_looks, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_walk_sees_each_once, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_walk_brings_each_with_its_lists, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(history_is_kept_in_order, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(history_is_bounded, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(facts_about_the_store, store_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The power fails (X14): after each call of a story that was recorded, the disk is laid out as it may be found then and
 * opened by the real code. Database and view are whole, what was acknowledged is there, a step that was not is there
 * wholly or not at all, no mail is held back by mistake, and the rest of the story can be told.
 *
 * All that was not synced may have arrived, or nothing of it: every call. Some of it, torn into sectors: ROUNDS=N
 * rounds, by SEED=N; a round that fails says its seed, and SEED=that ROUNDS=1 is that round.
 */
#include "tests/unit/disk_record.h"

#ifdef __SANITIZE_ADDRESS__
enum { ROUNDS = 30, EVERY = 5, GO_ON_EVERY = 8 };
#else
enum { ROUNDS = 100, EVERY = 1, GO_ON_EVERY = 8 };
#endif

static struct disk_story story;
static char where[128]; /* what is looked at just now */

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void tell_and_record(const struct disk_named_step *steps, int version)
{
    struct disk_run run;

    record_forget();
    disk_tell_story(&story, steps, version);
    recorder.on = true;
    disk_make(&run, version);
    record_add(RECORD_SETTLED, &(struct disk_call){0});
    for (size_t k = 0; k < story.count; k++) {
        if (steps[k].run(&run) != EI_OK)
            fail_msg("%s: %s", steps[k].name, run.err.message);
        record_add(RECORD_DONE, &(struct disk_call){.offset = (off_t)k + 1});
    }
    recorder.on = false;
    disk_remove(&run);
}

/* Steps that were acknowledged within the first calls. */
static size_t acknowledged(size_t calls)
{
    size_t k = 0;

    for (size_t i = 0; i < calls; i++)
        if (recorder.calls[i].kind == RECORD_DONE)
            k = (size_t)recorder.calls[i].call.offset;
    return k;
}

static size_t settled(void)
{
    size_t i = 0;

    while (recorder.calls[i].kind != RECORD_SETTLED)
        i++;
    return i + 1;
}

/* A view newer than the store would be taken for a restored backup: mail would be held until somebody looks. */
static void check_generation(struct disk_run *run, size_t k)
{
    char *text = NULL;
    uint64_t published = disk_generation(run);

    assert_int_equal(ei_store_meta_get(run->store.store, "view-generation", &text, &run->err), EI_OK);
    uint64_t known = text != NULL ? strtoull(text, NULL, 10) : 0;
    free(text);
    if (published != story.generations[k] && published != story.generations[k + 1])
        fail_msg("%s: the view is number %llu", where, (unsigned long long)published);
    if (published > known)
        fail_msg("%s: the view is number %llu, the store knows of %llu", where, (unsigned long long)published,
                 (unsigned long long)known);
}

static void go_on(struct disk_run *run, size_t k)
{
    for (; k < story.count; k++)
        if (story.steps[k].run(run) != EI_OK)
            fail_msg("%s: then %s: %s", where, story.steps[k].name, run->err.message);
    char *said = disk_says(run);
    if (strcmp(said, story.says[story.count]) != 0)
        fail_msg("%s: ends otherwise than without a power cut", where);
    free(said);
    assert_int_equal(step_reopen(run), EI_OK);
    if (occurrences(&run->store, "DISK-CANARY") != 0)
        fail_msg("%s: the URL is still in a file", where);
}

/* Opens the image; then k steps must be there, or one more. */
static void check_image(size_t k, bool finish)
{
    struct disk_run run;

    disk_make(&run, 0);
    image_write(run.store.directory);
    if (step_open(&run) != EI_OK)
        fail_msg("%s: %s", where, run.err.message);
    char *said = disk_says(&run);
    size_t found = k != 0 && strcmp(said, story.says[k]) == 0 ? k : k + 1;
    if (found > story.count || strcmp(said, story.says[found]) != 0)
        fail_msg("%s: step %zu (%s) was acknowledged and is not there, or the one behind it is there in part", where, k,
                 k > 0 ? story.steps[k - 1].name : "nothing");
    free(said);
    check_generation(&run, k);
    if (finish)
        go_on(&run, found);
    disk_remove(&run);
}

static void cut_everywhere(enum loss loss)
{
    uint64_t before = 0;
    size_t k_before = 0;
    unsigned looked_at = 0;
    unsigned seed = 0;

    for (size_t calls = settled(); calls <= recorder.count; calls += EVERY) {
        size_t k = acknowledged(calls);
        image_make(calls, loss, &seed);
        uint64_t hash = image_hash();
        if (hash == before && k == k_before && looked_at != 0)
            continue;
        snprintf(where, sizeof where, "the power fails after call %zu, %s", calls,
                 loss == LOSE_ALL ? "nothing unsynced arrived" : "all has arrived");
        check_image(k, looked_at++ % GO_ON_EVERY == 0);
        before = hash;
        k_before = k;
    }
    print_message("%zu calls, %u disks looked at\n", recorder.count, looked_at);
    assert_true(looked_at > 5);
}

static void cut_at_random(unsigned rounds)
{
    unsigned first = number_of("SEED", 1);

    rounds = number_of("ROUNDS", rounds);
    for (unsigned round = 0; round < rounds; round++) {
        unsigned seed = first + round;
        snprintf(where, sizeof where, "SEED=%u ROUNDS=1", seed);
        size_t calls = settled() + (size_t)rand_r(&seed) % (recorder.count - settled() + 1);
        image_make(calls, LOSE_SOME, &seed);
        check_image(acknowledged(calls), true);
    }
    print_message("seed %u, %u rounds\n", first, rounds);
}

static void each_cut(const struct disk_named_step *steps, int version)
{
    tell_and_record(steps, version);
    cut_everywhere(LOSE_NOTHING);
    cut_everywhere(LOSE_ALL);
    cut_at_random(ROUNDS);
    disk_forget_story(&story);
}

static void X14_a_fresh_store_and_a_view(void **state)
{
    (void)state;
    each_cut(disk_fresh, 0);
}

static void X14_X11_migration_from_1(void **state)
{
    (void)state;
    each_cut(disk_old, 1);
}

static void X14_X11_migration_from_2(void **state)
{
    (void)state;
    each_cut(disk_old, 2);
}

static int free_image(void **state)
{
    record_forget();
    image_free();
    return disk_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(X14_a_fresh_store_and_a_view),
        cmocka_unit_test(X14_X11_migration_from_1),
        cmocka_unit_test(X14_X11_migration_from_2),
    };
    if (!disk_can_be_seen())
        return 0;
    return cmocka_run_group_tests(tests, disk_begin, free_image);
}

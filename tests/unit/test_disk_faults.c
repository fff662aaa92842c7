/*
 * A disk that fails (X10, X11, S15): each call that the store and the view make fails in turn, once or from then on,
 * with EIO, as on a full disk, or as on one that became read-only. What was acknowledged is there all the same, what
 * failed has changed nothing, the error names the file and the reason, and without the fault it goes on.
 *
 * Here every STRIDE-th call of each way to fail; FAULTS=all does all of them (make soak). A case that fails says its
 * number: FAULT=number FAULTS=all test_disk_faults runs that one only.
 */
#include "tests/unit/disk_fixture.h"

#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 12 };
#else
enum { STRIDE = 4 };
#endif
enum { CASES_MAX = 1000 }; /* of one way to fail */

/* What fails: the first call is number 1. */
struct fault {
    unsigned at;
    int error;
    bool lasting;
};

static struct {
    struct fault fault;
    unsigned calls; /* that can fail in this way */
    bool off;
    unsigned number; /* of the case */
} disk;

/* --- the disk --- */

static bool can_fail(const struct disk_call *call, int error)
{
    switch (error) {
    case ENOSPC:
        return (call->kind == DISK_OPEN && call->makes) || call->kind == DISK_WRITE || call->kind == DISK_SYNC ||
               call->kind == DISK_MKDIR || call->kind == DISK_RENAME;
    case EROFS:
        return call->kind != DISK_READ && call->kind != DISK_SYNC;
    default:
        return true;
    }
}

static int disk_decide(const struct disk_call *call)
{
    if (!disk.off && can_fail(call, disk.fault.error)) {
        disk.calls++;
        if (disk.fault.at != 0 && (disk.fault.lasting ? disk.calls >= disk.fault.at : disk.calls == disk.fault.at))
            return disk.fault.error;
    }
    return call->kind == DISK_SYNC ? DISK_PRETEND : DISK_GO;
}

static void disk_done(const struct disk_call *call)
{
    (void)call;
}

/* --- a case --- */

static void complain(const struct disk_run *run, const struct disk_named_step *step, const char *problem)
{
    fail_msg("FAULT=%u (call %u fails%s: %s), step %s: %s: %s", disk.number, disk.fault.at,
             disk.fault.lasting ? " from then on" : "", strerror(disk.fault.error), step->name, problem,
             run->err.message);
}

/* The thing and the reason; what the disk did is never taken for damage. */
static void check_error(const struct disk_run *run, const struct disk_named_step *step, enum ei_err code)
{
    bool full = disk.fault.error == ENOSPC;
    const char *said = run->err.message;
    /* SQLite's second try hides the reason of the first, and a moment later there is none any more. */
    bool hidden = !disk.fault.lasting && (strstr(said, "unable to open") != NULL || strstr(said, "readonly") != NULL ||
                                          strstr(said, "cannot be opened for writing") != NULL);

    if (code != run->err.code || (code != EI_IO && code != EI_STORE_FULL))
        complain(run, step, ei_err_name(code));
    if (!hidden && code != (full ? EI_STORE_FULL : EI_IO))
        complain(run, step, ei_err_name(code));
    if (strstr(said, run->store.directory) == NULL)
        complain(run, step, "the file is not named");
    if (!hidden && strstr(said, strerror(disk.fault.error)) == NULL && !(full && strstr(said, "is full") != NULL))
        complain(run, step, "the reason is not named");
}

static bool same_as(struct disk_run *run, const char *expected)
{
    char *said = disk_says(run);
    bool same = expected != NULL && strcmp(said, expected) == 0;

    free(said);
    return same;
}

/* After step k failed, in the same process: as before it. */
static void check_unchanged(struct disk_run *run, const struct disk_story *story, size_t k)
{
    uint64_t generation = disk_generation(run);

    if (run->store.store != NULL && !same_as(run, story->says[k]))
        complain(run, &story->steps[k], "the step that failed has changed the store");
    if (generation != story->generations[k] && generation != story->generations[k + 1])
        complain(run, &story->steps[k], "the view is neither the old nor the new one");
}

/* Returns the number of the first step that was not done. */
static size_t run_steps(struct disk_run *run, const struct disk_story *story, bool *ret_failed)
{
    size_t k = 0;
    unsigned failures = 0;

    *ret_failed = false;
    while (k < story->count) {
        disk.off = false;
        enum ei_err rc = story->steps[k].run(run);
        disk.off = true;
        if (rc == EI_OK) {
            k++;
            continue;
        }
        check_error(run, &story->steps[k], rc);
        check_unchanged(run, story, k);
        *ret_failed = true;
        if (disk.fault.lasting || ++failures > 1)
            break;
        if (run->store.store == NULL && story->steps[k].run != step_open && step_open(run) != EI_OK)
            complain(run, &story->steps[k], "does not open again");
        *ret_failed = false;
    }
    return k;
}

/* Another process, after the fault has gone. What failed last may be there all the same, but then all of it is. */
static size_t reopen(struct disk_run *run, const struct disk_story *story, size_t k, bool failed)
{
    disk.off = false;
    ei_store_close(run->store.store);
    disk.off = true;
    run->store.store = NULL;
    const struct disk_named_step *last = &story->steps[k < story->count ? k : story->count - 1];
    if (step_open(run) != EI_OK)
        complain(run, last, "does not open without the fault");
    if (k == 0 || same_as(run, story->says[k]))
        return k == 0 ? 1 : k; /* the first step was to open it */
    if (!failed || !same_as(run, story->says[k + 1]))
        complain(run, last, "something acknowledged is lost");
    return k + 1;
}

static void check_left_over(struct disk_run *run, const struct disk_named_step *last)
{
    char path[160];

    snprintf(path, sizeof path, "%s.tmp", run->view);
    if (access(path, F_OK) == 0)
        complain(run, last, "a half-written view is left");
    snprintf(path, sizeof path, "%s/groups.tmp", run->public_path);
    if (access(path, F_OK) == 0)
        complain(run, last, "a half-written groups file is left");
    snprintf(path, sizeof path, "%s-journal", run->store.database);
    if (access(path, F_OK) == 0)
        complain(run, last, "a journal is left");
    if (occurrences(&run->store, "DISK-CANARY") != 0)
        complain(run, last, "the URL is still in a file");
}

static void finish(struct disk_run *run, const struct disk_story *story, size_t k)
{
    for (; k < story->count; k++)
        if (story->steps[k].run(run) != EI_OK)
            complain(run, &story->steps[k], "does not go on without the fault");
    const struct disk_named_step *last = &story->steps[story->count - 1];
    if (!same_as(run, story->says[story->count]) || disk_generation(run) != story->generations[story->count])
        complain(run, last, "ends otherwise than without a fault");
    if (step_reopen(run) != EI_OK)
        complain(run, last, "does not open at the end");
    check_left_over(run, last);
}

/* false: the story has fewer calls than that. */
static bool run_case(const struct disk_story *story, struct fault fault)
{
    struct disk_run run;
    bool failed;

    disk.off = true;
    disk_make(&run, story->version);
    disk.fault = fault;
    disk.calls = 0;
    size_t k = run_steps(&run, story, &failed);
    bool hit = disk.calls >= fault.at;
    if (hit) {
        k = reopen(&run, story, k, failed);
        finish(&run, story, k);
    }
    disk_remove(&run);
    return hit;
}

static void run_all(const struct disk_named_step *steps, int version, int error, bool lasting)
{
    static unsigned variants;
    const char *one = getenv("FAULT");
    const char *all = getenv("FAULTS");
    unsigned stride = all != NULL && strcmp(all, "all") == 0 ? 1 : STRIDE;
    struct disk_story story;
    unsigned done = 0;

    variants++;
    disk.off = true;
    disk_tell_story(&story, steps, version);
    /* not the same ones of each way to fail */
    for (unsigned n = 1 + variants % stride; n < CASES_MAX; n += stride, done++) {
        disk.number = variants * CASES_MAX + n;
        if (one != NULL && strtoul(one, NULL, 10) != disk.number)
            continue;
        if (!run_case(&story, (struct fault){n, error, lasting}))
            break;
    }
    print_message("%u calls failed in turn\n", done);
    assert_true(done * stride > 50);
    disk_forget_story(&story);
}

/* --- the tests --- */

static void S15_X11_each_call_fails_once(void **state)
{
    (void)state;
    run_all(disk_fresh, 0, EIO, false);
}

static void S15_X11_each_call_fails_from_then_on(void **state)
{
    (void)state;
    run_all(disk_fresh, 0, EIO, true);
}

static void S15_X10_the_disk_is_full_for_a_moment(void **state)
{
    (void)state;
    run_all(disk_fresh, 0, ENOSPC, false);
}

static void S15_X10_the_disk_fills(void **state)
{
    (void)state;
    run_all(disk_fresh, 0, ENOSPC, true);
}

static void S15_the_disk_becomes_read_only(void **state)
{
    (void)state;
    run_all(disk_fresh, 0, EROFS, true);
}

static void X11_migration_from_1(void **state)
{
    (void)state;
    run_all(disk_old, 1, EIO, false);
    run_all(disk_old, 1, EIO, true);
    run_all(disk_old, 1, ENOSPC, true);
}

static void X11_migration_from_2(void **state)
{
    (void)state;
    run_all(disk_old, 2, EIO, true);
    run_all(disk_old, 2, ENOSPC, false);
    run_all(disk_old, 2, EROFS, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(S15_X11_each_call_fails_once),
        cmocka_unit_test(S15_X11_each_call_fails_from_then_on),
        cmocka_unit_test(S15_X10_the_disk_is_full_for_a_moment),
        cmocka_unit_test(S15_X10_the_disk_fills),
        cmocka_unit_test(S15_the_disk_becomes_read_only),
        cmocka_unit_test(X11_migration_from_1),
        cmocka_unit_test(X11_migration_from_2),
    };
    if (!disk_can_be_seen())
        return 0;
    return cmocka_run_group_tests(tests, disk_begin, disk_end);
}

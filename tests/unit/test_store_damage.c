/* What the store does when the machine fails: killed processes, damaged files, a full disk
 * (X14). */
#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "common/store/sqlite/sqlite_internal.h"

enum { PUTS_BEFORE_KILL = 40, ROWS = 60, FLIPS = 150 };

/* Puts one collaborator after another and tells the id of each when the put has returned. */
static void put_and_tell(struct store_fixture *f, int told)
{
    struct ei_store *store = NULL;
    char address[64];

    if (ei_store_open_sqlite(f->private_path, &store, &f->err) != EI_OK)
        _exit(1);
    for (unsigned i = 0;; i++) {
        struct ei_collaborator *c = ei_collaborator_new();
        snprintf(address, sizeof address, "u%u@fabrikam.com", i);
        if (c == NULL || !ei_collaborator_add_address(c, address) ||
            ei_store_put(store, c, "queued", NULL, &f->err) != EI_OK ||
            write(told, c->id, EI_GUID_TEXT) != EI_GUID_TEXT)
            _exit(1);
        ei_collaborator_free(c);
    }
}

/* X1: what a put has said is there is there, whenever the process dies. */
static void x1_a_put_outlives_the_process(void **state)
{
    struct store_fixture *f = *state;
    char ids[PUTS_BEFORE_KILL + 64][EI_GUID_TEXT];
    unsigned count = 0;
    int told[2];
    int status;

    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0)
        put_and_tell(f, told[1]);
    close(told[1]);
    while (count < PUTS_BEFORE_KILL && read(told[0], ids[count], EI_GUID_TEXT) == EI_GUID_TEXT)
        count++;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (count < sizeof ids / sizeof ids[0] && read(told[0], ids[count], EI_GUID_TEXT) == EI_GUID_TEXT)
        count++;
    close(told[0]);
    assert_true(count >= PUTS_BEFORE_KILL);
    store_open(f);
    for (unsigned i = 0; i < count; i++)
        assert_true(is_stored(f, ids[i]));
}

/* A batch whose end was not reached leaves nothing behind. */
static void x1_a_killed_batch_leaves_nothing(void **state)
{
    struct store_fixture *f = *state;
    int status;
    pid_t child = fork();

    if (child == 0) {
        store_open(f);
        ei_store_batch_begin(f->store, &f->err);
        put(f, collaborator_with("taylor@fabrikam.com", "taylor"));
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    store_open(f);
    struct ei_collaborator *found = NULL;
    assert_int_equal(ei_store_by_address(f->store, "taylor@fabrikam.com", &found, &f->err), EI_NOT_FOUND);
}

static void fill_rows(struct store_fixture *f)
{
    char address[64];
    char login[32];

    store_open(f);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    for (unsigned i = 0; i < ROWS; i++) {
        snprintf(login, sizeof login, "u%u", i);
        snprintf(address, sizeof address, "%s@fabrikam.com", login);
        struct ei_collaborator *c = collaborator_with(address, login);
        ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up");
        assert_int_equal(ei_store_put(f->store, c, "queued", "by the scan", &f->err), EI_OK);
        ei_collaborator_free(c);
    }
    assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
    store_close(f);
}

static enum ei_err look(void *context, const struct ei_collaborator *c)
{
    (void)context;
    (void)c;
    return EI_OK;
}

/* Uses everything of a store that may be damaged; what counts is that it ends, and how. */
static void use(struct store_fixture *f)
{
    char ids[ROWS][EI_GUID_TEXT];
    size_t count;
    int64_t next;
    struct ei_collaborator *found = NULL;

    enum ei_err rc = ei_store_each(f->store, look, NULL, &f->err);
    assert_true(rc == EI_OK || rc == EI_STORE_DAMAGED);
    rc = ei_store_due(f->store, INT64_MAX, ids, ROWS, &count, &f->err);
    assert_true(rc == EI_OK || rc == EI_STORE_DAMAGED);
    rc = ei_store_next_due(f->store, &next, &f->err);
    assert_true(rc == EI_OK || rc == EI_STORE_DAMAGED);
    rc = ei_store_by_address(f->store, "u7@fabrikam.com", &found, &f->err);
    assert_true(rc == EI_OK || rc == EI_NOT_FOUND || rc == EI_STORE_DAMAGED);
    if (rc == EI_OK) {
        rc = ei_store_put(f->store, found, "looked", NULL, &f->err);
        assert_true(rc == EI_OK || rc == EI_STORE_DAMAGED || rc == EI_CONFLICT);
    }
    ei_collaborator_free(found);
}

/* Opens what was written to the database's place. true: it was refused as damaged, with its name. */
static bool open_damaged(struct store_fixture *f)
{
    enum ei_err rc = ei_store_open_sqlite(f->private_path, &f->store, &f->err);

    if (rc == EI_OK) {
        use(f);
        store_close(f);
        return false;
    }
    if (rc != EI_STORE_DAMAGED && rc != EI_STORE_NEWER)
        fail_msg("%s: %s", ei_err_name(rc), f->err.message);
    assert_non_null(strstr(f->err.message, f->database));
    return true;
}

static void random_bytes_are_damage(void **state)
{
    struct store_fixture *f = *state;
    char bytes[8192];

    fill_rows(f);
    srand(20261123);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)rand();
    write_bytes(f->database, bytes, sizeof bytes);
    assert_true(open_damaged(f));
    assert_int_equal(f->err.code, EI_STORE_DAMAGED);
    size_t length;
    char *after = read_bytes(f->database, &length);
    assert_int_equal(length, sizeof bytes);
    assert_memory_equal(after, bytes, sizeof bytes); /* left as it is */
    free(after);
    write_bytes(f->database, "short", 5);
    assert_true(open_damaged(f));
}

static void a_truncated_file_is_damage(void **state)
{
    struct store_fixture *f = *state;
    size_t length;

    fill_rows(f);
    char *bytes = read_bytes(f->database, &length);
    /* What is missing of the last page only is read as zeros, and those may be content. */
    for (size_t cut = 100; cut <= length - 4096; cut += 1987) {
        write_bytes(f->database, bytes, cut);
        assert_true(open_damaged(f));
        assert_int_equal(f->err.code, EI_STORE_DAMAGED);
    }
    free(bytes);
}

/* Not every flipped bit can be seen, but none may crash the worker or be answered with another word than damaged. */
static void flipped_bytes_never_crash(void **state)
{
    struct store_fixture *f = *state;
    size_t length;
    unsigned refused = 0;

    fill_rows(f);
    char *bytes = read_bytes(f->database, &length);
    srand(4);
    for (int i = 0; i < FLIPS; i++) {
        /* every other one into the header and the page headers, where it hurts */
        size_t at =
            i % 2 == 0 ? (size_t)rand() % length : (size_t)rand() % (length / 4096) * 4096 + (size_t)rand() % 110;
        char whole = bytes[at];
        bytes[at] = (char)(whole ^ (1 << rand() % 8));
        write_bytes(f->database, bytes, length);
        refused += open_damaged(f);
        bytes[at] = whole;
    }
    assert_true(refused > 0);
    write_bytes(f->database, bytes, length);
    assert_false(open_damaged(f));
    free(bytes);
}

static void a_damaged_log_never_crashes(void **state)
{
    struct store_fixture *f = *state;
    char log[160];
    char saved[160];
    size_t length;

    /* a copy of the log as a killed process leaves it */
    store_open(f);
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    put(f, c);
    snprintf(log, sizeof log, "%s-wal", f->database);
    snprintf(saved, sizeof saved, "%s/saved", f->private_path);
    char *bytes = read_bytes(log, &length);
    assert_true(length > 4096);
    store_close(f);
    srand(5);
    for (int i = 0; i < 30; i++) {
        size_t at = (size_t)rand() % length;
        bytes[at] = (char)(bytes[at] ^ 0x10);
        write_bytes(log, bytes, i % 3 == 0 ? (size_t)rand() % length : length);
        open_damaged(f);
    }
    free(bytes);
    ei_collaborator_free(c);
}

static sqlite3 *limit_pages(struct store_fixture *f)
{
    sqlite3 *db = ((struct ei_sqlite *)f->store)->db;
    assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count = 1", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* Puts until the disk is full; the one that fails is freed, the number of those that went in is returned. */
static unsigned put_until_full(struct store_fixture *f, char (*ids)[EI_GUID_TEXT], unsigned limit)
{
    char address[64];

    for (unsigned i = 0; i < limit; i++) {
        snprintf(address, sizeof address, "more%u@fabrikam.com", i);
        struct ei_collaborator *c = collaborator_with(address, address);
        ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up");
        enum ei_err rc = ei_store_put(f->store, c, "queued", NULL, &f->err);
        snprintf(ids[i], EI_GUID_TEXT, "%s", c->id);
        ei_collaborator_free(c);
        if (rc == EI_OK)
            continue;
        assert_int_equal(rc, EI_STORE_FULL);
        assert_non_null(strstr(f->err.message, "full"));
        assert_non_null(strstr(f->err.message, f->database));
        return i;
    }
    fail_msg("the disk did not fill");
    return 0;
}

static void a_full_disk_loses_nothing(void **state)
{
    struct store_fixture *f = *state;
    char ids[64][EI_GUID_TEXT];

    fill_rows(f);
    store_open(f);
    sqlite3 *db = limit_pages(f);
    unsigned count = put_until_full(f, ids, 64);
    for (unsigned i = 0; i < count; i++)
        assert_true(is_stored(f, ids[i]));
    assert_false(is_stored(f, ids[count]));
    assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL), SQLITE_OK);
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    put(f, c); /* once there is room again, on it goes */
    ei_collaborator_free(c);
}

/* Whatever the disk took of a batch, its end says honestly whether the batch is there: all of it, or nothing. */
static void a_full_disk_in_a_batch(void **state)
{
    struct store_fixture *f = *state;
    char ids[64][EI_GUID_TEXT];

    fill_rows(f);
    store_open(f);
    limit_pages(f);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    unsigned count = put_until_full(f, ids, 64);
    enum ei_err rc = ei_store_batch_end(f->store, &f->err);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(is_stored(f, ids[i]), rc == EI_OK);
    assert_false(is_stored(f, ids[count]));
}

/* SQLite may undo the whole transaction by itself: later calls of the batch must not slip into transactions of their
 * own. */
static void a_batch_that_was_undone_says_so(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *a = collaborator_with("a@fabrikam.com", "a");
    struct ei_collaborator *b = collaborator_with("b@fabrikam.com", "b");
    struct ei_collaborator *clash = collaborator_with("a@fabrikam.com", "c");

    store_open(f);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    put(f, a);
    sqlite3 *db = ((struct ei_sqlite *)f->store)->db;
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(ei_store_put(f->store, clash, NULL, NULL, &f->err), EI_OK);
    assert_int_not_equal(ei_store_put(f->store, b, NULL, NULL, &f->err), EI_OK);
    assert_int_not_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
    assert_false(is_stored(f, a->id));
    assert_false(is_stored(f, b->id));
    assert_false(is_stored(f, clash->id));
    a->revision = 0;
    put(f, a);
    ei_collaborator_free(a);
    ei_collaborator_free(b);
    ei_collaborator_free(clash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(x1_a_put_outlives_the_process, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(x1_a_killed_batch_leaves_nothing, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(random_bytes_are_damage, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_truncated_file_is_damage, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(flipped_bytes_never_crash, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_log_never_crashes, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_in_a_batch, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_batch_that_was_undone_says_so, store_setup_closed, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

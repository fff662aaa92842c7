/* Opening: modes and owners (S26), one writer, what a damaged, newer or foreign database gives, migrations (X11). */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "common/store/sqlite/sqlite_internal.h"

enum { NOBODY = 65534 };

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_refused(struct store_fixture *f, enum ei_err code, const char *saying)
{
    struct ei_store *store = NULL;
    enum ei_err rc = ei_store_open_sqlite(f->private_path, &store, &f->err);

    assert_null(store);
    if (rc != code || strstr(f->err.message, saying) == NULL)
        fail_msg("expected %s with \"%s\", got %s: %s", ei_err_name(code), saying, ei_err_name(rc), f->err.message);
    assert_non_null(strstr(f->err.message, f->private_path));
}

static void s26_files_are_made_private(void **state)
{
    struct store_fixture *f = *state;
    char path[160];
    mode_t before = umask(0);

    store_open(f);
    umask(before);
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    put(f, c);
    ei_collaborator_free(c);
    assert_int_equal(mode_of(f->private_path), 0700);
    assert_int_equal(mode_of(f->database), 0600);
    snprintf(path, sizeof path, "%s-wal", f->database);
    assert_int_equal(mode_of(path), 0600);
}

static void s26_open_doors_are_refused(void **state)
{
    struct store_fixture *f = *state;
    char link_path[160];

    store_open(f);
    store_close(f);
    chmod(f->private_path, 0750);
    assert_refused(f, EI_IO, "mode 0750 lets others in; chmod 0700");
    chmod(f->private_path, 0700);
    chmod(f->database, 0604);
    assert_refused(f, EI_IO, "mode 0604 lets others in; chmod 0600");
    chmod(f->database, 0600);

    snprintf(link_path, sizeof link_path, "%s/other.db", f->private_path);
    assert_int_equal(link(f->database, link_path), 0);
    assert_refused(f, EI_IO, "has 2 links");
    unlink(f->database);
    assert_int_equal(symlink("other.db", f->database), 0);
    assert_refused(f, EI_IO, strerror(ELOOP));
    unlink(f->database);
    assert_int_equal(mkdir(f->database, 0700), 0);
    assert_refused(f, EI_IO, "entra-invite.db");
    rmdir(f->database);
    assert_int_equal(mkfifo(f->database, 0600), 0);
    assert_refused(f, EI_IO, "not a regular file");
}

static void s26_somebody_elses_directory(void **state)
{
    struct store_fixture *f = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(f->private_path, 0700), 0);
    assert_int_equal(chown(f->private_path, NOBODY, NOBODY), 0);
    assert_refused(f, EI_IO, "belongs to user 65534, but this runs as user 0; chown 0 it");
}

static void a_missing_parent_is_named(void **state)
{
    struct store_fixture *f = *state;
    rmdir(f->directory);
    assert_refused(f, EI_IO, strerror(ENOENT));
}

/* In a child, because what a read-only directory means is only seen without root's rights. */
static void a_read_only_directory_is_named(void **state)
{
    struct store_fixture *f = *state;
    int status;

    assert_int_equal(chmod(f->directory, 0755), 0);
    assert_int_equal(mkdir(f->private_path, 0500), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(f->private_path, NOBODY, NOBODY), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ei_store *store = NULL;
        if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(2);
        enum ei_err rc = ei_store_open_sqlite(f->private_path, &store, &f->err);
        bool clear = rc == EI_IO && strstr(f->err.message, strerror(EACCES)) != NULL &&
                     strstr(f->err.message, f->private_path) != NULL;
        _exit(clear ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    chmod(f->private_path, 0700);
}

/* One writer (design, idea 2): a second process is told, and a killed one does not stay in the way. */
static void only_one_process_opens_it(void **state)
{
    struct store_fixture *f = *state;
    int told[2];
    char byte;
    int status;

    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ei_store *store = NULL;
        enum ei_err rc = ei_store_open_sqlite(f->private_path, &store, &f->err);
        if (rc != EI_OK || write(told[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_refused(f, EI_BUSY, "another entra-invited has this store open");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(told[0]);
    store_open(f);
}

static void run_sql(const struct store_fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t read_number(const char *path, const char *sql)
{
    sqlite3 *db;
    int64_t number = -1;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(ei_sqlite_number(db, path, sql, &number, NULL), EI_OK);
    sqlite3_close(db);
    return number;
}

/* A database that is not ours to change is left as it is, byte for byte. */
static void assert_refused_unchanged(struct store_fixture *f, enum ei_err code, const char *saying)
{
    size_t length_before;
    size_t length_after;
    char *before = read_bytes(f->database, &length_before);

    assert_refused(f, code, saying);
    char *after = read_bytes(f->database, &length_after);
    assert_int_equal(length_before, length_after);
    assert_memory_equal(before, after, length_before);
    free(before);
    free(after);
}

static void a_newer_schema_is_left_alone(void **state)
{
    struct store_fixture *f = *state;
    char saying[64];

    store_open(f);
    store_close(f);
    run_sql(f, "PRAGMA user_version = 99");
    snprintf(saying, sizeof saying, "schema version 99, this program knows up to %d", ei_sqlite_schema_version);
    assert_refused_unchanged(f, EI_STORE_NEWER, saying);
}

static void a_foreign_database_is_left_alone(void **state)
{
    struct store_fixture *f = *state;

    store_open(f);
    store_close(f);
    run_sql(f, "PRAGMA application_id = 1234");
    assert_refused_unchanged(f, EI_STORE_DAMAGED, "not an entra-invite database");
    unlink(f->database);
    run_sql(f, "CREATE TABLE theirs (x)");
    chmod(f->database, 0600);
    assert_refused_unchanged(f, EI_STORE_DAMAGED, "not an entra-invite database");
}

static void impossible_rows_are_damage(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    store_open(f);
    put(f, c);
    store_close(f);
    run_sql(f, "PRAGMA ignore_check_constraints = ON; UPDATE collaborator SET step = 77");
    assert_refused_unchanged(f, EI_STORE_DAMAGED, "CHECK constraint failed");
    ei_collaborator_free(c);
}

/* An error of another version keeps its text. */
static void an_unknown_error_name_keeps_its_text(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    ei_fail(&c->error, EI_PERMISSION, "Insufficient privileges");
    store_open(f);
    put(f, c);
    store_close(f);
    run_sql(f, "UPDATE collaborator SET error_code = 'of-next-year'");
    store_open(f);
    struct ei_collaborator *back = get(f, c->id);
    assert_int_equal(back->error.code, EI_IO);
    assert_string_equal(back->error.message, "Insufficient privileges");
    ei_collaborator_free(back);
    ei_collaborator_free(c);
}

/* --- migrations --- */

static const char next_version[] = "ALTER TABLE collaborator ADD COLUMN extra TEXT;"
                                   "UPDATE collaborator SET extra = 'new';";
static const char next_version_broken[] =
    "ALTER TABLE collaborator ADD COLUMN extra TEXT; INSERT INTO nowhere VALUES (1);";

static enum ei_err migrate_to(struct store_fixture *f, const struct ei_sqlite_migration *steps, int count)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    enum ei_err rc = ei_sqlite_migrate(db, f->database, steps, count, &f->err);
    sqlite3_close(db);
    return rc;
}

/* From this program's version to one that follows it. */
static enum ei_err migrate(struct store_fixture *f, const char *sql)
{
    struct ei_sqlite_migration *steps = calloc((size_t)ei_sqlite_schema_version + 1, sizeof *steps);

    assert_non_null(steps);
    memcpy(steps, ei_sqlite_migrations, (size_t)ei_sqlite_schema_version * sizeof *steps);
    steps[ei_sqlite_schema_version].sql = sql;
    enum ei_err rc = migrate_to(f, steps, ei_sqlite_schema_version + 1);
    free(steps);
    return rc;
}

static struct ei_collaborator *fill_store(struct store_fixture *f)
{
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=CANARY-URL");
    store_open(f);
    put(f, c);
    store_close(f);
    return c;
}

static void x11_a_backup_comes_before_a_migration(void **state)
{
    struct store_fixture *f = *state;
    char backup[160];
    size_t length;

    ei_collaborator_free(fill_store(f));
    mode_t before = umask(0);
    assert_int_equal(migrate(f, next_version), EI_OK);
    umask(before);
    assert_int_equal(read_number(f->database, "PRAGMA user_version"), ei_sqlite_schema_version + 1);
    assert_int_equal(read_number(f->database, "SELECT count(*) FROM collaborator WHERE extra = 'new'"), 1);

    snprintf(backup, sizeof backup, "%s.v%d", f->database, ei_sqlite_schema_version);
    assert_int_equal(mode_of(backup), 0600);
    assert_int_equal(read_number(backup, "PRAGMA user_version"), ei_sqlite_schema_version);
    assert_int_equal(read_number(backup, "SELECT count(*) FROM address WHERE folded = 'taylor@fabrikam.com'"), 1);
    /* K7: the copy outlives the acceptance, so it has no URL */
    char *bytes = read_bytes(backup, &length);
    assert_null(memmem(bytes, length, "CANARY-URL", 10));
    free(bytes);

    /* the backup is a store that opens */
    assert_int_equal(rename(backup, f->database), 0);
    store_open(f);
    struct ei_collaborator *found = NULL;
    assert_int_equal(ei_store_by_address(f->store, "taylor@fabrikam.com", &found, &f->err), EI_OK);
    assert_null(found->redeem_url);
    ei_collaborator_free(found);
}

static void x11_a_failed_migration_changes_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = fill_store(f);

    assert_int_not_equal(migrate(f, next_version_broken), EI_OK);
    assert_non_null(strstr(f->err.message, "nowhere"));
    assert_int_equal(read_number(f->database, "PRAGMA user_version"), ei_sqlite_schema_version);
    store_open(f);
    struct ei_collaborator *back = get(f, c->id);
    assert_string_equal(back->redeem_url, c->redeem_url);
    ei_collaborator_free(back);
    ei_collaborator_free(c);
}

static void put_version_1(struct store_fixture *f, const char *id, const char *guest_id, int is_linked)
{
    char sql[1024];

    snprintf(
        sql, sizeof sql,
        "INSERT INTO collaborator (id, revision, queue, step, attempts, not_before, started_at, crid, urgent,"
        " resume, offboard, creates, requested_at, guest_id, state_changed_at, checked_at, not_found_since, linked,"
        " url_at, mail, mail_round, error_permanent, state_at)"
        " VALUES ('%s', 1, 2, 7, 0, 5, 0, '', 0, 2, 0, 0, 6, '%s', 0, 0, 0, %d, 0, 0, 0, 0, 7)",
        id, guest_id, is_linked);
    run_sql(f, sql);
}

/* X11: forward only. What version 1 recorded is still there, and which guests are ours to remove is known. */
static void x11_a_store_of_version_1_is_taken_over(void **state)
{
    static const char ours[] = "00000000-0000-4000-8000-000000000001";
    static const char found[] = "00000000-0000-4000-8000-000000000002";
    struct store_fixture *f = *state;

    assert_int_equal(mkdir(f->private_path, 0700), 0);
    close(open(f->database, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(migrate_to(f, ei_sqlite_migrations, 1), EI_OK);
    put_version_1(f, ours, "10000000-0000-4000-8000-000000000001", 0);
    put_version_1(f, found, "10000000-0000-4000-8000-000000000002", 1);
    store_open(f);
    struct ei_collaborator *c = get(f, ours);
    assert_int_equal(c->job.step, EI_STEP_PENDING);
    assert_int_equal(c->state_at, 7);
    assert_true(c->made);
    assert_false(c->job.reset);
    assert_null(c->requester);
    ei_collaborator_free(c);
    c = get(f, found);
    assert_false(c->made);
    ei_collaborator_free(c);
}

/* X11: what the connection was opened with. */
static void x11_the_connection_is_defensive(void **state)
{
    struct store_fixture *f = *state;
    int64_t value;
    int on;

    store_open(f);
    sqlite3 *db = ((struct ei_sqlite *)f->store)->db;
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on), SQLITE_OK);
    assert_int_equal(on, 1);
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &on), SQLITE_OK);
    assert_int_equal(on, 0);
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1, &on), SQLITE_OK);
    assert_int_equal(on, 0);
    ei_sqlite_number(db, "", "PRAGMA synchronous", &value, NULL);
    assert_int_equal(value, 2);
    ei_sqlite_number(db, "", "PRAGMA secure_delete", &value, NULL);
    assert_int_equal(value, 1);
    ei_sqlite_number(db, "", "PRAGMA foreign_keys", &value, NULL);
    assert_int_equal(value, 1);
    assert_int_equal(read_number(f->database, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(s26_files_are_made_private, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(s26_open_doors_are_refused, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(s26_somebody_elses_directory, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_missing_parent_is_named, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_read_only_directory_is_named, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(only_one_process_opens_it, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_newer_schema_is_left_alone, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(a_foreign_database_is_left_alone, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(impossible_rows_are_damage, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(an_unknown_error_name_keeps_its_text, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(x11_a_backup_comes_before_a_migration, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(x11_a_store_of_version_1_is_taken_over, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(x11_a_failed_migration_changes_nothing, store_setup_closed, store_teardown),
        cmocka_unit_test_setup_teardown(x11_the_connection_is_defensive, store_setup_closed, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

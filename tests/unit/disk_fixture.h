/*
 * A store and a view on a disk whose every call a test decides about (disk_shim.h), and what is done with them there:
 * a list of steps, each of which is durable when it returns. Identifiers and times are fixed, so that after step k the
 * store always says the same; disk_says tells it as text. The including file defines disk_decide and disk_done.
 */
#ifndef EI_TESTS_UNIT_DISK_FIXTURE_H
#define EI_TESTS_UNIT_DISK_FIXTURE_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/store/sqlite/sqlite_internal.h"
#include "common/view/view_write.h"
#include "tests/faults/disk_shim.h"
#include "tests/unit/clock_fixture.h"
#include "tests/unit/store_fixture.h"

#define DISK_URL "https://login.microsoftonline.com/redeem?rd=DISK-CANARY"

enum { DISK_NOW = 1795440000, DISK_STEPS_MAX = 24, DISK_TEXT_MAX = 1 << 20 };

static const char disk_taylor[] = "00000000-0000-4000-8000-00000000000a";
static const char disk_robin[] = "00000000-0000-4000-8000-00000000000b";

struct disk_run {
    struct store_fixture store; /* its directory is the disk */
    char public_path[80];
    char view[128];
    struct ei_error err;
};

typedef enum ei_err disk_step(struct disk_run *run);

/* The shim makes system calls whose offsets are one number. */
static inline bool disk_can_be_seen(void)
{
    if (sizeof(long) < sizeof(off_t))
        print_message("skipped: offsets take two registers here\n");
    return sizeof(long) >= sizeof(off_t);
}

static inline int disk_begin(void **state)
{
    (void)state;

    clock_stand(DISK_NOW, 1000);
    return 0;
}

static inline int disk_end(void **state)
{
    (void)state;
    disk_root[0] = '\0';
    ei_clock_set(NULL);
    return 0;
}

/* --- steps --- */

static inline enum ei_err step_open(struct disk_run *run)
{
    return ei_store_open_sqlite(run->store.private_path, &run->store.store, &run->err);
}

static inline enum ei_err step_reopen(struct disk_run *run)
{
    ei_store_close(run->store.store);
    run->store.store = NULL;
    return step_open(run);
}

static inline enum ei_err disk_add(struct disk_run *run, const char *id, const char *address, const char *login)
{
    struct ei_collaborator *c = collaborator_with(address, login);

    snprintf(c->id, sizeof c->id, "%s", id);
    enum ei_err rc = ei_store_put(run->store.store, c, "queued", "by the scan", &run->err);
    ei_collaborator_free(c);
    return rc;
}

static inline enum ei_err step_add(struct disk_run *run)
{
    return disk_add(run, disk_taylor, "taylor@fabrikam.com", "taylor");
}

/* As the worker does it: what has changed in Taylor becomes durable, with its line of history. */
static inline enum ei_err disk_change(struct disk_run *run, enum ei_step step, const char *crid, const char *url,
                                      enum ei_mail mail)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_get(run->store.store, disk_taylor, &c, &run->err);

    if (rc != EI_OK)
        return rc;
    c->job.step = step;
    c->mail = mail;
    snprintf(c->job.crid, sizeof c->job.crid, "%s", crid);
    assert_true(ei_text_set(&c->redeem_url, url));
    rc = ei_store_put(run->store.store, c, ei_step_name(step), NULL, &run->err);
    ei_collaborator_free(c);
    return rc;
}

static inline enum ei_err step_creating(struct disk_run *run)
{
    return disk_change(run, EI_STEP_CREATING, "10000000-0000-4000-8000-000000000001", NULL, EI_MAIL_WANTED);
}

static inline enum ei_err step_created(struct disk_run *run)
{
    return disk_change(run, EI_STEP_CREATED, "", DISK_URL, EI_MAIL_WANTED);
}

/* The intent to mail and the right to it, in one batch with somebody else's arrival (X1, X9). */
static inline enum ei_err step_mailing(struct disk_run *run)
{
    static const char crid[] = "10000000-0000-4000-8000-000000000002";
    enum ei_err rc = ei_store_batch_begin(run->store.store, &run->err);

    if (rc != EI_OK)
        return rc;
    rc = ei_store_claim_mail(run->store.store, "taylor@fabrikam.com", 0, crid, &run->err);
    if (rc == EI_OK)
        rc = disk_change(run, EI_STEP_MAILING, crid, DISK_URL, EI_MAIL_SENDING);
    if (rc == EI_OK)
        rc = disk_add(run, disk_robin, "robin@fabrikam.com", "robin");
    if (rc != EI_OK) {
        ei_store_batch_abandon(run->store.store);
        return rc;
    }
    return ei_store_batch_end(run->store.store, &run->err);
}

static inline enum ei_err step_pending(struct disk_run *run)
{
    return disk_change(run, EI_STEP_PENDING, "", DISK_URL, EI_MAIL_SENT);
}

static inline enum ei_err step_hasten(struct disk_run *run)
{
    return ei_store_hasten(run->store.store, DISK_NOW, true, &run->err);
}

/* From here on no file may hold the URL (K7). */
static inline enum ei_err step_accepted(struct disk_run *run)
{
    return disk_change(run, EI_STEP_ACCEPTED, "", NULL, EI_MAIL_SENT);
}

static inline enum ei_err step_delete(struct disk_run *run)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_get(run->store.store, disk_robin, &c, &run->err);

    if (rc == EI_OK)
        rc = ei_store_delete(run->store.store, c, &run->err);
    ei_collaborator_free(c);
    return rc;
}

static inline enum ei_err disk_publish(struct disk_run *run, uint64_t generation)
{
    struct ei_view_header header = {.generation = generation, .created_at = DISK_NOW, .minimum_uid = 1000};
    struct ei_view_record record = {.state = EI_STATE_PENDING, .uid = 1001, .changed_at = DISK_NOW};
    struct ei_view_writer *writer = NULL;
    enum ei_err rc = ei_view_writer_new(run->view, &header, &writer, &run->err);

    if (rc != EI_OK)
        return rc;
    for (char login[] = "user0"; rc == EI_OK && login[4] <= '9'; login[4]++)
        rc = ei_view_writer_add(writer, login, &record, &run->err);
    if (rc == EI_OK)
        return ei_view_writer_publish(writer, &run->err);
    ei_view_writer_free(writer);
    return rc;
}

/* As publish.c: the number is durable before the view that carries it. */
static inline enum ei_err step_number_1(struct disk_run *run)
{
    return ei_store_meta_set(run->store.store, "view-generation", "1", &run->err);
}

static inline enum ei_err step_number_2(struct disk_run *run)
{
    return ei_store_meta_set(run->store.store, "view-generation", "2", &run->err);
}

static inline enum ei_err step_publish_1(struct disk_run *run)
{
    return disk_publish(run, 1);
}

static inline enum ei_err step_publish_2(struct disk_run *run)
{
    return disk_publish(run, 2);
}

/* The file by which a module knows who is covered when the view cannot say it. */
static inline enum ei_err disk_groups(struct disk_run *run, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/groups", run->public_path);
    return ei_file_replace(path, text, strlen(text), 0644, &run->err);
}

static inline enum ei_err step_groups_1(struct disk_run *run)
{
    return disk_groups(run, "partners\n");
}

static inline enum ei_err step_groups_2(struct disk_run *run)
{
    return disk_groups(run, "suppliers\npartners\n");
}

struct disk_named_step {
    disk_step *run;
    const char *name;
};

#define DISK_STEP(name)                                                                                                \
    {                                                                                                                  \
        step_##name, #name                                                                                             \
    }

/* A fresh store, and a view. */
static const struct disk_named_step disk_fresh[] = {
    DISK_STEP(open),     DISK_STEP(groups_1),  DISK_STEP(add),
    DISK_STEP(number_1), DISK_STEP(publish_1), DISK_STEP(creating),
    DISK_STEP(created),  DISK_STEP(mailing),   DISK_STEP(reopen),
    DISK_STEP(groups_2), DISK_STEP(pending),   DISK_STEP(hasten),
    DISK_STEP(number_2), DISK_STEP(publish_2), DISK_STEP(delete),
    DISK_STEP(reopen),   DISK_STEP(accepted),  {0},
};

/* A store of an older version: opening it is the migration. Its own rows must be there all the time. */
static const struct disk_named_step disk_old[] = {
    DISK_STEP(open), DISK_STEP(add), DISK_STEP(created), DISK_STEP(reopen), DISK_STEP(accepted), {0},
};

/* --- the disk's beginning and end --- */

static inline void disk_make_old(struct disk_run *run, int version)
{
    sqlite3 *db = NULL;

    assert_int_equal(mkdir(run->store.private_path, 0700), 0);
    close(open(run->store.database, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(sqlite3_open(run->store.database, &db), SQLITE_OK);
    if (ei_sqlite_migrate(db, run->store.database, ei_sqlite_migrations, version, &run->err) != EI_OK)
        fail_msg("%s", run->err.message);
    int rc = sqlite3_exec(
        db,
        "PRAGMA journal_mode = WAL;"
        "INSERT INTO collaborator (id, revision, queue, step, attempts, not_before, started_at, crid, urgent, resume,"
        " offboard, creates, requested_at, guest_id, state_changed_at, checked_at, not_found_since, linked, url_slot,"
        " url_at, mail, mail_round, error_permanent, state_at)"
        " VALUES ('00000000-0000-4000-8000-000000000001', 1, 2, 7, 0, 5, 0, '', 0, 2, 0, 0, 6,"
        " '10000000-0000-4000-8000-000000000001', 0, 0, 0, 0, 1, 0, 3, 0, 0, 7);"
        "INSERT INTO redeem (slot, url) VALUES (1, CAST('https://login.microsoftonline.com/redeem?rd=old' AS BLOB));"
        "INSERT INTO address (owner, position, written, folded) VALUES (1, 0, 'old@fabrikam.com', 'old@fabrikam.com');",
        NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        fail_msg("version %d: %s", version, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* version 0: nothing is there. From here on the disk is the hooks'. */
static inline void disk_make(struct disk_run *run, int version)
{
    memset(run, 0, sizeof *run);
    snprintf(run->store.directory, sizeof run->store.directory, "%s/ei-disk-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(run->store.directory));
    snprintf(disk_root, sizeof disk_root, "%s", run->store.directory);
    snprintf(run->store.private_path, sizeof run->store.private_path, "%s/private", run->store.directory);
    snprintf(run->store.database, sizeof run->store.database, "%s/entra-invite.db", run->store.private_path);
    snprintf(run->public_path, sizeof run->public_path, "%s/public", run->store.directory);
    snprintf(run->view, sizeof run->view, "%s/status.cdb", run->public_path);
    assert_int_equal(mkdir(run->public_path, 0755), 0);
    if (version > 0)
        disk_make_old(run, version);
}

static inline void disk_remove(struct disk_run *run)
{
    ei_store_close(run->store.store);
    remove_all(run->store.private_path);
    remove_all(run->public_path);
    remove_all(run->store.directory);
    disk_root[0] = '\0';
}

/* --- what it says --- */

static inline void disk_append(struct ei_buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void disk_append(struct ei_buffer *text, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert_true(length >= 0 && (size_t)length < sizeof line);
    assert_true(ei_buffer_append(text, line, (size_t)length));
}

/* Every row of every table: what no caller can see would come to light later. */
static inline void disk_append_table(struct ei_buffer *text, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            disk_append(text, "%s|", value != NULL ? value : "");
        }
        disk_append(text, "\n");
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
}

/* To be freed. The store must be open. */
static inline char *disk_says(struct disk_run *run)
{
    static const char *const tables[] = {
        "PRAGMA integrity_check",
        "PRAGMA foreign_key_check",
        "SELECT * FROM collaborator ORDER BY row",
        "SELECT * FROM address ORDER BY owner, position",
        "SELECT * FROM account ORDER BY owner, position",
        "SELECT * FROM membership ORDER BY owner, position",
        "SELECT * FROM redeem ORDER BY slot",
        "SELECT * FROM redeem_free ORDER BY size, slot",
        "SELECT * FROM history ORDER BY number",
        "SELECT * FROM mail_right ORDER BY address, round",
        "SELECT * FROM meta ORDER BY key",
    };
    sqlite3 *db = ((struct ei_sqlite *)run->store.store)->db;
    struct ei_buffer text;

    ei_buffer_init(&text, DISK_TEXT_MAX);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        disk_append_table(&text, db, tables[i]);
    char *said = strdup(text.data);
    ei_buffer_free(&text);
    assert_non_null(said);
    assert_memory_equal(said, "ok|\n", 4); /* integrity_check */
    return said;
}

/* Whole, whichever it is. */
static inline void disk_check_groups(const struct disk_run *run)
{
    char path[128], groups[EI_VIEW_GROUPS_SIZE];

    snprintf(path, sizeof path, "%s/groups", run->public_path);
    enum ei_view_status status = ei_view_read_groups(path, groups);
    if (status == EI_VIEW_NO_FILE)
        return;
    assert_int_equal(status, EI_VIEW_OK);
    if (memcmp(groups, "partners\0", 10) != 0 && memcmp(groups, "suppliers\0partners\0", 20) != 0)
        fail_msg("the groups file begins with %s", groups);
}

/* The published number, as a module finds it; 0: no view yet. Whatever else is wrong with it fails the test. */
static inline uint64_t disk_generation(const struct disk_run *run)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found = false;
    enum ei_view_status status = ei_view_open(run->view, &view, &header);

    disk_check_groups(run);
    if (status == EI_VIEW_NO_FILE)
        return 0;
    if (status != EI_VIEW_OK)
        fail_msg("the view: %s", ei_view_status_text(status));
    assert_int_equal(header.count, 10);
    for (char login[] = "user0"; login[4] <= '9'; login[4]++) {
        assert_int_equal(ei_view_lookup(&view, login, &record, &found), EI_VIEW_OK);
        assert_true(found);
    }
    ei_view_close(&view);
    return header.generation;
}

/* What the steps say one after the other on a disk without faults; says[k] is before step k. */
struct disk_story {
    const struct disk_named_step *steps;
    int version;
    size_t count;
    char *says[DISK_STEPS_MAX + 1]; /* [0] is NULL where there is no store yet */
    uint64_t generations[DISK_STEPS_MAX + 1];
};

static inline void disk_tell_story(struct disk_story *story, const struct disk_named_step *steps, int version)
{
    struct disk_run run;

    *story = (struct disk_story){.steps = steps, .version = version};
    disk_make(&run, version);
    for (; steps[story->count].run != NULL; story->count++) {
        if (steps[story->count].run(&run) != EI_OK)
            fail_msg("%s: %s", steps[story->count].name, run.err.message);
        story->says[story->count + 1] = disk_says(&run);
        story->generations[story->count + 1] = disk_generation(&run);
    }
    disk_remove(&run);
}

static inline void disk_forget_story(struct disk_story *story)
{
    for (size_t i = 0; i <= story->count; i++)
        free(story->says[i]);
}

#endif

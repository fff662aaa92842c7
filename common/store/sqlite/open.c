#include "common/store/sqlite/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char database_name[] = "entra-invite.db";
static const char lock_name[] = "entra-invite.lock";

static enum ei_err failed(const char *directory, const char *name, struct ei_error *err)
{
    return ei_fail(err, ei_err_of_write(errno), "%s%s%s: %s", directory, name[0] != '\0' ? "/" : "", name,
                   strerror(errno));
}

/* Owner and mode are looked at on the open file, so that what was checked is what is used (S26). */
static enum ei_err check_private(int fd, const char *path, mode_t kind, mode_t mode, struct ei_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return failed(path, "", err);
    if ((st.st_mode & S_IFMT) != kind)
        return ei_fail(err, EI_IO, "%s: not a %s; move it away", path, kind == S_IFDIR ? "directory" : "regular file");
    if (kind == S_IFREG && st.st_nlink != 1)
        return ei_fail(err, EI_IO, "%s: has %lu links; remove the others", path, (unsigned long)st.st_nlink);
    if (st.st_uid != geteuid())
        return ei_fail(err, EI_IO, "%s: belongs to user %u, but this runs as user %u; chown %u it", path, st.st_uid,
                       geteuid(), geteuid());
    if ((st.st_mode & 077) != 0)
        return ei_fail(err, EI_IO, "%s: mode %04o lets others in; chmod %04o it", path, st.st_mode & 07777, mode);
    return EI_OK;
}

/* The name too must outlive a power cut, whoever made it, or all that is in it is gone. */
static enum ei_err make_directory(const char *path, struct ei_error *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return failed(path, "", err);
    char *parent = strdup(path);
    if (parent == NULL)
        return ei_fail(err, EI_NOMEM, "%s: out of memory", path);
    int fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    enum ei_err rc = fd < 0 || fsync(fd) < 0 ? failed(path, "", err) : EI_OK;
    if (fd >= 0)
        close(fd);
    return rc;
}

static enum ei_err open_directory(const char *path, int *ret_fd, struct ei_error *err)
{
    enum ei_err made = make_directory(path, err);
    if (made != EI_OK)
        return made;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(path, "", err);
    enum ei_err rc = check_private(fd, path, S_IFDIR, 0700, err);
    if (rc != EI_OK) {
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return EI_OK;
}

/* Opens or makes a file of the directory by S26: the mode is set in open, never widened or narrowed later. */
static enum ei_err open_file(int directory_fd, const char *directory, const char *name, int *ret_fd,
                             struct ei_error *err)
{
    char *path = NULL;
    int fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    if (fd < 0)
        return failed(directory, name, err);
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        close(fd);
        return ei_fail(err, EI_NOMEM, "%s: out of memory", directory);
    }
    enum ei_err rc = check_private(fd, path, S_IFREG, 0600, err);
    free(path);
    if (rc != EI_OK) {
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return EI_OK;
}

/* The kernel drops the lock with the process, however that ends. */
static enum ei_err take_lock(struct ei_sqlite *store, int directory_fd, const char *directory, struct ei_error *err)
{
    enum ei_err rc = open_file(directory_fd, directory, lock_name, &store->lock_fd, err);

    if (rc != EI_OK || flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return rc;
    if (errno == EWOULDBLOCK)
        return ei_fail(err, EI_BUSY, "%s: another entra-invited has this store open; there can be only one",
                       store->path);
    return failed(directory, lock_name, err);
}

static enum ei_err prepare_files(struct ei_sqlite *store, const char *directory, struct ei_error *err)
{
    int directory_fd = -1;
    int fd = -1;
    enum ei_err rc = open_directory(directory, &directory_fd, err);

    if (rc != EI_OK)
        return rc;
    rc = take_lock(store, directory_fd, directory, err);
    if (rc == EI_OK)
        rc = open_file(directory_fd, directory, database_name, &fd, err);
    if (rc == EI_OK && fsync(directory_fd) < 0)
        rc = failed(directory, "", err);
    if (fd >= 0)
        close(fd); /* before SQLite opens it: closing later would drop SQLite's own locks */
    close(directory_fd);
    return rc;
}

/* Until the file has proved whole, nothing may write to it: neither a checkpoint at close nor a mode change. */
static enum ei_err connect(struct ei_sqlite *store, struct ei_error *err)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},   {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };

    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
        return ei_sqlite_fail(store->db, store->path, err);
    /* SQLite's second try where the first was refused; it would stay so for as long as this process runs. */
    if (sqlite3_db_readonly(store->db, "main") != 0)
        return ei_sqlite_fail_read_only(store->path, err);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, EI_SQLITE_BUSY_MS);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (sqlite3_db_config(store->db, options[i].option, options[i].value, NULL) != SQLITE_OK)
            return ei_sqlite_fail(store->db, store->path, err);
    }
    /* temp_store: savepoint journals and sorts hold row content, so they stay off the disk. */
    return ei_sqlite_exec(store->db, store->path,
                          "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                          "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;",
                          err);
}

static enum ei_err quick_check(struct ei_sqlite *store, struct ei_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum ei_err rc = EI_OK;

    if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        rc = ei_sqlite_fail(store->db, store->path, err);
    } else {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        if (answer == NULL) /* there is no memory for it, which says nothing of the database */
            rc = ei_sqlite_fail(store->db, store->path, err);
        else if (strcmp(answer, "ok") != 0)
            rc = ei_sqlite_fail_damaged(store->db, store->path, answer, err);
    }
    sqlite3_finalize(statement);
    return rc;
}

static enum ei_err write_ahead(struct ei_sqlite *store, struct ei_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum ei_err rc = EI_OK;

    if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        rc = ei_sqlite_fail(store->db, store->path, err);
    else if (sqlite3_column_text(statement, 0) == NULL)
        rc = ei_sqlite_fail(store->db, store->path, err);
    else if (strcmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0)
        rc = ei_fail(err, EI_IO, "%s: this file system does not allow a write-ahead log; use a local one", store->path);
    else if (sqlite3_step(statement) != SQLITE_DONE) /* where the change is committed */
        rc = ei_sqlite_fail(store->db, store->path, err);
    sqlite3_finalize(statement);
    return rc;
}

static void close_store(struct ei_store *base)
{
    struct ei_sqlite *store = ei_sqlite_of(base);

    ei_sqlite_batch_abandon(base);
    ei_sqlite_forget_statements(store);
    sqlite3_close(store->db);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->path);
    free(store);
}

static const struct ei_store_ops operations = {
    .close = close_store,
    .get = ei_sqlite_get,
    .by_address = ei_sqlite_by_address,
    .by_account = ei_sqlite_by_account,
    .by_guest = ei_sqlite_by_guest,
    .of_guest = ei_sqlite_of_guest,
    .put = ei_sqlite_put,
    .remove = ei_sqlite_remove,
    .claim_mail = ei_sqlite_claim_mail,
    .each = ei_sqlite_each,
    .due = ei_sqlite_due,
    .next_due = ei_sqlite_next_due,
    .hasten = ei_sqlite_hasten,
    .history = ei_sqlite_history,
    .meta_get = ei_sqlite_meta_get,
    .meta_set = ei_sqlite_meta_set,
    .batch_begin = ei_sqlite_batch_begin,
    .batch_end = ei_sqlite_batch_end,
    .batch_abandon = ei_sqlite_batch_abandon,
};

static enum ei_err bring_up(struct ei_sqlite *store, const char *directory, struct ei_error *err)
{
    enum ei_err rc = prepare_files(store, directory, err);

    if (rc == EI_OK)
        rc = connect(store, err);
    if (rc == EI_OK)
        rc = quick_check(store, err);
    if (rc == EI_OK)
        rc = ei_sqlite_migrate(store->db, store->path, ei_sqlite_migrations, ei_sqlite_schema_version, err);
    if (rc == EI_OK)
        rc = write_ahead(store, err);
    /* Prepared while there is memory: what undoes a change must not lack it. */
    if (rc == EI_OK && ei_sqlite_statement(store, EI_SQL_ROLLBACK, err) == NULL)
        rc = EI_NOMEM;
    if (rc != EI_OK)
        return rc;
    /* A run that was killed between erasing a URL and cutting the log has left it to this one. */
    store->url_touched =
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return EI_OK;
}

enum ei_err ei_store_open_sqlite(const char *directory, struct ei_store **ret_store, struct ei_error *err)
{
    struct ei_sqlite *store = calloc(1, sizeof *store);

    if (store == NULL)
        return ei_fail(err, EI_NOMEM, "%s: out of memory", directory);
    ei_sqlite_memory_init();
    store->base.ops = &operations;
    store->lock_fd = -1;
    if (asprintf(&store->path, "%s/%s", directory, database_name) < 0) {
        free(store);
        return ei_fail(err, EI_NOMEM, "%s: out of memory", directory);
    }
    enum ei_err rc = bring_up(store, directory, err);
    if (rc != EI_OK) {
        close_store(&store->base);
        return rc;
    }
    *ret_store = &store->base;
    return EI_OK;
}

#include "common/store/sqlite/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Version 1. Types are checked here because SQLite's STRICT tables are newer than the oldest SQLite that is supported
 * (3.34); quick_check at open holds every row against the checks. The numbers of step, mail, state and source are those
 * of store.h.
 */
static const char version_1[] =
    "CREATE TABLE collaborator ("
    " row INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),"
    " revision INTEGER NOT NULL CHECK (typeof(revision) = 'integer' AND revision > 0),"
    " queue INTEGER CHECK (queue BETWEEN 0 AND 3),"
    " step INTEGER NOT NULL CHECK (step BETWEEN 1 AND 10),"
    " attempts INTEGER NOT NULL, not_before INTEGER NOT NULL, started_at INTEGER NOT NULL, crid TEXT NOT NULL,"
    " urgent INTEGER NOT NULL, job_rule TEXT, overrides TEXT, resume INTEGER NOT NULL, offboard INTEGER NOT NULL,"
    " creates INTEGER NOT NULL,"
    " display_name TEXT, requested_by TEXT, requested_at INTEGER NOT NULL,"
    " guest_id TEXT COLLATE NOCASE, user_principal_name TEXT, user_type TEXT, external_user_state TEXT,"
    " state_changed_at INTEGER NOT NULL, checked_at INTEGER NOT NULL, not_found_since INTEGER NOT NULL,"
    " linked INTEGER NOT NULL, url_slot INTEGER, url_at INTEGER NOT NULL,"
    " mail INTEGER NOT NULL CHECK (mail BETWEEN 0 AND 5), mail_round INTEGER NOT NULL,"
    " error_code TEXT, error_message TEXT, error_request_id TEXT, error_permanent INTEGER NOT NULL,"
    " state_at INTEGER NOT NULL);"
    "CREATE INDEX collaborator_due ON collaborator (queue, not_before) WHERE queue IS NOT NULL;"
    "CREATE INDEX collaborator_guest ON collaborator (guest_id) WHERE guest_id IS NOT NULL;"
    "CREATE TABLE address ("
    " owner INTEGER NOT NULL REFERENCES collaborator (row) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " written TEXT NOT NULL, folded TEXT NOT NULL UNIQUE,"
    " PRIMARY KEY (owner, position)) WITHOUT ROWID;"
    "CREATE TABLE account ("
    " owner INTEGER NOT NULL REFERENCES collaborator (row) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " host TEXT NOT NULL, login TEXT NOT NULL, rule TEXT,"
    " uid INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967295),"
    " state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3), source INTEGER NOT NULL CHECK (source BETWEEN 0 AND 2),"
    " address_hash INTEGER NOT NULL, since INTEGER NOT NULL, missing_since INTEGER NOT NULL,"
    " reported INTEGER NOT NULL, by_admin INTEGER NOT NULL, local INTEGER NOT NULL,"
    " PRIMARY KEY (owner, position), UNIQUE (host, login)) WITHOUT ROWID;"
    "CREATE TABLE redeem (slot INTEGER PRIMARY KEY, url BLOB NOT NULL);"
    "CREATE TABLE redeem_free (size INTEGER NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (size, slot)) WITHOUT ROWID;"
    "CREATE TABLE history ("
    " number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, detail TEXT, crid TEXT);"
    "CREATE INDEX history_id ON history (id, number);"
    "CREATE TABLE mail_right ("
    " address TEXT NOT NULL, round INTEGER NOT NULL, crid TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (address, round)) WITHOUT ROWID;"
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/* Version 2. What was recorded before is of guests that were there already (linked) or that we made. */
static const char version_2[] = "ALTER TABLE collaborator ADD COLUMN reset INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE collaborator ADD COLUMN reset_email TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN requester TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN made INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE collaborator ADD COLUMN invitation_sent TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN invitation_status TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN invitation_notes TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN sponsors TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN sponsoring INTEGER NOT NULL DEFAULT 0"
                                " CHECK (sponsoring BETWEEN 0 AND 4);"
                                "ALTER TABLE collaborator ADD COLUMN sponsor_note TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN error_client_request_id TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN without_mail INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE collaborator ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE collaborator ADD COLUMN deleted_guest_id TEXT;"
                                "ALTER TABLE collaborator ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0;"
                                "CREATE TABLE membership ("
                                " owner INTEGER NOT NULL REFERENCES collaborator (row) ON DELETE CASCADE,"
                                " position INTEGER NOT NULL, entra_group TEXT NOT NULL,"
                                " added_at INTEGER NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL,"
                                " error_code TEXT, error_message TEXT, error_request_id TEXT,"
                                " error_client_request_id TEXT, PRIMARY KEY (owner, position)) WITHOUT ROWID;"
                                "UPDATE collaborator SET made = 1 WHERE linked = 0 AND guest_id IS NOT NULL;";

/* Version 3. Until then all mail was Microsoft's; who is pending is waited for since the URL came. */
static const char version_3[] =
    "ALTER TABLE collaborator ADD COLUMN mail_channel INTEGER NOT NULL DEFAULT 0 CHECK (mail_channel BETWEEN 0 AND 3);"
    "ALTER TABLE collaborator ADD COLUMN reminding INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN mailed_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN invited_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN reminded_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN expired_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN notice_next INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collaborator ADD COLUMN notice_round INTEGER NOT NULL DEFAULT 0;"
    "UPDATE collaborator SET mail_channel = 1 WHERE mail <> 0;"
    "UPDATE collaborator SET invited_at = url_at WHERE step = 7;";

const struct ei_sqlite_migration ei_sqlite_migrations[] = {{version_1}, {version_2}, {version_3}};
const int ei_sqlite_schema_version = sizeof ei_sqlite_migrations / sizeof ei_sqlite_migrations[0];

static enum ei_err file_failed(const char *path, struct ei_error *err)
{
    return ei_fail(err, ei_err_of_write(errno), "%s: backup before the schema change: %s", path, strerror(errno));
}

/* SQLite writes into the empty file that is made here, so the copy is never readable for others. */
static enum ei_err make_empty(const char *path, struct ei_error *err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return file_failed(path, err);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(path, err);
    close(fd);
    return EI_OK;
}

static enum ei_err sync_path(const char *path, int flags, struct ei_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0 || fsync(fd) < 0) {
        enum ei_err rc = file_failed(path, err);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    close(fd);
    return EI_OK;
}

/* A copy that outlives the acceptance must not hold the URL (K7): a restored store asks for a new one by `resend`. */
static enum ei_err drop_urls(const char *backup, struct ei_error *err)
{
    sqlite3 *db = NULL;
    enum ei_err rc = EI_OK;

    if (sqlite3_open_v2(backup, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = ei_sqlite_fail(db, backup, err);
    if (rc == EI_OK)
        rc = ei_sqlite_exec(db, backup,
                            "PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"
                            "UPDATE collaborator SET url_slot = NULL;"
                            "DELETE FROM redeem; DELETE FROM redeem_free; VACUUM;",
                            err);
    sqlite3_close(db);
    return rc;
}

static enum ei_err copy_database(sqlite3 *db, const char *backup, struct ei_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum ei_err rc = EI_OK;

    errno = 0;
    if (sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_bind_text(statement, 1, backup, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_DONE)
        /* To SQLite a copy that cannot be read is a damaged database; this one is whole. */
        rc = errno == EIO ? file_failed(backup, err) : ei_sqlite_fail(db, backup, err);
    sqlite3_finalize(statement);
    return rc;
}

static enum ei_err back_up(sqlite3 *db, const char *path, int version, struct ei_error *err)
{
    char *backup = NULL;
    char *directory = NULL;
    enum ei_err rc = EI_NOMEM;

    if (asprintf(&backup, "%s.v%d", path, version) < 0) {
        backup = NULL;
        goto out;
    }
    directory = strdup(path);
    if (directory == NULL)
        goto out;
    rc = make_empty(backup, err);
    if (rc == EI_OK)
        rc = copy_database(db, backup, err);
    if (rc == EI_OK)
        rc = drop_urls(backup, err);
    if (rc == EI_OK)
        rc = sync_path(backup, 0, err);
    if (rc == EI_OK)
        rc = sync_path(dirname(directory), O_DIRECTORY, err);
    if (rc != EI_OK)
        unlink(backup);
out:
    if (rc == EI_NOMEM)
        ei_fail(err, rc, "%s: backup before the schema change: out of memory", path);
    free(directory);
    free(backup);
    return rc;
}

/* Also says whose database it is: a file with another program's id, or with tables but without an id, is not ours. */
static enum ei_err read_version(sqlite3 *db, const char *path, int64_t *ret_version, struct ei_error *err)
{
    int64_t id;
    int64_t tables;
    enum ei_err rc = ei_sqlite_number(db, path, "PRAGMA application_id", &id, err);

    if (rc == EI_OK)
        rc = ei_sqlite_number(db, path, "PRAGMA user_version", ret_version, err);
    if (rc == EI_OK)
        rc = ei_sqlite_number(db, path, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (rc != EI_OK)
        return rc;
    bool ours = id == EI_SQLITE_APPLICATION_ID && *ret_version > 0;
    bool fresh = id == 0 && *ret_version == 0 && tables == 0;
    if (!ours && !fresh)
        return ei_fail(err, EI_STORE_DAMAGED, "%s: not an entra-invite database (application id %#llx)", path,
                       (unsigned long long)id);
    return EI_OK;
}

static enum ei_err apply(sqlite3 *db, const char *path, const struct ei_sqlite_migration *migrations, int from, int to,
                         struct ei_error *err)
{
    char stamp[96];
    enum ei_err rc = ei_sqlite_exec(db, path, "BEGIN IMMEDIATE", err);

    for (int version = from; rc == EI_OK && version < to; version++)
        rc = ei_sqlite_exec(db, path, migrations[version].sql, err);
    if (rc == EI_OK) {
        snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                 EI_SQLITE_APPLICATION_ID, to);
        rc = ei_sqlite_exec(db, path, stamp, err);
    }
    if (rc != EI_OK && sqlite3_get_autocommit(db) == 0)
        ei_sqlite_exec(db, path, "ROLLBACK", NULL);
    return rc;
}

enum ei_err ei_sqlite_migrate(sqlite3 *db, const char *path, const struct ei_sqlite_migration *migrations, int count,
                              struct ei_error *err)
{
    int64_t version;
    enum ei_err rc = read_version(db, path, &version, err);

    if (rc != EI_OK)
        return rc;
    if (version > count)
        return ei_fail(err, EI_STORE_NEWER, "%s: schema version %lld, this program knows up to %d", path,
                       (long long)version, count);
    if (version == count)
        return EI_OK;
    if (version > 0)
        rc = back_up(db, path, (int)version, err);
    return rc == EI_OK ? apply(db, path, migrations, (int)version, count, err) : rc;
}

#include "common/store/sqlite/sqlite_internal.h"

/* SQLite undoes the whole transaction by itself after some errors (disk full, out of memory, I/O). */
static bool undone(const struct ei_sqlite *store)
{
    return sqlite3_get_autocommit(store->db) != 0;
}

static enum ei_err control(struct ei_sqlite *store, enum ei_sqlite_statement which, struct ei_error *err)
{
    return ei_sqlite_run(store, ei_sqlite_statement(store, which, err), err);
}

/*
 * secure_delete has overwritten the URL in the database, but older pages that hold it are still in the write-ahead log:
 * copying the log back and cutting it to nothing ends that. When somebody's read is in the way it is tried again
 * after the next commit, and at the next open.
 */
static void erase_traces(struct ei_sqlite *store)
{
    if (!store->url_touched || store->in_batch || !undone(store))
        return;
    sqlite3_busy_timeout(store->db, 0);
    if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
        store->url_touched = false;
    sqlite3_busy_timeout(store->db, EI_SQLITE_BUSY_MS);
}

static void roll_back(struct ei_sqlite *store)
{
    if (!undone(store))
        control(store, EI_SQL_ROLLBACK, NULL);
    store->url_touched = true; /* what was undone may have reached the log */
}

/*
 * The one way into a transaction. One that could not be undone for want of memory is undone before: it would be in the
 * way of every other, and take part in what they read.
 */
static enum ei_err begin(struct ei_sqlite *store, struct ei_error *err)
{
    if (!undone(store))
        roll_back(store);
    return control(store, EI_SQL_BEGIN, err);
}

/* Also seen here when no call of ours was under way: a savepoint or commit would then stand alone. */
static bool is_broken(struct ei_sqlite *store)
{
    if (store->broken == EI_OK && undone(store))
        store->broken = EI_IO;
    return store->broken != EI_OK;
}

static enum ei_err broken(const struct ei_sqlite *store, struct ei_error *err)
{
    return ei_fail(err, store->broken, "%s: the batch was undone after an earlier error (%s)", store->path,
                   ei_err_name(store->broken));
}

enum ei_err ei_sqlite_change_begin(struct ei_sqlite *store, struct ei_error *err)
{
    if (store->walks > 0)
        return ei_fail(err, EI_BUSY, "%s: a walk over the store is under way", store->path);
    if (!store->in_batch)
        return begin(store, err);
    if (is_broken(store))
        return broken(store, err);
    return control(store, EI_SQL_SAVEPOINT, err);
}

static enum ei_err savepoint_end(struct ei_sqlite *store, enum ei_err rc, struct ei_error *err)
{
    if (rc == EI_OK)
        rc = control(store, EI_SQL_RELEASE, err);
    if (rc == EI_OK)
        return EI_OK;
    if (!undone(store) && control(store, EI_SQL_ROLLBACK_TO, NULL) == EI_OK &&
        control(store, EI_SQL_RELEASE, NULL) == EI_OK)
        return rc;
    roll_back(store);
    store->broken = rc;
    return rc;
}

enum ei_err ei_sqlite_change_end(struct ei_sqlite *store, enum ei_err rc, struct ei_error *err)
{
    if (store->in_batch)
        return savepoint_end(store, rc, err);
    if (rc == EI_OK)
        rc = control(store, EI_SQL_COMMIT, err);
    if (rc != EI_OK)
        roll_back(store);
    erase_traces(store);
    return rc;
}

enum ei_err ei_sqlite_batch_begin(struct ei_store *base, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);

    if (store->in_batch)
        return ei_fail(err, EI_USAGE, "%s: a batch is already open", store->path);
    if (store->walks > 0)
        return ei_fail(err, EI_BUSY, "%s: a walk over the store is under way", store->path);
    enum ei_err rc = begin(store, err);
    store->in_batch = rc == EI_OK;
    store->broken = EI_OK;
    return rc;
}

enum ei_err ei_sqlite_batch_end(struct ei_store *base, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc;

    if (!store->in_batch)
        return ei_fail(err, EI_USAGE, "%s: no batch is open", store->path);
    if (is_broken(store))
        rc = broken(store, err);
    else
        rc = control(store, EI_SQL_COMMIT, err);
    if (rc != EI_OK)
        roll_back(store);
    store->in_batch = false;
    erase_traces(store);
    return rc;
}

void ei_sqlite_batch_abandon(struct ei_store *base)
{
    struct ei_sqlite *store = ei_sqlite_of(base);

    if (!store->in_batch)
        return;
    roll_back(store);
    store->in_batch = false;
    erase_traces(store);
}

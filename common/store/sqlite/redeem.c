/*
 * Redeem URLs, kept so that they can be erased (K7).
 *
 * secure_delete overwrites what is deleted, but when SQLite splits or joins pages it moves rows and leaves the old
 * copies in the unused part of a page; a row deleted later is then still readable in the file. So a URL lives in a
 * slot: a row of fixed size that is appended once, never deleted, and overwritten in place with another URL or with
 * zeros. Appending at the end and overwriting with the same size are the two operations that move no row.
 */
#include "common/store/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"

/* Four of the small slots fill a page; Microsoft's URLs fit in with room to spare. */
static const size_t slot_sizes[] = {1000, 16000};

/* 0 if the URL is longer than any slot. */
static size_t size_for(const char *url)
{
    for (size_t i = 0; i < sizeof slot_sizes / sizeof slot_sizes[0]; i++) {
        if (strlen(url) <= slot_sizes[i])
            return slot_sizes[i];
    }
    return 0;
}

/* url NULL: zeros. */
static enum ei_err write_slot(struct ei_sqlite *store, enum ei_sqlite_statement which, int64_t slot, const char *url,
                              size_t size, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, which, err);
    char *bytes = calloc(1, size);

    if (bytes == NULL)
        return ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    if (url != NULL)
        memcpy(bytes, url, strlen(url));
    sqlite3_bind_blob(statement, 1, bytes, (int)size, SQLITE_STATIC);
    if (slot != 0)
        sqlite3_bind_int64(statement, 2, slot);
    enum ei_err rc = ei_sqlite_run(store, statement, err);
    explicit_bzero(bytes, size);
    free(bytes);
    return rc;
}

static enum ei_err mark(struct ei_sqlite *store, enum ei_sqlite_statement which, size_t size, int64_t slot,
                        struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, which, err);
    sqlite3_bind_int64(statement, 1, (int64_t)size);
    sqlite3_bind_int64(statement, 2, slot);
    return ei_sqlite_run(store, statement, err);
}

/* *ret_slot 0: none is free. */
static enum ei_err find_free(struct ei_sqlite *store, size_t size, int64_t *ret_slot, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_SLOT_FREE, err);
    enum ei_err rc = EI_OK;

    *ret_slot = 0;
    sqlite3_bind_int64(statement, 1, (int64_t)size);
    int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    if (step == SQLITE_ROW)
        *ret_slot = sqlite3_column_int64(statement, 0);
    else if (step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

static enum ei_err fill(struct ei_sqlite *store, const char *url, int64_t *ret_slot, struct ei_error *err)
{
    size_t size = size_for(url);
    int64_t slot;

    if (size == 0)
        return ei_fail(err, EI_USAGE, "a redeem URL of %zu bytes is too long to be stored", strlen(url));
    enum ei_err rc = find_free(store, size, &slot, err);
    if (rc != EI_OK)
        return rc;
    if (slot == 0) {
        rc = write_slot(store, EI_SQL_SLOT_APPEND, 0, url, size, err);
        *ret_slot = sqlite3_last_insert_rowid(store->db);
        return rc;
    }
    rc = write_slot(store, EI_SQL_SLOT_WRITE, slot, url, size, err);
    if (rc == EI_OK)
        rc = mark(store, EI_SQL_SLOT_TAKE, size, slot, err);
    *ret_slot = slot;
    return rc;
}

enum ei_err ei_sqlite_url_save(struct ei_sqlite *store, const char *before, const char *url, int64_t *slot,
                               struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    if (before != NULL && url != NULL && strcmp(before, url) == 0)
        return EI_OK;
    if (before != NULL && *slot != 0) {
        size_t size = size_for(before);
        store->url_touched = true;
        if (url != NULL && size_for(url) == size)
            return write_slot(store, EI_SQL_SLOT_WRITE, *slot, url, size, err);
        rc = write_slot(store, EI_SQL_SLOT_WRITE, *slot, NULL, size, err);
        if (rc == EI_OK)
            rc = mark(store, EI_SQL_SLOT_GIVE, size, *slot, err);
        *slot = 0;
    }
    return rc == EI_OK && url != NULL ? fill(store, url, slot, err) : rc;
}

enum ei_err ei_sqlite_url_load(struct ei_sqlite *store, int64_t slot, char **ret_url, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_SLOT_READ, err);
    enum ei_err rc = EI_OK;

    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_int64(statement, 1, slot);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        const char *bytes = sqlite3_column_blob(statement, 0);
        ei_free_erased(*ret_url);
        *ret_url = strndup(bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(statement, 0));
        if (*ret_url == NULL)
            rc = ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    } else if (step == SQLITE_DONE) {
        rc = ei_fail(err, EI_STORE_DAMAGED, "%s: redeem slot %lld is missing", store->path, (long long)slot);
    } else {
        rc = ei_sqlite_fail(store->db, store->path, err);
    }
    ei_sqlite_done(statement);
    return rc;
}

#include "common/store/sqlite/sqlite_internal.h"

#include <stdio.h>

/* Appends the ids that the statement, limited to what there is room for, gives. */
static enum ei_err take_ids(struct ei_sqlite *store, sqlite3_stmt *statement, char (*ids)[EI_GUID_TEXT], size_t *count,
                            struct ei_error *err)
{
    enum ei_err rc = EI_OK;
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(statement, 0);
        snprintf(ids[(*count)++], EI_GUID_TEXT, "%s", id != NULL ? id : "");
    }
    if (step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

static enum ei_err due_of_queue(struct ei_sqlite *store, int queue, int64_t now, char (*ids)[EI_GUID_TEXT],
                                size_t limit, size_t *count, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_DUE, err);

    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_int(statement, 1, queue);
    sqlite3_bind_int64(statement, 2, now);
    sqlite3_bind_int64(statement, 3, (int64_t)(limit - *count));
    return take_ids(store, statement, ids, count, err);
}

enum ei_err ei_sqlite_of_guest(struct ei_store *base, const char *guest_id, char (*ids)[EI_GUID_TEXT], size_t limit,
                               size_t *ret_count, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_OF_GUEST, err);

    *ret_count = 0;
    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_text(statement, 1, guest_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (int64_t)limit);
    return take_ids(store, statement, ids, ret_count, err);
}

enum ei_err ei_sqlite_due(struct ei_store *base, int64_t now, char (*ids)[EI_GUID_TEXT], size_t limit,
                          size_t *ret_count, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    *ret_count = 0;
    for (int queue = 0; rc == EI_OK && queue < EI_QUEUE_COUNT && *ret_count < limit; queue++)
        rc = due_of_queue(ei_sqlite_of(base), queue, now, ids, limit, ret_count, err);
    return rc;
}

enum ei_err ei_sqlite_next_due(struct ei_store *base, int64_t *ret_time, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = EI_OK;

    *ret_time = INT64_MAX;
    for (int queue = 0; rc == EI_OK && queue < EI_QUEUE_COUNT; queue++) {
        sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_NEXT_DUE, err);
        sqlite3_bind_int(statement, 1, queue);
        int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
        if (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) < *ret_time)
            *ret_time = sqlite3_column_int64(statement, 0);
        if (step != SQLITE_ROW && step != SQLITE_DONE)
            rc = ei_sqlite_fail(store->db, store->path, err);
        ei_sqlite_done(statement);
    }
    return rc;
}

enum ei_err ei_sqlite_hasten(struct ei_store *base, int64_t now, bool all_steps, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = ei_sqlite_change_begin(store, err);

    if (rc != EI_OK)
        return rc;
    for (int queue = all_steps ? 0 : EI_QUEUE_URGENT_LOOK; rc == EI_OK && queue < EI_QUEUE_COUNT; queue++) {
        sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_HASTEN, err);
        sqlite3_bind_int(statement, 1, queue);
        sqlite3_bind_int64(statement, 2, now);
        rc = ei_sqlite_run(store, statement, err);
    }
    return ei_sqlite_change_end(store, rc, err);
}

#include "common/store/sqlite/sqlite_internal.h"

#include "common/base/clock.h"

/* Only the index is walked, and not far: the history grows by one line a time. */
static enum ei_err trim(struct ei_sqlite *store, const char *id, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_EVENT_TRIM, err);

    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, EI_HISTORY_MAX);
    return ei_sqlite_run(store, statement, err);
}

enum ei_err ei_sqlite_event(struct ei_sqlite *store, const struct ei_collaborator *c, const char *event,
                            const char *detail, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_EVENT_INSERT, err);

    sqlite3_bind_text(statement, 1, c->id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, ei_now());
    sqlite3_bind_text(statement, 3, event, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, detail, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, c->job.crid[0] != '\0' ? c->job.crid : NULL, -1, SQLITE_STATIC);
    enum ei_err rc = ei_sqlite_run(store, statement, err);
    return rc == EI_OK ? trim(store, c->id, err) : rc;
}

enum ei_err ei_sqlite_forget_events(struct ei_sqlite *store, const char *id, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_EVENT_FORGET, err);

    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    return ei_sqlite_run(store, statement, err);
}

static const char *column(sqlite3_stmt *statement, int i)
{
    const char *text = (const char *)sqlite3_column_text(statement, i);
    return text != NULL ? text : "";
}

enum ei_err ei_sqlite_history(struct ei_store *base, const char *id, int64_t after, ei_store_event_visit *each,
                              void *context, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    sqlite3_stmt *statement = NULL;
    enum ei_err rc = EI_OK;
    int step;

    if (sqlite3_prepare_v2(store->db, ei_sqlite_history_text, -1, &statement, NULL) != SQLITE_OK)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, after);
    store->walks++;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct ei_event event = {.number = sqlite3_column_int64(statement, 0),
                                 .at = sqlite3_column_int64(statement, 1),
                                 .event = column(statement, 2),
                                 .detail = column(statement, 3),
                                 .crid = column(statement, 4)};
        rc = each(context, &event);
        if (rc != EI_OK)
            break;
    }
    if (rc == EI_OK && step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    sqlite3_finalize(statement);
    store->walks--;
    return rc;
}

enum ei_err ei_sqlite_meta_get(struct ei_store *base, const char *key, char **ret_value, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_META_GET, err);
    enum ei_err rc = EI_OK;

    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW && !ei_sqlite_text(statement, 0, ret_value))
        rc = ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    else if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

enum ei_err ei_sqlite_meta_set(struct ei_store *base, const char *key, const char *value, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = ei_sqlite_change_begin(store, err);

    if (rc != EI_OK)
        return rc;
    sqlite3_stmt *statement = ei_sqlite_statement(store, value != NULL ? EI_SQL_META_SET : EI_SQL_META_DELETE, err);
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (value != NULL)
        sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
    rc = ei_sqlite_run(store, statement, err);
    return ei_sqlite_change_end(store, rc, err);
}

enum ei_err ei_sqlite_claim_mail(struct ei_store *base, const char *folded, uint32_t round, const char *crid,
                                 struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = ei_sqlite_change_begin(store, err);

    if (rc != EI_OK)
        return rc;
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_CLAIM_MAIL, err);
    sqlite3_bind_text(statement, 1, folded, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, round);
    sqlite3_bind_text(statement, 3, crid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, ei_now());
    rc = ei_sqlite_run(store, statement, err);
    if (rc == EI_CONFLICT)
        ei_fail(err, EI_CONFLICT, "the right to mail %s in round %u is already spent", folded, round);
    return ei_sqlite_change_end(store, rc, err);
}

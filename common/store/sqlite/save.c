#include "common/store/sqlite/sqlite_internal.h"

#include <string.h>

#include "common/store/sqlite/columns.h"

/*
 * Binds the parameters of a statement one after another. Texts are bound in place: they outlive the step, and
 * SQLite then makes no copy of its own that would have to be erased. Binding cannot fail but for texts of gigabytes.
 */
struct binder {
    sqlite3_stmt *statement;
    int parameter;
};

static void bind_int(struct binder *binder, int64_t value)
{
    sqlite3_bind_int64(binder->statement, binder->parameter++, value);
}

static void bind_text(struct binder *binder, const char *value)
{
    sqlite3_bind_text(binder->statement, binder->parameter++, value, -1, SQLITE_STATIC);
}

static void bind_queue(struct binder *binder, const struct ei_job *job)
{
    switch (job->step) {
    case EI_STEP_IDLE:
    case EI_STEP_FAILED:
        sqlite3_bind_null(binder->statement, binder->parameter++);
        return;
    case EI_STEP_PENDING:
    case EI_STEP_ACCEPTED:
        bind_int(binder, job->urgent ? EI_QUEUE_URGENT_LOOK : EI_QUEUE_LOOK);
        return;
    default:
        bind_int(binder, job->urgent ? EI_QUEUE_URGENT : EI_QUEUE_NORMAL);
    }
}

static void bind_error(struct binder *binder, const struct ei_error *error)
{
    bool none = error->code == EI_OK;

    bind_text(binder, none ? NULL : ei_err_name(error->code));
    bind_text(binder, none ? NULL : error->message);
    bind_text(binder, none ? NULL : error->request_id);
    bind_text(binder, none ? NULL : error->client_request_id);
}

static void bind_slot(struct binder *binder, int64_t slot)
{
    if (slot == 0)
        sqlite3_bind_null(binder->statement, binder->parameter++);
    else
        bind_int(binder, slot);
}

/* In the order of EI_SQL_COLUMNS. */
static void bind_columns(struct binder *binder, const struct ei_collaborator *c, int64_t slot)
{
    bind_text(binder, c->id);
    bind_int(binder, c->revision + 1);
    bind_queue(binder, &c->job);
    bind_int(binder, c->job.step);
    bind_int(binder, c->job.attempts);
    bind_int(binder, c->job.not_before);
    bind_int(binder, c->job.started_at);
    bind_text(binder, c->job.crid);
    bind_int(binder, c->job.urgent);
    bind_text(binder, c->job.rule);
    bind_text(binder, c->job.overrides);
    bind_int(binder, c->job.resume);
    bind_int(binder, c->job.offboard);
    bind_int(binder, c->job.creates);
    bind_int(binder, c->job.reset);
    bind_text(binder, c->job.reset_email);
    bind_text(binder, c->display_name);
    bind_text(binder, c->requested_by);
    bind_text(binder, c->requester);
    bind_int(binder, c->requested_at);
    bind_text(binder, c->guest_id);
    bind_text(binder, c->user_principal_name);
    bind_text(binder, c->user_type);
    bind_text(binder, c->external_user_state);
    bind_int(binder, c->state_changed_at);
    bind_int(binder, c->checked_at);
    bind_int(binder, c->not_found_since);
    bind_int(binder, c->linked);
    bind_int(binder, c->made);
    bind_int(binder, c->without_mail);
    bind_int(binder, c->disabled);
    bind_text(binder, c->deleted_guest_id);
    bind_int(binder, c->deleted_at);
    bind_text(binder, c->invitation_sent);
    bind_text(binder, c->invitation_status);
    bind_text(binder, c->invitation_notes);
    bind_text(binder, c->sponsors);
    bind_int(binder, c->sponsoring);
    bind_text(binder, c->sponsor_note);
    bind_slot(binder, slot);
    bind_int(binder, c->url_at);
    bind_int(binder, c->mail);
    bind_int(binder, c->mail_round);
    bind_error(binder, &c->error);
    bind_int(binder, c->error_permanent);
    bind_int(binder, c->state_at);
    bind_int(binder, c->mail_channel);
    bind_int(binder, c->reminding);
    bind_int(binder, c->mailed_at);
    bind_int(binder, c->invited_at);
    bind_int(binder, c->reminded_at);
    bind_int(binder, c->expired_at);
    bind_int(binder, c->notice);
    bind_int(binder, c->notice_next);
    bind_int(binder, c->notice_round);
}

static enum ei_err changed_meanwhile(const struct ei_collaborator *c, const struct ei_collaborator *stored,
                                     struct ei_error *err)
{
    if (stored == NULL)
        return ei_fail(err, EI_CONFLICT, "collaborator %s is not in the store any more", c->id);
    return ei_fail(err, EI_CONFLICT, "collaborator %s was changed meanwhile: revision %lld is stored, not %lld", c->id,
                   (long long)stored->revision, (long long)c->revision);
}

static enum ei_err insert(struct ei_sqlite *store, const struct ei_collaborator *c, struct ei_error *err)
{
    int64_t slot = 0;
    enum ei_err rc = ei_sqlite_url_save(store, NULL, c->redeem_url, &slot, err);

    if (rc != EI_OK)
        return rc;
    struct binder binder = {ei_sqlite_statement(store, EI_SQL_INSERT, err), 1};
    bind_columns(&binder, c, slot);
    rc = ei_sqlite_run(store, binder.statement, err);
    if (rc == EI_CONFLICT)
        return ei_fail(err, EI_CONFLICT, "collaborator %s is already in the store", c->id);
    return rc == EI_OK ? ei_sqlite_save_lists(store, sqlite3_last_insert_rowid(store->db), NULL, c, err) : rc;
}

static enum ei_err update(struct ei_sqlite *store, const struct ei_collaborator *c, int64_t slot, struct ei_error *err)
{
    struct binder binder = {ei_sqlite_statement(store, EI_SQL_UPDATE, err), 1};

    bind_columns(&binder, c, slot);
    sqlite3_bind_int64(binder.statement, EI_SQL_EXPECTED, c->revision);
    return ei_sqlite_run(store, binder.statement, err);
}

/* What is stored under the id, where (row, slot), and that it has the revision the caller knows. */
static enum ei_err find(struct ei_sqlite *store, const struct ei_collaborator *c, struct ei_collaborator **ret_before,
                        int64_t *ret_row, int64_t *ret_slot, struct ei_error *err)
{
    enum ei_err rc = ei_sqlite_get(&store->base, c->id, ret_before, err);

    if (rc == EI_NOT_FOUND || (rc == EI_OK && (*ret_before)->revision != c->revision))
        return changed_meanwhile(c, *ret_before, err);
    if (rc != EI_OK)
        return rc;
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_PLACE, err);
    sqlite3_bind_text(statement, 1, c->id, -1, SQLITE_STATIC);
    if (statement == NULL || sqlite3_step(statement) != SQLITE_ROW) {
        rc = ei_sqlite_fail(store->db, store->path, err);
    } else {
        *ret_row = sqlite3_column_int64(statement, 0);
        *ret_slot = sqlite3_column_int64(statement, 1);
    }
    ei_sqlite_done(statement);
    return rc;
}

static enum ei_err replace(struct ei_sqlite *store, const struct ei_collaborator *c, struct ei_error *err)
{
    struct ei_collaborator *before = NULL;
    int64_t row = 0;
    int64_t slot = 0;
    enum ei_err rc = find(store, c, &before, &row, &slot, err);

    if (rc == EI_OK)
        rc = ei_sqlite_url_save(store, before->redeem_url, c->redeem_url, &slot, err);
    if (rc == EI_OK)
        rc = update(store, c, slot, err);
    if (rc == EI_OK)
        rc = ei_sqlite_save_lists(store, row, before, c, err);
    ei_collaborator_free(before);
    return rc;
}

enum ei_err ei_sqlite_put(struct ei_store *base, struct ei_collaborator *c, const char *event, const char *detail,
                          struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = ei_sqlite_change_begin(store, err);

    if (rc != EI_OK)
        return rc;
    rc = c->revision != 0 ? replace(store, c, err) : insert(store, c, err);
    if (rc == EI_OK && event != NULL)
        rc = ei_sqlite_event(store, c, event, detail, err);
    rc = ei_sqlite_change_end(store, rc, err);
    if (rc == EI_OK)
        c->revision++;
    return rc;
}

static enum ei_err delete_row(struct ei_sqlite *store, const struct ei_collaborator *c, struct ei_error *err)
{
    struct ei_collaborator *before = NULL;
    int64_t row = 0;
    int64_t slot = 0;
    enum ei_err rc = find(store, c, &before, &row, &slot, err);

    if (rc == EI_OK)
        rc = ei_sqlite_url_save(store, before->redeem_url, NULL, &slot, err);
    if (rc == EI_OK) {
        sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_DELETE, err);
        sqlite3_bind_text(statement, 1, c->id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, c->revision);
        rc = ei_sqlite_run(store, statement, err);
    }
    if (rc == EI_OK)
        rc = ei_sqlite_forget_events(store, c->id, err);
    ei_collaborator_free(before);
    return rc;
}

enum ei_err ei_sqlite_remove(struct ei_store *base, const struct ei_collaborator *c, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    enum ei_err rc = ei_sqlite_change_begin(store, err);

    if (rc != EI_OK)
        return rc;
    return ei_sqlite_change_end(store, delete_row(store, c, err), err);
}

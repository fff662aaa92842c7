#include "common/store/sqlite/sqlite_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/store/sqlite/columns.h"

/* Reads the columns of a row one after another, and remembers whether memory ran out on the way. */
struct reader {
    sqlite3_stmt *statement;
    int column;
    bool failed;
};

static int64_t next_int(struct reader *reader)
{
    return sqlite3_column_int64(reader->statement, reader->column++);
}

static void next_text(struct reader *reader, char **ret)
{
    if (!ei_sqlite_text(reader->statement, reader->column++, ret))
        reader->failed = true;
}

/* Fixed-size fields: what does not fit is cut, which only a damaged file brings about. */
static void next_fixed(struct reader *reader, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(reader->statement, reader->column++);
    snprintf(out, size, "%s", text != NULL ? text : "");
}

static void read_error(struct reader *reader, struct ei_error *error)
{
    char name[64];

    next_fixed(reader, name, sizeof name);
    next_fixed(reader, error->message, sizeof error->message);
    next_fixed(reader, error->request_id, sizeof error->request_id);
    next_fixed(reader, error->client_request_id, sizeof error->client_request_id);
    if (name[0] == '\0')
        error->code = EI_OK;
    else if (!ei_err_from_name(name, &error->code))
        error->code = EI_IO; /* of another version: its text still says what it was */
}

static void read_job(struct reader *reader, struct ei_job *job)
{
    job->step = (enum ei_step)next_int(reader);
    job->attempts = (uint32_t)next_int(reader);
    job->not_before = next_int(reader);
    job->started_at = next_int(reader);
    next_fixed(reader, job->crid, sizeof job->crid);
    job->urgent = next_int(reader) != 0;
    next_text(reader, &job->rule);
    next_text(reader, &job->overrides);
    job->resume = (enum ei_step)next_int(reader);
    job->offboard = (int)next_int(reader);
    job->creates = (uint32_t)next_int(reader);
    job->reset = next_int(reader) != 0;
    next_text(reader, &job->reset_email);
}

/* In the order of EI_SQL_COLUMNS. *ret_slot 0: no redeem URL. */
static void read_columns(struct reader *reader, struct ei_collaborator *c, int64_t *ret_slot)
{
    next_fixed(reader, c->id, sizeof c->id);
    c->revision = next_int(reader);
    reader->column++; /* queue follows from step and urgent */
    read_job(reader, &c->job);
    next_text(reader, &c->display_name);
    next_text(reader, &c->requested_by);
    next_text(reader, &c->requester);
    c->requested_at = next_int(reader);
    next_text(reader, &c->guest_id);
    next_text(reader, &c->user_principal_name);
    next_text(reader, &c->user_type);
    next_text(reader, &c->external_user_state);
    c->state_changed_at = next_int(reader);
    c->checked_at = next_int(reader);
    c->not_found_since = next_int(reader);
    c->linked = next_int(reader) != 0;
    c->made = next_int(reader) != 0;
    c->without_mail = next_int(reader) != 0;
    c->disabled = next_int(reader) != 0;
    next_text(reader, &c->deleted_guest_id);
    c->deleted_at = next_int(reader);
    next_text(reader, &c->invitation_sent);
    next_text(reader, &c->invitation_status);
    next_text(reader, &c->invitation_notes);
    next_text(reader, &c->sponsors);
    c->sponsoring = (enum ei_sponsoring)next_int(reader);
    next_text(reader, &c->sponsor_note);
    *ret_slot = next_int(reader);
    c->url_at = next_int(reader);
    c->mail = (enum ei_mail)next_int(reader);
    c->mail_round = (uint32_t)next_int(reader);
    read_error(reader, &c->error);
    c->error_permanent = next_int(reader) != 0;
    c->state_at = next_int(reader);
    c->mail_channel = (int)next_int(reader);
    c->reminding = next_int(reader) != 0;
    c->mailed_at = next_int(reader);
    c->invited_at = next_int(reader);
    c->reminded_at = next_int(reader);
    c->expired_at = next_int(reader);
    c->notice = next_int(reader) != 0;
    c->notice_next = (uint32_t)next_int(reader);
    c->notice_round = (uint32_t)next_int(reader);
}

/* Column 0 of each list is the owner's row. */
static bool read_address(sqlite3_stmt *statement, struct ei_collaborator *c)
{
    const char *written = (const char *)sqlite3_column_text(statement, 1);
    return written != NULL && ei_collaborator_add_address(c, written);
}

static bool read_account(sqlite3_stmt *statement, struct ei_collaborator *c)
{
    struct reader reader = {.statement = statement, .column = 5};
    const char *host = (const char *)sqlite3_column_text(statement, 1);
    const char *login = (const char *)sqlite3_column_text(statement, 2);
    const char *rule = (const char *)sqlite3_column_text(statement, 3);

    if (host == NULL || login == NULL)
        return false;
    struct ei_account *account =
        ei_collaborator_add_account(c, host, login, (uid_t)sqlite3_column_int64(statement, 4), rule);
    if (account == NULL)
        return false;
    account->state = (enum ei_account_state)next_int(&reader);
    account->source = (enum ei_source)next_int(&reader);
    account->address_hash = (uint64_t)next_int(&reader);
    account->since = next_int(&reader);
    account->missing_since = next_int(&reader);
    account->reported = next_int(&reader) != 0;
    account->by_admin = next_int(&reader) != 0;
    account->local = next_int(&reader) != 0;
    return true;
}

static bool read_membership(sqlite3_stmt *statement, struct ei_collaborator *c)
{
    struct reader reader = {.statement = statement, .column = 2};
    const char *group = (const char *)sqlite3_column_text(statement, 1);
    struct ei_membership *membership = group != NULL ? ei_collaborator_add_membership(c, group) : NULL;

    if (membership == NULL)
        return false;
    membership->added_at = next_int(&reader);
    membership->attempts = (uint32_t)next_int(&reader);
    membership->not_before = next_int(&reader);
    read_error(&reader, &membership->error);
    return true;
}

typedef bool read_item(sqlite3_stmt *, struct ei_collaborator *);

static enum ei_err load_list(struct ei_sqlite *store, enum ei_sqlite_statement which, int64_t row, read_item *read,
                             struct ei_collaborator *c, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, which, err);
    enum ei_err rc = EI_OK;
    int step;

    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_int64(statement, 1, row);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && rc == EI_OK) {
        if (!read(statement, c))
            rc = ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    }
    if (rc == EI_OK && step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

/* The statement stands on a row of "row, id, columns": all but the lists. */
static enum ei_err load_row(struct ei_sqlite *store, sqlite3_stmt *statement, struct ei_collaborator **ret,
                            struct ei_error *err)
{
    struct reader reader = {.statement = statement, .column = 1};
    int64_t slot = 0;
    struct ei_collaborator *c = ei_collaborator_blank();
    enum ei_err rc = EI_OK;

    if (c != NULL)
        read_columns(&reader, c, &slot);
    if (c == NULL || reader.failed)
        rc = ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    if (rc == EI_OK && slot != 0)
        rc = ei_sqlite_url_load(store, slot, &c->redeem_url, err);
    if (rc != EI_OK) {
        ei_collaborator_free(c);
        return rc;
    }
    *ret = c;
    return EI_OK;
}

/* The tables' checks keep this, so it is damage, or a hand that edited the file. */
static enum ei_err check_loaded(const struct ei_sqlite *store, const struct ei_collaborator *c, struct ei_error *err)
{
    const char *wrong = ei_collaborator_wrong(c);

    if (wrong == NULL)
        return EI_OK;
    return ei_fail(err, EI_STORE_DAMAGED, "%s: collaborator %s: impossible value in %s", store->path, c->id, wrong);
}

static enum ei_err load_whole(struct ei_sqlite *store, sqlite3_stmt *statement, struct ei_collaborator **ret,
                              struct ei_error *err)
{
    int64_t row = sqlite3_column_int64(statement, 0);
    struct ei_collaborator *c = NULL;
    enum ei_err rc = load_row(store, statement, &c, err);

    if (rc == EI_OK)
        rc = load_list(store, EI_SQL_ADDRESSES, row, read_address, c, err);
    if (rc == EI_OK)
        rc = load_list(store, EI_SQL_ACCOUNTS, row, read_account, c, err);
    if (rc == EI_OK)
        rc = load_list(store, EI_SQL_MEMBERSHIPS, row, read_membership, c, err);
    if (rc == EI_OK)
        rc = check_loaded(store, c, err);
    if (rc != EI_OK) {
        ei_collaborator_free(c);
        return rc;
    }
    *ret = c;
    return EI_OK;
}

static enum ei_err load_one(struct ei_sqlite *store, enum ei_sqlite_statement which, const char *first,
                            const char *second, struct ei_collaborator **ret, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, which, err);
    enum ei_err rc = EI_NOT_FOUND;

    *ret = NULL;
    if (statement == NULL)
        return ei_sqlite_fail(store->db, store->path, err);
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    if (second != NULL)
        sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        rc = load_whole(store, statement, ret, err);
    else if (step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

enum ei_err ei_sqlite_get(struct ei_store *store, const char *id, struct ei_collaborator **ret, struct ei_error *err)
{
    return load_one(ei_sqlite_of(store), EI_SQL_GET, id, NULL, ret, err);
}

enum ei_err ei_sqlite_by_address(struct ei_store *store, const char *folded, struct ei_collaborator **ret,
                                 struct ei_error *err)
{
    return load_one(ei_sqlite_of(store), EI_SQL_BY_ADDRESS, folded, NULL, ret, err);
}

enum ei_err ei_sqlite_by_account(struct ei_store *store, const char *host, const char *login,
                                 struct ei_collaborator **ret, struct ei_error *err)
{
    return load_one(ei_sqlite_of(store), EI_SQL_BY_ACCOUNT, host, login, ret, err);
}

enum ei_err ei_sqlite_by_guest(struct ei_store *store, const char *guest_id, struct ei_collaborator **ret,
                               struct ei_error *err)
{
    return load_one(ei_sqlite_of(store), EI_SQL_BY_GUEST, guest_id, NULL, ret, err);
}

/* --- all of them --- */

/* One of the four tables, read from its beginning in the order of the collaborators' rows: the walk goes through all
 * four side by side, which is many times faster than to look up each collaborator's lists. */
struct cursor {
    sqlite3_stmt *statement;
    int step;
};

struct walk {
    struct cursor collaborators;
    struct cursor addresses;
    struct cursor accounts;
    struct cursor memberships;
};

static bool open_cursor(struct ei_sqlite *store, const char *text, struct cursor *cursor)
{
    if (sqlite3_prepare_v2(store->db, text, -1, &cursor->statement, NULL) != SQLITE_OK)
        return false;
    cursor->step = sqlite3_step(cursor->statement);
    return cursor->step == SQLITE_ROW || cursor->step == SQLITE_DONE;
}

static int64_t owner(const struct cursor *cursor)
{
    return cursor->step == SQLITE_ROW ? sqlite3_column_int64(cursor->statement, 0) : INT64_MAX;
}

/* The items of this row. Items of a row that is not there are passed over. */
static enum ei_err take_items(struct ei_sqlite *store, struct cursor *cursor, int64_t row, read_item *read,
                              struct ei_collaborator *c, struct ei_error *err)
{
    for (; owner(cursor) <= row && cursor->step == SQLITE_ROW; cursor->step = sqlite3_step(cursor->statement))
        if (owner(cursor) == row && !read(cursor->statement, c))
            return ei_fail(err, EI_NOMEM, "%s: out of memory", store->path);
    if (cursor->step != SQLITE_ROW && cursor->step != SQLITE_DONE)
        return ei_sqlite_fail(store->db, store->path, err);
    return EI_OK;
}

static enum ei_err visit_next(struct ei_sqlite *store, struct walk *walk, ei_store_visit *each, void *context,
                              struct ei_error *err)
{
    int64_t row = owner(&walk->collaborators);
    struct ei_collaborator *c = NULL;
    enum ei_err rc = load_row(store, walk->collaborators.statement, &c, err);

    if (rc == EI_OK)
        rc = take_items(store, &walk->addresses, row, read_address, c, err);
    if (rc == EI_OK)
        rc = take_items(store, &walk->accounts, row, read_account, c, err);
    if (rc == EI_OK)
        rc = take_items(store, &walk->memberships, row, read_membership, c, err);
    if (rc == EI_OK)
        rc = check_loaded(store, c, err);
    if (rc == EI_OK)
        rc = each(context, c);
    ei_collaborator_free(c);
    return rc;
}

enum ei_err ei_sqlite_each(struct ei_store *base, ei_store_visit *each, void *context, struct ei_error *err)
{
    struct ei_sqlite *store = ei_sqlite_of(base);
    struct walk walk = {0};
    enum ei_err rc = EI_OK;

    store->walks++;
    if (!open_cursor(store, ei_sqlite_each_text, &walk.collaborators) ||
        !open_cursor(store, ei_sqlite_each_address_text, &walk.addresses) ||
        !open_cursor(store, ei_sqlite_each_account_text, &walk.accounts) ||
        !open_cursor(store, ei_sqlite_each_membership_text, &walk.memberships))
        rc = ei_sqlite_fail(store->db, store->path, err);
    while (rc == EI_OK && walk.collaborators.step == SQLITE_ROW) {
        rc = visit_next(store, &walk, each, context, err);
        if (rc == EI_OK)
            walk.collaborators.step = sqlite3_step(walk.collaborators.statement);
    }
    if (rc == EI_OK && walk.collaborators.step != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    sqlite3_finalize(walk.collaborators.statement);
    sqlite3_finalize(walk.addresses.statement);
    sqlite3_finalize(walk.accounts.statement);
    sqlite3_finalize(walk.memberships.statement);
    store->walks--;
    return rc;
}

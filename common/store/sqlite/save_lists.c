#include "common/store/sqlite/sqlite_internal.h"

#include <string.h>

#include "common/account/gecos.h"
#include "common/base/text.h"

/* Most puts change none of the lists; leaving the rows alone spares their pages and indexes. */
static bool same_addresses(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    if (a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++) {
        if (strcmp(a->addresses[i], b->addresses[i]) != 0)
            return false;
    }
    return true;
}

static bool same_account(const struct ei_account *a, const struct ei_account *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->login, b->login) == 0 && ei_text_same(a->rule, b->rule) &&
           a->uid == b->uid && a->state == b->state && a->source == b->source && a->address_hash == b->address_hash &&
           a->since == b->since && a->missing_since == b->missing_since && a->reported == b->reported &&
           a->by_admin == b->by_admin && a->local == b->local;
}

static bool same_accounts(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    if (a->account_count != b->account_count)
        return false;
    for (size_t i = 0; i < a->account_count; i++) {
        if (!same_account(&a->accounts[i], &b->accounts[i]))
            return false;
    }
    return true;
}

static bool same_error(const struct ei_error *a, const struct ei_error *b)
{
    return a->code == b->code && strcmp(a->message, b->message) == 0 && strcmp(a->request_id, b->request_id) == 0 &&
           strcmp(a->client_request_id, b->client_request_id) == 0;
}

static bool same_memberships(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    if (a->membership_count != b->membership_count)
        return false;
    for (size_t i = 0; i < a->membership_count; i++) {
        const struct ei_membership *x = &a->memberships[i];
        const struct ei_membership *y = &b->memberships[i];
        if (strcmp(x->group, y->group) != 0 || x->added_at != y->added_at || x->attempts != y->attempts ||
            x->not_before != y->not_before || !same_error(&x->error, &y->error))
            return false;
    }
    return true;
}

static enum ei_err delete_list(struct ei_sqlite *store, enum ei_sqlite_statement which, int64_t row,
                               struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, which, err);
    sqlite3_bind_int64(statement, 1, row);
    return ei_sqlite_run(store, statement, err);
}

/* Says whose the unique key is: what names it (an address, or a host and login). */
static enum ei_err taken(struct ei_sqlite *store, enum ei_sqlite_statement owner, const char *first, const char *second,
                         const char *what, struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, owner, err);
    const char *id = NULL;

    sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    if (second != NULL)
        sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
    if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
        id = (const char *)sqlite3_column_text(statement, 0);
    ei_fail(err, EI_CONFLICT, "%s already belongs to collaborator %s", what, id != NULL ? id : "(unknown)");
    ei_sqlite_done(statement);
    return EI_CONFLICT;
}

static enum ei_err save_address(struct ei_sqlite *store, int64_t row, size_t position, const char *written,
                                struct ei_error *err)
{
    char folded[EI_ADDRESS_SIZE];

    if (!ei_address_fold(written, folded, sizeof folded))
        return ei_fail(err, EI_BAD_ADDRESS, "address of more than %d bytes", EI_ADDRESS_SIZE - 1);
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_ADDRESS_INSERT, err);
    sqlite3_bind_int64(statement, 1, row);
    sqlite3_bind_int64(statement, 2, (int64_t)position);
    sqlite3_bind_text(statement, 3, written, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, folded, -1, SQLITE_STATIC);
    enum ei_err rc = ei_sqlite_run(store, statement, err);
    return rc == EI_CONFLICT ? taken(store, EI_SQL_ADDRESS_OWNER, folded, NULL, written, err) : rc;
}

static enum ei_err save_account(struct ei_sqlite *store, int64_t row, size_t position, const struct ei_account *a,
                                struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_ACCOUNT_INSERT, err);

    sqlite3_bind_int64(statement, 1, row);
    sqlite3_bind_int64(statement, 2, (int64_t)position);
    sqlite3_bind_text(statement, 3, a->host, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, a->login, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, a->rule, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, a->uid);
    sqlite3_bind_int64(statement, 7, a->state);
    sqlite3_bind_int64(statement, 8, a->source);
    sqlite3_bind_int64(statement, 9, (int64_t)a->address_hash);
    sqlite3_bind_int64(statement, 10, a->since);
    sqlite3_bind_int64(statement, 11, a->missing_since);
    sqlite3_bind_int64(statement, 12, a->reported);
    sqlite3_bind_int64(statement, 13, a->by_admin);
    sqlite3_bind_int64(statement, 14, a->local);
    enum ei_err rc = ei_sqlite_run(store, statement, err);
    return rc == EI_CONFLICT ? taken(store, EI_SQL_ACCOUNT_OWNER, a->host, a->login, a->login, err) : rc;
}

static enum ei_err save_membership(struct ei_sqlite *store, int64_t row, size_t position, const struct ei_membership *m,
                                   struct ei_error *err)
{
    sqlite3_stmt *statement = ei_sqlite_statement(store, EI_SQL_MEMBERSHIP_INSERT, err);
    bool failed = m->error.code != EI_OK;

    sqlite3_bind_int64(statement, 1, row);
    sqlite3_bind_int64(statement, 2, (int64_t)position);
    sqlite3_bind_text(statement, 3, m->group, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, m->added_at);
    sqlite3_bind_int64(statement, 5, m->attempts);
    sqlite3_bind_int64(statement, 6, m->not_before);
    sqlite3_bind_text(statement, 7, failed ? ei_err_name(m->error.code) : NULL, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 8, failed ? m->error.message : NULL, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 9, failed ? m->error.request_id : NULL, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 10, failed ? m->error.client_request_id : NULL, -1, SQLITE_STATIC);
    return ei_sqlite_run(store, statement, err);
}

enum ei_err ei_sqlite_save_lists(struct ei_sqlite *store, int64_t row, const struct ei_collaborator *before,
                                 const struct ei_collaborator *c, struct ei_error *err)
{
    bool addresses = before == NULL || !same_addresses(before, c);
    bool accounts = before == NULL || !same_accounts(before, c);
    bool memberships = before == NULL || !same_memberships(before, c);
    enum ei_err rc = EI_OK;

    if (before != NULL && addresses)
        rc = delete_list(store, EI_SQL_ADDRESS_DELETE, row, err);
    for (size_t i = 0; rc == EI_OK && addresses && i < c->address_count; i++)
        rc = save_address(store, row, i, c->addresses[i], err);
    if (rc == EI_OK && before != NULL && accounts)
        rc = delete_list(store, EI_SQL_ACCOUNT_DELETE, row, err);
    for (size_t i = 0; rc == EI_OK && accounts && i < c->account_count; i++)
        rc = save_account(store, row, i, &c->accounts[i], err);
    if (rc == EI_OK && before != NULL && memberships)
        rc = delete_list(store, EI_SQL_MEMBERSHIP_DELETE, row, err);
    for (size_t i = 0; rc == EI_OK && memberships && i < c->membership_count; i++)
        rc = save_membership(store, row, i, &c->memberships[i], err);
    return rc;
}

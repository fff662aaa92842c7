#include "common/store/sqlite/sqlite_internal.h"

#include "common/store/sqlite/columns.h"

#define SELECT_COLLABORATOR "SELECT row, id, " EI_SQL_COLUMNS " FROM collaborator "
#define SELECT_ADDRESS      "SELECT owner, written FROM address "
#define SELECT_ACCOUNT      "SELECT owner, " EI_SQL_ACCOUNT_COLUMNS " FROM account "
#define SELECT_MEMBERSHIP   "SELECT owner, " EI_SQL_MEMBERSHIP_COLUMNS " FROM membership "

static const char *const texts[EI_SQL_COUNT] = {
    [EI_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [EI_SQL_COMMIT] = "COMMIT",
    [EI_SQL_ROLLBACK] = "ROLLBACK",
    [EI_SQL_SAVEPOINT] = "SAVEPOINT change",
    [EI_SQL_RELEASE] = "RELEASE change",
    [EI_SQL_ROLLBACK_TO] = "ROLLBACK TO change",
    [EI_SQL_GET] = SELECT_COLLABORATOR "WHERE id = ?1",
    [EI_SQL_BY_ADDRESS] = SELECT_COLLABORATOR "WHERE row = (SELECT owner FROM address WHERE folded = ?1)",
    [EI_SQL_BY_ACCOUNT] = SELECT_COLLABORATOR "WHERE row = (SELECT owner FROM account WHERE host = ?1 AND login = ?2)",
    [EI_SQL_BY_GUEST] = SELECT_COLLABORATOR "WHERE guest_id = ?1 ORDER BY row LIMIT 1",
    [EI_SQL_ADDRESSES] = SELECT_ADDRESS "WHERE owner = ?1 ORDER BY position",
    [EI_SQL_ACCOUNTS] = SELECT_ACCOUNT "WHERE owner = ?1 ORDER BY position",
    [EI_SQL_MEMBERSHIPS] = SELECT_MEMBERSHIP "WHERE owner = ?1 ORDER BY position",
    [EI_SQL_OF_GUEST] = "SELECT id FROM collaborator WHERE guest_id = ?1 ORDER BY row LIMIT ?2",
    [EI_SQL_INSERT] = "INSERT INTO collaborator (id, " EI_SQL_COLUMNS ") VALUES (?1, " EI_SQL_VALUES ")",
    /* id is not set: an index whose column is set is written again, changed or not */
    [EI_SQL_UPDATE] = "UPDATE collaborator SET (" EI_SQL_COLUMNS ") = (" EI_SQL_VALUES
                      ") WHERE id = ?1 AND revision = " EI_SQL_PARAMETER(EI_SQL_EXPECTED),
    [EI_SQL_DELETE] = "DELETE FROM collaborator WHERE id = ?1 AND revision = ?2",
    [EI_SQL_PLACE] = "SELECT row, url_slot FROM collaborator WHERE id = ?1",
    [EI_SQL_SLOT_READ] = "SELECT url FROM redeem WHERE slot = ?1",
    [EI_SQL_SLOT_WRITE] = "UPDATE redeem SET url = ?1 WHERE slot = ?2",
    [EI_SQL_SLOT_APPEND] = "INSERT INTO redeem (url) VALUES (?1)",
    [EI_SQL_SLOT_FREE] = "SELECT slot FROM redeem_free WHERE size = ?1 LIMIT 1",
    [EI_SQL_SLOT_TAKE] = "DELETE FROM redeem_free WHERE size = ?1 AND slot = ?2",
    [EI_SQL_SLOT_GIVE] = "INSERT INTO redeem_free (size, slot) VALUES (?1, ?2)",
    [EI_SQL_ADDRESS_OWNER] = "SELECT id FROM collaborator WHERE row = (SELECT owner FROM address WHERE folded = ?1)",
    [EI_SQL_ADDRESS_INSERT] = "INSERT INTO address (owner, position, written, folded) VALUES (?1, ?2, ?3, ?4)",
    [EI_SQL_ADDRESS_DELETE] = "DELETE FROM address WHERE owner = ?1",
    [EI_SQL_ACCOUNT_OWNER] =
        "SELECT id FROM collaborator WHERE row = (SELECT owner FROM account WHERE host = ?1 AND login = ?2)",
    [EI_SQL_ACCOUNT_INSERT] = "INSERT INTO account (owner, position, " EI_SQL_ACCOUNT_COLUMNS
                              ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [EI_SQL_ACCOUNT_DELETE] = "DELETE FROM account WHERE owner = ?1",
    [EI_SQL_MEMBERSHIP_INSERT] = "INSERT INTO membership (owner, position, " EI_SQL_MEMBERSHIP_COLUMNS
                                 ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [EI_SQL_MEMBERSHIP_DELETE] = "DELETE FROM membership WHERE owner = ?1",
    [EI_SQL_CLAIM_MAIL] = "INSERT INTO mail_right (address, round, crid, at) VALUES (?1, ?2, ?3, ?4)",
    [EI_SQL_DUE] = "SELECT id FROM collaborator INDEXED BY collaborator_due"
                   " WHERE queue = ?1 AND not_before <= ?2 ORDER BY not_before LIMIT ?3",
    [EI_SQL_NEXT_DUE] = "SELECT not_before FROM collaborator INDEXED BY collaborator_due"
                        " WHERE queue = ?1 ORDER BY not_before LIMIT 1",
    [EI_SQL_HASTEN] = "UPDATE collaborator INDEXED BY collaborator_due SET not_before = ?2"
                      " WHERE queue = ?1 AND not_before > ?2",
    [EI_SQL_EVENT_INSERT] = "INSERT INTO history (id, at, event, detail, crid) VALUES (?1, ?2, ?3, ?4, ?5)",
    [EI_SQL_EVENT_TRIM] =
        "DELETE FROM history WHERE id = ?1"
        " AND number <= (SELECT number FROM history WHERE id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
        " AND number > (SELECT min(number) FROM history WHERE id = ?1)",
    [EI_SQL_EVENT_FORGET] = "DELETE FROM history WHERE id = ?1",
    [EI_SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
    [EI_SQL_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [EI_SQL_META_DELETE] = "DELETE FROM meta WHERE key = ?1",
};

const char ei_sqlite_each_text[] = SELECT_COLLABORATOR "ORDER BY row";
const char ei_sqlite_each_address_text[] = SELECT_ADDRESS "ORDER BY owner, position";
const char ei_sqlite_each_account_text[] = SELECT_ACCOUNT "ORDER BY owner, position";
const char ei_sqlite_each_membership_text[] = SELECT_MEMBERSHIP "ORDER BY owner, position";
const char ei_sqlite_history_text[] =
    "SELECT number, at, event, detail, crid FROM history WHERE id = ?1 AND number > ?2 ORDER BY number";

sqlite3_stmt *ei_sqlite_statement(struct ei_sqlite *store, enum ei_sqlite_statement which, struct ei_error *err)
{
    sqlite3_stmt **cached = &store->statements[which];

    if (*cached == NULL &&
        sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, cached, NULL) != SQLITE_OK) {
        ei_sqlite_fail(store->db, store->path, err);
        *cached = NULL;
    }
    return *cached;
}

void ei_sqlite_done(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

enum ei_err ei_sqlite_run(struct ei_sqlite *store, sqlite3_stmt *statement, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    if (statement == NULL || sqlite3_step(statement) != SQLITE_DONE)
        rc = ei_sqlite_fail(store->db, store->path, err);
    ei_sqlite_done(statement);
    return rc;
}

enum ei_err ei_sqlite_exec(sqlite3 *db, const char *path, const char *sql, struct ei_error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? EI_OK : ei_sqlite_fail(db, path, err);
}

enum ei_err ei_sqlite_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret, struct ei_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum ei_err rc = EI_OK;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        rc = ei_sqlite_fail(db, path, err);
    else
        *ret = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc;
}

void ei_sqlite_forget_statements(struct ei_sqlite *store)
{
    for (int i = 0; i < EI_SQL_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

bool ei_sqlite_text(sqlite3_stmt *statement, int column, char **ret)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return ei_text_set(ret, NULL);
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text != NULL && ei_text_set(ret, text);
}

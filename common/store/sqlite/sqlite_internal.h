/*
 * The SQLite store's inside: one connection, its cached statements, and the rules that every file here keeps.
 *
 * - Everything that changes rows runs between ei_sqlite_change_begin and ei_sqlite_change_end: a transaction of its
 * own, or a savepoint inside a batch, so that a failed call undoes itself only.
 * - Every failed SQLite call goes through ei_sqlite_fail, the one place that turns SQLite's codes into ours.
 * - Redeem URLs are in the slots of redeem.c and nowhere else; what overwrites one sets url_touched (K7).
 */
#ifndef EI_STORE_SQLITE_INTERNAL_H
#define EI_STORE_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "common/store/store_internal.h"

enum ei_sqlite_statement {
    EI_SQL_BEGIN,
    EI_SQL_COMMIT,
    EI_SQL_ROLLBACK,
    EI_SQL_SAVEPOINT,
    EI_SQL_RELEASE,
    EI_SQL_ROLLBACK_TO,
    EI_SQL_GET,
    EI_SQL_BY_ADDRESS,
    EI_SQL_BY_ACCOUNT,
    EI_SQL_BY_GUEST,
    EI_SQL_ADDRESSES,
    EI_SQL_ACCOUNTS,
    EI_SQL_MEMBERSHIPS,
    EI_SQL_OF_GUEST,
    EI_SQL_INSERT,
    EI_SQL_UPDATE,
    EI_SQL_DELETE,
    EI_SQL_PLACE,
    EI_SQL_SLOT_READ,
    EI_SQL_SLOT_WRITE,
    EI_SQL_SLOT_APPEND,
    EI_SQL_SLOT_FREE,
    EI_SQL_SLOT_TAKE,
    EI_SQL_SLOT_GIVE,
    EI_SQL_ADDRESS_OWNER,
    EI_SQL_ADDRESS_INSERT,
    EI_SQL_ADDRESS_DELETE,
    EI_SQL_ACCOUNT_OWNER,
    EI_SQL_ACCOUNT_INSERT,
    EI_SQL_ACCOUNT_DELETE,
    EI_SQL_MEMBERSHIP_INSERT,
    EI_SQL_MEMBERSHIP_DELETE,
    EI_SQL_CLAIM_MAIL,
    EI_SQL_DUE,
    EI_SQL_NEXT_DUE,
    EI_SQL_HASTEN,
    EI_SQL_EVENT_INSERT,
    EI_SQL_EVENT_TRIM,
    EI_SQL_EVENT_FORGET,
    EI_SQL_META_GET,
    EI_SQL_META_SET,
    EI_SQL_META_DELETE,
    EI_SQL_COUNT
};

/* Not cached: walks may be nested, so each prepares its own. */
extern const char ei_sqlite_each_text[];
extern const char ei_sqlite_each_address_text[];
extern const char ei_sqlite_each_account_text[];
extern const char ei_sqlite_each_membership_text[];
extern const char ei_sqlite_history_text[];

struct ei_sqlite {
    struct ei_store base;
    sqlite3 *db;
    sqlite3_stmt *statements[EI_SQL_COUNT];
    char *path;
    int lock_fd; /* holds the one-writer lock while it is open; -1: none */
    bool in_batch;
    enum ei_err broken; /* why SQLite undid the batch under way, EI_OK if it did not */
    bool url_touched;   /* a redeem URL was overwritten since the last truncating checkpoint */
    unsigned walks;     /* visits under way: nothing may change meanwhile */
};

/* A queue is the order in which work is done; the column is NULL where there is none, and its index is partial. */
enum ei_sqlite_queue { EI_QUEUE_URGENT, EI_QUEUE_NORMAL, EI_QUEUE_URGENT_LOOK, EI_QUEUE_LOOK, EI_QUEUE_COUNT };

static inline struct ei_sqlite *ei_sqlite_of(struct ei_store *store)
{
    return (struct ei_sqlite *)store;
}

/* failure.c */

/* Fills err from the connection's last failure ("FILE: SQLite's reason: the system's") and returns our code for it. */
enum ei_err ei_sqlite_fail(sqlite3 *db, const char *path, struct ei_error *err);
/* The same of what quick_check found: the disk's failure, or damage. */
enum ei_err ei_sqlite_fail_damaged(sqlite3 *db, const char *path, const char *finding, struct ei_error *err);

/* SQLite opened the file for reading because it could not for writing. */
enum ei_err ei_sqlite_fail_read_only(const char *path, struct ei_error *err);

/* statement.c */

/* Prepares and returns a cached statement, reset and without bindings; NULL on failure (err is filled). */
sqlite3_stmt *ei_sqlite_statement(struct ei_sqlite *store, enum ei_sqlite_statement which, struct ei_error *err);
/* Steps a statement that returns no row, and gives it back. NULL stands for a preparation that failed, and fails. */
enum ei_err ei_sqlite_run(struct ei_sqlite *store, sqlite3_stmt *statement, struct ei_error *err);
/* Gives statement back: reset, bindings dropped, so that no text of the caller is pointed to any more. */
void ei_sqlite_done(sqlite3_stmt *statement);
/* Runs constant SQL without parameters. */
enum ei_err ei_sqlite_exec(sqlite3 *db, const char *path, const char *sql, struct ei_error *err);
/* Runs SQL that gives one number. */
enum ei_err ei_sqlite_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret, struct ei_error *err);
void ei_sqlite_forget_statements(struct ei_sqlite *store);
/* Copies the text of a column; NULL for an SQL NULL. false when out of memory. */
bool ei_sqlite_text(sqlite3_stmt *statement, int column, char **ret);

/* transaction.c */
enum { EI_SQLITE_BUSY_MS = 2000 }; /* for a foreign reader or backup; there is no second writer */
enum ei_err ei_sqlite_change_begin(struct ei_sqlite *store, struct ei_error *err);
/* Commits where rc is EI_OK, else undoes; returns rc, or why the commit failed. */
enum ei_err ei_sqlite_change_end(struct ei_sqlite *store, enum ei_err rc, struct ei_error *err);
enum ei_err ei_sqlite_batch_begin(struct ei_store *store, struct ei_error *err);
enum ei_err ei_sqlite_batch_end(struct ei_store *store, struct ei_error *err);
void ei_sqlite_batch_abandon(struct ei_store *store);

/* Once, before SQLite is used: what it frees is erased. */
void ei_sqlite_memory_init(void);

/* schema.c */
enum { EI_SQLITE_APPLICATION_ID = 0x65694e56 };
struct ei_sqlite_migration {
    const char *sql; /* brings the schema from its index to its index + 1 */
};
/*
 * Brings the schema up to count, in one transaction; where an older one is found, a backup without redeem URLs is
 * written first, beside path, as "PATH.vN". EI_STORE_NEWER for a schema beyond count, EI_STORE_DAMAGED for somebody
 * else's database; neither is written to.
 */
enum ei_err ei_sqlite_migrate(sqlite3 *db, const char *path, const struct ei_sqlite_migration *migrations, int count,
                              struct ei_error *err);
extern const struct ei_sqlite_migration ei_sqlite_migrations[];
extern const int ei_sqlite_schema_version;

/* load.c */
enum ei_err ei_sqlite_get(struct ei_store *store, const char *id, struct ei_collaborator **ret, struct ei_error *err);
enum ei_err ei_sqlite_by_address(struct ei_store *store, const char *folded, struct ei_collaborator **ret,
                                 struct ei_error *err);
enum ei_err ei_sqlite_by_account(struct ei_store *store, const char *host, const char *login,
                                 struct ei_collaborator **ret, struct ei_error *err);
enum ei_err ei_sqlite_by_guest(struct ei_store *store, const char *guest_id, struct ei_collaborator **ret,
                               struct ei_error *err);
enum ei_err ei_sqlite_each(struct ei_store *store, ei_store_visit *each, void *context, struct ei_error *err);

/* save.c */
enum ei_err ei_sqlite_put(struct ei_store *store, struct ei_collaborator *collaborator, const char *event,
                          const char *detail, struct ei_error *err);
enum ei_err ei_sqlite_remove(struct ei_store *store, const struct ei_collaborator *collaborator, struct ei_error *err);

/* save_lists.c */
/* Writes addresses, accounts and memberships of a row whose lists differ from before (NULL: there were none). */
enum ei_err ei_sqlite_save_lists(struct ei_sqlite *store, int64_t row, const struct ei_collaborator *before,
                                 const struct ei_collaborator *collaborator, struct ei_error *err);

/* redeem.c */

/* Brings a collaborator's slot from what it held (before; NULL: nothing) to url (NULL: nothing). *slot 0: none. */
enum ei_err ei_sqlite_url_save(struct ei_sqlite *store, const char *before, const char *url, int64_t *slot,
                               struct ei_error *err);
enum ei_err ei_sqlite_url_load(struct ei_sqlite *store, int64_t slot, char **ret_url, struct ei_error *err);

/* due.c */
enum ei_err ei_sqlite_of_guest(struct ei_store *store, const char *guest_id, char (*ids)[EI_GUID_TEXT], size_t limit,
                               size_t *ret_count, struct ei_error *err);
enum ei_err ei_sqlite_due(struct ei_store *store, int64_t now, char (*ids)[EI_GUID_TEXT], size_t limit,
                          size_t *ret_count, struct ei_error *err);
enum ei_err ei_sqlite_next_due(struct ei_store *store, int64_t *ret_time, struct ei_error *err);
enum ei_err ei_sqlite_hasten(struct ei_store *store, int64_t now, bool all_steps, struct ei_error *err);

/* facts.c */
enum ei_err ei_sqlite_event(struct ei_sqlite *store, const struct ei_collaborator *collaborator, const char *event,
                            const char *detail, struct ei_error *err);
/* All of it goes, with the aggregate. */
enum ei_err ei_sqlite_forget_events(struct ei_sqlite *store, const char *id, struct ei_error *err);
enum ei_err ei_sqlite_history(struct ei_store *store, const char *id, int64_t after, ei_store_event_visit *each,
                              void *context, struct ei_error *err);
enum ei_err ei_sqlite_meta_get(struct ei_store *store, const char *key, char **ret_value, struct ei_error *err);
enum ei_err ei_sqlite_meta_set(struct ei_store *store, const char *key, const char *value, struct ei_error *err);
enum ei_err ei_sqlite_claim_mail(struct ei_store *store, const char *folded, uint32_t round, const char *crid,
                                 struct ei_error *err);

#endif

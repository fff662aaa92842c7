/*
 * The least that starting on a database takes: quick_check, and reading every column of every row once.
 *
 *   bare-sqlite DATABASE check|read
 *
 * check: only the first of the two.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int fail(sqlite3 *db)
{
    fprintf(stderr, "bare-sqlite: %s\n", sqlite3_errmsg(db));
    return 1;
}

static int read_rows(sqlite3 *db, const char *sql, unsigned long long *bytes)
{
    sqlite3_stmt *statement;
    int rc;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(db);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            if (sqlite3_column_type(statement, i) == SQLITE_INTEGER)
                *bytes += (unsigned long long)sqlite3_column_int64(statement, i) & 1;
            else if (sqlite3_column_blob(statement, i) != NULL)
                *bytes += (unsigned)sqlite3_column_bytes(statement, i);
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? 0 : fail(db);
}

int main(int argc, char **argv)
{
    static const char *const tables[] = {"collaborator", "address", "account", "redeem", "meta"};
    unsigned long long bytes = 0;
    char sql[128];
    sqlite3 *db;

    if (argc != 3) {
        fprintf(stderr, "usage: bare-sqlite DATABASE check|read\n");
        return 2;
    }
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        read_rows(db, "PRAGMA quick_check(1)", &bytes) != 0)
        return fail(db);
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0] && strcmp(argv[2], "read") == 0; i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[i]);
        if (read_rows(db, sql, &bytes) != 0)
            return 1;
    }
    sqlite3_close(db);
    return bytes == 0;
}

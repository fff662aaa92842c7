/* What went wrong, from what SQLite lets one know of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/store/sqlite/sqlite_internal.h"

static bool of_reading(int system_error)
{
    return system_error == EIO || system_error == ENXIO || system_error == ERANGE;
}

/* SQLite takes a page that the disk does not give for a damaged one; what the disk said is kept with the file. */
static int read_failure(sqlite3 *db)
{
    static const int pointers[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};

    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        sqlite3_file *file = NULL;
        int system_error = 0;
        if (sqlite3_file_control(db, "main", pointers[i], &file) == SQLITE_OK && file != NULL &&
            file->pMethods != NULL &&
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &system_error) == SQLITE_OK &&
            of_reading(system_error))
            return system_error;
    }
    return 0;
}

/* Where SQLite may not open a file for writing it tries to open it for reading, and the reason is lost: found out by
 * making a file beside it. Not by opening the database: closing it again would drop SQLite's locks. */
static int write_failure(const char *path)
{
    char *probe = NULL;
    int reason = 0;

    if (asprintf(&probe, "%s-probe", path) < 0)
        return ENOMEM;
    int fd = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        reason = errno;
    else
        close(fd);
    if (unlink(probe) < 0 && reason == 0)
        reason = errno;
    free(probe);
    return reason;
}

static bool of_disk(int system_error)
{
    return of_reading(system_error) || system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS ||
           system_error == EFBIG || system_error == ENODEV || system_error == ESTALE;
}

/* errno's number; 0: there is none to be known. last: errno as SQLite left it, which knows more than
 * sqlite3_system_errno: that is often 0 where a commit failed. */
static int reason_of(sqlite3 *db, const char *path, int extended, int last)
{
    switch (extended & 0xff) {
    case SQLITE_IOERR:
        return of_disk(last) ? last : sqlite3_system_errno(db);
    case SQLITE_CORRUPT:
        return read_failure(db);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return write_failure(path);
    default:
        return 0;
    }
}

static enum ei_err our_code(int extended, int system_error)
{
    if (extended == SQLITE_IOERR_NOMEM)
        return EI_NOMEM;
    if (system_error != 0)
        return ei_err_of_write(system_error);
    switch (extended & 0xff) {
    case SQLITE_FULL:
        return EI_STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* the texts here are fixed, so it is the schema that does not fit them */
        return EI_STORE_DAMAGED;
    case SQLITE_NOMEM:
        return EI_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EI_BUSY;
    case SQLITE_CONSTRAINT:
        return EI_CONFLICT;
    default:
        return EI_IO;
    }
}

enum ei_err ei_sqlite_fail(sqlite3 *db, const char *path, struct ei_error *err)
{
    int last = errno;

    if (db == NULL)
        return ei_fail(err, EI_NOMEM, "%s: out of memory", path);
    int extended = sqlite3_extended_errcode(db);
    int system_error = reason_of(db, path, extended, last);
    /* what SQLite took it for says the wrong thing then */
    const char *what = (extended & 0xff) == SQLITE_CORRUPT && system_error != 0 ? "reading it" : sqlite3_errmsg(db);
    return ei_fail(err, our_code(extended, system_error), "%s: %s%s%s (SQLite %d)", path, what,
                   system_error != 0 ? ": " : "", system_error != 0 ? strerror(system_error) : "", extended);
}

enum ei_err ei_sqlite_fail_damaged(sqlite3 *db, const char *path, const char *finding, struct ei_error *err)
{
    int system_error = read_failure(db);

    if (system_error != 0)
        return ei_fail(err, EI_IO, "%s: reading it: %s (quick_check: %s)", path, strerror(system_error), finding);
    return ei_fail(err, EI_STORE_DAMAGED, "%s: quick_check: %s", path, finding);
}

enum ei_err ei_sqlite_fail_read_only(const char *path, struct ei_error *err)
{
    int system_error = write_failure(path);
    const char *reason = system_error != 0 ? strerror(system_error) : "refused, and a moment later no more";

    return ei_fail(err, our_code(SQLITE_READONLY, system_error), "%s: cannot be opened for writing: %s", path, reason);
}

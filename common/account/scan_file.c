#include "common/account/scan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account/gecos.h"

enum { READ_TRIES = 3, PASSWD_FIELDS = 7, GROUP_FIELDS = 4, ID_FIELD = 2, GID_FIELD = 3 };

void ei_account_file_doubt(struct ei_account_file *file, const char *format, ...)
{
    char text[EI_MESSAGE_MAX];
    va_list args;

    if (!file->whole && file->doubt.code != EI_OK)
        return;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    file->whole = false;
    ei_fail(&file->doubt, EI_PASSWD_DOUBTFUL, "%s: %s", file->path, text);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void drop_data(struct ei_account_file *file)
{
    free(file->data);
    file->data = NULL;
    file->size = 0;
}

/* Reads what fstat promises and one byte more, so that a file that grows is seen to. */
static enum ei_err read_all(int fd, size_t expected, struct ei_account_file *file)
{
    drop_data(file);
    file->data = malloc(expected + 2);
    if (file->data == NULL)
        return EI_NOMEM;
    while (file->size <= expected) {
        ssize_t count = read(fd, file->data + file->size, expected + 1 - file->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            ei_account_file_doubt(file, "%s", strerror(errno));
            break;
        }
        if (count == 0)
            break;
        file->size += (size_t)count;
    }
    file->data[file->size] = '\0';
    return EI_OK;
}

/* One try; ret_steady: it did not change meanwhile. */
static enum ei_err read_once(struct ei_account_file *file, bool *ret_steady)
{
    struct stat before;
    struct stat after;
    enum ei_err rc = EI_OK;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *ret_steady = true;
    if (fd < 0) {
        file->missing = errno == ENOENT;
        ei_account_file_doubt(file, "%s", strerror(errno));
        return EI_OK;
    }
    if (fstat(fd, &before) < 0) {
        ei_account_file_doubt(file, "%s", strerror(errno));
    } else if (!S_ISREG(before.st_mode)) {
        ei_account_file_doubt(file, "not a regular file");
    } else if (before.st_size > EI_ACCOUNT_FILE_MAX) {
        ei_account_file_doubt(file, "larger than %d MiB", EI_ACCOUNT_FILE_MAX >> 20);
    } else {
        rc = read_all(fd, (size_t)before.st_size, file);
        *ret_steady =
            stat(file->path, &after) == 0 && same_file(&before, &after) && file->size == (size_t)before.st_size;
    }
    close(fd);
    return rc;
}

static bool is_number(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length > 0;
}

/* The line without its newline has the fields of its kind, and a name and numbers where they belong. */
static bool line_sound(const char *line, size_t length, enum ei_account_file_kind kind)
{
    int wanted = kind == EI_PASSWD_FILE ? PASSWD_FIELDS : GROUP_FIELDS;
    int field = 0;
    const char *end = line + length;

    for (const char *at = line;; field++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        size_t size = (size_t)((colon != NULL ? colon : end) - at);
        bool number = field == ID_FIELD || (kind == EI_PASSWD_FILE && field == GID_FIELD);
        if ((field == 0 && size == 0) || (number && !is_number(at, size)))
            return false;
        if (colon == NULL)
            return field + 1 == wanted;
        at = colon + 1;
    }
}

/* What fgetpwent skips without a word: blank lines and comments; and NSS compat entries, which have fewer fields. */
static bool line_ignored(const char *line, size_t length)
{
    size_t blanks = strspn(line, " \t");
    return blanks >= length || line[blanks] == '#' || line[0] == '+' || line[0] == '-';
}

static void check_lines(struct ei_account_file *file, enum ei_account_file_kind kind, size_t *ret_longest)
{
    const char *line = file->data;
    const char *end = file->data + file->size;

    *ret_longest = 0;
    if (file->size == 0)
        ei_account_file_doubt(file, "empty");
    else if (end[-1] != '\n')
        ei_account_file_doubt(file, "does not end in a newline");
    /* A cut-off last line may name somebody else: "tay" for "taylor". */
    while (end > file->data && end[-1] != '\n')
        end--;
    file->size = (size_t)(end - file->data);
    if (memchr(file->data, '\0', file->size) != NULL)
        ei_account_file_doubt(file, "has a NUL byte in it");
    for (size_t number = 1; line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline != NULL ? newline : end) - line);
        if (length > *ret_longest)
            *ret_longest = length;
        if (!line_ignored(line, length) && !line_sound(line, length, kind))
            ei_account_file_doubt(file, "line %zu is damaged", number);
        line += length + 1;
    }
}

static enum ei_err open_stream(struct ei_account_file *file, size_t longest)
{
    if (longest > EI_ACCOUNT_LINE_MAX) {
        ei_account_file_doubt(file, "has a line longer than %d MiB", EI_ACCOUNT_LINE_MAX >> 20);
        return EI_OK;
    }
    /* A member of one letter costs two bytes of the line and a pointer of the result. */
    file->buffer_size = longest * (1 + sizeof(char *) / 2) + 4096;
    file->buffer = malloc(file->buffer_size);
    if (file->buffer == NULL)
        return EI_NOMEM;
    if (file->size == 0)
        return EI_OK;
    file->stream = fmemopen(file->data, file->size, "r");
    return file->stream != NULL ? EI_OK : EI_NOMEM;
}

enum ei_err ei_account_file_read(const char *path, enum ei_account_file_kind kind, struct ei_account_file *ret)
{
    bool steady = false;
    size_t longest;
    enum ei_err rc = EI_OK;

    *ret = (struct ei_account_file){.path = path, .whole = true};
    for (int tries = 0; tries < READ_TRIES && !steady && rc == EI_OK && ret->whole; tries++)
        rc = read_once(ret, &steady);
    if (rc == EI_OK && !steady) {
        /* Half of an old line and half of a new one may look like an address: nothing of it is believed. */
        ei_account_file_doubt(ret, "changed while it was read");
        drop_data(ret);
    }
    if (rc == EI_OK && ret->data != NULL && kind != EI_TEXT_FILE) {
        check_lines(ret, kind, &longest);
        rc = open_stream(ret, longest);
    }
    if (rc != EI_OK)
        ei_account_file_close(ret);
    return rc;
}

void ei_account_file_close(struct ei_account_file *file)
{
    if (file->stream != NULL)
        fclose(file->stream);
    free(file->buffer);
    free(file->data);
    file->stream = NULL;
    file->buffer = NULL;
    file->data = NULL;
}

void ei_account_file_rewind(struct ei_account_file *file)
{
    if (file->stream != NULL)
        rewind(file->stream);
}

static bool compat(const char *name)
{
    return name[0] == '+' || name[0] == '-' || name[0] == '\0';
}

/* false at the end, and at an error, which must not look like an end. */
static bool more(struct ei_account_file *file, int result)
{
    if (result != 0 && result != ENOENT)
        ei_account_file_doubt(file, "%s", strerror(result));
    return result == 0;
}

bool ei_account_file_passwd(struct ei_account_file *file, struct passwd *ret)
{
    struct passwd *found;

    while (file->stream != NULL && more(file, fgetpwent_r(file->stream, ret, file->buffer, file->buffer_size, &found)))
        if (!compat(ret->pw_name))
            return true;
    return false;
}

bool ei_account_file_group(struct ei_account_file *file, struct group *ret)
{
    struct group *found;

    while (file->stream != NULL && more(file, fgetgrent_r(file->stream, ret, file->buffer, file->buffer_size, &found)))
        if (!compat(ret->gr_name))
            return true;
    return false;
}

bool ei_account_file_trusts_first(const struct ei_account_file *login_defs)
{
    if (login_defs->missing)
        return true;
    return login_defs->whole && login_defs->data != NULL && ei_gecos_first_trusted(login_defs->data);
}

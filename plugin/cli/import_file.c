#include "plugin/cli/import_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/array.h"
#include "plugin/cli/csv.h"
#include "plugin/cli/import_check.h"

enum { READ_BYTES = 64 * 1024 };

static const struct {
    const char *name;
    const char *entra; /* what stands in brackets in the heading of Entra's file */
    const char *parameter;
} columns[EI_IMPORT_COLUMNS] = {
    [EI_IMPORT_EMAIL] = {"email", "[inviteeEmail]", "email"},
    [EI_IMPORT_LOGIN] = {"login", NULL, "login"},
    [EI_IMPORT_RULE] = {"rule", NULL, "rule"},
    [EI_IMPORT_DISPLAY_NAME] = {"display_name", NULL, "displayName"},
    [EI_IMPORT_REDIRECT_URL] = {"redirect_url", "[inviteRedirectURL]", "redirectUrl"},
    [EI_IMPORT_LANGUAGE] = {"language", NULL, "language"},
    [EI_IMPORT_MESSAGE] = {"message", "[customizedMessageBody]", "message"},
    [EI_IMPORT_CC] = {"cc", NULL, "cc"},
    [EI_IMPORT_TYPE] = {"type", NULL, "type"},
    [EI_IMPORT_SPONSORS] = {"sponsors", NULL, "sponsors"},
    [EI_IMPORT_SEND_MESSAGE] = {"send_message", "[sendEmail]", "sendMessage"},
    [EI_IMPORT_DELIVER] = {"deliver", NULL, "deliver"},
};

static struct ei_error no_memory = {.code = EI_NOMEM, .message = "no memory to say why it is bad"};

struct heading {
    bool entra;
    size_t count;                   /* of fields */
    int columns[EI_CSV_FIELDS_MAX]; /* enum ei_import_column, -1: an empty field */
};

const char *ei_import_column_name(enum ei_import_column column)
{
    return columns[column].name;
}

const char *ei_import_parameter(enum ei_import_column column)
{
    return columns[column].parameter;
}

const char *ei_import_column_of(const char *parameter)
{
    for (size_t i = 0; i < EI_IMPORT_COLUMNS && parameter != NULL; i++)
        if (strcmp(columns[i].parameter, parameter) == 0)
            return columns[i].name;
    return NULL;
}

/* --- reading --- */

static enum ei_err read_all(int fd, const volatile sig_atomic_t *stop, char **text, size_t *ret_length,
                            struct ei_error *err)
{
    size_t room = 0;
    size_t length = 0;

    for (;;) {
        if (room - length < READ_BYTES + 1) {
            room = 2 * room + READ_BYTES + 1;
            char *grown = realloc(*text, room);
            if (grown == NULL)
                return ei_fail(err, EI_NOMEM, "no memory for the file");
            *text = grown;
        }
        ssize_t got = read(fd, *text + length, READ_BYTES);
        if (got < 0 && (errno != EINTR || *stop != 0))
            return ei_fail(err, EI_USAGE, "%s", *stop != 0 ? "interrupted; nothing was done" : strerror(errno));
        length += got > 0 ? (size_t)got : 0;
        if (length > EI_IMPORT_FILE_MAX)
            return ei_fail(err, EI_USAGE, "larger than %d MiB", EI_IMPORT_FILE_MAX >> 20);
        if (got == 0)
            break;
    }
    *ret_length = length;
    return EI_OK;
}

static enum ei_err read_path(const char *path, const volatile sig_atomic_t *stop, char **text, size_t *ret_length,
                             struct ei_error *err)
{
    bool input = strcmp(path, "-") == 0;
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ei_fail(err, EI_USAGE, "%s", strerror(errno));
    enum ei_err rc = read_all(fd, stop, text, ret_length, err);
    if (!input)
        close(fd);
    return rc;
}

/* --- the heading --- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    text[length] = '\0';
    return text;
}

static bool is_column(const char *field, size_t i, bool entra)
{
    if (!entra)
        return strcasecmp(field, columns[i].name) == 0;
    return columns[i].entra != NULL && strcasestr(field, columns[i].entra) != NULL;
}

static enum ei_err take_heading(struct ei_csv_record *record, struct heading *heading, struct ei_error *err)
{
    bool seen[EI_IMPORT_COLUMNS] = {false};

    if (record->bad != NULL)
        return ei_fail(err, EI_USAGE, "line %zu: %s", record->bad_line, record->bad);
    for (size_t f = 0; f < record->count; f++)
        heading->entra |= strcasestr(record->fields[f], columns[EI_IMPORT_EMAIL].entra) != NULL;
    heading->count = record->count;
    for (size_t f = 0; f < record->count; f++) {
        char *field = trim(record->fields[f]);
        heading->columns[f] = -1;
        for (size_t i = 0; i < EI_IMPORT_COLUMNS && heading->columns[f] < 0; i++)
            if (is_column(field, i, heading->entra))
                heading->columns[f] = (int)i;
        if (heading->columns[f] < 0 && *field != '\0')
            return ei_fail(err, EI_USAGE,
                           "line %zu: \"%.60s\" is no column; the first line has the columns' names, separated by "
                           "commas, see entra-invite(1)",
                           record->line, field);
        if (heading->columns[f] >= 0 && seen[heading->columns[f]])
            return ei_fail(err, EI_USAGE, "line %zu: the column %.60s is there twice", record->line, field);
        if (heading->columns[f] >= 0)
            seen[heading->columns[f]] = true;
    }
    if (!seen[EI_IMPORT_EMAIL])
        return ei_fail(err, EI_USAGE, "line %zu: there is no column email", record->line);
    return EI_OK;
}

/* "version:v1.0" may stand before it. */
static enum ei_err find_heading(struct ei_csv *csv, struct heading *heading, struct ei_error *err)
{
    struct ei_csv_record record;

    if (!ei_csv_next(csv, &record))
        return ei_fail(err, EI_USAGE, "the file is empty");
    if (record.bad == NULL && strncasecmp(record.fields[0], "version:", 8) == 0) {
        if (strcasecmp(trim(record.fields[0]), "version:v1.0") != 0)
            return ei_fail(err, EI_USAGE, "line %zu: \"%.60s\" is a version that is not known here; v1.0 is",
                           record.line, record.fields[0]);
        heading->entra = true;
        if (!ei_csv_next(csv, &record))
            return ei_fail(err, EI_USAGE, "there is nothing behind its first line");
    }
    return take_heading(&record, heading, err);
}

/* --- rows --- */

void ei_import_spoil(struct ei_import_row *row, const char *column, const struct ei_error *err)
{
    if (row->error != NULL)
        return;
    row->column = column;
    row->error = malloc(sizeof *row->error);
    if (row->error != NULL)
        *row->error = *err;
    else
        row->error = &no_memory; /* a bad row must not pass for a good one */
}

static void fill(const struct heading *heading, struct ei_csv_record *record, struct ei_import_row *row)
{
    struct ei_error err;

    for (size_t f = 0; f < record->count; f++) {
        int column = f < heading->count ? heading->columns[f] : -1;
        char *field = record->fields[f];
        if (column < 0 && *trim(field) != '\0') {
            ei_fail(&err, EI_USAGE, "field %zu has no column above it", f + 1);
            ei_import_spoil(row, NULL, &err);
        }
        if (column < 0)
            continue;
        const char *value = heading->entra ? field : ei_csv_unguarded(field);
        if (column != EI_IMPORT_MESSAGE)
            value = trim((char *)value);
        row->values[column] = *value != '\0' ? value : NULL;
    }
}

static bool is_empty(const struct ei_csv_record *record)
{
    for (size_t f = 0; f < record->count; f++)
        if (record->fields[f][strspn(record->fields[f], " \t")] != '\0')
            return false;
    return record->bad == NULL;
}

static bool is_example(const struct heading *heading, const struct ei_csv_record *record)
{
    return heading->entra && record->bad == NULL && strncasecmp(record->fields[0], "Example:", 8) == 0;
}

static enum ei_err take_rows(struct ei_csv *csv, const struct heading *heading, struct ei_import_file *file,
                             struct ei_error *err)
{
    struct ei_csv_record record;
    struct ei_error why;
    size_t room = 0;

    while (ei_csv_next(csv, &record)) {
        if (is_empty(&record) || is_example(heading, &record))
            continue;
        if (file->count == EI_IMPORT_ROWS_MAX)
            return ei_fail(err, EI_USAGE, "more than %d rows; split the file", EI_IMPORT_ROWS_MAX);
        struct ei_import_row *rows = ei_array_room(file->rows, file->count, &room, sizeof *rows);
        if (rows == NULL)
            return ei_fail(err, EI_NOMEM, "no memory for its rows");
        file->rows = rows;
        struct ei_import_row *row = &rows[file->count++];
        *row = (struct ei_import_row){.line = record.line};
        if (record.bad != NULL) {
            row->line = record.bad_line;
            ei_fail(&why, EI_USAGE, "%s", record.bad);
            ei_import_spoil(row, NULL, &why);
            continue;
        }
        fill(heading, &record, row);
    }
    return file->count != 0 ? EI_OK : ei_fail(err, EI_USAGE, "there are no rows in it");
}

enum ei_err ei_import_file_read(const char *path, const volatile sig_atomic_t *stop, struct ei_import_file *ret_file,
                                struct ei_error *err)
{
    struct heading heading = {0};
    struct ei_csv csv;
    size_t length = 0;

    *ret_file = (struct ei_import_file){0};
    enum ei_err rc = read_path(path, stop, &ret_file->text, &length, err);
    if (rc != EI_OK)
        return rc;
    ei_csv_open(&csv, ret_file->text, length);
    rc = find_heading(&csv, &heading, err);
    if (rc == EI_OK)
        rc = take_rows(&csv, &heading, ret_file, err);
    if (rc == EI_OK)
        rc = ei_import_check(ret_file, err);
    return rc;
}

void ei_import_file_free(struct ei_import_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        if (file->rows[i].error != &no_memory)
            free(file->rows[i].error);
    free(file->rows);
    free(file->text);
    *file = (struct ei_import_file){0};
}

#include "plugin/cli/import_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/account/address.h"
#include "common/base/utf8.h"
#include "common/config/config.h"

enum { NAME_CHARACTERS = 256, LOGIN_BYTES = 256, VALUE_BYTES = 2048 };

bool ei_import_sponsor(const char **at, char *out, size_t size)
{
    *at += strspn(*at, "; \t\r\n");
    size_t length = strcspn(*at, "; \t\r\n");
    snprintf(out, size, "%.*s", (int)length, *at);
    *at += length;
    return length != 0;
}

/* --- one value: EI_OK, or why not --- */

static enum ei_err check_email(const char *value, struct ei_error *err)
{
    char address[EI_ADDRESS_SIZE];

    return ei_address_check(value, address, err);
}

static enum ei_err check_login(const char *value, struct ei_error *err)
{
    return strlen(value) <= LOGIN_BYTES ? EI_OK : ei_fail(err, EI_USAGE, "longer than %d bytes", LOGIN_BYTES);
}

static enum ei_err check_name(const char *value, struct ei_error *err)
{
    size_t count = 0;

    for (const char *at = value; *at != '\0'; at++)
        count += ((unsigned char)*at & 0xc0) != 0x80;
    return count <= NAME_CHARACTERS ? EI_OK : ei_fail(err, EI_USAGE, "longer than %d characters", NAME_CHARACTERS);
}

static enum ei_err check_url(const char *value, struct ei_error *err)
{
    return ei_redirect_url_valid(value)
               ? EI_OK
               : ei_fail(err, EI_USAGE, "\"%.100s\" is not an absolute https:// or http:// URL", value);
}

static enum ei_err check_language(const char *value, struct ei_error *err)
{
    return ei_language_valid(value) ? EI_OK
                                    : ei_fail(err, EI_USAGE, "\"%.30s\" is not a language such as \"en-US\"", value);
}

static enum ei_err check_message(const char *value, struct ei_error *err)
{
    return strlen(value) <= EI_MESSAGE_BODY_MAX ? EI_OK : ei_fail(err, EI_USAGE, "longer than 64 KiB");
}

static enum ei_err check_type(const char *value, struct ei_error *err)
{
    return strcmp(value, "guest") == 0 || strcmp(value, "member") == 0
               ? EI_OK
               : ei_fail(err, EI_USAGE, "\"%.30s\" is neither guest nor member", value);
}

static enum ei_err check_sponsors(const char *value, struct ei_error *err)
{
    char sponsor[EI_SPONSOR_SIZE];
    char text[EI_SPONSORS_TEXT_MAX];
    size_t count = 0;

    for (const char *at = value; ei_import_sponsor(&at, text, sizeof text); count++)
        if (ei_sponsor_read(text, sponsor, err) != EI_OK)
            return EI_USAGE;
    return ei_sponsors_count(count, err);
}

static enum ei_err check_boolean(const char *value, struct ei_error *err)
{
    return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0
               ? EI_OK
               : ei_fail(err, EI_USAGE, "\"%.30s\" is neither true nor false", value);
}

static enum ei_err check_channel(const char *value, struct ei_error *err)
{
    enum ei_channel channel;

    return ei_channel_from_name(value, &channel)
               ? EI_OK
               : ei_fail(err, EI_USAGE, "\"%.30s\" is none of: none, microsoft, smtp, webhook", value);
}

typedef enum ei_err check_value(const char *value, struct ei_error *err);

static check_value *const checks[EI_IMPORT_COLUMNS] = {
    [EI_IMPORT_EMAIL] = check_email,       [EI_IMPORT_LOGIN] = check_login,
    [EI_IMPORT_DISPLAY_NAME] = check_name, [EI_IMPORT_REDIRECT_URL] = check_url,
    [EI_IMPORT_LANGUAGE] = check_language, [EI_IMPORT_MESSAGE] = check_message,
    [EI_IMPORT_CC] = check_email,          [EI_IMPORT_TYPE] = check_type,
    [EI_IMPORT_SPONSORS] = check_sponsors, [EI_IMPORT_SEND_MESSAGE] = check_boolean,
    [EI_IMPORT_DELIVER] = check_channel,
};

static enum ei_err check_one(size_t column, const char *value, struct ei_error *err)
{
    if (column != EI_IMPORT_MESSAGE && strlen(value) > VALUE_BYTES)
        return ei_fail(err, EI_USAGE, "longer than %d bytes", VALUE_BYTES);
    if (column != EI_IMPORT_MESSAGE && !ei_utf8_printable(value))
        return ei_fail(err, EI_USAGE, "more than one line");
    return checks[column] != NULL ? checks[column](value, err) : EI_OK;
}

static void check_row(struct ei_import_row *row)
{
    struct ei_error err;

    if (row->error == NULL && row->values[EI_IMPORT_EMAIL] == NULL) {
        ei_fail(&err, EI_USAGE, "is empty");
        ei_import_spoil(row, ei_import_column_name(EI_IMPORT_EMAIL), &err);
    }
    for (size_t i = 0; i < EI_IMPORT_COLUMNS && row->error == NULL; i++)
        if (row->values[i] != NULL && check_one(i, row->values[i], &err) != EI_OK)
            ei_import_spoil(row, ei_import_column_name(i), &err);
}

/* --- beside each other --- */

struct person {
    char address[EI_ADDRESS_SIZE]; /* folded */
    size_t row;
};

static int by_address(const void *a, const void *b)
{
    const struct person *one = a;
    const struct person *other = b;
    int order = strcmp(one->address, other->address);

    return order != 0 ? order : (one->row > other->row) - (one->row < other->row);
}

/* Two accounts may be one person's; anything else that has an address in common is one row too many. */
static bool same_person(const struct ei_import_row *one, const struct ei_import_row *other)
{
    const char *a = one->values[EI_IMPORT_LOGIN];
    const char *b = other->values[EI_IMPORT_LOGIN];

    return a == NULL || b == NULL || strcmp(a, b) == 0;
}

static void check_against_earlier(struct ei_import_row *rows, const struct person *people, size_t first, size_t i)
{
    struct ei_import_row *row = &rows[people[i].row];
    struct ei_error err;

    for (size_t j = first; j < i && row->error == NULL; j++) {
        const struct ei_import_row *earlier = &rows[people[j].row];
        if (!same_person(row, earlier))
            continue;
        ei_fail(&err, EI_USAGE, "\"%.100s\" is in line %zu already", row->values[EI_IMPORT_EMAIL], earlier->line);
        ei_import_spoil(row, ei_import_column_name(EI_IMPORT_EMAIL), &err);
    }
}

static enum ei_err check_duplicates(struct ei_import_file *file, struct ei_error *err)
{
    struct person *people = calloc(file->count, sizeof *people);
    char address[EI_ADDRESS_SIZE];
    size_t count = 0;
    size_t first = 0;

    if (people == NULL)
        return ei_fail(err, EI_NOMEM, "no memory to look for rows that are there twice");
    for (size_t i = 0; i < file->count; i++) {
        const struct ei_import_row *row = &file->rows[i];
        if (row->error != NULL || ei_address_check(row->values[EI_IMPORT_EMAIL], address, NULL) != EI_OK)
            continue;
        ei_address_fold(address, people[count].address, sizeof people[count].address);
        people[count++].row = i;
    }
    qsort(people, count, sizeof *people, by_address);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(people[i].address, people[first].address) != 0)
            first = i;
        check_against_earlier(file->rows, people, first, i);
    }
    free(people);
    return EI_OK;
}

enum ei_err ei_import_check(struct ei_import_file *file, struct ei_error *err)
{
    for (size_t i = 0; i < file->count; i++)
        check_row(&file->rows[i]);
    return check_duplicates(file, err);
}

#include "plugin/cli/csv.h"

#include <string.h>

#include "common/base/utf8.h"

void ei_csv_open(struct ei_csv *csv, char *text, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    text[length] = '\0';
    *csv = (struct ei_csv){.at = text + skipped, .end = text + length, .line = 1};
}

static void spoil(struct ei_csv_record *record, const char *why, size_t line)
{
    if (record->bad != NULL)
        return;
    record->bad = why;
    record->bad_line = line;
}

/* What follows a field: 1 a comma, 2 the end of the line; 0 anything else. */
static int behind_field(const struct ei_csv *csv)
{
    if (csv->at == csv->end || *csv->at == '\n')
        return 2;
    if (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n')
        return 2;
    return *csv->at == ',';
}

static void skip_line(struct ei_csv *csv)
{
    while (csv->at < csv->end && *csv->at != '\n')
        csv->at++;
}

/* Copies the inside of the quotes to where they began. Returns its end. */
static char *take_quoted(struct ei_csv *csv, struct ei_csv_record *record)
{
    size_t opened = csv->line;
    char *out = csv->at++;

    while (csv->at < csv->end) {
        if (*csv->at == '"') {
            csv->at++;
            if (*csv->at != '"')
                return out;
        }
        csv->line += *csv->at == '\n';
        *out++ = *csv->at++;
    }
    spoil(record, "a quote opens here that nothing closes", opened);
    return out;
}

static char *take_plain(struct ei_csv *csv, struct ei_csv_record *record)
{
    while (behind_field(csv) == 0) {
        if (*csv->at == '"')
            spoil(record, "a quote inside a field that does not begin with one", csv->line);
        if (*csv->at == '\r')
            spoil(record, "a carriage return without a line feed", csv->line);
        csv->at++;
    }
    return csv->at;
}

/* What stands at end, which may still be needed, is put back. */
static void check_text(struct ei_csv_record *record, const char *field, char *end, size_t line)
{
    size_t length = (size_t)(end - field);
    char behind = *end;

    *end = '\0';
    if (memchr(field, '\0', length) != NULL)
        spoil(record, "a NUL byte", line);
    else if (!ei_utf8_valid(field, length))
        spoil(record, "bytes that are not UTF-8", line);
    else if (!ei_utf8_text(field, length))
        spoil(record, "a control character", line);
    *end = behind;
}

static void take_field(struct ei_csv *csv, struct ei_csv_record *record)
{
    char *field = csv->at;
    size_t line = csv->line;
    char *end = csv->at < csv->end && *csv->at == '"' ? take_quoted(csv, record) : take_plain(csv, record);

    if (behind_field(csv) == 0) {
        spoil(record, "text behind a closing quote", csv->line);
        skip_line(csv);
    }
    check_text(record, field, end, line);
    if (record->count == EI_CSV_FIELDS_MAX)
        spoil(record, "more than 64 fields", csv->line);
    else
        record->fields[record->count++] = field;
    if (end < csv->at) /* else what ends the field is still to be looked at */
        *end = '\0';
}

/* One record, from the beginning of a line to behind its end. */
static void take_record(struct ei_csv *csv, struct ei_csv_record *record)
{
    int what;

    *record = (struct ei_csv_record){.line = csv->line};
    do {
        take_field(csv, record);
        what = behind_field(csv);
        char *ender = csv->at;
        if (what == 2 && csv->at < csv->end) {
            csv->at += *csv->at == '\r' ? 2 : 1;
            csv->line++;
        } else if (what == 1) {
            csv->at++;
        }
        *ender = '\0';
    } while (what == 1);
}

bool ei_csv_next(struct ei_csv *csv, struct ei_csv_record *ret_record)
{
    while (csv->at < csv->end) {
        take_record(csv, ret_record);
        bool empty = ret_record->count == 1 && ret_record->fields[0][0] == '\0' && ret_record->bad == NULL;
        if (!empty)
            return true;
    }
    return false;
}

bool ei_csv_formula(const char *field)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

    if (*field != '\0' && strchr("=+-@\t\r'", *field) != NULL)
        return true;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strncmp(field, wide[i], 3) == 0)
            return true;
    return false;
}

const char *ei_csv_unguarded(const char *field)
{
    return field[0] == '\'' && ei_csv_formula(field + 1) ? field + 1 : field;
}

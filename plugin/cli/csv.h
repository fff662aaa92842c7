/*
 * Reads comma-separated values as RFC 4180 has them, strictly: a record whose quotes do not fit together is an error
 * with its line, and so are bytes that are no UTF-8 text. Lines end in LF or CR LF, a byte order mark is passed over.
 * The text is held in memory and taken apart in place.
 *
 * A reader of our own: Debian and Fedora have libcsv, but its last release is of 2013, it counts no lines, and it says
 * of a malformed record only that there is one.
 */
#ifndef EI_CLI_CSV_H
#define EI_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>

enum { EI_CSV_FIELDS_MAX = 64 };

struct ei_csv {
    char *at; /* the rest */
    char *end;
    size_t line; /* of at */
};

struct ei_csv_record {
    size_t line; /* on which it begins */
    char *fields[EI_CSV_FIELDS_MAX];
    size_t count;
    const char *bad; /* NULL, or why it is none; the next one can still be read */
    size_t bad_line;
};

/* text has length bytes and one more behind them that can be written; it must outlive all records. */
void ei_csv_open(struct ei_csv *csv, char *text, size_t length);

/* The next record that is not an empty line. Fields point into the text. false at the end. */
bool ei_csv_next(struct ei_csv *csv, struct ei_csv_record *ret_record);

/*
 * Spreadsheets run a cell that begins with = + - @ (or their full-width forms, a tab or a carriage return) as a
 * formula, whatever it is quoted in. Such a field is written with an apostrophe before it; one that begins with an
 * apostrophe too, so that reading is the exact reverse. true: it needs one.
 */
bool ei_csv_formula(const char *field);
/* The field without the apostrophe that ei_csv_formula asked for. */
const char *ei_csv_unguarded(const char *field);

#endif

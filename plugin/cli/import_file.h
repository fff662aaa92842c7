/* A file of people to invite: Entra's own bulk-invite CSV, or a plain one. Every row is checked as far as that can be
 * done without entra-invited; a bad one says why and stands in the way of no other. */
#ifndef EI_CLI_IMPORT_FILE_H
#define EI_CLI_IMPORT_FILE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

/* In the order in which export writes them. */
enum ei_import_column {
    EI_IMPORT_EMAIL,
    EI_IMPORT_LOGIN,
    EI_IMPORT_RULE,
    EI_IMPORT_DISPLAY_NAME,
    EI_IMPORT_REDIRECT_URL,
    EI_IMPORT_LANGUAGE,
    EI_IMPORT_MESSAGE,
    EI_IMPORT_CC,
    EI_IMPORT_TYPE,
    EI_IMPORT_SPONSORS,
    EI_IMPORT_SEND_MESSAGE,
    EI_IMPORT_DELIVER,
    EI_IMPORT_COLUMNS,
};

enum {
    EI_IMPORT_FILE_MAX = 64 << 20, /* bytes */
    EI_IMPORT_ROWS_MAX = 100000,
};

struct ei_import_row {
    size_t line;
    const char *values[EI_IMPORT_COLUMNS]; /* NULL: empty or no such column; they point into the file's text */
    struct ei_error *error;                /* why it is bad, NULL: it is not */
    const char *column;                    /* which one is at fault, NULL: the row as such */
    const char *state;                     /* as entra-invited told last (ei_state_name), NULL: not on record */
    bool already;                          /* was on record before */
    bool asked;                            /* was handed over in this run */
    bool told;
};

struct ei_import_file {
    char *text;
    struct ei_import_row *rows;
    size_t count;
};

/* path "-" is standard input. EI_USAGE, EI_NOMEM: the file as a whole cannot be taken, err says why, with the line.
 * *stop, not 0 to stop, is looked at while standard input is read. Free with ei_import_file_free, also after a failure.
 */
enum ei_err ei_import_file_read(const char *path, const volatile sig_atomic_t *stop, struct ei_import_file *ret_file,
                                struct ei_error *err);
void ei_import_file_free(struct ei_import_file *file);

/* "email", "login", … as the heading has it. */
const char *ei_import_column_name(enum ei_import_column column);
/* By Import's name of a parameter; NULL if it is none of a column. */
const char *ei_import_column_of(const char *parameter);
/* The name of the parameter: "displayName". */
const char *ei_import_parameter(enum ei_import_column column);

/* Makes row bad, unless it is. */
void ei_import_spoil(struct ei_import_row *row, const char *column, const struct ei_error *err);

#endif

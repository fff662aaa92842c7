/* Tables for people, and comma-separated values for programs, from arrays of JSON objects. */
#ifndef EI_CLI_TABLE_H
#define EI_CLI_TABLE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugin/cli/cli.h"

enum ei_cell { EI_CELL_TEXT, EI_CELL_TIME, EI_CELL_STATE };

struct ei_column {
    const char *title;
    const char *member;
    const char *otherwise; /* the member to take where that one is null; NULL: none */
    enum ei_cell kind;
    bool wide; /* only on a terminal that has room for it */
};

enum { EI_COLUMNS_MAX = 20 };

/* Begins as {0}; what was printed of it keeps its columns and their widths. */
struct ei_table {
    const struct ei_column *columns;
    size_t count;
    size_t widths[EI_COLUMNS_MAX];
    bool shown[EI_COLUMNS_MAX];
    bool bare;  /* without a heading */
    bool begun; /* the heading is printed, or would be */
};

/* Prints rows, the first time under a heading, aligned among each other and with those before. */
void ei_table_print(const struct ei_cli *cli, struct ei_table *table, const cJSON *rows);

/* RFC 4180: quoted where it must be; a line break inside quotes stays one. What a spreadsheet would run gets an
 * apostrophe before it (ei_csv_formula). NULL: nothing. */
void ei_csv_cell(const char *text);
/* These members of the object, with a comma between, and no line end. true and false as such. */
void ei_csv_members(const cJSON *object, const char *const *members, size_t count);
void ei_csv_heading(const char *const *members, size_t count);

#endif

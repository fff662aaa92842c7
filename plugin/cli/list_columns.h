/* The columns of `list`, by name. */
#ifndef EI_CLI_LIST_COLUMNS_H
#define EI_CLI_LIST_COLUMNS_H

#include "plugin/cli/table.h"

struct ei_list_columns {
    struct ei_column columns[EI_COLUMNS_MAX];
    const char *names[EI_COLUMNS_MAX];
    size_t count;
};

/* The name of column i, NULL behind the last. */
const char *ei_list_column_name(size_t i);

/* --columns, or those that a table or CSV has without it. false: a message was printed. */
bool ei_list_columns_read(const struct ei_args *args, bool csv, struct ei_list_columns *ret_columns);
/* The error's code and message become members of each row, as CSV and tables have them. */
void ei_list_columns_prepare(cJSON *rows);

#endif

/* Which accounts `list` shows, and in what order. What the command line says of it is read here. */
#ifndef EI_CLI_LIST_ROWS_H
#define EI_CLI_LIST_ROWS_H

#include <stdint.h>

#include "plugin/cli/cli.h"

/* Begins with ei_list_filter_read, ends with ei_list_filter_clear. */
struct ei_list_filter {
    const struct ei_args *args; /* --rule and the patterns are read where they stand */
    char **domains;             /* folded */
    size_t domain_count;
    int64_t not_before; /* of SINCE */
    int64_t not_after;
};

/* --rule, --domain, --older-than, --newer-than and the patterns. false: a message was printed. */
bool ei_list_filter_read(const struct ei_args *args, struct ei_list_filter *ret_filter);
void ei_list_filter_clear(struct ei_list_filter *filter);
/* Whether it shows this account, or guest of the tenant. */
bool ei_list_filter_passes(const struct ei_list_filter *filter, const cJSON *row);

/* What SINCE shows, NULL if it is not known: the redemption's change where Graph has told one, else the request. */
const char *ei_list_since(const cJSON *row);

enum { EI_SORT_MAX = 8 };

struct ei_list_order {
    struct {
        unsigned char key; /* in ei_list_sort_keys */
        bool down;
    } by[EI_SORT_MAX];
    size_t count;
};

/* The keys of --sort, ended by NULL. */
extern const char *const ei_list_sort_keys[];

/* --sort. false: a message was printed. */
bool ei_list_order_read(const struct ei_args *args, struct ei_list_order *ret_order);
/* Stable: rows that are alike stay as they were. What is not known comes last, whichever way. false: no memory. */
bool ei_list_sort(cJSON *rows, const struct ei_list_order *order);

#endif

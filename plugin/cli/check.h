/* check: what is looked at, by which limits, and how it is told. verb_check.c runs it. */
#ifndef EI_CLI_CHECK_H
#define EI_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/cli/cli.h"

/* The exit codes of monitoring plugins. */
enum ei_check_level { EI_CHECK_OK, EI_CHECK_WARNING, EI_CHECK_CRITICAL, EI_CHECK_UNKNOWN };

enum {
    EI_CHECK_NEVER = -1,
    EI_CHECK_PROBLEMS_MAX = 64,
    EI_CHECK_NAMED_MAX = 20,
};

/* What makes a warning, and what makes it critical; EI_CHECK_NEVER: nothing does. */
struct ei_check_limit {
    int64_t warning;
    int64_t critical;
};

struct ei_check_limits {
    struct ei_check_limit queue_age;   /* seconds */
    struct ei_check_limit failed;      /* accounts */
    struct ei_check_limit refresh_age; /* seconds */
    struct ei_check_limit expiry;      /* seconds that are left */
};

/* An account of the view that is worth a line. */
struct ei_check_account {
    char login[EI_VIEW_LOGIN_MAX + 1];
    struct ei_view_record record;
};

/* What the view tells to everybody. */
struct ei_check_view {
    enum ei_view_status status;
    struct ei_view_header header;
    uint64_t counts[EI_STATES];
    int64_t oldest_queued; /* since when; 0: none is queued */
    struct ei_check_account failed[EI_CHECK_NAMED_MAX];
    size_t failed_count; /* of those that are in the array */
};

struct ei_check_problem {
    enum ei_check_level level;
    char text[EI_MESSAGE_MAX];
    const char *mend; /* NULL: none of its own */
};

/* One run of it. */
struct ei_monitor {
    int64_t now;
    struct ei_check_limits limits;
    struct ei_check_view view;
    bool asked;              /* the worker answered */
    int64_t last_refresh;    /* 0: not known */
    int64_t credential_ends; /* 0: not known */
    struct ei_check_problem problems[EI_CHECK_PROBLEMS_MAX];
    size_t problem_count;
};

/* --- check_limits.c --- */

/* The options and their defaults. false: a message was printed. */
bool ei_check_limits(const struct ei_args *args, struct ei_check_limits *ret_limits);

/* --- check_view.c --- */

void ei_check_read_view(const char *path, struct ei_check_view *ret_view);

/* --- check_judge.c --- */

/* WARNING or CRITICAL by the limit: value is too much from there on. */
enum ei_check_level ei_check_above(const struct ei_check_limit *limit, int64_t value);
/* What is left is too little. */
enum ei_check_level ei_check_below(const struct ei_check_limit *limit, int64_t value);
void ei_check_add(struct ei_monitor *check, enum ei_check_level level, const char *mend, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds a problem for each thing that is wrong; status: what the worker answered, NULL: it was not asked. */
void ei_check_judge(struct ei_monitor *check, const cJSON *status);
/* CRITICAL before WARNING before UNKNOWN before OK. */
enum ei_check_level ei_check_worst(const struct ei_monitor *check);
/* The view is out of date, and collaborators are shut out. */
bool ei_check_stale(const struct ei_monitor *check);
/* "3 days", "2 hours", "5 minutes", "40 seconds". */
const char *ei_check_span(int64_t seconds, char out[32]);

/* --- check_print.c --- */

void ei_check_print(const struct ei_monitor *check);
void ei_check_print_json(const struct ei_monitor *check);
/* One line if somebody ought to look, else nothing. */
void ei_check_print_motd(const struct ei_monitor *check);

#endif

/*
 * How it is found out which guests redeemed, chosen by what it costs in Graph's resource units (contract 6). Pure.
 *
 * A single read costs a unit, in a $batch too; a page of changes or of a list, with $select, as well. A round is what
 * one refresh_interval takes; reads that are spread over a longer time count by their share of it.
 */
#ifndef EI_WORKER_CHOICE_H
#define EI_WORKER_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ei_refresh_method {
    EI_BY_BATCH, /* every guest is read by its id, those that are due together by $batch */
    EI_BY_DELTA, /* the tenant tells which users changed; those are read, the others seldom */
    EI_BY_LIST,  /* the tenant's guests are listed; those that differ from what is known are read */
};

enum {
    EI_CHANGES_FROM = 500,        /* more guests than this are many */
    EI_CHANGES_UNTIL = 400,       /* once many, not more than this are few again */
    EI_LOOKS_PER_SECOND = 20,     /* on average; Graph allows at least 350 units a second (contract 6) */
    EI_SLOW_LOOK_S = 6 * 60 * 60, /* between two looks at an accepted guest, where changes are told or listed */
    EI_LISTED_LOOK_S = 60 * 60,   /* and at a pending one, where they are listed */
    EI_LIST_ALL_S = 60 * 60,      /* between two lists of all guests */
    EI_LIST_ALL_PAGES = 10,       /* but if that takes no more pages, each list is of all */
    EI_REASON_MAX = 160,
};

struct ei_choice_facts {
    int64_t interval; /* refresh_interval */
    uint64_t pending;
    uint64_t others; /* accepted and failed */
    bool delta_refused;
    bool list_refused;
    bool list_all_only;     /* the tenant does not filter by externalUserState */
    uint64_t pages_pending; /* what the last list of pending guests took, 0: none was made */
    uint64_t pages_all;
};

bool ei_choice_many(const struct ei_choice_facts *facts, enum ei_refresh_method current);
/* reason: for people, why it is this one. */
enum ei_refresh_method ei_choice_make(const struct ei_choice_facts *facts, enum ei_refresh_method current,
                                      char reason[EI_REASON_MAX]);
/* Units a round. */
uint64_t ei_choice_cost(const struct ei_choice_facts *facts, enum ei_refresh_method method);
/* Seconds between two regular reads of a pending guest, or of another. */
int64_t ei_choice_apart(const struct ei_choice_facts *facts, enum ei_refresh_method method, bool pending);
/* Every list is of all guests. */
bool ei_choice_lists_all(const struct ei_choice_facts *facts);
/* "batch", "delta", "list" */
const char *ei_choice_name(enum ei_refresh_method method);

#endif

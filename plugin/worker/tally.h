/* What the walk of a publication counts beside the view, for the metrics. */
#ifndef EI_WORKER_TALLY_H
#define EI_WORKER_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/store/store.h"
#include "common/view/view.h"

enum { EI_TALLY_MAILS = EI_MAIL_HELD + 1 };

struct ei_tally_rule {
    char *name; /* "": no rule */
    uint64_t accounts[EI_STATES];
};

/* Zeroed: nothing. */
struct ei_tally {
    struct ei_tally_rule *rules; /* those of the configuration, then others that accounts have */
    size_t rule_count;
    size_t rule_room;
    uint64_t mails[EI_TALLY_MAILS]; /* people */
    uint64_t jobs;                  /* people for whom something is to be sent, now or later; looks are not counted */
    int64_t oldest_queued;          /* since when the first of the queued ones waits; 0: none does */
};

/* Begins anew. */
void ei_tally_begin(struct ei_tally *tally, const struct ei_config *config);
/* One account, or an invitation without one. rule NULL: none. */
void ei_tally_account(struct ei_tally *tally, const char *rule, enum ei_state state, int64_t since);
void ei_tally_person(struct ei_tally *tally, const struct ei_collaborator *collaborator);
void ei_tally_free(struct ei_tally *tally);

#endif

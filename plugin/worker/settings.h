/* How this collaborator is invited: the rule's settings, and over them what the command line asked for. */
#ifndef EI_WORKER_SETTINGS_H
#define EI_WORKER_SETTINGS_H

#include <cjson/cJSON.h>

#include "common/config/config.h"
#include "common/graph/graph.h"
#include "common/store/store.h"

/* Points into config, collaborator and overrides; free overrides with ei_settings_clear. */
struct ei_settings {
    struct ei_graph_invite invite;
    enum ei_channel channel;    /* who carries the redeem URL */
    const struct ei_rule *rule; /* NULL: the default block */
    cJSON *overrides;
    const char *sponsors[EI_SPONSORS_MOST]; /* invite.sponsors points here */
    char requester[EI_SPONSOR_SIZE];        /* one of them may point here */
    char sponsor_note[EI_MESSAGE_MAX];      /* why one that is wanted is left out, "" if none is */
};

/*
 * Settings come from the first rule in file order among the collaborator's active accounts; job.rule, if set, beats it;
 * without either, the default block. EI_DOMAIN_NOT_ALLOWED if that rule (without one: every rule) does not list the
 * address's domain.
 */
/* The settings may not be copied. */
enum ei_err ei_settings_resolve(const struct ei_config *config, const struct ei_collaborator *collaborator,
                                struct ei_settings *ret_settings, struct ei_error *err);
void ei_settings_clear(struct ei_settings *settings);

#endif

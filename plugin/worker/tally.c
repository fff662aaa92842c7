#include "plugin/worker/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"

void ei_tally_free(struct ei_tally *tally)
{
    for (size_t i = 0; i < tally->rule_count; i++)
        free(tally->rules[i].name);
    free(tally->rules);
    *tally = (struct ei_tally){0};
}

/* The row of a rule, made where there is none; NULL when out of memory. */
static struct ei_tally_rule *row_of(struct ei_tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->rule_count; i++)
        if (strcmp(tally->rules[i].name, name) == 0)
            return &tally->rules[i];
    struct ei_tally_rule *rules = ei_array_room(tally->rules, tally->rule_count, &tally->rule_room, sizeof *rules);
    if (rules == NULL)
        return NULL;
    tally->rules = rules;
    struct ei_tally_rule *row = &rules[tally->rule_count];
    *row = (struct ei_tally_rule){.name = strdup(name)};
    if (row->name == NULL)
        return NULL;
    tally->rule_count++;
    return row;
}

void ei_tally_begin(struct ei_tally *tally, const struct ei_config *config)
{
    ei_tally_free(tally);
    for (size_t i = 0; i < config->rule_count; i++)
        (void)row_of(tally, config->rules[i].name);
}

void ei_tally_account(struct ei_tally *tally, const char *rule, enum ei_state state, int64_t since)
{
    struct ei_tally_rule *row = row_of(tally, rule != NULL ? rule : "");

    if (row != NULL && (unsigned)state < EI_STATES)
        row->accounts[state]++;
    if (state == EI_STATE_QUEUED && since != 0 && (tally->oldest_queued == 0 || since < tally->oldest_queued))
        tally->oldest_queued = since;
}

static bool is_job(enum ei_step step)
{
    switch (step) {
    case EI_STEP_QUEUED:
    case EI_STEP_CHECKING:
    case EI_STEP_CREATING:
    case EI_STEP_CREATED:
    case EI_STEP_MAILING:
    case EI_STEP_OFFBOARDING:
        return true;
    case EI_STEP_IDLE:
    case EI_STEP_PENDING:
    case EI_STEP_ACCEPTED:
    case EI_STEP_FAILED:
        break;
    }
    return false;
}

void ei_tally_person(struct ei_tally *tally, const struct ei_collaborator *c)
{
    if ((unsigned)c->mail < EI_TALLY_MAILS)
        tally->mails[c->mail]++;
    if (is_job(c->job.step))
        tally->jobs++;
}

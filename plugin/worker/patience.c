#include "plugin/worker/patience.h"

#include "common/base/clock.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/tell.h"

enum { DAY = 24 * 60 * 60 };

static bool some_rule_is_impatient(const struct ei_config *config)
{
    for (size_t i = 0; i < config->rule_count; i++)
        if (config->rules[i].remind_after != 0 || config->rules[i].give_up_after != 0)
            return true;
    return false;
}

int64_t ei_patience_end(const struct ei_rule *rule, const struct ei_collaborator *c)
{
    int64_t from = c->invited_at != 0 ? c->invited_at : ei_now();

    return rule != NULL && rule->give_up_after != 0 ? from + (int64_t)rule->give_up_after * DAY : 0;
}

/* The sponsors are told by notices.c, each once. */
static void tell_sponsors(struct ei_collaborator *c, const struct ei_rule *rule)
{
    if (!rule->tell_sponsors || c->sponsors == NULL)
        return;
    c->notice = true;
    c->notice_next = 0;
    c->notice_round++;
}

/* What was not accepted in time stays known, and is looked at as long as the guest is there: who redeems late is
 * accepted all the same. */
static void give_up(struct ei_worker *w, struct ei_collaborator *c, const struct ei_rule *rule)
{
    c->expired_at = ei_now();
    c->state_at = c->expired_at;
    c->reminding = false;
    tell_sponsors(c, rule);
    ei_tell(w, LOG_NOTICE, EI_LOG_EXPIRED, c, NULL, "did not accept within %d days; given up", rule->give_up_after);
    if (rule->on_give_up != EI_REMOVAL_KEEP && c->made) {
        ei_collaborator_bury(c, NULL, NULL);
        ei_collaborator_let_go(c, rule->on_give_up, c->expired_at);
    }
    ei_worker_save(w, c, "expired", NULL);
}

/* A guest who was there before us is never mailed by itself; and an address that takes no mail takes no reminder. */
static bool may_remind(const struct ei_collaborator *c)
{
    bool refused = ei_carrier_failure(c->error.code) && ei_err_fault(c->error.code) == EI_FAULT_ACCOUNT;

    return c->reminded_at == 0 && !c->linked && !refused &&
           (c->mail == EI_MAIL_NONE || c->mail == EI_MAIL_SENT || c->mail == EI_MAIL_UNKNOWN);
}

/* Another mail, so another right to it; that it was begun is on record before it is sent, like everything. */
static void remind(struct ei_worker *w, struct ei_collaborator *c, const struct ei_rule *rule)
{
    tell_sponsors(c, rule);
    c->reminded_at = ei_now();
    c->reminding = true;
    c->mail = EI_MAIL_WANTED;
    c->mail_round++;
    ei_error_clear(&c->error);
    ei_machine_enter(w, c, EI_STEP_CREATED, "reminding");
}

bool ei_patience_run(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;
    int64_t now = ei_clock_theirs(w); /* a clock that is wrong reminds nobody, and gives nobody up */

    if (!some_rule_is_impatient(w->config) || c->invited_at == 0 || c->expired_at != 0 ||
        ei_settings_resolve(w->config, c, &settings, NULL) != EI_OK)
        return false;
    const struct ei_rule *rule = settings.rule;
    bool carried = settings.channel != EI_CHANNEL_NONE;
    int64_t end = ei_patience_end(rule, c);
    ei_settings_clear(&settings);
    if (rule == NULL)
        return false;
    if (end != 0 && now >= end) {
        give_up(w, c, rule);
        return true;
    }
    if (rule->remind_after == 0 || now - c->invited_at < (int64_t)rule->remind_after * DAY || !carried ||
        !may_remind(c))
        return false;
    remind(w, c, rule);
    return true;
}

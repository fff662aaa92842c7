/* The rules about a collaborator's work that reconciler, jobs and calls share. Pure. */
#include <string.h>

#include "plugin/worker/reconcile.h"

static bool has_account(const struct ei_collaborator *c, enum ei_account_state state)
{
    for (size_t i = 0; i < c->account_count; i++)
        if (c->accounts[i].state == state)
            return true;
    return false;
}

bool ei_collaborator_wants_invitation(const struct ei_collaborator *c)
{
    return c->job.rule != NULL || has_account(c, EI_ACCOUNT_ACTIVE);
}

bool ei_collaborator_needed(const struct ei_collaborator *c)
{
    return ei_collaborator_wants_invitation(c) || has_account(c, EI_ACCOUNT_HELD);
}

bool ei_collaborator_looked_at(const struct ei_collaborator *c)
{
    return c->job.step == EI_STEP_PENDING || c->job.step == EI_STEP_ACCEPTED;
}

void ei_collaborator_await(struct ei_collaborator *c, int64_t since)
{
    c->invited_at = since;
    c->reminded_at = 0;
    c->expired_at = 0;
    c->reminding = false;
}

static void start(struct ei_collaborator *c, enum ei_step step, int64_t now)
{
    c->job.step = step;
    c->job.resume = EI_STEP_QUEUED;
    c->job.attempts = 0;
    c->job.started_at = 0;
    c->job.crid[0] = '\0';
    c->job.not_before = now;
    c->job.offboard = EI_REMOVAL_KEEP;
    c->job.reset = false;
    ei_text_set(&c->job.reset_email, NULL);
    c->state_at = now;
    ei_error_clear(&c->error);
    c->error_permanent = false;
    if (step != EI_STEP_IDLE && step != EI_STEP_OFFBOARDING)
        ei_collaborator_await(c, 0);
}

/* A request may be on its way, or its outcome is not known: its end must be written down first (X1). */
static bool between_commits(const struct ei_collaborator *c)
{
    return c->job.step == EI_STEP_CREATING || c->job.step == EI_STEP_CREATED || c->job.step == EI_STEP_MAILING;
}

bool ei_collaborator_restoring(const struct ei_collaborator *c)
{
    return c->job.step == EI_STEP_OFFBOARDING && c->job.offboard == EI_OFFBOARD_RESTORE;
}

void ei_collaborator_take_up(struct ei_collaborator *c, int64_t now, bool urgent)
{
    if (!ei_collaborator_needed(c))
        return;
    if (c->job.step != EI_STEP_OFFBOARDING)
        c->job.offboard = EI_REMOVAL_KEEP;
    /* An invitation of an address has found its account: from here on the account stands for it. */
    if (c->job.rule != NULL && has_account(c, EI_ACCOUNT_ACTIVE))
        ei_text_set(&c->job.rule, NULL);
    if (c->address_count == 0 || ei_collaborator_restoring(c))
        return;
    if (c->job.step == EI_STEP_IDLE || c->job.step == EI_STEP_OFFBOARDING)
        start(c, ei_collaborator_wants_invitation(c) ? EI_STEP_QUEUED : EI_STEP_CHECKING, now);
    if (c->job.step < EI_STEP_PENDING)
        c->job.urgent = c->job.urgent || urgent;
}

void ei_collaborator_requeue(struct ei_collaborator *c, int64_t now, bool urgent)
{
    if (between_commits(c))
        return;
    if (c->error_permanent && c->error.code == EI_GUEST_GONE)
        ei_text_set(&c->redeem_url, NULL); /* it leads nowhere: who waits, waits for another one */
    start(c, c->address_count != 0 ? EI_STEP_QUEUED : EI_STEP_IDLE, now);
    c->not_found_since = 0;
    c->job.urgent = urgent;
}

/* Whether what Graph said forbids to touch the user: it is not there, not a guest, or not the only one. */
static bool hands_off(const struct ei_collaborator *c)
{
    return c->error_permanent && (c->error.code == EI_GUEST_GONE || c->error.code == EI_INTERNAL_USER ||
                                  c->error.code == EI_AMBIGUOUS_USERS || c->error.code == EI_SECOND_GUEST);
}

void ei_collaborator_let_go(struct ei_collaborator *c, enum ei_removal removal, int64_t now)
{
    if (ei_collaborator_needed(c)) {
        /* Only held ones are left: looked up, but not invited. */
        if (c->job.step == EI_STEP_QUEUED && !ei_collaborator_wants_invitation(c))
            c->job.step = EI_STEP_CHECKING;
        return;
    }
    if (between_commits(c)) {
        c->job.offboard = (int)removal;
        return;
    }
    /* A guest that was deleted in the tenant is not invited again by itself: the failure stays on record. */
    bool deleted = c->error_permanent && (c->error.code == EI_GUEST_GONE || c->error.code == EI_GUEST_DELETED);
    if ((c->job.step == EI_STEP_OFFBOARDING && !ei_collaborator_restoring(c)) || deleted)
        return;
    bool disabled = c->error_permanent && c->error.code == EI_DISABLED;
    bool offboard = removal != EI_REMOVAL_KEEP && c->guest_id != NULL && !hands_off(c) &&
                    !(disabled && removal == EI_REMOVAL_DISABLE);
    if (c->job.step != EI_STEP_IDLE || offboard)
        start(c, offboard ? EI_STEP_OFFBOARDING : EI_STEP_IDLE, now);
    c->job.urgent = false;
    c->job.offboard = (int)(offboard ? removal : EI_REMOVAL_KEEP);
    ei_text_set(&c->job.overrides, NULL); /* they were for that request */
    ei_text_set(&c->redeem_url, NULL);    /* nobody is to redeem it; coming back makes a new one */
}

void ei_collaborator_bury(struct ei_collaborator *c, const char *host, const char *login)
{
    for (size_t i = 0; i < c->account_count; i++) {
        struct ei_account *account = &c->accounts[i];
        if ((host != NULL && strcmp(account->host, host) != 0) || (login != NULL && strcmp(account->login, login) != 0))
            continue;
        account->state = EI_ACCOUNT_REMOVED;
        account->by_admin = true;
    }
    if (login == NULL)
        ei_text_set(&c->job.rule, NULL);
}

static enum ei_removal removal_of(const struct ei_config *config, const char *rule)
{
    for (size_t r = 0; rule != NULL && r < config->rule_count; r++)
        if (strcmp(config->rules[r].name, rule) == 0)
            return config->rules[r].on_account_removal;
    return EI_REMOVAL_KEEP;
}

enum ei_removal ei_collaborator_removal(const struct ei_config *config, const struct ei_collaborator *c)
{
    enum ei_removal mildest = c->account_count != 0 ? EI_REMOVAL_DELETE : EI_REMOVAL_KEEP;
    bool being_made = c->guest_id == NULL && !c->linked;

    if (!c->made && !being_made)
        return EI_REMOVAL_KEEP;
    for (size_t i = 0; i < c->account_count; i++) {
        enum ei_removal removal = removal_of(config, c->accounts[i].rule);
        if (removal < mildest)
            mildest = removal;
    }
    return mildest;
}

void ei_collaborator_restore(struct ei_collaborator *c, int64_t now)
{
    bool deleting = c->job.step == EI_STEP_OFFBOARDING && c->job.offboard == EI_REMOVAL_DELETE;
    bool gone = c->error_permanent && c->error.code == EI_GUEST_GONE;

    if (c->guest_id != NULL && (gone || deleting)) { /* deleting: it may have been done, though no answer came */
        ei_text_set(&c->deleted_guest_id, NULL);
        c->deleted_guest_id = c->guest_id;
        c->guest_id = NULL;
        c->deleted_at = now;
    }
    if (c->job.step == EI_STEP_OFFBOARDING && c->job.offboard == EI_REMOVAL_DISABLE)
        c->disabled = true;
    start(c, EI_STEP_OFFBOARDING, now);
    c->job.offboard = EI_OFFBOARD_RESTORE;
    c->job.urgent = true;
    c->not_found_since = 0;
}

bool ei_collaborator_expire(struct ei_collaborator *c, int64_t now)
{
    if (c->deleted_guest_id == NULL || c->job.step != EI_STEP_IDLE || now - c->deleted_at < EI_DELETED_KEPT)
        return false;
    ei_text_set(&c->deleted_guest_id, NULL);
    c->deleted_at = 0;
    return true;
}

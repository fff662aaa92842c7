/* One change about one covered account, made in the store: which collaborator it belongs to, and what work follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/text.h"
#include "plugin/worker/history.h"
#include "plugin/worker/reconcile_internal.h"

enum {
    CONFLICT_TRIES = 3,
    REQUESTER_WAIT = 2, /* seconds */
};

struct placing {
    struct ei_pass *pass;
    struct ei_change *change;
    struct ei_wanted wanted;
    char address[EI_ADDRESS_SIZE];
    struct ei_error error;        /* why the address is not good */
    struct ei_collaborator *from; /* where it is recorded, NULL: nowhere */
    struct ei_collaborator *to;   /* where it belongs; may be from */
};

static bool moves(const struct placing *p)
{
    return p->from != NULL && p->from != p->to;
}

/* A record of this account alone, without an address that others could share. */
static bool private_to_it(const struct ei_collaborator *c)
{
    return c->account_count == 1 && c->address_count == 0;
}

bool ei_collaborator_forgettable(const struct ei_collaborator *c)
{
    bool sending = c->job.step == EI_STEP_CREATING || c->job.step == EI_STEP_CREATED || c->job.step == EI_STEP_MAILING;
    bool mailed = c->mail == EI_MAIL_SENDING || c->mail == EI_MAIL_SENT || c->mail == EI_MAIL_UNKNOWN;

    if (c->account_count == 0 && c->address_count == 0)
        return true;
    return c->account_count == 0 && c->job.rule == NULL && c->guest_id == NULL && c->deleted_guest_id == NULL &&
           !sending && !mailed;
}

static enum ei_err no_memory(const struct placing *p, struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "%s: no memory to record it", p->change->entry->login);
}

/* The collaborator of this address, wherever its other accounts are; else its own record; else a new one. */
static enum ei_err find_target(struct placing *p, struct ei_error *err)
{
    struct ei_change *change = p->change;

    p->to = p->from;
    if ((change->what & EI_CHANGE_ADDRESS) == 0)
        return EI_OK;
    if (change->judged == EI_JUDGED_GOOD) {
        struct ei_collaborator *found = NULL;
        enum ei_err rc = ei_store_by_address(p->pass->ctx->store, p->address, &found, err);
        if (rc == EI_OK && p->from != NULL && strcmp(found->id, p->from->id) == 0) {
            ei_collaborator_free(found);
            return EI_OK;
        }
        p->to = found;
        if (rc != EI_NOT_FOUND)
            return rc;
    }
    p->to = p->from != NULL && private_to_it(p->from) ? p->from : ei_collaborator_new();
    if (p->to == NULL)
        return no_memory(p, err);
    if (change->judged == EI_JUDGED_GOOD && !ei_collaborator_add_address(p->to, p->address))
        return no_memory(p, err);
    return EI_OK;
}

/* A typing error is not another person, and a mass is not believed: neither costs the old guest anything. */
static enum ei_removal removal_at_move(const struct placing *p)
{
    const struct ei_change *change = p->change;
    bool meant = change->judged == EI_JUDGED_GOOD && !change->held && !change->known->by_admin;
    return meant ? ei_collaborator_removal(p->pass->ctx->config, p->from) : EI_REMOVAL_KEEP;
}

/* Takes the account out of where it was, or finds it there; NULL when out of memory. */
static struct ei_account *carry_over(struct placing *p)
{
    const struct ei_entry *entry = p->change->entry;
    const char *host = p->pass->ctx->host;
    const char *rule = p->pass->ctx->config->rules[entry->rule].name;
    const struct ei_known *known = p->change->known;

    if (p->from == p->to)
        return ei_collaborator_account(p->to, host, known->login);
    if (moves(p)) {
        enum ei_removal removal = removal_at_move(p);
        ei_collaborator_drop_account(p->from, ei_collaborator_account(p->from, host, known->login));
        ei_collaborator_let_go(p->from, removal, p->pass->now);
    }
    struct ei_account *account = ei_collaborator_add_account(p->to, host, entry->login, entry->uid, rule);
    if (account != NULL) {
        account->since = known != NULL ? known->since : p->pass->now;
        account->state = known != NULL ? known->state : EI_ACCOUNT_ACTIVE;
        account->by_admin = known != NULL && known->by_admin;
    }
    return account;
}

static void set_state(const struct ei_change *change, struct ei_account *account)
{
    bool asked = (change->what & EI_CHANGE_ASKED) != 0;
    bool revived = (change->what & EI_CHANGE_BACK) != 0;

    if (asked || (revived && !change->held) || (account->state == EI_ACCOUNT_ACTIVE && !change->held))
        account->state = EI_ACCOUNT_ACTIVE;
    else if (revived || account->state == EI_ACCOUNT_ACTIVE)
        account->state = EI_ACCOUNT_HELD;
    if (asked || revived)
        account->by_admin = false;
}

static bool set_facts(const struct placing *p, struct ei_account *account)
{
    const struct ei_change *change = p->change;
    const struct ei_entry *entry = change->entry;

    if (!ei_text_set(&account->login, entry->login) ||
        !ei_text_set(&account->rule, p->pass->ctx->config->rules[entry->rule].name))
        return false;
    account->uid = entry->uid;
    account->local = entry->local;
    account->missing_since = 0;
    if ((change->what & EI_CHANGE_ADDRESS) != 0) {
        account->source = p->wanted.source;
        account->address_hash = p->wanted.hash;
    }
    account->reported = (change->what & (EI_CHANGE_OVERDUE | EI_CHANGE_LOST)) != 0 ||
                        (account->reported && p->wanted.source == EI_SOURCE_NONE);
    set_state(change, account);
    return true;
}

/* Who asked, and the name: of a collaborator that starts with this account; later ones change nothing. */
static bool set_request(struct placing *p)
{
    struct ei_collaborator *c = p->to;
    char name[EI_NAME_SIZE] = "";

    if (c->account_count != 1)
        return true;
    bool anew = (p->change->what & EI_CHANGE_ADDRESS) != 0;
    if (c->requested_at == 0 || anew)
        c->requested_at = p->pass->now;
    const struct ei_asker *asker = &p->change->asker;
    if (asker->by != NULL && (anew || c->requested_by == NULL) &&
        (!ei_text_set(&c->requested_by, asker->by) || !ei_text_set(&c->requester, asker->login)))
        return false;
    if (p->pass->first_trusted)
        ei_gecos_name(p->change->entry->gecos, name);
    return c->display_name != NULL || name[0] == '\0' || ei_text_set(&c->display_name, name);
}

/* The worker resolves the settings by the first rule in file order: failing again at once would help nobody. */
static bool first_rule_allows(const struct ei_config *config, const struct ei_collaborator *c)
{
    for (size_t r = 0; r < config->rule_count && c->address_count != 0; r++)
        for (size_t i = 0; i < c->account_count; i++)
            if (c->accounts[i].state == EI_ACCOUNT_ACTIVE && ei_text_same(c->accounts[i].rule, config->rules[r].name))
                return ei_address_domain_listed(c->addresses[0],
                                                (const char *const *)config->rules[r].email_domains.items,
                                                config->rules[r].email_domains.count);
    return c->address_count != 0;
}

static void refuse(struct ei_collaborator *c, const struct ei_error *error, int64_t now)
{
    ei_collaborator_requeue(c, now, false);
    c->job.step = EI_STEP_FAILED;
    c->error = *error;
    c->error_permanent = true;
}

static void link_work(struct placing *p)
{
    struct ei_collaborator *c = p->to;
    int64_t now = p->pass->now;
    bool of_address = c->error_permanent && (c->error.code == EI_BAD_ADDRESS || c->error.code == EI_DOMAIN_NOT_ALLOWED);

    switch (p->change->judged) {
    case EI_JUDGED_NONE:
        if (c->job.step != EI_STEP_IDLE)
            ei_collaborator_requeue(c, now, false); /* without an address: IDLE */
        c->state_at = now;
        break;
    case EI_JUDGED_BAD:
        refuse(c, &p->error, now);
        break;
    case EI_JUDGED_GOOD:
        if (of_address && (!ei_collaborator_wants_invitation(c) || first_rule_allows(p->pass->ctx->config, c))) {
            ei_collaborator_requeue(c, now, p->change->announced);
            ei_collaborator_let_go(c, EI_REMOVAL_KEEP, now); /* held: only looked up */
        } else {
            ei_collaborator_take_up(c, now, p->change->announced);
        }
        break;
    }
}

/* The reading of the files may be faster than the hook that says who asked: its word is waited for where it counts. */
static bool wants_requester(const struct placing *p)
{
    const struct ei_strings *sponsors = &p->pass->ctx->config->rules[p->change->entry->rule].invitation.sponsors;

    for (size_t i = 0; i < sponsors->count; i++)
        if (strcmp(sponsors->items[i], EI_SPONSOR_REQUESTER) == 0)
            return p->to->requester == NULL;
    return false;
}

static void set_work(struct placing *p)
{
    const struct ei_change *change = p->change;
    struct ei_collaborator *c = p->to;
    int64_t now = p->pass->now;

    if ((change->what & EI_CHANGE_ADDRESS) != 0)
        link_work(p);
    if ((change->what & EI_CHANGE_ASKED) != 0 && change->judged != EI_JUDGED_BAD &&
        (c->error_permanent || c->expired_at != 0))
        ei_collaborator_requeue(c, now, true);
    if ((change->what & (EI_CHANGE_ASKED | EI_CHANGE_BACK)) != 0) {
        ei_collaborator_take_up(c, now, change->announced);
        c->state_at = now;
    }
    if ((change->what & EI_CHANGE_NEW) != 0 && !change->announced && c->job.step == EI_STEP_QUEUED &&
        wants_requester(p))
        c->job.not_before = now + REQUESTER_WAIT;
    if ((change->what & EI_CHANGE_CREDIT) != 0 && c->job.step < EI_STEP_PENDING) {
        c->job.urgent = true;
        if (c->job.step == EI_STEP_QUEUED)
            c->job.not_before = now;
    }
    if ((change->what & EI_CHANGE_OVERDUE) != 0)
        ei_fail(&c->error, EI_NO_ADDRESS, "%s: in the group of rule \"%s\" for more than an hour, without an address",
                change->entry->login, p->pass->ctx->config->rules[change->entry->rule].name);
}

static const char *event_of(const struct placing *p)
{
    unsigned what = p->change->what;

    if ((what & EI_CHANGE_RENAME) != 0)
        return "renamed";
    if ((what & EI_CHANGE_ADDRESS) != 0 && p->change->judged == EI_JUDGED_BAD)
        return "refused";
    if ((what & EI_CHANGE_ADDRESS) != 0 && p->change->held)
        return "held";
    if ((what & EI_CHANGE_ADDRESS) != 0)
        return p->change->judged == EI_JUDGED_GOOD ? "linked" : "waiting";
    if ((what & EI_CHANGE_ASKED) != 0)
        return "invite";
    if ((what & EI_CHANGE_BACK) != 0)
        return "returned";
    if ((what & EI_CHANGE_CREDIT) != 0)
        return "announced";
    if ((what & EI_CHANGE_OVERDUE) != 0)
        return "overdue";
    return (what & EI_CHANGE_LOST) != 0 ? "address-lost" : NULL;
}

static enum ei_err put_both(struct placing *p, struct ei_error *err)
{
    struct ei_store *store = p->pass->ctx->store;
    const struct ei_event_facts facts = {.login = p->change->entry->login, .by = p->change->asker.by};
    enum ei_err rc = EI_OK;

    /* The old record first: an account is in one place at a time. */
    if (moves(p))
        rc = ei_collaborator_forgettable(p->from) ? ei_store_delete(store, p->from, err)
                                                  : ei_history_put(store, p->from, "unlinked", &facts, err);
    return rc == EI_OK ? ei_history_put(store, p->to, event_of(p), &facts, err) : rc;
}

static enum ei_err place_once(struct placing *p, struct ei_error *err)
{
    struct ei_change *change = p->change;
    struct ei_pass *pass = p->pass;

    if (change->known != NULL) {
        enum ei_err rc = ei_store_get(pass->ctx->store, change->known->id, &p->from, err);
        if (rc == EI_NOT_FOUND)
            return EI_OK; /* removed meanwhile: the next pass sees it as new */
        if (rc != EI_OK)
            return rc;
        if (ei_collaborator_account(p->from, pass->ctx->host, change->known->login) == NULL)
            return EI_OK;
    }
    enum ei_err rc = find_target(p, err);
    if (rc != EI_OK)
        return rc;
    struct ei_account *account = carry_over(p);
    if (account == NULL)
        return no_memory(p, err);
    /* Another login of a guest: linked, there is nothing to hold back. */
    if (p->to->job.step == EI_STEP_ACCEPTED && !p->to->error_permanent)
        change->held = false;
    if ((change->what & EI_CHANGE_NEW) != 0)
        account->state = change->held ? EI_ACCOUNT_HELD : EI_ACCOUNT_ACTIVE;
    if (!set_facts(p, account) || !set_request(p))
        return no_memory(p, err);
    set_work(p);
    rc = put_both(p, err);
    if (rc == EI_OK) {
        memcpy(change->id, p->to->id, sizeof change->id);
        change->done = true;
    }
    return rc;
}

enum ei_err ei_place(struct ei_pass *pass, struct ei_change *change, struct ei_error *err)
{
    struct placing p = {.pass = pass, .change = change};
    enum ei_err rc = EI_CONFLICT;

    ei_judge_wanted(pass, change->entry, &p.wanted);
    change->judged = ei_judge_address(pass, change->entry, &p.wanted, p.address, &p.error);
    for (int tries = 0; tries < CONFLICT_TRIES && rc == EI_CONFLICT; tries++) {
        p.from = NULL;
        p.to = NULL;
        rc = place_once(&p, err);
        if (p.to != p.from)
            ei_collaborator_free(p.to);
        ei_collaborator_free(p.from);
    }
    return rc;
}

/* Who is gone, or has left the group: only on proof, and never in a mass (design, "Gone needs proof"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "plugin/worker/history.h"
#include "plugin/worker/reconcile_internal.h"

enum { MASS_FRACTION = 10, MASS_LEAST = 3 };

enum absence { IS_THERE, NOT_TOLD, LEFT_GROUP, LOGIN_GONE };

struct departure {
    const struct ei_known *known;
    enum absence absence;
    bool proven;
};

struct departures {
    struct departure *list;
    size_t count;
    size_t room;
    size_t recorded; /* accounts that are not tombstones */
    size_t missing;  /* of those */
};

/* An older reading does not know what an announcement told since. */
static bool judged_since(struct ei_pass *pass, const char *login)
{
    const struct ei_announced *announced = ei_announced_find(pass->ctx, login);
    return announced != NULL && pass->snapshot->read_at_ms < announced->looked_at_ms;
}

/*
 * What the reading proves about an account that it does not show as covered. A directory that stops naming somebody
 * proves only that a group was left, and while it does not resolve a member, nothing.
 */
static enum absence absence_of(struct ei_pass *pass, const struct ei_known *k)
{
    const struct ei_snapshot *snapshot = pass->snapshot;
    const struct ei_entry *entry = ei_snapshot_find(snapshot, k->login);

    if (k->present || (entry != NULL && entry->rule >= 0))
        return IS_THERE;
    if (!snapshot->whole || judged_since(pass, k->login))
        return NOT_TOLD;
    if (k->rule >= 0 && snapshot->groups[k->rule] != EI_GROUP_FOUND)
        return NOT_TOLD;
    if (entry == NULL && !k->local && ei_snapshot_unresolved(snapshot, k->login))
        return NOT_TOLD;
    return entry == NULL && k->local ? LOGIN_GONE : LEFT_GROUP;
}

static bool proven(const struct ei_pass *pass, const struct ei_known *k)
{
    return !pass->stepped && k->missing_since != 0 && k->missing_since <= pass->now &&
           pass->now - k->missing_since >= EI_PROOF_SECONDS;
}

static enum ei_err collect(struct ei_pass *pass, struct departures *d)
{
    for (size_t i = 0; i < pass->known_count; i++) {
        const struct ei_known *k = &pass->known[i];
        enum absence absence = absence_of(pass, k);
        bool tombstone = k->state == EI_ACCOUNT_REMOVED;
        d->recorded += !tombstone;
        if (absence == IS_THERE || absence == NOT_TOLD || (tombstone && absence == LEFT_GROUP))
            continue;
        d->missing += !tombstone;
        struct departure *grown = ei_array_room(d->list, d->count, &d->room, sizeof *grown);
        if (grown == NULL)
            return EI_NOMEM;
        d->list = grown;
        grown[d->count++] = (struct departure){k, absence, proven(pass, k)};
    }
    return EI_OK;
}

static int by_collaborator(const void *a, const void *b)
{
    const struct departure *x = a;
    const struct departure *y = b;
    int order = strcmp(x->known->id, y->known->id);
    return order != 0 ? order : strcmp(x->known->login, y->known->login);
}

static bool accepted(const struct ei_collaborator *c)
{
    return c->job.step == EI_STEP_ACCEPTED && !c->error_permanent;
}

/* First sight: the time is written down, a later reading may prove it. */
static void mark(struct ei_pass *pass, struct ei_account *account)
{
    if (account->missing_since == 0 || account->missing_since > pass->now || pass->stepped)
        account->missing_since = pass->now;
}

static void note(struct ei_pass *pass, const struct ei_collaborator *c, const struct ei_account *account,
                 const char *text)
{
    struct ei_error told;

    ei_fail(&told, EI_OK, "%s: %s", account->login, text);
    ei_report_account(pass->report, EI_LOG_ACCOUNT_GONE, account->login, c->id, &told);
}

static const char *take_away(struct ei_pass *pass, struct ei_collaborator *c, struct ei_account *account,
                             enum absence absence)
{
    if (absence == LOGIN_GONE) {
        note(pass, c, account, "the account is gone");
        pass->report->gone++;
        ei_collaborator_drop_account(c, account);
        return "gone";
    }
    pass->report->left++;
    if (accepted(c)) {
        note(pass, c, account, "left the group; it was accepted, and is covered no more");
        ei_collaborator_drop_account(c, account);
        return "uncovered";
    }
    note(pass, c, account, "left the group before it was accepted, and stays shut");
    account->state = EI_ACCOUNT_REMOVED;
    account->by_admin = false;
    account->missing_since = 0;
    c->state_at = pass->now;
    return "left";
}

/* All departures of one collaborator; removal is decided while its accounts are still all in it. */
static enum ei_err apply(struct ei_pass *pass, const struct departure *d, size_t count, bool stopped,
                         struct ei_error *err)
{
    struct ei_store *store = pass->ctx->store;
    struct ei_collaborator *c = NULL;
    const char *event = NULL;
    const char *login = d->known->login;
    bool changed = false;
    bool gone = false;
    enum ei_err rc = ei_store_get(store, d->known->id, &c, err);

    if (rc != EI_OK)
        return rc == EI_NOT_FOUND ? EI_OK : rc;
    enum ei_removal removal = ei_collaborator_removal(pass->ctx->config, c);
    for (size_t i = 0; i < count; i++) {
        struct ei_account *account = ei_collaborator_account(c, pass->ctx->host, d[i].known->login);
        if (account == NULL)
            continue;
        if (!d[i].proven || stopped) {
            int64_t before = account->missing_since;
            mark(pass, account);
            changed = changed || account->missing_since != before;
            continue;
        }
        gone = gone || (d[i].absence == LOGIN_GONE && !account->by_admin);
        event = take_away(pass, c, account, d[i].absence);
        login = d[i].known->login;
        changed = true;
    }
    if (event != NULL)
        ei_collaborator_let_go(c, gone ? removal : EI_REMOVAL_KEEP, pass->now);
    if (event != NULL && ei_collaborator_forgettable(c))
        rc = ei_store_delete(store, c, err);
    else if (changed)
        rc = ei_history_put(store, c, event, &(struct ei_event_facts){.login = login}, err);
    pass->report->changed = pass->report->changed || changed;
    ei_collaborator_free(c);
    return rc;
}

static bool is_mass(const struct departures *d)
{
    return d->missing >= MASS_LEAST && d->missing * MASS_FRACTION > d->recorded;
}

static void report_missing(struct ei_pass *pass, const struct departures *d, bool stopped)
{
    struct ei_reconcile_report *report = pass->report;

    for (size_t i = 0; i < d->count; i++) {
        const struct departure *one = &d->list[i];
        bool fresh = one->known->missing_since == 0 || one->known->missing_since > pass->now || pass->stepped;
        int64_t at = (fresh ? pass->now : one->known->missing_since) + EI_PROOF_SECONDS;
        if (one->proven)
            continue;
        report->missing++;
        if (at < report->next_pass)
            report->next_pass = at;
    }
    report->held_back = stopped;
    if (stopped)
        ei_fail(&report->removals, EI_MASS_REMOVAL,
                "%zu of %zu accounts are gone or have left their group; nothing is removed", d->missing, d->recorded);
}

enum ei_err ei_depart(struct ei_pass *pass, struct ei_error *err)
{
    struct departures d = {0};
    enum ei_err rc = collect(pass, &d);

    if (rc != EI_OK) {
        free(d.list);
        return ei_fail(err, rc, "no memory for the departures");
    }
    bool stopped = is_mass(&d) && !pass->ctx->confirm_removal;
    report_missing(pass, &d, stopped);
    if (d.count != 0)
        qsort(d.list, d.count, sizeof *d.list, by_collaborator);
    for (size_t i = 0, next; rc == EI_OK && i < d.count; i = next) {
        for (next = i + 1; next < d.count && strcmp(d.list[next].known->id, d.list[i].known->id) == 0;)
            next++;
        rc = apply(pass, &d.list[i], next - i, stopped, err);
    }
    free(d.list);
    return rc;
}

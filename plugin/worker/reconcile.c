#include "plugin/worker/reconcile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/utf8.h"
#include "plugin/worker/reconcile_internal.h"

enum {
    STEP_SECONDS = 5, /* the two clocks may differ by this much before the wall clock counts as set */
    META_KEY_SIZE = 320,
};

/* --- rules, and whether the database has seen them --- */

static void rule_key(const struct ei_rule *rule, char key[META_KEY_SIZE])
{
    snprintf(key, META_KEY_SIZE, "rule/%s", rule->name);
}

static enum ei_err find_unseen(struct ei_pass *pass, struct ei_error *err)
{
    const struct ei_config *config = pass->ctx->config;
    char key[META_KEY_SIZE];
    enum ei_err rc = EI_OK;

    for (size_t r = 0; rc == EI_OK && r < config->rule_count; r++) {
        char *seen = NULL;
        rule_key(&config->rules[r], key);
        rc = ei_store_meta_get(pass->ctx->store, key, &seen, err);
        pass->unseen[r] = rc == EI_OK && seen == NULL;
        free(seen);
    }
    return rc;
}

/* A rule is seen once its accounts could be told: before that, whoever is found may have been there all the time. */
static bool now_seen(const struct ei_pass *pass, size_t r)
{
    return pass->unseen[r] && pass->snapshot->whole && pass->snapshot->groups[r] == EI_GROUP_FOUND;
}

static enum ei_err mark_seen(struct ei_pass *pass, struct ei_error *err)
{
    const struct ei_config *config = pass->ctx->config;
    char key[META_KEY_SIZE];
    char at[32];
    enum ei_err rc = EI_OK;

    snprintf(at, sizeof at, "%" PRId64, pass->now);
    for (size_t r = 0; rc == EI_OK && r < config->rule_count; r++) {
        if (!now_seen(pass, r))
            continue;
        rule_key(&config->rules[r], key);
        rc = ei_store_meta_set(pass->ctx->store, key, at, err);
    }
    return rc;
}

static enum ei_err report_groups(struct ei_pass *pass)
{
    const struct ei_config *config = pass->ctx->config;
    struct ei_reconcile_report *report = pass->report;

    report->problems = calloc(config->rule_count + 1, sizeof *report->problems);
    if (report->problems == NULL)
        return EI_NOMEM;
    for (size_t r = 0; r < config->rule_count; r++) {
        struct ei_group_problem *problem = &report->problems[report->problem_count];
        if (pass->snapshot->groups[r] == EI_GROUP_FOUND)
            continue;
        report->problem_count++;
        problem->status = pass->snapshot->groups[r];
        if (!ei_text_set(&problem->rule, config->rules[r].name) ||
            !ei_text_set(&problem->group, config->rules[r].group))
            return EI_NOMEM;
    }
    return EI_OK;
}

/* --- arrivals and changes --- */

static int by_uid(const void *a, const void *b)
{
    const struct ei_known *x = *(struct ei_known *const *)a;
    const struct ei_known *y = *(struct ei_known *const *)b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* Recorded accounts whose login the reading does not have, by uid; NULL when out of memory. */
static struct ei_known **index_absent(struct ei_pass *pass, size_t *ret_count)
{
    struct ei_known **absent = calloc(pass->known_count + 1, sizeof *absent);

    *ret_count = 0;
    if (absent == NULL)
        return NULL;
    for (size_t i = 0; i < pass->known_count; i++)
        if (ei_snapshot_find(pass->snapshot, pass->known[i].login) == NULL)
            absent[(*ret_count)++] = &pass->known[i];
    qsort(absent, *ret_count, sizeof *absent, by_uid);
    return absent;
}

/* The record of the same person under a former login: same uid and address (design: arrivals before departures). */
static struct ei_known *former(const struct ei_pass *pass, const struct ei_entry *entry, struct ei_known **absent,
                               size_t count)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (absent[middle]->uid < entry->uid)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && absent[low]->uid == entry->uid; low++)
        if (!absent[low]->present && ei_judge_same_person(pass, entry, absent[low]))
            return absent[low];
    return NULL;
}

static enum ei_err add_change(struct ei_pass *pass, const struct ei_change *change)
{
    struct ei_change *grown = ei_array_room(pass->changes, pass->change_count, &pass->change_room, sizeof *grown);

    if (grown == NULL)
        return EI_NOMEM;
    pass->changes = grown;
    grown[pass->change_count++] = *change;
    return EI_OK;
}

/* A covered account without an address; it is reported once, an hour after it was found. */
static void note_waiting(struct ei_pass *pass, const struct ei_change *change)
{
    const struct ei_known *known = change->known;
    struct ei_wanted wanted;

    ei_judge_wanted(pass, change->entry, &wanted);
    if (wanted.source != EI_SOURCE_NONE || (known != NULL && known->address_count != 0))
        return;
    if (known != NULL && known->state == EI_ACCOUNT_REMOVED && (change->what & EI_CHANGE_BACK) == 0)
        return;
    int64_t due = (known != NULL ? known->since : pass->now) + EI_WAITING_SECONDS + 1;
    pass->report->waiting++;
    if ((known == NULL || !known->reported) && due > pass->now && due < pass->report->next_pass)
        pass->report->next_pass = due;
}

static enum ei_err judge_entry(struct ei_pass *pass, const struct ei_entry *entry, struct ei_known *known,
                               struct ei_known **absent, size_t absent_count)
{
    struct ei_change change;
    const struct ei_announced *announced = ei_announced_find(pass->ctx, entry->login);

    if (announced != NULL && pass->snapshot->read_at_ms < announced->looked_at_ms)
        return EI_OK;
    bool renamed = false;
    if (known == NULL && pass->snapshot->whole) {
        known = former(pass, entry, absent, absent_count);
        renamed = known != NULL;
    }
    ei_judge(pass, entry, known, &change);
    if (known != NULL)
        known->present = true;
    if (renamed) {
        /* A link, and nobody new: what was held or removed by the admin stays so. */
        change.what |= EI_CHANGE_RENAME | EI_CHANGE_FACTS;
        change.counted = (change.what & EI_CHANGE_BACK) != 0;
    }
    change.announced = announced != NULL;
    if (announced != NULL)
        change.asker = (struct ei_asker){.by = announced->requested_by, .login = announced->requester};
    note_waiting(pass, &change);
    pass->report->covered++;
    return change.what != 0 ? add_change(pass, &change) : EI_OK;
}

static enum ei_err judge_all(struct ei_pass *pass)
{
    const struct ei_snapshot *snapshot = pass->snapshot;
    size_t absent_count;
    struct ei_known **absent = index_absent(pass, &absent_count);
    enum ei_err rc = absent != NULL ? EI_OK : EI_NOMEM;
    size_t k = 0;

    for (size_t i = 0; rc == EI_OK && i < snapshot->count; i++) {
        const struct ei_entry *entry = &snapshot->entries[i];
        while (k < pass->known_count && strcmp(pass->known[k].login, entry->login) < 0)
            k++;
        bool match = k < pass->known_count && strcmp(pass->known[k].login, entry->login) == 0;
        if (entry->rule < 0)
            continue;
        if (!ei_utf8_printable(entry->login)) {
            ei_report_note(pass->report, EI_LOG_ACCOUNTS_DOUBTFUL,
                           "uid %u: its login name is not one line of UTF-8; it is left alone", (unsigned)entry->uid);
            continue;
        }
        rc = judge_entry(pass, entry, match ? &pass->known[k] : NULL, absent, absent_count);
    }
    free(absent);
    return rc;
}

/* The mass brake (design, "A mass"): what nobody announced is not believed in numbers. */
static void brake(struct ei_pass *pass)
{
    const struct ei_config *config = pass->ctx->config;
    size_t counted = 0;

    for (size_t i = 0; i < pass->change_count; i++) {
        struct ei_change *change = &pass->changes[i];
        bool first_sight = (change->what & EI_CHANGE_NEW) != 0 && pass->unseen[change->entry->rule];
        if (change->announced)
            change->counted = false;
        if (first_sight && change->counted) {
            change->held = !config->rules[change->entry->rule].existing_invite;
            change->counted = false;
        }
        counted += change->counted;
    }
    if (config->max_new <= 0 || counted <= (size_t)config->max_new)
        return;
    for (size_t i = 0; i < pass->change_count; i++)
        if (pass->changes[i].counted)
            pass->changes[i].held = true;
    ei_report_note(pass->report, EI_LOG_ACCOUNTS_HELD,
                   "%zu accounts that nobody announced were found at once, more than max_new = %d", counted,
                   config->max_new);
}

static void note_change(struct ei_pass *pass, const struct ei_change *change)
{
    const char *login = change->entry->login;
    struct ei_error note;

    if ((change->what & EI_CHANGE_RENAME) != 0) {
        ei_fail(&note, EI_OK, "%s: has the login %s now", change->known->login, login);
        ei_report_account(pass->report, EI_LOG_ACCOUNT_RENAMED, login, change->id, &note);
    }
    if ((change->what & EI_CHANGE_OVERDUE) != 0) {
        ei_fail(&note, EI_NO_ADDRESS, "%s: has had no address for more than an hour", login);
        ei_report_account(pass->report, EI_LOG_NO_ADDRESS, login, change->id, &note);
    }
    if ((change->what & EI_CHANGE_LOST) != 0) {
        ei_fail(&note, EI_OK, "%s: has no address any more; the recorded one is kept, the login stays shut", login);
        ei_report_account(pass->report, EI_LOG_ADDRESS_LOST, login, change->id, &note);
    }
    if ((change->what & EI_CHANGE_ADDRESS) != 0 && change->judged == EI_JUDGED_BAD) {
        struct ei_wanted given;
        char address[EI_ADDRESS_SIZE];
        ei_judge_wanted(pass, change->entry, &given);
        ei_judge_address(pass, change->entry, &given, address, &note);
        ei_report_account(pass->report, EI_LOG_FAILED, login, change->id, &note);
    }
}

static void report_change(struct ei_pass *pass, const struct ei_change *change)
{
    struct ei_reconcile_report *report = pass->report;
    bool linked = (change->what & EI_CHANGE_ADDRESS) != 0;
    bool wanted = linked || (change->what & EI_CHANGE_BACK) != 0;

    report->changed = true;
    report->added += (change->what & EI_CHANGE_NEW) != 0;
    report->renamed += (change->what & EI_CHANGE_RENAME) != 0;
    report->returned += (change->what & EI_CHANGE_BACK) != 0;
    report->moved +=
        change->known != NULL && change->known->address_count != 0 && strcmp(change->id, change->known->id) != 0;
    report->held += wanted && change->held;
    report->refused += linked && change->judged == EI_JUDGED_BAD;
    report->queued += wanted && !change->held && change->judged == EI_JUDGED_GOOD;
    note_change(pass, change);
}

static enum ei_err place_all(struct ei_pass *pass, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    for (size_t i = 0; rc == EI_OK && i < pass->change_count; i++) {
        rc = ei_place(pass, &pass->changes[i], err);
        if (rc == EI_OK && pass->changes[i].done)
            report_change(pass, &pass->changes[i]);
    }
    if (rc == EI_OK && pass->report->held != 0)
        ei_report_note(pass->report, EI_LOG_ACCOUNTS_HELD,
                       "%zu accounts are held: looked up, but not invited until entra-invite adopt",
                       pass->report->held);
    return rc;
}

/* --- the pass --- */

static enum ei_err settle_released(struct ei_pass *pass, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    for (size_t i = 0; rc == EI_OK && i < pass->released_count; i++) {
        struct ei_collaborator *c = NULL;
        rc = ei_store_get(pass->ctx->store, pass->released[i], &c, err);
        bool expired = rc == EI_OK && ei_collaborator_expire(c, pass->now);
        if (expired && ei_collaborator_forgettable(c)) {
            rc = ei_store_delete(pass->ctx->store, c, err);
        } else if (rc == EI_OK && !ei_collaborator_needed(c)) {
            ei_collaborator_let_go(c, (enum ei_removal)c->job.offboard, pass->now);
            rc = ei_store_put(pass->ctx->store, c, "released", NULL, err);
            pass->report->changed = true;
        }
        if (rc == EI_NOT_FOUND)
            rc = EI_OK;
        ei_collaborator_free(c);
    }
    return rc;
}

static void compare_clocks(struct ei_pass *pass)
{
    const struct ei_reconcile_context *ctx = pass->ctx;
    int64_t drift = (pass->now - ctx->last_now) - (pass->now_ms - ctx->last_ms) / 1000;
    pass->stepped = ctx->passed_before && (drift > STEP_SECONDS || drift < -STEP_SECONDS);
}

static bool anything_to_store(const struct ei_pass *pass)
{
    for (size_t r = 0; r < pass->ctx->config->rule_count; r++)
        if (now_seen(pass, r))
            return true;
    if (pass->change_count != 0 || pass->released_count != 0)
        return true;
    for (size_t i = 0; i < pass->known_count; i++)
        if (!pass->known[i].present)
            return true;
    return false;
}

static enum ei_err store_all(struct ei_pass *pass, struct ei_error *err)
{
    enum ei_err rc = place_all(pass, err);

    if (rc == EI_OK)
        rc = ei_depart(pass, err);
    if (rc == EI_OK)
        rc = settle_released(pass, err);
    return rc == EI_OK ? mark_seen(pass, err) : rc;
}

static enum ei_err run_pass(struct ei_pass *pass, struct ei_error *err)
{
    struct ei_store *store = pass->ctx->store;

    enum ei_err rc = find_unseen(pass, err);
    if (rc == EI_OK)
        rc = ei_pass_load(pass, err);
    if (rc != EI_OK)
        return rc;
    if (report_groups(pass) != EI_OK || judge_all(pass) != EI_OK)
        return ei_fail(err, EI_NOMEM, "no memory to compare the accounts");
    if (!anything_to_store(pass))
        return EI_OK;
    brake(pass);
    rc = ei_store_batch_begin(store, err);
    if (rc != EI_OK)
        return rc;
    rc = store_all(pass, err);
    if (rc == EI_OK)
        return ei_store_batch_end(store, err);
    ei_store_batch_abandon(store);
    return rc;
}

enum ei_err ei_reconcile(struct ei_reconcile_context *ctx, const struct ei_snapshot *snapshot,
                         struct ei_reconcile_report *ret_report, struct ei_error *err)
{
    struct ei_pass pass;

    *ret_report = (struct ei_reconcile_report){.next_pass = INT64_MAX};
    enum ei_err rc = ei_pass_open(&pass, ctx);
    if (rc != EI_OK)
        ei_fail(err, rc, "no memory to compare the accounts");
    pass.snapshot = snapshot;
    pass.report = ret_report;
    pass.first_trusted = snapshot->first_trusted;
    if (!snapshot->whole)
        ret_report->doubt = snapshot->doubt;
    compare_clocks(&pass);
    ei_announced_expire(ctx, pass.now_ms);
    if (rc == EI_OK)
        rc = run_pass(&pass, err);
    if (rc == EI_OK) {
        ctx->last_now = pass.now;
        ctx->last_ms = pass.now_ms;
        ctx->passed_before = true;
        if (snapshot->whole && !ret_report->held_back && ret_report->missing == 0)
            ctx->confirm_removal = false;
    }
    ei_pass_close(&pass);
    return rc;
}

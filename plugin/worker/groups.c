#include "plugin/worker/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/graph/retry.h"
#include "plugin/worker/history.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/tell.h"

enum {
    JOINS_MAX = 64,      /* requests under way at once */
    NEW_USER_TRIES = 6,  /* after 2, 4, 8 … s: as long may a new guest be unknown there (contract 7) */
    RETRY_MAX = 15 * 60, /* seconds */
    CONFIRM_WITHIN = 60, /* seconds: a request whose answer never came is found by a look */
    TROUBLE_AGAIN_MS = 15 * 60 * 1000,
    PROBE_TAKES_MS = 60 * 1000, /* so long the others wait for what the one that tries is told */
};

/* A request under way. */
struct ei_join {
    struct ei_join *next;
    struct ei_worker *worker;
    char id[EI_GUID_TEXT];
    char group[EI_GUID_TEXT];
    char guest[EI_GUID_TEXT];
};

/* What is wrong with a group, whoever is to be added. */
struct ei_group_trouble {
    struct ei_group_trouble *next;
    char group[EI_GUID_TEXT];
    struct ei_error error;
    int64_t again_ms;
};

/* --- trouble with a group --- */

static bool is_about_group(enum ei_err code)
{
    return code == EI_ENTRA_GROUP_DENIED || code == EI_ENTRA_GROUP_REFUSED || code == EI_ENTRA_GROUP_UNKNOWN;
}

static struct ei_group_trouble *trouble_of(const struct ei_worker *w, const char *group)
{
    for (struct ei_group_trouble *trouble = w->group_troubles; trouble != NULL; trouble = trouble->next)
        if (strcasecmp(trouble->group, group) == 0)
            return trouble;
    return NULL;
}

static void end_trouble(struct ei_worker *w, const char *group)
{
    for (struct ei_group_trouble **at = &w->group_troubles; *at != NULL; at = &(*at)->next) {
        struct ei_group_trouble *trouble = *at;
        if (strcasecmp(trouble->group, group) == 0) {
            ei_log(LOG_NOTICE, "group %s takes members again (was: %s)", group, ei_err_name(trouble->error.code));
            *at = trouble->next;
            free(trouble);
            return;
        }
    }
}

static void note_trouble(struct ei_worker *w, const char *group, const struct ei_error *error)
{
    struct ei_group_trouble *trouble = trouble_of(w, group);
    bool news = trouble == NULL || trouble->error.code != error->code;

    if (trouble == NULL) {
        trouble = calloc(1, sizeof *trouble);
        if (trouble == NULL)
            return; /* each guest then finds out by itself */
        snprintf(trouble->group, sizeof trouble->group, "%s", group);
        trouble->next = w->group_troubles;
        w->group_troubles = trouble;
    }
    trouble->error = *error;
    trouble->again_ms = ei_monotonic_ms() + TROUBLE_AGAIN_MS;
    if (news)
        ei_log_error_event(LOG_WARNING, EI_LOG_GROUP_REFUSED, "entra_groups", error);
}

void ei_groups_probe_now(struct ei_worker *w)
{
    for (struct ei_group_trouble *trouble = w->group_troubles; trouble != NULL; trouble = trouble->next)
        trouble->again_ms = ei_monotonic_ms();
}

void ei_groups_notes(const struct ei_worker *w, cJSON *notes)
{
    char line[EI_MESSAGE_MAX + 512];

    for (const struct ei_group_trouble *trouble = w->group_troubles; trouble != NULL; trouble = trouble->next) {
        snprintf(line, sizeof line, "entra_groups: %s - %s", trouble->error.message, ei_err_mend(trouble->error.code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
}

/* --- what is wanted --- */

static bool account_uses(const struct ei_collaborator *c, const struct ei_rule *rule)
{
    if (ei_text_same(c->job.rule, rule->name))
        return true;
    for (size_t i = 0; i < c->account_count; i++) {
        const struct ei_account *account = &c->accounts[i];
        if (account->state == EI_ACCOUNT_ACTIVE && ei_text_same(account->rule, rule->name))
            return true;
    }
    return false;
}

static bool rule_lists(const struct ei_rule *rule, const char *group)
{
    for (size_t i = 0; i < rule->entra_groups.count; i++)
        if (strcasecmp(rule->entra_groups.items[i], group) == 0)
            return true;
    return false;
}

static bool wanted(const struct ei_config *config, const struct ei_collaborator *c, const char *group)
{
    for (size_t r = 0; r < config->rule_count; r++)
        if (account_uses(c, &config->rules[r]) && rule_lists(&config->rules[r], group))
            return true;
    return false;
}

/* What was added stays on record when it is not wanted any more: nobody is taken out of a group. */
static void take_configuration(struct ei_worker *w, struct ei_collaborator *c)
{
    const struct ei_config *config = w->config;

    for (size_t i = c->membership_count; i-- > 0;)
        if (c->memberships[i].added_at == 0 && !wanted(config, c, c->memberships[i].group))
            ei_collaborator_drop_membership(c, &c->memberships[i]);
    for (size_t r = 0; r < config->rule_count; r++)
        for (size_t i = 0; account_uses(c, &config->rules[r]) && i < config->rules[r].entra_groups.count; i++)
            if (ei_collaborator_add_membership(c, config->rules[r].entra_groups.items[i]) == NULL)
                ei_tell(w, LOG_WARNING, EI_LOG_DELAYED, c, NULL, "no memory for its groups; the next look sees to it");
}

/* Of a membership that is missing. What is wrong with the group counts for all alike. */
static bool is_due(const struct ei_worker *w, const struct ei_membership *m)
{
    const struct ei_group_trouble *trouble = trouble_of(w, m->group);

    if (trouble != NULL)
        return trouble->again_ms <= ei_monotonic_ms();
    int64_t now = ei_now();
    /* No wait is that long: the clock was set back. */
    return is_about_group(m->error.code) || m->not_before <= now || m->not_before > now + EI_RETRY_CAP;
}

void ei_groups_plan(struct ei_worker *w, struct ei_collaborator *c)
{
    int64_t now = ei_now();

    take_configuration(w, c);
    for (size_t i = 0; i < c->membership_count; i++) {
        struct ei_membership *m = &c->memberships[i];
        const struct ei_group_trouble *trouble = trouble_of(w, m->group);
        if (m->added_at != 0)
            continue;
        bool due = is_due(w, m);
        if (!due && trouble != NULL) {
            m->error = trouble->error;
            m->not_before = now + (trouble->again_ms - ei_monotonic_ms()) / 1000 + 1;
        }
        int64_t next = due ? now + CONFIRM_WITHIN : m->not_before;
        if (next < c->job.not_before)
            c->job.not_before = next;
    }
}

void ei_groups_forget(struct ei_collaborator *c)
{
    while (c->membership_count != 0)
        ei_collaborator_drop_membership(c, &c->memberships[c->membership_count - 1]);
}

cJSON *ei_groups_told(const struct ei_collaborator *c)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < c->membership_count; i++) {
        const struct ei_membership *m = &c->memberships[i];
        cJSON *group = cJSON_CreateObject();
        ei_json_add_text(group, "id", m->group);
        ei_json_add_time(group, "addedAt", m->added_at);
        ei_json_add_item(group, "error", ei_request_error(&m->error, false));
        ei_json_push(list, group);
    }
    return list;
}

/* --- asking --- */

static bool under_way(const struct ei_worker *w, const char *id, const char *group)
{
    for (const struct ei_join *join = w->joins; join != NULL; join = join->next)
        if (strcmp(join->id, id) == 0 && strcasecmp(join->group, group) == 0)
            return true;
    return false;
}

static void end_join(struct ei_join *join)
{
    for (struct ei_join **at = &join->worker->joins; *at != NULL; at = &(*at)->next) {
        if (*at == join) {
            *at = join->next;
            join->worker->join_count--;
            break;
        }
    }
    free(join);
}

static void added(struct ei_worker *w, struct ei_collaborator *c, struct ei_membership *m)
{
    bool all = true;

    m->added_at = ei_now();
    m->attempts = 0;
    m->not_before = 0;
    ei_error_clear(&m->error);
    end_trouble(w, m->group);
    ei_tell(w, LOG_INFO, EI_LOG_GROUP_JOINED, c, NULL, "the guest is a member of the group %s", m->group);
    for (size_t i = 0; i < c->membership_count; i++)
        all = all && c->memberships[i].added_at != 0;
    if (all && ei_collaborator_looked_at(c)) /* nothing is left that a look would have to see to */
        c->job.not_before = ei_refresh_next_look(w, c->job.step);
    ei_worker_save(w, c, "group-added", m->group);
}

/* 2, 4, 8 … s, and up to a quarter more so that not all come at once (X8). */
static int64_t retry_after(uint32_t attempts)
{
    int64_t wait = attempts < 10 ? (int64_t)1 << attempts : RETRY_MAX;

    wait = wait < RETRY_MAX ? wait : RETRY_MAX;
    return wait + ei_random_below((uint32_t)(wait / 4 + 1));
}

static void not_added(struct ei_worker *w, struct ei_collaborator *c, struct ei_membership *m,
                      const struct ei_graph_result *result)
{
    struct ei_error error = result->error;
    enum ei_err before = m->error.code;
    bool unknown = error.code == EI_GRAPH_NOT_FOUND;

    if (m->attempts < UINT32_MAX)
        m->attempts++;
    /* The guest was seen by a look a moment ago, each time: by now it is the group that is not there. */
    if (unknown && (m->attempts >= NEW_USER_TRIES || trouble_of(w, m->group) != NULL))
        ei_fail_again(&error, EI_ENTRA_GROUP_UNKNOWN, "group %s: the tenant has none with this id; the guest is %s",
                      m->group, c->guest_id);
    if (is_about_group(error.code))
        note_trouble(w, m->group, &error);
    if (unknown && error.code == EI_GRAPH_NOT_FOUND)
        ei_error_clear(&m->error); /* nothing to show yet */
    else
        m->error = error;
    int64_t wait = result->retry_after > 0 ? result->retry_after : retry_after(m->attempts);
    m->not_before = ei_now() + (is_about_group(error.code) ? TROUBLE_AGAIN_MS / 1000 : wait);
    if (ei_collaborator_looked_at(c) && m->not_before < c->job.not_before)
        c->job.not_before = m->not_before;
    bool news = m->error.code != EI_OK && m->error.code != before;
    ei_worker_note(w, c, news ? "group-not-added" : NULL,
                   &(struct ei_event_facts){.about = m->group, .error = &m->error});
}

static void on_joined(void *context, const struct ei_graph_result *result)
{
    struct ei_join *join = context;
    struct ei_worker *w = join->worker;
    struct ei_collaborator *c = NULL;
    struct ei_error err;

    EI_FAILPOINT("J2");
    if (w->stop && result->outcome != EI_GRAPH_DONE) { /* cut off by the end of this program, which is nobody's error */
        end_join(join);
        return;
    }
    enum ei_err rc = ei_store_get(w->store, join->id, &c, &err);
    if (rc != EI_OK && rc != EI_NOT_FOUND)
        ei_worker_store_failed(w, &err);
    struct ei_membership *m = rc == EI_OK ? ei_collaborator_membership(c, join->group) : NULL;
    bool same_guest = m != NULL && c->guest_id != NULL && strcasecmp(c->guest_id, join->guest) == 0;
    if (same_guest && result->outcome == EI_GRAPH_DONE)
        added(w, c, m);
    else if (same_guest)
        not_added(w, c, m, result);
    ei_collaborator_free(c);
    end_join(join);
}

static void start_join(struct ei_worker *w, const struct ei_collaborator *c, const struct ei_membership *m)
{
    struct ei_group_trouble *trouble = trouble_of(w, m->group);
    struct ei_join *join = calloc(1, sizeof *join);
    char crid[EI_GUID_TEXT];

    if (join == NULL)
        return;
    join->worker = w;
    snprintf(join->id, sizeof join->id, "%s", c->id);
    snprintf(join->group, sizeof join->group, "%s", m->group);
    snprintf(join->guest, sizeof join->guest, "%s", c->guest_id);
    join->next = w->joins;
    w->joins = join;
    w->join_count++;
    if (trouble != NULL)
        trouble->again_ms = ei_monotonic_ms() + PROBE_TAKES_MS;
    EI_FAILPOINT("J1");
    ei_guid_new(crid);
    if (ei_graph_add_member(w->graph, m->group, c->guest_id, crid, on_joined, join) != EI_OK)
        end_join(join);
}

void ei_groups_join(struct ei_worker *w, const struct ei_collaborator *c)
{
    int64_t wait_ms;

    for (size_t i = 0; i < c->membership_count && c->guest_id != NULL; i++) {
        const struct ei_membership *m = &c->memberships[i];
        if (m->added_at != 0 || !is_due(w, m) || under_way(w, c->id, m->group))
            continue;
        /* No room: the look that ei_groups_plan has arranged takes it up. */
        if (w->join_count >= JOINS_MAX || !ei_graph_may_send(w->graph, 1, &wait_ms))
            return;
        start_join(w, c, m);
    }
}

void ei_groups_close(struct ei_worker *w)
{
    while (w->joins != NULL)
        end_join(w->joins);
    while (w->group_troubles != NULL) {
        struct ei_group_trouble *next = w->group_troubles->next;
        free(w->group_troubles);
        w->group_troubles = next;
    }
}

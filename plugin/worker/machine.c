#include "plugin/worker/machine.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/invite.h"
#include "plugin/worker/reset.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/sponsors.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

enum {
    BACKOFF_FIRST = 2,     /* seconds (X8) */
    BACKOFF_MAX = 15 * 60, /* seconds */
    SETTLE_LOOKUPS = 3,    /* after an ambiguous create */
    NO_JOBS_WAIT_MS = 60 * 60 * 1000,
    LOOKS_WAIT_MS = 100, /* in which a batch of looks comes together */
};

/* --- flights --- */

bool ei_machine_in_flight(const struct ei_worker *w, const char *id)
{
    for (const struct ei_flight *flight = w->flights; flight != NULL; flight = flight->next)
        if (strcmp(flight->id, id) == 0)
            return true;
    for (size_t i = 0; i < w->ready_count; i++)
        if (strcmp(w->ready[i]->id, id) == 0)
            return true;
    return false;
}

void ei_machine_outdate_looks(struct ei_worker *w)
{
    for (struct ei_flight *flight = w->flights; flight != NULL; flight = flight->next)
        flight->outdated = true;
}

static struct ei_flight *take_off(struct ei_worker *w, const struct ei_collaborator *c)
{
    struct ei_flight *flight = calloc(1, sizeof *flight);

    if (flight == NULL)
        return NULL;
    flight->worker = w;
    memcpy(flight->id, c->id, sizeof flight->id);
    flight->step = c->job.step;
    flight->deleting = c->job.step == EI_STEP_OFFBOARDING && c->job.offboard == EI_REMOVAL_DELETE;
    flight->next = w->flights;
    w->flights = flight;
    w->flight_count++;
    return flight;
}

void ei_machine_land(struct ei_flight *flight)
{
    struct ei_worker *w = flight->worker;

    for (struct ei_flight **at = &w->flights; *at != NULL; at = &(*at)->next) {
        if (*at == flight) {
            *at = flight->next;
            w->flight_count--;
            break;
        }
    }
    free(flight);
}

/* --- sending: only what is durable --- */

static enum ei_err send_step(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    char crid[EI_GUID_TEXT];

    switch (c->job.step) {
    case EI_STEP_CHECKING:
        if (c->job.reset)
            return ei_graph_get_user_addresses(w->graph, c->guest_id, c->job.crid, ei_answer_reset_checked, flight);
        return ei_graph_find_users(w->graph, c->addresses[0], c->job.crid, ei_answer_checked, flight);
    case EI_STEP_CREATING:
        EI_FAILPOINT("C5");
        return ei_invite_send(w, c, flight);
    case EI_STEP_MAILING:
        EI_FAILPOINT("C9");
        return ei_carrier_takes(c) ? ei_carrier_send(w, c, flight) : ei_invite_send(w, c, flight);
    case EI_STEP_PENDING:
    case EI_STEP_ACCEPTED:
        ei_guid_new(crid);
        return ei_graph_get_user(w->graph, c->guest_id, crid, ei_answer_looked, flight);
    case EI_STEP_OFFBOARDING:
        return ei_offboard_send(w, c, flight);
    case EI_STEP_IDLE:
    case EI_STEP_QUEUED:
    case EI_STEP_CREATED:
    case EI_STEP_FAILED:
        break;
    }
    return EI_USAGE;
}

void ei_machine_send_ready(struct ei_worker *w, bool durable)
{
    for (size_t i = 0; i < w->ready_count; i++) {
        struct ei_collaborator *c = w->ready[i];
        w->ready[i] = NULL;
        if (durable) {
            struct ei_flight *flight = take_off(w, c);
            /* An intent that cannot be sent now is found as cut off later, and looked up first: safe, only slower. */
            if (flight != NULL && send_step(w, c, flight) != EI_OK)
                ei_machine_land(flight);
        }
        ei_collaborator_free(c);
    }
    w->ready_count = 0;
}

/* Queues a copy to be sent once the batch is durable. */
static void make_ready(struct ei_worker *w, const struct ei_collaborator *c)
{
    if (w->ready_count == EI_FLIGHTS_MAX)
        return;
    struct ei_collaborator *copy = ei_collaborator_copy(c);
    if (copy != NULL)
        w->ready[w->ready_count++] = copy;
}

/* --- steps --- */

static bool has_effect(enum ei_step step)
{
    return step == EI_STEP_CREATING || step == EI_STEP_MAILING || step == EI_STEP_OFFBOARDING;
}

enum ei_err ei_machine_enter(struct ei_worker *w, struct ei_collaborator *c, enum ei_step step, const char *event)
{
    int64_t now = ei_now();
    bool network = step == EI_STEP_CHECKING || has_effect(step);
    /* Begun again because the process died under it: that is no failure of Graph's to back off from, and no look-up
     * that found nobody. */
    bool cut_off = c->job.step == step && c->job.crid[0] != '\0';

    enum ei_state before = ei_state_of_work(c);

    if (c->job.step != step)
        c->job.attempts = 0;
    c->job.step = step;
    if (ei_state_of_work(c) != before)
        c->state_at = now;
    c->job.not_before = now;
    c->job.crid[0] = '\0';
    if (network) {
        if (!cut_off)
            c->job.attempts++;
        c->job.started_at = now;
        ei_guid_new(c->job.crid);
    }
    enum ei_err rc = ei_worker_save(w, c, event, NULL);
    if (rc == EI_OK && network)
        make_ready(w, c);
    return rc;
}

/* Below a ceiling that begins with BACKOFF_FIRST and has grown so many times by a factor; not all at once (X8). */
static int64_t random_wait(int64_t factor, uint32_t times)
{
    int64_t ceiling = BACKOFF_FIRST;

    for (uint32_t i = 0; i < times && ceiling < BACKOFF_MAX; i++)
        ceiling *= factor;
    return ei_random_below((uint32_t)(ceiling < BACKOFF_MAX ? ceiling : BACKOFF_MAX));
}

void ei_machine_back_off(struct ei_collaborator *c, int64_t retry_after)
{
    uint32_t failed_before = c->job.attempts > 0 ? c->job.attempts - 1 : 0;
    int64_t wait = retry_after >= 0 ? retry_after : 1 + random_wait(2, failed_before);

    c->job.not_before = ei_now() + wait;
    c->job.crid[0] = '\0'; /* concluded: nothing of it is left open */
}

/* The crash tests do not wait for what only time settles. */
static bool settle_now(void)
{
#ifdef EI_FAILPOINTS
    return getenv("EI_SETTLE_NOW") != NULL;
#else
    return false;
#endif
}

void ei_machine_look_first(struct ei_collaborator *c)
{
    /* The first time soon; if answers keep getting lost, ever later. */
    int64_t more = c->job.creates != 0 && !settle_now() ? random_wait(4, c->job.creates) : 0;

    c->job.creates++;
    c->job.resume = EI_STEP_CREATING;
    c->job.step = EI_STEP_CHECKING;
    c->job.attempts = 0;
    c->job.not_before = ei_now() + ei_machine_settle(0) + more;
    c->job.crid[0] = '\0';
}

/* A step whose intent stands there without an outcome: the process died, or the answer could not be stored. */
static enum ei_err recover(struct ei_worker *w, struct ei_collaborator *c)
{
    if (c->job.step == EI_STEP_MAILING) {
        ei_answer_mail_unknown(c, NULL);
        return ei_answer_pending(w, c, "mail-unknown");
    }
    ei_machine_look_first(c);
    return ei_worker_save(w, c, "create-unknown", NULL);
}

/* The right to mail is spent in the same commit in which the intent is written (C9 to C11 end as `unknown`). */
static enum ei_err after_created(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_error err;

    EI_FAILPOINT("C8");
    if (c->mail == EI_MAIL_WANTED && w->mail_held)
        c->mail = EI_MAIL_HELD;
    if (c->mail != EI_MAIL_WANTED || !ei_carrier_choose(w, c))
        return ei_answer_pending(w, c, "invited");
    char crid[EI_GUID_TEXT];
    ei_guid_new(crid);
    enum ei_err rc = ei_store_claim_mail(w->store, c->addresses[0], c->mail_round, crid, &err);
    if (rc == EI_CONFLICT) {
        ei_answer_mail_unknown(c, "this store has mailed this address before");
        return ei_answer_pending(w, c, "mail-spent");
    }
    if (rc != EI_OK) {
        ei_worker_store_failed(w, &err);
        return rc;
    }
    c->mail = EI_MAIL_SENDING;
    return ei_machine_enter(w, c, EI_STEP_MAILING, "mailing");
}

/* Checks what needs no network before the first look-up. */
static enum ei_err begin(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;
    struct ei_error err = {0};
    EI_FAILPOINT("C3");
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, &err);
    ei_settings_clear(&settings);
    if (rc == EI_OK && ei_tenant_owns(w, c->addresses[0]))
        rc = ei_fail(&err, EI_VERIFIED_DOMAIN, "%s: its domain is a verified domain of the tenant", c->addresses[0]);
    if (rc != EI_OK) {
        c->error = err;
        c->error_permanent = true;
        ei_tell_error(w, LOG_WARNING, EI_LOG_FAILED, c, &err);
        return ei_machine_enter(w, c, EI_STEP_FAILED, "failed");
    }
    return ei_machine_enter(w, c, EI_STEP_CHECKING, "checking");
}

/* The last account went away meanwhile: nothing more is sent; the next reading takes up what is to become of the guest.
 */
static enum ei_err stop_inviting(struct ei_worker *w, struct ei_collaborator *c)
{
    c->job.reset = false;
    ei_text_set(&c->job.reset_email, NULL);
    if (c->guest_id == NULL)
        return ei_machine_enter(w, c, EI_STEP_IDLE, "not-wanted");
    if (c->mail == EI_MAIL_WANTED || c->mail == EI_MAIL_SENDING) /* SENDING here: concluded without effect */
        c->mail = EI_MAIL_NONE;
    return ei_machine_enter(w, c, EI_STEP_PENDING, "not-wanted");
}

/* A mail that was refused for a while, on a clone or from a backup: its machine sends it. The right of this round is
 * spent, so `adopt` needs another one. */
static enum ei_err hold_mail(struct ei_worker *w, struct ei_collaborator *c)
{
    c->mail = EI_MAIL_HELD;
    c->mail_round++;
    ei_error_clear(&c->error);
    return ei_machine_enter(w, c, EI_STEP_PENDING, "mail-held");
}

/* Tried again: by the settings that are in force now. */
static enum ei_err create_again(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;

    if (ei_settings_resolve(w->config, c, &settings, NULL) == EI_OK && !c->job.reset)
        (void)ei_sponsors_plan(w, c, &settings);
    ei_settings_clear(&settings);
    return ei_machine_enter(w, c, EI_STEP_CREATING, ei_step_name(EI_STEP_CREATING));
}

/* Brings one due aggregate to its next durable step. */
static enum ei_err prepare(struct ei_worker *w, struct ei_collaborator *c)
{
    bool open_intent = c->job.crid[0] != '\0';
    bool inviting = c->job.step == EI_STEP_CREATING || c->job.step == EI_STEP_CREATED || c->job.step == EI_STEP_MAILING;

    if (inviting && !open_intent && !ei_collaborator_wants_invitation(c))
        return stop_inviting(w, c);
    switch (c->job.step) {
    case EI_STEP_QUEUED:
        c->job.resume = EI_STEP_QUEUED;
        return begin(w, c);
    case EI_STEP_CHECKING:
        return c->job.resume == EI_STEP_CREATING || c->job.reset ? ei_machine_enter(w, c, EI_STEP_CHECKING, "checking")
                                                                 : begin(w, c);
    case EI_STEP_CREATING:
        return open_intent ? recover(w, c) : create_again(w, c);
    case EI_STEP_MAILING:
        if (!open_intent && w->mail_held)
            return hold_mail(w, c);
        return open_intent ? recover(w, c) : ei_machine_enter(w, c, EI_STEP_MAILING, ei_step_name(EI_STEP_MAILING));
    case EI_STEP_CREATED:
        return after_created(w, c);
    case EI_STEP_OFFBOARDING:
        return ei_offboard_prepare(w, c);
    case EI_STEP_PENDING:
    case EI_STEP_ACCEPTED:
        if (c->guest_id == NULL)
            return begin(w, c);
        make_ready(w, c);
        return EI_OK;
    case EI_STEP_IDLE:
    case EI_STEP_FAILED:
        break;
    }
    return EI_OK;
}

int64_t ei_machine_settle(unsigned lookup)
{
    static const int64_t seconds[SETTLE_LOOKUPS] = {5, 15, 45};

    if (lookup < SETTLE_LOOKUPS && settle_now())
        return 0;
    return lookup < SETTLE_LOOKUPS ? seconds[lookup] : -1;
}

/* While inviting is refused, one job at a time finds out whether it still is; the others wait for its answer. */
static bool put_off(struct ei_worker *w, struct ei_collaborator *c)
{
    int64_t mono = ei_monotonic_ms();

    if (!ei_tenant_writes_blocked(w) || c->job.step >= EI_STEP_PENDING) /* looks and removals are not refused */
        return false;
    if (mono >= w->probe_at_ms) {
        w->probe_at_ms = mono + EI_PROBE_MS;
        return false;
    }
    bool news = c->error.code != w->blocked.code;
    c->error = w->blocked;
    c->job.not_before = ei_now() + (w->probe_at_ms - mono) / 1000 + 1;
    ei_worker_save(w, c, news ? "blocked" : NULL, ei_err_name(w->blocked.code));
    return true;
}

static bool is_look(const struct ei_collaborator *c)
{
    return ei_collaborator_looked_at(c) && c->guest_id != NULL;
}

/* Looks come last of what is due: where one finds no room in their pace, none behind it will. */
static bool takes_turn(struct ei_worker *w, const struct ei_collaborator *c)
{
    int64_t now = ei_monotonic_ms();

    if (!is_look(c))
        return true;
    if (ei_pace_wait_ms(&w->looks, 1, now) != 0)
        return false;
    ei_pace_take(&w->looks, 1, now);
    return true;
}

static void prepare_due(struct ei_worker *w, size_t room, int64_t now)
{
    char ids[2 * EI_FLIGHTS_MAX][EI_GUID_TEXT];
    struct ei_error err;
    size_t count = 0;
    size_t limit = room + w->flight_count; /* those in flight are due as well */

    if (ei_store_due(w->store, now, ids, limit < 2 * EI_FLIGHTS_MAX ? limit : 2 * EI_FLIGHTS_MAX, &count, &err) !=
        EI_OK) {
        ei_worker_store_failed(w, &err);
        return;
    }
    for (size_t i = 0; i < count && room > 0; i++) {
        struct ei_collaborator *c = NULL;
        if (ei_machine_in_flight(w, ids[i]))
            continue;
        enum ei_err rc = ei_store_get(w->store, ids[i], &c, &err);
        if (rc != EI_OK) { /* it stays due: without a pause the loop would spin */
            if (rc == EI_NOT_FOUND)
                ei_fail(&err, EI_STORE_DAMAGED, "the collaborator %s is due, but not there", ids[i]);
            ei_worker_store_failed(w, &err);
            return;
        }
        bool turn = takes_turn(w, c);
        if (turn && !put_off(w, c) && prepare(w, c) == EI_OK)
            room--;
        ei_collaborator_free(c);
        if (!turn)
            return;
    }
}

void ei_machine_run(struct ei_worker *w)
{
    struct ei_error err;
    int64_t wait_ms;
    size_t room = EI_FLIGHTS_MAX - w->flight_count;

    if (room == 0 || w->paused_until_ms > ei_monotonic_ms() || !ei_tenant_ready(w))
        return;
    if (w->blocked.code != EI_OK && !ei_tenant_writes_blocked(w)) {
        /* One probe at a time: whatever is due first. */
        if (w->flight_count != 0 || ei_monotonic_ms() < w->probe_at_ms)
            return;
        w->probe_at_ms = ei_monotonic_ms() + EI_PROBE_MS;
        room = 1;
    }
    if (!ei_graph_may_send(w->graph, 1, &wait_ms))
        return;
    if (ei_store_batch_begin(w->store, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        return;
    }
    prepare_due(w, room, ei_now());
    enum ei_err rc = ei_store_batch_end(w->store, &err);
    if (rc != EI_OK)
        ei_worker_store_failed(w, &err);
    ei_machine_send_ready(w, rc == EI_OK);
}

int64_t ei_machine_wait_ms(struct ei_worker *w)
{
    struct ei_error err;
    int64_t next = INT64_MAX;
    int64_t wait_ms = 0;
    int64_t mono = ei_monotonic_ms();

    if (w->flight_count == EI_FLIGHTS_MAX)
        return NO_JOBS_WAIT_MS;
    if (w->paused_until_ms > mono)
        return w->paused_until_ms - mono;
    if (w->tenant_fact != EI_FACT_KNOWN || w->domains_fact == EI_FACT_ASKED)
        return ei_tenant_wait_ms(w);
    if (ei_store_next_due(w->store, &next, &err) != EI_OK || next == INT64_MAX)
        return NO_JOBS_WAIT_MS;
    int64_t due = (next - ei_now()) * 1000;
    if (due < 0)
        due = 0;
    if (w->blocked.code != EI_OK && !ei_tenant_writes_blocked(w) && w->probe_at_ms - mono > due)
        due = w->probe_at_ms - mono;
    if (!ei_graph_may_send(w->graph, 1, &wait_ms) && wait_ms > due)
        due = wait_ms;
    /* What is due but in flight already would make the loop spin; its answer wakes it. */
    if (due == 0 && w->flight_count != 0)
        due = 1000;
    /* Nor must looks that wait for their pace: a batch of them at a time. */
    if (ei_pace_wait_ms(&w->looks, 1, mono) != 0)
        due = due < LOOKS_WAIT_MS ? LOOKS_WAIT_MS : due;
    return due < NO_JOBS_WAIT_MS ? due : NO_JOBS_WAIT_MS;
}

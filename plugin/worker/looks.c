/* After the invitation: is it redeemed, is the guest still there? */
#include <string.h>

#include "common/base/clock.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/patience.h"
#include "plugin/worker/redemption.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/reset.h"
#include "plugin/worker/sponsors.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

/* A mail that waits for its relay is tried again behind a look, which may show that there is no need for it. */
static void plan_look(const struct ei_worker *w, struct ei_collaborator *c)
{
    int64_t mail = ei_carrier_next(w, c);

    c->job.attempts = 0;
    c->job.not_before = ei_refresh_next_look(w, c->job.step);
    if (mail < c->job.not_before)
        c->job.not_before = mail;
}

static void save_look(struct ei_worker *w, struct ei_collaborator *c, const char *event)
{
    plan_look(w, c);
    ei_worker_save(w, c, event, NULL);
}

/* The same of a look that showed the guest. */
static void save_seen(struct ei_worker *w, struct ei_collaborator *c, const char *event)
{
    plan_look(w, c);
    ei_groups_plan(w, c);
    ei_worker_save(w, c, event, NULL);
    ei_groups_join(w, c);
}

static void still_pending(struct ei_worker *w, struct ei_collaborator *c)
{
    bool was_accepted = c->job.step == EI_STEP_ACCEPTED;

    if (c->redeem_url == NULL && ei_collaborator_wants_invitation(c)) {
        /* Found disabled and enabled since, or its redemption was reset: there is no URL to redeem yet. */
        ei_collaborator_requeue(c, ei_now(), false);
        ei_worker_save(w, c, "needs-url", NULL);
        return;
    }
    if (c->error_permanent || !ei_carrier_failure(c->error.code))
        ei_answer_clear_error(c);
    if (c->mail == EI_MAIL_UNKNOWN && c->error.code == EI_OK)
        ei_answer_mail_unknown(c, NULL);
    if (was_accepted) {
        c->job.step = EI_STEP_PENDING;
        c->state_at = ei_now();
        ei_collaborator_await(c, ei_clock_theirs(w));
    }
    if (!ei_carrier_again(w, c) && !ei_patience_run(w, c))
        save_seen(w, c, was_accepted ? "pending-again" : NULL);
}

static void set_failed(struct ei_worker *w, struct ei_collaborator *c, const struct ei_error *err)
{
    bool said = c->error_permanent && c->error.code == err->code;

    c->error = *err;
    if (!said) {
        c->error_permanent = true;
        c->state_at = ei_now();
        ei_tell_error(w, LOG_WARNING, EI_LOG_FAILED, c, err);
    }
    save_look(w, c, said ? NULL : "failed");
}

static void judge(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user)
{
    struct ei_error err = {0};

    w->last_refresh = ei_now();
    if (ei_reset_not_seen(c, user)) {
        still_pending(w, c);
        return;
    }
    if (!ei_answer_take_user(c, user))
        return;
    switch (ei_redemption_judge(user, &err)) {
    case EI_REDEMPTION_ACCEPTED:
        if (c->job.step == EI_STEP_ACCEPTED && !c->error_permanent) {
            ei_answer_clear_error(c); /* what could not be read before is read now */
            save_seen(w, c, NULL);
        } else {
            ei_answer_accept(w, c, "accepted");
        }
        break;
    case EI_REDEMPTION_PENDING:
        still_pending(w, c);
        break;
    case EI_REDEMPTION_FAILED:
        set_failed(w, c, &err);
        break;
    case EI_REDEMPTION_UNCHANGED:
        if (!c->error_permanent)
            c->error = err;
        save_look(w, c, NULL);
        break;
    }
}

static void not_found(struct ei_worker *w, struct ei_collaborator *c, struct ei_flight *flight)
{
    char crid[EI_GUID_TEXT];

    w->last_refresh = ei_now();
    ei_guid_new(crid);
    if (ei_graph_get_deleted(w->graph, c->guest_id, crid, ei_answer_deleted_items, flight) != EI_OK) {
        save_look(w, c, NULL);
        ei_machine_land(flight);
    }
}

void ei_answer_looked(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || !ei_collaborator_looked_at(c) || c->guest_id == NULL)
        goto land;
    if (flight->outdated) /* it is due again */
        goto land;
    if (result->outcome == EI_GRAPH_DONE) {
        judge(w, c, user);
        if (ei_sponsors_look(w, c, flight))
            goto out;
    } else if (result->error.code == EI_GRAPH_NOT_FOUND) {
        not_found(w, c, flight);
        goto out;
    } else if (result->error.code == EI_PERMISSION) {
        if (!c->error_permanent) {
            c->error = result->error;
            ei_fail_again(&c->error, EI_NOT_SEEN, "the redemption cannot be read: %s", result->error.message);
        }
        c->job.not_before = ei_now() + EI_DENIED_AGAIN;
        ei_worker_save(w, c, NULL, NULL);
    } else {
        /* The state stays as it was; the error shows unless a lasting one does. */
        struct ei_error lasting = c->error;
        bool permanent = c->error_permanent;
        c->error = permanent ? lasting : result->error;
        c->job.attempts++;
        ei_machine_back_off(c, result->retry_after);
        ei_worker_save(w, c, NULL, NULL);
    }
land:
    ei_machine_land(flight);
out:
    ei_collaborator_free(c);
}

void ei_answer_deleted_items(void *context, const struct ei_graph_result *result)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    struct ei_error err;
    int64_t now = ei_clock_theirs(w);

    /* Graph has just answered about the user: that it does not show deleted ones is no trouble and no missing right. */
    if (result->error.code != EI_GRAPH_ANSWER && result->error.code != EI_REQUEST_REFUSED &&
        result->error.code != EI_PERMISSION)
        ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || !ei_collaborator_looked_at(c))
        goto out;
    /* A 201 without a user that ever appears is known of Microsoft's service (contract 2.6). */
    bool seen = c->user_principal_name != NULL;
    bool news = c->not_found_since == 0;
    if (news)
        c->not_found_since = now;
    if (result->outcome == EI_GRAPH_DONE) {
        ei_fail(&err, EI_GUEST_GONE, "%s: the guest %s is in the tenant's deleted users", c->addresses[0], c->guest_id);
        set_failed(w, c, &err);
    } else if (now - c->not_found_since >= EI_GONE_AFTER) {
        ei_fail(&err, EI_GUEST_GONE,
                seen ? "%s: the tenant has not had the guest %s for a day"
                     : "%s: Microsoft answered that the guest %s was made, and has not shown it in a day",
                c->addresses[0], c->guest_id);
        set_failed(w, c, &err);
    } else {
        if (!c->error_permanent)
            ei_fail(&c->error, seen ? EI_GRAPH_NOT_FOUND : EI_UNCONFIRMED,
                    seen ? "%s: Graph does not find the guest %s just now"
                         : "%s: Microsoft answered that the guest %s was made, and does not show it yet",
                    c->addresses[0], c->guest_id);
        save_look(w, c, news ? "guest-missing" : NULL);
    }
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

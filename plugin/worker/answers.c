#include "plugin/worker/answers.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/existing.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/history.h"
#include "plugin/worker/invitation.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/redemption.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/reset.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/sponsors.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

enum {
    FIRST_LOOK = 60, /* seconds: a new guest is read back soon ("201 and no user ever appears") */
};

/* The aggregate of a flight that has ended, if it still is where the flight left it; the caller frees it. */
struct ei_collaborator *ei_answer_reload(struct ei_flight *flight)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;
    enum ei_err rc = ei_store_get(flight->worker->store, flight->id, &c, &err);

    if (rc != EI_OK && rc != EI_NOT_FOUND)
        ei_worker_store_failed(flight->worker, &err);
    return rc == EI_OK ? c : NULL;
}

void ei_answer_fail(struct ei_worker *w, struct ei_collaborator *c, const struct ei_error *err)
{
    c->error = *err;
    c->error_permanent = true;
    ei_tell_error(w, LOG_WARNING, EI_LOG_FAILED, c, err);
    ei_machine_enter(w, c, EI_STEP_FAILED, "failed");
}

void ei_answer_clear_error(struct ei_collaborator *c)
{
    if (!c->error_permanent && ei_reset_failure(c->error.code))
        return;
    if (c->error_permanent)
        c->state_at = ei_now();
    ei_error_clear(&c->error);
    c->error_permanent = false;
}

/* An error that says nothing about this person: shown, and the step is tried again. */
void ei_answer_try_again(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    bool news = c->error.code != result->error.code;

    c->error = result->error;
    c->error_permanent = false;
    ei_machine_back_off(c, result->retry_after);
    ei_worker_save(w, c, news ? "retry" : NULL, ei_err_name(result->error.code));
}

bool ei_answer_take_user(struct ei_collaborator *c, const struct ei_graph_user *user)
{
    c->state_changed_at = user->external_user_state_changed;
    c->not_found_since = 0;
    c->checked_at = ei_now();
    c->without_mail = user->mail == NULL && ei_text_same(user->user_type, "Guest");
    c->disabled = c->disabled && !(user->has_account_enabled && user->account_enabled);
    if (c->guest_id != NULL && strcasecmp(c->guest_id, user->id) != 0)
        ei_groups_forget(c);
    return ei_text_set(&c->guest_id, user->id) && ei_text_set(&c->user_type, user->user_type) &&
           ei_text_set(&c->user_principal_name, user->user_principal_name) &&
           ei_text_set(&c->external_user_state, user->external_user_state);
}

void ei_answer_accept(struct ei_worker *w, struct ei_collaborator *c, const char *event)
{
    ei_answer_clear_error(c);
    ei_text_set(&c->redeem_url, NULL); /* erased on acceptance (K7) */
    c->expired_at = 0;
    c->reminding = false;
    if (c->mail == EI_MAIL_WANTED)
        c->mail = EI_MAIL_NONE; /* there is nothing to carry any more */
    /* A held account of somebody who is a guest already is linked; there is nothing to hold back. */
    for (size_t i = 0; i < c->account_count; i++)
        if (c->accounts[i].state == EI_ACCOUNT_HELD)
            c->accounts[i].state = EI_ACCOUNT_ACTIVE;
    if (c->job.step != EI_STEP_ACCEPTED)
        c->state_at = ei_now();
    c->job.step = EI_STEP_ACCEPTED;
    c->job.resume = EI_STEP_QUEUED;
    c->job.creates = 0;
    c->job.urgent = false;
    c->job.crid[0] = '\0';
    c->job.attempts = 0;
    c->job.not_before = ei_refresh_next_look(w, EI_STEP_ACCEPTED);
    ei_groups_plan(w, c);
    ei_tell(w, LOG_INFO, EI_LOG_ACCEPTED, c, NULL, "accepted%s",
            strcmp(event, "already-guest") == 0 ? " before, linked" : "");
    ei_worker_save(w, c, event, NULL);
    ei_groups_join(w, c);
}

/* --- checking --- */

/* The look-up is done and nobody stands in the way: POST, unless every account is held. */
static void go_create(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;
    struct ei_error err = {0};

    if (!ei_collaborator_wants_invitation(c)) {
        ei_machine_enter(w, c, EI_STEP_IDLE, "looked-up");
        return;
    }
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, &err);
    if (rc == EI_OK && c->mail != EI_MAIL_SENT && c->mail != EI_MAIL_UNKNOWN)
        c->mail = settings.channel != EI_CHANNEL_NONE && !c->linked ? EI_MAIL_WANTED : EI_MAIL_NONE;
    if (rc == EI_OK && !ei_sponsors_plan(w, c, &settings))
        ei_tell(w, LOG_WARNING, EI_LOG_SPONSORS, c, NULL, "no memory for its sponsors");
    ei_settings_clear(&settings);
    if (rc != EI_OK) {
        ei_answer_fail(w, c, &err);
        return;
    }
    ei_machine_enter(w, c, EI_STEP_CREATING, "creating");
}

/* The guest on record is none any more (deleted in the tenant, or by us): the next answer names another, rightly. */
static void forget_guest(struct ei_collaborator *c)
{
    ei_text_set(&c->guest_id, NULL);
    ei_text_set(&c->user_principal_name, NULL);
    ei_text_set(&c->user_type, NULL);
    ei_text_set(&c->external_user_state, NULL);
    ei_text_set(&c->redeem_url, NULL);
    c->state_changed_at = 0;
    c->not_found_since = 0;
    c->linked = false;
    c->made = false;
    c->disabled = false;
    ei_groups_forget(c);
}

static void found_nobody(struct ei_worker *w, struct ei_collaborator *c, bool sure)
{
    if (c->job.resume == EI_STEP_CREATING) {
        /* The lost POST may have made a guest that is not copied everywhere yet (contract 7). */
        int64_t wait = ei_machine_settle(c->job.attempts);
        if (wait >= 0) {
            c->job.crid[0] = '\0';
            c->job.not_before = ei_now() + wait;
            ei_worker_save(w, c, "not-found-yet", NULL);
            return;
        }
    } else if (sure) {
        forget_guest(c);
    }
    go_create(w, c);
}

void ei_answer_found_user(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user)
{
    struct ei_error err = {0};
    enum ei_redemption verdict = ei_redemption_judge(user, &err);
    bool ours = c->job.resume == EI_STEP_CREATING || (c->guest_id != NULL && strcasecmp(c->guest_id, user->id) == 0);
    /* Nobody had the address before the POST whose answer was lost. */
    bool made = c->job.resume == EI_STEP_CREATING && c->guest_id == NULL && !c->linked;

    if (!ei_answer_take_user(c, user)) {
        ei_machine_back_off(c, -1);
        ei_worker_save(w, c, "retry", ei_err_name(EI_NOMEM));
        return;
    }
    c->made = c->made || made;
    if (!ours)
        c->linked = true;
    if (verdict == EI_REDEMPTION_ACCEPTED) {
        ei_answer_accept(w, c, "already-guest");
    } else if (verdict == EI_REDEMPTION_FAILED && err.code == EI_DISABLED) {
        /* Looked at again like any guest, so that enabling it is enough. */
        c->error = err;
        c->error_permanent = true;
        ei_tell_error(w, LOG_WARNING, EI_LOG_FAILED, c, &err);
        ei_machine_enter(w, c, EI_STEP_PENDING, "disabled");
    } else if (verdict == EI_REDEMPTION_FAILED) {
        ei_answer_fail(w, c, &err);
    } else {
        go_create(w, c);
    }
}

/* Before another guest is made. Not after a lost answer: nobody had the address a moment ago. */
static bool look_among_deleted(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    return c->job.resume != EI_STEP_CREATING && !w->deleted_unseen &&
           ei_graph_find_deleted(w->graph, c->addresses[0], NULL, ei_answer_deleted_found, flight) == EI_OK;
}

static bool is_known_deleted(const struct ei_collaborator *c, const char *id)
{
    return (c->deleted_guest_id != NULL && strcasecmp(c->deleted_guest_id, id) == 0) ||
           (c->guest_id != NULL && strcasecmp(c->guest_id, id) == 0);
}

const struct ei_graph_user *ei_answer_unknown_deleted(const struct ei_collaborator *c,
                                                      const struct ei_graph_user *users, size_t count)
{
    const struct ei_graph_user *found = NULL;

    for (size_t i = 0; i < count; i++) {
        bool guest = ei_text_same(users[i].user_type, "Guest") || ei_graph_user_has_external_name(&users[i]);
        if (is_known_deleted(c, users[i].id))
            return NULL;
        if (guest && found == NULL)
            found = &users[i];
    }
    return found;
}

static void found_deleted(struct ei_worker *w, struct ei_collaborator *c, const char *id)
{
    struct ei_error err;

    forget_guest(c);
    if (!ei_text_set(&c->deleted_guest_id, id)) {
        ei_machine_back_off(c, -1);
        ei_worker_save(w, c, "retry", ei_err_name(EI_NOMEM));
        return;
    }
    c->deleted_at = ei_now();
    ei_fail(&err, EI_GUEST_DELETED, "%s: the guest %s is among the tenant's deleted users", c->addresses[0], id);
    ei_answer_fail(w, c, &err);
}

void ei_answer_deleted_found(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                             size_t count)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    bool refusal = ei_tenant_is_refusal(result);

    if (!refusal)
        ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (refusal && !w->deleted_unseen) {
        ei_log(LOG_NOTICE,
               "the tenant's deleted users cannot be searched, so a deleted guest is invited as a new one: %s",
               result->error.message);
        w->deleted_unseen = true;
    }
    if (c == NULL || c->job.step != EI_STEP_CHECKING || c->address_count == 0)
        goto out;
    const struct ei_graph_user *deleted = ei_answer_unknown_deleted(c, users, count);
    if (deleted != NULL)
        found_deleted(w, c, deleted->id);
    else if (result->outcome == EI_GRAPH_DONE || refusal)
        found_nobody(w, c, true);
    else
        ei_answer_try_again(w, c, result);
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

void ei_answer_checked(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                       size_t count)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    EI_FAILPOINT("C4");
    ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->job.step != EI_STEP_CHECKING || c->address_count == 0)
        goto out;
    if (result->outcome != EI_GRAPH_DONE && result->error.code == EI_PERMISSION) {
        /* Without User.Read.All invitations go out all the same (design, Permissions). */
        found_nobody(w, c, false);
        goto out;
    }
    if (result->outcome != EI_GRAPH_DONE) {
        ei_answer_try_again(w, c, result);
        goto out;
    }
    w->last_refresh = ei_now();
    if (count == 0 && look_among_deleted(w, c, flight)) {
        ei_collaborator_free(c);
        return;
    }
    if (count == 0) {
        found_nobody(w, c, true);
    } else if (count == 1) {
        ei_answer_found_user(w, c, &users[0]);
    } else {
        struct ei_error err;
        ei_fail(&err, EI_AMBIGUOUS_USERS, "%s: %zu users of the tenant have this address (%s, %s)", c->addresses[0],
                count, users[0].id, users[1].id);
        ei_answer_fail(w, c, &err);
    }
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

/* --- creating --- */

bool ei_answer_take_invitation(struct ei_collaborator *c, const struct ei_graph_invitation *invitation,
                               struct ei_error *err)
{
    if (c->guest_id != NULL && strcasecmp(c->guest_id, invitation->invited_user_id) != 0) {
        ei_fail(err, EI_SECOND_GUEST, "%s: the guest was %s, the answer names %s", c->addresses[0], c->guest_id,
                invitation->invited_user_id);
        return false;
    }
    c->url_at = ei_now();
    ei_text_set(&c->deleted_guest_id, NULL); /* there is another one in its place */
    c->deleted_at = 0;
    c->made = c->made || (c->guest_id == NULL && !c->linked);
    if (!ei_invitation_record(c, invitation) || !ei_text_set(&c->guest_id, invitation->invited_user_id) ||
        !ei_text_set(&c->redeem_url, invitation->invite_redeem_url)) {
        ei_fail(err, EI_NOMEM, "%s: no memory for the answer", c->addresses[0]);
        return false;
    }
    return true;
}

enum ei_err ei_answer_pending(struct ei_worker *w, struct ei_collaborator *c, const char *event)
{
    int64_t now = ei_now();
    int64_t look = now + (w->config->refresh_interval < FIRST_LOOK ? w->config->refresh_interval : FIRST_LOOK);

    c->job.step = EI_STEP_PENDING;
    c->job.resume = EI_STEP_QUEUED;
    c->job.creates = 0;
    c->job.urgent = false;
    c->job.attempts = 0;
    c->job.crid[0] = '\0';
    c->job.not_before = look;
    if (c->invited_at == 0)
        c->invited_at = ei_clock_theirs(w);
    return ei_worker_save(w, c, event, NULL);
}

/* The answer cannot be held: as if it had been lost, on the record as it stands in the store. */
static void create_forgotten(struct ei_flight *flight, const struct ei_error *err)
{
    struct ei_worker *w = flight->worker;
    struct ei_collaborator *c = ei_answer_reload(flight);

    if (c != NULL && c->job.step == EI_STEP_CREATING) {
        c->error = *err;
        ei_machine_look_first(c);
        ei_worker_save(w, c, "create-unknown", ei_err_name(err->code));
    }
    ei_collaborator_free(c);
}

static void create_refused(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    if (result->outcome == EI_GRAPH_UNCLEAR) {
        c->error = result->error;
        ei_machine_look_first(c);
        ei_worker_save(w, c, "create-unknown", ei_err_name(result->error.code));
    } else if (ei_err_fault(result->error.code) == EI_FAULT_ACCOUNT) {
        ei_answer_fail(w, c, &result->error);
    } else {
        ei_answer_try_again(w, c, result);
    }
}

/* A refusal that says nothing about the person and nothing about the tenant: of the sponsors, of a member, of a reset.
 * true: it is dealt with. */
static bool refused_for_less(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    struct ei_settings settings;

    if (c == NULL || c->job.step != EI_STEP_CREATING || c->address_count == 0)
        return false;
    if (ei_reset_refused(w, c, result))
        return true;
    if (ei_sponsors_refused(w, c, result)) {
        c->job.crid[0] = '\0'; /* concluded */
        if (ei_worker_note(w, c, "sponsors-refused", &(struct ei_event_facts){.error = &result->error}) == EI_OK)
            ei_machine_enter(w, c, EI_STEP_CREATING, "creating");
        return true;
    }
    if (result->outcome != EI_GRAPH_REJECTED || result->error.code != EI_PERMISSION ||
        ei_settings_resolve(w->config, c, &settings, NULL) != EI_OK)
        return false;
    bool member = settings.invite.member;
    ei_settings_clear(&settings);
    if (!member)
        return false;
    struct ei_graph_result of_member = *result;
    ei_fail_again(&of_member.error, EI_MEMBER_REFUSED, "a member was refused: %s", result->error.message);
    ei_answer_try_again(w, c, &of_member);
    return true;
}

void ei_answer_created(void *context, const struct ei_graph_result *result,
                       const struct ei_graph_invitation *invitation)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    struct ei_error err;

    EI_FAILPOINT("C6");
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (refused_for_less(w, c, result))
        goto out;
    ei_tenant_note(w, result, EI_CALL_INVITE);
    EI_FAILPOINT("C7");
    if (c == NULL || c->address_count == 0)
        goto out;
    if (ei_existing_look(w, c, result, flight)) {
        ei_collaborator_free(c);
        return;
    }
    if (result->outcome != EI_GRAPH_DONE) {
        if (c->job.step == EI_STEP_CREATING)
            create_refused(w, c, result);
        goto out;
    }
    bool renewed = c->guest_id != NULL && c->redeem_url != NULL;
    enum ei_state before = ei_state_of_work(c);
    if (!ei_answer_take_invitation(c, invitation, &err)) {
        if (err.code == EI_NOMEM)
            create_forgotten(flight, &err);
        else
            ei_answer_fail(w, c, &err);
        goto out;
    }
    ei_answer_clear_error(c);
    bool reset = c->job.reset && c->job.step == EI_STEP_CREATING;
    if (reset)
        ei_reset_apply(w, c);
    if (ei_state_of_work(c) != before) /* with the URL people see it as pending */
        c->state_at = ei_now();
    ei_tell(w, LOG_INFO, EI_LOG_INVITED, c, &result->error, reset ? "to redeem anew" : "invited");
    if (c->job.step != EI_STEP_CREATING) /* somebody decided otherwise meanwhile; the guest is on record at least */
        ei_worker_save(w, c, "invited-late", NULL);
    else if (c->mail == EI_MAIL_WANTED)
        ei_machine_enter(w, c, EI_STEP_CREATED, reset ? "reset" : renewed ? "url-renewed" : "created");
    else
        ei_answer_pending(w, c, reset ? "reset" : renewed ? "url-renewed" : "invited");
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

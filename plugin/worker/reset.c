#include "plugin/worker/reset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/text.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/redemption.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

enum { BEHIND = 60 * 60 }; /* seconds that a copy of the directory may be behind (contract 7) */

/* --- what is asked for --- */

const char *ei_reset_address(const struct ei_collaborator *c)
{
    return c->job.reset_email != NULL ? c->job.reset_email : c->addresses[0];
}

bool ei_reset_failure(enum ei_err code)
{
    return code == EI_RESET_ADDRESS || code == EI_RESET_DENIED || code == EI_RESET_REFUSED;
}

struct search {
    const char *address;
    char seen[EI_MESSAGE_MAX / 2]; /* the addresses, with commas between them */
};

/* In any case of letters, as Graph compares (contract 2.6). */
static bool is_it(void *context, const char *address)
{
    struct search *search = context;
    size_t length = strlen(search->seen);

    if (strcasecmp(address, search->address) == 0)
        return true;
    if (strcasestr(search->seen, address) == NULL)
        snprintf(search->seen + length, sizeof search->seen - length, "%s%s", length != 0 ? ", " : "", address);
    return false;
}

enum ei_err ei_reset_check(const struct ei_graph_user *user, const char *address, struct ei_error *err)
{
    struct search search = {.address = address};
    enum ei_redemption verdict = ei_redemption_judge(user, err);

    if (verdict == EI_REDEMPTION_FAILED || verdict == EI_REDEMPTION_UNCHANGED)
        return err->code;
    if (ei_graph_user_addresses(user, is_it, &search))
        return EI_OK;
    return ei_fail(err, EI_RESET_ADDRESS, "%s is no address of the user %s, who has: %s", address,
                   user->user_principal_name != NULL ? user->user_principal_name : user->id,
                   search.seen[0] != '\0' ? search.seen : "none");
}

bool ei_reset_start(struct ei_collaborator *c, const char *email, int64_t now)
{
    /* On record from now on: nobody else can take the address meanwhile. */
    if (email != NULL && !ei_collaborator_add_address(c, email))
        return false;
    ei_collaborator_requeue(c, now, true);
    c->job.step = EI_STEP_CHECKING;
    c->job.reset = true;
    return ei_text_set(&c->job.reset_email, email);
}

/* --- how it goes --- */

static void end(struct ei_collaborator *c)
{
    c->job.reset = false;
    ei_text_set(&c->job.reset_email, NULL);
}

/* Nothing has changed in the tenant: the next look tells the state, at once. */
static void give_up(struct ei_worker *w, struct ei_collaborator *c, const struct ei_error *err)
{
    end(c);
    c->error = *err;
    c->error_permanent = false;
    ei_tell_error(w, LOG_WARNING, EI_LOG_NOT_RESET, c, err);
    c->job.step = EI_STEP_PENDING;
    c->job.resume = EI_STEP_QUEUED;
    c->job.creates = 0;
    c->job.attempts = 0;
    c->job.crid[0] = '\0';
    c->job.not_before = ei_now();
    c->state_at = ei_now();
    ei_worker_save(w, c, "not-reset", ei_err_name(err->code));
}

static void address_first(struct ei_collaborator *c, const char *address)
{
    for (size_t i = 1; i < c->address_count; i++) {
        if (strcasecmp(c->addresses[i], address) != 0)
            continue;
        char *first = c->addresses[i];
        memmove(c->addresses + 1, c->addresses, i * sizeof *c->addresses);
        c->addresses[0] = first;
        return;
    }
}

void ei_reset_apply(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;

    if (c->job.reset_email != NULL)
        address_first(c, c->job.reset_email);
    end(c);
    ei_text_set(&c->external_user_state, NULL);
    c->mail_round++;
    c->linked = false;
    if (ei_settings_resolve(w->config, c, &settings, NULL) == EI_OK)
        c->mail = settings.channel != EI_CHANNEL_NONE ? EI_MAIL_WANTED : EI_MAIL_NONE;
    ei_settings_clear(&settings);
}

bool ei_reset_not_seen(const struct ei_collaborator *c, const struct ei_graph_user *user)
{
    bool just_reset = c->job.step == EI_STEP_PENDING && c->redeem_url != NULL && c->external_user_state == NULL &&
                      c->state_changed_at != 0 && ei_clock_within(c->url_at, BEHIND);

    /* What is read old names the state before the reset; any other answer is judged as always. */
    bool accepted = ei_text_same(user->external_user_state, "Accepted");

    return just_reset && accepted && user->external_user_state_changed <= c->state_changed_at;
}

/* The answer to a POST was lost: by the change time, which is all Graph's, what became of it? true: it is known. */
static bool settled(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user)
{
    struct ei_error err = {0};
    enum ei_redemption verdict = ei_redemption_judge(user, &err);

    if (user->external_user_state_changed <= c->state_changed_at)
        return false;
    if (verdict == EI_REDEMPTION_PENDING) {
        /* It was reset; its URL went with the answer. An invitation of the guest who is pending now brings another. */
        ei_reset_apply(w, c);
        ei_answer_clear_error(c);
        ei_machine_enter(w, c, EI_STEP_CREATING, "was-reset");
        return true;
    }
    if (verdict == EI_REDEMPTION_ACCEPTED && ei_answer_take_user(c, user)) {
        char *state = NULL;
        if (!ei_text_set(&state, user->external_user_state))
            return false;
        ei_reset_apply(w, c);
        c->mail = EI_MAIL_NONE;
        ei_text_set(&c->external_user_state, NULL);
        c->external_user_state = state; /* transferred */
        ei_answer_accept(w, c, "redeemed-anew");
        return true;
    }
    return false;
}

static void judge(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user)
{
    bool lost = c->job.resume == EI_STEP_CREATING;
    struct ei_error err = {0};

    if (lost && settled(w, c, user))
        return;
    int64_t wait = lost ? ei_machine_settle(c->job.attempts) : -1;
    if (wait >= 0) {
        c->job.crid[0] = '\0';
        c->job.not_before = ei_now() + wait;
        ei_worker_save(w, c, "not-reset-yet", NULL);
    } else if (ei_reset_check(user, ei_reset_address(c), &err) != EI_OK) {
        give_up(w, c, &err);
    } else if (!lost && !ei_answer_take_user(c, user)) {
        ei_machine_back_off(c, -1);
        ei_worker_save(w, c, "retry", ei_err_name(EI_NOMEM));
    } else {
        ei_machine_enter(w, c, EI_STEP_CREATING, "resetting");
    }
}

void ei_answer_reset_checked(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    EI_FAILPOINT("C4");
    ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->job.step != EI_STEP_CHECKING || !c->job.reset || c->address_count == 0)
        goto out;
    if (result->outcome == EI_GRAPH_DONE)
        judge(w, c, user);
    else if (result->error.code == EI_GRAPH_NOT_FOUND || result->error.code == EI_PERMISSION)
        give_up(w, c, &result->error);
    else
        ei_answer_try_again(w, c, result);
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

bool ei_reset_refused(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    struct ei_error err = result->error;

    if (!c->job.reset || result->outcome != EI_GRAPH_REJECTED)
        return false;
    if (err.code == EI_PERMISSION)
        ei_fail_again(&err, EI_RESET_DENIED, "%s", result->error.message);
    else if (!ei_reset_failure(err.code) && ei_err_fault(err.code) == EI_FAULT_ACCOUNT)
        ei_fail_again(&err, EI_RESET_REFUSED, "%s", result->error.message);
    if (!ei_reset_failure(err.code))
        return false;
    give_up(w, c, &err);
    return true;
}

/* Reset: asks Graph first, so that what cannot be done is said at once; then the job is on record. */
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/history.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/reset.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tenant.h"

struct ei_resetting {
    struct ei_resetting *next;
    struct ei_worker *worker;
    struct ei_call *call; /* NULL: its peer went away */
    char *target;
    char *email; /* as it is sent; NULL: the one that it has */
    char *by;    /* who asked; NULL: not told */
};

static void end(struct ei_resetting *one)
{
    for (struct ei_resetting **at = &one->worker->resets; *at != NULL; at = &(*at)->next) {
        if (*at == one) {
            *at = one->next;
            break;
        }
    }
    free(one->target);
    free(one->email);
    free(one->by);
    free(one);
}

void ei_request_reset_gone(struct ei_worker *w, struct ei_call *call)
{
    for (struct ei_resetting *one = w->resets; one != NULL; one = one->next)
        if (one->call == call)
            one->call = NULL;
}

/* Whoever redeems anew is a guest whom Graph has told of, and whom somebody here needs. */
static enum ei_err check_state(const struct ei_collaborator *c, const char *target, struct ei_error *err)
{
    bool stands = ei_collaborator_looked_at(c);
    bool waits = c->job.step == EI_STEP_IDLE || c->job.step == EI_STEP_FAILED || c->job.step == EI_STEP_OFFBOARDING;

    /* Of a guest who is looked at, Graph is asked now: what was found before may be mended. */
    if (c->error_permanent && !stands)
        return ei_fail(err, c->error.code, "%s", c->error.message);
    if (c->job.reset)
        return ei_fail(err, EI_BUSY, "%s: a reset is under way", target);
    if (!stands && !waits)
        return ei_fail(err, EI_BUSY, "%s: an invitation is on its way", target);
    if (!stands || c->guest_id == NULL || c->address_count == 0)
        return ei_fail(err, EI_STATE, "%s: there is no guest to reset (it is %s)", target,
                       ei_state_name(ei_state_of(c, NULL)));
    if (!ei_collaborator_wants_invitation(c))
        return ei_fail(err, EI_STATE, "%s: was removed; entra-invite invite comes first", target);
    return EI_OK;
}

/* The new address is held to what a new invitation of it would be. */
static enum ei_err check_email(struct ei_worker *w, const struct ei_collaborator *c, const char *email,
                               struct ei_error *err)
{
    struct ei_collaborator *owner = NULL;
    struct ei_settings settings;
    struct ei_collaborator imagined = *c;
    char *address = (char *)email;

    if (ei_tenant_owns(w, email))
        return ei_fail(err, EI_VERIFIED_DOMAIN, "%s: its domain is a verified domain of the tenant", email);
    imagined.addresses = &address;
    imagined.address_count = 1;
    enum ei_err rc = ei_settings_resolve(w->config, &imagined, &settings, err);
    ei_settings_clear(&settings);
    if (rc != EI_OK)
        return rc;
    rc = ei_store_by_address(w->store, email, &owner, err);
    if (rc == EI_OK && strcmp(owner->id, c->id) != 0)
        rc = ei_fail(err, EI_STATE, "%s: is on record for somebody else; remove that one with --forget first", email);
    ei_collaborator_free(owner);
    return rc == EI_NOT_FOUND ? EI_OK : rc;
}

static enum ei_err find(struct ei_worker *w, const char *target, const char *email, struct ei_collaborator **ret_c,
                        const char **ret_login, struct ei_error *err)
{
    enum ei_err rc = ei_request_find(w, target, ret_c, ret_login, err);

    if (rc == EI_OK)
        rc = check_state(*ret_c, target, err);
    if (rc == EI_OK && email != NULL)
        rc = check_email(w, *ret_c, email, err);
    return rc;
}

/* Durable before it is acknowledged (X2). */
static enum ei_err record(struct ei_resetting *one, const struct ei_graph_user *user, struct ei_error *err)
{
    struct ei_worker *w = one->worker;
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    enum ei_err rc = find(w, one->target, one->email, &c, &login, err);

    if (rc == EI_OK && user != NULL)
        rc = ei_reset_check(user, one->email != NULL ? one->email : c->addresses[0], err);
    if (rc == EI_OK && !ei_reset_start(c, one->email, ei_now()))
        rc = ei_fail(err, EI_NOMEM, "%s: no memory for the reset", one->target);
    if (rc == EI_OK) {
        rc = ei_worker_note(w, c, "reset-asked", &(struct ei_event_facts){.by = one->by, .about = one->email});
        if (rc != EI_OK)
            ei_fail(err, rc, "%s: the request could not be stored", one->target);
    }
    if (rc == EI_OK) {
        w->dirty = true;
        ei_call_reply(one->call, ei_request_account_reply(w, c, login));
    }
    ei_collaborator_free(c);
    return rc;
}

/* Where Graph does not answer now, the job looks later. */
static void on_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct ei_resetting *one = context;
    struct ei_error err = result->error;
    bool refused = result->outcome != EI_GRAPH_DONE &&
                   (err.code == EI_GRAPH_NOT_FOUND || ei_err_fault(err.code) == EI_FAULT_TENANT);

    if (one->call != NULL && err.code == EI_GRAPH_NOT_FOUND)
        ei_fail_again(&err, EI_GUEST_GONE, "%s: the tenant does not have this guest", one->target);
    if (one->call != NULL && (refused || record(one, result->outcome == EI_GRAPH_DONE ? user : NULL, &err) != EI_OK))
        ei_call_fail(one->call, &err);
    end(one);
}

static enum ei_err start(struct ei_worker *w, struct ei_call *call, const char *target, const char *email,
                         const char *by, const char *guest_id, struct ei_error *err)
{
    char crid[EI_GUID_TEXT];
    struct ei_resetting *one = calloc(1, sizeof *one);

    if (one == NULL)
        return ei_fail(err, EI_NOMEM, "%s: no memory for the reset", target);
    *one = (struct ei_resetting){.next = w->resets, .worker = w, .call = call, .target = strdup(target)};
    one->email = email != NULL ? strdup(email) : NULL;
    one->by = by != NULL ? strdup(by) : NULL;
    w->resets = one;
    ei_guid_new(crid);
    enum ei_err rc = one->target != NULL && (email == NULL || one->email != NULL) && (by == NULL || one->by != NULL)
                         ? EI_OK
                         : EI_NOMEM;
    if (rc == EI_OK)
        rc = ei_graph_get_user_addresses(w->graph, guest_id, crid, on_user, one);
    if (rc != EI_OK) {
        ei_fail(err, rc, "%s: the look-up could not be started", target);
        end(one);
    }
    return rc;
}

void ei_request_reset(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    const char *written = ei_json_string(parameters, "email");
    char email[EI_ADDRESS_SIZE];
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    struct ei_error err;
    enum ei_err rc = target != NULL && target[0] != '\0' ? EI_OK : ei_fail(&err, EI_USAGE, "Reset: target is needed");

    if (rc == EI_OK && written != NULL)
        rc = ei_address_check(written, email, &err);
    if (rc == EI_OK)
        rc = find(w, target, written != NULL ? email : NULL, &c, &login, &err);
    if (rc == EI_OK)
        rc = start(w, call, target, written != NULL ? email : NULL, ei_request_asker(parameters).by, c->guest_id, &err);
    if (rc != EI_OK)
        ei_call_fail(call, &err);
    ei_collaborator_free(c);
}

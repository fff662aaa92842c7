/*
 * The guest is to go (disabled or deleted), or to come back (restored, enabled): the step OFFBOARDING. Each request may
 * be repeated, so a step that was cut off is just done again.
 */
#include <stdio.h>
#include <string.h>

#include "common/account/gecos.h"
#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

enum {
    ABSENT_TRIES = 4, /* a user restored a moment ago may not be found yet (contract 7): 2, 4, 8 s */
};

/* --- starting --- */

/* Two addresses of one person may have led to one guest. *ret_address: of the other record that needs it, "" if none.
 */
static enum ei_err needed_elsewhere(struct ei_worker *w, const struct ei_collaborator *c, char *ret_address,
                                    size_t size)
{
    char ids[EI_OF_ONE_GUEST][EI_GUID_TEXT];
    struct ei_error err;
    size_t count = 0;
    enum ei_err rc = ei_store_of_guest(w->store, c->guest_id, ids, EI_OF_ONE_GUEST, &count, &err);

    ret_address[0] = '\0';
    for (size_t i = 0; i < count && rc == EI_OK && ret_address[0] == '\0'; i++) {
        struct ei_collaborator *other = NULL;
        if (strcmp(ids[i], c->id) == 0)
            continue;
        rc = ei_store_get(w->store, ids[i], &other, &err);
        if (rc == EI_OK && ei_collaborator_needed(other))
            snprintf(ret_address, size, "%s", other->address_count != 0 ? other->addresses[0] : other->id);
        ei_collaborator_free(other);
    }
    if (rc != EI_OK)
        ei_worker_store_failed(w, &err);
    return rc;
}

/* The guest is back, or was never away: a look tells the rest. */
static enum ei_err settle_restored(struct ei_worker *w, struct ei_collaborator *c)
{
    c->job.step = EI_STEP_PENDING;
    c->job.resume = EI_STEP_QUEUED;
    c->job.offboard = EI_REMOVAL_KEEP;
    c->job.attempts = 0;
    c->job.crid[0] = '\0';
    c->job.not_before = ei_now();
    c->not_found_since = 0;
    c->state_at = ei_now();
    ei_collaborator_await(c, ei_clock_theirs(w)); /* if it is pending */
    ei_answer_clear_error(c);
    return ei_worker_save(w, c, "restored", NULL);
}

enum ei_err ei_offboard_prepare(struct ei_worker *w, struct ei_collaborator *c)
{
    char address[EI_ADDRESS_SIZE];

    if (ei_collaborator_restoring(c)) {
        if (c->deleted_guest_id == NULL && (c->guest_id == NULL || !c->disabled))
            return c->guest_id != NULL ? settle_restored(w, c) : ei_machine_enter(w, c, EI_STEP_IDLE, "not-restored");
        return ei_machine_enter(w, c, EI_STEP_OFFBOARDING, c->deleted_guest_id != NULL ? "restoring" : "enabling");
    }
    if (c->guest_id == NULL)
        return ei_machine_enter(w, c, EI_STEP_IDLE, "offboarded");
    enum ei_err rc = needed_elsewhere(w, c, address, sizeof address);
    if (rc != EI_OK)
        return rc;
    if (address[0] == '\0')
        return ei_machine_enter(w, c, EI_STEP_OFFBOARDING, "offboarding");
    ei_tell(w, LOG_NOTICE, EI_LOG_GUEST_KEPT, c, NULL, "the guest %s stays, %s is the same person and needs it",
            c->guest_id, address);
    c->job.offboard = EI_REMOVAL_KEEP;
    return ei_machine_enter(w, c, EI_STEP_IDLE, "guest-shared");
}

static ei_graph_plain_done on_offboarded;
static ei_graph_plain_done on_restored;
static ei_graph_plain_done on_enabled;
static ei_graph_user_done on_there;

enum ei_err ei_offboard_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    if (ei_collaborator_restoring(c))
        EI_FAILPOINT("B1");
    if (ei_collaborator_restoring(c) && c->deleted_guest_id != NULL)
        return ei_graph_restore_user(w->graph, c->deleted_guest_id, c->job.crid, on_restored, flight);
    if (ei_collaborator_restoring(c))
        return ei_graph_enable_user(w->graph, c->guest_id, c->job.crid, on_enabled, flight);
    if (flight->deleting)
        return ei_graph_delete_user(w->graph, c->guest_id, c->job.crid, on_offboarded, flight);
    return ei_graph_disable_user(w->graph, c->guest_id, c->job.crid, on_offboarded, flight);
}

/* --- what Graph answered --- */

static void try_again(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    struct ei_graph_result later = *result;

    if (c->error.code != result->error.code)
        ei_tell_error(w, LOG_WARNING, EI_LOG_DELAYED, c, &result->error);
    if (ei_err_fault(result->error.code) == EI_FAULT_TENANT && later.retry_after < EI_DENIED_AGAIN)
        later.retry_after = EI_DENIED_AGAIN; /* a permission that is missing does not come by asking often */
    ei_answer_try_again(w, c, &later);
}

/* It is kept for restore as long as the tenant keeps it. */
static void note_deleted(struct ei_collaborator *c)
{
    ei_text_set(&c->deleted_guest_id, NULL);
    c->deleted_guest_id = c->guest_id;
    c->guest_id = NULL;
    c->deleted_at = ei_now();
}

static void on_offboarded(void *context, const struct ei_graph_result *result)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    bool deleted = flight->deleting;

    ei_tenant_note(w, result, EI_CALL_OFFBOARD);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->guest_id == NULL)
        goto out;
    if (c->job.step != EI_STEP_OFFBOARDING) {
        /* Called off meanwhile; but what is deleted is deleted, and the next invitation makes another guest. */
        if (deleted && result->outcome == EI_GRAPH_DONE) {
            note_deleted(c);
            ei_worker_save(w, c, "guest-deleted", NULL);
        }
        goto out;
    }
    if (result->outcome == EI_GRAPH_DONE || result->error.code == EI_GRAPH_NOT_FOUND) {
        ei_tell(w, LOG_INFO, EI_LOG_OFFBOARDED, c, NULL, "guest %s %s", c->guest_id, deleted ? "deleted" : "disabled");
        if (deleted)
            note_deleted(c);
        else
            c->disabled = true;
        ei_text_set(&c->redeem_url, NULL);
        ei_answer_clear_error(c);
        ei_machine_enter(w, c, EI_STEP_IDLE, deleted ? "guest-deleted" : "guest-disabled");
    } else {
        try_again(w, c, result);
    }
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

static void came_back(struct ei_worker *w, struct ei_collaborator *c)
{
    ei_tell(w, LOG_INFO, EI_LOG_RESTORED, c, NULL, "guest %s restored", c->deleted_guest_id);
    ei_text_set(&c->guest_id, NULL);
    c->guest_id = c->deleted_guest_id;
    c->deleted_guest_id = NULL;
    c->deleted_at = 0;
    c->linked = c->linked || !c->made;
    c->job.crid[0] = '\0';
    if (!ei_collaborator_restoring(c))
        ei_worker_save(w, c, "restored-late",
                       NULL); /* somebody decided otherwise meanwhile; it is on record at least */
    else if (c->disabled)
        ei_machine_enter(w, c, EI_STEP_OFFBOARDING, "enabling");
    else
        settle_restored(w, c);
}

static void fail_for_good(struct ei_worker *w, struct ei_collaborator *c, const struct ei_error *err)
{
    c->error = *err;
    c->error_permanent = true;
    ei_tell_error(w, LOG_WARNING, EI_LOG_FAILED, c, err);
    ei_machine_enter(w, c, EI_STEP_FAILED, "failed");
}

static void never_comes_back(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_error err;

    ei_fail(&err, EI_GUEST_PURGED, "%s: the guest %s is not among the tenant's deleted users any more", c->addresses[0],
            c->deleted_guest_id);
    ei_text_set(&c->deleted_guest_id, NULL);
    c->deleted_at = 0;
    c->disabled = false;
    c->made = false;
    ei_groups_forget(c);
    fail_for_good(w, c, &err);
}

static void on_restored(void *context, const struct ei_graph_result *result)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    char crid[EI_GUID_TEXT];

    EI_FAILPOINT("B2");
    ei_tenant_note(w, result, EI_CALL_OFFBOARD);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->deleted_guest_id == NULL)
        goto out;
    if (result->outcome == EI_GRAPH_DONE) {
        came_back(w, c);
    } else if (!ei_collaborator_restoring(c)) {
        goto out;
    } else if (result->error.code == EI_GRAPH_NOT_FOUND) {
        /* Restored before this answer could be written down, or by somebody else; or gone for good. */
        ei_guid_new(crid);
        if (ei_graph_get_user(w->graph, c->deleted_guest_id, crid, on_there, flight) == EI_OK)
            goto flying;
        ei_answer_try_again(w, c, result);
    } else if (result->error.code == EI_RESTORE_REFUSED) {
        fail_for_good(w, c, &result->error);
    } else {
        try_again(w, c, result);
    }
out:
    ei_machine_land(flight);
flying:
    ei_collaborator_free(c);
}

static void on_there(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    (void)user;
    ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->deleted_guest_id == NULL)
        goto out;
    if (result->outcome == EI_GRAPH_DONE)
        came_back(w, c);
    else if (ei_collaborator_restoring(c) && result->error.code == EI_GRAPH_NOT_FOUND &&
             c->job.attempts >= ABSENT_TRIES)
        never_comes_back(w, c);
    else if (ei_collaborator_restoring(c))
        try_again(w, c, result);
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

static void on_enabled(void *context, const struct ei_graph_result *result)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    EI_FAILPOINT("B2");
    ei_tenant_note(w, result, EI_CALL_OFFBOARD);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL)
        goto out;
    if (result->outcome == EI_GRAPH_DONE)
        c->disabled = false;
    if (!ei_collaborator_restoring(c)) {
        ei_worker_save(w, c, NULL, NULL);
    } else if (result->outcome == EI_GRAPH_DONE || result->error.code == EI_GRAPH_NOT_FOUND) {
        if (result->outcome == EI_GRAPH_DONE)
            ei_tell(w, LOG_INFO, EI_LOG_RESTORED, c, NULL, "guest %s enabled", c->guest_id);
        settle_restored(w, c); /* if it is not there, the look says so */
    } else {
        try_again(w, c, result);
    }
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

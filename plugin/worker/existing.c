#include "plugin/worker/existing.h"

#include <stdlib.h>

#include "plugin/worker/answers.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/redemption.h"
#include "plugin/worker/tenant.h"

enum { NEW_USER_TRIES = 3 }; /* whom Graph names and does not show may be too new to be known everywhere (contract 7) */

struct look {
    struct ei_flight *flight;
    struct ei_error refusal; /* of the invitation */
};

/* Microsoft takes no invitation for them, so there is no URL to give out, and asking again would bring the same. */
static void fail_without_url(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user,
                             const struct ei_error *refusal)
{
    struct ei_error err = *refusal;

    ei_fail_again(&err, EI_INVITATION_REFUSED,
                  "%s: the guest %s has not redeemed an invitation yet, and Microsoft refuses another one: %s",
                  c->addresses[0], user->id, refusal->message);
    ei_answer_fail(w, c, &err);
}

static void judge(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_user *user,
                  const struct ei_error *refusal)
{
    switch (ei_redemption_judge(user, NULL)) {
    case EI_REDEMPTION_ACCEPTED:
    case EI_REDEMPTION_FAILED:
        c->job.resume = EI_STEP_QUEUED; /* whatever became of an earlier POST, this user was there before this one */
        ei_answer_found_user(w, c, user);
        break;
    case EI_REDEMPTION_PENDING:
        fail_without_url(w, c, user, refusal);
        break;
    case EI_REDEMPTION_UNCHANGED: /* the user does not say more than the refusal */
        ei_answer_fail(w, c, refusal);
        break;
    }
}

/* Graph has answered, and does not show the user. */
static bool is_not_shown(const struct ei_graph_result *result)
{
    return result->outcome == EI_GRAPH_REJECTED &&
           (result->error.code == EI_GRAPH_NOT_FOUND || result->error.code == EI_PERMISSION ||
            result->error.code == EI_REQUEST_REFUSED);
}

static void on_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct look *look = context;
    struct ei_worker *w = look->flight->worker;

    ei_tenant_note(w, result, EI_CALL_READ);
    struct ei_collaborator *c = ei_answer_reload(look->flight);
    if (c == NULL || c->job.step != EI_STEP_CREATING || c->address_count == 0)
        goto out;
    if (result->outcome == EI_GRAPH_DONE)
        judge(w, c, user, &look->refusal);
    else if (result->error.code == EI_GRAPH_NOT_FOUND && c->job.attempts < NEW_USER_TRIES)
        ei_answer_try_again(w, c, result);
    else if (is_not_shown(result))
        ei_answer_fail(w, c, &look->refusal);
    else
        ei_answer_try_again(w, c, result);
out:
    ei_collaborator_free(c);
    ei_machine_land(look->flight);
    free(look);
}

bool ei_existing_look(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result,
                      struct ei_flight *flight)
{
    char crid[EI_GUID_TEXT];

    if (result->error.code != EI_INTERNAL_USER || result->user_id[0] == '\0' || c->job.step != EI_STEP_CREATING)
        return false;
    struct look *look = malloc(sizeof *look);
    if (look == NULL)
        return false;
    *look = (struct look){.flight = flight, .refusal = result->error};
    c->job.crid[0] = '\0'; /* concluded, without effect */
    ei_guid_new(crid);
    if (ei_worker_save(w, c, NULL, NULL) == EI_OK &&
        ei_graph_get_user(w->graph, result->user_id, crid, on_user, look) == EI_OK)
        return true;
    free(look);
    return false;
}

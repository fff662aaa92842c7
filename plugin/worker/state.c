#include "plugin/worker/state.h"

#include <string.h>

#include "plugin/worker/reconcile.h"

/* Who was given up is that until somebody acts, whatever became of the guest. */
static enum ei_state over(const struct ei_collaborator *c)
{
    return c->expired_at != 0 ? EI_STATE_EXPIRED : EI_STATE_REMOVED;
}

enum ei_state ei_state_of_work(const struct ei_collaborator *c)
{
    switch (c->job.step) {
    case EI_STEP_CREATED:
    case EI_STEP_MAILING:
    case EI_STEP_PENDING:
        return c->expired_at != 0 ? EI_STATE_EXPIRED : EI_STATE_PENDING;
    case EI_STEP_ACCEPTED:
        return EI_STATE_ACCEPTED;
    case EI_STEP_FAILED:
        return EI_STATE_FAILED;
    case EI_STEP_OFFBOARDING:
        return ei_collaborator_restoring(c) ? EI_STATE_QUEUED : over(c);
    case EI_STEP_IDLE:
        return over(c);
    case EI_STEP_QUEUED:
    case EI_STEP_CHECKING:
    case EI_STEP_CREATING:
        break;
    }
    /* A resend goes through the same steps as a first invitation, but the partner has been invited all the while. */
    return c->redeem_url != NULL && !c->job.reset ? EI_STATE_PENDING : EI_STATE_QUEUED;
}

enum ei_state ei_state_of(const struct ei_collaborator *c, const struct ei_account *account)
{
    if (account != NULL && account->state == EI_ACCOUNT_REMOVED)
        return account->by_admin ? over(c) : EI_STATE_REMOVED;
    if (c->error_permanent)
        return EI_STATE_FAILED;
    if (account != NULL && account->state == EI_ACCOUNT_HELD)
        return EI_STATE_HELD;
    if (c->address_count == 0)
        return EI_STATE_WAITING;
    return ei_state_of_work(c);
}

const struct ei_account *ei_state_account(const struct ei_collaborator *c, const char *host, const char *login)
{
    const struct ei_account *first_here = NULL;

    for (size_t i = 0; i < c->account_count; i++) {
        const struct ei_account *account = &c->accounts[i];
        bool here = strcmp(account->host, host) == 0;
        if (here && login != NULL && strcmp(account->login, login) == 0)
            return account;
        if (here && first_here == NULL)
            first_here = account;
    }
    if (first_here != NULL || c->account_count == 0)
        return first_here;
    return &c->accounts[0];
}

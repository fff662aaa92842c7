/* Restore: a guest that was deleted or disabled comes back. The answer follows the commit (X2). */
#include <string.h>

#include "common/account/scan.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/history.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/requests.h"

/* Whether there is something to bring back, and nothing on its way that speaks against it. */
static enum ei_err check_restorable(const struct ei_worker *w, const struct ei_collaborator *c, const char *target,
                                    struct ei_error *err)
{
    bool gone = c->error_permanent && c->error.code == EI_GUEST_GONE;
    bool deleted = c->deleted_guest_id != NULL || (gone && c->guest_id != NULL);
    bool disabled = c->guest_id != NULL && c->disabled;
    bool leaving = c->guest_id != NULL && c->job.step == EI_STEP_OFFBOARDING;

    if (ei_machine_in_flight(w, c->id) || (c->job.step >= EI_STEP_CHECKING && c->job.step <= EI_STEP_MAILING))
        return ei_fail(err, EI_BUSY, "%s: something about this person is on its way to Microsoft Graph", target);
    if (deleted || disabled || leaving || ei_collaborator_restoring(c))
        return EI_OK;
    if (c->error_permanent && c->error.code == EI_DISABLED)
        return ei_fail(err, EI_STATE, "%s: the guest was disabled by somebody else, who has to enable it", target);
    return ei_fail(err, EI_STATE, "%s: the guest was neither deleted nor disabled, there is nothing to restore",
                   target);
}

/* As `invite` does: what is covered is let go on. What another source than the local files has, is as last read. */
static enum ei_err covered(struct ei_worker *w, const struct ei_account *account, bool *ret_covered,
                           struct ei_error *err)
{
    struct ei_entry entry = {0};
    bool trusted;

    *ret_covered = account->missing_since == 0;
    if (!account->local)
        return EI_OK;
    enum ei_err rc = ei_scan_login(&w->config->coverage, NULL, account->login, &entry, &trusted, err);
    *ret_covered = rc == EI_OK && entry.rule >= 0 && entry.uid == account->uid;
    ei_entry_clear(&entry);
    return rc == EI_NOT_FOUND ? EI_OK : rc;
}

static enum ei_err revive_accounts(struct ei_worker *w, struct ei_collaborator *c, const char *login,
                                   struct ei_error *err)
{
    for (size_t i = 0; i < c->account_count; i++) {
        struct ei_account *account = &c->accounts[i];
        bool here = strcmp(account->host, w->host) == 0;
        bool yes = false;
        if (!here || account->state != EI_ACCOUNT_REMOVED || (login != NULL && strcmp(account->login, login) != 0))
            continue;
        enum ei_err rc = covered(w, account, &yes, err);
        if (rc != EI_OK)
            return rc;
        if (!yes && login != NULL)
            return ei_fail(err, EI_NOT_COVERED, "%s: is in no rule's group; put it back there, or restore %s", login,
                           c->address_count != 0 ? c->addresses[0] : "the address");
        if (yes) {
            account->state = EI_ACCOUNT_ACTIVE;
            account->by_admin = false;
        }
    }
    return EI_OK;
}

static enum ei_err restore(struct ei_worker *w, struct ei_collaborator *c, const char *target, const char *login,
                           const char *by, struct ei_error *err)
{
    enum ei_err rc = check_restorable(w, c, target, err);

    if (rc == EI_OK)
        rc = revive_accounts(w, c, login, err);
    /* Nobody's account: as an invitation of the address, by the default block. */
    if (rc == EI_OK && !ei_collaborator_needed(c) && !ei_text_set(&c->job.rule, ""))
        rc = ei_fail(err, EI_NOMEM, "%s: no memory", target);
    if (rc != EI_OK)
        return rc;
    ei_collaborator_restore(c, ei_now());
    rc = ei_worker_note(w, c, "restore", &(struct ei_event_facts){.login = login, .by = by});
    return rc == EI_OK ? EI_OK : ei_fail(err, rc, "%s: the request could not be stored", target);
}

void ei_request_restore(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    struct ei_error err;
    enum ei_err rc = target != NULL ? ei_request_find(w, target, &c, &login, &err)
                                    : ei_fail(&err, EI_USAGE, "Restore: target is needed");

    if (rc == EI_OK)
        rc = restore(w, c, target, login, ei_request_asker(parameters).by, &err);
    if (rc == EI_OK)
        ei_call_reply(call, ei_request_account_reply(w, c, login));
    else
        ei_call_fail(call, &err);
    ei_collaborator_free(c);
}

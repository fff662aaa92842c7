/* What became of the message that carries the redeem URL; whoever carries it (carrier.c), the outcome is written down
 * here or by these functions. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/tenant.h"

void ei_answer_mail_unknown(struct ei_collaborator *c, const char *why)
{
    static const char *const whose[] = {
        [EI_CHANNEL_NONE] = "Microsoft sent the mail",
        [EI_CHANNEL_MICROSOFT] = "Microsoft sent the mail",
        [EI_CHANNEL_SMTP] = "the relay took the mail",
        [EI_CHANNEL_WEBHOOK] = "the webhook took the message",
    };

    c->mail = EI_MAIL_UNKNOWN;
    c->reminding = false;
    ei_fail(&c->error, EI_MAIL_UNCLEAR, "%s: it is not known whether %s%s%s%s", c->addresses[0], whose[c->mail_channel],
            why != NULL ? " (" : "", why != NULL ? why : "", why != NULL ? ")" : "");
}

void ei_answer_mail_sent(struct ei_collaborator *c)
{
    c->mail = EI_MAIL_SENT;
    c->mailed_at = ei_now();
    c->reminding = false;
}

static void mail_refused(struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    if (result->outcome == EI_GRAPH_UNCLEAR) {
        ei_answer_mail_unknown(c, result->error.message);
        memcpy(c->error.request_id, result->error.request_id, sizeof c->error.request_id);
        memcpy(c->error.client_request_id, result->error.client_request_id, sizeof c->error.client_request_id);
        ei_tell_error(w, LOG_WARNING, EI_LOG_MAIL_REFUSED, c, &c->error);
        ei_answer_pending(w, c, "mail-unknown");
    } else if (ei_err_fault(result->error.code) == EI_FAULT_ACCOUNT) {
        /* The guest stands, only its mail was refused: the URL can still be handed over. */
        c->mail = EI_MAIL_NONE;
        c->error = result->error;
        ei_tell_error(w, LOG_WARNING, EI_LOG_MAIL_REFUSED, c, &result->error);
        ei_answer_pending(w, c, "mail-refused");
    } else {
        ei_answer_try_again(w, c, result);
    }
}

void ei_answer_mailed(void *context, const struct ei_graph_result *result, const struct ei_graph_invitation *invitation)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    struct ei_error err;

    EI_FAILPOINT("C10");
    ei_tenant_note(w, result, EI_CALL_INVITE);
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->address_count == 0 || c->mail != EI_MAIL_SENDING)
        goto out;
    if (result->outcome != EI_GRAPH_DONE) {
        mail_refused(w, c, result);
        goto out;
    }
    bool taken = ei_answer_take_invitation(c, invitation, &err);
    if (!taken && err.code == EI_NOMEM) { /* it is sent all the same, and the URL from before is good as well */
        ei_collaborator_free(c);
        c = ei_answer_reload(flight);
        if (c == NULL)
            goto out;
        taken = true;
    }
    ei_answer_mail_sent(c);
    if (!taken) {
        ei_answer_fail(w, c, &err);
        goto out;
    }
    ei_answer_clear_error(c);
    ei_tell(w, LOG_INFO, EI_LOG_MAILED, c, &result->error, "Microsoft has sent the mail");
    EI_FAILPOINT("C11");
    if (c->job.step == EI_STEP_MAILING)
        ei_answer_pending(w, c, "mailed");
    else
        ei_worker_save(w, c, "mailed-late", NULL);
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

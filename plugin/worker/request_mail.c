/* Mail: the message with the redeem URL as it would be sent, and once more if that is asked for. */
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/history.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/state.h"

static enum ei_err may_send(const struct ei_collaborator *c, enum ei_channel channel, const char *target,
                            struct ei_error *err)
{
    if (channel == EI_CHANNEL_MICROSOFT)
        return ei_fail(err, EI_STATE, "%s: Microsoft sends this one; entra-invite resend has it send another", target);
    if (channel == EI_CHANNEL_NONE)
        return ei_fail(err, EI_STATE, "%s: nobody is to send it; set deliver in the configuration", target);
    if (c->job.step == EI_STEP_PENDING)
        return EI_OK;
    return ei_fail(err, c->job.step < EI_STEP_PENDING ? EI_BUSY : EI_STATE, "%s: no invitation is pending (it is %s)",
                   target, ei_state_name(ei_state_of(c, NULL)));
}

/* Another round, so another right to send; the URL stays the one that it was. */
static enum ei_err send_again(struct ei_worker *w, struct ei_collaborator *c, const char *target, const char *by,
                              struct ei_error *err)
{
    c->mail = EI_MAIL_WANTED;
    c->mail_round++;
    c->reminding = false;
    if (c->expired_at != 0)
        ei_collaborator_await(c, ei_clock_theirs(w));
    ei_error_clear(&c->error);
    c->error_permanent = false;
    c->job.urgent = true;
    enum ei_err rc = ei_worker_note(w, c, "mail-asked", &(struct ei_event_facts){.by = by});
    if (rc == EI_OK)
        rc = ei_machine_enter(w, c, EI_STEP_CREATED, NULL);
    return rc == EI_OK ? EI_OK : ei_fail(err, rc, "%s: the request could not be stored", target);
}

static cJSON *reply_of(struct ei_worker *w, const struct ei_collaborator *c, const char *login, enum ei_channel channel,
                       const struct ei_template_text *text)
{
    cJSON *reply = ei_request_account_reply(w, c, login);

    ei_json_add_text(reply, "channel", ei_channel_name(channel));
    ei_json_add_text(reply, "subject", text->subject);
    ei_json_add_text(reply, "body", text->body);
    return reply;
}

void ei_request_mail(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    bool send = ei_json_bool(parameters, "send", false);
    enum ei_channel channel = EI_CHANNEL_NONE;
    struct ei_template_text text = {0};
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    struct ei_error err;
    enum ei_err rc = target != NULL ? ei_request_find(w, target, &c, &login, &err)
                                    : ei_fail(&err, EI_USAGE, "Mail: target is needed");

    if (rc == EI_OK)
        rc = ei_carrier_channel(w, c, &channel, &err);
    if (rc == EI_OK && send)
        rc = may_send(c, channel, target, &err);
    if (rc == EI_OK)
        rc = ei_carrier_text(w, c, &text, &err);
    if (rc == EI_OK && send)
        rc = send_again(w, c, target, ei_request_asker(parameters).by, &err);
    if (rc == EI_OK)
        ei_call_reply(call, reply_of(w, c, login, channel, &text));
    else
        ei_call_fail(call, &err);
    ei_template_text_free(&text);
    ei_collaborator_free(c);
}

#include "plugin/worker/carrier.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/carrier_internal.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/tell.h"

enum {
    PAUSE_FIRST_MS = 30 * 1000,
    PAUSE_MAX_MS = 15 * 60 * 1000,
    PROBE_TAKES_MS = 90 * 1000, /* so long the others wait for what the one that tries is told */
    AGAIN_S = 5 * 60,           /* what was put off for one recipient (greylisting) */
};

/* --- a channel in trouble --- */

bool ei_carrier_paused(const struct ei_worker *w, enum ei_channel channel)
{
    return w->channels[channel].error.code != EI_OK && ei_monotonic_ms() < w->channels[channel].again_ms;
}

/* Is it about the channel, so that everybody's message would meet with the same? */
static bool is_of_channel(const struct ei_error *error)
{
    enum ei_fault fault = ei_err_fault(error->code);

    return fault == EI_FAULT_TENANT || fault == EI_FAULT_HOST || error->code == EI_UNREACHABLE;
}

static void pause_channel(struct ei_worker *w, enum ei_channel channel, const struct ei_deliver_result *result)
{
    struct ei_channel_trouble *trouble = &w->channels[channel];
    bool news = trouble->error.code != result->error.code;

    trouble->wait_ms = trouble->error.code == EI_OK ? PAUSE_FIRST_MS : 2 * trouble->wait_ms;
    if (trouble->wait_ms > PAUSE_MAX_MS)
        trouble->wait_ms = PAUSE_MAX_MS;
    if (result->retry_after > trouble->wait_ms / 1000)
        trouble->wait_ms = result->retry_after * 1000;
    trouble->error = result->error;
    trouble->again_ms = ei_monotonic_ms() + trouble->wait_ms;
    if (news)
        ei_log_error_event(LOG_ERR, EI_LOG_CHANNEL_PAUSED, ei_channel_name(channel), &result->error);
}

static void channel_answers(struct ei_worker *w, enum ei_channel channel)
{
    struct ei_channel_trouble *trouble = &w->channels[channel];

    if (trouble->error.code != EI_OK)
        ei_log_event(LOG_NOTICE, EI_LOG_CHANNEL_AGAIN, "%s: goes again (was: %s)", ei_channel_name(channel),
                     ei_err_name(trouble->error.code));
    *trouble = (struct ei_channel_trouble){0};
}

void ei_carrier_note(struct ei_worker *w, enum ei_channel channel, const struct ei_deliver_result *result)
{
    if (result->outcome == EI_DELIVER_DONE)
        channel_answers(w, channel);
    else if (result->outcome != EI_DELIVER_UNCLEAR && is_of_channel(&result->error))
        pause_channel(w, channel, result);
}

void ei_carrier_probe_now(struct ei_worker *w)
{
    for (size_t i = 0; i < EI_CHANNELS; i++)
        w->channels[i].again_ms = 0;
}

void ei_carrier_notes(const struct ei_worker *w, cJSON *notes)
{
    char line[EI_MESSAGE_MAX + 512];

    for (size_t i = 0; i < EI_CHANNELS; i++) {
        const struct ei_error *error = &w->channels[i].error;
        if (error->code == EI_OK)
            continue;
        snprintf(line, sizeof line, "deliver by %s: %s - %s", ei_channel_name((enum ei_channel)i), error->message,
                 ei_err_mend(error->code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
}

bool ei_carrier_failure(enum ei_err code)
{
    switch (code) {
    case EI_MAIL_UNCLEAR:
    case EI_MAIL_ADDRESS:
    case EI_MAIL_REFUSED:
    case EI_MAIL_RELAY:
    case EI_WEBHOOK:
    case EI_DELIVERY_TRUST:
    case EI_DELIVERY_LATER:
    case EI_TEMPLATE:
        return true;
    default:
        return false;
    }
}

/* --- which channel, and when --- */

bool ei_carrier_takes(const struct ei_collaborator *c)
{
    return ei_channel_is_own((enum ei_channel)c->mail_channel);
}

enum ei_err ei_carrier_channel(const struct ei_worker *w, const struct ei_collaborator *c, enum ei_channel *ret,
                               struct ei_error *err)
{
    struct ei_settings settings;
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, err);

    if (rc != EI_OK) /* a rule that is gone, a domain that is not allowed any more */
        return rc;
    *ret = settings.channel;
    ei_settings_clear(&settings);
    return EI_OK;
}

/* EI_OK: a channel carries it, and is not paused. EI_STATE: none is to carry it. */
static enum ei_err find_channel(const struct ei_worker *w, const struct ei_collaborator *c, enum ei_channel *ret,
                                struct ei_error *err)
{
    enum ei_err rc = ei_carrier_channel(w, c, ret, err);

    if (rc != EI_OK)
        return rc;
    if (*ret == EI_CHANNEL_NONE)
        return ei_fail(err, EI_STATE, "%s: nobody is to send it", c->addresses[0]);
    rc = ei_channel_configured(w->config, *ret, err);
    if (rc == EI_OK && ei_carrier_paused(w, *ret)) {
        *err = w->channels[*ret].error;
        rc = err->code;
    }
    return rc;
}

bool ei_carrier_choose(struct ei_worker *w, struct ei_collaborator *c)
{
    enum ei_channel channel = EI_CHANNEL_NONE;
    struct ei_error err;
    enum ei_err rc = find_channel(w, c, &channel, &err);

    c->mail_channel = channel;
    if (rc == EI_STATE) {
        c->mail = EI_MAIL_NONE;
        c->reminding = false;
    } else if (rc != EI_OK) {
        c->error = err;
    } else if (w->channels[channel].error.code != EI_OK) {
        w->channels[channel].again_ms = ei_monotonic_ms() + PROBE_TAKES_MS;
    }
    return rc == EI_OK;
}

static int64_t put_off_until(const struct ei_collaborator *c)
{
    bool later = c->error.code == EI_DELIVERY_LATER && c->job.started_at <= ei_now(); /* else the clock was set back */

    return later ? c->job.started_at + AGAIN_S : 0;
}

bool ei_carrier_again(struct ei_worker *w, struct ei_collaborator *c)
{
    enum ei_channel channel;
    struct ei_error err;

    if (c->mail != EI_MAIL_WANTED || put_off_until(c) > ei_now() || find_channel(w, c, &channel, &err) != EI_OK)
        return false;
    ei_machine_enter(w, c, EI_STEP_CREATED, "mail-again");
    return true;
}

int64_t ei_carrier_next(const struct ei_worker *w, const struct ei_collaborator *c)
{
    int64_t now = ei_now();
    int64_t next = INT64_MAX;

    if (c->mail != EI_MAIL_WANTED || c->job.step != EI_STEP_PENDING)
        return next;
    if (ei_carrier_paused(w, (enum ei_channel)c->mail_channel))
        next = now + (w->channels[c->mail_channel].again_ms - ei_monotonic_ms()) / 1000 + 1;
    else if (put_off_until(c) > now)
        next = put_off_until(c);
    return next;
}

/* --- sending, and what came of it --- */

static void refused(struct ei_worker *w, struct ei_collaborator *c, const struct ei_deliver_result *result)
{
    bool of_account = ei_err_fault(result->error.code) == EI_FAULT_ACCOUNT;

    c->error = result->error;
    c->error_permanent = false;
    /* The right of this round is spent; what is certain not to have been sent gets another one. */
    c->mail_round++;
    c->mail = of_account ? EI_MAIL_NONE : EI_MAIL_WANTED;
    if (of_account) {
        c->reminding = false;
        ei_tell_error(w, LOG_WARNING, EI_LOG_MAIL_REFUSED, c, &result->error);
    }
    ei_answer_pending(w, c, of_account ? "mail-refused" : "mail-waits");
}

static void on_delivered(void *context, const struct ei_deliver_result *result)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;

    EI_FAILPOINT("C10");
    struct ei_collaborator *c = ei_answer_reload(flight);
    if (c == NULL || c->address_count == 0 || c->mail != EI_MAIL_SENDING)
        goto out;
    bool reminder = c->reminding;
    ei_carrier_note(w, (enum ei_channel)c->mail_channel, result);
    switch (result->outcome) {
    case EI_DELIVER_DONE:
        ei_answer_mail_sent(c);
        ei_answer_clear_error(c);
        ei_tell(w, LOG_INFO, EI_LOG_MAILED, c, NULL, "%s was taken by %s", reminder ? "the reminder" : "the message",
                c->mail_channel == EI_CHANNEL_SMTP ? "the relay" : "the webhook");
        EI_FAILPOINT("C11");
        ei_answer_pending(w, c, reminder ? "reminded" : "mailed");
        break;
    case EI_DELIVER_UNCLEAR:
        ei_answer_mail_unknown(c, result->error.message);
        ei_tell_error(w, LOG_WARNING, EI_LOG_MAIL_REFUSED, c, &c->error);
        ei_answer_pending(w, c, "mail-unknown");
        break;
    case EI_DELIVER_NOT_SENT:
    case EI_DELIVER_REJECTED:
        refused(w, c, result);
        break;
    }
out:
    ei_collaborator_free(c);
    ei_machine_land(flight);
}

static enum ei_err start(struct ei_worker *w, const struct ei_collaborator *c, const struct ei_settings *settings,
                         const struct ei_carrier_values *v, const struct ei_template_text *text,
                         struct ei_flight *flight, struct ei_error *err)
{
    const struct ei_carrier *carrier = w->carrier;
    struct ei_mailbox to;

    if (c->mail_channel == EI_CHANNEL_WEBHOOK) {
        struct ei_chat chat = {c->job.crid, ei_carrier_kind(c), &v->values, text->subject, text->body};
        return ei_deliver_webhook(w->deliver, &carrier->webhook, &chat, on_delivered, flight, err);
    }
    enum ei_err rc = ei_mailbox_make(v->values.name, c->addresses[0], &to, err);
    struct ei_letter mail = {c->job.crid, &to, settings->invite.message_language, text->subject, text->body};
    return rc == EI_OK ? ei_deliver_mail(w->deliver, &carrier->relay, &mail, on_delivered, flight, err) : rc;
}

enum ei_err ei_carrier_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    struct ei_deliver_result result = {.outcome = EI_DELIVER_NOT_SENT, .retry_after = -1};
    struct ei_settings settings;
    struct ei_template_text text = {0};
    struct ei_carrier_values v;

    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, &result.error);
    if (rc == EI_OK)
        rc = ei_channel_configured(w->config, (enum ei_channel)c->mail_channel, &result.error);
    if (rc == EI_OK) {
        ei_carrier_fill(w, c, &settings, &v);
        rc = ei_carrier_render(w, &settings, ei_carrier_kind(c), &v, &text, &result.error);
    }
    if (rc == EI_OK)
        rc = start(w, c, &settings, &v, &text, flight, &result.error);
    ei_template_text_free(&text);
    ei_settings_clear(&settings);
    if (rc != EI_OK)
        on_delivered(flight, &result); /* nothing left: known, and not `unknown` */
    return EI_OK;
}

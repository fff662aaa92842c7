#include "plugin/worker/invite.h"

#include "plugin/worker/answers.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/reset.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/sponsor_ids.h"
#include "plugin/worker/sponsors.h"

static enum ei_err post(struct ei_worker *w, const struct ei_collaborator *c, struct ei_settings *settings,
                        struct ei_flight *flight)
{
    bool mail = c->job.step == EI_STEP_MAILING;

    settings->invite.send_invitation_message = mail;
    if (c->job.reset && !mail) {
        settings->invite.reset_user_id = c->guest_id;
        settings->invite.invited_user_email_address = ei_reset_address(c);
    }
    ei_sponsor_ids_apply(w, settings);
    return ei_graph_invite(w->graph, &settings->invite, c->job.crid, mail ? ei_answer_mailed : ei_answer_created,
                           flight);
}

/* The settings with the sponsors that this request names. */
static enum ei_err resolve(struct ei_worker *w, const struct ei_collaborator *c, struct ei_settings *ret)
{
    enum ei_err rc = ei_settings_resolve(w->config, c, ret, NULL);

    if (rc == EI_OK && (c->job.step == EI_STEP_MAILING || c->sponsoring != EI_SPONSORS_SENT || c->job.reset))
        ret->invite.sponsor_count = 0;
    return rc;
}

/* Every sponsor is answered for. Nothing was sent yet, so whoever decided otherwise meanwhile has their way. */
static void on_ids(void *context)
{
    struct ei_flight *flight = context;
    struct ei_worker *w = flight->worker;
    struct ei_collaborator *c = ei_answer_reload(flight);
    struct ei_settings settings;
    enum ei_err rc = EI_STATE;

    if (c != NULL && c->job.step == EI_STEP_CREATING && c->job.crid[0] != '\0' && c->address_count != 0)
        rc = resolve(w, c, &settings);
    if (rc == EI_OK) {
        rc = ei_sponsors_note_missing(w, c, &settings);
        if (rc == EI_OK)
            rc = post(w, c, &settings, flight);
        ei_settings_clear(&settings);
    }
    ei_collaborator_free(c);
    if (rc != EI_OK)
        ei_machine_land(flight);
}

enum ei_err ei_invite_send(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    struct ei_settings settings;
    enum ei_err rc = resolve(w, c, &settings);

    if (rc != EI_OK)
        return rc;
    if (!ei_sponsor_ids_ask(w, settings.invite.sponsors, settings.invite.sponsor_count, on_ids, flight))
        rc = post(w, c, &settings, flight);
    ei_settings_clear(&settings);
    return rc;
}

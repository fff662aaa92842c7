#include "plugin/worker/invitation.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/config/read.h"

enum { WARNING_MAX = 1024 };

bool ei_invitation_record(struct ei_collaborator *c, const struct ei_graph_invitation *invitation)
{
    return ei_text_set(&c->invitation_sent, invitation->sent) &&
           ei_text_set(&c->invitation_status, invitation->status) &&
           ei_text_set(&c->invitation_notes, invitation->notes[0] != '\0' ? invitation->notes : NULL);
}

static cJSON *sent_body(const struct ei_collaborator *c)
{
    return c->invitation_sent != NULL ? ei_json_parse(c->invitation_sent, strlen(c->invitation_sent)) : NULL;
}

/* As it was sent, and null for what was not. */
static void add_member(cJSON *object, const cJSON *body, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);

    ei_json_add_item(object, name, value != NULL ? cJSON_Duplicate(value, true) : cJSON_CreateNull());
}

static cJSON *message_info(const cJSON *body)
{
    static const char *const names[] = {"customizedMessageBody", "messageLanguage", "ccRecipients"};
    const cJSON *info = ei_json_object(body, "invitedUserMessageInfo");
    cJSON *object = info != NULL ? cJSON_CreateObject() : cJSON_CreateNull();

    for (size_t i = 0; info != NULL && i < sizeof names / sizeof names[0]; i++)
        add_member(object, info, names[i]);
    return object;
}

/* Those that were asked for; `warnings` says where the guest lacks them. */
static cJSON *sponsors(const struct ei_collaborator *c)
{
    cJSON *list = c->sponsors != NULL ? ei_json_parse(c->sponsors, strlen(c->sponsors)) : NULL;

    return list != NULL ? list : cJSON_CreateArray();
}

cJSON *ei_invitation_json(const struct ei_collaborator *c)
{
    static const char *const names[] = {"invitedUserEmailAddress", "inviteRedirectUrl", "invitedUserDisplayName",
                                        "invitedUserType", "sendInvitationMessage"};
    cJSON *body = sent_body(c);

    if (body == NULL)
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_member(object, body, names[i]);
    ei_json_add_item(object, "invitedUserMessageInfo", message_info(body));
    ei_json_add_item(object, "invitedUserSponsors", sponsors(c));
    cJSON_AddBoolToObject(object, "resetRedemption", ei_json_bool(body, "resetRedemption", false));
    ei_json_add_text(object, "status", c->invitation_status);
    cJSON_Delete(body);
    return object;
}

static void warn(cJSON *warnings, const char *text)
{
    ei_json_push(warnings, cJSON_CreateString(text));
}

static void warn_of_mail(cJSON *warnings, const struct ei_config *config, const cJSON *body)
{
    const cJSON *info = ei_json_object(body, "invitedUserMessageInfo");
    const char *language = ei_json_string(info, "messageLanguage");

    if (ei_json_string(info, "customizedMessageBody") == NULL)
        return;
    if (ei_config_app_only(config))
        warn(warnings, "customizedMessageBody: Microsoft leaves the text out of mails that an app sends, although its "
                       "answer repeats it");
    if (language != NULL && strcmp(language, EI_DEFAULT_LANGUAGE) != 0)
        warn(warnings, "messageLanguage: has no effect beside a customizedMessageBody");
}

static void warn_of_lines(cJSON *warnings, const char *lines)
{
    char line[WARNING_MAX];

    while (lines != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        warn(warnings, line);
        lines += length + (lines[length] == '\n');
    }
}

static void warn_of_status(cJSON *warnings, const char *status)
{
    char line[WARNING_MAX];

    if (!ei_text_same(status, "Error"))
        return;
    snprintf(line, sizeof line, "status: Microsoft answered \"%s\"; what counts is the user: see externalUserState",
             status);
    warn(warnings, line);
}

cJSON *ei_invitation_warnings(const struct ei_config *config, const struct ei_collaborator *c)
{
    cJSON *warnings = cJSON_CreateArray();
    cJSON *body = sent_body(c);
    char line[WARNING_MAX];

    warn_of_mail(warnings, config, body);
    warn_of_lines(warnings, c->invitation_notes);
    warn_of_status(warnings, c->invitation_status);
    if (c->without_mail && c->guest_id != NULL)
        warn(warnings,
             "mail: Microsoft has none for this guest, because a contact or another object of the tenant has the "
             "address; the invitation can be redeemed by its redeem URL only");
    if (c->sponsor_note != NULL && c->sponsoring != EI_SPONSORS_SET) {
        snprintf(line, sizeof line, "invitedUserSponsors: %s", c->sponsor_note);
        warn(warnings, line);
    }
    if (c->job.step == EI_STEP_ACCEPTED && c->checked_at != 0 && c->external_user_state == NULL)
        warn(warnings, "externalUserState: Microsoft keeps none for guests who signed themselves up, who were verified "
                       "by e-mail, or who are members; such a one counts as accepted");
    cJSON_Delete(body);
    return warnings;
}

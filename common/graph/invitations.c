#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/echo.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"
#include "common/graph/sponsors.h"

enum { REDEEM_URL_MAX = 8 * 1024 };

struct invite {
    ei_graph_invited *done;
    void *context;
    char *sent;
};

/* One recipient at most (contract 2.3), in the nesting that Graph wants: a wrong one is accepted and ignored. */
static bool add_cc(cJSON *info, const char *address)
{
    cJSON *list = cJSON_AddArrayToObject(info, "ccRecipients");
    cJSON *recipient = cJSON_CreateObject();

    if (!ei_json_push(list, recipient))
        return false;
    cJSON *mail = cJSON_AddObjectToObject(recipient, "emailAddress");
    return mail != NULL && ei_json_add_text(mail, "address", address);
}

/* An empty text says nothing; a strict service would take it for a value. */
static bool said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* It describes the mail: without one there is nothing to describe. */
static bool add_message(cJSON *body, const struct ei_graph_invite *invite)
{
    if (!invite->send_invitation_message ||
        (!said(invite->customized_message_body) && !said(invite->message_language) && !said(invite->cc)))
        return true;
    cJSON *info = cJSON_AddObjectToObject(body, "invitedUserMessageInfo");
    return info != NULL &&
           (!said(invite->customized_message_body) ||
            ei_json_add_text(info, "customizedMessageBody", invite->customized_message_body)) &&
           (!said(invite->message_language) || ei_json_add_text(info, "messageLanguage", invite->message_language)) &&
           (!said(invite->cc) || add_cc(info, invite->cc));
}

/* The form of the generated SDKs; no page of Microsoft's has a sample (contract 2.2). */
static bool add_sponsors(cJSON *body, const struct ei_graph_invite *invite, const char *graph_url)
{
    cJSON *list = invite->sponsor_count != 0 ? cJSON_AddArrayToObject(body, "invitedUserSponsors@odata.bind") : NULL;
    bool added = invite->sponsor_count == 0 || list != NULL;

    for (size_t i = 0; i < invite->sponsor_count && added; i++) {
        struct ei_buffer url;
        ei_buffer_init(&url, EI_SPONSOR_URL_MAX);
        added =
            ei_sponsor_url(&url, graph_url, invite->sponsors[i]) && ei_json_push(list, cJSON_CreateString(url.data));
        ei_buffer_free(&url);
    }
    return added;
}

/* resetRedemption is left out where it is false: that is its default. */
static bool add_reset(cJSON *body, const struct ei_graph_invite *invite)
{
    if (invite->reset_user_id == NULL)
        return true;
    cJSON *user = cJSON_AddObjectToObject(body, "invitedUser");
    return user != NULL && ei_json_add_text(user, "id", invite->reset_user_id) &&
           cJSON_AddTrueToObject(body, "resetRedemption") != NULL;
}

struct cJSON *ei_graph_invite_body(const struct ei_graph_invite *invite, const char *graph_url)
{
    cJSON *body = cJSON_CreateObject();

    if (body != NULL && ei_json_add_text(body, "invitedUserEmailAddress", invite->invited_user_email_address) &&
        ei_json_add_text(body, "inviteRedirectUrl", invite->invite_redirect_url) &&
        (!said(invite->invited_user_display_name) ||
         ei_json_add_text(body, "invitedUserDisplayName", invite->invited_user_display_name)) &&
        ei_json_add_text(body, "invitedUserType", invite->member ? "Member" : "Guest") &&
        cJSON_AddBoolToObject(body, "sendInvitationMessage", invite->send_invitation_message) != NULL &&
        add_message(body, invite) && add_sponsors(body, invite, graph_url) && add_reset(body, invite))
        return body;
    cJSON_Delete(body);
    return NULL;
}

/* It is kept byte for byte and shown on terminals, so anything but visible ASCII is no URL. */
static bool is_redeem_url(const char *url)
{
    size_t length = 0;

    if (url == NULL || strncmp(url, "https://", strlen("https://")) != 0)
        return false;
    for (; url[length] != '\0'; length++)
        if (url[length] <= 0x20 || url[length] >= 0x7f || length >= REDEEM_URL_MAX)
            return false;
    return true;
}

static void on_invited(void *context, struct ei_reply *reply)
{
    struct invite *invite = context;
    struct ei_graph_invitation invitation = {0};
    char notes[EI_ECHO_NOTES_MAX];
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;

    ei_echo_compare(invite->sent, json, notes);
    invitation.sent = invite->sent;
    invitation.notes = notes;
    invitation.id = ei_json_string(json, "id");
    invitation.status = ei_json_string(json, "status");
    invitation.invite_redeem_url = ei_json_string(json, "inviteRedeemUrl");
    invitation.invited_user_id = ei_json_string(ei_json_object(json, "invitedUser"), "id");
    if (reply->result->outcome == EI_GRAPH_DONE) {
        if (!is_redeem_url(invitation.invite_redeem_url))
            ei_reply_bad(reply, "the answer holds no inviteRedeemUrl");
        else if (invitation.invited_user_id == NULL || !ei_guid_valid(invitation.invited_user_id))
            ei_reply_bad(reply, "the answer holds no id of the invited user");
    }
    invite->done(invite->context, reply->result, reply->result->outcome == EI_GRAPH_DONE ? &invitation : NULL);
    ei_graph_json_free(json);
    cJSON_free(invite->sent);
    free(invite);
}

enum ei_err ei_graph_invite(struct ei_graph *graph, const struct ei_graph_invite *invite, const char *crid,
                            ei_graph_invited *done, void *context)
{
    enum ei_err rc = EI_NOMEM;
    cJSON *json = ei_graph_invite_body(invite, graph->graph_url);
    char *body = json != NULL ? ei_json_print(json) : NULL;
    struct invite *state = malloc(sizeof *state);

    if (body == NULL || state == NULL)
        goto out;
    *state = (struct invite){.done = done, .context = context, .sent = body};
    struct ei_request_spec spec = {
        .method = EI_POST,
        .target = "/v1.0/invitations",
        .body = body,
        .crid = crid,
        .about = invite->reset_user_id != NULL ? EI_ABOUT_RESET : EI_ABOUT_INVITATION,
        /* A reset that libcurl repeats by itself could undo a redemption in between. */
        .mail = invite->send_invitation_message || invite->reset_user_id != NULL,
    };
    rc = ei_request_start(graph, &spec, on_invited, state);
    if (rc == EI_OK) {
        state = NULL; /* transferred, body with it */
        body = NULL;
    }
out:
    free(state);
    cJSON_free(body);
    cJSON_Delete(json);
    return rc;
}

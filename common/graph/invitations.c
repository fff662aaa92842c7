#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"

enum { REDEEM_URL_MAX = 8 * 1024 };

struct invite {
    ei_graph_invited *done;
    void *context;
};

/* One recipient at most (contract 2.3), in the nesting that Graph wants: a wrong one is accepted and ignored. */
static bool add_cc(cJSON *info, const char *address)
{
    cJSON *list = cJSON_AddArrayToObject(info, "ccRecipients");
    cJSON *recipient = cJSON_CreateObject();

    if (list == NULL || recipient == NULL || !cJSON_AddItemToArray(list, recipient)) {
        cJSON_Delete(recipient);
        return false;
    }
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

struct cJSON *ei_graph_invite_body(const struct ei_graph_invite *invite)
{
    cJSON *body = cJSON_CreateObject();

    if (body != NULL && ei_json_add_text(body, "invitedUserEmailAddress", invite->invited_user_email_address) &&
        ei_json_add_text(body, "inviteRedirectUrl", invite->invite_redirect_url) &&
        (!said(invite->invited_user_display_name) ||
         ei_json_add_text(body, "invitedUserDisplayName", invite->invited_user_display_name)) &&
        ei_json_add_text(body, "invitedUserType", invite->member ? "Member" : "Guest") &&
        cJSON_AddBoolToObject(body, "sendInvitationMessage", invite->send_invitation_message) != NULL &&
        add_message(body, invite))
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
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;

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
    free(invite);
}

enum ei_err ei_graph_invite(struct ei_graph *graph, const struct ei_graph_invite *invite, const char *crid,
                            ei_graph_invited *done, void *context)
{
    enum ei_err rc = EI_NOMEM;
    cJSON *json = ei_graph_invite_body(invite);
    char *body = json != NULL ? ei_json_print(json) : NULL;
    struct invite *state = malloc(sizeof *state);

    if (body == NULL || state == NULL)
        goto out;
    *state = (struct invite){.done = done, .context = context};
    struct ei_request_spec spec = {
        .method = EI_POST,
        .target = "/v1.0/invitations",
        .body = body,
        .crid = crid,
        .about = EI_ABOUT_INVITATION,
        .mail = invite->send_invitation_message,
    };
    rc = ei_request_start(graph, &spec, on_invited, state);
    if (rc == EI_OK)
        state = NULL; /* transferred */
out:
    free(state);
    cJSON_free(body);
    cJSON_Delete(json);
    return rc;
}

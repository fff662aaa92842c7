/* Short ASCII, no address, no URL: ssh cuts at 1020 bytes and escapes the rest (B12). */
#include <string.h>

#include "plugin/pam/module.h"

const char *ei_text_trouble(const struct ei_standing *standing)
{
    if (standing->view != EI_VIEW_OK)
        return ei_view_status_text(standing->view);
    return standing->stale ? "the status file is out of date" : NULL;
}

const char *ei_text_refusal(const struct ei_standing *standing, const char **ret_reason)
{
    *ret_reason = "";
    if (ei_text_trouble(standing) != NULL) {
        *ret_reason = ei_text_trouble(standing);
        return "can't be let in: whether its invitation is accepted is not known now. Ask the administrator of this "
               "host to run entra-invite status";
    }
    if (!standing->recorded)
        return "has no invitation yet: the account is new or was changed. Try again in a minute";
    switch (standing->record.state) {
    case EI_STATE_WAITING:
        return "has no invitation yet: no e-mail address is known for it. Ask the administrator of this host to add "
               "one to the account";
    case EI_STATE_HELD:
        return "has no invitation yet: it is held until the administrator of this host releases it (entra-invite "
               "adopt)";
    case EI_STATE_QUEUED:
        return "has no invitation yet: it is about to be made. Try again in a few minutes";
    case EI_STATE_PENDING:
        return "is invited and has not accepted yet. Follow the link of the invitation, then log in again in a few "
               "minutes";
    case EI_STATE_ACCEPTED: /* not refused */
        break;
    case EI_STATE_FAILED:
        *ret_reason = standing->record.reason;
        return "has no invitation that counts. Ask the administrator of this host (entra-invite show)";
    case EI_STATE_EXPIRED:
        return "was invited and did not accept in time. Ask the administrator of this host for a new invitation";
    case EI_STATE_REMOVED:
        return "has no invitation any more: it was removed. Ask the administrator of this host";
    }
    return "has an invitation in a state that this host does not know. Ask the administrator of this host";
}

void ei_text_show(const char *text, char shown[EI_SHOWN_SIZE])
{
    size_t length = 0;

    for (; length < EI_SHOWN_SIZE - 1 && text[length] != '\0'; length++)
        shown[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    shown[length] = '\0';
}

#include "common/ipc/event.h"

#include <stddef.h>
#include <string.h>

/* In the order of a life: who asks, the look-up, the invitation, its mail, what becomes of the guest, the end. */
const struct ei_event_word ei_event_words[] = {
    {"linked", "the account has an address that may be invited", false},
    {"announced", "it became known who made the account", false},
    {"waiting", "the account is covered and has no address yet", false},
    {"overdue", "the account has had no address for more than an hour", true},
    {"refused", "the account's address cannot be invited", true},
    {"held", "the account was found in a mass and waits for adopt", false},
    {"address-lost", "the account has no address any more; the recorded one is kept", false},
    {"renamed", "the account has another login", false},
    {"returned", "the account is covered again", false},
    {"invite", "an invitation of the account was asked for", false},
    {"asked", "an invitation was asked for", false},
    {"queued", "an invitation of an address without an account was asked for", false},
    {"adopted", "held accounts may go on", false},
    {"mail-released", "mail is held no longer", false},
    {"resend", "a new redeem URL was asked for", false},
    {"reset-asked", "a reset of the redemption was asked for", false},
    {"restore", "the guest is asked to be brought back", false},
    {"removed", "the invitation was taken back", false},

    {"checking", "Microsoft Graph is asked who has the address", false},
    {"not-found-yet", "nobody has the address yet; it is looked up again, as an answer was lost", false},
    {"looked-up", "nobody has the address, and nobody is to be invited now", false},
    {"already-guest", "the person is a guest already, who has accepted", false},
    {"disabled", "the guest is disabled in the directory", true},
    {"failed", "it failed, and waits until somebody acts", true},
    {"retry", "it failed for now and is tried again", false},
    {"blocked", "it waits for what an administrator must mend", false},
    {"not-wanted", "no account needs the invitation any more", false},

    {"creating", "the invitation is sent to Microsoft Graph", false},
    {"sponsors-refused", "the invitation that names the sponsors was refused; it goes out without them", false},
    {"create-unknown", "the answer was lost; the address is looked up before anything else is sent", false},
    {"created", "the guest and a redeem URL are there", false},
    {"invited", "the person is invited; a redeem URL is there", false},
    {"invited-late", "the invitation was answered after it had been called off", false},
    {"url-renewed", "there is a new redeem URL in place of the old one", false},
    {"needs-url", "the pending guest has no redeem URL, and gets one", false},
    {"mailing", "the message with the redeem URL is sent", false},
    {"mailed", "the message was taken by who is to carry it", false},
    {"mailed-late", "the mail was sent after it had been called off", false},
    {"mail-unknown", "it is not known whether the mail was sent; only resend sends again", true},
    {"mail-refused", "the mail was refused; the redeem URL can be handed over", true},
    {"mail-spent", "no mail: this address was mailed before", true},
    {"mail-waits", "the message was not taken for now, and waits", true},
    {"mail-again", "the message that waited is sent again", false},
    {"mail-asked", "the message was asked for once more", false},
    {"mail-held", "the mail is held, as on a clone or a restored host", false},

    {"reminding", "the person has not accepted, and is reminded", false},
    {"reminded", "the reminder was taken by who is to carry it", false},
    {"sponsor-told", "a sponsor was told that the person has not accepted", false},
    {"expired", "the person did not accept in time, and was given up", false},
    {"accepted", "the invitation was redeemed", false},
    {"pending-again", "the guest is no longer accepted in the directory", false},
    {"guest-missing", "the directory does not show the guest", true},
    {"sponsors-set", "the guest has its sponsors", false},
    {"no-sponsors", "the guest has not all of its sponsors", false},
    {"group-added", "the guest is a member of an Entra group", false},
    {"group-not-added", "the guest could not be added to an Entra group", false},

    {"resetting", "the reset of the redemption is sent to Microsoft Graph", false},
    {"reset", "the redemption was reset; a new redeem URL is there", false},
    {"was-reset", "the redemption was reset, and its redeem URL is asked for again", false},
    {"not-reset-yet", "the directory does not show the reset yet", false},
    {"not-reset", "the redemption was not reset; the guest stands as before", false},
    {"redeemed-anew", "the redemption was reset, and redeemed anew", false},

    {"left", "the account left its group before it was accepted, and stays shut", false},
    {"uncovered", "the account left its group, and is covered no more", false},
    {"gone", "the account is gone", false},
    {"unlinked", "the account belongs to another address now", false},
    {"released", "no account needs the guest any more", false},
    {"offboarding", "Microsoft Graph is asked to disable or delete the guest", false},
    {"offboarded", "there is no guest to disable or delete", false},
    {"guest-shared", "the guest stays, as another record of the same person needs it", false},
    {"guest-disabled", "the guest is disabled", false},
    {"guest-deleted", "the guest is deleted", false},
    {"restoring", "Microsoft Graph is asked to restore the deleted guest", false},
    {"enabling", "Microsoft Graph is asked to enable the guest", false},
    {"restored", "the guest is back", false},
    {"restored-late", "the guest was restored after that had been called off", false},
    {"not-restored", "there is no guest to bring back", false},
    {0},
};

const struct ei_event_word *ei_event_word(const char *word)
{
    for (const struct ei_event_word *known = ei_event_words; known->word != NULL; known++)
        if (strcmp(known->word, word) == 0)
            return known;
    return NULL;
}

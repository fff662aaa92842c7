/*
 * pam_entra_invite.so: keeps an invited account shut until its invitation is accepted.
 *
 *   account  [success=ignore ignore=ignore module_unknown=ignore default=die]  pam_entra_invite.so
 *   session  optional  pam_entra_invite.so
 *   password optional  pam_entra_invite.so
 */
#include <unistd.h>

#include <security/pam_ext.h>

#include "common/base/paths.h"
#include "plugin/pam/module.h"

#define ENTRY_POINT __attribute__((visibility("default")))

ENTRY_POINT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct ei_pam_options options;

    ei_pam_options(pamh, argc, argv, &options);
    return ei_gate_judge(pamh, flags, &options);
}

/* Who somebody is, is not ours to say; on an auth line the module must neither pass nor fail anybody. */
ENTRY_POINT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_IGNORE;
}

ENTRY_POINT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_IGNORE;
}

/* With pending=warn on the account line people are let in: here they read what is missing, where programs and sftp do
 * not (host-facts 3). A session is neither opened nor refused by it. */
ENTRY_POINT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct ei_pam_options options;

    if ((flags & PAM_SILENT) != 0)
        return PAM_IGNORE;
    ei_pam_options(pamh, argc, argv, &options);
    ei_gate_remind(pamh, &options);
    return PAM_IGNORE;
}

/* Nothing was opened. */
ENTRY_POINT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_IGNORE;
}

/* Whether word of this account would be news to the worker. */
static bool worth_announcing(const struct ei_standing *standing)
{
    if (!standing->covered)
        return false;
    return !standing->recorded ||
           (standing->record.state >= EI_STATE_WAITING && standing->record.state <= EI_STATE_PENDING);
}

static void announce(pam_handle_t *pamh, int flags, const char *login)
{
    enum ei_announced answer = ei_pam_announce(EI_SOCKET_PATH, login);
    char shown[EI_SHOWN_SIZE];

    if (answer == EI_ANNOUNCED_OTHER || (flags & PAM_SILENT) != 0)
        return;
    ei_text_show(login, shown);
    if (answer == EI_ANNOUNCED_INVITED)
        pam_info(pamh, "entra-invite: %s has been invited; see entra-invite status %s", shown, shown);
    else if (answer == EI_ANNOUNCED_QUEUED)
        pam_info(pamh, "entra-invite: %s will be invited; see entra-invite status %s", shown, shown);
    else
        pam_info(pamh, "entra-invite: %s will be invited once entra-invited runs; see entra-invite status %s", shown,
                 shown);
}

/*
 * newusers, chpasswd and passwd run by root come here after the account is written (B2). The answer is always
 * PAM_IGNORE: an error at this point would leave accounts half made (B7).
 */
ENTRY_POINT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct ei_pam_options options;
    struct ei_pam_account account;
    struct ei_standing standing;
    const void *user = NULL;

    /* Real uid: a user's own passwd is set-uid root and is no news. Twice called, the second time for good. */
    if ((flags & PAM_UPDATE_AUTHTOK) == 0 || getuid() != 0)
        return PAM_IGNORE;
    if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS || user == NULL)
        return PAM_IGNORE;
    ei_pam_options(pamh, argc, argv, &options);
    if (ei_pam_account_get(user, &account) == PAM_SUCCESS && account.entry.pw_uid != 0 &&
        account.entry.pw_uid >= options.minimum_uid &&
        ei_gate_look(&options, &account.entry, &standing) == PAM_SUCCESS && worth_announcing(&standing))
        announce(pamh, flags, account.entry.pw_name);
    ei_pam_account_clear(&account);
    return PAM_IGNORE;
}

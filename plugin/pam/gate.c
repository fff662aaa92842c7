#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <security/pam_ext.h>

#include "common/account/gecos.h"
#include "plugin/pam/module.h"

/* A record about an account that has got another uid or address since says nothing about this one (S32). */
static bool same_account(const struct ei_view_header *header, const struct ei_view_record *record,
                         const struct passwd *entry)
{
    char address[EI_ADDRESS_SIZE];

    if (record->uid != entry->pw_uid)
        return false;
    if (record->address_hash == 0) /* the address is not from GECOS */
        return true;
    return entry->pw_gecos != NULL && ei_gecos_address(entry->pw_gecos, header->first_trusted, address) &&
           ei_address_hash(address) == record->address_hash;
}

/* The view is closed before any look-up of groups: that may call other code. */
static void read_view(const struct ei_pam_options *options, const struct passwd *entry, struct ei_view_header *header,
                      struct ei_standing *standing)
{
    struct ei_view view;
    bool found = false;

    standing->view = ei_view_open(options->view, &view, header);
    if (standing->view != EI_VIEW_OK)
        return;
    standing->view = ei_view_lookup(&view, entry->pw_name, &standing->record, &found);
    ei_view_close(&view);
    standing->stale = header->not_after != 0 && (int64_t)time(NULL) >= header->not_after;
    standing->recorded =
        standing->view == EI_VIEW_OK && !standing->stale && found && same_account(header, &standing->record, entry);
}

/* Who is covered, when the view cannot say it. */
static int ask_elsewhere(const struct ei_pam_options *options, const struct passwd *entry, struct ei_standing *standing)
{
    char groups[EI_VIEW_GROUPS_SIZE];

    if (options->has_groups)
        return ei_pam_in_groups(entry, options->groups, &standing->covered);
    enum ei_view_status status = ei_view_read_groups(options->groups_file, groups);
    if (status == EI_VIEW_OK)
        return ei_pam_in_groups(entry, groups, &standing->covered);
    /* Limits that whoever started this program may have set must not make a covered account an unknown one (S1). */
    if (status == EI_VIEW_OS_ERROR && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return errno == ENOMEM ? PAM_BUF_ERR : PAM_SYSTEM_ERR;
    standing->groups_unknown = true;
    return PAM_SUCCESS;
}

int ei_gate_look(const struct ei_pam_options *options, const struct passwd *entry, struct ei_standing *standing)
{
    struct ei_view_header header;

    memset(standing, 0, sizeof *standing);
    read_view(options, entry, &header, standing);
    if (entry->pw_uid < header.minimum_uid) { /* zero if there is no header */
        standing->recorded = false;
        return PAM_SUCCESS;
    }
    if (ei_text_trouble(standing) != NULL)
        return ask_elsewhere(options, entry, standing);
    if (standing->recorded) {
        standing->covered = true;
        return PAM_SUCCESS;
    }
    return ei_pam_in_groups(entry, header.groups, &standing->covered);
}

static void log_refusal(pam_handle_t *pamh, const struct ei_pam_options *options, const char *shown,
                        const struct ei_standing *standing)
{
    const char *state = standing->recorded ? ei_state_name(standing->record.state) : "no record yet";
    const char *trouble = ei_text_trouble(standing);

    if (trouble == NULL)
        trouble = state != NULL ? state : "unknown state";
    pam_syslog(pamh, standing->view != EI_VIEW_OK || standing->stale ? LOG_ERR : LOG_NOTICE, "%s %s: %s", shown,
               options->warn_only ? "would be refused" : "refused", trouble);
}

static void say_refusal(pam_handle_t *pamh, bool warning, const char *shown, const struct ei_standing *standing)
{
    const char *reason, *sentence = ei_text_refusal(standing, &reason);
    const char *open = reason[0] != '\0' ? " (" : "", *close = reason[0] != '\0' ? ")" : "";

    if (warning)
        pam_info(pamh, "entra-invite: warning: %s %s%s%s%s.", shown, sentence, open, reason, close);
    else
        pam_error(pamh, "entra-invite: %s %s%s%s%s.", shown, sentence, open, reason, close);
}

/* One line to the log, one to whoever logs in. */
static void tell(pam_handle_t *pamh, int flags, const struct ei_pam_options *options, const char *login,
                 const struct ei_standing *standing)
{
    char shown[EI_SHOWN_SIZE];

    ei_text_show(login, shown);
    log_refusal(pamh, options, shown, standing);
    if ((flags & PAM_SILENT) == 0 && !(options->warn_only && options->quiet))
        say_refusal(pamh, options->warn_only, shown, standing);
}

static int refuse(pam_handle_t *pamh, int flags, const struct ei_pam_options *options, const char *login,
                  const struct ei_standing *standing)
{
    tell(pamh, flags, options, login, standing);
    if (options->warn_only)
        return PAM_IGNORE; /* pending=warn: the administrator wants to see whom the gate would shut out */
    if (standing->view == EI_VIEW_OS_ERROR)
        return PAM_SYSTEM_ERR; /* the system failed, not the file */
    if (ei_text_trouble(standing) != NULL)
        return PAM_AUTHINFO_UNAVAIL; /* covered, and nobody can say where it stands: shut */
    if (standing->recorded && standing->record.state == EI_STATE_EXPIRED)
        return PAM_ACCT_EXPIRED; /* its time to accept is over */
    return PAM_PERM_DENIED;      /* known, and not accepted */
}

/* The decision about an account that is not below minimum_uid. */
static int decide(pam_handle_t *pamh, int flags, const struct ei_pam_options *options, const struct passwd *entry)
{
    struct ei_standing standing;
    int code = ei_gate_look(options, entry, &standing);

    if (code != PAM_SUCCESS)
        return code; /* no memory, no descriptors: what could not be checked is not let in (S24) */
    if (standing.recorded && standing.record.state == EI_STATE_ACCEPTED)
        return PAM_SUCCESS; /* the one way to a yes */
    if (standing.covered)
        return refuse(pamh, flags, options, entry->pw_name, &standing);
    if (ei_text_trouble(&standing) != NULL)
        pam_syslog(pamh, LOG_ERR, "%s%s; see entra-invite status", ei_text_trouble(&standing),
                   standing.groups_unknown ? ", and nothing says who is covered: all pass" : "");
    return PAM_IGNORE; /* not covered: not ours to decide, whatever is broken */
}

/* The account of PAM_USER, to be cleared in every case. PAM_IGNORE: root's, or below minimum_uid, which the gate leaves
 * alone before any file is opened. */
static int find_account(pam_handle_t *pamh, const struct ei_pam_options *options, struct ei_pam_account *account)
{
    const void *user = NULL;

    account->more = NULL;
    if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS || user == NULL || *(const char *)user == '\0')
        return PAM_USER_UNKNOWN; /* nobody to decide about, and never a yes (S11) */
    int found = ei_pam_account_get(user, account);
    if (found != PAM_SUCCESS && strcmp(user, "root") == 0)
        return PAM_IGNORE; /* whoever has to mend what is wrong here: not by us is root kept out */
    if (found != PAM_SUCCESS)
        return found; /* PAM_USER_UNKNOWN too; not logged, since people type passwords where the name belongs */
    return account->entry.pw_uid == 0 || account->entry.pw_uid < options->minimum_uid ? PAM_IGNORE : PAM_SUCCESS;
}

int ei_gate_judge(pam_handle_t *pamh, int flags, const struct ei_pam_options *options)
{
    struct ei_pam_account account;
    int found = find_account(pamh, options, &account);
    int code = found == PAM_SUCCESS ? decide(pamh, flags, options, &account.entry) : found;

    ei_pam_account_clear(&account);
    return code;
}

void ei_gate_remind(pam_handle_t *pamh, const struct ei_pam_options *options)
{
    struct ei_pam_account account;
    struct ei_standing standing;
    char shown[EI_SHOWN_SIZE];

    if (find_account(pamh, options, &account) == PAM_SUCCESS &&
        ei_gate_look(options, &account.entry, &standing) == PAM_SUCCESS && standing.covered &&
        !(standing.recorded && standing.record.state == EI_STATE_ACCEPTED)) {
        ei_text_show(account.entry.pw_name, shown);
        say_refusal(pamh, true, shown, &standing);
    }
    ei_pam_account_clear(&account);
}

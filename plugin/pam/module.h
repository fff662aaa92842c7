/*
 * pam_entra_invite.so inside. It runs in other people's programs, as root, before anybody is let in: no static mutable
 * state, no descriptor, thread or signal handler kept (S36), no network, no lock; libc and libpam only (P2). Memory
 * comes from the stack, but for passwd and group entries too large for it.
 *
 *   pam_entra_invite.c  entry points
 *   options.c           the words on the module's line
 *   account.c           passwd and group look-ups
 *   gate.c              where a login stands, and what that means for it
 *   text.c              what people are told
 *   announce.c          the message to entra-invited
 */
#ifndef EI_PAM_MODULE_H
#define EI_PAM_MODULE_H

#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>

#include <security/pam_modules.h>

#include "common/view/view.h"

enum { EI_PAM_PATH_SIZE = 1024 };

struct ei_pam_options {
    char view[EI_PAM_PATH_SIZE];
    char groups_file[EI_PAM_PATH_SIZE];
    char groups[EI_VIEW_GROUPS_SIZE]; /* laid out as in the view's header */
    bool has_groups;
    bool warn_only;
    bool quiet; /* with warn_only: the log is told, the login is not */
    uint32_t minimum_uid;
};

/* Fills options from the defaults and the module's arguments. A word that is not understood is logged and has no other
 * effect: it must not shut everybody out, nor open the gate (S39). */
void ei_pam_options(pam_handle_t *pamh, int argc, const char **argv, struct ei_pam_options *options);

/* A passwd entry with its strings. */
struct ei_pam_account {
    struct passwd entry;
    char text[4096];
    char *more; /* instead of text, for an entry that is longer */
};

/* PAM_SUCCESS; PAM_USER_UNKNOWN: there is no such account (S11); PAM_BUF_ERR, PAM_SYSTEM_ERR: it cannot be told.
 * Clear the account in every case. */
int ei_pam_account_get(const char *login, struct ei_pam_account *account);
void ei_pam_account_clear(struct ei_pam_account *account);

/*
 * Whether the account's primary or another group is one of groups (laid out as in the view's header). A name that no
 * source of groups knows, or can be asked for, has no members. PAM_SUCCESS; PAM_BUF_ERR, PAM_SYSTEM_ERR: this process
 * lacks the memory or the descriptors to tell.
 */
int ei_pam_in_groups(const struct passwd *entry, const char *groups, bool *ret_member);

/* Where a login stands. */
struct ei_standing {
    bool covered;
    bool recorded; /* record is about this very account: the same uid and address */
    struct ei_view_record record;
    enum ei_view_status view; /* not EI_VIEW_OK: the view could not be used, and covered comes from elsewhere */
    bool stale;               /* the same, because the view is past its not_after */
    bool groups_unknown;      /* nor could it be told who is covered */
};

/* PAM_SUCCESS with standing filled; PAM_BUF_ERR, PAM_SYSTEM_ERR as from ei_pam_in_groups. */
int ei_gate_look(const struct ei_pam_options *options, const struct passwd *entry, struct ei_standing *standing);

/* The account decision, with its messages and log lines: a PAM code. */
int ei_gate_judge(pam_handle_t *pamh, int flags, const struct ei_pam_options *options);

/* A session opens: whom the gate would refuse is told so, and why. */
void ei_gate_remind(pam_handle_t *pamh, const struct ei_pam_options *options);

/* What keeps this login out, as the rest of a sentence that begins with the login. reason: "" or a word to add. */
const char *ei_text_refusal(const struct ei_standing *standing, const char **ret_reason);

/* What is wrong with the view, for a sentence and a log line; NULL if nothing is. */
const char *ei_text_trouble(const struct ei_standing *standing);

/* A copy for terminals and logs: what is not printable ASCII becomes '?' (S16, B12). */
enum { EI_SHOWN_SIZE = 65 };
void ei_text_show(const char *text, char shown[EI_SHOWN_SIZE]);

enum ei_announced {
    EI_ANNOUNCED_NOT,     /* no answer in time, or the worker had an error */
    EI_ANNOUNCED_OTHER,   /* it knows nothing of this login that is worth telling */
    EI_ANNOUNCED_QUEUED,  /* covered: an invitation will come of it */
    EI_ANNOUNCED_INVITED, /* pending */
};

/* Sends one Announce to the worker's socket and looks at its answer; 200 ms for all of it. */
enum ei_announced ei_pam_announce(const char *socket_path, const char *login);

#endif

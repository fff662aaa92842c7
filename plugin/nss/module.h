/*
 * libnss_entra_invite.so.2 inside. It answers one question, "which further groups has this login?", and only with the
 * two status groups, so that id, sshd's AllowGroups and sudoers see where a collaborator stands.
 *
 * It runs in every program that looks up groups: no static mutable state, no descriptor, thread or lock kept (S36), no
 * network, libc only (P2), no look-up through NSS from within NSS (L6), no heap but glibc's own list of groups.
 *
 *   nss_entra_invite.c  the entry point
 *   standing.c          which status group a login is in, if any
 *   accounts.c          the local passwd and group files
 */
#ifndef EI_NSS_MODULE_H
#define EI_NSS_MODULE_H

#include <stdbool.h>
#include <sys/types.h>

/* Where the answer comes from. */
struct ei_nss_paths {
    const char *view;
    const char *passwd;
    const char *group;
};

enum ei_nss_answer {
    EI_NSS_NONE,  /* in no status group */
    EI_NSS_GROUP, /* in the one whose gid is told */
    EI_NSS_ERROR, /* it cannot be told now: the system failed, errno says how */
};

/*
 * The status group of a login: accepted, or pending (invited, or about to be). Only while the view is good and not past
 * its time, its record is of the account that has this login now, and the group file gives the group's name and gid to
 * each other and to nothing else (S17).
 */
enum ei_nss_answer ei_nss_standing(const struct ei_nss_paths *paths, const char *login, gid_t *ret_gid);

enum ei_nss_found { EI_NSS_ABSENT, EI_NSS_FOUND, EI_NSS_FAILED };

/* The number (uid, gid) of the first entry with this name in a passwd or group file; an entry whose number is none
 * counts as not there. EI_NSS_FAILED: the file cannot be read, errno says why. */
enum ei_nss_found ei_nss_number(const char *path, const char *name, id_t *ret_number);
/* Whether an entry of another name has this number. */
enum ei_nss_found ei_nss_other_name(const char *path, const char *name, id_t number);

#endif

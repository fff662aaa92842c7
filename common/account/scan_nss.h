/* Groups and accounts that the local files do not have, asked of NSS with bounded buffers. May block. For scan.c. */
#ifndef EI_ACCOUNT_SCAN_NSS_H
#define EI_ACCOUNT_SCAN_NSS_H

#include <grp.h>
#include <pwd.h>

enum ei_nss_answer {
    EI_NSS_FOUND,
    EI_NSS_ABSENT, /* no source has it */
    EI_NSS_FAILED, /* a source did not answer; errno says why */
    EI_NSS_NOMEM,
};

/* *ret_buffer holds the strings of *ret and is freed by the caller; NULL unless EI_NSS_FOUND. */
enum ei_nss_answer ei_nss_group(const char *name, struct group *ret, char **ret_buffer);
enum ei_nss_answer ei_nss_passwd(const char *name, struct passwd *ret, char **ret_buffer);

#endif

/*
 * One account file (passwd, group, login.defs), read whole into memory and judged: only what was read in one piece,
 * ends where a writer meant it to end and has no damaged line may prove that an account is gone (design, "Gone needs
 * proof"). For scan.c.
 */
#ifndef EI_ACCOUNT_SCAN_FILE_H
#define EI_ACCOUNT_SCAN_FILE_H

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"

enum {
    EI_ACCOUNT_FILE_MAX = 64 << 20, /* bytes; a larger file is not read */
    EI_ACCOUNT_LINE_MAX = 4 << 20,  /* a group of a few 100,000 members is one line */
};

enum ei_account_file_kind { EI_PASSWD_FILE, EI_GROUP_FILE, EI_TEXT_FILE };

/* Free with ei_account_file_close. */
struct ei_account_file {
    const char *path;
    char *data; /* NUL-terminated; NULL if nothing could be read */
    size_t size;
    bool missing; /* there is no such file */
    bool whole;
    struct ei_error doubt; /* why not whole */
    FILE *stream;          /* of data, for fgetpwent_r and fgetgrent_r */
    char *buffer;
    size_t buffer_size;
};

/* EI_NOMEM, or EI_OK with whole and doubt telling how it went. */
enum ei_err ei_account_file_read(const char *path, enum ei_account_file_kind kind, struct ei_account_file *ret);
void ei_account_file_close(struct ei_account_file *file);

/* The next entry, NSS compat entries (+, -) left out; false at the end. Strings are good until the next call. */
bool ei_account_file_passwd(struct ei_account_file *file, struct passwd *ret);
bool ei_account_file_group(struct ei_account_file *file, struct group *ret);
void ei_account_file_rewind(struct ei_account_file *file);

/* Of login.defs: see ei_gecos_first_trusted. What cannot be read is not trusted; where there is none, chfn lets nobody
 * but root change the first part. */
bool ei_account_file_trusts_first(const struct ei_account_file *login_defs);

/* Notes the first doubt; whole is false from then on. */
void ei_account_file_doubt(struct ei_account_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

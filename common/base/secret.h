/*
 * Secrets: kept out of core dumps and swap, erased after use, never printed (K1 to K5).
 *
 * There is deliberately no function that formats a secret. An error about a secret file names the file, never a byte
 * of its content.
 */
#ifndef EI_BASE_SECRET_H
#define EI_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/error.h"

enum { EI_SECRET_MAX = 16 * 1024 }; /* bytes (K3) */

/* One locked page run; data is NUL-terminated text of length bytes. Owned by whoever called a function that fills it;
 * free with ei_secret_free. Zero-initialised is a valid empty secret. */
struct ei_secret {
    char *data;
    size_t length;
    size_t mapped; /* bytes of the mapping, for unmapping */
};

/* Makes an empty secret with room for capacity bytes and a NUL. */
enum ei_err ei_secret_new(struct ei_secret *ret_secret, size_t capacity);
void ei_secret_free(struct ei_secret *secret);

/*
 * Reads a secret file by the rules of K3: no symlink at the end, a regular file with one link, owned by root, by the
 * service user (also where root reads it, before the drop) or by the effective user, no access for group and others
 * (but root's group may read what lies in $CREDENTIALS_DIRECTORY, as systemd makes it), at most EI_SECRET_MAX bytes.
 * One trailing newline is dropped; an empty secret is an error. On EI_SECRET_FILE err names the file, what is wrong and
 * so how to mend it; EI_NOMEM and EI_IO are the machine's (ei_err_of_file).
 */
enum ei_err ei_secret_read_file(const char *path, struct ei_secret *ret_secret, struct ei_error *err);

/*
 * Reads a secret that somebody else makes and replaces all the time, as Kubernetes does with a projected token:
 * symbolic links are followed, and group and others may read. Not else: a regular file with one link, owned as above,
 * not writable by group or others, at most EI_SECRET_MAX bytes; the rest is as above.
 */
enum ei_err ei_secret_read_rotated(const char *path, struct ei_secret *ret_secret, struct ei_error *err);

/* Only the rules of either about the file, without reading a byte of it. */
enum ei_err ei_secret_check_file(const char *path, bool rotated, struct ei_error *err);

/* Process-wide: no core dumps, no ptrace by the same user (K4). Called first in main of programs that hold secrets. */
void ei_secret_harden_process(void);

/* explicit_bzero and free of a heap string; NULL is fine. */
void ei_free_erased(char *text);

#endif

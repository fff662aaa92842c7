/*
 * How the worker proves who it is. One object of one of several types (credential_*.c, one file each); the token's code
 * (token.c) knows none of them.
 *
 * A credential that cannot be used when it is made is an error then. What may mend itself while the worker runs (a
 * certificate that is not valid yet, a token file that is written anew) is judged at each token request.
 */
#ifndef EI_GRAPH_CREDENTIAL_H
#define EI_GRAPH_CREDENTIAL_H

#include <stdint.h>

#include "common/base/error.h"

struct ei_credential;

/* A client secret (contract 1.1). Reads the file at once (root may have to, before privileges are dropped) by
 * ei_secret_read_file's rules. Owner frees; so for all types. */
enum ei_err ei_credential_secret(const char *path, struct ei_credential **ret_credential, struct ei_error *err);

struct ei_certificate_files {
    const char *key;         /* PEM, ei_secret_read_file's rules */
    const char *certificate; /* PEM, may be the key's file; a chain may stand in it: the one that fits the key counts */
    const char *passphrase;  /* ei_secret_read_file's rules; NULL: none, and an encrypted key is an error */
};
/* A certificate (contract 1.2): an RSA key of at least 2048 bits and the certificate made for it. EI_CERTIFICATE_FILE,
 * EI_KEY_ENCRYPTED or EI_SECRET_FILE says which file is wrong, and why. */
enum ei_err ei_credential_certificate(const struct ei_certificate_files *files, struct ei_credential **ret_credential,
                                      struct ei_error *err);

/* A token of another issuer, in a file that is renewed from outside (contract 1.3): read at each token request, by
 * ei_secret_read_rotated's rules, so the worker's own user must be able to. Not read here. */
enum ei_err ei_credential_federated(const char *path, struct ei_credential **ret_credential, struct ei_error *err);

/*
 * The managed identity of this machine, an Azure VM or an Arc server (contract 1.6); which of the two it is, the
 * environment and the agent's file say. endpoint: the URL that gives tokens, NULL for the usual one; https, or http on
 * a loopback or link-local address, else EI_CONFIG. client_id: which identity, NULL: the only one, or the system's.
 */
enum ei_err ei_credential_managed(const char *endpoint, const char *client_id, struct ei_credential **ret_credential,
                                  struct ei_error *err);

void ei_credential_free(struct ei_credential *credential);

/* Reads its files again: after SIGHUP, or when the token endpoint refuses it. Keeps the old ones on failure. */
enum ei_err ei_credential_reload(struct ei_credential *credential, struct ei_error *err);

/* Whether a token could be asked for now, as far as this host can tell: for --test. */
enum ei_err ei_credential_check(const struct ei_credential *credential, struct ei_error *err);

/* Wall time at which it ends; 0: unknown. */
int64_t ei_credential_expires(const struct ei_credential *credential);

#endif

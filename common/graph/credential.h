/*
 * The seam for the ways to prove who the worker is: a credential adds its fields to the token request's form
 * (contract 1.1). Client secret today; certificate, federated token, managed identity and device code fit the same
 * interface.
 */
#ifndef EI_GRAPH_CREDENTIAL_H
#define EI_GRAPH_CREDENTIAL_H

#include "common/base/buffer.h"
#include "common/base/error.h"

struct ei_credential;

/* Reads the file at once (root may have to, before privileges are dropped) by ei_secret_read_file's rules. Owner frees.
 */
enum ei_err ei_credential_secret(const char *path, struct ei_credential **ret_credential, struct ei_error *err);
/* Reads it again: after SIGHUP, or when the token endpoint refuses the secret. Keeps the old one on failure. */
enum ei_err ei_credential_reload(struct ei_credential *credential, struct ei_error *err);
void ei_credential_free(struct ei_credential *credential);

/* Appends "&name=value…", percent-encoded, to a token request's form. The form is a secret from then on. */
enum ei_err ei_credential_add_to_form(const struct ei_credential *credential, struct ei_buffer *form,
                                      struct ei_error *err);

#endif

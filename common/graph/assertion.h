/* The signed statement by which an app proves that it holds a certificate's private key (contract 1.2). */
#ifndef EI_GRAPH_ASSERTION_H
#define EI_GRAPH_ASSERTION_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

enum {
    EI_ASSERTION_SECONDS = 10 * 60, /* exp - nbf */
    EI_THUMBPRINT_TEXT = 44,        /* base64url of 32 bytes, and a NUL */
};

/* x5t#S256: base64url, unpadded, of SHA-256 over the DER. */
enum ei_err ei_assertion_thumbprint(const X509 *certificate, char out[EI_THUMBPRINT_TEXT], struct ei_error *err);

/* Appends a JWT, PS256, with a jti of its own: good for one token request, a secret while it is valid. */
enum ei_err ei_assertion_append(struct ei_buffer *out, EVP_PKEY *key, const char *thumbprint, const char *audience,
                                const char *client_id, struct ei_error *err);

#endif

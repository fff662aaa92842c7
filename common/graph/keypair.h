/* A private key and its certificate, from PEM files. */
#ifndef EI_GRAPH_KEYPAIR_H
#define EI_GRAPH_KEYPAIR_H

#include <openssl/evp.h>
#include <stdint.h>

#include "common/graph/assertion.h"
#include "common/graph/credential.h"

struct ei_keypair {
    EVP_PKEY *key;
    char thumbprint[EI_THUMBPRINT_TEXT];
    int64_t not_before; /* wall time */
    int64_t not_after;
};

/* As ei_credential_certificate has it; whether the certificate is valid now is not judged. The caller frees. */
enum ei_err ei_keypair_load(const struct ei_certificate_files *files, struct ei_keypair *ret_pair,
                            struct ei_error *err);
/* Zero-initialised is fine. */
void ei_keypair_free(struct ei_keypair *pair);

/* A time in a certificate as wall time; false if it is none. */
bool ei_certificate_time(const ASN1_TIME *time, int64_t *ret_time);

#endif

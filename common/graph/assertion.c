#include "common/graph/assertion.h"

#include <openssl/rsa.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/guid.h"
#include "common/base/json.h"

enum { SIGNATURE_MAX = 16384 / 8, /* bytes: of a key of 16384 bits, the most that libcrypto takes */ PART_MAX = 4096 };

static enum ei_err failed(struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "the client assertion could not be made: no memory, or libcrypto refused");
}

/* base64url without padding (RFC 7515, 2). */
static bool append_base64url(struct ei_buffer *out, const void *data, size_t length)
{
    unsigned char text[PART_MAX / 3 * 4 + 8];

    if (length > PART_MAX)
        return false;
    int size = EVP_EncodeBlock(text, data, (int)length);
    while (size > 0 && text[size - 1] == '=')
        size--;
    for (int i = 0; i < size; i++) {
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    }
    return ei_buffer_append(out, text, (size_t)size);
}

enum ei_err ei_assertion_thumbprint(const X509 *certificate, char out[EI_THUMBPRINT_TEXT], struct ei_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    struct ei_buffer text;
    enum ei_err rc = EI_OK;

    ei_buffer_init(&text, EI_THUMBPRINT_TEXT);
    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 || !append_base64url(&text, digest, length) ||
        text.length != EI_THUMBPRINT_TEXT - 1)
        rc = failed(err);
    else
        memcpy(out, text.data, EI_THUMBPRINT_TEXT);
    ei_buffer_free(&text);
    return rc;
}

static bool append_part(struct ei_buffer *out, const cJSON *json)
{
    struct ei_buffer text;

    ei_buffer_init(&text, PART_MAX);
    bool appended = ei_json_append(&text, json) && append_base64url(out, text.data, text.length);
    ei_buffer_free(&text);
    return appended;
}

static bool append_header(struct ei_buffer *out, const char *thumbprint)
{
    cJSON *json = cJSON_CreateObject();
    bool appended = json != NULL && ei_json_add_text(json, "alg", "PS256") && ei_json_add_text(json, "typ", "JWT") &&
                    ei_json_add_text(json, "x5t#S256", thumbprint) && append_part(out, json);

    cJSON_Delete(json);
    return appended;
}

static bool append_claims(struct ei_buffer *out, const char *audience, const char *client_id)
{
    double now = (double)ei_now();
    char id[EI_GUID_TEXT];
    cJSON *json = cJSON_CreateObject();

    ei_guid_new(id);
    bool appended = json != NULL && ei_json_add_text(json, "aud", audience) &&
                    ei_json_add_text(json, "iss", client_id) && ei_json_add_text(json, "sub", client_id) &&
                    ei_json_add_text(json, "jti", id) && cJSON_AddNumberToObject(json, "nbf", now) != NULL &&
                    cJSON_AddNumberToObject(json, "iat", now) != NULL &&
                    cJSON_AddNumberToObject(json, "exp", now + EI_ASSERTION_SECONDS) != NULL && append_part(out, json);
    cJSON_Delete(json);
    return appended;
}

/* RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt as long as the digest (RFC 7518, 3.5). */
static bool sign(const char *text, size_t length, EVP_PKEY *key, unsigned char signature[SIGNATURE_MAX], size_t *size)
{
    EVP_PKEY_CTX *padding = NULL; /* the context's */
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    *size = SIGNATURE_MAX;
    bool done = context != NULL && EVP_DigestSignInit(context, &padding, EVP_sha256(), NULL, key) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(padding, EVP_sha256()) == 1 &&
                EVP_DigestSign(context, signature, size, (const unsigned char *)text, length) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

enum ei_err ei_assertion_append(struct ei_buffer *out, EVP_PKEY *key, const char *thumbprint, const char *audience,
                                const char *client_id, struct ei_error *err)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t begin = out->length;
    size_t size = 0;

    if (!append_header(out, thumbprint) || !ei_buffer_append(out, ".", 1) || !append_claims(out, audience, client_id) ||
        !sign(out->data + begin, out->length - begin, key, signature, &size) || !ei_buffer_append(out, ".", 1) ||
        !append_base64url(out, signature, size))
        return failed(err);
    return EI_OK;
}

/* RSA keys and certificates as PEM files, and the parts of a JWT. Include after cmocka.h. */
#ifndef EI_TESTS_CERTIFICATE_FIXTURE_H
#define EI_TESTS_CERTIFICATE_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/unit/credential_fixture.h"

#define PASSPHRASE "correct horse battery"

/* 2026-01-01T00:00:00Z, from which certificates are valid for a year. */
enum { VALID_FROM = 1767225600, YEAR = 365 * 24 * 3600 };

static inline X509 *certificate_of(EVP_PKEY *key, const char *name, EVP_PKEY *signer)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    assert_int_equal(X509_set_version(certificate, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), VALID_FROM));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), VALID_FROM + YEAR));
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    assert_int_equal(X509_set_issuer_name(certificate, subject), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
    return certificate;
}

enum key_form { PKCS8, PKCS8_ENCRYPTED, TRADITIONAL, TRADITIONAL_ENCRYPTED };

static inline void write_key(FILE *file, EVP_PKEY *key, enum key_form form)
{
    bool encrypted = form == PKCS8_ENCRYPTED || form == TRADITIONAL_ENCRYPTED;
    const EVP_CIPHER *cipher = encrypted ? EVP_aes_256_cbc() : NULL;
    unsigned char word[] = PASSPHRASE;
    int length = encrypted ? (int)strlen(PASSPHRASE) : 0;
    BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);

    if (form == TRADITIONAL || form == TRADITIONAL_ENCRYPTED)
        assert_int_equal(
            PEM_write_bio_PrivateKey_traditional(bio, key, cipher, encrypted ? word : NULL, length, NULL, NULL), 1);
    else
        assert_int_equal(PEM_write_bio_PrivateKey(bio, key, cipher, encrypted ? word : NULL, length, NULL, NULL), 1);
    BIO_free(bio);
}

static inline FILE *new_file(const char *path, mode_t mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    return file;
}

static inline void put_key(const char *path, EVP_PKEY *key, enum key_form form)
{
    FILE *file = new_file(path, 0600);

    write_key(file, key, form);
    fclose(file);
}

static inline void put_certificate(const char *path, X509 *certificate)
{
    FILE *file = new_file(path, 0644);

    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
}

/* Bytes of a base64url text without padding; the caller frees them. */
static inline unsigned char *base64url_decode(const char *text, size_t length, size_t *ret_length)
{
    size_t padded = (length + 3) / 4 * 4;
    char *copy = calloc(1, padded + 1);
    unsigned char *bytes = calloc(1, padded + 1);

    assert_non_null(copy);
    assert_non_null(bytes);
    for (size_t i = 0; i < padded; i++) {
        char c = i < length ? text[i] : '=';
        if (i < length && strchr("+/=", c) != NULL)
            fail_msg("not base64url: %.*s", (int)length, text);
        copy[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    int size = EVP_DecodeBlock(bytes, (unsigned char *)copy, (int)padded);
    assert_true(size >= 0);
    *ret_length = (size_t)size - (padded - length);
    free(copy);
    return bytes;
}

/* Part 0 or 1 of a JWT as JSON; the caller deletes it. */
static inline cJSON *jwt_part(const char *jwt, int part)
{
    size_t length;

    for (; part > 0; part--)
        jwt = strchr(jwt, '.') + 1;
    unsigned char *text = base64url_decode(jwt, strcspn(jwt, "."), &length);
    cJSON *json = ei_json_parse((const char *)text, length);
    free(text);
    assert_non_null(json);
    return json;
}

/* Whether the JWT's signature is the key's, by PS256 (RFC 7518, 3.5). */
static inline bool jwt_signed_by(const char *jwt, EVP_PKEY *key)
{
    EVP_PKEY_CTX *padding = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const char *dot = strrchr(jwt, '.');
    size_t length;
    unsigned char *signature = base64url_decode(dot + 1, strlen(dot + 1), &length);

    assert_int_equal(EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 32), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(padding, EVP_sha256()), 1);
    bool good = EVP_DigestVerify(context, signature, length, (const unsigned char *)jwt, (size_t)(dot - jwt)) == 1;
    EVP_MD_CTX_free(context);
    free(signature);
    return good;
}

#endif

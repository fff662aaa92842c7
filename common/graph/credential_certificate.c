/* A certificate whose private key signs an assertion for each token request (contract 1.2). */
#include "common/graph/credential_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/graph/keypair.h"

enum { ASSERTION_MAX = 16 * 1024 };

struct by_certificate {
    struct ei_credential base;
    char *key_path;
    char *certificate_path;
    char *passphrase_path; /* NULL: none */
    struct ei_keypair pair;
};

static enum ei_err load(const struct by_certificate *credential, struct ei_keypair *pair, struct ei_error *err)
{
    const struct ei_certificate_files files = {
        .key = credential->key_path,
        .certificate = credential->certificate_path,
        .passphrase = credential->passphrase_path,
    };
    return ei_keypair_load(&files, pair, err);
}

static enum ei_err reload(struct ei_credential *base, struct ei_error *err)
{
    struct by_certificate *credential = (struct by_certificate *)base;
    struct ei_keypair pair = {0};
    enum ei_err rc = load(credential, &pair, err);

    if (rc != EI_OK)
        return rc;
    ei_keypair_free(&credential->pair);
    credential->pair = pair;
    return EI_OK;
}

static enum ei_err check(const struct ei_credential *base, struct ei_error *err)
{
    const struct by_certificate *credential = (const struct by_certificate *)base;
    int64_t now = ei_now();
    char here[EI_TIME_TEXT];
    char date[EI_TIME_TEXT];

    ei_time_format(now, here);
    if (now < credential->pair.not_before) {
        ei_time_format(credential->pair.not_before, date);
        return ei_fail(err, EI_CERTIFICATE_EARLY, "%s: the certificate is not valid before %s, and here it is %s",
                       credential->certificate_path, date, here);
    }
    if (now > credential->pair.not_after) {
        ei_time_format(credential->pair.not_after, date);
        return ei_fail(err, EI_CERTIFICATE_EXPIRED, "%s: the certificate expired at %s, and here it is %s",
                       credential->certificate_path, date, here);
    }
    return EI_OK;
}

static enum ei_err make_request(struct ei_credential *base, const struct ei_token_app *app,
                                struct ei_token_request *request, struct ei_error *err)
{
    const struct by_certificate *credential = (const struct by_certificate *)base;
    char audience[EI_TOKEN_TARGET_MAX];
    struct ei_buffer assertion;
    enum ei_err rc = check(base, err);

    if (rc != EI_OK)
        return rc;
    snprintf(audience, sizeof audience, "%s/%s/oauth2/v2.0/token", app->login_url, app->tenant);
    ei_buffer_init(&assertion, ASSERTION_MAX);
    rc = ei_assertion_append(&assertion, credential->pair.key, credential->pair.thumbprint, audience, app->client_id,
                             err);
    if (rc == EI_OK)
        rc = ei_token_form_assertion(request, app, assertion.data, err);
    ei_buffer_free(&assertion);
    return rc;
}

/* "invalid_client" alone is about a secret only where there is one. */
static bool refused(struct ei_credential *base, struct ei_graph_result *result, const char *challenge)
{
    (void)base;
    (void)challenge;
    if (result->error.code == EI_SECRET_WRONG)
        result->error.code = EI_ASSERTION_REFUSED;
    return false;
}

static int64_t expires(const struct ei_credential *base)
{
    return ((const struct by_certificate *)base)->pair.not_after;
}

static void free_certificate(struct ei_credential *base)
{
    struct by_certificate *credential = (struct by_certificate *)base;

    ei_keypair_free(&credential->pair);
    free(credential->key_path);
    free(credential->certificate_path);
    free(credential->passphrase_path);
    free(credential);
}

static const struct ei_credential_ops type = {
    .name = "certificate",
    .request = make_request,
    .refused = refused,
    .reload = reload,
    .check = check,
    .expires = expires,
    .free = free_certificate,
};

enum ei_err ei_credential_certificate(const struct ei_certificate_files *files, struct ei_credential **ret_credential,
                                      struct ei_error *err)
{
    struct by_certificate *credential = calloc(1, sizeof *credential);
    enum ei_err rc;

    if (credential == NULL)
        return ei_fail(err, EI_NOMEM, "%s: no memory to hold it", files->key);
    credential->base.type = &type;
    credential->key_path = strdup(files->key);
    credential->certificate_path = strdup(files->certificate);
    credential->passphrase_path = files->passphrase != NULL ? strdup(files->passphrase) : NULL;
    if (credential->key_path == NULL || credential->certificate_path == NULL ||
        (files->passphrase != NULL && credential->passphrase_path == NULL))
        rc = ei_fail(err, EI_NOMEM, "%s: no memory to hold it", files->key);
    else
        rc = load(credential, &credential->pair, err);
    if (rc != EI_OK) {
        free_certificate(&credential->base);
        return rc;
    }
    *ret_credential = &credential->base;
    return EI_OK;
}

/* A token of another issuer, in place of a signature of our own (contract 1.3). */
#include "common/graph/credential_type.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/base/service_user.h"
#include "common/graph/jwt.h"
#include "common/graph/memory.h"

struct by_token {
    struct ei_credential base;
    char *path;
};

/* Three parts of base64url with dots between (RFC 7519, 3): nothing else is worth sending, such as a file that is being
 * written. */
static bool is_jwt(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    for (int part = 0; part < 3; part++) {
        size_t length = strspn(text, allowed);
        if (length == 0 || text[length] != (part < 2 ? '.' : '\0'))
            return false;
        text += length + 1;
    }
    return true;
}

static enum ei_err read_token(const struct by_token *credential, struct ei_secret *token, struct ei_error *err)
{
    enum ei_err rc = ei_secret_read_rotated(credential->path, token, err);

    if (rc == EI_SECRET_FILE || rc == EI_IO) { /* whoever writes it, or the disk, may do better next time */
        if (err != NULL)
            err->code = EI_TOKEN_FILE;
        return EI_TOKEN_FILE;
    }
    if (rc == EI_OK && !is_jwt(token->data)) {
        ei_secret_free(token);
        return ei_fail(err, EI_TOKEN_FILE, "%s: holds no token (JWT)", credential->path);
    }
    return rc;
}

static enum ei_err make_request(struct ei_credential *base, const struct ei_token_app *app,
                                struct ei_token_request *request, struct ei_error *err)
{
    struct ei_secret token = {0};
    enum ei_err rc = read_token((const struct by_token *)base, &token, err);

    if (rc == EI_OK)
        rc = ei_token_form_assertion(request, app, token.data, err);
    ei_secret_free(&token);
    return rc;
}

/* For a person who asks. A request is made all the same: the clock may be ours that is wrong, and Microsoft judges. */
static enum ei_err check_end(const struct by_token *credential, const struct ei_secret *token, struct ei_error *err)
{
    cJSON *claims = ei_jwt_claims(token->data);
    int64_t end = INT64_MAX;
    char date[EI_TIME_TEXT];
    char here[EI_TIME_TEXT];

    (void)ei_json_int(claims, "exp", &end);
    ei_graph_json_free(claims);
    if (ei_now() < end)
        return EI_OK;
    ei_time_format(end, date);
    ei_time_format(ei_now(), here);
    return ei_fail(err, EI_ASSERTION_TIME, "%s: the token in it expired at %s, and here it is %s", credential->path,
                   date, here);
}

static enum ei_err check(const struct ei_credential *base, struct ei_error *err)
{
    const struct by_token *credential = (const struct by_token *)base;
    struct ei_secret token = {0};
    enum ei_err rc = read_token(credential, &token, err);

    if (rc == EI_OK)
        rc = check_end(credential, &token, err);
    ei_secret_free(&token);
    int reason = rc == EI_OK ? ei_service_user_access(credential->path, R_OK) : 0;
    if (reason != 0)
        rc = ei_fail(err, EI_TOKEN_FILE, "%s: the user entra-invite cannot read it: %s", credential->path,
                     strerror(reason));
    return rc;
}

/* What is about a secret or a certificate of ours elsewhere is about the token here. */
static bool refused(struct ei_credential *base, struct ei_graph_result *result, const char *challenge)
{
    const struct by_token *credential = (const struct by_token *)base;
    const struct ei_error told = result->error;
    enum ei_err *code = &result->error.code;

    (void)challenge;
    /* Whoever writes the file was late; the next one may lie there already. */
    if (*code == EI_ASSERTION_TIME)
        ei_fail_again(&result->error, EI_TOKEN_STALE, "%s: the token is outside its time: %s", credential->path,
                      told.message);
    else if (*code == EI_SECRET_WRONG || *code == EI_ASSERTION_REFUSED || *code == EI_CERTIFICATE_INVALID)
        *code = EI_FEDERATION_MISMATCH;
    return false;
}

static void free_federated(struct ei_credential *base)
{
    free(((struct by_token *)base)->path);
    free(base);
}

static const struct ei_credential_ops type = {
    .name = "federated",
    .request = make_request,
    .refused = refused,
    .check = check,
    .free = free_federated,
};

enum ei_err ei_credential_federated(const char *path, struct ei_credential **ret_credential, struct ei_error *err)
{
    struct by_token *credential = calloc(1, sizeof *credential);

    if (credential != NULL)
        credential->path = strdup(path);
    if (credential == NULL || credential->path == NULL) {
        free(credential);
        return ei_fail(err, EI_NOMEM, "%s: no memory to hold it", path);
    }
    credential->base.type = &type;
    *ret_credential = &credential->base;
    return EI_OK;
}

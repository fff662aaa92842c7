/* A client secret in a file (contract 1.1, row 1). */
#include "common/graph/credential_type.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"

struct by_secret {
    struct ei_credential base;
    char *path;
    struct ei_secret secret;
};

static enum ei_err make_request(struct ei_credential *base, const struct ei_token_app *app,
                                struct ei_token_request *request, struct ei_error *err)
{
    const struct by_secret *credential = (const struct by_secret *)base;
    enum ei_err rc = ei_token_form_begin(request, app, "client_credentials", err);

    return rc == EI_OK ? ei_token_form_add(request, "client_secret", credential->secret.data, err) : rc;
}

static enum ei_err reload(struct ei_credential *base, struct ei_error *err)
{
    struct by_secret *credential = (struct by_secret *)base;
    struct ei_secret secret = {0};
    enum ei_err rc = ei_secret_read_file(credential->path, &secret, err);

    if (rc != EI_OK)
        return rc;
    ei_secret_free(&credential->secret);
    credential->secret = secret;
    return EI_OK;
}

static void free_secret(struct ei_credential *base)
{
    struct by_secret *credential = (struct by_secret *)base;

    ei_secret_free(&credential->secret);
    free(credential->path);
    free(credential);
}

static const struct ei_credential_ops type = {
    .name = "secret",
    .request = make_request,
    .reload = reload,
    .free = free_secret,
};

enum ei_err ei_credential_secret(const char *path, struct ei_credential **ret_credential, struct ei_error *err)
{
    struct by_secret *credential = calloc(1, sizeof *credential);

    if (credential == NULL)
        return ei_fail(err, EI_NOMEM, "%s: no memory to hold it", path);
    credential->base.type = &type;
    credential->path = strdup(path);
    enum ei_err rc = credential->path != NULL ? reload(&credential->base, err)
                                              : ei_fail(err, EI_NOMEM, "%s: no memory to hold it", path);
    if (rc != EI_OK) {
        free_secret(&credential->base);
        return rc;
    }
    *ret_credential = &credential->base;
    return EI_OK;
}

#include "common/graph/credential.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"
#include "common/graph/odata.h"

struct ei_credential {
    char *path;
    struct ei_secret secret;
};

enum ei_err ei_credential_secret(const char *path, struct ei_credential **ret_credential, struct ei_error *err)
{
    enum ei_err rc = EI_NOMEM;
    struct ei_credential *credential = calloc(1, sizeof *credential);

    if (credential == NULL || (credential->path = strdup(path)) == NULL) {
        ei_fail(err, EI_NOMEM, "%s: no memory to hold it", path);
        goto out;
    }
    rc = ei_secret_read_file(path, &credential->secret, err);
    if (rc != EI_OK)
        goto out;
    *ret_credential = credential;
    credential = NULL; /* transferred */
out:
    ei_credential_free(credential);
    return rc;
}

enum ei_err ei_credential_reload(struct ei_credential *credential, struct ei_error *err)
{
    struct ei_secret secret = {0};
    enum ei_err rc = ei_secret_read_file(credential->path, &secret, err);

    if (rc != EI_OK)
        return rc;
    ei_secret_free(&credential->secret);
    credential->secret = secret;
    return EI_OK;
}

void ei_credential_free(struct ei_credential *credential)
{
    if (credential == NULL)
        return;
    ei_secret_free(&credential->secret);
    free(credential->path);
    free(credential);
}

enum ei_err ei_credential_add_to_form(const struct ei_credential *credential, struct ei_buffer *form,
                                      struct ei_error *err)
{
    if (!ei_buffer_append_text(form, "&client_secret=") || !ei_odata_encode(form, credential->secret.data))
        return ei_fail(err, EI_NOMEM, "%s: no memory for the token request", credential->path);
    return EI_OK;
}

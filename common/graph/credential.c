#include "common/graph/credential_type.h"

#include <stdio.h>
#include <string.h>

#include "common/graph/odata.h"
#include "common/graph/transfer.h"

enum ei_err ei_credential_reload(struct ei_credential *credential, struct ei_error *err)
{
    return credential->type->reload != NULL ? credential->type->reload(credential, err) : EI_OK;
}

enum ei_err ei_credential_check(const struct ei_credential *credential, struct ei_error *err)
{
    return credential->type->check != NULL ? credential->type->check(credential, err) : EI_OK;
}

int64_t ei_credential_expires(const struct ei_credential *credential)
{
    return credential->type->expires != NULL ? credential->type->expires(credential) : 0;
}

void ei_credential_free(struct ei_credential *credential)
{
    if (credential != NULL)
        credential->type->free(credential);
}

/* --- what types share --- */

static enum ei_err no_memory(struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "no memory for the token request");
}

void ei_token_request_init(struct ei_token_request *request)
{
    *request = (struct ei_token_request){.method = EI_POST, .service = EI_SERVICE_LOGIN};
    ei_buffer_init(&request->form, EI_TOKEN_FORM_MAX);
}

void ei_token_request_free(struct ei_token_request *request)
{
    ei_buffer_free(&request->form);
    ei_headers_free(request->headers);
    request->headers = NULL;
}

enum ei_err ei_token_form_add(struct ei_token_request *request, const char *name, const char *value,
                              struct ei_error *err)
{
    struct ei_buffer *form = &request->form;

    if ((form->length != 0 && !ei_buffer_append_text(form, "&")) || !ei_buffer_append_text(form, name) ||
        !ei_buffer_append_text(form, "=") || !ei_odata_encode(form, value))
        return no_memory(err);
    return EI_OK;
}

/* scope names the cloud's own Graph root (contract 0). */
static enum ei_err add_scope(struct ei_token_request *request, const struct ei_token_app *app, struct ei_error *err)
{
    enum ei_err rc = ei_token_form_add(request, "scope", app->graph_url, err);

    if (rc == EI_OK && !ei_buffer_append_text(&request->form, "%2F.default"))
        rc = no_memory(err);
    return rc;
}

enum ei_err ei_token_form_grant(struct ei_token_request *request, const struct ei_token_app *app, const char *grant,
                                struct ei_error *err)
{
    enum ei_err rc = ei_token_form_add(request, "grant_type", grant, err);

    if (rc == EI_OK)
        rc = ei_token_form_add(request, "client_id", app->client_id, err);
    request->method = EI_POST;
    request->service = EI_SERVICE_LOGIN;
    snprintf(request->target, sizeof request->target, "/%s/oauth2/v2.0/token", app->tenant);
    return rc;
}

enum ei_err ei_token_form_begin(struct ei_token_request *request, const struct ei_token_app *app, const char *grant,
                                struct ei_error *err)
{
    enum ei_err rc = ei_token_form_grant(request, app, grant, err);

    return rc == EI_OK ? add_scope(request, app, err) : rc;
}

enum ei_err ei_token_form_assertion(struct ei_token_request *request, const struct ei_token_app *app,
                                    const char *assertion, struct ei_error *err)
{
    enum ei_err rc = ei_token_form_begin(request, app, "client_credentials", err);

    if (rc == EI_OK)
        rc = ei_token_form_add(request, "client_assertion_type",
                               "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", err);
    if (rc == EI_OK)
        rc = ei_token_form_add(request, "client_assertion", assertion, err);
    return rc;
}

enum ei_err ei_token_header_add(struct ei_token_request *request, const char *line, struct ei_error *err)
{
    struct curl_slist *list = curl_slist_append(request->headers, line);

    if (list == NULL)
        return no_memory(err);
    request->headers = list;
    return EI_OK;
}

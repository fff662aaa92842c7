/* A person's sign-in: a refresh token, and what keeps it good (contract 1.5). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/graph/credential_type.h"
#include "common/graph/sign_in_file.h"

struct by_device {
    struct ei_credential base;
    char *path;
    bool loaded;
    struct ei_sign_in_record record; /* without a refresh token: nobody is signed in */
    char why_none[EI_MESSAGE_MAX];
    unsigned serial; /* of the sign-in; a token that was asked for by an earlier one brings nothing */
    unsigned serial_asked;
    bool unsaved; /* and said */
};

static bool is_signed_in(const struct by_device *credential)
{
    return credential->record.refresh_token.length != 0;
}

static const char *who(const struct by_device *credential)
{
    const char *name = credential->record.sign_in.person.name;

    return name[0] != '\0' ? name : "whoever signed in";
}

static enum ei_err load(struct by_device *credential, struct ei_error *err)
{
    struct ei_sign_in_record record = {0};
    struct ei_error why = {0};
    enum ei_err rc = ei_sign_in_file_read(credential->path, &record, &why);

    if (rc == EI_NOT_FOUND)
        ei_fail(&why, rc, "nobody has signed in yet");
    /* A file that was removed ends the sign-in; one that cannot be read just now does not. */
    if (rc != EI_OK && rc != EI_NOT_FOUND && is_signed_in(credential)) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    ei_sign_in_record_free(&credential->record);
    credential->record = record;
    credential->loaded = !ei_err_may_pass(rc); /* else the next request looks again */
    memcpy(credential->why_none, why.message, sizeof why.message);
    return EI_OK;
}

static enum ei_err no_sign_in(const struct by_device *credential, const struct ei_token_app *app, struct ei_error *err)
{
    const struct ei_sign_in_record *record = &credential->record;

    if (!is_signed_in(credential))
        return ei_fail(err, EI_SIGN_IN_NEEDED, "%s", credential->why_none);
    /* It must reach nobody but who gave it (and S23: it is for this app). */
    if (strcasecmp(record->client_id, app->client_id) != 0 || strcmp(record->login_url, app->login_url) != 0 ||
        strcmp(record->graph_url, app->graph_url) != 0)
        return ei_fail(err, EI_SIGN_IN_NEEDED, "the sign-in of %s was for another app or cloud (client_id %s, %s)",
                       who(credential), record->client_id, record->login_url);
    return EI_OK;
}

static enum ei_err request(struct ei_credential *base, const struct ei_token_app *app, struct ei_token_request *request,
                           struct ei_error *err)
{
    struct by_device *credential = (struct by_device *)base;
    enum ei_err rc = credential->loaded ? EI_OK : load(credential, err);

    if (rc == EI_OK)
        rc = no_sign_in(credential, app, err);
    if (rc == EI_OK)
        rc = ei_token_form_grant(request, app, "refresh_token", err);
    if (rc == EI_OK)
        rc = ei_token_form_add(request, "scope", credential->record.scope, err);
    if (rc == EI_OK)
        rc = ei_token_form_add(request, "refresh_token", credential->record.refresh_token.data, err);
    request->about = EI_ABOUT_SIGN_IN;
    credential->serial_asked = credential->serial;
    return rc;
}

/* Microsoft lets the old one live on, so a file that cannot be written now costs nothing yet: it is tried again with
 * the next token, and until then the old one is in the file. */
static void save(struct by_device *credential)
{
    struct ei_error err;

    EI_FAILPOINT("R1");
    if (ei_sign_in_file_write(credential->path, &credential->record, &err) == EI_OK) {
        EI_FAILPOINT("R2");
        credential->unsaved = false;
    } else if (!credential->unsaved) {
        ei_log_error_event(LOG_WARNING, EI_LOG_SIGN_IN_FAILED, "the renewed sign-in cannot be kept", &err);
        credential->unsaved = true;
    }
}

static enum ei_err granted(struct ei_credential *base, const cJSON *json, struct ei_error *err)
{
    struct by_device *credential = (struct by_device *)base;
    const char *text = ei_json_string(json, "refresh_token");

    if (credential->serial_asked != credential->serial || !is_signed_in(credential))
        return EI_OK;
    /* A service need not send a new one: the old one is good then (RFC 6749, 6). */
    enum ei_err rc = text != NULL ? ei_sign_in_record_token(&credential->record, text, err) : EI_OK;
    if (rc != EI_OK)
        return rc;
    credential->record.sign_in.renewed_at = ei_now();
    save(credential);
    return EI_OK;
}

/* Whatever ends a sign-in, a new one mends it. */
static bool refused(struct ei_credential *base, struct ei_graph_result *result, const char *challenge)
{
    const struct by_device *credential = (const struct by_device *)base;
    enum ei_err code = result->error.code;
    char said[EI_MESSAGE_MAX];

    (void)challenge;
    if (code == EI_SIGN_IN_DECLINED || code == EI_SIGN_IN_EXPIRED)
        code = EI_SIGN_IN_NEEDED;
    if (code != EI_SIGN_IN_NEEDED || !is_signed_in(credential))
        return false;
    memcpy(said, result->error.message, sizeof said);
    ei_fail_again(&result->error, code, "%s is not signed in any more: %.*s", who(credential),
                  EI_MESSAGE_MAX - EI_PERSON_NAME - 64, said);
    return false;
}

/* What could not be written yet is newer than the file. */
static enum ei_err reload(struct ei_credential *base, struct ei_error *err)
{
    struct by_device *credential = (struct by_device *)base;

    if (!credential->unsaved)
        return load(credential, err);
    save(credential);
    return EI_OK;
}

static enum ei_err check(const struct ei_credential *base, struct ei_error *err)
{
    const struct by_device *credential = (const struct by_device *)base;
    struct ei_sign_in_record record = {0};
    enum ei_err rc = ei_sign_in_file_read(credential->path, &record, err);

    ei_sign_in_record_free(&record);
    return rc == EI_NOT_FOUND ? EI_OK : rc;
}

static void free_device(struct ei_credential *base)
{
    struct by_device *credential = (struct by_device *)base;

    ei_sign_in_record_free(&credential->record);
    free(credential->path);
    free(credential);
}

static const struct ei_credential_ops type = {
    .name = "device-code",
    .request = request,
    .granted = granted,
    .refused = refused,
    .reload = reload,
    .check = check,
    .free = free_device,
};

enum ei_err ei_credential_device(const char *path, struct ei_credential **ret_credential, struct ei_error *err)
{
    struct by_device *credential = calloc(1, sizeof *credential);

    if (credential != NULL)
        credential->base.type = &type;
    if (credential == NULL || (credential->path = strdup(path)) == NULL) {
        free(credential);
        return ei_fail(err, EI_NOMEM, "%s: no memory to hold it", path);
    }
    *ret_credential = &credential->base;
    return EI_OK;
}

/* --- a new sign-in, and what is known of the one there is --- */

static bool copy(char **to, const char *from)
{
    *to = strdup(from);
    return *to != NULL;
}

static enum ei_err make_record(const struct ei_graph *graph, const struct ei_signed_in *signed_in,
                               struct ei_sign_in_record *record, struct ei_error *err)
{
    record->sign_in.person = signed_in->person;
    record->sign_in.signed_in_at = record->sign_in.renewed_at = ei_now();
    if (!copy(&record->client_id, graph->client_id) || !copy(&record->login_url, graph->login_url) ||
        !copy(&record->graph_url, graph->graph_url) || !copy(&record->scope, signed_in->scope))
        return ei_fail(err, EI_NOMEM, "no memory for the sign-in");
    return ei_sign_in_record_token(record, signed_in->refresh_token, err);
}

enum ei_err ei_graph_keep_sign_in(struct ei_graph *graph, const struct ei_signed_in *signed_in, struct ei_error *err)
{
    struct by_device *credential = (struct by_device *)graph->credential;
    struct ei_sign_in_record record = {0};

    if (graph->credential->type != &type)
        return ei_fail(err, EI_STATE, "the credential is %s: nobody signs in for it", graph->credential->type->name);
    enum ei_err rc = make_record(graph, signed_in, &record, err);
    if (rc == EI_OK)
        rc = ei_sign_in_file_write(credential->path, &record, err);
    if (rc != EI_OK) {
        ei_sign_in_record_free(&record);
        return rc;
    }
    ei_sign_in_record_free(&credential->record);
    credential->record = record;
    credential->loaded = true;
    credential->unsaved = false;
    credential->serial++;
    ei_token_drop(graph);
    return EI_OK;
}

bool ei_credential_sign_in(struct ei_credential *base, struct ei_sign_in *ret_sign_in)
{
    struct by_device *credential = (struct by_device *)base;
    struct ei_error err;

    if (base->type != &type)
        return false;
    if (!credential->loaded)
        (void)load(credential, &err);
    if (!is_signed_in(credential))
        return false;
    *ret_sign_in = credential->record.sign_in;
    return true;
}

bool ei_credential_has_permission(const struct ei_credential *base, const char *permission)
{
    const struct by_device *credential = (const struct by_device *)base;
    size_t length = strlen(permission);
    const char *at = base->type == &type ? credential->record.scope : NULL;

    while (at != NULL && (at = strstr(at, permission)) != NULL) {
        if (at > credential->record.scope && at[-1] == '/' && (at[length] == ' ' || at[length] == '\0'))
            return true;
        at += length;
    }
    return false;
}

#include "plugin/worker/credential.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/graph/sign_in.h"

enum {
    DAY = 24 * 60 * 60,
    WARN_BEFORE = 30 * DAY,    /* seconds */
    LOOK_EVERY_MS = 60 * 1000, /* at the dates */
    SAY_EVERY_MS = DAY * 1000,
};

static enum ei_err read_certificate(const struct ei_credential_settings *settings,
                                    struct ei_credential **ret_credential, struct ei_error *err)
{
    const struct ei_certificate_files files = {
        .key = settings->file,
        .certificate = settings->certificate,
        .passphrase = settings->passphrase_file,
    };
    return ei_credential_certificate(&files, ret_credential, err);
}

/* Not read here: the directory is the service user's own, and root has no business in it. */
static enum ei_err use_sign_in(const struct ei_config *config, struct ei_credential **ret_credential,
                               struct ei_error *err)
{
    char *path = NULL;

    if (asprintf(&path, "%s/private/refresh-token", config->state_dir) < 0)
        return ei_fail(err, EI_NOMEM, "no memory for the credential");
    enum ei_err rc = ei_credential_device(path, ret_credential, err);
    free(path);
    return rc;
}

enum ei_err ei_worker_credential(const struct ei_config *config, struct ei_credential **ret_credential,
                                 struct ei_error *err)
{
    const struct ei_credential_settings *settings = &config->credential;

    switch (settings->type) {
    case EI_CREDENTIAL_SECRET:
        return ei_credential_secret(settings->file, ret_credential, err);
    case EI_CREDENTIAL_CERTIFICATE:
        return read_certificate(settings, ret_credential, err);
    case EI_CREDENTIAL_FEDERATED:
        return ei_credential_federated(settings->file, ret_credential, err);
    case EI_CREDENTIAL_MANAGED_IDENTITY:
        return ei_credential_managed(settings->endpoint, settings->identity_client_id, ret_credential, err);
    case EI_CREDENTIAL_DEVICE_CODE:
        return use_sign_in(config, ret_credential, err);
    }
    return ei_fail(err, EI_CONFIG, "%s: no type of credential that is known", config->path);
}

/* It is the credential that blocks the worker. */
static bool refused(enum ei_err code)
{
    return code == EI_SECRET_WRONG || code == EI_SECRET_EXPIRED || code == EI_ASSERTION_REFUSED ||
           code == EI_ASSERTION_TIME || code == EI_CERTIFICATE_INVALID || code == EI_CERTIFICATE_EXPIRED ||
           code == EI_CERTIFICATE_EARLY || code == EI_FEDERATION_MISMATCH;
}

/* After the drop from root a file for root only cannot be read any more. That is no news as long as what it held then
 * still works. */
void ei_worker_credential_reload(struct ei_worker *w)
{
    struct ei_error err;

    if (ei_credential_reload(w->credential, &err) == EI_OK) {
        if (ei_credential_expires(w->credential) != w->expiry_said)
            w->expiry_look_ms = 0;
        return;
    }
    if (refused(w->blocked.code) || err.code != EI_SECRET_FILE)
        ei_log_event(
            LOG_WARNING, EI_LOG_CREDENTIAL_KEPT,
            "the credential is kept as it was read before (%s): correct the file; if only root may read it, start "
            "entra-invited again, or let the user entra-invite own the file",
            err.message);
}

void ei_worker_credential_watch(struct ei_worker *w)
{
    int64_t now_ms = ei_monotonic_ms();

    if (now_ms < w->expiry_look_ms)
        return;
    w->expiry_look_ms = now_ms + LOOK_EVERY_MS;
    int64_t expires = ei_credential_expires(w->credential);
    int64_t left = expires - ei_now();
    if (expires == 0 || left <= 0 || left > WARN_BEFORE)
        return; /* one that has ended blocks the worker, which says so */
    char date[EI_TIME_TEXT];
    ei_time_format(expires, date);
    ei_log_event(LOG_WARNING, EI_LOG_CREDENTIAL_ENDS,
                 "the credential expires at %s, in %" PRId64
                 " days: add a new certificate to the app (Certificates & secrets), "
                 "then replace the files",
                 date, left / DAY);
    w->expiry_look_ms = now_ms + SAY_EVERY_MS;
    w->expiry_said = expires;
}

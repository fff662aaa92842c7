#include "plugin/worker/credential.h"

enum ei_err ei_worker_credential(const struct ei_config *config, struct ei_credential **ret_credential,
                                 struct ei_error *err)
{
    const struct ei_credential_settings *settings = &config->credential;

    switch (settings->type) {
    case EI_CREDENTIAL_SECRET:
        return ei_credential_secret(settings->file, ret_credential, err);
    case EI_CREDENTIAL_CERTIFICATE:
    case EI_CREDENTIAL_FEDERATED:
    case EI_CREDENTIAL_MANAGED_IDENTITY:
    case EI_CREDENTIAL_DEVICE_CODE:
        break;
    }
    return ei_fail(err, EI_CONFIG, "%s: this version cannot use this type of credential", config->path);
}

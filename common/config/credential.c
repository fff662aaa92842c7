/* The group credential: what each type needs, may have, and must not have. */
#include "common/config/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/guid.h"
#include "common/config/keys.h"

enum { NAMES_MAX = 160 };

/* Bits for the keys beside type. */
enum {
    FILE_KEY = 1,
    NAME_KEY = 2,
    CERTIFICATE_KEY = 4,
    PASSPHRASE_KEY = 8,
    ENDPOINT_KEY = 16,
    IDENTITY_KEY = 32,
};

static const struct {
    const char *name;
    unsigned bit;
    const char *belongs; /* to which types */
} keys[] = {
    {"file", FILE_KEY, "secret, certificate and federated"}, {"credential_name", NAME_KEY, "secret and certificate"},
    {"certificate", CERTIFICATE_KEY, "certificate"},         {"passphrase_name", PASSPHRASE_KEY, "certificate"},
    {"endpoint", ENDPOINT_KEY, "managed-identity"},          {"identity_client_id", IDENTITY_KEY, "managed-identity"},
};

static const struct {
    const char *name;
    enum ei_credential_type type;
    unsigned may_have;
} types[] = {
    {"secret", EI_CREDENTIAL_SECRET, FILE_KEY | NAME_KEY},
    {"certificate", EI_CREDENTIAL_CERTIFICATE, FILE_KEY | NAME_KEY | CERTIFICATE_KEY | PASSPHRASE_KEY},
    {"federated", EI_CREDENTIAL_FEDERATED, FILE_KEY | NAME_KEY /* refused with the reason */},
    {"managed-identity", EI_CREDENTIAL_MANAGED_IDENTITY, ENDPOINT_KEY | IDENTITY_KEY},
    {"device-code", EI_CREDENTIAL_DEVICE_CODE, 0},
};

enum { TYPES = sizeof types / sizeof types[0], KEYS = sizeof keys / sizeof keys[0] };

void ei_credential_settings_free(struct ei_credential_settings *credential)
{
    free(credential->file);
    free(credential->certificate);
    free(credential->passphrase_file);
    free(credential->endpoint);
    free(credential->identity_client_id);
    *credential = (struct ei_credential_settings){0};
}

static void name_types(char names[NAMES_MAX])
{
    names[0] = '\0';
    for (size_t i = 0; i < TYPES; i++) {
        size_t used = strlen(names);
        snprintf(names + used, NAMES_MAX - used, "%s\"%s\"", used != 0 ? ", " : "", types[i].name);
    }
}

static enum ei_err find_type(const config_setting_t *group, size_t *ret_index, struct ei_error *err)
{
    const config_setting_t *type = config_setting_get_member(group, "type");
    char names[NAMES_MAX];

    name_types(names);
    if (type == NULL)
        return ei_keys_fail(group, err, "type is missing; it is one of %s", names);
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(config_setting_get_string(type), types[i].name) != 0)
            continue;
        *ret_index = i;
        return EI_OK;
    }
    return ei_keys_fail(type, err, "\"%.40s\" is no type of credential; it is one of %s",
                        config_setting_get_string(type), names);
}

static enum ei_err check_keys(const config_setting_t *group, size_t type, struct ei_error *err)
{
    for (size_t i = 0; i < KEYS; i++) {
        const config_setting_t *member = config_setting_get_member(group, keys[i].name);
        if (member == NULL || (types[type].may_have & keys[i].bit) != 0)
            continue;
        return ei_keys_fail(member, err, "is for %s; this credential's type is \"%s\"", keys[i].belongs,
                            types[type].name);
    }
    return EI_OK;
}

/* What the type proves itself with: a file, or a credential of systemd's. */
static enum ei_err read_file_or_name(const config_setting_t *group, struct ei_credential_settings *credential,
                                     struct ei_error *err)
{
    const config_setting_t *file = config_setting_get_member(group, "file");
    const config_setting_t *name = config_setting_get_member(group, "credential_name");

    if ((file != NULL) == (name != NULL))
        return ei_keys_fail(group, err, "it needs either file or credential_name, and not both");
    return ei_read_secret_file(group, "file", "credential_name", &credential->file, err);
}

static enum ei_err read_certificate(const config_setting_t *group, struct ei_credential_settings *credential,
                                    struct ei_error *err)
{
    if (config_setting_get_member(group, "certificate") == NULL)
        return ei_keys_fail(group, err, "certificate is missing; it must be the certificate's file (PEM)");
    enum ei_err rc = read_file_or_name(group, credential, err);
    if (rc == EI_OK)
        rc = ei_read_path(group, "certificate", NULL, &credential->certificate, err);
    if (rc == EI_OK)
        rc = ei_read_secret_file(group, NULL, "passphrase_name", &credential->passphrase_file, err);
    return rc;
}

static enum ei_err read_federated(const config_setting_t *group, struct ei_credential_settings *credential,
                                  struct ei_error *err)
{
    const config_setting_t *name = config_setting_get_member(group, "credential_name");

    if (name != NULL)
        return ei_keys_fail(
            name, err,
            "a credential of systemd's is fixed while the service runs, and a federated token is renewed "
            "all the time: set file to where it is renewed");
    if (config_setting_get_member(group, "file") == NULL)
        return ei_keys_fail(group, err, "file is missing; it must be the file of the federated token");
    return ei_read_path(group, "file", NULL, &credential->file, err);
}

/* The rest of what an endpoint must be is judged where it is used. */
static enum ei_err read_managed(const config_setting_t *group, struct ei_credential_settings *credential,
                                struct ei_error *err)
{
    const config_setting_t *endpoint = config_setting_get_member(group, "endpoint");
    const config_setting_t *id = config_setting_get_member(group, "identity_client_id");

    if (endpoint != NULL && strncmp(config_setting_get_string(endpoint), "http://", strlen("http://")) != 0 &&
        strncmp(config_setting_get_string(endpoint), "https://", strlen("https://")) != 0)
        return ei_keys_fail(endpoint, err, "must be a URL: http://HOST/PATH on this machine, or https://HOST/PATH");
    if (id != NULL && !ei_guid_valid(config_setting_get_string(id)))
        return ei_keys_fail(id, err,
                            "\"%.100s\" is not a client id, which looks like 00000000-0000-0000-0000-000000000000",
                            config_setting_get_string(id));
    enum ei_err rc = ei_read_text(group, "endpoint", NULL, &credential->endpoint, err);
    return rc == EI_OK ? ei_read_text(group, "identity_client_id", NULL, &credential->identity_client_id, err) : rc;
}

enum ei_err ei_read_credential(const config_setting_t *root, struct ei_credential_settings *credential,
                               struct ei_error *err)
{
    const config_setting_t *group = config_setting_get_member(root, "credential");
    size_t type = 0;

    if (group == NULL)
        return ei_read_missing(root, "credential", "{ type = \"secret\"; file = \"/etc/entra-invite/client-secret\"; }",
                               err);
    enum ei_err rc = find_type(group, &type, err);
    if (rc == EI_OK)
        rc = check_keys(group, type, err);
    if (rc != EI_OK)
        return rc;
    credential->type = types[type].type;
    switch (credential->type) {
    case EI_CREDENTIAL_SECRET:
        return read_file_or_name(group, credential, err);
    case EI_CREDENTIAL_CERTIFICATE:
        return read_certificate(group, credential, err);
    case EI_CREDENTIAL_FEDERATED:
        return read_federated(group, credential, err);
    case EI_CREDENTIAL_MANAGED_IDENTITY:
        return read_managed(group, credential, err);
    case EI_CREDENTIAL_DEVICE_CODE:
        break;
    }
    return EI_OK;
}

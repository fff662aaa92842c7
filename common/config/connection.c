#include "common/config/read.h"

#include <string.h>
#include <strings.h>

#include "common/base/guid.h"
#include "common/config/keys.h"

/* Where the clouds are (contract 0). China's login root is documented in two forms, and nothing says which of them a
 * tenant needs, so each is a cloud of its own. */
static const struct {
    const char *name;
    const char *login_url;
    const char *graph_url;
} clouds[] = {
    {"global", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
    {"usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
    {"usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
    {"china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"},
    {"china-chinacloudapi", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
};

static bool domain_or_id(const char *tenant)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    static const char *const shared[] = {"common", "organizations", "consumers"};

    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (strcasecmp(tenant, shared[i]) == 0)
            return false;
    return ei_guid_valid(tenant) || (strchr(tenant, '.') != NULL && strspn(tenant, allowed) == strlen(tenant) &&
                                     tenant[0] != '.' && tenant[0] != '-' && strstr(tenant, "..") == NULL);
}

enum ei_err ei_read_tenant(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    enum ei_err rc = ei_read_text(root, "tenant", "", &c->tenant, err);

    if (rc != EI_OK)
        return rc;
    if (c->tenant[0] == '\0')
        return ei_read_missing(root, "tenant", "the tenant's domain or id, such as \"contoso.onmicrosoft.com\"", err);
    if (!domain_or_id(c->tenant))
        return ei_keys_fail(config_setting_get_member(root, "tenant"), err,
                            "\"%.100s\" is neither a domain name nor a tenant's id", c->tenant);
    return EI_OK;
}

enum ei_err ei_read_client_id(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    enum ei_err rc = ei_read_text(root, "client_id", "", &c->client_id, err);

    if (rc != EI_OK)
        return rc;
    if (c->client_id[0] == '\0' && c->credential.type == EI_CREDENTIAL_MANAGED_IDENTITY)
        return EI_OK;
    if (c->client_id[0] == '\0')
        return ei_read_missing(root, "client_id", "the app registration's Application (client) ID", err);
    if (!ei_guid_valid(c->client_id))
        return ei_keys_fail(config_setting_get_member(root, "client_id"), err,
                            "\"%.100s\" is not an Application (client) ID, which looks like "
                            "00000000-0000-0000-0000-000000000000",
                            c->client_id);
    return EI_OK;
}

enum ei_err ei_read_cloud(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    const char *names[sizeof clouds / sizeof clouds[0] + 1] = {NULL};
    int cloud;

    for (size_t i = 0; i < sizeof clouds / sizeof clouds[0]; i++)
        names[i] = clouds[i].name;
    enum ei_err rc = ei_read_choice(root, "cloud", names, &cloud, err);
    if (rc == EI_OK)
        rc = ei_read_root_url(root, "login_url", clouds[cloud].login_url, &c->login_url, err);
    if (rc == EI_OK)
        rc = ei_read_root_url(root, "graph_url", clouds[cloud].graph_url, &c->graph_url, err);
    if (rc == EI_OK)
        rc = ei_read_text(root, "ca_file", NULL, &c->ca_file, err);
    if (rc == EI_OK && c->ca_file != NULL && c->ca_file[0] != '/')
        rc = ei_keys_fail(config_setting_get_member(root, "ca_file"), err, "must be an absolute path");
    return rc;
}

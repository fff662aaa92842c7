#include "plugin/worker/reload.h"

#include "common/base/log.h"
#include "common/base/text.h"
#include "plugin/worker/accounts.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/publish.h"

static bool same_credential(const struct ei_credential_settings *a, const struct ei_credential_settings *b)
{
    return a->type == b->type && ei_text_same(a->file, b->file) && ei_text_same(a->certificate, b->certificate) &&
           ei_text_same(a->passphrase_file, b->passphrase_file) && ei_text_same(a->endpoint, b->endpoint) &&
           ei_text_same(a->identity_client_id, b->identity_client_id);
}

/* The key that only a start can change, NULL if there is none. */
static const char *fixed_key(const struct ei_config *old, const struct ei_config *new)
{
    const struct {
        const char *key;
        const char *old;
        const char *new;
    } keys[] = {
        {"tenant", old->tenant, new->tenant},
        {"client_id", old->client_id, new->client_id},
        {"login_url (or cloud)", old->login_url, new->login_url},
        {"graph_url (or cloud)", old->graph_url, new->graph_url},
        {"ca_file", old->ca_file, new->ca_file},
        {"state_dir", old->state_dir, new->state_dir},
        {"socket", old->socket, new->socket},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!ei_text_same(keys[i].old, keys[i].new))
            return keys[i].key;
    return same_credential(&old->credential, &new->credential) ? NULL : "credential";
}

static void put_in_force(struct ei_worker *w, struct ei_config *config, struct ei_carrier *carrier)
{
    struct ei_error err;

    w->config = config;
    ei_carrier_free(w->carrier);
    w->carrier = carrier;
    w->reconcile.config = config;
    ei_scan_thread_cover(w->scanner, &config->coverage);
    ei_config_free(w->reloaded);
    w->reloaded = config;
    ei_error_clear(&w->config_error);
    ei_config_warn(config);
    if (ei_publish_groups(w, &err) != EI_OK)
        ei_log_error_event(LOG_ERR, EI_LOG_VIEW_FAILED, "the covered groups cannot be published", &err);
    ei_log_event(LOG_NOTICE, EI_LOG_CONFIG_READ, "the configuration was read again");
    w->dirty = true;
}

void ei_reload_run(struct ei_worker *w)
{
    struct ei_config *config = NULL;
    struct ei_carrier *carrier = NULL;

    if (!w->reload_wanted || ei_scan_thread_busy(w->scanner))
        return;
    w->reload_wanted = false;
    enum ei_err rc = ei_config_load(w->config->path, &config, &w->config_error);
    const char *key = rc == EI_OK ? fixed_key(w->config, config) : NULL;
    if (key != NULL)
        rc = ei_fail(&w->config_error, EI_CONFIG, "%s: another %s needs a start", w->config->path, key);
    if (rc == EI_OK)
        rc = ei_carrier_load(config, &carrier, &w->config_error);
    if (rc == EI_OK) {
        put_in_force(w, config, carrier);
    } else {
        ei_log_error_event(LOG_ERR, EI_LOG_CONFIG_REFUSED, "the configuration is as it was before", &w->config_error);
        ei_config_free(config);
        w->dirty = true;
    }
    ei_accounts_scan_now(w);
}

/* What we send: who the configuration says carries it, in which words, and the values that go into them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/carrier_internal.h"
#include "plugin/worker/patience.h"

/* --- what the configuration says --- */

static enum ei_err load_relay(const struct ei_config *config, struct ei_relay *relay, struct ei_error *err)
{
    const struct ei_smtp_settings *smtp = &config->smtp;
    struct ei_error why;

    if (smtp->url == NULL)
        return EI_OK;
    *relay = (struct ei_relay){
        .url = smtp->url,
        .tls = smtp->tls,
        .user = smtp->user,
        .password_file = smtp->password_file,
        .ca_file = smtp->ca_file,
    };
    if (ei_mailbox_parse(smtp->from, &relay->from, &why) != EI_OK)
        return ei_fail(err, EI_CONFIG, "%s: smtp.from: %s", config->path, why.message);
    if (smtp->reply_to != NULL && ei_mailbox_parse(smtp->reply_to, &relay->reply_to, &why) != EI_OK)
        return ei_fail(err, EI_CONFIG, "%s: smtp.reply_to: %s", config->path, why.message);
    if (ei_relay_check(relay, &why) != EI_OK)
        return ei_fail(err, EI_CONFIG, "%s: smtp: %s", config->path, why.message);
    return EI_OK;
}

static enum ei_err load_webhook(const struct ei_config *config, struct ei_webhook *webhook, struct ei_error *err)
{
    struct ei_error why;

    if (config->webhook.url_file == NULL)
        return EI_OK;
    *webhook = (struct ei_webhook){
        .url_file = config->webhook.url_file,
        .token_file = config->webhook.token_file,
        .ca_file = config->webhook.ca_file,
        .format = config->webhook.format,
    };
    return ei_webhook_check(webhook, &why) == EI_OK
               ? EI_OK
               : ei_fail(err, EI_CONFIG, "%s: webhook: %s", config->path, why.message);
}

static enum ei_err load_templates(const struct ei_config *config, struct ei_carrier *carrier, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    if (config->template_count == 0)
        return EI_OK;
    carrier->templates = calloc(config->template_count, sizeof *carrier->templates);
    if (carrier->templates == NULL)
        return ei_fail(err, EI_NOMEM, "no memory for the templates");
    for (size_t i = 0; i < config->template_count && rc == EI_OK; i++) {
        rc = ei_template_load(config->templates[i].file, config->templates[i].kind, &carrier->templates[i], err);
        carrier->template_count++;
    }
    return rc;
}

enum ei_err ei_carrier_load(const struct ei_config *config, struct ei_carrier **ret_carrier, struct ei_error *err)
{
    struct ei_carrier *carrier = calloc(1, sizeof *carrier);

    if (carrier == NULL)
        return ei_fail(err, EI_NOMEM, "no memory for the relay and the templates");
    enum ei_err rc = load_relay(config, &carrier->relay, err);
    if (rc == EI_OK)
        rc = load_webhook(config, &carrier->webhook, err);
    if (rc == EI_OK)
        rc = load_templates(config, carrier, err);
    if (rc != EI_OK) {
        ei_carrier_free(carrier);
        return rc;
    }
    *ret_carrier = carrier;
    return EI_OK;
}

void ei_carrier_free(struct ei_carrier *carrier)
{
    if (carrier == NULL)
        return;
    for (size_t i = 0; i < carrier->template_count; i++)
        ei_template_free(carrier->templates[i]);
    free(carrier->templates);
    free(carrier);
}

/* --- the text --- */

static int fit(const struct ei_template_settings *one, enum ei_template_kind kind, const char *rule,
               const char *language)
{
    int score = 1;

    if (one->kind != kind || (one->rule != NULL && !ei_text_same(one->rule, rule)))
        return 0;
    if (one->rule != NULL)
        score += 4;
    if (one->language == NULL)
        return score;
    size_t length = strlen(one->language);
    if (strcasecmp(one->language, language) == 0)
        return score + 2;
    /* "de" is for "de-AT" too. */
    return strncasecmp(one->language, language, length) == 0 && language[length] == '-' ? score + 1 : 0;
}

/* The one for this rule before that for all, the one in this language before that in any. NULL: the built-in one. */
static const struct ei_template *pick(const struct ei_worker *w, enum ei_template_kind kind, const char *rule,
                                      const char *language)
{
    const struct ei_template *best = NULL;
    int most = 0;

    for (size_t i = 0; i < w->carrier->template_count; i++) {
        int score = fit(&w->config->templates[i], kind, rule, language);
        if (score > most) {
            most = score;
            best = w->carrier->templates[i];
        }
    }
    return best;
}

/* Those that a person can read: "alice@contoso.com, bob@contoso.com". */
static void name_sponsors(const struct ei_collaborator *c, char *text, size_t size)
{
    cJSON *list = c->sponsors != NULL ? ei_json_parse(c->sponsors, strlen(c->sponsors)) : NULL;
    const cJSON *item;
    size_t used = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(item, list)
    {
        const char *sponsor = cJSON_GetStringValue(item);
        const char *name = sponsor != NULL ? ei_sponsor_user(sponsor) : NULL;
        if (name != NULL && strchr(name, '@') != NULL && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used != 0 ? ", " : "", name);
    }
    cJSON_Delete(list);
}

void ei_carrier_fill(const struct ei_worker *w, const struct ei_collaborator *c, const struct ei_settings *settings,
                     struct ei_carrier_values *v)
{
    const struct ei_account *here = NULL;

    for (size_t i = 0; i < c->account_count && here == NULL; i++)
        if (strcmp(c->accounts[i].host, w->host) == 0 && c->accounts[i].state == EI_ACCOUNT_ACTIVE)
            here = &c->accounts[i];
    if (gethostname(v->host, sizeof v->host) != 0)
        v->host[0] = '\0';
    v->host[sizeof v->host - 1] = '\0';
    v->hosts[0] = v->host;
    name_sponsors(c, v->sponsors, sizeof v->sponsors);
    v->values = (struct ei_template_values){
        .name = settings->invite.invited_user_display_name,
        .login = here != NULL ? here->login : NULL,
        .email = c->addresses[0],
        .rule = settings->rule != NULL ? settings->rule->name : NULL,
        .url = c->redeem_url,
        .sponsor = v->sponsors,
        .hosts = v->hosts,
        .host_count = here != NULL && v->host[0] != '\0' ? 1 : 0,
        .expires = ei_patience_end(settings->rule, c),
    };
}

enum ei_err ei_carrier_render(const struct ei_worker *w, const struct ei_settings *settings, enum ei_template_kind kind,
                              const struct ei_carrier_values *v, struct ei_template_text *ret_text,
                              struct ei_error *err)
{
    const char *language = settings->invite.message_language;
    const struct ei_template *chosen =
        pick(w, kind, settings->rule != NULL ? settings->rule->name : NULL, language != NULL ? language : "");
    struct ei_template *built_in = NULL;
    enum ei_err rc = EI_OK;

    if (chosen == NULL) {
        rc = ei_template_builtin(kind, language, NULL, &built_in, err);
        chosen = built_in;
    }
    if (rc == EI_OK)
        rc = ei_template_render(chosen, &v->values, ret_text, err);
    ei_template_free(built_in);
    return rc;
}

enum ei_template_kind ei_carrier_kind(const struct ei_collaborator *c)
{
    return c->reminding ? EI_TEMPLATE_REMINDER : EI_TEMPLATE_INVITATION;
}

enum ei_err ei_carrier_text(struct ei_worker *w, const struct ei_collaborator *c, struct ei_template_text *ret_text,
                            struct ei_error *err)
{
    struct ei_settings settings;
    struct ei_carrier_values v;

    if (c->redeem_url == NULL)
        return ei_fail(err, EI_STATE, "%s: there is no redeem URL to send", c->addresses[0]);
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, err);
    if (rc != EI_OK)
        return rc;
    ei_carrier_fill(w, c, &settings, &v);
    rc = ei_carrier_render(w, &settings, ei_carrier_kind(c), &v, ret_text, err);
    ei_settings_clear(&settings);
    return rc;
}

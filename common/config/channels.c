/* The groups smtp, webhook and templates: how we carry the redeem URL ourselves, and in which words. */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/keys.h"
#include "common/config/read.h"

static const char *const channel_names[EI_CHANNELS] = {
    [EI_CHANNEL_NONE] = "none",
    [EI_CHANNEL_MICROSOFT] = "microsoft",
    [EI_CHANNEL_SMTP] = "smtp",
    [EI_CHANNEL_WEBHOOK] = "webhook",
};

const char *ei_channel_name(enum ei_channel channel)
{
    return channel_names[(unsigned)channel < EI_CHANNELS ? channel : EI_CHANNEL_NONE];
}

bool ei_channel_from_name(const char *name, enum ei_channel *ret_channel)
{
    for (size_t i = 0; i < EI_CHANNELS; i++) {
        if (strcmp(channel_names[i], name) == 0) {
            *ret_channel = (enum ei_channel)i;
            return true;
        }
    }
    return false;
}

bool ei_channel_is_own(enum ei_channel channel)
{
    return channel == EI_CHANNEL_SMTP || channel == EI_CHANNEL_WEBHOOK;
}

enum ei_err ei_channel_configured(const struct ei_config *c, enum ei_channel channel, struct ei_error *err)
{
    if (channel == EI_CHANNEL_SMTP && c->smtp.url == NULL)
        return ei_fail(err, EI_CONFIG, "deliver = \"smtp\" needs the group smtp, with url and from");
    if (channel == EI_CHANNEL_WEBHOOK && c->webhook.url_file == NULL)
        return ei_fail(err, EI_CONFIG, "deliver = \"webhook\" needs the group webhook, with url_file");
    return EI_OK;
}

/* --- smtp --- */

static enum ei_err check_smtp(const config_setting_t *group, const struct ei_smtp_settings *smtp, struct ei_error *err)
{
    const config_setting_t *url = config_setting_get_member(group, "url");
    const config_setting_t *tls = config_setting_get_member(group, "tls");
    const config_setting_t *user = config_setting_get_member(group, "user");

    if (url == NULL)
        return ei_keys_fail(group, err, "url is missing; it must be smtp://HOST[:PORT] or smtps://HOST[:PORT]");
    bool implicit = strncmp(smtp->url, "smtps://", 8) == 0;
    if ((!implicit && strncmp(smtp->url, "smtp://", 7) != 0) || !ei_host_and_port(strchr(smtp->url, '/') + 2))
        return ei_keys_fail(url, err, "\"%.100s\" is not smtp://HOST[:PORT] or smtps://HOST[:PORT]", smtp->url);
    if (implicit && tls != NULL)
        return ei_keys_fail(tls, err, "has no effect with smtps://, which is encrypted from the beginning");
    if (smtp->from == NULL)
        return ei_keys_fail(group, err, "from is missing; it must be the sender: \"Name <address>\" or an address");
    if ((smtp->user != NULL) != (smtp->password_file != NULL))
        return ei_keys_fail(user != NULL ? user : group, err,
                            "user and its password (password_file or password_name) need each other");
    return EI_OK;
}

static enum ei_err read_smtp(const config_setting_t *group, struct ei_smtp_settings *smtp, struct ei_error *err)
{
    static const char *const modes[] = {"required", "opportunistic", "none", NULL};
    int tls = EI_RELAY_TLS_REQUIRED;
    enum ei_err rc = ei_read_text(group, "url", NULL, &smtp->url, err);

    if (rc == EI_OK)
        rc = ei_read_text(group, "from", NULL, &smtp->from, err);
    if (rc == EI_OK)
        rc = ei_read_text(group, "reply_to", NULL, &smtp->reply_to, err);
    if (rc == EI_OK)
        rc = ei_read_choice(group, "tls", modes, &tls, err);
    smtp->tls = (enum ei_relay_tls)tls;
    if (rc == EI_OK)
        rc = ei_read_text(group, "user", NULL, &smtp->user, err);
    if (rc == EI_OK)
        rc = ei_read_secret_file(group, "password_file", "password_name", &smtp->password_file, err);
    if (rc == EI_OK)
        rc = ei_read_path(group, "ca_file", NULL, &smtp->ca_file, err);
    return rc == EI_OK ? check_smtp(group, smtp, err) : rc;
}

/* --- webhook --- */

static enum ei_err read_webhook(const config_setting_t *group, struct ei_webhook_settings *webhook,
                                struct ei_error *err)
{
    static const char *const formats[] = {"json", "slack", "teams", NULL};
    int format = EI_WEBHOOK_JSON;
    enum ei_err rc = ei_read_secret_file(group, "url_file", "url_name", &webhook->url_file, err);

    if (rc == EI_OK && webhook->url_file == NULL)
        rc = ei_keys_fail(group, err, "it needs url_file or url_name: where the webhook's URL lies, which is a secret");
    if (rc == EI_OK)
        rc = ei_read_choice(group, "format", formats, &format, err);
    webhook->format = (enum ei_webhook_format)format;
    if (rc == EI_OK)
        rc = ei_read_secret_file(group, "token_file", "token_name", &webhook->token_file, err);
    return rc == EI_OK ? ei_read_path(group, "ca_file", NULL, &webhook->ca_file, err) : rc;
}

/* --- templates --- */

static enum ei_err check_template(const config_setting_t *group, const struct ei_config *c,
                                  const struct ei_template_settings *one, struct ei_error *err)
{
    if (one->file == NULL)
        return ei_keys_fail(group, err, "file is missing; it must be the template's file");
    if (one->rule != NULL && ei_config_rule(c, one->rule) == NULL)
        return ei_keys_fail(config_setting_get_member(group, "rule"), err, "there is no rule \"%.80s\"", one->rule);
    if (one->language != NULL && !ei_language_valid(one->language))
        return ei_keys_fail(config_setting_get_member(group, "language"), err,
                            "\"%.30s\" is not a language such as \"de\" or \"en-US\"", one->language);
    for (const struct ei_template_settings *other = c->templates; other < one; other++)
        if (other->kind == one->kind && ei_text_same(other->rule, one->rule) &&
            ei_text_same(other->language, one->language))
            return ei_keys_fail(group, err, "there are two templates of this kind, rule and language");
    return EI_OK;
}

static enum ei_err read_templates(const config_setting_t *list, struct ei_config *c, struct ei_error *err)
{
    static const char *const kinds[] = {"invitation", "reminder", "sponsor", NULL};
    int count = list != NULL ? config_setting_length(list) : 0;
    enum ei_err rc = EI_OK;

    if (count == 0)
        return EI_OK;
    c->templates = calloc((size_t)count, sizeof *c->templates);
    if (c->templates == NULL)
        return ei_keys_no_memory(err);
    for (int i = 0; i < count && rc == EI_OK; i++) {
        const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
        struct ei_template_settings *one = &c->templates[c->template_count++];
        int kind = EI_TEMPLATE_INVITATION;
        rc = ei_read_choice(group, "kind", kinds, &kind, err);
        one->kind = (enum ei_template_kind)kind;
        if (rc == EI_OK)
            rc = ei_read_text(group, "rule", NULL, &one->rule, err);
        if (rc == EI_OK)
            rc = ei_read_text(group, "language", NULL, &one->language, err);
        if (rc == EI_OK)
            rc = ei_read_path(group, "file", NULL, &one->file, err);
        if (rc == EI_OK)
            rc = check_template(group, c, one, err);
    }
    return rc;
}

/* --- all of it --- */

static enum ei_err check_channel(const config_setting_t *group, const struct ei_config *c,
                                 const struct ei_invitation_settings *s, struct ei_error *err)
{
    struct ei_error why;

    return ei_channel_configured(c, s->deliver, &why) == EI_OK ? EI_OK : ei_keys_fail(group, err, "%s", why.message);
}

/* Who is to be reminded has to be reached. */
static enum ei_err check_rule(const config_setting_t *group, const struct ei_config *c, const struct ei_rule *rule,
                              struct ei_error *err)
{
    enum ei_err rc = check_channel(group, c, &rule->invitation, err);

    if (rc == EI_OK && rule->tell_sponsors && c->smtp.url == NULL)
        rc = ei_keys_fail(config_setting_get_member(group, "tell_sponsors"), err,
                          "needs the group smtp, with url and from: sponsors are told by mail");
    if (rc == EI_OK && rule->remind_after != 0 && rule->invitation.deliver == EI_CHANNEL_NONE)
        rc = ei_keys_fail(config_setting_get_member(group, "remind_after"), err,
                          "needs a way to the partner: deliver = \"microsoft\", \"smtp\" or \"webhook\"");
    return rc;
}

enum ei_err ei_read_channels(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    const config_setting_t *smtp = config_setting_get_member(root, "smtp");
    const config_setting_t *webhook = config_setting_get_member(root, "webhook");
    const config_setting_t *rules = config_setting_get_member(root, "rules");
    const config_setting_t *invitation = config_setting_get_member(root, "invitation");
    enum ei_err rc = smtp != NULL ? read_smtp(smtp, &c->smtp, err) : EI_OK;

    if (rc == EI_OK && webhook != NULL)
        rc = read_webhook(webhook, &c->webhook, err);
    if (rc == EI_OK)
        rc = read_templates(config_setting_get_member(root, "templates"), c, err);
    if (rc == EI_OK)
        rc = check_channel(invitation, c, &c->invitation, err);
    for (size_t i = 0; i < c->rule_count && rc == EI_OK; i++)
        rc = check_rule(config_setting_get_elem(rules, (unsigned)i), c, &c->rules[i], err);
    return rc;
}

void ei_channels_free(struct ei_config *c)
{
    for (size_t i = 0; i < c->template_count; i++) {
        free(c->templates[i].rule);
        free(c->templates[i].language);
        free(c->templates[i].file);
    }
    free(c->templates);
    free(c->smtp.url);
    free(c->smtp.from);
    free(c->smtp.reply_to);
    free(c->smtp.user);
    free(c->smtp.password_file);
    free(c->smtp.ca_file);
    free(c->webhook.url_file);
    free(c->webhook.token_file);
    free(c->webhook.ca_file);
}

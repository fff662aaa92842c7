#include "plugin/worker/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/account/address.h"
#include "common/base/json.h"
#include "common/base/text.h"

/* The rule that a person named, "" for the default block, NULL if nobody did. An invitation without an account has it
 * in the job; for an account it is one of the overrides, because job.rule alone would count as somebody who needs the
 * guest. */
static const char *named_rule(const struct ei_collaborator *c, const cJSON *overrides)
{
    const char *rule = ei_json_string(overrides, "rule");

    return rule != NULL ? rule : c->job.rule;
}

static const struct ei_rule *rule_of(const struct ei_config *config, const struct ei_collaborator *c, const char *named)
{
    if (named != NULL)
        return named[0] != '\0' ? ei_config_rule(config, named) : NULL;
    for (size_t r = 0; r < config->rule_count; r++)
        for (size_t i = 0; i < c->account_count; i++)
            if (c->accounts[i].state == EI_ACCOUNT_ACTIVE && strcmp(c->accounts[i].rule, config->rules[r].name) == 0)
                return &config->rules[r];
    return NULL;
}

static bool rule_allows(const struct ei_rule *rule, const char *address)
{
    return ei_address_domain_listed(address, (const char *const *)rule->email_domains.items, rule->email_domains.count);
}

static enum ei_err check_domain(const struct ei_config *config, const struct ei_rule *rule, const char *address,
                                struct ei_error *err)
{
    if (rule != NULL && !rule_allows(rule, address))
        return ei_fail(err, EI_DOMAIN_NOT_ALLOWED, "%s: rule \"%s\" does not list the domain %s", address, rule->name,
                       ei_address_domain(address));
    if (rule != NULL)
        return EI_OK;
    for (size_t i = 0; i < config->rule_count; i++)
        if (rule_allows(&config->rules[i], address))
            return EI_OK;
    return ei_fail(err, EI_DOMAIN_NOT_ALLOWED, "%s: no rule lists the domain %s", address, ei_address_domain(address));
}

static void overlay(struct ei_settings *s)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {
        {"displayName", offsetof(struct ei_graph_invite, invited_user_display_name)},
        {"redirectUrl", offsetof(struct ei_graph_invite, invite_redirect_url)},
        {"message", offsetof(struct ei_graph_invite, customized_message_body)},
        {"language", offsetof(struct ei_graph_invite, message_language)},
        {"cc", offsetof(struct ei_graph_invite, cc)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = ei_json_string(s->overrides, texts[i].name);
        if (value != NULL)
            *(const char **)((char *)&s->invite + texts[i].offset) = value;
    }
    const char *type = ei_json_string(s->overrides, "type");
    if (type != NULL)
        s->invite.member = strcmp(type, "member") == 0;
    const char *deliver = ei_json_string(s->overrides, "deliver");
    if (deliver != NULL)
        (void)ei_channel_from_name(deliver, &s->channel); /* checked when it was asked for */
    else if (cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(s->overrides, "sendMessage")))
        s->channel = ei_json_bool(s->overrides, "sendMessage", false) ? EI_CHANNEL_MICROSOFT : EI_CHANNEL_NONE;
}

static bool listed(const struct ei_settings *s, const char *sponsor)
{
    for (size_t i = 0; i < s->invite.sponsor_count; i++)
        if (strcasecmp(s->sponsors[i], sponsor) == 0)
            return true;
    return false;
}

static void add_sponsor(struct ei_settings *s, const char *sponsor)
{
    if (s->invite.sponsor_count < EI_SPONSORS_MOST && !listed(s, sponsor))
        s->sponsors[s->invite.sponsor_count++] = sponsor;
}

/* Whoever ran useradd, if the configuration knows who that is in the tenant; never a reason to fail. */
static void add_requester(struct ei_settings *s, const struct ei_config *config, const struct ei_collaborator *c)
{
    char upn[EI_SPONSOR_SIZE];

    if (c->requester == NULL)
        snprintf(s->sponsor_note, sizeof s->sponsor_note, "\"requester\" is nobody: it is not known who asked");
    else if (!ei_config_requester(config, c->requester, upn) ||
             snprintf(s->requester, sizeof s->requester, "users/%s", upn) >= (int)sizeof s->requester)
        snprintf(s->sponsor_note, sizeof s->sponsor_note,
                 "\"requester\" is nobody: neither requesters nor requester_domain says who %.100s is in the tenant",
                 c->requester);
    else
        add_sponsor(s, s->requester);
}

static void fill_sponsors(struct ei_settings *s, const struct ei_config *config,
                          const struct ei_invitation_settings *from, const struct ei_collaborator *c)
{
    const cJSON *named = ei_json_array(s->overrides, "sponsors");
    size_t count = named != NULL ? (size_t)cJSON_GetArraySize(named) : from->sponsors.count;

    s->invite.sponsors = s->sponsors;
    for (size_t i = 0; i < count; i++) {
        const char *sponsor =
            named != NULL ? cJSON_GetStringValue(cJSON_GetArrayItem(named, (int)i)) : from->sponsors.items[i];
        if (ei_text_same(sponsor, EI_SPONSOR_REQUESTER))
            add_requester(s, config, c);
        else if (sponsor != NULL)
            add_sponsor(s, sponsor);
    }
}

static void fill(struct ei_settings *s, const struct ei_invitation_settings *from, const struct ei_collaborator *c)
{
    s->invite = (struct ei_graph_invite){
        .invited_user_email_address = c->addresses[0],
        .invited_user_display_name = c->display_name,
        .invite_redirect_url = from->redirect_url,
        .customized_message_body = from->message_body,
        .message_language = from->message_language,
        .cc = from->cc.count != 0 ? from->cc.items[0] : NULL,
        .member = from->user_type == EI_USER_MEMBER,
    };
    s->channel = from->deliver;
    if (s->overrides != NULL)
        overlay(s);
    if (s->invite.customized_message_body != NULL && s->invite.customized_message_body[0] == '\0')
        s->invite.customized_message_body = NULL;
}

enum ei_err ei_settings_resolve(const struct ei_config *config, const struct ei_collaborator *c,
                                struct ei_settings *ret, struct ei_error *err)
{
    *ret = (struct ei_settings){0};
    if (c->address_count == 0)
        return ei_fail(err, EI_NO_ADDRESS, "no address to invite");
    if (c->job.overrides != NULL)
        ret->overrides = ei_json_parse(c->job.overrides, strlen(c->job.overrides));
    const char *named = named_rule(c, ret->overrides);
    const struct ei_rule *rule = rule_of(config, c, named);
    enum ei_err rc = EI_OK;
    if (rule == NULL && named != NULL && named[0] != '\0')
        rc = ei_fail(err, EI_INVITATION_REFUSED, "%s: the configuration has no rule \"%s\" any more", c->addresses[0],
                     named);
    if (rc == EI_OK)
        rc = check_domain(config, rule, c->addresses[0], err);
    if (rc != EI_OK) {
        ei_settings_clear(ret);
        return rc;
    }
    ret->rule = rule;
    fill(ret, rule != NULL ? &rule->invitation : &config->invitation, c);
    fill_sponsors(ret, config, rule != NULL ? &rule->invitation : &config->invitation, c);
    return EI_OK;
}

void ei_settings_clear(struct ei_settings *settings)
{
    cJSON_Delete(settings->overrides);
    *settings = (struct ei_settings){0};
}

/* The invitation block: how to invite, of the defaults or of a rule; and who its sponsors are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/guid.h"
#include "common/base/utf8.h"
#include "common/config/keys.h"
#include "common/config/read.h"
#include "common/config/source.h"

static const char default_redirect[] = "https://myapps.microsoft.com/";

static enum ei_err check_redirect(const config_setting_t *group, const char *url, struct ei_error *err)
{
    const config_setting_t *setting = config_setting_get_member(group, "redirect_url");

    if (setting == NULL || ei_redirect_url_valid(url))
        return EI_OK;
    return ei_keys_fail(setting, err, "\"%.100s\" is not an absolute https:// or http:// URL", url);
}

static enum ei_err check_language(const config_setting_t *group, const char *language, struct ei_error *err)
{
    const config_setting_t *setting = config_setting_get_member(group, "message_language");

    if (setting == NULL || ei_language_valid(language))
        return EI_OK;
    return ei_keys_fail(setting, err, "\"%.30s\" is not a language such as \"en-US\"", language);
}

static enum ei_err read_cc(const config_setting_t *group, struct ei_strings *cc, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(group, "cc");
    char address[EI_ADDRESS_SIZE];
    struct ei_error why;

    if (list == NULL)
        return EI_OK;
    ei_strings_free(cc);
    if (config_setting_length(list) > 1)
        return ei_keys_fail(list, err,
                            "Microsoft Graph takes one cc recipient, not %d; let a mailing list's address be it",
                            config_setting_length(list));
    enum ei_err rc = ei_read_strings(list, cc, err);
    if (rc == EI_OK && cc->count == 1 && ei_address_check(cc->items[0], address, &why) != EI_OK)
        rc = ei_keys_fail(list, err, "%s", why.message);
    return rc;
}

static enum ei_err check_message(const config_setting_t *setting, const char *text, struct ei_error *err)
{
    if (strlen(text) > EI_MESSAGE_BODY_MAX)
        return ei_keys_fail(setting, err, "is longer than 64 KiB");
    if (!ei_utf8_text(text, strlen(text)))
        return ei_keys_fail(setting, err, "is not UTF-8 text, or has control characters in it");
    return EI_OK;
}

/* The text as such, or from a file that is read here and now; of the defaults neither stays. */
static enum ei_err read_message(const config_setting_t *group, char **body, struct ei_error *err)
{
    const config_setting_t *text = config_setting_get_member(group, "message_body");
    const config_setting_t *file = config_setting_get_member(group, "message_body_file");
    struct ei_error why;

    if (text != NULL && file != NULL)
        return ei_keys_fail(file, err, "stands beside message_body; leave one of them out");
    if (file == NULL)
        return text != NULL && check_message(text, config_setting_get_string(text), err) != EI_OK
                   ? EI_CONFIG
                   : ei_read_text(group, "message_body", NULL, body, err);
    const char *path = config_setting_get_string(file);
    char *content = NULL;
    if (path[0] != '/')
        return ei_keys_fail(file, err, "must be an absolute path");
    if (ei_source_text(path, EI_MESSAGE_BODY_MAX, &content, &why) != EI_OK)
        return ei_keys_fail(file, err, "%s", why.message);
    enum ei_err rc = check_message(file, content, err);
    if (rc != EI_OK) {
        free(content);
        return rc;
    }
    free(*body);
    *body = content;
    return EI_OK;
}

/* --- sponsors --- */

/* What a userPrincipalName has (contract 2.4), "#EXT#" included. */
static bool principal_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_'!#^~";
    size_t local = strspn(text, allowed);

    if (local == 0 || text[local] != '@' || strlen(text) >= EI_SPONSOR_SIZE - sizeof "users/")
        return false;
    const char *domain = text + local + 1;
    return domain[0] != '\0' && strspn(domain, allowed) == strlen(domain) && strpbrk(domain, "_'!#^~") == NULL &&
           strchr(domain, '.') != NULL;
}

enum ei_err ei_sponsor_read(const char *text, char sponsor[EI_SPONSOR_SIZE], struct ei_error *err)
{
    const char *group = strncmp(text, "group:", 6) == 0 ? text + 6 : NULL;

    if (strcmp(text, EI_SPONSOR_REQUESTER) == 0)
        snprintf(sponsor, EI_SPONSOR_SIZE, "%s", text);
    else if (group != NULL && ei_guid_valid(group))
        snprintf(sponsor, EI_SPONSOR_SIZE, "groups/%s", group);
    else if (ei_guid_valid(text) || principal_name(text))
        snprintf(sponsor, EI_SPONSOR_SIZE, "users/%s", text);
    else
        return ei_fail(err, EI_USAGE,
                       "\"%.100s\" is no sponsor: \"requester\", a user's object id or userPrincipalName, or "
                       "\"group:\" and a group's object id",
                       text);
    return EI_OK;
}

const char *ei_sponsor_user(const char *sponsor)
{
    static const char user[] = "users/";

    return strncmp(sponsor, user, sizeof user - 1) == 0 ? sponsor + sizeof user - 1 : NULL;
}

enum ei_err ei_sponsors_count(size_t count, struct ei_error *err)
{
    if (count <= EI_SPONSORS_MOST)
        return EI_OK;
    return ei_fail(err, EI_USAGE, "Microsoft takes at most %d sponsors for a guest, not %zu", EI_SPONSORS_MOST, count);
}

static enum ei_err read_sponsors(const config_setting_t *group, struct ei_strings *sponsors, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(group, "sponsors");
    char sponsor[EI_SPONSOR_SIZE];
    struct ei_error why;

    if (list == NULL)
        return EI_OK;
    ei_strings_free(sponsors);
    if (ei_sponsors_count((size_t)config_setting_length(list), &why) != EI_OK)
        return ei_keys_fail(list, err, "%s", why.message);
    enum ei_err rc = ei_read_strings(list, sponsors, err);
    for (size_t i = 0; i < sponsors->count && rc == EI_OK; i++) {
        if (ei_sponsor_read(sponsors->items[i], sponsor, &why) != EI_OK)
            return ei_keys_fail(config_setting_get_elem(list, (unsigned)i), err, "%s", why.message);
        rc = ei_read_set(&sponsors->items[i], sponsor, err);
    }
    return rc;
}

enum ei_err ei_read_requesters(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(root, "requesters");
    int count = list != NULL ? config_setting_length(list) : 0;
    enum ei_err rc = ei_read_text(root, "requester_domain", NULL, &c->requester_domain, err);
    char domain[EI_ADDRESS_SIZE];
    struct ei_error why;

    if (rc == EI_OK && c->requester_domain != NULL &&
        ei_domain_normalize(c->requester_domain, domain, sizeof domain, &why) != EI_OK)
        rc = ei_keys_fail(config_setting_get_member(root, "requester_domain"), err, "%s", why.message);
    if (rc != EI_OK || count == 0)
        return rc;
    c->requesters = calloc((size_t)count, sizeof *c->requesters);
    if (c->requesters == NULL)
        return ei_keys_no_memory(err);
    for (int i = 0; i < count && rc == EI_OK; i++) {
        const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
        struct ei_requester *one = &c->requesters[c->requester_count++];
        if (config_setting_get_member(group, "login") == NULL || config_setting_get_member(group, "upn") == NULL)
            return ei_keys_fail(group, err, "a requester needs login and upn");
        rc = ei_read_text(group, "login", NULL, &one->login, err);
        if (rc == EI_OK)
            rc = ei_read_text(group, "upn", NULL, &one->upn, err);
        if (rc == EI_OK && !principal_name(one->upn))
            rc = ei_keys_fail(config_setting_get_member(group, "upn"), err,
                              "\"%.100s\" is not a userPrincipalName, such as alice@contoso.com", one->upn);
        for (size_t k = 0; k + 1 < c->requester_count && rc == EI_OK; k++)
            if (strcmp(c->requesters[k].login, one->login) == 0)
                rc = ei_keys_fail(group, err, "there are two entries for %.80s", one->login);
    }
    return rc;
}

/* Root is nobody in particular: only an entry of its own maps it. */
bool ei_config_requester(const struct ei_config *c, const char *login, char upn[EI_SPONSOR_SIZE])
{
    for (size_t i = 0; i < c->requester_count; i++)
        if (strcmp(c->requesters[i].login, login) == 0)
            return snprintf(upn, EI_SPONSOR_SIZE, "%s", c->requesters[i].upn) < EI_SPONSOR_SIZE;
    return c->requester_domain != NULL && strcmp(login, "root") != 0 &&
           snprintf(upn, EI_SPONSOR_SIZE, "%s@%s", login, c->requester_domain) < EI_SPONSOR_SIZE && principal_name(upn);
}

/* send_message is Graph's own name for the two oldest channels. */
static enum ei_err read_channel(const config_setting_t *group, enum ei_channel *channel, struct ei_error *err)
{
    const config_setting_t *send = config_setting_get_member(group, "send_message");
    const config_setting_t *deliver = config_setting_get_member(group, "deliver");

    if (send != NULL && deliver != NULL)
        return ei_keys_fail(deliver, err, "stands beside send_message; leave one of them out");
    if (send != NULL)
        *channel = config_setting_get_bool(send) ? EI_CHANNEL_MICROSOFT : EI_CHANNEL_NONE;
    if (deliver != NULL && !ei_channel_from_name(config_setting_get_string(deliver), channel))
        return ei_keys_fail(deliver, err, "\"%.60s\" is none of: none, microsoft, smtp, webhook",
                            config_setting_get_string(deliver));
    return EI_OK;
}

static enum ei_err read_members(const config_setting_t *group, struct ei_invitation_settings *s, struct ei_error *err)
{
    static const char *const types[] = {"guest", "member", NULL};
    int type = (int)s->user_type;

    enum ei_err rc = ei_read_text(group, "redirect_url", NULL, &s->redirect_url, err);
    if (rc == EI_OK)
        rc = check_redirect(group, s->redirect_url, err);
    if (rc == EI_OK)
        rc = read_message(group, &s->message_body, err);
    if (rc == EI_OK)
        rc = ei_read_text(group, "message_language", NULL, &s->message_language, err);
    if (rc == EI_OK)
        rc = check_language(group, s->message_language, err);
    if (rc == EI_OK && config_setting_get_member(group, "user_type") != NULL)
        rc = ei_read_choice(group, "user_type", types, &type, err);
    s->user_type = (enum ei_user_type)type;
    if (rc == EI_OK)
        rc = read_channel(group, &s->deliver, err);
    if (rc == EI_OK)
        rc = read_cc(group, &s->cc, err);
    return rc == EI_OK ? read_sponsors(group, &s->sponsors, err) : rc;
}

enum ei_err ei_read_invitation(const config_setting_t *group, const struct ei_invitation_settings *defaults,
                               struct ei_invitation_settings *s, struct ei_error *err)
{
    *s = (struct ei_invitation_settings){0};
    enum ei_err rc = ei_read_set(&s->redirect_url, defaults != NULL ? defaults->redirect_url : default_redirect, err);
    if (rc == EI_OK)
        rc = ei_read_set(&s->message_body, defaults != NULL ? defaults->message_body : "", err);
    if (rc == EI_OK)
        rc =
            ei_read_set(&s->message_language, defaults != NULL ? defaults->message_language : EI_DEFAULT_LANGUAGE, err);
    if (rc == EI_OK && defaults != NULL)
        rc = ei_strings_copy(&defaults->cc, &s->cc, err);
    if (rc == EI_OK && defaults != NULL)
        rc = ei_strings_copy(&defaults->sponsors, &s->sponsors, err);
    if (defaults != NULL) {
        s->user_type = defaults->user_type;
        s->deliver = defaults->deliver;
    }
    return rc == EI_OK && group != NULL ? read_members(group, s, err) : rc;
}

void ei_invitation_free(struct ei_invitation_settings *settings)
{
    free(settings->redirect_url);
    free(settings->message_body);
    free(settings->message_language);
    ei_strings_free(&settings->cc);
    ei_strings_free(&settings->sponsors);
}

#include "common/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/config/keys.h"
#include "common/config/read.h"
#include "common/config/source.h"

enum { DEFAULT_REFRESH = 300, DEFAULT_WAIT = 5, DEFAULT_NEW = 20, DEFAULT_AGE = 604800, DEFAULT_UID = 1000 };

static enum ei_err check_store(const config_setting_t *root, struct ei_error *err)
{
    const config_setting_t *store = config_setting_get_member(root, "store");
    const config_setting_t *type = store != NULL ? config_setting_get_member(store, "type") : NULL;

    if (type == NULL || strcmp(config_setting_get_string(type), "sqlite") == 0)
        return EI_OK;
    return ei_keys_fail(type, err, "this version cannot use \"%.40s\"; it has \"sqlite\"",
                        config_setting_get_string(type));
}

_Static_assert(sizeof EI_SOCKET_PATH <= sizeof((struct sockaddr_un *)NULL)->sun_path,
               "the built-in socket path is too long");

static enum ei_err read_host(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    struct sockaddr_un address;

    c->refresh_interval = ei_read_number(root, "refresh_interval", DEFAULT_REFRESH);
    c->hook_wait = ei_read_number(root, "hook_wait", DEFAULT_WAIT);
    c->max_new = ei_read_number(root, "max_new", DEFAULT_NEW);
    c->max_age = ei_read_number(root, "max_age", DEFAULT_AGE);
    c->coverage.minimum_uid = (uid_t)ei_read_number(root, "minimum_uid", DEFAULT_UID);
    enum ei_err rc = ei_read_path(root, "state_dir", EI_STATE_DIR, &c->state_dir, err);
    if (rc == EI_OK)
        rc = ei_read_path(root, "socket", EI_SOCKET_PATH, &c->socket, err);
    if (rc == EI_OK)
        rc = ei_read_path(root, "metrics_file", NULL, &c->metrics_file, err);
    if (rc == EI_OK && strlen(c->socket) >= sizeof address.sun_path)
        rc = ei_keys_fail(config_setting_get_member(root, "socket"), err, "a socket's path has at most %zu bytes",
                          sizeof address.sun_path - 1);
    if (rc == EI_OK && c->max_age != 0 && c->max_age < c->refresh_interval)
        rc = ei_keys_fail(config_setting_get_member(root, "max_age"), err,
                          "must be 0 or at least refresh_interval (%d), else nobody is let in between two refreshes",
                          c->refresh_interval);
    return rc == EI_OK ? check_store(root, err) : rc;
}

bool ei_config_app_only(const struct ei_config *c)
{
    return c->credential.type != EI_CREDENTIAL_DEVICE_CODE;
}

static bool names_requester(const struct ei_invitation_settings *s)
{
    for (size_t i = 0; i < s->sponsors.count; i++)
        if (strcmp(s->sponsors.items[i], EI_SPONSOR_REQUESTER) == 0)
            return true;
    return false;
}

static void warn_of_mail(const struct ei_config *c, const char *where, const struct ei_invitation_settings *s,
                         ei_config_tell *tell, void *context)
{
    char text[256];

    if (s->message_body[0] == '\0' || s->deliver != EI_CHANNEL_MICROSOFT)
        return;
    if (ei_config_app_only(c)) {
        snprintf(text, sizeof text,
                 "%s: message_body: Microsoft leaves the text out of mails that an app sends; leave it empty", where);
        tell(context, text);
    }
    if (strcmp(s->message_language, EI_DEFAULT_LANGUAGE) == 0)
        return;
    snprintf(text, sizeof text, "%s: message_language: has no effect beside message_body; empty one of them", where);
    tell(context, text);
}

static void warn_of_requester(const struct ei_config *c, const char *where, const struct ei_invitation_settings *s,
                              ei_config_tell *tell, void *context)
{
    char text[256];

    if (!names_requester(s) || c->requester_count != 0 || c->requester_domain != NULL)
        return;
    snprintf(text, sizeof text,
             "%s: sponsors: \"requester\" needs requesters or requester_domain; without them it is nobody", where);
    tell(context, text);
}

static bool same_mail(const struct ei_invitation_settings *a, const struct ei_invitation_settings *b)
{
    return a->deliver == b->deliver && strcmp(a->message_body, b->message_body) == 0 &&
           strcmp(a->message_language, b->message_language) == 0;
}

void ei_config_warnings(const struct ei_config *c, ei_config_tell *tell, void *context)
{
    char where[96];

    warn_of_mail(c, "invitation", &c->invitation, tell, context);
    warn_of_requester(c, "invitation", &c->invitation, tell, context);
    for (size_t i = 0; i < c->rule_count; i++) {
        snprintf(where, sizeof where, "rule \"%s\"", c->rules[i].name);
        if (!same_mail(&c->rules[i].invitation, &c->invitation))
            warn_of_mail(c, where, &c->rules[i].invitation, tell, context);
        if (!names_requester(&c->invitation))
            warn_of_requester(c, where, &c->rules[i].invitation, tell, context);
    }
}

static void log_warning(void *context, const char *text)
{
    (void)context;
    ei_log(LOG_WARNING, "%s", text);
}

void ei_config_warn(const struct ei_config *c)
{
    ei_config_warnings(c, log_warning, NULL);
}

static enum ei_err read_all(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    enum ei_err rc = ei_keys_check(root, err);
    if (rc == EI_OK)
        rc = ei_read_tenant(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_cloud(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_credential(root, &c->credential, err);
    if (rc == EI_OK)
        rc = ei_read_client_id(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_invitation(config_setting_get_member(root, "invitation"), NULL, &c->invitation, err);
    if (rc == EI_OK)
        rc = ei_read_rules(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_channels(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_accounts(root, c, err);
    if (rc == EI_OK)
        rc = ei_read_requesters(root, c, err);
    if (rc == EI_OK)
        rc = read_host(root, c, err);
    return rc;
}

enum ei_err ei_config_load(const char *path, struct ei_config **ret_config, struct ei_error *err)
{
    struct ei_source_file source = {0};
    config_t parsed;
    struct ei_config *c = calloc(1, sizeof *c);

    if (path == NULL)
        path = EI_CONFIG_PATH;
    config_init(&parsed);
    enum ei_err rc = c != NULL && (c->path = strdup(path)) != NULL ? EI_OK : EI_NOMEM;
    if (rc != EI_OK)
        ei_keys_no_memory(err);
    if (rc == EI_OK)
        rc = ei_source_read(&source, path, &parsed, err);
    if (rc == EI_OK)
        rc = read_all(config_root_setting(&parsed), c, err);
    config_destroy(&parsed);
    ei_source_free(&source);
    if (rc != EI_OK) {
        ei_config_free(c);
        return rc;
    }
    *ret_config = c;
    return EI_OK;
}

void ei_config_free(struct ei_config *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->rule_count; i++) {
        free(c->rules[i].name);
        free(c->rules[i].group);
        ei_strings_free(&c->rules[i].email_domains);
        ei_strings_free(&c->rules[i].entra_groups);
        ei_invitation_free(&c->rules[i].invitation);
    }
    for (size_t i = 0; i < c->account_count; i++) {
        free(c->accounts[i].login);
        free(c->accounts[i].email);
    }
    for (size_t i = 0; i < c->requester_count; i++) {
        free(c->requesters[i].login);
        free(c->requesters[i].upn);
    }
    ei_invitation_free(&c->invitation);
    ei_channels_free(c);
    free(c->requesters);
    free(c->requester_domain);
    free(c->rules);
    free(c->coverage.groups);
    free(c->accounts);
    free(c->path);
    free(c->tenant);
    free(c->client_id);
    free(c->login_url);
    free(c->graph_url);
    free(c->ca_file);
    ei_credential_settings_free(&c->credential);
    free(c->state_dir);
    free(c->socket);
    free(c->metrics_file);
    free(c);
}

const struct ei_rule *ei_config_rule(const struct ei_config *c, const char *name)
{
    for (size_t i = 0; i < c->rule_count; i++)
        if (ei_text_same(c->rules[i].name, name))
            return &c->rules[i];
    return NULL;
}

const char *ei_config_address(const struct ei_config *c, const char *login)
{
    for (size_t i = 0; i < c->account_count; i++)
        if (c->accounts[i].email != NULL && strcmp(c->accounts[i].login, login) == 0)
            return c->accounts[i].email;
    return NULL;
}

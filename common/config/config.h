/*
 * The configuration: a libconfig file read into one checked struct that never changes afterwards.
 *
 * Strict: a file that others could have written, an unknown key, a wrong type, a value out of range, or a rule whose
 * group is root, sudo, wheel or adm is an error that names file, line, key and what would do (S41: a missing key never
 * widens scope). The keys, their defaults and limits are documented in entra-invite.conf(5); a test holds the page
 * against the key table.
 */
#ifndef EI_CONFIG_CONFIG_H
#define EI_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/account/coverage.h"
#include "common/base/error.h"
#include "common/deliver/channel.h"
#include "common/deliver/template.h"

struct ei_strings {
    char **items;
    size_t count;
};

enum ei_user_type { EI_USER_GUEST, EI_USER_MEMBER };                        /* invitedUserType (contract 2.2) */
enum ei_removal { EI_REMOVAL_KEEP, EI_REMOVAL_DISABLE, EI_REMOVAL_DELETE }; /* mildest first */

/* Who carries the redeem URL to the partner. The numbers are stored and never reused. */
enum ei_channel {
    EI_CHANNEL_NONE = 0,      /* the administrator hands it over */
    EI_CHANNEL_MICROSOFT = 1, /* Microsoft mails it: sendInvitationMessage (contract 2.2) */
    EI_CHANNEL_SMTP = 2,      /* we mail it through a relay */
    EI_CHANNEL_WEBHOOK = 3,   /* we post it to a chat or a program */
    EI_CHANNELS
};

enum ei_credential_type {
    EI_CREDENTIAL_SECRET,
    EI_CREDENTIAL_CERTIFICATE,
    EI_CREDENTIAL_FEDERATED,
    EI_CREDENTIAL_MANAGED_IDENTITY,
    EI_CREDENTIAL_DEVICE_CODE,
};

/* Paths are absolute; NULL is what the type does not have or what was left out. */
struct ei_credential_settings {
    enum ei_credential_type type;
    char *file;               /* the secret, the private key, the token; from file, or credential_name in
                               * $CREDENTIALS_DIRECTORY */
    char *certificate;        /* may be the key's file */
    char *passphrase_file;    /* opens the private key; from passphrase_name */
    char *endpoint;           /* of managed identity, where it is not the usual one */
    char *identity_client_id; /* which managed identity, where there are several */
};

/* How to invite: Graph's properties (contract 2.2, 2.3). In a rule, already overlaid on the defaults. */
struct ei_invitation_settings {
    char *redirect_url;         /* inviteRedirectUrl */
    char *message_body;         /* customizedMessageBody, "" for none */
    char *message_language;     /* messageLanguage */
    struct ei_strings cc;       /* ccRecipients: Graph takes one */
    struct ei_strings sponsors; /* as ei_sponsor_read gives them */
    enum ei_user_type user_type;
    enum ei_channel deliver;
};

/* How our own mail goes out. What is said here is judged where the mail is made, see plugin/worker/carrier.h. */
struct ei_smtp_settings {
    char *url;      /* smtp://HOST[:PORT] or smtps://HOST[:PORT]; NULL: there is no relay, and nothing else is set */
    char *from;     /* "Name <address>" or an address */
    char *reply_to; /* the same; NULL: none */
    char *user;     /* NULL: the relay asks for nobody */
    char *password_file;
    char *ca_file; /* NULL: the system's trust store */
    enum ei_relay_tls tls;
};

struct ei_webhook_settings {
    char *url_file;   /* holds the URL, which is a secret; NULL: there is no webhook, and nothing else is set */
    char *token_file; /* holds the bearer token; NULL: none */
    char *ca_file;    /* NULL: the system's trust store */
    enum ei_webhook_format format;
};

/* A file in which an administrator wrote the text of our messages. */
struct ei_template_settings {
    enum ei_template_kind kind;
    char *rule;     /* NULL: of every rule */
    char *language; /* NULL: in every language */
    char *file;
};

struct ei_rule {
    char *name;
    char *group;
    struct ei_strings email_domains; /* folded, as A-labels; empty: any */
    struct ei_invitation_settings invitation;
    struct ei_strings entra_groups; /* object ids */
    enum ei_removal on_account_removal;
    bool existing_invite; /* existing = "invite": accounts found when the rule is first seen are not held */
    int remind_after;     /* days pending, 0: never */
    int give_up_after;    /* days pending, 0: never */
    enum ei_removal on_give_up;
    bool tell_sponsors; /* of both, by mail */
};

struct ei_login_address {
    char *login;
    char *email;
};

/* Who a login of this host is in the tenant. */
struct ei_requester {
    char *login;
    char *upn;
};

struct ei_config {
    char *path; /* the file that was read */
    char *tenant;
    char *client_id; /* "" only with a managed identity */
    char *login_url; /* without a slash at the end; from cloud, or as overridden */
    char *graph_url;
    char *ca_file; /* NULL: the system's trust store */
    struct ei_credential_settings credential;
    struct ei_invitation_settings invitation;
    struct ei_smtp_settings smtp;
    struct ei_webhook_settings webhook;
    struct ei_template_settings *templates;
    size_t template_count;
    struct ei_rule *rules;
    size_t rule_count;
    struct ei_login_address *accounts;
    size_t account_count;
    struct ei_requester *requesters;
    size_t requester_count;
    char *requester_domain;      /* NULL: none */
    int refresh_interval;        /* seconds */
    int hook_wait;               /* seconds */
    int max_new;                 /* 0: no limit */
    int max_age;                 /* seconds, 0: never */
    struct ei_coverage coverage; /* the groups of the rules, in their order, and minimum_uid */
    char *state_dir;             /* private/ is below it */
    char *socket;
    char *metrics_file; /* NULL: none is written */
};

/* Reads and checks. NULL path: the built-in one. On error err has file, line, key, reason. The owner frees it. */
enum ei_err ei_config_load(const char *path, struct ei_config **ret_config, struct ei_error *err);
void ei_config_free(struct ei_config *config);

/* What redirect_url and message_language may be, in the file and on the command line alike. */
bool ei_redirect_url_valid(const char *url);
bool ei_language_valid(const char *language);

/* Not Microsoft, and somebody: SMTP or WEBHOOK. */
bool ei_channel_is_own(enum ei_channel channel);
/* "none", "microsoft", "smtp", "webhook": `deliver` in the file and on the command line alike. */
const char *ei_channel_name(enum ei_channel channel);
bool ei_channel_from_name(const char *name, enum ei_channel *ret_channel);
/* EI_CONFIG: the configuration does not say how this channel is reached. */
enum ei_err ei_channel_configured(const struct ei_config *config, enum ei_channel channel, struct ei_error *err);

#define EI_SPONSOR_REQUESTER "requester"
enum { EI_SPONSORS_MOST = 5, EI_SPONSOR_SIZE = 320, EI_MESSAGE_BODY_MAX = 64 * 1024 }; /* contract 2.2 */

/* A sponsor as a person writes it, in the file and on the command line alike, to "users/ID", "users/UPN", "groups/ID"
 * or EI_SPONSOR_REQUESTER. EI_USAGE says what would do. */
enum ei_err ei_sponsor_read(const char *text, char sponsor[EI_SPONSOR_SIZE], struct ei_error *err);
/* Behind "users/"; NULL: it is no user. */
const char *ei_sponsor_user(const char *sponsor);
/* EI_USAGE: more than Microsoft takes. */
enum ei_err ei_sponsors_count(size_t count, struct ei_error *err);
/* The userPrincipalName of whoever has this login; false: the configuration does not say. */
bool ei_config_requester(const struct ei_config *config, const char *login, char upn[EI_SPONSOR_SIZE]);

/* Whether the app invites by itself, without a person who has signed in (contract 2.1). */
bool ei_config_app_only(const struct ei_config *config);

/* Tells what is allowed and has no effect at Microsoft (contract 2.3): "invitation: message_body: …". */
typedef void ei_config_tell(void *context, const char *text);
void ei_config_warnings(const struct ei_config *config, ei_config_tell *tell, void *context);
/* Logs the same; for the worker, once. */
void ei_config_warn(const struct ei_config *config);

/* NULL if there is no such rule. */
const struct ei_rule *ei_config_rule(const struct ei_config *config, const char *name);

/* The address that `accounts` gives this login, NULL if none. */
const char *ei_config_address(const struct ei_config *config, const char *login);

/* Every key the file may hold, for the test that the manual names each: "refresh_interval", "invitation.cc",
 * "rules.group", … NULL-terminated. */
const char *const *ei_config_keys(void);

#endif

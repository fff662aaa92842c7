/* Which way messages go: the relay for mail, the webhook of a chat. No libcurl: the configuration is checked with it.
 */
#ifndef EI_DELIVER_CHANNEL_H
#define EI_DELIVER_CHANNEL_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/deliver/mailbox.h"

/* --- mail --- */

enum ei_relay_tls {
    EI_RELAY_TLS_REQUIRED,      /* STARTTLS, or nothing is sent; certificate and name are checked */
    EI_RELAY_TLS_OPPORTUNISTIC, /* STARTTLS where it is offered, then with a good certificate; else in the clear, but
                                   never a password: with a user it is as REQUIRED */
    EI_RELAY_TLS_NONE,          /* in the clear; with a user only to this host (localhost, 127.0.0.0/8, ::1) */
};

/* Caller owns all. It is read during ei_deliver_mail only: another one may follow after a reload. */
struct ei_relay {
    const char *url;           /* smtp://host[:port] or smtps://host[:port], nothing behind; default ports 25 and 465 */
    enum ei_relay_tls tls;     /* of smtp:// */
    const char *helo;          /* the name for EHLO; NULL: this host's */
    const char *user;          /* NULL or "": no AUTH */
    const char *password_file; /* with user: read at each delivery (ei_secret_read_file) and erased after it. A systemd
                                  credential is its path in $CREDENTIALS_DIRECTORY */
    const char *ca_file;       /* instead of the system's; NULL: the system's */
    struct ei_mailbox from;
    struct ei_mailbox reply_to; /* address "": none */
};

/* For the configuration: EI_CONFIG names the member and what is wrong. Reads no secret. */
enum ei_err ei_relay_check(const struct ei_relay *relay, struct ei_error *err);

/* --- chat --- */

enum ei_webhook_format {
    EI_WEBHOOK_JSON,  /* one object: event, id, login, email, name, rule, hosts, sponsor, expires, url, subject, text */
    EI_WEBHOOK_SLACK, /* {"text": …}, with & < > escaped as Slack wants it */
    EI_WEBHOOK_TEAMS, /* a message with an Adaptive Card, as a Workflows webhook of Teams takes it */
};

/* Caller owns all; read during the call only. */
struct ei_webhook {
    const char *url_file;   /* the URL is a secret: https, or http to this host only. Read at each delivery, as above */
    const char *token_file; /* Authorization: Bearer; NULL: none */
    const char *ca_file;    /* NULL: the system's */
    enum ei_webhook_format format;
};

/* As ei_relay_check: format and the paths. The files are looked at when they are used. */
enum ei_err ei_webhook_check(const struct ei_webhook *webhook, struct ei_error *err);

/* Whether host (a name or a number, IPv6 with or without brackets) is this machine itself. */
bool ei_host_is_loopback(const char *host);

#endif

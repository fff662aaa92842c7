#include "common/deliver/channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"

enum { HOST_MAX = 253, USER_MAX = 255, PORT_MAX = 65535 };

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

static bool is(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool ei_host_is_loopback(const char *host)
{
    char number[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct in_addr four;
    size_t length = strlen(host);

    if (host[0] == '[' && length > 2 && length - 2 < sizeof number) {
        memcpy(number, host + 1, length - 2);
        number[length - 2] = '\0';
        host = number;
    }
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0;
}

/* "name", "192.0.2.1" or "[2001:db8::1]" at the start of text; its length, 0 if there is none. */
static size_t host_length(const char *text)
{
    char number[INET6_ADDRSTRLEN];
    struct in6_addr six;

    if (text[0] != '[') {
        size_t length = strspn(text, name_characters);
        return length <= HOST_MAX && text[0] != '-' && text[0] != '.' ? length : 0;
    }
    size_t length = strcspn(text, "]");
    if (text[length] != ']' || length - 1 >= sizeof number)
        return 0;
    memcpy(number, text + 1, length - 1);
    number[length - 1] = '\0';
    return inet_pton(AF_INET6, number, &six) == 1 ? length + 1 : 0;
}

static bool good_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long port = 0;

    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (text[i] - '0');
    return port > 0 && port <= PORT_MAX;
}

static enum ei_err check_url(const struct ei_relay *relay, bool *loopback, struct ei_error *err)
{
    const char *url = relay->url != NULL ? relay->url : "";
    char host[HOST_MAX + 1];
    size_t scheme = strncmp(url, "smtps://", 8) == 0 ? 8 : strncmp(url, "smtp://", 7) == 0 ? 7 : 0;
    size_t length = scheme != 0 ? host_length(url + scheme) : 0;
    const char *rest = url + scheme + length;

    if (length == 0 || (rest[0] != '\0' && (rest[0] != ':' || !good_port(rest + 1))))
        return ei_fail(
            err, EI_CONFIG,
            "the relay's URL must be smtp://HOST, smtps://HOST, or either with :PORT, and nothing behind it");
    memcpy(host, url + scheme, length);
    host[length] = '\0';
    *loopback = ei_host_is_loopback(host);
    return EI_OK;
}

static enum ei_err check_user(const struct ei_relay *relay, bool loopback, struct ei_error *err)
{
    if (!is(relay->user) && is(relay->password_file))
        return ei_fail(err, EI_CONFIG, "the relay has a password file but no user");
    if (!is(relay->user))
        return EI_OK;
    if (!is(relay->password_file))
        return ei_fail(err, EI_CONFIG, "the relay has a user but no password file");
    if (strlen(relay->user) > USER_MAX || !ei_utf8_printable(relay->user))
        return ei_fail(err, EI_CONFIG, "the relay's user must be one line of UTF-8 of at most 255 bytes");
    if (relay->tls == EI_RELAY_TLS_NONE && strncmp(relay->url, "smtps:", 6) != 0 && !loopback)
        return ei_fail(err, EI_CONFIG,
                       "without TLS no password is sent to another host: set TLS, or take the user out");
    return EI_OK;
}

static enum ei_err check_mailbox(const char *what, const struct ei_mailbox *mailbox, struct ei_error *err)
{
    if (mailbox->address[0] == '\0' || strpbrk(mailbox->address, " <>\r\n") != NULL ||
        !ei_utf8_printable(mailbox->address) || !ei_utf8_printable(mailbox->name))
        return ei_fail(err, EI_CONFIG, "the relay's %s is no address", what);
    return EI_OK;
}

enum ei_err ei_relay_check(const struct ei_relay *relay, struct ei_error *err)
{
    bool loopback = false;
    enum ei_err rc = check_url(relay, &loopback, err);

    if (rc == EI_OK)
        rc = check_user(relay, loopback, err);
    if (rc == EI_OK && is(relay->helo) && (host_length(relay->helo) != strlen(relay->helo) || relay->helo[0] == '['))
        rc = ei_fail(err, EI_CONFIG, "the name for EHLO must be a host's name");
    if (rc == EI_OK)
        rc = check_mailbox("from", &relay->from, err);
    if (rc == EI_OK && relay->reply_to.address[0] != '\0')
        rc = check_mailbox("reply_to", &relay->reply_to, err);
    if (rc == EI_OK && (unsigned)relay->tls > EI_RELAY_TLS_NONE)
        rc = ei_fail(err, EI_CONFIG, "the relay's kind of TLS is none that exists");
    return rc;
}

enum ei_err ei_webhook_check(const struct ei_webhook *webhook, struct ei_error *err)
{
    if (!is(webhook->url_file))
        return ei_fail(err, EI_CONFIG, "the file with the webhook's URL is missing");
    if ((unsigned)webhook->format > EI_WEBHOOK_TEAMS)
        return ei_fail(err, EI_CONFIG, "the webhook's format is none that exists");
    return EI_OK;
}

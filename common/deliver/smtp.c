/* A mail to a relay (RFC 5321). What libcurl's own code does not tell is how far the conversation went: that is read
 * from the conversation itself, which libcurl shows to a debug function, and which is looked at nowhere else. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/deliver/delivery.h"
#include "common/deliver/message.h"
#include "common/graph/transfer.h"

/* --- how far it went --- */

static bool begins(const char *data, size_t length, const char *verb)
{
    size_t size = strlen(verb);

    return length >= size && strncasecmp(data, verb, size) == 0;
}

/* What the relay said before is no answer to what comes now. */
static void expect_reply(struct ei_delivery *d)
{
    d->reply = 0;
    d->answer_length = 0;
    d->answer[0] = '\0';
}

/* Verbs as libcurl writes them; what an AUTH goes on with is base64 and none of them. */
static void on_command(struct ei_delivery *d, const char *data, size_t length)
{
    static const struct {
        const char *verb;
        enum ei_smtp_stage stage;
    } verbs[] = {
        {"EHLO ", EI_SMTP_HELLO},   {"HELO ", EI_SMTP_HELLO},     {"STARTTLS\r\n", EI_SMTP_STARTTLS},
        {"AUTH ", EI_SMTP_AUTH},    {"MAIL FROM:", EI_SMTP_MAIL}, {"RCPT TO:", EI_SMTP_RCPT},
        {"DATA\r\n", EI_SMTP_DATA}, {"QUIT\r\n", EI_SMTP_QUIT},
    };

    if (d->stage == EI_SMTP_QUIT)
        return;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!begins(data, length, verbs[i].verb))
            continue;
        d->stage = verbs[i].stage;
        if (d->stage == EI_SMTP_QUIT)
            return; /* what was said before it is the outcome */
        d->asked = d->stage;
    }
    expect_reply(d);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One line of a reply: "550-text" or, the last one, "550 text" or "550". */
static void on_reply(struct ei_delivery *d, const char *line, size_t length)
{
    if (d->stage == EI_SMTP_QUIT || length < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]))
        return;
    if (length > 4) {
        if (d->answer_length != 0)
            ei_delivery_keep(d, " ", 1);
        ei_delivery_keep(d, line + 4, length - 4);
    }
    if (length == 3 || line[3] != '-')
        d->reply = (line[0] - '0') * 100L + (line[1] - '0') * 10L + (line[2] - '0');
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
    struct ei_delivery *d = context;

    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        on_command(d, data, size);
    if (type == CURLINFO_HEADER_IN) {
        d->answer_bytes += size;
        on_reply(d, data, size);
    }
    return 0;
}

/* libcurl asks once more when all is written, and then sends the final dot: from that call on the relay may have taken
 * the message. */
static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
    struct ei_delivery *d = context;
    size_t left = d->payload.length - d->sent;
    size_t length = left < size * count ? left : size * count;

    if (atomic_load(&d->cancelled))
        return CURL_READFUNC_ABORT;
    memcpy(buffer, d->payload.data + d->sent, length);
    d->sent += length;
    if (length == 0) {
        d->stage = EI_SMTP_END;
        expect_reply(d);
        atomic_store(&d->whole, true);
    }
    return length;
}

/* --- what it came to --- */

static const char *stage_name(enum ei_smtp_stage stage)
{
    static const char *const names[] = {
        [EI_SMTP_GREETING] = "at the start", [EI_SMTP_HELLO] = "after EHLO",      [EI_SMTP_STARTTLS] = "after STARTTLS",
        [EI_SMTP_AUTH] = "after AUTH",       [EI_SMTP_MAIL] = "after MAIL FROM",  [EI_SMTP_RCPT] = "after RCPT TO",
        [EI_SMTP_DATA] = "after DATA",       [EI_SMTP_END] = "after the message", [EI_SMTP_QUIT] = "after QUIT",
    };
    return names[stage];
}

/* A reply of 400 or more. */
static enum ei_err code_of(enum ei_smtp_stage stage, long reply)
{
    enum { TOO_LARGE = 552 };

    if (reply < 500)
        return EI_DELIVERY_LATER;
    if (stage == EI_SMTP_RCPT)
        return EI_MAIL_ADDRESS;
    if (stage == EI_SMTP_DATA || stage == EI_SMTP_END || (stage == EI_SMTP_MAIL && reply == TOO_LARGE))
        return EI_MAIL_REFUSED;
    return EI_MAIL_RELAY;
}

/* Whether the relay repeats what AUTH sent it. */
static bool echoes_secret(const struct ei_delivery *d)
{
    enum { ROOM = 512 };
    unsigned char plain[ROOM];
    unsigned char encoded[2 * ROOM];
    size_t user = d->user != NULL ? strlen(d->user) : 0;
    bool found = false;

    if (d->secret.length == 0 || user + d->secret.length + 2 > ROOM)
        return d->secret.length != 0; /* not worth more care */
    plain[0] = '\0';
    memcpy(plain + 1, d->user, user + 1);
    memcpy(plain + user + 2, d->secret.data, d->secret.length);
    EVP_EncodeBlock(encoded, plain, (int)(user + 2 + d->secret.length));
    found = strstr(d->answer, (const char *)encoded) != NULL;
    EVP_EncodeBlock(encoded, (const unsigned char *)d->secret.data, (int)d->secret.length);
    found = found || strstr(d->answer, (const char *)encoded) != NULL;
    explicit_bzero(plain, sizeof plain);
    explicit_bzero(encoded, sizeof encoded);
    return found;
}

static void fail_refused(struct ei_delivery *d, enum ei_smtp_stage stage)
{
    char said[EI_ANSWER_TEXT];

    if (echoes_secret(d))
        d->answer[0] = '\0';
    ei_delivery_said(d, said);
    ei_delivery_fail(d, EI_DELIVER_REJECTED, code_of(stage, d->reply), "%ld %s%s%s", d->reply, stage_name(stage),
                     said[0] != '\0' ? ": " : "", said);
}

static void read_whole(struct ei_delivery *d, CURLcode code)
{
    char reason[EI_ANSWER_TEXT];

    if (d->reply >= 200 && d->reply < 300) {
        d->result.outcome = EI_DELIVER_DONE;
        ei_error_clear(&d->result.error);
    } else if (d->reply >= 400 && d->reply < 600) {
        fail_refused(d, EI_SMTP_END);
    } else {
        ei_delivery_reason(d, code, reason);
        ei_delivery_fail(d, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, "the whole mail was sent, but no answer came: %s",
                         atomic_load(&d->cancelled) ? "this program ends" : reason);
    }
}

static void read_outcome(struct ei_delivery *d, CURLcode code)
{
    d->result.status = d->reply;
    if (atomic_load(&d->whole))
        read_whole(d, code);
    else if (d->reply >= 400 && d->reply < 600)
        fail_refused(d, d->asked);
    else if (code == CURLE_USE_SSL_FAILED)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_MAIL_RELAY, "it offers no STARTTLS, and nothing is sent without");
    else if (code == CURLE_LOGIN_DENIED)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_MAIL_RELAY, "it offers no way to sign in that is known here");
    else
        ei_delivery_fail_unsent(d, code);
}

/* --- the transfer --- */

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_protocol(CURL *easy, const struct ei_delivery *d)
{
    bool inside = strncmp(d->url, "smtps:", strlen("smtps:")) == 0;
    long tls = CURLUSESSL_NONE;

    if (inside || d->tls == EI_RELAY_TLS_REQUIRED || (d->tls == EI_RELAY_TLS_OPPORTUNISTIC && d->user != NULL))
        tls = CURLUSESSL_ALL;
    else if (d->tls == EI_RELAY_TLS_OPPORTUNISTIC)
        tls = CURLUSESSL_TRY;
    return ei_transfer_set_protocol(easy, inside ? "smtps" : "smtp", inside ? CURLPROTO_SMTPS : CURLPROTO_SMTP) &&
           SET(CURLOPT_USE_SSL, tls);
}

static bool set_login(CURL *easy, const struct ei_delivery *d)
{
    return d->user == NULL || (SET(CURLOPT_USERNAME, d->user) && SET(CURLOPT_PASSWORD, d->secret.data));
}

static bool prepare(struct ei_delivery *d)
{
    CURL *easy = d->easy;
    struct ei_error why;

    if (d->user != NULL) {
        enum ei_err rc = ei_secret_read_file(d->secret_file, &d->secret, &why);
        if (rc != EI_OK) {
            ei_delivery_fail(d, EI_DELIVER_NOT_SENT, rc, "%s", why.message);
            return false;
        }
    }
    d->headers = curl_slist_append(NULL, d->to);
    if (d->headers != NULL && set_protocol(easy, d) && set_login(easy, d) && SET(CURLOPT_URL, d->url) &&
        SET(CURLOPT_MAIL_FROM, d->from) && SET(CURLOPT_MAIL_RCPT, d->headers) && SET(CURLOPT_UPLOAD, 1L) &&
        SET(CURLOPT_READFUNCTION, on_read) && SET(CURLOPT_READDATA, d) && SET(CURLOPT_VERBOSE, 1L) &&
        SET(CURLOPT_DEBUGFUNCTION, on_debug) && SET(CURLOPT_DEBUGDATA, d))
        return true;
    ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_NOMEM, "no memory for the transfer");
    return false;
}

const struct ei_delivery_ops ei_delivery_mail = {.prepare = prepare, .read = read_outcome};

/* --- what is asked for --- */

/* "smtp://host:port/helo": libcurl takes the name for EHLO from there. */
static bool make_url(struct ei_delivery *d, const struct ei_relay *relay)
{
    const char *helo = relay->helo != NULL ? relay->helo : "";

    snprintf(d->target, sizeof d->target, "%s", strstr(relay->url, "://") + 3);
    return asprintf(&d->url, "%s/%s", relay->url, helo) >= 0;
}

static bool take_relay(struct ei_delivery *d, const struct ei_relay *relay)
{
    d->tls = relay->tls;
    return make_url(d, relay) && asprintf(&d->from, "<%s>", relay->from.address) >= 0 &&
           ei_delivery_copy(&d->user, relay->user) && ei_delivery_copy(&d->secret_file, relay->password_file) &&
           ei_delivery_copy(&d->ca_file, relay->ca_file);
}

static enum ei_err write_message(struct ei_delivery *d, const struct ei_relay *relay, const struct ei_letter *mail,
                                 struct ei_error *err)
{
    const struct ei_message message = {
        .id = mail->id,
        .date = ei_now(),
        .from = &relay->from,
        .to = mail->to,
        .reply_to = relay->reply_to.address[0] != '\0' ? &relay->reply_to : NULL,
        .language = mail->language,
        .subject = mail->subject,
        .body = mail->body,
    };

    return ei_message_write(&message, &d->payload, err);
}

enum ei_err ei_deliver_mail(struct ei_deliver *deliver, const struct ei_relay *relay, const struct ei_letter *mail,
                            ei_deliver_done *done, void *context, struct ei_error *err)
{
    enum ei_err rc = ei_relay_check(relay, err);

    if (rc != EI_OK)
        return rc;
    struct ei_delivery *d = ei_delivery_new(&ei_delivery_mail, done, context, err);
    if (d == NULL)
        return EI_NOMEM;
    rc = write_message(d, relay, mail, err);
    if (rc == EI_OK && (!take_relay(d, relay) || asprintf(&d->to, "<%s>", mail->to->address) < 0))
        rc = ei_fail(err, EI_NOMEM, "no memory for the message");
    if (rc == EI_OK)
        return ei_delivery_start(deliver, d, err);
    ei_delivery_free(d);
    return rc;
}

/* A message to a chat: one POST of JSON to a URL that is a secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/deliver/delivery.h"
#include "common/deliver/payload.h"
#include "common/graph/retry.h"
#include "common/graph/transfer.h"

enum { TOKEN_MAX = 4096 };

/* --- the answer --- */

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct ei_delivery *d = context;
    size_t length = size * count;

    d->answer_bytes += length;
    ei_transfer_keep_header(data, length, "Retry-After", d->retry_after, sizeof d->retry_after);
    ei_transfer_keep_header(data, length, "Date", d->date, sizeof d->date);
    return d->answer_bytes <= EI_ANSWER_MAX ? length : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct ei_delivery *d = context;
    size_t length = size * count;

    d->answer_bytes += length;
    ei_delivery_keep(d, data, length);
    return d->answer_bytes <= EI_ANSWER_MAX ? length : 0;
}

/* --- what it came to --- */

/* A short word or two, such as Slack's "invalid_token"; a longer text may repeat the message that it answers. */
static const char *short_answer(const struct ei_delivery *d, char said[EI_ANSWER_TEXT])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";
    enum { SHORT = 48 };

    ei_delivery_said(d, said);
    if (strlen(said) > SHORT || said[strspn(said, allowed)] != '\0' || strstr(d->secret.data, said) != NULL ||
        strstr(d->payload.data, said) != NULL)
        said[0] = '\0';
    return said;
}

static void fail_status(struct ei_delivery *d, long status)
{
    char said[EI_ANSWER_TEXT];
    const char *text = short_answer(d, said);
    const char *colon = text[0] != '\0' ? ": " : "";
    bool later = status == 429 || status == 408 || status == 425;

    if (status >= 500)
        ei_delivery_fail(d, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, "it answered %ld%s%s", status, colon, text);
    else if (status < 400)
        ei_delivery_fail(d, EI_DELIVER_REJECTED, EI_WEBHOOK, "it answered %ld, a redirect, which is never followed",
                         status);
    else
        ei_delivery_fail(d, EI_DELIVER_REJECTED, later ? EI_DELIVERY_LATER : EI_WEBHOOK, "it answered %ld%s%s", status,
                         colon, text);
}

/* The status decides: what comes of the body behind it is of no interest. */
static void read_outcome(struct ei_delivery *d, CURLcode code)
{
    char reason[EI_ANSWER_TEXT];
    long status = 0;

    (void)curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
    d->result.status = status;
    d->result.retry_after = ei_retry_after(d->retry_after, d->date[0] != '\0' ? d->date : NULL);
    if (status >= 200 && status < 300) {
        d->result.outcome = EI_DELIVER_DONE;
        ei_error_clear(&d->result.error);
    } else if (status >= 300) {
        fail_status(d, status);
    } else if (ei_transfer_unsent(d->easy, code)) {
        ei_delivery_fail_unsent(d, code);
    } else {
        ei_delivery_reason(d, code, reason);
        ei_delivery_fail(d, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, "no whole answer: %s",
                         atomic_load(&d->cancelled) ? "this program ends" : reason);
    }
}

/* --- the secrets --- */

static bool fail_url(struct ei_delivery *d, const char *reason)
{
    ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_WEBHOOK, "%s: %s", d->secret_file, reason);
    return false;
}

static char *part(CURLU *url, CURLUPart what)
{
    char *text = NULL;

    return curl_url_get(url, what, &text, 0) == CURLUE_OK ? text : NULL;
}

/* Names the host in target; the rest of the URL is nobody's to read. */
static bool judge_url(struct ei_delivery *d, CURLU *url, bool *ret_plain)
{
    char *scheme = part(url, CURLUPART_SCHEME);
    char *host = part(url, CURLUPART_HOST);
    char *user = part(url, CURLUPART_USER);
    bool good = false;

    *ret_plain = ei_text_same(scheme, "http");
    if (scheme == NULL || host == NULL || (!*ret_plain && strcmp(scheme, "https") != 0))
        fail_url(d, "holds no https URL");
    else if (*ret_plain && !ei_host_is_loopback(host))
        fail_url(d, "holds an http URL: without TLS nothing is sent to another host");
    else if (user != NULL)
        fail_url(d, "holds a URL with a user name; give the token in a file of its own");
    else
        good = true;
    if (good)
        snprintf(d->target, sizeof d->target, "%s", host);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return good;
}

static bool read_url(struct ei_delivery *d, bool *ret_plain)
{
    struct ei_error why;
    enum ei_err rc = ei_secret_read_file(d->secret_file, &d->secret, &why);

    if (rc != EI_OK) {
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, rc, "%s", why.message);
        return false;
    }
    const char *host = strstr(d->secret.data, "://");
    if (host == NULL || host[3] == '/') /* libcurl would take the first part of the path for the host */
        return fail_url(d, "holds no https URL");
    for (const char *c = d->secret.data; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return fail_url(d, "holds a blank or a character that is not ASCII: one URL in one line is wanted");
    CURLU *url = curl_url();
    if (url == NULL || curl_url_set(url, CURLUPART_URL, d->secret.data, 0) != CURLUE_OK) {
        curl_url_cleanup(url);
        return fail_url(d, "holds no https URL");
    }
    bool good = judge_url(d, url, ret_plain);
    curl_url_cleanup(url);
    return good;
}

static bool read_token(struct ei_delivery *d)
{
    struct ei_error why;

    if (d->token_file == NULL)
        return true;
    enum ei_err rc = ei_secret_read_file(d->token_file, &d->token, &why);
    if (rc != EI_OK) {
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, rc, "%s", why.message);
        return false;
    }
    bool good = d->token.length <= TOKEN_MAX;
    for (const char *c = d->token.data; *c != '\0'; c++)
        good = good && *c > ' ' && *c <= '~';
    if (!good)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_WEBHOOK, "%s: holds no token: one word in one line is wanted",
                         d->token_file);
    return good;
}

/* --- the transfer --- */

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool add_header(struct ei_delivery *d, const char *before, const char *value)
{
    struct ei_buffer line;

    ei_buffer_init(&line, 2 * TOKEN_MAX);
    struct curl_slist *list = ei_buffer_append_text(&line, before) && ei_buffer_append_text(&line, value)
                                  ? curl_slist_append(d->headers, line.data)
                                  : NULL;
    ei_buffer_free(&line);
    if (list != NULL)
        d->headers = list;
    return list != NULL;
}

static bool add_headers(struct ei_delivery *d)
{
    return add_header(d, "Content-Type: ", "application/json") && add_header(d, "Accept-Encoding: ", "identity") &&
           add_header(d, "Expect:", "") && add_header(d, "Idempotency-Key: ", d->id) &&
           (d->token.length == 0 || add_header(d, "Authorization: Bearer ", d->token.data));
}

static bool set_protocol(CURL *easy, bool plain)
{
    return ei_transfer_set_protocol(easy, plain ? "http" : "https", plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_HTTP09_ALLOWED, 0L);
}

static bool prepare(struct ei_delivery *d)
{
    CURL *easy = d->easy;
    bool plain = false;

    if (!read_url(d, &plain) || !read_token(d))
        return false;
    if (add_headers(d) && set_protocol(easy, plain) && SET(CURLOPT_URL, d->secret.data) && SET(CURLOPT_POST, 1L) &&
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->payload.length) && SET(CURLOPT_POSTFIELDS, d->payload.data) &&
        SET(CURLOPT_HTTPHEADER, d->headers) && SET(CURLOPT_USERAGENT, "entra-invite/" EI_VERSION) &&
        SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, d) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
        SET(CURLOPT_WRITEDATA, d))
        return true;
    ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_NOMEM, "no memory for the transfer");
    return false;
}

const struct ei_delivery_ops ei_delivery_chat = {.prepare = prepare, .read = read_outcome};

enum ei_err ei_deliver_webhook(struct ei_deliver *deliver, const struct ei_webhook *webhook, const struct ei_chat *chat,
                               ei_deliver_done *done, void *context, struct ei_error *err)
{
    enum ei_err rc = ei_webhook_check(webhook, err);

    if (rc != EI_OK)
        return rc;
    struct ei_delivery *d = ei_delivery_new(&ei_delivery_chat, done, context, err);
    if (d == NULL)
        return EI_NOMEM;
    rc = ei_payload_write(webhook->format, chat, &d->payload, err);
    if (rc == EI_OK &&
        (!ei_delivery_copy(&d->secret_file, webhook->url_file) || !ei_delivery_copy(&d->id, chat->id) ||
         !ei_delivery_copy(&d->token_file, webhook->token_file) || !ei_delivery_copy(&d->ca_file, webhook->ca_file)))
        rc = ei_fail(err, EI_NOMEM, "no memory for the message");
    if (rc == EI_OK)
        return ei_delivery_start(deliver, d, err);
    ei_delivery_free(d);
    return rc;
}

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/deliver/delivery.h"
#include "common/graph/errors.h"
#include "common/graph/transfer.h"

enum { PAYLOAD_MAX = 2 * 1024 * 1024, WORD_MAX = 60 };

struct ei_delivery *ei_delivery_new(const struct ei_delivery_ops *ops, ei_deliver_done *done, void *context,
                                    struct ei_error *err)
{
    struct ei_delivery *d = calloc(1, sizeof *d);

    if (d == NULL) {
        ei_fail(err, EI_NOMEM, "no memory for the message");
        return NULL;
    }
    d->ops = ops;
    d->done = done;
    d->context = context;
    d->result.retry_after = -1;
    ei_buffer_init(&d->payload, PAYLOAD_MAX);
    return d;
}

void ei_delivery_free(struct ei_delivery *d)
{
    if (d == NULL)
        return;
    ei_buffer_free(&d->payload);
    ei_secret_free(&d->secret);
    ei_secret_free(&d->token);
    free(d->url);
    free(d->from);
    free(d->to);
    free(d->user);
    free(d->secret_file);
    free(d->token_file);
    free(d->ca_file);
    free(d->id);
    free(d);
}

bool ei_delivery_copy(char **to, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return true;
    *to = strdup(text);
    return *to != NULL;
}

void ei_delivery_fail(struct ei_delivery *d, enum ei_deliver_outcome outcome, enum ei_err code, const char *format, ...)
{
    char text[EI_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->result.outcome = outcome;
    ei_fail(&d->result.error, code, "%s%s%s", d->target, d->target[0] != '\0' ? ": " : "", text);
}

void ei_delivery_keep(struct ei_delivery *d, const char *data, size_t length)
{
    size_t room = sizeof d->answer - 1 - d->answer_length;

    length = length < room ? length : room;
    memcpy(d->answer + d->answer_length, data, length);
    d->answer_length += length;
    d->answer[d->answer_length] = '\0';
}

/* The words of text, those that may tell too much cut: what comes behind the host of a URL, and anything very long,
 * such as a part of one. A cut is shown as "…". */
static void cut_words(char *out, size_t size, const char *text)
{
    static const char mark[] = "\xe2\x80\xa6";
    size_t used = 0;

    while (*text != '\0' && used + WORD_MAX + sizeof mark < size) {
        size_t length = strcspn(text, " ");
        const char *scheme = memmem(text, length, "://", 3);
        size_t shown = length;
        if (scheme != NULL)
            shown = (size_t)(scheme - text) + 3 + strcspn(scheme + 3, "/?#\\ \"'");
        if (shown > WORD_MAX)
            shown = 0;
        shown = shown < length ? shown : length;
        memcpy(out + used, text, shown);
        used += shown;
        if (shown < length) {
            memcpy(out + used, mark, strlen(mark));
            used += strlen(mark);
        }
        text += length;
        if (*text == ' ') {
            out[used++] = ' ';
            text++;
        }
    }
    out[used] = '\0';
}

static bool holds(const char *text, const struct ei_secret *secret)
{
    return secret->data != NULL && secret->length != 0 && strstr(text, secret->data) != NULL;
}

static void clean(const struct ei_delivery *d, const char *text, char out[EI_ANSWER_TEXT])
{
    char line[EI_ANSWER_TEXT];

    ei_graph_text(line, sizeof line, text);
    out[0] = '\0';
    if (!holds(line, &d->secret) && !holds(line, &d->token))
        cut_words(out, EI_ANSWER_TEXT, line);
}

void ei_delivery_said(const struct ei_delivery *d, char out[EI_ANSWER_TEXT])
{
    clean(d, d->answer, out);
}

void ei_delivery_reason(const struct ei_delivery *d, CURLcode code, char out[EI_ANSWER_TEXT])
{
    clean(d, d->curl_error[0] != '\0' ? d->curl_error : curl_easy_strerror(code), out);
}

void ei_delivery_fail_unsent(struct ei_delivery *d, CURLcode code)
{
    char reason[EI_ANSWER_TEXT];

    ei_delivery_reason(d, code, reason);
    if (ei_transfer_untrusted(code))
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_DELIVERY_TRUST, "certificate not trusted: %s", reason);
    else if (code == CURLE_OUT_OF_MEMORY)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_NOMEM, "no memory for the transfer");
    else if (d->answer_bytes > EI_ANSWER_MAX)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_UNREACHABLE, "it answers more than makes sense");
    else if (atomic_load(&d->cancelled))
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_UNREACHABLE, "not sent: this program ends");
    else
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_UNREACHABLE, "%s", reason);
}

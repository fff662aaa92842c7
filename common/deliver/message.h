/*
 * A mail as RFC 5322 and MIME have it.
 */
#ifndef EI_DELIVER_MESSAGE_H
#define EI_DELIVER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/deliver/mailbox.h"

/* 1 to most letters, digits and '-': what can neither end a field nor begin another. NULL is none. */
bool ei_message_token(const char *text, size_t most);

/* Caller owns all; only read. */
struct ei_message {
    const char *id;                    /* of the attempt: letters, digits, '-'; with From's domain the Message-ID */
    int64_t date;                      /* seconds since 1970 */
    const struct ei_mailbox *from;     /* also the envelope's sender */
    const struct ei_mailbox *to;       /* the one recipient */
    const struct ei_mailbox *reply_to; /* NULL: none */
    const char *language;              /* Content-Language, a tag such as "de-DE"; NULL or "": none */
    const char *subject;               /* one line of UTF-8 */
    const char *body;                  /* UTF-8 with LF line ends; secret */
};

/*
 * The whole message, with CR LF: From, To, Reply-To, Subject, Date, Message-ID, Auto-Submitted: auto-generated,
 * Content-Language, and one part of text/plain; charset=utf-8. Not by curl_mime: what that sends by SMTP is always
 * multipart/mixed. What is not ASCII is in encoded words (RFC 2047), and no line of the header is longer than 78
 * characters unless one address is. A body of ASCII goes as it is (7bit), any other in base64.
 *
 * ret_text is made here; it may hold the redeem URL, and ei_buffer_free erases it. EI_USAGE names the member that is
 * missing, that is no single line of UTF-8, or whose characters are not allowed; EI_BAD_ADDRESS; EI_NOMEM.
 */
enum ei_err ei_message_write(const struct ei_message *message, struct ei_buffer *ret_text, struct ei_error *err);

#endif

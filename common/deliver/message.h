/*
 * A mail as RFC 5322 and MIME have it: headers here, the body's transfer encoding by libcurl (curl_mime).
 */
#ifndef EI_DELIVER_MESSAGE_H
#define EI_DELIVER_MESSAGE_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/account/gecos.h"
#include "common/base/error.h"

/* One of From, To, Reply-To: a name, which may be "", and an address as ei_address_check gives it. */
struct ei_mailbox {
    char name[EI_NAME_SIZE];
    char address[EI_ADDRESS_SIZE];
};

/* Takes "address", "Name <address>" and "\"Name\" <address>", the name in UTF-8. EI_BAD_ADDRESS names the text, and
 * which part is wrong: of the address as ei_address_check, of the name a control character or bytes that are not
 * UTF-8. */
enum ei_err ei_mailbox_parse(const char *written, struct ei_mailbox *ret_mailbox, struct ei_error *err);

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
 * From, To, Reply-To, Subject, Date, Message-ID, Auto-Submitted: auto-generated, MIME-Version and Content-Language as
 * lines for CURLOPT_HTTPHEADER; libcurl adds Content-Type and Content-Transfer-Encoding. What is not ASCII is in
 * encoded words (RFC 2047), no line is longer than 78 characters (a long address makes one of at most 998). The owner
 * frees the list. EI_USAGE names the member that is NULL or no single line of UTF-8; EI_BAD_ADDRESS; EI_NOMEM.
 */
enum ei_err ei_message_headers(const struct ei_message *message, struct curl_slist **ret_headers, struct ei_error *err);

/* The text/plain; charset=utf-8 body for CURLOPT_MIMEPOST of this handle; base64 or, for short lines of ASCII only,
 * 7bit. NULL when out of memory. The owner frees it with curl_mime_free. */
curl_mime *ei_message_mime(CURL *easy, const struct ei_message *message);

#endif

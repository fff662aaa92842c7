#include "common/deliver/message.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/account/address.h"
#include "common/base/utf8.h"

enum {
    LINE_MAX_BYTES = 998, /* RFC 5322, 2.1.1 */
    LINE_GOOD = 78,
    WORD_BYTES = 39,   /* of text in an encoded word: 64 characters, which fit a line of 76 behind "Reply-To: " */
    BASE64_BYTES = 57, /* of text in a line of 76 characters */
    BASE64_SIZE = 81,
    ID_MAX = 64,
    MESSAGE_MAX = 1024 * 1024,
};

static const char atext[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~ ";

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static bool append_field(struct ei_buffer *out, const char *before, const char *value, const char *after)
{
    return ei_buffer_append_text(out, before) && ei_buffer_append_text(out, value) && ei_buffer_append_text(out, after);
}

/* --- header --- */

/* As many whole characters as fit an encoded word. */
static size_t word_length(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0') {
        size_t step = ei_utf8_length(text + length);
        if (length + step > WORD_BYTES)
            break;
        length += step;
    }
    return length;
}

static bool append_encoded(struct ei_buffer *out, const char *text)
{
    unsigned char word[BASE64_SIZE];

    for (bool first = true; *text != '\0'; first = false) {
        size_t length = word_length(text);
        EVP_EncodeBlock(word, (const unsigned char *)text, (int)length);
        if (!ei_buffer_append_text(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") ||
            !ei_buffer_append_text(out, (const char *)word) || !ei_buffer_append_text(out, "?="))
            return false;
        text += length;
    }
    return true;
}

/* What looks like an encoded word must not be read as one. */
static bool plain(const char *text, size_t room)
{
    return is_ascii(text) && strlen(text) <= room && strstr(text, "=?") == NULL && text[0] != ' ' &&
           (text[0] == '\0' || text[strlen(text) - 1] != ' ');
}

static bool append_quoted(struct ei_buffer *out, const char *name)
{
    if (name[strspn(name, atext)] == '\0')
        return ei_buffer_append_text(out, name);
    if (!ei_buffer_append_text(out, "\""))
        return false;
    for (; *name != '\0'; name++)
        if (((*name == '"' || *name == '\\') && !ei_buffer_append_text(out, "\\")) || !ei_buffer_append(out, name, 1))
            return false;
    return ei_buffer_append_text(out, "\"");
}

static bool append_mailbox(struct ei_buffer *out, const char *field, const struct ei_mailbox *mailbox)
{
    enum { NAME_ROOM = 30 }; /* twice as long with a backslash before each character */
    const char *name = mailbox->name;
    size_t start = out->length;
    bool added = ei_buffer_append_text(out, field) && ei_buffer_append_text(out, ": ");

    if (added && name[0] != '\0')
        added = plain(name, NAME_ROOM) ? append_quoted(out, name) : append_encoded(out, name);
    if (added && name[0] != '\0') {
        bool fits =
            plain(name, NAME_ROOM) && out->length - start + strlen(mailbox->address) + strlen(" <>") <= LINE_GOOD;
        added = ei_buffer_append_text(out, fits ? " " : "\r\n ");
    }
    return added && append_field(out, "<", mailbox->address, ">\r\n");
}

static bool append_subject(struct ei_buffer *out, const char *subject)
{
    static const char field[] = "Subject: ";

    return ei_buffer_append_text(out, field) &&
           (plain(subject, LINE_GOOD - strlen(field)) ? ei_buffer_append_text(out, subject)
                                                      : append_encoded(out, subject)) &&
           ei_buffer_append_text(out, "\r\n");
}

/* In English, whatever the locale. */
static bool append_date(struct ei_buffer *out, int64_t date)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char line[64];
    time_t seconds = (time_t)date;
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL)
        return false;
    snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday % 7], tm.tm_mday,
             months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return ei_buffer_append_text(out, line);
}

static bool append_header(struct ei_buffer *out, const struct ei_message *m)
{
    return append_mailbox(out, "From", m->from) && append_mailbox(out, "To", m->to) &&
           (m->reply_to == NULL || append_mailbox(out, "Reply-To", m->reply_to)) && append_subject(out, m->subject) &&
           append_date(out, m->date) && append_field(out, "Message-ID: <", m->id, "@") &&
           append_field(out, "", ei_address_domain(m->from->address), ">\r\n") &&
           ei_buffer_append_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                                      "Content-Type: text/plain; charset=utf-8\r\n") &&
           (m->language == NULL || m->language[0] == '\0' ||
            append_field(out, "Content-Language: ", m->language, "\r\n"));
}

/* --- body --- */

/* Whether it can go as it is: nothing that a server on the way may break or change ("From " at the start of a line). */
static bool goes_plain(const char *body)
{
    if (!is_ascii(body))
        return false;
    for (const char *line = body; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (length > LINE_MAX_BYTES || strncmp(line, "From ", 5) == 0)
            return false;
        line += length + (line[length] == '\n');
    }
    return true;
}

static bool append_lines(struct ei_buffer *out, const char *body)
{
    while (*body != '\0') {
        size_t length = strcspn(body, "\n");
        if (!ei_buffer_append(out, body, length) || !ei_buffer_append_text(out, "\r\n"))
            return false;
        body += length + (body[length] == '\n');
    }
    return true;
}

static bool append_base64(struct ei_buffer *out, const struct ei_buffer *text)
{
    unsigned char line[BASE64_SIZE];
    bool added = true;

    for (size_t at = 0; added && at < text->length; at += BASE64_BYTES) {
        size_t length = text->length - at < BASE64_BYTES ? text->length - at : BASE64_BYTES;
        EVP_EncodeBlock(line, (const unsigned char *)text->data + at, (int)length);
        added = append_field(out, (const char *)line, "\r\n", "");
    }
    explicit_bzero(line, sizeof line);
    return added;
}

static bool append_body(struct ei_buffer *out, const char *body)
{
    struct ei_buffer text;

    if (goes_plain(body))
        return ei_buffer_append_text(out, "Content-Transfer-Encoding: 7bit\r\n\r\n") && append_lines(out, body);
    ei_buffer_init(&text, out->limit);
    bool added = ei_buffer_append_text(out, "Content-Transfer-Encoding: base64\r\n\r\n") && append_lines(&text, body) &&
                 append_base64(out, &text);
    ei_buffer_free(&text);
    return added;
}

/* --- what is given --- */

bool ei_message_token(const char *text, size_t most)
{
    size_t length = text != NULL ? strlen(text) : 0;

    return length != 0 && length <= most &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0';
}

static enum ei_err check_mailbox(const char *what, const struct ei_mailbox *mailbox, struct ei_error *err)
{
    char address[EI_ADDRESS_SIZE];

    if (mailbox == NULL)
        return ei_fail(err, EI_USAGE, "the message has no %s", what);
    if (!ei_utf8_printable(mailbox->name))
        return ei_fail(err, EI_USAGE, "the message's %s has a name that is no single line of UTF-8", what);
    return ei_address_check(mailbox->address, address, err);
}

static enum ei_err check(const struct ei_message *m, struct ei_error *err)
{
    if (!ei_message_token(m->id, ID_MAX))
        return ei_fail(err, EI_USAGE, "the message's id must be letters, digits and '-'");
    if (m->language != NULL && m->language[0] != '\0' && !ei_message_token(m->language, ID_MAX))
        return ei_fail(err, EI_USAGE, "the message's language must be letters, digits and '-'");
    if (m->subject == NULL || m->subject[0] == '\0' || !ei_utf8_printable(m->subject))
        return ei_fail(err, EI_USAGE, "the message's subject must be one line of UTF-8");
    if (m->body == NULL || strchr(m->body, '\r') != NULL || !ei_utf8_text(m->body, strlen(m->body)))
        return ei_fail(err, EI_USAGE, "the message's body must be UTF-8 without control characters");
    enum ei_err rc = check_mailbox("sender", m->from, err);
    if (rc == EI_OK)
        rc = check_mailbox("recipient", m->to, err);
    return rc == EI_OK && m->reply_to != NULL ? check_mailbox("reply-to", m->reply_to, err) : rc;
}

enum ei_err ei_message_write(const struct ei_message *message, struct ei_buffer *ret_text, struct ei_error *err)
{
    enum ei_err rc = check(message, err);

    if (rc != EI_OK)
        return rc;
    ei_buffer_init(ret_text, MESSAGE_MAX);
    if (append_header(ret_text, message) && append_body(ret_text, message->body))
        return EI_OK;
    ei_buffer_free(ret_text);
    return ei_fail(err, EI_NOMEM, "no memory for the message");
}

#include "common/deliver/mailbox.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/utf8.h"

enum { SHOWN_MAX = 320 };

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *length)
{
    while (*length != 0 && blank((*text)[*length - 1]))
        --*length;
    while (*length != 0 && blank(**text)) {
        ++*text;
        --*length;
    }
}

/* "\"Taylor \\\"T\\\" Example\"" to what stands between the quotes, in place; true if it was no quoted string or a good
 * one. */
static bool unquote(char *name)
{
    char *to = name;
    const char *from = name + 1;

    if (name[0] != '"')
        return strchr(name, '"') == NULL;
    for (; *from != '\0' && *from != '"'; from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        *to++ = *from;
    }
    bool closed = from[0] == '"' && from[1] == '\0';
    *to = '\0';
    return closed;
}

enum ei_err ei_mailbox_parse(const char *written, struct ei_mailbox *ret_mailbox, struct ei_error *err)
{
    struct ei_mailbox mailbox = {0};
    char address[EI_ADDRESS_SIZE] = "";
    const char *open = strrchr(written, '<');
    const char *at = open != NULL ? open + 1 : written;
    size_t length = strlen(at);
    const char *name = written;
    size_t name_length = open != NULL ? (size_t)(open - written) : 0;

    if (open != NULL) {
        trim(&at, &length);
        if (length == 0 || at[length - 1] != '>')
            return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": the '<' is not closed at the end", SHOWN_MAX, written);
        length--;
    }
    trim(&at, &length);
    trim(&name, &name_length);
    if (length >= sizeof address || name_length >= sizeof mailbox.name)
        return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": is too long", SHOWN_MAX, written);
    memcpy(address, at, length);
    memcpy(mailbox.name, name, name_length);
    if (!ei_utf8_printable(mailbox.name))
        return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": the name holds a control character, or is not UTF-8", SHOWN_MAX,
                       written);
    if (!unquote(mailbox.name))
        return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": the quotes around the name are not right", SHOWN_MAX, written);
    enum ei_err rc = ei_address_check(address, mailbox.address, err);
    if (rc == EI_OK)
        *ret_mailbox = mailbox;
    return rc;
}

enum ei_err ei_mailbox_make(const char *name, const char *address, struct ei_mailbox *ret_mailbox, struct ei_error *err)
{
    struct ei_mailbox mailbox = {0};
    enum ei_err rc = ei_address_check(address, mailbox.address, err);
    size_t used = 0;

    if (rc != EI_OK)
        return rc;
    while (name != NULL && *name != '\0') {
        size_t length = ei_utf8_length(name);
        size_t step = length != 0 ? length : 1;
        const char *shown = length == 0 ? "?" : ei_utf8_control(name) ? " " : name;
        size_t bytes = shown == name ? step : 1;
        if (used + bytes >= sizeof mailbox.name)
            break;
        memcpy(mailbox.name + used, shown, bytes);
        used += bytes;
        name += step;
    }
    *ret_mailbox = mailbox;
    return EI_OK;
}

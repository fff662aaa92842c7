#include "common/account/address.h"

#include <idn2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"

enum {
    LOCAL_MAX = 64,    /* RFC 5321, 4.5.3.1.1 */
    ADDRESS_MAX = 254, /* the longest path without its brackets, 4.5.3.1.3 */
    DOMAIN_MAX = 253,  /* what fits a DNS name in text form */
    LABEL_MAX = 63,
    SHOWN_MAX = 320, /* bytes of somebody's text in one message */
    WHAT_SIZE = 64,
};

static bool ascii_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* How a message names the character at text: itself, or a number where it would not show. */
static const char *name_character(const char *text, char out[WHAT_SIZE])
{
    size_t length = ei_utf8_length(text);

    if (length == 0 && (unsigned char)*text >= 0x80)
        snprintf(out, WHAT_SIZE, "the byte 0x%02x, which is not UTF-8", (unsigned char)*text);
    else if (*text == ' ')
        snprintf(out, WHAT_SIZE, "a space");
    else if (ei_utf8_control(text))
        snprintf(out, WHAT_SIZE, "the control character 0x%02x", (unsigned char)text[length == 2 ? 1 : 0]);
    else if (length > 1)
        snprintf(out, WHAT_SIZE, "'%.*s', which is not ASCII", (int)length, text);
    else
        snprintf(out, WHAT_SIZE, "'%c'", *text);
    return out;
}

static enum ei_err bad(struct ei_error *err, const char *written, const char *reason)
{
    return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": %s", SHOWN_MAX, written, reason);
}

static enum ei_err bad_character(struct ei_error *err, const char *written, const char *part, const char *at)
{
    char what[WHAT_SIZE];
    return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": %s must not have %s", SHOWN_MAX, written, part,
                   name_character(at, what));
}

/*
 * What Graph takes (contract 2.4): its list of forbidden characters leaves, of printable ASCII, letters, digits and
 * these. `+` is legal mail syntax, but Graph answers 400.
 */
static bool local_allowed(char c)
{
    return ascii_alnum(c) || c == '.' || c == '-' || c == '_' || c == '\'' || c == '`';
}

static enum ei_err check_local(const char *written, size_t length, struct ei_error *err)
{
    static const char part[] = "the part before '@'";

    if (length == 0)
        return bad(err, written, "nothing stands before the '@'");
    for (size_t i = 0; i < length; i++)
        if (!local_allowed(written[i]))
            return bad_character(err, written, part, written + i);
    if (length > LOCAL_MAX)
        return bad(err, written, "the part before '@' is longer than 64 characters");
    if (written[0] == '.' || written[0] == '-')
        return bad(err, written, "the part before '@' must not begin with '.' or '-'");
    if (written[length - 1] == '.' || written[length - 1] == '-')
        return bad(err, written, "the part before '@' must not end with '.' or '-'");
    if (memmem(written, length, "..", 2) != NULL)
        return bad(err, written, "the part before '@' has two dots in a row");
    return EI_OK;
}

static enum ei_err check_label(const char *written, const char *label, size_t length, struct ei_error *err)
{
    if (length == 0)
        return bad(err, written, "the domain has an empty part (a dot too many)");
    for (size_t i = 0; i < length; i++)
        if (!ascii_alnum(label[i]) && label[i] != '-')
            return bad_character(err, written, "the domain", label + i);
    if (length > LABEL_MAX)
        return bad(err, written, "a part of the domain is longer than 63 characters");
    if (label[0] == '-' || label[length - 1] == '-')
        return bad(err, written, "a part of the domain begins or ends with '-'");
    return EI_OK;
}

/* domain in ASCII; written is what messages name. */
static enum ei_err check_ascii_domain(const char *written, const char *domain, struct ei_error *err)
{
    const char *label = domain;

    if (domain[0] == '\0')
        return bad(err, written, "the domain is missing");
    for (;;) {
        size_t length = strcspn(label, ".");
        enum ei_err rc = check_label(written, label, length, err);
        if (rc != EI_OK)
            return rc;
        if (label[length] == '\0')
            break;
        label += length + 1;
    }
    if (strlen(domain) > DOMAIN_MAX)
        return bad(err, written, "the domain is longer than 253 characters");
    if (label == domain)
        return bad(err, written, "the domain has no dot");
    if (label[strspn(label, "0123456789")] == '\0')
        return bad(err, written, "the domain ends in a number: an address of a host is not a mail domain");
    return EI_OK;
}

static bool has_a_label(const char *domain)
{
    for (const char *label = domain; label != NULL; label = strchr(label, '.')) {
        label += *label == '.';
        if (strncasecmp(label, "xn--", 4) == 0)
            return true;
    }
    return false;
}

/* Gives the A-label form of domain. An ASCII name stays as it was written, but a broken A-label is refused. */
static enum ei_err to_ascii(const char *written, const char *domain, char *out, size_t size, struct ei_error *err)
{
    bool ascii = all_ascii(domain);
    char *converted = NULL;

    if (!ascii && !ei_utf8_valid(domain, strlen(domain)))
        return bad(err, written, "the domain is not well-formed UTF-8");
    if (!ascii || has_a_label(domain)) {
        int result = idn2_to_ascii_8z(domain, &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
        if (result == IDN2_MALLOC)
            return ei_fail(err, EI_NOMEM, "\"%.*s\": no memory to check it", SHOWN_MAX, written);
        if (result != IDN2_OK)
            return ei_fail(err, EI_BAD_ADDRESS, "\"%.*s\": the domain is not a valid internationalised name (%s)",
                           SHOWN_MAX, written, idn2_strerror(result));
    }
    int length = snprintf(out, size, "%s", ascii ? domain : converted);
    idn2_free(converted);
    if (length < 0 || (size_t)length >= size)
        return bad(err, written, "the domain is longer than 253 characters");
    return check_ascii_domain(written, out, err);
}

enum ei_err ei_address_check(const char *written, char address[EI_ADDRESS_SIZE], struct ei_error *err)
{
    char domain[EI_ADDRESS_SIZE];
    const char *at = strchr(written, '@');

    address[0] = '\0';
    if (written[0] == '\0')
        return bad(err, written, "the address is empty");
    if (at == NULL)
        return bad(err, written, "it has no '@'");
    if (strchr(at + 1, '@') != NULL)
        return bad(err, written, "it has more than one '@'");
    enum ei_err rc = check_local(written, (size_t)(at - written), err);
    if (rc == EI_OK)
        rc = to_ascii(written, at + 1, domain, sizeof domain, err);
    if (rc != EI_OK)
        return rc;
    size_t before = (size_t)(at - written) + 1;
    size_t length = strlen(domain);
    if (before + length > ADDRESS_MAX)
        return bad(err, written, "it is longer than 254 characters");
    memcpy(address, written, before);
    memcpy(address + before, domain, length + 1);
    return EI_OK;
}

const char *ei_address_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? at + 1 : "";
}

bool ei_address_domain_listed(const char *address, const char *const *domains, size_t count)
{
    char folded[EI_ADDRESS_SIZE];

    if (count == 0)
        return true;
    if (!ei_address_fold(ei_address_domain(address), folded, sizeof folded))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(folded, domains[i]) == 0)
            return true;
    return false;
}

enum ei_err ei_domain_normalize(const char *written, char *domain, size_t size, struct ei_error *err)
{
    enum ei_err rc = to_ascii(written, written, domain, size, err);

    if (rc == EI_OK)
        ei_address_fold(domain, domain, size);
    else if (size != 0)
        domain[0] = '\0';
    return rc;
}

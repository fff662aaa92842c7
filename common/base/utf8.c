#include "common/base/utf8.h"

#include <string.h>

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t ei_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        return continues(s[1]) ? 2 : 0;
    if (s[0] >= 0xe0 && s[0] <= 0xef) {
        if (!continues(s[1]) || !continues(s[2]))
            return 0;
        bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f);
        return bad ? 0 : 3;
    }
    if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        if (!continues(s[1]) || !continues(s[2]) || !continues(s[3]))
            return 0;
        bool bad = (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
        return bad ? 0 : 4;
    }
    return 0;
}

bool ei_utf8_valid(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length) {
        /* The bytes behind the end may look like a continuation: a copy with a NUL decides at the border. */
        char tail[5] = {0};
        const char *at = text + i;
        if (length - i < 4) {
            memcpy(tail, at, length - i);
            at = tail;
        }
        size_t step = *at == '\0' ? 0 : ei_utf8_length(at);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool ei_utf8_control(const char *text)
{
    unsigned char first = (unsigned char)text[0];

    return first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

bool ei_utf8_printable(const char *text)
{
    while (*text != '\0') {
        size_t step = ei_utf8_length(text);
        if (step == 0 || ei_utf8_control(text))
            return false;
        text += step;
    }
    return true;
}

bool ei_utf8_text(const char *text, size_t length)
{
    if (!ei_utf8_valid(text, length))
        return false;
    for (; *text != '\0'; text += ei_utf8_length(text))
        if (ei_utf8_control(text) && strchr("\n\r\t", *text) == NULL)
            return false;
    return true;
}

void ei_utf8_repair(char *text)
{
    while (*text != '\0') {
        size_t step = ei_utf8_length(text);
        if (step == 0) {
            *text = '?';
            step = 1;
        }
        text += step;
    }
}

void ei_utf8_one_line(char *text)
{
    ei_utf8_repair(text);
    for (; *text != '\0'; text += ei_utf8_length(text))
        if (ei_utf8_control(text))
            memset(text, '?', ei_utf8_length(text));
}

#include "common/graph/retry.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/clock.h"

static int64_t cap(int64_t seconds)
{
    return seconds > EI_RETRY_CAP ? EI_RETRY_CAP : seconds;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* digits [ "." digits ], rounded up. Saturates at the cap, so that any number of digits is safe. */
static int64_t parse_number(const char *text)
{
    int64_t seconds = 0;
    bool fraction = false;

    while (is_digit(*text))
        seconds = cap(seconds * 10 + (*text++ - '0'));
    if (*text == '.') {
        text++;
        if (!is_digit(*text))
            return -1;
        while (is_digit(*text))
            fraction |= *text++ != '0';
    }
    text += strspn(text, " \t");
    return *text == '\0' ? cap(seconds + (fraction ? 1 : 0)) : -1;
}

/* curl_getdate takes much that is no HTTP-date ("12", "mon"), so the value must look like one: a day's name, and a
 * time with colons. */
int64_t ei_http_date(const char *text)
{
    bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');

    if (!letter || strchr(text, ':') == NULL || strlen(text) > 64)
        return -1;
    int64_t seconds = curl_getdate(text, NULL);
    return seconds >= 0 ? seconds : -1; /* before 1970 is no time of an answer */
}

int64_t ei_retry_after(const char *value, const char *date)
{
    if (value == NULL)
        return -1;
    value += strspn(value, " \t");
    if (is_digit(*value))
        return parse_number(value);
    int64_t until = ei_http_date(value);
    if (until < 0)
        return -1;
    int64_t from = date != NULL ? ei_http_date(date) : -1;
    int64_t seconds = until - (from >= 0 ? from : ei_now());
    return seconds < 0 ? 0 : cap(seconds);
}

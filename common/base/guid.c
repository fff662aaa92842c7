#include "common/base/guid.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A worker without randomness could give two attempts one id, so it does not run on. */
static void random_bytes(void *out, size_t length)
{
    ssize_t got;
    do
        got = getrandom(out, length, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)length)
        abort();
}

void ei_guid_new(char out[EI_GUID_TEXT])
{
    uint8_t b[16];

    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, EI_GUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool ei_guid_valid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (text == NULL || strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

uint32_t ei_random_below(uint32_t bound)
{
    uint32_t value;

    if (bound == 0)
        return 0;
    random_bytes(&value, sizeof value);
    return value % bound;
}

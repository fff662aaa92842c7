#include "common/graph/jwt.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/json.h"
#include "common/graph/memory.h"

enum { CLAIMS_MAX = 32 * 1024 }; /* bytes */

static int value_of(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

/* base64url without padding (RFC 7515, 2). */
static bool decode(const char *text, size_t length, struct ei_buffer *out)
{
    unsigned bits = 0;
    unsigned count = 0;

    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        char byte = (char)(bits >> count & 0xff);
        if (!ei_buffer_append(out, &byte, 1))
            return false;
    }
    return true;
}

/* The middle one of three parts. */
cJSON *ei_jwt_claims(const char *jwt)
{
    const char *start = strchr(jwt, '.');
    const char *end = start != NULL ? strchr(start + 1, '.') : NULL;
    struct ei_buffer text;
    cJSON *claims = NULL;

    ei_buffer_init(&text, CLAIMS_MAX);
    if (end != NULL && decode(start + 1, (size_t)(end - start) - 1, &text) && text.length != 0)
        claims = ei_json_parse(text.data, text.length);
    ei_buffer_free(&text);
    if (claims != NULL && !cJSON_IsObject(claims)) {
        ei_graph_json_free(claims);
        claims = NULL;
    }
    return claims;
}

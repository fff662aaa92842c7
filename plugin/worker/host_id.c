#include "plugin/worker/host_id.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Made once for entra-invite, never changed: another one would make every host a stranger to its own records. */
static const uint8_t application_id[16] = {0x5c, 0x1f, 0x0d, 0x7a, 0x94, 0x3e, 0x4b, 0x21,
                                           0xa6, 0x0b, 0xe2, 0x57, 0x38, 0xc9, 0x6d, 0x14};

static bool hex_value(char c, unsigned *ret_value)
{
    if (!isxdigit((unsigned char)c))
        return false;
    *ret_value = c <= '9' ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
    return true;
}

static bool read_machine_id(const char *path, uint8_t id[16])
{
    char text[33] = {0};
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    size_t got = fread(text, 1, 32, file);
    fclose(file);
    if (got != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        unsigned high;
        unsigned low;
        if (!hex_value(text[2 * i], &high) || !hex_value(text[2 * i + 1], &low))
            return false;
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

enum ei_err ei_host_id(const char *path, char out[EI_GUID_TEXT], struct ei_error *err)
{
    char name[256] = {0};
    uint8_t key[16];
    uint8_t b[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const void *secret = key;
    int secret_length = sizeof key;

    if (!read_machine_id(path != NULL ? path : "/etc/machine-id", key)) {
        if (gethostname(name, sizeof name - 1) < 0 || name[0] == '\0')
            return ei_fail(err, EI_IO, "/etc/machine-id: cannot be read, and the host has no name");
        secret = name;
        secret_length = (int)strlen(name);
    }
    if (HMAC(EVP_sha256(), secret, secret_length, application_id, sizeof application_id, b, &length) == NULL ||
        length < 16)
        return ei_fail(err, EI_IO, "the machine id cannot be hashed");
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, EI_GUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    explicit_bzero(key, sizeof key);
    return EI_OK;
}

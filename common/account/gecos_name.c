/* Apart from gecos.c, which the PAM module links: a login has no use for the name. */
#include <string.h>

#include "common/account/gecos.h"
#include "common/base/utf8.h"

void ei_gecos_name(const char *gecos, char name[EI_NAME_SIZE])
{
    size_t first = strcspn(gecos, ",");
    size_t length = strcspn(gecos, ",<>");

    name[0] = '\0';
    if (length == first && memchr(gecos, '@', length) != NULL)
        return; /* a bare address */
    while (length > 0 && (*gecos == ' ' || *gecos == '\t')) {
        gecos++;
        length--;
    }
    while (length > 0 && (gecos[length - 1] == ' ' || gecos[length - 1] == '\t'))
        length--;
    if (length >= EI_NAME_SIZE) {
        length = EI_NAME_SIZE - 1;
        while (length > 0 && ((unsigned char)gecos[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(name, gecos, length);
    name[length] = '\0';
    if (!ei_utf8_printable(name))
        name[0] = '\0';
}

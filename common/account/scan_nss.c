#include "common/account/scan_nss.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { BUFFER_FIRST = 4096, BUFFER_MAX = 16 << 20 };

/* getXXnam_r(3): ENOENT and ESRCH, too, mean that no source has it. */
static enum ei_nss_answer judge(int result, const void *found)
{
    if (found != NULL)
        return EI_NSS_FOUND;
    if (result == 0 || result == ENOENT || result == ESRCH)
        return EI_NSS_ABSENT;
    errno = result;
    return EI_NSS_FAILED;
}

enum ei_nss_answer ei_nss_group(const char *name, struct group *ret, char **ret_buffer)
{
    for (size_t size = BUFFER_FIRST; size <= BUFFER_MAX; size *= 2) {
        struct group *found = NULL;
        char *buffer = malloc(size);
        *ret_buffer = NULL;
        if (buffer == NULL)
            return EI_NSS_NOMEM;
        int result = getgrnam_r(name, ret, buffer, size, &found);
        enum ei_nss_answer answer = judge(result, found);
        if (answer == EI_NSS_FOUND) {
            *ret_buffer = buffer;
            return answer;
        }
        free(buffer);
        if (result != ERANGE)
            return answer;
    }
    errno = ERANGE;
    return EI_NSS_FAILED;
}

enum ei_nss_answer ei_nss_passwd(const char *name, struct passwd *ret, char **ret_buffer)
{
    for (size_t size = BUFFER_FIRST; size <= BUFFER_MAX; size *= 2) {
        struct passwd *found = NULL;
        char *buffer = malloc(size);
        *ret_buffer = NULL;
        if (buffer == NULL)
            return EI_NSS_NOMEM;
        int result = getpwnam_r(name, ret, buffer, size, &found);
        enum ei_nss_answer answer = judge(result, found);
        if (answer == EI_NSS_FOUND) {
            *ret_buffer = buffer;
            return answer;
        }
        free(buffer);
        if (result != ERANGE)
            return answer;
    }
    errno = ERANGE;
    return EI_NSS_FAILED;
}

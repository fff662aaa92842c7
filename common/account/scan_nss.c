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

/* getgrnam_r(3) and getpwnam_r(3), alike in all but the type of the entry. */
typedef int read_entry(const char *name, void *ret, char *buffer, size_t size, const void **ret_found);

static int read_group(const char *name, void *ret, char *buffer, size_t size, const void **ret_found)
{
    struct group *found = NULL;
    int result = getgrnam_r(name, ret, buffer, size, &found);
    *ret_found = found;
    return result;
}

static int read_passwd(const char *name, void *ret, char *buffer, size_t size, const void **ret_found)
{
    struct passwd *found = NULL;
    int result = getpwnam_r(name, ret, buffer, size, &found);
    *ret_found = found;
    return result;
}

static enum ei_nss_answer look_up(read_entry *read, const char *name, void *ret, char **ret_buffer)
{
    for (size_t size = BUFFER_FIRST; size <= BUFFER_MAX; size *= 2) {
        const void *found = NULL;
        char *buffer = malloc(size);
        *ret_buffer = NULL;
        if (buffer == NULL)
            return EI_NSS_NOMEM;
        int result = read(name, ret, buffer, size, &found);
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

enum ei_nss_answer ei_nss_group(const char *name, struct group *ret, char **ret_buffer)
{
    return look_up(read_group, name, ret, ret_buffer);
}

enum ei_nss_answer ei_nss_passwd(const char *name, struct passwd *ret, char **ret_buffer)
{
    return look_up(read_passwd, name, ret, ret_buffer);
}

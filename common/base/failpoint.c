#include "common/base/failpoint.h"

#ifdef EI_FAILPOINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ei_failpoint(const char *name)
{
    static long passages;
    const char *wanted = getenv("EI_FAILPOINT");
    size_t length = strlen(name);

    if (wanted == NULL || strncmp(wanted, name, length) != 0)
        return;
    if (wanted[length] != '\0' && wanted[length] != ':')
        return;
    long at = wanted[length] == ':' ? strtol(wanted + length + 1, NULL, 10) : 1;
    if (++passages == at)
        kill(getpid(), SIGKILL);
}

#else
typedef int ei_failpoint_is_test_only; /* ISO C wants a translation unit to hold something */
#endif

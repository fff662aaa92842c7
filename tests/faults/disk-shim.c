/*
 * For LD_PRELOAD: while the file $EI_DISK_FAULT is there, each change below /var/lib/entra-invite fails with the errno
 * whose number is in it; what is read is given as it is.
 *
 *   cc -shared -fPIC -I. -o disk-shim.so tests/faults/disk-shim.c
 */
#define _GNU_SOURCE
#include "tests/faults/disk_shim.h"

#include <stdlib.h>

static int disk_decide(const struct disk_call *call)
{
    const char *path = getenv("EI_DISK_FAULT");
    char text[16] = "";

    if (call->kind == DISK_READ || path == NULL)
        return DISK_GO;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return DISK_GO;
    long got = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return got > 0 ? atoi(text) : DISK_GO;
}

static void disk_done(const struct disk_call *call)
{
    (void)call;
}

__attribute__((constructor)) static void begin(void)
{
    snprintf(disk_root, sizeof disk_root, "/var/lib/entra-invite");
}

/*
 * For LD_PRELOAD, about /var/lib/entra-invite: while the file $EI_DISK_FAULT is there, each change fails with the errno
 * whose number is in it; what is read is given as it is. With $EI_DISK_RECORD each change is written down there, for
 * power-cut.c, and nothing is really synced.
 *
 *   cc -D_GNU_SOURCE -shared -fPIC -I. -o disk-shim.so tests/faults/disk-shim.c
 */
#include "tests/faults/disk_shim.h"

#include <stdlib.h>
#include <sys/uio.h>

#include "tests/faults/disk_log.h"

static int fault_of(const char *path)
{
    char text[16] = "";
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0)
        return DISK_GO;
    long got = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return got > 0 ? atoi(text) : DISK_GO;
}

static int disk_decide(const struct disk_call *call)
{
    const char *fault = getenv("EI_DISK_FAULT");
    int decision = call->kind != DISK_READ && fault != NULL ? fault_of(fault) : DISK_GO;

    if (decision == DISK_GO && call->kind == DISK_SYNC && getenv("EI_DISK_RECORD") != NULL)
        return DISK_PRETEND;
    return decision;
}

static void disk_done(const struct disk_call *call)
{
    const char *log = getenv("EI_DISK_RECORD");
    size_t root = strlen(disk_root);

    if (log == NULL || call->kind == DISK_READ || call->kind == DISK_CHMOD ||
        (call->kind == DISK_OPEN && !call->makes && !call->cuts))
        return;
    struct disk_line line = {.kind = call->kind,
                             .path = (uint32_t)(strlen(call->path) - root),
                             .to = call->to != NULL ? (uint32_t)(strlen(call->to) - root) : 0,
                             .data = call->data != NULL ? (uint32_t)call->length : 0,
                             .offset = call->offset,
                             .makes = call->makes,
                             .cuts = call->cuts};
    struct iovec parts[] = {
        {&line, sizeof line},
        {(void *)(call->path + root), line.path},
        {(void *)(call->to != NULL ? call->to + root : ""), line.to},
        {(void *)call->data, line.data},
    };
    int saved = errno;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (fd < 0 || syscall(SYS_writev, fd, parts, 4) < (long)sizeof line)
        abort(); /* a gap in the record would look like a failure of what is tested */
    syscall(SYS_close, fd);
    errno = saved;
}

__attribute__((constructor)) static void begin(void)
{
    snprintf(disk_root, sizeof disk_root, "/var/lib/entra-invite");
}

/*
 * torture-shim.so, for LD_PRELOAD: the n-th allocation or map fails with ENOMEM, or all from then on (see torture.h).
 * It is between the program and the C library's own allocator, so it sees what every library in the program asks for.
 *
 *   TORTURE_NTH=N      from the start of main; 0: only counts. Without it the program says when: torture_memory_begin()
 *   TORTURE_THEN_ON=1  and from then on
 *   TORTURE_SPARE="NAME..."
 *                      allocations that a library asks for itself, whose file name has one of these in it, never fail
 *   TORTURE_MAIN=1     torture-trace is told where main begins
 *   TORTURE_REPORT=FILE
 *                      at the end, a line is appended to it: "PID allocations N failed M"
 *
 * Only atomics and the stack, so that threads, forks and signal handlers are none of its concern.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/faults/torture.h"

/* glibc's own, under the names that it keeps for those who replace the others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static atomic_long calls, live, failed, wanted;
static atomic_bool armed, then_on;
static const char *spare;
static char report_path[256]; /* a program may clear its environment: the hook does */

static bool spared(const void *caller)
{
    Dl_info info;

    if (spare == NULL || dladdr(caller, &info) == 0 || info.dli_fname == NULL)
        return false;
    for (const char *name = spare; *name != '\0'; name += strcspn(name, " "), name += strspn(name, " ")) {
        char word[64] = "";
        memcpy(word, name, strcspn(name, " ") < sizeof word ? strcspn(name, " ") : 0);
        if (strstr(info.dli_fname, word) != NULL)
            return true;
    }
    return false;
}

static bool fails(const void *caller)
{
    if (!atomic_load(&armed) || spared(caller))
        return false;
    long call = atomic_fetch_add(&calls, 1) + 1, nth = atomic_load(&wanted);
    if (nth == 0 || call < nth || (call > nth && !atomic_load(&then_on)))
        return false;
    atomic_fetch_add(&failed, 1);
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add(&live, 1);
    return memory;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_calloc(count, size));
}

static void *resize(void *old, size_t size)
{
    if (old == NULL)
        return counted(__libc_malloc(size));
    if (size == 0)
        atomic_fetch_sub(&live, 1);
    return __libc_realloc(old, size);
}

void *realloc(void *old, size_t size)
{
    return size != 0 && fails(CALLER) ? NULL : resize(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t whole;

    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return whole != 0 && fails(CALLER) ? NULL : resize(old, whole);
}

void *memalign(size_t alignment, size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    int saved = errno;
    void *memory = fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));

    errno = saved;
    if (memory == NULL)
        return ENOMEM;
    *ret_memory = memory;
    return 0;
}

/* Here, so that the caller is the library that wanted the copy and not the C library. */
char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = fails(CALLER) ? NULL : counted(__libc_malloc(size));

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* Maps of files, and pages for a secret; those of the C library itself do not come by here. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return fails(CALLER) ? MAP_FAILED : (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

void free(void *memory)
{
    if (memory == NULL)
        return;
    atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

void torture_memory_begin(long nth, bool from_then_on)
{
    atomic_store(&calls, 0);
    atomic_store(&failed, 0);
    atomic_store(&wanted, nth);
    atomic_store(&then_on, from_then_on);
    atomic_store(&armed, true);
}

long torture_memory_end(void)
{
    atomic_store(&armed, false);
    return atomic_load(&calls);
}

long torture_memory_live(void)
{
    return atomic_load(&live);
}

__attribute__((constructor)) static void begin(void)
{
    const char *nth = getenv("TORTURE_NTH"), *on = getenv("TORTURE_THEN_ON"), *path = getenv("TORTURE_REPORT");

    spare = getenv("TORTURE_SPARE");
    if (path != NULL)
        snprintf(report_path, sizeof report_path, "%s", path);
    if (nth != NULL)
        torture_memory_begin(strtol(nth, NULL, 10), on != NULL && strcmp(on, "1") == 0);
    if (getenv("TORTURE_MAIN") != NULL)
        syscall(TORTURE_CALL, TORTURE_MAIN);
}

__attribute__((destructor)) static void report(void)
{
    char line[100];

    atomic_store(&armed, false);
    if (report_path[0] == '\0')
        return;
    int length = snprintf(line, sizeof line, "%ld allocations %ld failed %ld\n", (long)getpid(), atomic_load(&calls),
                          atomic_load(&failed));
    int fd = open(report_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        perror(report_path);
    close(fd);
}

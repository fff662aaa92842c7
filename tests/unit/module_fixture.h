/*
 * Calls of the modules and of the view's reader that fail when a test wants it, for what no host does on demand. The
 * linker puts the functions __wrap_NAME before those of libc (Makefile, WRAPPED_CALLS). Include after cmocka.h.
 */
#ifndef EI_TESTS_UNIT_MODULE_FIXTURE_H
#define EI_TESTS_UNIT_MODULE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum call {
    CALL_MALLOC,
    CALL_CALLOC,
    CALL_REALLOC,
    CALL_OPEN,
    CALL_OPENAT,
    CALL_FSTAT,
    CALL_READ,
    CALL_PREAD,
    CALL_SOCKET,
    CALL_CONNECT,
    CALL_POLL,
    CALL_SEND,
    CALL_RECV,
    CALLS
};

static struct {
    int nth; /* this one from now fails, once; 0: none */
    int error;
} failing[CALLS];

/* The n-th call from now on fails with this errno. */
static inline void fails(enum call call, int nth, int error)
{
    failing[call].nth = nth;
    failing[call].error = error;
}

static inline bool fails_now(enum call call)
{
    if (failing[call].nth == 0 || --failing[call].nth != 0)
        return false;
    errno = failing[call].error;
    return true;
}

#define WRAP(name) __typeof__(name) __wrap_##name, __real_##name;

WRAP(malloc)
WRAP(calloc)
WRAP(realloc)
WRAP(open)
WRAP(openat)
WRAP(fstat)
WRAP(read)
WRAP(pread)
WRAP(socket)
WRAP(connect)
WRAP(poll)
WRAP(send)
WRAP(recv)

void *__wrap_malloc(size_t size)
{
    return fails_now(CALL_MALLOC) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now(CALL_CALLOC) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now(CALL_REALLOC) ? NULL : __real_realloc(old, size);
}

/* O_TMPFILE and O_CREAT come with a mode; an argument that is not there is read as one that is not used. */
int __wrap_open(const char *file, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return fails_now(CALL_OPEN) ? -1 : __real_open(file, flags, mode);
}

int __wrap_openat(int at, const char *file, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return fails_now(CALL_OPENAT) ? -1 : __real_openat(at, file, flags, mode);
}

int __wrap_fstat(int fd, struct stat *status)
{
    return fails_now(CALL_FSTAT) ? -1 : __real_fstat(fd, status);
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    return fails_now(CALL_READ) ? -1 : __real_read(fd, buffer, size);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
    return fails_now(CALL_PREAD) ? -1 : __real_pread(fd, buffer, size, offset);
}

int __wrap_socket(int domain, int type, int protocol)
{
    return fails_now(CALL_SOCKET) ? -1 : __real_socket(domain, type, protocol);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return fails_now(CALL_CONNECT) ? -1 : __real_connect(fd, address, length);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return fails_now(CALL_POLL) ? -1 : __real_poll(fds, count, timeout);
}

ssize_t __wrap_send(int fd, const void *data, size_t length, int flags)
{
    return fails_now(CALL_SEND) ? -1 : __real_send(fd, data, length, flags);
}

ssize_t __wrap_recv(int fd, void *data, size_t length, int flags)
{
    return fails_now(CALL_RECV) ? -1 : __real_recv(fd, data, length, flags);
}

#endif

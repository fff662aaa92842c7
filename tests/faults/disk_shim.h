/*
 * The calls by which a program changes or reads files, in front of libc's: SQLite's, tinycdb's and our own alike pass
 * through here, and the includer decides about each that concerns a path below disk_root. Included by one file of a
 * test program (the linker then takes these for all libraries as well), or of an object for LD_PRELOAD.
 *
 * The includer defines the two hooks.
 */
#ifndef EI_TESTS_FAULTS_DISK_SHIM_H
#define EI_TESTS_FAULTS_DISK_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum disk_kind {
    DISK_READ,
    DISK_OPEN, /* for writing, or making it */
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_CHMOD,
    DISK_MKDIR,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_KINDS
};

struct disk_call {
    enum disk_kind kind;
    const char *path; /* absolute */
    const char *to;   /* DISK_RENAME */
    const void *data; /* DISK_WRITE */
    size_t length;
    off_t offset; /* DISK_WRITE; DISK_TRUNCATE: the new size */
    mode_t mode;  /* DISK_OPEN that makes it, DISK_CHMOD, DISK_MKDIR */
    bool makes;   /* DISK_OPEN: the file was not there */
    bool cuts;    /* DISK_OPEN: O_TRUNC */
};

enum { DISK_GO = 0, DISK_PRETEND = -1 }; /* or the errno to fail with */

static char disk_root[PATH_MAX];
/* Before the call: what is to become of it. */
static int disk_decide(const struct disk_call *call);
/* After one that succeeded or was pretended. */
static void disk_done(const struct disk_call *call);

static bool disk_below(const char *path)
{
    size_t length = strlen(disk_root);

    return length != 0 && path[0] == '/' && strncmp(path, disk_root, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

/* The path of an open file; false: none of ours, or it has been deleted. */
static bool disk_of_fd(int fd, char path[PATH_MAX])
{
    char link[64];

    if (disk_root[0] == '\0')
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return disk_below(path) && strstr(path, " (deleted)") == NULL;
}

static bool disk_of_name(int directory, const char *name, char path[PATH_MAX])
{
    char parent[PATH_MAX];

    if (disk_root[0] == '\0')
        return false;
    if (name[0] == '/' || directory == AT_FDCWD) {
        snprintf(path, PATH_MAX, "%s", name);
        return disk_below(path);
    }
    return disk_of_fd(directory, parent) && snprintf(path, PATH_MAX, "%s/%s", parent, name) < PATH_MAX;
}

/* True: *ret is the outcome, nothing is called any more. */
static bool disk_refused(const struct disk_call *call, long pretended, long *ret)
{
    int saved = errno;
    int decision = disk_decide(call);

    errno = saved;
    if (decision == DISK_GO)
        return false;
    *ret = pretended;
    if (decision == DISK_PRETEND) {
        disk_done(call);
        return true;
    }
    *ret = -1;
    errno = decision;
    return true;
}

#define DISK_CALL(call_, pretended_, ...)                                                                              \
    do {                                                                                                               \
        long outcome_;                                                                                                 \
        if (disk_refused(&(call_), (pretended_), &outcome_))                                                           \
            return (__typeof__(pretended_))outcome_;                                                                   \
        outcome_ = syscall(__VA_ARGS__);                                                                               \
        if (outcome_ >= 0)                                                                                             \
            disk_done(&(call_));                                                                                       \
        return (__typeof__(pretended_))outcome_;                                                                       \
    } while (0)

/* The C name is ours, so that no header's declaration or inline stands in the way; the symbol is libc's. */
#define DISK_SYMBOL(name) __asm__(name) __attribute__((visibility("default"), used))

static int disk_open(int directory, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;

    if (!writes || !disk_of_name(directory, name, path))
        return (int)syscall(SYS_openat, directory, name, flags, mode);
    struct disk_call call = {.kind = DISK_OPEN, .path = path, .mode = mode, .cuts = (flags & O_TRUNC) != 0};
    call.makes = (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    DISK_CALL(call, -1, SYS_openat, directory, name, flags, mode);
}

#define DISK_MODE(flags_)                                                                                              \
    mode_t mode = 0;                                                                                                   \
    if (((flags_) & (O_CREAT | O_TMPFILE)) != 0) {                                                                     \
        va_list args;                                                                                                  \
        va_start(args, flags_);                                                                                        \
        mode = va_arg(args, mode_t);                                                                                   \
        va_end(args);                                                                                                  \
    }

int disk_open_1(const char *name, int flags, ...) DISK_SYMBOL("open");
int disk_open_1(const char *name, int flags, ...)
{
    DISK_MODE(flags)
    return disk_open(AT_FDCWD, name, flags, mode);
}

int disk_open_2(const char *name, int flags, ...) DISK_SYMBOL("open64");
int disk_open_2(const char *name, int flags, ...)
{
    DISK_MODE(flags)
    return disk_open(AT_FDCWD, name, flags, mode);
}

int disk_openat_1(int directory, const char *name, int flags, ...) DISK_SYMBOL("openat");
int disk_openat_1(int directory, const char *name, int flags, ...)
{
    DISK_MODE(flags)
    return disk_open(directory, name, flags, mode);
}

int disk_openat_2(int directory, const char *name, int flags, ...) DISK_SYMBOL("openat64");
int disk_openat_2(int directory, const char *name, int flags, ...)
{
    DISK_MODE(flags)
    return disk_open(directory, name, flags, mode);
}

ssize_t disk_read(int fd, void *data, size_t length) DISK_SYMBOL("read");
ssize_t disk_read(int fd, void *data, size_t length)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return syscall(SYS_read, fd, data, length);
    struct disk_call call = {.kind = DISK_READ, .path = path, .length = length};
    DISK_CALL(call, (ssize_t)0, SYS_read, fd, data, length);
}

static ssize_t disk_pread_any(int fd, void *data, size_t length, off_t offset)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return syscall(SYS_pread64, fd, data, length, offset);
    struct disk_call call = {.kind = DISK_READ, .path = path, .length = length};
    DISK_CALL(call, (ssize_t)0, SYS_pread64, fd, data, length, offset);
}

ssize_t disk_pread_1(int fd, void *data, size_t length, off_t offset) DISK_SYMBOL("pread");
ssize_t disk_pread_1(int fd, void *data, size_t length, off_t offset)
{
    return disk_pread_any(fd, data, length, offset);
}

ssize_t disk_pread_2(int fd, void *data, size_t length, off_t offset) DISK_SYMBOL("pread64");
ssize_t disk_pread_2(int fd, void *data, size_t length, off_t offset)
{
    return disk_pread_any(fd, data, length, offset);
}

ssize_t disk_write(int fd, const void *data, size_t length) DISK_SYMBOL("write");
ssize_t disk_write(int fd, const void *data, size_t length)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return syscall(SYS_write, fd, data, length);
    struct disk_call call = {.kind = DISK_WRITE, .path = path, .data = data, .length = length};
    call.offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    DISK_CALL(call, (ssize_t)length, SYS_write, fd, data, length);
}

static ssize_t disk_pwrite_any(int fd, const void *data, size_t length, off_t offset)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return syscall(SYS_pwrite64, fd, data, length, offset);
    struct disk_call call = {.kind = DISK_WRITE, .path = path, .data = data, .length = length, .offset = offset};
    DISK_CALL(call, (ssize_t)length, SYS_pwrite64, fd, data, length, offset);
}

ssize_t disk_pwrite_1(int fd, const void *data, size_t length, off_t offset) DISK_SYMBOL("pwrite");
ssize_t disk_pwrite_1(int fd, const void *data, size_t length, off_t offset)
{
    return disk_pwrite_any(fd, data, length, offset);
}

ssize_t disk_pwrite_2(int fd, const void *data, size_t length, off_t offset) DISK_SYMBOL("pwrite64");
ssize_t disk_pwrite_2(int fd, const void *data, size_t length, off_t offset)
{
    return disk_pwrite_any(fd, data, length, offset);
}

static int disk_sync_any(int fd)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return (int)syscall(SYS_fsync, fd);
    struct disk_call call = {.kind = DISK_SYNC, .path = path};
    DISK_CALL(call, 0, SYS_fsync, fd);
}

int disk_fsync(int fd) DISK_SYMBOL("fsync");
int disk_fsync(int fd)
{
    return disk_sync_any(fd);
}

int disk_fdatasync(int fd) DISK_SYMBOL("fdatasync");
int disk_fdatasync(int fd)
{
    return disk_sync_any(fd);
}

static int disk_truncate_any(int fd, off_t size)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return (int)syscall(SYS_ftruncate, fd, size);
    struct disk_call call = {.kind = DISK_TRUNCATE, .path = path, .offset = size};
    DISK_CALL(call, 0, SYS_ftruncate, fd, size);
}

int disk_truncate_1(int fd, off_t size) DISK_SYMBOL("ftruncate");
int disk_truncate_1(int fd, off_t size)
{
    return disk_truncate_any(fd, size);
}

int disk_truncate_2(int fd, off_t size) DISK_SYMBOL("ftruncate64");
int disk_truncate_2(int fd, off_t size)
{
    return disk_truncate_any(fd, size);
}

int disk_chmod(int fd, mode_t mode) DISK_SYMBOL("fchmod");
int disk_chmod(int fd, mode_t mode)
{
    char path[PATH_MAX];

    if (!disk_of_fd(fd, path))
        return (int)syscall(SYS_fchmod, fd, mode);
    struct disk_call call = {.kind = DISK_CHMOD, .path = path, .mode = mode};
    DISK_CALL(call, 0, SYS_fchmod, fd, mode);
}

int disk_mkdir(const char *name, mode_t mode) DISK_SYMBOL("mkdir");
int disk_mkdir(const char *name, mode_t mode)
{
    char path[PATH_MAX];

    if (!disk_of_name(AT_FDCWD, name, path))
        return (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    struct disk_call call = {.kind = DISK_MKDIR, .path = path, .mode = mode};
    DISK_CALL(call, 0, SYS_mkdirat, AT_FDCWD, name, mode);
}

int disk_rename(const char *from, const char *to) DISK_SYMBOL("rename");
int disk_rename(const char *from, const char *to)
{
    char path[PATH_MAX];

    if (!disk_of_name(AT_FDCWD, from, path))
        return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    struct disk_call call = {.kind = DISK_RENAME, .path = path, .to = to};
    DISK_CALL(call, 0, SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int disk_unlink(const char *name) DISK_SYMBOL("unlink");
int disk_unlink(const char *name)
{
    char path[PATH_MAX];

    if (!disk_of_name(AT_FDCWD, name, path))
        return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    struct disk_call call = {.kind = DISK_UNLINK, .path = path};
    DISK_CALL(call, 0, SYS_unlinkat, AT_FDCWD, name, 0);
}

#endif

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"

enum { PATH_BYTES = 4096 };

static enum ei_err io_failed(struct ei_error *err, const char *path)
{
    return ei_fail(err, ei_err_of_write(errno), "%s: %s", path, strerror(errno));
}

static enum ei_err sync_directory(const char *path, struct ei_error *err)
{
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    enum ei_err rc = EI_OK;

    snprintf(directory, sizeof directory, "%.*s",
             slash == NULL   ? 1
             : slash == path ? 1
                             : (int)(slash - path),
             slash == NULL ? "." : path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_failed(err, directory);
    if (fsync(fd) < 0)
        rc = io_failed(err, directory);
    close(fd);
    return rc;
}

enum ei_err ei_file_publish(const char *temp, const char *path, struct ei_error *err)
{
    EI_FAILPOINT("C13");
    if (rename(temp, path) < 0) {
        enum ei_err rc = io_failed(err, path);
        unlink(temp);
        return rc;
    }
    return sync_directory(path, err);
}

static enum ei_err write_all(int fd, const char *path, const char *data, size_t length, struct ei_error *err)
{
    while (length > 0) {
        ssize_t count = write(fd, data, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return io_failed(err, path);
        data += count;
        length -= (size_t)count;
    }
    return fsync(fd) < 0 ? io_failed(err, path) : EI_OK;
}

enum ei_err ei_file_replace(const char *path, const void *data, size_t length, mode_t mode, struct ei_error *err)
{
    char temp[PATH_BYTES];

    if (snprintf(temp, sizeof temp, "%s.tmp", path) >= (int)sizeof temp)
        return ei_fail(err, EI_IO, "%s: path too long", path);
    unlink(temp); /* what a killed run left behind */
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0700);
    if (fd < 0)
        return io_failed(err, temp);
    enum ei_err rc = fchmod(fd, mode) < 0 ? io_failed(err, temp) : write_all(fd, temp, data, length, err);
    close(fd);
    if (rc != EI_OK) {
        unlink(temp);
        return rc;
    }
    return ei_file_publish(temp, path, err);
}

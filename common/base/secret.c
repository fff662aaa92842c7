#include "common/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/service_user.h"

enum ei_err ei_secret_new(struct ei_secret *ret_secret, size_t capacity)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (capacity + 1 + page - 1) / page * page;
    char *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (data == MAP_FAILED)
        return EI_NOMEM;
    /* A small RLIMIT_MEMLOCK must not stop the worker: the lock only keeps the page out of swap. */
    (void)mlock(data, mapped);
    (void)madvise(data, mapped, MADV_DONTDUMP);
    *ret_secret = (struct ei_secret){.data = data, .length = 0, .mapped = mapped};
    return EI_OK;
}

void ei_secret_free(struct ei_secret *secret)
{
    if (secret->data != NULL) {
        explicit_bzero(secret->data, secret->mapped);
        munmap(secret->data, secret->mapped);
    }
    *secret = (struct ei_secret){0};
}

/* systemd lets the service's user read a credential by an ACL, whose mask then shows as the group's right: 0440, root's
 * group, in a directory that it made for this service alone. */
static bool from_systemd(const char *path, const struct stat *st)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t length = directory != NULL ? strlen(directory) : 0;

    return length != 0 && strncmp(path, directory, length) == 0 && path[length] == '/' &&
           strchr(path + length + 1, '/') == NULL && st->st_uid == 0 && st->st_gid == 0 && (st->st_mode & 0037) == 0;
}

static enum ei_err check_mode(const char *path, const struct stat *st, bool rotated, struct ei_error *err)
{
    if (rotated && (st->st_mode & 0022) != 0)
        return ei_fail(err, EI_SECRET_FILE, "%s: mode %04o lets group or others write", path, st->st_mode & 07777);
    if (!rotated && (st->st_mode & 0077) != 0 && !from_systemd(path, st))
        return ei_fail(err, EI_SECRET_FILE, "%s: mode %04o lets group or others in", path, st->st_mode & 07777);
    return EI_OK;
}

static enum ei_err check_file(const char *path, int fd, bool rotated, struct ei_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return ei_fail_file(err, EI_SECRET_FILE, path);
    if (!S_ISREG(st.st_mode))
        return ei_fail(err, EI_SECRET_FILE, "%s: not a regular file", path);
    if (!ei_uid_trusted(st.st_uid))
        return ei_fail(err, EI_SECRET_FILE, "%s: owned by uid %u", path, st.st_uid);
    if (check_mode(path, &st, rotated, err) != EI_OK)
        return EI_SECRET_FILE;
    if (st.st_nlink != 1)
        return ei_fail(err, EI_SECRET_FILE, "%s: has %lu links", path, (unsigned long)st.st_nlink);
    if (st.st_size > EI_SECRET_MAX)
        return ei_fail(err, EI_SECRET_FILE, "%s: larger than %d bytes", path, EI_SECRET_MAX);
    return EI_OK;
}

static enum ei_err read_all(const char *path, int fd, struct ei_secret *secret, struct ei_error *err)
{
    while (secret->length < EI_SECRET_MAX) {
        ssize_t count = read(fd, secret->data + secret->length, EI_SECRET_MAX - secret->length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ei_fail_file(err, EI_SECRET_FILE, path);
        if (count == 0)
            break;
        secret->length += (size_t)count;
    }
    if (secret->length != 0 && secret->data[secret->length - 1] == '\n')
        secret->length--;
    if (secret->length != 0 && secret->data[secret->length - 1] == '\r')
        secret->length--;
    secret->data[secret->length] = '\0';
    if (secret->length == 0)
        return ei_fail(err, EI_SECRET_FILE, "%s: empty", path);
    if (strlen(secret->data) != secret->length)
        return ei_fail(err, EI_SECRET_FILE, "%s: holds a NUL byte", path);
    return EI_OK;
}

static enum ei_err open_checked(const char *path, bool rotated, int *ret_fd, struct ei_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (rotated ? 0 : O_NOFOLLOW));

    if (fd < 0 && errno == ELOOP && !rotated)
        return ei_fail(err, EI_SECRET_FILE, "%s: is a symbolic link", path);
    if (fd < 0)
        return ei_fail_file(err, EI_SECRET_FILE, path);
    enum ei_err rc = check_file(path, fd, rotated, err);
    if (rc == EI_OK)
        *ret_fd = fd;
    else
        close(fd);
    return rc;
}

enum ei_err ei_secret_check_file(const char *path, bool rotated, struct ei_error *err)
{
    int fd = -1;
    enum ei_err rc = open_checked(path, rotated, &fd, err);

    if (rc == EI_OK)
        close(fd);
    return rc;
}

static enum ei_err read_file(const char *path, bool rotated, struct ei_secret *ret_secret, struct ei_error *err)
{
    struct ei_secret secret = {0};
    int fd = -1;
    enum ei_err rc = open_checked(path, rotated, &fd, err);

    if (rc != EI_OK)
        return rc;
    rc = ei_secret_new(&secret, EI_SECRET_MAX);
    if (rc != EI_OK) {
        ei_fail(err, rc, "%s: no memory to hold it", path);
        goto out;
    }
    rc = read_all(path, fd, &secret, err);
    if (rc != EI_OK)
        goto out;
    *ret_secret = secret;
    secret = (struct ei_secret){0}; /* transferred */
out:
    ei_secret_free(&secret);
    close(fd);
    return rc;
}

enum ei_err ei_secret_read_file(const char *path, struct ei_secret *ret_secret, struct ei_error *err)
{
    return read_file(path, false, ret_secret, err);
}

enum ei_err ei_secret_read_rotated(const char *path, struct ei_secret *ret_secret, struct ei_error *err)
{
    return read_file(path, true, ret_secret, err);
}

void ei_secret_harden_process(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void ei_free_erased(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

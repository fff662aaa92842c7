#include "plugin/worker/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/paths.h"

/* Makes path (whose parent exists) and gives it to the service user; the walk is by descriptor, no link followed (S6).
 */
static enum ei_err own_directory(const char *path, mode_t mode, uid_t uid, gid_t gid, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    if (geteuid() == 0 && (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0))
        rc = ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return rc;
}

static enum ei_err make_directories(const struct ei_config *config, uid_t uid, gid_t gid, struct ei_error *err)
{
    char private[4096];
    enum ei_err rc;

    if (snprintf(private, sizeof private, "%s/private", config->state_dir) >= (int)sizeof private)
        return ei_fail(err, EI_CONFIG, "state_dir: too long");
    rc = own_directory(EI_STATE_DIR, 0755, uid, gid, err);
    if (rc == EI_OK)
        rc = own_directory(EI_PUBLIC_DIR, 0755, uid, gid, err);
    if (rc == EI_OK && strcmp(config->state_dir, EI_STATE_DIR) != 0)
        rc = own_directory(config->state_dir, 0755, uid, gid, err);
    if (rc == EI_OK)
        rc = own_directory(private, 0700, uid, gid, err);
    if (rc == EI_OK && strncmp(config->socket, EI_RUN_DIR "/", sizeof EI_RUN_DIR) == 0)
        rc = own_directory(EI_RUN_DIR, 0755, uid, gid, err);
    return rc;
}

static enum ei_err drop(uid_t uid, gid_t gid, struct ei_error *err)
{
    /* Its own groups, as systemd does it: one may be what lets it read the Arc agent's keys. */
    if (initgroups(EI_SERVICE_USER, gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return ei_fail(err, EI_IO, "cannot become user %s: %s", EI_SERVICE_USER, strerror(errno));
    if (setresuid(0, 0, 0) == 0 || geteuid() != uid || getuid() != uid)
        return ei_fail(err, EI_IO, "root could be taken back; not running on");
    return EI_OK;
}

enum ei_err ei_privileges_drop(const struct ei_config *config, struct ei_error *err)
{
    struct passwd entry;
    struct passwd *user = NULL;
    char buffer[4096];

    int failed = getpwnam_r(EI_SERVICE_USER, &entry, buffer, sizeof buffer, &user);
    if (failed != 0 || user == NULL)
        return ei_fail(err, EI_NOT_FOUND,
                       "there is no user %s: run systemd-sysusers, or useradd -r -s /usr/sbin/nologin %s",
                       EI_SERVICE_USER, EI_SERVICE_USER);
    if (user->pw_uid == 0)
        return ei_fail(err, EI_CONFIG, "the user %s is root", EI_SERVICE_USER);
    if (geteuid() != 0 && geteuid() != user->pw_uid)
        return ei_fail(err, EI_NOT_ROOT, "entra-invited runs as root (and drops to %s) or as %s", EI_SERVICE_USER,
                       EI_SERVICE_USER);
    uid_t uid = user->pw_uid;
    gid_t gid = user->pw_gid;
    enum ei_err rc = make_directories(config, uid, gid, err);
    if (rc == EI_OK && geteuid() == 0)
        rc = drop(uid, gid, err);
    return rc;
}

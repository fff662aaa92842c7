#include "common/base/service_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/paths.h"

bool ei_uid_trusted(uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    const struct passwd *service = getpwnam(EI_SERVICE_USER);
    return service != NULL && service->pw_uid == uid;
}

int ei_service_user_access(const char *path, int mode)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam(EI_SERVICE_USER) : NULL;
    uid_t uid = user != NULL ? user->pw_uid : 0;
    gid_t gid = user != NULL ? user->pw_gid : 0;
    int status;

    if (user == NULL)
        return access(path, mode) == 0 ? 0 : errno;
    pid_t child = fork();
    if (child == 0) {
        if (initgroups(EI_SERVICE_USER, gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
            _exit(EPERM);
        _exit(access(path, mode) == 0 ? 0 : errno);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return EAGAIN;
    return WEXITSTATUS(status);
}

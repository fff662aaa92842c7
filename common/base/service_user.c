#include "common/base/service_user.h"

#include <pwd.h>
#include <unistd.h>

#include "common/base/paths.h"

bool ei_uid_trusted(uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    const struct passwd *service = getpwnam(EI_SERVICE_USER);
    return service != NULL && service->pw_uid == uid;
}

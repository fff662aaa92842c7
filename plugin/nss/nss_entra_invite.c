#include <errno.h>
#include <nss.h>
#include <stdlib.h>

#include "common/base/paths.h"
#include "plugin/nss/module.h"

#define EXPORT __attribute__((visibility("default")))

enum nss_status _nss_entra_invite_initgroups_dyn(const char *user, gid_t group, long int *start, long int *size,
                                                 gid_t **groupsp, long int limit, int *errnop);

static bool listed(const gid_t *groups, long int count, gid_t gid)
{
    for (long int i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

/* As glibc's own services do it: the list is the caller's, twice as large each time, never beyond limit. */
static enum nss_status append(gid_t gid, long int *start, long int *size, gid_t **groupsp, long int limit, int *errnop)
{
    if (*start == *size) {
        if (limit > 0 && *size >= limit)
            return NSS_STATUS_SUCCESS; /* full: what does not fit is dropped, as initgroups(3) does */
        long int room = *size > 0 ? 2 * *size : 16;
        if (limit > 0 && room > limit)
            room = limit;
        gid_t *grown = realloc(*groupsp, (size_t)room * sizeof *grown);
        if (grown == NULL) {
            *errnop = ENOMEM;
            return NSS_STATUS_TRYAGAIN; /* nothing is wrong but the memory: the caller may ask again */
        }
        *groupsp = grown;
        *size = room;
    }
    (*groupsp)[(*start)++] = gid;
    return NSS_STATUS_SUCCESS;
}

EXPORT enum nss_status _nss_entra_invite_initgroups_dyn(const char *user, gid_t group, long int *start, long int *size,
                                                        gid_t **groupsp, long int limit, int *errnop)
{
    static const struct ei_nss_paths paths = {EI_VIEW_PATH, EI_PASSWD_PATH, EI_GROUP_PATH};
    enum nss_status status = NSS_STATUS_NOTFOUND; /* in no status group: the other services' groups stand alone */
    int saved = errno;
    gid_t gid;

    switch (ei_nss_standing(&paths, user, &gid)) {
    case EI_NSS_GROUP:
        status = NSS_STATUS_SUCCESS; /* also where it is in the list already */
        if (gid != group && !listed(*groupsp, *start, gid))
            status = append(gid, start, size, groupsp, limit, errnop);
        break;
    case EI_NSS_ERROR:
        *errnop = errno;
        status = NSS_STATUS_UNAVAIL; /* this service cannot tell; glibc goes on with what the others said */
        break;
    case EI_NSS_NONE:
        break;
    }
    errno = saved;
    return status;
}

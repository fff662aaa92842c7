/* The user that the worker runs as. */
#ifndef EI_BASE_SERVICE_USER_H
#define EI_BASE_SERVICE_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* Root, the caller's effective user, or the service user. The last is looked up last: that may ask the network. */
bool ei_uid_trusted(uid_t uid);

#endif

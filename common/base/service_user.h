/* The user that the worker runs as. */
#ifndef EI_BASE_SERVICE_USER_H
#define EI_BASE_SERVICE_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* Root, the caller's effective user, or the service user. The last is looked up last: that may ask the network. */
bool ei_uid_trusted(uid_t uid);

/* access(2) for the service user: 0, or why not, as errno has it. As root this asks in a child process that becomes the
 * service user; as anybody else it is asked as who we are. */
int ei_service_user_access(const char *path, int mode);

#endif

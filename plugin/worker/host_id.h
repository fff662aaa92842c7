/* The host's id in the store: derived from the machine id, so that the id itself is never given away. */
#ifndef EI_WORKER_HOST_ID_H
#define EI_WORKER_HOST_ID_H

#include "common/base/error.h"
#include "common/base/guid.h"

/*
 * HMAC-SHA256 keyed with /etc/machine-id over this application's id, as GUID text: what
 * sd_id128_get_machine_app_specific gives. Without a machine id, the host name is used in its place (a chroot, a small
 * container): stable, but not unique. path NULL: /etc/machine-id.
 */
enum ei_err ei_host_id(const char *path, char out[EI_GUID_TEXT], struct ei_error *err);

#endif

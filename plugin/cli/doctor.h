/*
 * doctor: looks at everything that invitations and the gate need on this host, and says of each thing whether it is
 * right and what to do. One file an area; each works as far as it can when the others have found trouble.
 *
 *   doctor.c          the verb: order, output, exit code
 *   doctor_config.c   the configuration, the groups of its rules, the service user
 *   doctor_files.c    modes and owners: credential, state, socket, view
 *   doctor_network.c  names and proxies; the way to Microsoft itself is the worker's
 *   doctor_hooks.c    the hooks of useradd and userdel
 *   doctor_pam.c      the gate in the stack of each service (pam_stack.c), UsePAM of sshd (sshd_config.c)
 *   doctor_nss.c      the line in nsswitch.conf
 */
#ifndef EI_CLI_DOCTOR_H
#define EI_CLI_DOCTOR_H

#include <stddef.h>

#include "common/config/config.h"
#include "common/ipc/finding.h"
#include "plugin/cli/cli.h"

/* Exit codes of doctor: as monitoring plugins have them. */
enum { EI_DOCTOR_WELL = 0, EI_DOCTOR_WARNING = 1, EI_DOCTOR_FAILED = 2, EI_DOCTOR_NOT_RUN = 4 };

struct ei_doctor {
    const struct ei_cli *cli;
    const char *root;               /* put before every path of the host; "" but in tests */
    const struct ei_config *config; /* NULL: it cannot be read */
    cJSON *findings;
};

enum { EI_DOCTOR_PATH = 1024 };

/* root and path in one. */
void ei_doctor_path(const struct ei_doctor *doctor, const char *path, char out[EI_DOCTOR_PATH]);

void ei_doctor_config(struct ei_doctor *doctor, struct ei_config **ret_config);
void ei_doctor_files(struct ei_doctor *doctor);
void ei_doctor_network(struct ei_doctor *doctor);
void ei_doctor_hooks(struct ei_doctor *doctor);
void ei_doctor_pam(struct ei_doctor *doctor);
void ei_doctor_nss(struct ei_doctor *doctor);

/* true if one of the patterns (glob) below root names a file. */
bool ei_doctor_exists(const struct ei_doctor *doctor, const char *const *patterns);

#endif

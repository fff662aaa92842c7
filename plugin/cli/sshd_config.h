/* Whether sshd asks PAM: sshd_config(5), UsePAM. */
#ifndef EI_CLI_SSHD_CONFIG_H
#define EI_CLI_SSHD_CONFIG_H

#include <stdbool.h>

/* As sshd itself says (sshd -T), if it can be run. false: it cannot. */
bool ei_sshd_says_use_pam(bool *ret_use_pam);
/* As its configuration says, with Include followed: the first value counts, the default is no. root is put before all
 * paths. false: there is no configuration. */
bool ei_sshd_reads_use_pam(const char *root, bool *ret_use_pam);

#endif

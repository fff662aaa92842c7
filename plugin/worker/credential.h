/* From the configuration's credential to the object that fetches tokens. */
#ifndef EI_WORKER_CREDENTIAL_H
#define EI_WORKER_CREDENTIAL_H

#include "common/config/config.h"
#include "common/graph/credential.h"

/* Reads what the credential consists of; called before privileges are dropped. Owner frees. */
enum ei_err ei_worker_credential(const struct ei_config *config, struct ei_credential **ret_credential,
                                 struct ei_error *err);

#endif

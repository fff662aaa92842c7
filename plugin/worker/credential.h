/* From the configuration's credential to the object that fetches tokens. */
#ifndef EI_WORKER_CREDENTIAL_H
#define EI_WORKER_CREDENTIAL_H

#include "common/config/config.h"
#include "common/graph/credential.h"
#include "plugin/worker/worker.h"

/* Reads what the credential consists of; called before privileges are dropped. Owner frees. */
enum ei_err ei_worker_credential(const struct ei_config *config, struct ei_credential **ret_credential,
                                 struct ei_error *err);

/* Reads its files again; what was read before stays where that fails, which is logged if it matters. */
void ei_worker_credential_reload(struct ei_worker *w);

/* Says in the log, once a day, that the credential ends within 30 days. */
void ei_worker_credential_watch(struct ei_worker *w);

#endif

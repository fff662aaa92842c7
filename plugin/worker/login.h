/* `entra-invite login`: somebody signs in for the app, with a device code (contract 1.4). One at a time. */
#ifndef EI_WORKER_LOGIN_H
#define EI_WORKER_LOGIN_H

#include <cjson/cJSON.h>

#include "plugin/worker/worker.h"

/* Asks the login service again, if it is time to, whether the code was entered. */
void ei_login_run(struct ei_worker *worker);
int64_t ei_login_wait_ms(const struct ei_worker *worker);
/* The caller went away: the sign-in, if it was his, is called off. */
void ei_login_gone(struct ei_worker *worker, const struct ei_call *call);

/* signedInAs and tokenRenewedAt of Status. */
void ei_login_add_status(const struct ei_worker *worker, cJSON *reply);
/* The configuration needs a permission that the sign-in did not ask for; one line about it. */
bool ei_login_lacks(const struct ei_worker *worker, char *line, size_t size);

#endif

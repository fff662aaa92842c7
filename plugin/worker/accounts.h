/* When the account database is read, and what follows from a reading: the reconciler decides, this file drives it. */
#ifndef EI_WORKER_ACCOUNTS_H
#define EI_WORKER_ACCOUNTS_H

#include "plugin/worker/worker.h"

enum ei_err ei_accounts_open(struct ei_worker *worker, struct ei_error *err);
void ei_accounts_close(struct ei_worker *worker);

/* Asks for a reading as soon as one can start. */
void ei_accounts_scan_now(struct ei_worker *worker);
/* Takes change notices and finished readings, starts readings that are due. */
void ei_accounts_run(struct ei_worker *worker);
int64_t ei_accounts_wait_ms(struct ei_worker *worker);
/* No reading is under way or wanted. */
bool ei_accounts_settled(struct ei_worker *worker);

#endif

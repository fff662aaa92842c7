/* Who is pending too long: reminded once after remind_after days, given up after give_up_after days. */
#ifndef EI_WORKER_PATIENCE_H
#define EI_WORKER_PATIENCE_H

#include "plugin/worker/worker.h"

/* Behind a look that showed the guest pending. true: something was decided, and is stored. */
bool ei_patience_run(struct ei_worker *worker, struct ei_collaborator *collaborator);

/* Wall time at which a pending invitation is given up; 0: never. */
int64_t ei_patience_end(const struct ei_rule *rule, const struct ei_collaborator *collaborator);

#endif

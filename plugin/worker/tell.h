/* What the log says of one collaborator: the address before the text; logins, rule and the state that it is in now with
 * it. */
#ifndef EI_WORKER_TELL_H
#define EI_WORKER_TELL_H

#include "common/base/log.h"
#include "plugin/worker/worker.h"

/* ids: whose request-ids belong to it, NULL: none. */
void ei_tell(const struct ei_worker *worker, int priority, enum ei_log_id id,
             const struct ei_collaborator *collaborator, const struct ei_error *ids, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void ei_tell_error(const struct ei_worker *worker, int priority, enum ei_log_id id,
                   const struct ei_collaborator *collaborator, const struct ei_error *err);

/* What a reading of the accounts has to say. */
void ei_tell_note(const struct ei_worker *worker, const struct ei_note *note);

#endif

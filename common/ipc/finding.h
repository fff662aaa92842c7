/* What `doctor` finds: the type Finding of io.entrainvite, made by the worker and by the command line alike. */
#ifndef EI_IPC_FINDING_H
#define EI_IPC_FINDING_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/base/error.h"

/* Worse ones later. SKIPPED: it could not be judged, or is not in use; no reason to do anything. */
enum ei_finding_status { EI_FINDING_OK, EI_FINDING_SKIPPED, EI_FINDING_WARNING, EI_FINDING_FAILED };

/* What a finding is about: a heading, and a word for programs that is the same in every version. */
struct ei_check {
    const char *group;
    const char *name;
};

const char *ei_finding_status_name(enum ei_finding_status status);
/* EI_FINDING_FAILED for a name that this version does not know: it must not pass for good. */
enum ei_finding_status ei_finding_status_from_name(const char *name);

/* Appends {group, check, status, what, mend, error}; mend NULL where there is nothing to do. Control characters in what
 * are replaced. Out of memory appends nothing. */
void ei_finding_add(cJSON *findings, struct ei_check check, enum ei_finding_status status, const char *mend,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The error's own message and mend, and the error itself with the ids of its request. */
void ei_finding_add_error(cJSON *findings, struct ei_check check, enum ei_finding_status status,
                          const struct ei_error *err);

#endif

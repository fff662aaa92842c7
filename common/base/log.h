/*
 * Logging: one line a message, to the journal (stderr with a <priority> prefix when $JOURNAL_STREAM names stderr), to
 * stderr when it runs in the foreground, else to syslog (and to stderr as long as that is the terminal). Used by
 * programs and by worker-side layers; code loaded into other processes (PAM, NSS) never uses it.
 *
 * Untrusted text is escaped at this last write point (S16): control characters and bytes that are not UTF-8 come out
 * as \xNN. Callers never pass a secret, token or redeem URL (K5).
 */
#ifndef EI_BASE_LOG_H
#define EI_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "common/base/error.h"

enum ei_log_target { EI_LOG_STDERR, EI_LOG_JOURNAL, EI_LOG_SYSLOG };

/* Process-wide set-up, once, from main. level: LOG_ERR … LOG_DEBUG; what is less urgent is dropped. */
void ei_log_open(const char *program, enum ei_log_target target, int level);

/* JOURNAL when stderr is the journal, else STDERR. */
enum ei_log_target ei_log_detect(void);

void ei_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "WHAT: message [code; request-id …; client-request-id …] - mend": the one shape in which an error reaches the log. A
 * message that begins with WHAT stands alone. */
void ei_log_error(int priority, const char *what, const struct ei_error *err);

#endif

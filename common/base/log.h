/*
 * Logging: one line a message, to the journal (when $JOURNAL_STREAM names stderr: with fields, else, where journald's
 * socket does not take it, on stderr with a <priority> prefix), to stderr when it runs in the foreground, else to
 * syslog (and to stderr as long as that is the terminal). Used by programs and by worker-side layers; code loaded into
 * other processes (PAM, NSS) never uses it.
 *
 * Untrusted text is escaped at this last write point (S16): control characters and bytes that are not UTF-8 come out
 * as \xNN, in the line and in every field. Callers never pass a secret, token or redeem URL (K5).
 */
#ifndef EI_BASE_LOG_H
#define EI_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "common/base/error.h"
#include "common/base/log_id.h"

enum ei_log_target { EI_LOG_STDERR, EI_LOG_JOURNAL, EI_LOG_SYSLOG };

enum { EI_LOG_LOGINS_MAX = 16 };

/*
 * What a message is about; NULL and 0 where it is about none. Each becomes a field of its own in the journal
 * (entra-invited(8) has their names), and login, rule, state, code and ids stand in brackets in the line. The address
 * is the caller's to put at its beginning.
 */
struct ei_log_about {
    enum ei_log_id id;
    const char *logins[EI_LOG_LOGINS_MAX]; /* one person may have several */
    size_t login_count;
    const char *email;
    const char *rule;
    const char *state;
    const struct ei_error *error;
};

/* Process-wide set-up, once, from main. level: LOG_ERR … LOG_DEBUG; what is less urgent is dropped. */
void ei_log_open(const char *program, enum ei_log_target target, int level);

/* This process is about to end: what is said from here on reaches the journal by stderr, of which journald knows the
 * unit. Of an entry it finds that out by the sender's pid, and then there may be none any more (journalctl -u). */
void ei_log_ending(void);

/* JOURNAL when stderr is the journal, else STDERR. */
enum ei_log_target ei_log_detect(void);

void ei_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with a MESSAGE_ID. */
void ei_log_event(int priority, enum ei_log_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with all that is known: "TEXT [login taylor; rule partners; state accepted]". */
void ei_log_about(int priority, const struct ei_log_about *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "WHAT: message [code; login …; rule …; state …; request-id …; client-request-id …] - mend": the one shape in which an
 * error reaches the log. A message that begins with WHAT stands alone. about->error is the error. */
void ei_log_error_about(int priority, const struct ei_log_about *about, const char *what);

/* The same of an error that is about no account. */
void ei_log_error(int priority, const char *what, const struct ei_error *err);
void ei_log_error_event(int priority, enum ei_log_id id, const char *what, const struct ei_error *err);

#endif

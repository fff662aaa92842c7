/* The one helper thread: it reads the account database, so that a slow NSS source does not stop the loop. */
#ifndef EI_WORKER_SCAN_THREAD_H
#define EI_WORKER_SCAN_THREAD_H

#include <stdbool.h>

#include "common/account/scan.h"

struct ei_scan_thread;

/* Starts the thread. coverage outlives it. */
enum ei_err ei_scan_thread_new(const struct ei_coverage *coverage, struct ei_scan_thread **ret_thread);
/* At the end of the process only: a reading under way is left behind, together with the thread. coverage must outlive
 * it.
 */
void ei_scan_thread_free(struct ei_scan_thread *thread);

/* Other coverage from the next reading on. The old one may go when none is under way. */
void ei_scan_thread_cover(struct ei_scan_thread *thread, const struct ei_coverage *coverage);

/* Becomes readable when a reading is done. */
int ei_scan_thread_fd(const struct ei_scan_thread *thread);
/* Asks for a reading; false if one is under way (ask again when it is done). */
bool ei_scan_thread_start(struct ei_scan_thread *thread);
bool ei_scan_thread_busy(struct ei_scan_thread *thread);
/* true: a reading is done, *ret_snapshot is the caller's; NULL if there was no memory for it. */
bool ei_scan_thread_take(struct ei_scan_thread *thread, struct ei_snapshot **ret_snapshot);

#endif

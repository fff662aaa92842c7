#include "plugin/worker/accounts.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "plugin/worker/tell.h"
#include "plugin/worker/watch.h"

enum { COALESCE_MS = 50 }; /* useradd renames passwd, shadow, group and gshadow one after the other */

enum ei_err ei_accounts_open(struct ei_worker *w, struct ei_error *err)
{
    ei_reconcile_init(&w->reconcile, w->config, w->store, w->host);
    w->first_trusted = true;
    w->watch_fd = ei_watch_open(EI_PASSWD_DIRECTORY);
    if (w->watch_fd < 0)
        ei_log(LOG_WARNING, "%s cannot be watched: new accounts are found every %d seconds only", EI_PASSWD_DIRECTORY,
               w->config->refresh_interval);
    if (ei_scan_thread_new(&w->config->coverage, &w->scanner) != EI_OK)
        return ei_fail(err, EI_NOMEM, "the thread that reads the accounts cannot be started");
    return EI_OK;
}

void ei_accounts_close(struct ei_worker *w)
{
    ei_scan_thread_free(w->scanner);
    ei_reconcile_report_clear(&w->report);
    ei_reconcile_done(&w->reconcile);
    if (w->watch_fd >= 0)
        ei_watch_close(w->watch_fd);
}

void ei_accounts_scan_now(struct ei_worker *w)
{
    w->next_scan_ms = ei_monotonic_ms();
    w->scan_again = true;
}

/* What went wrong with the accounts is said when it begins, not at every reading. */
static void say_news(const struct ei_worker *w, const struct ei_reconcile_report *before,
                     const struct ei_reconcile_report *now)
{
    if (now->doubt.code != EI_OK && before->doubt.code != now->doubt.code)
        ei_log_error_event(LOG_WARNING, EI_LOG_ACCOUNTS_DOUBTFUL, "the account files", &now->doubt);
    if (now->waiting > before->waiting)
        ei_log_event(LOG_NOTICE, EI_LOG_ACCOUNTS_WAIT,
                     "accounts that wait for an address: %zu; see entra-invite list --state waiting - %s", now->waiting,
                     ei_err_mend(EI_NO_ADDRESS));
    if (now->held_back && !before->held_back)
        ei_log_error_event(LOG_ERR, EI_LOG_REMOVALS_HELD, "removals are held back", &now->removals);
    for (size_t i = 0; i < now->problem_count; i++) {
        const struct ei_group_problem *problem = &now->problems[i];
        bool known = false;
        for (size_t k = 0; k < before->problem_count; k++)
            known |=
                strcmp(before->problems[k].rule, problem->rule) == 0 && before->problems[k].status == problem->status;
        if (known)
            continue;
        struct ei_error err;
        ei_group_problem_error(problem, &err);
        ei_log_error_event(LOG_WARNING, EI_LOG_ACCOUNTS_DOUBTFUL, "configuration", &err);
    }
    for (size_t i = 0; i < now->note_count; i++)
        ei_tell_note(w, &now->notes[i]);
}

static void take_snapshot(struct ei_worker *w, struct ei_snapshot *snapshot)
{
    struct ei_reconcile_report report;
    struct ei_error err;

    w->next_scan_ms = ei_monotonic_ms() + (int64_t)w->config->refresh_interval * 1000;
    if (ei_reconcile(&w->reconcile, snapshot, &report, &err) != EI_OK) {
        ei_worker_store_failed(w, &err);
        ei_reconcile_report_clear(&report);
        w->next_scan_ms = ei_monotonic_ms() + EI_STORE_PAUSE_MS;
        return;
    }
    if (w->first_trusted != snapshot->first_trusted || report.changed || !w->scanned)
        w->dirty = true;
    w->first_trusted = snapshot->first_trusted;
    w->scanned = true;
    w->scanned_at = ei_now();
    say_news(w, &w->report, &report);
    if (report.next_pass != INT64_MAX) {
        int64_t wait = (report.next_pass - ei_now() + 1) * 1000;
        int64_t at = ei_monotonic_ms() + (wait > 1000 ? wait : 1000);
        if (at < w->next_scan_ms)
            w->next_scan_ms = at;
    }
    ei_reconcile_report_clear(&w->report);
    w->report = report;
}

void ei_accounts_run(struct ei_worker *w)
{
    int64_t now = ei_monotonic_ms();

    if (w->watch_fd >= 0 && ei_watch_take(w->watch_fd)) {
        w->scan_again = true;
        if (w->next_scan_ms > now + COALESCE_MS)
            w->next_scan_ms = now + COALESCE_MS;
    }
    struct ei_snapshot *snapshot = NULL;
    bool done = ei_scan_thread_take(w->scanner, &snapshot);
    if (done && snapshot == NULL)
        w->next_scan_ms = now + EI_STORE_PAUSE_MS; /* no memory for it */
    if (snapshot != NULL) {
        bool again = w->scan_again;
        int64_t again_ms = w->next_scan_ms;
        take_snapshot(w, snapshot);
        ei_snapshot_free(snapshot);
        w->walked = true;
        if (again && again_ms < w->next_scan_ms)
            w->next_scan_ms = again_ms;
    }
    /* A new configuration waits for the reading that uses the old one. */
    if (now >= w->next_scan_ms && !w->reload_wanted && ei_scan_thread_start(w->scanner))
        w->scan_again = false;
}

bool ei_accounts_settled(struct ei_worker *w)
{
    return !w->scan_again && !ei_scan_thread_busy(w->scanner);
}

int64_t ei_accounts_wait_ms(struct ei_worker *w)
{
    int64_t wait = w->next_scan_ms - ei_monotonic_ms();

    if (ei_scan_thread_busy(w->scanner)) /* its descriptor wakes the loop */
        return INT64_MAX;
    return wait > 0 ? wait : 0;
}

#include "plugin/worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/deliver/deliver.h"
#include "plugin/worker/accounts.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/credential.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/guest_list.h"
#include "plugin/worker/history.h"
#include "plugin/worker/host_id.h"
#include "plugin/worker/login.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/metrics.h"
#include "plugin/worker/notices.h"
#include "plugin/worker/notify.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/reload.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/sponsor_ids.h"
#include "plugin/worker/tenant.h"
#include "plugin/worker/watch.h"

enum {
    OWN_FDS = 4,
    MAX_WAIT_MS = 60 * 60 * 1000,
    DRAIN_MS = 5000,
    IDLE_FROM_MS = 1000,
};

static const char meta_hold[] = "hold-until";
static const char meta_probe[] = "store-probe";

/* --- the store, seen from here --- */

void ei_worker_store_failed(struct ei_worker *w, const struct ei_error *err)
{
    bool news = w->store_error.code != err->code;

    w->store_error = *err;
    w->paused_until_ms = ei_monotonic_ms() + EI_STORE_PAUSE_MS;
    if (!news)
        return;
    ei_log_error_event(LOG_ERR, EI_LOG_STORE_FAILED, "the store failed, jobs pause for ten seconds", err);
    ei_publish_tell(w);
}

static void store_works(struct ei_worker *w)
{
    if (w->store_error.code == EI_OK)
        return;
    ei_log_event(LOG_NOTICE, EI_LOG_DISK_AGAIN, "the store can be written again (was: %s); going on",
                 ei_err_name(w->store_error.code));
    ei_error_clear(&w->store_error);
    ei_publish_tell(w);
    ei_publish_now(w);
    ei_accounts_scan_now(w);
}

/* Whether it goes again is found out by a write of its own, since there may be nothing else to write for hours. */
static void probe_store(struct ei_worker *w)
{
    struct ei_error err;

    /* What is damaged stays so until somebody has restored it and starts the worker again. */
    if (w->store_error.code == EI_OK || w->store_error.code == EI_STORE_DAMAGED ||
        w->paused_until_ms > ei_monotonic_ms())
        return;
    if (ei_store_meta_set(w->store, meta_probe, ei_err_name(w->store_error.code), &err) == EI_OK)
        store_works(w);
    else
        ei_worker_store_failed(w, &err);
}

enum ei_err ei_worker_save(struct ei_worker *w, struct ei_collaborator *c, const char *event, const char *detail)
{
    return ei_worker_note(w, c, event, &(struct ei_event_facts){.about = detail});
}

enum ei_err ei_worker_note(struct ei_worker *w, struct ei_collaborator *c, const char *event,
                           const struct ei_event_facts *facts)
{
    struct ei_event_facts all = *facts;
    struct ei_error err;

    all.answer = w->graph != NULL ? ei_graph_answered(w->graph) : NULL;
    enum ei_err rc = ei_history_put(w->store, c, event, &all, &err);

    if (rc == EI_OK) {
        if (event != NULL)
            w->dirty = true;
    } else if (rc != EI_CONFLICT) {
        ei_worker_store_failed(w, &err);
    }
    return rc;
}

/* A hold that Graph asked for survives a restart (X8): written in the batch of the answer that brought it. */
static void remember_hold(struct ei_worker *w)
{
    struct ei_error err;
    char text[32];
    int64_t hold = ei_graph_hold_until(w->graph);

    if (hold == w->saved_hold)
        return;
    snprintf(text, sizeof text, "%" PRId64, hold);
    if (ei_store_meta_set(w->store, meta_hold, hold != 0 ? text : NULL, &err) == EI_OK)
        w->saved_hold = hold;
}

static enum ei_err recall_hold(struct ei_worker *w, struct ei_error *err)
{
    char *text = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_hold, &text, err);

    if (rc == EI_OK && text != NULL) {
        w->saved_hold = strtoll(text, NULL, 10);
        ei_graph_set_hold(w->graph, w->saved_hold);
    }
    free(text);
    return rc;
}

/* --- life --- */

static enum ei_err open_signals(struct ei_worker *w, struct ei_error *err)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) < 0)
        return ei_fail(err, EI_IO, "signals: %s", strerror(errno));
    w->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return w->signal_fd < 0 ? ei_fail(err, EI_IO, "signals: %s", strerror(errno)) : EI_OK;
}

/* For one request; 0: the graph's own. The tests with the fault proxy do not sit out a minute. */
static long timeout_ms(void)
{
#ifdef EI_FAILPOINTS
    const char *wanted = getenv("EI_FAILPOINT_TIMEOUT_MS");
    return wanted != NULL ? strtol(wanted, NULL, 10) : 0;
#else
    return 0;
#endif
}

static enum ei_err open_parts(struct ei_worker *w, int listen_fd, struct ei_error *err)
{
    const struct ei_config *config = w->config;
    struct ei_graph_options options = {
        .tenant = config->tenant,
        .client_id = config->client_id,
        .login_url = config->login_url,
        .graph_url = config->graph_url,
        .ca_file = config->ca_file,
        .credential = w->credential,
        .timeout_ms = timeout_ms(),
    };
    enum ei_err rc = ei_host_id(NULL, w->host, err);
    if (rc == EI_OK && asprintf(&w->private_dir, "%s/private", config->state_dir) < 0)
        rc = ei_fail(err, EI_NOMEM, "no memory");
    if (rc == EI_OK)
        rc = ei_store_open_sqlite(w->private_dir, &w->store, err);
    if (rc == EI_OK)
        rc = ei_graph_new(&options, &w->graph, err);
    if (rc == EI_OK)
        rc = ei_carrier_load(config, &w->carrier, err);
    if (rc == EI_OK)
        rc = ei_deliver_new(NULL, &w->deliver, err);
    if (rc == EI_OK)
        rc = recall_hold(w, err);
    if (rc == EI_OK)
        rc = ei_refresh_open(w, err);
    if (rc == EI_OK)
        rc = ei_publish_open(w, err);
    if (rc == EI_OK)
        rc = ei_publish_groups(w, err);
    if (rc == EI_OK)
        rc = open_signals(w, err);
    if (rc == EI_OK)
        rc = ei_accounts_open(w, err);
    if (rc == EI_OK)
        rc = ei_requests_open(w, listen_fd, err);
    return rc;
}

enum ei_err ei_worker_new(const struct ei_config *config, struct ei_credential *credential, int listen_fd,
                          struct ei_worker **ret_worker, struct ei_error *err)
{
    struct ei_worker *w = calloc(1, sizeof *w);

    mallopt(M_ARENA_MAX, 1); /* the scan thread's memory too can be given back then */
    /* Freed memory is overwritten: libraries that cannot be given a free of our own (the one that speaks HTTP/2) free
     * copies of the token (K4). */
    mallopt(M_PERTURB, 1);
    if (w == NULL)
        return ei_fail(err, EI_NOMEM, "no memory");
    w->config = config;
    w->credential = credential;
    w->watch_fd = -1;
    w->signal_fd = -1;
    w->started_at = ei_now();
    enum ei_err rc = open_parts(w, listen_fd, err);
    if (rc != EI_OK) {
        ei_worker_free(w);
        return rc;
    }
    *ret_worker = w;
    return EI_OK;
}

void ei_worker_free(struct ei_worker *w)
{
    if (w == NULL)
        return;
    /* Nothing is asked or told any more, then requests under way are cut off: found as such at the next start. */
    ei_requests_close(w);
    ei_deliver_free(w->deliver);
    ei_graph_free(w->graph);
    while (w->flights != NULL)
        ei_machine_land(w->flights);
    ei_sponsor_ids_free(w);
    ei_accounts_close(w);
    ei_store_close(w->store);
    ei_tenant_close(w);
    ei_guest_lists_close(w);
    ei_refresh_close(w);
    ei_groups_close(w);
    ei_notices_close(w);
    ei_carrier_free(w->carrier);
    ei_metrics_close(w);
    ei_config_free(w->reloaded);
    if (w->signal_fd >= 0)
        close(w->signal_fd);
    free(w->private_dir);
    free(w);
}

/* --- the loop --- */

void ei_worker_look_anew(struct ei_worker *w)
{
    ei_machine_outdate_looks(w);
    ei_tenant_probe_now(w);
    ei_groups_probe_now(w);
    ei_carrier_probe_now(w);
    ei_refresh_now(w);
    ei_accounts_scan_now(w);
}

static void take_signals(struct ei_worker *w)
{
    struct signalfd_siginfo info;
    struct ei_error err;

    while (read(w->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            w->reload_wanted = true;
            if (ei_store_hasten(w->store, ei_now(), true, &err) != EI_OK)
                ei_worker_store_failed(w, &err);
            ei_worker_look_anew(w);
        } else {
            w->stop = true;
        }
    }
}

/* Everything Graph answered in one go becomes durable together; only then do the next requests leave (X1). */
static void take_answers(struct ei_worker *w)
{
    struct ei_error err;

    if (ei_graph_active(w->graph) == 0 && ei_deliver_active(w->deliver) == 0)
        return;
    enum ei_err rc = ei_store_batch_begin(w->store, &err);
    ei_graph_dispatch(w->graph);
    ei_deliver_dispatch(w->deliver);
    remember_hold(w);
    if (rc == EI_OK)
        rc = ei_store_batch_end(w->store, &err);
    if (rc != EI_OK) {
        ei_worker_store_failed(w, &err);
        w->saved_hold = 0; /* undone with the batch, so to be written again */
    }
    ei_machine_send_ready(w, rc == EI_OK);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int loop_timeout(struct ei_worker *w)
{
    int64_t wait = MAX_WAIT_MS;
    int64_t watchdog = ei_notify_watchdog_ms();
    int server = ei_server_timeout(w->server);

    wait = least(wait, ei_machine_wait_ms(w));
    wait = least(wait, ei_deliver_wait_ms(w->deliver));
    wait = least(wait, ei_refresh_wait_ms(w));
    wait = least(wait, ei_publish_wait_ms(w));
    wait = least(wait, ei_metrics_wait_ms(w));
    wait = least(wait, ei_accounts_wait_ms(w));
    wait = least(wait, ei_requests_wait_ms(w));
    wait = least(wait, ei_guest_lists_wait_ms(w));
    wait = least(wait, ei_login_wait_ms(w));
    wait = least(wait, ei_notices_wait_ms(w));
    if (watchdog >= 0)
        wait = least(wait, watchdog);
    if (server >= 0)
        wait = least(wait, server);
    return wait > 0 ? (int)wait : 0;
}

/* What walked over everybody has left holes all over the heap; an idle worker gives them back. */
static void give_back_memory(struct ei_worker *w, int timeout)
{
    if (!w->walked || timeout < IDLE_FROM_MS)
        return;
    malloc_trim(0);
    w->walked = false;
}

#ifdef EI_FAILPOINTS
/* Nothing is under way: no request, no delivery, no reading of the accounts, and no peer beside the listener. */
static bool is_idle(struct ei_worker *w, size_t peer_count)
{
    return ei_graph_active(w->graph) == 0 && ei_deliver_active(w->deliver) == 0 && !ei_scan_thread_busy(w->scanner) &&
           peer_count <= 1;
}
#endif

static enum ei_err wait_and_serve(struct ei_worker *w, struct ei_error *err)
{
    struct curl_waitfd waits[OWN_FDS + EI_SERVER_POLLFDS];
    struct pollfd peers[EI_SERVER_POLLFDS];
    size_t peer_count = ei_server_pollfds(w->server, peers);
    unsigned count = 0;
    const int own[OWN_FDS] = {w->signal_fd, ei_scan_thread_fd(w->scanner), w->watch_fd, ei_deliver_fd(w->deliver)};
    int timeout = loop_timeout(w);

    for (size_t i = 0; i < OWN_FDS; i++)
        if (own[i] >= 0)
            waits[count++] = (struct curl_waitfd){.fd = own[i], .events = CURL_WAIT_POLLIN};
    for (size_t i = 0; i < peer_count; i++)
        waits[count++] = (struct curl_waitfd){
            .fd = peers[i].fd,
            .events = (short)(((peers[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
                              ((peers[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0)),
        };
    give_back_memory(w, timeout);
    enum ei_err rc = ei_graph_wait(w->graph, waits, count, EI_CLOCK_WAIT_MS(timeout, is_idle(w, peer_count)));
    if (rc != EI_OK)
        return ei_fail(err, rc, "waiting for events failed");
    /* curl shows a hang-up as readiness; a peer that went away during its call would then be read for ever. */
    (void)poll(peers, peer_count, 0);
    ei_server_dispatch(w->server, peers, peer_count);
    return EI_OK;
}

/* Requests under way have a few seconds to end: a mail whose answer is not awaited would be `unknown`, and a sponsor
 * that was being told counted as told. Nothing new begins. */
static void drain(struct ei_worker *w)
{
    int64_t until = ei_monotonic_ms() + DRAIN_MS;

    while ((w->flight_count != 0 || ei_deliver_active(w->deliver) != 0) && ei_monotonic_ms() < until) {
        struct curl_waitfd carrier = {.fd = ei_deliver_fd(w->deliver), .events = CURL_WAIT_POLLIN};
        int64_t wait = least(until - ei_monotonic_ms(), ei_deliver_wait_ms(w->deliver));
        if (ei_graph_wait(w->graph, &carrier, 1, wait > 0 ? (int)wait : 0) != EI_OK)
            break;
        take_answers(w);
    }
}

enum ei_err ei_worker_run(struct ei_worker *w, struct ei_error *err)
{
    int64_t watchdog_at = 0;

    ei_clock_begin(w);
    ei_accounts_scan_now(w);
    while (!w->stop) {
        ei_clock_check(w);
        probe_store(w);
        ei_reload_run(w);
        ei_accounts_run(w);
        ei_refresh_run(w);
        ei_machine_run(w);
        ei_publish_run(w);
        ei_metrics_run(w);
        ei_requests_run(w);
        ei_login_run(w);
        ei_worker_credential_watch(w);
        ei_guest_lists_run(w);
        ei_notices_run(w);
        enum ei_err rc = wait_and_serve(w, err);
        if (rc != EI_OK)
            return rc;
        take_answers(w);
        take_signals(w);
        if (ei_notify_watchdog_ms() >= 0 && ei_monotonic_ms() >= watchdog_at) {
            ei_notify("WATCHDOG=1");
            watchdog_at = ei_monotonic_ms() + ei_notify_watchdog_ms();
        }
    }
    ei_notify("STOPPING=1");
    drain(w);
    ei_publish_run(w);
    ei_metrics_stop(w);
    return EI_OK;
}

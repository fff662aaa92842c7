#include "common/deliver/deliver.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/deliver/delivery.h"
#include "common/graph/memory.h"
#include "common/graph/transfer.h"

enum {
    DEFAULT_CONNECTIONS = 4,
    DEFAULT_TIMEOUT_MS = 120 * 1000, /* relays take their time for the final dot */
    DEFAULT_CONNECT_MS = 15 * 1000,
    END_MS = 2500, /* libcurl asks at least once a second whether it is to stop, but not while it resolves a name */
};

TAILQ_HEAD(delivery_list, ei_delivery);

struct ei_deliver {
    struct delivery_list queue;
    struct delivery_list flying;
    struct delivery_list ended; /* under lock: threads put theirs here, and wake the loop by fd */
    pthread_mutex_t lock;
    pthread_cond_t landed;
    int fd;
    size_t flying_count;
    size_t connections;
    size_t active;
    long timeout_ms;
    long connect_ms;
    bool closing;
    size_t abandoned; /* under lock: threads that outlive the object, which stays for them */
};

enum ei_err ei_deliver_new(const struct ei_deliver_options *options, struct ei_deliver **ret_deliver,
                           struct ei_error *err)
{
    static const struct ei_deliver_options defaults;
    const struct ei_deliver_options *o = options != NULL ? options : &defaults;
    struct ei_deliver *deliver = calloc(1, sizeof *deliver);

    if (deliver == NULL || (deliver->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        free(deliver);
        return ei_fail(err, EI_NOMEM, "no memory to deliver messages");
    }
    if (!ei_graph_memory_init()) {
        close(deliver->fd);
        free(deliver);
        return ei_fail(err, EI_NOMEM, "libcurl could not be initialised");
    }
    TAILQ_INIT(&deliver->queue);
    TAILQ_INIT(&deliver->flying);
    TAILQ_INIT(&deliver->ended);
    pthread_mutex_init(&deliver->lock, NULL);
    pthread_cond_init(&deliver->landed, NULL);
    deliver->connections = o->connections > 0 ? (size_t)o->connections : DEFAULT_CONNECTIONS;
    deliver->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : DEFAULT_TIMEOUT_MS;
    deliver->connect_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : DEFAULT_CONNECT_MS;
    *ret_deliver = deliver;
    return EI_OK;
}

/* --- a transfer and its thread --- */

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t e)
{
    struct ei_delivery *d = context;

    (void)a;
    (void)b;
    (void)c;
    (void)e;
    /* Nobody waits for the answer to QUIT: what matters was said before. */
    return atomic_load(&d->cancelled) || d->stage == EI_SMTP_QUIT || d->answer_bytes > EI_ANSWER_MAX;
}

/* A delivery that was cancelled while its name was resolved must not be sent after all. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct ei_delivery *d = context;

    (void)purpose;
    if (atomic_load(&d->cancelled))
        return CURL_SOCKET_BAD;
    atomic_store(&d->opened, true);
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* X6; the protocol, and that nothing is of the environment, is for prepare to set. */
static bool set_common(struct ei_delivery *d)
{
    CURL *easy = d->easy;
    const struct ei_deliver *deliver = d->deliver;

    return SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) &&
           SET(CURLOPT_TIMEOUT_MS, deliver->timeout_ms) && SET(CURLOPT_CONNECTTIMEOUT_MS, deliver->connect_ms) &&
           SET(CURLOPT_ERRORBUFFER, d->curl_error) && SET(CURLOPT_NOPROGRESS, 0L) &&
           SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, d) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) && SET(CURLOPT_OPENSOCKETDATA, d) &&
           ei_transfer_set_tls(easy, d->ca_file);
}

#undef SET

static void forget(struct ei_delivery *d)
{
    curl_easy_cleanup(d->easy);
    d->easy = NULL;
    ei_headers_free(d->headers);
    d->headers = NULL;
    ei_secret_free(&d->secret);
    ei_secret_free(&d->token);
}

static void land(struct ei_delivery *d)
{
    struct ei_deliver *deliver = d->deliver;
    uint64_t one = 1;

    pthread_mutex_lock(&deliver->lock);
    bool abandoned = d->abandoned;
    if (!abandoned) {
        TAILQ_REMOVE(&deliver->flying, d, link);
        TAILQ_INSERT_TAIL(&deliver->ended, d, link);
        (void)!write(deliver->fd, &one, sizeof one);
        pthread_cond_signal(&deliver->landed);
    }
    pthread_mutex_unlock(&deliver->lock);
    if (abandoned)
        ei_delivery_free(d);
}

static void *run(void *argument)
{
    struct ei_delivery *d = argument;
    CURLcode code = curl_easy_perform(d->easy);

    d->ops->read(d, code);
    forget(d);
    land(d);
    return NULL;
}

static bool begin_thread(struct ei_delivery *d)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
    bool began = pthread_create(&d->thread, NULL, run, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return began;
}

/* It is in no list. */
static void launch(struct ei_deliver *deliver, struct ei_delivery *d)
{
    d->easy = curl_easy_init();
    d->curl_error[0] = '\0';
    bool ready = d->easy != NULL && set_common(d);
    if (!ready)
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_NOMEM, "no memory for the transfer");
    ready = ready && d->ops->prepare(d);
    pthread_mutex_lock(&deliver->lock);
    if (ready && !begin_thread(d)) {
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_NOMEM, "no thread for the transfer");
        ready = false;
    }
    if (ready) {
        TAILQ_INSERT_TAIL(&deliver->flying, d, link);
        deliver->flying_count++;
    } else {
        d->thread = pthread_self();
        TAILQ_INSERT_TAIL(&deliver->ended, d, link);
    }
    pthread_mutex_unlock(&deliver->lock);
    if (!ready)
        forget(d);
}

/* --- the loop's side --- */

enum ei_err ei_delivery_start(struct ei_deliver *deliver, struct ei_delivery *d, struct ei_error *err)
{
    if (deliver->closing) {
        ei_delivery_free(d);
        return ei_fail(err, EI_BUSY, "not sent: this program ends");
    }
    d->deliver = deliver;
    TAILQ_INSERT_TAIL(&deliver->queue, d, link);
    deliver->active++;
    return EI_OK;
}

int ei_deliver_fd(const struct ei_deliver *deliver)
{
    return deliver->fd;
}

int ei_deliver_wait_ms(const struct ei_deliver *deliver)
{
    return !TAILQ_EMPTY(&deliver->queue) && deliver->flying_count < deliver->connections ? 0 : INT_MAX;
}

size_t ei_deliver_active(const struct ei_deliver *deliver)
{
    return deliver->active;
}

static void finish(struct ei_deliver *deliver, struct ei_delivery *d)
{
    d->done(d->context, &d->result);
    deliver->active--;
    ei_delivery_free(d);
}

static void take_ended(struct ei_deliver *deliver)
{
    struct delivery_list due = TAILQ_HEAD_INITIALIZER(due);
    struct ei_delivery *d;
    uint64_t count;

    (void)!read(deliver->fd, &count, sizeof count);
    pthread_mutex_lock(&deliver->lock);
    TAILQ_CONCAT(&due, &deliver->ended, link);
    pthread_mutex_unlock(&deliver->lock);
    while ((d = TAILQ_FIRST(&due)) != NULL) {
        TAILQ_REMOVE(&due, d, link);
        if (!pthread_equal(d->thread, pthread_self())) {
            pthread_join(d->thread, NULL);
            deliver->flying_count--;
        }
        finish(deliver, d);
    }
}

void ei_deliver_dispatch(struct ei_deliver *deliver)
{
    struct ei_delivery *d;

    take_ended(deliver);
    while (deliver->flying_count < deliver->connections && (d = TAILQ_FIRST(&deliver->queue)) != NULL) {
        TAILQ_REMOVE(&deliver->queue, d, link);
        launch(deliver, d);
    }
    take_ended(deliver); /* what failed at once would not wake the loop */
}

/* --- the end --- */

static void wait_for_threads(struct ei_deliver *deliver)
{
    struct timespec until;
    struct ei_delivery *d;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_MS / 1000;
    until.tv_nsec += (END_MS % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&deliver->lock);
    TAILQ_FOREACH(d, &deliver->flying, link) atomic_store(&d->cancelled, true);
    while (!TAILQ_EMPTY(&deliver->flying) && rc == 0)
        rc = pthread_cond_timedwait(&deliver->landed, &deliver->lock, &until);
    pthread_mutex_unlock(&deliver->lock);
}

/* It hangs in a resolver, or between two looks at whether it is cancelled; it will send nothing more once it looks. */
static void abandon(struct ei_deliver *deliver)
{
    struct delivery_list left = TAILQ_HEAD_INITIALIZER(left);
    struct ei_delivery *d;

    pthread_mutex_lock(&deliver->lock);
    TAILQ_CONCAT(&left, &deliver->flying, link);
    TAILQ_FOREACH(d, &left, link)
    {
        d->abandoned = true;
        deliver->abandoned++;
    }
    pthread_mutex_unlock(&deliver->lock);
    while ((d = TAILQ_FIRST(&left)) != NULL) {
        struct ei_deliver_result result = {.retry_after = -1};
        bool unclear = atomic_load(&d->whole) || (d->ops == &ei_delivery_chat && atomic_load(&d->opened));
        TAILQ_REMOVE(&left, d, link);
        pthread_detach(d->thread);
        result.outcome = unclear ? EI_DELIVER_UNCLEAR : EI_DELIVER_NOT_SENT;
        ei_fail(&result.error, unclear ? EI_DELIVERY_UNCLEAR : EI_UNREACHABLE, "%s: this program ends", d->target);
        d->done(d->context, &result);
        deliver->active--;
    }
}

void ei_deliver_free(struct ei_deliver *deliver)
{
    struct ei_delivery *d;

    if (deliver == NULL)
        return;
    deliver->closing = true;
    wait_for_threads(deliver);
    abandon(deliver);
    take_ended(deliver); /* behind it: what ends after a look is not among those that are abandoned, nor lost */
    while ((d = TAILQ_FIRST(&deliver->queue)) != NULL) {
        TAILQ_REMOVE(&deliver->queue, d, link);
        ei_delivery_fail(d, EI_DELIVER_NOT_SENT, EI_UNREACHABLE, "not sent: this program ends");
        finish(deliver, d);
    }
    if (deliver->abandoned != 0)
        return; /* the threads still use it; the process ends without it */
    close(deliver->fd);
    pthread_cond_destroy(&deliver->landed);
    pthread_mutex_destroy(&deliver->lock);
    free(deliver);
    curl_global_cleanup();
}

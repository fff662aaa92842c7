#include "plugin/worker/scan_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ei_scan_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted_changed;
    int fd;
    const struct ei_coverage *coverage; /* under lock, as all below */
    bool wanted;
    bool busy; /* from start until take */
    bool stop;
    struct ei_snapshot *result;
};

static void *run(void *argument)
{
    struct ei_scan_thread *t = argument;

    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        if (!t->wanted) {
            pthread_cond_wait(&t->wanted_changed, &t->lock);
            continue;
        }
        t->wanted = false;
        const struct ei_coverage *coverage = t->coverage;
        pthread_mutex_unlock(&t->lock);
        struct ei_snapshot *snapshot = NULL;
        if (ei_scan(coverage, NULL, &snapshot) != EI_OK)
            snapshot = NULL;
        pthread_mutex_lock(&t->lock);
        t->result = snapshot;
        uint64_t one = 1;
        (void)!write(t->fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

enum ei_err ei_scan_thread_new(const struct ei_coverage *coverage, struct ei_scan_thread **ret_thread)
{
    sigset_t all;
    sigset_t before;
    struct ei_scan_thread *t = calloc(1, sizeof *t);

    if (t == NULL)
        return EI_NOMEM;
    t->coverage = coverage;
    t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wanted_changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
    int failed = t->fd < 0 || pthread_create(&t->thread, NULL, run, t) != 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        if (t->fd >= 0)
            close(t->fd);
        pthread_cond_destroy(&t->wanted_changed);
        pthread_mutex_destroy(&t->lock);
        free(t);
        return EI_NOMEM;
    }
    *ret_thread = t;
    return EI_OK;
}

void ei_scan_thread_free(struct ei_scan_thread *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    bool reading = t->busy && t->result == NULL;
    pthread_cond_signal(&t->wanted_changed);
    pthread_mutex_unlock(&t->lock);
    if (reading) {
        /* A slow source may hold the reading for a minute; the process ends without it, and what the thread uses must
         * stay where it is until then. */
        pthread_detach(t->thread);
        return;
    }
    pthread_join(t->thread, NULL);
    ei_snapshot_free(t->result);
    close(t->fd);
    pthread_cond_destroy(&t->wanted_changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int ei_scan_thread_fd(const struct ei_scan_thread *t)
{
    return t->fd;
}

void ei_scan_thread_cover(struct ei_scan_thread *t, const struct ei_coverage *coverage)
{
    pthread_mutex_lock(&t->lock);
    t->coverage = coverage;
    pthread_mutex_unlock(&t->lock);
}

bool ei_scan_thread_start(struct ei_scan_thread *t)
{
    pthread_mutex_lock(&t->lock);
    bool started = !t->busy;
    if (started) {
        t->busy = true;
        t->wanted = true;
        pthread_cond_signal(&t->wanted_changed);
    }
    pthread_mutex_unlock(&t->lock);
    return started;
}

bool ei_scan_thread_busy(struct ei_scan_thread *t)
{
    pthread_mutex_lock(&t->lock);
    bool busy = t->busy;
    pthread_mutex_unlock(&t->lock);
    return busy;
}

bool ei_scan_thread_take(struct ei_scan_thread *t, struct ei_snapshot **ret_snapshot)
{
    uint64_t count;

    if (read(t->fd, &count, sizeof count) != (ssize_t)sizeof count)
        return false;
    pthread_mutex_lock(&t->lock);
    *ret_snapshot = t->result;
    t->result = NULL;
    t->busy = false;
    pthread_mutex_unlock(&t->lock);
    return true;
}

/* inotify on the account files' directory: useradd and vipw replace by rename, other tools write in place. */
#ifndef EI_WORKER_WATCH_H
#define EI_WORKER_WATCH_H

#include <stdbool.h>

/* A descriptor to poll, or -1 when the kernel gives none (then the timer alone finds changes). */
int ei_watch_open(const char *directory);
/* Empties the queue; true if passwd or group changed (or the queue overflowed, which may hide such a change). */
bool ei_watch_take(int fd);
void ei_watch_close(int fd);

#endif

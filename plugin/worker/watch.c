#include "plugin/worker/watch.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

int ei_watch_open(const char *directory)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd >= 0 && inotify_add_watch(fd, directory, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool ei_watch_take(int fd)
{
    char events[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool changed = false;
    ssize_t length;

    while ((length = read(fd, events, sizeof events)) > 0) {
        for (char *at = events; at < events + length;) {
            const struct inotify_event *event = (const struct inotify_event *)at;
            if ((event->mask & IN_Q_OVERFLOW) != 0)
                changed = true;
            if (event->len != 0 && (strcmp(event->name, "passwd") == 0 || strcmp(event->name, "group") == 0))
                changed = true;
            at += sizeof *event + event->len;
        }
    }
    return changed;
}

void ei_watch_close(int fd)
{
    close(fd);
}

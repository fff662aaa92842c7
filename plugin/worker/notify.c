#include "plugin/worker/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_PASSED_FD = 3 };

/* Set once at start. */
static struct {
    struct sockaddr_un address;
    socklen_t length;
    int64_t watchdog_ms;
} notify = {.watchdog_ms = -1};

void ei_notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const char *period = getenv("WATCHDOG_USEC");

    if (path != NULL && (path[0] == '/' || path[0] == '@') && strlen(path) < sizeof notify.address.sun_path) {
        notify.address.sun_family = AF_UNIX;
        memcpy(notify.address.sun_path, path, strlen(path));
        if (path[0] == '@')
            notify.address.sun_path[0] = '\0';
        notify.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] == '/'));
    }
    if (period != NULL) {
        long long microseconds = strtoll(period, NULL, 10);
        if (microseconds > 0)
            notify.watchdog_ms = microseconds / 2000;
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void ei_notify(const char *message)
{
    if (notify.length == 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&notify.address, notify.length);
    close(fd);
}

int64_t ei_notify_watchdog_ms(void)
{
    return notify.watchdog_ms;
}

int ei_notify_listen_fd(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    int fd = -1;

    if (pid != NULL && fds != NULL && strtol(pid, NULL, 10) == getpid() && strtol(fds, NULL, 10) == 1) {
        fd = FIRST_PASSED_FD;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return fd;
}

#include "plugin/worker/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Never returns. */
static void wait_for_child(pid_t child, int fd)
{
    char ready;
    int status;
    ssize_t got;

    do
        got = read(fd, &ready, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(EXIT_SUCCESS);
    if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    _exit(EXIT_FAILURE);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    close(null);
}

enum ei_err ei_background_enter(int *ret_fd, struct ei_error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return ei_fail(err, EI_IO, "cannot go to the background: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return ei_fail(err, EI_IO, "cannot go to the background: %s", strerror(errno));
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_child(child, ends[0]);
    }
    close(ends[0]);
    *ret_fd = ends[1];
    if (setsid() < 0 || chdir("/") < 0)
        return ei_fail(err, EI_IO, "cannot go to the background: %s", strerror(errno));
    return EI_OK;
}

void ei_background_ready(int fd)
{
    if (fd < 0)
        return;
    leave_terminal();
    (void)!write(fd, "1", 1);
    close(fd);
}

/* Descriptors: the lowest that is free, which tells whether one was left open; and a process that may open few or none
 * for a while (EMFILE). */
#ifndef EI_TESTS_DESCRIPTORS_FIXTURE_H
#define EI_TESTS_DESCRIPTORS_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static inline int lowest_free(void)
{
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);
    close(fd);
    return fd;
}

static struct rlimit usual_descriptors;

static inline void take_descriptors(int spare)
{
    if (getrlimit(RLIMIT_NOFILE, &usual_descriptors) < 0)
        abort();
    const struct rlimit few = {(rlim_t)lowest_free() + (rlim_t)spare, usual_descriptors.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        abort();
}

static inline void give_descriptors(void)
{
    if (setrlimit(RLIMIT_NOFILE, &usual_descriptors) < 0)
        abort();
}

#endif

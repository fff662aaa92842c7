/*
 * Makes the caches of the name service forget groups: nscd's and sssd's keep what nss_entra_invite(8) has answered, or
 * what it was asked beside. systemd's entra-invite-flush.path starts it as root, or cron does, once entra-invited has
 * left the file EI_CHANGED_PATH.
 *
 * That file goes before the caches do: a change that comes later leaves another one, and none is missed. It lies in a
 * directory of the service user's, so no link on the way to it is followed. The programs that are run are named here,
 * and get an environment of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/paths.h"

enum {
    SETTLE_SECONDS = 2, /* a burst of changes costs one flush in so many seconds */
    LIMIT_SECONDS = 10, /* for a program that hangs, as its daemon may */
    NOT_RUN = 127,
};

struct cache {
    const char *socket; /* where its daemon answers; none: there is nothing to forget */
    const char *program;
    const char *const *arguments;
};

static const struct cache caches[] = {
    {"/run/nscd/socket", "/usr/sbin/nscd", (const char *const[]){"nscd", "-i", "group", NULL}},
    {"/var/lib/sss/pipes/nss", "/usr/sbin/sss_cache", (const char *const[]){"sss_cache", "-G", NULL}},
};

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "entra-invite-flush: %s: %s\n", what, why);
}

static bool runs(const struct cache *cache)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return true; /* its own program finds out */
    snprintf(address.sun_path, sizeof address.sun_path, "%s", cache->socket);
    bool answers = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
    close(fd);
    return answers;
}

static void become(const struct cache *cache)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

    alarm(LIMIT_SECONDS); /* outlives exec */
    execve(cache->program, (char *const *)cache->arguments, (char *const *)environment);
    complain(cache->program, strerror(errno));
    _exit(NOT_RUN);
}

static bool flush(const struct cache *cache)
{
    char why[64];
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        become(cache);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        complain(cache->program, strerror(errno));
        return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "was ended by signal %d", WTERMSIG(status));
    else
        snprintf(why, sizeof why, "exit code %d", WEXITSTATUS(status));
    complain(cache->program, why);
    return false;
}

/* -1: it is not there. */
static int open_public(void)
{
    int state = open(EI_STATE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int public = state < 0
                     ? -1
                     : openat(state, strrchr(EI_PUBLIC_DIR, '/') + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (state >= 0)
        close(state);
    return public;
}

static int flush_if_changed(int public)
{
    const char *changed = strrchr(EI_CHANGED_PATH, '/') + 1;
    bool good = true;

    if (faccessat(public, changed, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (geteuid() != 0) {
        complain("the caches are root's", "run it as root");
        return 1;
    }
    sleep(SETTLE_SECONDS);
    if (unlinkat(public, changed, 0) < 0 && errno != ENOENT) {
        complain(EI_CHANGED_PATH, strerror(errno));
        good = false;
    }
    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++)
        if (runs(&caches[i]))
            good = flush(&caches[i]) && good;
    return good ? 0 : 1;
}

static int answer_options(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};

    opterr = 0; /* its own message has the argument as it is (S16) */
    switch (getopt_long(argc, argv, "hV", options, NULL)) {
    case 'h':
        printf("usage: entra-invite-flush\n\n"
               "Makes nscd and sssd forget groups if entra-invited has left word of a change;\n"
               "run by systemd or cron, see entra-invite-flush(8).\n");
        return 0;
    case 'V':
        printf("entra-invite-flush %s\n", EI_VERSION);
        return 0;
    default:
        fprintf(stderr, "entra-invite-flush: takes no arguments; see --help\n");
        return 2;
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return answer_options(argc, argv);
    int public = open_public();
    if (public < 0)
        return 0; /* entra-invited never ran */
    int rc = flush_if_changed(public);
    close(public);
    return rc;
}

/*
 * A program that is hard on the NSS module it looks groups up through (T4, S36): threads with small stacks, forks, no
 * standard descriptors, descriptor numbers above 1024, no descriptors left, a full address space, short lists, a
 * blocked SIGPIPE, signals that interrupt.
 *
 *   host LOGIN GID CASE      exit code 0: LOGIN has GID in each of the look-ups (CASE full-table, full-memory: the
 *                            module cannot open anything, or has no memory, and the look-up ends all the same)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 32, ROUNDS = 200, FORKS = 50, GROUPS = 64, HIGH = 1500, SMALL_STACK = 128 * 1024 };

static const char *login;
static gid_t wanted;

static bool has_group(void)
{
    gid_t groups[GROUPS];
    int count = GROUPS;

    if (getgrouplist(login, 100, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

static int open_count(void)
{
    int count = 0;

    for (int fd = 0; fd < HIGH + 8; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void *look_often(void *context)
{
    bool *good = context;

    for (int i = 0; i < ROUNDS; i++)
        *good &= has_group();
    return NULL;
}

static bool threads(void)
{
    pthread_t thread[THREADS];
    pthread_attr_t attributes;
    bool good[THREADS];
    bool all = true;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, SMALL_STACK);
    for (int i = 0; i < THREADS; i++) {
        good[i] = true;
        if (pthread_create(&thread[i], &attributes, look_often, &good[i]) != 0)
            return false;
    }
    pthread_attr_destroy(&attributes);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        all &= good[i];
    }
    return all;
}

/* Children look up while the parent's threads do. */
static bool forks(void)
{
    pthread_t thread;
    bool good = true;
    bool all = pthread_create(&thread, NULL, look_often, &good) == 0;

    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(has_group() ? 0 : 1);
        all &= child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    pthread_join(thread, NULL);
    return all && good;
}

static bool closed(void)
{
    bool good = has_group(); /* loads the module; what it opens next gets number 0 */

    close(0);
    close(1);
    close(2);
    int before = open_count();
    return good && has_group() && open_count() == before;
}

static bool high(void)
{
    struct rlimit limit = {HIGH + 64, HIGH + 64};

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) < HIGH)
        ;
    int before = open_count();
    return has_group() && open_count() == before;
}

/* Nothing can be opened, the module's own files included: no crash, no hang, and afterwards all is well again. */
static bool full_table(void)
{
    struct rlimit limit = {16, 16};
    int last = -1;
    gid_t groups[GROUPS];
    int count = GROUPS;

    if (!has_group() || setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
        last = fd;
    (void)getgrouplist(login, 100, groups, &count);
    for (int fd = 3; fd <= last; fd++)
        close(fd);
    return has_group();
}

/* What the module asks for by itself is a longer list, which begins here with room for no more. */
static bool full_memory(void)
{
    struct rlimit usual, none = {1, RLIM_INFINITY};
    void **hoard = NULL;
    gid_t groups[GROUPS];
    int count = GROUPS;

    if (!has_group())
        return false;
    getrlimit(RLIMIT_AS, &usual);
    none.rlim_max = usual.rlim_max;
    setrlimit(RLIMIT_AS, &none);
    for (size_t size = 1 << 20; size >= sizeof(void *); size /= 2)
        for (void **block; (block = malloc(size)) != NULL; hoard = block)
            *block = hoard;
    (void)getgrouplist(login, 100, groups, &count);
    setrlimit(RLIMIT_AS, &usual);
    while (hoard != NULL) {
        void **block = hoard;
        hoard = *block;
        free(block);
    }
    return has_group();
}

static void on_alarm(int number)
{
    (void)number;
}

/* Each system call that can be interrupted is, again and again; the handler is one without SA_RESTART. */
static bool interrupts(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 50}, {0, 50}};
    bool all = true;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < ROUNDS; i++)
        all &= has_group();
    return all;
}

/* ERANGE's cousin: the caller's list is too short, and is told how long it has to be. */
static bool short_list(void)
{
    gid_t groups[GROUPS];
    int room = 1;

    if (getgrouplist(login, 100, groups, &room) >= 0 || room < 2 || room > GROUPS)
        return false;
    int count = room;
    return getgrouplist(login, 100, groups, &count) == room && count == room;
}

/* A login of more groups than any buffer has room for at first: the list grows several times, by glibc and by us. */
static bool many_groups(void)
{
    enum { MANY = 100 };
    gid_t *groups = NULL;
    int room = 1, count, got, seen = 0;

    do {
        groups = reallocarray(groups, (size_t)room, sizeof *groups);
        if (groups == NULL)
            return false;
        count = room;
        got = getgrouplist(login, 100, groups, &count);
        room *= 2;
    } while (got < 0 && room < 4096);
    for (int i = 0; i < got; i++)
        seen += groups[i] == wanted;
    free(groups);
    return got > MANY && got == count && seen == 1;
}

static bool no_duplicate(void)
{
    gid_t groups[GROUPS];
    int count = GROUPS;
    int seen = 0;

    if (getgrouplist(login, wanted, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        seen += groups[i] == wanted;
    return seen == 1;
}

static bool keeps_state(void)
{
    sigset_t blocked, after;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    int before = open_count();
    bool good = has_group();
    sigprocmask(SIG_SETMASK, NULL, &after);
    return good && sigismember(&after, SIGPIPE) == 1 && sigismember(&after, SIGTERM) == 0 && open_count() == before;
}

/* Asked without glibc around it: errno is the caller's, the list grows, and its limit is kept. */
static bool entry_point(void)
{
    typedef int initgroups(const char *, gid_t, long *, long *, gid_t **, long, int *);
    void *module = dlopen("libnss_entra_invite.so.2", RTLD_NOW);
    initgroups *ask = module != NULL ? (initgroups *)dlsym(module, "_nss_entra_invite_initgroups_dyn") : NULL;
    gid_t *groups = malloc(sizeof *groups);
    long count = 1, size = 1;
    int error = 0;

    if (ask == NULL || groups == NULL)
        return false;
    groups[0] = 100;
    errno = EDOM;
    bool full = ask(login, 100, &count, &size, &groups, 1, &error) == NSS_STATUS_SUCCESS && count == 1 && size == 1;
    bool grown = ask(login, 100, &count, &size, &groups, -1, &error) == NSS_STATUS_SUCCESS && count == 2 &&
                 groups[1] == wanted && size >= 2;
    bool once = ask(login, 100, &count, &size, &groups, -1, &error) == NSS_STATUS_SUCCESS && count == 2;
    long limited = 1, just_enough = 1;
    bool kept = ask(login, 100, &limited, &just_enough, &groups, 2, &error) == NSS_STATUS_SUCCESS && limited == 2 &&
                just_enough == 2; /* not twice as much and more, as it would grow without a limit */
    bool nobody = ask("nobody-of-that-name", 100, &count, &size, &groups, -1, &error) == NSS_STATUS_NOTFOUND;
    free(groups);
    return full && grown && once && kept && nobody && count == 2 && errno == EDOM && error == 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } cases[] = {{"threads", threads},         {"forks", forks},
                 {"closed", closed},           {"high", high},
                 {"full-table", full_table},   {"short-list", short_list},
                 {"full-memory", full_memory}, {"interrupts", interrupts},
                 {"many-groups", many_groups}, {"no-duplicate", no_duplicate},
                 {"keeps-state", keeps_state}, {"entry-point", entry_point}};

    if (argc != 4)
        return 2;
    login = argv[1];
    wanted = (gid_t)strtoul(argv[2], NULL, 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argv[3]) == 0)
            return cases[i].run() ? 0 : 1;
    return 2;
}

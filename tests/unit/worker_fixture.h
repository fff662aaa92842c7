/*
 * The built entra-invited, run as systemd or an administrator runs it, against the graph simulator, on the accounts of
 * the lab that the tests run in (tests/run). Include after cmocka.h.
 */
#ifndef EI_TESTS_WORKER_FIXTURE_H
#define EI_TESTS_WORKER_FIXTURE_H

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "tests/unit/graph_fixture.h"

#define AREA        "/run/worker-test"
#define TEST_CONFIG AREA "/entra-invite.conf"
#define TEST_SECRET AREA "/client-secret"
#define TEST_LOG    AREA "/log"
#define NOTIFY_PATH AREA "/notify"
#define NOTIFY_NAME "@run/worker-test/notify" /* the same, in the abstract name space */
#define RULES       "rules = ( { name = \"partners\"; group = \"partners\"; existing = \"invite\"; } );\n"

enum { OUTPUT_MAX = 256 * 1024, WORDS_MAX = 8, EVENTS_MAX = 512 };

static struct {
    pid_t pid; /* also its process group; 0: does not run */
    int notify_fd;
    int ready;
    int watchdog;
    int stopping;
    char status[EVENTS_MAX];  /* the last one */
    char strange[EVENTS_MAX]; /* the last line of another kind */
    char output[OUTPUT_MAX];  /* of the program run last */
} worker = {.notify_fd = -1};

/* How a worker is started; all zero: as root, with NOTIFY_SOCKET. */
struct start {
    bool quiet;           /* no NOTIFY_SOCKET */
    bool abstract;        /* NOTIFY_SOCKET is in the abstract name space */
    bool debug;           /* --debug */
    bool as_service_user; /* as systemd's User= does it */
    const char *watchdog; /* WATCHDOG_USEC */
    int listen_fd;        /* passed as descriptor 3, if not 0 */
    bool listen_stranger; /* LISTEN_PID is somebody else's */
};

/* --- small things --- */

static inline void write_file(const char *path, mode_t mode, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline const char *read_text(const char *path)
{
    static char text[OUTPUT_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    size_t length = 0;

    assert_true(fd >= 0);
    while (length + 1 < sizeof text && (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    assert_true(got >= 0);
    close(fd);
    for (size_t i = 0; i < length; i++) /* cmdline and environ are separated by NUL */
        if (text[i] == '\0')
            text[i] = '\n';
    text[length] = '\0';
    return text;
}

static inline const char *read_proc(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", worker.pid, name);
    return read_text(path);
}

static inline const char *program(const char *name)
{
    static char path[4096];
    const char *build = getenv("EI_BUILD_DIR");

    snprintf(path, sizeof path, "%s/%s", build != NULL ? build : "build/release", name);
    return path;
}

/* Runs words to their end; what they say is in worker.output. Returns the exit code, 128 + the signal if killed. */
static inline int run_words(const char *const *words)
{
    int pipe_fd[2];
    size_t length = 0;
    ssize_t got;
    int status;

    assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pipe_fd[1], STDOUT_FILENO);
        dup2(pipe_fd[1], STDERR_FILENO);
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    close(pipe_fd[1]);
    while (length + 1 < sizeof worker.output &&
           (got = read(pipe_fd[0], worker.output + length, sizeof worker.output - 1 - length)) > 0)
        length += (size_t)got;
    worker.output[length] = '\0';
    close(pipe_fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define RUN_WORDS(...) run_words((const char *const[]){__VA_ARGS__, NULL})

/* `entra-invite VERB… --config`, with the test's config. */
#define CLI(...) RUN_WORDS(program("entra-invite"), __VA_ARGS__, "--config", TEST_CONFIG)

static inline void said(const char *text, bool wanted)
{
    if ((strstr(worker.output, text) != NULL) != wanted)
        fail_msg("%s %s in: %s", text, wanted ? "is not" : "is", worker.output);
}

/* --- the host --- */

static inline void must(int exit_code)
{
    if (exit_code != 0)
        fail_msg("exit code %d: %s", exit_code, worker.output);
}

static inline uid_t service_uid(void)
{
    struct passwd *user = getpwnam(EI_SERVICE_USER);

    assert_non_null(user);
    return user->pw_uid;
}

static inline gid_t service_gid(void)
{
    struct passwd *user = getpwnam(EI_SERVICE_USER);

    assert_non_null(user);
    return user->pw_gid;
}

/* An account that is found by reading the files, as without any hook. */
static inline void add_account(const char *login, const char *gecos)
{
    must(RUN_WORDS("useradd", "-M", "-G", "partners", "-c", gecos, login));
}

/* more: lines for the end of the file. */
static inline void write_config(const char *more)
{
    char text[8192];

    snprintf(text, sizeof text,
             "tenant = \"contoso.onmicrosoft.com\";\n"
             "client_id = \"99999999-8888-7777-6666-555555555555\";\n"
             "login_url = \"%s\";\ngraph_url = \"%s\";\nca_file = \"%s/ca.pem\";\n"
             "credential: { type = \"secret\"; file = \"" TEST_SECRET "\"; };\n"
             "refresh_interval = 5;\n%s",
             sim.url, sim.url, sim.dir, more);
    write_file(TEST_CONFIG, 0644, text);
}

/* The group of all tests: a lab with the service user, the covered group and a simulator. */
static inline int lab_start(void **state)
{
    char name[64] = "";
    char path[128];

    if (gethostname(name, sizeof name) != 0 || strcmp(name, "lab") != 0 || geteuid() != 0) {
        print_message("skipped: it changes /etc and /var, and so runs in a lab only (tests/run)\n");
        return 0;
    }
    sim_start(state);
    if (!sim.runs)
        return 0;
    /* The service user must reach the certificate. */
    assert_int_equal(chmod(sim.dir, 0755), 0);
    assert_int_equal(mkdir(AREA, 0755), 0);
    snprintf(path, sizeof path, "%s/client-secret", sim.dir);
    write_file(TEST_SECRET, 0600, read_text(path));
    if (getpwnam(EI_SERVICE_USER) == NULL)
        must(RUN_WORDS("useradd", "--system", "--user-group", "-s", "/usr/sbin/nologin", EI_SERVICE_USER));
    (void)RUN_WORDS("groupadd", "partners");
    return 0;
}

/* --- the worker's life --- */

static inline void open_notify(const struct start *start)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = NOTIFY_PATH};
    socklen_t length = sizeof address;

    unlink(NOTIFY_PATH);
    if (start->abstract) {
        length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(NOTIFY_PATH));
        address.sun_path[0] = '\0';
    }
    worker.notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(worker.notify_fd >= 0);
    assert_int_equal(bind(worker.notify_fd, (const struct sockaddr *)&address, length), 0);
    if (!start->abstract)
        assert_int_equal(chmod(NOTIFY_PATH, 0666), 0);
}

/* In the child, after which only exec follows. */
static inline void set_environment(const struct start *start)
{
    char pid[16];

    char *counts = getenv("GCOV_PREFIX"), *strip = getenv("GCOV_PREFIX_STRIP");

    clearenv();
    if (counts != NULL && strip != NULL) { /* tests/run counts what is run through */
        setenv("GCOV_PREFIX", counts, 1);
        setenv("GCOV_PREFIX_STRIP", strip, 1);
    }
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    /* LeakSanitizer must trace the process, which one that holds secrets does not allow (K4). */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    if (!start->quiet)
        setenv("NOTIFY_SOCKET", start->abstract ? NOTIFY_NAME : NOTIFY_PATH, 1);
    if (start->watchdog != NULL)
        setenv("WATCHDOG_USEC", start->watchdog, 1);
    if (start->listen_fd != 0) {
        dup2(start->listen_fd, 3);
        snprintf(pid, sizeof pid, "%d", start->listen_stranger ? 1 : getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
    }
}

static inline void become_service_user(void)
{
    uid_t uid = service_uid();
    gid_t gid = service_gid();

    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        _exit(126);
}

static inline void launch(struct start start)
{
    const char *const words[] = {
        "entra-invited", "--config", TEST_CONFIG, "--foreground", start.debug ? "--debug" : NULL, NULL};

    assert_int_equal(worker.pid, 0);
    worker.ready = worker.watchdog = worker.stopping = 0;
    worker.status[0] = worker.strange[0] = '\0';
    if (!start.quiet)
        open_notify(&start);
    int log = open(TEST_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(log >= 0);
    const char *path = program("entra-invited"); /* by the environment that the child clears */
    worker.pid = fork();
    assert_true(worker.pid >= 0);
    if (worker.pid == 0) {
        setpgid(0, 0);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        set_environment(&start);
        /* Opened as root: the service user may have no way to it, as where the tree lies in /root. */
        int file = open(path, O_PATH | O_CLOEXEC);
        /* Nor may it run what was built with a tight umask. */
        chmod(path, 0755);
        if (start.as_service_user)
            become_service_user();
        fexecve(file, (char *const *)words, environ);
        _exit(127);
    }
    close(log);
    setpgid(worker.pid, worker.pid);
}

/* --- what it tells systemd --- */

static inline void take_line(const char *line)
{
    if (strcmp(line, "READY=1") == 0)
        worker.ready++;
    else if (strcmp(line, "WATCHDOG=1") == 0)
        worker.watchdog++;
    else if (strcmp(line, "STOPPING=1") == 0)
        worker.stopping++;
    else if (strncmp(line, "STATUS=", 7) == 0)
        snprintf(worker.status, sizeof worker.status, "%s", line + 7);
    else
        snprintf(worker.strange, sizeof worker.strange, "%s", line);
}

/* Takes one message; false if there is none within the time. */
static inline bool take_message(int timeout_ms)
{
    char text[EVENTS_MAX];
    struct pollfd wait = {.fd = worker.notify_fd, .events = POLLIN};

    if (poll(&wait, 1, timeout_ms) != 1)
        return false;
    ssize_t got = recv(worker.notify_fd, text, sizeof text - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        take_line(line);
    return true;
}

static inline void no_more(const char *wanted)
{
    char last[EVENTS_MAX];

    memcpy(last, worker.status, sizeof last);
    fail_msg("%s did not come; status: %s; log: %s", wanted, last, read_text(TEST_LOG));
}

static inline void wait_ready(void)
{
    while (worker.ready == 0)
        if (!take_message(GIVE_UP_MS))
            no_more("READY=1");
}

static inline void wait_status(const char *wanted)
{
    while (strcmp(worker.status, wanted) != 0)
        if (!take_message(GIVE_UP_MS))
            no_more(wanted);
}

/* Its exit code, 128 + the signal if killed; all it has said is taken. */
static inline int wait_end(void)
{
    int status;
    int64_t end = ei_monotonic_ms() + GIVE_UP_MS;

    while (waitpid(worker.pid, &status, WNOHANG) == 0) {
        if (ei_monotonic_ms() > end)
            fail_msg("it does not end: %s", read_text(TEST_LOG));
        if (worker.notify_fd < 0 || !take_message(20))
            poll(NULL, 0, 20);
    }
    while (worker.notify_fd >= 0 && take_message(0))
        continue;
    worker.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int stop_worker(int signal)
{
    assert_int_equal(kill(worker.pid, signal), 0);
    return wait_end();
}

/* --- each test --- */

static inline int begin(void **state)
{
    (void)state;
    if (sim.runs) {
        CTL("reset", "all");
        must(RUN_WORDS("rm", "-rf", EI_STATE_DIR, EI_RUN_DIR));
        write_config(RULES);
    }
    return 0;
}

static inline int end(void **state)
{
    static const char *const logins[] = {"taylor", "kim", "robin"};
    (void)state;
    if (worker.pid > 0) {
        kill(-worker.pid, SIGKILL);
        waitpid(worker.pid, NULL, 0);
        worker.pid = 0;
    }
    if (worker.notify_fd >= 0)
        close(worker.notify_fd);
    worker.notify_fd = -1;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0] && sim.runs; i++)
        if (getpwnam(logins[i]) != NULL)
            (void)RUN_WORDS("userdel", logins[i]);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif

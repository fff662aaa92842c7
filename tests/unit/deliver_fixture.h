/*
 * A relay and a webhook that misbehave on demand (tests/deliver-peer), and a deliver that talks to them. Include after
 * cmocka.h. Where they cannot run (no node), peer_start says so and the tests are skipped.
 */
#ifndef EI_TESTS_DELIVER_FIXTURE_H
#define EI_TESTS_DELIVER_FIXTURE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/deliver/deliver.h"

#define ATTEMPT "5a5a5a5a-1111-2222-3333-444444444444"
#define REDEEM                                                                                                         \
    "https://login.microsoftonline.com/redeem?rd=https%3a%2f%2finvitations.microsoft.com%2fq%3fs%3dSECRETPART"
#define PASSWORD "s3cret-Passw0rd"
#define TOKEN    "bearer-t0ken-of-the-test"

enum { GIVE_UP_MS = 30 * 1000, LOG_MAX = 4 * 1024 * 1024 };

static struct {
    bool runs;
    char dir[64];
    pid_t pid;
    int stdin_fd;
    int control_port;
    struct ei_deliver *deliver; /* a new one for each test */
} peer;

static inline char *in_dir(const char *name)
{
    static char paths[32][128];
    static unsigned next;
    char *path = paths[next++ % 32];

    snprintf(path, sizeof paths[0], "%s/%s", peer.dir, name);
    return path;
}

static inline void write_secret(const char *name, const char *text)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline bool run_program(const char *const *argv)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A certificate that is its own authority. */
static inline bool make_certificate(const char *name, const char *names)
{
    char key[128];
    char certificate[128];

    snprintf(key, sizeof key, "%s/%s.key", peer.dir, name);
    snprintf(certificate, sizeof certificate, "%s/%s.pem", peer.dir, name);
    const char *const argv[] = {
        "openssl", "req",      "-x509",   "-newkey", "ec",        "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",  "-keyout",  key,       "-out",    certificate, "-days",    "2",
        "-subj",   "/CN=peer", "-addext", names,     NULL};
    return run_program(argv);
}

static inline bool begin_peer(void)
{
    const char *source = getenv("EI_SOURCE_DIR");
    char script[4096];
    char line[32] = "";
    int in[2];
    int out[2];

    snprintf(script, sizeof script, "%s/tests/deliver-peer/peer.js", source != NULL ? source : ".");
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    peer.pid = fork();
    if (peer.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execlp("node", "node", script, peer.dir, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer.stdin_fd = in[1];
    ssize_t count = read(out[0], line, sizeof line - 1);
    close(out[0]);
    peer.control_port = count > 0 ? atoi(line) : 0;
    return peer.control_port > 0;
}

static inline int peer_start(void **state)
{
    (void)state;
    strcpy(peer.dir, "/tmp/deliver-XXXXXX");
    assert_non_null(mkdtemp(peer.dir));
    peer.runs = make_certificate("good", "subjectAltName=DNS:localhost,IP:127.0.0.1") &&
                make_certificate("other", "subjectAltName=DNS:other.example") && begin_peer();
    if (!peer.runs)
        print_message("node or openssl is missing: these tests are skipped\n");
    write_secret("password", PASSWORD "\n");
    write_secret("token", TOKEN "\n");
    return 0;
}

static inline int peer_stop(void **state)
{
    static const char *const names[] = {"good.key", "good.pem", "other.key", "other.pem", "password", "token", "url"};

    (void)state;
    if (peer.runs) {
        close(peer.stdin_fd);
        waitpid(peer.pid, NULL, 0);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_dir(names[i]));
    rmdir(peer.dir);
    return 0;
}

/* Asks the control; the answer is the caller's to free. */
static inline char *peer_ask(const char *question)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)peer.control_port)};
    struct ei_buffer said;
    char chunk[4096];
    ssize_t count;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, question, strlen(question)), strlen(question));
    assert_int_equal(write(fd, "\n", 1), 1);
    ei_buffer_init(&said, LOG_MAX);
    while ((count = read(fd, chunk, sizeof chunk)) > 0)
        assert_true(ei_buffer_append(&said, chunk, (size_t)count));
    close(fd);
    assert_non_null(said.data);
    return said.data;
}

/* The port of a new relay or webhook: "smtp tls rcpt=550:no". */
static inline int peer_open(const char *mode)
{
    char *said = peer_ask(mode);
    int port = atoi(said);

    free(said);
    assert_true(port > 0);
    return port;
}

/* What it was sent: an array with an object for each connection; the caller deletes it. */
static inline cJSON *peer_log(int port)
{
    char question[32];

    snprintf(question, sizeof question, "log %d", port);
    char *said = peer_ask(question);
    cJSON *log = ei_json_parse(said, strlen(said));
    free(said);
    assert_non_null(log);
    return log;
}

/* --- a deliver --- */

struct outcome {
    int calls;
    struct ei_deliver_result result;
    int64_t took_ms;
    int64_t began_ms;
    int64_t longest_dispatch_ms;
};

static inline void on_done(void *context, const struct ei_deliver_result *result)
{
    struct outcome *outcome = context;

    outcome->calls++;
    outcome->result = *result;
    outcome->took_ms = ei_monotonic_ms() - outcome->began_ms;
}

static inline int deliver_start_with(long timeout_ms)
{
    struct ei_deliver_options options = {.timeout_ms = timeout_ms, .connect_timeout_ms = timeout_ms};

    if (!peer.runs)
        return 0;
    return ei_deliver_new(&options, &peer.deliver, NULL) == EI_OK ? 0 : -1;
}

static inline int deliver_start(void **state)
{
    (void)state;
    return deliver_start_with(20 * 1000);
}

/* For what is never answered. */
static inline int deliver_start_hasty(void **state)
{
    (void)state;
    return deliver_start_with(700);
}

static inline int deliver_stop(void **state)
{
    (void)state;
    ei_deliver_free(peer.deliver);
    peer.deliver = NULL;
    return 0;
}

/* As the worker's loop does it. */
static inline void await_outcome(struct outcome *outcome)
{
    int64_t until = ei_monotonic_ms() + GIVE_UP_MS;

    while (outcome->calls == 0) {
        struct pollfd wait = {.fd = ei_deliver_fd(peer.deliver), .events = POLLIN};
        int limit = ei_deliver_wait_ms(peer.deliver);
        assert_true(ei_monotonic_ms() < until);
        (void)poll(&wait, 1, limit < 1000 ? limit : 1000);
        int64_t before = ei_monotonic_ms();
        ei_deliver_dispatch(peer.deliver);
        int64_t dispatch_ms = ei_monotonic_ms() - before;
        if (dispatch_ms > outcome->longest_dispatch_ms)
            outcome->longest_dispatch_ms = dispatch_ms;
    }
    assert_int_equal(outcome->calls, 1);
    assert_int_equal(ei_deliver_active(peer.deliver), 0);
}

/* What no error may hold. */
static inline void expect_no_secret(const struct ei_deliver_result *result)
{
    static const char *const never[] = {"SECRETPART", "redeem?", PASSWORD, TOKEN, "hook-path-secret"};

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (strstr(result->error.message, never[i]) != NULL)
            fail_msg("\"%s\" tells a secret", result->error.message);
}

static inline void expect_result(const struct outcome *outcome, enum ei_deliver_outcome wanted, enum ei_err code)
{
    const struct ei_deliver_result *result = &outcome->result;

    expect_no_secret(result);
    if (result->outcome != wanted || result->error.code != code)
        fail_msg("wanted outcome %d with %s, got %d with %s: %s (status %ld)", wanted, ei_err_name(code),
                 result->outcome, ei_err_name(result->error.code), result->error.message, result->status);
}

#endif

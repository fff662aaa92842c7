/* A worker that answers as it is told, and programs run against it in a child process. */
#ifndef EI_TESTS_CLI_FIXTURE_H
#define EI_TESTS_CLI_FIXTURE_H

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/ipc/server.h"

enum { ANSWERS_MAX = 8, OUTPUT_MAX = 64 * 1024 };

struct fixture {
    char directory[64];
    char socket[96];
    char config[96];
    char view[96];
    struct ei_server *server;
    struct {
        const char *told;  /* JSON of a reply before the last one, NULL: none */
        const char *reply; /* JSON of its parameters, NULL: fail with error; the last answer is repeated */
        enum ei_err error;
    } answers[ANSWERS_MAX];
    size_t answer_count;
    size_t calls;
    char methods[ANSWERS_MAX][32];
    char *parameters[ANSWERS_MAX]; /* as JSON */
    int exit_code;
    char out[OUTPUT_MAX];
    char err[OUTPUT_MAX];
};

static inline void on_call(void *context, struct ei_call *call, const char *method, const cJSON *parameters)
{
    struct fixture *f = context;
    size_t i = f->calls < f->answer_count ? f->calls : f->answer_count - 1;

    assert_true(f->answer_count != 0);
    if (f->calls < ANSWERS_MAX) {
        snprintf(f->methods[f->calls], sizeof f->methods[0], "%s", method);
        f->parameters[f->calls] = cJSON_PrintUnformatted(parameters);
    }
    f->calls++;
    if (f->answers[i].told != NULL)
        assert_true(ei_call_tell(call, cJSON_Parse(f->answers[i].told)));
    if (f->answers[i].reply != NULL) {
        cJSON *reply = cJSON_Parse(f->answers[i].reply);
        assert_non_null(reply);
        ei_call_reply(call, reply);
    } else {
        struct ei_error err;
        ei_fail(&err, f->answers[i].error, "taylor: the reason");
        snprintf(err.request_id, sizeof err.request_id, "6c1c3f2e-0000-4000-8000-000000000001");
        snprintf(err.client_request_id, sizeof err.client_request_id, "6c1c3f2e-0000-4000-8000-000000000002");
        ei_call_fail(call, &err);
    }
}

static inline void on_gone(void *context, struct ei_call *call)
{
    (void)context;
    (void)call;
}

static inline void worker_start(struct fixture *f)
{
    const struct ei_server_handler handler = {on_call, on_gone, f};
    int fd = -1;

    assert_int_equal(ei_server_listen(f->socket, &fd, NULL), EI_OK);
    assert_int_equal(ei_server_new(fd, getuid(), &handler, &f->server), EI_OK);
}

static inline void worker_stop(struct fixture *f)
{
    ei_server_free(f->server);
    f->server = NULL;
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->directory, sizeof f->directory, "/tmp/ei-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/socket", f->directory);
    snprintf(f->config, sizeof f->config, "%s/entra-invite.conf", f->directory);
    snprintf(f->view, sizeof f->view, "%s/status.cdb", f->directory);
    FILE *file = fopen(f->config, "w");
    assert_non_null(file);
    fprintf(file,
            "tenant = \"contoso.onmicrosoft.com\";\n"
            "client_id = \"00000000-0000-4000-8000-000000000001\";\n"
            "credential: { type = \"secret\"; file = \"%s/secret\"; };\n"
            "rules = ( { name = \"partners\"; group = \"partners\"; } );\n"
            "socket = \"%s\";\n",
            f->directory, f->socket);
    fclose(file);
    worker_start(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        free(f->parameters[i]);
    unlink(f->socket);
    unlink(f->config);
    unlink(f->view);
    rmdir(f->directory);
    free(f);
    return 0;
}

static inline void answer(struct fixture *f, const char *reply)
{
    assert_true(f->answer_count < ANSWERS_MAX);
    f->answers[f->answer_count++].reply = reply;
}

static inline void answer_error(struct fixture *f, enum ei_err error)
{
    assert_true(f->answer_count < ANSWERS_MAX);
    f->answers[f->answer_count++].error = error;
}

static inline void forget_calls(struct fixture *f)
{
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        free(f->parameters[i]);
        f->parameters[i] = NULL;
    }
    memset(f->answers, 0, sizeof f->answers);
    f->answer_count = 0;
    f->calls = 0;
}

static inline void read_back(int fd, char out[OUTPUT_MAX])
{
    ssize_t got = pread(fd, out, OUTPUT_MAX - 1, 0);

    assert_true(got >= 0);
    out[got] = '\0';
    close(fd);
}

/* Serves until the child ends. */
static inline void serve(struct fixture *f, int ended)
{
    for (;;) {
        struct pollfd fds[EI_SERVER_POLLFDS + 1];
        size_t count = f->server != NULL ? ei_server_pollfds(f->server, fds) : 0;
        fds[count] = (struct pollfd){.fd = ended, .events = POLLIN};
        if (poll(fds, count + 1, f->server != NULL ? ei_server_timeout(f->server) : -1) < 0)
            continue;
        if (f->server != NULL)
            ei_server_dispatch(f->server, fds, count);
        if (fds[count].revents != 0)
            return;
    }
}

/* Runs program(argument) in a child, with its output in f->out and f->err and its result in f->exit_code. */
static inline void run_child(struct fixture *f, int (*program)(struct fixture *, void *), void *argument)
{
    int out = open(f->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int err = open(f->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int status = 0;

    assert_true(out >= 0 && err >= 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        int result = program(f, argument);
        fflush(NULL);
        exit(result); /* not _exit: the sanitizers report leaks there */
    }
    assert_true(child > 0);
    int ended = (int)syscall(SYS_pidfd_open, child, 0);
    assert_true(ended >= 0);
    serve(f, ended);
    close(ended);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    f->exit_code = WEXITSTATUS(status);
    read_back(out, f->out);
    read_back(err, f->err);
}

static inline void sent(const struct fixture *f, size_t call, const char *method, const char *parameters)
{
    assert_true(f->calls > call);
    assert_string_equal(f->methods[call], method);
    cJSON *expected = cJSON_Parse(parameters);
    cJSON *actual = cJSON_Parse(f->parameters[call]);
    assert_non_null(expected);
    cJSON_DeleteItemFromObjectCaseSensitive(actual, "requestedBy"); /* who runs the test */
    cJSON_DeleteItemFromObjectCaseSensitive(actual, "requester");
    if (!cJSON_Compare(expected, actual, true))
        fail_msg("%s: sent %s, not %s", method, f->parameters[call], parameters);
    cJSON_Delete(expected);
    cJSON_Delete(actual);
}

#define ACCOUNT(state, error)                                                                                          \
    "{\"login\":\"taylor\",\"host\":\"h1\",\"email\":\"taylor@fabrikam.com\",\"rule\":\"partners\",\"state\":\"" state \
    "\",\"requestedBy\":\"root\",\"requestedAt\":\"2026-11-23T15:29:00Z\",\"inviteRedeemUrl\":"                        \
    "\"https://login.example/redeem?x\",\"invitedUserId\":null,\"userPrincipalName\":null,\"invitedUserType\":"        \
    "\"Guest\",\"externalUserState\":\"PendingAcceptance\",\"externalUserStateChangeDateTime\":null,"                  \
    "\"checkedAt\":\"2026-11-23T15:30:00Z\",\"mail\":\"none\",\"error\":" error "}"
#define ERROR                                                                                                          \
    "{\"code\":\"verified-domain\",\"message\":\"fabrikam.com is a verified domain of the tenant\",\"mend\":"          \
    "\"the mend\",\"requestId\":\"req-1\",\"clientRequestId\":\"crid-1\",\"permanent\":true}"

#endif

/*
 * A running graph simulator and a graph that talks to it, for the cmocka programs of common/graph. Include after
 * cmocka.h. Where the simulator cannot run (no node), sim_start says so and the tests are skipped.
 */
#ifndef EI_TESTS_GRAPH_FIXTURE_H
#define EI_TESTS_GRAPH_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/graph/graph.h"

#define ADDRESS  "taylor@fabrikam.com"
#define CRID     "5a5a5a5a-1111-2222-3333-444444444444"
#define OTHER_ID "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"

enum { GIVE_UP_MS = 30 * 1000, USERS_MAX = 16, TEXT_MAX = 4096 };

static struct {
    bool runs;
    char ctl[4096];
    char dir[64];
    char *url;
    pid_t guard;
    int guard_fd;
    struct ei_credential *credential;
    struct ei_graph *graph; /* a new one for each test */
} sim;

/* Runs `ctl DIR args…`; the output, for the caller to free, or NULL where it did not exit 0. */
static inline char *ctl_try(const char *const *args)
{
    char *argv[8] = {sim.ctl, sim.dir};
    struct ei_buffer out;
    char chunk[4096];
    int pipe_fd[2];
    int status = -1;
    ssize_t count;

    for (size_t i = 0; i < 5 && args[i] != NULL; i++)
        argv[i + 2] = (char *)args[i];
    ei_buffer_init(&out, 64 * 1024 * 1024);
    if (pipe2(pipe_fd, O_CLOEXEC) != 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipe_fd[1], STDOUT_FILENO);
        execv(sim.ctl, argv);
        _exit(127);
    }
    close(pipe_fd[1]);
    while ((count = read(pipe_fd[0], chunk, sizeof chunk)) > 0)
        ei_buffer_append(&out, chunk, (size_t)count);
    close(pipe_fd[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        ei_buffer_free(&out);
        return NULL;
    }
    return out.data != NULL ? out.data : strdup("");
}

#define CTL_TRY(...) ctl_try((const char *const[]){__VA_ARGS__, NULL})

static inline void ctl_do(char *out, const char *what)
{
    if (out == NULL)
        fail_msg("ctl %s failed", what);
    free(out);
}

#define CTL(verb, ...) ctl_do(CTL_TRY(verb, __VA_ARGS__), verb)

static inline cJSON *ctl_parse(char *out)
{
    cJSON *json = out != NULL ? ei_json_parse(out, strlen(out)) : NULL;

    assert_non_null(json);
    free(out);
    return json;
}

#define CTL_JSON(...) ctl_parse(CTL_TRY(__VA_ARGS__))

/* What a filter of `ctl requests` matches so far. */
static inline int count_requests(const char *match)
{
    cJSON *list = CTL_JSON("requests", match);
    int count = cJSON_GetArraySize(list);

    cJSON_Delete(list);
    return count;
}

/* So many requests match; of them `with_crid` carry CRID, all others an id of their own (X7). */
static inline void assert_request_ids(const char *match, int count, int with_crid)
{
    cJSON *list = CTL_JSON("requests", match);
    int found = 0;

    assert_int_equal(cJSON_GetArraySize(list), count);
    for (int i = 0; i < count; i++) {
        const char *id = ei_json_string(cJSON_GetArrayItem(list, i), "clientRequestId");
        assert_non_null(id);
        found += strcmp(id, CRID) == 0;
        for (int j = 0; j < i && strcmp(id, CRID) != 0; j++)
            assert_string_not_equal(id, ei_json_string(cJSON_GetArrayItem(list, j), "clientRequestId"));
    }
    assert_int_equal(found, with_crid);
    cJSON_Delete(list);
}

/* Stops the simulator when this program ends, however it ends: the pipe closes then. */
static inline void start_guard(void)
{
    int pipe_fd[2];
    char byte;

    assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
    sim.guard = fork();
    assert_true(sim.guard >= 0);
    if (sim.guard == 0) {
        close(pipe_fd[1]);
        while (read(pipe_fd[0], &byte, 1) < 0 && errno == EINTR)
            continue;
        execl(sim.ctl, sim.ctl, sim.dir, "stop", NULL);
        _exit(127);
    }
    close(pipe_fd[0]);
    sim.guard_fd = pipe_fd[1];
}

static inline int sim_start(void **state)
{
    char path[128];
    struct ei_error err;
    const char *source = getenv("EI_SOURCE_DIR");

    (void)state;
    snprintf(sim.ctl, sizeof sim.ctl, "%s/tests/graph-simulator/ctl", source != NULL ? source : ".");
    ei_log_open("test", EI_LOG_STDERR, LOG_ERR);
    snprintf(sim.dir, sizeof sim.dir, "/tmp/entra-invite-sim-XXXXXX");
    assert_non_null(mkdtemp(sim.dir));
    char *ready = CTL_TRY("start");
    if (ready == NULL) {
        print_message("skipped: the graph simulator does not start here (it needs node)\n");
        return 0;
    }
    start_guard();
    cJSON *json = ctl_parse(ready);
    sim.url = strdup(ei_json_string(json, "graphUrl"));
    cJSON_Delete(json);
    snprintf(path, sizeof path, "%s/client-secret", sim.dir);
    assert_int_equal(ei_credential_secret(path, &sim.credential, &err), EI_OK);
    sim.runs = true;
    return 0;
}

static inline int sim_stop(void **state)
{
    int status;
    char command[128];

    (void)state;
    if (sim.runs) {
        close(sim.guard_fd);
        waitpid(sim.guard, &status, 0);
    }
    ei_credential_free(sim.credential);
    free(sim.url);
    static const char *const files[] = {"ca.key", "ca.pem",     "ca.srl",     "client-secret", "control.sock",
                                        "log",    "server.key", "server.pem", "stderr",        "ready.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(command, sizeof command, "%s/%s", sim.dir, files[i]);
        (void)unlink(command);
    }
    (void)rmdir(sim.dir);
    return 0;
}

/* sim.graph, made anew with these options; NULL or 0: the simulator's own. */
static inline void use_graph(const char *graph_url, const char *ca_file, long timeout_ms)
{
    char path[128];
    struct ei_error err = {0};

    snprintf(path, sizeof path, "%s/ca.pem", sim.dir);
    struct ei_graph_options options = {
        .tenant = "contoso.onmicrosoft.com",
        .client_id = "99999999-8888-7777-6666-555555555555",
        .login_url = sim.url,
        .graph_url = graph_url != NULL ? graph_url : sim.url,
        .ca_file = ca_file != NULL ? ca_file : path,
        .credential = sim.credential,
        .timeout_ms = timeout_ms,
    };
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    if (ei_graph_new(&options, &sim.graph, &err) != EI_OK)
        fail_msg("%s", err.message);
}

static inline int set_up(void **state)
{
    (void)state;
    if (sim.runs) {
        CTL("reset", "all");
        use_graph(NULL, NULL, 0);
    }
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    return 0;
}

#define NEEDS_SIMULATOR()                                                                                              \
    do {                                                                                                               \
        (void)state;                                                                                                   \
        if (!sim.runs)                                                                                                 \
            skip();                                                                                                    \
    } while (0)

/* What a callback was given, copied. */
struct got {
    int calls;
    struct ei_graph_result result;
    size_t count;
    char id[USERS_MAX][EI_GUID_TEXT]; /* of users; of the invited user */
    char text[TEXT_MAX];              /* state of the first user; the redeem URL; names, each with a blank behind it */
    bool has_state;
    bool has_enabled;
    bool enabled;
};

static inline void got_users(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                             size_t count)
{
    struct got *got = context;

    got->calls++;
    got->result = *result;
    got->count = count;
    assert_true(count <= USERS_MAX);
    for (size_t i = 0; i < count; i++)
        snprintf(got->id[i], EI_GUID_TEXT, "%s", users[i].id);
    if (count == 0)
        return;
    const char *external = users[0].external_user_state;
    snprintf(got->text, sizeof got->text, "%s", external != NULL ? external : "");
    got->has_state = users[0].has_external_user_state;
    got->has_enabled = users[0].has_account_enabled;
    got->enabled = users[0].account_enabled;
}

static inline void got_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    assert_true((user != NULL) == (result->outcome == EI_GRAPH_DONE));
    got_users(context, result, user, user != NULL ? 1 : 0);
}

static inline void got_invited(void *context, const struct ei_graph_result *result,
                               const struct ei_graph_invitation *invitation)
{
    struct got *got = context;

    got->calls++;
    got->result = *result;
    assert_true((invitation != NULL) == (result->outcome == EI_GRAPH_DONE));
    if (invitation != NULL) {
        snprintf(got->id[0], EI_GUID_TEXT, "%s", invitation->invited_user_id);
        snprintf(got->text, sizeof got->text, "%s", invitation->invite_redeem_url);
    }
}

static inline void got_names(void *context, const struct ei_graph_result *result, const char *const *names,
                             size_t count)
{
    struct got *got = context;
    size_t used = 0;

    got->calls++;
    got->result = *result;
    got->count = count;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(got->text + used, sizeof got->text - used, "%s ", names[i]);
}

static inline void got_plain(void *context, const struct ei_graph_result *result)
{
    struct got *got = context;

    got->calls++;
    got->result = *result;
}

/* Until nothing is under way. */
static inline void run(struct ei_graph *graph)
{
    int64_t end = ei_monotonic_ms() + GIVE_UP_MS;

    while (ei_graph_active(graph) != 0) {
        if (ei_monotonic_ms() > end)
            fail_msg("still %zu requests under way", ei_graph_active(graph));
        assert_int_equal(ei_graph_wait(graph, NULL, 0, 1000), EI_OK);
        ei_graph_dispatch(graph);
    }
}

/* A request that starts, does not call back from its start, and calls back once. */
#define RUN(graph, result_of, start)                                                                                   \
    do {                                                                                                               \
        *(result_of) = (struct got){0};                                                                                \
        assert_int_equal((start), EI_OK);                                                                              \
        assert_int_equal((result_of)->calls, 0);                                                                       \
        run(graph);                                                                                                    \
        assert_int_equal((result_of)->calls, 1);                                                                       \
    } while (0)

static inline void find(struct ei_graph *graph, const char *address, struct got *got)
{
    RUN(graph, got, ei_graph_find_users(graph, address, CRID, got_users, got));
}

static inline void get(struct ei_graph *graph, const char *id, struct got *got)
{
    RUN(graph, got, ei_graph_get_user(graph, id, CRID, got_user, got));
}

static inline void invite(struct ei_graph *graph, const char *address, bool mail, struct got *got)
{
    const struct ei_graph_invite body = {
        .invited_user_email_address = address,
        .invite_redirect_url = "https://myapps.microsoft.com/",
        .invited_user_display_name = "Taylor Example",
        .send_invitation_message = mail,
    };
    RUN(graph, got, ei_graph_invite(graph, &body, CRID, got_invited, got));
}

static inline void expect(const struct got *got, enum ei_graph_outcome outcome, enum ei_err code)
{
    if (got->result.outcome != outcome || got->result.error.code != code)
        fail_msg("outcome %d, status %ld, %s: %s", got->result.outcome, got->result.status,
                 ei_err_name(got->result.error.code), got->result.error.message);
}

#endif

/* A server on a real Unix socket and clients of it, in one thread: settle() lets the server do all it can. */
#ifndef EI_TESTS_SERVER_FIXTURE_H
#define EI_TESTS_SERVER_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/server.h"
#include "common/ipc/varlink.h"

struct fixture {
    char directory[64];
    char path[96];
    struct ei_server *server;
    struct ei_call *waiting; /* the last Wait, not answered */
    struct ei_call *gone;    /* the last call that `gone` was called for */
    int calls;
    int gone_count;
    char method[32];
    size_t reply_size; /* Show answers with a string of so many bytes */
};

static int64_t test_time_ms = 1000000;

static inline int64_t test_monotonic_ms(void)
{
    return test_time_ms;
}

static inline int64_t test_now(void)
{
    return test_time_ms / 1000;
}

static inline void on_call(void *context, struct ei_call *call, const char *method, const cJSON *parameters)
{
    struct fixture *f = context;

    assert_true(cJSON_IsObject(parameters));
    f->calls++;
    snprintf(f->method, sizeof f->method, "%s", method);
    if (strcmp(method, "Wait") == 0) {
        f->waiting = call;
    } else if (strcmp(method, "Show") == 0) {
        cJSON *reply = cJSON_CreateObject();
        char *text = malloc(f->reply_size + 1);
        memset(text, 'x', f->reply_size);
        text[f->reply_size] = '\0';
        cJSON_AddStringToObject(reply, "text", text);
        free(text);
        ei_call_reply(call, reply);
    } else if (strcmp(method, "Resend") == 0) {
        struct ei_error err;
        ei_fail(&err, EI_NOT_FOUND, "%s is not known", ei_json_string(parameters, "target"));
        ei_call_fail(call, &err);
    } else {
        ei_call_reply(call, NULL);
    }
}

static inline void on_gone(void *context, struct ei_call *call)
{
    struct fixture *f = context;

    f->gone = call;
    f->gone_count++;
}

static inline int server_start(void **state)
{
    static const struct ei_clock clock = {test_now, test_monotonic_ms};
    struct fixture *f = calloc(1, sizeof *f);
    struct ei_server_handler handler = {on_call, on_gone, f};
    int fd = -1;

    snprintf(f->directory, sizeof f->directory, "/tmp/ei-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/socket", f->directory);
    assert_int_equal(ei_server_listen(f->path, &fd, NULL), EI_OK);
    assert_int_equal(ei_server_new(fd, getuid(), &handler, &f->server), EI_OK);
    ei_clock_set(&clock);
    *state = f;
    return 0;
}

static inline int server_stop(void **state)
{
    struct fixture *f = *state;

    ei_server_free(f->server);
    ei_clock_set(NULL);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    return 0;
}

static inline void settle(struct fixture *f)
{
    for (;;) {
        struct pollfd fds[EI_SERVER_POLLFDS];
        size_t count = ei_server_pollfds(f->server, fds);
        int ready = poll(fds, count, 0);
        if (ready <= 0 && ei_server_timeout(f->server) != 0)
            return;
        ei_server_dispatch(f->server, fds, count);
    }
}

static inline void pass_time(struct fixture *f, int64_t ms)
{
    test_time_ms += ms;
    settle(f);
}

static inline int client_new(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path, f->path, strlen(f->path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends as much as the server takes; returns how much that was. */
static inline size_t client_send(struct fixture *f, int fd, const void *bytes, size_t length)
{
    size_t sent = 0;

    while (sent < length) {
        ssize_t put = send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        if (put < 0) {
            settle(f);
            put = send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        }
        if (put <= 0)
            break;
        sent += (size_t)put;
    }
    settle(f);
    return sent;
}

/* With the NUL that ends it. */
static inline void client_says(struct fixture *f, int fd, const char *message)
{
    assert_int_equal(client_send(f, fd, message, strlen(message) + 1), strlen(message) + 1);
}

/* The next message, NULL if there is none (or the connection is closed: see client_closed). Byte by byte, so that
 * what follows stays in the socket. */
static inline cJSON *client_hears(int fd)
{
    struct ei_buffer buffer;
    cJSON *message = NULL;
    char byte = 0;

    ei_buffer_init(&buffer, EI_VARLINK_REPLY_MAX + 1);
    while (message == NULL && recv(fd, &byte, 1, 0) == 1) {
        assert_true(ei_buffer_append(&buffer, &byte, 1));
        if (byte == '\0')
            assert_int_equal(ei_varlink_take(&buffer, &message), EI_OK);
    }
    ei_buffer_free(&buffer);
    return message;
}

static inline void client_hears_error(int fd, const char *error, const char *name, const char *value)
{
    cJSON *message = client_hears(fd);

    assert_non_null(message);
    assert_string_equal(ei_json_string(message, "error"), error);
    assert_string_equal(ei_json_string(ei_json_object(message, "parameters"), name), value);
    cJSON_Delete(message);
}

static inline void client_hears_reply(int fd)
{
    cJSON *message = client_hears(fd);

    assert_non_null(message);
    assert_false(ei_json_has(message, "error"));
    assert_non_null(ei_json_object(message, "parameters"));
    cJSON_Delete(message);
}

static inline bool client_silent(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK) < 0;
}

static inline bool client_closed(int fd)
{
    char byte[4096];
    ssize_t got;

    while ((got = recv(fd, byte, sizeof byte, 0)) > 0)
        continue;
    return got == 0 || errno == ECONNRESET;
}

static inline cJSON *text_reply(const char *text)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddStringToObject(reply, "text", text);
    return reply;
}

#define SAYS_INFO   "{\"method\":\"org.varlink.service.GetInfo\"}"
#define SAYS_STATUS "{\"method\":\"io.entrainvite.Status\"}"
#define SAYS_WAIT   "{\"method\":\"io.entrainvite.Wait\",\"parameters\":{\"target\":\"taylor\",\"timeout\":60000}}"
#define SAYS_WAIT_MORE                                                                                                 \
    "{\"method\":\"io.entrainvite.Wait\",\"more\":true,\"parameters\":{\"target\":\"taylor\",\"timeout\":60000}}"
#define SAYS_SHOW "{\"method\":\"io.entrainvite.Show\",\"parameters\":{\"target\":\"taylor\"}}"

#endif

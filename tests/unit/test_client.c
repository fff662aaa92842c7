/* The client's end against a server that misbehaves: every reply is an error of its own, and none hangs. */
#include "common/ipc/client.h"

#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/ipc/varlink.h"
#include "tests/unit/cli_fixture.h"

struct exchange {
    const char *bytes; /* what the server sends once it has read a request; NULL: nothing, and it stays open */
    size_t length;
    enum ei_err expected;
    const char *message;
    const char *path;
    bool more;
    const char *told; /* the n of each reply before the last one; more only */
};

struct telling {
    char said[64];
    int limit_ms;
};

static int on_told(void *context, const cJSON *parameters)
{
    struct telling *telling = context;
    const char *n = ei_json_string(parameters, "n");

    strncat(telling->said, n != NULL ? n : "?", sizeof telling->said - strlen(telling->said) - 1);
    return telling->limit_ms;
}

/* In the child: one client, its outcome as exit code (0: as expected). */
static int call_program(struct fixture *f, void *argument)
{
    const struct exchange *exchange = argument;
    struct ei_error err;
    cJSON *reply = NULL;
    cJSON *parameters = cJSON_Parse("{\"target\":\"taylor\"}");

    (void)f;
    ei_error_clear(&err);
    int limit_ms = exchange->bytes != NULL ? 10000 : 50;
    struct telling telling = {.limit_ms = exchange->expected == EI_TIMEOUT ? 50 : 10000};
    enum ei_err result = exchange->more ? ei_client_call_more(exchange->path, "Show", parameters, limit_ms, on_told,
                                                              &telling, &reply, &err)
                                        : ei_client_call(exchange->path, "Show", parameters, limit_ms, &reply, &err);
    cJSON_Delete(parameters);
    if (exchange->more && strcmp(telling.said, exchange->told) != 0) {
        fprintf(stderr, "told: %s\n", telling.said);
        return 5;
    }
    if (result != exchange->expected) {
        fprintf(stderr, "result %s: %s\n", ei_err_name(result), err.message);
        return 1;
    }
    if ((result == EI_OK) != (reply != NULL))
        return 2;
    ei_varlink_free(reply);
    if (result != EI_OK && err.code != result)
        return 3;
    if (exchange->message != NULL && strstr(err.message, exchange->message) == NULL) {
        fprintf(stderr, "message: %s\n", err.message);
        return 4;
    }
    return 0;
}

/* A server of its own, since the real one never misbehaves: reads up to the NUL, sends bytes, closes. */
static void serve_bytes(int listener, const struct exchange *exchange)
{
    char byte = 'x';
    int fd = accept(listener, NULL, NULL);

    assert_true(fd >= 0);
    while (byte != '\0')
        assert_int_equal(read(fd, &byte, 1), 1);
    if (exchange->bytes != NULL)
        (void)!send(fd, exchange->bytes, exchange->length, MSG_NOSIGNAL);
    if (exchange->bytes == NULL || exchange->expected == EI_TIMEOUT)
        (void)!read(fd, &byte, 1); /* until the client gives up */
    close(fd);
}

static void run_exchange(struct fixture *f, struct exchange *exchange)
{
    int listener = -1;
    int status = 0;

    exchange->path = f->socket;
    assert_int_equal(ei_server_listen(f->socket, &listener, NULL), EI_OK);
    assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
    pid_t child = fork();
    if (child == 0)
        exit(call_program(f, exchange));
    serve_bytes(listener, exchange);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(listener);
}

#define BYTES(text) .bytes = text, .length = sizeof text

static void every_answer_is_an_outcome(void **state)
{
    static struct exchange exchanges[] = {
        {BYTES("{\"parameters\":{\"account\":{}}}"), .expected = EI_OK},
        {BYTES("{}"), .expected = EI_OK},
        {BYTES("{\"parameters\":[]}"), .expected = EI_PROTOCOL, .message = "is not a reply"},
        {BYTES("{\"parameters\":{},\"continues\":true}"), .expected = EI_PROTOCOL, .message = "is not a reply"},
        {BYTES("{\"error\":7}"), .expected = EI_PROTOCOL, .message = "is not a reply"},
        {BYTES("[]"), .expected = EI_PROTOCOL, .message = "is not varlink"},
        {BYTES("\xff"), .expected = EI_PROTOCOL, .message = "is not varlink"},
        {.bytes = "{\"param", .length = 7, .expected = EI_PROTOCOL, .message = "without an answer"},
        {.bytes = "", .length = 0, .expected = EI_PROTOCOL, .message = "without an answer"},
        {.expected = EI_TIMEOUT, .message = "did not answer in time"},
        {BYTES("{\"error\":\"io.entrainvite.Failed\",\"parameters\":{\"code\":\"not-covered\",\"message\":\"taylor is "
               "in no rule's group\"}}"),
         .expected = EI_NOT_COVERED, .message = "taylor is in no rule's group"},
        {BYTES("{\"error\":\"io.entrainvite.Failed\",\"parameters\":{\"code\":\"of-a-later-version\",\"message\":\"its "
               "words\"}}"),
         .expected = EI_PROTOCOL, .message = "its words"},
        {BYTES("{\"error\":\"io.entrainvite.Failed\",\"parameters\":{\"code\":\"ok\"}}"), .expected = EI_PROTOCOL},
        {BYTES("{\"error\":\"io.entrainvite.Failed\"}"), .expected = EI_PROTOCOL},
        {BYTES("{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"target\"}}"),
         .expected = EI_PROTOCOL, .message = "InvalidParameter target"},
    };
    struct fixture *f = *state;

    worker_stop(f);
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        run_exchange(f, &exchanges[i]);
}

/* What is behind the last NUL is the literal's own, and part of BYTES. */
#define TOLD(n) "{\"parameters\":{\"n\":\"" n "\"},\"continues\":true}"

static void replies_before_the_last_are_told(void **state)
{
    static struct exchange exchanges[] = {
        {BYTES("{\"parameters\":{}}"), .expected = EI_OK, .more = true, .told = ""},
        {BYTES(TOLD("1") "\0" TOLD("2") "\0{\"parameters\":{}}"), .expected = EI_OK, .more = true, .told = "12"},
        {BYTES(TOLD("1") "\0{\"error\":\"io.entrainvite.Failed\",\"parameters\":{\"code\":\"not-covered\"}}"),
         .expected = EI_NOT_COVERED, .more = true, .told = "1"},
        {BYTES(TOLD("1")), .expected = EI_TIMEOUT, .message = "did not answer in time", .more = true, .told = "1"},
        {BYTES(TOLD("1") "\0{"), .expected = EI_PROTOCOL, .message = "is not varlink", .more = true, .told = "1"},
        {BYTES("{\"parameters\":[],\"continues\":true}"), .expected = EI_PROTOCOL, .message = "is not a reply",
         .more = true, .told = ""},
    };
    struct fixture *f = *state;

    worker_stop(f);
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        run_exchange(f, &exchanges[i]);
}

static void an_answer_without_end_is_cut_off(void **state)
{
    struct fixture *f = *state;
    size_t length = EI_VARLINK_REPLY_MAX + 100;
    char *bytes = malloc(length);

    worker_stop(f);
    memset(bytes, ' ', length);
    struct exchange exchange = {.bytes = bytes, .length = length, .expected = EI_PROTOCOL, .message = "larger than"};
    run_exchange(f, &exchange);
    free(bytes);
}

static void nobody_there_is_worker_down(void **state)
{
    struct fixture *f = *state;
    struct exchange dead = {.bytes = "", .expected = EI_WORKER_DOWN, .message = "refused", .path = f->socket};
    struct exchange absent = {.bytes = "", .expected = EI_WORKER_DOWN, .path = "/nonexistent/socket"};
    struct exchange longer = {.bytes = "", .expected = EI_WORKER_DOWN};
    char path[200];

    worker_stop(f);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    longer.path = path;
    assert_int_equal(call_program(f, &dead), 0);
    assert_int_equal(call_program(f, &absent), 0);
    assert_int_equal(call_program(f, &longer), 0);
}

static void a_full_backlog_is_a_timeout(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct exchange exchange = {.expected = EI_TIMEOUT, .path = f->socket};
    int fds[8];

    worker_stop(f);
    unlink(f->socket);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, f->socket, strlen(f->socket) + 1);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(fds[i], (const struct sockaddr *)&address, sizeof address);
    }
    assert_int_equal(call_program(f, &exchange), 0);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    close(listener);
}

static void a_server_of_another_user_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct exchange exchange = {.bytes = "", .expected = EI_PROTOCOL, .message = "not by entra-invited"};
    int ready[2];
    char byte = 'x';

    if (getuid() != 0)
        skip();
    worker_stop(f);
    unlink(f->socket);
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = -1;
        bool good = setresuid(65534, 65534, 65534) == 0 && ei_server_listen(f->socket, &fd, NULL) == EI_OK;
        (void)!write(ready[1], good ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    exchange.path = f->socket;
    int result = call_program(f, &exchange);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(result, 0);
}

static void a_request_beyond_the_limit_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct ei_error err;
    cJSON *reply = NULL;
    cJSON *parameters = cJSON_CreateObject();
    char *large = malloc(EI_VARLINK_REQUEST_MAX + 1);

    memset(large, 'x', EI_VARLINK_REQUEST_MAX);
    large[EI_VARLINK_REQUEST_MAX] = '\0';
    cJSON_AddStringToObject(parameters, "target", large);
    free(large);
    assert_int_equal(ei_client_call(f->socket, "Show", parameters, 1000, &reply, &err), EI_NOMEM);
    assert_null(reply);
    cJSON_Delete(parameters);
}

/* The uid that this process's session has, or fallback. */
static uid_t session_uid(uid_t fallback)
{
    unsigned uid = 0;
    FILE *file = fopen("/proc/self/loginuid", "r");
    bool known = file != NULL && fscanf(file, "%u", &uid) == 1 && uid != (unsigned)-1;

    if (file != NULL)
        fclose(file);
    return known ? uid : fallback;
}

static void requester_is(const char *sudo_uid, uid_t uid)
{
    char name[EI_REQUESTER_SIZE];
    char expected[EI_REQUESTER_SIZE];
    const struct passwd *account = getpwuid(uid);

    char login[EI_REQUESTER_SIZE];
    ei_client_requester(sudo_uid, name);
    ei_client_requester_login(sudo_uid, login);
    assert_int_equal(strncmp(name, login, strlen(login)), 0); /* "alice (uid 1000)" begins with it */
    assert_true(login[0] != '\0' || strncmp(name, "uid ", 4) == 0);
    if (uid == 0)
        snprintf(expected, sizeof expected, "root");
    else if (account != NULL)
        snprintf(expected, sizeof expected, "%s (uid %u)", account->pw_name, (unsigned)uid);
    else
        snprintf(expected, sizeof expected, "uid %u", (unsigned)uid);
    assert_string_equal(name, expected);
}

static void the_requester_is_named(void **state)
{
    static const char *const bad[] = {"", "-1", "4294967295", "65534x", "99999999999", "0x10", " 1"};
    bool root = getuid() == 0;

    (void)state;
    requester_is(NULL, session_uid(getuid()));
    requester_is("65534", session_uid(root ? 65534 : getuid()));
    requester_is("3999999999", session_uid(root ? 3999999999 : getuid()));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        requester_is(bad[i], session_uid(getuid()));
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(every_answer_is_an_outcome),
        CLIENT_TEST(replies_before_the_last_are_told),
        CLIENT_TEST(an_answer_without_end_is_cut_off),
        CLIENT_TEST(nobody_there_is_worker_down),
        CLIENT_TEST(a_full_backlog_is_a_timeout),
        CLIENT_TEST(a_server_of_another_user_is_not_believed),
        CLIENT_TEST(a_request_beyond_the_limit_is_not_sent),
        cmocka_unit_test(the_requester_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The one message of the password stack to entra-invited: its bytes, and every way in which an answer can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The module is closed but for its entry points, whose socket is fixed at build. */
#include "plugin/pam/announce.c"
#include "tests/unit/module_fixture.h"

static char directory[64], path[100];

/* A worker that takes one call and answers with these bytes. */
static struct server {
    int listener;
    const char *answer;
    size_t length;
    bool hang_up; /* without reading */
    char heard[1024];
    size_t heard_length;
} server;

static int set_up(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;

    memset(&server, 0, sizeof server);
    memset(failing, 0, sizeof failing);
    strcpy(directory, "/tmp/ei-announce.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/socket", directory);
    memcpy(address.sun_path, path, strlen(path) + 1);
    server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(server.listener, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(server.listener);
    unlink(path);
    return rmdir(directory);
}

static void *serve(void *unused)
{
    (void)unused;
    int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
    while (!server.hang_up && memchr(server.heard, '\0', server.heard_length) == NULL) {
        ssize_t got = recv(fd, server.heard + server.heard_length, sizeof server.heard - server.heard_length, 0);
        if (got <= 0)
            break;
        server.heard_length += (size_t)got;
    }
    /* Byte by byte: the answer must not be expected in one piece. */
    for (size_t i = 0; i < server.length; i++)
        if (send(fd, server.answer + i, 1, MSG_NOSIGNAL) != 1)
            break;
    close(fd);
    return NULL;
}

static enum ei_announced call(const char *login, const char *answer, size_t length)
{
    pthread_t thread;

    memset(server.heard, 'x', sizeof server.heard);
    server.heard_length = 0;
    server.answer = answer;
    server.length = length;
    assert_int_equal(listen(server.listener, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    enum ei_announced result = ei_pam_announce(path, login);
    pthread_join(thread, NULL);
    return result;
}

#define ANSWER(text) text, sizeof text

static void the_message_is_varlink(void **state)
{
    static const char expected[] =
        "{\"method\":\"io.entrainvite.Announce\",\"parameters\":{\"login\":\"taylor.example@lab#1/$+-_\","
        "\"source\":\"pam\"}}";
    (void)state;

    assert_int_equal(call("taylor.example@lab#1/$+-_", ANSWER("{\"parameters\":{\"covered\":true}}")),
                     EI_ANNOUNCED_QUEUED);
    assert_int_equal(server.heard_length, sizeof expected);
    assert_memory_equal(server.heard, expected, sizeof expected);
}

static void answers_are_understood(void **state)
{
    (void)state;
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":true,\"account\":{\"login\":\"taylor\","
                                           "\"state\":\"queued\",\"externalUserState\":null}}}")),
                     EI_ANNOUNCED_QUEUED);
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":true,\"account\":{\"state\":\"pending\"}}}")),
                     EI_ANNOUNCED_INVITED);
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":true,\"account\":{\"state\":\"accepted\"}}}")),
                     EI_ANNOUNCED_OTHER);
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":true,\"account\":{\"state\":\"failed\","
                                           "\"error\":{\"code\":\"bad-address\"}}}}")),
                     EI_ANNOUNCED_OTHER);
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":true,\"account\":{\"state\":\"removed\"}}}")),
                     EI_ANNOUNCED_OTHER);
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":false,\"account\":null,\"wait\":0}}")),
                     EI_ANNOUNCED_OTHER);
    assert_int_equal(call("taylor", ANSWER("{\"error\":\"io.entrainvite.Failed\",\"parameters\":{\"code\":\"busy\"}}")),
                     EI_ANNOUNCED_NOT);
}

/* Text from GECOS and from Graph stands in the answer: as text, not as members. */
static void S39_text_in_an_answer_is_not_taken_for_members(void **state)
{
    (void)state;
    assert_int_equal(call("taylor", ANSWER("{\"parameters\":{\"covered\":false,\"account\":{\"rule\":\"\\\"covered\\\":"
                                           "true\"}}}")),
                     EI_ANNOUNCED_OTHER);
}

static void answers_that_are_none(void **state)
{
    char longest[9000];
    (void)state;

    assert_int_equal(call("taylor", "", 0), EI_ANNOUNCED_NOT);
    assert_int_equal(call("taylor", "{\"parameters\":{\"covered\":true", 28), EI_ANNOUNCED_NOT);
    assert_int_equal(call("taylor", ANSWER("")), EI_ANNOUNCED_OTHER);
    /* No end in sight: what was read decides, and no more is read. */
    memset(longest, ' ', sizeof longest);
    memcpy(longest, "{\"covered\":true,", 16);
    assert_int_equal(call("taylor", longest, sizeof longest), EI_ANNOUNCED_QUEUED);
}

/* MSG_NOSIGNAL: SIGPIPE would end newusers in the middle. */
static void T4_a_worker_that_hangs_up_does_no_harm(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    server.hang_up = true;
    for (int i = 0; i < 50; i++)
        assert_int_equal(call("taylor", "", 0), EI_ANNOUNCED_NOT);
}

/* Logins that would not be themselves in JSON are left to the worker's own reading of the files. */
static void S14_logins_that_are_not_sent(void **state)
{
    static const char *const bad[] = {"", "tay\"lor", "tay\\lor", "tay\nlor", "tay\x7flor", "t\xc3\xb6m", "\xff"};
    char longest[LOGIN_MAX + 2];
    (void)state;

    assert_int_equal(listen(server.listener, 1), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ei_pam_announce(path, bad[i]), EI_ANNOUNCED_NOT);
    memset(longest, 'x', sizeof longest);
    longest[LOGIN_MAX + 1] = '\0';
    assert_int_equal(ei_pam_announce(path, longest), EI_ANNOUNCED_NOT);
    /* Nobody has called. */
    struct pollfd waiting = {.fd = server.listener, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 0), 0);

    longest[LOGIN_MAX] = '\0';
    assert_int_equal(call(longest, ANSWER("{\"covered\":true}")), EI_ANNOUNCED_QUEUED);
}

static void nobody_listens(void **state)
{
    char longest[200];
    (void)state;

    assert_int_equal(ei_pam_announce(path, "taylor"), EI_ANNOUNCED_NOT);
    unlink(path);
    assert_int_equal(ei_pam_announce(path, "taylor"), EI_ANNOUNCED_NOT);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ei_pam_announce(longest, "taylor"), EI_ANNOUNCED_NOT);
}

/* A worker that hangs: connected to, never answering; then with a full backlog. Both calls come back by themselves. */
static void a_worker_that_hangs(void **state)
{
    int fds[8], count = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(listen(server.listener, 1), 0);
    int before = dup(0);
    close(before);
    assert_int_equal(ei_pam_announce(path, "taylor"), EI_ANNOUNCED_NOT);
    for (; count < 8; count++) {
        fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fds[count], (struct sockaddr *)&address, sizeof address) < 0)
            break;
    }
    assert_true(count >= 1 && count <= 7);
    assert_int_equal(ei_pam_announce(path, "taylor"), EI_ANNOUNCED_NOT);
    for (int i = 0; i <= count; i++)
        close(fds[i]);
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

/* What interrupts is gone on with; what fails ends it, and the password change goes on. */
static void a_call_that_fails_is_no_answer(void **state)
{
    static const struct {
        enum call call;
        int error;
        bool goes_on;
    } rows[] = {{CALL_SOCKET, EMFILE, false},  {CALL_CONNECT, EINTR, true}, {CALL_CONNECT, EAGAIN, true},
                {CALL_CONNECT, EACCES, false}, {CALL_SEND, EINTR, true},    {CALL_SEND, EAGAIN, true},
                {CALL_SEND, EPIPE, false},     {CALL_RECV, EINTR, true},    {CALL_RECV, ECONNRESET, false}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fails(rows[i].call, 1, rows[i].error);
        if (rows[i].call == CALL_SOCKET || rows[i].error == EACCES)
            assert_int_equal(ei_pam_announce(path, "taylor"), EI_ANNOUNCED_NOT);
        else
            assert_int_equal(call("taylor", ANSWER("{\"covered\":true}")),
                             rows[i].goes_on ? EI_ANNOUNCED_QUEUED : EI_ANNOUNCED_NOT);
    }
    for (int nth = 1; nth <= 2; nth++) { /* the wait is interrupted, or fails */
        fails(CALL_SEND, 1, EAGAIN);
        fails(CALL_POLL, 1, nth == 1 ? EINTR : ENOMEM);
        assert_int_equal(call("taylor", ANSWER("{\"covered\":true}")),
                         nth == 1 ? EI_ANNOUNCED_QUEUED : EI_ANNOUNCED_NOT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_message_is_varlink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_are_understood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(S39_text_in_an_answer_is_not_taken_for_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(T4_a_worker_that_hangs_up_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(S14_logins_that_are_not_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_listens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_hangs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_fails_is_no_answer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

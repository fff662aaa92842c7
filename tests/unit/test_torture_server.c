/* The socket's server, where memory lacks at any point of a call: its peer gets the answer or loses the connection, and
 * the next one is served (T2). */
#include "tests/unit/torture_fixture.h"

#include "tests/unit/server_fixture.h"

struct talk {
    struct fixture *fixture;
    int fd;
};

static void a_peer_is_there(void *context)
{
    struct talk *talk = context;
    void *state = NULL;

    (void)ei_json_lacked();
    server_start(&state);
    talk->fixture = state;
    talk->fixture->reply_size = 6000;
    talk->fd = client_new(talk->fixture);
}

/* A connection that is closed already takes nothing. */
static void says(const struct talk *talk, const char *message)
{
    (void)!send(talk->fd, message, strlen(message) + 1, MSG_NOSIGNAL);
    settle(talk->fixture);
}

static enum ei_err it_calls(void *context)
{
    struct talk *talk = context;

    settle(talk->fixture);
    says(talk, SAYS_INFO);
    says(talk, SAYS_STATUS);
    says(talk, "{\"method\":\"io.entrainvite.Resend\",\"parameters\":{\"target\":\"x\"}}");
    says(talk, SAYS_WAIT_MORE);
    if (talk->fixture->waiting != NULL)
        ei_call_reply(talk->fixture->waiting, NULL);
    settle(talk->fixture);
    return EI_OK;
}

static void the_next_is_served(void *context, enum ei_err rc, bool spared)
{
    struct talk *talk = context;
    void *state = talk->fixture;
    (void)rc;

    if (spared) {
        client_hears_reply(talk->fd);
        client_hears_reply(talk->fd);
        client_hears_error(talk->fd, EI_VARLINK_INTERFACE ".Failed", "code", "not-found");
        client_hears_reply(talk->fd);
    }
    close(talk->fd);
    settle(talk->fixture);
    (void)ei_json_lacked();
    int next = client_new(talk->fixture);
    settle(talk->fixture);
    client_says(talk->fixture, next, SAYS_STATUS);
    client_hears_reply(next);
    close(next);
    server_stop(&state);
}

static void calls(void **state)
{
    struct talk talk;
    (void)state;

    torture(&(struct scenario){a_peer_is_there, it_calls, the_next_is_served, NULL, 0}, &talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TORTURE(calls)};

    cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
    return cmocka_run_group_tests(tests, torture_libraries, NULL);
}

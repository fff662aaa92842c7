/* The server's bounds: peers, bytes, time, descriptors (S27; "a peer that misbehaves is dropped"). */
#include "tests/unit/server_fixture.h"

#include "tests/unit/descriptors_fixture.h"

static size_t peers(const struct fixture *f)
{
    struct pollfd fds[EI_SERVER_POLLFDS];
    size_t count = ei_server_pollfds(f->server, fds);

    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0;
    return count == EI_SERVER_PEERS ? count : count - 1; /* when full, the listener is not among them */
}

static void sixty_four_peers_and_the_others_wait(void **state)
{
    struct fixture *f = *state;
    int fds[EI_SERVER_PEERS + 6];
    size_t count = sizeof fds / sizeof *fds;

    for (size_t i = 0; i < count; i++) {
        fds[i] = client_new(f);
        assert_int_equal(send(fds[i], SAYS_WAIT, sizeof SAYS_WAIT, MSG_NOSIGNAL), sizeof SAYS_WAIT);
        settle(f);
    }
    assert_int_equal(f->calls, EI_SERVER_PEERS);
    assert_int_equal(peers(f), EI_SERVER_PEERS);
    for (size_t i = 0; i < 6; i++) {
        close(fds[i]);
        settle(f);
        assert_int_equal(f->calls, (int)(EI_SERVER_PEERS + 1 + i));
    }
    assert_int_equal(f->gone_count, 6);
    for (size_t i = 6; i < count; i++)
        close(fds[i]);
    settle(f);
    assert_int_equal(peers(f), 0);
}

/* Who says nothing holds no place that another needs; who has just connected still has the time to speak. */
static void s23_a_silent_peer_makes_room_for_another(void **state)
{
    struct fixture *f = *state;
    int silent[EI_SERVER_PEERS];

    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        silent[i] = client_new(f);
        settle(f);
        test_time_ms += i == 0;
    }
    assert_int_equal(peers(f), EI_SERVER_PEERS);
    int fd = client_new(f);
    assert_int_equal(send(fd, SAYS_STATUS, sizeof SAYS_STATUS, MSG_NOSIGNAL), sizeof SAYS_STATUS);
    pass_time(f, 23);
    assert_int_equal(f->calls, 0);
    assert_int_equal(ei_server_timeout(f->server), 1);
    pass_time(f, 1);
    assert_int_equal(f->calls, 1);
    client_hears_reply(fd);
    assert_true(client_closed(silent[0]));
    for (size_t i = 1; i < EI_SERVER_PEERS; i++) {
        assert_true(client_silent(silent[i]));
        close(silent[i]);
    }
    close(silent[0]);
    close(fd);
}

static void a_call_in_work_makes_no_room(void **state)
{
    struct fixture *f = *state;
    int fds[EI_SERVER_PEERS + 1];

    for (size_t i = 0; i < EI_SERVER_PEERS + 1; i++) {
        fds[i] = client_new(f);
        assert_int_equal(send(fds[i], SAYS_WAIT, sizeof SAYS_WAIT, MSG_NOSIGNAL), sizeof SAYS_WAIT);
        settle(f);
    }
    pass_time(f, 60 * 1000);
    assert_int_equal(f->calls, EI_SERVER_PEERS);
    assert_int_equal(f->gone_count, 0);
    for (size_t i = 0; i < EI_SERVER_PEERS + 1; i++)
        close(fds[i]);
    settle(f);
}

/* Each has 4 MiB of buffer, so nine of them are beyond the bound. */
static void s34_unread_answers_are_bounded_and_others_are_served(void **state)
{
    enum { READERS = 40, AT_ONCE = 9 };
    struct fixture *f = *state;
    int slow[READERS];

    f->reply_size = 3 * 1024 * 1024;
    for (size_t i = 0; i < READERS; i++) {
        slow[i] = client_new(f);
        client_says(f, slow[i], SAYS_SHOW);
    }
    assert_int_equal(f->calls, AT_ONCE);
    int fd = client_new(f);
    client_says(f, fd, SAYS_STATUS);
    assert_int_equal(ei_server_timeout(f->server), 250);
    pass_time(f, 249);
    assert_int_equal(f->calls, AT_ONCE);
    for (int rounds = 0; client_silent(fd); rounds++) {
        assert_true(rounds < READERS / AT_ONCE + 1);
        pass_time(f, 250);
        assert_true(f->calls <= AT_ONCE * (rounds + 2) + 1);
    }
    client_hears_reply(fd);
    assert_true(client_closed(slow[0]));
    for (size_t i = 0; i < READERS; i++)
        close(slow[i]);
    close(fd);
}

static void a_message_of_300_kib_drops_its_peer(void **state)
{
    struct fixture *f = *state;
    size_t length = 300 * 1024;
    char *bytes = malloc(length);
    int fd = client_new(f);

    memset(bytes, ' ', length);
    client_send(f, fd, bytes, length);
    assert_true(client_closed(fd));
    assert_int_equal(peers(f), 0);
    close(fd);
    free(bytes);
}

static void a_message_just_within_the_limit_is_taken(void **state)
{
    static const char head[] = "{\"method\":\"io.entrainvite.Resend\",\"parameters\":{\"target\":\"";
    struct fixture *f = *state;
    size_t length = EI_VARLINK_REQUEST_MAX;
    char *bytes = malloc(length + 1);
    int fd = client_new(f);

    memset(bytes, 'x', length);
    memcpy(bytes, head, sizeof head - 1);
    memcpy(bytes + length - 3, "\"}}", 4);
    client_send(f, fd, bytes, length + 1);
    assert_int_equal(f->calls, 1);
    cJSON *message = client_hears(fd);
    assert_string_equal(ei_json_string(message, "error"), "io.entrainvite.Failed");
    cJSON_Delete(message);
    close(fd);
    free(bytes);
}

static void a_flood_of_nuls_drops_its_peer(void **state)
{
    struct fixture *f = *state;
    char *bytes = calloc(1, 1024 * 1024);
    int fd = client_new(f);

    assert_true(client_send(f, fd, bytes, 1024 * 1024) < 1024 * 1024);
    assert_true(client_closed(fd));
    assert_int_equal(f->calls, 0);
    close(fd);
    free(bytes);
}

static void deep_json_drops_its_peer(void **state)
{
    struct fixture *f = *state;
    char bytes[100 * 1024];
    int fd = client_new(f);

    memset(bytes, '[', sizeof bytes);
    memcpy(bytes, "{\"parameters\":", 14);
    bytes[sizeof bytes - 1] = '\0';
    client_send(f, fd, bytes, sizeof bytes);
    assert_true(client_closed(fd));
    close(fd);
}

static void an_idle_peer_has_30_seconds(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    settle(f);
    assert_int_equal(ei_server_timeout(f->server), 30 * 1000);
    pass_time(f, 29999);
    assert_true(client_silent(fd));
    assert_int_equal(peers(f), 1);
    pass_time(f, 1);
    assert_true(client_closed(fd));
    assert_int_equal(peers(f), 0);
    assert_int_equal(ei_server_timeout(f->server), -1);
    close(fd);
}

static void single_bytes_do_not_stretch_the_30_seconds(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    settle(f);
    for (int second = 0; second < 29; second++) {
        assert_int_equal(client_send(f, fd, "{", 1), 1);
        pass_time(f, 1000);
    }
    assert_int_equal(peers(f), 1);
    pass_time(f, 1000);
    assert_int_equal(peers(f), 0);
    assert_true(client_closed(fd));
    close(fd);
}

static void an_unanswered_call_stops_the_idle_clock(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT);
    assert_int_equal(ei_server_timeout(f->server), -1);
    pass_time(f, 600 * 1000);
    assert_int_equal(peers(f), 1);
    ei_call_reply(f->waiting, NULL);
    settle(f);
    client_hears_reply(fd);
    pass_time(f, 29999);
    assert_int_equal(peers(f), 1);
    pass_time(f, 1);
    assert_int_equal(peers(f), 0);
    close(fd);
}

static void a_peer_that_does_not_read_is_dropped_after_10_seconds(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    f->reply_size = EI_VARLINK_REPLY_MAX - 1024;
    client_says(f, fd, SAYS_SHOW);
    assert_int_equal(ei_server_timeout(f->server), 10 * 1000);
    pass_time(f, 9999);
    assert_int_equal(peers(f), 1);
    pass_time(f, 1);
    assert_int_equal(peers(f), 0);
    close(fd);
}

static void a_slow_reader_does_not_stretch_the_10_seconds(void **state)
{
    struct fixture *f = *state;
    char bytes[4096];
    int fd = client_new(f);

    f->reply_size = EI_VARLINK_REPLY_MAX - 1024;
    client_says(f, fd, SAYS_SHOW);
    for (int second = 0; second < 10; second++) {
        assert_int_equal(peers(f), 1);
        assert_true(recv(fd, bytes, sizeof bytes, 0) > 0);
        pass_time(f, 1000);
    }
    assert_int_equal(peers(f), 0);
    close(fd);
}

static void a_large_answer_arrives_whole(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);
    size_t total = 0;
    ssize_t got = 0;
    char bytes[65536];

    f->reply_size = EI_VARLINK_REPLY_MAX - 1024;
    client_says(f, fd, SAYS_SHOW);
    do {
        got = recv(fd, bytes, sizeof bytes, 0);
        total += got > 0 ? (size_t)got : 0;
        settle(f);
    } while (got > 0 && bytes[got - 1] != '\0');
    assert_int_equal(total, f->reply_size + strlen("{\"parameters\":{\"text\":\"\"}}") + 1);
    close(fd);
}

static void an_answer_beyond_the_limit_closes_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    f->reply_size = EI_VARLINK_REPLY_MAX;
    client_says(f, fd, SAYS_SHOW);
    assert_true(client_closed(fd));
    assert_int_equal(peers(f), 0);
    assert_int_equal(f->gone_count, 0);
    close(fd);
}

static void pipelined_calls_wait_until_answers_are_read(void **state)
{
    static const char two[] = SAYS_SHOW "\0" SAYS_SHOW;
    struct fixture *f = *state;
    int fd = client_new(f);

    f->reply_size = EI_VARLINK_REPLY_MAX - 1024;
    client_send(f, fd, two, sizeof two);
    assert_int_equal(f->calls, 1);
    close(fd);
}

static void running_out_of_descriptors_rests_the_listener(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    struct pollfd fds[EI_SERVER_POLLFDS];
    size_t count = ei_server_pollfds(f->server, fds);
    assert_int_equal(poll(fds, count, 0), 1);
    take_descriptors(0);
    ei_server_dispatch(f->server, fds, count);
    give_descriptors();

    assert_int_equal(ei_server_pollfds(f->server, fds), 0);
    assert_int_equal(ei_server_timeout(f->server), 1000);
    pass_time(f, 1000);
    client_says(f, fd, SAYS_STATUS);
    client_hears_reply(fd);
    close(fd);
}

static void listen_replaces_a_dead_socket_only(void **state)
{
    struct fixture *f = *state;
    struct ei_error err;
    struct stat st;
    int fd = -1;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(ei_server_listen(f->path, &fd, &err), EI_BUSY);
    assert_non_null(strstr(err.message, f->path));

    ei_server_free(f->server);
    f->server = NULL;
    assert_int_equal(ei_server_listen(f->path, &fd, &err), EI_OK);
    close(fd);

    unlink(f->path);
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(ei_server_listen(f->path, &fd, &err), EI_IO);
    assert_int_equal(stat(f->path, &st), 0);
    assert_true(S_ISREG(st.st_mode));

    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(ei_server_listen(longer, &fd, &err), EI_CONFIG);
}

/* A person may page through what is told: such a call can be given longer, for its last reply too. */
static void a_call_with_patience_is_waited_for(void **state)
{
    struct fixture *f = *state;
    char *large = malloc(1024 * 1024);

    memset(large, 'x', 1024 * 1024 - 1);
    large[1024 * 1024 - 1] = '\0';
    for (int last = 0; last < 2; last++) {
        int fd = client_new(f);
        client_says(f, fd, SAYS_WAIT_MORE);
        struct ei_call *call = f->waiting;
        assert_true(ei_call_read_up(call));
        ei_call_set_patience(call, 60 * 1000);
        if (last == 0)
            assert_true(ei_call_tell(call, text_reply(large)));
        else
            ei_call_reply(call, text_reply(large));
        settle(f);
        if (last == 0)
            assert_false(ei_call_read_up(call));
        pass_time(f, 59 * 1000);
        assert_false(client_closed(fd));
        pass_time(f, 2 * 1000);
        assert_true(client_closed(fd));
        close(fd);
    }
    assert_int_equal(f->gone_count, 1);
    free(large);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, server_start, server_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(sixty_four_peers_and_the_others_wait),
        SERVER_TEST(s23_a_silent_peer_makes_room_for_another),
        SERVER_TEST(a_call_in_work_makes_no_room),
        SERVER_TEST(s34_unread_answers_are_bounded_and_others_are_served),
        SERVER_TEST(a_message_of_300_kib_drops_its_peer),
        SERVER_TEST(a_message_just_within_the_limit_is_taken),
        SERVER_TEST(a_flood_of_nuls_drops_its_peer),
        SERVER_TEST(deep_json_drops_its_peer),
        SERVER_TEST(an_idle_peer_has_30_seconds),
        SERVER_TEST(single_bytes_do_not_stretch_the_30_seconds),
        SERVER_TEST(an_unanswered_call_stops_the_idle_clock),
        SERVER_TEST(a_peer_that_does_not_read_is_dropped_after_10_seconds),
        SERVER_TEST(a_slow_reader_does_not_stretch_the_10_seconds),
        SERVER_TEST(a_call_with_patience_is_waited_for),
        SERVER_TEST(a_large_answer_arrives_whole),
        SERVER_TEST(an_answer_beyond_the_limit_closes_the_connection),
        SERVER_TEST(pipelined_calls_wait_until_answers_are_read),
        SERVER_TEST(running_out_of_descriptors_rests_the_listener),
        SERVER_TEST(listen_replaces_a_dead_socket_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

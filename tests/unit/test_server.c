/* The server's protocol through real sockets (S23 authorisation, S27 bounded reading, S29 a call that outlives its
 * peer). Its limits are in test_server_limits.c. */
#include "tests/unit/server_fixture.h"

#include <sys/wait.h>

static void answers_who_it_is(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_INFO);
    cJSON *message = client_hears(fd);
    const cJSON *info = ei_json_object(message, "parameters");
    assert_string_equal(ei_json_string(info, "product"), "entra-invited");
    assert_non_null(ei_json_string(info, "vendor"));
    assert_non_null(ei_json_string(info, "version"));
    assert_non_null(ei_json_string(info, "url"));
    const cJSON *interfaces = ei_json_array(info, "interfaces");
    assert_string_equal(cJSON_GetArrayItem(interfaces, 0)->valuestring, "org.varlink.service");
    assert_string_equal(cJSON_GetArrayItem(interfaces, 1)->valuestring, "io.entrainvite");
    cJSON_Delete(message);
    assert_int_equal(f->calls, 0);
    close(fd);
}

static void describes_its_interfaces(void **state)
{
    static const char *const names[] = {"org.varlink.service", "io.entrainvite"};
    struct fixture *f = *state;
    int fd = client_new(f);

    for (size_t i = 0; i < 2; i++) {
        char request[160];
        char expected[64];
        snprintf(request, sizeof request,
                 "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"%s\"}}",
                 names[i]);
        snprintf(expected, sizeof expected, "\ninterface %s\n", names[i]);
        client_says(f, fd, request);
        cJSON *message = client_hears(fd);
        assert_non_null(strstr(ei_json_string(ei_json_object(message, "parameters"), "description"), expected));
        cJSON_Delete(message);
    }
    close(fd);
}

static void answers_the_standard_errors(void **state)
{
    static const struct {
        const char *request;
        const char *error;
        const char *name;
        const char *value;
    } cases[] = {
        {"{\"method\":\"io.entrainvite.Nothing\"}", "org.varlink.service.MethodNotFound", "method",
         "io.entrainvite.Nothing"},
        {"{\"method\":\"org.varlink.service.Nothing\"}", "org.varlink.service.MethodNotFound", "method",
         "org.varlink.service.Nothing"},
        {"{\"method\":\"io.systemd.X.Show\"}", "org.varlink.service.InterfaceNotFound", "interface", "io.systemd.X"},
        {"{\"method\":\"Show\"}", "org.varlink.service.InterfaceNotFound", "interface", "Show"},
        {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"a.b\"}}",
         "org.varlink.service.InterfaceNotFound", "interface", "a.b"},
        {"{\"method\":\"io.entrainvite.Show\"}", "org.varlink.service.InvalidParameter", "parameter", "target"},
        {"{\"method\":\"io.entrainvite.Show\",\"parameters\":{\"target\":7}}", "org.varlink.service.InvalidParameter",
         "parameter", "target"},
        {"{\"method\":\"io.entrainvite.Show\",\"parameters\":[]}", "org.varlink.service.InvalidParameter", "parameter",
         "parameters"},
        {"{\"method\":\"io.entrainvite.Status\",\"more\":1}", "org.varlink.service.InvalidParameter", "parameter",
         "more"},
        {"{\"method\":\"io.entrainvite.Status\",\"upgrade\":true}", "org.varlink.service.InvalidParameter", "parameter",
         "upgrade"},
        {"{\"method\":\"io.entrainvite.Status\",\"uid\":0}", "org.varlink.service.InvalidParameter", "parameter",
         "uid"},
    };
    struct fixture *f = *state;
    int fd = client_new(f);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_says(f, fd, cases[i].request);
        client_hears_error(fd, cases[i].error, cases[i].name, cases[i].value);
    }
    assert_int_equal(f->calls, 0);
    close(fd);
}

static void hands_the_workers_error_on(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, "{\"method\":\"io.entrainvite.Resend\",\"parameters\":{\"target\":\"taylor\"}}");
    cJSON *message = client_hears(fd);
    const cJSON *parameters = ei_json_object(message, "parameters");
    assert_string_equal(ei_json_string(message, "error"), "io.entrainvite.Failed");
    assert_string_equal(ei_json_string(parameters, "code"), "not-found");
    assert_string_equal(ei_json_string(parameters, "message"), "taylor is not known");
    assert_string_equal(ei_json_string(parameters, "mend"), ei_err_mend(EI_NOT_FOUND));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(parameters, "requestId")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(parameters, "clientRequestId")));
    assert_true(ei_json_bool(parameters, "permanent", false));
    cJSON_Delete(message);
    close(fd);
}

static void takes_a_request_byte_by_byte(void **state)
{
    static const char request[] = SAYS_STATUS;
    struct fixture *f = *state;
    int fd = client_new(f);

    for (size_t i = 0; i < sizeof request; i++) {
        assert_int_equal(f->calls, 0);
        assert_int_equal(client_send(f, fd, request + i, 1), 1);
    }
    assert_int_equal(f->calls, 1);
    client_hears_reply(fd);
    close(fd);
}

static void answers_several_requests_of_one_write_in_order(void **state)
{
    static const char requests[] = SAYS_STATUS "\0{\"method\":\"io.entrainvite.Nothing\",\"more\":true}\0" SAYS_STATUS;
    struct fixture *f = *state;
    int fd = client_new(f);

    assert_int_equal(client_send(f, fd, requests, sizeof requests), sizeof requests);
    settle(f);
    client_hears_reply(fd);
    settle(f);
    client_hears_error(fd, "org.varlink.service.MethodNotFound", "method", "io.entrainvite.Nothing");
    settle(f);
    client_hears_reply(fd);
    assert_int_equal(f->calls, 2);
    close(fd);
}

static void works_on_one_call_of_a_peer_at_a_time(void **state)
{
    static const char requests[] = SAYS_WAIT "\0" SAYS_STATUS;
    struct fixture *f = *state;
    int fd = client_new(f);

    assert_int_equal(client_send(f, fd, requests, sizeof requests), sizeof requests);
    assert_int_equal(f->calls, 1);
    assert_string_equal(f->method, "Wait");
    assert_true(client_silent(fd));
    ei_call_reply(f->waiting, NULL);
    settle(f);
    client_hears_reply(fd);
    settle(f);
    client_hears_reply(fd);
    assert_int_equal(f->calls, 2);
    close(fd);
}

static void accepts_more_and_answers_once(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, "{\"method\":\"io.entrainvite.Status\",\"parameters\":null,\"more\":true}");
    cJSON *message = client_hears(fd);
    assert_non_null(message);
    assert_false(ei_json_bool(message, "continues", false));
    cJSON_Delete(message);
    assert_true(client_silent(fd));
    close(fd);
}

static void a_oneway_call_gets_no_answer_not_even_an_error(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, "{\"method\":\"io.entrainvite.Status\",\"oneway\":true}");
    client_says(f, fd, "{\"method\":\"io.entrainvite.Nothing\",\"oneway\":true}");
    assert_int_equal(f->calls, 1);
    assert_true(client_silent(fd));
    client_says(f, fd, SAYS_STATUS);
    client_hears_reply(fd);
    close(fd);
}

static void a_oneway_call_counts_although_its_peer_is_gone(void **state)
{
    static const char requests[] = "{\"method\":\"io.entrainvite.Announce\",\"oneway\":true,"
                                   "\"parameters\":{\"login\":\"taylor\",\"source\":\"pam\"}}\0"
                                   "{\"method\":\"io.entrainvite.Status\",\"oneway\":true}";
    struct fixture *f = *state;
    int fd = client_new(f);

    assert_int_equal(send(fd, requests, sizeof requests, MSG_NOSIGNAL), sizeof requests);
    close(fd);
    settle(f);
    assert_int_equal(f->calls, 2);
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof text                                                                                              \
    }

static void drops_what_is_not_varlink(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        BYTES(""),
        BYTES("\0\0\0\0\0\0\0\0"),
        BYTES("[]"),
        BYTES("{}"),
        BYTES("{\"method\":7}"),
        BYTES("{\"parameters\":{}}"),
        BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        BYTES("{\"method\":\"io.entrainvite.Status\",\"method\":\"io.entrainvite.Show\"}"),
        BYTES("{\"method\":\"io.entrainvite.Sta\xff\"}"),
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = client_new(f);
        client_send(f, fd, cases[i].bytes, cases[i].length);
        assert_true(client_closed(fd));
        close(fd);
    }
    assert_int_equal(f->calls, 0);
}

static void survives_random_bytes(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 20261123;
    char bytes[3000];

    for (int round = 0; round < 300; round++) {
        int fd = client_new(f);
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = round % 2 == 0 ? (char)(seed >> 24) : "{}[]\",:\\u0 methodparameters\n"[(seed >> 24) % 29];
        }
        client_send(f, fd, bytes, sizeof bytes);
        close(fd);
        settle(f);
    }
    int fd = client_new(f);
    client_says(f, fd, SAYS_STATUS);
    client_hears_reply(fd);
    assert_int_equal(f->calls, 1);
    close(fd);
}

static void half_a_message_and_then_nothing_is_no_call(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);
    struct pollfd fds[EI_SERVER_POLLFDS];

    client_send(f, fd, SAYS_STATUS, strlen(SAYS_STATUS));
    assert_int_equal(ei_server_pollfds(f->server, fds), 2);
    close(fd);
    settle(f);
    assert_int_equal(f->calls, 0);
    assert_int_equal(ei_server_pollfds(f->server, fds), 1);
}

static void says_when_the_peer_of_a_call_is_gone(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT);
    assert_non_null(f->waiting);
    assert_int_equal(ei_call_uid(f->waiting), getuid());
    close(fd);
    settle(f);
    assert_int_equal(f->gone_count, 1);
    assert_ptr_equal(f->gone, f->waiting);
}

static void an_answer_to_a_peer_that_just_left_is_dropped(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);
    struct pollfd fds[EI_SERVER_POLLFDS];

    client_says(f, fd, SAYS_WAIT);
    close(fd);
    ei_call_reply(f->waiting, NULL); /* the server has not seen it go yet */
    settle(f);
    assert_int_equal(f->gone_count, 0);
    assert_int_equal(ei_server_pollfds(f->server, fds), 1);
}

static void a_half_closed_peer_gets_its_answer(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    settle(f);
    assert_int_equal(f->gone_count, 0);
    ei_call_reply(f->waiting, NULL);
    settle(f);
    client_hears_reply(fd);
    assert_true(client_closed(fd));
    close(fd);
}

/* One round of the worker's loop: its other work comes after it, and may take long. */
static void an_answer_leaves_in_the_round_of_its_request(void **state)
{
    struct fixture *f = *state;
    struct pollfd fds[EI_SERVER_POLLFDS];
    int fd = client_new(f);

    settle(f);
    assert_int_equal(send(fd, SAYS_STATUS, sizeof SAYS_STATUS, MSG_NOSIGNAL), sizeof SAYS_STATUS);
    size_t count = ei_server_pollfds(f->server, fds);
    assert_true(poll(fds, count, 1000) > 0);
    ei_server_dispatch(f->server, fds, count);
    assert_int_equal(f->calls, 1);
    client_hears_reply(fd);
    close(fd);
}

static void the_end_of_the_server_ends_its_calls(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT);
    ei_server_free(f->server);
    f->server = NULL;
    assert_int_equal(f->gone_count, 1);
    assert_ptr_equal(f->gone, f->waiting);
    assert_true(client_closed(fd));
    close(fd);
}

static void refuses_other_users(void **state)
{
    struct fixture *f = *state;
    int status = 0;

    if (getuid() != 0)
        skip();
    assert_int_equal(chmod(f->directory, 0755), 0);
    assert_int_equal(chmod(f->path, 0666), 0);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char answer[1024] = "";
        memcpy(address.sun_path, f->path, strlen(f->path) + 1);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        bool connected =
            setresuid(65534, 65534, 65534) == 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
        if (!connected || send(fd, SAYS_STATUS, sizeof SAYS_STATUS, 0) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        if (recv(fd, answer, sizeof answer - 1, 0) <= 0 || strstr(answer, "\"not-root\"") == NULL)
            _exit(2);
        _exit(recv(fd, answer, sizeof answer, 0) <= 0 ? 0 : 3);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    settle(f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(f->calls, 0);
    close(ready[0]);
    close(ready[1]);
}

static void client_hears_text(int fd, const char *text, bool continues)
{
    cJSON *message = client_hears(fd);

    assert_non_null(message);
    assert_string_equal(ei_json_string(ei_json_object(message, "parameters"), "text"), text);
    assert_int_equal(ei_json_has(message, "continues"), continues);
    assert_int_equal(ei_json_bool(message, "continues", false), continues);
    cJSON_Delete(message);
}

static void more_brings_replies_before_the_last(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT_MORE);
    assert_true(ei_call_wants_more(f->waiting));
    assert_true(ei_call_tell(f->waiting, text_reply("one")));
    /* Not read yet: what is told now would only pile up. */
    assert_false(ei_call_tell(f->waiting, text_reply("lost")));
    settle(f);
    client_hears_text(fd, "one", true);
    assert_true(ei_call_tell(f->waiting, text_reply("two")));
    settle(f);
    client_hears_text(fd, "two", true);
    pass_time(f, 3600 * 1000); /* all of it read: the call may take as long as it likes */
    assert_int_equal(f->gone_count, 0);
    ei_call_reply(f->waiting, text_reply("three"));
    settle(f);
    client_hears_text(fd, "three", false);
    client_says(f, fd, SAYS_STATUS); /* and the connection goes on */
    client_hears_reply(fd);
    close(fd);
}

static void without_more_there_is_one_reply(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);

    client_says(f, fd, SAYS_WAIT);
    assert_false(ei_call_wants_more(f->waiting));
    assert_false(ei_call_tell(f->waiting, text_reply("one")));
    settle(f);
    assert_true(client_silent(fd));
    ei_call_reply(f->waiting, text_reply("two"));
    settle(f);
    client_hears_text(fd, "two", false);
    close(fd);
}

/* S27: a peer that asks for more and does not read it is dropped, and its call is gone. */
static void more_that_is_not_read_ends_the_peer(void **state)
{
    struct fixture *f = *state;
    int fd = client_new(f);
    char *large = malloc(1024 * 1024);
    int told = 0;

    memset(large, 'x', 1024 * 1024 - 1);
    large[1024 * 1024 - 1] = '\0';
    client_says(f, fd, SAYS_WAIT_MORE);
    while (told < 100 && ei_call_tell(f->waiting, text_reply(large))) {
        told++;
        settle(f);
    }
    assert_true(told >= 1 && told <= 99);
    assert_int_equal(f->gone_count, 0);
    pass_time(f, 11 * 1000);
    assert_int_equal(f->gone_count, 1);
    assert_true(client_closed(fd));
    free(large);
    close(fd);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, server_start, server_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(answers_who_it_is),
        SERVER_TEST(describes_its_interfaces),
        SERVER_TEST(answers_the_standard_errors),
        SERVER_TEST(hands_the_workers_error_on),
        SERVER_TEST(takes_a_request_byte_by_byte),
        SERVER_TEST(answers_several_requests_of_one_write_in_order),
        SERVER_TEST(works_on_one_call_of_a_peer_at_a_time),
        SERVER_TEST(accepts_more_and_answers_once),
        SERVER_TEST(more_brings_replies_before_the_last),
        SERVER_TEST(without_more_there_is_one_reply),
        SERVER_TEST(more_that_is_not_read_ends_the_peer),
        SERVER_TEST(a_oneway_call_gets_no_answer_not_even_an_error),
        SERVER_TEST(a_oneway_call_counts_although_its_peer_is_gone),
        SERVER_TEST(drops_what_is_not_varlink),
        SERVER_TEST(survives_random_bytes),
        SERVER_TEST(half_a_message_and_then_nothing_is_no_call),
        SERVER_TEST(says_when_the_peer_of_a_call_is_gone),
        SERVER_TEST(an_answer_to_a_peer_that_just_left_is_dropped),
        SERVER_TEST(a_half_closed_peer_gets_its_answer),
        SERVER_TEST(an_answer_leaves_in_the_round_of_its_request),
        SERVER_TEST(the_end_of_the_server_ends_its_calls),
        SERVER_TEST(refuses_other_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

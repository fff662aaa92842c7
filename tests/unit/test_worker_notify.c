/* What entra-invited tells systemd: ready, where the redemptions stand, the watchdog, stopping; and socket activation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>

#include "tests/unit/worker_fixture.h"

/* --- ready and status --- */

static void ready_is_said_once_when_it_serves(void **state)
{
    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    assert_int_equal(access(EI_VIEW_PATH, R_OK), 0);
    assert_int_equal(access(EI_GROUPS_PATH, R_OK), 0);
    assert_int_equal(CLI("list", "--json"), 0);
    assert_string_equal(worker.status, "0 pending, 0 accepted, 0 failed");
    /* Work after which it says something again. */
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    wait_status("1 pending, 0 accepted, 0 failed");
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_int_equal(worker.ready, 1);
    assert_int_equal(worker.stopping, 1);
    assert_int_equal(worker.watchdog, 0); /* nobody asked for it */
    assert_string_equal(worker.strange, "");
}

static void status_follows_the_states(void **state)
{
    NEEDS_SIMULATOR();
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    add_account("kim", "Kim Example <kim@fabrikam.com>");
    add_account("robin", "Robin Example <robin@contoso.example>"); /* the tenant's own domain */
    launch((struct start){0});
    wait_status("2 pending, 0 accepted, 1 failed");
    CTL("redeem", "taylor@fabrikam.com");
    must(CLI("refresh", "--wait"));
    wait_status("1 pending, 1 accepted, 1 failed");
    must(RUN_WORDS("usermod", "-c", "Robin Example <robin@fabrikam.com>", "robin"));
    wait_status("2 pending, 1 accepted, 0 failed");
    must(CLI("remove", "kim"));
    wait_status("1 pending, 1 accepted, 0 failed");
    must(CLI("status"));
    said("1 pending, 1 accepted, 0 failed", true); /* the same line for people */
}

/* Whatever comes between: numbers of states, then what blocks. */
static void every_status_has_the_documented_form(void **state)
{
    regex_t form;

    NEEDS_SIMULATOR();
    assert_int_equal(regcomp(&form,
                             "^([0-9]+ queued, )?[0-9]+ pending, [0-9]+ accepted, [0-9]+ failed"
                             "(, [0-9]+ waiting)?(, [0-9]+ held)?(; [a-z]+: [a-z-]+)*(; mail held until adopt)?$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    write_config("rules = ( { name = \"partners\"; group = \"partners\"; } );\n");
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    CTL("set", "roles", "[\"User.Read.All\"]");
    launch((struct start){0});
    wait_status("0 pending, 0 accepted, 0 failed, 1 held");
    add_account("robin", "Robin, who has no address yet");
    must(CLI("adopt", "taylor"));
    while (strcmp(worker.status, "1 queued, 0 pending, 0 accepted, 0 failed, 1 waiting; blocked: permission") != 0) {
        if (!take_message(GIVE_UP_MS))
            no_more("the status with all members");
        if (regexec(&form, worker.status, 0, NULL, 0) != 0)
            fail_msg("status: %s", worker.status);
    }
    regfree(&form);
}

static void an_abstract_socket_serves_too(void **state)
{
    NEEDS_SIMULATOR();
    launch((struct start){.abstract = true});
    wait_ready();
    assert_int_equal(stop_worker(SIGINT), 0);
    assert_int_equal(worker.stopping, 1);
}

static void without_systemd_nothing_is_told_and_it_runs(void **state)
{
    int64_t limit = ei_monotonic_ms() + GIVE_UP_MS;

    NEEDS_SIMULATOR();
    launch((struct start){.quiet = true});
    while (CLI("list", "--json") != 0) {
        if (ei_monotonic_ms() > limit)
            fail_msg("it does not serve: %s", read_text(TEST_LOG));
        poll(NULL, 0, 20);
    }
    assert_int_equal(stop_worker(SIGTERM), 0);
}

/* --- the watchdog --- */

static void the_watchdog_is_answered_without_work(void **state)
{
    NEEDS_SIMULATOR();
    launch((struct start){.watchdog = "200000"});
    wait_ready();
    while (worker.watchdog < 5)
        if (!take_message(GIVE_UP_MS))
            no_more("WATCHDOG=1");
    assert_int_equal(stop_worker(SIGTERM), 0);
}

static void a_watchdog_period_that_is_none_is_no_storm(void **state)
{
    static const char *const periods[] = {"0", "-5", "often", ""};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        launch((struct start){.watchdog = periods[i]});
        wait_ready();
        assert_int_equal(stop_worker(SIGTERM), 0);
        assert_int_equal(worker.watchdog, 0);
        close(worker.notify_fd);
        worker.notify_fd = -1;
    }
}

/* --- stopping --- */

static bool group_is_empty(pid_t group)
{
    return kill(-group, 0) != 0 && errno == ESRCH;
}

static void stops_cleanly_and_leaves_nobody(void **state)
{
    pid_t group;

    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    group = worker.pid;
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_true(group_is_empty(group));
    assert_int_equal(CLI("list"), 4);
    assert_non_null(strstr(read_text(TEST_LOG), "stopped"));
}

/* A request that Graph never answers does not hold it back, and its work is there at the next start (C6). */
static void stops_while_a_request_is_under_way(void **state)
{
    NEEDS_SIMULATOR();
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/invitations\"},\"action\":{\"stuck\":true}}");
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){0});
    wait_ready();
    CTL("wait", "{\"method\":\"POST\",\"path\":\"^/v1.0/invitations\",\"count\":1}");
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_int_equal(worker.stopping, 1);
    close(worker.notify_fd);
    launch((struct start){0});
    wait_status("1 queued, 0 pending, 0 accepted, 0 failed");
}

/* --- socket activation --- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int fd = fcntl(made, F_DUPFD_CLOEXEC, 10); /* dup2 onto 3 must make another one */

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_true(fd >= 10);
    close(made);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static void a_passed_socket_is_served(void **state)
{
    struct stat before;
    struct stat after;

    NEEDS_SIMULATOR();
    write_config(RULES "socket = \"" AREA "/passed.sock\";\n");
    int fd = listen_at(AREA "/passed.sock");
    assert_int_equal(stat(AREA "/passed.sock", &before), 0);
    launch((struct start){.listen_fd = fd});
    wait_ready();
    assert_int_equal(CLI("list", "--json"), 0);
    assert_string_equal(worker.output, "[]\n");
    assert_int_equal(access(EI_SOCKET_PATH, F_OK), -1); /* and no other one is made */
    assert_int_equal(stop_worker(SIGTERM), 0);
    /* It is systemd's: it stays where it is, for the next start. */
    assert_int_equal(stat(AREA "/passed.sock", &after), 0);
    assert_true(before.st_ino == after.st_ino);
    close(fd);
    unlink(AREA "/passed.sock");
}

static void a_socket_for_somebody_else_is_not_taken(void **state)
{
    NEEDS_SIMULATOR();
    int fd = listen_at(AREA "/others.sock");
    launch((struct start){.listen_fd = fd, .listen_stranger = true});
    wait_ready();
    assert_int_equal(CLI("list", "--json"), 0); /* by its own socket, as configured */
    assert_int_equal(stop_worker(SIGTERM), 0);
    close(fd);
    unlink(AREA "/others.sock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ready_is_said_once_when_it_serves),           T(status_follows_the_states),
        T(every_status_has_the_documented_form),        T(an_abstract_socket_serves_too),
        T(without_systemd_nothing_is_told_and_it_runs), T(the_watchdog_is_answered_without_work),
        T(a_watchdog_period_that_is_none_is_no_storm),  T(stops_cleanly_and_leaves_nobody),
        T(stops_while_a_request_is_under_way),          T(a_passed_socket_is_served),
        T(a_socket_for_somebody_else_is_not_taken),
    };
    return cmocka_run_group_tests(tests, lab_start, sim_stop);
}

/* status for whoever may not ask the worker: from the view (design, "Everybody else needs no socket"). */
#include "common/base/clock.h"
#include "common/view/view_write.h"
#include "tests/unit/cli_run.h"

static void publish(struct fixture *f, int64_t not_after, const struct ei_view_record *records,
                    const char *const *logins, size_t count)
{
    struct ei_view_header header = {.generation = 1, .created_at = 1, .not_after = not_after, .minimum_uid = 1000};
    struct ei_view_writer *writer = NULL;

    assert_int_equal(ei_view_writer_new(f->view, &header, &writer, NULL), EI_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ei_view_writer_add(writer, logins[i], &records[i], NULL), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, NULL), EI_OK);
    assert_int_equal(chmod(f->directory, 0755), 0);
}

static void publish_one(struct fixture *f, int64_t not_after, enum ei_state state, const char *reason)
{
    static const char *const login = "taylor-example-of-the-view";
    struct ei_view_record record = {.state = state, .uid = 1001, .changed_at = 1795447740, .checked_at = 1795447800};

    snprintf(record.reason, sizeof record.reason, "%s", reason);
    publish(f, not_after, &record, &login, 1);
}

static void prints_the_record_and_exits_by_its_state(void **state)
{
    static const struct {
        enum ei_state state;
        int exit_code;
    } cases[] = {
        {EI_STATE_ACCEPTED, 0}, {EI_STATE_PENDING, 1}, {EI_STATE_QUEUED, 1},  {EI_STATE_WAITING, 1},
        {EI_STATE_HELD, 1},     {EI_STATE_FAILED, 2},  {EI_STATE_REMOVED, 3}, {EI_STATE_EXPIRED, 2},
    };
    struct fixture *f = *state;

    worker_stop(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[160];
        publish_one(f, 0, cases[i].state, "");
        cli(f, "status", "taylor-example-of-the-view", NULL);
        assert_int_equal(f->exit_code, cases[i].exit_code);
        snprintf(expected, sizeof expected,
                 "taylor-example-of-the-view: %s\nsince: 2026-11-23T15:29:00Z\nchecked: 2026-11-23T15:30:00Z\n",
                 ei_state_name(cases[i].state));
        assert_string_equal(f->out, expected);
    }
}

static void gives_reason_and_mend(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    publish_one(f, 0, EI_STATE_FAILED, ei_err_name(EI_VERIFIED_DOMAIN));
    cli(f, "status", "taylor-example-of-the-view", NULL);
    assert_non_null(strstr(f->out, "reason: verified-domain\nmend: "));
    cli(f, "status", "--json", "taylor-example-of-the-view", NULL);
    cJSON *object = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(object, "login"), "taylor-example-of-the-view");
    assert_string_equal(ei_json_string(object, "state"), "failed");
    assert_string_equal(ei_json_string(object, "since"), "2026-11-23T15:29:00Z");
    assert_string_equal(ei_json_string(object, "reason"), "verified-domain");
    assert_string_equal(ei_json_string(object, "mend"), ei_err_mend(EI_VERIFIED_DOMAIN));
    cJSON_Delete(object);
}

static void a_login_without_a_record_is_unknown(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    publish_one(f, 0, EI_STATE_ACCEPTED, "");
    cli(f, "status", "somebody-else", NULL);
    assert_int_equal(f->exit_code, 3);
    assert_string_equal(f->out, "");
}

static void a_record_of_another_uid_is_not_of_this_account(void **state)
{
    static const char *const login = "nobody";
    struct ei_view_record record = {.state = EI_STATE_ACCEPTED, .uid = 4711, .changed_at = 1};
    struct fixture *f = *state;

    worker_stop(f);
    publish(f, 0, &record, &login, 1);
    cli(f, "status", "nobody", NULL);
    assert_int_equal(f->exit_code, 3);
}

static void a_view_that_cannot_be_used_is_an_error_of_its_own(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    cli(f, "status", "taylor-example-of-the-view", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    assert_non_null(strstr(f->err, ei_err_mend(EI_VIEW_MISSING)));

    publish_one(f, ei_now() - 1, EI_STATE_ACCEPTED, "");
    cli(f, "status", "taylor-example-of-the-view", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    assert_non_null(strstr(f->err, ei_err_mend(EI_VIEW_STALE)));
    assert_string_equal(f->out, "");

    assert_int_equal(truncate(f->view, 100), 0);
    cli(f, "status", "taylor-example-of-the-view", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    assert_non_null(strstr(f->err, ei_err_mend(EI_VIEW_DAMAGED)));

    assert_int_equal(chmod(f->view, 0666), 0);
    cli(f, "status", "taylor-example-of-the-view", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    assert_non_null(strstr(f->err, ei_err_mend(EI_VIEW_UNSAFE)));
}

static void without_root_everybody_may_ask_about_themselves(void **state)
{
    static const char *const login = "nobody";
    struct ei_view_record record = {.state = EI_STATE_PENDING, .uid = 65534, .changed_at = 1795447740};
    struct fixture *f = *state;

    if (getuid() != 0)
        skip();
    publish(f, 0, &record, &login, 1);
    cli_as_nobody(f, "status", NULL);
    assert_int_equal(f->exit_code, 1);
    assert_string_equal(f->out, "nobody: pending\nsince: 2026-11-23T15:29:00Z\n");
    assert_string_equal(f->err, "");
    assert_int_equal(f->calls, 0);

    cli_as_nobody(f, "show", "nobody", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_non_null(strstr(f->err, "  mend: run it as root (sudo)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(prints_the_record_and_exits_by_its_state),
        CLI_TEST(gives_reason_and_mend),
        CLI_TEST(a_login_without_a_record_is_unknown),
        CLI_TEST(a_record_of_another_uid_is_not_of_this_account),
        CLI_TEST(a_view_that_cannot_be_used_is_an_error_of_its_own),
        CLI_TEST(without_root_everybody_may_ask_about_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

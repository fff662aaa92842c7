/* check: what monitoring reads, from the view and from the worker; and the line for the message of the day. */
#include "common/base/clock.h"
#include "common/view/view_write.h"
#include "tests/unit/cli_run.h"

enum { WEEK = 7 * 24 * 60 * 60 };

#define STATUS(blocked, more) STATUS_HELD(blocked, "false", more)
#define STATUS_HELD(blocked, held, more)                                                                               \
    "{\"status\":\"x\",\"tenant\":\"contoso.example\",\"blocked\":" blocked ",\"trouble\":null,\"doubt\":null,"        \
    "\"holdUntil\":null,\"mailHeld\":" held ",\"counts\":{},\"notes\":[]" more "}"
#define GOOD STATUS("null", "")

struct row {
    const char *login;
    enum ei_state state;
    int64_t since; /* seconds ago */
    const char *reason;
};

/* fresh: seconds since the last refresh. */
static void publish(struct fixture *f, int64_t fresh, const struct row *rows, size_t count)
{
    struct ei_view_header header = {
        .generation = 1, .created_at = ei_now(), .not_after = ei_now() - fresh + WEEK, .minimum_uid = 1000};
    struct ei_view_writer *writer = NULL;

    assert_int_equal(ei_view_writer_new(f->view, &header, &writer, NULL), EI_OK);
    for (size_t i = 0; i < count; i++) {
        struct ei_view_record record = {
            .state = rows[i].state, .uid = 1001 + (uint32_t)i, .changed_at = ei_now() - rows[i].since};
        snprintf(record.reason, sizeof record.reason, "%s", rows[i].reason != NULL ? rows[i].reason : "");
        assert_int_equal(ei_view_writer_add(writer, rows[i].login, &record, NULL), EI_OK);
    }
    assert_int_equal(ei_view_writer_publish(writer, NULL), EI_OK);
    assert_int_equal(chmod(f->directory, 0755), 0);
}

#define PUBLISH(f, fresh, ...)                                                                                         \
    do {                                                                                                               \
        const struct row rows_[] = {__VA_ARGS__};                                                                      \
        publish(f, fresh, rows_, sizeof rows_ / sizeof rows_[0]);                                                      \
    } while (0)

/* The first line up to the bar. */
static void hold_line(const struct fixture *f, int exit_code, const char *expected)
{
    size_t length = strlen(expected);

    if (f->exit_code != exit_code || strncmp(f->out, expected, length) != 0 || strncmp(f->out + length, " | ", 3) != 0)
        fail_msg("exit code %d, not %d; %s, not %s", f->exit_code, exit_code, f->out, expected);
    assert_string_equal(f->err, "");
}

static void hold_text(const struct fixture *f, const char *text)
{
    if (strstr(f->out, text) == NULL)
        fail_msg("no %s in: %s", text, f->out);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        lines++;
    return lines;
}

/* label=value[s];[range];[range];0, as the plugins' guidelines have it. */
static void hold_performance(const struct fixture *f)
{
    const char *at = strstr(f->out, " | ");

    assert_non_null(at);
    for (at += 2; *at == ' ';) {
        size_t label = strspn(++at, "abcdefghijklmnopqrstuvwxyz_");
        assert_true(label > 0 && label <= 19); /* longer ones are cut by some */
        at += label;
        assert_int_equal(*at++, '=');
        assert_true(strspn(at, "0123456789") > 0);
        at += strspn(at, "0123456789");
        at += *at == 's';
        for (int i = 0; i < 2; i++) {
            assert_int_equal(*at++, ';');
            at += strspn(at, "0123456789");
            at += *at == ':';
        }
        assert_memory_equal(at, ";0", 2);
        at += 2;
    }
    assert_int_equal(*at, '\n');
}

static void all_is_well(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_PENDING, 500, NULL}, {"kim", EI_STATE_ACCEPTED, 500, NULL},
            {"sasha", EI_STATE_QUEUED, 5, NULL}, {"alex", EI_STATE_WAITING, 99999, NULL});
    answer(f, GOOD);
    cli(f, "check", NULL);
    hold_line(f, 0, "ENTRA-INVITE OK - 1 queued, 1 pending, 1 accepted, 0 failed");
    hold_performance(f);
    hold_text(f, " waiting=1;;;0 held=0;;;0 queued=1;;;0 pending=1;;;0 accepted=1;;;0 failed=0;0;;0 expired=0;;;0 "
                 "oldest_queued=");
    assert_int_equal(count_lines(f->out), 1);
    sent(f, 0, "Status", "{}");
}

static void who_failed_is_named_with_the_reason(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_FAILED, 500, "verified-domain"}, {"kim", EI_STATE_FAILED, 50, "disabled"});
    answer(f, GOOD);
    cli(f, "check", NULL);
    hold_line(f, 1, "ENTRA-INVITE WARNING - 2 failed");
    hold_performance(f);
    hold_text(f, "\nWARNING: 2 failed - see entra-invite list --state failed\n");
    hold_text(f, "\nfailed: taylor (verified-domain) since 20");
    hold_text(f, "\nfailed: kim (disabled) since 20");
    cli(f, "check", "--failed", "3,5", NULL);
    hold_line(f, 0, "ENTRA-INVITE OK - 0 queued, 0 pending, 0 accepted, 2 failed");
    cli(f, "check", "--failed", "1,2", NULL);
    hold_line(f, 2, "ENTRA-INVITE CRITICAL - 2 failed");
    hold_text(f, " failed=2;0;1;0");
    cli(f, "check", "--failed", ",", NULL);
    assert_int_equal(f->exit_code, 0);
    hold_text(f, " failed=2;;;0");
}

static void only_the_first_of_many_are_named(void **state)
{
    struct fixture *f = *state;
    static char logins[30][16];
    struct row rows[30];

    for (unsigned i = 0; i < 30; i++) {
        snprintf(logins[i], sizeof logins[i], "guest%u", i);
        rows[i] = (struct row){logins[i], EI_STATE_FAILED, 10, "disabled"};
    }
    publish(f, 0, rows, 30);
    answer(f, GOOD);
    cli(f, "check", NULL);
    hold_text(f, "\nfailed: guest19 (disabled)");
    assert_null(strstr(f->out, "guest20"));
    hold_text(f, "\nfailed: 10 more\n");
}

static void a_queue_that_stands_is_told_by_its_oldest(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_QUEUED, 2 * 3600 + 100, "unreachable"}, {"kim", EI_STATE_QUEUED, 10, NULL});
    answer(f, GOOD);
    cli(f, "check", NULL);
    hold_line(f, 1, "ENTRA-INVITE WARNING - 2 queued, the oldest for 2 hours");
    hold_text(f, "s;1799;14399;0");
    cli(f, "check", "--queue-age", "10,1h", NULL);
    hold_line(f, 2, "ENTRA-INVITE CRITICAL - 2 queued, the oldest for 2 hours");
    cli(f, "check", "--queue-age", "3h,", NULL);
    assert_int_equal(f->exit_code, 0);
    cli(f, "check", "--queue-age", ",2h", NULL);
    assert_int_equal(f->exit_code, 2);
}

static void what_was_not_refreshed_is_told_while_there_is_somebody(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 3 * 3600, {"taylor", EI_STATE_PENDING, 500, NULL});
    answer(f, GOOD);
    cli(f, "check", NULL); /* from the view: max_age is a week */
    hold_line(f, 1, "ENTRA-INVITE WARNING - not refreshed for 3 hours");
    PUBLISH(f, 3 * 3600, {"taylor", EI_STATE_FAILED, 500, NULL});
    cli(f, "check", "--failed", ",", NULL);
    assert_int_equal(f->exit_code, 0);
    /* What the worker says is newer than what is published. */
    char reply[512];
    char date[EI_TIME_TEXT];
    ei_time_format(ei_now() - 30, date);
    snprintf(reply, sizeof reply, STATUS("null", ",\"lastRefresh\":\"%s\""), date);
    PUBLISH(f, 3 * 3600, {"taylor", EI_STATE_PENDING, 500, NULL});
    forget_calls(f);
    answer(f, reply);
    cli(f, "check", NULL);
    assert_int_equal(f->exit_code, 0);
    hold_text(f, " refresh_age=3");
}

static void a_stale_view_is_critical(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, WEEK + 7200, {"taylor", EI_STATE_ACCEPTED, 500, NULL});
    answer(f, GOOD);
    cli(f, "check", "--refresh-age", ",", NULL);
    hold_line(f, 2, "ENTRA-INVITE CRITICAL - the status is stale for 2 hours: collaborators are shut out");
}

static void a_credential_that_ends_is_told_before(void **state)
{
    static const struct {
        int64_t days;
        const char *limits;
        int exit_code;
        const char *line;
    } cases[] = {
        {100, NULL, 0, "ENTRA-INVITE OK - "},
        {20, NULL, 1, "ENTRA-INVITE WARNING - the credential expires in 20 days"},
        {5, NULL, 2, "ENTRA-INVITE CRITICAL - the credential expires in 5 days"},
        {20, "10d,5d", 0, "ENTRA-INVITE OK - "},
        {-2, NULL, 2, "ENTRA-INVITE CRITICAL - the credential has expired"},
    };
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_PENDING, 500, NULL});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char reply[512];
        char date[EI_TIME_TEXT];
        ei_time_format(ei_now() + cases[i].days * 24 * 3600 + 600, date);
        snprintf(reply, sizeof reply, STATUS("null", ",\"credentialExpiresAt\":\"%s\""), date);
        forget_calls(f);
        answer(f, reply);
        cli(f, "check", cases[i].limits != NULL ? "--expiry" : NULL, cases[i].limits, NULL);
        assert_int_equal(f->exit_code, cases[i].exit_code);
        assert_memory_equal(f->out, cases[i].line, strlen(cases[i].line));
        hold_performance(f);
        hold_text(f, " credential_left=");
    }
    hold_text(f, "s;2592001:;604801:;0");
}

static void what_the_worker_has_to_say_counts(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_FAILED, 500, "disabled"});
    answer(f, STATUS_HELD("{\"code\":\"permission\",\"message\":\"a | b\",\"mend\":\"m\"}", "true", ""));
    cli(f, "check", NULL);
    hold_line(f, 2, "ENTRA-INVITE CRITICAL - blocked: a / b [permission]"); /* a bar would begin the data */
    hold_performance(f);
    hold_text(f, "\nWARNING: mail is held");
    hold_text(f, "\nWARNING: 1 failed");
    forget_calls(f);
    answer(f, "{\"status\":\"x\",\"notes\":[\"the store failed: disk\"],\"trouble\":{\"code\":\"unreachable\","
              "\"message\":\"no way\"}}");
    cli(f, "check", "--failed", ",", NULL);
    hold_line(f, 1, "ENTRA-INVITE WARNING - trouble: no way [unreachable]; the store failed: disk");
}

static void a_worker_that_is_down_is_critical(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_PENDING, 500, NULL});
    worker_stop(f);
    cli(f, "check", NULL);
    assert_int_equal(f->exit_code, 2);
    assert_memory_equal(f->out, "ENTRA-INVITE CRITICAL - entra-invited does not answer on ", 57);
    hold_performance(f);
    hold_text(f, ei_err_mend(EI_WORKER_DOWN));
}

static void a_view_that_cannot_be_used_is_critical(void **state)
{
    struct fixture *f = *state;

    answer(f, GOOD);
    cli(f, "check", NULL);
    assert_int_equal(f->exit_code, 2);
    assert_string_equal(strchr(f->out, '\n') - 7,
                        "missing\nCRITICAL: the status file is missing - start entra-invited: it "
                        "publishes the view\n");
    PUBLISH(f, 60, {"taylor", EI_STATE_PENDING, 500, NULL});
    assert_int_equal(truncate(f->view, 2100), 0);
    cli(f, "check", NULL);
    assert_int_equal(f->exit_code, 2);
    hold_text(f, "the status file is damaged");
}

static void without_root_the_view_tells(void **state)
{
    struct fixture *f = *state;

    if (getuid() != 0)
        skip();
    PUBLISH(f, 3 * 3600, {"taylor", EI_STATE_FAILED, 500, "disabled"}, {"kim", EI_STATE_PENDING, 1, NULL});
    cli_as_nobody(f, "check", NULL);
    hold_line(f, 1, "ENTRA-INVITE WARNING - 1 failed; not refreshed for 3 hours");
    assert_int_equal(f->calls, 0);
}

static void json_has_the_same(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_FAILED, 500, "disabled"});
    answer(f, GOOD);
    cli(f, "check", "--json", NULL);
    assert_int_equal(f->exit_code, 1);
    cJSON *object = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(object, "status"), "WARNING");
    assert_true(ei_json_bool(object, "asked", false));
    const cJSON *problem = cJSON_GetArrayItem(ei_json_array(object, "problems"), 0);
    assert_string_equal(ei_json_string(problem, "message"), "1 failed");
    int64_t failed = 0;
    assert_true(ei_json_int(ei_json_object(object, "values"), "failed", &failed));
    assert_int_equal(failed, 1);
    const cJSON *account = cJSON_GetArrayItem(ei_json_array(object, "failed"), 0);
    assert_string_equal(ei_json_string(account, "login"), "taylor");
    assert_string_equal(ei_json_string(account, "reason"), "disabled");
    cJSON_Delete(object);
}

static void wrong_limits_are_unknown_and_say_why(void **state)
{
    static const char *const wrong[] = {"",     "x",  "1x,", "5m,1m", "1,2,3",       "-1,",
                                        "1 ,2", "1h", "1m",  "1.5,",  "9999999999,", NULL};
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_FAILED, 500, "disabled"});
    answer(f, GOOD);
    for (size_t i = 0; wrong[i] != NULL; i++) {
        /* Times of a number are wrong for --failed only. */
        cli(f, "check", "--failed", wrong[i], NULL);
        if (f->exit_code != 3 || strstr(f->err, "check --help") == NULL || f->out[0] != '\0')
            fail_msg("--failed %s: exit code %d, %s%s", wrong[i], f->exit_code, f->out, f->err);
    }
    cli(f, "check", "--expiry", "7d,30d", NULL);
    assert_int_equal(f->exit_code, 3);
    cli(f, "check", "taylor", NULL);
    assert_int_equal(f->exit_code, 3);
    cli(f, "check", "--no-such", NULL);
    assert_int_equal(f->exit_code, 3);
    assert_int_equal(f->calls, 0);
}

/* --- the message of the day --- */

static void hold_motd(struct fixture *f, const char *expected)
{
    cli(f, "check", "--motd", NULL);
    assert_int_equal(f->exit_code, 0);
    assert_string_equal(f->out, expected);
    assert_string_equal(f->err, "");
}

static void the_message_of_the_day_is_silent_when_nothing_is_wrong(void **state)
{
    struct fixture *f = *state;

    hold_motd(f, ""); /* not set up yet */
    PUBLISH(f, 60, {"taylor", EI_STATE_PENDING, 99999, NULL}, {"kim", EI_STATE_QUEUED, 60, NULL});
    hold_motd(f, "");
    assert_int_equal(f->calls, 0);
}

static void the_message_of_the_day_has_numbers_and_no_names(void **state)
{
    struct fixture *f = *state;

    PUBLISH(f, 60, {"taylor", EI_STATE_FAILED, 500, "disabled"}, {"kim", EI_STATE_QUEUED, 7300, NULL});
    hold_motd(f, "entra-invite: 1 invitation failed; 1 queued, the oldest for 2 hours. See: sudo entra-invite check\n");
    PUBLISH(f, WEEK + 60, {"taylor", EI_STATE_FAILED, 500, "disabled"}, {"kim", EI_STATE_FAILED, 7300, NULL});
    hold_motd(f, "entra-invite: the status is stale, collaborators are shut out; 2 invitations failed. See: sudo "
                 "entra-invite check\n");
    assert_int_equal(truncate(f->view, 100), 0);
    hold_motd(f, "entra-invite: the status file is damaged. See: sudo entra-invite check\n");
    assert_int_equal(f->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(all_is_well),
        CLI_TEST(who_failed_is_named_with_the_reason),
        CLI_TEST(only_the_first_of_many_are_named),
        CLI_TEST(a_queue_that_stands_is_told_by_its_oldest),
        CLI_TEST(what_was_not_refreshed_is_told_while_there_is_somebody),
        CLI_TEST(a_stale_view_is_critical),
        CLI_TEST(a_credential_that_ends_is_told_before),
        CLI_TEST(what_the_worker_has_to_say_counts),
        CLI_TEST(a_worker_that_is_down_is_critical),
        CLI_TEST(a_view_that_cannot_be_used_is_critical),
        CLI_TEST(without_root_the_view_tells),
        CLI_TEST(json_has_the_same),
        CLI_TEST(wrong_limits_are_unknown_and_say_why),
        CLI_TEST(the_message_of_the_day_is_silent_when_nothing_is_wrong),
        CLI_TEST(the_message_of_the_day_has_numbers_and_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

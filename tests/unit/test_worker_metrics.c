/* metrics_file: what is in it, that it is Prometheus' text format, when it is written, and that the manual has all of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>

#include "plugin/worker/metrics.h"
#include "tests/unit/worker_fixture.h"

#define METRICS    EI_STATE_DIR "/public/entra-invite.prom"
#define WITH_FILE  RULES "metrics_file = \"" METRICS "\";\n"
#define ELSEWHERE  AREA "/not-ours/entra-invite.prom"
#define AN_ACCOUNT "entra_invite_accounts{rule=\"partners\",state=\"%s\"} %d\n"

enum { SERIES_MAX = 1024 };

/* --- the format --- */

static const struct ei_metric *metric_of(const char *name, size_t length)
{
    for (const struct ei_metric *metric = ei_metrics; metric->name != NULL; metric++)
        if (strlen(metric->name) == length && strncmp(metric->name, name, length) == 0)
            return metric;
    fail_msg("no such metric: %.*s", (int)length, name);
    return NULL;
}

/* {name="value",…}; returns what is behind it. */
static const char *take_labels(const char *at)
{
    do {
        size_t name = strspn(++at, "abcdefghijklmnopqrstuvwxyz_");
        assert_true(name != 0);
        at += name;
        assert_true(strncmp(at, "=\"", 2) == 0);
        for (at += 2; *at != '"'; at++) {
            assert_true((unsigned char)*at >= ' ');
            if (*at == '\\')
                assert_non_null(strchr("\\\"n", *++at));
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* "name{labels} value", the value a whole number. */
static void hold_sample(const char *line, const struct ei_metric *of)
{
    size_t length = strcspn(line, "{ ");
    const char *at = line + length;

    assert_ptr_equal(metric_of(line, length), of);
    if (*at == '{')
        at = take_labels(at);
    assert_int_equal(*at++, ' ');
    assert_true(isdigit((unsigned char)*at));
    assert_int_equal(at[strspn(at, "0123456789")], '\0');
}

/* Each metric once, with HELP and TYPE before its samples, no series twice, a line break at the end. */
static void hold_format(const char *file)
{
    static char text[OUTPUT_MAX];
    const char *series[SERIES_MAX];
    size_t count = 0;
    const struct ei_metric *metric = NULL;
    bool seen[64] = {false};
    char expected[512];
    char *rest = NULL;

    snprintf(text, sizeof text, "%s", file);
    assert_true(strlen(text) > 100);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_null(strstr(text, "\n\n"));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            metric = metric_of(line + 7, strcspn(line + 7, " "));
            assert_false(seen[metric - ei_metrics]);
            seen[metric - ei_metrics] = true;
            snprintf(expected, sizeof expected, "# HELP %s %s", metric->name, metric->help);
            assert_string_equal(line, expected);
            line = strtok_r(NULL, "\n", &rest);
            snprintf(expected, sizeof expected, "# TYPE %s %s", metric->name, metric->type);
            assert_string_equal(line, expected);
            continue;
        }
        assert_non_null(metric);
        hold_sample(line, metric);
        *strrchr(line, ' ') = '\0';
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(series[i], line);
        assert_true(count < SERIES_MAX);
        series[count++] = line;
    }
}

static void names_follow_the_conventions(void **state)
{
    (void)state;
    for (const struct ei_metric *metric = ei_metrics; metric->name != NULL; metric++) {
        const char *end = metric->name + strlen(metric->name);
        bool counter = strcmp(metric->type, "counter") == 0;
        assert_true(counter || strcmp(metric->type, "gauge") == 0);
        assert_int_equal(strncmp(metric->name, "entra_invite_", 13), 0);
        assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(metric->name));
        assert_int_equal(strcmp(end - 6, "_total") == 0, counter);
        if (strstr(metric->name, "time") != NULL) /* base units */
            assert_string_equal(end - 8, "_seconds");
        assert_int_equal(metric->help[strlen(metric->help) - 1], '.');
        assert_null(strpbrk(metric->help, "\n\\"));
    }
}

static void the_manual_has_every_metric(void **state)
{
    const char *page = read_text("plugin/worker/entra-invited.8");
    size_t items = 0;
    size_t metrics = 0;
    char item[128];

    (void)state;
    for (const struct ei_metric *metric = ei_metrics; metric->name != NULL; metric++, metrics++) {
        snprintf(item, sizeof item, "\n.It Li %s\n", metric->name);
        const char *at = strstr(page, item);
        if (at == NULL || strstr(at + 1, item) != NULL)
            fail_msg("entra-invited.8 does not have once: %s", metric->name);
    }
    for (const char *at = page; (at = strstr(at, "\n.It Li entra_invite_")) != NULL; at++)
        items++;
    assert_int_equal(items, metrics);
}

/* --- the file --- */

static const char *wait_file(const char *path, const char *text)
{
    int64_t limit = ei_monotonic_ms() + GIVE_UP_MS;

    while (access(path, R_OK) != 0 || (text != NULL && strstr(read_text(path), text) == NULL)) {
        if (ei_monotonic_ms() > limit)
            fail_msg("%s does not come with %s", path, text != NULL ? text : "anything");
        poll(NULL, 0, 20);
    }
    return read_text(path);
}

static void has(const char *text)
{
    if (strstr(read_text(METRICS), text) == NULL)
        fail_msg("there is no %s in: %s", text, read_text(METRICS));
}

static void has_not(const char *text)
{
    if (strstr(read_text(METRICS), text) != NULL)
        fail_msg("there is %s in: %s", text, read_text(METRICS));
}

static void has_accounts(const char *name, int number)
{
    char line[128];

    snprintf(line, sizeof line, AN_ACCOUNT, name, number);
    has(line);
}

/* The number behind the first sample that begins with text. */
static long long value_of(const char *text)
{
    char start[128];

    snprintf(start, sizeof start, "\n%s ", text);
    const char *at = strstr(read_text(METRICS), start);
    if (at == NULL)
        fail_msg("there is no %s", text);
    return strtoll(at + strlen(start), NULL, 10);
}

static void it_tells_where_everybody_stands(void **state)
{
    struct stat file;
    long long now = (long long)time(NULL);

    NEEDS_SIMULATOR();
    write_config(WITH_FILE);
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    add_account("kim", "Kim Example <kim@fabrikam.com>");
    add_account("robin", "Robin Example <robin@contoso.example>"); /* the tenant's own domain */
    launch((struct start){0});
    wait_status("2 pending, 0 accepted, 1 failed");
    hold_format(wait_file(METRICS, "entra_invite_up 1\n"));
    CTL("redeem", "taylor@fabrikam.com");
    must(CLI("refresh", "--wait"));
    wait_status("1 pending, 1 accepted, 1 failed");
    assert_int_equal(stop_worker(SIGTERM), 0);
    hold_format(read_text(METRICS));
    assert_int_equal(stat(METRICS, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0644);
    assert_int_equal(access(METRICS ".tmp", F_OK), -1);
    has("entra_invite_up 0\n");
    has_accounts("pending", 1);
    has_accounts("accepted", 1);
    has_accounts("failed", 1);
    has_accounts("queued", 0);
    has("entra_invite_queue_length 0\n");
    has_not("entra_invite_oldest_queued_timestamp_seconds");
    has("entra_invite_mails{outcome=\"none\"} 3\n");
    has("entra_invite_requests_total{kind=\"write\"} 2\n");
    assert_true(value_of("entra_invite_requests_total{kind=\"login\"}") >= 2); /* metadata and token */
    assert_true(value_of("entra_invite_requests_total{kind=\"read\"}") >= 4);
    has("entra_invite_throttled_total{kind=\"read\"} 0\n");
    has("entra_invite_blocked{error=\"\"} 0\n");
    assert_true(value_of("entra_invite_token_expiry_timestamp_seconds") > now);
    assert_true(value_of("entra_invite_last_answer_timestamp_seconds") >= now);
    assert_true(value_of("entra_invite_last_refresh_timestamp_seconds") >= now);
    assert_true(value_of("entra_invite_last_scan_timestamp_seconds") >= now);
    assert_true(value_of("entra_invite_view_published_timestamp_seconds") >= now);
    assert_true(value_of("entra_invite_start_time_seconds") >= now);
    assert_true(value_of("entra_invite_view_not_after_timestamp_seconds") > now + 604000);
    assert_true(value_of("entra_invite_view_generation") > 0);
    has_not("entra_invite_credential_expiry"); /* nobody knows when a secret ends */
    has_not("fabrikam.com");                   /* who it is, is nobody's business there */
}

static void it_tells_of_throttling_and_of_what_waits(void **state)
{
    NEEDS_SIMULATOR();
    write_config(WITH_FILE);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/invitations\"},\"action\":{\"status\":429,\"retryAfter\":600}}");
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){0});
    wait_ready();
    CTL("wait", "{\"method\":\"POST\",\"path\":\"^/v1.0/invitations\",\"count\":1}");
    wait_file(METRICS, "entra_invite_throttled_total{kind=\"write\"} 1\n");
    hold_format(read_text(METRICS));
    has("entra_invite_request_errors_total{kind=\"write\",error=\"throttled\"} 1\n");
    has_accounts("queued", 1);
    has("entra_invite_queue_length 1\n");
    assert_true(value_of("entra_invite_hold_until_timestamp_seconds") > (long long)time(NULL) + 500);
    assert_true(value_of("entra_invite_oldest_queued_timestamp_seconds") <= (long long)time(NULL));
}

static void what_blocks_is_told(void **state)
{
    NEEDS_SIMULATOR();
    write_config(WITH_FILE);
    write_file(TEST_SECRET, 0600, "not-the-secret\n");
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){0});
    wait_file(METRICS, "entra_invite_blocked{error=\"secret-wrong\"} 1\n");
    hold_format(read_text(METRICS));
    has("entra_invite_request_errors_total{kind=\"login\",error=\"secret-wrong\"} ");
    has_not("entra_invite_token_expiry");
    char path[128];
    snprintf(path, sizeof path, "%s/client-secret", sim.dir);
    write_file(TEST_SECRET, 0600, read_text(path));
}

static void a_place_that_cannot_be_written_is_said_once_and_stops_nothing(void **state)
{
    NEEDS_SIMULATOR();
    write_config(RULES "metrics_file = \"" ELSEWHERE "\";\n");
    must(RUN_WORDS("install", "-d", "-m", "0755", AREA "/not-ours"));
    add_account("taylor", "Taylor Example <taylor@fabrikam.com>");
    launch((struct start){.as_service_user = false});
    wait_status("1 pending, 0 accepted, 0 failed");
    add_account("kim", "Kim Example <kim@fabrikam.com>");
    wait_status("2 pending, 0 accepted, 0 failed");
    const char *log = read_text(TEST_LOG);
    const char *said_at = strstr(log, "metrics_file: " ELSEWHERE ".tmp: Permission denied [metrics-file]");
    if (said_at == NULL)
        fail_msg("not said: %s", log);
    assert_null(strstr(said_at + 1, "metrics_file"));
    assert_int_equal(access(ELSEWHERE, F_OK), -1);
    /* Another place is taken at once, and left alone when none is wanted any more. */
    write_config(WITH_FILE);
    assert_int_equal(kill(worker.pid, SIGHUP), 0);
    wait_file(METRICS, "state=\"pending\"} 2\n");
    write_config(RULES);
    assert_int_equal(kill(worker.pid, SIGHUP), 0);
    for (int64_t limit = ei_monotonic_ms() + GIVE_UP_MS; access(METRICS, F_OK) == 0; poll(NULL, 0, 20))
        assert_true(ei_monotonic_ms() < limit);
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_int_equal(access(METRICS, F_OK), -1);
}

static void without_the_key_there_is_no_file(void **state)
{
    NEEDS_SIMULATOR();
    launch((struct start){0});
    wait_ready();
    assert_int_equal(stop_worker(SIGTERM), 0);
    assert_int_equal(access(METRICS, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_follow_the_conventions),
        T(the_manual_has_every_metric),
        T(it_tells_where_everybody_stands),
        T(it_tells_of_throttling_and_of_what_waits),
        T(what_blocks_is_told),
        T(a_place_that_cannot_be_written_is_said_once_and_stops_nothing),
        T(without_the_key_there_is_no_file),
    };
    return cmocka_run_group_tests(tests, lab_start, sim_stop);
}

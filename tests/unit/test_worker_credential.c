/* When the log is told that the credential ends, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/graph/credential_type.h"
#include "plugin/worker/credential.h"

enum { START = 1767225600 /* 2026-01-01T00:00:00Z */, DAY = 24 * 60 * 60 };

static int64_t now;
static int64_t ends;
static enum ei_err reloads;

static int64_t given_now(void)
{
    return now;
}

static int64_t given_ms(void)
{
    return now * 1000;
}

static int64_t expires(const struct ei_credential *credential)
{
    (void)credential;
    return ends;
}

static enum ei_err reload(struct ei_credential *credential, struct ei_error *err)
{
    (void)credential;
    return reloads == EI_OK ? EI_OK : ei_fail(err, reloads, "/etc/key.pem: wrong");
}

static const struct ei_credential_ops type = {.name = "test", .expires = expires, .reload = reload};
static struct ei_credential credential = {.type = &type};
static struct ei_worker worker;

static int start(void **state)
{
    static const struct ei_clock clock = {.now = given_now, .monotonic_ms = given_ms};

    (void)state;
    ei_clock_set(&clock);
    ei_log_open("test", EI_LOG_STDERR, LOG_INFO);
    memset(&worker, 0, sizeof worker);
    worker.credential = &credential;
    now = START;
    reloads = EI_OK;
    return 0;
}

static int end(void **state)
{
    (void)state;
    ei_clock_set(NULL);
    return 0;
}

/* What act logs; "" for nothing. */
static const char *logged(void (*act)(struct ei_worker *))
{
    static char text[4096];
    char path[] = "/tmp/entra-invite-test-XXXXXX";
    int file = mkstemp(path);
    int before = dup(STDERR_FILENO);

    assert_true(file >= 0 && before >= 0);
    assert_int_equal(unlink(path), 0);
    fflush(stderr);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    act(&worker);
    fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t count = pread(file, text, sizeof text - 1, 0);
    assert_true(count >= 0);
    text[count] = '\0';
    close(file);
    close(before);
    return text;
}

static void said(bool wanted, const char *saying)
{
    const char *text = logged(ei_worker_credential_watch);

    if (wanted ? strstr(text, saying) == NULL : text[0] != '\0')
        fail_msg("%s is %s: %s", saying, wanted ? "not said" : "not wanted", text);
}

static void once_a_day_from_thirty_days_before(void **state)
{
    (void)state;
    ends = START + 31 * DAY;
    said(false, "31 days before");
    now = ends - 30 * DAY - 120;
    said(false, "a little more than 30 days before");
    now = ends - 30 * DAY;
    said(true, "expires at 2026-02-01T00:00:00Z, in 30 days");
    for (int hour = 1; hour < 24; hour++) {
        now = ends - 30 * DAY + hour * 3600;
        said(false, "again on that day");
    }
    now = ends - 29 * DAY;
    said(true, "in 29 days");
    now = ends - 3600;
    said(true, "in 0 days");
    now = ends + 2 * DAY;
    said(false, "after its end, which blocks the worker"); /* and that is said there */
}

static void not_where_no_end_is_known(void **state)
{
    (void)state;
    ends = 0;
    said(false, "no end");
}

/* SIGHUP and refresh read the files, but say it again only of another certificate. */
static void reading_it_again_says_nothing_twice(void **state)
{
    (void)state;
    ends = START + 10 * DAY;
    said(true, "in 10 days");
    assert_string_equal(logged(ei_worker_credential_reload), "");
    said(false, "the same again");
    ends = START + 12 * DAY;
    assert_string_equal(logged(ei_worker_credential_reload), "");
    said(true, "in 12 days");
}

static void a_failure_to_read_it_again_is_said_if_it_matters(void **state)
{
    static const struct {
        enum ei_err failure;
        enum ei_err blocked;
        bool said;
    } rows[] = {
        {EI_SECRET_FILE, EI_OK, false}, /* root's file after the drop, as at each SIGHUP */
        {EI_SECRET_FILE, EI_PERMISSION, false},
        {EI_SECRET_FILE, EI_SECRET_WRONG, true},
        {EI_SECRET_FILE, EI_CERTIFICATE_EXPIRED, true},
        {EI_SECRET_FILE, EI_ASSERTION_REFUSED, true},
        {EI_CERTIFICATE_FILE, EI_OK, true},
        {EI_KEY_ENCRYPTED, EI_OK, true},
        {EI_IO, EI_OK, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reloads = rows[i].failure;
        worker.blocked.code = rows[i].blocked;
        const char *text = logged(ei_worker_credential_reload);
        if (rows[i].said != (strstr(text, "/etc/key.pem: wrong") != NULL))
            fail_msg("row %zu: %s", i, text);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        T(once_a_day_from_thirty_days_before),
        T(not_where_no_end_is_known),
        T(reading_it_again_says_nothing_twice),
        T(a_failure_to_read_it_again_is_said_if_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log: its one line, journald's protocol, and that every MESSAGE_ID is explained. Run from the top of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/journal.h"
#include "common/base/log.h"

enum { TEXT_MAX = 64 * 1024 };

/* --- the line --- */

static char line[TEXT_MAX];
static int saved_stderr = -1;
static int line_pipe[2];

static void begin_line(void)
{
    assert_int_equal(pipe(line_pipe), 0);
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(line_pipe[1], STDERR_FILENO) >= 0);
    close(line_pipe[1]);
    ei_log_open("test", EI_LOG_STDERR, LOG_INFO);
}

static void end_line(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    ssize_t got = read(line_pipe[0], line, sizeof line - 1);
    line[got > 0 ? got : 0] = '\0';
    close(line_pipe[0]);
}

static const struct ei_error no_address = {
    .code = EI_NO_ADDRESS,
    .message = "the account has none",
    .request_id = "req-1",
    .client_request_id = "crid-1",
};

static void an_error_is_one_line_with_all_facts(void **state)
{
    const struct ei_log_about about = {
        .id = EI_LOG_FAILED,
        .logins = {"taylor", "taylor2"},
        .login_count = 2,
        .email = "taylor@fabrikam.com",
        .rule = "partners",
        .state = "failed",
        .error = &no_address,
    };
    char expected[1024];

    (void)state;
    begin_line();
    ei_log_error_about(LOG_WARNING, &about, "taylor@fabrikam.com");
    end_line();
    snprintf(expected, sizeof expected,
             "test: taylor@fabrikam.com: the account has none [no-address; login taylor; login taylor2; rule partners; "
             "state failed; request-id req-1; client-request-id crid-1] - %s\n",
             ei_err_mend(EI_NO_ADDRESS));
    assert_string_equal(line, expected);
}

static void what_is_not_known_is_left_out(void **state)
{
    const struct ei_log_about about = {.id = EI_LOG_ACCEPTED, .email = "kim@fabrikam.com", .state = "accepted"};
    const struct ei_log_about nothing = {0};

    (void)state;
    begin_line();
    ei_log_about(LOG_INFO, &about, "%s: accepted", about.email);
    ei_log_about(LOG_INFO, &nothing, "nothing");
    ei_log_event(LOG_INFO, EI_LOG_STARTED, "started %d", 7);
    ei_log(LOG_DEBUG, "not said at this level");
    end_line();
    assert_string_equal(line, "test: kim@fabrikam.com: accepted [state accepted]\ntest: nothing\ntest: started 7\n");
}

/* S16 */
static void s16_untrusted_facts_cannot_forge_a_line(void **state)
{
    const struct ei_log_about about = {.logins = {"a\nb\x1b[31m"}, .login_count = 1, .rule = "\xff"};

    (void)state;
    begin_line();
    ei_log_about(LOG_INFO, &about, "%s", "x\ny");
    end_line();
    assert_string_equal(line, "test: x\\x0ay [login a\\x0ab\\x1b[31m; rule \\xff]\n");
}

static void facts_stay_behind_a_text_that_is_too_long(void **state)
{
    const struct ei_log_about about = {.logins = {"taylor"}, .login_count = 1};
    char *text = malloc(8192);

    (void)state;
    memset(text, 'x', 8191);
    text[8191] = '\0';
    begin_line();
    ei_log_about(LOG_INFO, &about, "%s", text);
    end_line();
    assert_true(strlen(line) < 4096 + 8);
    assert_non_null(strstr(line, "xxx [login taylor]\n"));
    free(text);
}

/* --- journald's protocol --- */

static struct ei_journal_entry entry;
static char directory[] = "/tmp/test-log-XXXXXX";
static char socket_path[64];

static int listen_as_journald(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    unlink(socket_path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int make_directory(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(socket_path, sizeof socket_path, "%s/socket", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(socket_path);
    return rmdir(directory);
}

static void an_entry_is_one_datagram(void **state)
{
    static const char expected[] = "MESSAGE=one line\nTWO\n\3\0\0\0\0\0\0\0a\nb\nLAST=x=y\n";
    char got[256];
    int fd = listen_as_journald();

    (void)state;
    entry.length = 0;
    ei_journal_add(&entry, "MESSAGE", "one line");
    ei_journal_add(&entry, "TWO", "a\nb"); /* a line break cannot begin another field */
    ei_journal_add(&entry, "NOTHING", NULL);
    ei_journal_add(&entry, "EMPTY", "");
    ei_journal_add(&entry, "LAST", "x=y");
    assert_true(ei_journal_send(socket_path, &entry));
    assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), sizeof expected - 1);
    assert_memory_equal(got, expected, sizeof expected - 1);
    close(fd);
}

static void what_does_not_fit_is_left_out(void **state)
{
    char *large = malloc(EI_JOURNAL_ENTRY_MAX + 1);

    (void)state;
    memset(large, 'x', EI_JOURNAL_ENTRY_MAX);
    large[EI_JOURNAL_ENTRY_MAX] = '\0';
    for (size_t length = EI_JOURNAL_ENTRY_MAX - 64; length <= EI_JOURNAL_ENTRY_MAX; length++) {
        entry.length = 0;
        ei_journal_add(&entry, "A", large + EI_JOURNAL_ENTRY_MAX - length);
        size_t used = entry.length;
        assert_true(used == 0 || used == length + 3);
        ei_journal_add(&entry, "B", "fits");
        assert_true(entry.length <= EI_JOURNAL_ENTRY_MAX);
    }
    free(large);
}

static void a_journald_that_is_gone_or_stuck_is_not_waited_for(void **state)
{
    int64_t start = ei_monotonic_ms();
    int taken = 0;

    (void)state;
    entry.length = 0;
    ei_journal_add(&entry, "MESSAGE", "x");
    assert_false(ei_journal_send("/nonexistent/socket", &entry));
    int fd = listen_as_journald();
    while (taken < 100000 && ei_journal_send(socket_path, &entry))
        taken++;
    assert_in_range(taken, 1, 99999); /* nobody reads: the queue is full */
    close(fd);
    assert_false(ei_journal_send(socket_path, &entry)); /* its socket stays behind */
    assert_true(ei_monotonic_ms() - start < 5000);
}

/* --- every id is explained --- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, TEXT_MAX);

    assert_non_null(file);
    size_t got = fread(text, 1, TEXT_MAX - 1, file);
    fclose(file);
    assert_true(got > 0 && got < TEXT_MAX - 1);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        found++;
    return found;
}

static void ids_are_128_bits_and_different(void **state)
{
    (void)state;
    assert_null(ei_log_message_id(EI_LOG_PLAIN));
    for (int i = EI_LOG_PLAIN + 1; i < EI_LOG_ID_COUNT; i++) {
        const char *id = ei_log_message_id((enum ei_log_id)i);
        assert_non_null(id);
        assert_int_equal(strlen(id), 32);
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        for (int k = EI_LOG_PLAIN + 1; k < i; k++)
            assert_string_not_equal(id, ei_log_message_id((enum ei_log_id)k));
    }
}

/* The fields that stand between '@' in the catalogue are ones that every entry of their kind has. */
static void hold_fields(const char *from, const char *end)
{
    static const char *const known[] = {"@ENTRA_INVITE_TARGET@", "@ENTRA_INVITE_ERROR@"};
    bool good;

    for (const char *at = memchr(from, '@', (size_t)(end - from)); at != NULL;
         at = memchr(at, '@', (size_t)(end - at))) {
        good = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0] && !good; i++) {
            good = strncmp(at, known[i], strlen(known[i])) == 0;
            at += good ? strlen(known[i]) : 0;
        }
        if (!good && strncmp(at, "@company.example", 16) == 0)
            at += 16;
        else if (!good)
            fail_msg("the catalogue names a field that no entry has: %.40s", at);
    }
}

static void every_id_is_in_the_catalogue(void **state)
{
    char *catalogue = read_file("conf/systemd/entra-invite.catalog");
    char head[64];

    (void)state;
    for (int i = EI_LOG_PLAIN + 1; i < EI_LOG_ID_COUNT; i++) {
        const char *id = ei_log_message_id((enum ei_log_id)i);
        snprintf(head, sizeof head, "\n-- %s\nSubject: ", id);
        const char *at = strstr(catalogue, head);
        if (at == NULL) {
            fail_msg("the catalogue has no entry for %s", id);
            return; /* gcc does not know that it has ended */
        }
        const char *end = strstr(at + 1, "\n-- ");
        end = end != NULL ? end : at + strlen(at);
        const char *text = strstr(at, "\n\n");
        assert_true(text != NULL && text < end - 40); /* a cause and a mend, in words */
        hold_fields(at, end);
    }
    assert_int_equal(count(catalogue, "\n-- "), EI_LOG_ID_COUNT - 1);
    free(catalogue);
}

static void every_id_and_field_is_in_the_manual(void **state)
{
    static const char *const fields[] = {"MESSAGE",
                                         "MESSAGE_ID",
                                         "PRIORITY",
                                         "SYSLOG_IDENTIFIER",
                                         "ENTRA_INVITE_TARGET",
                                         "ENTRA_INVITE_LOGIN",
                                         "ENTRA_INVITE_EMAIL",
                                         "ENTRA_INVITE_RULE",
                                         "ENTRA_INVITE_STATE",
                                         "ENTRA_INVITE_ERROR",
                                         "REQUEST_ID",
                                         "CLIENT_REQUEST_ID"};
    char *page = read_file("plugin/worker/entra-invited.8");
    char item[64];

    (void)state;
    for (int i = EI_LOG_PLAIN + 1; i < EI_LOG_ID_COUNT; i++) {
        snprintf(item, sizeof item, "\n.It Li %s\n", ei_log_message_id((enum ei_log_id)i));
        if (count(page, item) != 1)
            fail_msg("entra-invited.8 does not have once: %s", item);
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        snprintf(item, sizeof item, "\n.It Li %s=\n", fields[i]);
        if (count(page, item) != 1)
            fail_msg("entra-invited.8 does not have once: %s", item);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_one_line_with_all_facts),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(s16_untrusted_facts_cannot_forge_a_line),
        cmocka_unit_test(facts_stay_behind_a_text_that_is_too_long),
        cmocka_unit_test(an_entry_is_one_datagram),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(a_journald_that_is_gone_or_stuck_is_not_waited_for),
        cmocka_unit_test(ids_are_128_bits_and_different),
        cmocka_unit_test(every_id_is_in_the_catalogue),
        cmocka_unit_test(every_id_and_field_is_in_the_manual),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

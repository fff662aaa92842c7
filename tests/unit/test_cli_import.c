/* import and export against a worker that answers as it is told: what is sent, printed and returned. */
#include "tests/unit/cli_run.h"

#include <signal.h>
#include <sys/ioctl.h>

#include "common/base/clock.h"
#include "plugin/cli/progress.h"

#define GOOD        "{\"state\":null,\"parameter\":null,\"error\":null}"
#define STANDS(at)  "{\"state\":\"" at "\",\"parameter\":null,\"error\":null}"
#define REFUSED     "{\"state\":null,\"parameter\":\"rule\",\"error\":" ERROR "}"
#define FAILED      "{\"state\":\"failed\",\"parameter\":null,\"error\":" ERROR "}"
#define RESULTS(of) "{\"results\":[" of "]}"
#define HEADING     "email,login,rule,send_message,sponsors\n"

static char path[128];

static void write_csv(struct fixture *f, const char *text)
{
    snprintf(path, sizeof path, "%s/people.csv", f->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int end(void **state)
{
    unlink(path);
    return teardown(state);
}

static void rows_are_checked_then_handed_over(void **state)
{
    struct fixture *f = *state;

    write_csv(f,
              HEADING "taylor@fabrikam.com,taylor,partners,true,requester; group:6c1c3f2e-0000-4000-8000-000000000001\n"
                      "robin@fabrikam.com\n");
    answer(f, RESULTS(GOOD "," STANDS("accepted")));
    answer(f, RESULTS(STANDS("queued")));
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->out, "2 rows: 1 queued, 1 already on record\n");
    assert_string_equal(f->err, "");
    assert_int_equal(f->calls, 2);
    sent(
        f, 0, "Import",
        "{\"rows\":[{\"email\":\"taylor@fabrikam.com\",\"login\":\"taylor\",\"rule\":\"partners\",\"sendMessage\":true,"
        "\"sponsors\":[\"requester\",\"group:6c1c3f2e-0000-4000-8000-000000000001\"]},"
        "{\"email\":\"robin@fabrikam.com\"}],\"check\":true}");
    sent(
        f, 1, "Import",
        "{\"rows\":[{\"email\":\"taylor@fabrikam.com\",\"login\":\"taylor\",\"rule\":\"partners\",\"sendMessage\":true,"
        "\"sponsors\":[\"requester\",\"group:6c1c3f2e-0000-4000-8000-000000000001\"]}],\"check\":false}");
}

static void one_bad_row_stops_all(void **state)
{
    struct fixture *f = *state;

    write_csv(f, HEADING "taylor@fabrikam.com,,nosuch\nrobin@fabrikam.com\nbad@\n");
    answer(f, RESULTS(REFUSED "," GOOD));
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_BAD_ROWS);
    assert_int_equal(f->calls, 1);
    assert_non_null(strstr(f->err, "people.csv:2: rule of taylor@fabrikam.com: fabrikam.com is a verified domain"));
    assert_non_null(strstr(f->err, "people.csv:4: email: "));
    assert_non_null(strstr(f->err, "2 of 3 rows are bad; nothing was done\n  mend: "));
    assert_non_null(strstr(f->err, "\n  mend verified-domain: the domain is the tenant's own"));
    assert_non_null(strstr(f->err, "\n  mend bad-address: correct the address"));
    assert_string_equal(f->out, "");

    forget_calls(f);
    answer(f, RESULTS(REFUSED "," GOOD));
    answer(f, RESULTS(STANDS("queued")));
    cli(f, "import", "--skip-bad", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_BAD_ROWS);
    sent(f, 1, "Import", "{\"rows\":[{\"email\":\"robin@fabrikam.com\"}],\"check\":false}");
    assert_string_equal(f->out, "3 rows: 1 queued, 2 bad and left out\n");

    forget_calls(f);
    answer(f, RESULTS(REFUSED "," GOOD));
    cli(f, "import", "--json", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_BAD_ROWS);
    assert_non_null(strstr(f->out, "{\"line\":3,\"login\":null,\"email\":\"robin@fabrikam.com\",\"state\":\"ready\","
                                   "\"already\":false,\"column\":null,\"error\":null}\n"));
    assert_non_null(strstr(
        f->out, "\"state\":\"bad\",\"already\":false,\"column\":\"rule\",\"error\":{\"code\":\"verified-domain\""));
}

/* The worker gives the loop its turn: what it has not answered is sent again. */
static void what_was_not_answered_is_sent_again(void **state)
{
    struct fixture *f = *state;

    write_csv(f, HEADING "a@fabrikam.com\nb@fabrikam.com\nc@fabrikam.com\n");
    answer(f, RESULTS(GOOD "," GOOD));
    answer(f, RESULTS(GOOD));
    answer(f, RESULTS(STANDS("queued")));
    answer(f, RESULTS(STANDS("queued") "," STANDS("queued")));
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->out, "3 rows: 3 queued\n");
    sent(f, 1, "Import", "{\"rows\":[{\"email\":\"c@fabrikam.com\"}],\"check\":true}");
    sent(f, 3, "Import", "{\"rows\":[{\"email\":\"b@fabrikam.com\"},{\"email\":\"c@fabrikam.com\"}],\"check\":false}");

    forget_calls(f);
    answer(f, RESULTS(""));
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_non_null(strstr(f->err, "no results"));
    assert_non_null(strstr(f->err, "nothing was done"));
}

static void waiting_follows_to_the_end(void **state)
{
    struct fixture *f = *state;

    write_csv(f, HEADING "a@fabrikam.com\nb@fabrikam.com\n");
    answer(f, RESULTS(GOOD "," GOOD));
    answer(f, RESULTS(STANDS("queued") "," STANDS("queued")));
    answer(f, RESULTS(STANDS("queued") "," STANDS("pending")));
    answer(f, RESULTS(FAILED));
    cli(f, "import", "--wait", "--json", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    sent(f, 3, "Import", "{\"rows\":[{\"email\":\"a@fabrikam.com\"}],\"check\":true}");
    const char *pending = strstr(f->out, "\"email\":\"b@fabrikam.com\",\"state\":\"pending\"");
    const char *failed = strstr(f->out, "\"email\":\"a@fabrikam.com\",\"state\":\"failed\"");
    assert_non_null(pending);
    assert_non_null(failed);
    assert_true(pending < failed); /* each as soon as it is decided */

    forget_calls(f);
    answer(f, RESULTS(GOOD "," GOOD));
    answer(f, RESULTS(STANDS("queued") "," STANDS("queued")));
    cli(f, "import", "--wait=1", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NOT_YET);
    assert_string_equal(f->out, "2 rows: 2 queued\n");
}

static void broken_off_it_says_how_far_and_how_to_go_on(void **state)
{
    struct fixture *f = *state;

    write_csv(f, HEADING "a@fabrikam.com\nb@fabrikam.com\n");
    answer(f, RESULTS(GOOD "," GOOD));
    answer(f, RESULTS(STANDS("queued")));
    answer_error(f, EI_BUSY);
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_non_null(strstr(f->err, "1 of 2 rows are on record\n  mend: run it again with the same file"));

    forget_calls(f);
    write_csv(f, HEADING "a@fabrikam.com\nbad@\n");
    answer_error(f, EI_STORE_FULL);
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    assert_non_null(strstr(f->err, "nothing was done"));
    assert_non_null(strstr(f->err, "people.csv:3: email: ")); /* what was found is said all the same */
}

static void wrong_usage(void **state)
{
    struct fixture *f = *state;

    write_csv(f, "email,colour\n");
    cli(f, "import", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "people.csv: line 1: \"colour\" is no column"));
    cli(f, "import", "--dry-run", "--wait", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "import", "--wait=100000", path, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "export", "--himmelblau", "--csv", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "export", "--json", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "export", "--state", "lost", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_int_equal(f->calls, 0);
}

/* --- progress --- */

static int64_t clock_ms;

static int64_t told_ms(void)
{
    return clock_ms;
}

static int64_t told_s(void)
{
    return 0;
}

static int lines_of_progress(struct fixture *f, void *argument)
{
    static const struct ei_clock clock = {.now = told_s, .monotonic_ms = told_ms};
    struct ei_progress progress;

    (void)f;
    (void)argument;
    ei_clock_set(&clock);
    clock_ms = 1000;
    ei_progress_start(&progress, "queueing", false, 10000, 100);
    for (size_t done = 100; done < 10000; done += 100) {
        clock_ms += 250;
        ei_progress_show(&progress, done, done / 1000);
    }
    ei_progress_clear(&progress);
    return 0;
}

static void a_pipe_gets_few_lines(void **state)
{
    struct fixture *f = *state;

    run_child(f, lines_of_progress, NULL);
    assert_string_equal(f->err, "queueing: 4000 of 10000, 390/s, 4 failed, 15 s left\n"
                                "queueing: 8000 of 10000, 395/s, 8 failed, 5 s left\n");
}

static int bar_of_progress(struct fixture *f, void *argument)
{
    static const struct ei_clock clock = {.now = told_s, .monotonic_ms = told_ms};
    const struct winsize size = {.ws_row = 24, .ws_col = *(unsigned short *)argument};
    struct ei_progress progress;
    char seen[4096];
    int passed = dup(STDERR_FILENO);
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    (void)f;
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return 77;
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0 || dup2(terminal, STDERR_FILENO) < 0 || ioctl(terminal, TIOCSWINSZ, &size) != 0)
        return 77;
    ei_clock_set(&clock);
    clock_ms = 1000;
    ei_progress_start(&progress, "queueing", true, 10000, 0);
    clock_ms += 10000;
    ei_progress_show(&progress, 5000, 7);
    ei_progress_show(&progress, 5001, 7); /* too soon */
    ei_progress_clear(&progress);
    fflush(NULL);
    dup2(passed, STDERR_FILENO);
    close(terminal);
    for (ssize_t got; (got = read(master, seen, sizeof seen)) > 0;)
        if (write(passed, seen, (size_t)got) != got)
            return 98;
    return 0;
}

static void the_bar_fits_the_terminal(void **state)
{
    static const struct {
        unsigned short columns;
        const char *shown;
    } cases[] = {
        {80, "\r\033[Kqueueing 5000/10000 [###############               ] 500/s, 7 failed, 10 s left\r\033[K"},
        {50, "\r\033[Kqueueing 5000/10000 500/s, 7 failed, 10 s left\r\033[K"},
        {20, "\r\033[Kqueueing 5000/10000\r\033[K"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned short columns = cases[i].columns;
        run_child(f, bar_of_progress, &columns);
        if (f->exit_code == 77)
            skip(); /* no pseudo-terminals here */
        assert_string_equal(f->err, cases[i].shown);
    }
}

/* --- export --- */

#define PERSON(login, email, state, upn, asked, name)                                                                  \
    "{\"login\":" login ",\"email\":" email ",\"rule\":\"partners\",\"state\":\"" state                                \
    "\",\"userPrincipalName\":" upn ",\"asked\":" asked ",\"invitation\":{\"invitedUserDisplayName\":" name "}}"

static void export_writes_what_import_reads(void **state)
{
    struct fixture *f = *state;

    answer(f,
           "{\"accounts\":[" PERSON(
               "\"taylor\"", "\"taylor@fabrikam.com\"", "pending", "null", "null",
               "\"=cmd|'/C calc'!A0\"") "," PERSON("\"kim\"", "null", "waiting", "null", "null",
                                                   "null") "," PERSON("\"gone\"", "\"gone@fabrikam.com\"", "removed",
                                                                      "null", "null",
                                                                      "null") "," PERSON("null",
                                                                                         "\"robin@fabrikam.com\"",
                                                                                         "queued", "null",
                                                                                         "{\"displayName\":\"김, "
                                                                                         "\\\"민준\\\"\",\"message\":"
                                                                                         "\"a\\nb\",\"sendMessage\":"
                                                                                         "false,\"type\":\"member\","
                                                                                         "\"sponsors\":[\"users/"
                                                                                         "robin@contoso.com\",\"groups/"
                                                                                         "6c1c3f2e-0000-4000-8000-"
                                                                                         "000000000001\","
                                                                                         "\"requester\"]}",
                                                                                         "null") "],\"next\":null}");
    cli(f, "export", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->out,
                        "email,login,rule,display_name,redirect_url,language,message,cc,type,sponsors,send_message,"
                        "deliver\n"
                        "taylor@fabrikam.com,taylor,,'=cmd|'/C calc'!A0,,,,,,,,\n"
                        "robin@fabrikam.com,,partners,\"김, \"\"민준\"\"\",,,\"a\nb\",,member,"
                        "robin@contoso.com;group:6c1c3f2e-0000-4000-8000-000000000001;requester,false,\n");
    cli(f, "export", "--csv", "--state", "removed", NULL);
    assert_non_null(strstr(f->out, "gone@fabrikam.com,gone,"));
}

static void himmelblau_gets_a_map_it_can_read(void **state)
{
    struct fixture *f = *state;

    answer(
        f,
        "{\"accounts\":[" PERSON(
            "\"taylor\"", "\"t@fabrikam.com\"", "accepted", "\"t_fabrikam.com#EXT#@contoso.example\"", "null",
            "null") "," PERSON("\"taylor2\"", "\"t@fabrikam.com\"", "accepted",
                               "\"T_fabrikam.com#EXT#@contoso.example\"", "null",
                               "null") "," PERSON("\"#kim\"", "\"k@fabrikam.com\"", "accepted", "\"k@contoso.example\"",
                                                  "null",
                                                  "null") "," PERSON("\"alex\"", "\"a@fabrikam.com\"", "accepted",
                                                                     "null", "null",
                                                                     "null") "," PERSON("null", "\"x@fabrikam.com\"",
                                                                                        "accepted",
                                                                                        "\"x@contoso.example\"", "null",
                                                                                        "null") "," PERSON("\"robin\"",
                                                                                                           "\"r@"
                                                                                                           "fabrikam."
                                                                                                           "com\"",
                                                                                                           "accepted",
                                                                                                           "\"r@"
                                                                                                           "contoso."
                                                                                                           "example\"",
                                                                                                           "null",
                                                                                                           "null") "],"
                                                                                                                   "\"n"
                                                                                                                   "ext"
                                                                                                                   "\":"
                                                                                                                   "nul"
                                                                                                                   "l"
                                                                                                                   "}");
    cli(f, "export", "--himmelblau", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    sent(f, 0, "List", "{\"states\":[\"accepted\"]}");
    assert_string_equal(f->out, "taylor:t_fabrikam.com#EXT#@contoso.example\nrobin:r@contoso.example\n");
    assert_non_null(strstr(f->err, "taylor2: left out: another login"));
    assert_non_null(strstr(f->err, "#kim: left out: login or user principal name cannot"));
    assert_non_null(strstr(f->err, "alex: left out: its user principal name is not known"));
}

#define IMPORT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMPORT_TEST(rows_are_checked_then_handed_over),
        IMPORT_TEST(one_bad_row_stops_all),
        IMPORT_TEST(what_was_not_answered_is_sent_again),
        IMPORT_TEST(waiting_follows_to_the_end),
        IMPORT_TEST(broken_off_it_says_how_far_and_how_to_go_on),
        IMPORT_TEST(wrong_usage),
        CLI_TEST(a_pipe_gets_few_lines),
        CLI_TEST(the_bar_fits_the_terminal),
        CLI_TEST(export_writes_what_import_reads),
        CLI_TEST(himmelblau_gets_a_map_it_can_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

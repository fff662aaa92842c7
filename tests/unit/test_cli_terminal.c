/* What a person at a terminal sees more than a pipe: colours (unless NO_COLOR says no) and progress. */
#include "tests/unit/cli_run.h"

#include <sys/ioctl.h>

struct session {
    char **words;
    int fd; /* which of the standard descriptors is the terminal */
    const char *no_color;
    const char *term;
    unsigned short columns; /* 0: as the system makes it */
};

/* Runs the program with a pseudo-terminal as fd, and passes on what arrived there. */
static int on_terminal(struct fixture *f, void *argument)
{
    const struct session *session = argument;
    char seen[1024];
    ssize_t got = 0;
    int passed = dup(session->fd);
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return 77;
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0 || dup2(terminal, session->fd) < 0)
        return 77;
    const struct winsize size = {.ws_row = 24, .ws_col = session->columns};
    if (session->columns != 0 && ioctl(terminal, TIOCSWINSZ, &size) != 0)
        return 77;
    setenv("TERM", session->term, 1);
    if (session->no_color != NULL)
        setenv("NO_COLOR", session->no_color, 1);
    else
        unsetenv("NO_COLOR");
    int result = cli_program(f, session->words);
    fflush(NULL);
    /* With nobody left at its other end, the terminal gives out what it holds and then an error. */
    dup2(passed, session->fd);
    close(terminal);
    while ((got = read(master, seen, sizeof seen)) > 0)
        if (write(passed, seen, (size_t)got) != got)
            return 98;
    return result;
}

static void run_session(struct fixture *f, struct session *session, const char *verb, const char *word)
{
    char *words[] = {(char *)"entra-invite", (char *)verb, (char *)"--config", f->config, (char *)"--wait=600",
                     (char *)word,           NULL};
    if (strcmp(verb, "invite") != 0)
        words[4] = (char *)word, words[5] = NULL;
    session->words = words;
    run_child(f, on_terminal, session);
    if (f->exit_code == 77)
        skip(); /* no pseudo-terminals here */
}

static void states_have_colours(void **state)
{
    static const struct {
        const char *state;
        const char *shown;
    } cases[] = {
        {"{\"account\":" ACCOUNT("accepted", "null") "}", ": \033[32maccepted\033[m\r\n"},
        {"{\"account\":" ACCOUNT("pending", "null") "}", ": \033[33mpending\033[m\r\n"},
        {"{\"account\":" ACCOUNT("failed", "null") "}", ": \033[31mfailed\033[m\r\n"},
        {"{\"account\":" ACCOUNT("queued", "null") "}", ": queued\r\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session session = {.fd = STDOUT_FILENO, .term = "xterm"};
        forget_calls(f);
        answer(f, cases[i].state);
        run_session(f, &session, "status", "taylor");
        assert_non_null(strstr(f->out, cases[i].shown));
    }
}

static void no_color_and_dumb_terminals_are_respected(void **state)
{
    static const struct session sessions[] = {
        {.fd = STDOUT_FILENO, .term = "xterm", .no_color = "1"},
        {.fd = STDOUT_FILENO, .term = "dumb"},
    };
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("accepted", "null") "}");
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        struct session session = sessions[i];
        run_session(f, &session, "status", "taylor");
        assert_non_null(strstr(f->out, ": accepted"));
        assert_null(strchr(f->out, '\033'));
    }
    struct session empty = {.fd = STDOUT_FILENO, .term = "xterm", .no_color = ""};
    run_session(f, &empty, "status", "taylor");
    assert_non_null(strchr(f->out, '\033'));
}

static void waiting_shows_progress_in_slices(void **state)
{
    struct session session = {.fd = STDERR_FILENO, .term = "xterm"};
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
    answer(f, "{\"account\":" ACCOUNT("queued", "null") "}");
    answer(f, "{\"account\":" ACCOUNT("pending", "null") "}");
    run_session(f, &session, "invite", "taylor");
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_non_null(strstr(f->err, "queued, 0 s"));
    assert_string_equal(f->err + strlen(f->err) - 4, "\r\033[K"); /* the line is gone at the end */
    sent(f, 1, "Wait", "{\"target\":\"taylor\",\"timeout\":1000}");
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: pending\n");
}

/* Columns that a narrow terminal has no room for. */
static void a_wide_terminal_has_more_columns(void **state)
{
    static const struct {
        unsigned short columns;
        bool external_state;
        bool name;
    } cases[] = {{80, false, false}, {100, true, false}, {200, true, true}};
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[{\"login\":\"taylor\",\"email\":\"taylor@fabrikam.com\",\"rule\":\"partners\","
              "\"state\":\"pending\",\"requestedAt\":\"2026-11-23T15:29:00Z\",\"externalUserState\":"
              "\"PendingAcceptance\",\"externalUserStateChangeDateTime\":\"2026-11-23T15:29:00Z\","
              "\"userPrincipalName\":\"taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com\",\"mail\":\"none\","
              "\"error\":null}],\"next\":null}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session session = {.fd = STDOUT_FILENO, .term = "dumb", .columns = cases[i].columns};
        run_session(f, &session, "list", NULL);
        assert_int_equal(f->exit_code, EI_EXIT_DONE);
        assert_int_equal(strstr(f->out, "EXTERNAL STATE") != NULL, cases[i].external_state);
        assert_int_equal(strstr(f->out, "PendingAcceptance") != NULL, cases[i].external_state);
        assert_int_equal(strstr(f->out, "USER PRINCIPAL NAME") != NULL, cases[i].name);
        assert_int_equal(strstr(f->out, "taylor_fabrikam.com#EXT#") != NULL, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(states_have_colours),
        CLI_TEST(no_color_and_dumb_terminals_are_respected),
        CLI_TEST(a_wide_terminal_has_more_columns),
        CLI_TEST(waiting_shows_progress_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

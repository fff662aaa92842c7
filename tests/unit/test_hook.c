/* The account hook: bounded, silent where it has nothing to say, and exit 0 whatever happens (host-facts B3, P13). */
#include "common/base/paths.h"

/* The built-in paths, for this program only. */
static char test_socket[96];
static const char *test_groups;
#undef EI_SOCKET_PATH
#define EI_SOCKET_PATH test_socket
#undef EI_GROUPS_PATH
#define EI_GROUPS_PATH test_groups
int hook_main(int argc, char **argv);
#define main hook_main
/* A process that cannot be traced cannot be searched for leaks either. */
#include "common/base/secret.h"
#define ei_secret_harden_process() ((void)0)
#include "plugin/hooks/entra-invite-hook.c"
#undef main

#include "tests/unit/cli_fixture.h"

/* An account that every host has and that is not root. */
static const char existing[] = "nobody";

struct invocation {
    const char *action;
    const char *subject;
};

static int hook_program(struct fixture *f, void *argument)
{
    const struct invocation *invocation = argument;
    char *words[] = {(char *)"entra-invite-hook", NULL};

    (void)f;
    setenv("LD_PRELOAD_LIKE", "anything", 1);
    if (invocation->action != NULL)
        setenv("ACTION", invocation->action, 1);
    if (invocation->subject != NULL)
        setenv("SUBJECT", invocation->subject, 1);
    int result = hook_main(1, words);
    if (result == 0 && environ != NULL && *environ != NULL)
        return 77; /* S38: nothing of the caller's environment is left */
    return result;
}

static void hook(struct fixture *f, const char *action, const char *subject)
{
    struct invocation invocation = {action, subject};

    memcpy(test_socket, f->socket, sizeof test_socket);
    run_child(f, hook_program, &invocation);
    assert_int_equal(f->exit_code, 0);
}

#define ANNOUNCED(covered, state, error, wait)                                                                         \
    "{\"covered\":" covered ",\"account\":" ACCOUNT(state, error) ",\"wait\":" wait "}"
#define NAMED "entra-invite: nobody <taylor@fabrikam.com>"

static void announces_and_waits_when_that_is_worth_while(void **state)
{
    struct fixture *f = *state;

    answer(f, ANNOUNCED("true", "queued", "null", "5"));
    answer(f, "{\"account\":" ACCOUNT("pending", "null") "}");
    hook(f, "useradd", existing);
    sent(f, 0, "Announce", "{\"login\":\"nobody\",\"source\":\"useradd\"}");
    assert_string_equal(f->methods[1], "Wait");
    cJSON *parameters = cJSON_Parse(f->parameters[1]);
    int64_t timeout = 0;
    assert_string_equal(ei_json_string(parameters, "target"), "nobody");
    assert_true(ei_json_int(parameters, "timeout", &timeout));
    assert_true(timeout > 0 && timeout < 5000);
    cJSON_Delete(parameters);
    assert_string_equal(f->out, NAMED " is invited; 'entra-invite show nobody' has the redeem URL\n");
    assert_string_equal(f->err, "");
}

static void does_not_wait_when_it_is_not(void **state)
{
    static const struct {
        const char *reply;
        const char *line;
    } cases[] = {
        {ANNOUNCED("true", "queued", "null", "0"),
         NAMED " is queued; 'entra-invite status nobody' tells when it is invited\n"},
        {ANNOUNCED("true", "queued", ERROR, "0"),
         NAMED " is queued: fabrikam.com is a verified domain of the tenant\n"},
        {ANNOUNCED("true", "waiting", "null", "0"),
         "entra-invite: nobody has no address yet; it is invited once its comment holds one: "
         "Name <name@company.example>\n"},
        {ANNOUNCED("true", "accepted", "null", "0"), NAMED " is a guest already\n"},
        {ANNOUNCED("true", "failed", ERROR, "0"),
         NAMED " is not invited: fabrikam.com is a verified domain of the tenant; the mend\n"},
        {ANNOUNCED("true", "held", "null", "0"), NAMED " is held; 'entra-invite adopt nobody' lets it go on\n"},
        {ANNOUNCED("true", "removed", "null", "0"),
         NAMED " was removed; 'entra-invite invite nobody' invites it again\n"},
        {"{\"covered\":false,\"account\":null,\"wait\":0}", ""},
        {"{\"covered\":true,\"account\":null,\"wait\":0}", ""},
        {"{}", ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forget_calls(f);
        answer(f, cases[i].reply);
        hook(f, "useradd", existing);
        assert_int_equal(f->calls, 1);
        assert_string_equal(f->out, cases[i].line);
        assert_string_equal(f->err, "");
    }
}

static void says_queued_when_the_time_is_up(void **state)
{
    struct fixture *f = *state;

    answer(f, ANNOUNCED("true", "queued", "null", "5"));
    answer(f, "{\"account\":" ACCOUNT("queued", "null") "}");
    hook(f, "useradd", existing);
    assert_int_equal(f->calls, 2);
    assert_string_equal(f->out, NAMED " is queued; 'entra-invite status nobody' tells when it is invited\n");
}

static void an_error_of_wait_does_not_hide_the_announcement(void **state)
{
    struct fixture *f = *state;

    answer(f, ANNOUNCED("true", "queued", "null", "5"));
    answer_error(f, EI_STORE_DAMAGED);
    hook(f, "useradd", existing);
    assert_string_equal(f->out, NAMED " is queued; 'entra-invite status nobody' tells when it is invited\n");
}

static void userdel_is_silent(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"covered\":true,\"account\":null,\"wait\":5}");
    hook(f, "userdel", "somebody-that-is-gone");
    sent(f, 0, "Announce", "{\"login\":\"somebody-that-is-gone\",\"source\":\"userdel\"}");
    assert_int_equal(f->calls, 1);
    assert_string_equal(f->out, "");
    assert_string_equal(f->err, "");
}

static void asks_nothing_about_what_is_not_its_business(void **state)
{
    static const struct invocation cases[] = {
        {"useradd", "somebody-of-another-tree"}, /* useradd --prefix */
        {"useradd", "root"},
        {"userdel", "nobody"}, /* userdel --prefix: it is still there */
        {"useradd", ""},
        {"useradd", NULL},
        {NULL, "nobody"},
        {"groupadd", "nobody"},
        {"useradd-and-a-lot-more", "nobody"},
        {"userdel", "a:b"},
        {"userdel", "a\nb"},
        {"userdel", "a\033[31m"},
        {"userdel", "a\xff"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hook(f, cases[i].action, cases[i].subject);
        assert_string_equal(f->out, "");
        assert_string_equal(f->err, "");
    }
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    hook(f, "userdel", longer);
    assert_int_equal(f->calls, 0);
}

static void a_worker_that_is_down_is_said_once(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    test_groups = "/nonexistent/groups"; /* it never ran */
    hook(f, "useradd", existing);
    assert_string_equal(f->out, "");
    assert_string_equal(f->err, "");
    test_groups = "/etc/passwd"; /* any file that is there */
    hook(f, "useradd", existing);
    assert_string_equal(f->out, "");
    assert_string_equal(f->err, "entra-invite: entra-invited is not running; it looks at nobody when it starts\n");
}

static void a_worker_that_refuses_is_said(void **state)
{
    struct fixture *f = *state;

    answer_error(f, EI_STORE_FULL);
    hook(f, "useradd", existing);
    assert_string_equal(f->out, "");
    assert_string_equal(f->err, "entra-invite: nobody: taylor: the reason; entra-invited finds out by itself\n");
}

static void text_of_others_cannot_move_the_cursor(void **state)
{
    struct fixture *f = *state;

    answer(
        f,
        "{\"covered\":true,\"account\":{\"state\":\"pending\",\"email\":\"a\\u001b[2J\\nb@c\\u0085.d\"},\"wait\":0}");
    hook(f, "useradd", existing);
    assert_string_equal(f->out, "entra-invite: nobody <a?[2J?b@c?\?.d> is invited; 'entra-invite show nobody' has the "
                                "redeem URL\n");
}

static int hook_with_closed_output(struct fixture *f, void *argument)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    return hook_program(f, argument);
}

static int hook_with_broken_pipe(struct fixture *f, void *argument)
{
    int ends[2];

    if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0)
        return 99;
    close(ends[0]);
    return hook_program(f, argument);
}

static void nobody_to_read_its_line_is_no_error(void **state)
{
    struct invocation invocation = {"useradd", existing};
    struct fixture *f = *state;

    memcpy(test_socket, f->socket, sizeof test_socket);
    answer(f, ANNOUNCED("true", "pending", "null", "0"));
    run_child(f, hook_with_closed_output, &invocation);
    assert_int_equal(f->exit_code, 0);
    run_child(f, hook_with_broken_pipe, &invocation);
    assert_int_equal(f->exit_code, 0);
    assert_int_equal(f->calls, 2);
}

static int hook_with_argument(struct fixture *f, void *argument)
{
    char *words[] = {(char *)"entra-invite-hook", argument, NULL};

    (void)f;
    optind = 0;
    return hook_main(2, words);
}

static void answers_help_and_version(void **state)
{
    struct fixture *f = *state;

    run_child(f, hook_with_argument, (char *)"--help");
    assert_int_equal(f->exit_code, 0);
    assert_non_null(strstr(f->out, "usage: "));
    run_child(f, hook_with_argument, (char *)"--version");
    assert_int_equal(f->exit_code, 0);
    assert_true(strncmp(f->out, "entra-invite-hook ", 18) == 0);
    run_child(f, hook_with_argument, (char *)"--\x1b[2J");
    assert_int_equal(f->exit_code, 2);
    assert_string_equal(f->err, "entra-invite-hook: takes no arguments; see --help\n"); /* S16 */
}

#define HOOK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOOK_TEST(announces_and_waits_when_that_is_worth_while),
        HOOK_TEST(does_not_wait_when_it_is_not),
        HOOK_TEST(says_queued_when_the_time_is_up),
        HOOK_TEST(an_error_of_wait_does_not_hide_the_announcement),
        HOOK_TEST(userdel_is_silent),
        HOOK_TEST(asks_nothing_about_what_is_not_its_business),
        HOOK_TEST(a_worker_that_is_down_is_said_once),
        HOOK_TEST(a_worker_that_refuses_is_said),
        HOOK_TEST(text_of_others_cannot_move_the_cursor),
        HOOK_TEST(nobody_to_read_its_line_is_no_error),
        HOOK_TEST(answers_help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

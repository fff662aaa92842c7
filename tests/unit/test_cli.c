/* entra-invite against a worker that answers as told: what it sends, prints and exits with are interfaces. */
#include "tests/unit/cli_run.h"

static void an_unknown_verb_lists_the_verbs(void **state)
{
    static const char *const later[] = {"imports", "rest"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        cli(f, later[i], NULL);
        assert_int_equal(f->exit_code, EI_EXIT_USAGE);
        assert_non_null(strstr(f->err, "no such verb"));
        const char *at = strstr(f->err, "mend: use one of ");
        assert_non_null(at);
        for (const struct ei_verb *verb = ei_cli_verbs; verb->name != NULL; verb++)
            assert_non_null(at = strstr(at, verb->name));
        assert_string_equal(f->out, "");
    }
}

static void wrong_usage_names_the_option_and_asks_nothing(void **state)
{
    struct fixture *f = *state;

    cli(f, "show", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "entra-invite: show: takes LOGIN|ADDRESS\n  mend: see entra-invite show --help\n"));
    cli(f, "refresh", "extra", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "show", "--nothing", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "--nothing"));
    cli(f, "show", "--json=yes", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "invite", "taylor", "--rule", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "--rule: needs a value"));
    cli(f, "invite", "taylor", "--wait=0", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "invite", "taylor", "--type", "robot", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "invite", "taylor", "--send-message", "--no-send-message", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "status", "--nothing", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_STATUS_ERROR);
    cli(f, "list", "--state", "lost", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "adopt", "--rule", "partners", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "remove", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "remove", "--confirm", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "remove", "--disable", "--delete", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_int_equal(f->calls, 0);
}

static void a_target_is_text(void **state)
{
    /* S14, S16: refused, not repaired */
    static const char *const bad[] = {"", "tay\nlor", "tay\033[31mlor", "tay\xff", "\xc2\x85"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cli(f, "show", bad[i], NULL);
        assert_int_equal(f->exit_code, EI_EXIT_USAGE);
        assert_null(strchr(f->err, '\033'));
    }
    assert_int_equal(f->calls, 0);
}

static void invite_sends_what_was_asked(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
    cli(f, "invite", "taylor", "--rule", "partners", "--display-name", "Taylor Ex\xc3\xa4mple", "--redirect-url",
        "https://a.example/", "--message", "Hello\nTaylor", "--language", "de-DE", "--cc", "boss@fabrikam.com",
        "--type", "member", "--send-message", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Invite",
         "{\"target\":\"taylor\",\"rule\":\"partners\",\"displayName\":\"Taylor Ex\xc3\xa4mple\",\"redirectUrl\":"
         "\"https://a.example/\",\"message\":\"Hello\\nTaylor\",\"language\":\"de-DE\",\"cc\":\"boss@fabrikam.com\","
         "\"type\":\"member\",\"sendMessage\":true}");
    cJSON *parameters = cJSON_Parse(f->parameters[0]);
    assert_non_null(ei_json_string(parameters, "requestedBy"));
    cJSON_Delete(parameters);
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: queued\n");
    assert_string_equal(f->err, "");
}

/* Contract 2.2, 2.3: five sponsors, one copy. */
static void invite_names_sponsors(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
    cli(f, "invite", "taylor", "--sponsor", "requester", "--sponsor", "group:0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02",
        NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Invite",
         "{\"target\":\"taylor\",\"sponsors\":[\"requester\",\"group:0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\"]}");
    cli(f, "invite", "taylor", "--sponsor", "alice", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "\"alice\" is no sponsor"));
    cli(f, "invite", "taylor", "--sponsor", "a@b.ex", "--sponsor", "b@b.ex", "--sponsor", "c@b.ex", "--sponsor",
        "d@b.ex", "--sponsor", "e@b.ex", "--sponsor", "f@b.ex", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "at most 5 sponsors for a guest, not 6"));
    cli(f, "invite", "taylor", "--cc", "a@b.ex", "--cc", "b@b.ex", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "Microsoft Graph takes one cc recipient, not 2"));
}

/* reset: what was asked, what it prints, and that a refusal is told by the exit code once it is waited for. */
static void reset_asks_and_waits(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") "}");
    cli(f, "reset", "taylor", "--email", "new@fabrikam.com", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Reset", "{\"target\":\"taylor\",\"email\":\"new@fabrikam.com\"}");
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: queued\n");
    cli(f, "reset", "--wait=1", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NOT_YET);
    answer(f, "{\"account\":" ACCOUNT("pending", ERROR) "}");
    cli(f, "reset", "--wait=1", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    answer(f, "{\"account\":" ACCOUNT("pending", "null") "}");
    cli(f, "reset", "--wait=1", "taylor", "--json", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_int_equal(f->out[0], '{');
    cli(f, "reset", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    cli(f, "reset", "taylor", "--email", "a\nb", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
}

static void invite_tells_a_guest_that_is_one(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("accepted", "null") ",\"alreadyGuest\":true}");
    cli(f, "invite", "--wait", "--no-send-message", "taylor@fabrikam.com", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Invite", "{\"target\":\"taylor@fabrikam.com\",\"sendMessage\":false}");
    assert_int_equal(f->calls, 1);
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: already a guest\n");
}

static void invite_dry_run_prints_the_body(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false,\"body\":{\"invitedUserEmailAddress\":"
                                                        "\"taylor@fabrikam.com\"}}");
    cli(f, "invite", "--dry-run", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Invite", "{\"target\":\"taylor\",\"dryRun\":true}");
    cJSON *body = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(body, "invitedUserEmailAddress"), "taylor@fabrikam.com");
    cJSON_Delete(body);
    cli(f, "invite", "--dry-run", "--json", "taylor", NULL);
    cJSON *whole = cJSON_Parse(f->out);
    assert_non_null(ei_json_object(whole, "account"));
    assert_non_null(ei_json_object(whole, "body"));
    cJSON_Delete(whole);
}

static void invite_waits_for_the_outcome(void **state)
{
    static const struct {
        const char *reply;
        int exit_code;
    } cases[] = {
        {"{\"account\":" ACCOUNT("pending", "null") "}", EI_EXIT_DONE},
        {"{\"account\":" ACCOUNT("accepted", "null") "}", EI_EXIT_DONE},
        {"{\"account\":" ACCOUNT("failed", ERROR) "}", EI_EXIT_FAILED},
        {"{\"account\":" ACCOUNT("removed", "null") "}", EI_EXIT_FAILED},
        {"{\"account\":" ACCOUNT("held", "null") "}", EI_EXIT_NOT_YET},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forget_calls(f);
        answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
        answer(f, "{\"account\":" ACCOUNT("queued", "null") "}");
        answer(f, cases[i].reply);
        cli(f, "invite", "--wait=30", "taylor", NULL);
        assert_int_equal(f->exit_code, cases[i].exit_code);
        assert_int_equal(f->calls, 3);
        assert_string_equal(f->methods[2], "Wait");
        assert_string_equal(f->err, ""); /* no progress but on a terminal */
    }
    forget_calls(f);
    answer(f, "{\"account\":" ACCOUNT("failed", ERROR) ",\"alreadyGuest\":false}");
    cli(f, "invite", "--wait", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    assert_non_null(strstr(f->out, "reason: fabrikam.com is a verified domain of the tenant\nmend: the mend\n"));
}

static void a_message_file_is_checked_before_anything_is_asked(void **state)
{
    struct fixture *f = *state;
    char path[96];
    char *large = malloc(64 * 1024 + 1);

    memset(large, 'x', 64 * 1024 + 1);
    snprintf(path, sizeof path, "%s/message", f->directory);
    const struct {
        const char *text;
        size_t length;
        bool good;
    } cases[] = {
        {"Gr\xc3\xbc\xc3\x9f"
         "e\n\tTaylor\n",
         16, true},
        {large, 64 * 1024, true},
        {large, 64 * 1024 + 1, false},
        {"latin \xfc\n", 8, false},
        {"bell \a\n", 7, false},
        {"nul \0\n", 6, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forget_calls(f);
        answer(f, "{\"account\":" ACCOUNT("queued", "null") ",\"alreadyGuest\":false}");
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, cases[i].text, cases[i].length), cases[i].length);
        close(fd);
        cli(f, "invite", "--message-file", path, "taylor", NULL);
        assert_int_equal(f->exit_code, cases[i].good ? EI_EXIT_DONE : EI_EXIT_USAGE);
        assert_int_equal(f->calls, cases[i].good ? 1 : 0);
        assert_true(cases[i].good || strstr(f->err, path) != NULL);
    }
    unlink(path);
    cli(f, "invite", "--message-file", path, "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "No such file"));
    free(large);
}

static void the_workers_error_has_reason_request_id_and_mend(void **state)
{
    static const struct {
        enum ei_err error;
        int exit_code;
    } cases[] = {
        {EI_NOT_COVERED, EI_EXIT_FAILED},
        {EI_NOT_FOUND, EI_EXIT_NOT_FOUND},
        {EI_BUSY, EI_EXIT_NO_ANSWER},
        {EI_USAGE, EI_EXIT_USAGE},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[1024];
        forget_calls(f);
        answer_error(f, cases[i].error);
        cli(f, "invite", "taylor", NULL);
        assert_int_equal(f->exit_code, cases[i].exit_code);
        snprintf(expected, sizeof expected,
                 "entra-invite: taylor: the reason\n  request-id: 6c1c3f2e-0000-4000-8000-000000000001\n"
                 "  client-request-id: 6c1c3f2e-0000-4000-8000-000000000002\n  mend: %s\n",
                 ei_err_mend(cases[i].error));
        assert_string_equal(f->err, expected);
        assert_string_equal(f->out, "");
    }
}

static void a_worker_that_is_down_is_said(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    cli(f, "list", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_non_null(strstr(f->err, "entra-invite: list: entra-invited does not answer on "));
    assert_non_null(strstr(f->err, "  mend: start it: systemctl start entra-invited"));
}

static void show_prints_every_member(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ACCOUNT("failed", ERROR) "}");
    cli(f, "show", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "Show", "{\"target\":\"taylor\"}");
    assert_string_equal(f->out, "login: taylor\nhost: h1\nemail: taylor@fabrikam.com\nrule: partners\nstate: failed\n"
                                "requestedBy: root\nrequestedAt: 2026-11-23T15:29:00Z\n"
                                "inviteRedeemUrl: https://login.example/redeem?x\ninvitedUserType: Guest\n"
                                "externalUserState: PendingAcceptance\ncheckedAt: 2026-11-23T15:30:00Z\nmail: none\n"
                                "error: verified-domain\nreason: fabrikam.com is a verified domain of the tenant\n"
                                "mend: the mend\nrequest-id: req-1\nclient-request-id: crid-1\n");
    cli(f, "show", "--json", "taylor", NULL);
    cJSON *account = cJSON_Parse(f->out);
    assert_string_equal(ei_json_string(account, "inviteRedeemUrl"), "https://login.example/redeem?x");
    assert_string_equal(ei_json_string(ei_json_object(account, "error"), "code"), "verified-domain");
    cJSON_Delete(account);
}

static void text_of_others_cannot_move_the_cursor(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":{\"login\":\"a\\u001b[2Jb\\nstate: accepted\",\"state\":\"failed\",\"mail\":\"none\","
              "\"error\":{\"code\":\"x\",\"message\":\"c\\u0085d\",\"mend\":\"m\",\"permanent\":true}}}");
    cli(f, "show", "taylor", NULL);
    assert_string_equal(f->out, "login: a\\x1b[2Jb\\x0astate: accepted\nstate: failed\nmail: none\nerror: x\n"
                                "reason: c\\xc2\\x85d\nmend: m\n");
}

static void status_exits_by_the_state(void **state)
{
    static const struct {
        const char *reply;
        int exit_code;
    } cases[] = {
        {"{\"account\":" ACCOUNT("accepted", "null") "}", 0}, {"{\"account\":" ACCOUNT("pending", "null") "}", 1},
        {"{\"account\":" ACCOUNT("queued", "null") "}", 1},   {"{\"account\":" ACCOUNT("waiting", "null") "}", 1},
        {"{\"account\":" ACCOUNT("held", "null") "}", 1},     {"{\"account\":" ACCOUNT("failed", ERROR) "}", 2},
        {"{\"account\":" ACCOUNT("removed", "null") "}", 3},  {"{\"account\":" ACCOUNT("new", "null") "}", 4},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forget_calls(f);
        answer(f, cases[i].reply);
        cli(f, "status", "taylor", NULL);
        assert_int_equal(f->exit_code, cases[i].exit_code);
        assert_true(strncmp(f->out, "taylor <taylor@fabrikam.com>: ", 30) == 0);
        assert_null(strstr(f->out, "redeem")); /* the URL is show's */
        assert_null(strchr(f->out, '\033'));
    }
    forget_calls(f);
    answer_error(f, EI_NOT_FOUND);
    cli(f, "status", "nobody-known", NULL);
    assert_int_equal(f->exit_code, 3);
    forget_calls(f);
    answer_error(f, EI_STORE_DAMAGED);
    cli(f, "status", "taylor", NULL);
    assert_int_equal(f->exit_code, 4);
}

static void status_alone_tells_of_the_worker(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"status\":\"12 pending, 1 failed\",\"tenant\":\"contoso.onmicrosoft.com\",\"blocked\":null,"
              "\"doubt\":null,\"holdUntil\":null,\"mailHeld\":false,\"lastRefresh\":\"2026-11-23T15:30:00Z\","
              "\"counts\":{\"pending\":12,\"failed\":1},\"notes\":[\"a note\"]}");
    answer(f, "{\"status\":\"waiting\",\"blocked\":null,\"trouble\":" ERROR ",\"doubt\":null,\"counts\":{}}");
    answer(f, "{\"status\":\"blocked\",\"tenant\":\"contoso.onmicrosoft.com\",\"blocked\":" ERROR
              ",\"doubt\":null,\"holdUntil\":\"2026-11-23T15:31:00Z\",\"mailHeld\":true,\"lastRefresh\":null,"
              "\"counts\":{},\"notes\":[]}");
    cli(f, "status", NULL);
    assert_int_equal(f->exit_code, 0);
    assert_string_equal(f->out, "status: 12 pending, 1 failed\ntenant: contoso.onmicrosoft.com\npending: 12\n"
                                "failed: 1\nlast refresh: 2026-11-23T15:30:00Z\nnote: a note\n");
    cli(f, "status", NULL);
    assert_int_equal(f->exit_code, 2);
    assert_non_null(strstr(f->out, "trouble: fabrikam.com is a verified domain of the tenant\nmend: the mend\n"));
    cli(f, "status", NULL);
    assert_int_equal(f->exit_code, 2);
    assert_non_null(strstr(f->out, "blocked: fabrikam.com is a verified domain of the tenant\nmend: the mend\n"));
    assert_non_null(strstr(f->out, "holds until: 2026-11-23T15:31:00Z\nmail: held"));
}

static void the_changing_verbs_send_what_was_asked(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[" ACCOUNT("queued", "null") "]}");
    cli(f, "adopt", "--dry-run", "taylor", "alex", NULL);
    sent(f, 0, "Adopt", "{\"logins\":[\"taylor\",\"alex\"],\"dryRun\":true}");
    assert_string_equal(f->out, "taylor <taylor@fabrikam.com>: queued\n1 account would go on\n");
    cli(f, "adopt", "--rule", "partners", NULL);
    sent(f, 1, "Adopt", "{\"rule\":\"partners\"}");
    cli(f, "adopt", NULL);
    sent(f, 2, "Adopt", "{}");
    assert_string_equal(f->out, "mail is no longer held\n");

    forget_calls(f);
    answer(f, "{\"account\":" ACCOUNT("pending", "null") "}");
    cli(f, "resend", "taylor", NULL);
    sent(f, 0, "Resend", "{\"target\":\"taylor\"}");
    cli(f, "remove", "--delete", "--forget", "taylor", NULL);
    sent(f, 1, "Remove", "{\"target\":\"taylor\",\"action\":\"delete\",\"forget\":true}");
    cli(f, "remove", "--disable", "taylor", NULL);
    sent(f, 2, "Remove", "{\"target\":\"taylor\",\"action\":\"disable\"}");

    forget_calls(f);
    answer(f, "{\"account\":null}");
    cli(f, "remove", "--confirm", NULL);
    sent(f, 0, "Remove", "{\"confirm\":true}");
    assert_string_equal(f->out, "confirmed\n");

    forget_calls(f);
    answer(f, "{\"done\":false,\"error\":null}");
    answer(f, "{\"done\":true,\"error\":null}");
    answer(f, "{\"done\":false,\"error\":null}");
    answer(f, "{\"done\":true,\"error\":" ERROR "}");
    cli(f, "refresh", NULL);
    sent(f, 0, "Refresh", "{}");
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    cli(f, "refresh", "--wait=7", NULL);
    sent(f, 1, "Refresh", "{\"wait\":true,\"timeout\":7000}");
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    cli(f, "refresh", "--wait", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NOT_YET);
    cli(f, "refresh", "--wait", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    assert_string_equal(f->out, "not everything is refreshed\nerror: verified-domain\n"
                                "reason: fabrikam.com is a verified domain of the tenant\nmend: the mend\n"
                                "request-id: req-1\nclient-request-id: crid-1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(an_unknown_verb_lists_the_verbs),
        CLI_TEST(wrong_usage_names_the_option_and_asks_nothing),
        CLI_TEST(a_target_is_text),
        CLI_TEST(invite_sends_what_was_asked),
        CLI_TEST(invite_names_sponsors),
        CLI_TEST(reset_asks_and_waits),
        CLI_TEST(invite_tells_a_guest_that_is_one),
        CLI_TEST(invite_dry_run_prints_the_body),
        CLI_TEST(invite_waits_for_the_outcome),
        CLI_TEST(a_message_file_is_checked_before_anything_is_asked),
        CLI_TEST(the_workers_error_has_reason_request_id_and_mend),
        CLI_TEST(a_worker_that_is_down_is_said),
        CLI_TEST(show_prints_every_member),
        CLI_TEST(text_of_others_cannot_move_the_cursor),
        CLI_TEST(status_exits_by_the_state),
        CLI_TEST(status_alone_tells_of_the_worker),
        CLI_TEST(the_changing_verbs_send_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

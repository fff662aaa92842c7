/* The session line, and `quiet`: who is let in by pending=warn reads of it when a shell opens (design, PAM). */
#include "tests/unit/pam_fixture.h"

typedef int entry_point(pam_handle_t *, int, int, const char **);

/* The entry point by itself: its code, and what it said. */
static int session_code(const char *name, const char *user, int flags, struct heard *heard)
{
    char view[200];
    const char *arguments[] = {view, "groups=" GROUP};
    struct pam_conv conv = {converse, heard};
    pam_handle_t *pamh;

    memset(heard, 0, sizeof *heard);
    snprintf(view, sizeof view, "view=%s", view_path);
    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    entry_point *entry = (entry_point *)dlsym(library, name);
    assert_non_null(entry);
    assert_int_equal(pam_start("ei-none", user, &conv, &pamh), PAM_SUCCESS);
    listener = heard;
    int code = entry(pamh, flags, 2, arguments);
    listener = NULL;
    pam_end(pamh, PAM_SUCCESS);
    dlclose(library);
    return code;
}

static int opened(const char *user, struct heard *heard)
{
    return session_code("pam_sm_open_session", user, 0, heard);
}

static void whom_the_gate_would_refuse_is_told(void **state)
{
    static const enum ei_state refused[] = {EI_STATE_WAITING, EI_STATE_HELD,    EI_STATE_QUEUED, EI_STATE_PENDING,
                                            EI_STATE_FAILED,  EI_STATE_REMOVED, EI_STATE_EXPIRED};
    struct heard heard;
    (void)state;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        healthy(refused[i]);
        assert_int_equal(opened("taylor", &heard), PAM_IGNORE);
        assert_int_equal(heard.messages, 1);
        assert_int_equal(heard.style, PAM_TEXT_INFO);
        assert_non_null(strstr(heard.text, "entra-invite: warning: taylor "));
        assert_int_equal(heard.errors + heard.notices, 0); /* the account line has logged it */
    }
    healthy(0);
    assert_int_equal(opened("kim", &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 1);
}

static void nobody_else_is(void **state)
{
    struct heard heard;
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    assert_int_equal(opened("taylor", &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
    healthy(0);
    static const char *const others[] = {"robin", "root", "sasha", "ghost", NULL};
    for (size_t i = 0; others[i] != NULL; i++) {
        assert_int_equal(opened(others[i], &heard), PAM_IGNORE);
        assert_int_equal(heard.messages, 0);
    }
    assert_int_equal(opened(NULL, &heard), PAM_IGNORE);
    healthy(EI_STATE_PENDING);
    assert_int_equal(session_code("pam_sm_open_session", "taylor", PAM_SILENT, &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
    assert_int_equal(session_code("pam_sm_close_session", "taylor", 0, &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
}

/* A session is never refused, whatever fails (S24 is the account line's). */
static void failures_say_nothing_and_refuse_nobody(void **state)
{
    struct heard heard;
    (void)state;

    without_view(FROM_OPTION);
    assert_int_equal(opened("taylor", &heard), PAM_IGNORE);
    assert_non_null(strstr(heard.text, "missing"));
    assert_int_equal(opened("robin", &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
    fake.passwd_error = EIO;
    assert_int_equal(opened("taylor", &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
    fake.passwd_error = 0;
    fake.list_fails = true;
    assert_int_equal(opened("taylor", &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
}

static void quiet_leaves_the_warning_to_the_log(void **state)
{
    struct heard heard;
    (void)state;

    healthy(EI_STATE_PENDING);
    write_services(module_path, "groups=" GROUP " pending=warn quiet");
    assert_int_equal(module_code("taylor", 0, &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 0);
    assert_int_equal(heard.notices, 1);
    assert_non_null(strstr(heard.line, "would be refused"));
    /* Who is refused is always told. */
    write_services(module_path, "groups=" GROUP " quiet");
    assert_int_equal(module_code("taylor", 0, &heard), PAM_PERM_DENIED);
    assert_int_equal(heard.messages, 1);
    assert_int_equal(heard.errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MODULE(whom_the_gate_would_refuse_is_told),
        WITH_MODULE(nobody_else_is),
        WITH_MODULE(failures_say_nothing_and_refuse_nobody),
        WITH_MODULE(quiet_leaves_the_warning_to_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The gate's answers through a real libpam: the matrix of rules.md's return code contract, and each failure by itself.
 */
#include "tests/unit/pam_fixture.h"

#include "tests/host/pam-matrix/cells.c"

/* S1, S2, S11, S12, S24: account × condition × source of the groups × pending= × control line. */
static void S12_every_cell(void **state)
{
    int cells;
    (void)state;

    assert_int_equal(run_cells(module_path, &cells), 0);
    assert_int_equal(cells, condition_count * SOURCES * 2 * account_count);
}

static void S11_nobody_is_no_success(void **state)
{
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    assert_int_equal(code_of(NULL), PAM_USER_UNKNOWN);
    assert_int_equal(code_of(""), PAM_USER_UNKNOWN);
    assert_int_equal(code_of("ghost"), PAM_USER_UNKNOWN);
    assert_int_equal(code_of("taylor"), PAM_SUCCESS);
}

/* S2, S11: a database that cannot be asked is another thing than one that says no. */
static void S2_passwd_that_fails(void **state)
{
    static const struct {
        int error, code;
    } cases[] = {{0, PAM_SUCCESS},      {ENOENT, PAM_USER_UNKNOWN}, {ESRCH, PAM_USER_UNKNOWN},
                 {ENOMEM, PAM_BUF_ERR}, {EMFILE, PAM_SYSTEM_ERR},   {ENFILE, PAM_SYSTEM_ERR},
                 {EIO, PAM_SYSTEM_ERR}, {ERANGE, PAM_BUF_ERR}};
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake.passwd_error = cases[i].error;
        assert_int_equal(code_of("taylor"), cases[i].code);
        assert_int_equal(code_of("root"), PAM_IGNORE); /* who has to mend it passes, as pam_entra_invite(8) says */
    }
}

enum { NO_RECORD_WAYS = 3 };

/* So that groups decide: no record in the view, or no view, and the groups from an option or from a file. */
static void without_record(int way)
{
    if (way == 0)
        healthy(0);
    else
        without_view(way == 1 ? FROM_OPTION : FROM_FILE);
}

/* S24: what could not be checked is not checked. But a directory that is down must not shut out local accounts. */
static void S24_groups_that_fail(void **state)
{
    static const struct {
        int error, code;
    } cases[] = {{ENOMEM, PAM_BUF_ERR}, {ERANGE, PAM_BUF_ERR},      {EMFILE, PAM_SYSTEM_ERR}, {ENFILE, PAM_SYSTEM_ERR},
                 {EIO, PAM_IGNORE},     {ECONNREFUSED, PAM_IGNORE}, {ENOENT, PAM_IGNORE}};
    (void)state;

    for (int broken = 0; broken < NO_RECORD_WAYS; broken++) {
        without_record(broken);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            fake.group_error = cases[i].error;
            assert_int_equal(code_of("robin"), cases[i].code);
        }
        fake.group_error = 0;
        fake.list_fails = true;
        assert_int_equal(code_of("robin"), PAM_BUF_ERR);
        assert_int_equal(code_of("taylor"), PAM_BUF_ERR);
        /* The primary group needs no list. */
        assert_int_equal(code_of("kim"), broken != 0 ? PAM_AUTHINFO_UNAVAIL : PAM_PERM_DENIED);
        fake.list_fails = false;
    }
}

/* S1, S24: where memory or descriptors lack, glibc's list of groups comes short without an error. Who is named in the
 * covered group's own entry is covered all the same. */
static void S24_a_list_of_groups_that_comes_short(void **state)
{
    (void)state;

    for (int broken = 0; broken < NO_RECORD_WAYS; broken++) {
        without_record(broken);
        fake.lists_members = fake.list_short = true;
        assert_int_equal(code_of("taylor"), broken != 0 ? PAM_AUTHINFO_UNAVAIL : PAM_PERM_DENIED);
        assert_int_equal(code_of("robin"), PAM_IGNORE);
        fake.lists_members = fake.list_short = false;
    }
}

/* With a record, no group is looked up at all (L1); without one, once. */
static void L1_groups_are_asked_for_only_without_a_record(void **state)
{
    struct heard heard;
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    account_session(REQUIRED, "taylor", 0, &heard);
    account_session(REQUIRED, "robin", 0, &heard);
    assert_int_equal(fake.list_calls, 0);
    healthy(0);
    account_session(REQUIRED, "robin", 0, &heard);
    assert_int_equal(fake.list_calls, 1);
}

static void large_entries_are_read(void **state)
{
    (void)state;
    fake.passwd_size = 100000;
    fake.group_size = 1000000;
    healthy(EI_STATE_ACCEPTED);
    assert_int_equal(code_of("taylor"), PAM_SUCCESS);
    healthy(0);
    assert_int_equal(code_of("taylor"), PAM_PERM_DENIED);
    assert_int_equal(code_of("robin"), PAM_IGNORE);
    /* Beyond every reason: nothing can be said, so nothing is let in. */
    fake.group_size = (size_t)1 << 30;
    assert_int_equal(code_of("taylor"), PAM_BUF_ERR);
    fake.passwd_size = (size_t)1 << 30;
    assert_int_equal(code_of("taylor"), PAM_BUF_ERR);
}

static void members_of_many_groups(void **state)
{
    static const int numbers[] = {253, 254, 255, 256, 257, 5000};
    (void)state;

    healthy(0);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        fake.more_groups = numbers[i];
        assert_int_equal(code_of("taylor"), PAM_PERM_DENIED);
        assert_int_equal(code_of("robin"), PAM_IGNORE);
    }
}

/* With CHFN_RESTRICT holding f, users write the first part of GECOS themselves: it must not match a record. */
static void an_untrusted_first_part_does_not_match(void **state)
{
    struct ei_view_header header = plain_header();
    (void)state;

    healthy(0);
    header.first_trusted = false;
    make(&header, EI_STATE_ACCEPTED, 0, OWN_ADDRESS);
    assert_int_equal(code_of("taylor"), PAM_PERM_DENIED);
    assert_int_equal(code_of("robin"), PAM_IGNORE);
    assert_int_equal(code_of("kim"), PAM_SUCCESS); /* mail= in the fifth part */
}

/* S22: the login may come back from the directory in another spelling; the module must not set it. */
static void S22_the_user_stays_as_it_was_given(void **state)
{
    struct heard heard;
    struct pam_conv conv = {converse, &heard};
    pam_handle_t *pamh;
    const void *user;
    char confdir[160];
    (void)state;

    healthy(EI_STATE_PENDING);
    snprintf(confdir, sizeof confdir, "%s/pam.d", base);
    assert_int_equal(pam_start_confdir("required", "TAYLOR", &conv, confdir, &pamh), PAM_SUCCESS);
    assert_int_equal(pam_acct_mgmt(pamh, PAM_SILENT), PAM_PERM_DENIED);
    assert_int_equal(pam_get_item(pamh, PAM_USER, &user), PAM_SUCCESS);
    assert_string_equal(user, "TAYLOR");
    pam_end(pamh, PAM_SUCCESS);
}

/* A failure of the system, not of the file: a name longer than names can be. */
static void S2_a_view_that_the_system_cannot_open(void **state)
{
    char view[600], options[700];
    struct heard heard;
    (void)state;

    healthy(EI_STATE_ACCEPTED);
    snprintf(view, sizeof view, "%s/public/", base);
    memset(view + strlen(view), 'x', 300);
    view[strlen(base) + 308] = '\0';
    snprintf(options, sizeof options, "view=%s groups=%s", view, GROUP);
    write_services(module_path, options);
    assert_int_equal(module_code("taylor", 0, &heard), PAM_SYSTEM_ERR);
    assert_non_null(strstr(heard.text, "cannot be read"));
    assert_int_equal(module_code("robin", 0, &heard), PAM_IGNORE);
    assert_int_equal(heard.errors, 1);
    snprintf(options, sizeof options, "view=%s groups=%s pending=warn", view, GROUP);
    write_services(module_path, options);
    assert_int_equal(module_code("taylor", 0, &heard), PAM_IGNORE);
    assert_int_equal(heard.messages, 1);
}

static void minimum_uid_exempts(void **state)
{
    (void)state;
    healthy(EI_STATE_PENDING);
    write_services(module_path, "minimum_uid=4002");
    assert_int_equal(code_of("taylor"), PAM_IGNORE);
    assert_int_equal(code_of("kim"), PAM_PERM_DENIED);
    /* The configuration's, which is 1000 here, counts where it is larger. */
    write_services(module_path, "minimum_uid=1");
    assert_int_equal(code_of("sasha"), PAM_IGNORE);
    assert_int_equal(code_of("root"), PAM_IGNORE);
    unlink(view_path);
    write_services(module_path, "minimum_uid=1 groups=" GROUP);
    assert_int_equal(code_of("sasha"), PAM_AUTHINFO_UNAVAIL);
    write_services(module_path, "minimum_uid=0 groups=" GROUP);
    assert_int_equal(code_of("root"), PAM_IGNORE);
}

/* S39: a word that is not understood is said, and neither opens the gate nor shuts everybody out. */
static void S39_options_that_are_not_understood(void **state)
{
    static const char *const bad[] = {
        "pending=wran",
        "pending",
        "warn",
        "minimum_uid=",
        "minimum_uid=-1",
        "minimum_uid=12x",
        "minimum_uid=4294967295",
        "groups=",
        "groups=,,",
        "view=status.cdb",
        "view=",
        "Pending=warn",
        "debug",
    };
    struct heard heard;
    (void)state;

    healthy(EI_STATE_PENDING);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_services(module_path, bad[i]);
        assert_int_equal(module_code("taylor", 0, &heard), PAM_PERM_DENIED);
        assert_int_equal(heard.errors, 1);
        assert_int_equal(module_code("root", 0, &heard), PAM_IGNORE);
        assert_int_equal(heard.errors, 1);
        assert_non_null(strstr(heard.line, bad[i]));
    }
}

/* Longer than any line that libpam takes, so the entry point is called by hand. */
static void S39_groups_too_long_fall_back_to_the_file(void **state)
{
    typedef int entry_point(pam_handle_t *, int, int, const char **);
    char view[200], groups[1100];
    const char *arguments[] = {view, groups};
    struct heard heard;
    struct pam_conv conv = {converse, &heard};
    pam_handle_t *pamh;
    (void)state;

    without_view(FROM_FILE);
    snprintf(view, sizeof view, "view=%s", view_path);
    snprintf(groups, sizeof groups, "groups=%01050d", 0);
    void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    entry_point *judge = (entry_point *)dlsym(library, "pam_sm_acct_mgmt");
    assert_int_equal(pam_start("ei-none", "taylor", &conv, &pamh), PAM_SUCCESS);
    assert_int_equal(judge(pamh, 0, 2, arguments), PAM_AUTHINFO_UNAVAIL);
    snprintf(groups, sizeof groups, "groups=%01000d", 0);
    assert_int_equal(judge(pamh, 0, 2, arguments), PAM_IGNORE);
    pam_end(pamh, PAM_SUCCESS);
    dlclose(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MODULE(S12_every_cell),
        WITH_MODULE(S11_nobody_is_no_success),
        WITH_MODULE(S2_passwd_that_fails),
        WITH_MODULE(S24_groups_that_fail),
        WITH_MODULE(S24_a_list_of_groups_that_comes_short),
        WITH_MODULE(L1_groups_are_asked_for_only_without_a_record),
        WITH_MODULE(large_entries_are_read),
        WITH_MODULE(members_of_many_groups),
        WITH_MODULE(an_untrusted_first_part_does_not_match),
        WITH_MODULE(S22_the_user_stays_as_it_was_given),
        WITH_MODULE(S2_a_view_that_the_system_cannot_open),
        WITH_MODULE(minimum_uid_exempts),
        WITH_MODULE(S39_options_that_are_not_understood),
        WITH_MODULE(S39_groups_too_long_fall_back_to_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

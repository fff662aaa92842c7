/* The PAM module from inside: every decision that needs a failing call, a wrong word, or an answer of the worker (S1,
 * S2, S12, T2). What it does through libpam is in test_pam*.c. */
#include "tests/unit/pam_fixture.h"

#include "common/base/paths.h"
#include "plugin/pam/module.h"
#include "tests/unit/module_fixture.h"

WRAP(getuid)
WRAP(ei_view_read_groups)
WRAP(ei_gate_look)
WRAP(pam_get_item)
WRAP(ei_pam_announce)

static struct {
    bool no_item;
    uid_t uid;
    bool groups_fail;
    int groups_errno;
    struct ei_standing *standing; /* what the gate says; NULL: what it really does */
    int look_code;
    enum ei_announced answer;
    int announced;
} inside;

int __wrap_pam_get_item(const pam_handle_t *pamh, int item, const void **value)
{
    return inside.no_item ? PAM_BAD_ITEM : __real_pam_get_item(pamh, item, value);
}

uid_t __wrap_getuid(void)
{
    return inside.uid;
}

enum ei_view_status __wrap_ei_view_read_groups(const char *file, char groups[EI_VIEW_GROUPS_SIZE])
{
    if (!inside.groups_fail)
        return __real_ei_view_read_groups(file, groups);
    errno = inside.groups_errno;
    return EI_VIEW_OS_ERROR;
}

int __wrap_ei_gate_look(const struct ei_pam_options *options, const struct passwd *entry, struct ei_standing *standing)
{
    if (inside.standing == NULL)
        return __real_ei_gate_look(options, entry, standing);
    *standing = *inside.standing;
    return inside.look_code;
}

enum ei_announced __wrap_ei_pam_announce(const char *socket_path, const char *login)
{
    assert_string_equal(socket_path, EI_SOCKET_PATH);
    assert_string_equal(login, "taylor");
    inside.announced++;
    return inside.answer;
}

static int begin(void **state)
{
    memset(&inside, 0, sizeof inside);
    memset(failing, 0, sizeof failing);
    return set_up(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)

static const struct passwd taylor = {.pw_name = (char *)"taylor", .pw_uid = 4001, .pw_gid = 100};

static struct ei_pam_options options_of(const char *argument)
{
    struct ei_pam_options options;
    char view[200];
    const char *arguments[] = {view, argument};

    snprintf(view, sizeof view, "view=%s", view_path);
    ei_pam_options(NULL, argument != NULL ? 2 : 1, arguments, &options);
    return options;
}

/* --- accounts --- */

static void S1_no_memory_for_an_account_is_no_pass(void **state)
{
    struct ei_pam_account account;
    (void)state;
    fake.passwd_size = sizeof account.text + 1;
    fails(CALL_MALLOC, 1, ENOMEM);
    assert_int_equal(ei_pam_account_get("taylor", &account), PAM_BUF_ERR);
    ei_pam_account_clear(&account);
    assert_int_equal(ei_pam_account_get("taylor", &account), PAM_SUCCESS);
    ei_pam_account_clear(&account);
}

static void S1_no_memory_for_groups_is_no_pass(void **state)
{
    bool member = true;
    (void)state;
    fake.group_size = 5000;
    fails(CALL_MALLOC, 1, ENOMEM);
    assert_int_equal(ei_pam_in_groups(&taylor, GROUP "\0", &member), PAM_BUF_ERR);
    assert_int_equal(ei_pam_in_groups(&taylor, GROUP "\0", &member), PAM_SUCCESS);
    assert_true(member);
    fake.more_groups = 300;
    fails(CALL_MALLOC, 2, ENOMEM); /* the first is of the group */
    assert_int_equal(ei_pam_in_groups(&taylor, GROUP "\0", &member), PAM_BUF_ERR);
    assert_false(member);
    fake.more_groups = (1 << 20) + 1; /* more than is reasonable to hold */
    assert_int_equal(ei_pam_in_groups(&taylor, GROUP "\0", &member), PAM_BUF_ERR);
    fake.more_groups = 5;
    fake.covered_first = true;
    assert_int_equal(ei_pam_in_groups(&taylor, GROUP "\0", &member), PAM_SUCCESS);
    assert_true(member);
}

/* --- the gate --- */

static void S32_without_gecos_a_record_with_an_address_is_somebody_elses(void **state)
{
    struct ei_standing standing;
    (void)state;
    healthy(EI_STATE_ACCEPTED);
    struct ei_pam_options options = options_of("groups=" GROUP);
    assert_int_equal(ei_gate_look(&options, &taylor, &standing), PAM_SUCCESS);
    assert_false(standing.recorded);
    assert_true(standing.covered);
}

static void S1_without_descriptors_nobody_is_taken_for_not_covered(void **state)
{
    static const struct {
        int error, code;
    } rows[] = {{EMFILE, PAM_SYSTEM_ERR}, {ENFILE, PAM_SYSTEM_ERR}, {ENOMEM, PAM_BUF_ERR}, {EIO, PAM_SUCCESS}};
    struct ei_standing standing;
    (void)state;
    without_view(FROM_FILE);
    struct ei_pam_options options = options_of(NULL);
    inside.groups_fail = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        inside.groups_errno = rows[i].error;
        assert_int_equal(ei_gate_look(&options, &taylor, &standing), rows[i].code);
        assert_int_equal(standing.groups_unknown, rows[i].code == PAM_SUCCESS);
    }
}

/* --- options --- */

static pam_handle_t *open_pam(struct heard *heard, const char *user)
{
    static struct pam_conv conv;
    pam_handle_t *pamh;

    memset(heard, 0, sizeof *heard);
    conv = (struct pam_conv){converse, heard};
    assert_int_equal(pam_start("ei-none", user, &conv, &pamh), PAM_SUCCESS);
    return pamh;
}

static void S11_nobody_is_nobody(void **state)
{
    struct heard heard;
    pam_handle_t *pamh = open_pam(&heard, "taylor");
    (void)state;
    inside.no_item = true;
    assert_int_equal(pam_sm_acct_mgmt(pamh, 0, 0, NULL), PAM_USER_UNKNOWN);
    assert_int_equal(pam_sm_chauthtok(pamh, PAM_UPDATE_AUTHTOK, 0, NULL), PAM_IGNORE);
    assert_int_equal(inside.announced, 0);
    pam_end(pamh, PAM_SUCCESS);
}

static struct ei_pam_options option(const char *argument)
{
    struct ei_pam_options options;
    struct heard heard;
    pam_handle_t *pamh = open_pam(&heard, "taylor");

    ei_pam_options(pamh, 1, &argument, &options);
    pam_end(pamh, PAM_SUCCESS);
    return options;
}

static void S39_a_word_that_is_not_understood_has_no_effect(void **state)
{
    static const char *const bad[] = {"view=relative",
                                      "view=status",
                                      "minimum_uid=",
                                      "minimum_uid=x",
                                      "minimum_uid=12x",
                                      "minimum_uid=4294967295",
                                      "minimum_uid=:",
                                      "pending=maybe",
                                      "pending",
                                      "quietly",
                                      "groups=",
                                      "groups=,",
                                      "minimum_uid=4294967296",
                                      "groupsx=a"};
    const struct ei_pam_options plain_options = option("quiet");
    char longest[2100];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ei_pam_options options = option(bad[i]);
        options.quiet = true;
        assert_memory_equal(&options, &plain_options, sizeof options);
    }
    /* A view whose path fits, and its groups file's does not; one that does not fit; groups that do not. */
    static const size_t lengths[] = {EI_PAM_PATH_SIZE - 1, EI_PAM_PATH_SIZE, 2000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(longest, '/', sizeof longest);
        memcpy(longest, "view=", 5);
        longest[5 + lengths[i]] = '\0';
        struct ei_pam_options options = option(longest);
        options.quiet = true;
        assert_memory_equal(&options, &plain_options, sizeof options);
    }
    memset(longest, 'g', sizeof longest);
    memcpy(longest, "groups=", 7);
    longest[7 + EI_VIEW_GROUPS_SIZE - 1] = '\0';
    assert_false(option(longest).has_groups);
    longest[7 + EI_VIEW_GROUPS_SIZE - 2] = '\0';
    assert_true(option(longest).has_groups);
}

static void words_that_are_understood(void **state)
{
    (void)state;
    struct ei_pam_options options = option("groups=,a,,b,");
    assert_memory_equal(options.groups, "a\0b\0\0", 5);
    assert_int_equal(option("minimum_uid=4294967294").minimum_uid, UINT32_MAX - 1);
    assert_true(option("pending=warn").warn_only);
    assert_false(option("pending=deny").warn_only);
    assert_string_equal(option("view=/status").groups_file, "/groups");
}

/* --- the password stack --- */

static int change_password(const char *user, int flags, struct heard *heard)
{
    pam_handle_t *pamh = open_pam(heard, user);
    int code = pam_sm_chauthtok(pamh, flags, 0, NULL);

    pam_end(pamh, code);
    return code;
}

static void B7_the_worker_is_told_of_who_is_news_to_it(void **state)
{
    static const struct {
        const char *user;
        uid_t caller;
        int flags, look_code;
        struct ei_standing standing;
        int announced;
    } rows[] = {
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 1},
        {"taylor", 1000, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 0},
        {"taylor", 0, PAM_PRELIM_CHECK, PAM_SUCCESS, {.covered = true}, 0},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_BUF_ERR, {.covered = true}, 0},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = false}, 0},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {true, true, {.state = 0}, 0, 0, 0}, 0},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {true, true, {.state = EI_STATE_WAITING}, 0, 0, 0}, 1},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {true, true, {.state = EI_STATE_PENDING}, 0, 0, 0}, 1},
        {"taylor", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {true, true, {.state = EI_STATE_ACCEPTED}, 0, 0, 0}, 0},
        {"root", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 0},
        {"sasha", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 0},
        {"ghost", 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 0},
        {NULL, 0, PAM_UPDATE_AUTHTOK, PAM_SUCCESS, {.covered = true}, 0},
    };
    struct heard heard;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_standing standing = rows[i].standing;
        inside.standing = &standing;
        inside.look_code = rows[i].look_code;
        inside.uid = rows[i].caller;
        inside.announced = 0;
        assert_int_equal(change_password(rows[i].user, rows[i].flags, &heard), PAM_IGNORE);
        assert_int_equal(inside.announced, rows[i].announced);
    }
}

static void B7_what_the_worker_answered_is_told(void **state)
{
    static const struct {
        enum ei_announced answer;
        const char *told;
    } rows[] = {{EI_ANNOUNCED_INVITED, "taylor has been invited"},
                {EI_ANNOUNCED_QUEUED, "taylor will be invited; "},
                {EI_ANNOUNCED_NOT, "taylor will be invited once entra-invited runs"},
                {EI_ANNOUNCED_OTHER, NULL}};
    struct ei_standing standing = {.covered = true};
    struct heard heard;
    (void)state;
    inside.standing = &standing;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        inside.answer = rows[i].answer;
        change_password("taylor", PAM_UPDATE_AUTHTOK, &heard);
        assert_int_equal(heard.messages, rows[i].told != NULL);
        if (rows[i].told != NULL)
            assert_non_null(strstr(heard.text, rows[i].told));
        change_password("taylor", PAM_UPDATE_AUTHTOK | PAM_SILENT, &heard);
        assert_int_equal(heard.messages, 0);
    }
}

static void no_other_entry_point_says_anything(void **state)
{
    struct heard heard;
    pam_handle_t *pamh = open_pam(&heard, "taylor");
    (void)state;
    assert_int_equal(pam_sm_authenticate(pamh, 0, 0, NULL), PAM_IGNORE);
    assert_int_equal(pam_sm_setcred(pamh, 0, 0, NULL), PAM_IGNORE);
    assert_int_equal(pam_sm_close_session(pamh, 0, 0, NULL), PAM_IGNORE);
    assert_int_equal(pam_sm_open_session(pamh, PAM_SILENT, 0, NULL), PAM_IGNORE);
    pam_end(pamh, PAM_SUCCESS);
    assert_int_equal(heard.messages, 0);
}

/* --- texts --- */

static void every_state_has_its_sentence(void **state)
{
    const char *reason, *unknown;
    struct ei_standing standing = {.covered = true, .recorded = true, .record.state = (enum ei_state)99};
    (void)state;
    unknown = ei_text_refusal(&standing, &reason);
    for (int i = EI_STATE_WAITING; i <= EI_STATE_EXPIRED; i++) {
        standing.record.state = (enum ei_state)i;
        assert_int_equal(ei_text_refusal(&standing, &reason) == unknown, i == EI_STATE_ACCEPTED);
    }
    standing.recorded = false;
    assert_ptr_not_equal(ei_text_refusal(&standing, &reason), unknown);
    standing.stale = true;
    ei_text_refusal(&standing, &reason);
    assert_string_equal(reason, "the status file is out of date");
}

static void S16_what_is_shown_is_short_and_printable(void **state)
{
    char shown[EI_SHOWN_SIZE], longest[200];
    (void)state;
    ei_text_show("a\x1b[31m\x7f\xc3\xb6~ ", shown);
    assert_string_equal(shown, "a?[31m???~ ");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ei_text_show(longest, shown);
    assert_int_equal(strlen(shown), EI_SHOWN_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(S1_no_memory_for_an_account_is_no_pass),
        T(S1_no_memory_for_groups_is_no_pass),
        T(S32_without_gecos_a_record_with_an_address_is_somebody_elses),
        T(S1_without_descriptors_nobody_is_taken_for_not_covered),
        T(S11_nobody_is_nobody),
        T(S39_a_word_that_is_not_understood_has_no_effect),
        T(words_that_are_understood),
        T(B7_the_worker_is_told_of_who_is_news_to_it),
        T(B7_what_the_worker_answered_is_told),
        T(no_other_entry_point_says_anything),
        T(every_state_has_its_sentence),
        T(S16_what_is_shown_is_short_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

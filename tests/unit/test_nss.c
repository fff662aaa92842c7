#include "tests/unit/view_fixture.h"

#include <time.h>

#include "plugin/nss/module.h"

static char passwd[128], group[128];
static int64_t clock_shows; /* 0: the real time */

/* Before the C library's. */
time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    time_t shown = clock_shows != 0 ? (time_t)clock_shows : now.tv_sec;
    if (ret != NULL)
        *ret = shown;
    return shown;
}

static const char good_group[] =
    "root:x:0:\nentra-invite-accepted:x:991:\nentra-invite-pending:x:990:\npartners:x:1500:\n";

static void write_text(const char *to, const char *text)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int set_up_host(void **state)
{
    if (set_up(state) != 0)
        return -1;
    snprintf(passwd, sizeof passwd, "%s/passwd", directory);
    snprintf(group, sizeof group, "%s/group", directory);
    write_text(passwd, "root:x:0:0:root:/root:/bin/sh\ntaylor:x:4001:1500::/home/taylor:/bin/sh\n");
    write_text(group, good_group);
    return 0;
}

static int tear_down_host(void **state)
{
    unlink(passwd);
    unlink(group);
    return tear_down(state);
}

static void publish_state(enum ei_state state, uint32_t uid, int64_t not_after)
{
    struct ei_view_header header = plain;
    struct ei_view_record record = {.state = state, .uid = uid};
    struct ei_view_writer *writer;
    struct ei_error err = {0};

    header.not_after = not_after;
    assert_int_equal(ei_view_writer_new(path, &header, &writer, &err), EI_OK);
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, NULL), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_OK);
}

static enum ei_nss_answer ask(const char *login, gid_t *gid)
{
    const struct ei_nss_paths paths = {path, passwd, group};
    *gid = 0;
    return ei_nss_standing(&paths, login, gid);
}

static void assert_none(const char *login)
{
    gid_t gid;
    assert_int_equal(ask(login, &gid), EI_NSS_NONE);
}

static void assert_gid(const char *login, gid_t wanted)
{
    gid_t gid;
    assert_int_equal(ask(login, &gid), EI_NSS_GROUP);
    assert_int_equal(gid, wanted);
}

static void each_state_has_its_group(void **state)
{
    static const struct {
        enum ei_state state;
        gid_t gid; /* 0: none */
    } rows[] = {{EI_STATE_WAITING, 990},  {EI_STATE_HELD, 990}, {EI_STATE_QUEUED, 990}, {EI_STATE_PENDING, 990},
                {EI_STATE_ACCEPTED, 991}, {EI_STATE_FAILED, 0}, {EI_STATE_REMOVED, 0},  {EI_STATE_EXPIRED, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        publish_state(rows[i].state, 4001, 0);
        if (rows[i].gid != 0)
            assert_gid("taylor", rows[i].gid);
        else
            assert_none("taylor");
        assert_none("robin");
        assert_none("");
    }
}

/* S17: only while the local file gives name and gid to each other and to nothing else. */
static void s17_a_gid_of_another_group_is_never_answered(void **state)
{
    static const char *const bad[] = {
        "",
        "entra-invite-pending:x:990:\n",
        "staff:x:991:\nentra-invite-accepted:x:991:\n",
        "entra-invite-accepted:x:991:\nstaff:x:991:\n",
        "entra-invite-accepted:x:991:\nstaff:x:991:", /* no newline at the end */
        "entra-invite-accepted:x:0:\n",               /* S19 */
        "entra-invite-accepted:x::\n",
        "entra-invite-accepted:x:-1:\n",
        "entra-invite-accepted:x:9x1:\n",
        "entra-invite-accepted:x:4294967295:\n",
        "entra-invite-accepted:x:99999999999999999999:\n",
        "entra-invite-accepted\n",
        "entra-invite-accepted2:x:991:\n",
        "#entra-invite-accepted:x:991:\n",
    };

    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_text(group, bad[i]);
        assert_none("taylor");
    }
    write_text(group, "entra-invite-accepted:x:991:taylor,robin");
    assert_gid("taylor", 991);
}

/* S21 */
static void s21_ids_that_are_never_given_out(void **state)
{
    static const struct {
        gid_t gid;
        bool answered;
    } rows[] = {{1, true},      {999, true},   {61183, true}, {61184, false},     {62000, false},
                {65519, false}, {65520, true}, {65533, true}, {65534, false},     {65535, false},
                {65536, true},  {0, false},    {60000, true}, {2147483647, true}, {4294967295, false}};
    char text[80];

    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "entra-invite-accepted:x:%u:\n", rows[i].gid);
        write_text(group, text);
        if (rows[i].answered)
            assert_gid("taylor", rows[i].gid);
        else
            assert_none("taylor");
    }
}

/* S32 */
static void s32_another_uid_is_somebody_else(void **state)
{
    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4002, 0);
    assert_none("taylor");
    publish_state(EI_STATE_ACCEPTED, 999, 0); /* below the view's minimum_uid */
    write_text(passwd, "taylor:x:999:1500::/:/bin/sh\n");
    assert_none("taylor");
    write_text(passwd, "root:x:0:0:root:/root:/bin/sh\n"); /* from a directory: nothing local speaks against it */
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    assert_gid("taylor", 991);
}

/* Whatever a program asks for: glibc hands it on as it is. */
static void names_of_any_length_are_asked_for(void **state)
{
    char name[5000];

    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    for (size_t length = 1; length < sizeof name; length = length < 300 ? length + 1 : length * 2) {
        memset(name, 't', length);
        name[length] = '\0';
        assert_none(name);
    }
    assert_none("taylor:x:4001");
    assert_none("taylor\n");
    assert_none("../taylor");
}

static void a_view_past_its_time_says_nothing(void **state)
{
    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4001, (int64_t)time(NULL) - 1);
    assert_none("taylor");
    publish_state(EI_STATE_ACCEPTED, 4001, (int64_t)time(NULL) + 3600);
    assert_gid("taylor", 991);
}

/* The clock is set, forward and back, beyond 2038 and to before 1970: by not_after alone (X15). */
static void X15_the_clock_jumps(void **state)
{
    static const int64_t ends[] = {1796044800, INT64_C(2147483648), INT64_C(4294967296), INT64_C(253402300799)};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        publish_state(EI_STATE_ACCEPTED, 4001, ends[i]);
        clock_shows = ends[i] - 1;
        assert_gid("taylor", 991);
        clock_shows = ends[i];
        assert_none("taylor");
        clock_shows = ends[i] + INT64_C(100000000000);
        assert_none("taylor");
        clock_shows = -1;
        assert_gid("taylor", 991);
    }
    clock_shows = 0;
}

static void a_bad_view_says_nothing(void **state)
{
    (void)state;
    assert_none("taylor"); /* there is none */
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_none("taylor");
    write_whole((const unsigned char *)"damaged", 7);
    assert_int_equal(chmod(path, 0644), 0);
    assert_none("taylor");
}

static void missing_files_are_an_error(void **state)
{
    gid_t gid;

    (void)state;
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    assert_int_equal(unlink(group), 0);
    assert_int_equal(ask("taylor", &gid), EI_NSS_ERROR);
    assert_int_equal(errno, ENOENT);
    assert_none("robin");                     /* not covered: the file is not even opened */
    assert_int_equal(mkfifo(group, 0644), 0); /* S8: a FIFO must not block */
    assert_int_equal(ask("taylor", &gid), EI_NSS_ERROR);
}

/* Lines far longer than the buffer that they are read through. */
static void long_lines_do_not_matter(void **state)
{
    enum { LONG = 20000 };
    char *text = malloc(LONG + 256);

    (void)state;
    assert_non_null(text);
    publish_state(EI_STATE_ACCEPTED, 4001, 0);
    for (size_t before = 4060; before < 4100; before++) {
        memset(text, 'm', before);
        memcpy(text, "big:x:7:", 8);
        strcpy(text + before, "\nentra-invite-accepted:x:991:");
        write_text(group, text);
        assert_gid("taylor", 991);
    }
    memset(text, 'n', LONG); /* a name without an end */
    strcpy(text + LONG, ":x:991:\nentra-invite-accepted:x:991:\n");
    write_text(group, text);
    assert_gid("taylor", 991);
    free(text);
}

#define ON_HOST(test) cmocka_unit_test_setup_teardown(test, set_up_host, tear_down_host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_HOST(each_state_has_its_group),          ON_HOST(s17_a_gid_of_another_group_is_never_answered),
        ON_HOST(s21_ids_that_are_never_given_out),  ON_HOST(s32_another_uid_is_somebody_else),
        ON_HOST(a_view_past_its_time_says_nothing), ON_HOST(X15_the_clock_jumps),
        ON_HOST(a_bad_view_says_nothing),           ON_HOST(missing_files_are_an_error),
        ON_HOST(long_lines_do_not_matter),          ON_HOST(names_of_any_length_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

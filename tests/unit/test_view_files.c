/* Which files are taken for the view at all: each reason not to is an outcome of its own (S2). */
#include "tests/unit/view_fixture.h"

/* S2: each reason not to use the file is an outcome of its own. */
static void S2_a_missing_file(void **state)
{
    (void)state;
    assert_int_equal(open_status(), EI_VIEW_NO_FILE);
    strcat(path, "/status.cdb");
    assert_int_equal(open_status(), EI_VIEW_NO_FILE);
}

static void S5_a_symlink_is_not_followed(void **state)
{
    (void)state;
    publish(&plain, 1);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
}

static void L5_a_second_link_is_refused(void **state)
{
    (void)state;
    publish(&plain, 1);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
}

/* S8: a FIFO must not block a login. */
static void S8_what_is_no_regular_file(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;

    assert_int_equal(mkfifo(path, 0644), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    assert_int_equal(rmdir(path), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    close(fd);
}

static void S7_group_and_others_must_not_write(void **state)
{
    static const mode_t bad[] = {0664, 0646, 0666};
    (void)state;

    publish(&plain, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    }
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_status(), EI_VIEW_OK);
    static const mode_t bad_directory[] = {0770, 0707, 01777};
    for (size_t i = 0; i < sizeof bad_directory / sizeof bad_directory[0]; i++) {
        assert_int_equal(chmod(directory, bad_directory[i]), 0);
        assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    }
}

static void L5_the_owner_is_root_or_the_directorys(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    publish(&plain, 1);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    assert_int_equal(chown(directory, 12345, 0), 0);
    assert_int_equal(open_status(), EI_VIEW_OK);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(open_status(), EI_VIEW_OK);
    assert_int_equal(chown(path, 12346, 0), 0);
    assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
    assert_int_equal(chown(directory, 0, 0), 0);
}

static void S2_no_permission_to_read(void **state)
{
    (void)state;
    publish(&plain, 1);
    uid_t own = geteuid();
    assert_int_equal(chmod(path, 0000), 0);
    if (own == 0)
        assert_int_equal(seteuid(12345), 0);
    enum ei_view_status status = open_status();
    if (own == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(status, EI_VIEW_BAD_FILE);
}

static void S2_a_failure_of_the_system(void **state)
{
    char longest[5000];
    struct ei_view view;
    struct ei_view_header header;
    (void)state;

    memset(longest, 'x', sizeof longest);
    longest[4096] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ei_view_open(longest, &view, &header), EI_VIEW_OS_ERROR);
    assert_int_equal(errno, ENAMETOOLONG);
}

/* S35, S36: any descriptor number will do, and none is left. */
static void S36_no_descriptor_is_left(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    char groups[EI_VIEW_GROUPS_SIZE];
    bool found;
    (void)state;

    publish(&plain, 1);
    int before = dup(0);
    close(before);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
        assert_int_equal(fcntl(view.fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(ei_view_lookup(&view, "taylor", &record, &found), EI_VIEW_OK);
        ei_view_close(&view);
        ei_view_close(&view);
        assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_CORRUPT);
        assert_int_equal(chmod(path, 0666), 0);
        assert_int_equal(open_status(), EI_VIEW_BAD_FILE);
        assert_int_equal(chmod(path, 0644), 0);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

static void expect_groups(const char *text, const char *expected, size_t length)
{
    char groups[EI_VIEW_GROUPS_SIZE];

    write_whole((const unsigned char *)text, strlen(text));
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_OK);
    assert_memory_equal(groups, expected, length);
}

static void the_groups_file(void **state)
{
    (void)state;
    expect_groups("partners\nsuppliers\n", "partners\0suppliers\0", 20);
    expect_groups("partners\nsuppliers", "partners\0suppliers\0", 20);
    expect_groups("\n\npartners\n\n\nsuppliers\n\n", "partners\0suppliers\0", 20);
    expect_groups("partners", "partners\0", 10);
    expect_groups("domain users\n", "domain users\0", 14);
    expect_groups("", "", 1);
}

static void the_groups_file_is_checked_like_the_view(void **state)
{
    char groups[EI_VIEW_GROUPS_SIZE], text[EI_VIEW_GROUPS_SIZE + 1];
    (void)state;

    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_NO_FILE);
    write_whole((const unsigned char *)"part\0ners\n", 10);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_CORRUPT);
    assert_string_equal(groups, "");
    write_whole((const unsigned char *)"part\rners\n", 10);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_CORRUPT);
    memset(text, 'g', sizeof text);
    write_whole((const unsigned char *)text, EI_VIEW_GROUPS_SIZE);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_CORRUPT);
    write_whole((const unsigned char *)text, EI_VIEW_GROUPS_SIZE - 1);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_CORRUPT);
    write_whole((const unsigned char *)text, EI_VIEW_GROUPS_SIZE - 2);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_OK);
    assert_int_equal(strlen(groups), EI_VIEW_GROUPS_SIZE - 2);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_BAD_FILE);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(ei_view_read_groups(path, groups), EI_VIEW_BAD_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(S2_a_missing_file),
        IN_DIRECTORY(S5_a_symlink_is_not_followed),
        IN_DIRECTORY(L5_a_second_link_is_refused),
        IN_DIRECTORY(S8_what_is_no_regular_file),
        IN_DIRECTORY(S7_group_and_others_must_not_write),
        IN_DIRECTORY(L5_the_owner_is_root_or_the_directorys),
        IN_DIRECTORY(S2_no_permission_to_read),
        IN_DIRECTORY(S2_a_failure_of_the_system),
        IN_DIRECTORY(S36_no_descriptor_is_left),
        IN_DIRECTORY(the_groups_file),
        IN_DIRECTORY(the_groups_file_is_checked_like_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

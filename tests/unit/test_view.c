/* The view, written and read back; and what the writer refuses to publish. */
#include "tests/unit/view_fixture.h"

struct walked {
    unsigned count;
    unsigned most;
};

static bool walk_one(void *context, const char *login)
{
    struct walked *walked = context;
    char expected[32];

    login_of(walked->count, expected);
    assert_string_equal(login, expected);
    walked->count++;
    return walked->count != walked->most;
}

static void expect_round_trip(unsigned count)
{
    struct walked walked = {0};
    struct ei_view view;
    struct ei_view_header header;
    bool found;

    publish(&plain, count);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(header.major, EI_VIEW_MAJOR);
    assert_int_equal(header.minor, EI_VIEW_MINOR);
    assert_int_equal(header.count, count);
    assert_int_equal(header.generation, plain.generation);
    assert_int_equal(header.created_at, plain.created_at);
    assert_int_equal(header.not_after, plain.not_after);
    assert_int_equal(header.minimum_uid, plain.minimum_uid);
    assert_true(header.first_trusted);
    assert_memory_equal(header.groups, plain.groups, sizeof plain.groups);
    for (unsigned i = 0; i < count; i++) {
        struct ei_view_record expected = record_of(i), record;
        char login[32];
        login_of(i, login);
        assert_int_equal(ei_view_lookup(&view, login, &record, &found), EI_VIEW_OK);
        assert_true(found);
        assert_int_equal(record.state, expected.state);
        assert_int_equal(record.uid, expected.uid);
        assert_int_equal(record.address_hash, expected.address_hash);
        assert_int_equal(record.changed_at, expected.changed_at);
        assert_int_equal(record.checked_at, expected.checked_at);
        assert_string_equal(record.reason, expected.reason);

        login_of(count + i, login);
        assert_int_equal(ei_view_lookup(&view, login, &record, &found), EI_VIEW_OK);
        assert_false(found);
    }
    assert_int_equal(ei_view_each(&view, &header, walk_one, &walked), EI_VIEW_OK);
    assert_int_equal(walked.count, count);
    walked = (struct walked){.most = count / 2};
    assert_int_equal(ei_view_each(&view, &header, walk_one, &walked), EI_VIEW_OK);
    assert_int_equal(walked.count, count / 2 != 0 ? count / 2 : count);
    ei_view_close(&view);
}

static void round_trip_of_nothing(void **state)
{
    (void)state;
    expect_round_trip(0);
}

static void round_trip_of_one(void **state)
{
    (void)state;
    expect_round_trip(1);
}

static void round_trip_of_10000(void **state)
{
    (void)state;
    expect_round_trip(10000);
}

static void header_values_at_their_limits(void **state)
{
    struct ei_view_header written = {
        .generation = UINT64_MAX, .created_at = INT64_MIN, .not_after = INT64_MAX, .minimum_uid = UINT32_MAX};
    struct ei_view_header header;
    struct ei_view view;
    (void)state;

    memset(written.groups, 'g', EI_VIEW_GROUPS_SIZE - 2);
    publish(&written, 1);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    ei_view_close(&view);
    assert_true(header.generation == UINT64_MAX && header.created_at == INT64_MIN && header.not_after == INT64_MAX);
    assert_true(header.minimum_uid == UINT32_MAX && !header.first_trusted);
    assert_memory_equal(header.groups, written.groups, EI_VIEW_GROUPS_SIZE);
}

static void any_cdb_tool_can_read_it(void **state)
{
    struct cdb cdb;
    (void)state;

    publish(&plain, 3);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(cdb_init(&cdb, fd), 0);
    assert_int_equal(cdb_find(&cdb, "H", 1), 1);
    cdb_free(&cdb);
    close(fd);
}

static void lookup_of_impossible_logins(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    char login[EI_VIEW_LOGIN_MAX + 2];
    bool found = true;
    (void)state;

    publish(&plain, 3);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(ei_view_lookup(&view, "", &record, &found), EI_VIEW_OK);
    assert_false(found);
    for (size_t length = EI_VIEW_LOGIN_MAX; length <= EI_VIEW_LOGIN_MAX + 1; length++) {
        memset(login, 'x', length);
        login[length] = '\0';
        assert_int_equal(ei_view_lookup(&view, login, &record, &found), EI_VIEW_OK);
        assert_false(found);
    }
    ei_view_close(&view);
}

static void writer_refuses_what_cannot_be_published(void **state)
{
    struct ei_view_writer *writer;
    struct ei_view_record record = record_of(1), bad;
    struct ei_error err = {0};
    char login[EI_VIEW_LOGIN_MAX + 2];
    (void)state;

    assert_int_equal(ei_view_writer_new(path, &plain, &writer, &err), EI_OK);
    memset(login, 'x', sizeof login);
    login[EI_VIEW_LOGIN_MAX + 1] = '\0';
    assert_int_equal(ei_view_writer_add(writer, login, &record, &err), EI_USAGE);
    assert_int_equal(ei_view_writer_add(writer, "", &record, &err), EI_USAGE);
    assert_int_equal(ei_view_writer_add(writer, login + 1, &record, &err), EI_OK);
    bad = record;
    bad.state = (enum ei_state)0;
    assert_int_equal(ei_view_writer_add(writer, "taylor", &bad, &err), EI_USAGE);
    bad.state = (enum ei_state)9;
    assert_int_equal(ei_view_writer_add(writer, "taylor", &bad, &err), EI_USAGE);
    bad = record;
    strcpy(bad.reason, "see https://example.com");
    assert_int_equal(ei_view_writer_add(writer, "taylor", &bad, &err), EI_USAGE);
    /* The writer goes on after each. */
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, &err), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_OK);
    assert_int_equal(open_status(), EI_VIEW_OK);
}

static void two_records_of_one_login_are_not_published(void **state)
{
    struct ei_view_writer *writer;
    struct ei_view_record record = record_of(1);
    struct ei_error err = {0};
    (void)state;

    publish(&plain, 2);
    assert_int_equal(ei_view_writer_new(path, &plain, &writer, &err), EI_OK);
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, &err), EI_OK);
    assert_int_equal(ei_view_writer_add(writer, "robin", &record, &err), EI_OK);
    record.state = EI_STATE_ACCEPTED;
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, &err), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_CONFLICT);
    assert_non_null(strstr(err.message, "taylor"));
    assert_int_equal(access(temp, F_OK), -1);
    assert_int_equal(open_status(), EI_VIEW_OK); /* the old one */
}

static void an_abandoned_writer_leaves_nothing(void **state)
{
    struct ei_view_writer *writer;
    struct ei_view_record record = record_of(1);
    (void)state;

    publish(&plain, 2);
    assert_int_equal(ei_view_writer_new(path, &plain, &writer, NULL), EI_OK);
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, NULL), EI_OK);
    assert_int_equal(access(temp, F_OK), 0);
    ei_view_writer_free(writer);
    assert_int_equal(access(temp, F_OK), -1);
    assert_int_equal(open_status(), EI_VIEW_OK);
    ei_view_writer_free(NULL);
}

/* C13: killed between temp and rename. */
static void C13_a_left_over_temp_file_is_replaced(void **state)
{
    struct stat st;
    (void)state;

    int fd = open(temp, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "half", 4), 4);
    close(fd);
    publish(&plain, 2);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

/* S5, S15: a planted link at the temp's name is not written through. */
static void S15_a_link_at_the_temp_name_is_not_followed(void **state)
{
    struct stat st;
    (void)state;

    int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(symlink(other, temp), 0);
    publish(&plain, 2);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 0);
}

/* X10: the new file is read back before it is published; a directory that no reader would trust is a refusal. */
static void X10_what_readers_would_refuse_is_not_published(void **state)
{
    struct ei_view_writer *writer;
    struct ei_view_header header;
    struct ei_view view;
    struct ei_error err = {0};
    (void)state;

    publish(&plain, 2);
    assert_int_equal(chmod(directory, 0770), 0);
    struct ei_view_header next = plain;
    next.generation++;
    assert_int_equal(ei_view_writer_new(path, &next, &writer, &err), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_VIEW_UNSAFE);
    assert_int_equal(access(temp, F_OK), -1);
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(header.generation, plain.generation);
    ei_view_close(&view);
}

static void X10_a_writer_that_cannot_write_says_so(void **state)
{
    struct ei_view_writer *writer;
    struct ei_error err = {0};
    char missing[200];
    (void)state;

    snprintf(missing, sizeof missing, "%s/none/status.cdb", directory);
    assert_int_equal(ei_view_writer_new(missing, &plain, &writer, &err), EI_IO);
    assert_non_null(strstr(err.message, missing));
    assert_null(writer);
}

/* X10: who holds the old file open reads it to the end. */
static void X10_a_reader_survives_replacement(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    bool found;
    (void)state;

    publish(&plain, 2);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    publish(&plain, 0);
    assert_int_equal(ei_view_lookup(&view, "user000001", &record, &found), EI_VIEW_OK);
    assert_true(found);
    ei_view_close(&view);
}

static void state_names_are_an_interface(void **state)
{
    static const char *const names[] = {"waiting",  "held",   "queued",  "pending",
                                        "accepted", "failed", "removed", "expired"};
    enum ei_state number;
    (void)state;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_string_equal(ei_state_name((enum ei_state)(i + 1)), names[i]);
        assert_true(ei_state_from_name(names[i], &number));
        assert_int_equal(number, i + 1);
    }
    assert_null(ei_state_name((enum ei_state)0));
    assert_null(ei_state_name((enum ei_state)9));
    assert_null(ei_state_name((enum ei_state)255));
    assert_false(ei_state_from_name("", &number));
    assert_false(ei_state_from_name("Accepted", &number));
}

static void every_status_has_a_text(void **state)
{
    (void)state;
    for (int i = EI_VIEW_OK; i <= EI_VIEW_OS_ERROR + 1; i++)
        for (int k = EI_VIEW_OK; k < i; k++)
            assert_string_not_equal(ei_view_status_text((enum ei_view_status)i),
                                    ei_view_status_text((enum ei_view_status)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(round_trip_of_nothing),
        IN_DIRECTORY(round_trip_of_one),
        IN_DIRECTORY(round_trip_of_10000),
        IN_DIRECTORY(header_values_at_their_limits),
        IN_DIRECTORY(any_cdb_tool_can_read_it),
        IN_DIRECTORY(lookup_of_impossible_logins),
        IN_DIRECTORY(writer_refuses_what_cannot_be_published),
        IN_DIRECTORY(two_records_of_one_login_are_not_published),
        IN_DIRECTORY(an_abandoned_writer_leaves_nothing),
        IN_DIRECTORY(C13_a_left_over_temp_file_is_replaced),
        IN_DIRECTORY(S15_a_link_at_the_temp_name_is_not_followed),
        IN_DIRECTORY(X10_what_readers_would_refuse_is_not_published),
        IN_DIRECTORY(X10_a_writer_that_cannot_write_says_so),
        IN_DIRECTORY(X10_a_reader_survives_replacement),
        cmocka_unit_test(state_names_are_an_interface),
        cmocka_unit_test(every_status_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

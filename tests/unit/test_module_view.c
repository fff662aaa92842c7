/* The view's reader and the socket's codec: each call that can fail, and each form that no writer of ours writes (S2,
 * S27, S28). */
#include "tests/unit/view_fixture.h"

#include <limits.h>

#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "tests/unit/module_fixture.h"

WRAP(ei_view_read_groups)

enum ei_view_status __wrap_ei_view_read_groups(const char *file, char groups[EI_VIEW_GROUPS_SIZE])
{
    return __real_ei_view_read_groups(file, groups);
}

static void S2_each_failing_call_is_an_outcome(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    char groups[EI_VIEW_GROUPS_SIZE];
    bool found;
    (void)state;

    publish(&plain, 5);
    for (int nth = 1; nth <= 2; nth++) { /* of the directory, of the file */
        fails(CALL_FSTAT, nth, EIO);
        assert_int_equal(open_status(), EI_VIEW_OS_ERROR);
    }
    fails(CALL_PREAD, 1, EIO);
    assert_int_equal(open_status(), EI_VIEW_OS_ERROR);
    fails(CALL_PREAD, 1, EINTR);
    assert_int_equal(open_status(), EI_VIEW_OK);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    fails(CALL_PREAD, 1, EIO); /* the table */
    assert_int_equal(ei_view_lookup(&view, "user000001", &record, &found), EI_VIEW_OS_ERROR);
    fails(CALL_PREAD, 2, EIO); /* the record */
    assert_int_equal(ei_view_lookup(&view, "user000001", &record, &found), EI_VIEW_OS_ERROR);
    assert_false(found);
    ei_view_close(&view);
    ei_view_close(&view); /* nothing is closed twice */
    int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "a\n", 2), 2);
    close(fd);
    fails(CALL_PREAD, 1, EIO);
    assert_int_equal(ei_view_read_groups(other, groups), EI_VIEW_OS_ERROR);
    fails(CALL_OPENAT, 1, EMFILE);
    assert_int_equal(ei_view_read_groups(other, groups), EI_VIEW_OS_ERROR);
}

static bool count(void *context, const char *login)
{
    (void)login;
    ++*(unsigned *)context;
    return true;
}

static void a_walk_ends_where_reading_does(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    unsigned seen = 0;
    (void)state;

    publish(&plain, 5);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    fails(CALL_PREAD, 1, EIO);
    assert_int_equal(ei_view_each(&view, &header, count, &seen), EI_VIEW_OS_ERROR);
    header.count = 6; /* one more than there are */
    assert_int_equal(ei_view_each(&view, &header, count, &seen), EI_VIEW_CORRUPT);
    assert_int_equal(seen, 5);
    ei_view_close(&view);
}

/* --- paths --- */

static void paths_of_any_form(void **state)
{
    char longest[PATH_MAX + 10];
    struct ei_view view;
    struct ei_view_header header;
    (void)state;

    memset(longest, '/', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ei_view_open(longest, &view, &header), EI_VIEW_OS_ERROR);
    assert_int_equal(ei_view_open("/no-such-view", &view, &header), EI_VIEW_NO_FILE);
    assert_int_equal(ei_view_open("no-such-view", &view, &header), EI_VIEW_NO_FILE);
}

/* --- bytes that are checked, and wrong --- */

/* Writes a record of taylor with these bytes at `at` of its data, and its check right. */
static enum ei_view_status with_record(size_t at, int bytes, uint64_t value, size_t length, bool spoil_check)
{
    unsigned char data[EI_VIEW_U_REASON + 64] = {0}, key[EI_VIEW_KEY_MAX], whole[FILE_MAX];
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    struct cdb_make cdb;
    bool found;

    publish(&plain, 1);
    size_t size = read_whole(whole);
    size_t header_length = (size_t)ei_view_get(whole + EI_VIEW_TABLE_SIZE + 4, 4);
    data[EI_VIEW_U_STATE] = EI_STATE_PENDING;
    ei_view_set(data + EI_VIEW_U_REASON_LENGTH, 2, 3);
    memcpy(data + EI_VIEW_U_REASON, "a-9", 3);
    ei_view_set(data + at, bytes, value);
    size_t key_length = ei_view_key("taylor", 6, key);
    if (length >= EI_VIEW_U_REASON)
        ei_view_set(data, 8, ei_view_check(key, key_length, data, length, 0) + spoil_check);
    int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    assert_int_equal(cdb_make_start(&cdb, fd), 0);
    assert_int_equal(cdb_make_add(&cdb, "H", 1, whole + HEADER_AT, (unsigned)header_length), 0);
    assert_int_equal(cdb_make_add(&cdb, key, (unsigned)key_length, data, (unsigned)length), 0);
    assert_int_equal(cdb_make_finish(&cdb), 0);
    close(fd);
    size = read_whole(whole);
    seal_header(whole, size);
    write_whole(whole, size);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    enum ei_view_status status = ei_view_lookup(&view, "taylor", &record, &found);
    ei_view_close(&view);
    return status;
}

static void S27_a_record_is_believed_only_whole(void **state)
{
    const size_t usual = EI_VIEW_U_REASON + 3;
    (void)state;

    assert_int_equal(with_record(EI_VIEW_U_UID, 4, 1234, usual, false), EI_VIEW_OK);
    assert_int_equal(with_record(EI_VIEW_U_UID, 4, 1234, usual, true), EI_VIEW_CORRUPT);
    assert_int_equal(with_record(EI_VIEW_U_UID, 4, 1234, EI_VIEW_U_REASON - 1, false), EI_VIEW_CORRUPT);
    assert_int_equal(with_record(EI_VIEW_U_STATE, 1, 0, usual, false), EI_VIEW_CORRUPT);
    assert_int_equal(with_record(EI_VIEW_U_REASON_LENGTH, 2, 4, usual, false), EI_VIEW_CORRUPT);
    assert_int_equal(with_record(EI_VIEW_U_REASON_LENGTH, 2, 60, EI_VIEW_U_REASON + 64, false), EI_VIEW_CORRUPT);
    static const char bad[] = {'A', '`', '{', '/', ':', ' ', '\0', '\x7f'};
    for (size_t i = 0; i < sizeof bad; i++)
        assert_int_equal(with_record(EI_VIEW_U_REASON + 1, 1, (unsigned char)bad[i], usual, false), EI_VIEW_CORRUPT);
}

/* The header with these bytes at `at`, and its check right. */
static enum ei_view_status with_header(size_t at, int bytes, uint64_t value)
{
    unsigned char whole[FILE_MAX];

    publish(&plain, 1);
    size_t size = read_whole(whole);
    ei_view_set(whole + HEADER_AT + at, bytes, value);
    seal_header(whole, size);
    write_whole(whole, size);
    return open_status();
}

static void S27_a_header_is_believed_only_whole(void **state)
{
    unsigned char whole[FILE_MAX];
    (void)state;

    assert_int_equal(with_header(EI_VIEW_H_COUNT, 8, 1), EI_VIEW_OK);
    assert_int_equal(with_header(EI_VIEW_H_MAGIC, 1, 0), EI_VIEW_CORRUPT);
    assert_int_equal(with_header(EI_VIEW_H_GROUPS_LENGTH, 2, 21), EI_VIEW_CORRUPT);
    assert_int_equal(with_header(EI_VIEW_H_GROUPS_LENGTH, 2, 5), EI_VIEW_CORRUPT); /* no end of the name */
    assert_int_equal(with_header(EI_VIEW_H_GROUPS, 1, 0), EI_VIEW_CORRUPT);        /* an empty name */
    publish(&plain, 1);
    size_t size = read_whole(whole);
    whole[HEADER_AT - 1] = 'h'; /* another key */
    write_whole(whole, size);
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
    publish(&plain, 1);
    whole[HEADER_AT - 1] = 'H';
    for (int i = 0; i < 2; i++) { /* longer than what there is; too short for a header */
        ei_view_set(whole + EI_VIEW_TABLE_SIZE + 4, 4, i == 0 ? UINT32_MAX : EI_VIEW_H_GROUPS - 1);
        write_whole(whole, size);
        assert_int_equal(open_status(), EI_VIEW_CORRUPT);
    }
    assert_int_equal(truncate(path, (off_t)UINT32_MAX + 1), 0);
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
}

/* A view of a header this long, whose groups are this long, and of one record with a key of this one letter. */
static void make_odd(size_t header_length, size_t groups_length, char key)
{
    unsigned char data[EI_VIEW_HEADER_MAX] = {0}, whole[FILE_MAX];
    struct cdb_make cdb;

    publish(&plain, 1);
    read_whole(whole);
    memcpy(data, whole + HEADER_AT, EI_VIEW_H_GROUPS);
    memset(data + EI_VIEW_H_GROUPS, 'g', sizeof data - EI_VIEW_H_GROUPS);
    if (groups_length > 0)
        data[EI_VIEW_H_GROUPS + groups_length - 1] = '\0';
    ei_view_set(data + EI_VIEW_H_GROUPS_LENGTH, 2, groups_length);
    int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    assert_int_equal(cdb_make_start(&cdb, fd), 0);
    assert_int_equal(cdb_make_add(&cdb, "H", 1, data, (unsigned)header_length), 0);
    assert_int_equal(cdb_make_add(&cdb, &key, 1, data, 10), 0);
    assert_int_equal(cdb_make_finish(&cdb), 0);
    close(fd);
    size_t size = read_whole(whole);
    seal_header(whole, size);
    write_whole(whole, size);
}

static void S27_what_no_writer_writes(void **state)
{
    struct ei_view view;
    struct ei_view_header header;
    struct ei_view_record record;
    unsigned seen = 0;
    bool found;
    (void)state;

    make_odd(EI_VIEW_H_GROUPS + EI_VIEW_GROUPS_SIZE, EI_VIEW_GROUPS_SIZE - 1, 'X');
    assert_int_equal(open_status(), EI_VIEW_OK);
    make_odd(EI_VIEW_H_GROUPS + EI_VIEW_GROUPS_SIZE, EI_VIEW_GROUPS_SIZE, 'X');
    assert_int_equal(open_status(), EI_VIEW_CORRUPT);
    make_odd(EI_VIEW_H_GROUPS, 0, 'X');
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(ei_view_each(&view, &header, count, &seen), EI_VIEW_CORRUPT);
    ei_view_close(&view);
    /* It shrinks while it is read. */
    publish(&plain, 5);
    assert_int_equal(ei_view_open(path, &view, &header), EI_VIEW_OK);
    assert_int_equal(truncate(path, 2100), 0);
    assert_int_equal(ei_view_lookup(&view, "user000001", &record, &found), EI_VIEW_CORRUPT);
    ei_view_close(&view);
}

/* --- the groups' file --- */

static enum ei_view_status groups_of(const char *text, size_t length, char groups[EI_VIEW_GROUPS_SIZE])
{
    int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
    return ei_view_read_groups(other, groups);
}

static void S39_a_file_of_groups_is_names_line_by_line(void **state)
{
    char groups[EI_VIEW_GROUPS_SIZE], longest[EI_VIEW_GROUPS_SIZE + 1];
    (void)state;

    assert_int_equal(groups_of("\na\n\nb", 5, groups), EI_VIEW_OK);
    assert_memory_equal(groups, "a\0b\0\0", 5);
    assert_int_equal(groups_of("a\tb\n", 4, groups), EI_VIEW_CORRUPT);
    assert_int_equal(groups_of("a\x7f\n", 3, groups), EI_VIEW_CORRUPT);
    memset(longest, 'g', sizeof longest);
    assert_int_equal(groups_of(longest, EI_VIEW_GROUPS_SIZE, groups), EI_VIEW_CORRUPT);
    assert_int_equal(groups_of(longest, EI_VIEW_GROUPS_SIZE - 1, groups), EI_VIEW_CORRUPT);
    assert_memory_equal(groups, "\0", 2);
    longest[EI_VIEW_GROUPS_SIZE - 2] = '\n';
    assert_int_equal(groups_of(longest, EI_VIEW_GROUPS_SIZE - 1, groups), EI_VIEW_OK);
    assert_int_equal(groups_of("", 0, groups), EI_VIEW_OK);
    assert_memory_equal(groups, "\0", 2);
}

static void every_status_and_state_has_its_word(void **state)
{
    enum ei_state found;
    (void)state;

    for (int status = EI_VIEW_OK; status <= EI_VIEW_OS_ERROR; status++)
        assert_non_null(strstr(ei_view_status_text((enum ei_view_status)status), "the status file"));
    assert_string_equal(ei_view_status_text((enum ei_view_status)99), "the status file is in an unknown condition");
    assert_null(ei_state_name((enum ei_state)99));
    assert_false(ei_state_from_name("no such state", &found));
    assert_true(ei_state_from_name(ei_state_name(EI_STATE_EXPIRED), &found));
    assert_int_equal(found, EI_STATE_EXPIRED);
}

/* --- the codec --- */

static void S28_without_memory_a_message_is_refused(void **state)
{
    struct ei_buffer input;
    cJSON *message;
    (void)state;

    ei_buffer_init(&input, 4096);
    assert_true(ei_buffer_append(&input, "{\"a\":1,\"a\":2,\"b\":3}", 20));
    assert_int_equal(ei_varlink_take(&input, &message), EI_PROTOCOL);
    assert_true(ei_buffer_append(&input, "{\"a\":1,\"b\":2}", 14));
    fails(CALL_CALLOC, 1, ENOMEM); /* of the names that are compared */
    assert_int_equal(ei_varlink_take(&input, &message), EI_PROTOCOL);
    assert_null(message);
    fails(CALL_CALLOC, 0, 0);
    message = cJSON_Parse("{\"a\":\"text\"}");
    assert_non_null(message);
    ei_buffer_free(&input);
    ei_buffer_init(&input, 4);
    assert_int_equal(ei_varlink_put(&input, message), EI_NOMEM);
    ei_buffer_free(&input);
    ei_varlink_free(message);
    ei_varlink_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(S2_each_failing_call_is_an_outcome),
        IN_DIRECTORY(a_walk_ends_where_reading_does),
        IN_DIRECTORY(paths_of_any_form),
        IN_DIRECTORY(S27_a_record_is_believed_only_whole),
        IN_DIRECTORY(S27_a_header_is_believed_only_whole),
        IN_DIRECTORY(S27_what_no_writer_writes),
        IN_DIRECTORY(S39_a_file_of_groups_is_names_line_by_line),
        IN_DIRECTORY(every_status_and_state_has_its_word),
        IN_DIRECTORY(S28_without_memory_a_message_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

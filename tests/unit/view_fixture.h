/* A view in a directory of its own, for the tests of common/view. */
#ifndef EI_TESTS_UNIT_VIEW_FIXTURE_H
#define EI_TESTS_UNIT_VIEW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/view/view_format.h"
#include "common/view/view_write.h"

enum { FILE_MAX = 16384, HEADER_AT = EI_VIEW_TABLE_SIZE + EI_VIEW_RECORD_HEAD + 1 };

static char directory[64], path[128], temp[128], other[128];

static const struct ei_view_header plain = {
    .generation = 41,
    .created_at = 1795440000,
    .not_after = 1796044800,
    .minimum_uid = 1000,
    .first_trusted = true,
    .groups = "partners\0suppliers\0",
};

static inline int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/ei-view.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/status.cdb", directory);
    snprintf(temp, sizeof temp, "%s/status.cdb.tmp", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    chmod(directory, 0700);
    unlink(path);
    unlink(temp);
    unlink(other);
    return rmdir(directory);
}

/* Record number i; the state is never ACCEPTED, so that an accepted one can only come from damage. */
static inline struct ei_view_record record_of(unsigned i)
{
    struct ei_view_record record = {
        .state = i % 4 + 1 == EI_STATE_ACCEPTED ? EI_STATE_FAILED : (enum ei_state)(i % 4 + 1),
        .uid = 1000 + i,
        .address_hash = 0x0123456789abcdefu + i,
        .changed_at = 1795440000 + i,
        .checked_at = i % 2 == 0 ? 0 : 1795443600,
    };
    if (i % 3 == 0)
        strcpy(record.reason, "domain-not-allowed");
    return record;
}

static inline void login_of(unsigned i, char login[32])
{
    snprintf(login, 32, "user%06u", i);
}

static inline void publish(const struct ei_view_header *header, unsigned count)
{
    struct ei_view_writer *writer;
    struct ei_error err = {0};
    char login[32];

    if (ei_view_writer_new(path, header, &writer, &err) != EI_OK)
        fail_msg("%s", err.message);
    for (unsigned i = 0; i < count; i++) {
        struct ei_view_record record = record_of(i);
        login_of(i, login);
        assert_int_equal(ei_view_writer_add(writer, login, &record, NULL), EI_OK);
    }
    if (ei_view_writer_publish(writer, &err) != EI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(access(temp, F_OK), -1);
}

static inline enum ei_view_status open_status(void)
{
    struct ei_view view;
    struct ei_view_header header;
    enum ei_view_status status = ei_view_open(path, &view, &header);

    if (status == EI_VIEW_OK) {
        ei_view_close(&view);
    } else {
        assert_int_equal(view.fd, -1);
        assert_int_equal(header.major, 0);
    }
    return status;
}

static inline size_t read_whole(unsigned char *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, bytes, FILE_MAX);

    assert_true(length > 0 && length < FILE_MAX);
    close(fd);
    return (size_t)length;
}

static inline void write_whole(const unsigned char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

/* Puts right what a reader checks, after a test has changed the header. */
static inline void seal_header(unsigned char *bytes, size_t length)
{
    unsigned char *data = bytes + HEADER_AT;
    size_t data_length = (size_t)ei_view_get(bytes + EI_VIEW_TABLE_SIZE + 4, 4);

    ei_view_set(data + EI_VIEW_H_SIZE, 8, length);
    ei_view_set(data + EI_VIEW_H_CHECK, 8,
                ei_view_check((const unsigned char *)"H", 1, data, data_length, EI_VIEW_H_CHECK));
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif

/* The NSS module's entry point, and every way in which what it reads can fail (S17, S19, L6). */
#include "tests/unit/view_fixture.h"

#include <nss.h>

#include "plugin/nss/module.h"
#include "tests/unit/module_fixture.h"

enum nss_status _nss_entra_invite_initgroups_dyn(const char *user, gid_t group, long int *start, long int *size,
                                                 gid_t **groupsp, long int limit, int *errnop);

WRAP(ei_nss_standing)
WRAP(ei_nss_number)

enum { GID = 991, ODD = 99 };

static struct {
    enum ei_nss_answer answer; /* of ei_nss_standing; ODD: what it really says */
    enum ei_nss_found found;   /* of the n-th ei_nss_number */
    int nth;
} inside;

enum ei_nss_answer __wrap_ei_nss_standing(const struct ei_nss_paths *paths, const char *login, gid_t *ret_gid)
{
    (void)paths;
    (void)login;
    *ret_gid = GID;
    errno = EIO;
    return inside.answer;
}

enum ei_nss_found __wrap_ei_nss_number(const char *file, const char *name, id_t *ret_number)
{
    if (inside.nth > 0 && --inside.nth == 0) {
        *ret_number = 0;
        return inside.found;
    }
    return __real_ei_nss_number(file, name, ret_number);
}

static struct {
    long int start, size;
    gid_t *groups;
    int error;
} list;

static enum nss_status ask(enum ei_nss_answer answer, long int limit)
{
    inside.answer = answer;
    list.error = 0;
    errno = EDOM;
    enum nss_status status =
        _nss_entra_invite_initgroups_dyn("taylor", 100, &list.start, &list.size, &list.groups, limit, &list.error);
    assert_int_equal(errno, EDOM); /* the caller's */
    return status;
}

static void begin_list(long int start, long int size)
{
    free(list.groups);
    list.groups = calloc((size_t)size + 1, sizeof *list.groups);
    assert_non_null(list.groups);
    list.start = start;
    list.size = size;
}

static void L6_the_list_grows_and_its_limit_is_kept(void **state)
{
    static const struct {
        long int start, size, limit, then_start, then_size;
    } rows[] = {{0, 0, -1, 1, 16},  {1, 1, -1, 2, 2}, {1, 4, -1, 2, 4}, {8, 8, 10, 9, 10},
                {8, 8, 100, 9, 16}, {8, 8, 8, 8, 8},  {8, 8, 7, 8, 8}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_list(rows[i].start, rows[i].size);
        assert_int_equal(ask(EI_NSS_GROUP, rows[i].limit), NSS_STATUS_SUCCESS);
        assert_int_equal(list.start, rows[i].then_start);
        assert_int_equal(list.size, rows[i].then_size);
    }
    begin_list(1, 1);
    fails(CALL_REALLOC, 1, ENOMEM);
    assert_int_equal(ask(EI_NSS_GROUP, -1), NSS_STATUS_TRYAGAIN);
    assert_int_equal(list.error, ENOMEM);
    assert_int_equal(list.start, 1);
}

static void what_is_in_the_list_is_not_added(void **state)
{
    (void)state;
    begin_list(2, 4);
    list.groups[1] = GID;
    assert_int_equal(ask(EI_NSS_GROUP, -1), NSS_STATUS_SUCCESS);
    assert_int_equal(list.start, 2);
    inside.answer = EI_NSS_GROUP;
    begin_list(0, 4);
    assert_int_equal(
        _nss_entra_invite_initgroups_dyn("taylor", GID, &list.start, &list.size, &list.groups, -1, &list.error),
        NSS_STATUS_SUCCESS);
    assert_int_equal(list.start, 0);
}

static void L6_no_answer_is_told_apart_from_no_group(void **state)
{
    (void)state;
    begin_list(0, 4);
    assert_int_equal(ask(EI_NSS_NONE, -1), NSS_STATUS_NOTFOUND);
    assert_int_equal(ask(EI_NSS_ERROR, -1), NSS_STATUS_UNAVAIL);
    assert_int_equal(list.error, EIO);
    assert_int_equal(ask((enum ei_nss_answer)ODD, -1), NSS_STATUS_NOTFOUND);
    assert_int_equal(list.start, 0);
}

/* --- where the answer comes from --- */

static enum ei_nss_answer standing(const char *group_file)
{
    const struct ei_nss_paths paths = {path, other, group_file};
    gid_t gid = 0;

    return __real_ei_nss_standing(&paths, "taylor", &gid);
}

static void publish_taylor(void)
{
    struct ei_view_header header = plain;
    struct ei_view_record record = {.state = EI_STATE_ACCEPTED, .uid = 4001};
    struct ei_view_writer *writer;
    struct ei_error err = {0};

    header.not_after = 0;
    assert_int_equal(ei_view_writer_new(path, &header, &writer, &err), EI_OK);
    assert_int_equal(ei_view_writer_add(writer, "taylor", &record, NULL), EI_OK);
    assert_int_equal(ei_view_writer_publish(writer, &err), EI_OK);
    int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    static const char text[] = "taylor:x:4001:\nentra-invite-accepted:x:991:\n"; /* passwd and group in one */
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
}

/* The record's state becomes one of a newer version. */
static void make_newer(void)
{
    unsigned char bytes[FILE_MAX], key[EI_VIEW_KEY_MAX];
    size_t length = read_whole(bytes), key_length = ei_view_key("taylor", 6, key);
    unsigned char *data = memmem(bytes, length, key, key_length);

    assert_non_null(data);
    data += key_length;
    data[EI_VIEW_U_STATE] = 200;
    ei_view_set(data, 8, ei_view_check(key, key_length, data, EI_VIEW_U_REASON, 0));
    write_whole(bytes, length);
}

static void S24_what_cannot_be_read_is_an_error_and_no_answer(void **state)
{
    (void)state;
    publish_taylor();
    assert_int_equal(standing(other), EI_NSS_GROUP);
    fails(CALL_OPENAT, 1, EMFILE); /* the view */
    assert_int_equal(standing(other), EI_NSS_ERROR);
    fails(CALL_PREAD, 2, EIO); /* behind its header */
    assert_int_equal(standing(other), EI_NSS_ERROR);
    for (int file = 1; file <= 3; file++) { /* passwd; group, twice; each read to its end by one more call */
        fails(CALL_READ, file == 1 ? 1 : file, EIO);
        assert_int_equal(standing(other), EI_NSS_ERROR);
    }
    fails(CALL_READ, 1, EINTR);
    assert_int_equal(standing(other), EI_NSS_GROUP);
    fails(CALL_FSTAT, 3, EIO); /* after directory and view */
    assert_int_equal(standing(other), EI_NSS_ERROR);
    inside.nth = 1;
    inside.found = (enum ei_nss_found)ODD;
    assert_int_equal(standing(other), EI_NSS_ERROR);
    inside.nth = 2;
    inside.found = EI_NSS_FAILED;
    assert_int_equal(standing(other), EI_NSS_ERROR);
    inside.nth = 2;
    inside.found = EI_NSS_FOUND; /* with the gid 0, which is never answered (S19) */
    assert_int_equal(standing(other), EI_NSS_NONE);
    assert_int_equal(standing("/nonexistent"), EI_NSS_ERROR);
    make_newer();
    assert_int_equal(standing(other), EI_NSS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(L6_the_list_grows_and_its_limit_is_kept),
        IN_DIRECTORY(what_is_in_the_list_is_not_added),
        IN_DIRECTORY(L6_no_answer_is_told_apart_from_no_group),
        IN_DIRECTORY(S24_what_cannot_be_read_is_an_error_and_no_answer),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    free(list.groups);
    return rc;
}

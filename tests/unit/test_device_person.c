/* Who signed in, and the file in which that is kept: no network. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/graph/sign_in_file.h"

#define CLIENT "99999999-8888-7777-6666-555555555555"
#define OBJECT "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"
#define TENANT "11111111-2222-3333-4444-555555555555"
#define TOKEN  "0.AbC-_.canary\\\"quoted"

/* --- the id_token --- */

static char *encode(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(text);
    char *out = calloc(1, 2 * length + 4);
    char *at = out;

    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = 0;
        size_t count = length - i < 3 ? length - i : 3;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < count ? (unsigned char)text[i + j] : 0);
        for (size_t j = 0; j <= count; j++)
            *at++ = alphabet[bits >> (18 - 6 * j) & 63];
    }
    return out;
}

static enum ei_err read_claims(const char *claims, struct ei_person *person, struct ei_error *err)
{
    char *text = NULL;
    char *middle = encode(claims);

    memset(person, 0, sizeof *person);
    assert_true(asprintf(&text, "e30.%s.c2ln", middle) > 0);
    enum ei_err rc = ei_person_read(text, CLIENT, person, err);
    free(middle);
    free(text);
    return rc;
}

static void claims_say_who_it_is(void **state)
{
    struct ei_person person;
    struct ei_error err = {0};

    (void)state;
    assert_int_equal(read_claims("{\"aud\":\"" CLIENT
                                 "\",\"preferred_username\":\"kim@contoso.example\",\"oid\":\"" OBJECT
                                 "\",\"tid\":\"" TENANT "\"}",
                                 &person, &err),
                     EI_OK);
    assert_string_equal(person.name, "kim@contoso.example");
    assert_string_equal(person.object_id, OBJECT);
    assert_string_equal(person.tenant_id, TENANT);
    /* Other services know other claims, and aud may be several. */
    assert_int_equal(
        read_claims("{\"aud\":[\"x\",\"" CLIENT "\"],\"upn\":\"สมชาย@contoso.example\",\"oid\":\"me\"}", &person, &err),
        EI_OK);
    assert_string_equal(person.name, "สมชาย@contoso.example");
    assert_string_equal(person.object_id, "");
    assert_string_equal(person.tenant_id, "");
    assert_int_equal(read_claims("{\"aud\":\"" CLIENT "\",\"preferred_username\":\"a\\u001b[2Jb\\n\"}", &person, &err),
                     EI_OK);
    assert_null(strpbrk(person.name, "\x1b\n"));
}

static void a_token_for_another_app_is_refused(void **state)
{
    struct ei_person person;
    struct ei_error err = {0};

    (void)state;
    static const char *const others[] = {"{}", "{\"aud\":\"" OBJECT "\",\"upn\":\"kim\"}", "{\"aud\":[]}",
                                         "{\"aud\":7}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(read_claims(others[i], &person, &err), EI_SIGN_IN_TENANT);
    assert_non_null(strstr(err.message, CLIENT));
}

static void what_is_no_id_token_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "a.b",
        "e30",
        "e30.e30",
        "e30..c2ln",
        "e30.e3.c2ln",
        "e30.e.c2ln",
        "e30.e!0.c2ln",
        "e30.MQ.c2ln",
        "e30.W10.c2ln",
        "e30.e30=.c2ln",
    };
    struct ei_person person;
    struct ei_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ei_person_read(bad[i], CLIENT, &person, &err) != EI_TOKEN_REFUSED)
            fail_msg("\"%s\": %s", bad[i], err.message);
}

/* --- the file --- */

struct fixture {
    char directory[64];
    char path[96];
    struct ei_sign_in_record record;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->directory, sizeof f->directory, "/tmp/ei-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/refresh-token", f->directory);
    f->record.sign_in = (struct ei_sign_in){
        .person = {.name = "kim@contoso.example", .object_id = OBJECT, .tenant_id = TENANT},
        .signed_in_at = 1700000000,
        .renewed_at = 1700003600,
    };
    f->record.client_id = strdup(CLIENT);
    f->record.login_url = strdup("https://login.example");
    f->record.graph_url = strdup("https://graph.example");
    f->record.scope = strdup("https://graph.example/User.Invite.All offline_access");
    assert_int_equal(ei_sign_in_record_token(&f->record, TOKEN, NULL), EI_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ei_sign_in_record_free(&f->record);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    return 0;
}

static void put_file(struct fixture *f, const char *text, mode_t mode)
{
    unlink(f->path);
    int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void what_is_written_is_read(void **state)
{
    struct fixture *f = *state;
    struct ei_sign_in_record read = {0};
    struct ei_error err;
    struct stat st;

    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_NOT_FOUND);
    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_OK);
    assert_string_equal(read.refresh_token.data, TOKEN);
    assert_string_equal(read.sign_in.person.name, "kim@contoso.example");
    assert_string_equal(read.sign_in.person.object_id, OBJECT);
    assert_string_equal(read.sign_in.person.tenant_id, TENANT);
    assert_int_equal(read.sign_in.signed_in_at, 1700000000);
    assert_int_equal(read.sign_in.renewed_at, 1700003600);
    assert_string_equal(read.client_id, CLIENT);
    assert_string_equal(read.login_url, "https://login.example");
    assert_string_equal(read.graph_url, "https://graph.example");
    assert_string_equal(read.scope, f->record.scope);
    ei_sign_in_record_free(&read);
}

/* contract 1.5: the old token stays good, so its bytes are erased. Whoever has the old file open sees that. */
static void the_old_content_is_erased(void **state)
{
    struct fixture *f = *state;
    struct ei_error err;
    char bytes[2048] = "";

    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ei_sign_in_record_token(&f->record, "1.another", NULL), EI_OK);
    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    ssize_t got = read(fd, bytes, sizeof bytes);
    assert_true(got > 100 && got < (ssize_t)sizeof bytes);
    for (ssize_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], 0);
    close(fd);
}

/* S5, S8: what lies in its place is not followed, not waited for, and not written to. */
static void what_lies_in_its_place_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct ei_sign_in_record read = {0};
    struct ei_error err;
    char other[128];
    struct stat st;

    snprintf(other, sizeof other, "%s/other", f->directory);
    put_file(f, "precious", 0600);
    assert_int_equal(rename(f->path, other), 0);
    assert_int_equal(symlink(other, f->path), 0);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_SECRET_FILE);
    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, strlen("precious"));
    unlink(other);
    unlink(f->path);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_SECRET_FILE);
    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_OK);
    ei_sign_in_record_free(&read);
}

static void other_files_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "0.AbC",
        "{}",
        "[]",
        "{\"refreshToken\":\"x\"}",
        "{\"refreshToken\":\"\",\"clientId\":\"c\",\"loginUrl\":\"l\",\"graphUrl\":\"g\",\"scope\":\"s\"}",
        "{\"refreshToken\":\"a\\u0000b\",\"clientId\":\"c\",\"loginUrl\":\"l\",\"graphUrl\":\"g\",\"scope\":7}",
        "{\"refreshToken\":\"a\\nb\",\"clientId\":\"c\",\"loginUrl\":\"l\",\"graphUrl\":\"g\",\"scope\":\"s\"}",
        "{\"refreshToken\":7,\"clientId\":\"c\",\"loginUrl\":\"l\",\"graphUrl\":\"g\",\"scope\":\"s\"}",
    };
    static const char good[] =
        "{\"refreshToken\":\"x\",\"clientId\":\"c\",\"loginUrl\":\"l\",\"graphUrl\":\"g\",\"scope\":\"s\"}\n";
    struct fixture *f = *state;
    struct ei_sign_in_record read = {0};
    struct ei_error err;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put_file(f, bad[i], 0600);
        if (ei_sign_in_file_read(f->path, &read, &err) != EI_SECRET_FILE)
            fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(err.message, f->path));
    }
    put_file(f, good, 0644);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_SECRET_FILE);
    put_file(f, good, 0600);
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_OK);
    assert_string_equal(read.sign_in.person.name, "");
    ei_sign_in_record_free(&read);
}

static void what_can_be_no_token_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ei_error err;
    static char longest[6 * 1024 + 2];

    assert_int_equal(ei_sign_in_record_token(&f->record, "", &err), EI_TOKEN_REFUSED);
    assert_int_equal(ei_sign_in_record_token(&f->record, "a\tb", &err), EI_TOKEN_REFUSED);
    assert_int_equal(ei_sign_in_record_token(&f->record, "\xc3\xa9", &err), EI_TOKEN_REFUSED);
    memset(longest, '"', sizeof longest - 1);
    assert_int_equal(ei_sign_in_record_token(&f->record, longest, &err), EI_TOKEN_REFUSED);
    assert_string_equal(f->record.refresh_token.data, TOKEN);
    longest[sizeof longest - 2] = '\0';
    assert_int_equal(ei_sign_in_record_token(&f->record, longest, &err), EI_OK);
    assert_int_equal(ei_sign_in_file_write(f->path, &f->record, &err), EI_OK);
    struct ei_sign_in_record read = {0};
    assert_int_equal(ei_sign_in_file_read(f->path, &read, &err), EI_OK);
    assert_string_equal(read.refresh_token.data, longest);
    ei_sign_in_record_free(&read);
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_say_who_it_is),
        cmocka_unit_test(a_token_for_another_app_is_refused),
        cmocka_unit_test(what_is_no_id_token_is_refused),
        FILE_TEST(what_is_written_is_read),
        FILE_TEST(the_old_content_is_erased),
        FILE_TEST(what_lies_in_its_place_is_replaced),
        FILE_TEST(other_files_are_refused),
        FILE_TEST(what_can_be_no_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

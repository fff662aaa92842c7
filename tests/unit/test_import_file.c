/* The file that import takes: both headings, and each thing that makes a row bad. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "plugin/cli/import_file.h"

static struct ei_import_file file;
static struct ei_error whole;

static enum ei_err take(const char *text, size_t length)
{
    static const volatile sig_atomic_t go_on = 0;
    char path[] = "/tmp/ei-import-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
    ei_import_file_free(&file);
    ei_error_clear(&whole);
    enum ei_err rc = ei_import_file_read(path, &go_on, &file, &whole);
    unlink(path);
    return rc;
}

#define TAKES(text)                                                                                                    \
    do {                                                                                                               \
        if (take(text, sizeof(text) - 1) != EI_OK)                                                                     \
            fail_msg("%s", whole.message);                                                                             \
    } while (0)

static void row_has(size_t row, enum ei_import_column column, const char *value)
{
    assert_true(row < file.count);
    if (file.rows[row].error != NULL)
        fail_msg("row %zu: %s", row, file.rows[row].error->message);
    if (value == NULL)
        assert_null(file.rows[row].values[column]);
    else
        assert_string_equal(file.rows[row].values[column], value);
}

static void row_is_bad(size_t row, size_t line, const char *column, const char *why)
{
    assert_true(row < file.count);
    assert_int_equal(file.rows[row].line, line);
    assert_non_null(file.rows[row].error);
    if (column == NULL)
        assert_null(file.rows[row].column);
    else
        assert_string_equal(file.rows[row].column, column);
    if (strstr(file.rows[row].error->message, why) == NULL)
        fail_msg("not \"%s\": %s", why, file.rows[row].error->message);
}

#define ENTRA                                                                                                          \
    "Email address to invite [inviteeEmail] Required,Redirection url [inviteRedirectURL] Required,"                    \
    "Send invitation message (true or false) [sendEmail],Customized invitation message [customizedMessageBody]"

static void entras_own_file(void **state)
{
    (void)state;
    TAKES("version:v1.0\r\n" ENTRA "\r\n"
          "Example: cmpauser@contoso.com,https://myapplications.microsoft.com,true,\"Hello, you\"\r\n"
          "taylor@fabrikam.com,https://myapps.microsoft.com,TRUE,\"Hi, \"\"Taylor\"\"\r\nbye\"\r\n"
          "robin@fabrikam.com,https://myapps.microsoft.com\r\n");
    assert_int_equal(file.count, 2);
    row_has(0, EI_IMPORT_EMAIL, "taylor@fabrikam.com");
    row_has(0, EI_IMPORT_REDIRECT_URL, "https://myapps.microsoft.com");
    row_has(0, EI_IMPORT_SEND_MESSAGE, "TRUE");
    row_has(0, EI_IMPORT_MESSAGE, "Hi, \"Taylor\"\r\nbye");
    row_has(0, EI_IMPORT_LOGIN, NULL);
    row_has(1, EI_IMPORT_SEND_MESSAGE, NULL);
    assert_int_equal(file.rows[1].line, 6);

    /* Trailing commas, as a spreadsheet saves it; another order; another language around the names. */
    TAKES("\xef\xbb\xbfversion:v1.0,,,\n[sendEmail],보낼까요 [customizedMessageBody],이메일 [inviteeEmail] "
          "필수,[inviteRedirectURL]\n"
          "false,,taylor@fabrikam.com,,,\n,,,\n");
    assert_int_equal(file.count, 1);
    row_has(0, EI_IMPORT_EMAIL, "taylor@fabrikam.com");
    row_has(0, EI_IMPORT_SEND_MESSAGE, "false");
    row_has(0, EI_IMPORT_REDIRECT_URL, NULL);

    assert_int_equal(take("version:v2.0\n" ENTRA "\n", sizeof "version:v2.0\n" ENTRA "\n" - 1), EI_USAGE);
    assert_non_null(strstr(whole.message, "version:v2.0"));
}

static void a_plain_file(void **state)
{
    (void)state;
    TAKES("login,Email,rule,display_name,redirect_url,language,message,cc,type,sponsors,send_message\n"
          "taylor,taylor@fabrikam.com,partners,\"Example, Taylor\",https://a.example/,de-DE,Hello,a@b.example,member,"
          "robin@contoso.com; requester,true\n"
          ",robin@fabrikam.com,,'=1+1,,,,,,,\n"
          "robin2,robin2@fabrikam.com\n");
    assert_int_equal(file.count, 3);
    row_has(0, EI_IMPORT_LOGIN, "taylor");
    row_has(0, EI_IMPORT_RULE, "partners");
    row_has(0, EI_IMPORT_DISPLAY_NAME, "Example, Taylor");
    row_has(0, EI_IMPORT_SPONSORS, "robin@contoso.com; requester");
    row_has(1, EI_IMPORT_LOGIN, NULL);
    row_has(1, EI_IMPORT_DISPLAY_NAME, "=1+1");
    row_has(2, EI_IMPORT_TYPE, NULL);
    TAKES("email,deliver\ntaylor@fabrikam.com,smtp\nrobin@fabrikam.com,pigeon\n");
    row_has(0, EI_IMPORT_DELIVER, "smtp");
    row_is_bad(1, 3, "deliver", "none of: none, microsoft, smtp, webhook");
}

static void files_that_are_none(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "empty"},
        {"email\n", "no rows"},
        {"email,colour\na@b.example,red\n", "line 1: \"colour\" is no column"},
        {"email;login\n", "\"email;login\" is no column"},
        {"login,rule\ntaylor,partners\n", "no column email"},
        {"email,email\na@b.example,\n", "there twice"},
        {"\n\"email\nx\n", "line 2: a quote opens"},
        {"version:v1.0\n", "nothing behind"},
        {"version:v1.0\nemail\n", "is no column"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(take(cases[i].text, strlen(cases[i].text)), EI_USAGE);
        if (strstr(whole.message, cases[i].why) == NULL)
            fail_msg("not \"%s\": %s", cases[i].why, whole.message);
    }
    ei_import_file_free(&file);
    static const volatile sig_atomic_t go_on = 0;
    assert_int_equal(ei_import_file_read("/nowhere/at/all", &go_on, &file, &whole), EI_USAGE);
    assert_non_null(strstr(whole.message, "No such file"));
}

/* All of them at once, each by its own line, and the good one among them stays good. */
static void every_bad_row_is_named(void **state)
{
    (void)state;
    TAKES("email,login,rule,display_name,redirect_url,language,message,cc,type,sponsors,send_message\n"
          "taylor@@fabrikam.com\n"
          ",taylor\n"
          "a1@fabrikam.com,,,,ftp://x.example/\n"
          "a2@fabrikam.com,,,,,german or so\n"
          "a3@fabrikam.com,,,,,,,b;oss@fabrikam.com\n"
          "a4@fabrikam.com,,,,,,,,alien\n"
          "a5@fabrikam.com,,,,,,,,,nobody\n"
          "a6@fabrikam.com,,,,,,,,,,maybe\n"
          "a7@fabrikam.com,,,\"two\nlines\"\n"
          "good@fabrikam.com\n"
          "a8@fabrikam.com,,,,,,,,,,,surplus\n"
          "\"a9@fabrikam.com\"x\n"
          "GOOD@fabrikam.com\n"
          "a10@fabrikam.com,,,,,,,,,requester;requester;requester;requester;requester;requester\n"
          "b\xff@fabrikam.com\n");
    assert_int_equal(file.count, 15);
    row_is_bad(0, 2, "email", "taylor@@fabrikam.com");
    row_is_bad(1, 3, "email", "is empty");
    row_is_bad(2, 4, "redirect_url", "ftp://x.example/");
    row_is_bad(3, 5, "language", "german or so");
    row_is_bad(4, 6, "cc", "b;oss");
    row_is_bad(5, 7, "type", "alien");
    row_is_bad(6, 8, "sponsors", "nobody");
    row_is_bad(7, 9, "send_message", "maybe");
    row_is_bad(8, 10, "display_name", "more than one line");
    row_has(9, EI_IMPORT_EMAIL, "good@fabrikam.com");
    row_is_bad(10, 13, NULL, "field 12 has no column");
    row_is_bad(11, 14, NULL, "behind a closing quote");
    row_is_bad(12, 15, "email", "is in line 12 already");
    row_is_bad(13, 16, "sponsors", "5");
    row_is_bad(14, 17, NULL, "not UTF-8");
}

static void one_person_may_have_two_accounts(void **state)
{
    (void)state;
    TAKES("email,login\ntaylor@fabrikam.com,taylor\nTaylor@Fabrikam.com,taylor2\ntaylor@fabrikam.com,taylor\n"
          "taylor@fabrikam.com,\n");
    row_has(0, EI_IMPORT_LOGIN, "taylor");
    row_has(1, EI_IMPORT_LOGIN, "taylor2");
    row_is_bad(2, 4, "email", "is in line 2 already");
    row_is_bad(3, 5, "email", "is in line 2 already");
}

static void take_long(const char *column, size_t length, const char *unit)
{
    struct ei_buffer text;

    ei_buffer_init(&text, 1 << 20);
    assert_true(ei_buffer_append_text(&text, "email,"));
    assert_true(ei_buffer_append_text(&text, column));
    assert_true(ei_buffer_append_text(&text, "\ntaylor@fabrikam.com,"));
    for (size_t i = 0; i < length; i++)
        assert_true(ei_buffer_append_text(&text, unit));
    assert_int_equal(take(text.data, text.length), EI_OK);
    ei_buffer_free(&text);
}

static void too_long_fields(void **state)
{
    (void)state;
    take_long("display_name", 256, "한");
    row_has(0, EI_IMPORT_EMAIL, "taylor@fabrikam.com");
    take_long("display_name", 257, "한");
    row_is_bad(0, 2, "display_name", "longer than 256 characters");
    take_long("message", 64 * 1024, "m");
    row_has(0, EI_IMPORT_EMAIL, "taylor@fabrikam.com");
    take_long("message", 64 * 1024 + 1, "m");
    row_is_bad(0, 2, "message", "longer than 64 KiB");
    take_long("login", 257, "l");
    row_is_bad(0, 2, "login", "longer than 256 bytes");
    take_long("rule", 2049, "r");
    row_is_bad(0, 2, "rule", "longer than 2048 bytes");
}

static void too_many_rows(void **state)
{
    struct ei_buffer text;
    char row[32];

    (void)state;
    ei_buffer_init(&text, EI_IMPORT_FILE_MAX);
    assert_true(ei_buffer_append_text(&text, "email\n"));
    for (int i = 0; i < EI_IMPORT_ROWS_MAX; i++) {
        snprintf(row, sizeof row, "u%d@fabrikam.com\n", i);
        assert_true(ei_buffer_append_text(&text, row));
    }
    assert_int_equal(take(text.data, text.length), EI_OK);
    assert_int_equal(file.count, EI_IMPORT_ROWS_MAX);
    assert_true(ei_buffer_append_text(&text, "one.more@fabrikam.com\n"));
    assert_int_equal(take(text.data, text.length), EI_USAGE);
    assert_non_null(strstr(whole.message, "100000"));
    ei_buffer_free(&text);
}

static int forget(void **state)
{
    (void)state;
    ei_import_file_free(&file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entras_own_file),
        cmocka_unit_test(a_plain_file),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(every_bad_row_is_named),
        cmocka_unit_test(one_person_may_have_two_accounts),
        cmocka_unit_test(too_long_fields),
        cmocka_unit_test(too_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}

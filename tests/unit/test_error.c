/* The one error type: its message is one line of UTF-8 that moves no cursor, whatever text went into it (S16). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/error.h"
#include "common/base/utf8.h"

static void message_is(const char *text, const char *wanted)
{
    struct ei_error err = {0};

    assert_int_equal(ei_fail(&err, EI_USAGE, "%s", text), EI_USAGE);
    assert_string_equal(err.message, wanted);
}

static void S16_control_characters_and_broken_bytes_are_replaced(void **state)
{
    (void)state;
    message_is("taylor\n\x1b[2J\x7f", "taylor??[2J?");
    message_is("\xc2\x9b"
               "2J", /* CSI in one character: as good as ESC [ for a terminal */
               "??2J");
    message_is("\xc2", "?");
    message_is("\xc2\xa0\xe2\x82\xac", "\xc2\xa0\xe2\x82\xac");
}

static void a_message_is_cut_between_two_characters(void **state)
{
    char text[2 * EI_MESSAGE_MAX];
    struct ei_error err = {0};

    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc2\x9b", 3);
    ei_fail(&err, EI_USAGE, ".%s", text);
    assert_int_equal(strlen(err.message), EI_MESSAGE_MAX - 1);
    assert_true(ei_utf8_printable(err.message));
}

/* What passes by itself must not look like a file that somebody has to mend: the worker would not be started again. */
static void a_call_on_a_file_fails_by_the_machine_or_by_the_file(void **state)
{
    (void)state;
    assert_int_equal(ei_err_of_file(ENOMEM, EI_CONFIG), EI_NOMEM);
    assert_int_equal(ei_err_of_file(EIO, EI_CONFIG), EI_IO);
    assert_int_equal(ei_err_of_file(EMFILE, EI_CONFIG), EI_IO);
    assert_int_equal(ei_err_of_file(ENFILE, EI_CONFIG), EI_IO);
    assert_int_equal(ei_err_of_file(ENOENT, EI_CONFIG), EI_CONFIG);
    assert_int_equal(ei_err_of_file(EACCES, EI_TEMPLATE), EI_TEMPLATE);
    assert_true(ei_err_may_pass(EI_NOMEM));
    assert_true(ei_err_may_pass(EI_IO));
    assert_false(ei_err_may_pass(EI_CONFIG));
    assert_false(ei_err_may_pass(EI_SECRET_FILE));
}

static void what_cannot_be_written_is_the_disks_fault_or_the_machines(void **state)
{
    (void)state;
    assert_int_equal(ei_err_of_write(ENOSPC), EI_STORE_FULL);
    assert_int_equal(ei_err_of_write(EDQUOT), EI_STORE_FULL);
    assert_int_equal(ei_err_of_write(ENOMEM), EI_NOMEM);
    assert_int_equal(ei_err_of_write(EROFS), EI_IO);
    assert_int_equal(ei_err_of_write(EMFILE), EI_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(S16_control_characters_and_broken_bytes_are_replaced),
        cmocka_unit_test(a_message_is_cut_between_two_characters),
        cmocka_unit_test(a_call_on_a_file_fails_by_the_machine_or_by_the_file),
        cmocka_unit_test(what_cannot_be_written_is_the_disks_fault_or_the_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

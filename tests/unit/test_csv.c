/* The reader of comma-separated values: what RFC 4180 allows is taken exactly, what it does not is an error with its
 * line, and the next record is still read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/cli/csv.h"

/* "[a][b]" for each record, its line before it; "!why@line" for a bad one. */
static const char *read_all(const char *text, size_t length)
{
    static char seen[4096];
    struct ei_csv csv;
    struct ei_csv_record record;
    char *copy = malloc(length + 1);
    size_t used = 0;

    assert_non_null(copy);
    memcpy(copy, text, length);
    seen[0] = '\0';
    ei_csv_open(&csv, copy, length);
    while (ei_csv_next(&csv, &record)) {
        used += (size_t)snprintf(seen + used, sizeof seen - used, "%zu:", record.line);
        if (record.bad != NULL)
            used += (size_t)snprintf(seen + used, sizeof seen - used, "!%s@%zu", record.bad, record.bad_line);
        for (size_t i = 0; i < record.count && record.bad == NULL; i++)
            used += (size_t)snprintf(seen + used, sizeof seen - used, "[%s]", record.fields[i]);
        used += (size_t)snprintf(seen + used, sizeof seen - used, " ");
    }
    free(copy);
    return seen;
}

#define READS(text, expected) assert_string_equal(read_all(text, sizeof(text) - 1), expected)

static void what_the_rfc_allows(void **state)
{
    (void)state;
    READS("", "");
    READS("\n\r\n\n", "");
    READS("a,b\nc,d\n", "1:[a][b] 2:[c][d] ");
    READS("a,b\r\nc,d", "1:[a][b] 2:[c][d] ");
    READS("\xef\xbb\xbf"
          "a,b\n",
          "1:[a][b] ");
    READS("a,,\n", "1:[a][][] ");
    READS(",\n", "1:[][] ");
    READS("\"a\",\"\"\n", "1:[a][] ");
    READS("\"a,b\",\"say \"\"hi\"\"\",c\n", "1:[a,b][say \"hi\"][c] ");
    READS("\"\"\"\"\n", "1:[\"] ");
    READS("\"two\nlines\",x\n\ny\n", "1:[two\nlines][x] 4:[y] ");
    READS("\"two\r\nlines\"\r\ny\r\n", "1:[two\r\nlines] 3:[y] ");
    READS("\"last\"", "1:[last] ");
    READS("김민준,สมชาย,王小明\n", "1:[김민준][สมชาย][王小明] ");
    READS(" a , b \n", "1:[ a ][ b ] ");
}

static void what_it_does_not(void **state)
{
    (void)state;
    READS("a\n\"b\nc\n", "1:[a] 2:!a quote opens here that nothing closes@2 ");
    READS("a,\"b", "1:!a quote opens here that nothing closes@1 ");
    READS("\"", "1:!a quote opens here that nothing closes@1 ");
    READS("\"a\"b,c\nd\n", "1:!text behind a closing quote@1 2:[d] ");
    READS("\"a\" ,c\nd\n", "1:!text behind a closing quote@1 2:[d] ");
    READS("a\"b,c\nd\n", "1:!a quote inside a field that does not begin with one@1 2:[d] ");
    READS("a\rb\nd\n", "1:!a carriage return without a line feed@1 2:[d] ");
    READS("a\r", "1:!a carriage return without a line feed@1 ");
    READS("a\nb\0c,d\ne\n", "1:[a] 2:!a NUL byte@2 3:[e] ");
    READS("\"b\0\",d\ne\n", "1:!a NUL byte@1 2:[e] ");
    READS("a\nb\xff\n\xc3\nc\n", "1:[a] 2:!bytes that are not UTF-8@2 3:!bytes that are not UTF-8@3 4:[c] ");
    READS("\xed\xa0\x80\n", "1:!bytes that are not UTF-8@1 ");
    READS("a\x1b[2J,b\nc\n", "1:!a control character@1 2:[c] ");
}

static void more_fields_than_there_is_room_for(void **state)
{
    char text[2 * EI_CSV_FIELDS_MAX + 8] = "";

    (void)state;
    memset(text, ',', EI_CSV_FIELDS_MAX);
    strcat(text, "\nb\n");
    assert_string_equal(read_all(text, strlen(text)), "1:!more than 64 fields@1 2:[b] ");
    memset(text, ',', EI_CSV_FIELDS_MAX - 1);
    text[EI_CSV_FIELDS_MAX - 1] = '\n';
    text[EI_CSV_FIELDS_MAX] = '\0';
    assert_null(strchr(read_all(text, strlen(text)), '!'));
}

/* Every text of up to seven of the characters that matter is read to its end, within its bounds (sanitizers), and no
 * field holds more than the text. */
static void any_text_ends(void **state)
{
    static const char alphabet[] = "a,\"\n\r";
    const size_t letters = sizeof alphabet - 1;

    (void)state;
    for (size_t length = 1; length <= 7; length++) {
        size_t texts = 1;
        for (size_t i = 0; i < length; i++)
            texts *= letters;
        for (size_t number = 0; number < texts; number++) {
            char *text = malloc(length + 1);
            struct ei_csv csv;
            struct ei_csv_record record;
            size_t records = 0;
            size_t rest = number;
            assert_non_null(text);
            for (size_t i = 0; i < length; i++, rest /= letters)
                text[i] = alphabet[rest % letters];
            ei_csv_open(&csv, text, length);
            while (ei_csv_next(&csv, &record)) {
                assert_true(++records <= length);
                for (size_t i = 0; i < record.count; i++)
                    assert_true(record.fields[i] >= text &&
                                record.fields[i] + strlen(record.fields[i]) <= text + length);
            }
            free(text);
        }
    }
}

/* What a spreadsheet would run comes back as it was. */
static void formulas_are_told_and_undone(void **state)
{
    static const char *const dangerous[] = {
        "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx", "'x", "''=1", "＝1", "＋1", "－1", "＠x",
    };
    static const char *const harmless[] = {"", "Taylor", "a=b", " =1", "ㄱ", "\"=1"};
    char guarded[64];

    (void)state;
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++) {
        assert_true(ei_csv_formula(dangerous[i]));
        snprintf(guarded, sizeof guarded, "'%s", dangerous[i]);
        assert_string_equal(ei_csv_unguarded(guarded), dangerous[i]);
    }
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        assert_false(ei_csv_formula(harmless[i]));
        assert_string_equal(ei_csv_unguarded(harmless[i]), harmless[i]);
    }
    assert_string_equal(ei_csv_unguarded("'Neill"), "'Neill");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rfc_allows),
        cmocka_unit_test(what_it_does_not),
        cmocka_unit_test(more_fields_than_there_is_room_for),
        cmocka_unit_test(any_text_ends),
        cmocka_unit_test(formulas_are_told_and_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

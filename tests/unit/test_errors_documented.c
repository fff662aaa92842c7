/* Every code of the error table, with its mend and whose fault it is, and every row of the catalogue stand in
 * entra-invite-errors(7), and nothing stands there that does not exist. Run from the top of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/graph/catalogue.h"

enum { PAGE_MAX = 256 * 1024, ITEM_MAX = 512 };

static char page[PAGE_MAX];

static int read_page(void **state)
{
    FILE *file = fopen("plugin/cli/entra-invite-errors.7", "r");

    (void)state;
    assert_non_null(file);
    size_t got = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    assert_true(got > 0 && got < sizeof page - 1);
    return 0;
}

/* What stands between the heading and the next section. */
static const char *section(const char *heading, const char **end)
{
    char line[64];

    snprintf(line, sizeof line, "\n.Sh %s\n", heading);
    const char *start = strstr(page, line);
    if (start == NULL)
        fail_msg("the page has no section %s", heading);
    start += strlen(line) - 1;
    *end = strstr(start, "\n.Sh ");
    if (*end == NULL)
        *end = start + strlen(start);
    return start;
}

/* The text of an item that is there once, its lines joined by blanks, escapes taken away. */
static void item_text(const char *start, const char *end, const char *head, char *out, size_t size)
{
    char line[ITEM_MAX];
    size_t used = 0;

    snprintf(line, sizeof line, "\n.It %s\n", head);
    const char *at = strstr(start, line);
    if (at == NULL || at >= end)
        fail_msg("the page has no item %s where it belongs", head);
    if (strstr(at + 1, line) != NULL)
        fail_msg("the page has the item %s twice", head);
    at += strlen(line);
    const char *stop = strstr(at, "\n.It ");
    const char *list_end = strstr(at, "\n.El");
    if (stop == NULL || (list_end != NULL && list_end < stop))
        stop = list_end;
    assert_non_null(stop);
    for (; at < stop && used + 1 < size; at++) {
        if (strncmp(at, "\\&", 2) == 0)
            at++;
        else
            out[used++] = *at == '\n' ? ' ' : *at;
    }
    out[used] = '\0';
}

static size_t count_items(const char *start, const char *end)
{
    size_t count = 0;

    for (const char *at = start; (at = strstr(at, "\n.It ")) != NULL && at < end; at++)
        count++;
    return count;
}

static void the_page_has_every_code_with_its_mend(void **state)
{
    static const char *const headings[] = {
        [EI_FAULT_ACCOUNT] = "ERRORS ABOUT A PERSON",
        [EI_FAULT_TENANT] = "ERRORS OF THE TENANT",
        [EI_FAULT_TRANSIENT] = "PASSING ERRORS",
        [EI_FAULT_HOST] = "ERRORS OF THIS HOST",
    };
    size_t found[EI_FAULT_HOST + 1] = {0};
    const char *end;

    (void)state;
    for (enum ei_err code = EI_OK + 1; code < EI_ERR_COUNT; code++) {
        enum ei_fault fault = ei_err_fault(code);
        const char *start = section(headings[fault], &end);
        char head[128];
        char expected[ITEM_MAX];
        char text[4 * ITEM_MAX];
        snprintf(head, sizeof head, "Cm %s", ei_err_name(code));
        item_text(start, end, head, text, sizeof text);
        snprintf(expected, sizeof expected, " .Em Mend : %s", ei_err_mend(code));
        const char *mend = strstr(text, " .Em Mend : ");
        if (mend == NULL || mend == text || strcmp(mend, expected) != 0)
            fail_msg("%s has the mend \"%s\", the page says: %s", ei_err_name(code), ei_err_mend(code), text);
        found[fault]++;
    }
    for (int fault = EI_FAULT_ACCOUNT; fault <= EI_FAULT_HOST; fault++) {
        const char *start = section(headings[fault], &end);
        assert_int_equal(count_items(start, end), found[fault]);
    }
}

static void the_page_has_every_row_of_the_catalogue(void **state)
{
    const char *end;
    const char *start = section("WHAT MICROSOFT SAYS", &end);

    (void)state;
    for (size_t i = 0; i < ei_catalogue_count; i++) {
        const struct ei_catalogue_row *row = &ei_catalogue[i];
        char head[ITEM_MAX];
        char text[ITEM_MAX];
        if (row->kind == EI_ROW_LOGIN)
            snprintf(head, sizeof head, "AADSTS%lld , Cm %s", (long long)row->number, ei_err_name(row->code));
        else if (row->status == 0)
            snprintf(head, sizeof head, "%s , Cm %s", row->text, ei_err_name(row->code));
        else
            snprintf(head, sizeof head, "%ld %s , Cm %s", row->status, row->text, ei_err_name(row->code));
        item_text(start, end, head, text, sizeof text);
        assert_string_equal(text, row->cause);
    }
    assert_int_equal(count_items(start, end), ei_catalogue_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_every_code_with_its_mend),
        cmocka_unit_test(the_page_has_every_row_of_the_catalogue),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}

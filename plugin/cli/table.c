#include "plugin/cli/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/cli/csv.h"

enum { COLUMN_MAX = 40, GAP = 2 };

/* --- tables --- */

static size_t width_of(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void pad(size_t from, size_t to)
{
    for (; from < to; from++)
        putchar(' ');
}

/* "-" where there is nothing. */
static const char *cell(const struct ei_column *column, const cJSON *row, char time[EI_TIME_LOCAL_TEXT])
{
    const char *text = ei_json_string(row, column->member);

    if (text == NULL && column->otherwise != NULL)
        text = ei_json_string(row, column->otherwise);
    if (text == NULL)
        return "-";
    return column->kind == EI_CELL_TIME ? ei_local_time(text, time) : text;
}

static void measure(struct ei_table *table, const cJSON *rows)
{
    char time[EI_TIME_LOCAL_TEXT];
    const cJSON *row;

    for (size_t i = 0; i < table->count; i++) {
        if (!table->begun && !table->bare)
            table->widths[i] = width_of(table->columns[i].title);
        cJSON_ArrayForEach(row, rows)
        {
            size_t needed = width_of(cell(&table->columns[i], row, time));
            if (needed > table->widths[i])
                table->widths[i] = needed < COLUMN_MAX ? needed : COLUMN_MAX;
        }
    }
}

/* 0: no terminal. */
static size_t terminal_width(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Wide columns are shown as long as they fit, from the left. */
static void choose(struct ei_table *table)
{
    size_t room = terminal_width();
    size_t used = 0;

    for (size_t i = 0; i < table->count; i++)
        if (!table->columns[i].wide)
            used += table->widths[i] + GAP;
    for (size_t i = 0; i < table->count; i++) {
        bool fits = used + table->widths[i] <= room;
        table->shown[i] = !table->columns[i].wide || fits;
        if (table->columns[i].wide && fits)
            used += table->widths[i] + GAP;
    }
}

static size_t last_shown(const struct ei_table *table)
{
    size_t last = 0;

    for (size_t i = 0; i < table->count; i++)
        if (table->shown[i])
            last = i;
    return last;
}

static void print_heading(const struct ei_table *table)
{
    size_t last = last_shown(table);

    for (size_t i = 0; i <= last; i++) {
        const char *title = table->columns[i].title;
        if (!table->shown[i])
            continue;
        fputs(title, stdout);
        if (i != last)
            pad(width_of(title), table->widths[i] + GAP);
    }
    putchar('\n');
}

static void print_row(const struct ei_cli *cli, const struct ei_table *table, const cJSON *row)
{
    char time[EI_TIME_LOCAL_TEXT];
    size_t last = last_shown(table);

    for (size_t i = 0; i <= last; i++) {
        if (!table->shown[i])
            continue;
        const char *text = cell(&table->columns[i], row, time);
        if (table->columns[i].kind == EI_CELL_STATE)
            ei_print_state(cli, text);
        else
            ei_print_text(text);
        if (i != last)
            pad(width_of(text), table->widths[i]);
        fputs(i != last ? "  " : "\n", stdout);
    }
}

void ei_table_print(const struct ei_cli *cli, struct ei_table *table, const cJSON *rows)
{
    const cJSON *row;

    measure(table, rows);
    if (!table->begun) {
        choose(table);
        if (!table->bare)
            print_heading(table);
        table->begun = true;
    }
    cJSON_ArrayForEach(row, rows)
    {
        print_row(cli, table, row);
    }
}

/* --- CSV --- */

void ei_csv_cell(const char *text)
{
    if (text == NULL)
        return;
    const char *guard = ei_csv_formula(text) ? "'" : "";
    if (strpbrk(text, ",\"\r\n") == NULL) {
        printf("%s%s", guard, text);
        return;
    }
    printf("\"%s", guard);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

void ei_csv_members(const cJSON *object, const char *const *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, members[i]);
        if (i != 0)
            putchar(',');
        ei_csv_cell(cJSON_IsBool(item) ? (cJSON_IsTrue(item) ? "true" : "false") : cJSON_GetStringValue(item));
    }
}

void ei_csv_heading(const char *const *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i != 0 ? "," : "", members[i]);
}

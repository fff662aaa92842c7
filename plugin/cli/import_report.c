/* What import says. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "plugin/cli/import.h"

static bool is(const struct ei_import_row *row, const char *state)
{
    return ei_text_same(row->state, state);
}

bool ei_import_settled(const struct ei_import_row *row)
{
    return is(row, "pending") || is(row, "accepted");
}

bool ei_import_recorded(const struct ei_import_row *row)
{
    return row->error == NULL && (row->asked || row->already);
}

struct ei_import_counts ei_import_count(const struct ei_import *import)
{
    struct ei_import_counts counts = {0};

    for (size_t i = 0; i < import->file.count; i++) {
        const struct ei_import_row *row = &import->file.rows[i];
        if (row->error != NULL)
            *(row->asked ? &counts.failed : &counts.bad) += 1;
        else if (row->already && (!import->wait || !row->asked))
            counts.already++;
        else if (!row->asked)
            counts.missing++;
        else if (ei_import_settled(row))
            counts.invited++;
        else
            counts.queued++;
    }
    return counts;
}

static const char *state_of(const struct ei_import_row *row)
{
    if (row->error != NULL)
        return row->asked ? "failed" : "bad";
    if (row->asked || row->already)
        return row->state;
    return "ready";
}

static void tell_json(const struct ei_import_row *row)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "line", (double)row->line);
    ei_json_add_text(object, "login", row->values[EI_IMPORT_LOGIN]);
    ei_json_add_text(object, "email", row->values[EI_IMPORT_EMAIL]);
    ei_json_add_text(object, "state", state_of(row));
    cJSON_AddBoolToObject(object, "already", row->already);
    ei_json_add_text(object, "column", row->column);
    ei_json_add_item(object, "error", row->error != NULL ? ei_json_error(row->error, true) : cJSON_CreateNull());
    ei_print_json_line(object);
    cJSON_Delete(object);
}

/* "entra-invite: FILE:12: email: why"; a person who is named in why is not named twice. */
static void tell_line(const struct ei_import *import, const struct ei_import_row *row)
{
    const char *who = row->values[EI_IMPORT_EMAIL];
    bool named = who == NULL || row->column == NULL || strstr(row->error->message, who) != NULL;
    struct ei_error shown;

    if (row->column != NULL)
        ei_fail(&shown, row->error->code, "%.200s:%zu: %s%s%.64s: %s", import->path, row->line, row->column,
                named ? "" : " of ", named ? "" : who, row->error->message);
    else
        ei_fail(&shown, row->error->code, "%.200s:%zu: %s", import->path, row->line, row->error->message);
    fprintf(stderr, "entra-invite: %s\n", shown.message);
}

void ei_import_tell(struct ei_import *import, struct ei_import_row *row)
{
    if (row->told || (!import->cli->json && row->error == NULL))
        return;
    row->told = true;
    ei_progress_clear(&import->progress);
    if (import->cli->json)
        tell_json(row);
    else
        tell_line(import, row);
}

void ei_import_tell_all(struct ei_import *import)
{
    for (size_t i = 0; i < import->file.count; i++)
        ei_import_tell(import, &import->file.rows[i]);
}

static void part(bool *first, size_t count, const char *what)
{
    if (count != 0)
        printf("%s %zu %s", *first ? "" : ",", count, what);
    *first = *first && count == 0;
}

void ei_import_tell_end(const struct ei_import *import)
{
    struct ei_import_counts counts = ei_import_count(import);
    bool first = true;

    if (import->cli->json)
        return;
    printf("%zu rows:", import->file.count);
    part(&first, counts.invited, "invited");
    part(&first, counts.queued, "queued");
    part(&first, counts.missing, "good");
    part(&first, counts.already, "already on record");
    part(&first, counts.failed, "failed");
    part(&first, counts.bad, import->skip_bad ? "bad and left out" : "bad");
    puts(import->dry_run ? "; nothing was done" : "");
}

void ei_import_tell_mends(const struct ei_import *import)
{
    bool told[EI_ERR_COUNT] = {[EI_USAGE] = true}; /* its reason says all */

    for (size_t i = 0; i < import->file.count && !import->cli->json; i++) {
        const struct ei_error *error = import->file.rows[i].error;
        if (error != NULL && !told[error->code])
            fprintf(stderr, "  mend %s: %s\n", ei_err_name(error->code), ei_err_mend(error->code));
        if (error != NULL)
            told[error->code] = true;
    }
}

void ei_import_tell_bad(const struct ei_import *import)
{
    size_t bad = ei_import_count(import).bad;

    fprintf(stderr,
            "entra-invite: import: %zu of %zu rows %s bad; nothing was done\n"
            "  mend: correct the file, or take the good rows only: --skip-bad\n",
            bad, import->file.count, bad == 1 ? "is" : "are");
}

void ei_import_tell_broken(struct ei_import *import, const char *why)
{
    size_t recorded = 0;

    for (size_t i = 0; i < import->file.count; i++)
        recorded += ei_import_recorded(&import->file.rows[i]);
    ei_progress_clear(&import->progress);
    fprintf(stderr,
            "entra-invite: import: %s%s%zu of %zu rows are on record%s\n"
            "  mend: run it again with the same file: it goes on where it stopped\n",
            why != NULL ? why : "", why != NULL ? ": " : "", recorded, import->file.count,
            recorded == import->file.count ? " and are worked on" : "");
}

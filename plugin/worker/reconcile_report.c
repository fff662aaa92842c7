#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/worker/reconcile_internal.h"

/* A note that does not fit, or finds no memory, is only counted: the work is done all the same. */
static void keep(struct ei_reconcile_report *report, const struct ei_note *note, const char *login, const char *text)
{
    struct ei_note kept = *note;
    struct ei_note *notes =
        report->note_count >= EI_NOTES_MAX ? NULL : reallocarray(report->notes, report->note_count + 1, sizeof *notes);

    if (notes != NULL)
        report->notes = notes;
    if (notes != NULL && ei_text_set(&kept.text, text) && ei_text_set(&kept.login, login)) {
        notes[report->note_count++] = kept;
        return;
    }
    free(kept.text);
    report->notes_dropped++;
}

void ei_report_note(struct ei_reconcile_report *report, enum ei_log_id id, const char *format, ...)
{
    char text[EI_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    keep(report, &(struct ei_note){.id = id}, NULL, text);
}

void ei_report_account(struct ei_reconcile_report *report, enum ei_log_id id, const char *login,
                       const char *collaborator, const struct ei_error *note)
{
    struct ei_note kept = {.id = id, .code = note->code};

    snprintf(kept.collaborator, sizeof kept.collaborator, "%s", collaborator != NULL ? collaborator : "");
    keep(report, &kept, login, note->message);
}

void ei_group_problem_error(const struct ei_group_problem *problem, struct ei_error *ret)
{
    bool absent = problem->status == EI_GROUP_ABSENT;

    ei_fail(ret, absent ? EI_GROUP_MISSING : EI_GROUP_UNTOLD, "rule \"%s\": the group %s %s", problem->rule,
            problem->group, absent ? "does not exist" : "cannot be judged now");
}

void ei_reconcile_report_clear(struct ei_reconcile_report *report)
{
    for (size_t i = 0; i < report->problem_count; i++) {
        free(report->problems[i].rule);
        free(report->problems[i].group);
    }
    for (size_t i = 0; i < report->note_count; i++) {
        free(report->notes[i].login);
        free(report->notes[i].text);
    }
    free(report->problems);
    free(report->notes);
    *report = (struct ei_reconcile_report){.next_pass = INT64_MAX};
}

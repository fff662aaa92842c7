#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/worker/reconcile_internal.h"

/* A note that does not fit, or finds no memory, is only counted: the work is done all the same. */
void ei_report_note(struct ei_reconcile_report *report, const char *format, ...)
{
    char text[EI_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char **notes = length < 0 || report->note_count >= EI_NOTES_MAX
                       ? NULL
                       : reallocarray(report->notes, report->note_count + 1, sizeof *notes);
    if (notes == NULL) {
        report->notes_dropped++;
        return;
    }
    report->notes = notes;
    notes[report->note_count] = NULL;
    if (ei_text_set(&notes[report->note_count], text))
        report->note_count++;
    else
        report->notes_dropped++;
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
    for (size_t i = 0; i < report->note_count; i++)
        free(report->notes[i]);
    free(report->problems);
    free(report->notes);
    *report = (struct ei_reconcile_report){.next_pass = INT64_MAX};
}

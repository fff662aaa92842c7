/* How far something with many parts is: a bar on a terminal, now and then a line where there is none. On stderr. */
#ifndef EI_CLI_PROGRESS_H
#define EI_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ei_progress {
    const char *what; /* "queueing" */
    bool bar;
    size_t total;
    size_t done;
    size_t failed;
    size_t skipped; /* were done before it began, and say nothing of the speed */
    int64_t started_ms;
    int64_t shown_ms;
    bool shown; /* the bar stands on the terminal */
};

void ei_progress_start(struct ei_progress *progress, const char *what, bool bar, size_t total, size_t done_before);
void ei_progress_show(struct ei_progress *progress, size_t done, size_t failed);
/* Takes the bar off the terminal, before something else is printed and at the end. */
void ei_progress_clear(struct ei_progress *progress);

#endif

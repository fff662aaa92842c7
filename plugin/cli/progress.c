#include "plugin/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"

enum {
    BAR_MS = 100,         /* between two pictures of the bar */
    LINE_MS = 10 * 1000,  /* between two lines */
    WIDTH_OTHERWISE = 80, /* of a terminal that does not tell */
    BAR_LEAST = 10,       /* columns, brackets included */
    BAR_MOST = 42,
    TEXT_MAX = 160,
};

void ei_progress_start(struct ei_progress *progress, const char *what, bool bar, size_t total, size_t done_before)
{
    int64_t now = ei_monotonic_ms();

    *progress = (struct ei_progress){
        .what = what,
        .bar = bar,
        .total = total,
        .done = done_before,
        .skipped = done_before,
        .started_ms = now,
        .shown_ms = bar ? now - BAR_MS : now,
    };
}

/* "2 h 5 min", "3 min 20 s", "20 s" */
static void write_time(int64_t seconds, char out[32])
{
    if (seconds >= 3600)
        snprintf(out, 32, "%lld h %lld min", (long long)(seconds / 3600), (long long)(seconds / 60 % 60));
    else if (seconds >= 60)
        snprintf(out, 32, "%lld min %lld s", (long long)(seconds / 60), (long long)(seconds % 60));
    else
        snprintf(out, 32, "%lld s", (long long)seconds);
}

/* Behind the count: rate, failures, what is left. */
static void write_rest(const struct ei_progress *progress, char out[TEXT_MAX])
{
    int64_t elapsed = ei_monotonic_ms() - progress->started_ms;
    size_t done = progress->done - progress->skipped;
    double rate = elapsed > 0 ? (double)done * 1000 / (double)elapsed : 0;
    char left[32] = "?";

    if (rate > 0)
        write_time((int64_t)((double)(progress->total - progress->done) / rate + 0.5), left);
    snprintf(out, TEXT_MAX, "%.*f/s, %zu failed, %s left", rate < 10 ? 1 : 0, rate, progress->failed, left);
}

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : WIDTH_OTHERWISE;
}

static void draw(struct ei_progress *progress)
{
    char head[TEXT_MAX];
    char rest[TEXT_MAX];
    char bar[BAR_MOST + 1] = "";
    size_t width = terminal_width() - 1; /* the last column would wrap on some */

    snprintf(head, sizeof head, "%s %zu/%zu ", progress->what, progress->done, progress->total);
    write_rest(progress, rest);
    size_t used = strlen(head) + strlen(rest) + 1;
    if (used + BAR_LEAST <= width) {
        size_t room = width - used < BAR_MOST ? width - used : BAR_MOST;
        size_t full = progress->total != 0 ? (room - 2) * progress->done / progress->total : 0;
        memset(bar, ' ', room);
        memset(bar + 1, '#', full);
        bar[0] = '[';
        bar[room - 1] = ']';
        bar[room] = '\0';
    }
    char line[2 * TEXT_MAX + BAR_MOST + 2];
    snprintf(line, sizeof line, "%s%s%s%s", head, bar, *bar != '\0' ? " " : "", rest);
    fprintf(stderr, "\r\033[K%.*s", (int)width, line);
    fflush(stderr);
    progress->shown = true;
}

void ei_progress_show(struct ei_progress *progress, size_t done, size_t failed)
{
    int64_t now = ei_monotonic_ms();
    char rest[TEXT_MAX];

    progress->done = done;
    progress->failed = failed;
    if (now - progress->shown_ms < (progress->bar ? BAR_MS : LINE_MS))
        return;
    progress->shown_ms = now;
    if (progress->bar) {
        draw(progress);
        return;
    }
    write_rest(progress, rest);
    fprintf(stderr, "%s: %zu of %zu, %s\n", progress->what, done, progress->total, rest);
}

void ei_progress_clear(struct ei_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
    if (progress->bar)
        progress->shown_ms = ei_monotonic_ms() - BAR_MS;
}

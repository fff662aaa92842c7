#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t skipped_ms; /* 0 but in the crash tests' build */

static int64_t system_ms(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + skipped_ms;
}

static int64_t system_now(void)
{
    return system_ms(CLOCK_REALTIME) / 1000;
}

static int64_t system_monotonic_ms(void)
{
    return system_ms(CLOCK_MONOTONIC);
}

static const struct ei_clock system_clock = {system_now, system_monotonic_ms};
static const struct ei_clock *current = &system_clock;

void ei_clock_set(const struct ei_clock *clock)
{
    current = clock != NULL ? clock : &system_clock;
}

int64_t ei_now(void)
{
    return current->now();
}

int64_t ei_monotonic_ms(void)
{
    return current->monotonic_ms();
}

static const int64_t end_of_9999 = 253402300799;

void ei_time_format(int64_t t, char out[EI_TIME_TEXT])
{
    time_t seconds = (time_t)t;
    struct tm tm;

    out[0] = '\0';
    if (t < 0 || t > end_of_9999 || gmtime_r(&seconds, &tm) == NULL)
        return;
    strftime(out, EI_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void ei_time_format_local(int64_t t, char out[EI_TIME_LOCAL_TEXT])
{
    time_t seconds = (time_t)t;
    struct tm tm;

    out[0] = '\0';
    /* A day less: in a zone east of here it may be the year 10000. */
    if (t < 0 || t > end_of_9999 - 24 * 60 * 60 || localtime_r(&seconds, &tm) == NULL)
        return;
    size_t used = strftime(out, EI_TIME_LOCAL_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    long minutes = labs(tm.tm_gmtoff) / 60;
    if (minutes == 0)
        snprintf(out + used, EI_TIME_LOCAL_TEXT - used, "Z");
    else
        snprintf(out + used, EI_TIME_LOCAL_TEXT - used, "%c%02ld:%02ld", tm.tm_gmtoff < 0 ? '-' : '+',
                 minutes / 60 % 100, minutes % 60);
}

bool ei_time_parse(const char *text, int64_t *ret_t)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (rest == NULL)
        return false;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (strcmp(rest, "Z") != 0)
        return false;
    time_t t = timegm(&tm);
    if (t < 0)
        return false;
    *ret_t = t;
    return true;
}

#ifdef EI_FAILPOINTS

enum { LOOK_AROUND_MS = 2 }; /* for peers, answers and changed files between two skips */

static int64_t wanted_skip_ms(void)
{
    const char *path = getenv("EI_CLOCK_SKIP");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    long long seconds = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%lld", &seconds) != 1)
        seconds = 0;
    fclose(file);
    return seconds * 1000;
}

int ei_clock_wait_ms(int wait_ms, bool idle)
{
    int64_t left = wanted_skip_ms() - skipped_ms;

    if (!idle || wait_ms <= LOOK_AROUND_MS || left <= 0)
        return wait_ms;
    skipped_ms += wait_ms < left ? wait_ms : left;
    return LOOK_AROUND_MS;
}

#endif

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t system_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

static int64_t system_monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
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

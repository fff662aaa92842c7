/* --queue-age 30m,4h and the like. */
#include <stdlib.h>
#include <string.h>

#include "plugin/cli/check.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, DIGITS_MAX = 9 };

/* One side: digits, and a unit where it is a time; empty: never. */
static bool read_side(const char *text, size_t length, bool is_time, int64_t *ret_value)
{
    static const char units[] = "smhd";
    static const int seconds[] = {1, MINUTE, HOUR, DAY};
    size_t digits = strspn(text, "0123456789");
    int64_t factor = 1;

    *ret_value = EI_CHECK_NEVER;
    if (length == 0)
        return true;
    if (is_time && length != 0 && digits == length - 1) {
        const char *unit = strchr(units, text[digits]);
        if (unit == NULL)
            return false;
        factor = seconds[unit - units];
    } else if (digits < length) {
        return false;
    }
    digits = digits < length ? digits : length;
    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    *ret_value = strtoll(text, NULL, 10) * factor;
    return true;
}

static bool read_limit(const struct ei_args *args, const char *name, bool is_time, bool is_rest,
                       struct ei_check_limit *limit)
{
    const char *text = ei_args_get(args, name);

    if (text == NULL)
        return true;
    size_t first = strcspn(text, ",");
    const char *second = text[first] == ',' ? text + first + 1 : "";
    if (*text == '\0' || !read_side(text, first, is_time, &limit->warning) ||
        !read_side(second, strlen(second), is_time, &limit->critical)) {
        ei_usage_error(args->verb, "--%s=%.32s: takes WARNING,CRITICAL: each %s, or nothing for never", name, text,
                       is_time ? "a number with s, m, h or d" : "a number");
        return false;
    }
    bool crossed = is_rest ? limit->critical > limit->warning : limit->critical < limit->warning;
    if (crossed && limit->critical != EI_CHECK_NEVER && limit->warning != EI_CHECK_NEVER) {
        ei_usage_error(args->verb, "--%s=%.32s: it would be critical before it is a warning", name, text);
        return false;
    }
    return true;
}

bool ei_check_limits(const struct ei_args *args, struct ei_check_limits *ret_limits)
{
    *ret_limits = (struct ei_check_limits){
        .queue_age = {30 * MINUTE, 4 * HOUR},
        .failed = {1, EI_CHECK_NEVER},
        .refresh_age = {2 * HOUR, DAY},
        .expiry = {30 * DAY, 7 * DAY},
    };
    return read_limit(args, "queue-age", true, false, &ret_limits->queue_age) &&
           read_limit(args, "failed", false, false, &ret_limits->failed) &&
           read_limit(args, "refresh-age", true, false, &ret_limits->refresh_age) &&
           read_limit(args, "expiry", true, true, &ret_limits->expiry);
}

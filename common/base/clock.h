/*
 * All time of the worker and the store goes through here (X15), so that tests can set it and no test sleeps.
 *
 * ei_now() is wall time in whole seconds since 1970 UTC: what is stored and shown. ei_monotonic_ms() drives waiting
 * inside one run, so that a stepped clock cannot cause a storm (X8).
 */
#ifndef EI_BASE_CLOCK_H
#define EI_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ei_clock {
    int64_t (*now)(void);          /* seconds since 1970 UTC */
    int64_t (*monotonic_ms)(void); /* milliseconds, never backwards */
};

/* For tests: another source of time; NULL brings back the system's. Not thread-safe: call it before threads start. */
void ei_clock_set(const struct ei_clock *clock);

int64_t ei_now(void);
int64_t ei_monotonic_ms(void);

/*
 * How long a loop really waits that has nothing to do for wait_ms. In a release build that is wait_ms. In the crash
 * tests' build, EI_CLOCK_SKIP names a file with a number of seconds: until both clocks are so far ahead, the time in
 * which nothing is under way (idle) is skipped, so that a week passes within minutes. The file is read each time.
 */
#ifdef EI_FAILPOINTS
int ei_clock_wait_ms(int wait_ms, bool idle);
#define EI_CLOCK_WAIT_MS(wait_ms, idle) ei_clock_wait_ms(wait_ms, idle)
#else
#define EI_CLOCK_WAIT_MS(wait_ms, idle) (wait_ms)
#endif

enum { EI_TIME_TEXT = 21 }; /* "2026-11-23T15:29:00Z" and its NUL */

/* RFC 3339 in UTC, whole seconds. t outside the years 1970..9999 gives "". */
void ei_time_format(int64_t t, char out[EI_TIME_TEXT]);

enum { EI_TIME_LOCAL_TEXT = 26 }; /* "2026-11-23T16:29:00+01:00" and its NUL */

/* The same instant as the clock on the wall shows it (TZ, /etc/localtime), with the offset from UTC; "Z" where there is
 * none. */
void ei_time_format_local(int64_t t, char out[EI_TIME_LOCAL_TEXT]);

/* Takes what Graph sends: "2026-01-06T08:09:10Z", fractions of a second allowed and dropped (contract 4.1). */
bool ei_time_parse(const char *text, int64_t *ret_t);

#endif

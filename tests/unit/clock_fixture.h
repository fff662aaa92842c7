/* Time that only the test turns (X15). */
#ifndef EI_TESTS_UNIT_CLOCK_FIXTURE_H
#define EI_TESTS_UNIT_CLOCK_FIXTURE_H

#include <stdint.h>

#include "common/base/clock.h"

static int64_t clock_now; /* seconds since 1970 */
static int64_t clock_ms;  /* monotonic */

static inline int64_t clock_get_now(void)
{
    return clock_now;
}

static inline int64_t clock_get_ms(void)
{
    return clock_ms;
}

/* It stands there until ei_clock_set(NULL). */
static inline void clock_stand(int64_t now, int64_t ms)
{
    static const struct ei_clock clock = {clock_get_now, clock_get_ms};

    clock_now = now;
    clock_ms = ms;
    ei_clock_set(&clock);
}

/* Time goes by: both clocks. */
static inline void wait_seconds(int64_t seconds)
{
    clock_now += seconds;
    clock_ms += seconds * 1000;
}

#endif

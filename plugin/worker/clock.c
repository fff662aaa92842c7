#include "plugin/worker/clock.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/graph/retry.h"
#include "plugin/worker/choice.h"
#include "plugin/worker/publish.h"

enum {
    STEP_MS = 30 * 1000,
    PROBE_S = EI_PROBE_MS / 1000,
    SKEW_LEAST = 60, /* seconds: what clocks differ by anyway, and answers take */
};

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* All that waits in the store waits until then at the most. */
static void wait_until(struct ei_worker *w, int64_t latest)
{
    struct ei_error err;

    if (ei_store_hasten(w->store, latest, true, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
    if (w->last_refresh > ei_now()) { /* else a view would count as fresh for as long as the clock was ahead */
        w->last_refresh = ei_now();
        w->dirty = true;
    }
}

static int64_t offset_ms(void)
{
    return ei_now() * 1000 - ei_monotonic_ms();
}

void ei_clock_begin(struct ei_worker *w)
{
    int64_t longest = longer(longer(EI_SLOW_LOOK_S, EI_RETRY_CAP), w->config->refresh_interval);

    w->wall_offset_ms = offset_ms();
    wait_until(w, ei_now() + longest);
}

void ei_clock_check(struct ei_worker *w)
{
    int64_t before = w->wall_offset_ms;

    w->wall_offset_ms = offset_ms();
    if (w->wall_offset_ms >= before - STEP_MS)
        return;
    ei_log(LOG_NOTICE, "the clock was set back by %" PRId64 " seconds", (before - w->wall_offset_ms) / 1000);
    wait_until(w, ei_now() + longer(w->config->refresh_interval, PROBE_S));
}

void ei_clock_note(struct ei_worker *w, const struct ei_graph_result *result)
{
    if (!result->has_skew)
        return;
    bool small = result->skew <= SKEW_LEAST && result->skew >= -SKEW_LEAST;
    w->clock_ahead = small ? 0 : result->skew;
}

int64_t ei_clock_theirs(const struct ei_worker *w)
{
    return ei_now() - w->clock_ahead;
}

bool ei_clock_within(int64_t since, int64_t seconds)
{
    int64_t age = ei_now() - since;

    return age >= 0 && age < seconds;
}

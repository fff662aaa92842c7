#include "common/graph/pace.h"

void ei_pace_init(struct ei_pace *pace, int64_t count, int64_t period_ms, int64_t now_ms)
{
    *pace = (struct ei_pace){
        .period_ms = period_ms, .cost_ms = period_ms / count, .level_ms = period_ms, .last_ms = now_ms};
}

static void fill(struct ei_pace *pace, int64_t now_ms)
{
    if (now_ms <= pace->last_ms)
        return;
    pace->level_ms += now_ms - pace->last_ms;
    if (pace->level_ms > pace->period_ms)
        pace->level_ms = pace->period_ms;
    pace->last_ms = now_ms;
}

int64_t ei_pace_wait_ms(struct ei_pace *pace, unsigned count, int64_t now_ms)
{
    int64_t cost = (int64_t)count * pace->cost_ms;

    if (cost > pace->period_ms)
        cost = pace->period_ms;
    fill(pace, now_ms);
    return pace->level_ms >= cost || count == 0 ? 0 : cost - pace->level_ms;
}

void ei_pace_take(struct ei_pace *pace, unsigned count, int64_t now_ms)
{
    fill(pace, now_ms);
    pace->level_ms -= (int64_t)count * pace->cost_ms;
}

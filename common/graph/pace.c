#include "common/graph/pace.h"

enum { WRITE_MS = EI_PACE_PERIOD_MS / EI_PACE_WRITES };

void ei_pace_init(struct ei_pace *pace, int64_t now_ms)
{
    *pace = (struct ei_pace){.level_ms = EI_PACE_PERIOD_MS, .last_ms = now_ms};
}

static void fill(struct ei_pace *pace, int64_t now_ms)
{
    if (now_ms <= pace->last_ms)
        return;
    pace->level_ms += now_ms - pace->last_ms;
    if (pace->level_ms > EI_PACE_PERIOD_MS)
        pace->level_ms = EI_PACE_PERIOD_MS;
    pace->last_ms = now_ms;
}

int64_t ei_pace_wait_ms(struct ei_pace *pace, unsigned writes, int64_t now_ms)
{
    int64_t cost = (writes < EI_PACE_WRITES ? (int64_t)writes : EI_PACE_WRITES) * WRITE_MS;

    fill(pace, now_ms);
    return writes == 0 || pace->level_ms >= cost ? 0 : cost - pace->level_ms;
}

void ei_pace_take(struct ei_pace *pace, unsigned writes, int64_t now_ms)
{
    fill(pace, now_ms);
    pace->level_ms -= (int64_t)writes * WRITE_MS;
}

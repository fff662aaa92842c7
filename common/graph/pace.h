/* Writes per time, as Graph allows them: a token bucket of 3,000 per 150 s, filled continuously (contract 6). Pure: the
 * caller gives the monotonic time in milliseconds. */
#ifndef EI_GRAPH_PACE_H
#define EI_GRAPH_PACE_H

#include <stdint.h>

enum { EI_PACE_WRITES = 3000, EI_PACE_PERIOD_MS = 150 * 1000 };

/* The level is kept in milliseconds of filling, of which one write costs 50: whole numbers, nothing to round. */
struct ei_pace {
    int64_t level_ms; /* at most EI_PACE_PERIOD_MS; below 0 when more was taken than there was */
    int64_t last_ms;  /* when the level was true */
};

/* A full bucket. */
void ei_pace_init(struct ei_pace *pace, int64_t now_ms);

/* Milliseconds until `writes` more may go; 0: now. More than the bucket holds counts as a bucketful. */
int64_t ei_pace_wait_ms(struct ei_pace *pace, unsigned writes, int64_t now_ms);

/* Takes them, whether there are that many or not: a request that has started cannot be taken back. */
void ei_pace_take(struct ei_pace *pace, unsigned writes, int64_t now_ms);

#endif

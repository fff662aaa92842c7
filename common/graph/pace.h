/* So many per time: a token bucket, filled continuously. Graph allows 3,000 writes per 150 s (contract 6). Pure: the
 * caller gives the monotonic time in milliseconds. */
#ifndef EI_GRAPH_PACE_H
#define EI_GRAPH_PACE_H

#include <stdint.h>

enum { EI_PACE_WRITES = 3000, EI_PACE_PERIOD_MS = 150 * 1000 };

/* The level is kept in milliseconds of filling, of which each costs a whole number: nothing to round. */
struct ei_pace {
    int64_t period_ms;
    int64_t cost_ms;
    int64_t level_ms; /* at most period_ms; below 0 when more was taken than there was */
    int64_t last_ms;  /* when the level was true */
};

/* A full bucket of count, which divides period_ms and fills in that time. */
void ei_pace_init(struct ei_pace *pace, int64_t count, int64_t period_ms, int64_t now_ms);

/* Milliseconds until so many more may go; 0: now. More than the bucket holds counts as a bucketful. */
int64_t ei_pace_wait_ms(struct ei_pace *pace, unsigned count, int64_t now_ms);

/* Takes them, whether there are that many or not: a request that has started cannot be taken back. */
void ei_pace_take(struct ei_pace *pace, unsigned count, int64_t now_ms);

#endif

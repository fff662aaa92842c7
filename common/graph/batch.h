/*
 * $batch: up to 20 requests in one POST (contract 4.4). What would have to wait for a free slot goes together; a
 * request that need not wait goes by itself, so that one account more does not depend on $batch.
 *
 * An inner request keeps its own client-request-id, outcome and callback: whoever started it does not see how it went.
 * Where the transfer fails, each inner request fails as the transfer did. A service that refuses $batch, or whose
 * answer to it makes no sense, is asked one by one for an hour.
 */
#ifndef EI_GRAPH_BATCH_H
#define EI_GRAPH_BATCH_H

#include "common/graph/request.h"

enum {
    EI_BATCH_MAX = 20,
    EI_BATCH_BYTES_MAX = 1024 * 1024,   /* of one batch's body */
    EI_BATCH_PAUSE_MS = 60 * 60 * 1000, /* after a refusal */
};

/* More requests wait than there are slots free. */
bool ei_batch_wanted(const struct ei_graph *graph);

/* Takes the requests at the head of the queue that can go together into a carrier, which is returned; NULL if the first
 * has to go by itself. */
struct ei_request *ei_batch_take(struct ei_graph *graph);

/* The carrier's transfer has ended and its result is read: gives each inner request its own. What is to be sent again
 * by itself is back at the head of the queue, the others are in ended; the carrier has none left. */
void ei_batch_land(struct ei_graph *graph, struct ei_request *carrier);

#endif

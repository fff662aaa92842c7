/*
 * A graph for the targets, with a token, that never opens a connection: what it would send is taken from its queue, and
 * answered by the target. All but http.c's transfer is the real thing.
 */
#ifndef EI_TESTS_FUZZ_GRAPH_WORLD_H
#define EI_TESTS_FUZZ_GRAPH_WORLD_H

#include "common/graph/request.h"

#define EI_WORLD_ROOT  "https://graph.example"
#define EI_WORLD_LOGIN "https://login.example"
#define EI_WORLD_TOKEN "SECRET-ACCESS-TOKEN"
/* Of the write that a target starts (X7). */
#define EI_WORLD_CRID "5a5a5a5a-1111-2222-3333-444444444444"

/* To be freed by ei_graph_free, which ends what is under way. */
struct ei_graph *ei_world_new(void);

/* The next request as it would be sent, in no list; several in one where that is wanted and can be. NULL: there is
 * none. Its URL is judged: it carries the token. */
struct ei_request *ei_world_next(struct ei_graph *graph, bool together);

/* It was answered so; location: where a 3xx points, or NULL. Callbacks are called, and the request is gone. */
void ei_world_answer(struct ei_request *request, long status, const char *body, size_t length, const char *location);

/* What must be true of every result of this service. */
void ei_world_judge(const struct ei_graph_result *result, enum ei_service service);

#endif

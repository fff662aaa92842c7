/*
 * The tenant's guests, page by page: GET /users with a filter (contract 3, 4.1, 4.2). However many there are, one page
 * is in memory, and the caller says when the next one is wanted: it may wait for its own reader, and other requests go
 * on between pages.
 *
 * What a filter of pending ones answers comes from an index that lags behind the users themselves (contract 7): it is a
 * hint, and GET /users/{id} the truth. Whether externalUserState can be filtered by is documented both ways; a tenant
 * that refuses it (400, 501) is asked for all its guests, and one that refuses large pages for those of its own size.
 * Users whose externalUserState is another are passed over here, whatever the tenant made of the filter.
 */
#ifndef EI_GRAPH_LIST_H
#define EI_GRAPH_LIST_H

#include "common/graph/graph.h"

struct ei_graph_list;

struct ei_graph_list_options {
    bool pending; /* only whose externalUserState is PendingAcceptance; else all of userType Guest */
    bool brief;   /* of each user only id, externalUserState and accountEnabled */
};

/* Good during the callback. A page may hold nobody and not be the last. */
struct ei_graph_page {
    const struct ei_graph_user *users;
    size_t count;
    int64_t total; /* how many match, as the first page said; -1: it did not */
    bool last;
    bool all_guests; /* the tenant was asked for all guests: the pages are as many as those take */
};

/* page is NULL unless result is DONE. The callback may ask for the next page, or end the list. */
typedef void ei_graph_list_page(void *context, const struct ei_graph_result *result, const struct ei_graph_page *page);

/* Asks nothing yet. */
enum ei_err ei_graph_list_new(struct ei_graph *graph, const struct ei_graph_list_options *options,
                              ei_graph_list_page *page, void *context, struct ei_graph_list **ret_list);
/*
 * Asks for the next page, after a failure for the same one again, by the same link (contract 4.2). The callback comes
 * once. EI_USAGE: a page is under way, or the last one was given; EI_NOMEM, EI_BUSY as for every request.
 * EI_GRAPH_ANSWER in the callback: no list, or its link leads away from the configured root or in a circle.
 */
enum ei_err ei_graph_list_next(struct ei_graph_list *list);
/* No callback comes any more; a request that is under way ends unheard. Also from the callback; NULL is fine. */
void ei_graph_list_free(struct ei_graph_list *list);

/* Of one page, where the tenant does not cut pages shorter (contract 4.2). */
enum { EI_LIST_PAGE = 999 };

#endif

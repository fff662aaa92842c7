/*
 * Lists of the tenant's guests, read to their end (common/graph/list.h): a page is asked for when its reader is ready
 * and Graph may be asked; one that fails in passing is asked for again; other work goes on between pages.
 */
#ifndef EI_WORKER_GUEST_LIST_H
#define EI_WORKER_GUEST_LIST_H

#include "common/graph/list.h"
#include "plugin/worker/worker.h"

struct ei_guest_list;

struct ei_guest_list_reader {
    /* The next page may be asked for; NULL: always. */
    bool (*ready)(void *context);
    /* false: enough, `end` is not called. */
    bool (*page)(void *context, const struct ei_graph_page *page);
    /* After the last page (code EI_OK), or with what the list failed of. The list is gone then. refused: the tenant
     * gave not one page. */
    void (*end)(void *context, const struct ei_error *error, bool refused);
    void *context;
};

enum ei_err ei_guest_list_start(struct ei_worker *worker, const struct ei_graph_list_options *options,
                                const struct ei_guest_list_reader *reader, struct ei_guest_list **ret_list);
/* Nothing is called any more. Not from the reader's own functions. */
void ei_guest_list_stop(struct ei_guest_list *list);

void ei_guest_lists_run(struct ei_worker *worker);
int64_t ei_guest_lists_wait_ms(const struct ei_worker *worker);
/* After the graph is gone. */
void ei_guest_lists_close(struct ei_worker *worker);

#endif

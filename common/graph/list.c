#include "common/graph/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/graph/errors.h"
#include "common/graph/link.h"
#include "common/graph/memory.h"
#include "common/graph/request.h"
#include "common/graph/user.h"

enum { PAGES_MAX = 100 * 1000, TARGET_MAX = 1024 };

#define COUNTED  "&$count=true"
#define BY_STATE "&$filter=externalUserState%20eq%20'PendingAcceptance'"
#define BY_TYPE  "&$filter=userType%20eq%20'Guest'"
#define LARGE    "&$top=999"

/* Where a tenant refuses one, the next is tried. A filter on userType is documented to need no advanced query, and then
 * it is answered from the users themselves. */
static const struct {
    const char *query;
    const char *refused; /* what of the one before, so that this one is tried */
    bool eventual;       /* an advanced query: with ConsistencyLevel and $count, on every page */
    bool all_guests;
} forms[] = {
    {COUNTED BY_STATE LARGE, NULL, true, false},
    {COUNTED BY_STATE, "large pages", true, false},
    {BY_TYPE LARGE, "a filter on externalUserState", false, true},
    {BY_TYPE, "large pages", false, true},
    {COUNTED BY_TYPE LARGE, "a plain filter on userType", true, true},
    {COUNTED BY_TYPE, "large pages", true, true},
};
enum { FORMS = sizeof forms / sizeof forms[0], FIRST_OF_GUESTS = 2 };

struct ei_graph_list {
    struct ei_graph *graph;
    struct ei_graph_list_options options;
    ei_graph_list_page *page;
    void *context;
    size_t form;
    char *link; /* of the page that is wanted, NULL for the first */
    struct ei_circle circle;
    unsigned pages;
    int64_t total;
    bool flying;
    bool last;
    bool dropped; /* freed by its owner while a page is under way */
};

static void destroy(struct ei_graph_list *list)
{
    ei_circle_clear(&list->circle);
    free(list->link);
    free(list);
}

static void on_page(void *context, struct ei_reply *reply);

static enum ei_err ask(struct ei_graph_list *list)
{
    static const char brief[] = "$select=id,externalUserState,accountEnabled,userType";
    char first[TARGET_MAX];
    struct ei_request_spec spec = {
        .method = EI_GET, .alone = true, .eventual = forms[list->form].eventual, .target = list->link};

    if (list->link == NULL) {
        snprintf(first, sizeof first, "/v1.0/users?%s%s", list->options.brief ? brief : EI_USER_SELECT,
                 forms[list->form].query);
        spec.target = first;
    }
    enum ei_err rc = ei_request_start(list->graph, &spec, on_page, list);
    list->flying = rc == EI_OK;
    return rc;
}

/* --- a page --- */

/* false and the reply made bad if the page behind this one cannot be asked for. */
static bool take_link(struct ei_graph_list *list, const char *link, struct ei_reply *reply)
{
    if (link == NULL) {
        list->last = true;
        return true;
    }
    if (!ei_link_on_root(link, list->graph->graph_url))
        ei_reply_bad(reply, "its nextLink leads away from the configured Graph root");
    else if (ei_circle_closed(&list->circle, link) || ++list->pages == PAGES_MAX)
        ei_reply_bad(reply, "the list has no end");
    else {
        char *copy = strdup(link);
        if (copy != NULL) {
            free(list->link);
            list->link = copy;
            return true;
        }
        reply->result->outcome = EI_GRAPH_UNCLEAR;
        ei_fail(&reply->result->error, EI_NOMEM, "no memory for a list of users");
    }
    return false;
}

static bool is_wanted(const struct ei_graph_list *list, const struct ei_graph_user *user)
{
    const char *state = user->external_user_state;

    return !list->options.pending || ei_text_same(state, "PendingAcceptance");
}

/* The wanted users of the page; NULL if the reply says why not. What is no user cannot be a guest that is known. */
static struct ei_graph_user *read_users(struct ei_graph_list *list, const cJSON *value, struct ei_reply *reply,
                                        size_t *ret_count)
{
    struct ei_graph_user *users = calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof *users);
    const cJSON *item;

    if (users == NULL) {
        reply->result->outcome = EI_GRAPH_UNCLEAR;
        ei_fail(&reply->result->error, EI_NOMEM, "no memory for a page of users");
        return NULL;
    }
    cJSON_ArrayForEach(item, value)
    {
        if (ei_user_read(item, &users[*ret_count]) && is_wanted(list, &users[*ret_count]))
            (*ret_count)++;
    }
    return users;
}

static struct ei_graph_user *read_page(struct ei_graph_list *list, const cJSON *json, struct ei_reply *reply,
                                       size_t *ret_count)
{
    const cJSON *value = ei_json_array(json, "value");
    const char *link;
    int64_t total;

    if (value == NULL || !ei_link_read(json, "@odata.nextLink", &link)) {
        ei_reply_bad(reply, "the answer is no list of users");
        return NULL;
    }
    if (list->link == NULL && ei_json_int(json, "@odata.count", &total) && total >= 0)
        list->total = total;
    struct ei_graph_user *users = read_users(list, value, reply, ret_count);
    if (users != NULL && take_link(list, link, reply))
        return users;
    free(users);
    return NULL;
}

/* true: the first page is asked for in a plainer way. */
static bool ask_plainer(struct ei_graph_list *list, const struct ei_graph_result *result)
{
    size_t *known = &list->graph->list_form[list->options.pending];

    if (list->link != NULL || list->form + 1 == FORMS || !ei_graph_query_refused(result))
        return false;
    list->form++;
    *known = list->form;
    ei_log(LOG_INFO, "this tenant refuses a list of users with %s; it is asked without: %s", forms[list->form].refused,
           result->error.message);
    return ask(list) == EI_OK;
}

static void on_page(void *context, struct ei_reply *reply)
{
    struct ei_graph_list *list = context;
    struct ei_graph_user *users = NULL;
    size_t count = 0;

    list->flying = false;
    if (list->dropped) {
        destroy(list);
        return;
    }
    if (ask_plainer(list, reply->result))
        return;
    cJSON *json = reply->body != NULL ? ei_json_parse(reply->body, reply->length) : NULL;
    if (reply->result->outcome == EI_GRAPH_DONE)
        users = read_page(list, json, reply, &count);
    const struct ei_graph_page page = {
        .users = users,
        .count = count,
        .total = list->total,
        .last = list->last,
        .all_guests = forms[list->form].all_guests,
    };
    list->page(list->context, reply->result, users != NULL ? &page : NULL); /* it may end the list */
    free(users);
    ei_graph_json_free(json);
}

/* --- the list --- */

enum ei_err ei_graph_list_new(struct ei_graph *graph, const struct ei_graph_list_options *options,
                              ei_graph_list_page *page, void *context, struct ei_graph_list **ret_list)
{
    struct ei_graph_list *list = calloc(1, sizeof *list);

    if (list == NULL)
        return EI_NOMEM;
    list->graph = graph;
    list->options = *options;
    list->page = page;
    list->context = context;
    list->total = -1;
    list->form = graph->list_form[options->pending];
    if (!options->pending && list->form < FIRST_OF_GUESTS)
        list->form = FIRST_OF_GUESTS;
    *ret_list = list;
    return EI_OK;
}

enum ei_err ei_graph_list_next(struct ei_graph_list *list)
{
    return list->flying || list->last ? EI_USAGE : ask(list);
}

void ei_graph_list_free(struct ei_graph_list *list)
{
    if (list == NULL)
        return;
    if (list->flying)
        list->dropped = true;
    else
        destroy(list);
}

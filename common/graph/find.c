#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/graph/errors.h"
#include "common/graph/odata.h"
#include "common/graph/pages.h"
#include "common/graph/request.h"
#include "common/graph/user.h"

enum { ADDRESS_MAX = 320, TARGET_MAX = 12 * 1024 };

/* contract 3. None needs an advanced query, so none reads the eventually consistent index. Where a tenant refuses one,
 * the next is tried; the last is as plain as a filter can be. */
static const struct {
    const char *filter;
    const char *left_out; /* against the one before */
} by_address[] = {
    {"userPrincipalName eq {} or mail eq {} or otherMails/any(x:x eq {}) or proxyAddresses/any(x:x eq {SMTP:}) or "
     "proxyAddresses/any(x:x eq {smtp:})",
     NULL},
    {"userPrincipalName eq {} or mail eq {} or otherMails/any(x:x eq {})", "proxyAddresses"},
    {"mail eq {}", "anything but mail"},
};
enum { FORMS = sizeof by_address / sizeof by_address[0] };
static const char by_identity[] = "identities/any(i:i/issuerAssignedId eq {} and i/issuer eq 'mail')";

struct find {
    struct ei_graph *graph;
    ei_graph_users_done *done;
    void *context;
    char address[ADDRESS_MAX + 1];
    int pending;
    size_t form;                   /* of by_address */
    struct ei_graph_result result; /* of the first request, or of the second where only that failed */
    struct ei_pages by_address;
    struct ei_pages by_identity;
};

static void find_free(struct find *find)
{
    ei_pages_free(&find->by_address);
    ei_pages_free(&find->by_identity);
    free(find);
}

static size_t count_items(const struct ei_pages *pages)
{
    size_t count = 0;

    for (size_t i = 0; i < pages->count; i++)
        count += (size_t)cJSON_GetArraySize(ei_json_array(pages->page[i], "value"));
    return count;
}

static bool known(const struct ei_graph_user *users, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(users[i].id, id) == 0)
            return true;
    return false;
}

/* false if an item is no user. */
static bool add_users(const struct ei_pages *pages, struct ei_graph_user *users, size_t *count)
{
    const cJSON *item;

    for (size_t i = 0; i < pages->count; i++) {
        cJSON_ArrayForEach(item, ei_json_array(pages->page[i], "value"))
        {
            struct ei_graph_user user;
            if (!ei_user_read(item, &user))
                return false;
            if (!known(users, *count, user.id))
                users[(*count)++] = user;
        }
    }
    return true;
}

/* The users of both look-ups, each once; NULL if find->result says why not. */
static struct ei_graph_user *merge(struct find *find, size_t *ret_count)
{
    size_t room = count_items(&find->by_address) + count_items(&find->by_identity);
    struct ei_graph_user *users = calloc(room + 1, sizeof *users);

    if (users == NULL) {
        find->result.outcome = EI_GRAPH_UNCLEAR;
        ei_fail_again(&find->result.error, EI_NOMEM, "no memory for %zu users", room);
        return NULL;
    }
    if (add_users(&find->by_address, users, ret_count) && add_users(&find->by_identity, users, ret_count))
        return users;
    find->result.outcome = EI_GRAPH_UNCLEAR;
    ei_fail_again(&find->result.error, EI_GRAPH_ANSWER, "the answer has a user without an id");
    free(users);
    return NULL;
}

static void settle(struct find *find)
{
    struct ei_graph_user *users = NULL;
    size_t count = 0;

    if (--find->pending > 0)
        return;
    if (find->result.outcome == EI_GRAPH_DONE)
        users = merge(find, &count);
    find->done(find->context, &find->result, users, users != NULL ? count : 0);
    free(users);
    find_free(find);
}

static enum ei_err start(struct find *find, const char *pattern, const char *crid, ei_pages_done *done)
{
    struct ei_buffer filter;
    struct ei_buffer target;
    enum ei_err rc = EI_NOMEM;

    ei_buffer_init(&filter, TARGET_MAX);
    ei_buffer_init(&target, TARGET_MAX);
    if (ei_odata_filter(&filter, pattern, find->address) &&
        ei_buffer_append_text(&target, "/v1.0/users?" EI_USER_SELECT "&$filter=") &&
        ei_odata_encode(&target, filter.data))
        rc = ei_pages_start(find->graph, target.data, crid, done, find);
    ei_buffer_free(&filter);
    ei_buffer_free(&target);
    if (rc == EI_OK)
        find->pending++;
    return rc;
}

static void take(struct ei_pages *to, struct ei_pages *from)
{
    *to = *from;
    from->count = 0;
}

static void on_identities(void *context, const struct ei_graph_result *result, struct ei_pages *pages)
{
    struct find *find = context;

    if (result->outcome == EI_GRAPH_DONE) {
        take(&find->by_identity, pages);
    } else if (ei_graph_query_refused(result)) {
        if (!find->graph->said_identities)
            ei_log(LOG_INFO, "this tenant refuses the look-up of users by identity; their addresses alone are used: %s",
                   result->error.message);
        find->graph->said_identities = true;
    } else if (find->result.outcome == EI_GRAPH_DONE) {
        find->result = *result;
    }
    settle(find);
}

static void on_addresses(void *context, const struct ei_graph_result *result, struct ei_pages *pages)
{
    struct find *find = context;

    if (result->outcome == EI_GRAPH_DONE) {
        take(&find->by_address, pages);
        if (find->result.outcome == EI_GRAPH_DONE)
            find->result = *result; /* its request-id */
    } else if (ei_graph_query_refused(result) && find->form + 1 < FORMS) {
        find->form++;
        if (find->graph->said_form < find->form) {
            find->graph->said_form = find->form;
            ei_log(LOG_INFO, "this tenant refuses the look-up of users by %s; it is left out: %s",
                   by_address[find->form].left_out, result->error.message);
        }
        if (start(find, by_address[find->form].filter, NULL, on_addresses) != EI_OK)
            find->result = *result;
    } else {
        find->result = *result;
    }
    settle(find);
}

static void on_refused(void *context, struct ei_reply *reply)
{
    struct find *find = context;

    find->done(find->context, reply->result, NULL, 0);
    find_free(find);
}

/* S30: what no address can hold is refused before it is quoted. Graph's own, narrower rules are the account layer's. */
static enum ei_err check_address(const char *address, struct ei_error *err)
{
    size_t length = strlen(address);

    if (length == 0 || length > ADDRESS_MAX)
        return ei_fail(err, EI_BAD_ADDRESS, "an address of %zu bytes cannot be looked up", length);
    for (size_t i = 0; i < length; i++)
        if (address[i] <= 0x20 || address[i] >= 0x7f || strchr("\"<>\\,;:()[]{}|", address[i]) != NULL)
            return ei_fail(err, EI_BAD_ADDRESS, "%s: holds a character that no address may hold", address);
    return EI_OK;
}

enum ei_err ei_graph_find_users(struct ei_graph *graph, const char *address, const char *crid,
                                ei_graph_users_done *done, void *context)
{
    struct ei_error err;
    struct find *find = calloc(1, sizeof *find);
    enum ei_err rc;

    if (find == NULL)
        return EI_NOMEM;
    find->graph = graph;
    find->done = done;
    find->context = context;
    find->result.retry_after = -1;
    if (check_address(address, &err) != EI_OK) {
        rc = ei_request_start_failed(graph, &err, on_refused, find);
    } else {
        memcpy(find->address, address, strlen(address) + 1);
        rc = start(find, by_address[0].filter, crid, on_addresses);
    }
    if (rc != EI_OK) {
        find_free(find);
        return rc;
    }
    if (find->address[0] != '\0' && start(find, by_identity, NULL, on_identities) != EI_OK) {
        find->result.outcome = EI_GRAPH_NOT_SENT;
        ei_fail(&find->result.error, EI_NOMEM, "no memory for the look-up by identity");
    }
    return EI_OK;
}

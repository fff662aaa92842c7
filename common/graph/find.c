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

enum { ADDRESS_MAX = 320, IDENTITY_MAX = 64, NAME_MAX_BYTES = ADDRESS_MAX + 5 + 254, TARGET_MAX = 12 * 1024 };

/* contract 3. None needs an advanced query, so none reads the eventually consistent index. Where a tenant refuses one,
 * the next is tried; the last is as plain as a filter can be. */
static const struct {
    const char *filter;
    const char *left_out; /* against the one before */
    bool own_names;       /* or-ed with the name that a guest of this address has */
} by_address[] = {
    {"userPrincipalName eq {} or mail eq {} or otherMails/any(x:x eq {}) or proxyAddresses/any(x:x eq {SMTP:}) or "
     "proxyAddresses/any(x:x eq {smtp:})",
     NULL, true},
    {"userPrincipalName eq {} or mail eq {} or otherMails/any(x:x eq {}) or proxyAddresses/any(x:x eq {SMTP:}) or "
     "proxyAddresses/any(x:x eq {smtp:})",
     "a guest's own name", false},
    {"userPrincipalName eq {} or mail eq {} or otherMails/any(x:x eq {})", "proxyAddresses", false},
    {"mail eq {}", "anything but mail", false},
};
enum { WITHOUT_OWN_NAMES = 1, FORMS = sizeof by_address / sizeof by_address[0] };
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
    if (find == NULL)
        return;
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

/* ADDRESS with '_' for its '@', #EXT#, and the tenant's domain. false where that is not known. */
static bool own_name(const struct find *find, size_t which, char *out, size_t size)
{
    const char *domain = find->graph->guest_domains[which];
    const char *at = strrchr(find->address, '@');

    if (domain == NULL || at == NULL ||
        (which > 0 && find->graph->guest_domains[0] != NULL && strcasecmp(domain, find->graph->guest_domains[0]) == 0))
        return false;
    snprintf(out, size, "%.*s_%s#EXT#@%s", (int)(at - find->address), find->address, at + 1, domain);
    return true;
}

static bool is_address(void *context, const char *address)
{
    return strcasecmp(address, context) == 0;
}

/* Found by the name that it was given at its invitation, but has other addresses by now. */
static bool by_name_only(struct find *find, const struct ei_graph_user *user)
{
    char name[NAME_MAX_BYTES];
    bool named = false;

    for (size_t i = 0; i < EI_GUEST_DOMAINS && user->user_principal_name != NULL; i++)
        named = named || (own_name(find, i, name, sizeof name) && strcasecmp(user->user_principal_name, name) == 0);
    return named && !ei_graph_user_addresses(user, is_address, find->address);
}

/* Where somebody has the address itself, who merely had it once is not meant. */
static void drop_former(struct find *find, struct ei_graph_user *users, size_t *count)
{
    size_t kept = 0;
    size_t present = 0;

    for (size_t i = 0; i < *count; i++)
        present += !by_name_only(find, &users[i]);
    for (size_t i = 0; i < *count && present != 0; i++)
        if (!by_name_only(find, &users[i]))
            users[kept++] = users[i];
    if (present != 0)
        *count = kept;
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
    if (add_users(&find->by_address, users, ret_count) && add_users(&find->by_identity, users, ret_count)) {
        drop_former(find, users, ret_count);
        return users;
    }
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

static bool append_own_names(struct ei_buffer *filter, const struct find *find)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < EI_GUEST_DOMAINS; i++)
        if (own_name(find, i, name, sizeof name) &&
            !(ei_buffer_append_text(filter, " or userPrincipalName eq ") && ei_odata_literal(filter, "", name)))
            return false;
    return true;
}

static enum ei_err start(struct find *find, const char *path, const char *pattern, bool own_names, const char *crid,
                         ei_pages_done *done)
{
    struct ei_buffer filter;
    struct ei_buffer target;
    enum ei_err rc = EI_NOMEM;

    ei_buffer_init(&filter, TARGET_MAX);
    ei_buffer_init(&target, TARGET_MAX);
    if (ei_odata_filter(&filter, pattern, find->address) && (!own_names || append_own_names(&filter, find)) &&
        ei_buffer_append_text(&target, path) && ei_odata_encode(&target, filter.data))
        rc = ei_pages_start(find->graph, target.data, crid, done, find);
    ei_buffer_free(&filter);
    ei_buffer_free(&target);
    if (rc == EI_OK)
        find->pending++;
    return rc;
}

static enum ei_err start_users(struct find *find, const char *pattern, bool own_names, const char *crid,
                               ei_pages_done *done)
{
    return start(find, "/v1.0/users?" EI_USER_SELECT_ADDRESSES "&$filter=", pattern, own_names, crid, done);
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
        find->graph->own_name_refused = find->graph->own_name_refused || find->form == WITHOUT_OWN_NAMES;
        if (start_users(find, by_address[find->form].filter, false, NULL, on_addresses) != EI_OK)
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

/* What both look-ups begin with. An address that can be none ends it unsent, and *ret_find has none then. On failure
 * the caller frees *ret_find, which may be NULL. */
static enum ei_err begin(struct ei_graph *graph, const char *address, ei_graph_users_done *done, void *context,
                         struct find **ret_find)
{
    struct ei_error err;
    struct find *find = calloc(1, sizeof *find);

    *ret_find = find;
    if (find == NULL)
        return EI_NOMEM;
    find->graph = graph;
    find->done = done;
    find->context = context;
    find->result.retry_after = -1;
    if (check_address(address, &err) != EI_OK)
        return ei_request_start_failed(graph, &err, on_refused, find);
    memcpy(find->address, address, strlen(address) + 1);
    return EI_OK;
}

enum ei_err ei_graph_find_users(struct ei_graph *graph, const char *address, const char *crid,
                                ei_graph_users_done *done, void *context)
{
    bool named = !graph->own_name_refused && (graph->guest_domains[0] != NULL || graph->guest_domains[1] != NULL);
    struct find *find = NULL;
    enum ei_err rc = begin(graph, address, done, context, &find);

    if (rc == EI_OK && find->address[0] != '\0') {
        find->form = named ? 0 : WITHOUT_OWN_NAMES;
        rc = start_users(find, by_address[find->form].filter, named, crid, on_addresses);
    }
    if (rc != EI_OK) {
        find_free(find);
        return rc;
    }
    /* No identity is longer (contract 3). */
    bool may_be_identity = find->address[0] != '\0' && strlen(find->address) <= IDENTITY_MAX;
    if (may_be_identity && start_users(find, by_identity, false, NULL, on_identities) != EI_OK) {
        find->result.outcome = EI_GRAPH_NOT_SENT;
        ei_fail(&find->result.error, EI_NOMEM, "no memory for the look-up by identity");
    }
    return EI_OK;
}

/* --- among the deleted ones --- */

static const char *const by_address_deleted[] = {"mail eq {} or otherMails/any(x:x eq {})", "mail eq {}"};
enum { DELETED_FORMS = sizeof by_address_deleted / sizeof by_address_deleted[0] };

static enum ei_err start_deleted(struct find *find, const char *crid);

static void on_deleted(void *context, const struct ei_graph_result *result, struct ei_pages *pages)
{
    struct find *find = context;

    if (ei_graph_query_refused(result) && ++find->form < DELETED_FORMS && start_deleted(find, NULL) == EI_OK) {
        find->pending--;
        return;
    }
    find->result = *result;
    if (result->outcome == EI_GRAPH_DONE)
        take(&find->by_address, pages);
    settle(find);
}

static enum ei_err start_deleted(struct find *find, const char *crid)
{
    static const char path[] =
        "/v1.0/directory/deletedItems/microsoft.graph.user?" EI_USER_SELECT_ADDRESSES "&$filter=";

    return start(find, path, by_address_deleted[find->form], false, crid, on_deleted);
}

enum ei_err ei_graph_find_deleted(struct ei_graph *graph, const char *address, const char *crid,
                                  ei_graph_users_done *done, void *context)
{
    struct find *find = NULL;
    enum ei_err rc = begin(graph, address, done, context, &find);

    if (rc == EI_OK && find->address[0] != '\0')
        rc = start_deleted(find, crid);
    if (rc != EI_OK)
        find_free(find);
    return rc;
}

/*
 * ListTenant: the tenant's guests that this store does not know, a page of Graph a reply. The next page is asked for
 * when the caller has read the one before, so neither end holds more than a page; other work goes on meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "plugin/worker/guest_list.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/tenant.h"

enum {
    PATIENCE_MS = 30 * 60 * 1000, /* a person may be paging through it */
    ALIVE_MS = 30 * 1000,         /* so often at least the caller hears that it goes on */
};

/* What --state means here: the redemption as the directory has it. */
enum wanted { WANTED_ALL, WANTED_PENDING, WANTED_ACCEPTED, WANTED_NONE };

struct ei_tenant_list {
    struct ei_tenant_list *next;
    struct ei_worker *worker;
    struct ei_call *call;
    struct ei_guest_list *list;
    enum wanted wanted;
    int64_t told_ms; /* monotonic: the caller last heard something */
};

static void drop(struct ei_tenant_list *list)
{
    struct ei_tenant_list **at = &list->worker->tenant_lists;

    while (*at != list)
        at = &(*at)->next;
    *at = list->next;
    free(list);
}

/* --- who is told --- */

static bool is_wanted(enum wanted wanted, const struct ei_graph_user *user)
{
    const char *state = user->external_user_state;

    /* A filter by state alone shows people who were invited as members, too. */
    if (user->user_type != NULL && strcmp(user->user_type, "Guest") != 0)
        return false;
    switch (wanted) {
    case WANTED_ALL:
        return true;
    case WANTED_PENDING:
        return ei_text_same(state, "PendingAcceptance");
    case WANTED_ACCEPTED:
        return ei_text_same(state, "Accepted");
    case WANTED_NONE:
        return state == NULL;
    }
    return false;
}

/* EI_NOT_FOUND: this store does not know the guest. */
static enum ei_err look_up(struct ei_worker *w, const char *guest_id, struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_by_guest(w->store, guest_id, &c, err);

    ei_collaborator_free(c);
    if (rc != EI_OK && rc != EI_NOT_FOUND)
        ei_worker_store_failed(w, err);
    return rc;
}

static cJSON *user_object(const struct ei_graph_user *user)
{
    cJSON *object = cJSON_CreateObject();

    ei_json_add_text(object, "id", user->id);
    ei_json_add_text(object, "displayName", user->display_name);
    ei_json_add_text(object, "mail", user->mail);
    ei_json_add_text(object, "userPrincipalName", user->user_principal_name);
    ei_json_add_text(object, "userType", user->user_type);
    ei_json_add_text(object, "creationType", user->creation_type);
    ei_json_add_text(object, "externalUserState", user->external_user_state);
    ei_json_add_time(object, "externalUserStateChangeDateTime", user->external_user_state_changed);
    if (user->has_account_enabled)
        cJSON_AddBoolToObject(object, "accountEnabled", user->account_enabled);
    else
        cJSON_AddNullToObject(object, "accountEnabled");
    return object;
}

static cJSON *reply_of(const struct ei_worker *w, cJSON *users)
{
    int64_t hold = ei_graph_hold_until(w->graph);
    cJSON *reply = cJSON_CreateObject();

    ei_json_add_item(reply, "users", users != NULL ? users : cJSON_CreateArray());
    ei_json_add_time(reply, "holdUntil", hold > ei_now() ? hold : 0);
    return reply;
}

/* --- page by page --- */

static bool is_ready(void *context)
{
    const struct ei_tenant_list *list = context;
    return ei_call_read_up(list->call);
}

static void end_with(struct ei_tenant_list *list, const struct ei_error *err)
{
    ei_call_fail(list->call, err);
    drop(list);
}

static bool on_page(void *context, const struct ei_graph_page *page)
{
    struct ei_tenant_list *list = context;
    struct ei_worker *w = list->worker;
    cJSON *users = cJSON_CreateArray();
    struct ei_error err = {0};

    for (size_t i = 0; i < page->count; i++) {
        if (!is_wanted(list->wanted, &page->users[i]))
            continue;
        enum ei_err rc = look_up(w, page->users[i].id, &err);
        if (rc == EI_NOT_FOUND) {
            ei_json_push(users, user_object(&page->users[i]));
        } else if (rc != EI_OK) {
            cJSON_Delete(users);
            end_with(list, &err);
            return false;
        }
    }
    if (cJSON_GetArraySize(users) == 0) {
        cJSON_Delete(users);
        return true;
    }
    if (!ei_call_tell(list->call, reply_of(w, users))) {
        ei_fail(&err, EI_NOMEM, "a page of the tenant's guests is too large to be passed on");
        end_with(list, &err);
        return false;
    }
    list->told_ms = ei_monotonic_ms();
    return true;
}

static void on_end(void *context, const struct ei_error *error, bool refused)
{
    struct ei_tenant_list *list = context;
    struct ei_error err = *error;

    if (error->code == EI_OK) {
        ei_call_reply(list->call, reply_of(list->worker, NULL));
        drop(list);
        return;
    }
    if (refused && error->code == EI_PERMISSION)
        ei_fail_again(&err, EI_PERMISSION, "the tenant's guests can be listed with User.Read.All only: %.300s",
                      error->message);
    else if (ei_err_fault(error->code) == EI_FAULT_TRANSIENT) /* nobody tries again by itself here */
        ei_fail_again(&err, EI_LIST_BROKEN, "the tenant's guests could not be listed to the end: %.300s",
                      error->message);
    end_with(list, &err);
}

/* --- the call --- */

static bool read_state(const char *name, enum wanted *ret)
{
    static const char *const names[] = {
        [WANTED_ALL] = "", [WANTED_PENDING] = "pending", [WANTED_ACCEPTED] = "accepted", [WANTED_NONE] = "none"};

    *ret = WANTED_ALL;
    if (name == NULL)
        return true;
    for (int i = WANTED_PENDING; i <= WANTED_NONE; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum wanted)i;
            return true;
        }
    }
    return false;
}

static enum ei_err start(struct ei_worker *w, struct ei_call *call, enum wanted wanted)
{
    struct ei_tenant_list *list = calloc(1, sizeof *list);
    const struct ei_graph_list_options options = {.pending = wanted == WANTED_PENDING};
    const struct ei_guest_list_reader reader = {.ready = is_ready, .page = on_page, .end = on_end, .context = list};

    if (list == NULL)
        return EI_NOMEM;
    *list = (struct ei_tenant_list){
        .next = w->tenant_lists, .worker = w, .call = call, .wanted = wanted, .told_ms = ei_monotonic_ms()};
    enum ei_err rc = ei_guest_list_start(w, &options, &reader, &list->list);
    if (rc != EI_OK) {
        free(list);
        return rc;
    }
    w->tenant_lists = list;
    return EI_OK;
}

void ei_request_list_tenant(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *state = ei_json_string(parameters, "state");
    enum wanted wanted;
    struct ei_error err;

    if (!ei_call_wants_more(call)) {
        ei_call_fail_without_more(call);
        return;
    }
    if (!read_state(state, &wanted)) {
        ei_fail(&err, EI_USAGE, "%.64s: a guest of the tenant is pending, accepted or none", state);
        ei_call_fail(call, &err);
        return;
    }
    /* What blocks the worker would be the answer, only later. */
    if (w->blocked.code != EI_OK && !ei_tenant_writes_blocked(w)) {
        ei_call_fail(call, &w->blocked);
        return;
    }
    ei_call_set_patience(call, PATIENCE_MS);
    enum ei_err rc = start(w, call, wanted);
    if (rc == EI_OK)
        return;
    ei_fail(&err, rc, "the tenant's guests were not asked for");
    ei_call_fail(call, &err);
}

void ei_request_list_tenant_gone(struct ei_worker *w, const struct ei_call *call)
{
    for (struct ei_tenant_list *list = w->tenant_lists; list != NULL; list = list->next) {
        if (list->call == call) {
            ei_guest_list_stop(list->list);
            drop(list);
            return;
        }
    }
}

/* --- a long wait --- */

static int64_t wait_of(const struct ei_tenant_list *list)
{
    int64_t wait = list->told_ms + ALIVE_MS - ei_monotonic_ms();

    if (!ei_call_read_up(list->call))
        return INT64_MAX;
    return wait > 0 ? wait : 0;
}

void ei_request_list_tenant_run(struct ei_worker *w)
{
    for (struct ei_tenant_list *list = w->tenant_lists; list != NULL; list = list->next) {
        if (wait_of(list) != 0)
            continue;
        (void)ei_call_tell(list->call, reply_of(w, NULL));
        list->told_ms = ei_monotonic_ms();
    }
}

int64_t ei_request_list_tenant_wait_ms(const struct ei_worker *w)
{
    int64_t wait = INT64_MAX;

    for (const struct ei_tenant_list *list = w->tenant_lists; list != NULL; list = list->next)
        wait = wait_of(list) < wait ? wait_of(list) : wait;
    return wait;
}

#include "plugin/worker/requests.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/accounts.h"
#include "plugin/worker/login.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tenant.h"

enum { WAIT_MAX_MS = 3600 * 1000, WAITING_MAX = EI_SERVER_PEERS };

/* --- what a target means --- */

enum ei_err ei_request_find(struct ei_worker *w, const char *target, struct ei_collaborator **ret_c,
                            const char **ret_login, struct ei_error *err)
{
    enum ei_err rc = ei_store_by_account(w->store, w->host, target, ret_c, err);

    *ret_login = rc == EI_OK ? target : NULL;
    if (rc == EI_NOT_FOUND && strchr(target, '@') != NULL)
        rc = ei_store_by_address(w->store, target, ret_c, err);
    if (rc == EI_NOT_FOUND)
        ei_fail(err, rc, "%s: neither an account nor an address that is known here", target);
    return rc;
}

struct ei_asker ei_request_asker(const cJSON *parameters)
{
    return (struct ei_asker){
        .by = ei_json_string(parameters, "requestedBy"),
        .login = ei_json_string(parameters, "requester"),
    };
}

/* --- calls that wait --- */

static enum ei_err add_waiting(struct ei_worker *w, struct ei_call *call, const char *target, int64_t timeout_ms)
{
    struct ei_waiting *waiting = calloc(1, sizeof *waiting);

    if (waiting == NULL || (target != NULL && (waiting->target = strdup(target)) == NULL)) {
        free(waiting);
        return EI_NOMEM;
    }
    waiting->call = call;
    waiting->deadline_ms = ei_monotonic_ms() + (timeout_ms < WAIT_MAX_MS ? timeout_ms : WAIT_MAX_MS);
    waiting->since = ei_now();
    waiting->next = w->waiting;
    w->waiting = waiting;
    return EI_OK;
}

static void drop_waiting(struct ei_worker *w, struct ei_waiting *waiting)
{
    for (struct ei_waiting **at = &w->waiting; *at != NULL; at = &(*at)->next) {
        if (*at == waiting) {
            *at = waiting->next;
            break;
        }
    }
    free(waiting->target);
    free(waiting);
}

static bool settled(enum ei_state state)
{
    return state != EI_STATE_QUEUED && state != EI_STATE_WAITING;
}

/* What is on its way, to who asked for it. */
static void tell(struct ei_worker *w, struct ei_waiting *waiting, const struct ei_collaborator *c, const char *login,
                 enum ei_state state)
{
    bool news = !waiting->told || waiting->told_state != state || waiting->told_error != c->error.code;

    if (news && ei_call_wants_more(waiting->call) &&
        ei_call_tell(waiting->call, ei_request_account_reply(w, c, login))) {
        waiting->told = true;
        waiting->told_state = state;
        waiting->told_error = c->error.code;
    }
}

/* true: answered. */
static bool answer_wait(struct ei_worker *w, struct ei_waiting *waiting, bool late)
{
    struct ei_collaborator *c = NULL;
    const char *login;
    struct ei_error err;

    if (ei_request_find(w, waiting->target, &c, &login, &err) != EI_OK) {
        ei_call_fail(waiting->call, &err);
        return true;
    }
    /* Who waits may log in next: the gate must know by then. */
    enum ei_state state = ei_state_of(c, ei_state_account(c, w->host, login));
    bool done = late || (!w->dirty && settled(state));
    if (done)
        ei_call_reply(waiting->call, ei_request_account_reply(w, c, login));
    else
        tell(w, waiting, c, login, state);
    ei_collaborator_free(c);
    return done;
}

/* Everything that was due when it was asked has been done, or put off because Graph does not answer. */
static bool refreshed(struct ei_worker *w, const struct ei_waiting *waiting)
{
    struct ei_error err;
    int64_t next = INT64_MAX;

    if (!ei_accounts_settled(w) || w->flight_count != 0 || w->ready_count != 0 || w->join_count != 0)
        return false;
    if (w->tenant_fact == EI_FACT_ASKED || w->domains_fact == EI_FACT_ASKED || !ei_refresh_settled(w))
        return false;
    if (w->blocked.code != EI_OK && !ei_tenant_writes_blocked(w))
        return ei_monotonic_ms() < w->probe_at_ms;
    return ei_store_next_due(w->store, &next, &err) != EI_OK || next > waiting->since;
}

static void reply_refresh(struct ei_call *call, bool done, const struct ei_error *error)
{
    cJSON *reply = cJSON_CreateObject();

    cJSON_AddBoolToObject(reply, "done", done);
    ei_json_add_item(reply, "error", ei_request_error(error, false));
    ei_call_reply(call, reply);
}

static bool answer_refresh(struct ei_worker *w, struct ei_waiting *waiting, bool late)
{
    /* Who waits may log in next: the gate must know by then. */
    bool done = refreshed(w, waiting) && !ei_publish_pending(w);
    struct ei_error error = w->blocked;

    if (!done && !late)
        return false;
    if (error.code == EI_OK)
        ei_request_trouble(w, &error);
    reply_refresh(waiting->call, done, &error);
    return true;
}

void ei_requests_run(struct ei_worker *w)
{
    struct ei_waiting *next;

    for (struct ei_waiting *waiting = w->waiting; waiting != NULL; waiting = next) {
        next = waiting->next;
        bool late = ei_monotonic_ms() >= waiting->deadline_ms;
        if (waiting->target != NULL ? answer_wait(w, waiting, late) : answer_refresh(w, waiting, late))
            drop_waiting(w, waiting);
    }
    ei_request_list_tenant_run(w);
}

int64_t ei_requests_wait_ms(const struct ei_worker *w)
{
    int64_t wait = ei_request_list_tenant_wait_ms(w);

    for (const struct ei_waiting *waiting = w->waiting; waiting != NULL; waiting = waiting->next) {
        int64_t left = waiting->deadline_ms - ei_monotonic_ms();
        if (left < wait)
            wait = left > 0 ? left : 0;
    }
    return wait;
}

static void call_wait(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    int64_t timeout_ms = 0;
    struct ei_error err;

    if (target == NULL || !ei_json_int(parameters, "timeout", &timeout_ms) || timeout_ms < 0) {
        ei_fail(&err, EI_USAGE, "Wait: target and timeout (ms) are needed");
        ei_call_fail(call, &err);
    } else if (add_waiting(w, call, target, timeout_ms) != EI_OK) {
        ei_fail(&err, EI_NOMEM, "no memory for one more call that waits");
        ei_call_fail(call, &err);
    }
}

static void call_refresh(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    int64_t timeout_ms = 60 * 1000;
    struct ei_error err;

    (void)ei_json_int(parameters, "timeout", &timeout_ms);
    enum ei_err rc = ei_store_hasten(w->store, ei_now(), true, &err);
    if (rc != EI_OK) {
        ei_call_fail(call, &err);
        return;
    }
    ei_worker_look_anew(w);
    if (!ei_json_bool(parameters, "wait", false)) {
        reply_refresh(call, false, &(struct ei_error){.code = EI_OK});
    } else if (add_waiting(w, call, NULL, timeout_ms) != EI_OK) {
        ei_fail(&err, EI_NOMEM, "no memory for one more call that waits");
        ei_call_fail(call, &err);
    }
}

/* --- dispatch --- */

static void on_call(void *context, struct ei_call *call, const char *method, const cJSON *parameters)
{
    static const struct {
        const char *name;
        ei_request_method *run;
    } methods[] = {
        {"Announce", ei_request_announce}, {"Wait", call_wait},
        {"Invite", ei_request_invite},     {"List", ei_request_list},
        {"Show", ei_request_show},         {"Adopt", ei_request_adopt},
        {"Mail", ei_request_mail},         {"Resend", ei_request_resend},
        {"Reset", ei_request_reset},       {"Remove", ei_request_remove},
        {"Refresh", call_refresh},         {"Status", ei_request_status},
        {"Doctor", ei_request_doctor},     {"ListTenant", ei_request_list_tenant},
        {"Login", ei_request_login},       {"Restore", ei_request_restore},
        {"Events", ei_request_events},     {"Import", ei_request_import},
    };
    struct ei_worker *w = context;
    struct ei_error err;

    w->walked = true; /* some do: List, Adopt, Announce the account files */
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, method) == 0) {
            methods[i].run(w, call, parameters);
            return;
        }
    }
    ei_fail(&err, EI_PROTOCOL, "%s: no such method", method);
    ei_call_fail(call, &err);
}

static void on_gone(void *context, struct ei_call *call)
{
    struct ei_worker *w = context;

    for (struct ei_waiting *waiting = w->waiting; waiting != NULL; waiting = waiting->next) {
        if (waiting->call == call) {
            drop_waiting(w, waiting);
            return;
        }
    }
    ei_request_list_tenant_gone(w, call);
    ei_login_gone(w, call);
    ei_request_dry_run_gone(w, call);
    ei_request_reset_gone(w, call);
    ei_request_doctor_gone(w, call);
}

enum ei_err ei_requests_open(struct ei_worker *w, int listen_fd, struct ei_error *err)
{
    struct ei_server_handler handler = {.call = on_call, .gone = on_gone, .context = w};
    enum ei_err rc = EI_OK;

    if (listen_fd < 0)
        rc = ei_server_listen(w->config->socket, &listen_fd, err);
    if (rc != EI_OK)
        return rc;
    if (ei_server_new(listen_fd, geteuid(), &handler, &w->server) != EI_OK) {
        close(listen_fd);
        return ei_fail(err, EI_NOMEM, "%s: no memory to serve it", w->config->socket);
    }
    return EI_OK;
}

void ei_requests_close(struct ei_worker *w)
{
    ei_server_free(w->server);
    w->server = NULL;
    while (w->waiting != NULL)
        drop_waiting(w, w->waiting);
}

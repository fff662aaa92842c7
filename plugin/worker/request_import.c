/* Import: rows of a file, each invited as Invite does it, many in one commit. */
#include <string.h>

#include "common/account/address.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tenant.h"

enum { TURN_MS = 100 }; /* then the loop has its turn again */

struct import {
    struct ei_worker *worker;
    const char *by;
    const char *requester;
    bool check;
    bool in_batch;
    int batch_from; /* the first result that the open batch makes durable */
    cJSON *results;
};

/* The row as Invite's parameters. */
static cJSON *parameters_of(const struct import *import, const cJSON *row)
{
    cJSON *parameters = cJSON_Duplicate(row, true);

    cJSON_DeleteItemFromObjectCaseSensitive(parameters, "requestedBy");
    cJSON_DeleteItemFromObjectCaseSensitive(parameters, "requester");
    ei_json_add_text(parameters, "requestedBy", import->by);
    ei_json_add_text(parameters, "requester", import->requester);
    return parameters;
}

static void add_result(struct import *import, const char *state, const char *parameter, const struct ei_error *err)
{
    cJSON *result = cJSON_CreateObject();

    ei_json_add_text(result, "state", state);
    ei_json_add_text(result, "parameter", parameter);
    ei_json_add_item(result, "error", ei_request_error(err, true));
    ei_json_push(import->results, result);
}

static enum ei_err open_batch(struct import *import, struct ei_error *err)
{
    enum ei_err rc = import->in_batch ? EI_OK : ei_store_batch_begin(import->worker->store, err);

    if (rc == EI_OK && !import->in_batch)
        import->batch_from = cJSON_GetArraySize(import->results);
    import->in_batch = import->in_batch || rc == EI_OK;
    return rc;
}

/* What could not be made durable is told so, row by row. */
static void close_batch(struct import *import)
{
    struct ei_error err;
    int count = cJSON_GetArraySize(import->results);

    if (!import->in_batch)
        return;
    import->in_batch = false;
    if (ei_store_batch_end(import->worker->store, &err) == EI_OK)
        return;
    for (int i = import->batch_from; i < count; i++) {
        cJSON *result = cJSON_GetArrayItem(import->results, i);
        if (ei_json_string(result, "state") == NULL)
            continue;
        cJSON_ReplaceItemInObjectCaseSensitive(result, "state", cJSON_CreateNull());
        cJSON_ReplaceItemInObjectCaseSensitive(result, "error", ei_request_error(&err, false));
    }
}

/* --- one row --- */

static enum ei_err invite(struct ei_worker *w, const char *email, const char *login, struct ei_invitee *invitee,
                          struct ei_error *err)
{
    return login != NULL ? ei_request_invite_login(w, login, invitee, err)
                         : ei_request_invite_address(w, email, invitee, err);
}

static enum ei_err same_address(const struct ei_invitee *invitee, const char *email, struct ei_error *err)
{
    const struct ei_collaborator *c = invitee->collaborator;
    char address[EI_ADDRESS_SIZE];
    char given[EI_ADDRESS_SIZE];
    char own[EI_ADDRESS_SIZE];

    if (invitee->login == NULL)
        return EI_OK;
    if (c->address_count == 0)
        return ei_fail(err, EI_NO_ADDRESS, "%s: it has no address yet", invitee->login);
    enum ei_err rc = ei_address_check(email, address, err);
    if (rc == EI_OK && ei_address_fold(address, given, sizeof given) &&
        ei_address_fold(c->addresses[0], own, sizeof own) && strcmp(given, own) != 0)
        rc = ei_fail(err, EI_BAD_ADDRESS, "%s: the account's address is %s, not %s", invitee->login, c->addresses[0],
                     address);
    return rc;
}

/* Everything that can be told without asking Graph, nothing written. */
static enum ei_err check(struct ei_worker *w, const cJSON *parameters, const char **ret_at, struct ei_error *err)
{
    struct ei_invitee invitee = {.parameters = parameters, .imagined = true, .bulk = true};
    struct ei_settings settings = {0};
    const char *email = ei_json_string(parameters, "email");
    const char *login = ei_json_string(parameters, "login");
    const char *rule = ei_json_string(parameters, "rule");

    *ret_at = "rule";
    if (rule != NULL && ei_config_rule(w->config, rule) == NULL)
        return ei_fail(err, EI_NOT_FOUND, "%s: the configuration has no such rule", rule);
    *ret_at = login != NULL ? "login" : "email";
    enum ei_err rc = invite(w, email, login, &invitee, err);
    if (rc == EI_OK) {
        *ret_at = "email";
        rc = same_address(&invitee, email, err);
    }
    if (rc == EI_OK)
        rc = ei_settings_resolve(w->config, invitee.collaborator, &settings, err);
    ei_settings_clear(&settings);
    if (rc == EI_OK && ei_tenant_owns(w, invitee.collaborator->addresses[0]))
        rc = ei_fail(err, EI_VERIFIED_DOMAIN, "%s: its domain is a verified domain of the tenant", email);
    ei_invitee_clear(&invitee);
    return rc;
}

static enum ei_state state_of(const struct ei_worker *w, const struct ei_collaborator *c, const char *login,
                              struct ei_error *failure)
{
    const struct ei_account *account = login != NULL ? ei_state_account(c, w->host, login) : NULL;
    enum ei_state state = ei_state_of(c, account);

    if (state == EI_STATE_FAILED)
        *failure = *ei_publish_error(w, c, account);
    return state;
}

/* Where it stands on record, and why it has failed. false: it is not on record. */
static bool standing(struct ei_worker *w, const char *email, const char *login, enum ei_state *ret_state,
                     struct ei_error *failure)
{
    struct ei_collaborator *c = NULL;
    char address[EI_ADDRESS_SIZE];
    struct ei_error err;
    enum ei_err rc = login != NULL ? ei_store_by_account(w->store, w->host, login, &c, &err) : EI_NOT_FOUND;

    if (login == NULL && ei_address_check(email, address, &err) == EI_OK)
        rc = ei_store_by_address(w->store, address, &c, &err);
    if (rc != EI_OK)
        return false;
    *ret_state = state_of(w, c, login, failure);
    ei_collaborator_free(c);
    return true;
}

static enum ei_err record(struct import *import, const cJSON *parameters, enum ei_state *ret_state,
                          struct ei_error *err)
{
    struct ei_worker *w = import->worker;
    struct ei_invitee invitee = {.parameters = parameters, .bulk = true};
    const char *login = ei_json_string(parameters, "login");
    enum ei_err rc = EI_OK;

    /* Placing an account is a batch of its own. */
    if (login != NULL)
        close_batch(import);
    else
        rc = open_batch(import, err);
    if (rc == EI_OK)
        rc = invite(w, ei_json_string(parameters, "email"), login, &invitee, err);
    if (rc == EI_OK)
        *ret_state = state_of(w, invitee.collaborator, login, err);
    ei_invitee_clear(&invitee);
    return rc;
}

static void take_row(struct import *import, const cJSON *row)
{
    struct ei_worker *w = import->worker;
    struct ei_error err = {.code = EI_OK};
    enum ei_state state = 0;
    const char *at = "email";
    cJSON *parameters = parameters_of(import, row);
    const char *email = ei_json_string(parameters, "email");
    const char *login = ei_json_string(parameters, "login");
    enum ei_err rc = email != NULL ? EI_OK : ei_fail(&err, EI_USAGE, "Import: a row without email");

    if (rc == EI_OK)
        rc = check(w, parameters, &at, &err);
    if (rc == EI_OK && standing(w, email, login, &state, &err) && state == EI_STATE_REMOVED)
        rc = ei_fail(&err, EI_STATE, "%s: was removed; entra-invite invite %s brings it back",
                     login != NULL ? login : email, login != NULL ? login : email);
    if (rc == EI_OK && !import->check) {
        ei_error_clear(&err);
        rc = record(import, parameters, &state, &err);
    }
    add_result(import, rc == EI_OK ? ei_state_name(state) : NULL, rc == EI_OK ? NULL : at, &err);
    cJSON_Delete(parameters);
}

void ei_request_import(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    int64_t until = ei_monotonic_ms() + TURN_MS;
    cJSON *reply = cJSON_CreateObject();
    struct import import = {
        .worker = w,
        .by = ei_json_string(parameters, "requestedBy"),
        .requester = ei_json_string(parameters, "requester"),
        .check = ei_json_bool(parameters, "check", false),
        .results = cJSON_AddArrayToObject(reply, "results"),
    };
    const cJSON *row;

    cJSON_ArrayForEach(row, ei_json_array(parameters, "rows"))
    {
        take_row(&import, row);
        if (ei_monotonic_ms() >= until)
            break;
    }
    close_batch(&import);
    ei_call_reply(call, reply);
}

/* The socket's questions: List, Show, Status; and the shapes in which an account and an error are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/varlink.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/groups.h"
#include "plugin/worker/invitation.h"
#include "plugin/worker/login.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/refresh.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/state.h"

/* Of one page of List, whose reply is bounded. */
enum { LIST_MAX = 2000, LIST_BYTES_MAX = EI_VARLINK_REPLY_MAX / 2, ACCOUNT_BYTES = 2048, GROUP_BYTES = 128 };

cJSON *ei_request_error(const struct ei_error *error, bool permanent)
{
    return error->code == EI_OK ? cJSON_CreateNull() : ei_json_error(error, permanent);
}

cJSON *ei_request_account(const struct ei_worker *w, const struct ei_collaborator *c, const struct ei_account *account)
{
    cJSON *object = cJSON_CreateObject();
    const char *rule = account != NULL ? account->rule : c->job.rule;

    ei_json_add_text(object, "login", account != NULL ? account->login : NULL);
    ei_json_add_text(object, "host", account != NULL ? account->host : NULL);
    ei_json_add_text(object, "email", c->address_count != 0 ? c->addresses[0] : NULL);
    ei_json_add_text(object, "rule", rule != NULL && rule[0] != '\0' ? rule : NULL);
    ei_json_add_text(object, "state", ei_state_name(ei_state_of(c, account)));
    ei_json_add_text(object, "requestedBy", c->requested_by);
    ei_json_add_time(object, "requestedAt", c->requested_at);
    ei_json_add_text(object, "inviteRedeemUrl", c->redeem_url);
    ei_json_add_text(object, "invitedUserId", c->guest_id);
    ei_json_add_text(object, "userPrincipalName", c->user_principal_name);
    ei_json_add_text(object, "invitedUserType", c->user_type);
    ei_json_add_text(object, "externalUserState", c->external_user_state);
    /* Of a redemption that was reset the time is kept, to know it again. */
    ei_json_add_time(object, "externalUserStateChangeDateTime",
                     c->external_user_state != NULL ? c->state_changed_at : 0);
    ei_json_add_time(object, "checkedAt", c->checked_at);
    ei_json_add_text(object, "mail", ei_mail_name(c->mail));
    ei_json_add_text(object, "mailChannel", ei_channel_name((enum ei_channel)c->mail_channel));
    ei_json_add_time(object, "mailedAt", c->mailed_at);
    ei_json_add_time(object, "remindedAt", c->reminded_at);
    ei_json_add_time(object, "expiredAt", c->expired_at);
    ei_json_add_item(object, "entraGroups", ei_groups_told(c));
    ei_json_add_text(object, "deletedGuestId", c->deleted_guest_id);
    ei_json_add_item(object, "error", ei_request_error(ei_publish_error(w, c, account), c->error_permanent));
    cJSON *asked = c->job.overrides != NULL ? ei_json_parse(c->job.overrides, strlen(c->job.overrides)) : NULL;
    ei_json_add_item(object, "asked", asked != NULL ? asked : cJSON_CreateNull());
    ei_json_add_item(object, "invitation", ei_invitation_json(c));
    ei_json_add_item(object, "warnings", ei_invitation_warnings(w->config, c));
    return object;
}

cJSON *ei_request_account_reply(const struct ei_worker *w, const struct ei_collaborator *c, const char *login)
{
    cJSON *reply = cJSON_CreateObject();

    ei_json_add_item(reply, "account", ei_request_account(w, c, ei_state_account(c, w->host, login)));
    return reply;
}

void ei_request_show(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    struct ei_collaborator *c = NULL;
    const char *login;
    struct ei_error err;

    if (target == NULL)
        ei_fail(&err, EI_USAGE, "Show: target is needed");
    else if (ei_request_find(w, target, &c, &login, &err) == EI_OK) {
        ei_call_reply(call, ei_request_account_reply(w, c, login));
        ei_collaborator_free(c);
        return;
    }
    ei_call_fail(call, &err);
}

/* --- List --- */

/* Rows sort by login; invitations without an account come behind all logins, by address. '~' sorts behind every
 * character that a login may begin with. */
struct row {
    char *key;
    char id[EI_GUID_TEXT];
};

struct listing {
    const struct ei_worker *worker;
    const char *after;
    const cJSON *states;
    struct row *rows;
    size_t count;
    size_t room;
};

/* Whom the directory has as PendingAcceptance is listed with the pending ones also where this host holds or refuses the
 * account: the answer is then what a filter on externalUserState in the tenant gives. */
static bool is_state(const struct ei_collaborator *c, enum ei_state state, const char *name)
{
    bool pending_there = ei_text_same(c->external_user_state, "PendingAcceptance") && c->not_found_since == 0 &&
                         state != EI_STATE_REMOVED;

    return strcmp(name, ei_state_name(state)) == 0 ||
           (pending_there && strcmp(name, ei_state_name(EI_STATE_PENDING)) == 0);
}

static bool wanted_state(const cJSON *states, const struct ei_collaborator *c, enum ei_state state)
{
    const cJSON *item;

    if (states == NULL || cJSON_GetArraySize(states) == 0)
        return true;
    cJSON_ArrayForEach(item, states)
    {
        const char *name = cJSON_GetStringValue(item);
        if (name != NULL && is_state(c, state, name))
            return true;
    }
    return false;
}

static enum ei_err add_row(struct listing *listing, const struct ei_collaborator *c, const char *prefix,
                           const char *name)
{
    char key[512];

    if (snprintf(key, sizeof key, "%s%s", prefix, name) >= (int)sizeof key)
        return EI_OK;
    if (listing->after != NULL && strcmp(key, listing->after) <= 0)
        return EI_OK;
    struct row *rows = ei_array_room(listing->rows, listing->count, &listing->room, sizeof *rows);
    if (rows == NULL)
        return EI_NOMEM;
    listing->rows = rows;
    struct row *row = &listing->rows[listing->count];
    row->key = strdup(key);
    if (row->key == NULL)
        return EI_NOMEM;
    memcpy(row->id, c->id, sizeof row->id);
    listing->count++;
    return EI_OK;
}

static enum ei_err visit_for_list(void *context, const struct ei_collaborator *c)
{
    struct listing *listing = context;
    enum ei_err rc = EI_OK;

    for (size_t i = 0; i < c->account_count && rc == EI_OK; i++) {
        const struct ei_account *account = &c->accounts[i];
        if (strcmp(account->host, listing->worker->host) == 0 &&
            wanted_state(listing->states, c, ei_state_of(c, account)))
            rc = add_row(listing, c, "", account->login);
    }
    /* What is kept of people whose accounts are gone is history: shown only to who asks for `removed`. */
    bool history = c->job.step == EI_STEP_IDLE && cJSON_GetArraySize(listing->states) == 0;
    if (c->account_count == 0 && c->address_count != 0 && !history &&
        wanted_state(listing->states, c, ei_state_of(c, NULL)))
        rc = add_row(listing, c, "~", c->addresses[0]);
    return rc;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static size_t bytes_of(const struct ei_collaborator *c)
{
    size_t bytes = ACCOUNT_BYTES + strlen(c->error.message) + (c->redeem_url != NULL ? strlen(c->redeem_url) : 0);

    /* Line breaks of a message become two characters. */
    bytes += c->invitation_sent != NULL ? 2 * strlen(c->invitation_sent) : 0;
    bytes += c->job.overrides != NULL ? 2 * strlen(c->job.overrides) : 0;
    for (size_t i = 0; i < c->membership_count; i++)
        bytes += GROUP_BYTES + (c->memberships[i].error.code != EI_OK ? sizeof c->memberships[i].error : 0);
    return bytes;
}

static void list_reply(struct ei_worker *w, struct ei_call *call, const struct listing *listing)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON *accounts = cJSON_AddArrayToObject(reply, "accounts");
    size_t bytes = 0;
    size_t count = 0;

    for (; count < listing->count && count < LIST_MAX && bytes < LIST_BYTES_MAX; count++) {
        const struct row *row = &listing->rows[count];
        struct ei_collaborator *c = NULL;
        struct ei_error err;
        if (ei_store_get(w->store, row->id, &c, &err) != EI_OK)
            continue;
        const char *login = row->key[0] != '~' ? row->key : NULL;
        ei_json_push(accounts, ei_request_account(w, c, login != NULL ? ei_state_account(c, w->host, login) : NULL));
        bytes += bytes_of(c);
        ei_collaborator_free(c);
    }
    ei_json_add_text(reply, "next", count < listing->count ? listing->rows[count - 1].key : NULL);
    ei_call_reply(call, reply);
}

void ei_request_list(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    struct listing listing = {
        .worker = w,
        .after = ei_json_string(parameters, "after"),
        .states = ei_json_array(parameters, "states"),
    };
    struct ei_error err;
    const cJSON *item;

    cJSON_ArrayForEach(item, listing.states)
    {
        enum ei_state state;
        const char *name = cJSON_GetStringValue(item);
        if (name == NULL || !ei_state_from_name(name, &state)) {
            ei_fail(&err, EI_USAGE, "%s: no such state", name != NULL ? name : "(not a string)");
            ei_call_fail(call, &err);
            return;
        }
    }
    enum ei_err rc = ei_store_each(w->store, visit_for_list, &listing, &err);
    if (rc == EI_OK) {
        if (listing.count != 0)
            qsort(listing.rows, listing.count, sizeof *listing.rows, by_key);
        list_reply(w, call, &listing);
    } else {
        if (rc == EI_NOMEM)
            ei_fail(&err, rc, "no memory for the list");
        ei_call_fail(call, &err);
    }
    for (size_t i = 0; i < listing.count; i++)
        free(listing.rows[i].key);
    free(listing.rows);
}

/* --- Status --- */

void ei_request_trouble(const struct ei_worker *w, struct ei_error *ret)
{
    *ret = w->trouble;
    if (ret->code == EI_OK && w->reads_denied_at != 0)
        ei_fail(ret, EI_NOT_SEEN, "the app may not read users: invitations go out, but the gate cannot open");
}

static void add_notes(const struct ei_worker *w, cJSON *reply)
{
    cJSON *notes = cJSON_AddArrayToObject(reply, "notes");
    char line[1024];

    for (size_t i = 0; i < w->report.problem_count; i++) {
        struct ei_error err;
        ei_group_problem_error(&w->report.problems[i], &err);
        snprintf(line, sizeof line, "%s - %s", err.message, ei_err_mend(err.code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
    if (w->report.held_back) {
        snprintf(line, sizeof line, "%s - %s", w->report.removals.message, ei_err_mend(EI_MASS_REMOVAL));
        ei_json_push(notes, cJSON_CreateString(line));
    }
    ei_groups_notes(w, notes);
    ei_carrier_notes(w, notes);
    if (w->counts[EI_STATE_HELD] != 0) {
        snprintf(line, sizeof line, "%llu held: look at them with 'entra-invite list --state held', then adopt",
                 (unsigned long long)w->counts[EI_STATE_HELD]);
        ei_json_push(notes, cJSON_CreateString(line));
    }
    if (ei_login_lacks(w, line, sizeof line))
        ei_json_push(notes, cJSON_CreateString(line));
    if (w->config_error.code != EI_OK) {
        snprintf(line, sizeof line, "the configuration on disk is not in force: %s - %s", w->config_error.message,
                 ei_err_mend(w->config_error.code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
    if (w->store_error.code != EI_OK) {
        snprintf(line, sizeof line, "the store failed: %s - %s", w->store_error.message,
                 ei_err_mend(w->store_error.code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
    if (w->view_error.code != EI_OK) {
        snprintf(line, sizeof line, "the view cannot be published: %s - %s", w->view_error.message,
                 ei_err_mend(w->view_error.code));
        ei_json_push(notes, cJSON_CreateString(line));
    }
}

void ei_request_status(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    char text[512];
    struct ei_error trouble;
    cJSON *reply = cJSON_CreateObject();

    (void)parameters;
    ei_publish_status_text(w, text, sizeof text);
    ei_request_trouble(w, &trouble);
    ei_json_add_text(reply, "status", text);
    ei_json_add_text(reply, "tenant", w->config->tenant);
    ei_json_add_item(reply, "blocked", ei_request_error(&w->blocked, false));
    ei_json_add_item(reply, "trouble", ei_request_error(&trouble, false));
    ei_json_add_item(reply, "doubt", ei_request_error(&w->report.doubt, false));
    ei_json_add_time(reply, "holdUntil", ei_graph_hold_until(w->graph) > ei_now() ? ei_graph_hold_until(w->graph) : 0);
    cJSON_AddBoolToObject(reply, "mailHeld", w->mail_held);
    ei_login_add_status(w, reply);
    ei_json_add_time(reply, "credentialExpiresAt", ei_credential_expires(w->credential));
    ei_json_add_time(reply, "lastRefresh", w->answered_at != 0 ? w->last_refresh : 0);
    cJSON *counts = cJSON_AddObjectToObject(reply, "counts");
    for (int state = EI_STATE_WAITING; state < EI_STATES; state++)
        cJSON_AddNumberToObject(counts, ei_state_name((enum ei_state)state), (double)w->counts[state]);
    ei_json_add_item(reply, "redemption", ei_refresh_status(w));
    add_notes(w, reply);
    ei_call_reply(call, reply);
}

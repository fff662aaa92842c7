/* Invite: for an account or an address, with the settings of one person; and its --dry-run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/history.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/redemption.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/settings.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tenant.h"

struct ei_dry_run {
    struct ei_dry_run *next;
    struct ei_worker *worker;
    struct ei_call *call; /* NULL: its peer went away */
    struct ei_collaborator *collaborator;
    char *login;
};

/* Settings of this request go onto the collaborator; without any (NULL), what an earlier request set stays. */
static enum ei_err set_overrides(struct ei_collaborator *c, const char *overrides, struct ei_error *err)
{
    if (overrides != NULL && !ei_text_set(&c->job.overrides, overrides))
        return ei_fail(err, EI_NOMEM, "no memory for the settings");
    return EI_OK;
}

static enum ei_err apply(struct ei_worker *w, struct ei_collaborator *c, const cJSON *parameters, struct ei_error *err)
{
    char *overrides = NULL;
    enum ei_err rc = ei_request_settings(w, parameters, &overrides, err);

    if (rc == EI_OK)
        rc = set_overrides(c, overrides, err);
    free(overrides);
    return rc;
}

/* An invitation without an account is kept under its rule, "" for the default block. */
static const char *job_rule(const cJSON *parameters)
{
    const char *rule = ei_json_string(parameters, "rule");

    return rule != NULL ? rule : "";
}

static void reply_invite(struct ei_worker *w, struct ei_call *call, const struct ei_collaborator *c, const char *login,
                         bool already, cJSON *body)
{
    cJSON *reply = ei_request_account_reply(w, c, login);

    cJSON_AddBoolToObject(reply, "alreadyGuest", already);
    ei_json_add_item(reply, "body", body != NULL ? body : cJSON_CreateNull());
    ei_call_reply(call, reply);
}

/* --- --dry-run: checks, looks up, tells the body; writes nothing --- */

static void end_dry_run(struct ei_dry_run *dry)
{
    for (struct ei_dry_run **at = &dry->worker->dry_runs; *at != NULL; at = &(*at)->next) {
        if (*at == dry) {
            *at = dry->next;
            break;
        }
    }
    ei_collaborator_free(dry->collaborator);
    free(dry->login);
    free(dry);
}

void ei_request_dry_run_gone(struct ei_worker *w, struct ei_call *call)
{
    for (struct ei_dry_run *dry = w->dry_runs; dry != NULL; dry = dry->next)
        if (dry->call == call)
            dry->call = NULL;
}

static void tell_dry_run(struct ei_dry_run *dry, bool already)
{
    struct ei_settings settings;
    struct ei_error err = {0};

    if (ei_settings_resolve(dry->worker->config, dry->collaborator, &settings, &err) != EI_OK) {
        ei_call_fail(dry->call, &err);
        return;
    }
    settings.invite.send_invitation_message = settings.channel == EI_CHANNEL_MICROSOFT;
    reply_invite(dry->worker, dry->call, dry->collaborator, dry->login, already,
                 already ? NULL : ei_graph_invite_body(&settings.invite, dry->worker->config->graph_url));
    ei_settings_clear(&settings);
}

static void on_dry_deleted(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                           size_t count)
{
    struct ei_dry_run *dry = context;
    const struct ei_graph_user *deleted = ei_answer_unknown_deleted(dry->collaborator, users, count);
    struct ei_error err = {0};

    (void)result; /* refused: then a deleted guest would be invited as a new one */
    if (dry->call != NULL && deleted != NULL) {
        ei_fail(&err, EI_GUEST_DELETED, "%s: the guest %s is among the tenant's deleted users",
                dry->collaborator->addresses[0], deleted->id);
        ei_call_fail(dry->call, &err);
    } else if (dry->call != NULL) {
        tell_dry_run(dry, false);
    }
    end_dry_run(dry);
}

static void on_dry_lookup(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                          size_t count)
{
    struct ei_dry_run *dry = context;
    struct ei_error err = {0};
    bool already = false;

    if (dry->call == NULL)
        goto out;
    if (result->outcome == EI_GRAPH_DONE && count == 0 &&
        ei_graph_find_deleted(dry->worker->graph, dry->collaborator->addresses[0], NULL, on_dry_deleted, dry) == EI_OK)
        return;
    if (result->outcome != EI_GRAPH_DONE && result->error.code != EI_PERMISSION) {
        ei_call_fail(dry->call, &result->error);
        goto out;
    }
    if (result->outcome == EI_GRAPH_DONE && count > 1) {
        ei_fail(&err, EI_AMBIGUOUS_USERS, "%s: %zu users of the tenant have this address",
                dry->collaborator->addresses[0], count);
    } else if (result->outcome == EI_GRAPH_DONE && count == 1) {
        enum ei_redemption verdict = ei_redemption_judge(&users[0], &err);
        already = verdict == EI_REDEMPTION_ACCEPTED;
        if (verdict != EI_REDEMPTION_FAILED)
            ei_error_clear(&err);
    }
    if (err.code != EI_OK)
        ei_call_fail(dry->call, &err);
    else
        tell_dry_run(dry, already);
out:
    end_dry_run(dry);
}

/* Takes c over. */
static enum ei_err start_dry_run(struct ei_worker *w, struct ei_call *call, struct ei_collaborator *c,
                                 const char *login, struct ei_error *err)
{
    struct ei_settings settings;
    char crid[EI_GUID_TEXT];
    struct ei_dry_run *dry = NULL;
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, err);

    ei_settings_clear(&settings);
    if (rc == EI_OK && ei_tenant_owns(w, c->addresses[0]))
        rc = ei_fail(err, EI_VERIFIED_DOMAIN, "%s: its domain is a verified domain of the tenant", c->addresses[0]);
    if (rc == EI_OK && w->blocked.code != EI_OK) {
        *err = w->blocked;
        rc = err->code;
    }
    if (rc == EI_OK) {
        dry = calloc(1, sizeof *dry);
        rc = dry != NULL ? EI_OK : ei_fail(err, EI_NOMEM, "no memory");
    }
    if (rc != EI_OK) {
        ei_collaborator_free(c);
        return rc;
    }
    *dry = (struct ei_dry_run){.next = w->dry_runs, .worker = w, .call = call, .collaborator = c};
    dry->login = login != NULL ? strdup(login) : NULL;
    w->dry_runs = dry;
    ei_guid_new(crid);
    rc = ei_graph_find_users(w->graph, c->addresses[0], crid, on_dry_lookup, dry);
    if (rc != EI_OK) {
        ei_fail(err, rc, "%s: the look-up could not be started", c->addresses[0]);
        end_dry_run(dry);
    }
    return rc;
}

/* --- an account --- */

static enum ei_err invite_account(struct ei_worker *w, const struct ei_entry *entry, bool first_trusted,
                                  struct ei_invitee *invitee, struct ei_error *err)
{
    struct ei_asker asker = ei_request_asker(invitee->parameters);
    struct ei_reconcile_answer answer;
    struct ei_collaborator *c = NULL;
    char *overrides = NULL;

    /* First, so that a request that is refused undoes no tombstone and lifts no hold. */
    enum ei_err rc = ei_request_settings(w, invitee->parameters, &overrides, err);
    if (rc == EI_OK)
        rc = ei_reconcile_login(&w->reconcile, entry, first_trusted, &asker, EI_ASKED_INVITE, &answer, err);
    if (rc == EI_OK)
        rc = ei_store_get(w->store, answer.id, &c, err);
    if (rc != EI_OK)
        goto out;
    w->dirty |= answer.changed;
    bool already = c->job.step == EI_STEP_ACCEPTED && !c->error_permanent;
    if (!already && !c->error_permanent)
        rc = set_overrides(c, overrides, err);
    if (rc == EI_OK && !already && c->job.step != EI_STEP_PENDING) {
        c->job.urgent = !invitee->bulk;
        rc = ei_worker_note(w, c, "asked", &(struct ei_event_facts){.login = entry->login, .by = asker.by});
        if (rc != EI_OK)
            ei_fail(err, rc, "%s: the request could not be stored", entry->login);
    }
out:
    invitee->collaborator = c;
    free(overrides);
    return rc;
}

/* The account as it would be recorded. */
static enum ei_err imagine_account(struct ei_worker *w, const struct ei_entry *entry, bool first_trusted,
                                   struct ei_invitee *invitee, struct ei_error *err)
{
    struct ei_asker asker = ei_request_asker(invitee->parameters);
    char written[EI_ADDRESS_SIZE];
    char address[EI_ADDRESS_SIZE];
    char name[EI_NAME_SIZE];
    const char *configured = ei_config_address(w->config, entry->login);

    if (configured != NULL)
        snprintf(written, sizeof written, "%s", configured);
    else if (!ei_gecos_address(entry->gecos, first_trusted, written))
        return ei_fail(err, EI_NO_ADDRESS, "%s: its GECOS field has no address", entry->login);
    enum ei_err rc = ei_address_check(written, address, err);
    if (rc != EI_OK)
        return rc;
    struct ei_collaborator *c = invitee->collaborator = ei_collaborator_new();
    ei_gecos_name(entry->gecos, name);
    if (c == NULL || !ei_collaborator_add_address(c, address) ||
        (name[0] != '\0' && !ei_text_set(&c->display_name, name)) || !ei_text_set(&c->requester, asker.login) ||
        ei_collaborator_add_account(c, w->host, entry->login, entry->uid, w->config->rules[entry->rule].name) == NULL)
        return ei_fail(err, EI_NOMEM, "no memory");
    c->accounts[0].state = EI_ACCOUNT_ACTIVE;
    c->job.step = EI_STEP_QUEUED;
    return apply(w, c, invitee->parameters, err);
}

static enum ei_err for_login(struct ei_worker *w, const struct ei_entry *entry, bool first_trusted,
                             struct ei_invitee *invitee, struct ei_error *err)
{
    if (!ei_scan_uid(&w->config->coverage, entry->uid))
        return ei_fail(err, EI_NOT_COVERED, "%s: uid %u is never a collaborator's (minimum_uid is %u)", entry->login,
                       (unsigned)entry->uid, (unsigned)w->config->coverage.minimum_uid);
    if (entry->rule < 0)
        return ei_fail(err, EI_NOT_COVERED, "%s: in no rule's group; usermod -aG %s %s", entry->login,
                       w->config->rule_count != 0 ? w->config->rules[0].group : "GROUP", entry->login);
    if (!ei_text_set(&invitee->login, entry->login))
        return ei_fail(err, EI_NOMEM, "no memory");
    return invitee->imagined ? imagine_account(w, entry, first_trusted, invitee, err)
                             : invite_account(w, entry, first_trusted, invitee, err);
}

/* --- an address --- */

static enum ei_err new_for_address(struct ei_worker *w, const char *address, struct ei_invitee *invitee,
                                   struct ei_error *err)
{
    const cJSON *parameters = invitee->parameters;
    struct ei_asker asker = ei_request_asker(parameters);
    struct ei_settings settings;
    struct ei_collaborator *c = invitee->collaborator = ei_collaborator_new();
    enum ei_err rc = EI_OK;

    if (c == NULL || !ei_collaborator_add_address(c, address) || !ei_text_set(&c->job.rule, job_rule(parameters)) ||
        !ei_text_set(&c->requested_by, asker.by) || !ei_text_set(&c->requester, asker.login))
        rc = ei_fail(err, EI_NOMEM, "no memory");
    if (rc == EI_OK)
        rc = apply(w, c, parameters, err);
    if (rc == EI_OK) {
        rc = ei_settings_resolve(w->config, c, &settings, err);
        ei_settings_clear(&settings);
    }
    if (rc != EI_OK)
        return rc;
    c->requested_at = ei_now();
    c->state_at = c->requested_at;
    c->job.step = EI_STEP_QUEUED;
    c->job.not_before = c->requested_at;
    c->job.urgent = !invitee->bulk;
    return EI_OK;
}

static enum ei_err again_for_address(struct ei_worker *w, struct ei_invitee *invitee, struct ei_error *err)
{
    struct ei_collaborator *c = invitee->collaborator;
    const cJSON *parameters = invitee->parameters;

    if ((ei_collaborator_looked_at(c) && !c->error_permanent && c->expired_at == 0) || ei_collaborator_restoring(c))
        return EI_OK;
    enum ei_err rc = apply(w, c, parameters, err);
    if (rc != EI_OK)
        return rc;
    if (c->job.rule == NULL && !ei_collaborator_wants_invitation(c) && !ei_text_set(&c->job.rule, job_rule(parameters)))
        return ei_fail(err, EI_NOMEM, "no memory");
    if (c->error_permanent || c->expired_at != 0 || c->job.step == EI_STEP_IDLE || c->job.step == EI_STEP_OFFBOARDING)
        ei_collaborator_requeue(c, ei_now(), !invitee->bulk);
    rc = ei_worker_note(w, c, "asked", &(struct ei_event_facts){.by = ei_request_asker(parameters).by});
    return rc == EI_OK ? EI_OK : ei_fail(err, rc, "%s: the request could not be stored", c->addresses[0]);
}

enum ei_err ei_request_invite_address(struct ei_worker *w, const char *written, struct ei_invitee *invitee,
                                      struct ei_error *err)
{
    char address[EI_ADDRESS_SIZE];
    enum ei_err rc = ei_address_check(written, address, err);

    if (rc != EI_OK)
        return rc;
    rc = invitee->imagined ? EI_NOT_FOUND : ei_store_by_address(w->store, address, &invitee->collaborator, err);
    if (rc == EI_OK)
        return again_for_address(w, invitee, err);
    if (rc != EI_NOT_FOUND)
        return rc;
    rc = new_for_address(w, address, invitee, err);
    if (rc == EI_OK && !invitee->imagined) {
        rc = ei_history_put(w->store, invitee->collaborator, "queued",
                            &(struct ei_event_facts){.by = invitee->collaborator->requested_by}, err);
        w->dirty = true;
    }
    return rc;
}

/* An account of another source than the local files, as the last reading recorded it. EI_NOT_FOUND: there is none. */
static enum ei_err for_recorded(struct ei_worker *w, const char *login, struct ei_invitee *invitee,
                                struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_by_account(w->store, w->host, login, &c, err);
    struct ei_account *account = rc == EI_OK ? ei_collaborator_account(c, w->host, login) : NULL;

    if (rc == EI_OK && (account == NULL || account->local))
        rc = EI_NOT_FOUND;
    if (rc == EI_OK && !ei_text_set(&invitee->login, login))
        rc = ei_fail(err, EI_NOMEM, "no memory");
    if (rc != EI_OK) {
        ei_collaborator_free(c);
        return rc;
    }
    invitee->collaborator = c;
    account->state = EI_ACCOUNT_ACTIVE;
    account->by_admin = false;
    if (invitee->imagined)
        return apply(w, c, invitee->parameters, err);
    ei_collaborator_take_up(c, ei_now(), !invitee->bulk);
    rc = again_for_address(w, invitee, err);
    w->dirty |= rc == EI_OK;
    return rc;
}

enum ei_err ei_request_invite_login(struct ei_worker *w, const char *login, struct ei_invitee *invitee,
                                    struct ei_error *err)
{
    struct ei_entry entry = {0};
    bool first_trusted = true;

    enum ei_err rc = for_recorded(w, login, invitee, err);
    if (rc != EI_NOT_FOUND || invitee->login != NULL)
        return rc;
    rc = ei_scan_login(&w->config->coverage, NULL, login, &entry, &first_trusted, err);
    if (rc == EI_OK)
        rc = for_login(w, &entry, first_trusted, invitee, err);
    ei_entry_clear(&entry);
    return rc;
}

void ei_invitee_clear(struct ei_invitee *invitee)
{
    ei_collaborator_free(invitee->collaborator);
    free(invitee->login);
    invitee->collaborator = NULL;
    invitee->login = NULL;
}

bool ei_invitee_already(const struct ei_invitee *invitee)
{
    return invitee->collaborator->job.step == EI_STEP_ACCEPTED && !invitee->collaborator->error_permanent;
}

/* --- the call --- */

static enum ei_err invite_target(struct ei_worker *w, struct ei_call *call, const char *target, const cJSON *parameters,
                                 struct ei_error *err)
{
    struct ei_invitee invitee = {.parameters = parameters, .imagined = ei_json_bool(parameters, "dryRun", false)};
    enum ei_err rc = ei_request_invite_login(w, target, &invitee, err);

    if (rc == EI_NOT_FOUND && invitee.login == NULL && strchr(target, '@') != NULL)
        rc = ei_request_invite_address(w, target, &invitee, err);
    if (rc == EI_OK && invitee.imagined) {
        rc = start_dry_run(w, call, invitee.collaborator, invitee.login, err);
        invitee.collaborator = NULL;
    } else if (rc == EI_OK) {
        reply_invite(w, call, invitee.collaborator, invitee.login, ei_invitee_already(&invitee), NULL);
    }
    ei_invitee_clear(&invitee);
    return rc;
}

void ei_request_invite(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    struct ei_error err;
    enum ei_err rc = target != NULL && target[0] != '\0' ? invite_target(w, call, target, parameters, &err)
                                                         : ei_fail(&err, EI_USAGE, "Invite: target is needed");

    if (rc != EI_OK)
        ei_call_fail(call, &err);
}

/* What the socket changes: Announce, Adopt, Resend, Remove. Every answer follows the commit (X2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/scan.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "plugin/worker/accounts.h"
#include "plugin/worker/history.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/publish.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/state.h"
#include "plugin/worker/tell.h"

enum {
    ANSWERED_LATELY = 15 * 60, /* seconds: then a hook may wait for Graph */
    ADOPT_NAMED = 500,         /* accounts in one reply, whose size is bounded */
};

/* --- Announce --- */

/* Waiting is worth while only if Graph is known to answer, so that 200 useradds during an outage do not wait 200 times.
 */
static int worth_waiting(const struct ei_worker *w, const struct ei_reconcile_answer *answer)
{
    int64_t wait_ms;

    if (!answer->covered || !answer->has_address || answer->account != EI_ACCOUNT_ACTIVE)
        return 0;
    if (answer->step == EI_STEP_IDLE || answer->step >= EI_STEP_PENDING)
        return 0;
    if (w->blocked.code != EI_OK || w->store_error.code != EI_OK || ei_now() - w->answered_at > ANSWERED_LATELY)
        return 0;
    return ei_graph_may_send(w->graph, 2, &wait_ms) ? w->config->hook_wait : 0;
}

static void reply_announced(struct ei_worker *w, struct ei_call *call, const char *login,
                            const struct ei_reconcile_answer *answer)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;
    cJSON *reply = cJSON_CreateObject();

    cJSON_AddBoolToObject(reply, "covered", answer->covered);
    if (answer->covered && ei_store_get(w->store, answer->id, &c, &err) == EI_OK)
        ei_json_add_item(reply, "account", ei_request_account(w, c, ei_state_account(c, w->host, login)));
    else
        cJSON_AddNullToObject(reply, "account");
    cJSON_AddNumberToObject(reply, "wait", worth_waiting(w, answer));
    ei_collaborator_free(c);
    ei_call_reply(call, reply);
}

/* Why nothing is sent yet, while somebody looks at the log. */
static void say_announced(struct ei_worker *w, const struct ei_reconcile_answer *answer)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;

    if ((answer->error.code == EI_OK && answer->has_address) || ei_store_get(w->store, answer->id, &c, &err) != EI_OK)
        return;
    if (answer->error.code != EI_OK)
        ei_tell_error(w, LOG_WARNING, answer->error.code == EI_NO_ADDRESS ? EI_LOG_NO_ADDRESS : EI_LOG_FAILED, c,
                      &answer->error);
    else
        ei_tell(w, LOG_NOTICE, EI_LOG_NO_ADDRESS, c, NULL, "has no address yet; it is invited once it has one - %s",
                ei_err_mend(EI_NO_ADDRESS));
    ei_collaborator_free(c);
}

/*
 * A mass that a tool announces one by one (newusers calls PAM only when all its accounts are written) may have been
 * seen, and held, by a reading in between. The word of the tool lifts that hold; the hold of accounts that were there
 * when their rule was first seen stays for `adopt`.
 */
static bool held_in_passing(struct ei_worker *w, const char *login, const struct ei_reconcile_answer *answer)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;
    char key[300];
    char *seen = NULL;
    bool passing = false;

    if (!answer->covered || answer->account != EI_ACCOUNT_HELD || ei_store_get(w->store, answer->id, &c, &err) != EI_OK)
        return false;
    const struct ei_account *account = ei_collaborator_account(c, w->host, login);
    if (account != NULL && snprintf(key, sizeof key, "rule/%s", account->rule) < (int)sizeof key &&
        ei_store_meta_get(w->store, key, &seen, &err) == EI_OK && seen != NULL) {
        int64_t first_seen = strtoll(seen, NULL, 10);
        passing = account->since > first_seen && ei_now() - account->since < EI_ANNOUNCE_SECONDS;
    }
    free(seen);
    ei_collaborator_free(c);
    return passing;
}

void ei_request_announce(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *login = ei_json_string(parameters, "login");
    struct ei_asker asker = ei_request_asker(parameters);
    struct ei_reconcile_answer answer = {0};
    struct ei_entry entry = {0};
    bool first_trusted = true;
    struct ei_error err;

    if (login == NULL || login[0] == '\0') {
        ei_fail(&err, EI_USAGE, "Announce: login is needed");
        ei_call_fail(call, &err);
        return;
    }
    EI_FAILPOINT("C2");
    enum ei_err rc = ei_scan_login(&w->config->coverage, NULL, login, &entry, &first_trusted, &err);
    if (rc == EI_NOT_FOUND) { /* userdel, or an account in another root: the files will tell */
        ei_accounts_scan_now(w);
        reply_announced(w, call, login, &answer);
        return;
    }
    if (rc == EI_OK)
        rc = ei_reconcile_login(&w->reconcile, &entry, first_trusted, &asker, EI_ASKED_LOOK, &answer, &err);
    if (rc == EI_OK && held_in_passing(w, login, &answer))
        rc = ei_reconcile_login(&w->reconcile, &entry, first_trusted, &asker, EI_ASKED_INVITE, &answer, &err);
    ei_entry_clear(&entry);
    if (rc != EI_OK) {
        ei_call_fail(call, &err);
        return;
    }
    w->dirty |= answer.changed;
    if (answer.changed && answer.covered)
        say_announced(w, &answer);
    reply_announced(w, call, login, &answer);
}

/* --- Adopt --- */

struct selection {
    const struct ei_worker *worker;
    const char *rule;
    const cJSON *logins;
    bool mail; /* select those whose mail is held instead */
    const char *by;
    char (*ids)[EI_GUID_TEXT];
    size_t count;
    size_t room;
    size_t total; /* accounts that were let go on */
};

static bool named(const cJSON *logins, const char *login)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, logins)
    {
        const char *name = cJSON_GetStringValue(item);
        if (ei_text_same(name, login))
            return true;
    }
    return false;
}

static bool adoptable(const struct selection *s, const struct ei_account *account)
{
    return account->state == EI_ACCOUNT_HELD && strcmp(account->host, s->worker->host) == 0 &&
           (s->rule != NULL ? strcmp(account->rule, s->rule) == 0 : named(s->logins, account->login));
}

static enum ei_err select_one(void *context, const struct ei_collaborator *c)
{
    struct selection *s = context;
    bool selected = s->mail && c->mail == EI_MAIL_HELD;

    for (size_t i = 0; i < c->account_count && !s->mail && !selected; i++)
        selected = adoptable(s, &c->accounts[i]);
    if (!selected)
        return EI_OK;
    void *ids = ei_array_room(s->ids, s->count, &s->room, sizeof *s->ids);
    if (ids == NULL)
        return EI_NOMEM;
    s->ids = ids;
    memcpy(s->ids[s->count++], c->id, EI_GUID_TEXT);
    return EI_OK;
}

static void go_on(struct ei_worker *w, const struct selection *s, struct ei_collaborator *c)
{
    if (s->mail) {
        /* By the usual way, which looks first whether it was redeemed meanwhile. */
        c->mail = EI_MAIL_NONE;
        if (c->job.step == EI_STEP_PENDING && !c->error_permanent && ei_collaborator_wants_invitation(c))
            ei_collaborator_requeue(c, ei_now(), false);
    } else if (c->address_count != 0) {
        c->state_at = ei_now();
        ei_collaborator_take_up(c, ei_now(), true);
        /* A look-up of the held one that is still to come must not end it in IDLE. */
        if (c->job.step == EI_STEP_CHECKING && !ei_machine_in_flight(w, c->id))
            ei_collaborator_requeue(c, ei_now(), true);
    }
}

static enum ei_err adopt_one(struct ei_worker *w, struct selection *s, struct ei_collaborator *c, bool dry,
                             cJSON *accounts)
{
    struct ei_collaborator *before = ei_collaborator_copy(c);

    if (before == NULL)
        return EI_NOMEM;
    for (size_t i = 0; i < c->account_count && !s->mail && !dry; i++)
        if (adoptable(s, &c->accounts[i]))
            c->accounts[i].state = EI_ACCOUNT_ACTIVE;
    if (!dry)
        go_on(w, s, c);
    for (size_t i = 0; i < c->account_count && !s->mail; i++)
        if (adoptable(s, &before->accounts[i]) && s->total++ < ADOPT_NAMED)
            ei_json_push(accounts, ei_request_account(w, c, &c->accounts[i]));
    ei_collaborator_free(before);
    return dry ? EI_OK
               : ei_worker_note(w, c, s->mail ? "mail-released" : "adopted", &(struct ei_event_facts){.by = s->by});
}

static enum ei_err adopt_all(struct ei_worker *w, struct selection *s, bool dry, cJSON *accounts, struct ei_error *err)
{
    enum ei_err rc = ei_store_each(w->store, select_one, s, err);

    if (rc == EI_OK)
        rc = ei_store_batch_begin(w->store, err);
    if (rc != EI_OK)
        return rc;
    for (size_t i = 0; i < s->count && rc == EI_OK; i++) {
        struct ei_collaborator *c = NULL;
        rc = ei_store_get(w->store, s->ids[i], &c, err);
        if (rc == EI_OK)
            rc = adopt_one(w, s, c, dry, accounts);
        if (rc != EI_OK && rc != EI_NOT_FOUND)
            ei_fail(err, rc, "adopt: the store refused a change");
        ei_collaborator_free(c);
    }
    if (rc != EI_OK) {
        ei_store_batch_abandon(w->store);
        return rc;
    }
    return ei_store_batch_end(w->store, err);
}

void ei_request_adopt(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    struct selection s = {
        .worker = w,
        .rule = ei_json_string(parameters, "rule"),
        .logins = ei_json_array(parameters, "logins"),
        .by = ei_request_asker(parameters).by,
    };
    bool dry = ei_json_bool(parameters, "dryRun", false);
    cJSON *reply = cJSON_CreateObject();
    cJSON *accounts = cJSON_AddArrayToObject(reply, "accounts");
    struct ei_error err;
    enum ei_err rc = EI_OK;

    s.mail = s.rule == NULL && s.logins == NULL;
    if (s.rule != NULL && ei_config_rule(w->config, s.rule) == NULL)
        rc = ei_fail(&err, EI_NOT_FOUND, "%s: the configuration has no such rule", s.rule);
    if (rc == EI_OK && s.mail && !dry)
        rc = ei_publish_lift_mail_hold(w, &err);
    if (rc == EI_OK)
        rc = adopt_all(w, &s, dry, accounts, &err);
    free(s.ids);
    if (rc == EI_OK) {
        w->dirty = true;
        cJSON_AddNumberToObject(reply, "total", (double)s.total);
        ei_call_reply(call, reply);
    } else {
        cJSON_Delete(reply);
        ei_call_fail(call, &err);
    }
}

/* --- Resend --- */

static enum ei_err resend(struct ei_worker *w, struct ei_collaborator *c, const char *target, const char *by,
                          struct ei_error *err)
{
    if (c->job.step == EI_STEP_ACCEPTED)
        return ei_fail(err, EI_STATE, "%s: is a guest already, there is nothing to send", target);
    if (c->error_permanent)
        return ei_fail(err, c->error.code, "%s", c->error.message);
    if (c->job.step != EI_STEP_PENDING)
        return ei_fail(err, c->job.step == EI_STEP_IDLE ? EI_STATE : EI_BUSY, "%s: no invitation is pending (it is %s)",
                       target, ei_state_name(ei_state_of(c, NULL)));
    /* Another round, so another right to mail; looked up first, because the partner may have redeemed meanwhile. */
    c->mail_round++;
    c->mail = EI_MAIL_NONE;
    c->linked = false;
    ei_error_clear(&c->error);
    ei_collaborator_requeue(c, ei_now(), true);
    enum ei_err rc = ei_worker_note(w, c, "resend", &(struct ei_event_facts){.by = by});
    return rc == EI_OK ? EI_OK : ei_fail(err, rc, "%s: the request could not be stored", target);
}

void ei_request_resend(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    struct ei_error err;
    enum ei_err rc = target != NULL ? ei_request_find(w, target, &c, &login, &err)
                                    : ei_fail(&err, EI_USAGE, "Resend: target is needed");

    if (rc == EI_OK)
        rc = resend(w, c, target, ei_request_asker(parameters).by, &err);
    if (rc == EI_OK)
        ei_call_reply(call, ei_request_account_reply(w, c, login));
    else
        ei_call_fail(call, &err);
    ei_collaborator_free(c);
}

/* --- Remove --- */

static bool removal_from_name(const char *name, enum ei_removal *ret)
{
    static const char *const names[] = {"keep", "disable", "delete"};

    *ret = EI_REMOVAL_KEEP;
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum ei_removal)i;
            return true;
        }
    }
    return name == NULL;
}

/* The record may go only if the next reading would not bring it back as somebody new. */
static enum ei_err forget(struct ei_worker *w, struct ei_collaborator *c, const char *target, enum ei_removal removal,
                          struct ei_error *err)
{
    if (c->job.step >= EI_STEP_CREATING && c->job.step <= EI_STEP_MAILING)
        return ei_fail(err, EI_BUSY, "%s: an invitation is on its way", target);
    if (removal != EI_REMOVAL_KEEP && c->guest_id != NULL)
        return ei_fail(err, EI_STATE, "%s: first remove it with --disable or --delete, then --forget it", target);
    for (size_t i = 0; i < c->account_count; i++) {
        struct ei_entry entry = {0};
        bool trusted;
        if (strcmp(c->accounts[i].host, w->host) != 0)
            return ei_fail(err, EI_STATE, "%s: another host has an account of this person", target);
        enum ei_err rc = ei_scan_login(&w->config->coverage, NULL, c->accounts[i].login, &entry, &trusted, NULL);
        bool covered = rc == EI_OK && entry.rule >= 0;
        ei_entry_clear(&entry);
        if (covered)
            return ei_fail(err, EI_STATE,
                           "%s: %s is still in a rule's group and would be found anew; take it out first", target,
                           c->accounts[i].login);
    }
    return ei_store_delete(w->store, c, err);
}

static cJSON *nothing_left(void)
{
    cJSON *reply = cJSON_CreateObject();

    cJSON_AddNullToObject(reply, "account");
    return reply;
}

static enum ei_err remove_target(struct ei_worker *w, struct ei_call *call, const char *target, const cJSON *parameters,
                                 struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    const char *login = NULL;
    enum ei_removal removal;
    bool forgetting = ei_json_bool(parameters, "forget", false);

    if (!removal_from_name(ei_json_string(parameters, "action"), &removal))
        return ei_fail(err, EI_USAGE, "Remove: action is keep, disable or delete");
    enum ei_err rc = ei_request_find(w, target, &c, &login, err);
    if (rc == EI_OK && ei_collaborator_restoring(c) && ei_machine_in_flight(w, c->id))
        rc = ei_fail(err, EI_BUSY, "%s: the guest is just being restored", target);
    if (rc != EI_OK) {
        ei_collaborator_free(c);
        return rc;
    }
    ei_collaborator_bury(c, w->host, login);
    c->expired_at = 0;
    c->state_at = ei_now();
    ei_collaborator_let_go(c, removal, ei_now());
    if (forgetting) {
        rc = forget(w, c, target, removal, err);
    } else {
        rc = ei_worker_note(w, c, "removed",
                            &(struct ei_event_facts){.login = login,
                                                     .by = ei_request_asker(parameters).by,
                                                     .about = ei_json_string(parameters, "action")});
        if (rc != EI_OK)
            ei_fail(err, rc, "%s: the removal could not be stored", target);
    }
    if (rc == EI_OK) {
        w->dirty = true;
        ei_call_reply(call, forgetting ? nothing_left() : ei_request_account_reply(w, c, login));
    }
    ei_collaborator_free(c);
    return rc;
}

void ei_request_remove(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    const char *target = ei_json_string(parameters, "target");
    struct ei_error err;

    if (target != NULL) {
        if (remove_target(w, call, target, parameters, &err) != EI_OK)
            ei_call_fail(call, &err);
    } else if (ei_json_bool(parameters, "confirm", false) && w->report.held_back) {
        w->reconcile.confirm_removal = true;
        ei_accounts_scan_now(w);
        ei_call_reply(call, nothing_left());
    } else if (ei_json_bool(parameters, "confirm", false)) {
        ei_fail(&err, EI_STATE, "Remove: no removal is held back");
        ei_call_fail(call, &err);
    } else {
        ei_fail(&err, EI_USAGE, "Remove: target is needed");
        ei_call_fail(call, &err);
    }
}

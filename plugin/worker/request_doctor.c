/* Doctor: what only the worker can tell of its health, of the way to Microsoft, and of what the token allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/graph/sign_in.h"
#include "common/ipc/finding.h"
#include "plugin/worker/login.h"
#include "plugin/worker/permissions.h"
#include "plugin/worker/requests.h"
#include "plugin/worker/state.h"

enum {
    SKEW_WARNING = 60,                  /* seconds */
    SKEW_FAILED = 5 * 60,               /* an assertion lives so long (contract 1.2) */
    SERVER_EXPIRY = 14 * 24 * 60 * 60,  /* seconds; they are renewed weeks before */
    EXPIRY_WARNING = 30 * 24 * 60 * 60, /* seconds */
};

/* Three questions to Microsoft, side by side. */
struct ei_checkup {
    struct ei_checkup *next;
    struct ei_worker *worker;
    struct ei_call *call; /* NULL: the caller is gone */
    cJSON *findings;
    int pending;
};

/* --- what the worker knows anyway --- */

static void add_held(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check held = {"worker", "held"};
    static const struct ei_check mail = {"worker", "mail-held"};
    unsigned long long count = w->counts[EI_STATE_HELD];

    if (count != 0)
        ei_finding_add(findings, held, EI_FINDING_WARNING, "entra-invite list --state held, then entra-invite adopt",
                       "%llu account%s found in a mass and held", count, count == 1 ? " was" : "s were");
    else
        ei_finding_add(findings, held, EI_FINDING_OK, NULL, "no account is held");
    if (w->mail_held)
        ei_finding_add(findings, mail, EI_FINDING_WARNING,
                       "if this host is the only one of its kind: entra-invite adopt",
                       "mail is held: this host was cloned or restored from an image");
}

/* Messages of our own: what the last one met with. */
static void add_delivery(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check check = {"worker", "delivery"};

    for (enum ei_channel channel = 0; channel < EI_CHANNELS; channel++) {
        if (!ei_channel_is_own(channel) || ei_channel_configured(w->config, channel, NULL) != EI_OK)
            continue;
        if (w->channels[channel].error.code != EI_OK)
            ei_finding_add_error(findings, check, EI_FINDING_FAILED, &w->channels[channel].error);
        else
            ei_finding_add(findings, check, EI_FINDING_OK, NULL, "nothing keeps messages from going out by %s",
                           ei_channel_name(channel));
    }
}

/* Whether the records and the files agree with what is configured. */
static void add_accounts(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check accounts = {"worker", "accounts"};
    static const struct ei_check config = {"worker", "configuration-in-force"};
    static const struct ei_check store = {"worker", "store"};
    static const struct ei_check view = {"worker", "view-published"};

    if (w->report.doubt.code != EI_OK)
        ei_finding_add_error(findings, accounts, EI_FINDING_WARNING, &w->report.doubt);
    else if (w->report.held_back)
        ei_finding_add_error(findings, accounts, EI_FINDING_WARNING, &w->report.removals);
    else
        ei_finding_add(findings, accounts, EI_FINDING_OK, NULL, "the account files are read without doubt");
    if (w->config_error.code != EI_OK)
        ei_finding_add_error(findings, config, EI_FINDING_FAILED, &w->config_error);
    if (w->store_error.code != EI_OK)
        ei_finding_add_error(findings, store, EI_FINDING_FAILED, &w->store_error);
    else
        ei_finding_add(findings, store, EI_FINDING_OK, NULL, "the records can be written");
    if (w->view_error.code != EI_OK)
        ei_finding_add_error(findings, view, EI_FINDING_FAILED, &w->view_error);
}

static void add_work(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check work = {"worker", "work"};
    static const struct ei_check throttled = {"worker", "throttled"};
    int64_t until = ei_graph_hold_until(w->graph);
    struct ei_error trouble;
    char text[EI_TIME_TEXT];

    ei_request_trouble(w, &trouble);
    if (w->blocked.code != EI_OK)
        ei_finding_add_error(findings, work, EI_FINDING_FAILED, &w->blocked);
    else if (trouble.code != EI_OK)
        ei_finding_add_error(findings, work, EI_FINDING_WARNING, &trouble);
    else
        ei_finding_add(findings, work, EI_FINDING_OK, NULL, "nothing blocks the work");
    if (until > ei_now()) {
        ei_time_format(until, text);
        ei_finding_add(findings, throttled, EI_FINDING_WARNING, ei_err_mend(EI_THROTTLED),
                       "Microsoft Graph asked to wait until %s", text);
    }
}

static void add_expiry(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check check = {"credential", "credential-expiry"};
    static const char renew[] = "make and register a new one in time; both may be valid side by side";
    int64_t end = ei_credential_expires(w->credential);
    int64_t left = end - ei_now();
    char text[EI_TIME_TEXT];

    ei_time_format(end, text);
    if (end == 0)
        ei_finding_add(findings, check, EI_FINDING_SKIPPED, NULL,
                       "this kind of credential does not tell when it ends; look in Entra, Certificates & secrets");
    else if (left <= 0)
        ei_finding_add(findings, check, EI_FINDING_FAILED, renew, "the credential ended at %s", text);
    else if (left < EXPIRY_WARNING)
        ei_finding_add(findings, check, EI_FINDING_WARNING, renew, "the credential ends at %s, in %lld days", text,
                       (long long)(left / (24 * 60 * 60)));
    else
        ei_finding_add(findings, check, EI_FINDING_OK, NULL, "the credential is good until %s", text);
}

static void add_sign_in(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check check = {"credential", "sign-in"};
    struct ei_sign_in sign_in;
    char signed_in[EI_TIME_TEXT];
    char renewed[EI_TIME_TEXT];
    char line[256];

    if (!ei_credential_sign_in(w->credential, &sign_in)) {
        ei_finding_add(findings, check, EI_FINDING_FAILED, ei_err_mend(EI_SIGN_IN_NEEDED), "nobody is signed in");
        return;
    }
    if (ei_login_lacks(w, line, sizeof line))
        ei_finding_add(findings, check, EI_FINDING_WARNING, ei_err_mend(EI_SIGN_IN_NEEDED), "%s", line);
    ei_time_format(sign_in.signed_in_at, signed_in);
    ei_time_format(sign_in.renewed_at, renewed);
    ei_finding_add(findings, check, EI_FINDING_OK, NULL, "%s signed in at %s; last renewed at %s", sign_in.person.name,
                   signed_in, renewed);
}

static void add_ca_file(const struct ei_worker *w, cJSON *findings)
{
    static const struct ei_check check = {"network", "ca-file"};
    static const char renew[] = "put the CA's new certificate into ca_file, then start entra-invited again";
    const char *path = w->config->ca_file;
    int64_t end = path != NULL ? ei_graph_ca_ends(path) : 0;
    char text[EI_TIME_TEXT];

    ei_time_format(end, text);
    if (path == NULL)
        return;
    if (end == 0)
        ei_finding_add(findings, check, EI_FINDING_FAILED, renew, "%s: no certificate can be read from it", path);
    else if (end - ei_now() < EXPIRY_WARNING)
        ei_finding_add(findings, check, end <= ei_now() ? EI_FINDING_FAILED : EI_FINDING_WARNING, renew,
                       "%s: its last certificate ends at %s", path, text);
    else
        ei_finding_add(findings, check, EI_FINDING_OK, NULL, "%s is good until %s", path, text);
}

/* --- what is asked --- */

static void end_checkup(struct ei_checkup *checkup)
{
    for (struct ei_checkup **at = &checkup->worker->checkups; *at != NULL; at = &(*at)->next) {
        if (*at == checkup) {
            *at = checkup->next;
            break;
        }
    }
    cJSON_Delete(checkup->findings);
    free(checkup);
}

static void one_ended(struct ei_checkup *checkup)
{
    if (--checkup->pending > 0)
        return;
    if (checkup->call != NULL) {
        cJSON *reply = cJSON_CreateObject();
        ei_json_add_item(reply, "findings", checkup->findings);
        checkup->findings = NULL;
        ei_call_reply(checkup->call, reply);
    }
    end_checkup(checkup);
}

static void add_skew(cJSON *findings, const char *name, const char *who, const struct ei_graph_result *result)
{
    const struct ei_check check = {"network", name};
    long long off = result->skew < 0 ? -result->skew : result->skew;
    enum ei_finding_status status = off >= SKEW_FAILED    ? EI_FINDING_FAILED
                                    : off >= SKEW_WARNING ? EI_FINDING_WARNING
                                                          : EI_FINDING_OK;

    if (!result->has_skew)
        return;
    if (status == EI_FINDING_OK)
        ei_finding_add(findings, check, status, NULL, "the clock agrees with that of %s", who);
    else
        ei_finding_add(findings, check, status, "set the clock (timedatectl set-ntp true)",
                       "the clock is %lld s %s that of %s", off, result->skew > 0 ? "ahead of" : "behind", who);
}

static void add_root(struct ei_checkup *checkup, const char *name, const char *root,
                     const struct ei_graph_result *result)
{
    const struct ei_check check = {"network", name};
    int64_t end = result->certificate_ends;
    char text[EI_TIME_TEXT];

    ei_time_format(end, text);
    if (result->outcome != EI_GRAPH_DONE)
        ei_finding_add_error(checkup->findings, check, EI_FINDING_FAILED, &result->error);
    else if (end != 0 && end - ei_now() < SERVER_EXPIRY)
        ei_finding_add(checkup->findings, check, EI_FINDING_WARNING,
                       "tell whoever runs that server, or the proxy that inspects what goes there",
                       "%s is reached; its certificate ends at %s", root, text);
    else
        ei_finding_add(checkup->findings, check, EI_FINDING_OK, NULL, "%s is reached, and its certificate trusted",
                       root);
}

static void on_login(void *context, const struct ei_graph_result *result)
{
    struct ei_checkup *checkup = context;

    add_root(checkup, "login", checkup->worker->config->login_url, result);
    add_skew(checkup->findings, "clock-login", "the login service", result);
    one_ended(checkup);
}

static void on_graph(void *context, const struct ei_graph_result *result)
{
    struct ei_checkup *checkup = context;

    add_root(checkup, "graph", checkup->worker->config->graph_url, result);
    add_skew(checkup->findings, "clock-graph", "Microsoft Graph", result);
    one_ended(checkup);
}

static void add_policy(cJSON *findings, const struct ei_graph_result *result, const char *value)
{
    static const struct ei_check check = {"permissions", "invite-policy"};

    if (result->error.code == EI_PERMISSION)
        ei_finding_add(findings, check, EI_FINDING_SKIPPED,
                       "to let doctor look: add the permission Policy.Read.All; nothing else needs it",
                       "whom the tenant lets invite guests (allowInvitesFrom) may not be read");
    else if (result->outcome != EI_GRAPH_DONE)
        ei_finding_add(findings, check, EI_FINDING_SKIPPED, NULL,
                       "whom the tenant lets invite guests (allowInvitesFrom) cannot be read: %s",
                       result->error.message);
    else if (strcmp(value, "none") == 0)
        ei_finding_add(findings, check, EI_FINDING_FAILED, ei_err_mend(EI_INVITATIONS_OFF),
                       "the tenant lets nobody invite guests (allowInvitesFrom is none)");
    else
        ei_finding_add(findings, check, EI_FINDING_OK, NULL, "the tenant allows invitations (allowInvitesFrom is %s)",
                       value);
}

/* An answer of Graph, whatever it says, needed a token; a token that Graph does not take is none. */
static void on_policy(void *context, const struct ei_graph_result *result, const char *value)
{
    static const struct ei_check check = {"credential", "token"};
    static const struct ei_check permissions = {"permissions", "permission-list"};
    struct ei_checkup *checkup = context;
    enum ei_err code = result->error.code;
    bool has_token = result->outcome == EI_GRAPH_DONE || (result->status != 0 && result->outcome != EI_GRAPH_NOT_SENT &&
                                                          code != EI_UNAUTHORIZED && code != EI_CONDITIONAL_ACCESS);
    bool delegated = false;
    cJSON *names = NULL;

    if (has_token) {
        names = ei_graph_token_permissions(checkup->worker->graph, &delegated);
        ei_finding_add(checkup->findings, check, EI_FINDING_OK, NULL, "the login service gives a token");
    } else if (code == EI_THROTTLED) {
        ei_finding_add_error(checkup->findings, check, EI_FINDING_SKIPPED, &result->error);
    } else {
        ei_finding_add_error(checkup->findings, check, EI_FINDING_FAILED, &result->error);
    }
    if (has_token)
        ei_permissions_judge(checkup->worker->config, names, delegated, checkup->findings);
    else
        ei_finding_add(checkup->findings, permissions, EI_FINDING_SKIPPED, NULL, "there is no token to tell them");
    add_policy(checkup->findings, result, value);
    cJSON_Delete(names);
    one_ended(checkup);
}

void ei_request_doctor_gone(struct ei_worker *w, struct ei_call *call)
{
    for (struct ei_checkup *checkup = w->checkups; checkup != NULL; checkup = checkup->next)
        if (checkup->call == call)
            checkup->call = NULL;
}

void ei_request_doctor(struct ei_worker *w, struct ei_call *call, const cJSON *parameters)
{
    struct ei_checkup *checkup = calloc(1, sizeof *checkup);
    cJSON *findings = cJSON_CreateArray();
    struct ei_error err;

    (void)parameters;
    if (checkup == NULL || findings == NULL) {
        free(checkup);
        cJSON_Delete(findings);
        ei_fail(&err, EI_NOMEM, "no memory for a check-up");
        ei_call_fail(call, &err);
        return;
    }
    *checkup = (struct ei_checkup){.next = w->checkups, .worker = w, .call = call, .findings = findings, .pending = 1};
    w->checkups = checkup;
    add_work(w, findings);
    add_accounts(w, findings);
    add_delivery(w, findings);
    add_held(w, findings);
    if (w->config->credential.type == EI_CREDENTIAL_DEVICE_CODE)
        add_sign_in(w, findings);
    else
        add_expiry(w, findings);
    add_ca_file(w, findings);
    checkup->pending += ei_graph_reach_login(w->graph, on_login, checkup) == EI_OK;
    checkup->pending += ei_graph_reach(w->graph, on_graph, checkup) == EI_OK;
    checkup->pending += ei_graph_invite_policy(w->graph, on_policy, checkup) == EI_OK;
    one_ended(checkup);
}

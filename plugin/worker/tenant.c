#include "plugin/worker/tenant.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/account/address.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/credential.h"

enum {
    DOMAINS_KEEP_MS = 60 * 60 * 1000, /* also how long the pre-check is off after a 403 (design, Permissions) */
    TENANT_AGAIN_MS = 30 * 1000,      /* the first time; then twice as long each time */
    TROUBLE_SAY_MS = 30 * 1000,       /* so long without an answer is no hiccup any more */
};

static const char meta_tenant[] = "tenant";

/* --- what blocks --- */

static void block(struct ei_worker *w, const struct ei_error *err, bool inviting)
{
    bool news = w->blocked.code != err->code;
    int64_t now = ei_monotonic_ms();

    w->blocked = *err;
    w->blocked_inviting = inviting;
    if (news || now >= w->probe_at_ms)
        w->probe_at_ms = now + EI_PROBE_MS;
    if (news) {
        ei_log_error_event(LOG_ERR, EI_LOG_BLOCKED, "blocked", err);
        w->dirty = true;
    }
}

static void unblock(struct ei_worker *w)
{
    struct ei_error err;

    if (w->blocked.code == EI_OK)
        return;
    ei_log_event(LOG_NOTICE, EI_LOG_ANSWERS_AGAIN, "Microsoft Graph answers again (was: %s); going on",
                 ei_err_name(w->blocked.code));
    ei_error_clear(&w->blocked);
    w->dirty = true;
    /* What backed off because of the block need not wait any longer. */
    if (ei_store_hasten(w->store, ei_now(), true, &err) != EI_OK)
        ei_worker_store_failed(w, &err);
}

bool ei_tenant_writes_blocked(const struct ei_worker *w)
{
    bool refusal = w->blocked.code == EI_PERMISSION || w->blocked.code == EI_INVITATIONS_OFF ||
                   w->blocked.code == EI_QUOTA || w->blocked.code == EI_UNAUTHORIZED ||
                   w->blocked.code == EI_CONDITIONAL_ACCESS;

    return refusal && w->blocked_inviting;
}

bool ei_tenant_is_refusal(const struct ei_graph_result *result)
{
    bool rejected = result->outcome == EI_GRAPH_REJECTED && result->error.code != EI_UNAUTHORIZED &&
                    result->error.code != EI_THROTTLED;

    return rejected || result->status == 501 || result->error.code == EI_GRAPH_ANSWER;
}

/* --- what passes --- */

/* Whether Graph or the login can be reached and makes sense. A hold is shown by itself. */
static bool is_trouble(enum ei_err code)
{
    return code == EI_UNREACHABLE || code == EI_GRAPH_DOWN || code == EI_GRAPH_AMBIGUOUS || code == EI_GRAPH_ANSWER ||
           code == EI_TOKEN_TRANSIENT || code == EI_LOGIN_THROTTLED || code == EI_FEDERATION_NEW ||
           code == EI_TOKEN_FILE || code == EI_TOKEN_STALE || code == EI_IDENTITY_DOWN || code == EI_REQUEST_REFUSED;
}

/* Shown at once, logged once it has lasted: each answer in between ends it. */
static void note_trouble(struct ei_worker *w, const struct ei_error *err)
{
    int64_t now = ei_monotonic_ms();

    if (w->trouble.code == EI_OK) {
        w->trouble_since_ms = now;
        w->trouble_said = false;
    }
    w->dirty |= w->trouble.code != err->code;
    w->trouble = *err;
    if (!w->trouble_said && now - w->trouble_since_ms >= TROUBLE_SAY_MS) {
        ei_log_error_event(LOG_WARNING, EI_LOG_UNREACHABLE, "asking Microsoft Graph", err);
        w->trouble_said = true;
    }
}

static void end_trouble(struct ei_worker *w)
{
    if (w->trouble.code == EI_OK)
        return;
    if (w->trouble_said)
        ei_log_event(LOG_NOTICE, EI_LOG_ANSWERS_AGAIN, "Microsoft Graph answers again (was: %s)",
                     ei_err_name(w->trouble.code));
    ei_error_clear(&w->trouble);
    w->dirty = true;
}

static void note_denied(struct ei_worker *w, const struct ei_graph_result *result, enum ei_call_kind kind)
{
    if (kind != EI_CALL_READ)
        return;
    if (w->reads_denied_at == 0)
        ei_log_error_event(LOG_WARNING, EI_LOG_READS_DENIED, "reading users", &result->error);
    w->reads_denied_at = ei_now();
}

/* Another answer about the credential, one that passes: what it was blocked by is not so any more. */
static void replace_block(struct ei_worker *w, const struct ei_error *err)
{
    bool of_credential = err->code == EI_FEDERATION_NEW || err->code == EI_TOKEN_FILE || err->code == EI_TOKEN_STALE ||
                         err->code == EI_IDENTITY_DOWN;

    if (w->blocked.code == EI_OK || w->blocked_inviting || !of_credential)
        return;
    ei_log_error_event(LOG_NOTICE, EI_LOG_UNREACHABLE, "no longer blocked, but", err);
    ei_error_clear(&w->blocked);
    w->dirty = true;
}

void ei_tenant_note(struct ei_worker *w, const struct ei_graph_result *result, enum ei_call_kind kind)
{
    enum ei_fault fault = ei_err_fault(result->error.code);
    bool denied = result->error.code == EI_PERMISSION && kind != EI_CALL_INVITE;
    bool answered = denied || result->outcome == EI_GRAPH_DONE || result->error.code == EI_GRAPH_NOT_FOUND ||
                    fault == EI_FAULT_ACCOUNT; /* an answer about a person: the way there is open */

    ei_clock_note(w, result);
    if (denied)
        note_denied(w, result, kind);
    else if (fault == EI_FAULT_TENANT)
        block(w, &result->error, kind == EI_CALL_INVITE);
    else if (is_trouble(result->error.code)) {
        replace_block(w, &result->error);
        note_trouble(w, &result->error);
    }
    if (!answered)
        return;
    end_trouble(w);
    w->answered_at = ei_now();
    if (kind == EI_CALL_READ && result->outcome == EI_GRAPH_DONE)
        w->reads_denied_at = 0;
    /* That reading works says nothing about a refusal to invite: else each look-up would set off the next refusal. */
    if (kind == EI_CALL_INVITE || !ei_tenant_writes_blocked(w))
        unblock(w);
}

/* --- the tenant's GUID --- */

/* Records of one tenant must never be taken for another's. */
static enum ei_err adopt_tenant(struct ei_worker *w, const char *tenant)
{
    struct ei_error err;
    char *known = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_tenant, &known, &err);

    if (rc == EI_OK && known == NULL)
        rc = ei_store_meta_set(w->store, meta_tenant, tenant, &err);
    else if (rc == EI_OK && strcasecmp(known, tenant) != 0)
        rc = ei_fail(&err, EI_TENANT_CHANGED, "%s: the records in %s are of the tenant %s, the configured one is %s",
                     w->config->tenant, w->private_dir, known, tenant);
    if (rc == EI_TENANT_CHANGED)
        block(w, &err, false);
    else if (rc != EI_OK)
        ei_worker_store_failed(w, &err);
    free(known);
    return rc;
}

/* Nothing but the name, the trust and the way there is judged here: whatever else a login root answers to a question
 * that it need not know must not stop invitations. */
static bool tenants_fault(enum ei_err code)
{
    return code == EI_TENANT_UNKNOWN || code == EI_WRONG_CLOUD || code == EI_TLS_TRUST || code == EI_REDIRECTED;
}

static void ask_later(struct ei_worker *w, const struct ei_graph_result *result)
{
    int64_t wait_ms = (int64_t)TENANT_AGAIN_MS << (w->tenant_tries < 5 ? w->tenant_tries : 5);

    w->tenant_tries++;
    if (w->trouble.code != result->error.code)
        ei_log_error(LOG_WARNING, "looking up the tenant", &result->error);
    note_trouble(w, &result->error);
    w->trouble_said = true;
    if (result->retry_after > 0)
        wait_ms = result->retry_after * 1000;
    w->tenant_again_ms = ei_monotonic_ms() + (wait_ms < EI_PROBE_MS ? wait_ms : EI_PROBE_MS);
}

static void on_tenant(void *context, const struct ei_graph_result *result, const char *const *names, size_t count)
{
    struct ei_worker *w = context;
    /* Anything but what says "later": a login service may have no metadata, and say so in its own way. */
    bool whole_answer = result->status >= 200 && result->status != 429 && result->status != 502 &&
                        result->status != 503 && result->status != 504;

    w->tenant_fact = EI_FACT_WANTED;
    w->tenant_again_ms = ei_monotonic_ms() + EI_PROBE_MS;
    if (result->outcome == EI_GRAPH_DONE && count == 1) {
        w->answered_at = ei_now();
        if (tenants_fault(w->blocked.code))
            unblock(w);
        if (adopt_tenant(w, names[0]) == EI_OK)
            w->tenant_fact = EI_FACT_KNOWN;
    } else if (tenants_fault(result->error.code)) {
        block(w, &result->error, false);
        w->tenant_again_ms = w->probe_at_ms;
    } else if (whole_answer) {
        /* Only the guard against another tenant's records is off then. */
        ei_log(LOG_WARNING,
               "the tenant's id cannot be read (%s): going on with its name; that the records are of another tenant "
               "would not be noticed, unless tenant is an id in the configuration",
               result->error.message);
        w->tenant_fact = EI_FACT_KNOWN;
    } else {
        ask_later(w, result);
    }
    if (w->tenant_fact == EI_FACT_KNOWN) {
        w->tenant_tries = 0;
        end_trouble(w);
    }
}

/* --- its verified domains --- */

static void free_domains(struct ei_worker *w)
{
    for (size_t i = 0; i < w->domain_count; i++)
        free(w->domains[i]);
    free(w->domains);
    w->domains = NULL;
    w->domain_count = 0;
}

/* The pre-check is a convenience: Graph's own 400 gives the same answer later. So what its absence needs is said once,
 * and as what may be done. */
static void say_no_domains(struct ei_worker *w, const struct ei_error *err)
{
    if (w->domains_said == err->code)
        return;
    w->domains_said = err->code;
    if (err->code == EI_PERMISSION)
        ei_log(LOG_WARNING,
               "addresses of the tenant's own domains are refused by Microsoft only: its verified domains cannot be "
               "read (%s); Organization.Read.All or Domain.Read.All would do, neither is needed",
               err->message);
    else
        ei_log_error(LOG_WARNING, "reading the tenant's verified domains", err);
}

static void on_domains(void *context, const struct ei_graph_result *result, const char *const *names, size_t count)
{
    struct ei_worker *w = context;

    w->domains_fact = EI_FACT_KNOWN;
    w->domains_again_ms = ei_monotonic_ms() + DOMAINS_KEEP_MS;
    if (result->outcome != EI_GRAPH_DONE) {
        /* A token error blocks the worker; anything else only switches the pre-check off. */
        if (ei_err_fault(result->error.code) == EI_FAULT_TENANT && result->error.code != EI_PERMISSION) {
            block(w, &result->error, false);
            return;
        }
        say_no_domains(w, &result->error);
        if (is_trouble(result->error.code)) {
            note_trouble(w, &result->error);
            w->domains_again_ms = ei_monotonic_ms() + EI_PROBE_MS;
        }
        return;
    }
    w->domains_said = EI_OK;
    ei_tenant_note(w, result, EI_CALL_READ);
    free_domains(w);
    w->domains = calloc(count + 1, sizeof *w->domains);
    for (size_t i = 0; w->domains != NULL && i < count; i++) {
        w->domains[i] = strdup(names[i]);
        if (w->domains[i] == NULL)
            break;
        w->domain_count++;
    }
}

bool ei_tenant_owns(const struct ei_worker *w, const char *address)
{
    return w->domain_count != 0 && ei_address_domain_listed(address, (const char *const *)w->domains, w->domain_count);
}

/* --- in order --- */

static void ask_tenant(struct ei_worker *w)
{
    w->tenant_again_ms = ei_monotonic_ms() + TENANT_AGAIN_MS;
    if (ei_guid_valid(w->config->tenant)) {
        if (adopt_tenant(w, w->config->tenant) == EI_OK)
            w->tenant_fact = EI_FACT_KNOWN;
        return;
    }
    w->tenant_fact = EI_FACT_ASKED;
    if (ei_graph_tenant_id(w->graph, on_tenant, w) != EI_OK)
        w->tenant_fact = EI_FACT_WANTED;
}

static void ask_domains(struct ei_worker *w)
{
    char crid[EI_GUID_TEXT];

    w->domains_fact = EI_FACT_ASKED;
    ei_guid_new(crid);
    if (ei_graph_verified_domains(w->graph, crid, on_domains, w) != EI_OK)
        w->domains_fact = EI_FACT_WANTED;
}

bool ei_tenant_ready(struct ei_worker *w)
{
    int64_t now = ei_monotonic_ms();

    if (w->tenant_fact == EI_FACT_WANTED && now >= w->tenant_again_ms)
        ask_tenant(w);
    if (w->tenant_fact != EI_FACT_KNOWN)
        return false;
    if (w->domains_fact == EI_FACT_KNOWN && now >= w->domains_again_ms)
        w->domains_fact = EI_FACT_WANTED;
    if (w->domains_fact == EI_FACT_WANTED && (w->blocked.code == EI_OK || now >= w->probe_at_ms))
        ask_domains(w);
    /* Blocked: the one job that probes must not wait for the domains. */
    return w->domains_fact == EI_FACT_KNOWN || w->blocked.code != EI_OK;
}

int64_t ei_tenant_wait_ms(const struct ei_worker *w)
{
    if (w->tenant_fact != EI_FACT_WANTED)
        return INT64_MAX;
    int64_t wait = w->tenant_again_ms - ei_monotonic_ms();
    return wait > 0 ? wait : 0;
}

void ei_tenant_probe_now(struct ei_worker *w)
{
    int64_t now = ei_monotonic_ms();

    ei_worker_credential_reload(w);
    w->probe_at_ms = now;
    w->tenant_again_ms = now;
    w->domains_again_ms = now;
    w->reads_denied_at = 0;
    w->deleted_unseen = false;
    ei_graph_drop_token(w->graph);
}

void ei_tenant_signed_in(struct ei_worker *w)
{
    /* A refusal that stands nevertheless blocks again with the next answer. */
    if (!tenants_fault(w->blocked.code) && w->blocked.code != EI_TENANT_CHANGED)
        unblock(w);
    ei_tenant_probe_now(w);
}

enum ei_err ei_tenant_check_id(struct ei_worker *w, const char *id, struct ei_error *err)
{
    char *known = NULL;
    enum ei_err rc = ei_store_meta_get(w->store, meta_tenant, &known, err);

    if (rc == EI_OK && known != NULL && id[0] != '\0' && strcasecmp(known, id) != 0)
        rc = ei_fail(err, EI_SIGN_IN_TENANT, "the sign-in is one to the tenant %s; %s is %s", id, w->config->tenant,
                     known);
    free(known);
    return rc;
}

void ei_tenant_close(struct ei_worker *w)
{
    free_domains(w);
}

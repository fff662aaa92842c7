#include "plugin/worker/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/carrier_internal.h"
#include "plugin/worker/tell.h"

enum {
    NOTICES_MAX = 64, /* the others are noted by a later walk */
    AGAIN_MS = 5 * 60 * 1000,
    IDLE_MS = 60 * 60 * 1000,
    KEY_SIZE = 2 * EI_ADDRESS_SIZE + 16,
};

enum stage {
    STAGE_NEXT,  /* whose turn it is is looked up in the record */
    STAGE_ASKED, /* the tenant is asked for the address */
    STAGE_READY, /* the address is known */
    STAGE_SENDING,
};

struct ei_notice {
    struct ei_notice *next;
    struct ei_worker *worker;
    char id[EI_GUID_TEXT];
    enum stage stage;
    char address[EI_ADDRESS_SIZE]; /* of the sponsor whose turn it is */
    int64_t again_ms;
};

void ei_notices_note(struct ei_worker *w, const struct ei_collaborator *c)
{
    for (const struct ei_notice *n = w->notices; n != NULL; n = n->next)
        if (strcmp(n->id, c->id) == 0)
            return;
    struct ei_notice *n = w->notice_count < NOTICES_MAX ? calloc(1, sizeof *n) : NULL;
    if (n == NULL)
        return;
    n->worker = w;
    memcpy(n->id, c->id, sizeof n->id);
    n->next = w->notices;
    w->notices = n;
    w->notice_count++;
}

static void drop(struct ei_notice *n)
{
    struct ei_worker *w = n->worker;

    if (w->notice_count == NOTICES_MAX)
        w->dirty = true; /* another walk, for those who found no place */
    for (struct ei_notice **at = &w->notices; *at != NULL; at = &(*at)->next) {
        if (*at == n) {
            *at = n->next;
            w->notice_count--;
            break;
        }
    }
    free(n);
}

void ei_notices_close(struct ei_worker *w)
{
    while (w->notices != NULL)
        drop(w->notices);
}

static void wait_a_while(struct ei_notice *n)
{
    n->stage = STAGE_NEXT;
    n->again_ms = ei_monotonic_ms() + AGAIN_MS;
}

/* NULL: there is nothing to tell any more. */
static struct ei_collaborator *load(struct ei_notice *n)
{
    struct ei_collaborator *c = NULL;
    struct ei_error err;

    if (ei_store_get(n->worker->store, n->id, &c, &err) != EI_OK || !c->notice || c->address_count == 0) {
        ei_collaborator_free(c);
        return NULL;
    }
    return c;
}

/* The sponsor whose turn it is has been dealt with. */
static void next_sponsor(struct ei_notice *n, struct ei_collaborator *c, const char *event)
{
    n->stage = STAGE_NEXT;
    c->notice_next++;
    if (ei_worker_save(n->worker, c, event, event != NULL ? n->address : NULL) != EI_OK)
        wait_a_while(n);
}

/* --- who it is --- */

static void on_sponsor(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct ei_notice *n = context;
    const struct ei_worker *w = n->worker;
    struct ei_collaborator *c = load(n);
    struct ei_error why;

    if (c == NULL) {
        drop(n);
        return;
    }
    bool known = result->outcome == EI_GRAPH_DONE && user->mail != NULL &&
                 ei_address_check(user->mail, n->address, &why) == EI_OK;
    if (known) {
        n->stage = STAGE_READY; /* sent by the next run, when the right to it can be made durable */
    } else if (result->outcome == EI_GRAPH_DONE || result->error.code == EI_GRAPH_NOT_FOUND) {
        ei_tell(w, LOG_NOTICE, EI_LOG_SPONSORS, c, NULL,
                "a sponsor cannot be told: the tenant has no mail address of theirs");
        next_sponsor(n, c, NULL);
    } else {
        wait_a_while(n);
    }
    ei_collaborator_free(c);
}

/* "users/ID" or "users/UPN" of the sponsor whose turn it is; groups are passed over. false: there is none left. */
static bool find_next(struct ei_collaborator *c, char name[EI_SPONSOR_SIZE])
{
    cJSON *list = c->sponsors != NULL ? ei_json_parse(c->sponsors, strlen(c->sponsors)) : NULL;
    bool found = false;

    for (; (int)c->notice_next < cJSON_GetArraySize(list) && !found; c->notice_next += !found) {
        const char *sponsor = cJSON_GetStringValue(cJSON_GetArrayItem(list, (int)c->notice_next));
        const char *user = sponsor != NULL ? ei_sponsor_user(sponsor) : NULL;
        found = user != NULL;
        if (found)
            snprintf(name, EI_SPONSOR_SIZE, "%s", user);
    }
    cJSON_Delete(list);
    return found;
}

static void ask(struct ei_notice *n, struct ei_collaborator *c)
{
    struct ei_worker *w = n->worker;
    char name[EI_SPONSOR_SIZE];
    char crid[EI_GUID_TEXT];

    if (!find_next(c, name)) {
        c->notice = false;
        if (ei_worker_save(w, c, NULL, NULL) == EI_OK)
            drop(n);
        else
            wait_a_while(n);
        return;
    }
    ei_guid_new(crid);
    n->stage = STAGE_ASKED;
    enum ei_err rc = ei_guid_valid(name) ? ei_graph_get_user(w->graph, name, crid, on_sponsor, n)
                                         : ei_graph_find_user_id(w->graph, name, crid, on_sponsor, n);
    if (rc != EI_OK)
        wait_a_while(n);
}

/* --- telling --- */

static void on_told(void *context, const struct ei_deliver_result *result)
{
    struct ei_notice *n = context;
    struct ei_worker *w = n->worker;
    struct ei_collaborator *c = load(n);

    ei_carrier_note(w, EI_CHANNEL_SMTP, result);
    if (c == NULL) {
        drop(n);
        return;
    }
    bool again = (result->outcome == EI_DELIVER_NOT_SENT || result->outcome == EI_DELIVER_REJECTED) &&
                 ei_err_fault(result->error.code) != EI_FAULT_ACCOUNT;
    if (again) {
        c->notice_round++; /* it is certain that this one was not sent: another right to it */
        ei_worker_save(w, c, NULL, NULL);
        wait_a_while(n);
    } else {
        if (result->outcome != EI_DELIVER_DONE)
            ei_tell_error(w, LOG_NOTICE, EI_LOG_SPONSORS, c, &result->error);
        next_sponsor(n, c, result->outcome == EI_DELIVER_DONE ? "sponsor-told" : NULL);
    }
    ei_collaborator_free(c);
}

static enum ei_err render(struct ei_worker *w, const struct ei_collaborator *c, struct ei_template_text *ret_text,
                          struct ei_error *err)
{
    struct ei_settings settings;
    struct ei_carrier_values values;
    enum ei_err rc = ei_settings_resolve(w->config, c, &settings, err);

    if (rc != EI_OK)
        return rc;
    ei_carrier_fill(w, c, &settings, &values);
    settings.invite.message_language = w->config->invitation.message_language; /* the tenant's own people */
    rc = ei_carrier_render(w, &settings, EI_TEMPLATE_SPONSOR, &values, ret_text, err);
    ei_settings_clear(&settings);
    return rc;
}

static enum ei_err send_note(struct ei_notice *n, const struct ei_collaborator *c, const char *crid,
                             struct ei_error *err)
{
    struct ei_worker *w = n->worker;
    struct ei_template_text text = {0};
    struct ei_mailbox to;
    enum ei_err rc = render(w, c, &text, err);

    if (rc == EI_OK)
        rc = ei_mailbox_make(NULL, n->address, &to, err);
    if (rc == EI_OK) {
        struct ei_letter letter = {crid, &to, w->config->invitation.message_language, text.subject, text.body};
        rc = ei_deliver_mail(w->deliver, &w->carrier->relay, &letter, on_told, n, err);
    }
    ei_template_text_free(&text);
    return rc;
}

static void tell(struct ei_notice *n, struct ei_collaborator *c)
{
    char crid[EI_GUID_TEXT];
    char key[KEY_SIZE];
    struct ei_error err;

    snprintf(key, sizeof key, "sponsor/%s/%s", n->address, c->addresses[0]);
    ei_guid_new(crid);
    enum ei_err rc = ei_store_claim_mail(n->worker->store, key, c->notice_round, crid, &err);
    if (rc == EI_CONFLICT) { /* begun before a crash, or named twice */
        next_sponsor(n, c, NULL);
        return;
    }
    n->stage = STAGE_SENDING;
    if (rc == EI_OK)
        rc = send_note(n, c, crid, &err);
    if (rc == EI_OK)
        return;
    struct ei_deliver_result result = {.outcome = EI_DELIVER_NOT_SENT, .error = err, .retry_after = -1};
    on_told(n, &result);
}

void ei_notices_run(struct ei_worker *w)
{
    struct ei_notice *next;

    for (struct ei_notice *n = w->notices; n != NULL; n = next) {
        next = n->next;
        bool waits = n->stage == STAGE_ASKED || n->stage == STAGE_SENDING || n->again_ms > ei_monotonic_ms() ||
                     w->config->smtp.url == NULL || ei_carrier_paused(w, EI_CHANNEL_SMTP);
        struct ei_collaborator *c = waits ? NULL : load(n);
        if (!waits && c == NULL)
            drop(n);
        else if (!waits && n->stage == STAGE_NEXT)
            ask(n, c);
        else if (!waits)
            tell(n, c);
        ei_collaborator_free(c);
    }
}

int64_t ei_notices_wait_ms(const struct ei_worker *w)
{
    int64_t now = ei_monotonic_ms();
    int64_t wait = IDLE_MS;

    if (w->config->smtp.url == NULL)
        return wait;
    for (const struct ei_notice *n = w->notices; n != NULL; n = n->next) {
        int64_t at = n->again_ms;
        if (n->stage == STAGE_ASKED || n->stage == STAGE_SENDING)
            continue;
        if (ei_carrier_paused(w, EI_CHANNEL_SMTP) && w->channels[EI_CHANNEL_SMTP].again_ms > at)
            at = w->channels[EI_CHANNEL_SMTP].again_ms;
        if (at - now < wait)
            wait = at > now ? at - now : 0;
    }
    return wait;
}

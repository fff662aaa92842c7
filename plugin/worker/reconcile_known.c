/* What the store has of this host, loaded once a pass. */
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "plugin/worker/reconcile_internal.h"

static int by_login(const void *a, const void *b)
{
    return strcmp(((const struct ei_known *)a)->login, ((const struct ei_known *)b)->login);
}

/* Of two addresses for one login the first counts: the pointers keep the file's order. */
static int address_by_login(const void *a, const void *b)
{
    const struct ei_login_address *x = *(const struct ei_login_address *const *)a;
    const struct ei_login_address *y = *(const struct ei_login_address *const *)b;
    int order = strcmp(x->login, y->login);
    return order != 0 ? order : (x > y) - (x < y);
}

enum ei_err ei_pass_open(struct ei_pass *pass, struct ei_reconcile_context *ctx)
{
    const struct ei_config *config = ctx->config;

    *pass = (struct ei_pass){.ctx = ctx, .now = ei_now(), .now_ms = ei_monotonic_ms()};
    pass->addresses = calloc(config->account_count + 1, sizeof *pass->addresses);
    pass->unseen = calloc(config->rule_count + 1, sizeof *pass->unseen);
    if (pass->addresses == NULL || pass->unseen == NULL)
        return EI_NOMEM;
    for (size_t i = 0; i < config->account_count; i++)
        pass->addresses[i] = &config->accounts[i];
    qsort(pass->addresses, config->account_count, sizeof *pass->addresses, address_by_login);
    return EI_OK;
}

void ei_pass_close(struct ei_pass *pass)
{
    for (size_t i = 0; i < pass->known_count; i++)
        free(pass->known[i].login);
    free(pass->known);
    free(pass->changes);
    free(pass->released);
    free(pass->addresses);
    free(pass->unseen);
}

static int rule_index(const struct ei_config *config, const char *name)
{
    for (size_t r = 0; name != NULL && r < config->rule_count; r++)
        if (strcmp(config->rules[r].name, name) == 0)
            return (int)r;
    return -1;
}

enum ei_err ei_pass_add_known(struct ei_pass *pass, const struct ei_collaborator *c, const struct ei_account *a)
{
    struct ei_known *grown = ei_array_room(pass->known, pass->known_count, &pass->known_room, sizeof *grown);

    if (grown == NULL)
        return EI_NOMEM;
    pass->known = grown;
    struct ei_known *k = &grown[pass->known_count];
    *k = (struct ei_known){
        .login = strdup(a->login),
        .uid = a->uid,
        .rule = rule_index(pass->ctx->config, a->rule),
        .state = a->state,
        .source = a->source,
        .address_hash = a->address_hash,
        .since = a->since,
        .missing_since = a->missing_since,
        .reported = a->reported,
        .by_admin = a->by_admin,
        .local = a->local,
        .step = c->job.step,
        .credited = c->requested_by != NULL,
        .address_count = c->address_count,
        .error = c->error_permanent ? c->error.code : EI_OK,
        .message_hash = c->error_permanent ? ei_address_hash(c->error.message) : 0,
    };
    memcpy(k->id, c->id, sizeof k->id);
    for (size_t i = 0; i < c->address_count && i < EI_KNOWN_HASHES; i++)
        k->hashes[i] = ei_address_hash(c->addresses[i]);
    if (k->login == NULL)
        return EI_NOMEM;
    pass->known_count++;
    return EI_OK;
}

static bool expires(const struct ei_pass *pass, const struct ei_collaborator *c)
{
    return c->deleted_guest_id != NULL && c->job.step == EI_STEP_IDLE && c->account_count == 0 &&
           pass->now - c->deleted_at >= EI_DELETED_KEPT;
}

/* Let go while a request was on its way, which has ended; or what was kept of a deleted guest is of no use any more. */
static enum ei_err add_released(struct ei_pass *pass, const struct ei_collaborator *c)
{
    bool gone = c->error_permanent && c->error.code == EI_GUEST_GONE; /* let_go leaves it on record */

    if ((!ei_collaborator_looked_at(c) || gone || ei_collaborator_needed(c)) && !expires(pass, c))
        return EI_OK;
    void *grown = ei_array_room(pass->released, pass->released_count, &pass->released_room, sizeof *pass->released);
    if (grown == NULL)
        return EI_NOMEM;
    pass->released = grown;
    memcpy(pass->released[pass->released_count++], c->id, EI_GUID_TEXT);
    return EI_OK;
}

static enum ei_err visit(void *context, const struct ei_collaborator *c)
{
    struct ei_pass *pass = context;
    enum ei_err rc = add_released(pass, c);

    for (size_t i = 0; rc == EI_OK && i < c->account_count; i++)
        if (strcmp(c->accounts[i].host, pass->ctx->host) == 0)
            rc = ei_pass_add_known(pass, c, &c->accounts[i]);
    return rc;
}

enum ei_err ei_pass_load(struct ei_pass *pass, struct ei_error *err)
{
    enum ei_err rc = ei_store_each(pass->ctx->store, visit, pass, err);

    if (rc == EI_NOMEM)
        ei_fail(err, rc, "no memory for the recorded accounts");
    if (rc == EI_OK && pass->known_count != 0)
        qsort(pass->known, pass->known_count, sizeof *pass->known, by_login);
    return rc;
}

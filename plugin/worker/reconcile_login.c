/* One announced login: what a pass does, for one account that a person is waiting for. */
#include <string.h>

#include "common/base/utf8.h"
#include "plugin/worker/reconcile_internal.h"

static enum ei_err load_known(struct ei_pass *pass, const char *login, struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_by_account(pass->ctx->store, pass->ctx->host, login, &c, err);

    if (rc == EI_NOT_FOUND)
        return EI_OK;
    if (rc != EI_OK)
        return rc;
    rc = ei_pass_add_known(pass, c, ei_collaborator_account(c, pass->ctx->host, login));
    ei_collaborator_free(c);
    return rc == EI_OK ? EI_OK : ei_fail(err, rc, "%s: no memory to look at it", login);
}

/* `invite` undoes what holds the account back; where nothing does, there is nothing to write. */
static bool undoes(const struct ei_known *known)
{
    return known->state != EI_ACCOUNT_ACTIVE || known->error != EI_OK || known->step == EI_STEP_IDLE;
}

/* A reading may have found it a moment before the hook could say who made it. */
static bool to_credit(const struct ei_pass *pass, const struct ei_known *known, const struct ei_asker *asker)
{
    return asker->by != NULL && !known->credited && known->state == EI_ACCOUNT_ACTIVE &&
           pass->now - known->since < EI_ANNOUNCE_SECONDS;
}

static enum ei_err place_in_batch(struct ei_pass *pass, struct ei_change *change, struct ei_error *err)
{
    struct ei_store *store = pass->ctx->store;
    enum ei_err rc = ei_store_batch_begin(store, err);

    if (rc != EI_OK)
        return rc;
    rc = ei_place(pass, change, err);
    if (rc == EI_OK)
        return ei_store_batch_end(store, err);
    ei_store_batch_abandon(store);
    return rc;
}

static enum ei_err answer(struct ei_pass *pass, const struct ei_change *change, struct ei_reconcile_answer *ret,
                          struct ei_error *err)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_by_account(pass->ctx->store, pass->ctx->host, change->entry->login, &c, err);

    if (rc != EI_OK)
        return rc == EI_NOT_FOUND ? ei_fail(err, rc, "%s: its record is gone", change->entry->login) : rc;
    const struct ei_account *account = ei_collaborator_account(c, pass->ctx->host, change->entry->login);
    ret->covered = true;
    ret->has_address = c->address_count != 0;
    memcpy(ret->id, c->id, sizeof ret->id);
    ret->account = account->state;
    ret->step = c->job.step;
    ret->error = c->error;
    ret->changed = change->done;
    ei_collaborator_free(c);
    return EI_OK;
}

static enum ei_err look(struct ei_pass *pass, const struct ei_entry *entry, const struct ei_asker *asker,
                        enum ei_asked asked, struct ei_reconcile_answer *ret, struct ei_error *err)
{
    struct ei_change change;

    enum ei_err rc = load_known(pass, entry->login, err);
    if (rc != EI_OK)
        return rc;
    const struct ei_known *known = pass->known_count != 0 ? pass->known : NULL;
    ei_judge(pass, entry, known, &change);
    change.announced = true;
    change.asker = *asker;
    if (asked == EI_ASKED_INVITE && known != NULL && undoes(known))
        change.what |= EI_CHANGE_ASKED;
    if (known != NULL && to_credit(pass, known, asker))
        change.what |= EI_CHANGE_CREDIT;
    if (change.what != 0)
        rc = place_in_batch(pass, &change, err);
    return rc == EI_OK ? answer(pass, &change, ret, err) : rc;
}

enum ei_err ei_reconcile_login(struct ei_reconcile_context *ctx, const struct ei_entry *entry, bool first_trusted,
                               const struct ei_asker *asker, enum ei_asked asked,
                               struct ei_reconcile_answer *ret_answer, struct ei_error *err)
{
    struct ei_pass pass;

    *ret_answer = (struct ei_reconcile_answer){0};
    if (!ei_utf8_printable(entry->login))
        return ei_fail(err, EI_USAGE, "uid %u: its login name is not one line of UTF-8", (unsigned)entry->uid);
    enum ei_err rc = ei_pass_open(&pass, ctx);
    if (rc == EI_OK)
        rc = ei_announced_remember(ctx, entry->login, asker, pass.now_ms);
    if (rc != EI_OK)
        ei_fail(err, rc, "%s: no memory to look at it", entry->login);
    pass.first_trusted = first_trusted;
    if (rc == EI_OK && entry->rule >= 0)
        rc = look(&pass, entry, asker, asked, ret_answer, err);
    ei_pass_close(&pass);
    return rc;
}

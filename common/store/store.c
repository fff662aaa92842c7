#include "common/store/store.h"

#include <string.h>

#include "common/account/gecos.h"
#include "common/store/store_internal.h"

void ei_store_close(struct ei_store *store)
{
    if (store != NULL)
        store->ops->close(store);
}

enum ei_err ei_store_get(struct ei_store *store, const char *id, struct ei_collaborator **ret, struct ei_error *err)
{
    return store->ops->get(store, id, ret, err);
}

enum ei_err ei_store_by_address(struct ei_store *store, const char *address, struct ei_collaborator **ret,
                                struct ei_error *err)
{
    char folded[EI_ADDRESS_SIZE];

    /* Longer than any address can be, so nothing is stored under it. */
    if (!ei_address_fold(address, folded, sizeof folded))
        return EI_NOT_FOUND;
    return store->ops->by_address(store, folded, ret, err);
}

enum ei_err ei_store_by_account(struct ei_store *store, const char *host, const char *login,
                                struct ei_collaborator **ret, struct ei_error *err)
{
    return store->ops->by_account(store, host, login, ret, err);
}

enum ei_err ei_store_by_guest(struct ei_store *store, const char *guest_id, struct ei_collaborator **ret,
                              struct ei_error *err)
{
    return store->ops->by_guest(store, guest_id, ret, err);
}

enum ei_err ei_store_of_guest(struct ei_store *store, const char *guest_id, char (*ids)[EI_GUID_TEXT], size_t limit,
                              size_t *ret_count, struct ei_error *err)
{
    return store->ops->of_guest(store, guest_id, ids, limit, ret_count, err);
}

enum ei_err ei_store_put(struct ei_store *store, struct ei_collaborator *collaborator, const char *event,
                         const char *detail, struct ei_error *err)
{
    const char *wrong = ei_collaborator_wrong(collaborator);
    if (wrong != NULL)
        return ei_fail(err, EI_USAGE, "collaborator %s: impossible value in %s", collaborator->id, wrong);
    return store->ops->put(store, collaborator, event, detail, err);
}

enum ei_err ei_store_delete(struct ei_store *store, const struct ei_collaborator *collaborator, struct ei_error *err)
{
    return store->ops->remove(store, collaborator, err);
}

enum ei_err ei_store_claim_mail(struct ei_store *store, const char *address, uint32_t round, const char *crid,
                                struct ei_error *err)
{
    char folded[EI_ADDRESS_SIZE];

    if (!ei_address_fold(address, folded, sizeof folded))
        return ei_fail(err, EI_BAD_ADDRESS, "address of more than %d bytes", EI_ADDRESS_SIZE - 1);
    return store->ops->claim_mail(store, folded, round, crid, err);
}

enum ei_err ei_store_each(struct ei_store *store, ei_store_visit *each, void *context, struct ei_error *err)
{
    return store->ops->each(store, each, context, err);
}

enum ei_err ei_store_due(struct ei_store *store, int64_t now, char (*ids)[EI_GUID_TEXT], size_t limit,
                         size_t *ret_count, struct ei_error *err)
{
    return store->ops->due(store, now, ids, limit, ret_count, err);
}

enum ei_err ei_store_next_due(struct ei_store *store, int64_t *ret_time, struct ei_error *err)
{
    return store->ops->next_due(store, ret_time, err);
}

enum ei_err ei_store_hasten(struct ei_store *store, int64_t now, bool all_steps, struct ei_error *err)
{
    return store->ops->hasten(store, now, all_steps, err);
}

enum ei_err ei_store_history(struct ei_store *store, const char *id, int64_t after, ei_store_event_visit *each,
                             void *context, struct ei_error *err)
{
    return store->ops->history(store, id, after, each, context, err);
}

enum ei_err ei_store_meta_get(struct ei_store *store, const char *key, char **ret_value, struct ei_error *err)
{
    *ret_value = NULL;
    return store->ops->meta_get(store, key, ret_value, err);
}

enum ei_err ei_store_meta_set(struct ei_store *store, const char *key, const char *value, struct ei_error *err)
{
    return store->ops->meta_set(store, key, value, err);
}

enum ei_err ei_store_batch_begin(struct ei_store *store, struct ei_error *err)
{
    return store->ops->batch_begin(store, err);
}

enum ei_err ei_store_batch_end(struct ei_store *store, struct ei_error *err)
{
    return store->ops->batch_end(store, err);
}

void ei_store_batch_abandon(struct ei_store *store)
{
    store->ops->batch_abandon(store);
}

const char *ei_step_name(enum ei_step step)
{
    switch (step) {
    case EI_STEP_IDLE:
        return "idle";
    case EI_STEP_QUEUED:
        return "queued";
    case EI_STEP_CHECKING:
        return "checking";
    case EI_STEP_CREATING:
        return "creating";
    case EI_STEP_CREATED:
        return "created";
    case EI_STEP_MAILING:
        return "mailing";
    case EI_STEP_PENDING:
        return "pending";
    case EI_STEP_ACCEPTED:
        return "accepted";
    case EI_STEP_FAILED:
        return "failed";
    case EI_STEP_OFFBOARDING:
        return "offboarding";
    }
    return "unknown";
}

const char *ei_mail_name(enum ei_mail mail)
{
    switch (mail) {
    case EI_MAIL_NONE:
        return "none";
    case EI_MAIL_WANTED:
        return "wanted";
    case EI_MAIL_SENDING:
        return "sending";
    case EI_MAIL_SENT:
        return "sent";
    case EI_MAIL_UNKNOWN:
        return "unknown";
    case EI_MAIL_HELD:
        return "held";
    }
    return "unknown";
}

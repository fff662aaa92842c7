/* What a kind of store implements. Only this folder and its sub-folders include it; callers see store.h. */
#ifndef EI_STORE_STORE_INTERNAL_H
#define EI_STORE_STORE_INTERNAL_H

#include "common/store/store.h"

/* Each entry keeps the contract of the ei_store_ function of its name. Addresses arrive folded. */
struct ei_store_ops {
    void (*close)(struct ei_store *store);
    enum ei_err (*get)(struct ei_store *store, const char *id, struct ei_collaborator **ret, struct ei_error *err);
    enum ei_err (*by_address)(struct ei_store *store, const char *folded, struct ei_collaborator **ret,
                              struct ei_error *err);
    enum ei_err (*by_account)(struct ei_store *store, const char *host, const char *login, struct ei_collaborator **ret,
                              struct ei_error *err);
    enum ei_err (*by_guest)(struct ei_store *store, const char *guest_id, struct ei_collaborator **ret,
                            struct ei_error *err);
    enum ei_err (*of_guest)(struct ei_store *store, const char *guest_id, char (*ids)[EI_GUID_TEXT], size_t limit,
                            size_t *ret_count, struct ei_error *err);
    enum ei_err (*put)(struct ei_store *store, struct ei_collaborator *collaborator, const char *event,
                       const char *detail, struct ei_error *err);
    enum ei_err (*remove)(struct ei_store *store, const struct ei_collaborator *collaborator, struct ei_error *err);
    enum ei_err (*claim_mail)(struct ei_store *store, const char *folded, uint32_t round, const char *crid,
                              struct ei_error *err);
    enum ei_err (*each)(struct ei_store *store, ei_store_visit *each, void *context, struct ei_error *err);
    enum ei_err (*due)(struct ei_store *store, int64_t now, char (*ids)[EI_GUID_TEXT], size_t limit, size_t *ret_count,
                       struct ei_error *err);
    enum ei_err (*next_due)(struct ei_store *store, int64_t *ret_time, struct ei_error *err);
    enum ei_err (*hasten)(struct ei_store *store, int64_t now, bool all_steps, struct ei_error *err);
    enum ei_err (*history)(struct ei_store *store, const char *id, int64_t after, ei_store_event_visit *each,
                           void *context, struct ei_error *err);
    enum ei_err (*meta_get)(struct ei_store *store, const char *key, char **ret_value, struct ei_error *err);
    enum ei_err (*meta_set)(struct ei_store *store, const char *key, const char *value, struct ei_error *err);
    enum ei_err (*batch_begin)(struct ei_store *store, struct ei_error *err);
    enum ei_err (*batch_end)(struct ei_store *store, struct ei_error *err);
    void (*batch_abandon)(struct ei_store *store);
};

/* The first member of each kind's own struct. */
struct ei_store {
    const struct ei_store_ops *ops;
};

/* Without an id, for one that is being loaded and brings its own. NULL when out of memory. */
struct ei_collaborator *ei_collaborator_blank(void);

/* The field that holds a value which no store may keep, NULL if there is none. */
const char *ei_collaborator_wrong(const struct ei_collaborator *collaborator);

#endif

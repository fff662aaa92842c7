/* The names that hooks, PAM and the CLI said, for as long as their word counts. In memory only: a restart loses no
 * account, only the exemption from the brake. */
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "plugin/worker/reconcile_internal.h"

/* Where login is, or would stand. */
static size_t position(const struct ei_reconcile_context *ctx, const char *login)
{
    size_t low = 0;
    size_t high = ctx->announced_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(ctx->announced[middle].login, login) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ei_announced *ei_announced_find(struct ei_reconcile_context *ctx, const char *login)
{
    size_t at = position(ctx, login);
    return at < ctx->announced_count && strcmp(ctx->announced[at].login, login) == 0 ? &ctx->announced[at] : NULL;
}

static void clear(struct ei_announced *announced)
{
    free(announced->login);
    free(announced->requested_by);
    free(announced->requester);
}

enum ei_err ei_announced_remember(struct ei_reconcile_context *ctx, const char *login, const struct ei_asker *asker,
                                  int64_t now_ms)
{
    struct ei_announced *found = ei_announced_find(ctx, login);
    struct ei_announced fresh = {0};

    if (found == NULL && ctx->announced_count >= EI_ANNOUNCED_MAX)
        return EI_OK;
    if (found == NULL) {
        struct ei_announced *grown =
            ei_array_room(ctx->announced, ctx->announced_count, &ctx->announced_room, sizeof *grown);
        if (grown == NULL)
            return EI_NOMEM;
        ctx->announced = grown;
        if (!ei_text_set(&fresh.login, login) || !ei_text_set(&fresh.requested_by, asker->by) ||
            !ei_text_set(&fresh.requester, asker->login)) {
            clear(&fresh);
            return EI_NOMEM;
        }
        size_t at = position(ctx, login);
        found = &ctx->announced[at];
        memmove(found + 1, found, (ctx->announced_count - at) * sizeof *found);
        *found = fresh; /* transferred */
        ctx->announced_count++;
    } else if ((asker->by != NULL && !ei_text_set(&found->requested_by, asker->by)) ||
               (asker->login != NULL && !ei_text_set(&found->requester, asker->login))) {
        return EI_NOMEM;
    }
    found->until_ms = now_ms + (int64_t)EI_ANNOUNCE_SECONDS * 1000;
    found->looked_at_ms = now_ms;
    return EI_OK;
}

void ei_announced_expire(struct ei_reconcile_context *ctx, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < ctx->announced_count; i++) {
        if (ctx->announced[i].until_ms <= now_ms)
            clear(&ctx->announced[i]);
        else
            ctx->announced[kept++] = ctx->announced[i];
    }
    ctx->announced_count = kept;
}

void ei_reconcile_init(struct ei_reconcile_context *ctx, const struct ei_config *config, struct ei_store *store,
                       const char *host)
{
    *ctx = (struct ei_reconcile_context){.config = config, .store = store, .host = host};
}

void ei_reconcile_done(struct ei_reconcile_context *ctx)
{
    for (size_t i = 0; i < ctx->announced_count; i++)
        clear(&ctx->announced[i]);
    free(ctx->announced);
    *ctx = (struct ei_reconcile_context){0};
}

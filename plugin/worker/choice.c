#include "plugin/worker/choice.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/graph/list.h"

static uint64_t guests(const struct ei_choice_facts *f)
{
    return f->pending + f->others;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- what it costs --- */

int64_t ei_choice_apart(const struct ei_choice_facts *f, enum ei_refresh_method method, bool pending)
{
    int64_t paced = (int64_t)(pending ? f->pending : guests(f)) / EI_LOOKS_PER_SECOND;

    if (method == EI_BY_LIST && pending)
        paced = longer(paced, EI_LISTED_LOOK_S);
    else if (method != EI_BY_BATCH && !pending)
        paced = EI_SLOW_LOOK_S;
    return longer(f->interval, paced);
}

/* Where no list was made yet, as many as this store knows of: the tenant has these at least. */
static uint64_t pages_all(const struct ei_choice_facts *f)
{
    return f->pages_all != 0 ? f->pages_all : guests(f) / EI_LIST_PAGE + 1;
}

static uint64_t pages_pending(const struct ei_choice_facts *f)
{
    return f->pages_pending != 0 ? f->pages_pending : f->pending / EI_LIST_PAGE + 1;
}

bool ei_choice_lists_all(const struct ei_choice_facts *f)
{
    return f->list_all_only || pages_all(f) <= EI_LIST_ALL_PAGES;
}

/* So many units in so many seconds, by the round. */
static uint64_t share(const struct ei_choice_facts *f, uint64_t units, int64_t seconds)
{
    return (units * (uint64_t)f->interval + (uint64_t)seconds - 1) / (uint64_t)seconds;
}

uint64_t ei_choice_cost(const struct ei_choice_facts *f, enum ei_refresh_method method)
{
    uint64_t cost =
        share(f, f->pending, ei_choice_apart(f, method, true)) + share(f, f->others, ei_choice_apart(f, method, false));

    if (method == EI_BY_DELTA)
        cost += 1;
    else if (method == EI_BY_LIST && ei_choice_lists_all(f))
        cost += pages_all(f);
    else if (method == EI_BY_LIST)
        cost += pages_pending(f) + share(f, pages_all(f), longer(f->interval, EI_LIST_ALL_S));
    return cost;
}

/* --- which one --- */

bool ei_choice_many(const struct ei_choice_facts *f, enum ei_refresh_method current)
{
    return guests(f) > (uint64_t)(current == EI_BY_BATCH ? EI_CHANGES_FROM : EI_CHANGES_UNTIL);
}

/* It must be half as dear to be taken up, and dearer to be given up, or the choice would flap. */
static bool list_is_cheap(uint64_t list, uint64_t batch, enum ei_refresh_method current)
{
    return current == EI_BY_LIST ? list <= batch : 2 * list <= batch;
}

enum ei_refresh_method ei_choice_make(const struct ei_choice_facts *f, enum ei_refresh_method current,
                                      char reason[EI_REASON_MAX])
{
    uint64_t list = ei_choice_cost(f, EI_BY_LIST);
    uint64_t batch = ei_choice_cost(f, EI_BY_BATCH);

    if (!ei_choice_many(f, current)) {
        snprintf(reason, EI_REASON_MAX, "few enough guests to read each of them");
        return EI_BY_BATCH;
    }
    if (!f->delta_refused) {
        snprintf(reason, EI_REASON_MAX, "the tenant tells which users changed");
        return EI_BY_DELTA;
    }
    if (f->list_refused) {
        snprintf(reason, EI_REASON_MAX, "the tenant neither tells which users changed nor lists its guests");
        return EI_BY_BATCH;
    }
    if (list_is_cheap(list, batch, current)) {
        snprintf(reason, EI_REASON_MAX,
                 "the tenant does not tell which users changed; single reads would cost %" PRIu64 " units", batch);
        return EI_BY_LIST;
    }
    snprintf(reason, EI_REASON_MAX,
             "the tenant does not tell which users changed; a list of its guests would cost %" PRIu64 " units", list);
    return EI_BY_BATCH;
}

const char *ei_choice_name(enum ei_refresh_method method)
{
    static const char *const names[] = {[EI_BY_BATCH] = "batch", [EI_BY_DELTA] = "delta", [EI_BY_LIST] = "list"};

    return names[method];
}

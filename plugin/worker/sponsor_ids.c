#include "plugin/worker/sponsor_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "plugin/worker/tenant.h"

enum {
    IDS_MAX = 64,
    AGAIN_MS = 60 * 1000, /* until one who was not found, or could not be read, is asked for again */
};

static const char of_user[] = "users/";

enum id_state { ID_FREE, ID_ASKED, ID_KNOWN, ID_MISSING, ID_UNREADABLE };

struct sponsor_id {
    struct ei_worker *worker;
    enum id_state state;
    int64_t at_ms; /* of the answer; ei_monotonic_ms */
    char sponsor[EI_SPONSOR_SIZE];
    char object[sizeof of_user - 1 + EI_GUID_TEXT];
};

/* Somebody who waits for the answers of some. */
struct waiting {
    struct waiting *next;
    const struct sponsor_id *ids[EI_SPONSORS_MOST];
    size_t count;
    void (*done)(void *context);
    void *context;
};

struct ei_sponsor_ids {
    struct sponsor_id ids[IDS_MAX];
    struct waiting *waiting;
};

static bool has_name(const char *sponsor)
{
    const char *user = ei_sponsor_user(sponsor);

    return user != NULL && !ei_guid_valid(user);
}

static struct sponsor_id *find(struct ei_sponsor_ids *all, const char *sponsor)
{
    for (size_t i = 0; all != NULL && i < IDS_MAX; i++)
        if (all->ids[i].state != ID_FREE && strcasecmp(all->ids[i].sponsor, sponsor) == 0)
            return &all->ids[i];
    return NULL;
}

/* A free place, or that of the oldest answer; NULL while every one waits for its answer. */
static struct sponsor_id *place(struct ei_sponsor_ids *all)
{
    struct sponsor_id *oldest = NULL;

    for (size_t i = 0; i < IDS_MAX; i++) {
        struct sponsor_id *one = &all->ids[i];
        if (one->state == ID_FREE)
            return one;
        if (one->state != ID_ASKED && (oldest == NULL || one->at_ms < oldest->at_ms))
            oldest = one;
    }
    return oldest;
}

/* However often it is named. */
static bool strike_out(struct waiting *one, const struct sponsor_id *id)
{
    size_t kept = 0;
    size_t count = one->count;

    for (size_t i = 0; i < count; i++)
        if (one->ids[i] != id)
            one->ids[kept++] = one->ids[i];
    one->count = kept;
    return kept != count;
}

/* Calls whoever waited for this one last. They may ask for others. */
static void wake(struct ei_sponsor_ids *all, const struct sponsor_id *id)
{
    struct waiting *ready = NULL;

    for (struct waiting **at = &all->waiting; *at != NULL;) {
        struct waiting *one = *at;
        if (!strike_out(one, id) || one->count != 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = ready;
        ready = one;
    }
    while (ready != NULL) {
        struct waiting *one = ready;
        ready = one->next;
        one->done(one->context);
        free(one);
    }
}

static void on_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    struct sponsor_id *id = context;
    struct ei_worker *w = id->worker;

    ei_tenant_note(w, result, EI_CALL_READ);
    /* What Graph did not answer is asked for again as soon as anybody wants it. */
    id->at_ms = ei_monotonic_ms() - (result->outcome == EI_GRAPH_REJECTED ? 0 : AGAIN_MS);
    if (result->outcome == EI_GRAPH_DONE) {
        snprintf(id->object, sizeof id->object, "%s%s", of_user, user->id);
        id->state = ID_KNOWN;
    } else {
        bool missing = result->outcome == EI_GRAPH_REJECTED && result->error.code == EI_GRAPH_NOT_FOUND;
        id->state = missing ? ID_MISSING : ID_UNREADABLE;
    }
    wake(w->sponsor_ids, id);
}

/* What is on the way for this sponsor; NULL: nothing is. */
static struct sponsor_id *ask_for(struct ei_worker *w, const char *sponsor)
{
    struct sponsor_id *id = find(w->sponsor_ids, sponsor);
    char crid[EI_GUID_TEXT];

    if (id != NULL && id->state == ID_ASKED)
        return id;
    if (id != NULL && (id->state == ID_KNOWN || ei_monotonic_ms() - id->at_ms < AGAIN_MS))
        return NULL;
    id = id != NULL ? id : place(w->sponsor_ids);
    if (id == NULL)
        return NULL;
    *id = (struct sponsor_id){.worker = w, .state = ID_FREE};
    ei_guid_new(crid);
    if (snprintf(id->sponsor, sizeof id->sponsor, "%s", sponsor) >= (int)sizeof id->sponsor ||
        ei_graph_find_user_id(w->graph, ei_sponsor_user(sponsor), crid, on_user, id) != EI_OK)
        return NULL;
    id->state = ID_ASKED;
    return id;
}

bool ei_sponsor_ids_ask(struct ei_worker *w, const char *const *sponsors, size_t count, void (*done)(void *context),
                        void *context)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (waiting == NULL)
        return false;
    if (w->sponsor_ids == NULL)
        w->sponsor_ids = calloc(1, sizeof *w->sponsor_ids);
    for (size_t i = 0; i < count && w->sponsor_ids != NULL && waiting->count < EI_SPONSORS_MOST; i++) {
        const struct sponsor_id *id = has_name(sponsors[i]) ? ask_for(w, sponsors[i]) : NULL;
        if (id != NULL)
            waiting->ids[waiting->count++] = id;
    }
    if (waiting->count == 0) {
        free(waiting);
        return false;
    }
    waiting->done = done;
    waiting->context = context;
    waiting->next = w->sponsor_ids->waiting;
    w->sponsor_ids->waiting = waiting;
    return true;
}

const char *ei_sponsor_ids_find(const struct ei_worker *w, const char *sponsor)
{
    const struct sponsor_id *id = has_name(sponsor) ? find(w->sponsor_ids, sponsor) : NULL;

    if (id == NULL || (id->state != ID_KNOWN && id->state != ID_MISSING))
        return sponsor;
    return id->state == ID_KNOWN ? id->object : NULL;
}

static bool among(const char *const *sponsors, size_t count, const char *sponsor)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(sponsors[i], sponsor) == 0)
            return true;
    return false;
}

void ei_sponsor_ids_apply(const struct ei_worker *w, struct ei_settings *settings)
{
    size_t kept = 0;

    for (size_t i = 0; i < settings->invite.sponsor_count; i++) {
        const char *object = ei_sponsor_ids_find(w, settings->sponsors[i]);
        if (object != NULL && !among(settings->sponsors, kept, object))
            settings->sponsors[kept++] = object;
    }
    settings->invite.sponsor_count = kept;
}

void ei_sponsor_ids_tell(const struct ei_worker *w, const struct ei_settings *settings, char note[EI_MESSAGE_MAX])
{
    for (size_t i = 0; i < settings->invite.sponsor_count; i++) {
        size_t used = strlen(note);
        if (ei_sponsor_ids_find(w, settings->sponsors[i]) == NULL)
            snprintf(note + used, EI_MESSAGE_MAX - used, "%sthe tenant has no user %s", used != 0 ? "; " : "",
                     ei_sponsor_user(settings->sponsors[i]));
    }
}

void ei_sponsor_ids_free(struct ei_worker *w)
{
    struct waiting *next;

    for (struct waiting *one = w->sponsor_ids != NULL ? w->sponsor_ids->waiting : NULL; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    free(w->sponsor_ids);
    w->sponsor_ids = NULL;
}

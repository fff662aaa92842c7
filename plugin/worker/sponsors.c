#include "plugin/worker/sponsors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "plugin/worker/answers.h"
#include "plugin/worker/clock.h"
#include "plugin/worker/machine.h"
#include "plugin/worker/sponsor_ids.h"
#include "plugin/worker/tell.h"

enum {
    SETTLE = 60 * 60, /* seconds in which a new guest may still come to be known everywhere (contract 7) */
    AGAIN = 60,       /* seconds until what is still to be done is tried again */
};

/* Adding to one guest. */
struct chain {
    struct ei_flight *flight;
    cJSON *wanted; /* of the record; those that the guest has are taken out */
    char crid[EI_GUID_TEXT];
    struct ei_error failed; /* of one that could not be added, EI_OK: none */
    bool later;             /* it may go better later */
};

/* --- before the invitation --- */

static char *as_json(const struct ei_graph_invite *invite)
{
    cJSON *list = cJSON_CreateArray();
    bool made = list != NULL;

    for (size_t i = 0; i < invite->sponsor_count && made; i++)
        made = ei_json_push(list, cJSON_CreateString(invite->sponsors[i]));
    char *text = made ? ei_json_print(list) : NULL;
    cJSON_Delete(list);
    return text;
}

static bool set_note(const struct ei_worker *w, struct ei_collaborator *c, const char *note)
{
    bool news = note != NULL && !ei_text_same(c->sponsor_note, note);

    if (news)
        ei_tell(w, LOG_NOTICE, EI_LOG_SPONSORS, c, NULL, "sponsors: %s", note);
    return ei_text_set(&c->sponsor_note, note);
}

static const char *note_of(const struct ei_settings *settings)
{
    return settings->sponsor_note[0] != '\0' ? settings->sponsor_note : NULL;
}

/* note_of, and who is known not to be there. */
static const char *full_note(const struct ei_worker *w, const struct ei_settings *settings, char note[EI_MESSAGE_MAX])
{
    memcpy(note, settings->sponsor_note, EI_MESSAGE_MAX);
    ei_sponsor_ids_tell(w, settings, note);
    return note[0] != '\0' ? note : NULL;
}

bool ei_sponsors_plan(struct ei_worker *w, struct ei_collaborator *c, const struct ei_settings *settings)
{
    if (settings->invite.sponsor_count == 0) {
        c->sponsoring = EI_SPONSORS_NONE;
        return ei_text_set(&c->sponsors, NULL) && set_note(w, c, note_of(settings));
    }
    char note[EI_MESSAGE_MAX];
    char *text = as_json(&settings->invite);
    bool refused = text != NULL && ei_text_same(c->sponsors, text) && c->sponsoring == EI_SPONSORS_APART;
    bool set =
        text != NULL && ei_text_set(&c->sponsors, text) && (refused || set_note(w, c, full_note(w, settings, note)));

    c->sponsoring = refused || w->sponsors_apart ? EI_SPONSORS_APART : EI_SPONSORS_SENT;
    cJSON_free(text);
    return set;
}

enum ei_err ei_sponsors_note_missing(struct ei_worker *w, struct ei_collaborator *c, const struct ei_settings *settings)
{
    char note[EI_MESSAGE_MAX] = "";

    ei_sponsor_ids_tell(w, settings, note);
    if (note[0] == '\0')
        return EI_OK;
    return set_note(w, c, full_note(w, settings, note)) ? ei_worker_save(w, c, NULL, NULL) : EI_NOMEM;
}

bool ei_sponsors_refused(const struct ei_worker *w, struct ei_collaborator *c, const struct ei_graph_result *result)
{
    bool maybe = result->outcome == EI_GRAPH_REJECTED &&
                 (result->status == 400 || result->status == 403 || result->status == 404);
    struct ei_error note;

    if (!maybe || c->sponsoring != EI_SPONSORS_SENT || c->job.reset)
        return false;
    c->sponsoring = EI_SPONSORS_APART;
    ei_fail(&note, EI_OK, "the invitation that names them was refused: %s", result->error.message);
    return set_note(w, c, note.message);
}

/* --- after it --- */

static void land(struct chain *chain)
{
    ei_machine_land(chain->flight);
    cJSON_Delete(chain->wanted);
    free(chain);
}

/* Still to be done: no later than in a minute, whenever the guest would be looked at. */
static void save(struct ei_worker *w, struct ei_collaborator *c, const char *event)
{
    bool open = c->sponsoring == EI_SPONSORS_SENT || c->sponsoring == EI_SPONSORS_APART;

    if (open && c->job.not_before > ei_now() + AGAIN)
        c->job.not_before = ei_now() + AGAIN;
    ei_worker_save(w, c, event, c->sponsor_note);
}

static void set_all(struct ei_worker *w, struct ei_collaborator *c)
{
    struct ei_settings settings;

    /* Whoever could be added was: then it is the form that is refused, and the next need not try it. */
    if (c->sponsoring == EI_SPONSORS_APART)
        w->sponsors_apart = true;
    c->sponsoring = EI_SPONSORS_SET;
    bool resolved = ei_settings_resolve(w->config, c, &settings, NULL) == EI_OK;
    ei_text_set(&c->sponsor_note, resolved ? note_of(&settings) : NULL);
    ei_settings_clear(&settings);
    save(w, c, "sponsors-set");
}

static void give_up(struct ei_worker *w, struct ei_collaborator *c, const char *note)
{
    c->sponsoring = EI_SPONSORS_NOT;
    set_note(w, c, note);
    save(w, c, "no-sponsors");
}

static bool young(const struct ei_collaborator *c)
{
    return ei_clock_within(c->url_at, SETTLE);
}

/* The guest of the chain, if its sponsors still are to be looked after; the caller frees it. */
static struct ei_collaborator *reload(struct chain *chain)
{
    struct ei_collaborator *c = ei_answer_reload(chain->flight);

    if (c != NULL && (c->guest_id == NULL || c->address_count == 0 || c->sponsors == NULL)) {
        ei_collaborator_free(c);
        return NULL;
    }
    return c;
}

static void finish(struct chain *chain, struct ei_worker *w, struct ei_collaborator *c)
{
    if (chain->failed.code == EI_OK)
        set_all(w, c);
    else if (!chain->later || !young(c))
        give_up(w, c, chain->failed.message);
    else if (set_note(w, c, chain->failed.message))
        save(w, c, NULL);
}

static ei_graph_plain_done on_added;

static const char *first_wanted(const struct chain *chain)
{
    return cJSON_GetStringValue(cJSON_GetArrayItem(chain->wanted, 0));
}

static void add_next(struct chain *chain, struct ei_worker *w, struct ei_collaborator *c);

/* The first of those that the guest lacks, its id asked for. */
static void add_first(struct chain *chain, struct ei_worker *w, struct ei_collaborator *c)
{
    const char *sponsor = first_wanted(chain);
    const char *object = ei_sponsor_ids_find(w, sponsor);

    if (object == NULL) {
        chain->later = true; /* it may be a new user */
        ei_fail(&chain->failed, EI_GRAPH_NOT_FOUND, "the tenant has no user %s", strchr(sponsor, '/') + 1);
        cJSON_DeleteItemFromArray(chain->wanted, 0);
        add_next(chain, w, c);
        return;
    }
    ei_guid_new(chain->crid);
    if (ei_graph_add_sponsor(w->graph, c->guest_id, object, chain->crid, on_added, chain) != EI_OK)
        land(chain);
}

static void on_id(void *context)
{
    struct chain *chain = context;
    struct ei_collaborator *c = reload(chain);

    if (c != NULL)
        add_first(chain, chain->flight->worker, c);
    else
        land(chain);
    ei_collaborator_free(c);
}

/* The next of those that the guest lacks; the last one ends the chain. */
static void add_next(struct chain *chain, struct ei_worker *w, struct ei_collaborator *c)
{
    const char *sponsor = first_wanted(chain);

    if (sponsor == NULL) {
        finish(chain, w, c);
        land(chain);
        return;
    }
    if (!ei_sponsor_ids_ask(w, &sponsor, 1, on_id, chain))
        add_first(chain, w, c);
}

static void note_failure(struct chain *chain, const struct ei_graph_result *result)
{
    const char *sponsor = first_wanted(chain);

    /* Not known (yet): of the guest, or of the sponsor. */
    chain->later = chain->later || result->status == 404;
    if (result->error.code == EI_PERMISSION)
        ei_fail(
            &chain->failed, EI_PERMISSION,
            "the guest does not have %s, and the app may not add it: grant User.ReadWrite.All and resend, or add the "
            "sponsor in Entra",
            sponsor);
    else
        ei_fail(&chain->failed, result->error.code, "%s: %s", sponsor, result->error.message);
}

static void on_added(void *context, const struct ei_graph_result *result)
{
    struct chain *chain = context;
    struct ei_worker *w = chain->flight->worker;
    struct ei_collaborator *c = reload(chain);

    if (c == NULL || (result->outcome != EI_GRAPH_DONE && result->outcome != EI_GRAPH_REJECTED) ||
        result->error.code == EI_THROTTLED || result->error.code == EI_UNAUTHORIZED) {
        if (c != NULL)
            save(w, c, NULL);
        land(chain);
    } else {
        if (result->outcome != EI_GRAPH_DONE)
            note_failure(chain, result);
        cJSON_DeleteItemFromArray(chain->wanted, 0);
        add_next(chain, w, c);
    }
    ei_collaborator_free(c);
}

static bool named(const char *sponsor, const char *const *names, size_t count)
{
    const char *slash = strchr(sponsor, '/');

    for (size_t i = 0; slash != NULL && i < count; i++)
        if (strcasecmp(slash + 1, names[i]) == 0)
            return true;
    return false;
}

static void take_out(cJSON *wanted, const char *const *names, size_t count)
{
    for (int i = cJSON_GetArraySize(wanted) - 1; i >= 0; i--) {
        const char *sponsor = cJSON_GetStringValue(cJSON_GetArrayItem(wanted, i));
        if (sponsor == NULL || named(sponsor, names, count))
            cJSON_DeleteItemFromArray(wanted, i);
    }
}

static void on_sponsors(void *context, const struct ei_graph_result *result, const char *const *names, size_t count)
{
    struct chain *chain = context;
    struct ei_worker *w = chain->flight->worker;
    struct ei_collaborator *c = reload(chain);
    bool denied = result->outcome != EI_GRAPH_DONE && result->error.code == EI_PERMISSION;

    if (c == NULL || (result->outcome != EI_GRAPH_DONE && !denied))
        goto land;
    take_out(chain->wanted, names, count);
    if (denied && c->sponsoring == EI_SPONSORS_SENT) {
        give_up(w, c, "it cannot be seen whether the guest has them: the app lacks User.Read.All");
    } else if (cJSON_GetArraySize(chain->wanted) == 0 || c->sponsoring != EI_SPONSORS_NOT) {
        add_next(chain, w, c);
        ei_collaborator_free(c);
        return;
    }
land:
    ei_collaborator_free(c);
    land(chain);
}

bool ei_sponsors_look(struct ei_worker *w, const struct ei_collaborator *c, struct ei_flight *flight)
{
    bool open = c->sponsoring == EI_SPONSORS_SENT || c->sponsoring == EI_SPONSORS_APART ||
                (c->sponsoring == EI_SPONSORS_NOT && young(c));

    if (!open || !ei_collaborator_looked_at(c) || c->error_permanent || c->sponsors == NULL || c->guest_id == NULL)
        return false;
    struct chain *chain = calloc(1, sizeof *chain);
    if (chain == NULL)
        return false;
    chain->flight = flight;
    chain->wanted = ei_json_parse(c->sponsors, strlen(c->sponsors));
    ei_guid_new(chain->crid);
    if (chain->wanted != NULL && ei_graph_sponsors(w->graph, c->guest_id, chain->crid, on_sponsors, chain) == EI_OK)
        return true;
    cJSON_Delete(chain->wanted);
    free(chain);
    return false;
}

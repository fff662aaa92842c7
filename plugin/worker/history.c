#include "plugin/worker/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/event.h"
#include "plugin/worker/transition.h"

static void add(cJSON *object, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        ei_json_add_text(object, name, value);
}

static bool names_error(const char *about, const struct ei_error *error)
{
    return error->code != EI_OK && ei_text_same(about, ei_err_name(error->code));
}

/* NULL where there is nothing to tell, or no memory: what is done counts more than what is told of it. */
static char *detail_of(const struct ei_collaborator *c, const char *event, const struct ei_event_facts *facts)
{
    const struct ei_event_word *word = ei_event_word(event);
    const struct ei_error *error = facts->error;
    bool named = names_error(facts->about, &c->error);
    cJSON *object = cJSON_CreateObject();

    if (error == NULL && c->error.code != EI_OK && (named || (word != NULL && word->fails)))
        error = &c->error;
    /* An attempt has its own id, and what was answered before is not about it. */
    const struct ei_error *ids = error != NULL && error->request_id[0] != '\0' ? error : facts->answer;
    add(object, "login", facts->login);
    add(object, "by", facts->by);
    add(object, "about", named ? NULL : facts->about);
    if (error != NULL) {
        add(object, "error", ei_err_name(error->code));
        add(object, "reason", error->message);
    }
    if (ids != NULL && c->job.crid[0] == '\0') {
        add(object, "requestId", ids->request_id);
        add(object, "clientRequestId", ids->client_request_id);
    }
    char *text = object != NULL && object->child != NULL ? ei_json_print(object) : NULL;
    cJSON_Delete(object);
    return text;
}

enum ei_err ei_history_put(struct ei_store *store, struct ei_collaborator *c, const char *event,
                           const struct ei_event_facts *facts, struct ei_error *err)
{
    char *detail = event != NULL ? detail_of(c, event, facts) : NULL;

    EI_TRANSITION_BEGIN(store, c->id);
    enum ei_err rc = ei_store_put(store, c, event, detail, err);
    if (rc == EI_OK)
        EI_TRANSITION_END(c, event);
    free(detail);
    return rc;
}

cJSON *ei_history_event(const struct ei_event *event)
{
    static const char *const members[] = {"login", "by", "error", "reason", "requestId"};
    cJSON *told = event->detail[0] == '{' ? ei_json_parse(event->detail, strlen(event->detail)) : NULL;
    const char *plain = told == NULL && event->detail[0] != '\0' ? event->detail : NULL; /* of an earlier version */
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "number", (double)event->number);
    ei_json_add_time(object, "at", event->at);
    ei_json_add_text(object, "event", event->event);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ei_json_add_text(object, members[i], ei_json_string(told, members[i]));
    ei_json_add_text(object, "about", plain != NULL ? plain : ei_json_string(told, "about"));
    ei_json_add_text(object, "clientRequestId",
                     event->crid[0] != '\0' ? event->crid : ei_json_string(told, "clientRequestId"));
    cJSON_Delete(told);
    return object;
}

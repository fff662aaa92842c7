#include "common/graph/echo.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/json.h"

enum { VALUE_MAX = 80 }; /* bytes of a value in a note */

struct echo {
    char *notes;
    size_t length;
};

static void note(struct echo *echo, const char *name, const char *sent, const char *answered)
{
    struct ei_error line; /* one line, whatever the values hold (S16) */

    ei_fail(&line, EI_GRAPH_ANSWER, "%s: \"%.*s\" was sent, Microsoft answered %s%.*s%s", name, VALUE_MAX, sent,
            answered != NULL ? "\"" : "", VALUE_MAX, answered != NULL ? answered : "null",
            answered != NULL ? "\"" : "");
    int written = snprintf(echo->notes + echo->length, EI_ECHO_NOTES_MAX - echo->length, "%s%s",
                           echo->length != 0 ? "\n" : "", line.message);
    if (written > 0 && (size_t)written < EI_ECHO_NOTES_MAX - echo->length)
        echo->length += (size_t)written;
    else
        echo->notes[echo->length] = '\0';
}

/* contract 2.2: "https://host" may come back as "https://host/". */
static bool same_url(const char *sent, const char *answered)
{
    size_t length = strlen(sent);

    return strncmp(sent, answered, length) == 0 && (answered[length] == '\0' || strcmp(answered + length, "/") == 0);
}

static bool same(const char *name, const char *sent, const char *answered)
{
    if (strcmp(name, "inviteRedirectUrl") == 0)
        return same_url(sent, answered);
    if (strcmp(name, "invitedUserEmailAddress") == 0 || strcmp(name, "address") == 0)
        return strcasecmp(sent, answered) == 0;
    return strcmp(sent, answered) == 0;
}

static void compare_text(struct echo *echo, const char *name, const cJSON *sent, const cJSON *answer)
{
    const char *wanted = ei_json_string(sent, name);
    const char *got = ei_json_string(answer, name);

    if (wanted != NULL && ei_json_has(answer, name) && (got == NULL || !same(name, wanted, got)))
        note(echo, name, wanted, got);
}

static void compare_truth(struct echo *echo, const char *name, const cJSON *sent, const cJSON *answer)
{
    bool wanted = ei_json_bool(sent, name, false);

    if (ei_json_has(answer, name) && ei_json_bool(answer, name, !wanted) != wanted)
        note(echo, name, wanted ? "true" : "false", wanted ? "false" : "true");
}

static const cJSON *first_recipient(const cJSON *info)
{
    return ei_json_object(cJSON_GetArrayItem(ei_json_array(info, "ccRecipients"), 0), "emailAddress");
}

static void compare_message(struct echo *echo, const cJSON *sent, const cJSON *answer)
{
    const cJSON *wanted = ei_json_object(sent, "invitedUserMessageInfo");
    const cJSON *got = ei_json_object(answer, "invitedUserMessageInfo");
    const char *cc = ei_json_string(first_recipient(wanted), "address");
    const char *cc_got = ei_json_string(first_recipient(got), "address");

    compare_text(echo, "customizedMessageBody", wanted, got);
    compare_text(echo, "messageLanguage", wanted, got);
    if (cc != NULL && ei_json_has(got, "ccRecipients") && (cc_got == NULL || strcasecmp(cc, cc_got) != 0))
        note(echo, "ccRecipients", cc, cc_got);
}

void ei_echo_compare(const char *sent, const cJSON *answer, char notes[EI_ECHO_NOTES_MAX])
{
    static const char *const texts[] = {"invitedUserEmailAddress", "inviteRedirectUrl", "invitedUserDisplayName",
                                        "invitedUserType"};
    static const char *const truths[] = {"sendInvitationMessage", "resetRedemption"};
    struct echo echo = {.notes = notes};
    cJSON *body = answer != NULL ? ei_json_parse(sent, strlen(sent)) : NULL;

    notes[0] = '\0';
    if (body == NULL)
        return;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        compare_text(&echo, texts[i], body, answer);
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++)
        compare_truth(&echo, truths[i], body, answer);
    compare_message(&echo, body, answer);
    cJSON_Delete(body);
}

#include "common/deliver/payload.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/secret.h"
#include "common/base/utf8.h"
#include "common/deliver/message.h"
#include "common/graph/memory.h"

static const char *url_of(const struct ei_chat *chat)
{
    return chat->kind != EI_TEMPLATE_SPONSOR && chat->values->url != NULL && chat->values->url[0] != '\0'
               ? chat->values->url
               : NULL;
}

/* --- json --- */

/* Bytes that are not well-formed UTF-8 are no JSON. */
static cJSON *make_text(const char *value)
{
    char *copy = strdup(value);
    cJSON *text = NULL;

    if (copy != NULL) {
        ei_utf8_repair(copy);
        text = cJSON_CreateString(copy);
        ei_free_erased(copy);
    }
    return text;
}

static bool add_text(cJSON *object, const char *name, const char *value)
{
    cJSON *text = value != NULL && value[0] != '\0' ? make_text(value) : cJSON_CreateNull();

    if (text != NULL && cJSON_AddItemToObject(object, name, text))
        return true;
    ei_graph_json_free(text);
    return false;
}

static bool add_hosts(cJSON *object, const struct ei_template_values *values)
{
    cJSON *hosts = cJSON_AddArrayToObject(object, "hosts");

    for (size_t i = 0; hosts != NULL && i < values->host_count; i++)
        if (!ei_json_push(hosts, make_text(values->hosts[i])))
            return false;
    return hosts != NULL;
}

static bool fill_json(cJSON *object, const struct ei_chat *chat)
{
    const struct ei_template_values *v = chat->values;

    return add_text(object, "event", ei_template_kind_name(chat->kind)) && add_text(object, "id", chat->id) &&
           add_text(object, "login", v->login) && add_text(object, "email", v->email) &&
           add_text(object, "name", v->name) && add_text(object, "rule", v->rule) && add_hosts(object, v) &&
           add_text(object, "sponsor", v->sponsor) && ei_json_add_time(object, "expires", v->expires) &&
           add_text(object, "url", url_of(chat)) && add_text(object, "subject", chat->subject) &&
           add_text(object, "text", chat->body);
}

/* --- slack --- */

static bool append_escaped(struct ei_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *escaped = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
        if (escaped != NULL ? !ei_buffer_append_text(out, escaped) : !ei_buffer_append(out, text, 1))
            return false;
    }
    return true;
}

static bool fill_slack(cJSON *object, const struct ei_chat *chat)
{
    struct ei_buffer text;

    ei_buffer_init(&text, 6 * (size_t)EI_TEMPLATE_TEXT_MAX);
    bool filled = append_escaped(&text, chat->subject) && ei_buffer_append_text(&text, "\n\n") &&
                  append_escaped(&text, chat->body) && add_text(object, "text", text.data) &&
                  cJSON_AddFalseToObject(object, "unfurl_links") != NULL &&
                  cJSON_AddFalseToObject(object, "unfurl_media") != NULL;
    ei_buffer_free(&text);
    return filled;
}

/* --- teams --- */

static cJSON *add_object(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    return ei_json_push(array, object) ? object : NULL;
}

/* One paragraph. */
static bool add_paragraph(cJSON *blocks, const char *text, size_t length, bool heading)
{
    cJSON *block = add_object(blocks);
    cJSON *inlines =
        block != NULL && add_text(block, "type", "RichTextBlock") ? cJSON_AddArrayToObject(block, "inlines") : NULL;
    cJSON *run = inlines != NULL ? add_object(inlines) : NULL;
    char *copy = run != NULL ? strndup(text, length) : NULL;
    bool added = copy != NULL && add_text(run, "type", "TextRun") && add_text(run, "text", copy) &&
                 (!heading || (add_text(run, "weight", "Bolder") && add_text(run, "size", "Medium")));

    ei_free_erased(copy);
    return added;
}

/* The lines between two empty ones are one paragraph: a card's text has line breaks. */
static bool add_paragraphs(cJSON *blocks, const char *body)
{
    while (*body != '\0') {
        const char *end = strstr(body, "\n\n");
        size_t length = end != NULL ? (size_t)(end - body) : strlen(body);
        size_t shown = length;
        while (shown != 0 && body[shown - 1] == '\n')
            shown--;
        if (shown != 0 && !add_paragraph(blocks, body, shown, false))
            return false;
        body += length;
        body += strspn(body, "\n");
    }
    return true;
}

static bool add_button(cJSON *card, const struct ei_chat *chat)
{
    const char *url = url_of(chat);
    cJSON *actions = url != NULL ? cJSON_AddArrayToObject(card, "actions") : NULL;
    cJSON *action = actions != NULL ? add_object(actions) : NULL;

    return url == NULL || (action != NULL && add_text(action, "type", "Action.OpenUrl") &&
                           add_text(action, "title", chat->subject) && add_text(action, "url", url));
}

static bool fill_card(cJSON *card, const struct ei_chat *chat)
{
    if (!add_text(card, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json") ||
        !add_text(card, "type", "AdaptiveCard") || !add_text(card, "version", "1.4"))
        return false;
    cJSON *blocks = cJSON_AddArrayToObject(card, "body");
    return blocks != NULL && add_paragraph(blocks, chat->subject, strlen(chat->subject), true) &&
           add_paragraphs(blocks, chat->body) && add_button(card, chat);
}

static bool fill_teams(cJSON *object, const struct ei_chat *chat)
{
    if (!add_text(object, "type", "message"))
        return false;
    cJSON *attachments = cJSON_AddArrayToObject(object, "attachments");
    cJSON *attachment = attachments != NULL ? add_object(attachments) : NULL;
    if (attachment == NULL || !add_text(attachment, "contentType", "application/vnd.microsoft.card.adaptive") ||
        !add_text(attachment, "contentUrl", NULL))
        return false;
    cJSON *card = cJSON_AddObjectToObject(attachment, "content");
    return card != NULL && fill_card(card, chat);
}

/* --- */

static enum ei_err check(const struct ei_chat *chat, struct ei_error *err)
{
    if (chat->values == NULL || (unsigned)chat->kind >= EI_TEMPLATE_KINDS)
        return ei_fail(err, EI_USAGE, "the chat message has no values or no kind");
    if (!ei_message_token(chat->id, SIZE_MAX))
        return ei_fail(err, EI_USAGE, "the chat message's id must be letters, digits and '-'");
    if (chat->subject == NULL || chat->subject[0] == '\0' || !ei_utf8_printable(chat->subject))
        return ei_fail(err, EI_USAGE, "the chat message's subject must be one line of UTF-8");
    if (chat->body == NULL || !ei_utf8_text(chat->body, strlen(chat->body)))
        return ei_fail(err, EI_USAGE, "the chat message's body must be UTF-8 without control characters");
    return EI_OK;
}

enum ei_err ei_payload_write(enum ei_webhook_format format, const struct ei_chat *chat, struct ei_buffer *out,
                             struct ei_error *err)
{
    enum ei_err rc = check(chat, err);

    if (rc != EI_OK)
        return rc;
    cJSON *object = cJSON_CreateObject();
    bool filled = object != NULL;
    if (filled && format == EI_WEBHOOK_SLACK)
        filled = fill_slack(object, chat);
    else if (filled && format == EI_WEBHOOK_TEAMS)
        filled = fill_teams(object, chat);
    else if (filled)
        filled = fill_json(object, chat);
    filled = filled && ei_json_append(out, object);
    ei_graph_json_free(object);
    return filled ? EI_OK : ei_fail(err, EI_NOMEM, "no memory for the message");
}

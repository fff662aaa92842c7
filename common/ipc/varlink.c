#include "common/ipc/varlink.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/utf8.h"

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool names_unique(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    size_t i = 0;
    bool unique = true;

    if (count < 2)
        return true;
    const char **names = calloc(count, sizeof *names);
    if (names == NULL)
        return false;
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        names[i++] = item->string;
    qsort(names, count, sizeof *names, by_name);
    for (i = 1; i < count && unique; i++)
        unique = strcmp(names[i - 1], names[i]) != 0;
    free(names);
    return unique;
}

/* Recursion is bounded: ei_json_parse lets no more than 64 levels through. */
static bool unambiguous(const cJSON *value)
{
    if (cJSON_IsObject(value) && !names_unique(value))
        return false;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        if (!unambiguous(item))
            return false;
    return true;
}

enum ei_err ei_varlink_take(struct ei_buffer *input, cJSON **ret_message)
{
    *ret_message = NULL;
    if (input->length == 0)
        return EI_OK;
    const char *end = memchr(input->data, '\0', input->length);
    if (end == NULL)
        return EI_OK;

    size_t length = (size_t)(end - input->data);
    cJSON *message = NULL;
    if (ei_utf8_valid(input->data, length))
        message = ei_json_parse(input->data, length);
    ei_buffer_consume(input, length + 1);
    if (message == NULL)
        return EI_PROTOCOL;
    if (!cJSON_IsObject(message) || !unambiguous(message)) {
        ei_varlink_free(message);
        return EI_PROTOCOL;
    }
    *ret_message = message;
    return EI_OK;
}

enum ei_err ei_varlink_put(struct ei_buffer *output, const cJSON *message)
{
    struct ei_buffer text;

    ei_buffer_init(&text, EI_VARLINK_REPLY_MAX);
    bool put = ei_json_append(&text, message);
    if (put) {
        ei_utf8_repair(text.data);
        put = ei_buffer_append(output, text.data, strlen(text.data) + 1);
    }
    ei_buffer_free(&text);
    return put ? EI_OK : EI_NOMEM;
}

static void erase_strings(cJSON *value)
{
    if (value->valuestring != NULL)
        explicit_bzero(value->valuestring, strlen(value->valuestring));
    for (cJSON *item = value->child; item != NULL; item = item->next)
        erase_strings(item);
}

void ei_varlink_free(cJSON *message)
{
    if (message != NULL)
        erase_strings(message);
    cJSON_Delete(message);
}

#include "common/base/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

enum { MAX_DEPTH = 64, MAX_VALUES = 500 * 1000 };

static _Thread_local bool lacked;

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    lacked |= memory == NULL;
    return memory;
}

/* Before main: nothing is allocated by one and freed by the other. */
__attribute__((constructor)) static void set_allocator(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){allocate, free});
}

bool ei_json_lacked(void)
{
    bool answer = lacked;

    lacked = false;
    return answer;
}

/* cJSON allows 1,000 levels, truncates at \u0000, and makes some 80 bytes of a value that is sent in two; so all three
 * are refused before it sees the text. */
static bool acceptable(const char *text, size_t length)
{
    bool in_string = false;
    int depth = 0;
    int values = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\0')
            return false;
        if (in_string) {
            if (c == '\\') {
                if (length - i >= 6 && strncmp(text + i + 1, "u0000", 5) == 0)
                    return false;
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if ((c == '{' || c == '[') && ++depth > MAX_DEPTH) {
            return false;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == ',' && ++values > MAX_VALUES) {
            return false;
        }
    }
    return true;
}

cJSON *ei_json_parse(const char *text, size_t length)
{
    const char *end = NULL;

    if (text == NULL || !acceptable(text, length))
        return NULL;
    bool before = lacked;
    cJSON *value = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (value == NULL) {
        lacked = before; /* the caller knows */
        return NULL;
    }
    while (end < text + length && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (end != text + length) {
        cJSON_Delete(value);
        return NULL;
    }
    return value;
}

const char *ei_json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

const cJSON *ei_json_object(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsObject(item) ? item : NULL;
}

const cJSON *ei_json_array(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsArray(item) ? item : NULL;
}

bool ei_json_bool(const cJSON *object, const char *name, bool fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

bool ei_json_int(const cJSON *object, const char *name, int64_t *ret_value)
{
    static const double exact = 9007199254740992.0; /* 2^53: beyond it a double is no whole number any more */
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (cJSON_IsNumber(item)) {
        double value = item->valuedouble;
        if (!(value >= -exact && value <= exact) || value != floor(value))
            return false;
        *ret_value = (int64_t)value;
        return true;
    }
    const char *text = cJSON_GetStringValue(item);
    if (text == NULL || *text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    *ret_value = value;
    return true;
}

bool ei_json_has(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

bool ei_json_add_text(cJSON *object, const char *name, const char *value)
{
    if (value == NULL)
        return cJSON_AddNullToObject(object, name) != NULL;
    return cJSON_AddStringToObject(object, name, value) != NULL;
}

bool ei_json_add_time(cJSON *object, const char *name, int64_t t)
{
    char text[EI_TIME_TEXT];

    if (t == 0)
        return cJSON_AddNullToObject(object, name) != NULL;
    ei_time_format(t, text);
    return cJSON_AddStringToObject(object, name, text) != NULL;
}

bool ei_json_add_item(cJSON *object, const char *name, cJSON *item)
{
    bool added = cJSON_AddItemToObject(object, name, item);

    if (!added)
        cJSON_Delete(item);
    return added;
}

bool ei_json_push(cJSON *array, cJSON *item)
{
    bool added = cJSON_AddItemToArray(array, item);

    if (!added)
        cJSON_Delete(item);
    return added;
}

cJSON *ei_json_error(const struct ei_error *error, bool permanent)
{
    cJSON *object = cJSON_CreateObject();

    if (object == NULL)
        return NULL;
    ei_json_add_text(object, "code", ei_err_name(error->code));
    ei_json_add_text(object, "message", error->message);
    ei_json_add_text(object, "mend", ei_err_mend(error->code));
    ei_json_add_text(object, "requestId", error->request_id[0] != '\0' ? error->request_id : NULL);
    ei_json_add_text(object, "clientRequestId", error->client_request_id[0] != '\0' ? error->client_request_id : NULL);
    cJSON_AddBoolToObject(object, "permanent", permanent);
    return object;
}

char *ei_json_print(const cJSON *value)
{
    char *text = ei_json_lacked() ? NULL : cJSON_PrintUnformatted(value);

    lacked = false; /* the caller knows */
    return text;
}

bool ei_json_append(struct ei_buffer *out, const cJSON *value)
{
    enum { ROOM_FIRST = 4096 };

    if (ei_json_lacked())
        return false;
    /* cJSON_Print grows by realloc, which leaves copies behind; so the room is ours. */
    for (size_t room = ROOM_FIRST; room <= 2 * out->limit + ROOM_FIRST && room <= INT_MAX; room *= 2) {
        char *text = malloc(room);
        if (text == NULL)
            return false;
        bool printed = cJSON_PrintPreallocated((cJSON *)value, text, (int)room, 0);
        bool put = printed && ei_buffer_append_text(out, text);
        explicit_bzero(text, room);
        free(text);
        if (printed)
            return put;
    }
    return false;
}

#include "common/graph/odata.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

bool ei_odata_encode(struct ei_buffer *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        char hex[4];
        if (is_unreserved(*c)) {
            if (!ei_buffer_append(out, c, 1))
                return false;
            continue;
        }
        snprintf(hex, sizeof hex, "%%%02X", *c);
        if (!ei_buffer_append(out, hex, 3))
            return false;
    }
    return true;
}

static bool append_doubled(struct ei_buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (!ei_buffer_append(out, text, 1) || (*text == '\'' && !ei_buffer_append(out, text, 1)))
            return false;
    return true;
}

char *ei_odata_reference(const char *url)
{
    cJSON *json = cJSON_CreateObject();
    char *body = ei_json_add_text(json, "@odata.id", url) ? ei_json_print(json) : NULL;

    cJSON_Delete(json);
    return body;
}

bool ei_odata_literal(struct ei_buffer *out, const char *prefix, const char *text)
{
    return ei_buffer_append_text(out, "'") && append_doubled(out, prefix) && append_doubled(out, text) &&
           ei_buffer_append_text(out, "'");
}

bool ei_odata_filter(struct ei_buffer *out, const char *pattern, const char *text)
{
    enum { PREFIX_MAX = 16 };

    for (;;) {
        char prefix[PREFIX_MAX];
        const char *open = strchr(pattern, '{');
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL)
            return ei_buffer_append_text(out, pattern);
        if (close - open > PREFIX_MAX)
            return false;
        snprintf(prefix, sizeof prefix, "%.*s", (int)(close - open - 1), open + 1);
        if (!ei_buffer_append(out, pattern, (size_t)(open - pattern)) || !ei_odata_literal(out, prefix, text))
            return false;
        pattern = close + 1;
    }
}

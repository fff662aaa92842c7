#include <curl/curl.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/graph/errors.h"

void ei_graph_text(char *out, size_t size, const char *in)
{
    size_t used = 0;

    while (*in != '\0') {
        size_t length = ei_utf8_length(in);
        if (*in == ' ' || (length != 0 && ei_utf8_control(in))) {
            if (used != 0 && out[used - 1] != ' ' && used + 1 < size)
                out[used++] = ' ';
            in += length;
            continue;
        }
        size_t step = length != 0 ? length : 1;
        if (used + step >= size)
            break;
        memcpy(out + used, length != 0 ? in : "?", step);
        used += step;
        in += step;
    }
    if (used != 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

void ei_graph_request_id(char out[EI_REQUEST_ID_MAX], const char *in)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    size_t length = in != NULL ? strlen(in) : 0;

    out[0] = '\0';
    if (length != 0 && length < EI_REQUEST_ID_MAX && strspn(in, allowed) == length)
        memcpy(out, in, length + 1);
}

void ei_graph_redirected(const struct ei_answer *answer, struct ei_error *err)
{
    char host[128] = "";
    char *found = NULL;
    CURLU *url = answer->location != NULL ? curl_url() : NULL;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, answer->location, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &found, 0) == CURLUE_OK)
        ei_graph_text(host, sizeof host, found);
    curl_free(found);
    curl_url_cleanup(url);
    ei_fail(err, EI_REDIRECTED, "the server answered %ld, a redirect%s%s, which is never followed", answer->status,
            host[0] != '\0' ? " to " : "", host);
}

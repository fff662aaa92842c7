#include "common/graph/link.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/base/text.h"

static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool printable(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++, length++)
        if (*text <= 0x20 || *text >= 0x7f || length >= EI_LINK_MAX)
            return false;
    return length != 0;
}

static CURLU *parse(const char *text)
{
    CURLU *url = printable(text) ? curl_url() : NULL;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK) {
        curl_url_cleanup(url);
        return NULL;
    }
    return url;
}

static bool has(CURLU *url, CURLUPart what)
{
    char *text = part(url, what, 0);
    bool there = text != NULL;

    curl_free(text);
    return there;
}

static bool same(CURLU *a, CURLU *b, CURLUPart what)
{
    char *of_a = part(a, what, CURLU_DEFAULT_PORT);
    char *of_b = part(b, what, CURLU_DEFAULT_PORT);
    bool equal = of_a != NULL && of_b != NULL && strcasecmp(of_a, of_b) == 0;

    curl_free(of_a);
    curl_free(of_b);
    return equal;
}

static bool is_https(CURLU *url)
{
    char *scheme = part(url, CURLUPART_SCHEME, 0);
    bool https = scheme != NULL && strcasecmp(scheme, "https") == 0;

    curl_free(scheme);
    return https;
}

bool ei_link_on_root(const char *link, const char *root)
{
    bool on_root = false;
    CURLU *a = parse(link);
    CURLU *b = parse(root);

    if (a != NULL && b != NULL)
        on_root = is_https(a) && is_https(b) && same(a, b, CURLUPART_HOST) && same(a, b, CURLUPART_PORT) &&
                  !has(a, CURLUPART_USER) && !has(a, CURLUPART_PASSWORD) && !has(a, CURLUPART_FRAGMENT);
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return on_root;
}

bool ei_link_read(const cJSON *page, const char *name, const char **ret_link)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(page, name);

    *ret_link = cJSON_GetStringValue(item);
    return item == NULL || cJSON_IsNull(item) || *ret_link != NULL;
}

bool ei_circle_closed(struct ei_circle *circle, const char *link)
{
    if (ei_text_same(circle->mark, link))
        return true;
    if (circle->steps == circle->limit) {
        free(circle->mark);
        circle->mark = strdup(link); /* without memory a circle is noticed later */
        circle->limit = 2 * circle->limit + 1;
        circle->steps = 0;
    }
    circle->steps++;
    return false;
}

void ei_circle_clear(struct ei_circle *circle)
{
    free(circle->mark);
    *circle = (struct ei_circle){0};
}

/* By number, for a name means what the resolver says; but localhost is the machine itself (RFC 6761, 6.3). */
static bool is_local(CURLU *url)
{
    struct in6_addr six;
    struct in_addr four;
    bool local = false;
    char *host = part(url, CURLUPART_HOST, 0);
    size_t length = host != NULL ? strlen(host) : 0;

    if (length > 2 && host[0] == '[') {
        host[length - 1] = '\0';
        local = inet_pton(AF_INET6, host + 1, &six) == 1 && (IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six));
    } else if (length != 0 && inet_pton(AF_INET, host, &four) == 1) {
        uint32_t number = ntohl(four.s_addr);
        local = number >> 24 == 127 || number >> 16 == ((169 << 8) | 254);
    } else if (length != 0) {
        local = strcasecmp(host, "localhost") == 0;
    }
    curl_free(host);
    return local;
}

enum ei_err ei_link_check_identity(const char *what, const char *url_text, struct ei_error *err)
{
    enum ei_err rc = EI_OK;
    CURLU *url = strlen(url_text) <= EI_LINK_IDENTITY_MAX ? parse(url_text) : NULL;
    char *scheme = url != NULL ? part(url, CURLUPART_SCHEME, 0) : NULL;

    if (scheme == NULL || (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
        rc = ei_fail(err, EI_CONFIG, "%s: \"%.200s\" is no http or https URL", what, url_text);
    else if (!is_https(url) && !is_local(url))
        rc = ei_fail(err, EI_CONFIG, "%s: \"%.200s\" must be https, or http on a loopback or link-local address", what,
                     url_text);
    else if (has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD) || has(url, CURLUPART_QUERY) ||
             has(url, CURLUPART_FRAGMENT))
        rc = ei_fail(err, EI_CONFIG, "%s: it holds a user name, or something behind the path", what);
    curl_free(scheme);
    curl_url_cleanup(url);
    return rc;
}

enum ei_err ei_link_check_root(const char *key, const char *root, struct ei_error *err)
{
    enum ei_err rc = EI_OK;
    CURLU *url = root != NULL ? parse(root) : NULL;

    if (url == NULL)
        return ei_fail(err, EI_CONFIG, "%s: \"%.200s\" is not a URL", key, root != NULL ? root : "");
    char *path = part(url, CURLUPART_PATH, 0);
    if (!is_https(url))
        rc = ei_fail(err, EI_CONFIG, "%s: \"%.200s\" does not begin with https://", key, root);
    else if (has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD))
        rc = ei_fail(err, EI_CONFIG, "%s: holds a user name or password", key);
    else if (root[strlen(root) - 1] == '/' || (path != NULL && strcmp(path, "/") != 0) || has(url, CURLUPART_QUERY) ||
             has(url, CURLUPART_FRAGMENT))
        rc = ei_fail(err, EI_CONFIG, "%s: \"%.200s\" has something behind the host and port", key, root);
    curl_free(path);
    curl_url_cleanup(url);
    return rc;
}

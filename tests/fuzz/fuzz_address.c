/*
 * Addresses, and text from outside inside a URL (T3, S30, contract 2.4 and 3). The input is one text.
 *
 * An address is taken if, and only if, the documented rules allow it, and is then sent as it was written, an
 * internationalised domain as A-labels, which are taken again as they are. Whatever the text: quoted for OData and
 * percent-encoded, a decoder of this file's own gets the same text back, once for each place where it was put, and
 * nothing else of the URL has changed. What can be no address reaches no URL.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/account/address.h"
#include "common/config/config.h"
#include "common/graph/odata.h"
#include "common/graph/sponsors.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/graph_world.h"

enum { ROOM = 256 * 1024, LITERALS_MAX = 16 };

/* --- the decoders --- */

static int hex(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    EI_MUST(at != NULL);
    return (int)(at - digits);
}

/* What is not encoded must not mean anything in a URL. To be freed by the caller. */
static char *percent_decode(const char *text, size_t length)
{
    char *out = malloc(length + 1), *to = out;

    EI_MUST(out != NULL);
    for (const char *c = text; c < text + length; c++) {
        if (*c == '%') {
            EI_MUST(text + length - c >= 3);
            *to++ = (char)(hex(c[1]) * 16 + hex(c[2]));
            c += 2;
        } else {
            EI_MUST(isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL);
            *to++ = *c;
        }
    }
    *to = '\0';
    return out;
}

struct literals {
    char *text[LITERALS_MAX];
    size_t count;
};

static void free_literals(struct literals *literals)
{
    while (literals->count != 0)
        free(literals->text[--literals->count]);
}

/* Takes the quoted texts out of a filter, as OData's grammar has them; rest is the filter with '' in their place. */
static void read_filter(const char *filter, struct literals *literals, char *rest)
{
    literals->count = 0;
    while (*filter != '\0') {
        *rest++ = *filter;
        if (*filter++ != '\'')
            continue;
        char *to = literals->text[literals->count] = malloc(strlen(filter) + 1);
        EI_MUST(to != NULL && ++literals->count < LITERALS_MAX);
        while (filter[0] != '\'' || filter[1] == '\'') {
            EI_MUST(filter[0] != '\0');
            filter += filter[0] == '\'';
            *to++ = *filter++;
        }
        *to = '\0';
        filter++;
        *rest++ = '\'';
    }
    *rest = '\0';
}

/* --- quoting --- */

static void quote(const char *text)
{
    static const char pattern[] = "mail eq {} or proxyAddresses/any(x:x eq {SMTP:}) or n eq {}";
    static const char outside[] = "mail eq '' or proxyAddresses/any(x:x eq '') or n eq ''";
    struct ei_buffer filter, encoded;
    struct literals literals;

    ei_buffer_init(&filter, ROOM);
    ei_buffer_init(&encoded, ROOM);
    EI_MUST(ei_odata_filter(&filter, pattern, text));
    EI_MUST(ei_odata_encode(&encoded, filter.data));
    char *decoded = percent_decode(encoded.data, encoded.length);
    char *rest = malloc(strlen(decoded) + 1);
    EI_MUST(rest != NULL && strcmp(decoded, filter.data) == 0);
    read_filter(decoded, &literals, rest);
    EI_MUST(strcmp(rest, outside) == 0 && literals.count == 3);
    EI_MUST(strcmp(literals.text[0], text) == 0 && strcmp(literals.text[2], text) == 0);
    EI_MUST(strncmp(literals.text[1], "SMTP:", 5) == 0 && strcmp(literals.text[1] + 5, text) == 0);
    free_literals(&literals);
    free(rest);
    free(decoded);
    ei_buffer_free(&filter);
    ei_buffer_free(&encoded);
}

/* --- look-ups, as they would be sent --- */

static bool addressable(const char *text)
{
    size_t length = strlen(text);

    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\,;:()[]{}|", *c) != NULL)
            return false;
    return length != 0 && length <= 320;
}

static struct {
    unsigned count;
    struct ei_graph_result result;
} ended;

static void on_users(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                     size_t count)
{
    (void)context;
    EI_MUST(users == NULL && count == 0);
    ei_world_judge(result, EI_SERVICE_GRAPH);
    ended.count++;
    ended.result = *result;
}

static void on_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    (void)context;
    EI_MUST(user == NULL);
    ei_world_judge(result, EI_SERVICE_GRAPH);
    ended.count++;
}

/* The value of the one $filter; the query has it and $select, and nothing that the address has brought. */
static char *filter_of(const char *url)
{
    static const char name[] = "&$filter=";
    const char *query = strchr(url, '?'), *filter = strstr(url, name);

    EI_MUST(query != NULL && filter != NULL && strchr(url, '#') == NULL);
    EI_MUST(strncmp(query, "?$select=", strlen("?$select=")) == 0 &&
            strcspn(query + 1, "&?") == (size_t)(filter - query - 1));
    filter += strlen(name);
    EI_MUST(strpbrk(filter, "&?=+") == NULL);
    return percent_decode(filter, strlen(filter));
}

static void judge_literal(const char *literal, const char *address)
{
    static const char guests[] = "#EXT#@contoso.onmicrosoft.com";
    const char *at = strrchr(address, '@');
    char own[1024];

    snprintf(own, sizeof own, "%.*s_%s%s", at != NULL ? (int)(at - address) : 0, address, at != NULL ? at + 1 : "",
             guests);
    EI_MUST(strcmp(literal, address) == 0 || strcmp(literal, "mail") == 0 || strcmp(literal, own) == 0 ||
            (strncasecmp(literal, "SMTP:", 5) == 0 && strcmp(literal + 5, address) == 0));
}

static void look_up(const char *text, bool deleted, bool with_domain)
{
    struct ei_graph *graph = ei_world_new();
    struct ei_request *request;
    unsigned sent = 0;

    ended.count = 0;
    if (with_domain)
        graph->guest_domains[0] = strdup("contoso.onmicrosoft.com");
    EI_MUST((deleted ? ei_graph_find_deleted : ei_graph_find_users)(graph, text, NULL, on_users, NULL) == EI_OK);
    for (; (request = ei_world_next(graph, false)) != NULL && sent < 8; sent++) {
        struct literals literals;
        char *filter = filter_of(request->url);
        char *rest = malloc(strlen(filter) + 1);
        EI_MUST(rest != NULL);
        read_filter(filter, &literals, rest);
        EI_MUST(literals.count != 0);
        for (size_t i = 0; i < literals.count; i++)
            judge_literal(literals.text[i], text);
        free_literals(&literals);
        free(rest);
        free(filter);
        ei_world_answer(request, 400, "", 0, NULL); /* so that the plainer forms are seen too */
    }
    ei_graph_dispatch(graph);
    EI_MUST((sent != 0) == addressable(text) && ended.count == 1);
    EI_MUST(sent != 0 || (ended.result.outcome == EI_GRAPH_NOT_SENT && ended.result.error.code == EI_BAD_ADDRESS));
    ei_graph_free(graph);
}

static void name_in_path(const char *text)
{
    static const char before[] = EI_WORLD_ROOT "/v1.0/users/", behind[] = "?$select=id,mail";
    struct ei_graph *graph = ei_world_new();
    enum ei_err rc = ei_graph_find_user_id(graph, text, NULL, on_user, NULL);

    EI_MUST(rc == EI_OK || strlen(text) > 600);
    if (rc == EI_OK) {
        struct ei_request *request = ei_world_next(graph, false);
        EI_MUST(strncmp(request->url, before, strlen(before)) == 0);
        const char *segment = request->url + strlen(before);
        size_t length = strcspn(segment, "/?#&");
        char *decoded = percent_decode(segment, length);
        EI_MUST(strcmp(decoded, text) == 0 && strcmp(segment + length, behind) == 0);
        free(decoded);
        ei_world_answer(request, 404, "", 0, NULL);
    }
    ei_graph_free(graph);
}

static void sponsor(const char *text)
{
    char read[EI_SPONSOR_SIZE];
    struct ei_error err;
    struct ei_buffer url;
    enum ei_err rc = ei_sponsor_read(text, read, &err);

    if (rc != EI_OK) {
        ei_fuzz_judge_error(rc, &err);
        return;
    }
    if (strcmp(read, EI_SPONSOR_REQUESTER) == 0)
        return;
    const char *kind = strncmp(read, "groups/", 7) == 0 ? "groups/" : "users/";
    ei_buffer_init(&url, EI_SPONSOR_URL_MAX);
    EI_MUST(strncmp(read, kind, strlen(kind)) == 0 && ei_sponsor_url(&url, EI_WORLD_ROOT, read));
    const char *last = strrchr(url.data, '/') + 1;
    char *decoded = percent_decode(last, strlen(last));
    EI_MUST(strcmp(decoded, read + strlen(kind)) == 0);
    EI_MUST(strcmp(decoded, ".") != 0 && strcmp(decoded, "..") != 0);
    free(decoded);
    ei_buffer_free(&url);
}

/* --- the rules --- */

static bool label_good(const char *label, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)label[i]) && label[i] != '-')
            return false;
    return length >= 1 && length <= 63 && label[0] != '-' && label[length - 1] != '-';
}

static bool domain_good(const char *domain)
{
    size_t labels = 0, length = 0;
    const char *label = domain, *last = domain;

    for (;; label += length + 1, labels++) {
        length = strcspn(label, ".");
        last = label;
        if (!label_good(label, length))
            return false;
        if (label[length] == '\0')
            break;
    }
    return labels >= 1 && strlen(domain) <= 253 && strspn(last, "0123456789") != strlen(last);
}

/* contract 2.4, of an address in ASCII. */
static bool address_good(const char *text)
{
    const char *at = strchr(text, '@');
    size_t local = at != NULL ? (size_t)(at - text) : 0;

    if (at == NULL || strchr(at + 1, '@') != NULL || local < 1 || local > 64 || strlen(text) > 254)
        return false;
    for (size_t i = 0; i < local; i++)
        if (!isalnum((unsigned char)text[i]) && strchr(".-_'`", text[i]) == NULL)
            return false;
    if (strchr(".-", text[0]) != NULL || strchr(".-", text[local - 1]) != NULL)
        return false;
    const char *dots = strstr(text, "..");
    return (dots == NULL || dots > at) && domain_good(at + 1);
}

static bool all_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

static void check(const char *text)
{
    char address[EI_ADDRESS_SIZE], again[EI_ADDRESS_SIZE], domain[EI_ADDRESS_SIZE];
    struct ei_error err;
    enum ei_err rc = ei_address_check(text, address, &err);

    EI_MUST(rc == EI_OK || rc == EI_BAD_ADDRESS);
    EI_MUST((rc == EI_OK) == (address[0] != '\0'));
    if (all_ascii(text) && strcasestr(text, "xn--") == NULL)
        EI_MUST((rc == EI_OK) == address_good(text) && (rc != EI_OK || strcmp(address, text) == 0));
    if (rc != EI_OK) {
        ei_fuzz_judge_error(rc, &err);
        return;
    }
    EI_MUST(address_good(address) && addressable(address));
    EI_MUST(ei_address_check(address, again, &err) == EI_OK && strcmp(address, again) == 0);
    EI_MUST(ei_domain_normalize(ei_address_domain(address), domain, sizeof domain, &err) == EI_OK);
    const char *const listed[] = {"other.example", domain};
    EI_MUST(ei_address_domain_listed(address, listed, 2) &&
            !ei_address_domain_listed(address, listed, 1) == (strcmp(domain, listed[0]) != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ei_input input = {data, size};
    char *text = ei_input_line(&input, '\0');

    ei_fuzz_listen();
    check(text);
    quote(text);
    look_up(text, false, false);
    look_up(text, false, true);
    look_up(text, true, false);
    name_in_path(text);
    sponsor(text);
    char *said = ei_fuzz_heard();
    EI_MUST(ei_fuzz_lines(said, "fuzz: "));
    free(said);
    free(text);
    return 0;
}

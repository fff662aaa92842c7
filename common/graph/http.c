#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/paths.h"
#include "common/graph/request.h"
#include "common/graph/transfer.h"

enum { CONNECT_TIMEOUT_MS = 10 * 1000, LOW_SPEED_BYTES = 16, LOW_SPEED_SECONDS = 45 };

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct ei_request *request = context;

    if (ei_buffer_append(&request->answer, data, size * count))
        return size * count;
    request->too_large = true;
    return 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct ei_request *request = context;
    size_t length = size * count;

    request->header_bytes += length;
    if (request->header_bytes > EI_HEADERS_MAX) {
        request->too_large = true;
        return 0;
    }
    if (length >= 5 && strncmp(data, "HTTP/", 5) == 0) /* what came before was an interim answer's */
        ei_request_forget_headers(request);
    ei_transfer_keep_header(data, length, "Retry-After", request->retry_after, sizeof request->retry_after);
    ei_transfer_keep_header(data, length, "Date", request->date, sizeof request->date);
    ei_transfer_keep_header(data, length, request->service == EI_SERVICE_GRAPH ? "request-id" : "x-ms-request-id",
                            request->request_id, sizeof request->request_id);
    if (request->service == EI_SERVICE_GRAPH)
        ei_transfer_keep_header(data, length, "client-request-id", request->answered_id, sizeof request->answered_id);
    ei_transfer_keep_header(data, length, "WWW-Authenticate", request->challenge, sizeof request->challenge);
    return length;
}

static bool add_header(struct ei_request *request, const char *line)
{
    struct curl_slist *list = curl_slist_append(request->headers, line);

    if (list == NULL)
        return false;
    request->headers = list;
    return true;
}

/* A header of our own and not CURLOPT_XOAUTH2_BEARER: it can be erased after use (K4), and with no redirects it goes
 * to the one host of the URL. */
static bool add_authorization(struct ei_request *request)
{
    struct ei_buffer line;
    bool added;

    ei_buffer_init(&line, EI_HEADERS_MAX);
    added = ei_buffer_append_text(&line, "Authorization: Bearer ") &&
            ei_buffer_append_text(&line, request->graph->token.value.data) && add_header(request, line.data);
    ei_buffer_free(&line);
    return added;
}

static bool add_headers(struct ei_request *request)
{
    char crid[sizeof "client-request-id: " + EI_REQUEST_ID_MAX];
    const char *type = request->service == EI_SERVICE_LOGIN ? "Content-Type: application/x-www-form-urlencoded"
                                                            : "Content-Type: application/json";

    snprintf(crid, sizeof crid, "client-request-id: %s", request->crid);
    /* Without a word of encodings any would do (RFC 9110, 12.5.3), and none is understood here. */
    return add_header(request, "Accept: application/json") && add_header(request, "Accept-Encoding: identity") &&
           add_header(request, "Expect:") && (request->crid[0] == '\0' || add_header(request, crid)) &&
           add_header(request, request->body.data != NULL ? type : "Content-Type:") && /* else of a form, for a POST */
           (!request->eventual || add_header(request, "ConsistencyLevel: eventual")) &&
           (request->service != EI_SERVICE_GRAPH || add_authorization(request));
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* K5: https only (but for the managed identity service of this machine), to the configured host only, nothing taken
 * from the environment or the user's files. */
static bool set_protocol(CURL *easy, const struct ei_request *request)
{
    bool plain = request->service == EI_SERVICE_IDENTITY && strncmp(request->url, "http://", strlen("http://")) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    bool secure_only = SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    bool secure_only = SET(CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif

    return secure_only &&
           ei_transfer_set_protocol(easy, plain ? "http" : "https", plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS) &&
           SET(CURLOPT_UNRESTRICTED_AUTH, 0L) && SET(CURLOPT_HTTP09_ALLOWED, 0L);
}

static bool set_tls(CURL *easy, const struct ei_graph *graph)
{
    return SET(CURLOPT_SHARE, graph->share) && ei_transfer_set_tls(easy, graph->ca_file);
}

static bool set_limits(CURL *easy, const struct ei_request *request)
{
    return SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) &&
           SET(CURLOPT_TIMEOUT_MS, request->graph->timeout_ms) && SET(CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES) &&
           SET(CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_SECONDS) &&
           SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->answer.limit);
}

static bool is_apart(const struct ei_request *request)
{
    return request->mail || request->service != EI_SERVICE_GRAPH;
}

/* X6: libcurl repeats a request by itself when a kept connection dies before an answer, whatever the method; on a
 * connection that nobody used before it does not. And what a token request carries, both ways, stays in the buffers of
 * its connection until that is closed (K4). */
static bool set_connection(CURL *easy, const struct ei_request *request)
{
    if (!SET(CURLOPT_CERTINFO, request->inspect ? 1L : 0L))
        return false;
    if (is_apart(request))
        return SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) &&
               SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) && SET(CURLOPT_PIPEWAIT, 1L) &&
           SET(CURLOPT_FRESH_CONNECT, request->graph->new_connections || request->inspect ? 1L : 0L);
}

static bool set_method(CURL *easy, const struct ei_request *request)
{
    bool set = true;

    if (request->method == EI_POST || request->body.data != NULL)
        set = SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length) &&
              SET(CURLOPT_POSTFIELDS, request->body.data != NULL ? request->body.data : "");
    if (request->method == EI_PATCH)
        return set && SET(CURLOPT_CUSTOMREQUEST, "PATCH");
    if (request->method == EI_DELETE)
        return set && SET(CURLOPT_CUSTOMREQUEST, "DELETE");
    return set;
}

static bool set_receivers(CURL *easy, struct ei_request *request)
{
    return SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, request) &&
           SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, request) &&
           SET(CURLOPT_ERRORBUFFER, request->curl_error) && SET(CURLOPT_PRIVATE, request);
}

bool ei_http_launch(struct ei_request *request)
{
    struct ei_graph *graph = request->graph;
    CURL *easy = curl_easy_init();

    request->easy = easy;
    request->curl_error[0] = '\0';
    if (easy != NULL && set_protocol(easy, request) && set_tls(easy, graph) && set_limits(easy, request) &&
        set_connection(easy, request) && set_method(easy, request) && set_receivers(easy, request) &&
        SET(CURLOPT_URL, request->url) && SET(CURLOPT_USERAGENT, "entra-invite/" EI_VERSION) && add_headers(request) &&
        SET(CURLOPT_HTTPHEADER, request->headers) && ei_multi_add(&graph->multi, easy, is_apart(request)))
        return true;
    ei_http_land(request);
    return false;
}

void ei_http_land(struct ei_request *request)
{
    if (request->easy != NULL) {
        ei_multi_remove(&request->graph->multi, request->easy, is_apart(request));
        curl_easy_cleanup(request->easy);
        request->easy = NULL;
    }
    ei_headers_free(request->headers);
    request->headers = NULL;
}

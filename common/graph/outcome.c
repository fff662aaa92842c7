#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/graph/errors.h"
#include "common/graph/request.h"
#include "common/graph/retry.h"
#include "common/graph/transfer.h"

enum { HOST_MAX = 128 };

static void host_of(const struct ei_request *request, char host[HOST_MAX])
{
    char *found = NULL;
    CURLU *url = curl_url();

    host[0] = '\0';
    if (url != NULL && curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &found, 0) == CURLUE_OK)
        ei_graph_text(host, HOST_MAX, found);
    curl_free(found);
    curl_url_cleanup(url);
}

static void read_failure(struct ei_request *request, CURLcode code)
{
    struct ei_graph_result *result = &request->result;
    bool unsent = ei_transfer_unsent(request->easy, code);
    bool read = request->method == EI_GET || request->service != EI_SERVICE_GRAPH;
    const char *reason = request->curl_error[0] != '\0' ? request->curl_error : curl_easy_strerror(code);
    char host[HOST_MAX];

    host_of(request, host);
    result->outcome = unsent ? EI_GRAPH_NOT_SENT : EI_GRAPH_UNCLEAR;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        reason = "this program ends";
    if (ei_transfer_untrusted(code))
        ei_fail(&result->error, EI_TLS_TRUST, "%s: certificate not trusted: %.300s", host, reason);
    else if (code == CURLE_OUT_OF_MEMORY || request->answer.starved)
        ei_fail(&result->error, EI_NOMEM, "%s: no memory for the request", host);
    else if (request->too_large || code == CURLE_FILESIZE_EXCEEDED)
        ei_fail(&result->error, EI_GRAPH_ANSWER, "%s: the answer is larger than any that makes sense", host);
    else if (result->status == 429)
        ei_fail(&result->error, EI_THROTTLED, "%s: answered 429, then: %.300s", host, reason);
    else if (unsent || read)
        ei_fail(&result->error, EI_UNREACHABLE, "%s: %.300s", host, reason);
    else
        ei_fail(&result->error, EI_GRAPH_AMBIGUOUS, "%s: no whole answer: %.300s", host, reason);
    ei_graph_request_id(result->error.request_id, request->request_id);
}

/* What was sent with it belongs to what came of it (K8), whatever that was. */
static void name_request(struct ei_request *request)
{
    ei_graph_request_id(request->result.error.client_request_id, request->crid);
}

static void read_skew(struct ei_request *request)
{
    int64_t date = request->date[0] != '\0' ? ei_http_date(request->date) : -1;

    request->result.has_skew = date >= 0;
    request->result.skew = date >= 0 ? ei_now() - date : 0;
}

/* As libcurl tells it: "Expire date:Nov 24 18:58:53 2036 GMT", of the server's own first. */
static int64_t read_certificate_end(CURL *easy)
{
    static const char name[] = "Expire date:";
    struct curl_certinfo *info = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs < 1)
        return 0;
    for (const struct curl_slist *line = info->certinfo[0]; line != NULL; line = line->next) {
        time_t end = strncmp(line->data, name, strlen(name)) == 0 ? curl_getdate(line->data + strlen(name), NULL) : -1;
        if (end >= 0)
            return end;
    }
    return 0;
}

/* Obeyed even if the body was cut off: the status and the header came. */
static void obey(const struct ei_request *request, const struct ei_graph_result *result)
{
    struct ei_graph *graph = request->graph;

    if (request->service == EI_SERVICE_IDENTITY)
        return; /* it is none of the tenant's */
    if (result->status == 429)
        ei_graph_hold(graph, result->retry_after >= 0 ? result->retry_after : EI_RETRY_DEFAULT);
    else if ((result->status == 503 || result->status == 504) && result->retry_after >= 0)
        ei_graph_hold(graph, result->retry_after);
    if (result->status == 503)
        ei_graph_renew_connections(graph);
}

const char *ei_method_name(enum ei_method method)
{
    static const char *const names[] = {
        [EI_GET] = "GET", [EI_POST] = "POST", [EI_PATCH] = "PATCH", [EI_DELETE] = "DELETE"};
    return names[method];
}

/* K8: what identifies a call to Microsoft's support, without a secret. The path only: a query holds an address. */
static void log_call(const struct ei_request *request)
{
    const struct ei_graph_result *result = &request->result;
    const char *host = strstr(request->url, "://");
    const char *path = host != NULL ? strchr(host + strlen("://"), '/') : NULL;
    struct ei_error ids = result->error; /* of this request, not of the batch that it failed with */
    const struct ei_log_about about = {.id = EI_LOG_REQUEST, .error = &ids};
    bool write = request->method != EI_GET && request->service == EI_SERVICE_GRAPH && request->inner_count == 0;

    path = path != NULL ? path : "/";
    ei_graph_request_id(ids.client_request_id, request->crid);
    ei_log_about(write ? LOG_INFO : LOG_DEBUG, &about, "%s %.*s: %ld, date %s", ei_method_name(request->method),
                 (int)strcspn(path, "?"), path, result->status, request->date[0] != '\0' ? request->date : "-");
}

static void note_call(const struct ei_request *request)
{
    ei_request_count(request);
    log_call(request);
}

void ei_outcome_answered(struct ei_request *request, long status, const char *location)
{
    struct ei_graph_result *result = &request->result;
    struct ei_answer answer = {
        .status = status,
        .body = request->answer.data,
        .length = request->answer.length,
        .request_id = request->request_id,
        .location = location,
        .challenge = request->challenge,
    };

    *result = (struct ei_graph_result){.outcome = EI_GRAPH_DONE, .status = status};
    result->retry_after = ei_retry_after(request->retry_after[0] != '\0' ? request->retry_after : NULL, request->date);
    if (status >= 200 && status <= 299)
        ei_graph_request_id(result->error.request_id, request->request_id);
    else if (request->service == EI_SERVICE_LOGIN)
        ei_login_error_read(&answer, request->about, result);
    else if (request->service == EI_SERVICE_IDENTITY)
        ei_identity_error_read(&answer, result);
    else
        ei_graph_error_read(&answer, request->about, result);
    name_request(request);
    read_skew(request);
    obey(request, result);
    note_call(request);
}

/* Graph gives the id of the question back. Another one is on a connection where somebody answered twice: a libcurl
 * older than 8 takes what is left over for the answer to its next request, and one person's link would become
 * another's. */
static bool answers_another(const struct ei_request *request)
{
    return request->answered_id[0] != '\0' && strcasecmp(request->answered_id, request->crid) != 0;
}

/* As if nothing whole had come, and none of the connections is used again: each answer on that one would be late. */
static CURLcode refuse_answer(struct ei_request *request)
{
    snprintf(request->curl_error, sizeof request->curl_error, "this is the answer to another request (%s)",
             request->answered_id);
    ei_request_forget_headers(request);
    ei_graph_renew_connections(request->graph);
    return CURLE_WEIRD_SERVER_REPLY;
}

void ei_outcome_shared(struct ei_request *request, const struct ei_graph_result *result)
{
    request->result = *result;
    note_call(request);
}

void ei_outcome_read(struct ei_request *request, CURLcode code)
{
    struct ei_graph_result *result = &request->result;
    char *location = NULL;
    long status = 0;

    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &location);
    if (code == CURLE_OK && answers_another(request)) {
        code = refuse_answer(request);
        status = 0;
    }
    if (code == CURLE_OK) {
        ei_outcome_answered(request, status, location);
        if (request->inspect)
            result->certificate_ends = read_certificate_end(request->easy);
        return;
    }
    *result = (struct ei_graph_result){.status = status};
    result->retry_after = ei_retry_after(request->retry_after[0] != '\0' ? request->retry_after : NULL, request->date);
    read_failure(request, code);
    name_request(request);
    obey(request, result);
    note_call(request);
}

void ei_reply_bad(struct ei_reply *reply, const char *what)
{
    reply->result->outcome = EI_GRAPH_UNCLEAR;
    ei_fail_again(&reply->result->error, EI_GRAPH_ANSWER, "status %ld, but %s", reply->result->status, what);
    reply->body = NULL;
    reply->length = 0;
}

/*
 * What the worker reads from the headers of an answer (T3, X8): Retry-After, Date, the request's id, challenges. First
 * the service, the status and two numbers, then header lines, one a line.
 *
 * Whatever the lines: what is kept is the value of the last header of that name since the last status line, or nothing;
 * it stays inside its bounds; a hold of the tenant is never longer than an hour, and follows from 429 alone or from 503
 * and 504 with a Retry-After that can be read. A number or a date as RFC 9110 has them is read as what it says,
 * whatever this host's clock thinks; the key that an Arc agent's challenge names is a file of the agent's directory.
 */
#include "common/graph/http.c" /* NOLINT(bugprone-suspicious-include): on_header is its own */

#include "common/graph/credential_managed.c" /* NOLINT(bugprone-suspicious-include): so is key_name */

#include <ctype.h>
#include <time.h>

#include "common/graph/retry.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/graph_world.h"

/* --- what must have been kept --- */

/* A small reading of RFC 9110, 5: name, colon, value without the white space around it. */
static bool is_header(const char *line, size_t length, const char *name)
{
    size_t wanted = strlen(name);

    return length > wanted && line[wanted] == ':' && strncasecmp(line, name, wanted) == 0;
}

static void remember(const char *line, size_t length, const char *name, char *value, size_t size)
{
    if (!is_header(line, length, name))
        return;
    const char *from = line + strlen(name) + 1, *to = line + length;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (unsigned char)to[-1] <= ' ')
        to--;
    bool keep = (size_t)(to - from) < size && memchr(from, '\0', (size_t)(to - from)) == NULL;
    snprintf(value, size, "%.*s", keep ? (int)(to - from) : 0, from);
}

struct kept {
    char retry_after[EI_HEADER_VALUE_MAX];
    char date[EI_HEADER_VALUE_MAX];
    char request_id[EI_HEADER_VALUE_MAX];
    char challenge[EI_CHALLENGE_MAX];
};

static void give_line(struct ei_request *request, const char *line, size_t length, struct kept *kept)
{
    char *copy = malloc(length); /* not a byte longer, for the sanitizer */
    const char *id = request->service == EI_SERVICE_GRAPH ? "request-id" : "x-ms-request-id";

    EI_MUST(copy != NULL);
    memcpy(copy, line, length);
    size_t taken = on_header(copy, 1, length, request);
    EI_MUST(taken == length || (taken == 0 && request->too_large && request->header_bytes > EI_HEADERS_MAX));
    free(copy);
    if (taken != length)
        return;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        *kept = (struct kept){0};
    remember(line, length, "Retry-After", kept->retry_after, sizeof kept->retry_after);
    remember(line, length, "Date", kept->date, sizeof kept->date);
    remember(line, length, id, kept->request_id, sizeof kept->request_id);
    remember(line, length, "WWW-Authenticate", kept->challenge, sizeof kept->challenge);
}

static void give_lines(struct ei_request *request, struct ei_input *input, struct kept *kept)
{
    while (input->size != 0) {
        const uint8_t *end = memchr(input->data, '\n', input->size);
        size_t length = end != NULL ? (size_t)(end - input->data) + 1 : input->size;
        give_line(request, (const char *)input->data, length, kept);
        input->data += length;
        input->size -= length;
    }
    EI_MUST(strcmp(request->retry_after, kept->retry_after) == 0 && strcmp(request->date, kept->date) == 0);
    EI_MUST(strcmp(request->request_id, kept->request_id) == 0 && strcmp(request->challenge, kept->challenge) == 0);
}

/* --- values --- */

static void format_date(int64_t t, char out[64])
{
    time_t seconds = (time_t)t;
    struct tm tm;

    EI_MUST(gmtime_r(&seconds, &tm) != NULL);
    EI_MUST(strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm) != 0);
}

/* A date is a date, a wait is a wait: from the answer's own Date, or from this host's clock where there is none. */
static void read_numbers(uint32_t at, uint32_t wait)
{
    int64_t expected = wait < EI_RETRY_CAP ? wait : EI_RETRY_CAP;
    char date[64], until[64], number[32];

    format_date(at, date);
    format_date((int64_t)at + wait, until);
    EI_MUST(ei_http_date(date) == at && ei_http_date(until) == (int64_t)at + wait);
    EI_MUST(ei_retry_after(until, date) == expected);
    EI_MUST(ei_retry_after(date, until) == 0);
    format_date(EI_FUZZ_NOW + (int64_t)wait, until);
    EI_MUST(ei_retry_after(until, NULL) == expected && ei_retry_after(until, "yesterday") == expected);
    snprintf(number, sizeof number, "%u", wait);
    EI_MUST(ei_retry_after(number, NULL) == expected);
    snprintf(number, sizeof number, "%u.%03u", wait, at % 1000);
    EI_MUST(ei_retry_after(number, date) == (expected < EI_RETRY_CAP ? expected + (at % 1000 != 0) : expected));
    snprintf(number, sizeof number, "-%u", wait);
    EI_MUST(ei_retry_after(number, date) == -1);
}

static void judge_wait(const char *value, const char *date)
{
    int64_t seconds = ei_retry_after(value, date);

    EI_MUST(seconds >= -1 && seconds <= EI_RETRY_CAP);
    EI_MUST(isalnum((unsigned char)value[strspn(value, " \t")]) || seconds == -1);
    EI_MUST(ei_http_date(date) >= -1);
    if (value[0] != '\0' && strspn(value, "0123456789") == strlen(value))
        EI_MUST(seconds == (strlen(value + strspn(value, "0")) > 4 ? EI_RETRY_CAP
                            : atoi(value) > EI_RETRY_CAP           ? EI_RETRY_CAP
                                                                   : atoi(value)));
}

static void judge_challenge(const char *challenge)
{
    size_t length = 0;
    const char *name = key_name(challenge, &length);

    if (name == NULL)
        return;
    EI_MUST(name > challenge && length > 4 && length <= NAME_MAX && name + length <= challenge + strlen(challenge));
    EI_MUST(memchr(name, '/', length) == NULL && memcmp(name + length - 4, ".key", 4) == 0);
}

/* --- the answer --- */

static struct {
    unsigned count;
    struct ei_graph_result result;
} ended;

static void on_end(void *context, struct ei_reply *reply)
{
    const struct ei_request_spec *spec = context;

    ei_world_judge(reply->result, spec->service);
    ended.count++;
    ended.result = *reply->result;
}

static void answer(struct ei_request *request, long status, const struct kept *kept)
{
    struct ei_graph *graph = request->graph;
    bool of_tenant = request->service != EI_SERVICE_IDENTITY;
    int64_t wait = kept->retry_after[0] != '\0' ? ei_retry_after(kept->retry_after, kept->date) : -1;
    int64_t date = kept->date[0] != '\0' ? ei_http_date(kept->date) : -1;

    ei_world_answer(request, status, "{}", 2, NULL);
    if (ended.count != 0) {
        EI_MUST(ended.result.status == status);
        EI_MUST(ended.result.retry_after == wait || status == 401); /* with another token it may go at once */
        EI_MUST(ended.result.has_skew == (date >= 0));
        EI_MUST(date < 0 || ended.result.skew == EI_FUZZ_NOW - date);
    }
    bool holds = status == 429 || ((status == 503 || status == 504) && wait >= 0);
    EI_MUST((ei_graph_hold_until(graph) != 0) == (holds && of_tenant));
    EI_MUST(!of_tenant || status != 429 || wait < 0 || ei_graph_hold_until(graph) >= EI_FUZZ_NOW + wait);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ei_request_spec specs[] = {
        {.method = EI_GET, .target = "/v1.0/users"},
        {.method = EI_POST, .target = "/v1.0/invitations", .mail = true, .about = EI_ABOUT_INVITATION, .body = "{}"},
        {.method = EI_GET, .target = "/x/v2.0/metadata", .service = EI_SERVICE_LOGIN},
        {.method = EI_GET, .target = "http://169.254.169.254/token", .service = EI_SERVICE_IDENTITY},
    };
    struct ei_input input = {data, size};
    struct kept kept = {0};
    uint8_t which = ei_input_byte(&input) % 4;
    long status = 100 + (long)(ei_input_number(&input, 2) % 500);
    /* Both together stay below 2^31, for a time_t of 32 bits. */
    const uint32_t part = 0x3fffffff;
    uint32_t at = (uint32_t)ei_input_number(&input, 4) & part, wait = (uint32_t)ei_input_number(&input, 4) & part;

    ended.count = 0;
    ei_fuzz_listen();
    struct ei_graph *graph = ei_world_new();
    read_numbers(at, wait);
    EI_MUST(ei_request_start(graph, &specs[which], on_end, (void *)&specs[which]) == EI_OK);
    struct ei_request *request = ei_world_next(graph, false);
    give_lines(request, &input, &kept);
    judge_wait(kept.retry_after, kept.date);
    judge_challenge(kept.challenge);
    answer(request, status, &kept);
    ei_graph_free(graph);
    EI_MUST(ended.count == 1);
    char *said = ei_fuzz_heard();
    EI_MUST(ei_fuzz_lines(said, "fuzz: "));
    free(said);
    return 0;
}

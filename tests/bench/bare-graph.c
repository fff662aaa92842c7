/*
 * The least that inviting people takes: the same requests as entra-invited sends, over HTTP/2, with nothing stored,
 * nothing retried and nothing logged.
 *
 *   bare-graph READY.json token                     prints a token
 *   bare-graph READY.json batch [TOKEN-FILE]        two look-ups, one among the deleted and one create a person in
 * $batch of 20, up to 100 batches at once, over one connection bare-graph READY.json single [TOKEN-FILE]       the
 * same, a request each, up to 100 at once bare-graph READY.json each [TOKEN-FILE]         as single, but one person
 * after the other
 *
 * READY.json is the simulator's. Addresses come on stdin, one a line. Prints the microseconds that it took from the
 * first request to the last answer, with each after every person. A token is fetched before that, over the connection
 * that is used then, unless there is a TOKEN-FILE. An answer that is not a success ends the program.
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 100, CONNECTIONS = 10, BATCH = 20, PEOPLE_MAX = 1 << 17 };

#define SELECT                                                                                                         \
    "$select=id,userPrincipalName,displayName,mail,userType,creationType,externalUserState,"                           \
    "externalUserStateChangeDateTime,accountEnabled,otherMails,proxyAddresses"

/* What a person goes through, one after the other, and how many requests each takes; those go out together. */
enum stage { LOOKUP, DELETED, CREATE, STAGES };
static const size_t requests_of[STAGES] = {2, 1, 1};

struct transfer {
    enum stage stage;
    size_t count, people[BATCH];
    char *request;
    char *answer;
    size_t length;
};

static struct {
    char *graph, *ca;
    struct curl_slist *headers;
    CURLM *multi;
    bool batch;
    size_t running;
    char *address[PEOPLE_MAX];
    unsigned char requests_left[PEOPLE_MAX]; /* of the person's stage */
    size_t count, created;                   /* people */
    size_t ready[STAGES][PEOPLE_MAX], ready_count[STAGES], running_of[STAGES];
} run;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bare-graph: %s: %.400s\n", what, detail);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 65536);

    if (file == NULL || text == NULL)
        die(path, "cannot be read");
    (void)!fread(text, 1, 65535, file);
    fclose(file);
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    char *grown = realloc(transfer->answer, transfer->length + size * count + 1);

    if (grown == NULL)
        return 0;
    transfer->answer = grown;
    memcpy(grown + transfer->length, data, size * count);
    transfer->length += size * count;
    grown[transfer->length] = '\0';
    return size * count;
}

static CURL *new_easy(struct transfer *transfer, const char *url, const char *body)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, run.ca);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    if (body != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    return easy;
}

static void start(struct transfer *transfer, const char *path)
{
    char url[8192];

    snprintf(url, sizeof url, "%s/v1.0%s", run.graph, path);
    CURL *easy = new_easy(transfer, url, transfer->request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, run.headers);
    curl_multi_add_handle(run.multi, easy);
    run.running++;
    run.running_of[transfer->stage]++;
}

/* What entra-invited asks before it invites (common/graph/find.c): path and query. */
static void question(char *target, size_t size, enum stage stage, const char *address, size_t which)
{
    char filter[2048];

    if (stage == DELETED)
        snprintf(filter, sizeof filter, "mail eq '%s' or otherMails/any(x:x eq '%s')", address, address);
    else if (which == 0)
        snprintf(filter, sizeof filter,
                 "userPrincipalName eq '%s' or mail eq '%s' or otherMails/any(x:x eq '%s') or "
                 "proxyAddresses/any(x:x eq 'SMTP:%s') or proxyAddresses/any(x:x eq 'smtp:%s') or "
                 "userPrincipalName eq '%.*s_%s#EXT#@contoso.onmicrosoft.com'",
                 address, address, address, address, address, (int)strcspn(address, "@"), address,
                 strchr(address, '@') + 1);
    else
        snprintf(filter, sizeof filter, "identities/any(i:i/issuerAssignedId eq '%s' and i/issuer eq 'mail')", address);
    char *encoded = curl_easy_escape(NULL, filter, 0);
    snprintf(target, size, "%s?" SELECT "&$filter=%s",
             stage == DELETED ? "/directory/deletedItems/microsoft.graph.user" : "/users", encoded);
    curl_free(encoded);
}

static void invitation(char *body, size_t size, const char *address)
{
    snprintf(body, size,
             "{\"invitedUserEmailAddress\":\"%s\",\"inviteRedirectUrl\":\"https://myapps.microsoft.com/\","
             "\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":false}",
             address);
}

static struct transfer *new_transfer(enum stage stage)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (transfer == NULL)
        die("calloc", "out of memory");
    transfer->stage = stage;
    return transfer;
}

/* --- one request each --- */

static void start_single(enum stage stage)
{
    size_t person = run.ready[stage][--run.ready_count[stage]];
    char target[4096] = "/invitations";

    run.requests_left[person] = (unsigned char)requests_of[stage];
    for (size_t which = 0; which < requests_of[stage]; which++) {
        struct transfer *transfer = new_transfer(stage);
        transfer->people[transfer->count++] = person;
        if (stage == CREATE) {
            transfer->request = malloc(1024);
            invitation(transfer->request, 1024, run.address[person]);
        } else {
            question(target, sizeof target, stage, run.address[person], which);
        }
        start(transfer, target);
    }
}

/* --- in batches (contract 4.4) --- */

static size_t people_a_batch(enum stage stage)
{
    return BATCH / requests_of[stage];
}

static void start_batch(enum stage stage)
{
    enum { ROOM = BATCH * 2048 };
    char part[4096];
    int id = 0;
    char *body = malloc(ROOM);
    size_t used = (size_t)snprintf(body, ROOM, "{\"requests\":[");
    struct transfer *transfer = new_transfer(stage);

    while (transfer->count < people_a_batch(stage) && run.ready_count[stage] > 0) {
        size_t person = run.ready[stage][--run.ready_count[stage]];
        transfer->people[transfer->count++] = person;
        run.requests_left[person] = 1;
        for (size_t which = 0; which < requests_of[stage]; which++) {
            used += (size_t)snprintf(body + used, ROOM - used, "%s{\"id\":\"%d\",", id == 0 ? "" : ",", id + 1);
            id++;
            if (stage == CREATE) {
                invitation(part, sizeof part, run.address[person]);
                used += (size_t)snprintf(body + used, ROOM - used,
                                         "\"method\":\"POST\",\"url\":\"/invitations\",\"headers\":{"
                                         "\"Content-Type\":\"application/json\"},\"body\":%s}",
                                         part);
            } else {
                question(part, sizeof part, stage, run.address[person], which);
                used += (size_t)snprintf(body + used, ROOM - used, "\"method\":\"GET\",\"url\":\"%s\"}", part);
            }
        }
    }
    snprintf(body + used, ROOM - used, "]}");
    transfer->request = body;
    start(transfer, "/$batch");
}

/* --- the run --- */

/* Nobody comes to this stage any more from those before it. */
static bool is_last(enum stage stage)
{
    for (int before = 0; before < (int)stage; before++)
        if (run.ready_count[before] != 0 || run.running_of[before] != 0)
            return false;
    return true;
}

/* Starts what can be started, the last stage first; a batch when it is full. false: nothing. */
static bool pump(void)
{
    size_t before = run.running;

    for (int stage = STAGES - 1; stage >= 0 && run.running < AT_ONCE;) {
        size_t enough = run.batch && !is_last((enum stage)stage) ? people_a_batch((enum stage)stage) : 1;
        if (run.ready_count[stage] < enough)
            stage--;
        else if (run.batch)
            start_batch((enum stage)stage);
        else
            start_single((enum stage)stage);
    }
    return run.running != before;
}

static void check_batch(const struct transfer *transfer)
{
    const char *wanted = transfer->stage == CREATE ? "\"status\":201" : "\"status\":200";
    size_t good = 0;

    for (const char *at = transfer->answer; (at = strstr(at, wanted)) != NULL; at++)
        good++;
    if (good != transfer->count * requests_of[transfer->stage])
        die("an answer in a batch is no success", transfer->answer);
}

static void finish(struct transfer *transfer, CURLcode code, long status)
{
    if (code != CURLE_OK)
        die("a request failed", curl_easy_strerror(code));
    if (status != (transfer->stage == CREATE && !run.batch ? 201 : 200))
        die("an answer is no success", transfer->answer != NULL ? transfer->answer : "");
    if (run.batch)
        check_batch(transfer);
    run.running--;
    run.running_of[transfer->stage]--;
    for (size_t i = 0; i < transfer->count; i++) {
        size_t person = transfer->people[i];
        if (--run.requests_left[person] != 0)
            continue;
        if (transfer->stage == CREATE)
            run.created++;
        else
            run.ready[transfer->stage + 1][run.ready_count[transfer->stage + 1]++] = person;
    }
    free(transfer->request);
    free(transfer->answer);
    free(transfer);
}

static void collect(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(run.multi, &left)) != NULL) {
        struct transfer *transfer = NULL;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(run.multi, easy);
        curl_easy_cleanup(easy);
        finish(transfer, code, status);
    }
}

static void invite_all(void)
{
    int64_t started = now_us();
    int running;

    run.created = 0;
    for (size_t person = run.count; person > 0; person--) /* the first comes off first */
        run.ready[LOOKUP][run.ready_count[LOOKUP]++] = person - 1;
    pump();
    while (run.created < run.count) {
        curl_multi_perform(run.multi, &running);
        collect();
        if (!pump())
            curl_multi_poll(run.multi, NULL, 0, run.running != 0 ? 1000 : 0, NULL);
    }
    printf("%lld\n", (long long)(now_us() - started));
    fflush(stdout);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    if (text == NULL)
        die("READY.json or the token's answer has no", name);
    return text;
}

static char *fetch_token(const cJSON *ready)
{
    struct transfer transfer = {0};
    char url[512], body[2048];
    char *secret = read_file(text_of(ready, "secretFile"));
    char *encoded = curl_easy_escape(NULL, secret, 0);
    int running = 1;

    snprintf(url, sizeof url, "%s/%s/oauth2/v2.0/token", text_of(ready, "loginUrl"), text_of(ready, "tenant"));
    snprintf(body, sizeof body, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s/.default",
             text_of(ready, "clientId"), encoded, run.graph);
    CURL *easy = new_easy(&transfer, url, body);
    curl_multi_add_handle(run.multi, easy);
    while (running != 0) {
        curl_multi_perform(run.multi, &running);
        curl_multi_poll(run.multi, NULL, 0, 1000, NULL);
    }
    curl_multi_remove_handle(run.multi, easy);
    curl_easy_cleanup(easy);
    curl_free(encoded);
    free(secret);
    cJSON *answer = cJSON_Parse(transfer.answer);
    char *token = strdup(text_of(answer, "access_token"));
    cJSON_Delete(answer);
    free(transfer.answer);
    return token;
}

static void add_headers(const char *token)
{
    char line[8192];

    snprintf(line, sizeof line, "Authorization: Bearer %s", token);
    run.headers = curl_slist_append(NULL, line);
    run.headers = curl_slist_append(run.headers, "Accept: application/json");
    run.headers = curl_slist_append(run.headers, "Content-Type: application/json");
}

static void invite_people(bool each)
{
    char line[512];

    while (fgets(line, sizeof line, stdin) != NULL && run.count < PEOPLE_MAX) {
        line[strcspn(line, "\n")] = '\0';
        run.address[run.count++] = strdup(line);
        if (each) {
            invite_all();
            free(run.address[--run.count]);
        }
    }
    if (!each)
        invite_all();
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bare-graph READY.json token|single|batch|each [TOKEN-FILE]\n");
        return 2;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(argv[1], "re");
    if (file == NULL || getdelim(&text, &size, '\0', file) < 0)
        die(argv[1], "cannot be read");
    cJSON *ready = cJSON_Parse(text);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    run.multi = curl_multi_init();
    /* libcurl ends many streams with RST_STREAM, and a server that guards itself against floods of those drops the
     * connection after a thousand (Node.js): where every request is a stream, they go over several. */
    run.batch = strcmp(argv[2], "batch") == 0;
    bool many = strcmp(argv[2], "single") == 0;
    curl_multi_setopt(run.multi, CURLMOPT_MAX_HOST_CONNECTIONS, many ? (long)CONNECTIONS : 1L);
    curl_multi_setopt(run.multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)(many ? AT_ONCE / CONNECTIONS : AT_ONCE));
    run.graph = strdup(text_of(ready, "graphUrl"));
    run.ca = strdup(text_of(ready, "caFile"));
    char *token = argc > 3 ? read_file(argv[3]) : fetch_token(ready);
    if (strcmp(argv[2], "token") == 0) {
        puts(token);
        return 0;
    }
    add_headers(token);
    invite_people(strcmp(argv[2], "each") == 0);
    return 0;
}

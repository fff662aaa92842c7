/*
 * What Microsoft Graph answers (T3): invitations, users and pages of them, changes, batches, sponsors, domains, tokens,
 * and errors of every kind. The first byte says what is asked, the second whether requests go together in a
 * batch (1), and whether the names of guests are known (2); each
 * answer is a byte for its status, and a body up to a byte 0x1e.
 *
 * Whatever is answered: each request ends in exactly one call; a result has its outcome, code and message in keeping
 * with the status (X5); success has the data that it promises, of the right user, each once; no request leaves the
 * configured root, whatever link an answer has; a write keeps its client-request-id (X7); the log and the messages,
 * all of them, show neither the token nor the redeem URL (K5).
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/secret.h"
#include "common/graph/list.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/graph_world.h"

#define USER    "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"
#define OTHER   "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03"
#define ADDRESS "taylor@fabrikam.com"

enum { END = 0x1e, ROUNDS_MAX = 100, ASKED_MAX = 20 };

/* Secrets: where each is in an answer as what it is, and nowhere else in it, nothing that is said may hold it. */
static struct {
    const char *text;
    const char *member;
    bool told; /* an answer holds it elsewhere */
} secrets[] = {{"SECRET-REDEEM-URL", "inviteRedeemUrl", false}, {EI_WORLD_TOKEN, "access_token", false}};

/* What was asked for, and what came. */
static struct {
    struct ei_graph *graph;
    struct ei_graph_list *list;
    enum ei_service service;
    unsigned expected;
    unsigned ended;
    unsigned pages;
    const char *body; /* the last answer */
    size_t length;
} asked;

static void judge_said(const char *text)
{
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        EI_MUST(secrets[i].told || strstr(text, secrets[i].text) == NULL);
}

/* --- the callbacks --- */

static void ended(const struct ei_graph_result *result)
{
    asked.ended++;
    ei_world_judge(result, asked.service);
    judge_said(result->error.message);
}

static void judge_user(const struct ei_graph_user *user)
{
    EI_MUST(user->id != NULL && ei_guid_valid(user->id));
    EI_MUST(user->has_external_user_state || user->external_user_state == NULL);
    EI_MUST(user->has_account_enabled || !user->account_enabled);
}

static void on_user(void *context, const struct ei_graph_result *result, const struct ei_graph_user *user)
{
    ended(result);
    EI_MUST((user != NULL) == (result->outcome == EI_GRAPH_DONE));
    if (user == NULL)
        return;
    EI_MUST(result->status >= 200 && result->status <= 299);
    judge_user(user);
    EI_MUST(context == NULL || strcasecmp(user->id, context) == 0);
}

static bool any_address(void *context, const char *address)
{
    (void)context;
    EI_MUST(address != NULL);
    return false;
}

static void on_users(void *context, const struct ei_graph_result *result, const struct ei_graph_user *users,
                     size_t count)
{
    (void)context;
    ended(result);
    EI_MUST(result->outcome == EI_GRAPH_DONE || (users == NULL && count == 0));
    for (size_t i = 0; i < count; i++) {
        judge_user(&users[i]);
        (void)ei_graph_user_addresses(&users[i], any_address, NULL);
        (void)ei_graph_user_has_external_name(&users[i]);
        for (size_t k = 0; k < i; k++)
            EI_MUST(strcasecmp(users[i].id, users[k].id) != 0);
    }
}

static void on_plain(void *context, const struct ei_graph_result *result)
{
    (void)context;
    ended(result);
}

static void on_text(void *context, const struct ei_graph_result *result, const char *value)
{
    (void)context;
    ended(result);
    EI_MUST(result->outcome == EI_GRAPH_DONE || value == NULL);
}

static void on_names(void *context, const struct ei_graph_result *result, const char *const *names, size_t count)
{
    (void)context;
    ended(result);
    EI_MUST(result->outcome == EI_GRAPH_DONE || count == 0);
    for (size_t i = 0; i < count; i++)
        EI_MUST(names[i] != NULL && names[i][0] != '\0');
}

static void on_ids(void *context, const char *const *ids, size_t count)
{
    (void)context;
    EI_MUST(count != 0);
    for (size_t i = 0; i < count; i++)
        EI_MUST(ei_guid_valid(ids[i]));
}

static void on_changes(void *context, const struct ei_graph_result *result, const char *link)
{
    (void)context;
    ended(result);
    EI_MUST((link != NULL) == (result->outcome == EI_GRAPH_DONE));
    EI_MUST(link == NULL || strncasecmp(link, "https:", strlen("https:")) == 0);
}

/* The redeem URL is kept byte for byte, and it is that of the answer by another parser's word. */
static void on_invited(void *context, const struct ei_graph_result *result,
                       const struct ei_graph_invitation *invitation)
{
    (void)context;
    ended(result);
    EI_MUST((invitation != NULL) == (result->outcome == EI_GRAPH_DONE));
    EI_MUST(result->status == 0 || strcmp(result->error.client_request_id, EI_WORLD_CRID) == 0);
    if (invitation == NULL)
        return;
    cJSON *json = cJSON_ParseWithLength(asked.body, asked.length);
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "inviteRedeemUrl"));
    EI_MUST(result->status >= 200 && result->status <= 299);
    EI_MUST(url != NULL && strcmp(url, invitation->invite_redeem_url) == 0);
    EI_MUST(strncmp(url, "https://", strlen("https://")) == 0);
    for (const char *c = url; *c != '\0'; c++)
        EI_MUST(*c > ' ' && *c < 0x7f);
    EI_MUST(ei_guid_valid(invitation->invited_user_id) && invitation->sent != NULL);
    char *notes = strdup(invitation->notes);
    for (char *line = strtok(notes, "\n"); line != NULL; line = strtok(NULL, "\n"))
        EI_MUST(ei_fuzz_one_line(line));
    free(notes);
    cJSON_Delete(json);
}

static void on_listed(void *context, const struct ei_graph_result *result, const struct ei_graph_page *page)
{
    (void)context;
    ended(result);
    EI_MUST((page != NULL) == (result->outcome == EI_GRAPH_DONE));
    if (page == NULL)
        return;
    EI_MUST(page->total >= -1);
    for (size_t i = 0; i < page->count; i++)
        judge_user(&page->users[i]);
    if (!page->last && ++asked.pages < ROUNDS_MAX && ei_graph_list_next(asked.list) == EI_OK)
        asked.expected++;
}

/* --- what is asked --- */

static enum ei_err invite(struct ei_graph *graph, bool reset)
{
    static const char *const sponsors[] = {"users/" OTHER, "users/boss@contoso.com"};
    struct ei_graph_invite body = {
        .invited_user_email_address = ADDRESS,
        .invite_redirect_url = "https://myapplications.microsoft.com/",
        .invited_user_display_name = "Taylor Example",
        .send_invitation_message = true,
        .customized_message_body = "Welcome",
        .message_language = "en-US",
        .cc = "robin@contoso.com",
        .sponsors = sponsors,
        .sponsor_count = 2,
        .reset_user_id = reset ? USER : NULL,
    };
    return ei_graph_invite(graph, &body, EI_WORLD_CRID, on_invited, NULL);
}

static enum ei_err list_guests(struct ei_graph *graph, bool pending)
{
    struct ei_graph_list_options options = {.pending = pending, .brief = !pending};

    EI_MUST(ei_graph_list_new(graph, &options, on_listed, NULL, &asked.list) == EI_OK);
    return ei_graph_list_next(asked.list);
}

static enum ei_err fetch_token(struct ei_graph *graph)
{
    struct ei_error err;

    ei_graph_drop_token(graph);
    asked.expected--; /* its end is nobody's callback */
    return ei_token_fetch(graph, &err);
}

static enum ei_err many(struct ei_graph *graph)
{
    static const char user[] = USER;

    for (unsigned i = 1; i < ASKED_MAX; i++, asked.expected++)
        EI_MUST(ei_graph_get_user(graph, USER, NULL, on_user, (void *)user) == EI_OK);
    return ei_graph_disable_user(graph, USER, EI_WORLD_CRID, on_plain, NULL);
}

static enum ei_err ask(struct ei_graph *graph, unsigned what)
{
    static const char user[] = USER;

    asked.expected++;
    switch (what) {
    case 0:
        return invite(graph, false);
    case 1:
        return invite(graph, true);
    case 2:
        return ei_graph_get_user(graph, USER, NULL, on_user, (void *)user);
    case 3:
        return ei_graph_get_user_addresses(graph, USER, NULL, on_user, (void *)user);
    case 4:
        return ei_graph_find_users(graph, ADDRESS, NULL, on_users, NULL);
    case 5:
        return ei_graph_find_deleted(graph, ADDRESS, NULL, on_users, NULL);
    case 6:
        return ei_graph_changes(graph, NULL, on_ids, on_changes, NULL);
    case 7:
        return ei_graph_changes(graph, EI_WORLD_ROOT "/v1.0/users/delta?$deltatoken=x", on_ids, on_changes, NULL);
    case 8:
        return list_guests(graph, true);
    case 9:
        return list_guests(graph, false);
    case 10:
        return ei_graph_sponsors(graph, USER, NULL, on_names, NULL);
    case 11:
        return ei_graph_add_sponsor(graph, USER, "users/" OTHER, EI_WORLD_CRID, on_plain, NULL);
    case 12:
        return ei_graph_verified_domains(graph, NULL, on_names, NULL);
    case 13:
        asked.service = EI_SERVICE_LOGIN;
        return ei_graph_tenant_id(graph, on_names, NULL);
    case 14:
        return ei_graph_add_member(graph, OTHER, USER, EI_WORLD_CRID, on_plain, NULL);
    case 15:
        return ei_graph_invite_policy(graph, on_text, NULL);
    case 16:
        return ei_graph_delete_user(graph, USER, EI_WORLD_CRID, on_plain, NULL);
    case 17:
        return ei_graph_restore_user(graph, USER, EI_WORLD_CRID, on_plain, NULL);
    case 18:
        return ei_graph_find_user_id(graph, "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com", NULL, on_user, NULL);
    case 19:
        return ei_graph_get_deleted(graph, USER, NULL, on_plain, NULL);
    case 20:
        return fetch_token(graph);
    default:
        return many(graph);
    }
}

/* --- the answers --- */

static long take_status(struct ei_input *input)
{
    static const short usual[] = {200, 201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 408,
                                  409, 410, 412, 424, 429, 499, 500, 501, 502, 503, 504, 507};
    uint8_t byte = ei_input_byte(input);
    const size_t count = sizeof usual / sizeof usual[0];

    return (size_t)(byte - 'A') < count ? usual[byte - 'A'] : 100 + byte;
}

static void look_for_secret(size_t which, const char *body, size_t length)
{
    const char *text = secrets[which].text, *first = memmem(body, length, text, strlen(text));

    if (first == NULL)
        return;
    cJSON *json = cJSON_ParseWithLength(body, length);
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, secrets[which].member));
    size_t rest = length - (size_t)(first + 1 - body);
    if (value == NULL || strstr(value, text) == NULL || memmem(first + 1, rest, text, strlen(text)) != NULL)
        secrets[which].told = true;
    cJSON_Delete(json);
}

static void answer(struct ei_request *request, struct ei_input *input)
{
    long status = take_status(input);
    const uint8_t *end = input->size != 0 ? memchr(input->data, END, input->size) : NULL;
    size_t length = end != NULL ? (size_t)(end - input->data) : input->size;
    char *body = malloc(length + 1);

    EI_MUST(body != NULL);
    if (length != 0)
        memcpy(body, input->data, length);
    body[length] = '\0';
    input->data += length;
    input->size -= length;
    (void)ei_input_byte(input);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        look_for_secret(i, body, length);
    asked.body = body;
    asked.length = length;
    ei_world_answer(request, status, body, length, status >= 300 && status <= 399 ? body : NULL);
    asked.body = NULL;
    free(body);
}

static void judge_token(const struct ei_graph *graph)
{
    const struct ei_secret *token = &graph->token.value;

    EI_MUST((token->data == NULL) == (token->length == 0));
    for (size_t i = 0; i < token->length; i++)
        EI_MUST(token->data[i] > ' ' && token->data[i] < 0x7f);
    EI_MUST(token->length == 0 || graph->token.expires_at <= EI_FUZZ_NOW + 28 * 60 * 60);
    bool delegated;
    cJSON *permissions = ei_graph_token_permissions(graph, &delegated);
    for (const cJSON *item = permissions != NULL ? permissions->child : NULL; item != NULL; item = item->next)
        EI_MUST(cJSON_IsString(item));
    cJSON_Delete(permissions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ei_input input = {data, size};
    unsigned what = ei_input_byte(&input) % 22;
    uint8_t flags = ei_input_byte(&input);
    struct ei_request *request;

    memset(&asked, 0, sizeof asked);
    secrets[0].told = secrets[1].told = false;
    ei_fuzz_listen();
    asked.graph = ei_world_new();
    if ((flags & 2) != 0) /* the names of guests are known, so that they are looked for too */
        asked.graph->guest_domains[0] = strdup("contoso.onmicrosoft.com");
    EI_MUST(ask(asked.graph, what) == EI_OK);
    for (int i = 0; input.size != 0 && i < ROUNDS_MAX; i++) {
        request = ei_world_next(asked.graph, (flags & 1) != 0);
        if (request == NULL)
            break;
        answer(request, &input);
    }
    judge_token(asked.graph);
    bool unheard = asked.list != NULL && (size & 1) != 0 && asked.ended < asked.expected;
    if (unheard)
        ei_graph_list_free(asked.list);
    ei_graph_free(asked.graph);
    EI_MUST(asked.ended + unheard == asked.expected);
    if (!unheard)
        ei_graph_list_free(asked.list);
    char *said = ei_fuzz_heard();
    EI_MUST(ei_fuzz_lines(said, "fuzz: "));
    judge_said(said);
    free(said);
    return 0;
}

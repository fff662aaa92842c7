/* A message to a chat: what each kind is sent, the outcome of whatever comes back (X5), and that the URL, which is a
 * secret, is seen nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/deliver_fixture.h"

static const char *const hosts[] = {"lab1.contoso.example", "lab2.contoso.example"};
static const struct ei_template_values values = {
    .name = "Taylor <b>&\"Example\"",
    .login = "taylor",
    .email = "taylor@fabrikam.example",
    .url = REDEEM,
    .hosts = hosts,
    .host_count = 2,
    .expires = 1796056140,
};

static void write_url(int port, const char *scheme)
{
    char url[128];

    snprintf(url, sizeof url, "%s://localhost:%d/hooks/hook-path-secret?sig=hook-path-secret", scheme, port);
    write_secret("url", url);
}

static struct outcome post(const struct ei_webhook *webhook, enum ei_template_kind kind)
{
    struct ei_chat chat = {.id = ATTEMPT,
                           .kind = kind,
                           .values = &values,
                           .subject = "Access for Taylor <b>",
                           .body = "Hello & welcome,\n[x](https://evil.example)\n\n" REDEEM "\n"};
    struct outcome outcome = {.began_ms = ei_monotonic_ms()};

    assert_int_equal(ei_deliver_webhook(peer.deliver, webhook, &chat, on_done, &outcome, NULL), EI_OK);
    await_outcome(&outcome);
    return outcome;
}

static struct outcome post_to(const char *mode, int *ret_port)
{
    struct ei_webhook webhook = {.url_file = in_dir("url"), .ca_file = in_dir("good.pem")};

    *ret_port = peer_open(mode);
    write_url(*ret_port, strstr(mode, "tls") != NULL ? "https" : "http");
    return post(&webhook, EI_TEMPLATE_INVITATION);
}

static int requests(int port)
{
    cJSON *log = peer_log(port);
    const cJSON *session;
    int count = 0;

    cJSON_ArrayForEach(session, log) count += cJSON_GetArraySize(ei_json_array(session, "requests"));
    cJSON_Delete(log);
    return count;
}

#define NEEDS_PEER()                                                                                                   \
    (void)state;                                                                                                       \
    if (!peer.runs)                                                                                                    \
    skip()

/* The JSON of the only request; the caller deletes it. */
static cJSON *sent_json(int port, char head[2048])
{
    cJSON *log = peer_log(port);
    const cJSON *request = cJSON_GetArrayItem(ei_json_array(cJSON_GetArrayItem(log, 0), "requests"), 0);
    const char *body = ei_json_string(request, "body");

    assert_non_null(body);
    snprintf(head, 2048, "%s\r\n", ei_json_string(request, "head"));
    cJSON *json = ei_json_parse(body, strlen(body));
    assert_non_null(json);
    cJSON_Delete(log);
    return json;
}

static cJSON *post_format(enum ei_webhook_format format, enum ei_template_kind kind, char head[2048])
{
    struct ei_webhook webhook = {
        .url_file = in_dir("url"), .token_file = in_dir("token"), .ca_file = in_dir("good.pem"), .format = format};
    int port = peer_open("http tls");

    write_url(port, "https");
    struct outcome outcome = post(&webhook, kind);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
    assert_int_equal(requests(port), 1);
    return sent_json(port, head);
}

static void generic_json_has_all_of_it(void **state)
{
    NEEDS_PEER();
    char head[2048];
    cJSON *json = post_format(EI_WEBHOOK_JSON, EI_TEMPLATE_INVITATION, head);

    assert_non_null(strstr(head, "POST /hooks/hook-path-secret?sig=hook-path-secret HTTP/1.1\r\n"));
    assert_non_null(strstr(head, "\r\nAuthorization: Bearer " TOKEN "\r\n"));
    assert_non_null(strstr(head, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(head, "\r\nIdempotency-Key: " ATTEMPT "\r\n"));
    assert_null(strstr(head, "Expect:"));
    assert_string_equal(ei_json_string(json, "event"), "invitation");
    assert_string_equal(ei_json_string(json, "id"), ATTEMPT);
    assert_string_equal(ei_json_string(json, "login"), "taylor");
    assert_string_equal(ei_json_string(json, "email"), "taylor@fabrikam.example");
    assert_string_equal(ei_json_string(json, "name"), values.name);
    assert_string_equal(ei_json_string(json, "url"), REDEEM);
    assert_string_equal(ei_json_string(json, "expires"), "2026-11-30T16:29:00Z");
    assert_string_equal(ei_json_string(json, "subject"), "Access for Taylor <b>");
    assert_non_null(strstr(ei_json_string(json, "text"), REDEEM));
    assert_int_equal(cJSON_GetArraySize(ei_json_array(json, "hosts")), 2);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "sponsor")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "rule")));
    cJSON_Delete(json);
}

/* The redeem URL is the partner's alone. */
static void a_note_to_sponsors_has_no_url(void **state)
{
    NEEDS_PEER();
    char head[2048];
    cJSON *json = post_format(EI_WEBHOOK_JSON, EI_TEMPLATE_SPONSOR, head);

    assert_string_equal(ei_json_string(json, "event"), "sponsor");
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "url")));
    cJSON_Delete(json);
    json = post_format(EI_WEBHOOK_TEAMS, EI_TEMPLATE_SPONSOR, head);
    const cJSON *card = ei_json_object(cJSON_GetArrayItem(ei_json_array(json, "attachments"), 0), "content");
    assert_null(ei_json_array(card, "actions"));
    cJSON_Delete(json);
}

static void slack_is_escaped(void **state)
{
    NEEDS_PEER();
    char head[2048];
    cJSON *json = post_format(EI_WEBHOOK_SLACK, EI_TEMPLATE_INVITATION, head);

    assert_string_equal(ei_json_string(json, "text"),
                        "Access for Taylor &lt;b&gt;\n\nHello &amp; welcome,\n[x](https://evil.example)\n\n" REDEEM
                        "\n");
    /* Slack would open the URL itself to show what is there. */
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "unfurl_links")));
    cJSON_Delete(json);
}

static void teams_is_a_card_without_markdown(void **state)
{
    NEEDS_PEER();
    char head[2048];
    cJSON *json = post_format(EI_WEBHOOK_TEAMS, EI_TEMPLATE_INVITATION, head);
    const cJSON *attachment = cJSON_GetArrayItem(ei_json_array(json, "attachments"), 0);
    const cJSON *card = ei_json_object(attachment, "content");
    const cJSON *block;

    assert_string_equal(ei_json_string(json, "type"), "message");
    assert_string_equal(ei_json_string(attachment, "contentType"), "application/vnd.microsoft.card.adaptive");
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(attachment, "contentUrl")));
    assert_string_equal(ei_json_string(card, "type"), "AdaptiveCard");
    assert_int_equal(cJSON_GetArraySize(ei_json_array(card, "body")), 3);
    cJSON_ArrayForEach(block, ei_json_array(card, "body"))
        assert_string_equal(ei_json_string(block, "type"), "RichTextBlock");
    block = cJSON_GetArrayItem(ei_json_array(card, "body"), 1);
    assert_string_equal(ei_json_string(cJSON_GetArrayItem(ei_json_array(block, "inlines"), 0), "text"),
                        "Hello & welcome,\n[x](https://evil.example)");
    const cJSON *action = cJSON_GetArrayItem(ei_json_array(card, "actions"), 0);
    assert_string_equal(ei_json_string(action, "type"), "Action.OpenUrl");
    assert_string_equal(ei_json_string(action, "url"), REDEEM);
    cJSON_Delete(json);
}

static void the_status_decides(void **state)
{
    NEEDS_PEER();
    static const struct {
        const char *mode;
        enum ei_deliver_outcome outcome;
        enum ei_err code;
        long status;
        int retry_after;
    } cases[] = {
        {"http status=200 body=ok", EI_DELIVER_DONE, EI_OK, 200, -1},
        {"http status=202", EI_DELIVER_DONE, EI_OK, 202, -1},
        {"http status=204", EI_DELIVER_DONE, EI_OK, 204, -1},
        {"http status=302 header=Location:http://127.0.0.1:1/", EI_DELIVER_REJECTED, EI_WEBHOOK, 302, -1},
        {"http status=307 header=Location:http://127.0.0.1:1/", EI_DELIVER_REJECTED, EI_WEBHOOK, 307, -1},
        {"http status=400 body=invalid_payload", EI_DELIVER_REJECTED, EI_WEBHOOK, 400, -1},
        {"http status=401", EI_DELIVER_REJECTED, EI_WEBHOOK, 401, -1},
        {"http status=403", EI_DELIVER_REJECTED, EI_WEBHOOK, 403, -1},
        {"http status=404", EI_DELIVER_REJECTED, EI_WEBHOOK, 404, -1},
        {"http status=410", EI_DELIVER_REJECTED, EI_WEBHOOK, 410, -1},
        {"http status=413", EI_DELIVER_REJECTED, EI_WEBHOOK, 413, -1},
        {"http status=408", EI_DELIVER_REJECTED, EI_DELIVERY_LATER, 408, -1},
        {"http status=429 header=Retry-After:7", EI_DELIVER_REJECTED, EI_DELIVERY_LATER, 429, 7},
        {"http status=429 header=Retry-After:99999999", EI_DELIVER_REJECTED, EI_DELIVERY_LATER, 429, 3600},
        {"http status=429 header=Retry-After:soon", EI_DELIVER_REJECTED, EI_DELIVERY_LATER, 429, -1},
        {"http status=500", EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, 500, -1},
        {"http status=503 header=Retry-After:9", EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, 503, 9},
        /* More than anybody needs to read: the status has said it. */
        {"http status=200 size=50000000", EI_DELIVER_DONE, EI_OK, 200, -1},
        {"http status=404 size=50000000", EI_DELIVER_REJECTED, EI_WEBHOOK, 404, -1},
        /* It has the request, and then the connection is gone. */
        {"http close", EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, 0, -1},
        {"http interim", EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR, 103, -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int port;
        struct outcome outcome = post_to(cases[i].mode, &port);
        print_message("%s: %s\n", cases[i].mode, outcome.result.error.message);
        expect_result(&outcome, cases[i].outcome, cases[i].code);
        assert_int_equal(outcome.result.status, cases[i].status);
        assert_int_equal(outcome.result.retry_after, cases[i].retry_after);
        assert_int_equal(requests(port), 1); /* X6: no redirect, no repeat */
    }
}

static void silence_is_unclear(void **state)
{
    NEEDS_PEER();
    static const char *const modes[] = {"http stall", "http drip", "http tls stall"};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int port;
        struct outcome outcome = post_to(modes[i], &port);
        expect_result(&outcome, EI_DELIVER_UNCLEAR, EI_DELIVERY_UNCLEAR);
        assert_true(outcome.took_ms < 5000);
        assert_int_equal(requests(port), 1);
    }
}

static void a_short_word_is_told_and_no_echo(void **state)
{
    NEEDS_PEER();
    int port;
    struct outcome outcome = post_to("http status=403 body=invalid_token", &port);

    assert_non_null(strstr(outcome.result.error.message, "localhost: it answered 403: invalid token"));
    outcome = post_to("http status=400 body=cannot_read_" REDEEM, &port);
    assert_string_equal(outcome.result.error.message, "localhost: it answered 400");
    outcome =
        post_to("http status=400 body=hook-path-secret-and-much-more-than-anybody-would-call-a-short-word", &port);
    assert_string_equal(outcome.result.error.message, "localhost: it answered 400");
}

static void nobody_there_is_not_sent(void **state)
{
    NEEDS_PEER();
    struct ei_webhook webhook = {.url_file = in_dir("url"), .ca_file = in_dir("good.pem")};

    write_url(1, "https");
    struct outcome outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
    write_secret("url", "https://no-such-host.invalid/hooks/hook-path-secret");
    outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    print_message("%s\n", outcome.result.error.message);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_UNREACHABLE);
}

static void a_wrong_certificate_is_not_trusted(void **state)
{
    NEEDS_PEER();
    struct ei_webhook webhook = {.url_file = in_dir("url"), .ca_file = in_dir("other.pem")};
    int port = peer_open("http tls other");

    write_url(port, "https");
    struct outcome outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    print_message("%s\n", outcome.result.error.message);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_DELIVERY_TRUST);
    webhook.ca_file = in_dir("good.pem");
    outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_DELIVERY_TRUST);
    assert_int_equal(requests(port), 0);
}

static void a_url_that_is_none_is_named_by_its_file(void **state)
{
    NEEDS_PEER();
    static const char *const urls[] = {
        "hooks.example/hook-path-secret",
        "ftp://hooks.example/hook-path-secret",
        "http://hooks.example/hook-path-secret",
        "https://user:hook-path-secret@hooks.example/",
        "https://hooks.example/hook-path-secret two",
        "https://hooks.example/hook-path-secret\nhttps://two.example/",
        "https:///hook-path-secret",
    };
    struct ei_webhook webhook = {.url_file = in_dir("url")};

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        write_secret("url", urls[i]);
        struct outcome outcome = post(&webhook, EI_TEMPLATE_INVITATION);
        print_message("%s\n", outcome.result.error.message);
        expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_WEBHOOK);
        assert_non_null(strstr(outcome.result.error.message, "/url: holds "));
    }
    webhook.url_file = in_dir("no-such-file");
    struct outcome outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_SECRET_FILE);
}

/* A token cannot make a header of its own. */
static void a_token_is_one_word(void **state)
{
    NEEDS_PEER();
    struct ei_webhook webhook = {.url_file = in_dir("url"), .token_file = in_dir("token")};
    int port = peer_open("http");

    write_url(port, "http");
    write_secret("token", TOKEN "\r\nX-Evil: 1");
    struct outcome outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    expect_result(&outcome, EI_DELIVER_NOT_SENT, EI_WEBHOOK);
    assert_int_equal(requests(port), 0);
    write_secret("token", TOKEN);
    outcome = post(&webhook, EI_TEMPLATE_INVITATION);
    expect_result(&outcome, EI_DELIVER_DONE, EI_OK);
}

int main(void)
{
#define WITH(test)       cmocka_unit_test_setup_teardown(test, deliver_start, deliver_stop)
#define WITH_HASTY(test) cmocka_unit_test_setup_teardown(test, deliver_start_hasty, deliver_stop)
    const struct CMUnitTest tests[] = {
        WITH(generic_json_has_all_of_it),
        WITH(a_note_to_sponsors_has_no_url),
        WITH(slack_is_escaped),
        WITH(teams_is_a_card_without_markdown),
        WITH(the_status_decides),
        WITH_HASTY(silence_is_unclear),
        WITH(a_short_word_is_told_and_no_echo),
        WITH(nobody_there_is_not_sent),
        WITH(a_wrong_certificate_is_not_trusted),
        WITH(a_url_that_is_none_is_named_by_its_file),
        WITH(a_token_is_one_word),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

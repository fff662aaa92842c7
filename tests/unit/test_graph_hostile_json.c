/*
 * Answers of a Graph that means harm, in good HTTP (S16, S27): JSON that is not what it should be, redeem URLs that are
 * none, words that would steer a terminal. Nothing is believed of them, and nothing of them is shown as it came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hostile_fixture.h"

/* --- JSON that is not what it should be --- */

#define GUEST "\"id\":\"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\""

static void send_body(const char *body)
{
    cJSON *json = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(json, "body", body);
    text = cJSON_PrintUnformatted(json);
    write_file("attack", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void answers_that_are_none(void **state)
{
    static const char *const bodies[] = {
        "",
        "null",
        "7",
        "\"text\"",
        "[]",
        "{",
        "{}x",
        "{\"id\":7}",
        "{\"id\":null}",
        "{\"id\":[\"" OTHER_ID "\"]}",
        "{\"id\":\"" OTHER_ID "x\"}",
        "{\"id\":\"../" OTHER_ID "\"}",
        "{" GUEST ",\"a\":\"\\u0000\"}",
        "{\"value\":{" GUEST "}}",
        "{\"value\":\"" OTHER_ID "\"}",
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            send_body(bodies[b]);
            kinds[i].run(&got);
            if (got.result.outcome == EI_GRAPH_DONE)
                fail_msg("%s took %s", kinds[i].name, bodies[b]);
        }
    }
}

/* Of two members of one name the first counts, for whoever reads; of what has the wrong type, nothing. */
static void a_guest_of_twisted_members(void **state)
{
    static const struct {
        const char *body;
        const char *state; /* what is believed of externalUserState */
    } rows[] = {
        {"{" GUEST ",\"externalUserState\":\"PendingAcceptance\",\"externalUserState\":\"Accepted\"}",
         "PendingAcceptance"},
        {"{" GUEST ",\"ExternalUserState\":\"Accepted\"}", ""},
        {"{" GUEST ",\"externalUserState\":true}", ""},
        {"{" GUEST ",\"externalUserState\":1}", ""},
        {"{" GUEST ",\"externalUserState\":[\"Accepted\"]}", ""},
        {"{" GUEST ",\"externalUserState\":{\"Accepted\":true}}", ""},
        {"{" GUEST ",\"accountEnabled\":\"true\"}", ""},
        {"{" GUEST ",\"accountEnabled\":1}", ""},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        send_body(rows[i].body);
        do_get(&got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
        assert_string_equal(got.text, rows[i].state);
        assert_false(got.has_enabled);
    }
}

/* The URL goes into a mail, onto a terminal, to a webhook. */
static void redeem_urls_that_are_none(void **state)
{
    static const char *const urls[] = {
        "\"http://login.microsoftonline.com/redeem?rd=x\"",
        "\"javascript:alert(1)\"",
        "\"file:///etc/passwd\"",
        "\"https://a\\nSubject: x\"",
        "\"https://a\\r\\n.\\r\\nQUIT\"",
        "\"https://a\\u001b[31m\"",
        "\"https://a\\u009b31m\"",
        "\"https://a\\u0000b\"",
        "\"https://a b\"",
        "\"https://\\u202e\"",
        "\"HTTPS\"",
        "\"\"",
        "7",
        "null",
        "[\"https://a\"]",
    };
    char body[512];
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        for (int mail = 0; mail < 2; mail++) {
            snprintf(body, sizeof body, "{\"inviteRedeemUrl\":%s,\"invitedUser\":{" GUEST "}}", urls[i]);
            send_body(body);
            (mail ? do_mail : do_invite)(&got);
            expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
        }
    }
    char *longer = malloc(20001);
    assert_non_null(longer);
    snprintf(longer, 20001, "{\"invitedUser\":{" GUEST "},\"inviteRedeemUrl\":\"https://a/%0*d\"}", 12000, 7);
    send_body(longer);
    free(longer);
    do_invite(&got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
}

/* What the service says of an error is shown and logged: as one line of text, whatever it was. */
static void words_of_an_error_are_tamed(void **state)
{
    static const char *const words[] = {
        "\\u001b]0;title\\u0007\\u001b[2J", "one\\ntwo\\r\\nthree", "\\u009b31m", "a\\u202eb", "<script>", "%s%n%s",
    };
    char attack[1024];
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(attack, sizeof attack,
                 "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"innerError\":{\"request-id\":\"%s\"}}}", words[i],
                 words[i], words[i]);
        cJSON *json = cJSON_CreateObject();
        cJSON_AddNumberToObject(json, "status", 403);
        cJSON_AddStringToObject(json, "body", attack);
        cJSON_AddItemToObject(json, "head", cJSON_CreateArray());
        cJSON_AddItemToArray(cJSON_GetObjectItem(json, "head"), cJSON_CreateString("request-id: \033[31mred\x07"));
        char *text = cJSON_PrintUnformatted(json);
        write_file("attack", text);
        cJSON_free(text);
        cJSON_Delete(json);
        do_get(&got);
        expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
        for (const unsigned char *c = (const unsigned char *)got.result.error.message; *c != '\0'; c++)
            assert_true(*c >= 0x20 && *c != 0x7f);
        assert_null(strstr(got.result.error.message, "\xc2\x9b"));
        assert_string_equal(got.result.error.request_id, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(answers_that_are_none),       LOGIN_TEST(answers_that_are_none),
        GRAPH_TEST(a_guest_of_twisted_members),  GRAPH_TEST(redeem_urls_that_are_none),
        GRAPH_TEST(words_of_an_error_are_tamed),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}

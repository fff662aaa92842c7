/* Every request of common/graph against the simulator, and what refuses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

static void test_tenant_id(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    RUN(sim.graph, &got, ei_graph_tenant_id(sim.graph, got_names, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_string_equal(got.text, "11111111-2222-3333-4444-555555555555 ");
    assert_int_equal(count_requests("{\"path\":\"/token$\"}"), 0); /* without a token */
    CTL("fault", "{\"match\":{\"path\":\"openid-configuration\"},\"action\":{\"aadsts\":90002}}");
    RUN(sim.graph, &got, ei_graph_tenant_id(sim.graph, got_names, &got));
    assert_int_equal(got.result.error.code, EI_TENANT_UNKNOWN);
}

/* What the metadata's refusal means: the tenant's fault only where it says so; else there are no usable metadata. */
static void test_tenant_id_refused(void **state)
{
    static const struct {
        const char *action;
        long status;
        enum ei_graph_outcome outcome;
        enum ei_err code;
    } rows[] = {
        {"{\"aadsts\":90002}", 400, EI_GRAPH_REJECTED, EI_TENANT_UNKNOWN},
        {"{\"status\":400,\"body\":{\"error\":\"invalid_tenant\"}}", 400, EI_GRAPH_REJECTED, EI_TENANT_UNKNOWN},
        {"{\"status\":404,\"html\":true}", 404, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":404,\"body\":{\"error\":\"not_found\"}}", 404, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":400,\"body\":{\"error\":\"invalid_request\"}}", 400, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":401,\"body\":{\"error\":\"invalid_client\"}}", 401, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":403,\"empty\":true}", 403, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":405,\"body\":{\"error\":{\"code\":\"x\"}}}", 405, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER},
        {"{\"status\":503}", 503, EI_GRAPH_UNCLEAR, EI_TOKEN_TRANSIENT},
        {"{\"status\":302,\"headers\":{\"Location\":\"https://portal.fabrikam.com/\"}}", 302, EI_GRAPH_UNCLEAR,
         EI_REDIRECTED},
        {"{\"html\":true}", 200, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER},
        {"{\"body\":{}}", 200, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER},
        {"{\"body\":{\"issuer\":\"https://login.fabrikam.com\"}}", 200, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER},
        {"{\"body\":{\"issuer\":\"https://login.fabrikam.com/contoso/v2.0\"}}", 200, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER},
        {"{\"status\":429,\"retryAfter\":7}", 429, EI_GRAPH_REJECTED, EI_THROTTLED},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"openid-configuration\"},\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        RUN(sim.graph, &got, ei_graph_tenant_id(sim.graph, got_names, &got));
        if (got.result.status != rows[i].status || got.result.outcome != rows[i].outcome ||
            got.result.error.code != rows[i].code)
            fail_msg("%s: status %ld, outcome %d, %s", rows[i].action, got.result.status, got.result.outcome,
                     got.result.error.message);
    }
}

static void test_verified_domains(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("set", "domains",
        "[{\"name\":\"Contoso.example\",\"isVerified\":true},{\"name\":\"new.example\",\"isVerified\":false}]");
    RUN(sim.graph, &got, ei_graph_verified_domains(sim.graph, CRID, got_names, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_string_equal(got.text, "contoso.example ");
    /* contract 3: on 403 GET /domains, where those that are not verified are listed too */
    CTL("fault", "{\"match\":{\"path\":\"/organization\"},\"action\":{\"status\":403}}");
    CTL("set", "roles", "[\"Domain.Read.All\"]");
    ei_graph_drop_token(sim.graph);
    RUN(sim.graph, &got, ei_graph_verified_domains(sim.graph, CRID, got_names, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_string_equal(got.text, "contoso.example ");
    assert_request_ids("{\"path\":\"/organization\"}", 2, 2); /* two calls */
    assert_request_ids("{\"path\":\"/domains\"}", 1, 0);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":2,\"action\":{\"status\":403}}");
    RUN(sim.graph, &got, ei_graph_verified_domains(sim.graph, CRID, got_names, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
}

static void test_invite(void **state)
{
    struct got first;
    struct got again;

    NEEDS_SIMULATOR();
    invite(sim.graph, ADDRESS, false, &first);
    expect(&first, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(first.result.status, 201);
    assert_true(first.result.error.request_id[0] != '\0'); /* K8 */
    assert_string_equal(first.result.error.client_request_id, CRID);
    invite(sim.graph, ADDRESS, false, &again);
    assert_string_equal(again.id[0], first.id[0]);
    assert_string_not_equal(again.text, first.text);

    cJSON *ledger = CTL_JSON("ledger", ADDRESS);
    const cJSON *post = cJSON_GetArrayItem(ei_json_array(ledger, "posts"), 0);
    assert_string_equal(ei_json_string(post, "inviteRedeemUrl"), first.text); /* byte for byte */
    assert_string_equal(ei_json_string(post, "clientRequestId"), CRID);       /* X7 */
    assert_int_equal(cJSON_GetArraySize(ei_json_array(post, "ignored")), 0);
    assert_int_equal(cJSON_GetArraySize(ei_json_array(ledger, "guests")), 1);
    assert_int_equal(cJSON_GetArraySize(ei_json_array(ledger, "mails")), 0);
    cJSON_Delete(ledger);
}

static void test_invite_body(void **state)
{
    const struct ei_graph_invite body = {
        .invited_user_email_address = "o'neil@fabrikam.com",
        .invite_redirect_url = "https://apps.contoso.example/start",
        .invited_user_display_name = "Taylor \"T\" Example",
        .member = true,
        .send_invitation_message = true,
        .customized_message_body = "Line one\nLine two",
        .message_language = "nl-BE",
        .cc = "lead@contoso.example",
    };
    cJSON *json = ei_graph_invite_body(&body, "https://graph.microsoft.com");
    char *text = ei_json_print(json);
    struct got got;

    assert_string_equal(text, "{\"invitedUserEmailAddress\":\"o'neil@fabrikam.com\","
                              "\"inviteRedirectUrl\":\"https://apps.contoso.example/start\","
                              "\"invitedUserDisplayName\":\"Taylor \\\"T\\\" Example\",\"invitedUserType\":\"Member\","
                              "\"sendInvitationMessage\":true,\"invitedUserMessageInfo\":{\"customizedMessageBody\":"
                              "\"Line one\\nLine two\",\"messageLanguage\":\"nl-BE\",\"ccRecipients\":"
                              "[{\"emailAddress\":{\"address\":\"lead@contoso.example\"}}]}}");
    cJSON_free(text);
    cJSON_Delete(json);
    NEEDS_SIMULATOR();
    RUN(sim.graph, &got, ei_graph_invite(sim.graph, &body, CRID, got_invited, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    cJSON *mails = CTL_JSON("mails", "o'neil@fabrikam.com");
    assert_int_equal(cJSON_GetArraySize(mails), 1);
    cJSON_Delete(mails);
    find(sim.graph, "o'neil@fabrikam.com", &got); /* S30 */
    assert_int_equal(got.count, 1);
}

/* contract 2.7, on the wire */
static void test_invite_refused(void **state)
{
    static const struct {
        const char *verb, *key, *json, *address;
        enum ei_err code;
    } rows[] = {
        {"user", "{\"kind\":\"group\",\"address\":\"all@fabrikam.com\"}", NULL, "all@fabrikam.com", EI_GROUP_ADDRESS},
        {"user", "{\"kind\":\"member\",\"address\":\"kim@other.example\"}", NULL, "kim@other.example",
         EI_INTERNAL_USER},
        {"get", "domains", NULL, "kim@contoso.example", EI_VERIFIED_DOMAIN},
        {"get", "domains", NULL, "kim@contoso.onmicrosoft.com", EI_VERIFIED_DOMAIN},
        {"get", "domains", NULL, "taylor+x@fabrikam.com", EI_GRAPH_ADDRESS},
        {"set", "denyDomains", "[\"denied.example\"]", "a@denied.example", EI_INVITATION_REFUSED},
        {"set", "objectQuota", "1", "b@fabrikam.com", EI_QUOTA},
        {"set", "allowInvitesFrom", "\"none\"", "c@fabrikam.com", EI_INVITATIONS_OFF},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CTL(rows[i].verb, rows[i].key, rows[i].json);
        invite(sim.graph, rows[i].address, false, &got);
        expect(&got, EI_GRAPH_REJECTED, rows[i].code);
        assert_true((got.result.user_id[0] != '\0') == (rows[i].code == EI_INTERNAL_USER));
    }
}

static void test_find_users(void **state)
{
    struct got got;
    struct got guest;

    NEEDS_SIMULATOR();
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 0);
    invite(sim.graph, ADDRESS, false, &guest);
    find(sim.graph, "Taylor@FABRIKAM.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.id[0], guest.id[0]);
    assert_string_equal(got.text, "PendingAcceptance");
    assert_true(got.has_state && got.has_enabled && got.enabled);
    /* found by both requests after it is accepted, and still one user */
    CTL("redeem", ADDRESS);
    find(sim.graph, ADDRESS, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.text, "Accepted");
    /* each place where an address can stand */
    CTL("user", "{\"kind\":\"member\",\"address\":\"a@x.example\",\"set\":{\"otherMails\":[\"many@x.example\"]}}");
    CTL("user", "{\"kind\":\"member\",\"address\":\"b@x.example\",\"set\":{\"proxyAddresses\":[\"SMTP:b@x.example\","
                "\"smtp:many@x.example\"]}}");
    CTL("user", "{\"kind\":\"member\",\"address\":\"c@x.example\",\"set\":{\"identities\":[{\"signInType\":"
                "\"federated\",\"issuer\":\"mail\",\"issuerAssignedId\":\"many@x.example\"}]}}");
    CTL("user", "{\"kind\":\"member\",\"address\":\"many@x.example\"}");
    find(sim.graph, "many@x.example", &got);
    assert_int_equal(got.count, 4);
}

/* S30: not one of these reaches the network. */
static void test_find_refuses_what_is_no_address(void **state)
{
    static const char *const bad[] = {
        "", "a b@fabrikam.com", "a\n@fabrikam.com", "a@fabrikam.com\"", "<a@fabrikam.com>", "\xc3\xa9@fabrikam.com"};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        find(sim.graph, bad[i], &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_BAD_ADDRESS);
    }
    assert_int_equal(count_requests("{}"), 0);
}

static void test_find_pages(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    for (int i = 0; i < 5; i++) {
        char user[160];
        snprintf(user, sizeof user,
                 "{\"kind\":\"member\",\"address\":\"m%d@x.example\",\"set\":{\"otherMails\":[\"many@x.example\"]}}",
                 i);
        CTL("user", user);
    }
    CTL("set", "pageSize", "2");
    CTL("set", "emptyPages", "1");
    find(sim.graph, "many@x.example", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 5);
    assert_request_ids("{\"path\":\"^/v1.0/users$\"}", 6, 1); /* an empty page before each first one */
}

/* The token goes to the configured root only, and a collection ends. */
static void test_find_bad_links(void **state)
{
    struct got got;
    char fault[512];
    static const char body[] = "{\"match\":{\"query\":\"mail "
                               "eq\"},\"times\":0,\"action\":{\"body\":{\"value\":[],\"@odata.nextLink\":\"%s%s\"}}}";

    NEEDS_SIMULATOR();
    snprintf(fault, sizeof fault, body, "https://127.0.0.1:1", "/v1.0/users?$skiptoken=x");
    CTL("fault", fault);
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    assert_non_null(strstr(got.result.error.message, "away"));
    CTL("faults-clear", NULL);
    snprintf(fault, sizeof fault, body, sim.url, "/v1.0/users?$filter=mail%20eq%20'x'");
    CTL("fault", fault);
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
    assert_non_null(strstr(got.result.error.message, "circle"));
    assert_int_equal(count_requests("{\"query\":\"mail eq 'x'\"}"), 1);
}

/* A tenant that refuses a filter is asked a plainer one. */
static void test_find_refused_filters(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("user", "{\"kind\":\"pending\",\"address\":\"" ADDRESS "\"}");
    CTL("fault", "{\"match\":{\"query\":\"identities\"},\"action\":{\"status\":400,"
                 "\"code\":\"Request_UnsupportedQuery\"}}");
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"query\":\"identities\"},\"action\":{\"status\":501,\"code\":\"NotImplemented\"}}");
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"query\":\"identities\"},\"action\":{\"status\":403}}");
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
    CTL("fault", "{\"match\":{\"query\":\"proxyAddresses/any\"},\"times\":0,\"action\":{\"status\":400}}");
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"query\":\"otherMails/any\"},\"times\":0,\"action\":{\"status\":501}}");
    find(sim.graph, ADDRESS, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"query\":\"mail eq\"},\"times\":0,\"action\":{\"status\":400}}");
    find(sim.graph, ADDRESS, &got);
    assert_int_equal(got.result.outcome, EI_GRAPH_REJECTED);
    assert_int_equal(got.result.status, 400);
}

static void test_get_user(void **state)
{
    struct got guest;
    struct got got;

    NEEDS_SIMULATOR();
    invite(sim.graph, ADDRESS, false, &guest);
    get(sim.graph, guest.id[0], &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_string_equal(got.text, "PendingAcceptance");
    CTL("user", "{\"find\":\"" ADDRESS "\",\"state\":null,\"enabled\":false}");
    get(sim.graph, guest.id[0], &got);
    assert_true(got.has_state && got.text[0] == '\0');
    assert_true(got.has_enabled && !got.enabled);
    CTL("user", "{\"find\":\"" ADDRESS "\",\"absent\":[\"externalUserState\",\"accountEnabled\"]}");
    get(sim.graph, guest.id[0], &got);
    assert_false(got.has_state || got.has_enabled); /* contract 4.1: absent is not null */
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/users/\"},\"action\":{\"status\":404,\"html\":true}}");
    get(sim.graph, guest.id[0], &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_ANSWER);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/users/\"},\"action\":{\"body\":{\"id\":\"" OTHER_ID "\"}}}");
    get(sim.graph, guest.id[0], &got); /* somebody else's object */
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
}

/* Whatever Graph calls it, a 404 with its error object says that the object is not there; a page of somebody else does
 * not, nor does it count as deleted. */
static void test_not_found_by_any_code(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"\"code\":\"NotFound\"", EI_GRAPH_NOT_FOUND},
        {"\"code\":\"itemNotFound\",\"message\":\"gone\"", EI_GRAPH_NOT_FOUND},
        {"\"code\":\"Request_ResourceNotFound\"", EI_GRAPH_NOT_FOUND},
        {"\"code\":\"Directory_ObjectNotFound\"", EI_GRAPH_NOT_FOUND},
        {"\"html\":true", EI_GRAPH_ANSWER},
        {"\"body\":{\"message\":\"no Route matched\"}", EI_GRAPH_ANSWER},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        bool gone = rows[i].code == EI_GRAPH_NOT_FOUND;
        CTL("faults-clear", NULL);
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0,\"action\":{\"status\":404,%s}}",
                 rows[i].action);
        CTL("fault", fault);
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_REJECTED, rows[i].code);
        RUN(sim.graph, &got, ei_graph_get_deleted(sim.graph, OTHER_ID, CRID, got_plain, &got));
        expect(&got, EI_GRAPH_REJECTED, rows[i].code);
        RUN(sim.graph, &got, ei_graph_disable_user(sim.graph, OTHER_ID, CRID, got_plain, &got));
        expect(&got, EI_GRAPH_REJECTED, rows[i].code);
        RUN(sim.graph, &got, ei_graph_delete_user(sim.graph, OTHER_ID, CRID, got_plain, &got));
        expect(&got, gone ? EI_GRAPH_DONE : EI_GRAPH_REJECTED, gone ? EI_OK : rows[i].code);
    }
}

/* S41: nothing that would name another resource is sent. */
static void test_ids_are_checked(void **state)
{
    static const char *const bad[] = {"", ".", "..", "me", "x/y", OTHER_ID "/", OTHER_ID "?x"};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        get(sim.graph, bad[i], &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_USAGE);
        RUN(sim.graph, &got, ei_graph_delete_user(sim.graph, bad[i], CRID, got_plain, &got));
        expect(&got, EI_GRAPH_NOT_SENT, EI_USAGE);
    }
    assert_int_equal(count_requests("{}"), 0);
}

static void test_disable_delete(void **state)
{
    struct got guest;
    struct got got;

    NEEDS_SIMULATOR();
    invite(sim.graph, ADDRESS, false, &guest);
    RUN(sim.graph, &got, ei_graph_disable_user(sim.graph, guest.id[0], CRID, got_plain, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
    CTL("set", "roles", "[\"User.ReadWrite.All\"]");
    ei_graph_drop_token(sim.graph);
    RUN(sim.graph, &got, ei_graph_disable_user(sim.graph, guest.id[0], CRID, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    get(sim.graph, guest.id[0], &got);
    assert_true(got.has_enabled && !got.enabled);
    RUN(sim.graph, &got, ei_graph_get_deleted(sim.graph, guest.id[0], CRID, got_plain, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    for (int i = 0; i < 2; i++) { /* the second time it is gone, which is what was wanted */
        RUN(sim.graph, &got, ei_graph_delete_user(sim.graph, guest.id[0], CRID, got_plain, &got));
        expect(&got, EI_GRAPH_DONE, EI_OK);
    }
    RUN(sim.graph, &got, ei_graph_get_deleted(sim.graph, guest.id[0], CRID, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    get(sim.graph, guest.id[0], &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
}

int main(void)
{
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_tenant_id),
        SIM_TEST(test_tenant_id_refused),
        SIM_TEST(test_verified_domains),
        SIM_TEST(test_invite),
        SIM_TEST(test_invite_body),
        SIM_TEST(test_invite_refused),
        SIM_TEST(test_find_users),
        SIM_TEST(test_find_refuses_what_is_no_address),
        SIM_TEST(test_find_pages),
        SIM_TEST(test_find_bad_links),
        SIM_TEST(test_find_refused_filters),
        SIM_TEST(test_get_user),
        SIM_TEST(test_not_found_by_any_code),
        SIM_TEST(test_ids_are_checked),
        SIM_TEST(test_disable_delete),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

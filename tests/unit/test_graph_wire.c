/* What goes over the wire, to the letter: bodies, headers and encoding that a strict server takes as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

static void check_body(const struct ei_graph_invite *body, const char *expected)
{
    cJSON *json = ei_graph_invite_body(body, "https://graph.microsoft.com");
    char *text = ei_json_print(json);

    assert_string_equal(text, expected);
    cJSON_free(text);
    cJSON_Delete(json);
}

/* What there is nothing to say about is left out: no null, no empty text, nothing about a mail that is not sent. */
static void test_invite_body_is_spare(void **state)
{
    (void)state;
    struct ei_graph_invite body = {
        .invited_user_email_address = ADDRESS,
        .invite_redirect_url = "https://myapps.microsoft.com/",
        .invited_user_display_name = "",
        .customized_message_body = "Welcome",
        .message_language = "nl-BE",
        .cc = "lead@contoso.example",
    };

    check_body(&body,
               "{\"invitedUserEmailAddress\":\"" ADDRESS "\",\"inviteRedirectUrl\":"
               "\"https://myapps.microsoft.com/\",\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":false}");
    body.send_invitation_message = true;
    body.customized_message_body = "";
    body.message_language = NULL;
    check_body(&body, "{\"invitedUserEmailAddress\":\"" ADDRESS "\",\"inviteRedirectUrl\":"
                      "\"https://myapps.microsoft.com/\",\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":true,"
                      "\"invitedUserMessageInfo\":{\"ccRecipients\":[{\"emailAddress\":{\"address\":"
                      "\"lead@contoso.example\"}}]}}");
    body.cc = "";
    body.message_language = "";
    check_body(&body,
               "{\"invitedUserEmailAddress\":\"" ADDRESS "\",\"inviteRedirectUrl\":"
               "\"https://myapps.microsoft.com/\",\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":true}");
}

/* Names in a URL are encoded, and a reset names its user; contract 2.2, 2.5. */
static void test_invite_body_names_sponsors_and_the_reset(void **state)
{
    (void)state;
    const char *const sponsors[] = {"users/o'neil_b.example#EXT#@contoso.example",
                                    "groups/0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"};
    struct ei_graph_invite body = {
        .invited_user_email_address = ADDRESS,
        .invite_redirect_url = "https://myapps.microsoft.com/",
        .sponsors = sponsors,
        .sponsor_count = 2,
    };

    check_body(&body, "{\"invitedUserEmailAddress\":\"" ADDRESS "\",\"inviteRedirectUrl\":"
                      "\"https://myapps.microsoft.com/\",\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":false,"
                      "\"invitedUserSponsors@odata.bind\":[\"https://graph.microsoft.com/v1.0/users/"
                      "o%27neil_b.example%23EXT%23%40contoso.example\",\"https://graph.microsoft.com/v1.0/groups/"
                      "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\"]}");
    body.sponsor_count = 0;
    body.reset_user_id = "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03";
    check_body(&body, "{\"invitedUserEmailAddress\":\"" ADDRESS "\",\"inviteRedirectUrl\":"
                      "\"https://myapps.microsoft.com/\",\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":false,"
                      "\"invitedUser\":{\"id\":\"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03\"},\"resetRedemption\":true}");
}

/* The newest request that matches came with exactly these headers, each once, and this type of body. */
static void check_headers(const char *match, const char *headers, const char *type)
{
    cJSON *list = CTL_JSON("requests", match);
    const cJSON *request = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
    const char *sent_type = ei_json_string(request, "contentType");

    assert_non_null(request);
    assert_string_equal(ei_json_string(request, "headers"), headers);
    assert_string_equal(sent_type != NULL ? sent_type : "", type);
    cJSON_Delete(list);
}

#define READ_HEADERS  "accept accept-encoding authorization client-request-id user-agent"
#define WRITE_HEADERS "accept accept-encoding authorization client-request-id content-length content-type"

/* Nothing that a strict server could stumble over: no type without a body, no header twice, none that is not needed. */
static void test_headers(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("set", "roles", "[\"User.Invite.All\",\"User.ReadWrite.All\"]");
    RUN(sim.graph, &got, ei_graph_tenant_id(sim.graph, got_names, &got));
    check_headers("{\"path\":\"openid\"}", "accept accept-encoding client-request-id host user-agent", "");
    find(sim.graph, ADDRESS, &got);
    check_headers("{\"path\":\"/token$\"}",
                  "accept accept-encoding client-request-id content-length content-type host user-agent",
                  "application/x-www-form-urlencoded");
    check_headers("{\"path\":\"/users$\"}", READ_HEADERS, "");
    invite(sim.graph, ADDRESS, false, &got);
    check_headers("{\"mail\":false}", WRITE_HEADERS " user-agent", "application/json");
    invite(sim.graph, ADDRESS, true, &got);
    check_headers("{\"mail\":true}", WRITE_HEADERS " host user-agent", "application/json"); /* HTTP/1.1 */
    char id[EI_GUID_TEXT];
    memcpy(id, got.id[0], sizeof id);
    RUN(sim.graph, &got, ei_graph_disable_user(sim.graph, id, CRID, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    check_headers("{\"method\":\"PATCH\"}", WRITE_HEADERS " user-agent", "application/json");
    RUN(sim.graph, &got, ei_graph_delete_user(sim.graph, id, CRID, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    check_headers("{\"method\":\"DELETE\"}", READ_HEADERS, "");
}

/* Decoded once, the filter holds the address as it is, with its quote doubled (S30). */
static void test_filter_is_encoded_once(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    find(sim.graph, "o'neil+a%41&b#c=d@fabrikam.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests("{\"query\":\"mail eq 'o''neil[+]a%41&b#c=d@fabrikam.com' or\"}"), 1);
    assert_int_equal(count_requests("{\"query\":\"issuerAssignedId eq 'o''neil[+]a%41&b#c=d@fabrikam.com' and\"}"), 1);
}

/* contract 0: the scope names the Graph root of the cloud that is meant, and of no other. The secret is wrong, so that
 * nothing goes to that root: the login service looks at the scope first. */
static void test_scope_is_the_clouds_own(void **state)
{
    static const char *const roots[] = {"https://graph.microsoft.com", "https://graph.microsoft.us",
                                        "https://dod-graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"};
    enum { ROOTS = sizeof roots / sizeof roots[0] };
    char quoted[64];
    struct got got;

    NEEDS_SIMULATOR();
    CTL("set", "secret", "\"another\"");
    for (size_t cloud = 0; cloud < ROOTS; cloud++) {
        snprintf(quoted, sizeof quoted, "\"%s\"", roots[cloud]);
        CTL("set", "graphRoot", quoted);
        use_graph(roots[cloud], NULL, 0);
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_SECRET_WRONG);
        use_graph(roots[(cloud + 1) % ROOTS], NULL, 0);
        get(sim.graph, OTHER_ID, &got);
        expect(&got, EI_GRAPH_NOT_SENT, EI_BAD_SCOPE);
    }
}

int main(void)
{
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invite_body_is_spare),
        cmocka_unit_test(test_invite_body_names_sponsors_and_the_reset),
        SIM_TEST(test_headers),
        SIM_TEST(test_filter_is_encoded_once),
        SIM_TEST(test_scope_is_the_clouds_own),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/* What only a check-up asks: reach, clock, policy, the permissions in the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

static void got_text(void *context, const struct ei_graph_result *result, const char *value)
{
    struct got *got = context;

    got->calls++;
    got->result = *result;
    assert_true((value != NULL) == (result->outcome == EI_GRAPH_DONE));
    snprintf(got->text, sizeof got->text, "%s", value != NULL ? value : "");
}

static void reach(struct got *got)
{
    RUN(sim.graph, got, ei_graph_reach(sim.graph, got_plain, got));
}

static void reach_login(struct got *got)
{
    RUN(sim.graph, got, ei_graph_reach_login(sim.graph, got_plain, got));
}

static void policy(struct got *got)
{
    RUN(sim.graph, got, ei_graph_invite_policy(sim.graph, got_text, got));
}

/* Whatever Graph says to somebody without a token, it was reached; the token stays where it is. */
static void test_reach(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    reach(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_true(got.result.certificate_ends > ei_now());
    cJSON *sent = CTL_JSON("requests", "{\"path\":\"^/v1.0/$\"}");
    assert_int_equal(cJSON_GetArraySize(sent), 1);
    assert_null(strstr(ei_json_string(cJSON_GetArrayItem(sent, 0), "headers"), "authorization"));
    cJSON_Delete(sent);
    assert_int_equal(count_requests("{\"path\":\"/token$\"}"), 0);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/$\"},\"action\":{\"status\":503}}");
    reach(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/$\"},\"action\":{\"status\":302,\"headers\":"
                 "{\"Location\":\"https://portal.fabrikam.com/\"}}}");
    reach(&got);
    assert_int_equal(got.result.error.code, EI_REDIRECTED);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/$\"},\"action\":{\"close\":true}}");
    reach(&got);
    assert_int_equal(got.result.error.code, EI_UNREACHABLE);
    use_graph("https://localhost:1", NULL, 0);
    reach(&got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_UNREACHABLE);
    use_graph(NULL, "/etc/hostname", 0);
    reach(&got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_TLS_TRUST);
}

/* Of what the login service says it matters only that there is no such tenant. */
static void test_reach_login(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"aadsts\":90002}", EI_TENANT_UNKNOWN},
        {"{\"aadsts\":90038}", EI_WRONG_CLOUD},
        {"{\"aadsts\":7000215}", EI_OK},
        {"{\"status\":404,\"html\":true}", EI_OK},
        {"{\"status\":503}", EI_OK},
        {"{\"status\":302}", EI_REDIRECTED},
        {"{\"reset\":true}", EI_UNREACHABLE},
    };
    struct got got;

    NEEDS_SIMULATOR();
    reach_login(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_true(got.result.certificate_ends > ei_now());
    assert_true(got.result.has_skew);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"openid-configuration\"},\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        reach_login(&got);
        if (got.result.error.code != rows[i].code)
            fail_msg("%s: %s", rows[i].action, got.result.error.message);
        assert_int_equal(got.result.outcome == EI_GRAPH_DONE, rows[i].code == EI_OK);
    }
}

static void test_ca_file(void **state)
{
    char path[128];

    NEEDS_SIMULATOR();
    snprintf(path, sizeof path, "%s/ca.pem", sim.dir);
    assert_true(ei_graph_ca_ends(path) > ei_now());
    assert_int_equal(ei_graph_ca_ends("/etc/hostname"), 0);
    assert_int_equal(ei_graph_ca_ends("/nowhere"), 0);
}

static void answer_with_date(int64_t ahead)
{
    char date[64];
    char fault[256];
    struct tm tm;
    time_t t = (time_t)(ei_now() - ahead);

    gmtime_r(&t, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"^/v1.0/$\"},\"action\":{\"headers\":{\"Date\":\"%s\"}}}",
             date);
    CTL("fault", fault);
}

static void test_skew(void **state)
{
    static const int64_t ahead[] = {0, 90, -90, 400, -4000};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++) {
        answer_with_date(ahead[i]);
        reach(&got);
        assert_true(got.result.has_skew);
        assert_true(got.result.skew >= ahead[i] && got.result.skew <= ahead[i] + 10);
    }
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/$\"},\"action\":{\"headers\":{\"Date\":\"soon\"}}}");
    reach(&got);
    assert_false(got.result.has_skew);
}

static void test_policy(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    policy(&got);
    expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
    CTL("set", "roles", "[\"Policy.Read.All\"]");
    CTL("set", "allowInvitesFrom", "\"adminsAndGuestInviters\"");
    ei_graph_drop_token(sim.graph);
    policy(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_string_equal(got.text, "adminsAndGuestInviters");
    CTL("fault", "{\"match\":{\"path\":\"authorizationPolicy\"},\"action\":{\"body\":{\"x\":1}}}");
    policy(&got);
    expect(&got, EI_GRAPH_UNCLEAR, EI_GRAPH_ANSWER);
}

/* The token that the login service gives next; the permissions in it, joined by blanks; "-": it does not tell. */
static void check_token(const char *token, const char *expected, bool delegated)
{
    struct got got;
    char fault[1024];
    char text[256] = "";
    bool is_delegated = false;
    const cJSON *item;

    snprintf(fault, sizeof fault,
             "{\"match\":{\"path\":\"/token$\"},\"action\":{\"body\":{\"token_type\":\"Bearer\",\"expires_in\":3599,"
             "\"access_token\":\"%s\"}}}",
             token);
    CTL("fault", fault);
    CTL("fault", "{\"match\":{\"path\":\"authorizationPolicy\"},\"action\":{\"status\":403}}");
    ei_graph_drop_token(sim.graph);
    policy(&got);
    cJSON *names = ei_graph_token_permissions(sim.graph, &is_delegated);
    cJSON_ArrayForEach(item, names)
    {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", used != 0 ? " " : "", cJSON_GetStringValue(item));
    }
    assert_string_equal(names != NULL ? text : "-", expected);
    assert_int_equal(is_delegated, delegated);
    cJSON_Delete(names);
}

static void test_permissions_in_the_token(void **state)
{
    bool delegated = false;
    struct got got;

    NEEDS_SIMULATOR();
    assert_null(ei_graph_token_permissions(sim.graph, &delegated));
    policy(&got);
    cJSON *names = ei_graph_token_permissions(sim.graph, &delegated);
    assert_int_equal(cJSON_GetArraySize(names), 3);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(names, 0)), "User.Invite.All");
    assert_false(delegated);
    cJSON_Delete(names);
    /* {"scp":"User.Invite.All  User.Read"} */
    check_token("eyJhbGciOiJub25lIn0.eyJzY3AiOiJVc2VyLkludml0ZS5BbGwgIFVzZXIuUmVhZCJ9.c2ln",
                "User.Invite.All User.Read", true);
    /* {"roles":[]}, {"roles":[7,"a"]} */
    check_token("a.eyJyb2xlcyI6W119.b", "", false);
    check_token("a.eyJyb2xlcyI6WzcsImEiXX0.b", "a", false);
    /* no claim, no JSON, no base64url, no JWT: it does not tell */
    check_token("a.e30.b", "-", false);
    check_token("a.eyJy.b", "-", false);
    check_token("a.****.b", "-", false);
    check_token("a..b", "-", false);
    check_token("opaque", "-", false);
    check_token("a.b", "-", false);
}

#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_reach), SIM_TEST(test_reach_login), SIM_TEST(test_ca_file),
        SIM_TEST(test_skew),  SIM_TEST(test_policy),      SIM_TEST(test_permissions_in_the_token),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/* What becomes of requests whose token is refused, by the login service or by Graph: contract 1.7, 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

#define TOKEN "\"match\":{\"path\":\"/token$\"}"

static int tokens(void)
{
    return count_requests("{\"path\":\"/token$\"}");
}

/* contract 1.7; nothing reaches Graph, and each is free to repeat. */
static void test_login_errors(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"aadsts\":7000215}", EI_SECRET_WRONG},
        {"{\"aadsts\":7000222}", EI_SECRET_EXPIRED},
        {"{\"aadsts\":700016}", EI_CLIENT_UNKNOWN},
        {"{\"aadsts\":90002}", EI_TENANT_UNKNOWN},
        {"{\"aadsts\":900144}", EI_TOKEN_REFUSED},
        {"{\"aadsts\":70011}", EI_BAD_SCOPE},
        {"{\"aadsts\":700027}", EI_ASSERTION_REFUSED},
        {"{\"aadsts\":50196}", EI_LOGIN_THROTTLED},
        {"{\"aadsts\":90033}", EI_TOKEN_TRANSIENT},
        {"{\"status\":503,\"html\":true}", EI_TOKEN_TRANSIENT},
        /* what is no token is nobody's fault: a page of somebody else, a server that is not itself */
        {"{\"html\":true}", EI_TOKEN_TRANSIENT},
        /* login services that have no number for it */
        {"{\"status\":404,\"html\":true}", EI_TENANT_UNKNOWN},
        {"{\"status\":404,\"body\":{\"error\":\"invalid_request\"}}", EI_TENANT_UNKNOWN},
        {"{\"status\":404,\"body\":{\"error\":\"invalid_client\"}}", EI_SECRET_WRONG},
        {"{\"status\":403,\"html\":true}", EI_TOKEN_TRANSIENT},
        {"{\"status\":500}", EI_TOKEN_TRANSIENT},
        {"{\"empty\":true}", EI_TOKEN_TRANSIENT},
        {"{\"huge\":9000000}", EI_TOKEN_TRANSIENT},
        {"{\"body\":{\"token_type\":\"Bearer\",\"access_token\":\"\"}}", EI_TOKEN_TRANSIENT},
        {"{\"body\":{\"token_type\":\"mac\",\"access_token\":\"abc\"}}", EI_TOKEN_TRANSIENT},
        {"{\"body\":{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX: y\",\"expires_in\":3599}}",
         EI_TOKEN_TRANSIENT},
        {"{\"body\":{\"token_type\":\"Bearer\",\"access_token\":\"abc\",\"expires_in\":-5}}", EI_TOKEN_TRANSIENT},
        {"{\"status\":401,\"body\":{\"error\":\"invalid_client\"}}", EI_SECRET_WRONG},
        {"{\"status\":400,\"body\":{\"error\":\"unauthorized_client\"}}", EI_CLIENT_UNKNOWN},
        {"{\"status\":400,\"body\":{\"error\":\"server_error\"}}", EI_TOKEN_TRANSIENT},
        {"{\"truncate\":20}", EI_UNREACHABLE},
        {"{\"status\":302,\"headers\":{\"Location\":\"https://portal.fabrikam.com/\"}}", EI_REDIRECTED},
    };
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[512];
        snprintf(fault, sizeof fault, "{" TOKEN ",\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        ei_graph_drop_token(sim.graph);
        invite(sim.graph, ADDRESS, true, &got);
        if (got.result.outcome != EI_GRAPH_NOT_SENT || got.result.error.code != rows[i].code)
            fail_msg("%s: outcome %d, %s", rows[i].action, got.result.outcome, got.result.error.message);
        assert_null(strchr(got.result.error.message, '\n'));
    }
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/\"}"), 0);
    invite(sim.graph, ADDRESS, true, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
}

/* X7, K8: the id that was sent is told with whatever came of it. */
static void test_failures_name_the_request(void **state)
{
    static const char *const actions[] = {"{\"status\":403}", "{\"status\":503}", "{\"html\":true}", "{\"close\":true}",
                                          "{\"truncate\":9}"};
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        char fault[256];
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"^/v1.0/\"},\"action\":%s}", actions[i]);
        CTL("fault", fault);
        invite(sim.graph, ADDRESS, false, &got);
        assert_int_not_equal(got.result.error.code, EI_OK);
        assert_string_equal(got.result.error.client_request_id, CRID);
    }
}

/* contract 6: a 401 with claims= that stays is a policy's; another token may pass. */
static void test_claims_challenge(void **state)
{
#define CHALLENGE                                                                                                      \
    "\"action\":{\"status\":401,\"headers\":{\"WWW-Authenticate\":\"Bearer realm=\\\"\\\", "                           \
    "error=\\\"insufficient_claims\\\", claims=\\\"eyJhIjp7fX0=\\\"\"}}}"
    struct got got;

    NEEDS_SIMULATOR();
    get(sim.graph, OTHER_ID, &got); /* a token */
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":1," CHALLENGE);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(tokens(), 2);
    CTL("fault", "{\"match\":{\"path\":\"^/v1.0/\"},\"times\":0," CHALLENGE);
    get(sim.graph, OTHER_ID, &got);
    expect(&got, EI_GRAPH_REJECTED, EI_CONDITIONAL_ACCESS);
    assert_int_equal(tokens(), 3);
}

#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_login_errors),
        SIM_TEST(test_failures_name_the_request),
        SIM_TEST(test_claims_challenge),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

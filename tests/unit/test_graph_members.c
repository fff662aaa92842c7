/* Members of groups, against the simulator (contract 5): what counts as done, and whose fault the rest is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

#define GROUP       "aaaaaaaa-0000-4000-8000-00000000000a"
#define ROLES(more) "[\"User.Invite.All\",\"User.Read.All\"" more "]"

static char user_id[EI_GUID_TEXT];

/* A guest, a group that is made from its JSON, and an app that may change groups. */
static void begin(const char *group)
{
    struct got got;

    CTL("set", "roles", ROLES(",\"GroupMember.ReadWrite.All\""));
    invite(sim.graph, "taylor@fabrikam.com", false, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    snprintf(user_id, sizeof user_id, "%s", got.id[0]);
    CTL("group", group);
}

static void add(struct got *got)
{
    RUN(sim.graph, got, ei_graph_add_member(sim.graph, GROUP, user_id, NULL, got_plain, got));
}

static int members(void)
{
    cJSON *group = CTL_JSON("group", "{\"find\":\"" GROUP "\"}");
    int count = cJSON_GetArraySize(ei_json_array(group, "members"));

    cJSON_Delete(group);
    return count;
}

/* "Already a member" is told by the membership itself, not by the text of the refusal. */
static void test_once_and_again(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    begin("{\"id\":\"" GROUP "\"}");
    add(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.result.status, 204);
    assert_int_equal(members(), 1);
    assert_int_equal(count_requests("{\"path\":\"checkMemberGroups\"}"), 0);
    CTL("fault", "{\"match\":{\"path\":\"/members/\"},\"action\":{\"status\":400,\"code\":\"Request_BadRequest\","
                 "\"message\":\"in words that nobody has seen\"}}");
    add(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests("{\"path\":\"checkMemberGroups\"}"), 1);
    add(&got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(members(), 1);
}

static void test_who_takes_no_members(void **state)
{
    static const char *const kinds[] = {"dynamic", "synced"};
    char group[128];
    struct got got;

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < 2; i++) {
        CTL("reset", "all");
        ei_graph_drop_token(sim.graph);
        snprintf(group, sizeof group, "{\"id\":\"%s\",\"%s\":true}", GROUP, kinds[i]);
        begin(group);
        add(&got);
        expect(&got, EI_GRAPH_REJECTED, EI_ENTRA_GROUP_REFUSED);
        assert_non_null(strstr(got.result.error.message, GROUP));
        assert_true(got.result.error.request_id[0] != '\0');
        assert_int_equal(members(), 0);
    }
}

/* Without the check the refusal stands; while the check is throttled or down, nothing is decided. */
static void test_the_check_fails(void **state)
{
    static const struct {
        const char *action;
        enum ei_err code;
    } rows[] = {
        {"{\"status\":403}", EI_ENTRA_GROUP_REFUSED},
        {"{\"status\":404}", EI_ENTRA_GROUP_REFUSED},
        {"{\"status\":400}", EI_ENTRA_GROUP_REFUSED},
        {"{\"status\":503}", EI_GRAPH_DOWN},
        {"{\"body\":{}}", EI_ENTRA_GROUP_REFUSED},
        {"{\"html\":true}", EI_ENTRA_GROUP_REFUSED},
        {"{\"body\":{\"value\":[1,null,\"" OTHER_ID "\"]}}", EI_ENTRA_GROUP_REFUSED},
    };
    struct got got;

    NEEDS_SIMULATOR();
    begin("{\"id\":\"" GROUP "\"}");
    add(&got);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fault[256];
        snprintf(fault, sizeof fault, "{\"match\":{\"path\":\"checkMemberGroups\"},\"action\":%s}", rows[i].action);
        CTL("fault", fault);
        add(&got);
        assert_int_not_equal(got.result.outcome, EI_GRAPH_DONE);
        assert_string_equal(ei_err_name(got.result.error.code), ei_err_name(rows[i].code));
    }
}

static void test_denied_and_unknown(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    begin("{\"id\":\"" GROUP "\",\"roleAssignable\":true}");
    add(&got);
    expect(&got, EI_GRAPH_REJECTED, EI_ENTRA_GROUP_DENIED);
    RUN(sim.graph, &got, ei_graph_add_member(sim.graph, OTHER_ID, user_id, NULL, got_plain, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_non_null(strstr(got.result.error.message, OTHER_ID));
    CTL("set", "roles", ROLES());
    ei_graph_drop_token(sim.graph);
    add(&got);
    expect(&got, EI_GRAPH_REJECTED, EI_ENTRA_GROUP_DENIED);
}

/* S41: what is no id never reaches a URL. */
static void test_s41_ids(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    begin("{\"id\":\"" GROUP "\"}");
    RUN(sim.graph, &got, ei_graph_add_member(sim.graph, "x/../" GROUP, user_id, NULL, got_plain, &got));
    expect(&got, EI_GRAPH_NOT_SENT, EI_USAGE);
    RUN(sim.graph, &got, ei_graph_add_member(sim.graph, GROUP, "", NULL, got_plain, &got));
    expect(&got, EI_GRAPH_NOT_SENT, EI_USAGE);
    assert_int_equal(count_requests("{\"path\":\"/groups/\"}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_takes_no_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_check_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_denied_and_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_s41_ids, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

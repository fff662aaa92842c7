/* "Was this person already invited?": the guest's own name, awkward addresses, deleted users (contract 2.4, 3, 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

static void know_domains(void)
{
    struct got got;

    RUN(sim.graph, &got, ei_graph_verified_domains(sim.graph, NULL, got_names, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
}

/* Its addresses are others by now; the name that it was given is what it was. */
static void another_address_by_now(void)
{
    CTL("user", "{\"kind\":\"accepted\",\"address\":\"" ADDRESS "\",\"set\":{\"mail\":\"new@fabrikam.com\","
                "\"otherMails\":[\"new@fabrikam.com\"],\"proxyAddresses\":[\"SMTP:new@fabrikam.com\"],"
                "\"identities\":[]}}");
}

static void test_own_name(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    another_address_by_now();
    find(sim.graph, ADDRESS, &got);
    assert_int_equal(got.count, 0);
    know_domains();
    int before = count_requests("{\"path\":\"^/v1.0/users$\"}");
    find(sim.graph, "Taylor@Fabrikam.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    assert_int_equal(count_requests("{\"path\":\"^/v1.0/users$\"}"), before + 2); /* it costs no request */
    /* who has the address itself is meant */
    CTL("user", "{\"kind\":\"pending\",\"address\":\"" ADDRESS "\",\"set\":{\"userPrincipalName\":"
                "\"taylor_fabrikam.com1#EXT#@contoso.onmicrosoft.com\"}}");
    find(sim.graph, ADDRESS, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.text, "PendingAcceptance");
}

/* The default domain may be another one than the initial one. */
static void test_own_name_at_the_default_domain(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("set", "domains",
        "[{\"name\":\"contoso.onmicrosoft.com\",\"isInitial\":true},{\"name\":\"contoso.com\","
        "\"isDefault\":true},{\"name\":\"unverified.example\",\"isVerified\":false}]");
    CTL("set", "roles", "[\"User.Invite.All\",\"User.Read.All\",\"Domain.Read.All\"]");
    know_domains(); /* by GET /domains */
    another_address_by_now();
    CTL("user",
        "{\"find\":\"new@fabrikam.com\",\"set\":{\"userPrincipalName\":\"taylor_fabrikam.com#EXT#@contoso.com\"}}");
    find(sim.graph, ADDRESS, &got);
    assert_int_equal(got.count, 1);
}

/* A tenant that takes no filter with '#' is asked without, from then on at once. */
static void test_own_name_refused(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    know_domains();
    CTL("user", "{\"kind\":\"pending\",\"address\":\"" ADDRESS "\"}");
    CTL("fault", "{\"match\":{\"query\":\"#EXT#\"},\"times\":0,\"action\":{\"status\":400}}");
    for (int i = 0; i < 3; i++) {
        find(sim.graph, ADDRESS, &got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
        assert_int_equal(got.count, 1);
    }
    assert_int_equal(count_requests("{\"query\":\"#EXT#\"}"), 1);
}

static void test_awkward_addresses(void **state)
{
    static const char *const addresses[] = {
        "o'neil@fabrikam.com",
        "percent%41@fabrikam.com",
        "plus+tag@fabrikam.com",
        "hash#tag@fabrikam.com",
        "and&or@fabrikam.com",
        "UPPER.Case@FABRIKAM.com",
        "a12345678901234567890123456789012345678901234567890123456789.123@fabrikam.com",
        "ada@xn--bcher-kva.example",
        "ada@sub.sub.fabrikam.com",
    };
    struct got got;

    NEEDS_SIMULATOR();
    know_domains();
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        char user[256];
        snprintf(user, sizeof user, "{\"kind\":\"pending\",\"address\":\"%s\"}", addresses[i]);
        CTL("user", user);
        find(sim.graph, addresses[i], &got);
        expect(&got, EI_GRAPH_DONE, EI_OK);
        if (got.count != 1)
            fail_msg("%s: found %zu times", addresses[i], got.count);
    }
}

/* No identity has more than 64 characters: that look-up is left out, where it could only be refused. */
static void test_long_addresses(void **state)
{
    struct got got;
    const char *just = "a123456789012345678901234567890123456789012345678901@fabrikam.com";

    NEEDS_SIMULATOR();
    assert_int_equal(strlen(just), 65);
    find(sim.graph, just, &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests("{\"query\":\"identities\"}"), 0);
    find(sim.graph, just + 1, &got);
    assert_int_equal(count_requests("{\"query\":\"identities\"}"), 1);
}

static void find_deleted(const char *address, struct got *got)
{
    RUN(sim.graph, got, ei_graph_find_deleted(sim.graph, address, NULL, got_users, got));
}

static void test_deleted(void **state)
{
    struct got got;

    NEEDS_SIMULATOR();
    CTL("user", "{\"kind\":\"accepted\",\"address\":\"o'neil@fabrikam.com\"}");
    find_deleted("o'neil@fabrikam.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 0);
    CTL("user", "{\"find\":\"o'neil@fabrikam.com\",\"delete\":\"soft\"}");
    find_deleted("O'Neil@fabrikam.com", &got);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"query\":\"otherMails/any\"},\"action\":{\"status\":400}}");
    find_deleted("o'neil@fabrikam.com", &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(got.count, 1);
    CTL("fault", "{\"match\":{\"path\":\"deletedItems\"},\"times\":2,\"action\":{\"status\":400}}");
    find_deleted("o'neil@fabrikam.com", &got);
    assert_int_equal(got.result.outcome, EI_GRAPH_REJECTED);
    assert_int_equal(got.result.status, 400);
    CTL("fault", "{\"match\":{\"path\":\"deletedItems\"},\"action\":{\"status\":403}}");
    find_deleted("o'neil@fabrikam.com", &got);
    expect(&got, EI_GRAPH_REJECTED, EI_PERMISSION);
    find_deleted("o neil@fabrikam.com", &got);
    expect(&got, EI_GRAPH_NOT_SENT, EI_BAD_ADDRESS);
}

static void test_restore(void **state)
{
    struct got guest;
    struct got got;

    NEEDS_SIMULATOR();
    CTL("set", "roles", "[\"User.Invite.All\",\"User.ReadWrite.All\"]");
    invite(sim.graph, ADDRESS, false, &guest);
    RUN(sim.graph, &got, ei_graph_restore_user(sim.graph, guest.id[0], NULL, got_plain, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    CTL("user", "{\"find\":\"" ADDRESS "\",\"enabled\":false,\"delete\":\"soft\"}");
    CTL("fault", "{\"match\":{\"path\":\"/restore$\"},\"action\":{\"status\":409}}");
    RUN(sim.graph, &got, ei_graph_restore_user(sim.graph, guest.id[0], NULL, got_plain, &got));
    expect(&got, EI_GRAPH_REJECTED, EI_RESTORE_REFUSED);
    assert_non_null(strstr(got.result.error.message, "409"));
    RUN(sim.graph, &got, ei_graph_restore_user(sim.graph, guest.id[0], NULL, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    cJSON *sent = CTL_JSON("requests", "{\"path\":\"/restore$\"}");
    assert_null(ei_json_string(cJSON_GetArrayItem(sent, 0), "contentType")); /* it has no body */
    cJSON_Delete(sent);
    RUN(sim.graph, &got, ei_graph_enable_user(sim.graph, guest.id[0], NULL, got_plain, &got));
    expect(&got, EI_GRAPH_DONE, EI_OK);
    get(sim.graph, guest.id[0], &got);
    expect(&got, EI_GRAPH_DONE, EI_OK);
    assert_true(got.has_enabled && got.enabled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_name_at_the_default_domain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_name_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_awkward_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

/* A guest in the tenant: who is one already is not held back by a mass; one that is gone takes its link with it. */
#include "tests/unit/reconcile_fixture.h"

static void a_mass(void)
{
    account("many1", 2001, "Many One <many1@fabrikam.com>", 0);
    account("many2", 2002, "Many Two <many2@fabrikam.com>", 0);
    account("many3", 2003, "Many Three <many3@fabrikam.com>", 0);
    account("taylor2", 2004, "Taylor Example <TAYLOR@fabrikam.com>", 0);
}

static void another_login_of_a_guest_is_linked_though_in_a_mass(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    a_mass();
    pass();
    assert_int_equal(report.held, 3);
    is("many1", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
    is("taylor2", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    settled();
}

static void another_login_of_a_pending_one_is_held(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_PENDING);
    a_mass();
    pass();
    assert_int_equal(report.held, 4);
    is("taylor2", EI_ACCOUNT_HELD, EI_STEP_PENDING);
}

/* The gate must not open for a guest who is disabled. */
static void another_login_of_a_disabled_guest_is_held(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    of("taylor")->error_permanent = true;
    found->error.code = EI_DISABLED;
    put(found);
    a_mass();
    pass();
    is("taylor2", EI_ACCOUNT_HELD, EI_STEP_ACCEPTED);
}

static void invited_after(enum ei_err code)
{
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_PENDING);
    of("taylor")->error_permanent = true;
    ei_fail(&found->error, code, "taylor@fabrikam.com: the reason");
    put(found);
    settled(); /* never by itself */
    say("taylor", EI_ASKED_INVITE);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
}

static void the_link_of_a_guest_that_is_gone_is_forgotten(void **state)
{
    (void)state;
    invited_after(EI_GUEST_GONE);
    assert_null(found->redeem_url);
}

static void the_link_of_a_guest_that_is_there_stays(void **state)
{
    (void)state;
    invited_after(EI_DISABLED);
    assert_non_null(found->redeem_url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(another_login_of_a_guest_is_linked_though_in_a_mass),
        T(another_login_of_a_pending_one_is_held),
        T(another_login_of_a_disabled_guest_is_held),
        T(the_link_of_a_guest_that_is_gone_is_forgotten),
        T(the_link_of_a_guest_that_is_there_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* "Reading Graph's answer": each row of the table, and which comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/worker/redemption.h"

static const struct ei_graph_user guest = {
    .id = "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02",
    .user_principal_name = "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com",
    .user_type = "Guest",
    .creation_type = "Invitation",
    .has_external_user_state = true,
    .has_account_enabled = true,
    .account_enabled = true,
};

static void expect(struct ei_graph_user user, enum ei_redemption wanted, enum ei_err code)
{
    struct ei_error err = {0};

    assert_int_equal(ei_redemption_judge(&user, &err), wanted);
    assert_int_equal(err.code, code);
}

static void test_states_that_graph_names(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.external_user_state = "Accepted";
    expect(user, EI_REDEMPTION_ACCEPTED, EI_OK);
    user.external_user_state = "PendingAcceptance";
    expect(user, EI_REDEMPTION_PENDING, EI_OK);
    user.external_user_state = "SomethingNew";
    expect(user, EI_REDEMPTION_UNCHANGED, EI_STATE_UNCLEAR);
    user.external_user_state = "accepted"; /* not the documented spelling: do not open the door on a guess (S24) */
    expect(user, EI_REDEMPTION_UNCHANGED, EI_STATE_UNCLEAR);
}

static void test_disabled_comes_first(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.external_user_state = "Accepted";
    user.account_enabled = false;
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.has_account_enabled = false; /* not told: the state decides */
    expect(user, EI_REDEMPTION_ACCEPTED, EI_OK);
}

/* But an employee's account is no guest that somebody could enable, or `remove --delete`. */
static void test_a_blocked_member_is_no_guest(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.account_enabled = false;
    user.user_type = "Member";
    user.user_principal_name = "kim@contoso.onmicrosoft.com";
    user.creation_type = NULL;
    user.external_user_state = NULL;
    expect(user, EI_REDEMPTION_FAILED, EI_INTERNAL_USER);
    user.has_external_user_state = false; /* not told who it is */
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.has_external_user_state = true;
    user.user_principal_name = "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com";
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.user_principal_name = NULL;
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.user_principal_name = "kim@contoso.onmicrosoft.com";
    user.user_type = "Guest";
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.user_type = "Member";
    user.creation_type = "Invitation";
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
    user.external_user_state = "PendingAcceptance";
    user.creation_type = NULL;
    expect(user, EI_REDEMPTION_FAILED, EI_DISABLED);
}

static void test_absent_is_not_null(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.has_external_user_state = false;
    user.creation_type = "SelfServiceSignUp";
    expect(user, EI_REDEMPTION_UNCHANGED, EI_NOT_SEEN);
}

static void test_null_is_accepted_for_those_who_are_active(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.creation_type = "SelfServiceSignUp";
    expect(user, EI_REDEMPTION_ACCEPTED, EI_OK);
    user.creation_type = "EmailVerified";
    expect(user, EI_REDEMPTION_ACCEPTED, EI_OK);
    user.creation_type = NULL;
    user.user_type = "Member"; /* of another tenant, by its #EXT# name */
    expect(user, EI_REDEMPTION_ACCEPTED, EI_OK);
}

static void test_null_of_others(void **state)
{
    struct ei_graph_user user = guest;

    (void)state;
    user.user_type = "Member";
    user.user_principal_name = "taylor@contoso.onmicrosoft.com";
    user.creation_type = NULL;
    expect(user, EI_REDEMPTION_FAILED, EI_INTERNAL_USER);
    user.user_principal_name = NULL;
    expect(user, EI_REDEMPTION_FAILED, EI_INTERNAL_USER);
    user = guest; /* an invited guest whose state is null: says nothing */
    expect(user, EI_REDEMPTION_UNCHANGED, EI_STATE_UNCLEAR);
    user.creation_type = NULL; /* made by POST /users, not a working guest (contract 4.1) */
    user.user_type = NULL;
    expect(user, EI_REDEMPTION_UNCHANGED, EI_STATE_UNCLEAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_that_graph_names),
        cmocka_unit_test(test_a_blocked_member_is_no_guest),
        cmocka_unit_test(test_disabled_comes_first),
        cmocka_unit_test(test_absent_is_not_null),
        cmocka_unit_test(test_null_is_accepted_for_those_who_are_active),
        cmocka_unit_test(test_null_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

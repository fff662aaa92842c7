/* The reconciler, where memory lacks at any point of a pass: what it could not do it does at the next one, and nothing
 * else (T2; design, idea 1: a lost pass costs only time). */
#include "tests/unit/torture_fixture.h"

#include "tests/unit/reconcile_fixture.h"

/* taylor is recorded and leaves; robin comes; kim has got an address. */
static void much_has_happened(void *context)
{
    (void)context;
    assert_int_equal(setup(NULL), 0);
    rules_seen();
    taylor_exists();
    account("kim", 1003, "Kim Example", 1);
    pass();
    reaches("taylor", EI_STEP_PENDING);
    userdel("taylor");
    pass();
    wait_seconds(EI_PROOF_SECONDS);
    account("robin", 1002, "Robin Example <robin@fabrikam.com>", 0);
    account("kim", 1003, "Kim Example <kim@contoso.com>", 1);
    ei_collaborator_free(found);
    found = NULL;
    ei_reconcile_report_clear(&report);
}

static enum ei_err one_pass(void *context)
{
    struct ei_snapshot snapshot = snapshot_now();
    struct ei_error err = {0};
    (void)context;

    return ei_reconcile(&ctx, &snapshot, &report, &err);
}

static void it_comes_to_the_same(void *context, enum ei_err rc, bool spared)
{
    (void)context, (void)rc, (void)spared;
    pass();
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    is("kim", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_null(look(HERE, "taylor"));
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->job.step, EI_STEP_OFFBOARDING);
    assert_int_equal(found->job.offboard, EI_REMOVAL_DISABLE);
    assert_non_null(at("robin@fabrikam.com"));
    assert_int_equal(found->account_count, 1);
    settled();
    assert_int_equal(teardown(NULL), 0);
}

static void a_pass(void **state)
{
    (void)state;
    torture(&(struct scenario){much_has_happened, one_pass, it_comes_to_the_same, NULL, 29}, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TORTURE(a_pass)};

    cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
    return cmocka_run_group_tests(tests, torture_libraries, NULL);
}

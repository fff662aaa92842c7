/* Who is gone, who left: only on proof, and never in a mass (design, "Gone needs proof"). */
#include "tests/unit/reconcile_fixture.h"

/* --- gone --- */

static void test_gone(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("v", 1011, "V <v@contoso.example>", 1);
    account("queued", 1012, "Q <q@contoso.example>", 1);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    reaches("v", EI_STEP_PENDING);
    userdel("taylor");
    pass();
    assert_int_equal(report.missing, 1);
    assert_int_equal(report.next_pass, clock_now + EI_PROOF_SECONDS);
    assert_int_equal(rec("taylor")->missing_since, clock_now);
    wait_seconds(EI_PROOF_SECONDS - 1);
    pass(); /* not yet */
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    taylor_exists();
    pass(); /* there again: the proof starts anew */
    assert_int_equal(rec("taylor")->missing_since, 0);
    userdel("taylor");
    userdel("v");
    pass();
    assert_int_equal(rec("taylor")->missing_since, clock_now);
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    assert_int_equal(report.gone, 2);
    assert_null(look(HERE, "taylor"));
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->job.step, EI_STEP_OFFBOARDING);
    assert_int_equal(found->job.offboard, EI_REMOVAL_DISABLE);
    assert_non_null(at("v@contoso.example"));
    assert_int_equal(found->job.offboard, EI_REMOVAL_DELETE);
    assert_null(found->redeem_url);
    userdel("queued"); /* nothing was ever sent: no record is left */
    prove();
    assert_null(at("q@contoso.example"));
    settled();
}

static void test_gone_kept(void **state)
{
    (void)state;
    rules[0].on_account_removal = EI_REMOVAL_KEEP;
    rules_seen();
    taylor_exists();
    account("tay", 1005, "taylor@fabrikam.com", 1); /* vendors: delete; the mildest of both wins */
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    userdel("taylor");
    userdel("tay");
    prove();
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->account_count, 0);
    assert_int_equal(found->job.step, EI_STEP_IDLE);
    assert_non_null(found->guest_id);
}

/* Who was a guest before our own invitation is none of ours to remove, whatever the rule says. */
static void test_gone_but_not_ours(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("v", 1011, "V <v@contoso.example>", 1);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    of("taylor")->linked = true;
    found->made = false;
    put(found);
    reaches("v", EI_STEP_PENDING);
    userdel("taylor");
    userdel("v");
    prove();
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->job.step, EI_STEP_IDLE);
    assert_non_null(found->guest_id);
    assert_non_null(at("v@contoso.example"));
    assert_int_equal(found->job.step, EI_STEP_OFFBOARDING);
}

/* What was deleted is remembered as long as it can be restored, and then forgotten. */
static void test_deleted_is_kept_for_a_while(void **state)
{
    (void)state;
    rules_seen();
    account("v", 1011, "V <v@contoso.example>", 1);
    pass();
    reaches("v", EI_STEP_PENDING);
    userdel("v");
    prove();
    assert_non_null(at("v@contoso.example"));
    found->job.step = EI_STEP_IDLE; /* as the jobs leave it */
    ei_text_set(&found->deleted_guest_id, found->guest_id);
    ei_text_set(&found->guest_id, NULL);
    found->deleted_at = clock_now;
    put(found);
    settled();
    wait_seconds(EI_DELETED_KEPT - 1);
    settled();
    assert_non_null(at("v@contoso.example"));
    wait_seconds(1);
    pass();
    assert_null(at("v@contoso.example"));
    settled();
}

/* What cannot be told changes nothing. */
static void test_unknown(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    userdel("taylor");
    host_groups[0] = EI_GROUP_ABSENT;
    prove();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    assert_int_equal(rec("taylor")->missing_since, 0);
    host_groups[0] = EI_GROUP_UNKNOWN;
    prove();
    assert_int_equal(rec("taylor")->missing_since, 0);
    host_groups[0] = EI_GROUP_FOUND;
    host_whole = false;
    prove();
    assert_int_equal(rec("taylor")->missing_since, 0);
    host_whole = true;
    pass();
    host_whole = false; /* the second reading must be whole too */
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
}

/* A clock that is set proves nothing (X8): 60 seconds must have passed. */
static void test_clock_step(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    userdel("taylor");
    pass();
    clock_now += 86400;
    clock_ms += 1000;
    pass();
    assert_int_equal(rec("taylor")->missing_since, clock_now);
    clock_now -= 2 * 86400;
    clock_ms += 1000;
    pass();
    assert_int_equal(rec("taylor")->missing_since, clock_now);
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    assert_null(look(HERE, "taylor"));
}

/* A request may be on its way: the account is dropped, the guest's removal waits for the outcome (X1). */
static void test_gone_in_flight(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_CREATING);
    userdel("taylor");
    prove();
    assert_null(look(HERE, "taylor"));
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->job.step, EI_STEP_CREATING);
    assert_int_equal(found->job.offboard, EI_REMOVAL_DISABLE);
    assert_false(ei_collaborator_wants_invitation(found));
    found->job.step = EI_STEP_PENDING;
    ei_text_set(&found->guest_id, "11111111-2222-4333-8444-555555555555");
    put(found);
    pass();
    assert_int_equal(at("taylor@fabrikam.com")->job.step, EI_STEP_OFFBOARDING);
    assert_int_equal(found->job.offboard, EI_REMOVAL_DISABLE);
}

static void test_gone_shared(void **state)
{
    (void)state;
    exists_there("texample", "taylor@fabrikam.com", "partners", EI_STEP_ACCEPTED);
    rules_seen();
    taylor_exists();
    pass();
    userdel("taylor");
    prove();
    assert_null(look(HERE, "taylor"));
    assert_non_null(look(THERE, "texample"));
    assert_int_equal(found->job.step, EI_STEP_ACCEPTED); /* the other host's account needs it */
}

static void test_mass_removal(void **state)
{
    static char logins[20][16];
    static char gecos[20][48];
    (void)state;
    config.max_new = 0;
    rules_seen();
    for (int i = 0; i < 20; i++) {
        snprintf(logins[i], sizeof logins[i], "m%d", i);
        snprintf(gecos[i], sizeof gecos[i], "M <m%d@contoso.example>", i);
        account(logins[i], (uid_t)(1100 + i), gecos[i], 1);
    }
    pass();
    userdel("m0");
    userdel("m1");
    prove(); /* a tenth is not more than a tenth */
    assert_false(report.held_back);
    assert_null(look(HERE, "m0"));
    userdel("m2");
    userdel("m3");
    userdel("m4");
    prove();
    assert_true(report.held_back);
    assert_int_equal(report.removals.code, EI_MASS_REMOVAL);
    assert_non_null(strstr(report.removals.message, "3 of 18"));
    is("m2", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    wait_seconds(3600);
    pass();
    is("m2", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    ctx.confirm_removal = true;
    pass();
    assert_false(report.held_back);
    assert_int_equal(report.gone, 3);
    assert_null(look(HERE, "m2"));
    assert_false(ctx.confirm_removal);
    settled();
}

/* --- leaving the group --- */

static void test_left(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    reaches("robin", EI_STEP_PENDING);
    account("taylor", 1001, "Taylor <taylor@fabrikam.com>", -1);
    account("robin", 1002, "Robin <robin@fabrikam.com>", -1);
    pass();
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_PENDING);
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    assert_int_equal(report.left, 2);
    assert_null(look(HERE, "taylor")); /* accepted: loses coverage, and the guest is not touched */
    assert_int_equal(at("taylor@fabrikam.com")->job.step, EI_STEP_IDLE);
    is("robin", EI_ACCOUNT_REMOVED, EI_STEP_IDLE); /* not accepted: stays shut */
    assert_false(rec("robin")->by_admin);
    settled();

    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    taylor_exists();
    pass();
    assert_int_equal(report.returned, 1);
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_non_null(found->guest_id);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED); /* linked to the guest that is on record */
    assert_non_null(found->guest_id);
}

/* A rule taken out of the config: its accounts are covered no more, on the same proof. */
static void test_rule_removed(void **state)
{
    (void)state;
    rules_seen();
    account("v", 1011, "V <v@contoso.example>", 1);
    pass();
    reaches("v", EI_STEP_ACCEPTED);
    config.rule_count = 1;
    account("v", 1011, "V <v@contoso.example>", -1);
    prove();
    assert_null(look(HERE, "v"));
    assert_int_equal(at("v@contoso.example")->job.step, EI_STEP_IDLE);
}

/* --- other sources --- */

/* A directory that stops naming somebody proves that the group was left, never that the account is gone. */
static void test_elsewhere(void **state)
{
    (void)state;
    rules_seen();
    account("remote", 5000, "Remote <remote@contoso.example>", 1);
    host_entries[0].local = false;
    pass();
    assert_false(rec("remote")->local);
    reaches("remote", EI_STEP_ACCEPTED);
    struct ei_entry kept = host_entries[0];
    userdel("remote");
    host_unresolved[0] = (char *)"remote"; /* named, but the source does not resolve it: nothing is known */
    host_unresolved_count = 1;
    prove();
    assert_int_equal(rec("remote")->missing_since, 0);
    host_unresolved_count = 0;
    prove();
    assert_int_equal(report.left, 1);
    assert_int_equal(report.gone, 0);
    assert_null(look(HERE, "remote"));
    assert_int_equal(at("remote@contoso.example")->job.step, EI_STEP_IDLE); /* vendors says delete: not on this */
    host_entries[host_count++] = kept;
    pass();
    is("remote", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_gone),         T(test_gone_kept),  T(test_gone_but_not_ours), T(test_deleted_is_kept_for_a_while),
        T(test_unknown),      T(test_clock_step), T(test_gone_in_flight),    T(test_gone_shared),
        T(test_mass_removal), T(test_left),       T(test_rule_removed),      T(test_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

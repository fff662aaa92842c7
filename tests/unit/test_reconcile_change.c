/* Accounts that change: other addresses, tombstones, renames, `invite` (design, "The admin's word stays"). */
#include "tests/unit/reconcile_fixture.h"

/* --- changed addresses --- */

static void test_moved(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    account("taylor", 1001, "Taylor <TAYLOR@fabrikam.com>", 0); /* case alone is no change */
    settled();
    account("taylor", 1001, "Taylor <t.new@fabrikam.com>", 0);
    pass();
    assert_int_equal(report.moved, 1);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->addresses[0], "t.new@fabrikam.com");
    assert_null(found->guest_id);
    /* the old guest follows on_account_removal (partners: disable) */
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->account_count, 0);
    assert_int_equal(found->job.step, EI_STEP_OFFBOARDING);
    assert_int_equal(found->job.offboard, EI_REMOVAL_DISABLE);
    settled();

    taylor_exists(); /* back: the offboarding is called off */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(found->job.offboard, EI_REMOVAL_KEEP);
    assert_non_null(found->guest_id);
    assert_null(at("t.new@fabrikam.com")); /* nothing had been sent: nothing to remember */
}

static void test_moved_but_needed(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("tay", 1005, "taylor@fabrikam.com", 1);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    account("taylor", 1001, "Taylor <t.new@fabrikam.com>", 0);
    pass();
    is("tay", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED); /* another account needs the guest */
}

/* A typing error, and an address that went away, cost the old guest nothing. */
static void test_moved_by_mistake(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", 1);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    reaches("robin", EI_STEP_ACCEPTED);
    account("taylor", 1001, "Taylor <taylor@@fabrikam.com>", 0);
    account("robin", 1002, "Robin", 1);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    assert_non_null(at("taylor@fabrikam.com"));
    assert_int_equal(found->job.step, EI_STEP_IDLE);
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    assert_true(noted("robin: has no address any more"));
    settled();
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", 1);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_non_null(found->guest_id);
    assert_false(rec("robin")->reported);
    settled();
}

/* A mass of other addresses is held as well, and takes nothing away. */
static void test_moved_in_mass(void **state)
{
    static char logins[4][16];
    static char gecos[8][48];
    (void)state;
    config.max_new = 0;
    rules_seen();
    for (int i = 0; i < 4; i++) {
        snprintf(logins[i], sizeof logins[i], "m%d", i);
        snprintf(gecos[i], sizeof gecos[i], "M <m%d@contoso.example>", i);
        snprintf(gecos[i + 4], sizeof gecos[i + 4], "M <m%d@new.example>", i);
        account(logins[i], (uid_t)(1100 + i), gecos[i], 1);
    }
    pass();
    for (int i = 0; i < 4; i++)
        reaches(logins[i], EI_STEP_ACCEPTED);
    config.max_new = 3;
    for (int i = 0; i < 4; i++)
        account(logins[i], (uid_t)(1100 + i), gecos[i + 4], 1);
    pass();
    is("m2", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
    assert_non_null(at("m2@contoso.example"));
    assert_int_equal(found->job.step, EI_STEP_IDLE);
}

/* --- tombstones --- */

static void test_admin_tombstone(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_PENDING);
    removed_by_admin("taylor");
    settled(); /* no job arises, whatever happens to the group */
    account("taylor", 1001, "Taylor <taylor@fabrikam.com>", -1);
    prove();
    taylor_exists();
    pass();
    is("taylor", EI_ACCOUNT_REMOVED, EI_STEP_IDLE);
    assert_true(rec("taylor")->by_admin);
    say("taylor", EI_ASKED_LOOK);
    is("taylor", EI_ACCOUNT_REMOVED, EI_STEP_IDLE);
    say("taylor", EI_ASKED_INVITE);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_false(rec("taylor")->by_admin);
}

static void test_tombstone_ends(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    account("sam", 1003, "Sam <sam@fabrikam.com>", 0);
    pass();
    reaches("taylor", EI_STEP_PENDING);
    reaches("sam", EI_STEP_PENDING);
    removed_by_admin("taylor");
    removed_by_admin("robin");
    removed_by_admin("sam");
    account("taylor", 1001, "Taylor <t.new@fabrikam.com>", 0); /* another address */
    account("robin", 1502, "Robin <robin@fabrikam.com>", 0);   /* a new account of the same name */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->addresses[0], "t.new@fabrikam.com");
    assert_int_equal(at("taylor@fabrikam.com")->job.step, EI_STEP_IDLE); /* the admin's remove was the last word */
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(rec("robin")->uid, 1502);
    userdel("sam");
    prove(); /* the account is gone, and the tombstone with it; the guest was the admin's to decide about */
    assert_null(look(HERE, "sam"));
    assert_int_equal(at("sam@fabrikam.com")->job.step, EI_STEP_IDLE);
    account("sam", 1003, "Sam <sam@fabrikam.com>", 0);
    pass();
    is("sam", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
}

/* userdel and useradd of the same name, uid and address: it goes on. Another uid is written down at once. */
static void test_remade(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    userdel("taylor");
    pass();
    taylor_exists();
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    account("taylor", 1501, "Taylor <taylor@fabrikam.com>", 0);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    assert_int_equal(rec("taylor")->uid, 1501);
}

/* --- renames: arrivals are computed before departures --- */

static void test_rename(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "", 0);
    account("sam", 1003, "Sam <sam@fabrikam.com>", 0);
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    removed_by_admin("sam");
    int64_t since = rec("taylor")->since;
    userdel("taylor");
    userdel("robin");
    userdel("sam");
    account("tex", 1001, "T. Example <taylor@fabrikam.com>", 0);
    account("rob", 1002, "", 0);
    account("samuel", 1003, "Sam <sam@fabrikam.com>", 0);
    wait_seconds(1);
    pass();
    assert_int_equal(report.renamed, 3);
    assert_int_equal(report.added, 0);
    assert_true(noted("taylor: has the login tex now"));
    is("tex", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    assert_int_equal(found->account_count, 1);
    assert_int_equal(rec("tex")->since, since);
    is("rob", EI_ACCOUNT_ACTIVE, EI_STEP_IDLE);
    is("samuel", EI_ACCOUNT_REMOVED, EI_STEP_IDLE); /* the admin's word stays */
    assert_null(look(HERE, "taylor"));
    prove();
    settled();
    is("tex", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
}

/* A tombstone of leaving the group is undone by coming back to it, under whatever name. */
static void test_rename_back(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    account("taylor", 1001, "Taylor <taylor@fabrikam.com>", -1);
    prove();
    is("taylor", EI_ACCOUNT_REMOVED, EI_STEP_IDLE);
    userdel("taylor");
    account("tex", 1001, "Taylor <taylor@fabrikam.com>", 0);
    pass();
    is("tex", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(found->account_count, 1);
}

static void test_no_rename(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_ACCEPTED);
    userdel("taylor");
    account("other", 1001, "Other <other@fabrikam.com>", 0); /* the uid is used again: another person */
    pass();
    assert_int_equal(report.renamed, 0);
    is("other", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    wait_seconds(EI_PROOF_SECONDS);
    pass();
    assert_null(look(HERE, "taylor"));
}

/* --- invite --- */

static void test_invite(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_FAILED);
    found->error_permanent = true;
    ei_fail(&found->error, EI_GUEST_GONE, "taylor@fabrikam.com: deleted in the tenant");
    put(found);
    settled(); /* never re-invited by itself */
    say("taylor", EI_ASKED_LOOK);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    assert_int_equal(answer.error.code, EI_GUEST_GONE);
    say("taylor", EI_ASKED_INVITE);
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_false(found->error_permanent);
    assert_true(found->job.urgent);

    reaches("taylor", EI_STEP_ACCEPTED);
    say("taylor", EI_ASKED_INVITE); /* already a guest: nothing is written */
    assert_int_equal(answer.step, EI_STEP_ACCEPTED);
    assert_false(answer.changed);

    account("robin", 1002, "Robin <robin+@fabrikam.com>", 0);
    say("robin", EI_ASKED_INVITE); /* a bad address stays one */
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    assert_int_equal(answer.error.code, EI_BAD_ADDRESS);
    assert_false(answer.has_address);
}

/* --- the pure rules --- */

static struct ei_collaborator *make(enum ei_step step, bool guest)
{
    struct ei_collaborator *c = ei_collaborator_new();
    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, "taylor@fabrikam.com"));
    c->job.step = step;
    if (guest)
        ei_text_set(&c->guest_id, "11111111-2222-4333-8444-555555555555");
    return c;
}

static void test_let_go(void **state)
{
    static const struct {
        enum ei_step step;
        bool guest;
        enum ei_err error;
        enum ei_removal removal;
        enum ei_step then;
    } table[] = {
        {EI_STEP_QUEUED, false, EI_OK, EI_REMOVAL_DELETE, EI_STEP_IDLE},
        {EI_STEP_QUEUED, true, EI_OK, EI_REMOVAL_DELETE, EI_STEP_OFFBOARDING},
        {EI_STEP_CHECKING, false, EI_OK, EI_REMOVAL_KEEP, EI_STEP_IDLE},
        {EI_STEP_CREATING, false, EI_OK, EI_REMOVAL_DELETE, EI_STEP_CREATING},
        {EI_STEP_CREATED, true, EI_OK, EI_REMOVAL_DELETE, EI_STEP_CREATED},
        {EI_STEP_MAILING, true, EI_OK, EI_REMOVAL_DISABLE, EI_STEP_MAILING},
        {EI_STEP_PENDING, true, EI_OK, EI_REMOVAL_KEEP, EI_STEP_IDLE},
        {EI_STEP_PENDING, true, EI_OK, EI_REMOVAL_DISABLE, EI_STEP_OFFBOARDING},
        {EI_STEP_ACCEPTED, true, EI_OK, EI_REMOVAL_DELETE, EI_STEP_OFFBOARDING},
        {EI_STEP_FAILED, true, EI_GUEST_GONE, EI_REMOVAL_DELETE, EI_STEP_FAILED},
        {EI_STEP_FAILED, true, EI_INTERNAL_USER, EI_REMOVAL_DELETE, EI_STEP_IDLE},
        {EI_STEP_FAILED, true, EI_AMBIGUOUS_USERS, EI_REMOVAL_DELETE, EI_STEP_IDLE},
        {EI_STEP_PENDING, true, EI_DISABLED, EI_REMOVAL_DISABLE, EI_STEP_IDLE},
        {EI_STEP_PENDING, true, EI_DISABLED, EI_REMOVAL_DELETE, EI_STEP_OFFBOARDING},
        {EI_STEP_OFFBOARDING, true, EI_OK, EI_REMOVAL_KEEP, EI_STEP_OFFBOARDING},
        {EI_STEP_IDLE, true, EI_OK, EI_REMOVAL_DELETE, EI_STEP_OFFBOARDING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct ei_collaborator *c = make(table[i].step, table[i].guest);
        c->error.code = table[i].error;
        c->error_permanent = table[i].error != EI_OK;
        ei_collaborator_let_go(c, table[i].removal, 1790000000);
        if (c->job.step != table[i].then)
            fail_msg("row %zu: step %s", i, ei_step_name(c->job.step));
        if (table[i].then == EI_STEP_OFFBOARDING && table[i].step != EI_STEP_OFFBOARDING)
            assert_int_equal(c->job.offboard, table[i].removal);
        ei_collaborator_free(c);
    }
    /* needed by an invitation without an account ("": the default block) */
    struct ei_collaborator *c = make(EI_STEP_PENDING, true);
    ei_text_set(&c->job.rule, "");
    ei_collaborator_let_go(c, EI_REMOVAL_DELETE, 1790000000);
    assert_int_equal(c->job.step, EI_STEP_PENDING);
    ei_collaborator_free(c);
}

static void test_restore(void **state)
{
    struct ei_collaborator *c = make(EI_STEP_PENDING, true);
    (void)state;
    /* deleted in the tenant: its id is kept as that of a deleted one */
    ei_fail(&c->error, EI_GUEST_GONE, "gone");
    c->error_permanent = true;
    assert_non_null(ei_collaborator_add_account(c, HERE, "taylor", 1001, "partners"));
    ei_collaborator_restore(c, 1790000000);
    assert_true(ei_collaborator_restoring(c));
    assert_null(c->guest_id);
    assert_string_equal(c->deleted_guest_id, "11111111-2222-4333-8444-555555555555");
    assert_int_equal(c->error.code, EI_OK);
    /* an account that is there does not call it off, one that goes does */
    ei_collaborator_take_up(c, 1790000000, true);
    assert_true(ei_collaborator_restoring(c));
    c->accounts[0].state = EI_ACCOUNT_REMOVED;
    ei_collaborator_let_go(c, EI_REMOVAL_DELETE, 1790000000);
    assert_int_equal(c->job.step, EI_STEP_IDLE);
    assert_non_null(c->deleted_guest_id);
    ei_collaborator_free(c);

    /* a deletion that may have been done, though no answer came; and one that was only disabled */
    for (int removal = EI_REMOVAL_DISABLE; removal <= EI_REMOVAL_DELETE; removal++) {
        c = make(EI_STEP_OFFBOARDING, true);
        c->job.offboard = removal;
        ei_collaborator_restore(c, 1790000000);
        assert_true(ei_collaborator_restoring(c));
        assert_true((c->deleted_guest_id != NULL) == (removal == EI_REMOVAL_DELETE));
        assert_true((c->guest_id != NULL && c->disabled) == (removal == EI_REMOVAL_DISABLE));
        ei_collaborator_free(c);
    }
}

/* A batch that the store refuses leaves nothing behind, and the next pass does it all. */
static void test_store_fails(void **state)
{
    struct ei_error err = {0};
    (void)state;
    rules_seen();
    taylor_exists();
    assert_int_equal(ei_store_batch_begin(store, &err), EI_OK); /* somebody else's batch is open */
    struct ei_snapshot s = snapshot_now();
    ei_reconcile_report_clear(&report);
    enum ei_err rc = ei_reconcile(&ctx, &s, &report, &err);
    ei_store_batch_abandon(store);
    assert_int_not_equal(rc, EI_OK);
    assert_true(err.message[0] != '\0');
    assert_null(look(HERE, "taylor"));
    pass();
    assert_non_null(look(HERE, "taylor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_moved),           T(test_moved_but_needed), T(test_moved_by_mistake), T(test_moved_in_mass),
        T(test_admin_tombstone), T(test_tombstone_ends),   T(test_remade),           T(test_rename),
        T(test_rename_back),     T(test_no_rename),        T(test_invite),           T(test_let_go),
        T(test_restore),         T(test_store_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

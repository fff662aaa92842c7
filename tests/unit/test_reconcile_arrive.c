/* Accounts that are found or announced: linked, waiting, refused, held (design, Configuration and "A mass"). */
#include "tests/unit/reconcile_fixture.h"

/* --- arrivals --- */

static void test_arrival(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", -1); /* not covered */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(report.added, 1);
    assert_int_equal(report.queued, 1);
    assert_int_equal(report.covered, 1);
    assert_string_equal(found->addresses[0], "taylor@fabrikam.com");
    assert_string_equal(found->display_name, "Taylor Example");
    assert_null(found->requested_by); /* found by the scan */
    assert_null(found->job.rule);     /* the first account's rule */
    assert_int_equal(found->requested_at, clock_now);
    assert_int_equal(found->job.not_before, clock_now);
    assert_false(found->job.urgent);
    const struct ei_account *a = rec("taylor");
    assert_string_equal(a->rule, "partners");
    assert_int_equal(a->uid, 1001);
    assert_int_equal(a->source, EI_SOURCE_GECOS);
    assert_true(a->local);
    assert_true(a->address_hash == ei_address_hash("taylor@fabrikam.com"));
    assert_null(look(HERE, "robin"));
    settled();
}

/* Level-triggered: nothing changed, nothing written (design, idea 1). */
static void test_steady(void **state)
{
    static char logins[5000][16];
    static char gecos[5000][48];
    (void)state;
    config.max_new = 0;
    rules_seen();
    for (int i = 0; i < 5000; i++) {
        snprintf(logins[i], sizeof logins[i], "u%d", i);
        snprintf(gecos[i], sizeof gecos[i], "User <u%d@fabrikam.com>", i);
        host_entries[host_count++] = (struct ei_entry){logins[i], gecos[i], (uid_t)(2000 + i), 0, true};
    }
    pass();
    assert_int_equal(report.queued, 5000);
    assert_int_equal(report.held, 0); /* max_new 0: no limit */
    int64_t revision = of("u4711")->revision;
    for (int i = 0; i < 3; i++) {
        wait_seconds(300);
        settled();
    }
    assert_int_equal(of("u4711")->revision, revision);
    assert_int_equal(report.covered, 5000);
}

static void test_waiting(void **state)
{
    (void)state;
    rules_seen();
    account("taylor", 1001, "", 0); /* Debian's adduser: GECOS comes later (B1) */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_IDLE);
    assert_int_equal(found->address_count, 0);
    assert_int_equal(found->error.code, EI_OK);
    assert_int_equal(report.waiting, 1);
    assert_int_equal(report.next_pass, clock_now + EI_WAITING_SECONDS + 1);
    settled();

    wait_seconds(EI_WAITING_SECONDS + 1); /* after an hour it is reported with the mend, once */
    pass();
    assert_true(noted("has had no address for more than an hour"));
    assert_int_equal(of("taylor")->error.code, EI_NO_ADDRESS);
    assert_false(found->error_permanent);
    assert_true(rec("taylor")->reported);
    settled();

    taylor_exists();
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(found->error.code, EI_OK);
    assert_false(rec("taylor")->reported);
    assert_string_equal(found->display_name, "Taylor Example");
    settled();
}

static void test_bad_address(void **state)
{
    (void)state;
    rules_seen();
    account("taylor", 1001, "Taylor <taylor+x@fabrikam.com>", 0);
    account("robin", 1002, "Robin <robin@contoso.example>", 0);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    assert_true(found->error_permanent);
    assert_int_equal(found->error.code, EI_BAD_ADDRESS);
    assert_non_null(strstr(found->error.message, "taylor+x@fabrikam.com"));
    assert_int_equal(found->address_count, 0);
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    assert_int_equal(found->error.code, EI_DOMAIN_NOT_ALLOWED);
    assert_non_null(strstr(found->error.message, "contoso.example"));
    assert_int_equal(report.refused, 2);
    assert_true(noted("taylor+x@fabrikam.com"));
    settled(); /* no retry storm */

    taylor_exists(); /* corrected: goes on by itself */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(found->error.code, EI_OK);

    fabrikam[1] = (char *)"contoso.example"; /* the rule is mended instead */
    pass();
    fabrikam[1] = (char *)"xn--bcher-kva.example";
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(found->error.code, EI_OK);
    assert_string_equal(found->addresses[0], "robin@contoso.example");

    account("sam", 1003, "Sam <sam+@fabrikam.com>", 0); /* refused, then empty: waiting */
    pass();
    account("sam", 1003, "Sam", 0);
    pass();
    is("sam", EI_ACCOUNT_ACTIVE, EI_STEP_IDLE);
    assert_false(found->error_permanent);
    assert_int_equal(rec("sam")->source, EI_SOURCE_NONE);
    settled();
}

/* The jobs refused a linked address for its domain; the rule is mended, and it goes on by itself. */
static void test_domain_mended(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    reaches("taylor", EI_STEP_FAILED);
    found->error_permanent = true;
    ei_fail(&found->error, EI_DOMAIN_NOT_ALLOWED, "taylor@fabrikam.com: not listed");
    put(found);
    fabrikam[0] = (char *)"other.example";
    settled();
    fabrikam[0] = (char *)"fabrikam.com";
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_false(found->error_permanent);
    assert_int_equal(report.moved, 0);
}

/* accounts of the config beats GECOS; an IDN goes as A-labels. */
static void test_configured_address(void **state)
{
    static struct ei_login_address addresses[2];
    (void)state;
    addresses[0] = (struct ei_login_address){(char *)"taylor", (char *)"t.example@b\xc3\xbc"
                                                                       "cher.example"};
    addresses[1] = (struct ei_login_address){(char *)"robin", (char *)"robin@@"};
    config.accounts = addresses;
    config.account_count = 2;
    rules_seen();
    taylor_exists();
    account("robin", 1002, "", 0);
    account("sam", 1003, "Sam <sam@fabrikam.com>", -1); /* an address is never coverage */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->addresses[0], "t.example@xn--bcher-kva.example");
    assert_int_equal(rec("taylor")->source, EI_SOURCE_CONFIG);
    assert_int_equal(rec("taylor")->address_hash, 0);
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_FAILED);
    settled();

    addresses[1].email = (char *)"robin@@@"; /* another mistake: the message follows */
    pass();
    assert_non_null(strstr(of("robin")->error.message, "robin@@@"));
    settled();
    config.account_count = 0; /* taken away: GECOS counts again */
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->addresses[0], "taylor@fabrikam.com");
    is("robin", EI_ACCOUNT_ACTIVE, EI_STEP_IDLE);
    settled();
}

/* One collaborator for one address, on whatever host; a later account links and changes nothing. */
static void test_link(void **state)
{
    (void)state;
    exists_there("texample", "Taylor@Fabrikam.com", "partners", EI_STEP_ACCEPTED);
    rules_seen();
    taylor_exists();
    account("tay", 1005, "taylor@fabrikam.com", 0);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_ACCEPTED);
    assert_int_equal(found->account_count, 3);
    assert_int_equal(found->address_count, 1);
    assert_string_equal(found->addresses[0], "Taylor@Fabrikam.com");
    char id[EI_GUID_TEXT];
    memcpy(id, found->id, sizeof id);
    assert_string_equal(of("tay")->id, id);

    /* accounts of other hosts are never touched */
    const struct ei_account *other = ei_collaborator_account(of("taylor"), THERE, "texample");
    assert_int_equal(other->missing_since, 0);
    prove();
    assert_int_equal(ei_collaborator_account(of("taylor"), THERE, "texample")->missing_since, 0);
    settled();
}

static void test_several_rules(void **state)
{
    (void)state;
    rules_seen();
    account("taylor", 1001, "Taylor <taylor@fabrikam.com>", 1);
    pass();
    assert_string_equal(rec("taylor")->rule, "vendors");
    taylor_exists(); /* in both groups now: the first rule in file order */
    pass();
    assert_string_equal(rec("taylor")->rule, "partners");
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);

    account("taylor", 1001, "Taylor <taylor@fabrikam.com>", 1); /* as a reading sees it while partners is unknown */
    host_groups[0] = EI_GROUP_UNKNOWN;
    settled();
    assert_string_equal(rec("taylor")->rule, "partners");
    host_groups[0] = EI_GROUP_FOUND;
    pass();
    assert_string_equal(rec("taylor")->rule, "vendors");
}

/* --- a mass --- */

static void test_first_sight(void **state)
{
    (void)state;
    rules[1].existing_invite = true;
    config.max_new = 1;
    taylor_exists();
    account("new", 1009, "New <new@fabrikam.com>", 0);
    account("v1", 1011, "V <v1@contoso.example>", 1);
    account("v2", 1012, "V <v2@contoso.example>", 1);
    say("new", EI_ASKED_LOOK);
    pass();
    is("taylor", EI_ACCOUNT_HELD, EI_STEP_CHECKING); /* looked up, an accepted guest is linked; never POSTed */
    assert_false(ei_collaborator_wants_invitation(found));
    assert_true(ei_collaborator_needed(found));
    is("new", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED); /* announced */
    is("v1", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);  /* existing = "invite", however many */
    is("v2", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_int_equal(report.held, 1);
    assert_true(noted("adopt"));
    settled();

    account("later", 1010, "Later <later@fabrikam.com>", 0); /* the rule is known now */
    pass();
    is("later", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
}

static void assert_problem(enum ei_err code, const char *message)
{
    struct ei_error err;

    ei_group_problem_error(&report.problems[0], &err);
    assert_int_equal(err.code, code);
    assert_string_equal(err.message, message);
}

/* A rule is seen when its accounts could be told, not while its group is missing or the reading is torn. */
static void test_first_sight_needs_sight(void **state)
{
    (void)state;
    host_groups[0] = EI_GROUP_ABSENT;
    pass();
    assert_int_equal(report.problem_count, 1);
    assert_string_equal(report.problems[0].rule, "partners");
    assert_string_equal(report.problems[0].group, "partners");
    assert_int_equal(report.problems[0].status, EI_GROUP_ABSENT);
    assert_problem(EI_GROUP_MISSING, "rule \"partners\": the group partners does not exist");
    host_groups[0] = EI_GROUP_UNKNOWN;
    pass();
    assert_int_equal(report.problem_count, 1);
    assert_problem(EI_GROUP_UNTOLD, "rule \"partners\": the group partners cannot be judged now");
    host_groups[0] = EI_GROUP_FOUND;
    host_whole = false;
    taylor_exists();
    pass();
    assert_int_equal(report.doubt.code, EI_PASSWD_DOUBTFUL);
    host_whole = true;
    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    pass();
    is("taylor", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
    is("robin", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
}

static void test_max_new(void **state)
{
    static char logins[4][16];
    static char gecos[4][48];
    (void)state;
    rules_seen();
    for (int i = 0; i < 4; i++) {
        snprintf(logins[i], sizeof logins[i], "m%d", i);
        snprintf(gecos[i], sizeof gecos[i], "M <m%d@fabrikam.com>", i);
        account(logins[i], (uid_t)(1100 + i), gecos[i], 0);
    }
    say("m3", EI_ASKED_LOOK); /* announced: 3 are left, and max_new is 3 */
    pass();
    is("m0", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    userdel("m0");
    userdel("m1");
    account("n0", 1200, "N <n0@fabrikam.com>", 0);
    account("n1", 1201, "", 0); /* found in the same mass, without an address */
    account("n2", 1202, "N <n2@fabrikam.com>", 0);
    account("n3", 1203, "N <n3@fabrikam.com>", 0);
    pass();
    is("n0", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
    is("n1", EI_ACCOUNT_HELD, EI_STEP_IDLE);
    is("n3", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
    assert_int_equal(report.held, 4);
    assert_true(noted("max_new = 3"));

    account("n1", 1201, "N <n1@fabrikam.com>", 0);
    pass();
    is("n1", EI_ACCOUNT_HELD, EI_STEP_CHECKING); /* its address does not let it go on */
    reaches("n1", EI_STEP_IDLE);                 /* looked up, nobody found */
    settled();
    say("n1", EI_ASKED_LOOK); /* a password set by root is no word about the invitation */
    is("n1", EI_ACCOUNT_HELD, EI_STEP_IDLE);
    say("n1", EI_ASKED_INVITE);
    is("n1", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
}

/* A held account and an active one of the same person: the active one's invitation goes on. */
static void test_held_beside_active(void **state)
{
    (void)state;
    taylor_exists();
    account("tay", 1005, "taylor@fabrikam.com", 0);
    say("taylor", EI_ASKED_LOOK);
    pass();
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    is("tay", EI_ACCOUNT_HELD, EI_STEP_QUEUED);
    userdel("taylor");
    prove();
    is("tay", EI_ACCOUNT_HELD, EI_STEP_CHECKING);
}

/* --- announcements --- */

static void test_announced(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    say("taylor", EI_ASKED_LOOK);
    assert_true(answer.covered);
    assert_true(answer.has_address);
    assert_true(answer.changed);
    assert_int_equal(answer.account, EI_ACCOUNT_ACTIVE);
    assert_int_equal(answer.step, EI_STEP_QUEUED);
    assert_string_equal(of("taylor")->id, answer.id);
    assert_string_equal(found->requested_by, "alice (uid 1000)");
    assert_true(found->job.urgent);
    say("taylor", EI_ASKED_LOOK); /* once is enough */
    assert_false(answer.changed);
    settled();
}

/* adduser: the hook runs before GECOS and group are there (B1); its word still counts when they are. */
static void test_announced_early(void **state)
{
    (void)state;
    account("taylor", 1001, "", -1);
    say("taylor", EI_ASKED_LOOK);
    assert_false(answer.covered);
    assert_string_equal(answer.id, "");
    assert_null(look(HERE, "taylor"));
    wait_seconds(30);
    taylor_exists();
    pass(); /* and the rule is first seen now */
    is("taylor", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->requested_by, "alice (uid 1000)");

    account("sam", 1003, "", 0); /* covered, without an address yet: who asked is not forgotten */
    say("sam", EI_ASKED_LOOK);
    wait_seconds(EI_ANNOUNCE_SECONDS);
    account("sam", 1003, "Sam <sam@fabrikam.com>", 0);
    pass();
    is("sam", EI_ACCOUNT_ACTIVE, EI_STEP_QUEUED);
    assert_string_equal(found->requested_by, "alice (uid 1000)");

    account("robin", 1002, "", -1);
    say("robin", EI_ASKED_LOOK);
    wait_seconds(EI_ANNOUNCE_SECONDS);
    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    pass();
    assert_null(of("robin")->requested_by); /* expired */
    assert_int_equal(ctx.announced_count, 0);
}

/* A reading that began before the announcement must not undo it. */
static void test_older_snapshot(void **state)
{
    (void)state;
    rules_seen();
    account("taylor", 1001, "Taylor <old@fabrikam.com>", 0);
    pass();
    struct ei_entry before[2];
    struct ei_snapshot old = snapshot_now();
    memcpy(before, host_entries, sizeof *before);
    old.entries = before;
    wait_seconds(1);
    taylor_exists();
    account("robin", 1002, "Robin <robin@fabrikam.com>", 0);
    say("taylor", EI_ASKED_LOOK);
    say("robin", EI_ASKED_LOOK);
    wait_seconds(1);
    pass_over(&old);
    assert_string_equal(of("taylor")->addresses[0], "taylor@fabrikam.com");
    assert_int_equal(rec("robin")->missing_since, 0);
    wait_seconds(1);
    settled();
}

/* A reading found it before the hook could say who made it. */
static void test_credit(void **state)
{
    (void)state;
    rules_seen();
    taylor_exists();
    pass();
    wait_seconds(2);
    say("taylor", EI_ASKED_LOOK);
    assert_string_equal(of("taylor")->requested_by, "alice (uid 1000)");
    assert_true(found->job.urgent);
    assert_int_equal(found->job.step, EI_STEP_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_arrival),        T(test_steady),
        T(test_waiting),        T(test_bad_address),
        T(test_domain_mended),  T(test_configured_address),
        T(test_link),           T(test_several_rules),
        T(test_first_sight),    T(test_first_sight_needs_sight),
        T(test_max_new),        T(test_held_beside_active),
        T(test_announced),      T(test_announced_early),
        T(test_older_snapshot), T(test_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

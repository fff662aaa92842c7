/* What people see of a collaborator: every step with every state of an account, with and without an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/worker/reconcile.h"
#include "plugin/worker/state.h"

#define HERE  "host-one"
#define THERE "host-two"

enum { NO_ACCOUNT = 0 };

/* An invited address whose account, if there is one, nothing holds back. */
static const struct {
    enum ei_step step;
    enum ei_state without_url;
    enum ei_state with_url; /* a resend goes through the first steps again: there is a link all the while */
} steps[] = {
    {EI_STEP_IDLE, EI_STATE_REMOVED, EI_STATE_REMOVED},    {EI_STEP_QUEUED, EI_STATE_QUEUED, EI_STATE_PENDING},
    {EI_STEP_CHECKING, EI_STATE_QUEUED, EI_STATE_PENDING}, {EI_STEP_CREATING, EI_STATE_QUEUED, EI_STATE_PENDING},
    {EI_STEP_CREATED, EI_STATE_PENDING, EI_STATE_PENDING}, {EI_STEP_MAILING, EI_STATE_PENDING, EI_STATE_PENDING},
    {EI_STEP_PENDING, EI_STATE_PENDING, EI_STATE_PENDING}, {EI_STEP_ACCEPTED, EI_STATE_ACCEPTED, EI_STATE_ACCEPTED},
    {EI_STEP_FAILED, EI_STATE_FAILED, EI_STATE_FAILED},    {EI_STEP_OFFBOARDING, EI_STATE_REMOVED, EI_STATE_REMOVED},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static char *address[] = {(char *)"taylor@fabrikam.com"};

static struct ei_collaborator at_step(enum ei_step step, bool url)
{
    return (struct ei_collaborator){
        .addresses = address,
        .address_count = 1,
        .job.step = step,
        .redeem_url = url ? (char *)"https://login.microsoftonline.com/redeem?x" : NULL,
    };
}

static enum ei_state seen(const struct ei_collaborator *c, int account_state)
{
    struct ei_account account = {.state = (enum ei_account_state)account_state};

    return ei_state_of(c, account_state != NO_ACCOUNT ? &account : NULL);
}

static void expect(const struct ei_collaborator *c, int account_state, enum ei_state wanted)
{
    enum ei_state state = seen(c, account_state);

    if (state != wanted)
        fail_msg("step %s, account state %d, %s URL, %s error: %s and not %s", ei_step_name(c->job.step), account_state,
                 c->redeem_url != NULL ? "a" : "no", c->error_permanent ? "a lasting" : "no lasting",
                 ei_state_name(state), ei_state_name(wanted));
}

static void covers_every_step(void **state)
{
    (void)state;
    for (int step = EI_STEP_IDLE; step <= EI_STEP_OFFBOARDING; step++)
        assert_int_equal(steps[step - EI_STEP_IDLE].step, step);
    assert_int_equal(STEPS, EI_STEP_OFFBOARDING - EI_STEP_IDLE + 1);
}

static void an_active_account_is_where_its_person_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct ei_collaborator c = at_step(steps[i].step, false);
        expect(&c, EI_ACCOUNT_ACTIVE, steps[i].without_url);
        expect(&c, NO_ACCOUNT, steps[i].without_url);
        c = at_step(steps[i].step, true);
        expect(&c, EI_ACCOUNT_ACTIVE, steps[i].with_url);
        expect(&c, NO_ACCOUNT, steps[i].with_url);
    }
}

/* Whatever is known of the person: the gate of a held account must not open by itself. */
static void a_held_account_is_held_at_every_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        for (int url = 0; url <= 1; url++) {
            struct ei_collaborator c = at_step(steps[i].step, url != 0);
            expect(&c, EI_ACCOUNT_HELD, EI_STATE_HELD);
        }
    }
}

static void an_error_that_lasts_is_failed(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        for (int url = 0; url <= 1; url++) {
            struct ei_collaborator c = at_step(steps[i].step, url != 0);
            c.error.code = EI_DISABLED;
            c.error_permanent = true;
            expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_FAILED);
            expect(&c, EI_ACCOUNT_HELD, EI_STATE_FAILED);
            expect(&c, NO_ACCOUNT, EI_STATE_FAILED);
            /* It is written down before the step that it leads to: what changes with that is the work. */
            assert_int_equal(ei_state_of_work(&c), url != 0 ? steps[i].with_url : steps[i].without_url);
        }
    }
}

static void an_error_that_passes_changes_no_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct ei_collaborator c = at_step(steps[i].step, false);
        c.error.code = EI_UNREACHABLE;
        expect(&c, EI_ACCOUNT_ACTIVE, steps[i].without_url);
        expect(&c, EI_ACCOUNT_HELD, EI_STATE_HELD);
        c = at_step(steps[i].step, true);
        c.error.code = EI_THROTTLED;
        expect(&c, EI_ACCOUNT_ACTIVE, steps[i].with_url);
    }
}

/* The admin's word stays (design, Hard cases): an accepted guest does not open a tombstone's gate. */
static void a_tombstone_is_removed_whatever_else_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        for (int variant = 0; variant < 8; variant++) {
            struct ei_collaborator c = at_step(steps[i].step, (variant & 1) != 0);
            c.error_permanent = (variant & 2) != 0;
            c.address_count = (variant & 4) != 0 ? 1 : 0;
            expect(&c, EI_ACCOUNT_REMOVED, EI_STATE_REMOVED);
        }
    }
}

/* Given up: while the guest is there, once it was offboarded, and on the tombstone that this leaves. */
static void what_was_given_up_is_expired(void **state)
{
    struct ei_account by_admin = {.state = EI_ACCOUNT_REMOVED, .by_admin = true};

    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        struct ei_collaborator c = at_step(steps[i].step, false);
        bool there =
            steps[i].step == EI_STEP_CREATED || steps[i].step == EI_STEP_MAILING || steps[i].step == EI_STEP_PENDING;
        bool gone = steps[i].step == EI_STEP_IDLE || steps[i].step == EI_STEP_OFFBOARDING;
        c.expired_at = 1;
        expect(&c, EI_ACCOUNT_ACTIVE, there || gone ? EI_STATE_EXPIRED : steps[i].without_url);
        expect(&c, EI_ACCOUNT_REMOVED, EI_STATE_REMOVED); /* it left the group */
        assert_int_equal(ei_state_of(&c, &by_admin), EI_STATE_EXPIRED);
    }
}

static void who_is_to_come_back_is_queued(void **state)
{
    struct ei_collaborator c = at_step(EI_STEP_OFFBOARDING, false);

    (void)state;
    c.job.offboard = EI_OFFBOARD_RESTORE;
    expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_QUEUED);
    c.job.step = (enum ei_step)99; /* of a newer version */
    expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_QUEUED);
}

static void without_an_address_it_waits(void **state)
{
    struct ei_collaborator c = at_step(EI_STEP_IDLE, false);

    (void)state;
    c.address_count = 0;
    expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_WAITING);
    expect(&c, EI_ACCOUNT_HELD, EI_STATE_HELD);
    c.error.code = EI_NO_ADDRESS; /* reported after an hour, and still only waiting */
    expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_WAITING);
    c.error.code = EI_BAD_ADDRESS;
    c.error_permanent = true;
    c.job.step = EI_STEP_FAILED;
    expect(&c, EI_ACCOUNT_ACTIVE, EI_STATE_FAILED);
}

/* --- which account a message is about --- */

static void the_account_of_a_message(void **state)
{
    struct ei_account accounts[] = {
        {.host = (char *)THERE, .login = (char *)"far"},
        {.host = (char *)HERE, .login = (char *)"near"},
        {.host = (char *)HERE, .login = (char *)"second"},
        {.host = (char *)THERE, .login = (char *)"second"},
    };
    struct ei_collaborator c = {.accounts = accounts, .account_count = 4};

    (void)state;
    assert_ptr_equal(ei_state_account(&c, HERE, "second"), &accounts[2]);
    assert_ptr_equal(ei_state_account(&c, HERE, NULL), &accounts[1]);
    assert_ptr_equal(ei_state_account(&c, HERE, "far"), &accounts[1]); /* another host's login is not ours */
    assert_ptr_equal(ei_state_account(&c, "host-three", NULL), &accounts[0]);
    c.account_count = 1;
    assert_ptr_equal(ei_state_account(&c, HERE, "near"), &accounts[0]);
    c.account_count = 0;
    assert_null(ei_state_account(&c, HERE, "near"));
    assert_null(ei_state_account(&c, HERE, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_every_step),
        cmocka_unit_test(an_active_account_is_where_its_person_is),
        cmocka_unit_test(a_held_account_is_held_at_every_step),
        cmocka_unit_test(an_error_that_lasts_is_failed),
        cmocka_unit_test(an_error_that_passes_changes_no_state),
        cmocka_unit_test(a_tombstone_is_removed_whatever_else_is_known),
        cmocka_unit_test(what_was_given_up_is_expired),
        cmocka_unit_test(who_is_to_come_back_is_queued),
        cmocka_unit_test(without_an_address_it_waits),
        cmocka_unit_test(the_account_of_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

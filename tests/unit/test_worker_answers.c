/* What Graph's answers make of a job, each decision of answers.c: looked up, invited, refused, lost (X3). */
#include "tests/unit/answers_fixture.h"

/* --- looked up --- */

static void look_up(struct ei_flight *flight)
{
    const struct ei_graph_user user = guest("Accepted");
    ei_answer_checked(flight, &done, &user, 1);
}

static void an_answer_to_a_look_up_that_nobody_waits_for_changes_nothing(void **state)
{
    (void)state;
    answer_to_nobody(EI_STEP_QUEUED, "find", look_up);
}

static void nobody_has_the_address_so_it_is_invited(void **state)
{
    (void)state;
    ei_answer_checked(checking(), &done, NULL, 0);
    assert_string_equal(f.sent, "find deleted");
    ei_answer_deleted_found(f.flight, &done, NULL, 0);
    stands_at(EI_STEP_CREATING);
    assert_int_equal(f.found->mail, EI_MAIL_WANTED);
    assert_int_equal(f.w->flight_count, 0);
    gone();
    f.send_fails = true; /* the deleted ones cannot be asked for */
    put(taylor(EI_STEP_CHECKING));
    f.send_fails = false;
    sends("find");
    f.send_fails = true;
    ei_answer_checked(f.flight, &done, NULL, 0);
    stands_at(EI_STEP_CREATING);
}

static void without_the_right_to_read_it_is_invited_all_the_same(void **state)
{
    const struct ei_graph_result denied = failed(EI_GRAPH_REJECTED, EI_PERMISSION, 403);
    (void)state;
    ei_answer_checked(checking(), &denied, NULL, 0);
    stands_at(EI_STEP_CREATING);
}

static void a_look_up_that_fails_is_tried_again(void **state)
{
    const struct ei_graph_result down = failed(EI_GRAPH_UNCLEAR, EI_GRAPH_DOWN, 503);
    (void)state;
    ei_answer_checked(checking(), &down, NULL, 0);
    is_retried(EI_STEP_CHECKING, EI_GRAPH_DOWN);
    wait_seconds(5);
    sends("find");
    ei_answer_checked(f.flight, &down, NULL, 0); /* no news */
    is_retried(EI_STEP_CHECKING, EI_GRAPH_DOWN);
}

static void two_users_are_one_too_many(void **state)
{
    const struct ei_graph_user users[] = {guest("Accepted"), guest("Accepted")};
    (void)state;
    ei_answer_checked(checking(), &done, users, 2);
    is_failed(EI_AMBIGUOUS_USERS);
}

static void who_is_a_guest_already_is_linked(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
    const struct ei_graph_user user = guest("Accepted");
    (void)state;
    c->accounts[0].state = EI_ACCOUNT_HELD;
    assert_non_null(ei_collaborator_add_account(c, f.w->host, "robin", 1002, "partners"));
    c->accounts[1].state = EI_ACCOUNT_ACTIVE;
    c->mail = EI_MAIL_WANTED;
    assert_true(ei_text_set(&c->redeem_url, URL));
    fly(c);
    assert_true(says(ADDRESS ": accepted before, linked", f.flight, &user));
    stands_at(EI_STEP_ACCEPTED);
    assert_true(f.found->linked);
    assert_null(f.found->redeem_url);
    assert_int_equal(f.found->mail, EI_MAIL_NONE);
    assert_int_equal(f.found->accounts[0].state, EI_ACCOUNT_ACTIVE);
    const int64_t since = f.found->state_at;
    wait_seconds(9);
    ei_answer_accept(f.w, f.found, "accepted"); /* once more: it is that since then */
    assert_int_equal(stored()->state_at, since);
}

static void who_is_pending_already_is_invited_without_a_mail(void **state)
{
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    ei_answer_checked(checking(), &done, &user, 1);
    stands_at(EI_STEP_CREATING);
    assert_true(f.found->linked);
    assert_false(f.found->made);
    assert_int_equal(f.found->mail, EI_MAIL_NONE);
}

static void what_the_mail_became_stays(void **state)
{
    static const struct {
        enum ei_channel channel;
        enum ei_mail before, after;
    } rows[] = {{EI_CHANNEL_MICROSOFT, EI_MAIL_SENT, EI_MAIL_SENT},
                {EI_CHANNEL_MICROSOFT, EI_MAIL_UNKNOWN, EI_MAIL_UNKNOWN},
                {EI_CHANNEL_MICROSOFT, EI_MAIL_NONE, EI_MAIL_WANTED},
                {EI_CHANNEL_NONE, EI_MAIL_WANTED, EI_MAIL_NONE}};
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
        f.rule.invitation.deliver = rows[i].channel;
        c->mail = rows[i].before;
        assert_true(ei_text_set(&c->guest_id, GUEST)); /* ours */
        fly(c);
        ei_answer_checked(f.flight, &done, &user, 1);
        stands_at(EI_STEP_CREATING);
        assert_int_equal(f.found->mail, rows[i].after);
        gone();
    }
}

static void a_disabled_guest_fails_and_is_looked_at_again(void **state)
{
    struct ei_graph_user user = guest("Accepted");
    (void)state;
    user.account_enabled = false;
    ei_answer_checked(checking(), &done, &user, 1);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->error.code, EI_DISABLED);
    assert_true(f.found->error_permanent);
    gone();
    user = guest(NULL);
    user.user_type = "Member";
    user.user_principal_name = "taylor@contoso.onmicrosoft.com";
    ei_answer_checked(checking(), &done, &user, 1);
    is_failed(EI_INTERNAL_USER);
}

static void the_domain_may_have_been_forbidden_meanwhile(void **state)
{
    char *other[] = {(char *)"contoso.com"};
    struct ei_flight *flight = checking();
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    f.rule.email_domains = (struct ei_strings){other, 1};
    ei_answer_checked(flight, &done, &user, 1);
    is_failed(EI_DOMAIN_NOT_ALLOWED);
}

static void who_is_held_or_gone_is_looked_up_only(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    c->accounts[0].state = EI_ACCOUNT_HELD;
    fly(c);
    ei_answer_checked(f.flight, &done, &user, 1);
    stands_at(EI_STEP_IDLE);
}

/* What the user object says is taken down, or nothing of it is believed. */
static void what_is_seen_of_a_user_is_taken_down(void **state)
{
    struct ei_graph_user user = guest("PendingAcceptance");
    struct ei_collaborator *c = taylor(EI_STEP_PENDING);
    (void)state;
    user.mail = NULL;
    c->disabled = true;
    user.account_enabled = false;
    assert_true(ei_answer_take_user(c, &user));
    assert_true(c->without_mail && c->disabled);
    user.has_account_enabled = false;
    user.user_type = "Member";
    assert_true(ei_answer_take_user(c, &user));
    assert_true(!c->without_mail && c->disabled);
    user.has_account_enabled = user.account_enabled = true;
    assert_non_null(ei_collaborator_add_membership(c, OTHER));
    assert_true(ei_answer_take_user(c, &user));
    assert_int_equal(c->membership_count, 1);
    assert_false(c->disabled);
    user.id = OTHER; /* another guest */
    user.mail = ADDRESS;
    assert_true(ei_answer_take_user(c, &user));
    assert_int_equal(c->membership_count, 0);
    ei_text_set(&c->guest_id, NULL);
    assert_true(ei_answer_take_user(c, &user));
    for (int i = 1; i <= 4; i++) {
        f.text_fails = i;
        assert_false(ei_answer_take_user(c, &user));
    }
    ei_collaborator_free(c);
}

static void without_memory_for_the_user_it_is_looked_up_again(void **state)
{
    struct ei_flight *flight = checking();
    const struct ei_graph_user user = guest("Accepted");
    (void)state;
    forgets(1);
    ei_answer_checked(flight, &done, &user, 1);
    stands_at(EI_STEP_CHECKING);
    assert_true(f.found->job.not_before > START);
}

static void without_memory_for_sponsors_it_is_invited_all_the_same(void **state)
{
    struct ei_flight *flight = checking();
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    forgets(5); /* after the four of the user */
    ei_answer_checked(flight, &done, &user, 1);
    stands_at(EI_STEP_CREATING);
    assert_int_equal(f.text_fails, 0);
}

/* --- after a lost answer --- */

static struct ei_flight *lost(void)
{
    struct ei_collaborator *c = taylor(EI_STEP_CHECKING);

    c->job.resume = EI_STEP_CREATING;
    fly(c);
    return f.flight;
}

static void a_guest_that_is_not_seen_yet_is_waited_for(void **state)
{
    static const int64_t waits[] = {15, 45};
    struct ei_flight *flight = lost();
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        ei_answer_checked(flight, &done, NULL, 0);
        stands_at(EI_STEP_CHECKING);
        assert_int_equal(f.found->job.not_before, clock_now + waits[i]);
        wait_seconds(waits[i]);
        sends("find");
        flight = f.flight;
    }
    ei_answer_checked(flight, &done, NULL, 0);
    stands_at(EI_STEP_CREATING);
}

static void a_guest_that_the_lost_answer_made_is_ours(void **state)
{
    const struct ei_graph_user user = guest("PendingAcceptance");
    (void)state;
    ei_answer_checked(lost(), &done, &user, 1);
    stands_at(EI_STEP_CREATING);
    assert_true(f.found->made);
    assert_false(f.found->linked);
    gone();
    struct ei_collaborator *c = taylor(EI_STEP_CHECKING);
    c->job.resume = EI_STEP_CREATING;
    c->linked = true; /* was there before */
    fly(c);
    ei_answer_checked(f.flight, &done, &user, 1);
    assert_false(stored()->made);
    gone();
    c = taylor(EI_STEP_CHECKING);
    c->job.resume = EI_STEP_CREATING;
    assert_true(ei_text_set(&c->guest_id, GUEST));
    fly(c);
    ei_answer_checked(f.flight, &done, &user, 1);
    assert_false(stored()->made);
    gone();
    c = taylor(EI_STEP_CHECKING);
    assert_true(ei_text_set(&c->guest_id, OTHER)); /* it was another one */
    fly(c);
    ei_answer_checked(f.flight, &done, &user, 1);
    assert_true(stored()->linked);
    gone();
    c = taylor(EI_STEP_CHECKING);
    c->made = true; /* once ours, always */
    assert_true(ei_text_set(&c->guest_id, GUEST));
    fly(c);
    ei_answer_checked(f.flight, &done, &user, 1);
    assert_true(stored()->made && !f.found->linked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_to_a_look_up_that_nobody_waits_for_changes_nothing),
        T(nobody_has_the_address_so_it_is_invited),
        T(without_the_right_to_read_it_is_invited_all_the_same),
        T(a_look_up_that_fails_is_tried_again),
        T(two_users_are_one_too_many),
        T(who_is_a_guest_already_is_linked),
        T(who_is_pending_already_is_invited_without_a_mail),
        T(what_the_mail_became_stays),
        T(a_disabled_guest_fails_and_is_looked_at_again),
        T(the_domain_may_have_been_forbidden_meanwhile),
        T(who_is_held_or_gone_is_looked_up_only),
        T(what_is_seen_of_a_user_is_taken_down),
        T(without_memory_for_the_user_it_is_looked_up_again),
        T(without_memory_for_sponsors_it_is_invited_all_the_same),
        T(a_guest_that_is_not_seen_yet_is_waited_for),
        T(a_guest_that_the_lost_answer_made_is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

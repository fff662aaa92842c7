/* The jobs' steps, each decision of machine.c: what is sent, only what is durable, and what a failing store changes
 * (X1, X16: these are the edges of the sequence in machine.h). */
#include "tests/unit/machine_fixture.h"

/* --- flights --- */

static void a_job_is_in_flight_from_its_batch_to_its_answer(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    struct ei_collaborator *c = stored();
    assert_int_equal(ei_machine_enter(f.w, c, EI_STEP_CHECKING, "checking"), EI_OK);
    assert_true(ei_machine_in_flight(f.w, f.id));
    assert_false(ei_machine_in_flight(f.w, OTHER));
    ei_machine_send_ready(f.w, true);
    assert_string_equal(f.sent, "find");
    assert_true(ei_machine_in_flight(f.w, f.id));
    assert_false(ei_machine_in_flight(f.w, OTHER));
    assert_false(f.flight->outdated);
    ei_machine_outdate_looks(f.w);
    assert_true(f.flight->outdated);
    ei_machine_land(f.flight);
    assert_false(ei_machine_in_flight(f.w, f.id));
    assert_int_equal(f.w->flight_count, 0);
}

static void flights_land_in_any_order(void **state)
{
    struct ei_flight *flights[3];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct ei_collaborator *c = ei_collaborator_new();
        c->job.step = EI_STEP_OFFBOARDING;
        c->job.offboard = i == 0 ? EI_REMOVAL_DELETE : EI_REMOVAL_DISABLE;
        f.w->ready[f.w->ready_count++] = c;
        ei_machine_send_ready(f.w, true);
        flights[i] = f.flight;
        assert_string_equal(f.sent, "offboard");
        assert_int_equal(f.flight->deleting, i == 0);
    }
    ei_machine_land(flights[1]);
    assert_ptr_equal(f.w->flights, flights[2]);
    assert_ptr_equal(flights[2]->next, flights[0]);
    ei_machine_land(flights[0]);
    ei_machine_land(flights[2]);
    assert_null(f.w->flights);
    struct ei_flight *stranger = __real_calloc(1, sizeof *stranger);
    stranger->worker = f.w;
    ei_machine_land(stranger);
    assert_int_equal(f.w->flight_count, 0);
}

static void what_is_not_durable_is_not_sent(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    assert_int_equal(ei_machine_enter(f.w, stored(), EI_STEP_CHECKING, "checking"), EI_OK);
    assert_int_equal(f.w->ready_count, 1);
    ei_machine_send_ready(f.w, false);
    assert_int_equal(f.w->ready_count, 0);
    assert_int_equal(f.sent_count, 0);
}

static void what_cannot_be_sent_stays_an_open_intent(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    f.send_fails = true;
    ei_machine_run(f.w);
    assert_int_equal(f.w->flight_count, 0);
    assert_true(stored()->job.crid[0] != '\0');

    f.send_fails = false;
    assert_int_equal(ei_machine_enter(f.w, stored(), EI_STEP_CHECKING, "checking"), EI_OK);
    f.calloc_fails = true;
    ei_machine_send_ready(f.w, true);
    f.calloc_fails = false;
    assert_int_equal(f.sent_count, 0);

    f.copy_fails = true;
    assert_int_equal(ei_machine_enter(f.w, stored(), EI_STEP_CHECKING, "checking"), EI_OK);
    assert_int_equal(f.w->ready_count, 0);
    f.copy_fails = false;
    f.w->ready_count = EI_FLIGHTS_MAX;
    assert_int_equal(ei_machine_enter(f.w, stored(), EI_STEP_CHECKING, "checking"), EI_OK);
    assert_int_equal(f.w->ready_count, EI_FLIGHTS_MAX);
    f.w->ready_count = 0;
}

static void each_step_has_its_request(void **state)
{
    static const struct {
        enum ei_step step;
        bool reset;
        enum ei_channel channel;
        const char *sent;
    } rows[] = {
        {EI_STEP_CHECKING, false, EI_CHANNEL_NONE, "find"},
        {EI_STEP_CHECKING, true, EI_CHANNEL_NONE, "get addresses"},
        {EI_STEP_CREATING, false, EI_CHANNEL_NONE, "invite"},
        {EI_STEP_MAILING, false, EI_CHANNEL_MICROSOFT, "mail"},
        {EI_STEP_MAILING, false, EI_CHANNEL_SMTP, "carry"},
        {EI_STEP_PENDING, false, EI_CHANNEL_NONE, "get"},
        {EI_STEP_ACCEPTED, false, EI_CHANNEL_NONE, "get"},
        {EI_STEP_OFFBOARDING, false, EI_CHANNEL_NONE, "offboard"},
        {EI_STEP_IDLE, false, EI_CHANNEL_NONE, NULL},
        {EI_STEP_QUEUED, false, EI_CHANNEL_NONE, NULL},
        {EI_STEP_CREATED, false, EI_CHANNEL_NONE, NULL},
        {EI_STEP_FAILED, false, EI_CHANNEL_NONE, NULL},
        {(enum ei_step)99, false, EI_CHANNEL_NONE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_collaborator *c = taylor(rows[i].step);
        c->job.reset = rows[i].reset;
        c->mail_channel = (int)rows[i].channel;
        ei_guid_new(c->job.crid);
        f.w->ready[f.w->ready_count++] = c;
        f.sent = NULL;
        ei_machine_send_ready(f.w, true);
        if (rows[i].sent == NULL)
            assert_null(f.sent);
        else
            assert_string_equal(f.sent, rows[i].sent);
    }
}

/* --- entering a step, trying again --- */

static void attempts_are_counted_but_for_what_was_cut_off(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    ei_machine_enter(f.w, stored(), EI_STEP_CHECKING, "checking");
    assert_int_equal(stored()->job.attempts, 1);
    ei_machine_enter(f.w, f.found, EI_STEP_CHECKING, "checking"); /* the process died under it */
    assert_int_equal(stored()->job.attempts, 1);
    f.found->job.crid[0] = '\0'; /* it was answered */
    ei_machine_enter(f.w, f.found, EI_STEP_CHECKING, "checking");
    assert_int_equal(stored()->job.attempts, 2);
    wait_seconds(7);
    ei_machine_enter(f.w, f.found, EI_STEP_FAILED, "failed");
    assert_int_equal(stored()->job.attempts, 0);
    assert_int_equal(f.found->state_at, START + 7);
    ei_machine_send_ready(f.w, false);
    breaks();
    f.broken.put = no_put;
    assert_int_equal(ei_machine_enter(f.w, f.found, EI_STEP_CHECKING, "checking"), EI_STORE_FULL);
    assert_int_equal(f.w->ready_count, 0);
    assert_true(f.w->paused_until_ms > clock_ms);
}

static void back_off_grows_to_a_quarter_of_an_hour(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    int64_t longest = 0;
    (void)state;
    ei_machine_back_off(c, 77);
    assert_int_equal(c->job.not_before, START + 77);
    ei_machine_back_off(c, -1);
    assert_in_range(c->job.not_before, START + 1, START + 2);
    for (int i = 0; i < 200; i++) {
        c->job.attempts = 40;
        ei_machine_back_off(c, -1);
        assert_in_range(c->job.not_before, START + 1, START + 900);
        longest = c->job.not_before > longest ? c->job.not_before : longest;
    }
    assert_true(longest > START + 300);
    ei_collaborator_free(c);
}

static void a_lost_create_is_looked_up_ever_later(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    (void)state;
    ei_machine_look_first(c);
    assert_int_equal(c->job.not_before, START + 5);
    assert_int_equal(c->job.step, EI_STEP_CHECKING);
    assert_int_equal(c->job.resume, EI_STEP_CREATING);
    c->job.creates = 30;
    ei_machine_look_first(c);
    assert_in_range(c->job.not_before, START + 5, START + 5 + 900);
    assert_int_equal(ei_machine_settle(0), 5);
    assert_int_equal(ei_machine_settle(2), 45);
    assert_int_equal(ei_machine_settle(3), -1);
#ifdef EI_FAILPOINTS
    setenv("EI_SETTLE_NOW", "1", 1);
    ei_machine_look_first(c);
    assert_int_equal(c->job.not_before, START);
    assert_int_equal(ei_machine_settle(3), -1);
    unsetenv("EI_SETTLE_NOW");
#endif
    ei_collaborator_free(c);
}

/* --- what is due: looked up before it is created (X3), tried again by X8 --- */

static void queued_is_looked_up_first(void **state)
{
    (void)state;
    put(taylor(EI_STEP_QUEUED));
    sends("find");
    stands_at(EI_STEP_CHECKING);
    sends(NULL); /* under way */
}

static void who_cannot_be_invited_fails_before_anything_is_sent(void **state)
{
    char *domains[] = {(char *)"fabrikam.com"}, *other[] = {(char *)"contoso.com"};
    (void)state;
    f.w->domains = domains;
    f.w->domain_count = 1;
    put(taylor(EI_STEP_QUEUED));
    sends(NULL);
    stands_at(EI_STEP_FAILED);
    assert_int_equal(f.found->error.code, EI_VERIFIED_DOMAIN);
    assert_true(f.found->error_permanent);
    gone();
    f.w->domain_count = 0;
    f.rule.email_domains = (struct ei_strings){other, 1};
    put(taylor(EI_STEP_QUEUED));
    sends(NULL);
    stands_at(EI_STEP_FAILED);
    assert_int_equal(f.found->error.code, EI_DOMAIN_NOT_ALLOWED);
}

static void checking_begins_again_where_nothing_is_under_way(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CHECKING);
    (void)state;
    put(c);
    sends("find");
    ei_machine_land(f.flight);
    stored()->job.resume = EI_STEP_CREATING;
    put_found();
    sends("find");
    ei_machine_land(f.flight);
    stored()->job.resume = EI_STEP_QUEUED;
    f.found->job.reset = true;
    ei_text_set(&f.found->guest_id, GUEST);
    put_found();
    sends("get addresses");
}

static void an_open_create_is_never_repeated_blindly(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    (void)state;
    ei_guid_new(c->job.crid);
    put(c);
    sends(NULL);
    stands_at(EI_STEP_CHECKING);
    assert_int_equal(f.found->job.resume, EI_STEP_CREATING);
    assert_int_equal(f.found->job.creates, 1);
    wait_seconds(5);
    sends("find");
}

static void a_create_that_was_answered_is_sent_again(void **state)
{
    char *other[] = {(char *)"contoso.com"};
    (void)state;
    put(taylor(EI_STEP_CREATING));
    sends("invite");
    ei_machine_land(f.flight);
    stored()->job.crid[0] = '\0';
    f.found->job.reset = true;
    put_found();
    sends("invite");
    ei_machine_land(f.flight);
    stored()->job.crid[0] = '\0';
    f.found->job.reset = false;
    put_found();
    f.rule.email_domains = (struct ei_strings){other, 1};
    sends("invite");
}

static void the_right_to_mail_is_spent_with_the_intent(void **state)
{
    struct ei_error err;
    struct ei_collaborator *c = taylor(EI_STEP_CREATED);
    (void)state;
    c->mail = EI_MAIL_WANTED;
    put(c);
    sends("mail");
    stands_at(EI_STEP_MAILING);
    assert_int_equal(f.found->mail, EI_MAIL_SENDING);
    assert_int_equal(ei_store_claim_mail(f.w->store, ADDRESS, 0, OTHER, &err), EI_CONFLICT);
}

static void a_right_that_is_spent_ends_as_unknown(void **state)
{
    struct ei_error err;
    struct ei_collaborator *c = taylor(EI_STEP_CREATED);
    (void)state;
    assert_int_equal(ei_store_claim_mail(f.w->store, ADDRESS, 0, OTHER, &err), EI_OK);
    c->mail = EI_MAIL_WANTED;
    put(c);
    sends(NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_UNKNOWN);
    assert_int_equal(f.found->error.code, EI_MAIL_UNCLEAR);
}

static void without_a_right_nothing_is_mailed(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATED);
    (void)state;
    c->mail = EI_MAIL_WANTED;
    put(c);
    breaks();
    f.broken.claim_mail = no_claim;
    sends(NULL);
    mended();
    stands_at(EI_STEP_CREATED);
    f.rule.invitation.deliver = EI_CHANNEL_NONE; /* meanwhile nobody is to mail */
    sends(NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_NONE);
    gone();
    put(taylor(EI_STEP_CREATED)); /* it was never to be mailed */
    sends(NULL);
    stands_at(EI_STEP_PENDING);
}

static void a_clone_holds_its_mail(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATED);
    (void)state;
    f.w->mail_held = true;
    c->mail = EI_MAIL_WANTED;
    put(c);
    sends(NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_HELD);
    gone();
    c = taylor(EI_STEP_CREATED);
    c->mail = EI_MAIL_SENT;
    put(c);
    sends(NULL);
    assert_int_equal(stored()->mail, EI_MAIL_SENT);
}

static void a_mail_that_was_refused_for_a_while_is_held_too(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_MAILING);
    (void)state;
    f.w->mail_held = true;
    c->mail = EI_MAIL_SENDING;
    put(c);
    sends(NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_HELD);
    assert_int_equal(f.found->mail_round, 1);
}

static void a_mail_that_was_cut_off_is_unknown_for_ever(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_MAILING);
    (void)state;
    f.w->mail_held = true;
    c->mail = EI_MAIL_SENDING;
    ei_guid_new(c->job.crid);
    put(c);
    sends(NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_UNKNOWN);
}

static void a_mail_that_was_refused_is_tried_again(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_MAILING);
    (void)state;
    c->mail = EI_MAIL_SENDING;
    put(c);
    sends("mail");
}

static void who_is_not_wanted_any_more_is_not_invited(void **state)
{
    static const struct {
        enum ei_step step;
        enum ei_mail mail, kept;
        enum ei_step then;
    } rows[] = {{EI_STEP_CREATING, EI_MAIL_WANTED, EI_MAIL_WANTED, EI_STEP_IDLE},
                {EI_STEP_CREATED, EI_MAIL_WANTED, EI_MAIL_NONE, EI_STEP_PENDING},
                {EI_STEP_MAILING, EI_MAIL_SENDING, EI_MAIL_NONE, EI_STEP_PENDING},
                {EI_STEP_CREATED, EI_MAIL_SENT, EI_MAIL_SENT, EI_STEP_PENDING}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_collaborator *c = taylor(rows[i].step);
        c->accounts[0].state = EI_ACCOUNT_REMOVED;
        c->mail = rows[i].mail;
        put(c);
        sends(NULL);
        stands_at(rows[i].then);
        assert_int_equal(f.found->mail, rows[i].kept);
        gone();
    }
}

static void looks_go_by_their_pace(void **state)
{
    (void)state;
    put(taylor(EI_STEP_PENDING));
    ei_pace_take(&f.w->looks, 10, clock_ms);
    sends(NULL);
    assert_int_equal(ei_machine_wait_ms(f.w), 100);
    wait_seconds(1);
    sends("get");
    ei_machine_land(f.flight);
    ei_text_set(&stored()->guest_id, NULL); /* removed in the tenant: begun anew */
    put_found();
    sends("find");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_job_is_in_flight_from_its_batch_to_its_answer),
        T(flights_land_in_any_order),
        T(what_is_not_durable_is_not_sent),
        T(what_cannot_be_sent_stays_an_open_intent),
        T(each_step_has_its_request),
        T(attempts_are_counted_but_for_what_was_cut_off),
        T(back_off_grows_to_a_quarter_of_an_hour),
        T(a_lost_create_is_looked_up_ever_later),
        T(queued_is_looked_up_first),
        T(who_cannot_be_invited_fails_before_anything_is_sent),
        T(checking_begins_again_where_nothing_is_under_way),
        T(an_open_create_is_never_repeated_blindly),
        T(a_create_that_was_answered_is_sent_again),
        T(the_right_to_mail_is_spent_with_the_intent),
        T(a_right_that_is_spent_ends_as_unknown),
        T(without_a_right_nothing_is_mailed),
        T(a_clone_holds_its_mail),
        T(a_mail_that_was_refused_for_a_while_is_held_too),
        T(a_mail_that_was_cut_off_is_unknown_for_ever),
        T(a_mail_that_was_refused_is_tried_again),
        T(who_is_not_wanted_any_more_is_not_invited),
        T(looks_go_by_their_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What becomes of a deleted guest, of an invitation and of Microsoft's mail (answers.c, answers_mail.c); and without
 * memory (T2). */
#include "tests/unit/answers_fixture.h"

/* --- among the deleted users --- */

static struct ei_flight *searching(void)
{
    ei_answer_checked(checking(), &done, NULL, 0);
    assert_string_equal(f.sent, "find deleted");
    return f.flight;
}

static void search_deleted(struct ei_flight *flight)
{
    f.sent = NULL;
    ei_answer_checked(flight, &done, NULL, 0);
    if (f.sent != NULL)
        ei_answer_deleted_found(f.flight, &done, NULL, 0);
}

static void find_deleted(struct ei_flight *flight)
{
    ei_answer_deleted_found(flight, &done, NULL, 0);
}

static void an_answer_about_deleted_users_that_nobody_waits_for_changes_nothing(void **state)
{
    (void)state;
    answer_to_nobody(EI_STEP_QUEUED, "find", find_deleted);
    put(taylor(EI_STEP_QUEUED));
    sends("find");
    gone();
    search_deleted(f.flight);
    assert_int_equal(f.w->flight_count, 0);
}

static void a_deleted_guest_is_not_invited_as_a_new_one(void **state)
{
    struct ei_graph_user user = guest(NULL);
    (void)state;
    ei_answer_deleted_found(searching(), &done, &user, 1);
    is_failed(EI_GUEST_DELETED);
    assert_string_equal(f.found->deleted_guest_id, GUEST);
    gone();
    struct ei_flight *flight = searching();
    forgets(6); /* after those that forget the guest before */
    ei_answer_deleted_found(flight, &done, &user, 1);
    stands_at(EI_STEP_CHECKING);
    assert_null(f.found->deleted_guest_id);
    assert_true(f.found->job.not_before > START);
}

static void who_knows_of_the_deleted_guest_wants_another(void **state)
{
    struct ei_graph_user users[] = {guest(NULL), guest(NULL), guest(NULL)};
    struct ei_collaborator *c = taylor(EI_STEP_QUEUED);
    (void)state;
    assert_null(ei_answer_unknown_deleted(c, users, 0));
    users[0].user_type = "Member";
    assert_ptr_equal(ei_answer_unknown_deleted(c, users, 1), &users[0]); /* by its name */
    users[0].user_principal_name = "taylor@contoso.onmicrosoft.com";
    assert_null(ei_answer_unknown_deleted(c, users, 1)); /* a member is none of ours */
    assert_ptr_equal(ei_answer_unknown_deleted(c, users, 3), &users[1]);
    users[2].id = OTHER;
    assert_true(ei_text_set(&c->guest_id, OTHER));
    assert_null(ei_answer_unknown_deleted(c, users, 3));
    assert_true(ei_text_set(&c->guest_id, NULL) && ei_text_set(&c->deleted_guest_id, OTHER));
    assert_null(ei_answer_unknown_deleted(c, users, 3));
    users[2].id = "22222222-2222-4333-8444-555555555555";
    assert_true(ei_text_set(&c->guest_id, OTHER));
    assert_ptr_equal(ei_answer_unknown_deleted(c, users, 3), &users[1]);
    ei_collaborator_free(c);
}

static void where_the_deleted_cannot_be_searched_it_is_said_once(void **state)
{
    const struct ei_graph_result refused = failed(EI_GRAPH_REJECTED, EI_PERMISSION, 403);
    const struct ei_graph_result down = failed(EI_GRAPH_UNCLEAR, EI_GRAPH_DOWN, 503);
    struct ei_flight *flight = searching();
    (void)state;
    ei_answer_deleted_found(flight, &down, NULL, 0);
    is_retried(EI_STEP_CHECKING, EI_GRAPH_DOWN);
    gone();
    ei_answer_deleted_found(searching(), &refused, NULL, 0);
    stands_at(EI_STEP_CREATING);
    assert_true(f.w->deleted_unseen);
    gone();
    f.sent = NULL;
    ei_answer_checked(checking(), &done, NULL, 0); /* not asked again */
    assert_string_equal(f.sent, "find");
    stands_at(EI_STEP_CREATING);
    gone();
    f.w->deleted_unseen = false;
    flight = searching();
    f.w->deleted_unseen = true; /* another answer was faster */
    ei_answer_deleted_found(flight, &refused, NULL, 0);
    stands_at(EI_STEP_CREATING);
}

/* --- invited --- */

static void create(struct ei_flight *flight)
{
    ei_answer_created(flight, &done, &invitation);
}

static void an_invitation_of_nobody_changes_nothing(void **state)
{
    const struct ei_graph_result lost = failed(EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS, 0);
    struct ei_flight *flight = creating();
    (void)state;
    gone();
    create(flight);
    flight = creating();
    breaks();
    f.broken.get = get_without_address;
    create(flight);
    mended();
    stands_at(EI_STEP_CREATING);
    gone();
    flight = creating();
    stored()->job.step = EI_STEP_IDLE;
    put_found();
    ei_answer_created(flight, &lost, NULL);
    stands_at(EI_STEP_IDLE);
    assert_int_equal(f.found->revision, 3);
}

static void an_invitation_is_on_record_before_its_mail(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    (void)state;
    c->mail = EI_MAIL_WANTED;
    fly(c);
    create(f.flight);
    stands_at(EI_STEP_CREATED);
    assert_string_equal(f.found->redeem_url, URL "y");
    assert_string_equal(f.found->guest_id, GUEST);
    assert_true(f.found->made);
    assert_int_equal(f.sent_count, 1);
}

static void an_invitation_without_a_mail_is_waited_for(void **state)
{
    (void)state;
    f.config.refresh_interval = 20;
    create(creating());
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->job.not_before, START + 20);
    assert_int_equal(f.found->invited_at, START);
    ei_answer_take_invitation(f.found, &invitation, NULL);
    assert_true(f.found->made); /* once ours, always */
    wait_seconds(100);
    f.config.refresh_interval = 300;
    assert_int_equal(ei_answer_pending(f.w, f.found, "resent"), EI_OK);
    assert_int_equal(f.found->job.not_before, clock_now + 60); /* read back soon */
    assert_int_equal(f.found->invited_at, START);
    assert_int_equal(f.found->state_at, START);
}

static void an_answer_that_comes_late_is_on_record_at_least(void **state)
{
    struct ei_flight *flight = creating();
    (void)state;
    stored()->job.step = EI_STEP_IDLE;
    f.found->job.reset = true;
    put_found();
    create(flight);
    stands_at(EI_STEP_IDLE);
    assert_string_equal(f.found->guest_id, GUEST);
}

static void a_url_is_renewed(void **state)
{
    static const struct {
        bool guest, url, linked, reset;
        enum ei_mail mail;
        enum ei_channel channel;
        enum ei_step then;
        bool made;
    } rows[] = {{true, true, false, false, EI_MAIL_NONE, EI_CHANNEL_MICROSOFT, EI_STEP_PENDING, false},
                {true, true, false, false, EI_MAIL_WANTED, EI_CHANNEL_MICROSOFT, EI_STEP_CREATED, false},
                {true, false, false, false, EI_MAIL_NONE, EI_CHANNEL_MICROSOFT, EI_STEP_PENDING, false},
                {false, false, true, false, EI_MAIL_NONE, EI_CHANNEL_MICROSOFT, EI_STEP_PENDING, false},
                {true, true, false, true, EI_MAIL_NONE, EI_CHANNEL_NONE, EI_STEP_PENDING, false},
                {true, true, false, true, EI_MAIL_NONE, EI_CHANNEL_MICROSOFT, EI_STEP_CREATED, false},
                {false, false, false, false, EI_MAIL_NONE, EI_CHANNEL_MICROSOFT, EI_STEP_PENDING, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ei_collaborator *c = taylor(EI_STEP_CREATING);
        f.rule.invitation.deliver = rows[i].channel;
        assert_true(ei_text_set(&c->guest_id, rows[i].guest ? GUEST : NULL));
        assert_true(ei_text_set(&c->redeem_url, rows[i].url ? URL : NULL));
        c->linked = rows[i].linked;
        c->job.reset = rows[i].reset;
        c->mail = rows[i].mail;
        fly(c);
        create(f.flight);
        stands_at(rows[i].then);
        assert_string_equal(f.found->redeem_url, URL "y");
        assert_false(f.found->job.reset);
        assert_int_equal(f.found->state_at, rows[i].url && !rows[i].reset ? 0 : START);
        assert_int_equal(f.found->made, rows[i].made);
        gone();
    }
}

static void a_second_guest_is_shown_and_never_swallowed(void **state)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    (void)state;
    assert_true(ei_text_set(&c->guest_id, OTHER));
    fly(c);
    create(f.flight);
    is_failed(EI_SECOND_GUEST);
    assert_string_equal(f.found->guest_id, OTHER);
}

static void without_memory_for_the_answer_nothing_is_lost(void **state)
{
    (void)state;
    for (int i = 2; i <= 6; i++) { /* the first only forgets */
        struct ei_flight *flight = creating();
        forgets(i);
        create(flight);
        mended();
        is_retried(EI_STEP_CHECKING, EI_NOMEM);
        assert_int_equal(f.found->job.resume, EI_STEP_CREATING);
        gone();
    }
    struct ei_flight *flight = creating();
    stored()->job.step = EI_STEP_IDLE; /* somebody decided otherwise meanwhile */
    put_found();
    forgets(2);
    create(flight);
    mended();
    stands_at(EI_STEP_IDLE);
    gone();
    flight = creating();
    forgets(2);
    f.read_once = true;
    create(flight);
    mended();
    stands_at(EI_STEP_CREATING); /* found as cut off later */
}

static void a_lost_answer_is_looked_for(void **state)
{
    const struct ei_graph_result lost = failed(EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS, 0);
    (void)state;
    ei_answer_created(creating(), &lost, NULL);
    is_retried(EI_STEP_CHECKING, EI_GRAPH_AMBIGUOUS);
    assert_int_equal(f.found->job.resume, EI_STEP_CREATING);
}

static void a_refusal_of_the_person_fails_and_any_other_is_tried_again(void **state)
{
    const struct ei_graph_result person = failed(EI_GRAPH_REJECTED, EI_GROUP_ADDRESS, 400);
    const struct ei_graph_result tenant = failed(EI_GRAPH_REJECTED, EI_PERMISSION, 403);
    const struct ei_graph_result throttled = failed(EI_GRAPH_REJECTED, EI_THROTTLED, 429);
    char *other[] = {(char *)"contoso.com"};
    (void)state;
    ei_answer_created(creating(), &person, NULL);
    is_failed(EI_GROUP_ADDRESS);
    gone();
    ei_answer_created(creating(), &throttled, NULL);
    is_retried(EI_STEP_CREATING, EI_THROTTLED);
    gone();
    struct ei_flight *flight = creating();
    f.rule.email_domains = (struct ei_strings){other, 1};
    ei_answer_created(flight, &tenant, NULL);
    is_retried(EI_STEP_CREATING, EI_PERMISSION);
}

static void a_member_that_is_refused_blocks_nobody_else(void **state)
{
    const struct ei_graph_result refused = failed(EI_GRAPH_REJECTED, EI_PERMISSION, 403);
    (void)state;
    ei_answer_created(creating(), &refused, NULL); /* a guest */
    is_retried(EI_STEP_CREATING, EI_PERMISSION);
    assert_int_equal(f.w->blocked.code, EI_PERMISSION);
    gone();
    memset(&f.w->blocked, 0, sizeof f.w->blocked);
    f.rule.invitation.user_type = EI_USER_MEMBER;
    ei_answer_created(creating(), &refused, NULL);
    is_retried(EI_STEP_CREATING, EI_MEMBER_REFUSED);
    assert_int_equal(f.w->blocked.code, EI_OK);
}

static void refused_sponsors_are_left_out(void **state)
{
    const struct ei_graph_result refused = failed(EI_GRAPH_REJECTED, EI_REQUEST_REFUSED, 400);
    char *sponsors[] = {(char *)"users/" OTHER};
    (void)state;
    f.rule.invitation.sponsors = (struct ei_strings){sponsors, 1};
    for (int i = 0; i < 2; i++) {
        struct ei_flight *flight = creating();
        assert_int_equal(stored()->sponsoring, EI_SPONSORS_SENT);
        breaks();
        if (i == 1)
            f.broken.put = no_put;
        ei_answer_created(flight, &refused, NULL);
        mended();
        stands_at(EI_STEP_CREATING);
        assert_int_equal(f.found->sponsoring, i == 0 ? EI_SPONSORS_APART : EI_SPONSORS_SENT);
        gone();
    }
    ei_machine_send_ready(f.w, false);
}

static void a_refused_reset_ends_it(void **state)
{
    const struct ei_graph_result refused = failed(EI_GRAPH_REJECTED, EI_PERMISSION, 403);
    struct ei_collaborator *c = taylor(EI_STEP_CREATING);
    (void)state;
    c->job.reset = true;
    assert_true(ei_text_set(&c->guest_id, GUEST));
    fly(c);
    ei_answer_created(f.flight, &refused, NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->error.code, EI_RESET_DENIED);
    ei_answer_clear_error(f.found); /* told until somebody acts */
    assert_int_equal(f.found->error.code, EI_RESET_DENIED);
    f.found->error_permanent = true;
    ei_answer_clear_error(f.found);
    assert_int_equal(f.found->error.code, EI_OK);
}

static void whom_the_refusal_names_is_looked_at(void **state)
{
    struct ei_graph_result refused = failed(EI_GRAPH_REJECTED, EI_INTERNAL_USER, 400);
    const struct ei_graph_user user = guest("Accepted");
    struct ei_flight *flight = creating();
    (void)state;
    snprintf(refused.user_id, sizeof refused.user_id, "%s", GUEST);
    ei_answer_created(flight, &refused, NULL);
    assert_string_equal(f.sent, "get");
    f.on_user(f.context, &done, &user);
    stands_at(EI_STEP_ACCEPTED);
    assert_int_equal(f.w->flight_count, 0);
}

/* --- Microsoft's mail --- */

static struct ei_flight *mailing(void)
{
    struct ei_collaborator *c = taylor(EI_STEP_CREATED);

    c->mail = EI_MAIL_WANTED;
    put(c);
    sends("mail");
    return f.flight;
}

static void take_back(void)
{
    struct ei_error err = {0};

    gone();
    ei_store_close(f.w->store); /* with the right to mail, which a store keeps for ever */
    char path[96];
    snprintf(path, sizeof path, "%s/private", f.dir);
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(ei_store_open_sqlite(path, &f.w->store, &err), EI_OK);
}

static void a_mail_is_sent_once(void **state)
{
    (void)state;
    ei_answer_mailed(mailing(), &done, &invitation);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_SENT);
    assert_int_equal(f.found->mailed_at, START);
    assert_string_equal(f.found->redeem_url, URL "y");
    take_back();
    struct ei_flight *flight = mailing();
    stored()->job.step = EI_STEP_IDLE; /* somebody decided otherwise meanwhile */
    put_found();
    ei_answer_mailed(flight, &done, &invitation);
    stands_at(EI_STEP_IDLE);
    assert_int_equal(f.found->mail, EI_MAIL_SENT);
}

static void an_answer_to_a_mail_that_nobody_waits_for_changes_nothing(void **state)
{
    struct ei_flight *flight = mailing();
    (void)state;
    breaks();
    f.broken.get = get_without_address;
    ei_answer_mailed(flight, &done, &invitation);
    mended();
    stands_at(EI_STEP_MAILING);
    take_back();
    flight = mailing();
    stored()->mail = EI_MAIL_UNKNOWN;
    put_found();
    ei_answer_mailed(flight, &done, &invitation);
    assert_int_equal(stored()->mail, EI_MAIL_UNKNOWN);
    take_back();
    flight = mailing();
    gone();
    ei_answer_mailed(flight, &done, &invitation);
    assert_int_equal(f.w->flight_count, 0);
}

static void a_lost_mail_is_unknown(void **state)
{
    struct ei_graph_result lost = failed(EI_GRAPH_UNCLEAR, EI_GRAPH_AMBIGUOUS, 0);
    (void)state;
    snprintf(lost.error.request_id, sizeof lost.error.request_id, "%s", OTHER);
    ei_answer_mailed(mailing(), &lost, NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_UNKNOWN);
    assert_string_equal(f.found->error.request_id, OTHER);
}

static void a_mail_that_is_refused_leaves_the_url(void **state)
{
    const struct ei_graph_result person = failed(EI_GRAPH_REJECTED, EI_GRAPH_ADDRESS, 400);
    const struct ei_graph_result throttled = failed(EI_GRAPH_REJECTED, EI_THROTTLED, 429);
    (void)state;
    ei_answer_mailed(mailing(), &person, NULL);
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_NONE);
    assert_string_equal(f.found->redeem_url, URL);
    take_back();
    ei_answer_mailed(mailing(), &throttled, NULL);
    is_retried(EI_STEP_MAILING, EI_THROTTLED);
    assert_int_equal(f.found->mail, EI_MAIL_SENDING);
}

static void a_mail_whose_answer_cannot_be_held_is_sent_all_the_same(void **state)
{
    struct ei_flight *flight = mailing();
    (void)state;
    forgets(2);
    ei_answer_mailed(flight, &done, &invitation);
    mended();
    stands_at(EI_STEP_PENDING);
    assert_int_equal(f.found->mail, EI_MAIL_SENT);
    assert_string_equal(f.found->redeem_url, URL);
    take_back();
    flight = mailing();
    forgets(2);
    f.read_once = true;
    ei_answer_mailed(flight, &done, &invitation);
    mended();
    stands_at(EI_STEP_MAILING); /* found as cut off later */
}

static void the_mail_to_a_second_guest_is_shown(void **state)
{
    struct ei_flight *flight = mailing();
    (void)state;
    assert_true(ei_text_set(&stored()->guest_id, OTHER));
    put_found();
    ei_answer_mailed(flight, &done, &invitation);
    is_failed(EI_SECOND_GUEST);
    assert_int_equal(f.found->mail, EI_MAIL_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_about_deleted_users_that_nobody_waits_for_changes_nothing),
        T(a_deleted_guest_is_not_invited_as_a_new_one),
        T(who_knows_of_the_deleted_guest_wants_another),
        T(where_the_deleted_cannot_be_searched_it_is_said_once),
        T(an_invitation_of_nobody_changes_nothing),
        T(an_invitation_is_on_record_before_its_mail),
        T(an_invitation_without_a_mail_is_waited_for),
        T(an_answer_that_comes_late_is_on_record_at_least),
        T(a_url_is_renewed),
        T(a_second_guest_is_shown_and_never_swallowed),
        T(without_memory_for_the_answer_nothing_is_lost),
        T(a_lost_answer_is_looked_for),
        T(a_refusal_of_the_person_fails_and_any_other_is_tried_again),
        T(a_member_that_is_refused_blocks_nobody_else),
        T(refused_sponsors_are_left_out),
        T(a_refused_reset_ends_it),
        T(whom_the_refusal_names_is_looked_at),
        T(a_mail_is_sent_once),
        T(an_answer_to_a_mail_that_nobody_waits_for_changes_nothing),
        T(a_lost_mail_is_unknown),
        T(a_mail_that_is_refused_leaves_the_url),
        T(a_mail_whose_answer_cannot_be_held_is_sent_all_the_same),
        T(the_mail_to_a_second_guest_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

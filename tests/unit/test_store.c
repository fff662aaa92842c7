/* The aggregate in the store: round trip, compare-and-set, unique keys, the right to mail, batches. */
#include "tests/unit/store_fixture.h"

#include "common/base/clock.h"

static void fill_texts(struct ei_collaborator *c)
{
    assert_true(ei_text_set(&c->job.rule, "partners"));
    assert_true(ei_text_set(&c->job.overrides, "{\"user_type\":\"member\"}"));
    assert_true(ei_text_set(&c->display_name, "Taylor Example"));
    assert_true(ei_text_set(&c->requested_by, "root"));
    assert_true(ei_text_set(&c->requester, "alice"));
    assert_true(ei_text_set(&c->job.reset_email, "taylor@contoso.example"));
    assert_true(ei_text_set(&c->invitation_sent, "{\"invitedUserEmailAddress\":\"taylor@fabrikam.com\"}"));
    assert_true(ei_text_set(&c->invitation_status, "PendingAcceptance"));
    assert_true(ei_text_set(&c->invitation_notes, "one\ntwo"));
    assert_true(ei_text_set(&c->sponsors, "[\"users/alice@contoso.com\"]"));
    assert_true(ei_text_set(&c->sponsor_note, "it is not known"));
    assert_true(ei_text_set(&c->guest_id, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"));
    assert_true(ei_text_set(&c->user_principal_name, "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com"));
    assert_true(ei_text_set(&c->user_type, "Guest"));
    assert_true(ei_text_set(&c->external_user_state, "PendingAcceptance"));
    assert_true(ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up"));
}

static struct ei_collaborator *whole(void)
{
    struct ei_collaborator *c = collaborator_with("Taylor@Fabrikam.com", "taylor");
    assert_true(ei_collaborator_add_address(c, "t.example@fabrikam.com"));
    struct ei_account *account = ei_collaborator_add_account(c, "host-2", "texample", 4294967294u, NULL);
    *account = (struct ei_account){account->host,
                                   account->login,
                                   account->rule,
                                   account->uid,
                                   EI_ACCOUNT_REMOVED,
                                   EI_SOURCE_GECOS,
                                   UINT64_MAX,
                                   11,
                                   12,
                                   true,
                                   true,
                                   true};
    fill_texts(c);
    c->job.step = EI_STEP_MAILING;
    c->job.attempts = UINT32_MAX;
    c->job.not_before = 1795000000;
    c->job.started_at = 1795000001;
    ei_guid_new(c->job.crid);
    c->job.urgent = true;
    c->job.resume = EI_STEP_ACCEPTED;
    c->job.offboard = 2;
    c->job.creates = 3;
    c->requested_at = 21;
    c->state_changed_at = 22;
    c->checked_at = 23;
    c->not_found_since = 24;
    c->linked = true;
    c->made = true;
    c->job.reset = true;
    c->sponsoring = EI_SPONSORS_NOT;
    c->url_at = 25;
    c->mail = EI_MAIL_SENDING;
    c->mail_round = 7;
    ei_fail(&c->error, EI_PERMISSION, "Insufficient privileges to complete the operation");
    snprintf(c->error.request_id, sizeof c->error.request_id, "aaaaaaaa-0000-4000-8000-000000000001");
    snprintf(c->error.client_request_id, sizeof c->error.client_request_id, "aaaaaaaa-0000-4000-8000-000000000002");
    c->error_permanent = true;
    c->state_at = 26;
    return c;
}

static void assert_same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void assert_same_accounts(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    assert_int_equal(a->account_count, b->account_count);
    for (size_t i = 0; i < a->account_count; i++) {
        struct ei_account x = a->accounts[i];
        struct ei_account y = b->accounts[i];
        assert_string_equal(x.host, y.host);
        assert_string_equal(x.login, y.login);
        assert_same_text(x.rule, y.rule);
        assert_int_equal(x.uid, y.uid);
        assert_int_equal(x.state, y.state);
        assert_int_equal(x.source, y.source);
        assert_true(x.address_hash == y.address_hash);
        assert_int_equal(x.since, y.since);
        assert_int_equal(x.missing_since, y.missing_since);
        assert_true(x.reported == y.reported && x.by_admin == y.by_admin && x.local == y.local);
    }
}

static void assert_same_job(const struct ei_job *a, const struct ei_job *b)
{
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->not_before, b->not_before);
    assert_int_equal(a->started_at, b->started_at);
    assert_string_equal(a->crid, b->crid);
    assert_int_equal(a->urgent, b->urgent);
    assert_same_text(a->rule, b->rule);
    assert_same_text(a->overrides, b->overrides);
    assert_int_equal(a->resume, b->resume);
    assert_int_equal(a->offboard, b->offboard);
    assert_int_equal(a->creates, b->creates);
    assert_true(a->reset == b->reset);
    assert_same_text(a->reset_email, b->reset_email);
}

static void assert_same(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->address_count, b->address_count);
    for (size_t i = 0; i < a->address_count; i++)
        assert_string_equal(a->addresses[i], b->addresses[i]);
    assert_same_accounts(a, b);
    assert_same_job(&a->job, &b->job);
    assert_same_text(a->display_name, b->display_name);
    assert_same_text(a->requested_by, b->requested_by);
    assert_same_text(a->requester, b->requester);
    assert_same_text(a->guest_id, b->guest_id);
    assert_same_text(a->user_principal_name, b->user_principal_name);
    assert_same_text(a->user_type, b->user_type);
    assert_same_text(a->external_user_state, b->external_user_state);
    assert_same_text(a->redeem_url, b->redeem_url);
    assert_int_equal(a->requested_at, b->requested_at);
    assert_int_equal(a->state_changed_at, b->state_changed_at);
    assert_int_equal(a->checked_at, b->checked_at);
    assert_int_equal(a->not_found_since, b->not_found_since);
    assert_int_equal(a->linked, b->linked);
    assert_true(a->made == b->made);
    assert_same_text(a->invitation_sent, b->invitation_sent);
    assert_same_text(a->invitation_status, b->invitation_status);
    assert_same_text(a->invitation_notes, b->invitation_notes);
    assert_same_text(a->sponsors, b->sponsors);
    assert_int_equal(a->sponsoring, b->sponsoring);
    assert_same_text(a->sponsor_note, b->sponsor_note);
    assert_int_equal(a->url_at, b->url_at);
    assert_int_equal(a->mail, b->mail);
    assert_int_equal(a->mail_round, b->mail_round);
    assert_int_equal(a->error.code, b->error.code);
    assert_string_equal(a->error.message, b->error.message);
    assert_string_equal(a->error.request_id, b->error.request_id);
    assert_string_equal(a->error.client_request_id, b->error.client_request_id);
    assert_int_equal(a->error_permanent, b->error_permanent);
    assert_int_equal(a->state_at, b->state_at);
}

static void every_field_comes_back(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = whole();

    put(f, c);
    assert_int_equal(c->revision, 1);
    store_reopen(f);
    struct ei_collaborator *back = get(f, c->id);
    assert_same(c, back);
    ei_collaborator_free(back);

    /* and what is emptied comes back empty */
    ei_text_set(&c->guest_id, NULL);
    ei_text_set(&c->redeem_url, NULL);
    ei_text_set(&c->display_name, "");
    ei_collaborator_drop_account(c, &c->accounts[0]);
    ei_error_clear(&c->error);
    put(f, c);
    assert_int_equal(c->revision, 2);
    back = get(f, c->id);
    assert_same(c, back);
    ei_collaborator_free(back);
    ei_collaborator_free(c);
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    struct ei_collaborator *c = whole();
    struct ei_collaborator *copy = ei_collaborator_copy(c);

    assert_same(c, copy);
    assert_ptr_not_equal(c->redeem_url, copy->redeem_url);
    assert_ptr_not_equal(c->accounts[0].login, copy->accounts[0].login);
    ei_collaborator_free(c);
    assert_string_equal(copy->accounts[1].login, "texample");
    ei_collaborator_free(copy);
    ei_collaborator_free(NULL);
}

static void lists_of_the_aggregate(void **state)
{
    (void)state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    assert_true(ei_collaborator_add_address(c, "TAYLOR@fabrikam.COM"));
    assert_int_equal(c->address_count, 1);
    assert_non_null(ei_collaborator_account(c, "host-1", "taylor"));
    assert_null(ei_collaborator_account(c, "host-2", "taylor"));
    ei_collaborator_add_account(c, "host-1", "second", 1002, NULL);
    ei_collaborator_add_account(c, "host-1", "third", 1003, NULL);
    ei_collaborator_drop_account(c, ei_collaborator_account(c, "host-1", "second"));
    ei_collaborator_drop_account(c, NULL);
    assert_int_equal(c->account_count, 2);
    assert_string_equal(c->accounts[1].login, "third");
    ei_collaborator_free(c);
}

/* The store's unit: changed by compare-and-set on its revision. */
static void the_second_writer_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");

    put(f, c);
    struct ei_collaborator *mine = get(f, c->id);
    struct ei_collaborator *theirs = get(f, c->id);
    theirs->job.step = EI_STEP_CHECKING;
    put(f, theirs);
    mine->job.step = EI_STEP_FAILED;
    assert_int_equal(ei_store_put(f->store, mine, "failed", NULL, &f->err), EI_CONFLICT);
    assert_non_null(strstr(f->err.message, "revision 2 is stored, not 1"));
    assert_int_equal(mine->revision, 1);
    assert_int_equal(ei_store_delete(f->store, mine, &f->err), EI_CONFLICT);

    struct ei_collaborator *stored = get(f, c->id);
    assert_same(stored, theirs);
    assert_int_equal(ei_store_delete(f->store, stored, &f->err), EI_OK);
    assert_false(is_stored(f, c->id));
    assert_int_equal(ei_store_put(f->store, theirs, NULL, NULL, &f->err), EI_CONFLICT);
    assert_non_null(strstr(f->err.message, "not in the store any more"));
    assert_int_equal(ei_store_delete(f->store, theirs, &f->err), EI_CONFLICT);
    ei_collaborator_free(stored);
    ei_collaborator_free(mine);
    ei_collaborator_free(theirs);
    ei_collaborator_free(c);
}

static void an_id_is_created_once(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", NULL);
    struct ei_collaborator *copy = ei_collaborator_copy(c);

    put(f, c);
    assert_int_equal(ei_store_put(f->store, copy, NULL, NULL, &f->err), EI_CONFLICT);
    ei_collaborator_free(copy);
    ei_collaborator_free(c);
}

/* An address is a unique key, folded (design, "The store's unit"). */
static void an_address_has_one_owner(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *first = collaborator_with("Taylor@Fabrikam.com", "taylor");
    struct ei_collaborator *second = collaborator_with("taylor@fabrikam.COM", "other");

    put(f, first);
    assert_int_equal(ei_store_put(f->store, second, "queued", NULL, &f->err), EI_CONFLICT);
    assert_non_null(strstr(f->err.message, "taylor@fabrikam.COM"));
    assert_non_null(strstr(f->err.message, first->id));
    assert_int_equal(second->revision, 0);
    assert_false(is_stored(f, second->id));

    struct ei_collaborator *found = NULL;
    assert_int_equal(ei_store_by_address(f->store, "TAYLOR@FABRIKAM.COM", &found, &f->err), EI_OK);
    assert_string_equal(found->id, first->id);
    assert_string_equal(found->addresses[0], "Taylor@Fabrikam.com"); /* as given */
    ei_collaborator_free(found);
    found = NULL;
    assert_int_equal(ei_store_by_address(f->store, "nobody@fabrikam.com", &found, &f->err), EI_NOT_FOUND);
    assert_null(found);

    /* the address is free again once its owner has dropped it */
    free(first->addresses[0]);
    first->address_count = 0;
    put(f, first);
    put(f, second);
    ei_collaborator_free(first);
    ei_collaborator_free(second);
}

static void addresses_change_places(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("a@fabrikam.com", NULL);

    ei_collaborator_add_address(c, "b@fabrikam.com");
    put(f, c);
    char *first = c->addresses[0];
    c->addresses[0] = c->addresses[1];
    c->addresses[1] = first;
    put(f, c);
    struct ei_collaborator *back = get(f, c->id);
    assert_same(c, back);
    ei_collaborator_free(back);
    ei_collaborator_free(c);
}

static void an_account_has_one_owner(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *first = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *second = collaborator_with("other@fabrikam.com", "taylor");
    struct ei_collaborator *found = NULL;

    put(f, first);
    assert_int_equal(ei_store_put(f->store, second, NULL, NULL, &f->err), EI_CONFLICT);
    assert_non_null(strstr(f->err.message, "taylor"));
    assert_non_null(strstr(f->err.message, first->id));
    assert_false(is_stored(f, second->id));
    ei_text_set(&second->accounts[0].host, "host-2");
    put(f, second);
    assert_int_equal(ei_store_by_account(f->store, "host-2", "taylor", &found, &f->err), EI_OK);
    assert_string_equal(found->id, second->id);
    ei_collaborator_free(found);
    assert_int_equal(ei_store_by_account(f->store, "host-3", "taylor", &found, &f->err), EI_NOT_FOUND);
    ei_collaborator_free(first);
    ei_collaborator_free(second);
}

static void a_guest_is_found_by_its_id(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = whole();
    struct ei_collaborator *found = NULL;

    put(f, c);
    assert_int_equal(ei_store_by_guest(f->store, "0C1C1C1C-2222-4B4B-8D8D-0B0B0B0B0B02", &found, &f->err), EI_OK);
    assert_string_equal(found->id, c->id);
    ei_collaborator_free(found);
    assert_int_equal(ei_store_by_guest(f->store, "11111111-2222-4b4b-8d8d-0b0b0b0b0b02", &found, &f->err),
                     EI_NOT_FOUND);
    ei_collaborator_free(c);
}

static void impossible_values_are_refused(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    char long_address[600];

    c->job.step = (enum ei_step)11;
    assert_int_equal(ei_store_put(f->store, c, NULL, NULL, &f->err), EI_USAGE);
    assert_non_null(strstr(f->err.message, "step"));
    c->job.step = EI_STEP_QUEUED;
    c->accounts[0].state = (enum ei_account_state)0;
    assert_int_equal(ei_store_put(f->store, c, NULL, NULL, &f->err), EI_USAGE);
    c->accounts[0].state = EI_ACCOUNT_ACTIVE;
    memset(long_address, 'a', sizeof long_address - 1);
    long_address[sizeof long_address - 1] = '\0';
    assert_true(ei_collaborator_add_address(c, long_address));
    assert_int_equal(ei_store_put(f->store, c, NULL, NULL, &f->err), EI_BAD_ADDRESS);
    assert_int_equal(ei_store_claim_mail(f->store, long_address, 0, "c", &f->err), EI_BAD_ADDRESS);
    assert_false(is_stored(f, c->id));
    struct ei_collaborator *found = NULL;
    assert_int_equal(ei_store_by_address(f->store, long_address, &found, &f->err), EI_NOT_FOUND);
    ei_collaborator_free(c);
}

/* X9: the right to mail is a separate key, created once and kept for ever. */
static void x9_the_right_to_mail_is_created_once(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    const char *crid = "7d0c2f5e-0c1d-4c55-9a53-2f1f5a3b9c01";

    put(f, c);
    assert_int_equal(ei_store_claim_mail(f->store, "taylor@fabrikam.com", 0, crid, &f->err), EI_OK);
    assert_int_equal(ei_store_claim_mail(f->store, "taylor@fabrikam.com", 0, crid, &f->err), EI_CONFLICT);
    assert_non_null(strstr(f->err.message, "taylor@fabrikam.com"));
    assert_int_equal(ei_store_claim_mail(f->store, "Taylor@FABRIKAM.com", 0, crid, &f->err), EI_CONFLICT);
    assert_int_equal(ei_store_claim_mail(f->store, "taylor@fabrikam.com", 1, crid, &f->err), EI_OK);
    assert_int_equal(ei_store_delete(f->store, c, &f->err), EI_OK);
    store_reopen(f);
    assert_int_equal(ei_store_claim_mail(f->store, "taylor@fabrikam.com", 0, crid, &f->err), EI_CONFLICT);
    ei_collaborator_free(c);
}

static void a_batch_is_one_step(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *a = collaborator_with("a@fabrikam.com", "a");
    struct ei_collaborator *b = collaborator_with("A@fabrikam.com", "b");
    struct ei_collaborator *c = collaborator_with("c@fabrikam.com", "c");

    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_USAGE);
    put(f, a);
    /* what fails in a batch undoes itself only */
    assert_int_equal(ei_store_put(f->store, b, "queued", NULL, &f->err), EI_CONFLICT);
    put(f, c);
    assert_true(is_stored(f, a->id));
    assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_OK);
    assert_int_equal(ei_store_batch_end(f->store, &f->err), EI_USAGE);
    store_reopen(f);
    assert_true(is_stored(f, a->id));
    assert_true(is_stored(f, c->id));
    assert_false(is_stored(f, b->id));
    ei_collaborator_free(a);
    ei_collaborator_free(b);
    ei_collaborator_free(c);
}

static void an_abandoned_batch_leaves_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *a = collaborator_with("a@fabrikam.com", "a");
    struct ei_collaborator *b = collaborator_with("b@fabrikam.com", "b");
    char *value = NULL;

    put(f, a);
    ei_store_batch_abandon(f->store); /* none is open: nothing to do */
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    put(f, b);
    assert_int_equal(ei_store_delete(f->store, a, &f->err), EI_OK);
    assert_int_equal(ei_store_meta_set(f->store, "tenant", "x", &f->err), EI_OK);
    assert_int_equal(ei_store_claim_mail(f->store, "a@fabrikam.com", 0, "crid", &f->err), EI_OK);
    ei_store_batch_abandon(f->store);
    assert_true(is_stored(f, a->id));
    assert_false(is_stored(f, b->id));
    assert_int_equal(ei_store_meta_get(f->store, "tenant", &value, &f->err), EI_OK);
    assert_null(value);
    assert_int_equal(ei_store_claim_mail(f->store, "a@fabrikam.com", 0, "crid", &f->err), EI_OK);

    /* closing does the same */
    assert_int_equal(ei_store_batch_begin(f->store, &f->err), EI_OK);
    b->revision = 0;
    put(f, b);
    store_reopen(f);
    assert_false(is_stored(f, b->id));
    ei_collaborator_free(a);
    ei_collaborator_free(b);
}

static void names_of_steps_and_mails(void **state)
{
    (void)state;
    assert_string_equal(ei_step_name(EI_STEP_OFFBOARDING), "offboarding");
    assert_string_equal(ei_step_name((enum ei_step)77), "unknown");
    assert_string_equal(ei_mail_name(EI_MAIL_NONE), "none");
    assert_string_equal(ei_mail_name(EI_MAIL_HELD), "held");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_comes_back, store_setup, store_teardown),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(lists_of_the_aggregate),
        cmocka_unit_test_setup_teardown(the_second_writer_is_refused, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_id_is_created_once, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_address_has_one_owner, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(addresses_change_places, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_account_has_one_owner, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_guest_is_found_by_its_id, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(impossible_values_are_refused, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(x9_the_right_to_mail_is_created_once, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_batch_is_one_step, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_abandoned_batch_leaves_nothing, store_setup, store_teardown),
        cmocka_unit_test(names_of_steps_and_mails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The aggregate in the store: every field and list makes the round trip, and a copy has its own. */
#include "tests/unit/store_fixture.h"

static void fill_texts(struct ei_collaborator *c)
{
    assert_true(ei_text_set(&c->job.rule, "partners"));
    assert_true(ei_text_set(&c->job.overrides, "{\"user_type\":\"member\"}"));
    assert_true(ei_text_set(&c->display_name, "Taylor Example"));
    assert_true(ei_text_set(&c->requested_by, "root"));
    assert_true(ei_text_set(&c->requester, "alice"));
    assert_true(ei_text_set(&c->job.reset_email, "taylor@contoso.example"));
    assert_true(ei_text_set(&c->invitation_sent, "{\"sendInvitationMessage\":false,\"invitedUserType\":\"Guest\"}"));
    assert_true(ei_text_set(&c->invitation_status, "PendingAcceptance"));
    assert_true(ei_text_set(&c->invitation_notes, "one\ntwo"));
    assert_true(ei_text_set(&c->sponsors, "[\"users/alice@contoso.com\"]"));
    assert_true(ei_text_set(&c->sponsor_note, "it is not known"));
    assert_true(ei_text_set(&c->deleted_guest_id, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b03"));
    assert_true(ei_text_set(&c->guest_id, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"));
    assert_true(ei_text_set(&c->user_principal_name, "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com"));
    assert_true(ei_text_set(&c->user_type, "Guest"));
    assert_true(ei_text_set(&c->external_user_state, "PendingAcceptance"));
    assert_true(ei_text_set(&c->redeem_url, "https://login.microsoftonline.com/redeem?rd=made-up"));
}

static void fill_memberships(struct ei_collaborator *c)
{
    struct ei_membership *added = ei_collaborator_add_membership(c, "aaaaaaaa-0000-4000-8000-00000000000a");
    assert_non_null(added);
    added->added_at = 31;
    struct ei_membership *failed = ei_collaborator_add_membership(c, "aaaaaaaa-0000-4000-8000-00000000000b");
    assert_non_null(failed);
    failed->attempts = UINT32_MAX;
    failed->not_before = 1795000002;
    ei_fail(&failed->error, EI_PERMISSION, "the group is not ours");
    snprintf(failed->error.request_id, sizeof failed->error.request_id, "aaaaaaaa-0000-4000-8000-000000000003");
    snprintf(failed->error.client_request_id, sizeof failed->error.client_request_id,
             "aaaaaaaa-0000-4000-8000-000000000004");
    assert_ptr_equal(ei_collaborator_add_membership(c, "AAAAAAAA-0000-4000-8000-00000000000B"), failed);
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
    c->without_mail = true;
    c->disabled = true;
    c->sponsoring = EI_SPONSORS_NOT;
    c->deleted_at = 27;
    fill_memberships(c);
    c->job.reset = true;
    c->url_at = 25;
    c->mail = EI_MAIL_SENDING;
    c->mail_round = 7;
    c->mail_channel = 2;
    c->reminding = true;
    c->mailed_at = 28;
    c->invited_at = 29;
    c->reminded_at = 30;
    c->expired_at = 31;
    c->notice = true;
    c->notice_next = 3;
    c->notice_round = 4;
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

static void assert_same_error(const struct ei_error *a, const struct ei_error *b)
{
    assert_int_equal(a->code, b->code);
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->request_id, b->request_id);
    assert_string_equal(a->client_request_id, b->client_request_id);
}

static void assert_same_memberships(const struct ei_collaborator *a, const struct ei_collaborator *b)
{
    assert_int_equal(a->membership_count, b->membership_count);
    for (size_t i = 0; i < a->membership_count; i++) {
        const struct ei_membership *x = &a->memberships[i];
        const struct ei_membership *y = &b->memberships[i];
        assert_string_equal(x->group, y->group);
        assert_int_equal(x->added_at, y->added_at);
        assert_int_equal(x->attempts, y->attempts);
        assert_int_equal(x->not_before, y->not_before);
        assert_same_error(&x->error, &y->error);
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
    assert_same_memberships(a, b);
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
    assert_true(a->made == b->made && a->disabled == b->disabled && a->without_mail == b->without_mail);
    assert_same_text(a->invitation_notes, b->invitation_notes);
    assert_same_text(a->sponsors, b->sponsors);
    assert_int_equal(a->sponsoring, b->sponsoring);
    assert_same_text(a->sponsor_note, b->sponsor_note);
    assert_same_text(a->deleted_guest_id, b->deleted_guest_id);
    assert_int_equal(a->deleted_at, b->deleted_at);
    assert_same_text(a->invitation_sent, b->invitation_sent);
    assert_same_text(a->invitation_status, b->invitation_status);
    assert_int_equal(a->url_at, b->url_at);
    assert_int_equal(a->mail, b->mail);
    assert_int_equal(a->mail_round, b->mail_round);
    assert_int_equal(a->mail_channel, b->mail_channel);
    assert_true(a->reminding == b->reminding && a->mailed_at == b->mailed_at && a->invited_at == b->invited_at);
    assert_true(a->reminded_at == b->reminded_at && a->expired_at == b->expired_at);
    assert_true(a->notice == b->notice && a->notice_next == b->notice_next && a->notice_round == b->notice_round);
    assert_same_error(&a->error, &b->error);
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
    ei_collaborator_drop_membership(c, &c->memberships[0]);
    ei_error_clear(&c->memberships[0].error);
    ei_error_clear(&c->error);
    put(f, c);
    assert_int_equal(c->revision, 2);
    back = get(f, c->id);
    assert_same(c, back);
    ei_collaborator_free(back);
    ei_collaborator_free(c);
}

/* The walk goes through the lists side by side: each collaborator gets its own. */
static enum ei_err compare_groups(void *context, const struct ei_collaborator *c)
{
    size_t *visited = context;

    assert_int_equal(c->membership_count, c->account_count);
    for (size_t i = 0; i < c->membership_count; i++)
        assert_string_equal(c->memberships[i].group, c->accounts[i].login);
    ++*visited;
    return EI_OK;
}

static void a_walk_brings_each_its_own_memberships(void **state)
{
    struct store_fixture *f = *state;
    static const char *const logins[] = {"none", "one", "two"};
    size_t visited = 0;

    for (size_t i = 0; i < 3; i++) {
        char address[64];
        snprintf(address, sizeof address, "%s@fabrikam.com", logins[i]);
        struct ei_collaborator *c = collaborator_with(address, NULL);
        for (size_t group = 0; group < i; group++) {
            snprintf(address, sizeof address, "aaaaaaaa-0000-4000-8000-0000000000%zu%zu", i, group);
            assert_non_null(ei_collaborator_add_account(c, "host-1", address, 1000, NULL));
            assert_non_null(ei_collaborator_add_membership(c, address));
        }
        put(f, c);
        ei_collaborator_free(c);
    }
    assert_int_equal(ei_store_each(f->store, compare_groups, &visited, &f->err), EI_OK);
    assert_int_equal(visited, 3);
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    struct ei_collaborator *c = whole();
    struct ei_collaborator *copy = ei_collaborator_copy(c);

    assert_same(c, copy);
    assert_ptr_not_equal(c->redeem_url, copy->redeem_url);
    assert_ptr_not_equal(c->accounts[0].login, copy->accounts[0].login);
    assert_ptr_not_equal(c->memberships[0].group, copy->memberships[0].group);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_comes_back, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_walk_brings_each_its_own_memberships, store_setup, store_teardown),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(lists_of_the_aggregate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

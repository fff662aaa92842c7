/* The aggregate in the store: compare-and-set, unique keys, the right to mail, batches. */
#include "tests/unit/store_fixture.h"

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
    assert_int_equal(stored->revision, theirs->revision);
    assert_int_equal(stored->job.step, EI_STEP_CHECKING);
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
    assert_int_equal(back->address_count, 2);
    assert_string_equal(back->addresses[0], "b@fabrikam.com");
    assert_string_equal(back->addresses[1], "a@fabrikam.com");
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
    struct ei_collaborator *c = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *found = NULL;

    assert_true(ei_text_set(&c->guest_id, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"));
    put(f, c);
    assert_int_equal(ei_store_by_guest(f->store, "0C1C1C1C-2222-4B4B-8D8D-0B0B0B0B0B02", &found, &f->err), EI_OK);
    assert_string_equal(found->id, c->id);
    ei_collaborator_free(found);
    assert_int_equal(ei_store_by_guest(f->store, "11111111-2222-4b4b-8d8d-0b0b0b0b0b02", &found, &f->err),
                     EI_NOT_FOUND);
    ei_collaborator_free(c);
}

static void two_addresses_of_one_guest_are_both_found(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *first = collaborator_with("taylor@fabrikam.com", "taylor");
    struct ei_collaborator *second = collaborator_with("taylor@contoso.net", "taylor2");
    char ids[2][EI_GUID_TEXT];
    size_t count = 9;

    assert_true(ei_text_set(&first->guest_id, "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02"));
    assert_true(ei_text_set(&second->guest_id, "0C1C1C1C-2222-4b4b-8d8d-0b0b0b0b0b02"));
    put(f, first);
    put(f, second);
    assert_int_equal(ei_store_of_guest(f->store, first->guest_id, ids, 2, &count, &f->err), EI_OK);
    assert_int_equal(count, 2);
    assert_string_equal(ids[0], first->id);
    assert_string_equal(ids[1], second->id);
    assert_int_equal(ei_store_of_guest(f->store, first->guest_id, ids, 1, &count, &f->err), EI_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ei_store_of_guest(f->store, first->id, ids, 2, &count, &f->err), EI_OK);
    assert_int_equal(count, 0);
    ei_collaborator_free(first);
    ei_collaborator_free(second);
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
        cmocka_unit_test_setup_teardown(the_second_writer_is_refused, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_id_is_created_once, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_address_has_one_owner, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(addresses_change_places, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_account_has_one_owner, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_guest_is_found_by_its_id, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(two_addresses_of_one_guest_are_both_found, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(impossible_values_are_refused, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(x9_the_right_to_mail_is_created_once, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(a_batch_is_one_step, store_setup, store_teardown),
        cmocka_unit_test_setup_teardown(an_abandoned_batch_leaves_nothing, store_setup, store_teardown),
        cmocka_unit_test(names_of_steps_and_mails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the history keeps of an event beside its word, and how the interface tells it. */
#include "common/base/json.h"
#include "plugin/worker/history.h"
#include "tests/unit/store_fixture.h"

#define CRID    "7d0c2f5e-0c1d-4c55-9a53-2f1f5a3b9c01"
#define REQUEST "6c1c3f2e-0000-4000-8000-000000000001"

static enum ei_err keep(void *context, const struct ei_event *event)
{
    cJSON **last = context;

    cJSON_Delete(*last);
    *last = ei_history_event(event);
    return EI_OK;
}

/* The latest event as the interface tells it; the caller frees it. */
static cJSON *latest(struct store_fixture *f, const struct ei_collaborator *c)
{
    cJSON *last = NULL;

    assert_int_equal(ei_store_history(f->store, c->id, 0, keep, &last, &f->err), EI_OK);
    assert_non_null(last);
    return last;
}

static cJSON *note(struct store_fixture *f, struct ei_collaborator *c, const char *event,
                   const struct ei_event_facts *facts)
{
    assert_int_equal(ei_history_put(f->store, c, event, facts, &f->err), EI_OK);
    cJSON *told = latest(f, c);
    assert_string_equal(ei_json_string(told, "event"), event);
    return told;
}

static void expect(cJSON *told, const char *name, const char *value)
{
    const char *got = ei_json_string(told, name);

    assert_true(ei_json_has(told, name));
    if (value == NULL)
        assert_null(got);
    else if (got == NULL)
        fail_msg("%s is null, not %s", name, value);
    else
        assert_string_equal(got, value);
}

static struct ei_collaborator *taylor(void)
{
    struct ei_collaborator *c = ei_collaborator_new();

    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, "taylor@fabrikam.com"));
    c->job.step = EI_STEP_QUEUED;
    return c;
}

static void tells_who_asked_and_for_what(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = taylor();

    cJSON *told = note(f, c, "removed", &(struct ei_event_facts){.login = "taylor", .by = "root", .about = "disable"});
    expect(told, "login", "taylor");
    expect(told, "by", "root");
    expect(told, "about", "disable");
    expect(told, "error", NULL);
    expect(told, "requestId", NULL);
    cJSON_Delete(told);
    told = note(f, c, "adopted", &(struct ei_event_facts){0});
    expect(told, "by", NULL);
    expect(told, "about", NULL);
    cJSON_Delete(told);
    ei_collaborator_free(c);
}

/* An error is told where it is about the event, not where it merely still stands. */
static void tells_the_error_that_belongs_to_it(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = taylor();

    ei_fail(&c->error, EI_THROTTLED, "Microsoft Graph answered 429 \"later\"");
    snprintf(c->error.request_id, sizeof c->error.request_id, REQUEST);
    snprintf(c->error.client_request_id, sizeof c->error.client_request_id, CRID);
    cJSON *told = note(f, c, "retry", &(struct ei_event_facts){.about = ei_err_name(EI_THROTTLED)});
    expect(told, "error", "throttled");
    expect(told, "reason", "Microsoft Graph answered 429 \"later\"");
    expect(told, "about", NULL); /* it is the error */
    expect(told, "requestId", REQUEST);
    expect(told, "clientRequestId", CRID);
    cJSON_Delete(told);
    told = note(f, c, "failed", &(struct ei_event_facts){0});
    expect(told, "error", "throttled");
    cJSON_Delete(told);
    told = note(f, c, "removed", &(struct ei_event_facts){.by = "root"});
    expect(told, "error", NULL);
    cJSON_Delete(told);
    struct ei_error of_group;
    ei_fail(&of_group, EI_PERMISSION, "not this group");
    told = note(f, c, "group-not-added", &(struct ei_event_facts){.about = "group-1", .error = &of_group});
    expect(told, "about", "group-1");
    expect(told, "error", "permission");
    cJSON_Delete(told);
    ei_collaborator_free(c);
}

/* An attempt has the id that goes out with it, not those of the answer before. */
static void ids_are_of_the_attempt_or_of_the_answer(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = taylor();
    struct ei_error answer = {.code = EI_OK, .request_id = REQUEST, .client_request_id = "of-the-answer"};

    cJSON *told = note(f, c, "invited", &(struct ei_event_facts){.answer = &answer});
    expect(told, "requestId", REQUEST);
    expect(told, "clientRequestId", "of-the-answer");
    cJSON_Delete(told);
    snprintf(c->job.crid, sizeof c->job.crid, CRID);
    told = note(f, c, "creating", &(struct ei_event_facts){.answer = &answer});
    expect(told, "requestId", NULL);
    expect(told, "clientRequestId", CRID);
    cJSON_Delete(told);
    ei_collaborator_free(c);
}

static void plain_details_of_earlier_versions_are_told(void **state)
{
    struct store_fixture *f = *state;
    struct ei_collaborator *c = taylor();

    assert_int_equal(ei_store_put(f->store, c, "group-added", "group-1", &f->err), EI_OK);
    cJSON *told = latest(f, c);
    expect(told, "about", "group-1");
    expect(told, "by", NULL);
    cJSON_Delete(told);
    assert_int_equal(ei_store_put(f->store, c, "retry", "{not JSON", &f->err), EI_OK);
    told = latest(f, c);
    expect(told, "about", "{not JSON");
    cJSON_Delete(told);
    assert_int_equal(ei_store_put(f->store, c, "retry", NULL, &f->err), EI_OK);
    told = latest(f, c);
    expect(told, "about", NULL);
    cJSON_Delete(told);
    ei_collaborator_free(c);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(tells_who_asked_and_for_what),
        IN_STORE(tells_the_error_that_belongs_to_it),
        IN_STORE(ids_are_of_the_attempt_or_of_the_answer),
        IN_STORE(plain_details_of_earlier_versions_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

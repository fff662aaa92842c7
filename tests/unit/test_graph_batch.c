/* Many requests at once go in batches (contract 4.4), and whoever started one does not see how it went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/graph_fixture.h"

/* More than there are slots, so that they go together; and few enough to go by themselves. */
enum { MANY = 100, FEW = 20 };

#define BATCHES   "{\"path\":\"^/v1.0/\\\\$batch$\"}"
#define OF_BATCH  "\"match\":{\"path\":\"^/v1.0/\\\\$batch$\"}"
#define IN_BATCH  "{\"batched\":true}"
#define INVITE_ID "7d0c2f5e-0c1d-4c55-9a53-2f1f5a3b%04x"

static struct got got[MANY];

static void address_of(size_t i, char address[64])
{
    snprintf(address, 64, "partner%zu@fabrikam.com", i);
}

static void start_looks(size_t count)
{
    memset(got, 0, sizeof got);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ei_graph_get_user(sim.graph, OTHER_ID, NULL, got_user, &got[i]), EI_OK);
}

static void start_invitations(size_t count, bool mail)
{
    char address[64];
    char crid[64];

    memset(got, 0, sizeof got);
    for (size_t i = 0; i < count; i++) {
        const struct ei_graph_invite body = {
            .invited_user_email_address = address,
            .invite_redirect_url = "https://myapps.microsoft.com/",
            .invited_user_display_name = "R\xc3\xb6"
                                         "bin \"R\" Example",
            .send_invitation_message = mail,
        };
        address_of(i, address);
        snprintf(crid, sizeof crid, INVITE_ID, (unsigned)i);
        assert_int_equal(ei_graph_invite(sim.graph, &body, crid, got_invited, &got[i]), EI_OK);
    }
}

static void all_ended(size_t count, enum ei_graph_outcome outcome, enum ei_err code)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].calls, 1);
        expect(&got[i], outcome, code);
    }
}

/* So many guests in the tenant for each address. */
static void guests_are(size_t count, int64_t each)
{
    char address[64];

    for (size_t i = 0; i < count; i++) {
        address_of(i, address);
        cJSON *ledger = CTL_JSON("ledger", address);
        assert_int_equal(cJSON_GetArraySize(ei_json_array(ledger, "guests")), each);
        cJSON_Delete(ledger);
    }
}

/* The invitation of each address, and nobody else's. */
static void each_has_its_own(size_t count)
{
    char address[64];

    for (size_t i = 0; i < count; i++) {
        address_of(i, address);
        cJSON *ledger = CTL_JSON("ledger", address);
        const cJSON *posts = ei_json_array(ledger, "posts");
        const cJSON *post = cJSON_GetArrayItem(posts, cJSON_GetArraySize(posts) - 1);
        assert_non_null(post);
        assert_string_equal(got[i].id[0], ei_json_string(post, "guestId"));
        assert_string_equal(got[i].text, ei_json_string(post, "inviteRedeemUrl"));
        char crid[64];
        snprintf(crid, sizeof crid, INVITE_ID, (unsigned)i);
        assert_string_equal(ei_json_string(post, "clientRequestId"), crid);
        cJSON_Delete(ledger);
    }
}

static void test_few_go_by_themselves(void **state)
{
    NEEDS_SIMULATOR();
    start_looks(FEW);
    run(sim.graph);
    all_ended(FEW, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(count_requests(BATCHES), 0);
}

static void test_many_go_together(void **state)
{
    NEEDS_SIMULATOR();
    start_looks(MANY);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
    assert_int_equal(count_requests(BATCHES), MANY / 20);
    assert_request_ids("{\"path\":\"^/v1.0/users/\"}", MANY, 0);
}

/* X7: the stored client-request-id; and each answer reaches the request that it is about, in whatever order they come.
 */
static void test_invitations(void **state)
{
    NEEDS_SIMULATOR();
    start_invitations(MANY, false);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests(BATCHES), MANY / 20);
    each_has_its_own(MANY);
    guests_are(MANY, 1);
}

/* X6: a mail has a fresh connection of its own, however many there are. */
static void test_mails_never(void **state)
{
    NEEDS_SIMULATOR();
    start_invitations(MANY, true);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_DONE, EI_OK);
    assert_int_equal(count_requests(BATCHES), 0);
    assert_int_equal(count_requests("{\"mail\":true,\"batched\":true}"), 0);
    assert_int_equal(count_requests("{\"mail\":true}"), MANY);
}

/* Some are refused, each for its own reason; the others are none the worse for it. */
static void test_each_has_its_own_error(void **state)
{
    NEEDS_SIMULATOR();
    CTL("fault",
        "{\"match\":{\"address\":\"partner7@fabrikam.com\"},"
        "\"action\":{\"status\":400,\"code\":\"BadRequest\",\"message\":\"Group email address is not supported\"}}");
    CTL("fault", "{\"match\":{\"address\":\"partner30@fabrikam.com\"},\"action\":{\"status\":500,\"when\":\"after\"}}");
    start_invitations(MANY, false);
    run(sim.graph);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(got[i].calls, 1);
        if (i == 7)
            expect(&got[i], EI_GRAPH_REJECTED, EI_GROUP_ADDRESS);
        else if (i == 30)
            expect(&got[i], EI_GRAPH_UNCLEAR, EI_GRAPH_DOWN);
        else
            expect(&got[i], EI_GRAPH_DONE, EI_OK);
        if (i == 7 || i == 30)
            assert_string_not_equal(got[i].result.error.request_id, "");
    }
}

/* A part that is throttled holds the tenant (X8); the CONFLICT row of contract 4.4 either way. */
static void throttled_part(const char *status)
{
    int64_t wait_ms = 0;

    CTL("set", "batchThrottle", status);
    CTL("fault", "{\"match\":{\"address\":\"partner41@fabrikam.com\"},"
                 "\"action\":{\"status\":429,\"retryAfter\":\"7.5\"}}");
    start_invitations(MANY, false);
    run(sim.graph);
    for (size_t i = 0; i < MANY; i++)
        expect(&got[i], i == 41 ? EI_GRAPH_REJECTED : EI_GRAPH_DONE, i == 41 ? EI_THROTTLED : EI_OK);
    assert_int_equal(got[41].result.retry_after, 8);
    assert_false(ei_graph_may_send(sim.graph, 0, &wait_ms));
    assert_true(wait_ms >= 5000 && wait_ms <= 9100);
}

static void test_throttled_part(void **state)
{
    NEEDS_SIMULATOR();
    throttled_part("\"200\"");
}

static void test_throttled_part_says_424(void **state)
{
    NEEDS_SIMULATOR();
    throttled_part("\"424\"");
}

static void test_throttled_as_a_whole(void **state)
{
    int64_t wait_ms = 0;

    NEEDS_SIMULATOR();
    CTL("fault", "{" OF_BATCH ",\"times\":0,\"action\":{\"status\":429,\"retryAfter\":9}}");
    start_invitations(MANY, false);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_REJECTED, EI_THROTTLED);
    assert_false(ei_graph_may_send(sim.graph, 0, &wait_ms));
    guests_are(1, 0);
}

/* A service that does not take batches is asked one by one, now and for the hour that follows. */
static void test_refused(void **state)
{
    static const char *const refusals[] = {"false", "403", "404", "405", "501"};

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        CTL("reset", "all");
        use_graph(NULL, NULL, 0);
        CTL("set", "batch", refusals[i]);
        start_invitations(MANY, false);
        run(sim.graph);
        all_ended(MANY, EI_GRAPH_DONE, EI_OK);
        each_has_its_own(MANY);
        assert_true(count_requests(BATCHES) <= MANY / 20);
        CTL("set", "batch", "true");
        int before = count_requests(BATCHES);
        start_looks(MANY);
        run(sim.graph);
        all_ended(MANY, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
        assert_int_equal(count_requests(BATCHES), before);
    }
}

/* X5: whatever happens to the one answer, none of the creates is taken as made or as not made. */
static void test_lost_answers(void **state)
{
    static const struct {
        const char *action;
        enum ei_err write;
        enum ei_err read;
        bool batches_on; /* the next many go together again */
    } rows[] = {
        {"\"reset\":true,\"when\":\"after\"", EI_GRAPH_AMBIGUOUS, EI_UNREACHABLE, true},
        {"\"close\":true,\"when\":\"after\"", EI_GRAPH_AMBIGUOUS, EI_UNREACHABLE, true},
        {"\"truncate\":40", EI_GRAPH_AMBIGUOUS, EI_UNREACHABLE, true},
        {"\"status\":503,\"when\":\"after\"", EI_GRAPH_DOWN, EI_GRAPH_DOWN, true},
        {"\"html\":true", EI_GRAPH_ANSWER, EI_GRAPH_ANSWER, false},
        {"\"empty\":true", EI_GRAPH_ANSWER, EI_GRAPH_ANSWER, false},
        {"\"body\":{\"responses\":[]}", EI_GRAPH_ANSWER, EI_GRAPH_ANSWER, true},
        {"\"body\":{\"responses\":[{\"id\":\"1\",\"status\":\"soon\"},{\"id\":2,\"status\":201},7,null]}",
         EI_GRAPH_ANSWER, EI_GRAPH_ANSWER, true},
        {"\"body\":{\"responses\":{\"id\":\"1\"}}", EI_GRAPH_ANSWER, EI_GRAPH_ANSWER, false},
    };
    char fault[512];

    NEEDS_SIMULATOR();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int reads = 0; reads <= 1; reads++) {
            CTL("reset", "all");
            use_graph(NULL, NULL, 0);
            snprintf(fault, sizeof fault, "{" OF_BATCH ",\"times\":0,\"action\":{%s}}", rows[i].action);
            CTL("fault", fault);
            if (reads)
                start_looks(MANY);
            else
                start_invitations(MANY, false);
            run(sim.graph);
            all_ended(MANY, EI_GRAPH_UNCLEAR, reads ? rows[i].read : rows[i].write);
            CTL("faults-clear", NULL);
            int before = count_requests(BATCHES);
            start_looks(MANY);
            run(sim.graph);
            all_ended(MANY, EI_GRAPH_REJECTED, EI_GRAPH_NOT_FOUND);
            assert_int_equal(count_requests(BATCHES) > before, rows[i].batches_on);
        }
    }
}

/* A complete 401 had no effect: with a new token each is another attempt, its caller's to begin (X7). */
static void test_refused_token(void **state)
{
    NEEDS_SIMULATOR();
    start_looks(1);
    run(sim.graph);
    CTL("expire-tokens", NULL);
    start_invitations(MANY, false);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_REJECTED, EI_TOKEN_TRANSIENT);
    start_invitations(MANY, false);
    run(sim.graph);
    all_ended(MANY, EI_GRAPH_DONE, EI_OK);
    each_has_its_own(MANY);
    guests_are(MANY, 1);
    assert_int_equal(count_requests("{\"path\":\"/token$\"}"), 2);
}

/* Sent, and no answer yet: it may have had its effect (X5). Not sent: it had none. */
static void test_end_while_under_way(void **state)
{
    size_t unclear = 0;

    NEEDS_SIMULATOR();
    start_looks(1);
    run(sim.graph);
    CTL("fault", "{" OF_BATCH ",\"times\":0,\"action\":{\"stuck\":true}}");
    start_invitations(MANY, false);
    for (int i = 0; i < 3; i++) {
        ei_graph_dispatch(sim.graph);
        CTL("wait", "{\"path\":\"^/v1.0/\\\\$batch$\",\"count\":1}");
    }
    ei_graph_free(sim.graph);
    sim.graph = NULL;
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(got[i].calls, 1);
        assert_true(got[i].result.outcome == EI_GRAPH_UNCLEAR || got[i].result.outcome == EI_GRAPH_NOT_SENT);
        unclear += got[i].result.outcome == EI_GRAPH_UNCLEAR;
    }
    assert_true(unclear >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_few_go_by_themselves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_go_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_invitations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mails_never, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_has_its_own_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_throttled_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_throttled_part_says_424, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_throttled_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_while_under_way, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, sim_start, sim_stop);
}

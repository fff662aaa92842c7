/* What is shown of an invitation, what is warned of, and whether a user can be reset (contract 2.2 to 2.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "plugin/worker/invitation.h"
#include "plugin/worker/reset.h"

#define WITH_MAIL                                                                                                      \
    "{\"inviteRedirectUrl\":\"https://a.example/\",\"invitedUserEmailAddress\":\"taylor@fabrikam.com\","               \
    "\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":true,\"invitedUserMessageInfo\":"                         \
    "{\"customizedMessageBody\":\"Hi\",\"messageLanguage\":\"nl-BE\"}}"

static struct ei_config config;
static struct ei_collaborator *c;
static char *shown;

static int setup(void **state)
{
    (void)state;
    config = (struct ei_config){.credential.type = EI_CREDENTIAL_SECRET};
    c = ei_collaborator_new();
    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, "taylor@fabrikam.com"));
    c->job.step = EI_STEP_PENDING;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ei_collaborator_free(c);
    cJSON_free(shown);
    shown = NULL;
    return 0;
}

static const char *print(cJSON *json)
{
    cJSON_free(shown);
    shown = ei_json_print(json);
    cJSON_Delete(json);
    assert_non_null(shown);
    return shown;
}

static const char *warnings(void)
{
    return print(ei_invitation_warnings(&config, c));
}

static void record(const char *sent, const char *status, const char *notes)
{
    const struct ei_graph_invitation invitation = {.sent = sent, .status = status, .notes = notes};
    assert_true(ei_invitation_record(c, &invitation));
}

static void nothing_answered_is_null(void **state)
{
    (void)state;
    assert_string_equal(print(ei_invitation_json(c)), "null");
    assert_string_equal(warnings(), "[]");
}

static void all_members_are_shown(void **state)
{
    (void)state;
    record(WITH_MAIL, "PendingAcceptance", "");
    assert_true(ei_text_set(&c->sponsors, "[\"users/alice@contoso.com\"]"));
    assert_string_equal(
        print(ei_invitation_json(c)) + 1, /* behind the brace */
        "\"invitedUserEmailAddress\":\"taylor@fabrikam.com\",\"inviteRedirectUrl\":\"https://a.example/\","
        "\"invitedUserDisplayName\":null,\"invitedUserType\":\"Guest\",\"sendInvitationMessage\":true,"
        "\"invitedUserMessageInfo\":{\"customizedMessageBody\":\"Hi\",\"messageLanguage\":\"nl-BE\",\"ccRecipients\":"
        "null},"
        "\"invitedUserSponsors\":[\"users/"
        "alice@contoso.com\"],\"resetRedemption\":false,\"status\":\"PendingAcceptance\"}");
    record("{\"sendInvitationMessage\":false,\"resetRedemption\":true}", NULL, "");
    assert_non_null(strstr(print(ei_invitation_json(c)), "\"invitedUserMessageInfo\":null"));
    assert_non_null(strstr(shown, "\"resetRedemption\":true,\"status\":null"));
    /* What is damaged is not shown, and breaks nothing. */
    record("{\"sendInvitation", "x", "");
    assert_true(ei_text_set(&c->sponsors, "["));
    assert_string_equal(print(ei_invitation_json(c)), "null");
    assert_string_equal(warnings(), "[]");
}

static void what_is_left_out_without_a_word_is_said(void **state)
{
    (void)state;
    record(WITH_MAIL, "PendingAcceptance", "");
    warnings();
    assert_non_null(strstr(shown, "customizedMessageBody: Microsoft leaves the text out of mails that an app sends"));
    assert_non_null(strstr(shown, "messageLanguage: has no effect"));
    /* A person's mail has the text; the language is void all the same. */
    config.credential.type = EI_CREDENTIAL_DEVICE_CODE;
    warnings();
    assert_null(strstr(shown, "Microsoft leaves the text out"));
    assert_non_null(strstr(shown, "messageLanguage: has no effect"));
    record("{}", "Error", "one\ntwo");
    assert_string_equal(warnings(),
                        "[\"one\",\"two\",\"status: Microsoft answered \\\"Error\\\"; what counts is the user: "
                        "see externalUserState\"]");
    record("{}", NULL, "");
    assert_true(ei_text_set(&c->sponsor_note, "\"requester\" is nobody"));
    assert_string_equal(warnings(), "[\"invitedUserSponsors: \\\"requester\\\" is nobody\"]");
    assert_true(ei_text_set(&c->sponsor_note, NULL));
    c->job.step = EI_STEP_ACCEPTED;
    c->checked_at = 1;
    assert_non_null(strstr(warnings(), "externalUserState: Microsoft keeps none"));
    assert_true(ei_text_set(&c->external_user_state, "Accepted"));
    assert_string_equal(warnings(), "[]");
}

/* --- reset --- */

static struct ei_graph_user user(void)
{
    return (struct ei_graph_user){
        .id = "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02",
        .user_principal_name = "taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        .mail = "taylor@fabrikam.com",
        .user_type = "Guest",
        .creation_type = "Invitation",
        .external_user_state = "Accepted",
        .has_external_user_state = true,
        .has_account_enabled = true,
        .account_enabled = true,
    };
}

static void a_reset_wants_an_address_of_the_user(void **state)
{
    struct ei_graph_user one = user();
    struct ei_error err = {0};

    (void)state;
    one.other_mails = cJSON_Parse("[\"Other@fabrikam.com\",7,\"taylor@fabrikam.com\"]");
    one.proxy_addresses = cJSON_Parse("[\"SMTP:taylor@fabrikam.com\",\"smtp:proxy@fabrikam.com\",\"x500:/o=a\"]");
    assert_int_equal(ei_reset_check(&one, "TAYLOR@fabrikam.com", &err), EI_OK);
    assert_int_equal(ei_reset_check(&one, "other@Fabrikam.com", &err), EI_OK);
    assert_int_equal(ei_reset_check(&one, "proxy@fabrikam.com", &err), EI_OK);
    assert_int_equal(ei_reset_check(&one, "new@fabrikam.com", &err), EI_RESET_ADDRESS);
    assert_non_null(strstr(err.message, "who has: taylor@fabrikam.com, Other@fabrikam.com, proxy@fabrikam.com"));
    cJSON_Delete((cJSON *)one.other_mails);
    cJSON_Delete((cJSON *)one.proxy_addresses);
    one = (struct ei_graph_user){.id = one.id,
                                 .user_type = "Guest",
                                 .external_user_state = "PendingAcceptance",
                                 .has_external_user_state = true};
    assert_int_equal(ei_reset_check(&one, "new@fabrikam.com", &err), EI_RESET_ADDRESS);
    assert_non_null(strstr(err.message, "who has: none"));
}

static void a_reset_is_of_enabled_guests_only(void **state)
{
    struct ei_graph_user one = user();
    struct ei_error err = {0};

    (void)state;
    one.account_enabled = false;
    assert_int_equal(ei_reset_check(&one, "taylor@fabrikam.com", &err), EI_DISABLED);
    one = user();
    one.external_user_state = NULL;
    one.creation_type = NULL;
    one.user_type = "Member";
    assert_int_equal(ei_reset_check(&one, "taylor@fabrikam.com", &err), EI_OK); /* #EXT# */
    one.user_principal_name = "taylor@contoso.com";
    assert_int_equal(ei_reset_check(&one, "taylor@fabrikam.com", &err), EI_INTERNAL_USER);
    one = user();
    one.has_external_user_state = false;
    assert_int_equal(ei_reset_check(&one, "taylor@fabrikam.com", &err), EI_NOT_SEEN);
}

/* contract 7: a copy that is behind shows the redemption of before. */
static void an_old_redemption_does_not_open_the_gate(void **state)
{
    struct ei_graph_user one = user();

    (void)state;
    c->state_changed_at = 1000;
    c->url_at = ei_now();
    assert_true(ei_text_set(&c->redeem_url, "https://login.example/redeem"));
    one.external_user_state_changed = 1000;
    assert_true(ei_reset_not_seen(c, &one));
    one.external_user_state_changed = 1001;
    assert_false(ei_reset_not_seen(c, &one));
    one.external_user_state_changed = 1000;
    c->url_at -= 2 * 60 * 60; /* then Graph is believed */
    assert_false(ei_reset_not_seen(c, &one));
    c->url_at = ei_now();
    assert_true(ei_text_set(&c->external_user_state, "PendingAcceptance")); /* told since */
    assert_false(ei_reset_not_seen(c, &one));
    assert_true(ei_text_set(&c->external_user_state, NULL));
    c->state_changed_at = 0; /* a first invitation */
    assert_false(ei_reset_not_seen(c, &one));
}

static void a_reset_is_a_clean_job(void **state)
{
    (void)state;
    c->job.attempts = 7;
    c->mail = EI_MAIL_SENT;
    ei_fail(&c->error, EI_RESET_DENIED, "refused before");
    assert_true(ei_reset_start(c, "new@fabrikam.com", 5));
    assert_int_equal(c->job.step, EI_STEP_CHECKING);
    assert_true(c->job.reset);
    assert_true(c->job.urgent);
    assert_int_equal(c->job.attempts, 0);
    assert_int_equal(c->error.code, EI_OK);
    assert_int_equal(c->mail, EI_MAIL_SENT); /* until it is reset */
    assert_string_equal(ei_reset_address(c), "new@fabrikam.com");
    assert_string_equal(c->addresses[0], "taylor@fabrikam.com");
    assert_int_equal(c->address_count, 2);
    /* Another request is another job. */
    ei_collaborator_requeue(c, 6, false);
    assert_false(c->job.reset);
    assert_null(c->job.reset_email);
    assert_true(ei_reset_start(c, NULL, 7));
    assert_string_equal(ei_reset_address(c), "taylor@fabrikam.com");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_answered_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(all_members_are_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_without_a_word_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_wants_an_address_of_the_user, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_of_enabled_guests_only, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_redemption_does_not_open_the_gate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_a_clean_job, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

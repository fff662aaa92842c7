/* list: pages, table, CSV, JSON. */
#include "tests/unit/cli_run.h"

#define ROW(login, email, state)                                                                                       \
    "{\"login\":\"" login "\",\"email\":" email ",\"rule\":\"partners\",\"state\":\"" state                            \
    "\",\"requestedAt\":\"2026-11-23T15:29:00Z\",\"inviteRedeemUrl\":\"https://login.example/redeem?x\","              \
    "\"externalUserStateChangeDateTime\":null,\"mail\":\"none\",\"error\":null}"

static void aligns_its_columns(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[" ROW("alex", "\"alex@fabrikam.com\"", "accepted") "," ROW("t\xc3\xb6m", "null",
                                                                                         "waiting") "],\"next\":null}");
    cli(f, "list", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "List", "{}");
    assert_string_equal(f->out, "LOGIN  EMAIL              RULE      STATE     SINCE\n"
                                "alex   alex@fabrikam.com  partners  accepted  2026-11-23T15:29:00Z\n"
                                "t\xc3\xb6m    -                  partners  waiting   2026-11-23T15:29:00Z\n");
}

static void nobody_is_a_heading_or_an_empty_array(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[],\"next\":null}");
    cli(f, "list", NULL);
    assert_string_equal(f->out, "LOGIN  EMAIL  RULE  STATE  SINCE\n");
    cli(f, "list", "--json", NULL);
    assert_string_equal(f->out, "[]\n");
}

static void walks_all_pages(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[" ROW("alex", "null", "held") "],\"next\":\"alex\"}");
    answer(f, "{\"accounts\":[" ROW("bo", "null", "held") "],\"next\":\"bo\"}");
    answer(f, "{\"accounts\":[" ROW("taylor", "null", "held") "],\"next\":null}");
    cli(f, "list", "--json", "--state", "held", "--state", "failed", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "List", "{\"states\":[\"held\",\"failed\"]}");
    sent(f, 1, "List", "{\"states\":[\"held\",\"failed\"],\"after\":\"alex\"}");
    sent(f, 2, "List", "{\"states\":[\"held\",\"failed\"],\"after\":\"bo\"}");
    cJSON *accounts = cJSON_Parse(f->out);
    assert_int_equal(cJSON_GetArraySize(accounts), 3);
    assert_string_equal(ei_json_string(cJSON_GetArrayItem(accounts, 2), "login"), "taylor");
    cJSON_Delete(accounts);
}

static void pages_that_do_not_end_are_an_error(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[],\"next\":\"alex\"}");
    cli(f, "list", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_NO_ANSWER);
    assert_int_equal(f->calls, 2);
    assert_string_equal(f->out, "");
}

static void an_error_on_a_later_page_prints_no_half_list(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[" ROW("alex", "null", "held") "],\"next\":\"alex\"}");
    answer_error(f, EI_STORE_DAMAGED);
    cli(f, "list", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    assert_string_equal(f->out, "");
}

static void csv_is_quoted_and_holds_no_url(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[{\"login\":\"taylor\",\"email\":\"taylor@fabrikam.com\",\"rule\":\"a,b\",\"state\":"
              "\"failed\",\"requestedBy\":\"=cmd|x\",\"inviteRedeemUrl\":\"https://login.example/"
              "redeem?x\",\"mail\":\"none\",\"error\":{\"code\":"
              "\"x\",\"message\":\"say \\\"no\\\"\",\"mend\":\"m\",\"permanent\":true}}],\"next\":null}");
    cli(f, "list", "--csv", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_string_equal(f->out,
                        "login,host,email,rule,state,requestedBy,requestedAt,invitedUserId,userPrincipalName,"
                        "invitedUserType,externalUserState,externalUserStateChangeDateTime,checkedAt,mail,"
                        "errorCode,errorMessage\n"
                        "taylor,,taylor@fabrikam.com,\"a,b\",failed,'=cmd|x,,,,,,,,none,x,\"say \"\"no\"\"\"\n");
    cli(f, "list", "--csv", "--json", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(aligns_its_columns),
        CLI_TEST(nobody_is_a_heading_or_an_empty_array),
        CLI_TEST(walks_all_pages),
        CLI_TEST(pages_that_do_not_end_are_an_error),
        CLI_TEST(an_error_on_a_later_page_prints_no_half_list),
        CLI_TEST(csv_is_quoted_and_holds_no_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

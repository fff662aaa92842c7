/* Times: local to people, with the offset from UTC; in UTC to programs. */
#include "tests/unit/cli_run.h"

#include <locale.h>
#include <time.h>

#define ROW                                                                                                            \
    "{\"login\":\"taylor\",\"email\":\"taylor@fabrikam.com\",\"rule\":\"partners\",\"state\":\"pending\","             \
    "\"requestedAt\":\"2026-11-23T15:29:00Z\",\"externalUserState\":\"PendingAcceptance\","                            \
    "\"externalUserStateChangeDateTime\":\"2026-07-01T23:30:00Z\",\"checkedAt\":\"2026-11-23T15:30:00Z\","             \
    "\"mail\":\"none\",\"error\":null}"
#define USER                                                                                                           \
    "{\"id\":\"0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02\",\"displayName\":\"T\xc3\xb6m\",\"mail\":null,"                   \
    "\"userPrincipalName\":\"tom_fabrikam.com#EXT#@contoso.example\",\"userType\":\"Guest\","                          \
    "\"creationType\":\"Invitation\",\"externalUserState\":null,"                                                      \
    "\"externalUserStateChangeDateTime\":\"2026-11-23T15:29:00Z\",\"accountEnabled\":false}"

static int zone(void **state, const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
    return setup(state);
}

static int in_berlin(void **state)
{
    return zone(state, "CET-1CEST,M3.5.0,M10.5.0/3");
}

static int in_caracas(void **state)
{
    return zone(state, "<-0430>4:30");
}

static int in_utc(void **state)
{
    return zone(state, "UTC0");
}

static int away(void **state)
{
    unsetenv("TZ");
    tzset();
    return teardown(state);
}

static void show_has_local_times(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ROW "}");
    cli(f, "show", "taylor", NULL);
    assert_non_null(strstr(f->out, "requestedAt: 2026-11-23T16:29:00+01:00\n"));
    assert_non_null(strstr(f->out, "externalUserStateChangeDateTime: 2026-07-02T01:30:00+02:00\n")); /* summer */
    assert_non_null(strstr(f->out, "checkedAt: 2026-11-23T16:30:00+01:00\n"));
    assert_null(strstr(f->out, "Z\n"));
    cli(f, "show", "--json", "taylor", NULL);
    assert_non_null(strstr(f->out, "\"2026-07-01T23:30:00Z\""));
    assert_null(strstr(f->out, "+0"));
}

static void list_has_local_times(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"accounts\":[" ROW "],\"next\":null}");
    cli(f, "list", NULL);
    assert_non_null(strstr(f->out, "  2026-07-01T19:00:00-04:30\n"));
    cli(f, "list", "--csv", NULL);
    assert_non_null(strstr(f->out, ",2026-07-01T23:30:00Z,"));
    cli(f, "list", "--json", NULL);
    assert_non_null(strstr(f->out, "\"2026-07-01T23:30:00Z\""));
}

static void list_tenant_has_local_times(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"users\":[" USER "],\"holdUntil\":null}");
    cli(f, "list", "--tenant", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    sent(f, 0, "ListTenant", "{}");
    assert_string_equal(f->out, "EMAIL                                  EXTERNAL STATE  SINCE                      "
                                "NAME\n"
                                "tom_fabrikam.com#EXT#@contoso.example  -               2026-11-23T10:59:00-04:30  "
                                "T\xc3\xb6m\n");
    cli(f, "list", "--tenant", "--csv", "--state", "none", NULL);
    sent(f, 1, "ListTenant", "{\"state\":\"none\"}");
    assert_string_equal(f->out, "id,displayName,mail,userPrincipalName,userType,creationType,externalUserState,"
                                "externalUserStateChangeDateTime,accountEnabled\n"
                                "0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02,T\xc3\xb6m,,"
                                "tom_fabrikam.com#EXT#@contoso.example,Guest,Invitation,,"
                                "2026-11-23T15:29:00Z,false\n");
}

static void status_has_local_times(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"status\":\"s\",\"tenant\":\"t\",\"blocked\":null,\"trouble\":null,\"doubt\":null,\"holdUntil\":"
              "\"2026-11-23T15:29:00Z\",\"mailHeld\":false,\"lastRefresh\":\"2026-11-23T15:30:00Z\",\"counts\":{},"
              "\"redemption\":{\"method\":\"list\",\"reason\":\"because\",\"since\":\"2026-11-23T15:31:00Z\","
              "\"lastRound\":null,\"guests\":603,\"pending\":3,\"costPerRound\":4,\"deltaLinkAge\":null},"
              "\"notes\":[]}");
    cli(f, "status", NULL);
    assert_non_null(strstr(f->out, "holds until: 2026-11-23T16:29:00+01:00\n"));
    assert_non_null(strstr(f->out, "last refresh: 2026-11-23T16:30:00+01:00\n"));
    assert_non_null(strstr(f->out, "redemption: list since 2026-11-23T16:31:00+01:00; 603 guests, 3 pending, 4 units a "
                                   "round; because\n"));
}

static void no_offset_is_a_z(void **state)
{
    struct fixture *f = *state;

    answer(f, "{\"account\":" ROW "}");
    cli(f, "show", "taylor", NULL);
    assert_non_null(strstr(f->out, "requestedAt: 2026-11-23T15:29:00Z\n"));
}

/* What is no time of the interface is shown as it is. */
static void a_strange_time_is_left_alone(void **state)
{
    char local[EI_TIME_LOCAL_TEXT];
    static const char *const strange[] = {"", "soon", "2026-11-23", "2026-11-23T15:29:00+01:00"};

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++)
        assert_ptr_equal(ei_local_time(strange[i], local), strange[i]);
    ei_time_format_local(-1, local);
    assert_string_equal(local, "");
    ei_time_format_local(INT64_MAX, local);
    assert_string_equal(local, "");
    ei_time_format_local(253402214399, local);
    assert_string_equal(local, "9999-12-31T00:59:59+01:00");
}

/* Without an end nobody takes a part of the list for all of it. */
static void an_error_leaves_json_open(void **state)
{
    struct fixture *f = *state;

    answer_error(f, EI_PERMISSION);
    cli(f, "list", "--tenant", "--json", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_FAILED);
    assert_string_equal(f->out, "");
    assert_non_null(strstr(f->err, "User.Read.All"));
}

int main(void)
{
#define IN(where, test) cmocka_unit_test_setup_teardown(test, where, away)
    const struct CMUnitTest tests[] = {
        IN(in_berlin, show_has_local_times),
        IN(in_caracas, list_has_local_times),
        IN(in_caracas, list_tenant_has_local_times),
        IN(in_berlin, status_has_local_times),
        IN(in_utc, no_offset_is_a_z),
        IN(in_berlin, a_strange_time_is_left_alone),
        IN(in_utc, an_error_leaves_json_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* list: filters, order and columns. */
#include <time.h>

#include "common/base/clock.h"
#include "tests/unit/cli_run.h"

#define ONE(login, email, rule, state, requested, changed, checked)                                                    \
    "{\"login\":" login ",\"email\":" email ",\"rule\":" rule ",\"state\":\"" state "\",\"requestedAt\":" requested    \
    ",\"externalUserStateChangeDateTime\":" changed ",\"checkedAt\":" checked                                          \
    ",\"inviteRedeemUrl\":\"https://login.example/redeem?x\",\"mail\":\"none\",\"error\":null}"

#define NOVEMBER(day) "\"2026-11-" day "T12:00:00Z\""

/* In order of login, as the worker gives them; the last one is an invitation without an account. */
static const char everybody[] = "{\"accounts\":[" ONE(
    "\"Zoe\"", "\"zoe@fabrikam.com\"", "\"partners\"", "accepted", NOVEMBER("01"), NOVEMBER("20"),
    NOVEMBER(
        "21")) "," ONE("\"alex\"", "\"alex@adatum.example\"", "\"vendors\"", "pending", NOVEMBER("10"), "null",
                       NOVEMBER(
                           "22")) "," ONE("\"bo\"", "\"Bo@Fabrikam.com\"", "\"partners\"", "pending", NOVEMBER("05"),
                                          NOVEMBER("05"),
                                          "null") "," ONE("\"kim\"", "null", "\"vendors\"", "waiting", "null", "null",
                                                          "null") "," ONE("\"t\xc3\xb6m\"", "\"tom@sub.fabrikam.com\"",
                                                                          "\"partners\"", "failed", NOVEMBER("24"),
                                                                          "null",
                                                                          NOVEMBER(
                                                                              "24")) "," ONE("null",
                                                                                             "\"robin@adatum.example\"",
                                                                                             "null", "queued",
                                                                                             NOVEMBER("24"), "null",
                                                                                             "null") "],\"next\":null}";

/* The first column of what list prints without a heading, with blanks between. */
static const char *logins(struct fixture *f, const char *one, const char *two, const char *three)
{
    forget_calls(f);
    answer(f, everybody);
    cli(f, "list", "--no-header", "--columns=login", one, two, three, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    for (char *c = f->out; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] != '\0' ? ' ' : '\0';
    return f->out;
}

static void refused(struct fixture *f, const char *option, const char *said)
{
    forget_calls(f);
    answer(f, everybody);
    cli(f, "list", option, NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_int_equal(f->calls, 0);
    assert_string_equal(f->out, "");
    if (strstr(f->err, said) == NULL)
        fail_msg("%s: not said: %s\n%s", option, said, f->err);
}

static void sorts_by_each_key(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(logins(f, NULL, NULL, NULL), "Zoe alex bo kim t\xc3\xb6m -");
    /* by code point: capitals first; what has none comes last, whichever way */
    assert_string_equal(logins(f, "--sort=login", NULL, NULL), "Zoe alex bo kim t\xc3\xb6m -");
    assert_string_equal(logins(f, "--sort=-login", NULL, NULL), "t\xc3\xb6m kim bo alex Zoe -");
    assert_string_equal(logins(f, "--sort=email", NULL, NULL), "bo alex - t\xc3\xb6m Zoe kim");
    /* in the order of a life */
    assert_string_equal(logins(f, "--sort=state", NULL, NULL), "kim - alex bo Zoe t\xc3\xb6m");
    assert_string_equal(logins(f, "--sort=since", NULL, NULL), "bo alex Zoe t\xc3\xb6m - kim");
    assert_string_equal(logins(f, "--sort=-since", NULL, NULL), "t\xc3\xb6m - Zoe alex bo kim");
    assert_string_equal(logins(f, "--sort=requested", NULL, NULL), "Zoe bo alex t\xc3\xb6m - kim");
    assert_string_equal(logins(f, "--sort", "checked", NULL), "Zoe alex t\xc3\xb6m bo kim -");
}

static void sorting_is_stable_and_has_many_keys(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(logins(f, "--sort=rule", NULL, NULL), "Zoe bo t\xc3\xb6m alex kim -");
    assert_string_equal(logins(f, "--sort=-rule", NULL, NULL), "alex kim Zoe bo t\xc3\xb6m -");
    assert_string_equal(logins(f, "--sort=rule,-login", NULL, NULL), "t\xc3\xb6m bo Zoe kim alex -");
    assert_string_equal(logins(f, "--sort=-rule,since", NULL, NULL), "alex kim bo Zoe t\xc3\xb6m -");
}

static void sorts_many_of_several_pages(void **state)
{
    enum { ROWS = 500 };
    struct fixture *f = *state;
    struct ei_buffer pages[2];
    char row[512];

    for (int page = 0; page < 2; page++) {
        ei_buffer_init(&pages[page], 1 << 20);
        assert_true(ei_buffer_append_text(&pages[page], "{\"accounts\":["));
        for (int i = 0; i < ROWS; i++) {
            int n = page * ROWS + i;
            snprintf(row, sizeof row, "%s" ONE("\"u%04d\"", "null", "\"r%d\"", "pending", "null", "null", "null"),
                     i != 0 ? "," : "", n, n * 7 % 3);
            assert_true(ei_buffer_append_text(&pages[page], row));
        }
        assert_true(ei_buffer_append_text(&pages[page], page == 0 ? "],\"next\":\"u0499\"}" : "],\"next\":null}"));
        answer(f, pages[page].data);
    }
    cli(f, "list", "--csv", "--no-header", "--columns=rule,login", "--sort=-rule", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    char before[64] = "r9";
    size_t count = 0;
    for (char *line = strtok(f->out, "\n"); line != NULL; line = strtok(NULL, "\n"), count++) {
        /* the rule falls, and the login rises within it */
        assert_true(strncmp(before, line, 2) > 0 || (strncmp(before, line, 2) == 0 && strcmp(before, line) < 0));
        snprintf(before, sizeof before, "%s", line);
    }
    assert_int_equal(count, 2 * ROWS);
    ei_buffer_free(&pages[0]);
    ei_buffer_free(&pages[1]);
}

static void filters_by_rule_domain_and_pattern(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(logins(f, "--rule=vendors", NULL, NULL), "alex kim");
    assert_string_equal(logins(f, "--rule=vendors", "--rule", "partners"), "Zoe alex bo kim t\xc3\xb6m");
    assert_string_equal(logins(f, "--rule=nosuch", NULL, NULL), "");
    /* whole names, in any case of letters: a sub-domain is another one */
    assert_string_equal(logins(f, "--domain=FABRIKAM.com", NULL, NULL), "Zoe bo");
    assert_string_equal(logins(f, "--domain=fabrikam.com", "--domain=adatum.example", NULL), "Zoe alex bo -");
    assert_string_equal(logins(f, "a*", NULL, NULL), "alex");
    assert_string_equal(logins(f, "[a-b]*", "kim", NULL), "alex bo kim");
    assert_string_equal(logins(f, "t?m", NULL, NULL), "t\xc3\xb6m"); /* a character, not a byte */
    assert_string_equal(logins(f, "A*", NULL, NULL), "");
    assert_string_equal(logins(f, "*@ADATUM.example", NULL, NULL), "alex -");
    assert_string_equal(logins(f, "--rule=partners", "--domain=fabrikam.com", "b*"), "bo");
}

/* A clock that stands on 2026-11-25 12:00 UTC. */
static int64_t noon(void)
{
    return 1795608000;
}

static int64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void filters_by_age(void **state)
{
    static const struct ei_clock clock = {.now = noon, .monotonic_ms = real_ms};
    struct fixture *f = *state;

    ei_clock_set(&clock); /* the child has it, too */
    /* since: Zoe 5 days, alex 15, bo 20, kim none, töm and robin one */
    assert_string_equal(logins(f, "--older-than=10d", NULL, NULL), "alex bo");
    assert_string_equal(logins(f, "--older-than", "15d", NULL), "alex bo");
    assert_string_equal(logins(f, "--older-than=3w", NULL, NULL), "");
    assert_string_equal(logins(f, "--newer-than=15d", NULL, NULL), "Zoe t\xc3\xb6m -");
    assert_string_equal(logins(f, "--newer-than=1441m", NULL, NULL), "t\xc3\xb6m -");
    assert_string_equal(logins(f, "--newer-than=86400s", NULL, NULL), "");
    assert_string_equal(logins(f, "--older-than=24h", "--newer-than=16d", NULL), "Zoe alex t\xc3\xb6m -");
    ei_clock_set(NULL);
}

static void columns_are_chosen_for_tables_and_csv(void **state)
{
    struct fixture *f = *state;

    answer(f, everybody);
    cli(f, "list", "--columns=state,EMAIL,since", "a*", NULL);
    assert_string_equal(f->out, "STATE    EMAIL                SINCE\n"
                                "pending  alex@adatum.example  2026-11-10T12:00:00Z\n");
    cli(f, "list", "--csv", "--columns=login,since,errorCode", "[ak]*", NULL);
    assert_string_equal(f->out, "login,since,errorCode\nalex,2026-11-10T12:00:00Z,\nkim,,\n");
    cli(f, "list", "--no-header", "kim", NULL);
    assert_string_equal(f->out, "kim  -  vendors  waiting  -\n");
    cli(f, "list", "--csv", "--no-header", "kim", NULL);
    assert_string_equal(f->out, "kim,,,vendors,waiting,,,,,,,,,none,,\n");
    assert_null(strstr(f->out, "https:"));
}

static void json_is_filtered_and_sorted_as_well(void **state)
{
    struct fixture *f = *state;

    answer(f, everybody);
    cli(f, "list", "--json", "--state=pending", "--sort=-login", "--domain=adatum.example", "--rule=vendors", NULL);
    sent(f, 0, "List", "{\"states\":[\"pending\"]}");
    cJSON *rows = cJSON_Parse(f->out);
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    assert_string_equal(ei_json_string(cJSON_GetArrayItem(rows, 0), "login"), "alex");
    assert_false(ei_json_has(cJSON_GetArrayItem(rows, 0), "errorCode"));
    cJSON_Delete(rows);
}

static void a_bad_value_is_named_with_what_would_do(void **state)
{
    struct fixture *f = *state;

    refused(f, "--sort=name", "--sort name: takes up to 8 of login, email, rule, state, since, requested, checked");
    refused(f, "--sort=", "--sort : takes");
    refused(f, "--sort=login,", "--sort login,: takes");
    refused(f, "--sort=login,login,login,login,login,login,login,login,login", "takes up to 8");
    refused(f, "--columns=login,url", "--columns login,url: takes up to 20 of login, host, email");
    refused(f, "--older-than=30", "--older-than 30: not an age; takes a number with s, m, h, d or w");
    refused(f, "--older-than=d", "--older-than d: not an age");
    refused(f, "--newer-than=-3d", "--newer-than -3d: not an age");
    refused(f, "--newer-than=3dd", "--newer-than 3dd: not an age");
    refused(f, "--newer-than=99999999999d", "not an age");
    refused(f, "--domain=-bad-.example..", "--domain -bad-.example..: not a domain; takes one such as fabrikam.com");
    refused(f, "--state=lost", "--state lost: no such state; takes waiting, held, queued, pending");
    cli(f, "list", "--older-than=2d", "--newer-than=1d", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "--older-than 2d and --newer-than 1d: nothing is both"));
    cli(f, "list", "--json", "--columns=login", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "JSON has every member"));
    assert_int_equal(f->calls, 0);
}

static const char tenant[] =
    "{\"users\":[{\"id\":\"1\",\"displayName\":\"A\",\"mail\":\"a@fabrikam.com\",\"externalUserState\":"
    "\"PendingAcceptance\",\"externalUserStateChangeDateTime\":\"2026-11-20T12:00:00Z\"},{\"id\":\"2\",\"displayName\":"
    "\"B\",\"mail\":\"b@adatum.example\",\"externalUserState\":\"Accepted\",\"externalUserStateChangeDateTime\":"
    "\"2020-01-01T12:00:00Z\"}],\"holdUntil\":null}";

static void the_tenants_guests_are_filtered_where_it_makes_sense(void **state)
{
    static const char *const not_there[] = {"--sort=login", "--columns=login", "--rule=partners"};
    struct fixture *f = *state;

    f->answers[0].told = tenant;
    answer(f, "{\"users\":[],\"holdUntil\":null}");
    cli(f, "list", "--tenant", "--csv", "--no-header", "--domain=adatum.example", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_DONE);
    assert_true(strncmp(f->out, "2,B,b@adatum.example,", 21) == 0);
    assert_null(strstr(f->out, "fabrikam"));
    cli(f, "list", "--tenant", "--json", "A@*", NULL);
    cJSON *rows = cJSON_Parse(f->out);
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    cJSON_Delete(rows);
    cli(f, "list", "--tenant", "--older-than=200w", NULL);
    assert_non_null(strstr(f->out, "b@adatum.example"));
    assert_null(strstr(f->out, "fabrikam"));
    size_t calls = f->calls;
    for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++) {
        cli(f, "list", "--tenant", not_there[i], NULL);
        assert_int_equal(f->exit_code, EI_EXIT_USAGE);
        assert_non_null(strstr(f->err, " with --tenant: "));
    }
    cli(f, "list", "--tenant", "taylor", NULL);
    assert_int_equal(f->exit_code, EI_EXIT_USAGE);
    assert_non_null(strstr(f->err, "taylor with --tenant: takes a pattern of addresses"));
    assert_int_equal(f->calls, calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(sorts_by_each_key),
        CLI_TEST(sorting_is_stable_and_has_many_keys),
        CLI_TEST(sorts_many_of_several_pages),
        CLI_TEST(filters_by_rule_domain_and_pattern),
        CLI_TEST(filters_by_age),
        CLI_TEST(columns_are_chosen_for_tables_and_csv),
        CLI_TEST(json_is_filtered_and_sorted_as_well),
        CLI_TEST(a_bad_value_is_named_with_what_would_do),
        CLI_TEST(the_tenants_guests_are_filtered_where_it_makes_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

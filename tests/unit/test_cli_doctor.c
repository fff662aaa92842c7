/* doctor: how findings are told, and what it makes of a worker that has some or none. */
#include "tests/unit/cli_run.h"

#define FINDING(group, check, status, what, mend, error)                                                               \
    "{\"group\":\"" group "\",\"check\":\"" check "\",\"status\":\"" status "\",\"what\":\"" what "\",\"mend\":" mend  \
    ",\"error\":" error "}"

/* The finding of this check with this text, NULL if there is none. */
static const cJSON *finding(const cJSON *list, const char *check, const char *what)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const char *found = ei_json_string(item, "check");
        if (found != NULL && strcmp(found, check) == 0 && strstr(ei_json_string(item, "what"), what) != NULL)
            return item;
    }
    return NULL;
}

static void the_workers_findings_are_told_with_the_others(void **state)
{
    struct fixture *f = *state;

    answer(f,
           "{\"findings\":[" FINDING("worker", "work", "failed", "blocked\\u001b[2J", "\"mend it\"", ERROR) "," FINDING(
               "network", "login", "ok", "reached", "null",
               "null") "," FINDING("network", "later", "brand-new", "what later versions say", "null", "null") "]}");
    cli(f, "doctor", NULL);
    sent(f, 0, "Doctor", "{}");
    assert_int_equal(f->exit_code, 2);
    assert_non_null(strstr(f->out, "\n  failed   blocked\\x1b[2J\n           mend: mend it\n"
                                   "           request-id: req-1\n           client-request-id: crid-1\n"));
    assert_non_null(strstr(f->out, "\n  ok       reached\n"));
    /* what this version does not know must not pass for good */
    assert_non_null(strstr(f->out, "\n  failed   what later versions say\n"));
    const char *group = strstr(f->out, "\nnetwork\n");
    assert_non_null(group);
    assert_null(strstr(group + 1, "\nnetwork\n"));
    assert_null(strchr(f->out, '\033'));

    cli(f, "doctor", "--json", NULL);
    assert_int_equal(f->exit_code, 2);
    cJSON *list = cJSON_Parse(f->out);
    assert_true(cJSON_IsArray(list));
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        assert_int_equal(cJSON_GetArraySize(item), 6);
        assert_non_null(ei_json_string(item, "group"));
        assert_non_null(ei_json_string(item, "status"));
        assert_true(ei_json_has(item, "mend") && ei_json_has(item, "error"));
    }
    assert_non_null(finding(list, "worker", "answers on"));
    assert_string_equal(ei_json_string(ei_json_object(finding(list, "work", "blocked"), "error"), "clientRequestId"),
                        "crid-1");
    cJSON_Delete(list);
}

static void without_the_worker_the_rest_is_looked_at(void **state)
{
    struct fixture *f = *state;

    worker_stop(f);
    cli(f, "doctor", "--json", NULL);
    assert_int_equal(f->exit_code, 2);
    cJSON *list = cJSON_Parse(f->out);
    const cJSON *worker = finding(list, "worker", "does not answer on");
    assert_string_equal(ei_json_string(worker, "status"), "failed");
    assert_string_equal(ei_json_string(ei_json_object(worker, "error"), "code"), "worker-down");
    assert_string_equal(ei_json_string(finding(list, "credential-file", "/secret"), "status"), "failed");
    assert_string_equal(ei_json_string(finding(list, "view", "status.cdb"), "status"), "failed");
    assert_string_equal(ei_json_string(finding(list, "configuration", f->config), "status"), "ok");
    assert_non_null(finding(list, "pam-module", ""));
    cJSON_Delete(list);
}

static void a_configuration_that_is_wrong_stops_nothing(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->config, "w");

    assert_non_null(file);
    fputs("tenant = 7;\n", file);
    fclose(file);
    cli(f, "doctor", "--json", NULL);
    assert_int_equal(f->exit_code, 2);
    cJSON *list = cJSON_Parse(f->out);
    const cJSON *config = finding(list, "configuration", "line 1");
    if (config == NULL)
        config = finding(list, "configuration", ":1");
    assert_string_equal(ei_json_string(config, "status"), "failed");
    assert_non_null(finding(list, "proxy", ""));
    cJSON_Delete(list);
}

static void only_root_may(void **state)
{
    struct fixture *f = *state;

    cli_as_nobody(f, "doctor", NULL);
    assert_int_equal(f->exit_code, 4);
    assert_string_equal(f->out, "");
    assert_non_null(strstr(f->err, "mend: run it as root"));
    cli(f, "doctor", "extra", NULL);
    assert_int_equal(f->exit_code, 4);
    assert_int_equal(f->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_workers_findings_are_told_with_the_others),
        CLI_TEST(without_the_worker_the_rest_is_looked_at),
        CLI_TEST(a_configuration_that_is_wrong_stops_nothing),
        CLI_TEST(only_root_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

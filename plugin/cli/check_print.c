/* As monitoring systems read it: one line with performance data, then a line for each problem. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "plugin/cli/check.h"

static const char *const level_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* A bar would begin the performance data. */
static void print_plain(const char *text)
{
    char part[EI_MESSAGE_MAX + EI_VIEW_LOGIN_MAX];

    snprintf(part, sizeof part, "%s", text);
    for (char *bar = part; (bar = strchr(bar, '|')) != NULL;)
        *bar = '/';
    ei_print_text(part);
}

static void print_counts(const struct ei_monitor *check)
{
    static const enum ei_state shown[] = {EI_STATE_QUEUED, EI_STATE_PENDING, EI_STATE_ACCEPTED, EI_STATE_FAILED};

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        printf("%s%" PRIu64 " %s", i != 0 ? ", " : "", check->view.counts[shown[i]], ei_state_name(shown[i]));
}

/* What is worst, in one line; without any problem how many there are. */
static void print_summary(const struct ei_monitor *check)
{
    enum ei_check_level worst = ei_check_worst(check);
    const char *before = "";

    if (worst == EI_CHECK_OK)
        print_counts(check);
    for (size_t i = 0; i < check->problem_count; i++) {
        if (check->problems[i].level != worst)
            continue;
        fputs(before, stdout);
        print_plain(check->problems[i].text);
        before = "; ";
    }
}

/* --- performance data: 'label'=value[unit];warning;critical;minimum --- */

struct number {
    const char *label;
    const char *unit;
    int64_t value;
    const struct ei_check_limit *limit; /* NULL: none */
    bool is_rest;                       /* too little is what is wrong */
};

enum { NUMBERS_MAX = EI_STATES + 3 };

static size_t collect(const struct ei_monitor *check, struct number numbers[NUMBERS_MAX])
{
    const struct ei_check_view *view = &check->view;
    size_t count = 0;

    if (view->status == EI_VIEW_OK) {
        for (int state = EI_STATE_WAITING; state < EI_STATES; state++) {
            if (state == EI_STATE_REMOVED) /* of the past */
                continue;
            numbers[count++] = (struct number){ei_state_name((enum ei_state)state), "", (int64_t)view->counts[state],
                                               state == EI_STATE_FAILED ? &check->limits.failed : NULL, false};
        }
        numbers[count++] =
            (struct number){"oldest_queued", "s", view->oldest_queued != 0 ? check->now - view->oldest_queued : 0,
                            &check->limits.queue_age, false};
    }
    if (check->last_refresh != 0)
        numbers[count++] =
            (struct number){"refresh_age", "s", check->now - check->last_refresh, &check->limits.refresh_age, false};
    if (check->credential_ends != 0)
        numbers[count++] =
            (struct number){"credential_left", "s", check->credential_ends - check->now, &check->limits.expiry, true};
    for (size_t i = 0; i < count; i++)
        numbers[i].value = numbers[i].value > 0 ? numbers[i].value : 0;
    return count;
}

/* As a range of the plugins' guidelines: alarmed outside of 0 to N, or below "N:". Whole numbers, so that "from N on"
 * is above N - 1. */
static void print_limit(int64_t limit, bool is_rest)
{
    if (limit == EI_CHECK_NEVER)
        return;
    if (is_rest)
        printf("%" PRId64 ":", limit + 1);
    else
        printf("%" PRId64, limit > 0 ? limit - 1 : 0);
}

static void print_performance(const struct ei_monitor *check)
{
    struct number numbers[NUMBERS_MAX];
    size_t count = collect(check, numbers);

    if (count != 0)
        fputs(" |", stdout);
    for (size_t i = 0; i < count; i++) {
        printf(" %s=%" PRId64 "%s;", numbers[i].label, numbers[i].value, numbers[i].unit);
        print_limit(numbers[i].limit != NULL ? numbers[i].limit->warning : EI_CHECK_NEVER, numbers[i].is_rest);
        putchar(';');
        print_limit(numbers[i].limit != NULL ? numbers[i].limit->critical : EI_CHECK_NEVER, numbers[i].is_rest);
        fputs(";0", stdout);
    }
}

/* --- the lines behind it --- */

static void print_failed(const struct ei_monitor *check)
{
    const struct ei_check_view *view = &check->view;
    char since[EI_TIME_LOCAL_TEXT];

    for (size_t i = 0; i < view->failed_count; i++) {
        const struct ei_view_record *record = &view->failed[i].record;
        ei_time_format_local(record->changed_at, since);
        fputs("failed: ", stdout);
        print_plain(view->failed[i].login);
        printf(" (%s) since %s\n", record->reason[0] != '\0' ? record->reason : "no reason", since);
    }
    if (view->counts[EI_STATE_FAILED] > view->failed_count)
        printf("failed: %" PRIu64 " more\n", view->counts[EI_STATE_FAILED] - view->failed_count);
}

void ei_check_print(const struct ei_monitor *check)
{
    printf("ENTRA-INVITE %s - ", level_names[ei_check_worst(check)]);
    print_summary(check);
    print_performance(check);
    putchar('\n');
    for (size_t i = 0; i < check->problem_count; i++) {
        printf("%s: ", level_names[check->problems[i].level]);
        print_plain(check->problems[i].text);
        if (check->problems[i].mend != NULL)
            printf(" - %s", check->problems[i].mend);
        putchar('\n');
    }
    print_failed(check);
}

static cJSON *failed_json(const struct ei_check_view *view)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < view->failed_count; i++) {
        cJSON *account = cJSON_CreateObject();
        ei_json_add_text(account, "login", view->failed[i].login);
        ei_json_add_text(account, "reason", view->failed[i].record.reason);
        ei_json_add_time(account, "since", view->failed[i].record.changed_at);
        ei_json_push(list, account);
    }
    return list;
}

void ei_check_print_json(const struct ei_monitor *check)
{
    struct number numbers[NUMBERS_MAX];
    size_t count = collect(check, numbers);
    cJSON *object = cJSON_CreateObject();

    ei_json_add_text(object, "status", level_names[ei_check_worst(check)]);
    cJSON_AddBoolToObject(object, "asked", check->asked);
    cJSON *problems = cJSON_AddArrayToObject(object, "problems");
    for (size_t i = 0; i < check->problem_count; i++) {
        cJSON *problem = cJSON_CreateObject();
        ei_json_add_text(problem, "status", level_names[check->problems[i].level]);
        ei_json_add_text(problem, "message", check->problems[i].text);
        ei_json_add_text(problem, "mend", check->problems[i].mend);
        ei_json_push(problems, problem);
    }
    cJSON *values = cJSON_AddObjectToObject(object, "values");
    for (size_t i = 0; i < count; i++)
        cJSON_AddNumberToObject(values, numbers[i].label, (double)numbers[i].value);
    ei_json_add_item(object, "failed", failed_json(&check->view));
    ei_print_json(object);
    cJSON_Delete(object);
}

/* Numbers only: on some systems everybody who logs in reads it. */
void ei_check_print_motd(const struct ei_monitor *check)
{
    const struct ei_check_view *view = &check->view;
    bool stale = ei_check_stale(check);
    uint64_t failed = view->counts[EI_STATE_FAILED];
    int64_t age = view->oldest_queued != 0 ? check->now - view->oldest_queued : 0;
    bool waits = view->oldest_queued != 0 && ei_check_above(&check->limits.queue_age, age) != EI_CHECK_OK;
    const char *before = "";
    char span[32];

    if (view->status == EI_VIEW_NO_FILE) /* not set up */
        return;
    bool tells_failed = failed != 0 && ei_check_above(&check->limits.failed, (int64_t)failed) != EI_CHECK_OK;
    if (view->status == EI_VIEW_OK && !stale && !tells_failed && !waits)
        return;
    fputs("entra-invite: ", stdout);
    if (view->status != EI_VIEW_OK) {
        fputs(ei_view_status_text(view->status), stdout);
        before = "; ";
    }
    if (stale) {
        printf("%sthe status is stale, collaborators are shut out", before);
        before = "; ";
    }
    if (tells_failed) {
        printf("%s%" PRIu64 " invitation%s failed", before, failed, failed == 1 ? "" : "s");
        before = "; ";
    }
    if (waits)
        printf("%s%" PRIu64 " queued, the oldest for %s", before, view->counts[EI_STATE_QUEUED],
               ei_check_span(age, span));
    puts(". See: sudo entra-invite check");
}

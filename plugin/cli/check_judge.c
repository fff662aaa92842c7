/* What of the facts is a problem. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "plugin/cli/check.h"

const char *ei_check_span(int64_t seconds, char out[32])
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"day", 24 * 60 * 60}, {"hour", 60 * 60}, {"minute", 60}, {"second", 1}};
    size_t i = 0;

    seconds = seconds > 0 ? seconds : 0;
    while (i + 1 < sizeof units / sizeof units[0] && seconds < units[i].seconds)
        i++;
    int64_t count = seconds / units[i].seconds;
    snprintf(out, 32, "%" PRId64 " %s%s", count, units[i].unit, count == 1 ? "" : "s");
    return out;
}

enum ei_check_level ei_check_above(const struct ei_check_limit *limit, int64_t value)
{
    if (limit->critical != EI_CHECK_NEVER && value >= limit->critical)
        return EI_CHECK_CRITICAL;
    return limit->warning != EI_CHECK_NEVER && value >= limit->warning ? EI_CHECK_WARNING : EI_CHECK_OK;
}

enum ei_check_level ei_check_below(const struct ei_check_limit *limit, int64_t value)
{
    if (limit->critical != EI_CHECK_NEVER && value <= limit->critical)
        return EI_CHECK_CRITICAL;
    return limit->warning != EI_CHECK_NEVER && value <= limit->warning ? EI_CHECK_WARNING : EI_CHECK_OK;
}

void ei_check_add(struct ei_monitor *check, enum ei_check_level level, const char *mend, const char *format, ...)
{
    va_list args;

    if (level == EI_CHECK_OK || check->problem_count == EI_CHECK_PROBLEMS_MAX)
        return;
    struct ei_check_problem *problem = &check->problems[check->problem_count++];
    *problem = (struct ei_check_problem){.level = level, .mend = mend};
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
}

enum ei_check_level ei_check_worst(const struct ei_monitor *check)
{
    static const enum ei_check_level order[] = {EI_CHECK_CRITICAL, EI_CHECK_WARNING, EI_CHECK_UNKNOWN};

    for (size_t o = 0; o < sizeof order / sizeof order[0]; o++)
        for (size_t i = 0; i < check->problem_count; i++)
            if (check->problems[i].level == order[o])
                return order[o];
    return EI_CHECK_OK;
}

/* --- the view --- */

bool ei_check_stale(const struct ei_monitor *check)
{
    int64_t not_after = check->view.header.not_after;

    return not_after != 0 && check->now >= not_after;
}

static void judge_view(struct ei_monitor *check)
{
    const struct ei_check_view *view = &check->view;
    char span[32];

    if (view->status != EI_VIEW_OK) {
        ei_check_add(check, EI_CHECK_CRITICAL, ei_err_mend(ei_view_error(view->status)), "%s",
                     ei_view_status_text(view->status));
        return;
    }
    if (ei_check_stale(check))
        ei_check_add(check, EI_CHECK_CRITICAL, ei_err_mend(EI_VIEW_STALE),
                     "the status is stale for %s: collaborators are shut out",
                     ei_check_span(check->now - view->header.not_after, span));
}

static void judge_accounts(struct ei_monitor *check)
{
    const struct ei_check_view *view = &check->view;
    uint64_t failed = view->counts[EI_STATE_FAILED];
    uint64_t queued = view->counts[EI_STATE_QUEUED];
    char span[32];

    if (failed != 0)
        ei_check_add(check, ei_check_above(&check->limits.failed, (int64_t)failed),
                     "see entra-invite list --state failed", "%" PRIu64 " failed", failed);
    if (view->oldest_queued != 0)
        ei_check_add(check, ei_check_above(&check->limits.queue_age, check->now - view->oldest_queued),
                     "see entra-invite status, and entra-invite list --state queued",
                     "%" PRIu64 " queued, the oldest for %s", queued,
                     ei_check_span(check->now - view->oldest_queued, span));
}

/* --- the worker --- */

static void judge_error(struct ei_monitor *check, const cJSON *status, const char *name, enum ei_check_level level,
                        const char *what)
{
    const cJSON *error = ei_json_object(status, name);
    const char *code = ei_json_string(error, "code");
    const char *message = ei_json_string(error, "message");
    enum ei_err known = EI_OK;

    if (code == NULL)
        return;
    ei_check_add(check, level, ei_err_from_name(code, &known) ? ei_err_mend(known) : NULL, "%s: %.300s [%.60s]", what,
                 message != NULL ? message : "", code);
}

static void judge_worker(struct ei_monitor *check, const cJSON *status)
{
    const cJSON *note;

    judge_error(check, status, "blocked", EI_CHECK_CRITICAL, "blocked");
    judge_error(check, status, "trouble", EI_CHECK_WARNING, "trouble");
    judge_error(check, status, "doubt", EI_CHECK_WARNING, "account files");
    if (ei_json_bool(status, "mailHeld", false))
        ei_check_add(check, EI_CHECK_WARNING, "entra-invite adopt lets it go",
                     "mail is held (a clone or a restored image)");
    cJSON_ArrayForEach(note, ei_json_array(status, "notes"))
    {
        if (cJSON_IsString(note))
            ei_check_add(check, EI_CHECK_WARNING, NULL, "%s", note->valuestring);
    }
}

static void judge_times(struct ei_monitor *check)
{
    bool anybody = check->view.counts[EI_STATE_PENDING] + check->view.counts[EI_STATE_ACCEPTED] != 0;
    int64_t left = check->credential_ends - check->now;
    char span[32];

    if (check->last_refresh != 0 && anybody)
        ei_check_add(check, ei_check_above(&check->limits.refresh_age, check->now - check->last_refresh),
                     "see entra-invite status", "not refreshed for %s",
                     ei_check_span(check->now - check->last_refresh, span));
    if (check->credential_ends != 0)
        ei_check_add(check, ei_check_below(&check->limits.expiry, left),
                     "add a new certificate to the app and replace the files",
                     left > 0 ? "the credential expires in %s" : "the credential has expired (%s)",
                     ei_check_span(left, span));
}

void ei_check_judge(struct ei_monitor *check, const cJSON *status)
{
    judge_view(check);
    if (status != NULL)
        judge_worker(check, status);
    judge_accounts(check);
    judge_times(check);
}

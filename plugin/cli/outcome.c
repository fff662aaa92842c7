/* --wait of the verbs that ask for work: until it is done, or its time is up. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/cli.h"

enum {
    SLICE_MS = 1000, /* how often progress is shown */
    GRACE_MS = 5000, /* so that the worker's answer to a timeout still arrives */
};

static bool undecided(const cJSON *account)
{
    const char *state = ei_json_string(account, "state");
    return state != NULL && (strcmp(state, "queued") == 0 || strcmp(state, "waiting") == 0);
}

static void show_progress(const cJSON *account, int64_t started_ms)
{
    const char *state = ei_json_string(account, "state");

    fprintf(stderr, "\r\033[K%s, %lld s", state != NULL ? state : "asked",
            (long long)((ei_monotonic_ms() - started_ms) / 1000));
}

bool ei_outcome_wait(const struct ei_cli *cli, const char *target, int seconds, cJSON **reply, int *ret_exit)
{
    int64_t started_ms = ei_monotonic_ms();
    int64_t deadline_ms = started_ms + (int64_t)seconds * 1000;
    bool answered = true;

    while (answered && undecided(ei_json_object(*reply, "account"))) {
        int64_t left = deadline_ms - ei_monotonic_ms();
        if (left <= 0)
            break;
        if (cli->progress) {
            show_progress(ei_json_object(*reply, "account"), started_ms);
            left = left < SLICE_MS ? left : SLICE_MS;
        }
        cJSON *parameters = cJSON_CreateObject();
        cJSON *next = NULL;
        ei_add_text(parameters, "target", target);
        cJSON_AddNumberToObject(parameters, "timeout", (double)left);
        answered = ei_call(cli, "Wait", parameters, (int)left + GRACE_MS, target, &next, ret_exit);
        if (answered) {
            ei_varlink_free(*reply);
            *reply = next;
        }
    }
    if (cli->progress)
        fputs("\r\033[K", stderr);
    return answered;
}

int ei_outcome_exit(const cJSON *account)
{
    const char *state = ei_json_string(account, "state");

    if (state == NULL || strcmp(state, "failed") == 0 || strcmp(state, "removed") == 0)
        return EI_EXIT_FAILED;
    if (strcmp(state, "pending") == 0 || strcmp(state, "accepted") == 0)
        return EI_EXIT_DONE;
    return EI_EXIT_NOT_YET;
}

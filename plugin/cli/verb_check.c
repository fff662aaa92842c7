/* check: a plugin for Nagios, Icinga and their like; and the line for the message of the day. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"
#include "plugin/cli/check.h"

/* What runs plugins often gives up after ten seconds, and then has no answer at all. */
enum { ANSWER_MS = 8000 };

static void take_times(struct ei_monitor *check, const cJSON *status)
{
    const char *refresh = ei_json_string(status, "lastRefresh");
    const char *ends = ei_json_string(status, "credentialExpiresAt");

    if (refresh != NULL)
        (void)ei_time_parse(refresh, &check->last_refresh);
    if (ends != NULL)
        (void)ei_time_parse(ends, &check->credential_ends);
}

/* NULL: it was not asked, or it did not answer, which is a problem unless the caller may not ask. */
static cJSON *ask_worker(const struct ei_cli *cli, struct ei_monitor *check)
{
    struct ei_error err;
    cJSON *status = NULL;

    ei_error_clear(&err);
    enum ei_err rc = ei_client_call(cli->socket_path, "Status", NULL, ANSWER_MS, &status, &err);
    check->asked = rc == EI_OK;
    if (rc != EI_OK && rc != EI_NOT_ROOT)
        ei_check_add(check, EI_CHECK_CRITICAL, ei_err_mend(rc), "%s", err.message);
    return rc == EI_OK ? status : NULL;
}

int ei_verb_check(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_monitor *check = calloc(1, sizeof *check);

    if (check == NULL) {
        puts("ENTRA-INVITE UNKNOWN - no memory on this host to look");
        return EI_CHECK_UNKNOWN;
    }
    check->now = ei_now();
    int exit_code = EI_CHECK_UNKNOWN;
    if (!ei_check_limits(args, &check->limits))
        goto out;
    ei_check_read_view(cli->view_path, &check->view);
    if (ei_args_has(args, "motd")) {
        ei_check_print_motd(check);
        exit_code = EI_EXIT_DONE;
        goto out;
    }
    /* The view says until when it is good, which is so long after the refresh. */
    if (cli->max_age > 0 && check->view.header.not_after != 0)
        check->last_refresh = check->view.header.not_after - cli->max_age;
    cJSON *status = ask_worker(cli, check);
    take_times(check, status);
    ei_check_judge(check, status);
    if (cli->json)
        ei_check_print_json(check);
    else
        ei_check_print(check);
    exit_code = (int)ei_check_worst(check);
    ei_varlink_free(status);
out:
    free(check);
    return exit_code;
}

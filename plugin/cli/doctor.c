/* doctor: one list of findings, from here and from the worker. */
#include "plugin/cli/doctor.h"

#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/client.h"
#include "common/ipc/varlink.h"

enum { WORKER_MS = 150 * 1000, STATUSES = EI_FINDING_FAILED + 1 };

void ei_doctor_path(const struct ei_doctor *doctor, const char *path, char out[EI_DOCTOR_PATH])
{
    snprintf(out, EI_DOCTOR_PATH, "%s%s", doctor->root, path);
}

bool ei_doctor_exists(const struct ei_doctor *doctor, const char *const *patterns)
{
    char path[EI_DOCTOR_PATH];
    glob_t found;
    bool exists = false;

    for (; *patterns != NULL && !exists; patterns++) {
        ei_doctor_path(doctor, *patterns, path);
        exists = glob(path, 0, NULL, &found) == 0;
        if (exists)
            globfree(&found);
    }
    return exists;
}

/* --- the worker's part --- */

static void take_findings(struct ei_doctor *doctor, cJSON *reply)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(reply, "findings");

    while (cJSON_IsArray(list) && list->child != NULL)
        ei_json_push(doctor->findings, cJSON_DetachItemFromArray(list, 0));
}

static void ask_worker(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"worker", "worker"};
    struct ei_error err;
    cJSON *reply = NULL;

    ei_error_clear(&err);
    if (doctor->cli->progress)
        fputs("asking entra-invited, which asks Microsoft ...\n", stderr);
    if (ei_client_call(doctor->cli->socket_path, "Doctor", NULL, WORKER_MS, &reply, &err) == EI_OK) {
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "entra-invited answers on %s",
                       doctor->cli->socket_path);
        take_findings(doctor, reply);
    } else {
        ei_finding_add_error(doctor->findings, check, EI_FINDING_FAILED, &err);
    }
    ei_varlink_free(reply);
}

/* --- telling --- */

static void print_status(const struct ei_cli *cli, enum ei_finding_status status)
{
    static const char *const colours[STATUSES] = {
        [EI_FINDING_OK] = "32", [EI_FINDING_WARNING] = "33", [EI_FINDING_FAILED] = "31"};
    const char *colour = cli->colour ? colours[status] : NULL;

    if (colour != NULL)
        printf("\033[%sm", colour);
    printf("%-7s", ei_finding_status_name(status));
    if (colour != NULL)
        fputs("\033[m", stdout);
}

static void print_detail(const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    printf("           %s: ", name);
    ei_print_text(value);
    putchar('\n');
}

static void print_finding(const struct ei_cli *cli, const cJSON *finding)
{
    const char *what = ei_json_string(finding, "what");
    const cJSON *error = ei_json_object(finding, "error");
    enum ei_finding_status status = ei_finding_status_from_name(ei_json_string(finding, "status"));

    fputs("  ", stdout);
    print_status(cli, status);
    fputs("  ", stdout);
    ei_print_text(what != NULL ? what : "");
    putchar('\n');
    print_detail("mend", ei_json_string(finding, "mend"));
    print_detail("request-id", ei_json_string(error, "requestId"));
    print_detail("client-request-id", ei_json_string(error, "clientRequestId"));
}

/* Whoever reads a group first sees all of it: the worker's findings stand beside those from here. */
static void print_group(const struct ei_cli *cli, const cJSON *findings, const char *group)
{
    const cJSON *finding;
    bool headed = false;

    cJSON_ArrayForEach(finding, findings)
    {
        const char *name = ei_json_string(finding, "group");
        if (!ei_text_same(name, group))
            continue;
        if (!headed)
            puts(group);
        headed = true;
        print_finding(cli, finding);
    }
}

static bool seen_before(const cJSON *findings, const cJSON *until, const char *group)
{
    for (const cJSON *finding = findings->child; finding != NULL && finding != until; finding = finding->next) {
        const char *name = ei_json_string(finding, "group");
        if (ei_text_same(name, group))
            return true;
    }
    return false;
}

static void print_all(const struct ei_cli *cli, const cJSON *findings, const int counts[STATUSES])
{
    const cJSON *finding;

    cJSON_ArrayForEach(finding, findings)
    {
        const char *group = ei_json_string(finding, "group");
        if (group != NULL && !seen_before(findings, finding, group))
            print_group(cli, findings, group);
    }
    printf("%d ok, %d skipped, %d warning%s, %d failed\n", counts[EI_FINDING_OK], counts[EI_FINDING_SKIPPED],
           counts[EI_FINDING_WARNING], counts[EI_FINDING_WARNING] == 1 ? "" : "s", counts[EI_FINDING_FAILED]);
}

static int tell(const struct ei_cli *cli, const cJSON *findings)
{
    int counts[STATUSES] = {0};
    const cJSON *finding;

    cJSON_ArrayForEach(finding, findings) counts[ei_finding_status_from_name(ei_json_string(finding, "status"))]++;
    if (cli->json)
        ei_print_json(findings);
    else
        print_all(cli, findings, counts);
    if (counts[EI_FINDING_FAILED] != 0)
        return EI_DOCTOR_FAILED;
    return counts[EI_FINDING_WARNING] != 0 ? EI_DOCTOR_WARNING : EI_DOCTOR_WELL;
}

int ei_verb_doctor(const struct ei_cli *cli, const struct ei_args *args)
{
    struct ei_doctor doctor = {.cli = cli, .root = "", .findings = cJSON_CreateArray()};
    struct ei_config *config = NULL;
    struct ei_error err;

    (void)args;
    if (geteuid() != 0) {
        ei_fail(&err, EI_NOT_ROOT, "doctor looks at files that only root may see");
        ei_say_error("doctor", &err);
        cJSON_Delete(doctor.findings);
        return EI_DOCTOR_NOT_RUN;
    }
    ei_doctor_config(&doctor, &config);
    doctor.config = config;
    ei_doctor_files(&doctor);
    ask_worker(&doctor);
    ei_doctor_network(&doctor);
    ei_doctor_hooks(&doctor);
    ei_doctor_pam(&doctor);
    ei_doctor_nss(&doctor);
    int exit_code = tell(cli, doctor.findings);
    cJSON_Delete(doctor.findings);
    ei_config_free(config);
    return exit_code;
}

#include "common/ipc/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/utf8.h"

static const char *const names[] = {
    [EI_FINDING_OK] = "ok",
    [EI_FINDING_SKIPPED] = "skipped",
    [EI_FINDING_WARNING] = "warning",
    [EI_FINDING_FAILED] = "failed",
};

const char *ei_finding_status_name(enum ei_finding_status status)
{
    return names[status];
}

enum ei_finding_status ei_finding_status_from_name(const char *name)
{
    for (int status = EI_FINDING_OK; status <= EI_FINDING_FAILED; status++)
        if (name != NULL && strcmp(names[status], name) == 0)
            return (enum ei_finding_status)status;
    return EI_FINDING_FAILED;
}

static void append(cJSON *findings, struct ei_check check, enum ei_finding_status status, const char *what,
                   const char *mend, cJSON *error)
{
    cJSON *finding = cJSON_CreateObject();

    if (finding == NULL || !ei_json_add_text(finding, "group", check.group) ||
        !ei_json_add_text(finding, "check", check.name) ||
        !ei_json_add_text(finding, "status", ei_finding_status_name(status)) ||
        !ei_json_add_text(finding, "what", what) || !ei_json_add_text(finding, "mend", mend) ||
        !cJSON_AddItemToArray(findings, finding)) {
        cJSON_Delete(finding);
        cJSON_Delete(error);
        return;
    }
    ei_json_add_item(finding, "error", error != NULL ? error : cJSON_CreateNull());
}

void ei_finding_add(cJSON *findings, struct ei_check check, enum ei_finding_status status, const char *mend,
                    const char *format, ...)
{
    char what[1024];
    va_list args;

    va_start(args, format);
    if (vsnprintf(what, sizeof what, format, args) < 0)
        what[0] = '\0';
    va_end(args);
    ei_utf8_one_line(what);
    append(findings, check, status, what, mend, NULL);
}

void ei_finding_add_error(cJSON *findings, struct ei_check check, enum ei_finding_status status,
                          const struct ei_error *err)
{
    bool permanent = ei_err_fault(err->code) != EI_FAULT_TRANSIENT;

    append(findings, check, status, err->message, ei_err_mend(err->code), ei_json_error(err, permanent));
}

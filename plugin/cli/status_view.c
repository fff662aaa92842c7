/* status without the worker: what the published view says, which everybody may read. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/view/view.h"
#include "plugin/cli/cli.h"

enum ei_err ei_view_error(enum ei_view_status status)
{
    switch (status) {
    case EI_VIEW_OK:
        return EI_OK;
    case EI_VIEW_NO_FILE:
        return EI_VIEW_MISSING;
    case EI_VIEW_BAD_FILE:
        return EI_VIEW_UNSAFE;
    case EI_VIEW_CORRUPT:
        return EI_VIEW_DAMAGED;
    case EI_VIEW_BAD_VERSION:
        return EI_VIEW_VERSION;
    case EI_VIEW_OS_ERROR:
        return EI_IO;
    }
    return EI_IO;
}

static int say_view_error(const struct ei_cli *cli, enum ei_err code, const char *reason)
{
    struct ei_error err;

    ei_fail(&err, code, "%s", reason);
    ei_say_error(cli->view_path, &err);
    return EI_EXIT_STATUS_ERROR;
}

/* The record of login. *ret_found false also if it is of another account: the uid has changed since. */
static enum ei_view_status look_up(const struct ei_cli *cli, const char *login, struct ei_view_header *ret_header,
                                   struct ei_view_record *ret_record, bool *ret_found)
{
    struct ei_view view;
    const struct passwd *account = getpwnam(login);
    enum ei_view_status status = ei_view_open(cli->view_path, &view, ret_header);

    *ret_found = false;
    if (status != EI_VIEW_OK)
        return status;
    status = ei_view_lookup(&view, login, ret_record, ret_found);
    ei_view_close(&view);
    if (*ret_found && account != NULL && account->pw_uid != ret_record->uid)
        *ret_found = false;
    return status;
}

static void print_record_json(const char *login, const struct ei_view_record *record, const char *mend)
{
    cJSON *object = cJSON_CreateObject();

    ei_json_add_text(object, "login", login);
    ei_json_add_text(object, "state", ei_state_name(record->state));
    ei_json_add_time(object, "since", record->changed_at);
    ei_json_add_time(object, "checkedAt", record->checked_at);
    ei_json_add_text(object, "reason", record->reason[0] != '\0' ? record->reason : NULL);
    ei_json_add_text(object, "mend", mend);
    ei_print_json(object);
    cJSON_Delete(object);
}

static void print_record(const struct ei_cli *cli, const char *login, const struct ei_view_record *record,
                         const char *mend)
{
    char since[EI_TIME_LOCAL_TEXT];
    char checked[EI_TIME_LOCAL_TEXT];

    ei_time_format_local(record->changed_at, since);
    ei_time_format_local(record->checked_at, checked);
    ei_print_text(login);
    fputs(": ", stdout);
    ei_print_state(cli, ei_state_name(record->state));
    putchar('\n');
    ei_print_field("since", record->changed_at != 0 ? since : NULL);
    ei_print_field("checked", record->checked_at != 0 ? checked : NULL);
    ei_print_field("reason", record->reason[0] != '\0' ? record->reason : NULL);
    ei_print_field("mend", mend);
}

int ei_status_from_view(const struct ei_cli *cli, const char *login)
{
    struct ei_view_header header;
    struct ei_view_record record;
    struct ei_error err;
    bool found = false;
    char own[257] = "";
    enum ei_err reason = EI_OK;

    if (login == NULL) {
        const struct passwd *caller = getpwuid(getuid());
        if (caller == NULL || strlen(caller->pw_name) >= sizeof own) {
            ei_fail(&err, EI_NOT_FOUND, "uid %u has no login", (unsigned)getuid());
            ei_say_error("status", &err);
            return EI_EXIT_STATUS_ERROR;
        }
        memcpy(own, caller->pw_name, strlen(caller->pw_name) + 1);
        login = own;
    }
    enum ei_view_status status = look_up(cli, login, &header, &record, &found);
    if (status != EI_VIEW_OK)
        return say_view_error(cli, ei_view_error(status), ei_view_status_text(status));
    if (header.not_after != 0 && ei_now() >= header.not_after)
        return say_view_error(cli, EI_VIEW_STALE, "entra-invited has not refreshed it for too long");
    if (!found) {
        ei_fail(&err, EI_NOT_FOUND, "%s", "nothing is recorded for this login");
        return ei_say_error(login, &err);
    }
    if (ei_state_name(record.state) == NULL)
        return say_view_error(cli, EI_VIEW_VERSION, "a state that this version does not know");
    bool known = record.reason[0] != '\0' && ei_err_from_name(record.reason, &reason);
    const char *mend = known ? ei_err_mend(reason) : NULL;
    if (cli->json)
        print_record_json(login, &record, mend);
    else
        print_record(cli, login, &record, mend);
    return ei_state_exit(ei_state_name(record.state));
}

/* --- who is in it --- */

static bool tell_login(void *context, const char *login)
{
    cJSON *list = context; /* NULL: printed at once */

    if (list != NULL)
        return ei_json_push(list, cJSON_CreateString(login));
    ei_print_text(login);
    putchar('\n');
    return true;
}

int ei_status_logins(const struct ei_cli *cli)
{
    cJSON *list = cli->json ? cJSON_CreateArray() : NULL;
    struct ei_view_header header;
    struct ei_view view;
    enum ei_view_status status = ei_view_open(cli->view_path, &view, &header);

    if (status == EI_VIEW_OK) {
        status = ei_view_each(&view, &header, tell_login, list);
        ei_view_close(&view);
    }
    if (status == EI_VIEW_OK && list != NULL)
        ei_print_json(list);
    cJSON_Delete(list);
    return status == EI_VIEW_OK ? EI_EXIT_DONE
                                : say_view_error(cli, ei_view_error(status), ei_view_status_text(status));
}

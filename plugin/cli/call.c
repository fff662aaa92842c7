/* Asking the worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/ipc/client.h"
#include "plugin/cli/cli.h"

enum { TARGET_MAX = 320 }; /* bytes: an address of 64 + "@" + 255 (RFC 5321); logins are shorter */

bool ei_call(const struct ei_cli *cli, const char *method, cJSON *parameters, int timeout_ms, const char *what,
             cJSON **ret_reply, int *ret_exit)
{
    struct ei_error err;

    ei_error_clear(&err);
    enum ei_err result = ei_client_call(cli->socket_path, method, parameters, timeout_ms, ret_reply, &err);
    cJSON_Delete(parameters);
    if (result == EI_OK)
        return true;
    *ret_exit = ei_say_error(what, &err);
    return false;
}

void ei_add_text(cJSON *parameters, const char *name, const char *text)
{
    if (text != NULL)
        ei_json_add_text(parameters, name, text);
}

void ei_add_requested_by(cJSON *parameters)
{
    char by[EI_REQUESTER_SIZE];

    ei_client_requester(getenv("SUDO_UID"), by);
    ei_add_text(parameters, "requestedBy", by);
}

void ei_add_requester(cJSON *parameters)
{
    char login[EI_REQUESTER_SIZE];

    ei_add_requested_by(parameters);
    ei_client_requester_login(getenv("SUDO_UID"), login);
    ei_add_text(parameters, "requester", login[0] != '\0' ? login : NULL);
}

cJSON *ei_target(const struct ei_args *args, const char *target)
{
    if (*target == '\0' || strlen(target) > TARGET_MAX || !ei_utf8_printable(target)) {
        ei_usage_error(args->verb, "'%.64s': not a login or an address (1 to %d bytes of UTF-8, no control characters)",
                       target, TARGET_MAX);
        return NULL;
    }
    cJSON *parameters = cJSON_CreateObject();
    ei_add_text(parameters, "target", target);
    return parameters;
}

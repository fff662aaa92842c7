#include "common/graph/user.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/json.h"

bool ei_user_read(const cJSON *json, struct ei_graph_user *user)
{
    const char *id = ei_json_string(json, "id");
    const char *changed = ei_json_string(json, "externalUserStateChangeDateTime");

    if (id == NULL || !ei_guid_valid(id))
        return false;
    *user = (struct ei_graph_user){
        .id = id,
        .user_principal_name = ei_json_string(json, "userPrincipalName"),
        .display_name = ei_json_string(json, "displayName"),
        .mail = ei_json_string(json, "mail"),
        .user_type = ei_json_string(json, "userType"),
        .creation_type = ei_json_string(json, "creationType"),
        .external_user_state = ei_json_string(json, "externalUserState"),
        .has_external_user_state = ei_json_has(json, "externalUserState"),
        .has_account_enabled = cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(json, "accountEnabled")),
        .account_enabled = ei_json_bool(json, "accountEnabled", false),
    };
    if (changed == NULL || !ei_time_parse(changed, &user->external_user_state_changed))
        user->external_user_state_changed = 0;
    return true;
}

enum ei_err ei_user_path(char path[EI_USER_PATH_MAX], const char *prefix, const char *id, const char *suffix,
                         struct ei_error *err)
{
    if (id == NULL || !ei_guid_valid(id))
        return ei_fail(err, EI_USAGE, "\"%.64s\" is not the id of a user object", id != NULL ? id : "");
    snprintf(path, EI_USER_PATH_MAX, "%s%s%s", prefix, id, suffix);
    return EI_OK;
}

#include "common/graph/user.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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
        .other_mails = ei_json_array(json, "otherMails"),
        .proxy_addresses = ei_json_array(json, "proxyAddresses"),
    };
    if (changed == NULL || !ei_time_parse(changed, &user->external_user_state_changed))
        user->external_user_state_changed = 0;
    return true;
}

bool ei_graph_user_has_external_name(const struct ei_graph_user *user)
{
    return user->user_principal_name != NULL && strstr(user->user_principal_name, "#EXT#") != NULL;
}

/* "SMTP:address" is the primary one, "smtp:address" another; other prefixes are no addresses of mail. */
static const char *mail_of_proxy(const char *proxy)
{
    return proxy != NULL && strncasecmp(proxy, "smtp:", 5) == 0 ? proxy + 5 : NULL;
}

static bool each_of(const cJSON *list, bool proxies, ei_graph_address_visit *visit, void *context)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const char *text = cJSON_GetStringValue(item);
        const char *address = proxies ? mail_of_proxy(text) : text;
        if (address != NULL && visit(context, address))
            return true;
    }
    return false;
}

bool ei_graph_user_addresses(const struct ei_graph_user *user, ei_graph_address_visit *visit, void *context)
{
    return (user->mail != NULL && visit(context, user->mail)) || each_of(user->other_mails, false, visit, context) ||
           each_of(user->proxy_addresses, true, visit, context);
}

enum ei_err ei_user_request(struct ei_graph *graph, const struct ei_request_spec *spec, const char *prefix,
                            const char *id, const char *suffix, ei_request_done *done, ei_request_done *refused,
                            void *context)
{
    char target[EI_USER_PATH_MAX];
    struct ei_request_spec named = *spec;
    struct ei_error err;

    if (id == NULL || !ei_guid_valid(id)) {
        ei_fail(&err, EI_USAGE, "\"%.64s\" is not the id of a user object", id != NULL ? id : "");
        return ei_request_start_failed(graph, &err, refused, context);
    }
    snprintf(target, sizeof target, "%s%s%s", prefix, id, suffix);
    named.target = target;
    return ei_request_start(graph, &named, done, context);
}

/* What the command line set for one person, over what the configuration says. */
#include <string.h>

#include "common/account/address.h"
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "plugin/worker/requests.h"

/* As ei_sponsor_read gives them. */
static enum ei_err take_sponsors(const cJSON *parameters, cJSON *overrides, struct ei_error *err)
{
    const cJSON *named = ei_json_array(parameters, "sponsors");
    char sponsor[EI_SPONSOR_SIZE];
    const cJSON *item;

    if (named == NULL)
        return EI_OK;
    enum ei_err rc = ei_sponsors_count((size_t)cJSON_GetArraySize(named), err);
    cJSON *list = cJSON_AddArrayToObject(overrides, "sponsors");
    cJSON_ArrayForEach(item, named)
    {
        const char *text = cJSON_GetStringValue(item);
        if (rc == EI_OK)
            rc = ei_sponsor_read(text != NULL ? text : "", sponsor, err);
        if (rc == EI_OK)
            ei_json_push(list, cJSON_CreateString(sponsor));
    }
    return rc;
}

/* sendMessage is Graph's own name for the two oldest channels. */
static enum ei_err take_channel(const struct ei_config *config, const cJSON *parameters, cJSON *overrides,
                                struct ei_error *err)
{
    const char *deliver = ei_json_string(parameters, "deliver");
    bool send = cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(parameters, "sendMessage"));
    enum ei_channel channel;
    struct ei_error why;

    if (deliver != NULL && send)
        return ei_fail(err, EI_USAGE, "deliver and sendMessage exclude each other");
    if (deliver != NULL && !ei_channel_from_name(deliver, &channel))
        return ei_fail(err, EI_USAGE, "deliver: \"%.60s\" is none of: none, microsoft, smtp, webhook", deliver);
    if (deliver != NULL && ei_channel_configured(config, channel, &why) != EI_OK)
        return ei_fail(err, EI_USAGE, "%s", why.message);
    if (deliver != NULL)
        ei_json_add_text(overrides, "deliver", deliver);
    if (send)
        cJSON_AddBoolToObject(overrides, "sendMessage", ei_json_bool(parameters, "sendMessage", false));
    return EI_OK;
}

/* Copies the settings among the parameters into one JSON object; NULL text where there are none. */
static enum ei_err take_overrides(const struct ei_config *config, const cJSON *parameters, char **ret_text,
                                  struct ei_error *err)
{
    static const char *const texts[] = {"displayName", "redirectUrl", "message", "language", "cc", "type", "rule"};
    cJSON *overrides = cJSON_CreateObject();
    const char *type = ei_json_string(parameters, "type");
    const char *cc = ei_json_string(parameters, "cc");
    const char *redirect = ei_json_string(parameters, "redirectUrl");
    const char *language = ei_json_string(parameters, "language");
    char checked[EI_ADDRESS_SIZE];
    enum ei_err rc = EI_OK;

    *ret_text = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == EI_OK; i++) {
        const char *value = ei_json_string(parameters, texts[i]);
        if (value != NULL && strlen(value) > EI_MESSAGE_BODY_MAX)
            rc = ei_fail(err, EI_USAGE, "%s: longer than %d bytes", texts[i], EI_MESSAGE_BODY_MAX);
        else if (value != NULL && !ei_utf8_text(value, strlen(value)))
            rc = ei_fail(err, EI_USAGE, "%s: not UTF-8 text, or with control characters in it", texts[i]);
        else if (value != NULL)
            ei_json_add_text(overrides, texts[i], value);
    }
    if (rc == EI_OK && type != NULL && strcmp(type, "guest") != 0 && strcmp(type, "member") != 0)
        rc = ei_fail(err, EI_USAGE, "type: \"%s\" is neither guest nor member", type);
    if (rc == EI_OK && redirect != NULL && !ei_redirect_url_valid(redirect))
        rc = ei_fail(err, EI_USAGE, "redirectUrl: \"%.100s\" is not an absolute https:// or http:// URL", redirect);
    if (rc == EI_OK && language != NULL && !ei_language_valid(language))
        rc = ei_fail(err, EI_USAGE, "language: \"%.30s\" is not a language such as \"en-US\"", language);
    if (rc == EI_OK && cc != NULL)
        rc = ei_address_check(cc, checked, err);
    if (rc == EI_OK)
        rc = take_sponsors(parameters, overrides, err);
    if (rc == EI_OK)
        rc = take_channel(config, parameters, overrides, err);
    if (rc == EI_OK && overrides->child != NULL) {
        *ret_text = ei_json_print(overrides);
        if (*ret_text == NULL)
            rc = ei_fail(err, EI_NOMEM, "no memory for the settings");
    }
    cJSON_Delete(overrides);
    return rc;
}

enum ei_err ei_request_settings(const struct ei_worker *w, const cJSON *parameters, char **ret_overrides,
                                struct ei_error *err)
{
    const char *rule = ei_json_string(parameters, "rule");

    *ret_overrides = NULL;
    if (rule != NULL && ei_config_rule(w->config, rule) == NULL)
        return ei_fail(err, EI_NOT_FOUND, "%s: the configuration has no such rule", rule);
    return take_overrides(w->config, parameters, ret_overrides, err);
}

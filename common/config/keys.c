#include "common/config/keys.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/source.h"

enum { PATH_TEXT = 256, KEYS_MAX = 96, NEAR = 3 };

static const struct ei_key credential_keys[] = {
    {"type", EI_KEY_STRING, 1, 0, NULL},
    {"file", EI_KEY_STRING, 1, 0, NULL},
    {"credential_name", EI_KEY_STRING, 1, 0, NULL},
    {"certificate", EI_KEY_STRING, 1, 0, NULL},
    {"passphrase_name", EI_KEY_STRING, 1, 0, NULL},
    {"endpoint", EI_KEY_STRING, 1, 0, NULL},
    {"identity_client_id", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key invitation_keys[] = {
    {"redirect_url", EI_KEY_STRING, 1, 0, NULL},
    {"user_type", EI_KEY_STRING, 1, 0, NULL},
    {"send_message", EI_KEY_BOOL, 0, 0, NULL},
    {"deliver", EI_KEY_STRING, 1, 0, NULL},
    {"message_body", EI_KEY_STRING, 0, 0, NULL},
    {"message_language", EI_KEY_STRING, 1, 0, NULL},
    {"cc", EI_KEY_LIST, 0, 0, NULL},
    {"sponsors", EI_KEY_LIST, 0, 0, NULL},
    {"message_body_file", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key rule_keys[] = {
    {"name", EI_KEY_STRING, 1, 0, NULL},          {"group", EI_KEY_STRING, 1, 0, NULL},
    {"email_domains", EI_KEY_LIST, 0, 0, NULL},   {"invitation", EI_KEY_GROUP, 0, 0, invitation_keys},
    {"entra_groups", EI_KEY_LIST, 0, 0, NULL},    {"on_account_removal", EI_KEY_STRING, 1, 0, NULL},
    {"existing", EI_KEY_STRING, 1, 0, NULL},      {"remind_after", EI_KEY_INT, 0, 3650, NULL},
    {"give_up_after", EI_KEY_INT, 0, 3650, NULL}, {"on_give_up", EI_KEY_STRING, 1, 0, NULL},
    {"tell_sponsors", EI_KEY_BOOL, 0, 0, NULL},   {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key smtp_keys[] = {
    {"url", EI_KEY_STRING, 1, 0, NULL},
    {"from", EI_KEY_STRING, 1, 0, NULL},
    {"reply_to", EI_KEY_STRING, 1, 0, NULL},
    {"tls", EI_KEY_STRING, 1, 0, NULL},
    {"user", EI_KEY_STRING, 1, 0, NULL},
    {"password_file", EI_KEY_STRING, 1, 0, NULL},
    {"password_name", EI_KEY_STRING, 1, 0, NULL},
    {"ca_file", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key webhook_keys[] = {
    {"url_file", EI_KEY_STRING, 1, 0, NULL},   {"url_name", EI_KEY_STRING, 1, 0, NULL},
    {"format", EI_KEY_STRING, 1, 0, NULL},     {"token_file", EI_KEY_STRING, 1, 0, NULL},
    {"token_name", EI_KEY_STRING, 1, 0, NULL}, {"ca_file", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key template_keys[] = {
    {"kind", EI_KEY_STRING, 1, 0, NULL}, {"rule", EI_KEY_STRING, 1, 0, NULL}, {"language", EI_KEY_STRING, 1, 0, NULL},
    {"file", EI_KEY_STRING, 1, 0, NULL}, {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key account_keys[] = {
    {"login", EI_KEY_STRING, 1, 0, NULL},
    {"email", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key requester_keys[] = {
    {"login", EI_KEY_STRING, 1, 0, NULL},
    {"upn", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

static const struct ei_key store_keys[] = {
    {"type", EI_KEY_STRING, 1, 0, NULL},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

const struct ei_key ei_config_table[] = {
    {"tenant", EI_KEY_STRING, 0, 0, NULL},
    {"client_id", EI_KEY_STRING, 0, 0, NULL},
    {"cloud", EI_KEY_STRING, 1, 0, NULL},
    {"login_url", EI_KEY_STRING, 1, 0, NULL},
    {"graph_url", EI_KEY_STRING, 1, 0, NULL},
    {"ca_file", EI_KEY_STRING, 1, 0, NULL},
    {"credential", EI_KEY_GROUP, 0, 0, credential_keys},
    {"invitation", EI_KEY_GROUP, 0, 0, invitation_keys},
    {"smtp", EI_KEY_GROUP, 0, 0, smtp_keys},
    {"webhook", EI_KEY_GROUP, 0, 0, webhook_keys},
    {"templates", EI_KEY_LIST, 0, 0, template_keys},
    {"rules", EI_KEY_LIST, 0, 0, rule_keys},
    {"accounts", EI_KEY_LIST, 0, 0, account_keys},
    {"requesters", EI_KEY_LIST, 0, 0, requester_keys},
    {"requester_domain", EI_KEY_STRING, 1, 0, NULL},
    {"refresh_interval", EI_KEY_INT, 5, 86400, NULL},
    {"hook_wait", EI_KEY_INT, 0, 60, NULL},
    {"max_new", EI_KEY_INT, 0, 1000000, NULL},
    {"max_age", EI_KEY_INT, 0, INT_MAX, NULL},
    {"minimum_uid", EI_KEY_INT, 1, INT_MAX, NULL},
    {"state_dir", EI_KEY_STRING, 1, 0, NULL},
    {"socket", EI_KEY_STRING, 1, 0, NULL},
    {"metrics_file", EI_KEY_STRING, 1, 0, NULL},
    {"store", EI_KEY_GROUP, 0, 0, store_keys},
    {NULL, EI_KEY_STRING, 0, 0, NULL},
};

/* --- messages --- */

/* "rules.[0].group", as an admin would look for it. */
static void path_of(const config_setting_t *setting, char path[PATH_TEXT])
{
    char below[PATH_TEXT];

    path[0] = '\0';
    while (setting != NULL && !config_setting_is_root(setting)) {
        const char *name = config_setting_name(setting);
        memcpy(below, path, sizeof below);
        const char *dot = below[0] != '\0' && below[0] != '[' ? "." : "";
        if (name != NULL)
            snprintf(path, PATH_TEXT, "%.60s%s%.180s", name, dot, below);
        else
            snprintf(path, PATH_TEXT, "[%d]%s%.180s", config_setting_index(setting), dot, below);
        setting = config_setting_parent(setting);
    }
}

enum ei_err ei_keys_no_memory(struct ei_error *err)
{
    return ei_fail(err, EI_NOMEM, "no memory for the configuration");
}

enum ei_err ei_keys_fail(const config_setting_t *setting, struct ei_error *err, const char *format, ...)
{
    char path[PATH_TEXT];
    char what[EI_MESSAGE_MAX];
    char file[EI_SOURCE_NAME];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (length < 0)
        what[0] = '\0';
    path_of(setting, path);
    ei_source_name(setting, file);
    return ei_fail(err, EI_CONFIG, "%.150s:%u: %s%s%.250s", file, config_setting_source_line(setting), path,
                   path[0] != '\0' ? ": " : "", what);
}

/* How many single-character edits lie between two names; small words, so the plain method will do. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[KEYS_MAX];
    size_t width = strlen(b);

    if (width >= KEYS_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width; j++) {
            unsigned above = row[j];
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned step = (above < row[j - 1] ? above : row[j - 1]) + 1;
            row[j] = change < step ? change : step;
            diagonal = above;
        }
    }
    return row[width];
}

/* The group that has a key of this name, for one that was written a level too high or too low. */
static const char *group_with(const char *name)
{
    for (const struct ei_key *key = ei_config_table; key->name != NULL; key++) {
        for (const struct ei_key *m = key->members; m != NULL && m->name != NULL; m++) {
            if (strcmp(m->name, name) == 0)
                return key->name;
        }
    }
    return NULL;
}

static enum ei_err unknown_key(const config_setting_t *setting, const struct ei_key *keys, struct ei_error *err)
{
    const char *name = config_setting_name(setting);
    const char *nearest = NULL;
    unsigned best = (unsigned)strlen(name) / 2 < NEAR ? (unsigned)strlen(name) / 2 : NEAR;

    for (const struct ei_key *key = keys; key->name != NULL; key++) {
        unsigned d = distance(name, key->name);
        if (d <= best && (nearest == NULL || d < best)) {
            best = d;
            nearest = key->name;
        }
    }
    if (nearest != NULL)
        return ei_keys_fail(setting, err, "there is no such key; is %s meant?", nearest);
    if (group_with(name) != NULL)
        return ei_keys_fail(setting, err, "there is no such key here; it belongs into %s", group_with(name));
    return ei_keys_fail(setting, err, "there is no such key in this version; entra-invite.conf(5) has them all");
}

/* --- checking --- */

static enum ei_err check_group(const config_setting_t *group, const struct ei_key *keys, struct ei_error *err);

static enum ei_err check_list(const config_setting_t *list, const struct ei_key *key, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    for (int i = 0; i < config_setting_length(list) && rc == EI_OK; i++) {
        const config_setting_t *item = config_setting_get_elem(list, (unsigned)i);
        if (key->members == NULL && config_setting_type(item) != CONFIG_TYPE_STRING)
            rc = ei_keys_fail(item, err, "must be a string in quotes");
        else if (key->members != NULL && !config_setting_is_group(item))
            rc = ei_keys_fail(item, err, "must be a group: { ... }");
        else if (key->members != NULL)
            rc = check_group(item, key->members, err);
    }
    return rc;
}

static enum ei_err check_value(const config_setting_t *setting, const struct ei_key *key, struct ei_error *err)
{
    int type = config_setting_type(setting);

    switch (key->type) {
    case EI_KEY_STRING:
        if (type != CONFIG_TYPE_STRING)
            return ei_keys_fail(setting, err, "must be a string in quotes");
        if (config_setting_get_string(setting) == NULL) /* libconfig does not look whether it had memory for a text */
            return ei_keys_no_memory(err);
        if (key->minimum == 1 && config_setting_get_string(setting)[0] == '\0')
            return ei_keys_fail(setting, err, "must not be empty; leave the key out for its default");
        return EI_OK;
    case EI_KEY_INT: {
        if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
            return ei_keys_fail(setting, err, "must be a whole number");
        long long value = config_setting_get_int64(setting);
        if (value < key->minimum || value > key->maximum)
            return ei_keys_fail(setting, err, "%lld is out of range: %d to %d", value, key->minimum, key->maximum);
        return EI_OK;
    }
    case EI_KEY_BOOL:
        return type == CONFIG_TYPE_BOOL ? EI_OK : ei_keys_fail(setting, err, "must be true or false");
    case EI_KEY_LIST:
        if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY)
            return ei_keys_fail(setting, err, "must be a list: ( ... )");
        return check_list(setting, key, err);
    case EI_KEY_GROUP:
        if (type != CONFIG_TYPE_GROUP)
            return ei_keys_fail(setting, err, "must be a group: { ... }");
        return check_group(setting, key->members, err);
    }
    return EI_OK;
}

static enum ei_err check_group(const config_setting_t *group, const struct ei_key *keys, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    for (int i = 0; i < config_setting_length(group) && rc == EI_OK; i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const struct ei_key *key = keys;
        const char *name = config_setting_name(setting);
        if (name == NULL) /* nor for a name */
            return ei_keys_no_memory(err);
        while (key->name != NULL && strcmp(key->name, name) != 0)
            key++;
        rc = key->name != NULL ? check_value(setting, key, err) : unknown_key(setting, keys, err);
    }
    return rc;
}

enum ei_err ei_keys_check(const config_setting_t *root, struct ei_error *err)
{
    return check_group(root, ei_config_table, err);
}

/* --- for the manual's test --- */

const char *const *ei_config_keys(void)
{
    static char names[KEYS_MAX][PATH_TEXT];
    static const char *list[KEYS_MAX + 1];
    size_t count = 0;

    for (const struct ei_key *key = ei_config_table; key->name != NULL && count < KEYS_MAX; key++) {
        if (key->members == NULL) {
            snprintf(names[count], PATH_TEXT, "%s", key->name);
            list[count] = names[count];
            count++;
        }
        for (const struct ei_key *m = key->members; m != NULL && m->name != NULL && count < KEYS_MAX; m++) {
            snprintf(names[count], PATH_TEXT, "%s.%s", key->name, m->name);
            list[count] = names[count];
            count++;
        }
    }
    list[count] = NULL;
    return list;
}

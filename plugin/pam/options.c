#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "common/base/paths.h"
#include "plugin/pam/module.h"

enum { MINIMUM_UID = 1000 };

/* The part of arg behind "name=", NULL if it is another option. */
static const char *value_of(const char *arg, const char *name)
{
    size_t length = strlen(name);
    return strncmp(arg, name, length) == 0 && arg[length] == '=' ? arg + length + 1 : NULL;
}

static bool set_groups(const char *value, struct ei_pam_options *options)
{
    char groups[EI_VIEW_GROUPS_SIZE] = {0};
    size_t length = 0;

    for (; *value != '\0'; value++) {
        if (length >= sizeof groups - 2)
            return false;
        if (*value != ',')
            groups[length++] = *value;
        else if (length > 0 && groups[length - 1] != '\0')
            groups[length++] = '\0';
    }
    if (length == 0)
        return false;
    memcpy(options->groups, groups, sizeof groups);
    options->has_groups = true;
    return true;
}

/* A view elsewhere has its groups file beside it. */
static bool set_view(const char *value, struct ei_pam_options *options)
{
    static const char name[] = "groups";
    const char *slash = strrchr(value, '/');
    size_t directory = slash == NULL ? 0 : (size_t)(slash - value) + 1;

    if (value[0] != '/' || strlen(value) >= sizeof options->view ||
        directory + sizeof name > sizeof options->groups_file)
        return false;
    memcpy(options->view, value, strlen(value) + 1);
    memcpy(options->groups_file, value, directory);
    memcpy(options->groups_file + directory, name, sizeof name);
    return true;
}

static bool set_minimum_uid(const char *value, struct ei_pam_options *options)
{
    char *end;

    if (value[0] < '0' || value[0] > '9')
        return false;
    unsigned long uid = strtoul(value, &end, 10);
    if (*end != '\0' || uid >= UINT32_MAX)
        return false;
    options->minimum_uid = (uint32_t)uid;
    return true;
}

static bool set_pending(const char *value, struct ei_pam_options *options)
{
    options->warn_only = strcmp(value, "warn") == 0;
    return options->warn_only || strcmp(value, "deny") == 0;
}

static bool take(const char *arg, struct ei_pam_options *options)
{
    const char *value;

    if ((value = value_of(arg, "groups")) != NULL)
        return set_groups(value, options);
    if ((value = value_of(arg, "view")) != NULL)
        return set_view(value, options);
    if ((value = value_of(arg, "minimum_uid")) != NULL)
        return set_minimum_uid(value, options);
    if ((value = value_of(arg, "pending")) != NULL)
        return set_pending(value, options);
    if (strcmp(arg, "quiet") == 0)
        return options->quiet = true;
    return false;
}

void ei_pam_options(pam_handle_t *pamh, int argc, const char **argv, struct ei_pam_options *options)
{
    memset(options, 0, sizeof *options);
    memcpy(options->view, EI_VIEW_PATH, sizeof EI_VIEW_PATH);
    memcpy(options->groups_file, EI_GROUPS_PATH, sizeof EI_GROUPS_PATH);
    options->minimum_uid = MINIMUM_UID;
    for (int i = 0; i < argc; i++)
        if (!take(argv[i], options))
            pam_syslog(pamh, LOG_ERR, "option not understood and not used: %s; see pam_entra_invite(8)", argv[i]);
}

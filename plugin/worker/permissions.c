#include "plugin/worker/permissions.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/ipc/finding.h"

enum { ANY_MAX = 7 };

/* What is done with Graph, and the permissions of which one is enough, the least first. */
struct need {
    const char *check; /* NULL: told elsewhere, and only known to be of use */
    const char *what;
    const char *any[ANY_MAX];
    const char *least; /* what to ask for */
    bool (*wanted)(const struct ei_config *config);
    const char *without; /* what then does not work */
    bool optional;       /* wanted, but done without where it is refused */
};

static bool always(const struct ei_config *config)
{
    (void)config;
    return true;
}

static bool removes_by(const struct ei_config *config, enum ei_removal removal)
{
    for (size_t i = 0; i < config->rule_count; i++)
        if (config->rules[i].on_account_removal == removal)
            return true;
    return false;
}

static bool disables(const struct ei_config *config)
{
    return removes_by(config, EI_REMOVAL_DISABLE);
}

static bool has_sponsors(const struct ei_config *config)
{
    for (size_t i = 0; i < config->rule_count; i++)
        if (config->rules[i].invitation.sponsors.count != 0)
            return true;
    return false;
}

static bool uses_groups(const struct ei_config *config)
{
    for (size_t i = 0; i < config->rule_count; i++)
        if (config->rules[i].entra_groups.count != 0)
            return true;
    return false;
}

static bool deletes(const struct ei_config *config)
{
    return removes_by(config, EI_REMOVAL_DELETE);
}

/* wanted NULL: asked for by hand only, or done without if it is refused; its absence is no fault. */
static const struct need needs[] = {
    {
        .check = "permission-invite",
        .what = "inviting guests",
        .any = {"User.Invite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
        .least = "User.Invite.All",
        .wanted = always,
        .without = "nobody is invited",
    },
    {
        .check = "permission-status",
        .what = "seeing who has redeemed",
        .any = {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
        .least = "User.Read.All",
        .wanted = always,
        .without = "invitations go out, but the gate never opens",
    },
    {
        .check = "permission-domains",
        .what = "knowing the tenant's own domains",
        .any = {"Organization.Read.All", "Domain.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"},
        .least = "Organization.Read.All or Domain.Read.All",
        .without = "addresses of the tenant's own domains are refused by Microsoft only",
    },
    {
        .check = "permission-disable",
        .what = "on_account_removal = \"disable\"",
        .any = {"User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
        .least = "User.EnableDisableAccount.All beside User.Read.All (or User.ReadWrite.All)",
        .wanted = disables,
        .without = "guests whose accounts are gone stay enabled",
    },
    {
        .check = "permission-delete",
        .what = "on_account_removal = \"delete\"",
        .any = {"User.ReadWrite.All", "User.DeleteRestore.All", "Directory.ReadWrite.All"},
        .least = "User.ReadWrite.All",
        .wanted = deletes,
        .without = "guests whose accounts are gone stay in the tenant",
    },
    {
        .check = "permission-groups",
        .what = "entra_groups",
        .any = {"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"},
        .least = "GroupMember.ReadWrite.All",
        .wanted = uses_groups,
        .without = "guests do not become members",
    },
    {
        .check = "permission-sponsors",
        .what = "adding sponsors afterwards, where Microsoft left them out",
        .any = {"User.ReadWrite.All", "Directory.ReadWrite.All"},
        .least = "User.ReadWrite.All",
        .wanted = has_sponsors,
        .without = "a guest may be left without",
        .optional = true,
    },
    {
        .check = "permission-change",
        .what = "reset, restore, remove --delete",
        .any = {"User.ReadWrite.All", "Directory.ReadWrite.All"},
        .least = "User.ReadWrite.All",
        .without = "these commands are refused by Microsoft",
    },
    {
        .any = {"Policy.Read.All"}, /* for invite-policy of request_doctor.c */
    },
};
enum { NEEDS = sizeof needs / sizeof needs[0] };
_Static_assert(sizeof needs / sizeof needs[0] <= EI_PERMISSIONS_MAX, "each need may be one permission");

size_t ei_permissions_least(const struct ei_config *config, struct ei_permission permissions[EI_PERMISSIONS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < NEEDS; i++)
        if (needs[i].wanted != NULL && needs[i].wanted(config))
            permissions[count++] = (struct ei_permission){.name = needs[i].any[0], .what = needs[i].what};
    return count;
}

/* What every sign-in carries, and what is asked for so that it can be renewed. */
static const char *const harmless[] = {"openid", "profile", "email", "offline_access", "User.Read"};

static bool has(const cJSON *names, const char *name)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, names)
    {
        const char *found = cJSON_GetStringValue(item);
        if (ei_text_same(found, name))
            return true;
    }
    return false;
}

/* The first of the list that the token has, NULL if none. */
static const char *granted(const cJSON *names, const struct need *need, bool delegated)
{
    for (size_t i = 0; i < ANY_MAX && need->any[i] != NULL; i++)
        if (has(names, need->any[i]))
            return need->any[i];
    /* A user may always read the domains of their own organisation (contract 3). */
    if (delegated && ei_text_same(need->check, "permission-domains") && has(names, "User.Read"))
        return "User.Read";
    return NULL;
}

static void judge(const struct ei_config *config, const cJSON *names, bool delegated, const struct need *need,
                  cJSON *findings)
{
    const struct ei_check check = {"permissions", need->check};
    const char *kind = delegated ? "delegated" : "application";
    bool wanted = need->wanted != NULL && need->wanted(config);
    const char *by = names != NULL ? granted(names, need, delegated) : NULL;
    char mend[256];

    if (need->check == NULL || (need->wanted != NULL && !wanted))
        return;
    snprintf(mend, sizeof mend, "add the %s permission %s to the app and grant admin consent, then entra-invite %s",
             kind, need->least, delegated ? "login" : "refresh");
    if (names == NULL)
        ei_finding_add(findings, check, EI_FINDING_SKIPPED, NULL, "%s needs %s; the token does not tell what it has",
                       need->what, need->least);
    else if (by != NULL)
        ei_finding_add(findings, check, EI_FINDING_OK, NULL, "%s: by %s", need->what, by);
    else
        ei_finding_add(findings, check, wanted && !need->optional ? EI_FINDING_FAILED : EI_FINDING_SKIPPED, mend,
                       "%s needs %s: %s", need->what, need->least, need->without);
}

static bool is_harmless(const char *name)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (strcmp(harmless[i], name) == 0)
            return true;
    return false;
}

/* Whether something that is done here is done by this permission, and by none that is less. */
static bool is_used(const struct ei_config *config, const cJSON *names, bool delegated, const char *name)
{
    for (size_t i = 0; i < NEEDS; i++) {
        const char *by = granted(names, &needs[i], delegated);
        if ((needs[i].wanted == NULL || needs[i].wanted(config)) && ei_text_same(by, name))
            return true;
    }
    return false;
}

/* Whoever has the credential has all that the app may do. Directory.* is never the least of anything here. */
static void judge_excess(const struct ei_config *config, const cJSON *names, bool delegated, cJSON *findings)
{
    static const struct ei_check check = {"permissions", "permission-excess"};
    char list[512] = "";
    const cJSON *item;

    cJSON_ArrayForEach(item, names)
    {
        const char *name = cJSON_GetStringValue(item);
        bool broad = name != NULL && strncmp(name, "Directory.", strlen("Directory.")) == 0;
        size_t used = strlen(list);
        if (name != NULL && !is_harmless(name) && (broad || !is_used(config, names, delegated, name)))
            snprintf(list + used, sizeof list - used, "%s%s", used != 0 ? ", " : "", name);
    }
    if (list[0] != '\0')
        ei_finding_add(findings, check, EI_FINDING_WARNING,
                       "remove it from the app's API permissions in Entra: whoever gets the credential has it too",
                       "more than needed: %s", list);
    else if (names != NULL)
        ei_finding_add(findings, check, EI_FINDING_OK, NULL, "the app has no permission that is not needed");
}

void ei_permissions_judge(const struct ei_config *config, const cJSON *names, bool delegated, cJSON *findings)
{
    for (size_t i = 0; i < NEEDS; i++)
        judge(config, names, delegated, &needs[i], findings);
    judge_excess(config, names, delegated, findings);
}

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/pam/module.h"

enum {
    PASSWD_MAX = 1 << 20,
    GROUP_TEXT = 4096,
    GROUP_MAX = 1 << 24, /* a line of /etc/group with a million members */
    GROUPS_ON_STACK = 256,
    GROUPS_MAX = 1 << 20,
};

/*
 * The PAM code where a look-up failed for want of memory or descriptors, PAM_SUCCESS where it failed otherwise. The
 * limits of whoever called must not decide who gets in (S1, S24).
 */
static int resource_code(int error)
{
    switch (error) {
    case ENOMEM:
    case ERANGE: /* larger than what is reasonable to hold */
        return PAM_BUF_ERR;
    case EMFILE:
    case ENFILE:
        return PAM_SYSTEM_ERR;
    default:
        return PAM_SUCCESS;
    }
}

static int account_code(int error)
{
    switch (error) {
    case 0:
    case ENOENT: /* these too are "not found" to one system or another: getpwnam(3) */
    case ESRCH:
    case EBADF:
    case EPERM:
        return PAM_USER_UNKNOWN;
    default:
        return resource_code(error) != PAM_SUCCESS ? resource_code(error) : PAM_SYSTEM_ERR;
    }
}

int ei_pam_account_get(const char *login, struct ei_pam_account *account)
{
    struct passwd *found = NULL;

    account->more = NULL;
    int error = getpwnam_r(login, &account->entry, account->text, sizeof account->text, &found);
    if (error == ERANGE) {
        account->more = malloc(PASSWD_MAX);
        if (account->more == NULL)
            return PAM_BUF_ERR;
        error = getpwnam_r(login, &account->entry, account->more, PASSWD_MAX, &found);
    }
    return found != NULL ? PAM_SUCCESS : account_code(error);
}

void ei_pam_account_clear(struct ei_pam_account *account)
{
    free(account->more);
    account->more = NULL;
}

/* What is found out about a covered group. */
struct covered_group {
    bool known; /* false: there is no such group, as far as its sources can be asked */
    gid_t gid;
    bool has_login; /* its entry names the login; false says nothing, as not every directory lists members */
};

static bool lists(char *const *members, const char *login)
{
    for (; members != NULL && *members != NULL; members++)
        if (strcmp(*members, login) == 0)
            return true;
    return false;
}

/* A group that does not resolve has no members on this host either; a directory that is down must not shut out the
 * local accounts. */
static int find_group(const char *name, const char *login, struct covered_group *group)
{
    char text[GROUP_TEXT], *more = NULL;
    struct group entry, *found = NULL;

    int error = getgrnam_r(name, &entry, text, sizeof text, &found);
    if (error == ERANGE) {
        more = malloc(GROUP_MAX);
        if (more == NULL)
            return PAM_BUF_ERR;
        error = getgrnam_r(name, &entry, more, GROUP_MAX, &found);
    }
    group->known = found != NULL;
    if (found != NULL) {
        group->gid = entry.gr_gid;
        group->has_login = lists(entry.gr_mem, login);
    }
    free(more);
    return found != NULL ? PAM_SUCCESS : resource_code(error);
}

static bool holds(const gid_t *gids, int count, gid_t gid)
{
    for (int i = 0; i < count; i++)
        if (gids[i] == gid)
            return true;
    return false;
}

/* Whether one of wanted is a group of the account. */
static int compare_groups(const struct passwd *entry, const gid_t *wanted, int wanted_count, bool *ret_member)
{
    gid_t on_stack[GROUPS_ON_STACK], *gids = on_stack, *more = NULL;
    int count = GROUPS_ON_STACK;
    int code = PAM_SUCCESS;

    int got = getgrouplist(entry->pw_name, entry->pw_gid, gids, &count);
    if (got < 0 && count > GROUPS_ON_STACK && count <= GROUPS_MAX) {
        more = malloc((size_t)count * sizeof *more);
        if (more != NULL) {
            gids = more;
            got = getgrouplist(entry->pw_name, entry->pw_gid, gids, &count);
        }
    }
    if (got < 0)
        code = PAM_BUF_ERR; /* glibc fails for want of memory only, now that the room suffices */
    for (int i = 0; i < got && !*ret_member; i++)
        *ret_member = holds(wanted, wanted_count, gids[i]);
    free(more);
    return code;
}

int ei_pam_in_groups(const struct passwd *entry, const char *groups, bool *ret_member)
{
    gid_t wanted[EI_VIEW_GROUPS_SIZE / 2];
    int count = 0;

    *ret_member = false;
    /* The names first: without memory or descriptors they fail with an error, while getgrouplist quietly finds fewer
     * groups. So a member that the group's own entry names is not left to it (S1). */
    for (const char *name = groups; *name != '\0'; name += strlen(name) + 1) {
        struct covered_group group = {.known = false};
        int code = find_group(name, entry->pw_name, &group);
        if (code != PAM_SUCCESS)
            return code;
        *ret_member |= group.has_login;
        if (group.known)
            wanted[count++] = group.gid;
    }
    *ret_member |= holds(wanted, count, entry->pw_gid);
    return count == 0 || *ret_member ? PAM_SUCCESS : compare_groups(entry, wanted, count, ret_member);
}

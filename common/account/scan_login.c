/* One login, now: what a hook or PAM announces is looked at without a reading of everything. */
#include <stdlib.h>
#include <string.h>

#include "common/account/scan.h"
#include "common/account/scan_file.h"
#include "common/base/paths.h"

static const char *path_or(const char *path, const char *otherwise)
{
    return path != NULL ? path : otherwise;
}

static enum ei_err fill(const struct passwd *pw, struct ei_entry *entry, gid_t *ret_gid)
{
    *entry = (struct ei_entry){.uid = pw->pw_uid, .rule = -1, .local = true};
    entry->login = strdup(pw->pw_name);
    entry->gecos = strdup(pw->pw_gecos != NULL ? pw->pw_gecos : "");
    *ret_gid = pw->pw_gid;
    return entry->login != NULL && entry->gecos != NULL ? EI_OK : EI_NOMEM;
}

static enum ei_err find_local(const char *path, const char *login, struct ei_entry *entry, gid_t *ret_gid)
{
    struct ei_account_file file;
    struct passwd pw;
    enum ei_err rc = ei_account_file_read(path, EI_PASSWD_FILE, &file);

    if (rc != EI_OK)
        return rc;
    rc = EI_NOT_FOUND;
    while (rc == EI_NOT_FOUND && ei_account_file_passwd(&file, &pw))
        if (strcmp(pw.pw_name, login) == 0)
            rc = fill(&pw, entry, ret_gid);
    ei_account_file_close(&file);
    return rc;
}

static bool is_member(const struct group *gr, const char *login)
{
    for (char **member = gr->gr_mem; *member != NULL; member++)
        if (strcmp(*member, login) == 0)
            return true;
    return false;
}

/* A rule's group in the local file: its first line gives the gid, every line with that gid gives members. */
static bool covered_locally(struct ei_account_file *file, const char *group, const struct ei_entry *entry, gid_t gid)
{
    struct group gr;
    gid_t group_gid = 0;
    bool found = false;
    bool member = false;

    ei_account_file_rewind(file);
    while (!found && ei_account_file_group(file, &gr)) {
        found = strcmp(gr.gr_name, group) == 0;
        group_gid = gr.gr_gid;
    }
    if (!found)
        return false;
    ei_account_file_rewind(file);
    while (!member && ei_account_file_group(file, &gr))
        member = gr.gr_gid == group_gid && is_member(&gr, entry->login);
    return member || (entry->local && gid == group_gid);
}

static enum ei_err find_rule(const struct ei_coverage *coverage, const char *path, struct ei_entry *entry, gid_t gid)
{
    struct ei_account_file file;
    enum ei_err rc = ei_account_file_read(path, EI_GROUP_FILE, &file);

    if (rc != EI_OK)
        return rc;
    for (size_t r = 0; r < coverage->count; r++) {
        if (covered_locally(&file, coverage->groups[r], entry, gid)) {
            entry->rule = (int)r;
            break;
        }
    }
    ei_account_file_close(&file);
    return rc;
}

static enum ei_err read_trust(const char *path, bool *ret_first_trusted)
{
    struct ei_account_file file;
    enum ei_err rc = ei_account_file_read(path, EI_TEXT_FILE, &file);

    if (rc != EI_OK)
        return rc;
    *ret_first_trusted = ei_account_file_trusts_first(&file);
    ei_account_file_close(&file);
    return EI_OK;
}

enum ei_err ei_scan_login(const struct ei_coverage *coverage, const struct ei_scan_files *files, const char *login,
                          struct ei_entry *ret_entry, bool *ret_first_trusted, struct ei_error *err)
{
    static const struct ei_scan_files defaults = {0};
    gid_t gid = 0;

    if (files == NULL)
        files = &defaults;
    *ret_entry = (struct ei_entry){.rule = -1};
    enum ei_err rc = find_local(path_or(files->passwd, EI_PASSWD_PATH), login, ret_entry, &gid);
    if (rc == EI_OK)
        rc = read_trust(path_or(files->login_defs, EI_LOGIN_DEFS_PATH), ret_first_trusted);
    if (rc == EI_OK && ei_scan_uid(coverage, ret_entry->uid))
        rc = find_rule(coverage, path_or(files->group, EI_GROUP_PATH), ret_entry, gid);
    if (rc != EI_OK)
        ei_entry_clear(ret_entry);
    if (rc == EI_NOT_FOUND)
        ei_fail(err, rc, "%s: there is no such local account", login);
    if (rc == EI_NOMEM)
        ei_fail(err, rc, "%s: no memory to look at it", login);
    return rc;
}

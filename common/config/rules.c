#include "common/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "common/base/guid.h"
#include "common/config/keys.h"
#include "common/config/read.h"

/* GROUPS_MAX: what the view's header and the PAM module have room for. */
enum { GROUPS_MAX = 1000, NAME_MAX_LENGTH = 64 };

/* What groupadd and useradd take, and what directories behind SSSD give. */
static bool host_name_good(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr(":,/", *c) != NULL)
            return false;
    return strlen(name) <= NAME_MAX_LENGTH && name[0] != '-' && name[0] != '+';
}

static enum ei_err check_rule_group(const config_setting_t *group, const char *name, struct ei_error *err)
{
    /* Whoever could be invited into these would own the host. */
    static const char *const forbidden[] = {"root", "sudo", "wheel", "adm"};
    const config_setting_t *setting = config_setting_get_member(group, "group");

    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (strcmp(name, forbidden[i]) == 0)
            return ei_keys_fail(setting, err, "the group %s is never for collaborators; use a group of their own",
                                name);
    if (!host_name_good(name))
        return ei_keys_fail(setting, err, "\"%.80s\" is not a group's name", name);
    return EI_OK;
}

static enum ei_err read_domains(const config_setting_t *group, struct ei_strings *domains, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(group, "email_domains");
    char domain[EI_ADDRESS_SIZE];
    struct ei_error why;

    enum ei_err rc = ei_read_strings(list, domains, err);
    for (size_t i = 0; i < domains->count && rc == EI_OK; i++) {
        if (ei_domain_normalize(domains->items[i], domain, sizeof domain, &why) != EI_OK)
            return ei_keys_fail(config_setting_get_elem(list, (unsigned)i), err, "%s", why.message);
        char *copy = strdup(domain);
        if (copy == NULL)
            return ei_keys_no_memory(err);
        free(domains->items[i]);
        domains->items[i] = copy;
    }
    return rc;
}

static enum ei_err read_entra_groups(const config_setting_t *group, struct ei_strings *groups, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(group, "entra_groups");

    enum ei_err rc = ei_read_strings(list, groups, err);
    for (size_t i = 0; i < groups->count && rc == EI_OK; i++)
        if (!ei_guid_valid(groups->items[i]))
            rc =
                ei_keys_fail(config_setting_get_elem(list, (unsigned)i), err,
                             "\"%.80s\" is not the object id of a group in Entra; names are not taken, they can change",
                             groups->items[i]);
    return rc;
}

static enum ei_err check_rule_name(const struct ei_config *c, const config_setting_t *group, const char *name,
                                   struct ei_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const config_setting_t *setting = config_setting_get_member(group, "name");

    if (strspn(name, allowed) != strlen(name) || strlen(name) > NAME_MAX_LENGTH)
        return ei_keys_fail(setting, err, "\"%.80s\": a rule's name has letters, digits and . _ - only, at most %d",
                            name, NAME_MAX_LENGTH);
    if (ei_config_rule(c, name) != NULL)
        return ei_keys_fail(setting, err, "there are two rules \"%s\"", name);
    return EI_OK;
}

/* How long a pending invitation is waited for. */
static enum ei_err read_patience(const config_setting_t *group, struct ei_rule *rule, struct ei_error *err)
{
    const config_setting_t *end = config_setting_get_member(group, "on_give_up");
    const config_setting_t *tell = config_setting_get_member(group, "tell_sponsors");

    rule->tell_sponsors = tell != NULL && config_setting_get_bool(tell);
    rule->remind_after = ei_read_number(group, "remind_after", 0);
    rule->give_up_after = ei_read_number(group, "give_up_after", 0);
    if (rule->tell_sponsors && rule->remind_after == 0 && rule->give_up_after == 0)
        return ei_keys_fail(tell, err, "has no effect without remind_after or give_up_after");
    if (end != NULL && rule->give_up_after == 0)
        return ei_keys_fail(end, err, "has no effect without give_up_after");
    if (rule->give_up_after != 0 && rule->remind_after >= rule->give_up_after)
        return ei_keys_fail(config_setting_get_member(group, "remind_after"), err,
                            "must be less than give_up_after (%d days), or nobody is ever reminded",
                            rule->give_up_after);
    return EI_OK;
}

static enum ei_err read_rule(const config_setting_t *group, struct ei_config *c, struct ei_rule *rule,
                             struct ei_error *err)
{
    static const char *const removals[] = {"keep", "disable", "delete", NULL};
    static const char *const existing[] = {"hold", "invite", NULL};
    int removal = 0;
    int invite = 0;
    int gone = 0;

    if (config_setting_get_member(group, "name") == NULL || config_setting_get_member(group, "group") == NULL)
        return ei_keys_fail(group, err, "a rule needs name and group");
    enum ei_err rc = ei_read_text(group, "name", NULL, &rule->name, err);
    if (rc == EI_OK)
        rc = check_rule_name(c, group, rule->name, err);
    if (rc == EI_OK)
        rc = ei_read_text(group, "group", NULL, &rule->group, err);
    if (rc == EI_OK)
        rc = check_rule_group(group, rule->group, err);
    if (rc == EI_OK)
        rc = read_domains(group, &rule->email_domains, err);
    if (rc == EI_OK)
        rc = read_entra_groups(group, &rule->entra_groups, err);
    if (rc == EI_OK)
        rc = ei_read_choice(group, "on_account_removal", removals, &removal, err);
    if (rc == EI_OK)
        rc = ei_read_choice(group, "existing", existing, &invite, err);
    if (rc == EI_OK)
        rc = ei_read_choice(group, "on_give_up", removals, &gone, err);
    if (rc == EI_OK)
        rc = read_patience(group, rule, err);
    rule->on_account_removal = (enum ei_removal)removal;
    rule->on_give_up = (enum ei_removal)gone;
    rule->existing_invite = invite == 1;
    if (rc == EI_OK)
        rc = ei_read_invitation(config_setting_get_member(group, "invitation"), &c->invitation, &rule->invitation, err);
    return rc;
}

enum ei_err ei_read_rules(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(root, "rules");
    int count = list != NULL ? config_setting_length(list) : 0;
    size_t groups = 0;
    enum ei_err rc = EI_OK;

    if (count == 0)
        return ei_read_missing(root, "rules", "( { name = \"partners\"; group = \"partners\"; } )", err);
    c->rules = calloc((size_t)count, sizeof *c->rules);
    c->coverage.groups = calloc((size_t)count, sizeof *c->coverage.groups);
    if (c->rules == NULL || c->coverage.groups == NULL)
        return ei_keys_no_memory(err);
    for (int i = 0; i < count && rc == EI_OK; i++) {
        struct ei_rule rule = {0};
        rc = read_rule(config_setting_get_elem(list, (unsigned)i), c, &rule, err);
        c->rules[c->rule_count++] = rule; /* owned from here, half read or not */
        c->coverage.groups[c->coverage.count++] = rule.group;
        groups += rule.group != NULL ? strlen(rule.group) + 1 : 0;
        if (rc == EI_OK && groups > GROUPS_MAX)
            rc = ei_keys_fail(list, err, "the names of all groups together are longer than %d bytes", GROUPS_MAX);
    }
    return rc;
}

enum ei_err ei_read_accounts(const config_setting_t *root, struct ei_config *c, struct ei_error *err)
{
    const config_setting_t *list = config_setting_get_member(root, "accounts");
    int count = list != NULL ? config_setting_length(list) : 0;
    char address[EI_ADDRESS_SIZE];
    struct ei_error why;
    enum ei_err rc = EI_OK;

    if (count == 0)
        return EI_OK;
    c->accounts = calloc((size_t)count, sizeof *c->accounts);
    if (c->accounts == NULL)
        return ei_keys_no_memory(err);
    for (int i = 0; i < count && rc == EI_OK; i++) {
        const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
        struct ei_login_address *account = &c->accounts[c->account_count];
        if (config_setting_get_member(group, "login") == NULL || config_setting_get_member(group, "email") == NULL)
            return ei_keys_fail(group, err, "an account needs login and email");
        rc = ei_read_text(group, "login", NULL, &account->login, err);
        if (rc == EI_OK && !host_name_good(account->login))
            rc = ei_keys_fail(config_setting_get_member(group, "login"), err, "\"%.80s\" is not a login's name",
                              account->login);
        if (rc == EI_OK && ei_config_address(c, account->login) != NULL)
            rc = ei_keys_fail(group, err, "there are two entries for %s", account->login);
        c->account_count++;
        if (rc == EI_OK)
            rc = ei_read_text(group, "email", NULL, &account->email, err);
        if (rc == EI_OK && ei_address_check(account->email, address, &why) != EI_OK)
            rc = ei_keys_fail(group, err, "%s", why.message);
    }
    return rc;
}

/* What the host says of a covered account against what is recorded of it. Reads only. */
#include <stdlib.h>
#include <string.h>

#include "common/account/address.h"
#include "plugin/worker/reconcile_internal.h"

static int login_to_address(const void *key, const void *element)
{
    return strcmp(key, (*(const struct ei_login_address *const *)element)->login);
}

/* The config's accounts beat GECOS (design, Configuration). */
static const char *configured(const struct ei_pass *pass, const char *login)
{
    const struct ei_config *config = pass->ctx->config;
    const struct ei_login_address **found = NULL;

    if (config->account_count != 0)
        found = bsearch(login, pass->addresses, config->account_count, sizeof *pass->addresses, login_to_address);
    return found != NULL ? (*found)->email : NULL;
}

void ei_judge_wanted(const struct ei_pass *pass, const struct ei_entry *entry, struct ei_wanted *ret)
{
    const char *email = configured(pass, entry->login);

    ret->source = EI_SOURCE_NONE;
    ret->hash = 0;
    ret->written[0] = '\0';
    if (email != NULL) {
        ret->source = EI_SOURCE_CONFIG;
        size_t length = strnlen(email, sizeof ret->written - 1);
        memcpy(ret->written, email, length);
        ret->written[length] = '\0';
    } else if (ei_gecos_address(entry->gecos, pass->first_trusted, ret->written)) {
        ret->source = EI_SOURCE_GECOS;
        ret->hash = ei_address_hash(ret->written);
    }
}

enum ei_judged ei_judge_address(const struct ei_pass *pass, const struct ei_entry *entry,
                                const struct ei_wanted *wanted, char address[EI_ADDRESS_SIZE], struct ei_error *err)
{
    const struct ei_rule *rule = &pass->ctx->config->rules[entry->rule];

    address[0] = '\0';
    if (wanted->source == EI_SOURCE_NONE)
        return EI_JUDGED_NONE;
    if (ei_address_check(wanted->written, address, err) != EI_OK)
        return EI_JUDGED_BAD;
    if (ei_address_domain_listed(address, (const char *const *)rule->email_domains.items, rule->email_domains.count))
        return EI_JUDGED_GOOD;
    ei_fail(err, EI_DOMAIN_NOT_ALLOWED, "%s: rule \"%s\" does not list the domain %s", address, rule->name,
            ei_address_domain(address));
    return EI_JUDGED_BAD;
}

static bool linked_by(const struct ei_known *known, const char *address)
{
    uint64_t hash = ei_address_hash(address);

    for (size_t i = 0; i < known->address_count && i < EI_KNOWN_HASHES; i++)
        if (known->hashes[i] == hash)
            return true;
    return known->address_count > EI_KNOWN_HASHES;
}

/* Refused for its address, under a configuration that may be another one now. */
static bool may_be_mended(const struct ei_known *known)
{
    return known->error == EI_BAD_ADDRESS || known->error == EI_DOMAIN_NOT_ALLOWED;
}

static bool link_changed(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_wanted *wanted,
                         const struct ei_known *known)
{
    char address[EI_ADDRESS_SIZE];
    struct ei_error err;

    /* An address that went away takes nothing with it; only one that was refused is forgotten. */
    if (wanted->source == EI_SOURCE_NONE)
        return known->source != EI_SOURCE_NONE && known->address_count == 0;
    if (known->source != wanted->source)
        return true;
    if (wanted->source == EI_SOURCE_GECOS && known->address_hash != wanted->hash)
        return true;
    if (wanted->source == EI_SOURCE_GECOS && !may_be_mended(known))
        return false;
    if (ei_judge_address(pass, entry, wanted, address, &err) == EI_JUDGED_GOOD)
        return may_be_mended(known) || !linked_by(known, address);
    return wanted->source == EI_SOURCE_CONFIG &&
           (known->address_count != 0 || known->message_hash != ei_address_hash(err.message));
}

/* While the group of the recorded rule cannot be judged, a later rule that covers it as well does not take over. */
static bool rule_changed(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_known *known)
{
    if (known->rule == entry->rule)
        return false;
    if (known->rule < 0 || entry->rule < known->rule)
        return true;
    return pass->snapshot != NULL && pass->snapshot->groups[known->rule] == EI_GROUP_FOUND;
}

static unsigned judge_reports(const struct ei_pass *pass, const struct ei_wanted *wanted, const struct ei_known *known)
{
    if (wanted->source != EI_SOURCE_NONE)
        return known->reported ? EI_CHANGE_FACTS : 0;
    if (known->reported)
        return 0;
    if (known->source == EI_SOURCE_NONE)
        return pass->now - known->since > EI_WAITING_SECONDS ? EI_CHANGE_OVERDUE : 0;
    return known->address_count != 0 ? EI_CHANGE_LOST : 0;
}

void ei_judge(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_known *known,
              struct ei_change *ret)
{
    struct ei_wanted wanted;

    *ret = (struct ei_change){.entry = entry, .known = known, .what = EI_CHANGE_NEW | EI_CHANGE_ADDRESS};
    ret->counted = true;
    if (known == NULL)
        return;
    ei_judge_wanted(pass, entry, &wanted);
    bool other_link = link_changed(pass, entry, &wanted, known);
    bool other_address = other_link && wanted.source != EI_SOURCE_NONE;
    bool buried = known->state == EI_ACCOUNT_REMOVED;
    bool other_uid = known->uid != entry->uid;
    /* The admin's word stays until another address or a new account; leaving the group is undone by coming back. */
    bool back = buried && (!known->by_admin || other_address || other_uid);

    ret->what = 0;
    if (other_link && (!buried || back))
        ret->what |= EI_CHANGE_ADDRESS;
    if (back)
        ret->what |= EI_CHANGE_BACK;
    if (!buried || back)
        ret->what |= judge_reports(pass, &wanted, known);
    if (other_uid || known->local != entry->local || known->missing_since != 0 || rule_changed(pass, entry, known))
        ret->what |= EI_CHANGE_FACTS;
    ret->counted = back || (other_address && known->address_count != 0 && !may_be_mended(known));
}

bool ei_judge_same_person(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_known *known)
{
    struct ei_wanted wanted;
    char address[EI_ADDRESS_SIZE];
    struct ei_error err;

    if (known->uid != entry->uid || known->local != entry->local)
        return false;
    ei_judge_wanted(pass, entry, &wanted);
    switch (ei_judge_address(pass, entry, &wanted, address, &err)) {
    case EI_JUDGED_GOOD:
        return linked_by(known, address);
    case EI_JUDGED_BAD:
        return known->source == wanted.source && known->address_hash == wanted.hash;
    case EI_JUDGED_NONE:
        break;
    }
    return known->source == EI_SOURCE_NONE;
}

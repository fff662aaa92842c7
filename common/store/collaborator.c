#include "common/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/account/gecos.h"
#include "common/base/secret.h"
#include "common/store/store_internal.h"

/* Every heap text of the aggregate itself, for the loops that copy and free it. */
static const size_t text_fields[] = {
    offsetof(struct ei_collaborator, job.rule),         offsetof(struct ei_collaborator, job.overrides),
    offsetof(struct ei_collaborator, job.reset_email),  offsetof(struct ei_collaborator, display_name),
    offsetof(struct ei_collaborator, requested_by),     offsetof(struct ei_collaborator, requester),
    offsetof(struct ei_collaborator, guest_id),         offsetof(struct ei_collaborator, user_principal_name),
    offsetof(struct ei_collaborator, user_type),        offsetof(struct ei_collaborator, external_user_state),
    offsetof(struct ei_collaborator, invitation_sent),  offsetof(struct ei_collaborator, invitation_status),
    offsetof(struct ei_collaborator, invitation_notes), offsetof(struct ei_collaborator, sponsors),
    offsetof(struct ei_collaborator, sponsor_note),     offsetof(struct ei_collaborator, redeem_url),
    offsetof(struct ei_collaborator, deleted_guest_id),
};

enum { TEXT_FIELDS = sizeof text_fields / sizeof text_fields[0] };

static char **text_field(struct ei_collaborator *collaborator, size_t i)
{
    return (char **)((char *)collaborator + text_fields[i]);
}

struct ei_collaborator *ei_collaborator_blank(void)
{
    struct ei_collaborator *collaborator = calloc(1, sizeof *collaborator);
    if (collaborator != NULL) {
        collaborator->job.step = EI_STEP_IDLE;
        collaborator->job.resume = EI_STEP_PENDING;
    }
    return collaborator;
}

struct ei_collaborator *ei_collaborator_new(void)
{
    struct ei_collaborator *collaborator = ei_collaborator_blank();
    if (collaborator != NULL)
        ei_guid_new(collaborator->id);
    return collaborator;
}

static void free_account(struct ei_account *account)
{
    free(account->host);
    free(account->login);
    free(account->rule);
}

void ei_collaborator_free(struct ei_collaborator *collaborator)
{
    if (collaborator == NULL)
        return;
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        ei_free_erased(*text_field(collaborator, i));
    for (size_t i = 0; i < collaborator->address_count; i++)
        free(collaborator->addresses[i]);
    for (size_t i = 0; i < collaborator->account_count; i++)
        free_account(&collaborator->accounts[i]);
    for (size_t i = 0; i < collaborator->membership_count; i++)
        free(collaborator->memberships[i].group);
    free(collaborator->addresses);
    free(collaborator->memberships);
    free(collaborator->accounts);
    free(collaborator);
}

static bool copy_lists(struct ei_collaborator *copy, const struct ei_collaborator *from)
{
    for (size_t i = 0; i < from->address_count; i++) {
        if (!ei_collaborator_add_address(copy, from->addresses[i]))
            return false;
    }
    for (size_t i = 0; i < from->account_count; i++) {
        const struct ei_account *a = &from->accounts[i];
        struct ei_account *added = ei_collaborator_add_account(copy, a->host, a->login, a->uid, a->rule);
        if (added == NULL)
            return false;
        struct ei_account owned = *added;
        *added = *a;
        added->host = owned.host;
        added->login = owned.login;
        added->rule = owned.rule;
    }
    for (size_t i = 0; i < from->membership_count; i++) {
        struct ei_membership *added = ei_collaborator_add_membership(copy, from->memberships[i].group);
        if (added == NULL)
            return false;
        char *group = added->group;
        *added = from->memberships[i];
        added->group = group;
    }
    return true;
}

struct ei_collaborator *ei_collaborator_copy(const struct ei_collaborator *collaborator)
{
    struct ei_collaborator *copy = malloc(sizeof *copy);
    bool whole = true;

    if (copy == NULL)
        return NULL;
    *copy = *collaborator;
    copy->addresses = NULL;
    copy->address_count = 0;
    copy->accounts = NULL;
    copy->account_count = 0;
    copy->memberships = NULL;
    copy->membership_count = 0;
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        char **field = text_field(copy, i);
        const char *theirs = *field;
        *field = NULL;
        whole = ei_text_set(field, theirs) && whole;
    }
    if (!whole || !copy_lists(copy, collaborator)) {
        ei_collaborator_free(copy);
        return NULL;
    }
    return copy;
}

bool ei_text_set(char **field, const char *value)
{
    char *copy = NULL;

    if (value != NULL) {
        copy = strdup(value);
        if (copy == NULL)
            return false;
    }
    ei_free_erased(*field);
    *field = copy;
    return true;
}

struct ei_account *ei_collaborator_add_account(struct ei_collaborator *collaborator, const char *host,
                                               const char *login, uid_t uid, const char *rule)
{
    struct ei_account account = {.uid = uid, .state = EI_ACCOUNT_ACTIVE};
    struct ei_account *accounts = realloc(collaborator->accounts, (collaborator->account_count + 1) * sizeof *accounts);

    if (accounts == NULL)
        return NULL;
    collaborator->accounts = accounts;
    if (!ei_text_set(&account.host, host) || !ei_text_set(&account.login, login) || !ei_text_set(&account.rule, rule)) {
        free_account(&account);
        return NULL;
    }
    accounts[collaborator->account_count] = account;
    return &accounts[collaborator->account_count++];
}

struct ei_account *ei_collaborator_account(struct ei_collaborator *collaborator, const char *host, const char *login)
{
    for (size_t i = 0; i < collaborator->account_count; i++) {
        struct ei_account *account = &collaborator->accounts[i];
        if (strcmp(account->host, host) == 0 && strcmp(account->login, login) == 0)
            return account;
    }
    return NULL;
}

void ei_collaborator_drop_account(struct ei_collaborator *collaborator, const struct ei_account *account)
{
    if (account == NULL)
        return;
    size_t at = (size_t)(account - collaborator->accounts);
    free_account(&collaborator->accounts[at]);
    collaborator->account_count--;
    memmove(&collaborator->accounts[at], &collaborator->accounts[at + 1],
            (collaborator->account_count - at) * sizeof *account);
}

struct ei_membership *ei_collaborator_membership(const struct ei_collaborator *collaborator, const char *group)
{
    for (size_t i = 0; i < collaborator->membership_count; i++)
        if (strcasecmp(collaborator->memberships[i].group, group) == 0)
            return &collaborator->memberships[i];
    return NULL;
}

struct ei_membership *ei_collaborator_add_membership(struct ei_collaborator *collaborator, const char *group)
{
    struct ei_membership *known = ei_collaborator_membership(collaborator, group);

    if (known != NULL)
        return known;
    known = realloc(collaborator->memberships, (collaborator->membership_count + 1) * sizeof *known);
    if (known == NULL)
        return NULL;
    collaborator->memberships = known;
    known += collaborator->membership_count;
    *known = (struct ei_membership){.group = strdup(group)};
    if (known->group == NULL)
        return NULL;
    collaborator->membership_count++;
    return known;
}

void ei_collaborator_drop_membership(struct ei_collaborator *collaborator, const struct ei_membership *membership)
{
    size_t at = (size_t)(membership - collaborator->memberships);

    free(collaborator->memberships[at].group);
    collaborator->membership_count--;
    memmove(&collaborator->memberships[at], &collaborator->memberships[at + 1],
            (collaborator->membership_count - at) * sizeof *membership);
}

static bool same_address(const char *a, const char *b)
{
    char folded_a[EI_ADDRESS_SIZE];
    char folded_b[EI_ADDRESS_SIZE];

    if (!ei_address_fold(a, folded_a, sizeof folded_a) || !ei_address_fold(b, folded_b, sizeof folded_b))
        return strcmp(a, b) == 0;
    return strcmp(folded_a, folded_b) == 0;
}

bool ei_collaborator_add_address(struct ei_collaborator *collaborator, const char *address)
{
    for (size_t i = 0; i < collaborator->address_count; i++) {
        if (same_address(collaborator->addresses[i], address))
            return true;
    }
    char **addresses = realloc(collaborator->addresses, (collaborator->address_count + 1) * sizeof *addresses);
    if (addresses == NULL)
        return false;
    collaborator->addresses = addresses;
    addresses[collaborator->address_count] = strdup(address);
    if (addresses[collaborator->address_count] == NULL)
        return false;
    collaborator->address_count++;
    return true;
}

const char *ei_collaborator_wrong(const struct ei_collaborator *collaborator)
{
    if (!ei_guid_valid(collaborator->id))
        return "id";
    if (collaborator->revision < 0)
        return "revision";
    if (collaborator->job.step < EI_STEP_IDLE || collaborator->job.step > EI_STEP_OFFBOARDING)
        return "step";
    if (collaborator->mail > EI_MAIL_HELD)
        return "mail";
    if (collaborator->mail_channel < 0 || collaborator->mail_channel > 3)
        return "mail_channel";
    if (collaborator->sponsoring > EI_SPONSORS_NOT)
        return "sponsoring";
    for (size_t i = 0; i < collaborator->account_count; i++) {
        const struct ei_account *account = &collaborator->accounts[i];
        if (account->state < EI_ACCOUNT_ACTIVE || account->state > EI_ACCOUNT_REMOVED ||
            account->source > EI_SOURCE_CONFIG)
            return "account";
    }
    return NULL;
}

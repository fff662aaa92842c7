#include <stdlib.h>
#include <string.h>

#include "common/account/scan.h"

enum { NOBODY_UID = 65534 };

bool ei_scan_uid(const struct ei_coverage *coverage, uid_t uid)
{
    return uid >= coverage->minimum_uid && uid != NOBODY_UID;
}

void ei_entry_clear(struct ei_entry *entry)
{
    free(entry->login);
    free(entry->gecos);
    *entry = (struct ei_entry){.rule = -1};
}

void ei_snapshot_free(struct ei_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        ei_entry_clear(&snapshot->entries[i]);
    for (size_t i = 0; i < snapshot->unresolved_count; i++)
        free(snapshot->unresolved[i]);
    free(snapshot->entries);
    free(snapshot->unresolved);
    free(snapshot->groups);
    free(snapshot);
}

static int login_to_entry(const void *key, const void *element)
{
    return strcmp(key, ((const struct ei_entry *)element)->login);
}

const struct ei_entry *ei_snapshot_find(const struct ei_snapshot *snapshot, const char *login)
{
    if (snapshot->count == 0)
        return NULL;
    return bsearch(login, snapshot->entries, snapshot->count, sizeof *snapshot->entries, login_to_entry);
}

static int login_to_name(const void *key, const void *element)
{
    return strcmp(key, *(char *const *)element);
}

bool ei_snapshot_unresolved(const struct ei_snapshot *snapshot, const char *login)
{
    return snapshot->unresolved_count != 0 && bsearch(login, snapshot->unresolved, snapshot->unresolved_count,
                                                      sizeof *snapshot->unresolved, login_to_name) != NULL;
}

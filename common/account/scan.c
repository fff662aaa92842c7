#include "common/account/scan.h"

#include <stdlib.h>
#include <string.h>

#include "common/account/scan_file.h"
#include "common/account/scan_nss.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/paths.h"

struct candidate {
    struct ei_entry entry;
    gid_t gid;
    size_t order; /* in the file: the first of two entries of one name is the one that counts */
};

/* A member of a rule's group that the local passwd file does not have. */
struct stranger {
    char *name;
    int rule;
};

struct scan {
    const struct ei_coverage *coverage;
    struct ei_account_file passwd;
    struct ei_account_file group;
    struct ei_account_file login_defs;
    struct ei_snapshot *snapshot;
    struct candidate *candidates;
    size_t candidate_count;
    size_t candidate_room;
    struct stranger *strangers;
    size_t stranger_count;
    size_t stranger_room;
    gid_t *gids; /* of the rules' groups, where known[rule] */
    bool *known;
};

/* --- vectors --- */

static enum ei_err add_candidate(struct scan *s, const struct passwd *pw, bool local)
{
    struct candidate *grown = ei_array_room(s->candidates, s->candidate_count, &s->candidate_room, sizeof *grown);
    if (grown == NULL)
        return EI_NOMEM;
    s->candidates = grown;
    struct candidate *c = &grown[s->candidate_count];
    *c = (struct candidate){.gid = pw->pw_gid, .order = s->candidate_count};
    c->entry = (struct ei_entry){.uid = pw->pw_uid, .rule = -1, .local = local};
    c->entry.login = strdup(pw->pw_name);
    c->entry.gecos = strdup(pw->pw_gecos != NULL ? pw->pw_gecos : "");
    s->candidate_count++;
    return c->entry.login != NULL && c->entry.gecos != NULL ? EI_OK : EI_NOMEM;
}

static enum ei_err add_stranger(struct scan *s, const char *name, int rule)
{
    struct stranger *grown = ei_array_room(s->strangers, s->stranger_count, &s->stranger_room, sizeof *grown);
    if (grown == NULL)
        return EI_NOMEM;
    s->strangers = grown;
    struct stranger *stranger = &grown[s->stranger_count];
    stranger->name = strdup(name);
    stranger->rule = rule;
    s->stranger_count++;
    return stranger->name != NULL ? EI_OK : EI_NOMEM;
}

static int by_login(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    int order = strcmp(x->entry.login, y->entry.login);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_name(const void *a, const void *b)
{
    const struct stranger *x = a;
    const struct stranger *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static int login_to_candidate(const void *key, const void *element)
{
    return strcmp(key, ((const struct candidate *)element)->entry.login);
}

/* --- local files --- */

static enum ei_err read_files(struct scan *s, const struct ei_scan_files *files)
{
    const char *passwd = files != NULL && files->passwd != NULL ? files->passwd : EI_PASSWD_PATH;
    const char *group = files != NULL && files->group != NULL ? files->group : EI_GROUP_PATH;
    const char *defs = files != NULL && files->login_defs != NULL ? files->login_defs : EI_LOGIN_DEFS_PATH;

    enum ei_err rc = ei_account_file_read(passwd, EI_PASSWD_FILE, &s->passwd);
    if (rc == EI_OK)
        rc = ei_account_file_read(group, EI_GROUP_FILE, &s->group);
    if (rc == EI_OK)
        rc = ei_account_file_read(defs, EI_TEXT_FILE, &s->login_defs);
    return rc;
}

/* Sorts, and drops the later ones of one name. */
static void drop_duplicates(struct scan *s)
{
    size_t kept = 0;

    if (s->candidate_count == 0)
        return;
    qsort(s->candidates, s->candidate_count, sizeof *s->candidates, by_login);
    for (size_t i = 1; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        if (strcmp(c->entry.login, s->candidates[kept].entry.login) != 0) {
            s->candidates[++kept] = *c;
            continue;
        }
        if (c->entry.local)
            ei_account_file_doubt(&s->passwd, "has two entries for %s; the first one counts", c->entry.login);
        ei_entry_clear(&c->entry);
    }
    s->candidate_count = kept + 1;
}

static enum ei_err collect_local(struct scan *s)
{
    struct passwd pw;
    bool root = false;
    enum ei_err rc = EI_OK;

    while (rc == EI_OK && ei_account_file_passwd(&s->passwd, &pw)) {
        root = root || pw.pw_uid == 0;
        rc = add_candidate(s, &pw, true);
    }
    if (rc == EI_OK && !root)
        ei_account_file_doubt(&s->passwd, "has no entry for root");
    drop_duplicates(s);
    return rc;
}

/* --- groups --- */

/* The first rule in file order wins. */
static void cover_by(struct candidate *c, int rule)
{
    if (c->entry.rule < 0 || rule < c->entry.rule)
        c->entry.rule = rule;
}

static enum ei_err cover(struct scan *s, const char *name, int rule)
{
    struct candidate *found = s->candidate_count == 0 ? NULL
                                                      : bsearch(name, s->candidates, s->candidate_count,
                                                                sizeof *s->candidates, login_to_candidate);
    if (found == NULL)
        return add_stranger(s, name, rule);
    cover_by(found, rule);
    return EI_OK;
}

static enum ei_err cover_members(struct scan *s, char *const *members, int rule)
{
    enum ei_err rc = EI_OK;

    for (; rc == EI_OK && *members != NULL; members++)
        if (**members != '\0')
            rc = cover(s, *members, rule);
    return rc;
}

static void find_local_gids(struct scan *s)
{
    struct group gr;
    bool root = false;

    while (ei_account_file_group(&s->group, &gr)) {
        root = root || gr.gr_gid == 0;
        for (size_t r = 0; r < s->coverage->count; r++) {
            if (s->known[r] || strcmp(gr.gr_name, s->coverage->groups[r]) != 0)
                continue;
            s->known[r] = true;
            s->gids[r] = gr.gr_gid;
            s->snapshot->groups[r] = EI_GROUP_FOUND;
        }
    }
    if (!root)
        ei_account_file_doubt(&s->group, "has no entry for root");
}

/* A group may have several lines, or a second name with the same gid: the gate's getgrouplist counts them all. */
static enum ei_err cover_local_members(struct scan *s)
{
    struct group gr;
    enum ei_err rc = EI_OK;

    ei_account_file_rewind(&s->group);
    while (rc == EI_OK && ei_account_file_group(&s->group, &gr))
        for (size_t r = 0; rc == EI_OK && r < s->coverage->count; r++)
            if (s->known[r] && gr.gr_gid == s->gids[r])
                rc = cover_members(s, gr.gr_mem, (int)r);
    return rc;
}

static enum ei_err ask_for_group(struct scan *s, size_t r)
{
    struct group gr;
    char *buffer = NULL;
    enum ei_err rc = EI_OK;

    s->snapshot->groups[r] = EI_GROUP_UNKNOWN;
    switch (ei_nss_group(s->coverage->groups[r], &gr, &buffer)) {
    case EI_NSS_FOUND:
        s->known[r] = true;
        s->gids[r] = gr.gr_gid;
        if (gr.gr_mem[0] != NULL)
            s->snapshot->groups[r] = EI_GROUP_FOUND;
        rc = cover_members(s, gr.gr_mem, (int)r);
        break;
    case EI_NSS_ABSENT:
        s->snapshot->groups[r] = EI_GROUP_ABSENT;
        break;
    case EI_NSS_FAILED:
        break;
    case EI_NSS_NOMEM:
        rc = EI_NOMEM;
        break;
    }
    free(buffer);
    return rc;
}

static enum ei_err collect_groups(struct scan *s)
{
    for (size_t r = 0; r < s->coverage->count; r++)
        s->snapshot->groups[r] = EI_GROUP_UNKNOWN;
    if (s->group.stream == NULL)
        return EI_OK; /* whether a group is local cannot be said */
    find_local_gids(s);
    enum ei_err rc = cover_local_members(s);
    for (size_t r = 0; rc == EI_OK && r < s->coverage->count; r++)
        if (!s->known[r])
            rc = ask_for_group(s, r);
    for (size_t i = 0; rc == EI_OK && i < s->candidate_count; i++)
        for (size_t r = 0; r < s->coverage->count; r++)
            if (s->known[r] && s->candidates[i].gid == s->gids[r])
                cover_by(&s->candidates[i], (int)r);
    return rc;
}

/* --- members that are not local --- */

static enum ei_err add_unresolved(struct scan *s, const char *name)
{
    struct ei_snapshot *snapshot = s->snapshot;

    if (snapshot->unresolved == NULL) {
        snapshot->unresolved = calloc(s->stranger_count, sizeof *snapshot->unresolved);
        if (snapshot->unresolved == NULL)
            return EI_NOMEM;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return EI_NOMEM;
    snapshot->unresolved[snapshot->unresolved_count++] = copy;
    return EI_OK;
}

static enum ei_err resolve(struct scan *s, const struct stranger *stranger, bool *failed)
{
    struct passwd pw;
    char *buffer = NULL;
    enum ei_err rc = EI_OK;
    /* A source that failed once is not asked for each of thousands of members: each may cost its time-out. */
    enum ei_nss_answer answer = *failed ? EI_NSS_FAILED : ei_nss_passwd(stranger->name, &pw, &buffer);

    if (answer == EI_NSS_NOMEM)
        return EI_NOMEM;
    if (answer == EI_NSS_FOUND) {
        rc = add_candidate(s, &pw, false);
        s->candidates[s->candidate_count - 1].entry.rule = stranger->rule;
    } else {
        rc = add_unresolved(s, stranger->name);
    }
    if (answer == EI_NSS_FAILED)
        *failed = true;
    free(buffer);
    return rc;
}

static enum ei_err resolve_strangers(struct scan *s)
{
    enum ei_err rc = EI_OK;
    bool failed = false;

    if (s->stranger_count == 0)
        return EI_OK;
    qsort(s->strangers, s->stranger_count, sizeof *s->strangers, by_name);
    for (size_t i = 0; rc == EI_OK && i < s->stranger_count; i++) {
        const struct stranger *stranger = &s->strangers[i];
        if (i == 0 || strcmp(stranger->name, s->strangers[i - 1].name) != 0)
            rc = resolve(s, stranger, &failed);
        if (failed)
            s->snapshot->groups[stranger->rule] = EI_GROUP_UNKNOWN;
    }
    drop_duplicates(s);
    return rc;
}

/* --- the result --- */

static enum ei_err hand_over(struct scan *s)
{
    struct ei_snapshot *snapshot = s->snapshot;

    snapshot->entries = calloc(s->candidate_count + 1, sizeof *snapshot->entries);
    if (snapshot->entries == NULL)
        return EI_NOMEM;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct ei_entry *entry = &s->candidates[i].entry;
        if (!ei_scan_uid(s->coverage, entry->uid))
            continue;
        snapshot->entries[snapshot->count++] = *entry;
        *entry = (struct ei_entry){0}; /* transferred */
    }
    snapshot->first_trusted = ei_account_file_trusts_first(&s->login_defs);
    snapshot->whole = s->passwd.whole && s->group.whole;
    if (!snapshot->whole)
        snapshot->doubt = !s->passwd.whole ? s->passwd.doubt : s->group.doubt;
    return EI_OK;
}

static void close_scan(struct scan *s)
{
    ei_account_file_close(&s->passwd);
    ei_account_file_close(&s->group);
    ei_account_file_close(&s->login_defs);
    for (size_t i = 0; i < s->candidate_count; i++)
        ei_entry_clear(&s->candidates[i].entry);
    for (size_t i = 0; i < s->stranger_count; i++)
        free(s->strangers[i].name);
    free(s->candidates);
    free(s->strangers);
    free(s->gids);
    free(s->known);
}

static enum ei_err prepare(struct scan *s)
{
    size_t rules = s->coverage->count;

    s->snapshot = calloc(1, sizeof *s->snapshot);
    s->gids = calloc(rules + 1, sizeof *s->gids);
    s->known = calloc(rules + 1, sizeof *s->known);
    if (s->snapshot == NULL || s->gids == NULL || s->known == NULL)
        return EI_NOMEM;
    s->snapshot->read_at_ms = ei_monotonic_ms();
    s->snapshot->groups = calloc(rules + 1, sizeof *s->snapshot->groups);
    s->snapshot->group_count = rules;
    return s->snapshot->groups != NULL ? EI_OK : EI_NOMEM;
}

enum ei_err ei_scan(const struct ei_coverage *coverage, const struct ei_scan_files *files,
                    struct ei_snapshot **ret_snapshot)
{
    struct scan s = {.coverage = coverage};

    enum ei_err rc = prepare(&s);
    if (rc == EI_OK)
        rc = read_files(&s, files);
    if (rc == EI_OK)
        rc = collect_local(&s);
    if (rc == EI_OK)
        rc = collect_groups(&s);
    if (rc == EI_OK)
        rc = resolve_strangers(&s);
    if (rc == EI_OK)
        rc = hand_over(&s);
    close_scan(&s);
    if (rc != EI_OK) {
        ei_snapshot_free(s.snapshot);
        return rc;
    }
    *ret_snapshot = s.snapshot;
    return EI_OK;
}

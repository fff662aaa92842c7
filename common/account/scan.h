/*
 * One reading of the account database: who is there, and who of them a rule covers.
 *
 * Local files are read with fgetpwent and fgetgrent, by whole reads only: the file ends in a newline, root is in it,
 * and its mtime and size are the same before and after (useradd rewrites by rename, other tools in place). A group
 * that the local files do not have is asked of NSS, and its members with it; that may block on a slow source, which is
 * why the worker calls ei_scan in a helper thread. An account of another source counts by being named as a member: who
 * else has the group as primary group, a directory does not tell. The result is immutable and owned by whoever took it.
 */
#ifndef EI_ACCOUNT_SCAN_H
#define EI_ACCOUNT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/account/coverage.h"
#include "common/base/error.h"

enum ei_group_status {
    EI_GROUP_FOUND,   /* its members are known */
    EI_GROUP_ABSENT,  /* no source has it: EI_GROUP_MISSING is shown, nothing is taken as gone */
    EI_GROUP_UNKNOWN, /* NSS error, or a non-local group that answers without members: changes nothing */
};

/* Every local account from minimum_uid up (not 65534), and the covered ones of other sources; sorted by login. */
struct ei_entry {
    char *login;
    char *gecos;
    uid_t uid;
    int rule; /* index of the first rule that covers it, -1: not covered */
    bool local;
};

struct ei_snapshot {
    struct ei_entry *entries;
    size_t count;
    enum ei_group_status *groups; /* one per rule */
    size_t group_count;
    char **unresolved; /* members of rule groups that no source knows now, sorted: says nothing of other sources */
    size_t unresolved_count;
    bool whole;            /* false: only arrivals may be believed */
    struct ei_error doubt; /* why not whole */
    bool first_trusted;    /* see ei_gecos_address */
    int64_t read_at_ms;    /* ei_monotonic_ms at its start */
};

/* Paths are parameters for tests; NULL, or NULL members, mean /etc/passwd, /etc/group, /etc/login.defs. */
struct ei_scan_files {
    const char *passwd;
    const char *group;
    const char *login_defs;
};

/* Reads all. coverage is only read, and must outlive the call. EI_NOMEM, or EI_OK with whole telling the rest. */
enum ei_err ei_scan(const struct ei_coverage *coverage, const struct ei_scan_files *files,
                    struct ei_snapshot **ret_snapshot);
void ei_snapshot_free(struct ei_snapshot *snapshot);

/* Whether a uid counts: minimum_uid or more, and not nobody's. */
bool ei_scan_uid(const struct ei_coverage *coverage, uid_t uid);

/* The entry of this login, NULL if there is none. */
const struct ei_entry *ei_snapshot_find(const struct ei_snapshot *snapshot, const char *login);
bool ei_snapshot_unresolved(const struct ei_snapshot *snapshot, const char *login);

/*
 * One login, now, without a whole reading: for Announce (a hook or PAM asks "look at this login"). Only the local files
 * are read: asking NSS could hold up the loop that calls this; what other sources have, the next reading finds.
 * ret_entry is filled (free with ei_entry_clear) with rule -1 if nothing local covers it; EI_NOT_FOUND if there is no
 * such account.
 */
enum ei_err ei_scan_login(const struct ei_coverage *coverage, const struct ei_scan_files *files, const char *login,
                          struct ei_entry *ret_entry, bool *ret_first_trusted, struct ei_error *err);
void ei_entry_clear(struct ei_entry *entry);

#endif

/*
 * The view: the published, read-only answer to "where does this login stand?" (status.cdb).
 *
 * A constant database, written with tinycdb and replaced by rename. It holds neither addresses nor URLs: it is
 * world-readable, because PAM modules of unprivileged programs and `entra-invite status` read it.
 *
 * Format 1.x, all integers little-endian. The file is a cdb (2048 bytes of table pointers, the records, 256 hash
 * tables) of at most 4 GiB. Its first record, at offset 2048, has the key "H"; one record with the key "U:login"
 * follows for each account.
 *
 *   "H"      0   8  magic: "EIVIEW" CR LF
 *            8   2  major format version
 *           10   2  minor format version
 *           12   4  zero
 *           16   8  check: FNV-1a, 64 bits, over the key and all data but these 8 bytes
 *           24   8  generation
 *           32   8  created_at
 *           40   8  not_after
 *           48   8  number of accounts
 *           56   8  size of this file in bytes
 *           64   4  minimum_uid
 *           68   2  flags: bit 0 first_trusted
 *           70   2  n, length of the groups
 *           72   n  the covered groups, a NUL behind each name
 *
 *   "U:…"    0   8  check, as above, over the key and the data behind it
 *            8   1  state
 *            9   1  zero
 *           10   2  n, length of the reason
 *           12   4  uid
 *           16   8  address_hash
 *           24   8  changed_at
 *           32   8  checked_at
 *           40   n  reason, without a NUL: small letters, digits and '-'
 *
 * A reader takes any minor version of its major one and skips what lies behind the fields it knows (up to
 * EI_VIEW_HEADER_MAX and EI_VIEW_RECORD_MAX bytes of data); an unknown major version is EI_VIEW_BAD_VERSION. The checks
 * are against damage, not against forgery: they see to it that no flipped bit turns a state into another one.
 *
 * The reader is pure libc (no heap, no static state, no lock, no descriptor left open, S36 L3 L4): PAM and NSS link
 * view_read.c and nothing else of this folder. Every offset and length is checked against fstat's size.
 */
#ifndef EI_VIEW_VIEW_H
#define EI_VIEW_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    EI_VIEW_MAJOR = 1,
    EI_VIEW_MINOR = 0,
    EI_VIEW_GROUPS_SIZE = 1024, /* the covered groups, NUL-separated, an empty string at the end */
    EI_VIEW_REASON_SIZE = 48,   /* ei_err_name of the account's error */
    EI_VIEW_LOGIN_MAX = 256,    /* bytes; a longer login is never found and cannot be added */
    EI_VIEW_HEADER_MAX = 2032,  /* bytes of a header's data, those of later minor versions included */
    EI_VIEW_RECORD_MAX = 1024,  /* the same of a record */
    /* L4, with bounds that fit cdb's half-full tables: runs of 50 taken slots are normal from 100,000 accounts on. */
    EI_VIEW_PROBES_READ = 128, /* a longer probe is damage */
    EI_VIEW_PROBES_WRITE = 64, /* the writer refuses to publish beyond it, hit or miss */
};

/* The numbers are the format: never reused. */
enum ei_state {
    EI_STATE_WAITING = 1,
    EI_STATE_HELD = 2,
    EI_STATE_QUEUED = 3,
    EI_STATE_PENDING = 4,
    EI_STATE_ACCEPTED = 5,
    EI_STATE_FAILED = 6,
    EI_STATE_REMOVED = 7,
    EI_STATE_EXPIRED = 8, /* was not accepted in time (give_up_after) */
};
enum { EI_STATES = EI_STATE_EXPIRED + 1 }; /* of an array that a state is the index of */

struct ei_view_header {
    uint16_t major;
    uint16_t minor;
    uint64_t generation; /* rises with each publication, over restarts too (X10) */
    int64_t created_at;  /* seconds since 1970 UTC */
    int64_t not_after;   /* the view is stale from here on; 0: never */
    uint64_t count;      /* accounts */
    uint32_t minimum_uid;
    bool first_trusted; /* whether the first GECOS part counts (ei_gecos_first_trusted) */
    char groups[EI_VIEW_GROUPS_SIZE];
};

struct ei_view_record {
    enum ei_state state;
    uint32_t uid;
    uint64_t address_hash;            /* ei_address_hash of the address in GECOS; 0: the address is not from GECOS */
    int64_t changed_at;               /* since when it is in this state */
    int64_t checked_at;               /* when Graph last said so; 0: not yet */
    char reason[EI_VIEW_REASON_SIZE]; /* "" or the name of the error */
};

/* Why a view cannot be used; each is an outcome of its own (S2). A view that is past not_after is OK to the reader:
 * whether that matters is the caller's to say. */
enum ei_view_status {
    EI_VIEW_OK,
    EI_VIEW_NO_FILE,
    EI_VIEW_BAD_FILE,    /* not regular, links, owner, writable by group or others (L5), or no permission to read it */
    EI_VIEW_CORRUPT,     /* magic, check, size, offsets, probes */
    EI_VIEW_BAD_VERSION, /* another major format */
    EI_VIEW_OS_ERROR,    /* open or read failed for a reason of the system's, in errno */
};

enum { EI_VIEW_TABLE_SIZE = 2048 };

struct ei_view {
    int fd;
    uint64_t size;
    const unsigned char *map;                /* NULL, as a module maps nothing (S36); but see view_write.c */
    unsigned char table[EI_VIEW_TABLE_SIZE]; /* the cdb's table pointers, read together with the header */
};

/*
 * Opens and checks: O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_CLOEXEC; a regular file with one link (or none, when it was
 * replaced just now), owned by root or by the owner of the directory it lies in (the service user); neither file nor
 * directory writable by group or others (S7). The caller closes it before it returns to its host program. On failure
 * no descriptor is open, and ret_header is zeroed.
 */
enum ei_view_status ei_view_open(const char *path, struct ei_view *view, struct ei_view_header *ret_header);
void ei_view_close(struct ei_view *view);

/* ret_found false: no record of this login. The record's state may be a number that this version does not know
 * (ei_state_name gives NULL). */
enum ei_view_status ei_view_lookup(const struct ei_view *view, const char *login, struct ei_view_record *ret_record,
                                   bool *ret_found);

/*
 * Calls visit for each login that has a record, in the order of the file, until it returns false. For the command line:
 * modules look up, and never walk. EI_VIEW_CORRUPT may come after some of them.
 */
typedef bool ei_view_visit(void *context, const char *login);
enum ei_view_status ei_view_each(const struct ei_view *view, const struct ei_view_header *header, ei_view_visit *visit,
                                 void *context);

/*
 * The covered groups as the file public/groups has them, one name a line, for the day on which the view itself cannot
 * be used. The same checks as for the view; at most EI_VIEW_GROUPS_SIZE - 1 bytes and without control characters, else
 * EI_VIEW_CORRUPT. groups is laid out as in the header.
 */
enum ei_view_status ei_view_read_groups(const char *path, char groups[EI_VIEW_GROUPS_SIZE]);

/* "waiting", "held", … as people and --json see it; NULL for a number this version does not know. */
const char *ei_state_name(enum ei_state state);
bool ei_state_from_name(const char *name, enum ei_state *ret_state);

/* Short text for a status, for logs. */
const char *ei_view_status_text(enum ei_view_status status);

#endif

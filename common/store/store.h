/*
 * The store: what the worker must not forget. Its unit is one collaborator, changed by compare-and-set on its revision.
 *
 * One interface; sqlite/ is one host's store, and the calls are made so that a fleet's key-value store can serve them
 * too: whole aggregates, one unique index (address), one create-once key (the right to mail), history that is only
 * appended. Nothing above this folder sees SQL. Not thread-safe: one thread, one store.
 *
 * Durability: when a put, delete, claim or meta call returns EI_OK outside a batch, a power cut does not undo it
 * (X1, X11). Inside ei_store_batch_begin … ei_store_batch_end the calls become durable together at the end; a caller
 * acts on them (sends, replies) only after that.
 *
 * Errors: EI_CONFLICT (revision or unique key), EI_NOT_FOUND, EI_STORE_DAMAGED, EI_STORE_NEWER, EI_STORE_FULL, EI_IO,
 * EI_NOMEM, EI_BUSY (a change during a walk, or a foreign program's lock), EI_USAGE (an impossible value, batches not
 * paired). After any error the store holds what it held before the call; where the error undid a whole batch (disk
 * full), every later call of that batch and its end fail with the same code.
 */
#ifndef EI_STORE_STORE_H
#define EI_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/guid.h"

/* Where the work on a collaborator stands: the states of the crash-safe sequence (X1; transitions in
 * plugin/worker/machine.c). Durable on entry; the numbers are stored and never reused. */
enum ei_step {
    EI_STEP_IDLE = 1,         /* nothing to do: no address yet, or every account is held or removed */
    EI_STEP_QUEUED = 2,       /* wanted, nothing sent */
    EI_STEP_CHECKING = 3,     /* looking the address up */
    EI_STEP_CREATING = 4,     /* the intent to POST without mail is written down */
    EI_STEP_CREATED = 5,      /* guest and redeem URL are durable */
    EI_STEP_MAILING = 6,      /* the intent to POST with mail is written down, the right to mail is spent */
    EI_STEP_PENDING = 7,      /* invited; the redemption is looked at again and again */
    EI_STEP_ACCEPTED = 8,     /* redeemed; looked at again, for revocation */
    EI_STEP_FAILED = 9,       /* error says why; only invite, another address or a refresh moves it on */
    EI_STEP_OFFBOARDING = 10, /* the guest is to be disabled or deleted (removal) */
};

/* `mail` of show --json: the message that carries the redeem URL to the partner, whoever sends it */
enum ei_mail {
    EI_MAIL_NONE = 0,    /* nobody is to send one */
    EI_MAIL_WANTED = 1,  /* to be sent once the URL is durable */
    EI_MAIL_SENDING = 2, /* the right is spent, the outcome not known yet */
    EI_MAIL_SENT = 3,
    EI_MAIL_UNKNOWN = 4, /* the answer was lost: only `resend` sends again */
    EI_MAIL_HELD = 5,    /* kept back until `adopt` (a clone, a restored image) */
};

/* What became of `sponsors` (contract 2.2, 5). The numbers are stored and never reused. */
enum ei_sponsoring {
    EI_SPONSORS_NONE = 0,  /* none is wanted, or nothing is known yet */
    EI_SPONSORS_SENT = 1,  /* the 201 was for a body that named them; to be looked at */
    EI_SPONSORS_APART = 2, /* a body that names them is refused: to be added to the guest one by one */
    EI_SPONSORS_SET = 3,   /* the guest has them */
    EI_SPONSORS_NOT = 4,   /* it has not, or it cannot be seen: sponsor_note says why */
};

enum ei_account_state {
    EI_ACCOUNT_ACTIVE = 1,
    EI_ACCOUNT_HELD = 2,    /* found in a mass: waits for adopt */
    EI_ACCOUNT_REMOVED = 3, /* tombstone: no job arises for it, the gate stays shut */
};

/* Where an account's address comes from. */
enum ei_source {
    EI_SOURCE_NONE = 0, /* no address yet */
    EI_SOURCE_GECOS = 1,
    EI_SOURCE_CONFIG = 2,
};

/* A login on a host. All strings are owned by the collaborator they are in. */
struct ei_account {
    char *host; /* host id */
    char *login;
    char *rule; /* a rule's name; whoever executes the job resolves it by its own config */
    uid_t uid;
    enum ei_account_state state;
    enum ei_source source;
    uint64_t address_hash; /* ei_address_hash of the GECOS address it was linked by, 0 if not from GECOS */
    int64_t since;         /* when it was first seen, seconds since 1970 UTC */
    int64_t missing_since; /* first whole reading without it; 0: it is there */
    bool reported;         /* waiting for more than an hour has been said */
    bool by_admin;         /* REMOVED by `remove`, not by leaving the group: only `invite`, a new uid or a new
                            * address undoes it */
    bool local;            /* was in the local passwd file when last seen: only then is it taken as removed */
};

/* An Entra group that a rule wants the guest in (entra_groups). The string is owned by the collaborator it is in. */
struct ei_membership {
    char *group;           /* object id */
    int64_t added_at;      /* since when the guest is known to be a member; 0: not yet */
    uint32_t attempts;     /* that failed, since it was wanted or last done */
    int64_t not_before;    /* wall time of the next try */
    struct ei_error error; /* why it is not done; code EI_OK: none to show */
};

/* The durable piece of work, inline. */
struct ei_job {
    enum ei_step step;
    uint32_t attempts;       /* of this step */
    int64_t not_before;      /* wall time of the next try; also the next look at a redemption */
    int64_t started_at;      /* of this step's attempt */
    char crid[EI_GUID_TEXT]; /* client-request-id of the attempt whose intent is written down (X7), "" if none */
    bool urgent;             /* a person waits: goes before the others */
    char *rule;              /* for an invitation without an account; NULL: the first account's */
    char *overrides;         /* JSON object of command-line settings (keys as in the Invite call), NULL if none */
    enum ei_step resume;     /* step after CREATED/MAILING detours: PENDING or ACCEPTED */
    uint32_t creates;        /* POSTs without mail whose answer was lost, since the last answer: they back off */
    int offboard;            /* enum ei_removal, or EI_OFFBOARD_RESTORE, while OFFBOARDING */
    bool reset;              /* CHECKING and CREATING are of a resetRedemption of guest_id, not of an invitation (X4) */
    char *reset_email;       /* the address that it is reset to; NULL: the one that it has */
};

struct ei_collaborator {
    char id[EI_GUID_TEXT]; /* own id, made by ei_collaborator_new */
    int64_t revision;      /* 0: not stored yet */

    char **addresses; /* as given; [0] is the one that is invited. None only while its accounts are waiting */
    size_t address_count;
    struct ei_account *accounts;
    size_t account_count;
    struct ei_membership *memberships; /* each group once */
    size_t membership_count;
    struct ei_job job;

    char *display_name; /* NULL if none */
    char *requested_by; /* who asked: "root", "alice (uid 1000)"; NULL if found by the scan */
    char *requester;    /* login of the person who asked, by the audit login uid; NULL if not known */
    int64_t requested_at;

    /* What Graph said; NULL or 0 where it has not (contract 2.5, 4.1). */
    char *guest_id; /* invitedUser.id */
    char *user_principal_name;
    char *user_type;           /* userType */
    char *external_user_state; /* externalUserState, as sent */
    int64_t state_changed_at;  /* externalUserStateChangeDateTime */
    int64_t checked_at;        /* last answer that told the state */
    int64_t not_found_since;   /* first 404 since the guest was last seen; 0: seen */
    bool linked;               /* the guest was there before our own create intent: never mailed by itself */
    bool made;                 /* the guest is one that our own invitation made: on_account_removal may touch it */
    bool without_mail;         /* Graph has no mail of the guest: something else in the tenant has the address */
    bool disabled;             /* the guest is disabled because of us: restore may enable it */
    char *deleted_guest_id;    /* the guest that is known to be among the tenant's deleted users; NULL: none */
    int64_t deleted_at;        /* since when that is known; it is kept 30 days (contract 5) */
    char *invitation_sent;     /* JSON body of the last POST /invitations that was answered 201; no secret */
    char *invitation_status;   /* status in that answer (contract 2.2: shown, never believed) */
    char *invitation_notes;    /* what to know of that answer, a line each */
    char *sponsors;            /* JSON array of "users/ID or UPN" and "groups/ID": who is to sponsor the guest */
    enum ei_sponsoring sponsoring;
    char *sponsor_note; /* why not all of them do, or that it is not known */
    char *redeem_url;   /* secret (K7); NULL once accepted */
    int64_t url_at;

    enum ei_mail mail;
    uint32_t mail_round;   /* the right to mail is (address, round); raised by who asks for one more, and where it is
                            * certain that the one of this round was not sent */
    int mail_channel;      /* enum ei_channel: who carries, or carried, this one */
    bool reminding;        /* it is a reminder */
    int64_t mailed_at;     /* when the last one was known to be sent; 0: none was */
    int64_t invited_at;    /* since when the partner is waited for: give_up_after counts from here; 0: not invited */
    int64_t reminded_at;   /* 0: not since invited_at */
    int64_t expired_at;    /* when it was given up; 0: it was not */
    bool notice;           /* the sponsors are to be told that it is not accepted */
    uint32_t notice_next;  /* of sponsors: those before this one have been dealt with */
    uint32_t notice_round; /* the right to tell a sponsor is (sponsor and address, round) */
    struct ei_error error; /* code EI_OK: none */
    bool error_permanent;  /* failed until somebody acts */
    int64_t state_at;      /* when the state that people see last changed */
};

/* A new one with a fresh id, nothing else. NULL when out of memory. */
struct ei_collaborator *ei_collaborator_new(void);
void ei_collaborator_free(struct ei_collaborator *collaborator);
struct ei_collaborator *ei_collaborator_copy(const struct ei_collaborator *collaborator);

/* Sets *field to a copy of value (NULL allowed), freeing (and erasing) the old one. false when out of memory. */
bool ei_text_set(char **field, const char *value);

/* Adds an account with its own copies; NULL when out of memory. The pointer is good until the next add or drop. */
struct ei_account *ei_collaborator_add_account(struct ei_collaborator *collaborator, const char *host,
                                               const char *login, uid_t uid, const char *rule);
struct ei_account *ei_collaborator_account(struct ei_collaborator *collaborator, const char *host, const char *login);
void ei_collaborator_drop_account(struct ei_collaborator *collaborator, const struct ei_account *account);
/* Adds a membership that is to be; what is there already is returned. NULL when out of memory. Good until the next add
 * or drop. */
struct ei_membership *ei_collaborator_add_membership(struct ei_collaborator *collaborator, const char *group);
struct ei_membership *ei_collaborator_membership(const struct ei_collaborator *collaborator, const char *group);
void ei_collaborator_drop_membership(struct ei_collaborator *collaborator, const struct ei_membership *membership);
/* Adds an address at the end if it is not there yet (folded comparison). */
bool ei_collaborator_add_address(struct ei_collaborator *collaborator, const char *address);

struct ei_store;

/*
 * Opens the SQLite store in directory (made 0700 if it is missing, its parent must be there; the file 0600):
 * quick_check, schema migration in one transaction after a backup, defensive mode, trusted_schema off, no extensions
 * (X11). A damaged database is EI_STORE_DAMAGED and left as it is. EI_BUSY: another process has it open. EI_IO: the
 * directory or the file is somebody else's or lets others in; err says which and how to mend it.
 *
 * A redeem URL that was replaced, set to NULL or deleted is gone from the files when the call (or the batch) has
 * returned: from the database and from its log (K7).
 */
enum ei_err ei_store_open_sqlite(const char *directory, struct ei_store **ret_store, struct ei_error *err);
void ei_store_close(struct ei_store *store);

/* One aggregate; the caller frees it. EI_NOT_FOUND where there is none (err is not filled then). */
enum ei_err ei_store_get(struct ei_store *store, const char *id, struct ei_collaborator **ret, struct ei_error *err);
enum ei_err ei_store_by_address(struct ei_store *store, const char *address, struct ei_collaborator **ret,
                                struct ei_error *err); /* folds for comparing */
enum ei_err ei_store_by_account(struct ei_store *store, const char *host, const char *login,
                                struct ei_collaborator **ret, struct ei_error *err);
enum ei_err ei_store_by_guest(struct ei_store *store, const char *guest_id, struct ei_collaborator **ret,
                              struct ei_error *err);
/* Ids of the aggregates that have this guest, limit at most: two addresses of one person may have led to one guest. */
enum ei_err ei_store_of_guest(struct ei_store *store, const char *guest_id, char (*ids)[EI_GUID_TEXT], size_t limit,
                              size_t *ret_count, struct ei_error *err);

/*
 * Creates (revision 0) or replaces the aggregate if its stored revision is collaborator->revision, and appends the
 * event to its history in the same transaction (event NULL: none, for mere look-ups). On EI_OK revision is the new one.
 * EI_CONFLICT: somebody changed it, or one of its addresses or accounts belongs to another aggregate (err says which).
 * event is a short machine word ("queued", "creating", "invited", …); detail is free text without secrets, or NULL.
 * A batch that is abandoned leaves the higher revision in the caller's copy: read it again.
 */
enum ei_err ei_store_put(struct ei_store *store, struct ei_collaborator *collaborator, const char *event,
                         const char *detail, struct ei_error *err);
enum ei_err ei_store_delete(struct ei_store *store, const struct ei_collaborator *collaborator, struct ei_error *err);

/*
 * The right to send one mail to this address in this round, for ever: EI_OK once, EI_CONFLICT every time after (X9).
 * No lease, never deleted, not even with the aggregate.
 */
enum ei_err ei_store_claim_mail(struct ei_store *store, const char *address, uint32_t round, const char *crid,
                                struct ei_error *err);

/* Calls each for every aggregate, in the store's own order; the aggregate is the store's and is good during the call. A
 * result other than EI_OK ends the walk and is returned. The callback may read; a change is EI_BUSY. */
typedef enum ei_err ei_store_visit(void *context, const struct ei_collaborator *collaborator);
enum ei_err ei_store_each(struct ei_store *store, ei_store_visit *each, void *context, struct ei_error *err);

/*
 * Ids of aggregates with work (any step but IDLE and FAILED) whose not_before is at most now: first what changes the
 * tenant (steps before PENDING, OFFBOARDING), then the looks (PENDING, ACCEPTED); in each, urgent ones before the
 * others, then by not_before. Fills ids[0..limit) and says how many.
 */
enum ei_err ei_store_due(struct ei_store *store, int64_t now, char (*ids)[EI_GUID_TEXT], size_t limit,
                         size_t *ret_count, struct ei_error *err);
/* The smallest not_before among those with work; INT64_MAX if there is none. */
enum ei_err ei_store_next_due(struct ei_store *store, int64_t *ret_time, struct ei_error *err);
/* Brings not_before of all with work and a guest (PENDING, ACCEPTED) forward to now: `refresh`. Also of the other steps
 * with work, whose back-off is thereby ended, when all_steps is true. Revisions stay as they are. */
enum ei_err ei_store_hasten(struct ei_store *store, int64_t now, bool all_steps, struct ei_error *err);

/*
 * One line of history. Of each aggregate the first line and the newest EI_HISTORY_MAX are kept: what is older goes with
 * the put that adds one. The history ends with ei_store_delete.
 */
enum { EI_HISTORY_MAX = 400 };
struct ei_event {
    int64_t number; /* rises, with gaps */
    int64_t at;
    const char *event;
    const char *detail; /* "" if none */
    const char *crid;   /* "" if none */
};
typedef enum ei_err ei_store_event_visit(void *context, const struct ei_event *event);
/* Oldest first, those with a number above after (0: all). */
enum ei_err ei_store_history(struct ei_store *store, const char *id, int64_t after, ei_store_event_visit *each,
                             void *context, struct ei_error *err);

/* Small facts about the store itself (tenant GUID, machine id, view generation, rules seen). Value freed by the caller;
 * *ret_value NULL and EI_OK if the key is not there. Setting NULL removes it. */
enum ei_err ei_store_meta_get(struct ei_store *store, const char *key, char **ret_value, struct ei_error *err);
enum ei_err ei_store_meta_set(struct ei_store *store, const char *key, const char *value, struct ei_error *err);

enum ei_err ei_store_batch_begin(struct ei_store *store, struct ei_error *err);
enum ei_err ei_store_batch_end(struct ei_store *store, struct ei_error *err);
/* Undoes everything since batch_begin; nothing to do outside a batch. */
void ei_store_batch_abandon(struct ei_store *store);

const char *ei_step_name(enum ei_step step);
const char *ei_mail_name(enum ei_mail mail); /* "none", "wanted", "sending", "sent", "unknown", "held" */

#endif

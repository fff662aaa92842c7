/*
 * The reconciler: accounts as they are against accounts as they are recorded, and the jobs that are the difference
 * (design, idea 1: the account database is the request log).
 *
 * Decisions only: it reads a snapshot, reads and writes the store, and touches no network, socket, thread or file. It
 * is level-triggered: a pass over an unchanged host writes nothing, and a lost announcement costs only time. What it
 * takes away needs proof, what it adds in a mass waits for a person (design, "Hard cases, decided").
 */
#ifndef EI_WORKER_RECONCILE_H
#define EI_WORKER_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/account/scan.h"
#include "common/base/error.h"
#include "common/base/guid.h"
#include "common/base/log_id.h"
#include "common/config/config.h"
#include "common/store/store.h"

enum {
    EI_PROOF_SECONDS = 60,      /* between the two whole readings that prove that an account is gone */
    EI_ANNOUNCE_SECONDS = 3600, /* how long a hook's word counts: adduser sets GECOS and groups after the hook (B1) */
    EI_WAITING_SECONDS = 3600,  /* after which an account without an address is reported */
    EI_ANNOUNCED_MAX = 20000,   /* names remembered; a name beyond it is looked at, but not remembered */
    EI_NOTES_MAX = 64,          /* note lines in one report */
};

/* A login that a hook, PAM or the CLI named: no brake holds it. Owned by the context. */
struct ei_announced {
    char *login;
    char *requested_by;
    char *requester;
    int64_t until_ms;     /* monotonic */
    int64_t looked_at_ms; /* ei_reconcile_login judged it then: an older snapshot must not undo that */
};

/* Who asked for an account; NULL: it is not known. */
struct ei_asker {
    const char *by;    /* "root", "alice (uid 1000)" */
    const char *login; /* of the person, by the audit login uid: "alice" */
};

/*
 * What lasts from pass to pass. config, store and host belong to the caller and may be exchanged between calls (config:
 * at a reload). The rest is the reconciler's.
 */
struct ei_reconcile_context {
    const struct ei_config *config;
    struct ei_store *store;
    const char *host; /* host id */
    /* `remove --confirm`: set by the caller, cleared when the removals it was meant for are done or no longer there. */
    bool confirm_removal;

    struct ei_announced *announced; /* sorted by login */
    size_t announced_count;
    size_t announced_room;
    int64_t last_now; /* both clocks at the last pass, so that a stepped wall clock proves nothing (X8) */
    int64_t last_ms;
    bool passed_before;
};

void ei_reconcile_init(struct ei_reconcile_context *ctx, const struct ei_config *config, struct ei_store *store,
                       const char *host);
void ei_reconcile_done(struct ei_reconcile_context *ctx);

struct ei_group_problem {
    char *rule; /* its name */
    char *group;
    enum ei_group_status status; /* ABSENT or UNKNOWN: nothing is judged */
};

/* EI_GROUP_MISSING or EI_GROUP_UNTOLD, with the names of rule and group. */
void ei_group_problem_error(const struct ei_group_problem *problem, struct ei_error *ret);

/* For the log: one line, no secret, no URL. The strings are its own. */
struct ei_note {
    enum ei_log_id id;
    char *login;                     /* NULL: it is about no one account */
    char collaborator[EI_GUID_TEXT]; /* the record, "": there is none */
    enum ei_err code;                /* EI_OK: it is no error */
    char *text;
};

/* What a pass did and found. Counts are of this pass. Free with ei_reconcile_report_clear. */
struct ei_reconcile_report {
    size_t covered;  /* covered accounts on this host, recorded or new */
    size_t added;    /* accounts recorded for the first time */
    size_t queued;   /* of those new, moved or back: with work to do now */
    size_t held;     /* of those: held by a brake */
    size_t waiting;  /* covered accounts without an address (all, not only new ones) */
    size_t refused;  /* new or changed ones with a bad address or a domain that is not allowed */
    size_t moved;    /* another address: another collaborator */
    size_t renamed;  /* same uid and address under a new name */
    size_t left;     /* left the group: coverage lost, or tombstone */
    size_t gone;     /* login removed: dropped, on_account_removal follows */
    size_t returned; /* tombstones of `left` that are in the group again */
    size_t missing;  /* not there, and the proof is not complete */

    bool changed;             /* the store changed: publish the view, look at the jobs */
    bool held_back;           /* a mass of removals was stopped; `removals` says how many */
    struct ei_error doubt;    /* EI_PASSWD_DOUBTFUL: the snapshot is not whole; EI_OK: it is */
    struct ei_error removals; /* EI_MASS_REMOVAL while held_back; else EI_OK */
    int64_t next_pass;        /* wall time at which another whole reading would settle something; INT64_MAX: none */

    struct ei_group_problem *problems;
    size_t problem_count;
    struct ei_note *notes;
    size_t note_count;
    size_t notes_dropped; /* beyond EI_NOTES_MAX */
};

/*
 * One pass over all accounts of this host, as one batch of the store. The store's fact "rule/NAME" is the time at which
 * the database first saw that rule's accounts (decimal seconds): what was held then has it as its `since`. On an error
 * nothing of it is stored (EI_NOMEM, or the store's); the report may be cleared all the same. Accounts of other hosts
 * in a shared aggregate are not touched.
 */
enum ei_err ei_reconcile(struct ei_reconcile_context *ctx, const struct ei_snapshot *snapshot,
                         struct ei_reconcile_report *ret_report, struct ei_error *err);
void ei_reconcile_report_clear(struct ei_reconcile_report *report);

enum ei_asked {
    EI_ASKED_LOOK,   /* a hook or PAM: "look at this login" */
    EI_ASKED_INVITE, /* `invite LOGIN`: also undoes held, removed and failed */
};

struct ei_reconcile_answer {
    bool covered;                  /* false: nothing was recorded, but the name is remembered for a later pass */
    bool has_address;              /* a usable one: there is something to wait for */
    char id[EI_GUID_TEXT];         /* the collaborator, "" if not covered */
    enum ei_account_state account; /* HELD or REMOVED: nothing will be sent */
    enum ei_step step;
    struct ei_error error; /* the collaborator's, EI_OK: none */
    bool changed;          /* as in the report */
};

/*
 * One announced login, as ei_scan_login read it (EI_NOT_FOUND there: nothing to announce). What is returned as done is
 * durable. Opens its own batch.
 */
enum ei_err ei_reconcile_login(struct ei_reconcile_context *ctx, const struct ei_entry *entry, bool first_trusted,
                               const struct ei_asker *asker, enum ei_asked asked,
                               struct ei_reconcile_answer *ret_answer, struct ei_error *err);

/*
 * The rules that reconciler, jobs and calls share. Pure: they change the aggregate in memory, the caller puts it.
 */

/* job.offboard of a guest that is to come back, beside enum ei_removal. */
enum { EI_OFFBOARD_RESTORE = EI_REMOVAL_DELETE + 1 };
enum { EI_DELETED_KEPT = 30 * 24 * 3600 }; /* seconds that the tenant keeps deleted users (contract 5) */

/* OFFBOARDING the other way round: the guest is to come back. */
bool ei_collaborator_restoring(const struct ei_collaborator *collaborator);

/* May an invitation be POSTed for it? An active account asks for it, or an invitation without an account
 * (job.rule not NULL: a rule's name, "" the default block). While false, CHECKING only looks up and CREATING must not
 * send: then look up, and end in IDLE where nothing is found. */
bool ei_collaborator_wants_invitation(const struct ei_collaborator *collaborator);

/* Has it a guest that is looked at again and again? PENDING or ACCEPTED. */
bool ei_collaborator_looked_at(const struct ei_collaborator *collaborator);

/* Does anybody need the guest? As above, and held accounts too. */
bool ei_collaborator_needed(const struct ei_collaborator *collaborator);

/*
 * After an account was added or set ACTIVE or HELD: takes up the work from IDLE or OFFBOARDING (QUEUED, or CHECKING
 * where all are held), and forgets a pending removal. A restoration and steps from CHECKING on go on as they are;
 * FAILED stays.
 */
void ei_collaborator_take_up(struct ei_collaborator *collaborator, int64_t now, bool urgent);

/* To QUEUED (IDLE without an address), with a clean job and no error: `invite`, an address that was mended. A request
 * that may be on its way (CREATING to MAILING) is left to end. */
void ei_collaborator_requeue(struct ei_collaborator *collaborator, int64_t now, bool urgent);

/* It is waited for anew, since then (0: from its invitation on): reminded again, not given up. Not stored. */
void ei_collaborator_await(struct ei_collaborator *collaborator, int64_t since);

/* Its accounts (on this host, of this login; NULL: of all) become tombstones that only an administrator, a new uid or
 * another address undoes; without a login, so does an invitation of the address. */
void ei_collaborator_bury(struct ei_collaborator *collaborator, const char *host, const char *login);

/*
 * After an account was dropped or set REMOVED: nothing as long as the guest is needed. Else to IDLE, or to OFFBOARDING
 * if removal is not KEEP and there is a guest. A request that may be on its way is left to end (CREATING to MAILING);
 * job.offboard keeps the removal, and the next pass takes it up. A guest that was deleted, disabled or is not one
 * (FAILED) is left alone.
 */
void ei_collaborator_let_go(struct ei_collaborator *collaborator, enum ei_removal removal, int64_t now);

/* The mildest on_account_removal among the rules of its accounts; a rule that this config does not have is KEEP, and so
 * is a guest that was there before our own invitation. */
enum ei_removal ei_collaborator_removal(const struct ei_config *config, const struct ei_collaborator *collaborator);

/* To OFFBOARDING, to bring back what is known to be deleted, or enable what was disabled because of us. */
void ei_collaborator_restore(struct ei_collaborator *collaborator, int64_t now);
/* Forgets a deleted guest whom the tenant has not any more. true: something changed. */
bool ei_collaborator_expire(struct ei_collaborator *collaborator, int64_t now);

#endif

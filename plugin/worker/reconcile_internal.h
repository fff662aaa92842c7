/* What the reconciler's files share. See reconcile.h for what it is about. */
#ifndef EI_WORKER_RECONCILE_INTERNAL_H
#define EI_WORKER_RECONCILE_INTERNAL_H

#include "common/account/gecos.h"
#include "plugin/worker/reconcile.h"

enum { EI_KNOWN_HASHES = 4 };

/* An account of this host as the store has it, with what of its collaborator decides about it. */
struct ei_known {
    char *login;
    char id[EI_GUID_TEXT];
    uid_t uid;
    int rule; /* index into the config's rules; -1: the config does not have it */
    enum ei_account_state state;
    enum ei_source source;
    uint64_t address_hash;
    int64_t since;
    int64_t missing_since;
    bool reported;
    bool by_admin;
    bool local;

    enum ei_step step;
    bool credited;                    /* who asked is on record */
    size_t address_count;             /* of the collaborator */
    uint64_t hashes[EI_KNOWN_HASHES]; /* of its first addresses */
    enum ei_err error;                /* EI_OK unless permanent */
    uint64_t message_hash;            /* of the error's text */

    bool present; /* the pass has met its login, or its login was renamed */
};

/* What one pass, or one announced login, works with. */
struct ei_pass {
    struct ei_reconcile_context *ctx;
    const struct ei_snapshot *snapshot; /* NULL: one announced login */
    struct ei_reconcile_report *report;
    int64_t now;
    int64_t now_ms;
    bool first_trusted;
    bool stepped;                              /* the wall clock was set since the last pass */
    const struct ei_login_address **addresses; /* the config's, sorted by login */

    struct ei_known *known; /* sorted by login */
    size_t known_count;
    size_t known_room;
    struct ei_change *changes;
    size_t change_count;
    size_t change_room;
    char (*released)[EI_GUID_TEXT]; /* aggregates whose removal waited for a request to end */
    size_t released_count;
    size_t released_room;
    bool *unseen; /* per rule: the database has not seen it */
};

/* What the host says an account's address is, as written. */
struct ei_wanted {
    enum ei_source source;
    uint64_t hash;
    char written[EI_ADDRESS_SIZE];
};

enum ei_judged { EI_JUDGED_NONE, EI_JUDGED_BAD, EI_JUDGED_GOOD };

enum ei_what {
    EI_CHANGE_NEW = 1,      /* no record yet */
    EI_CHANGE_RENAME = 2,   /* known is the record of the old login */
    EI_CHANGE_ADDRESS = 4,  /* to be linked by the address it has now */
    EI_CHANGE_BACK = 8,     /* a tombstone is undone */
    EI_CHANGE_FACTS = 16,   /* uid, rule, present again: nothing that a job hangs on */
    EI_CHANGE_OVERDUE = 32, /* without an address for too long: to be reported */
    EI_CHANGE_LOST = 64,    /* its address went away: to be reported */
    EI_CHANGE_ASKED = 128,  /* `invite LOGIN` */
    EI_CHANGE_CREDIT = 256, /* who asked became known after a reading had found it */
};

/* What is to be done about one covered account. */
struct ei_change {
    const struct ei_entry *entry;
    const struct ei_known *known; /* NULL with EI_CHANGE_NEW */
    unsigned what;                /* of enum ei_what */
    bool announced;
    struct ei_asker asker;
    bool counted; /* by the brake, unless announced */
    bool held;    /* by a brake */
    /* how it went */
    bool done;
    enum ei_judged judged;
    char id[EI_GUID_TEXT];
};

/* reconcile_report.c */
void ei_report_note(struct ei_reconcile_report *report, enum ei_log_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* About one account; of an error the mend is added where it is shown. */
void ei_report_account(struct ei_reconcile_report *report, enum ei_log_id id, const char *login,
                       const char *collaborator, const struct ei_error *note);

/* reconcile_announced.c: the remembered names */
struct ei_announced *ei_announced_find(struct ei_reconcile_context *ctx, const char *login);
enum ei_err ei_announced_remember(struct ei_reconcile_context *ctx, const char *login, const struct ei_asker *asker,
                                  int64_t now_ms);
void ei_announced_expire(struct ei_reconcile_context *ctx, int64_t now_ms);

/* reconcile_known.c: what is recorded */
enum ei_err ei_pass_open(struct ei_pass *pass, struct ei_reconcile_context *ctx);
void ei_pass_close(struct ei_pass *pass);
enum ei_err ei_pass_load(struct ei_pass *pass, struct ei_error *err);
enum ei_err ei_pass_add_known(struct ei_pass *pass, const struct ei_collaborator *collaborator,
                              const struct ei_account *account);

/* reconcile_judge.c: what the host says against what is recorded */
void ei_judge_wanted(const struct ei_pass *pass, const struct ei_entry *entry, struct ei_wanted *ret);
enum ei_judged ei_judge_address(const struct ei_pass *pass, const struct ei_entry *entry,
                                const struct ei_wanted *wanted, char address[EI_ADDRESS_SIZE], struct ei_error *err);
/* Fills what and counted; known NULL: it is new. */
void ei_judge(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_known *known,
              struct ei_change *ret);
bool ei_judge_same_person(const struct ei_pass *pass, const struct ei_entry *entry, const struct ei_known *known);

/* reconcile_place.c: one change, in the store. Inside a batch. */
enum ei_err ei_place(struct ei_pass *pass, struct ei_change *change, struct ei_error *err);
/* Nobody has it, nothing was ever sent: a record that says nothing. */
bool ei_collaborator_forgettable(const struct ei_collaborator *collaborator);

/* reconcile_depart.c: who is gone. Inside a batch. */
enum ei_err ei_depart(struct ei_pass *pass, struct ei_error *err);

#endif

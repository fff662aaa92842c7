/*
 * entra-invited: the one process that opens the database and talks to Graph. One thread and one loop (worker.c) around
 * these parts, each in a file of its own:
 *
 *   accounts.c    what the account files say: scan, inotify, announcements  → reconcile.c makes jobs of the difference
 *   machine.c     jobs: which step is due, its intent written down, its request sent
 *   answers.c     what Graph answered: the outcome written down, the next step
 *   existing.c    the user whom a refused invitation names
 *   reset.c       a guest redeems anew
 *   sponsors.c    who sponsors the guest: sent with the invitation, looked at afterwards
 *   tenant.c      what must be known of the tenant first: its GUID, its verified domains; what blocks it
 *   refresh*.c    when guests are looked at again, and how it is noticed that it is worth a look; choice.c chooses
 *   guest_list.c  lists of the tenant's guests
 *   groups.c      the Entra groups that guests are to be members of
 *   clock.c       the clock is set, or goes wrong
 *   carrier.c     the redeem URL carried by our own mail or to a webhook
 *   patience.c    who is pending too long: reminded, given up
 *   notices.c     the sponsors are told of it
 *   history.c     what is told of each event
 *   publish.c     the view, the covered groups, STATUS; tally.c counts meanwhile
 *   metrics.c     the same for Prometheus
 *   requests.c    what the socket asks
 *   login.c       somebody signs in for the app
 *
 * The parts share this struct; nothing else is global.
 */
#ifndef EI_WORKER_WORKER_H
#define EI_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/graph/credential.h"
#include "common/graph/graph.h"
#include "common/graph/pace.h"
#include "common/ipc/server.h"
#include "common/store/store.h"
#include "common/view/view.h"
#include "plugin/worker/choice.h"
#include "plugin/worker/guest_set.h"
#include "plugin/worker/reconcile.h"
#include "plugin/worker/scan_thread.h"
#include "plugin/worker/tally.h"

enum {
    EI_FLIGHTS_MAX = 640,         /* jobs under way at once: 32 batches of 20, one a slot (contract 4.4) */
    EI_OF_ONE_GUEST = 16,         /* records that may share a guest: addresses of one person */
    EI_PROBE_MS = 15 * 60 * 1000, /* a blocked worker tries one job so often */
    EI_STORE_PAUSE_MS = 10000,    /* after the store failed */
};

/* What must be known before jobs start. */
enum ei_fact { EI_FACT_WANTED, EI_FACT_ASKED, EI_FACT_KNOWN };

/* A job whose request is under way. */
struct ei_flight {
    struct ei_flight *next;
    struct ei_worker *worker;
    char id[EI_GUID_TEXT];
    enum ei_step step;
    bool outdated; /* a look that was asked for before everybody was to be looked at now */
    bool deleting; /* OFFBOARDING: DELETE, not PATCH */
};

/* A call that waits for something to happen. */
struct ei_waiting {
    struct ei_waiting *next;
    struct ei_call *call;
    char *target;        /* Wait; NULL: Refresh */
    int64_t deadline_ms; /* ei_monotonic_ms */
    int64_t since;       /* Refresh: wall time; everything due then must have been done */
    bool told;           /* Wait with more: what was told last */
    enum ei_state told_state;
    enum ei_err told_error;
};

/* refresh.c, refresh_delta.c, refresh_list.c: how redemptions are noticed. Times are wall time. */
struct ei_refresh {
    enum ei_refresh_method wanted; /* the method that is in force once it has answered */
    enum ei_refresh_method shown;  /* the one in force */
    int64_t since;                 /* of the one in force */
    char reason[EI_REASON_MAX];
    bool asked;       /* changes, or a list, are under way */
    int64_t at;       /* of the next question */
    int64_t round_at; /* the last round of changes or of a list was whole; 0: none was */

    bool told;          /* the tenant tells which users changed, and looks are put off because of it */
    bool afresh;        /* what is asked is a link that begins now */
    bool delta_refused; /* it does not tell; said once */
    int64_t delta_again_at;
    int64_t link_at;             /* when the link that is kept was given, 0: none is */
    char (*again)[EI_GUID_TEXT]; /* to be looked at once more at the next tick */
    size_t again_count;
    size_t again_room;

    bool listed;        /* the tenant lists its guests, and looks are put off because of it */
    bool list_refused;  /* it does not; said once */
    bool list_all_only; /* it does not filter by externalUserState */
    int64_t list_again_at;
    bool list_is_of_all; /* the list under way is of all guests, not of pending ones */
    bool list_short;     /* and out of memory */
    int64_t list_all_at; /* the last whole one of all guests */
    uint64_t pages;      /* of the list under way */
    uint64_t pages_pending;
    uint64_t pages_all;
    int64_t pages_at; /* when the two were last counted */
    struct ei_guest_set seen;
};

/* metrics.c: what was written last. */
struct ei_metrics {
    char *path;          /* where; NULL: nowhere yet */
    uint64_t generation; /* of the view then */
    int64_t written_ms;  /* ei_monotonic_ms; tried or done */
    enum ei_err said;    /* why it failed, in the log already */
};

struct ei_guest_list;
struct ei_sponsor_ids;
struct ei_carrier;
struct ei_deliver;
struct ei_notice;

/* What is wrong with a channel, whoever is to be reached by it. */
struct ei_channel_trouble {
    struct ei_error error; /* code EI_OK: nothing */
    int64_t again_ms;      /* ei_monotonic_ms; until then nothing is sent by it */
    int64_t wait_ms;       /* the last pause */
};

struct ei_worker {
    const struct ei_config *config;
    struct ei_store *store;
    struct ei_graph *graph;
    struct ei_credential *credential;
    struct ei_server *server;
    struct ei_scan_thread *scanner;
    int watch_fd;
    int signal_fd;
    char host[EI_GUID_TEXT];
    char *private_dir;
    bool stop;
    bool walked; /* over all accounts or collaborators, since memory was given back */
    bool reload_wanted;
    struct ei_config *reloaded;   /* what SIGHUP brought, owned; NULL: config is what the worker was started with */
    struct ei_error config_error; /* why the file on disk is not in force; EI_OK: it is */

    /* clock.c */
    int64_t wall_offset_ms; /* wall time less monotonic time at the last turn */
    int64_t clock_ahead;    /* seconds by which this host's clock is ahead of Microsoft's; 0: as good as none */

    /* accounts.c */
    struct ei_reconcile_context reconcile;
    struct ei_reconcile_report report; /* of the last pass */
    int64_t next_scan_ms;              /* ei_monotonic_ms */
    bool scan_again;                   /* something changed while a reading was under way */
    bool scanned;                      /* at least one pass since the start */
    int64_t scanned_at;                /* wall time of the last */
    bool first_trusted;                /* as the last reading had it, see ei_gecos_address */

    /* machine.c, answers.c */
    struct ei_flight *flights;
    size_t flight_count;
    struct ei_collaborator *ready[EI_FLIGHTS_MAX]; /* intent durable at the end of this batch, then sent */
    size_t ready_count;
    int64_t paused_until_ms; /* the store failed */
    struct ei_error store_error;

    /* credential.c */
    int64_t expiry_look_ms; /* ei_monotonic_ms; when its end is looked at next */
    int64_t expiry_said;    /* the end that the log was told of, wall time; 0: none */

    /* tenant.c */
    enum ei_fact tenant_fact;
    enum ei_fact domains_fact;
    int64_t tenant_again_ms;
    int64_t domains_again_ms;
    char **domains;
    size_t domain_count;
    enum ei_err domains_said; /* why they cannot be read, in the log already */
    struct ei_error blocked;  /* code EI_OK: not blocked */
    bool blocked_inviting;    /* it was an invitation that was refused, not a read */
    struct ei_error trouble;  /* why Graph or the login give no answer just now, passing; EI_OK: they do */
    int64_t trouble_since_ms;
    bool trouble_said; /* in the log */
    unsigned tenant_tries;
    int64_t probe_at_ms;
    bool probing;
    int64_t reads_denied_at; /* wall time of the last 403 on a read, 0: none */
    bool deleted_unseen;     /* the tenant's deleted users cannot be searched; said */
    int64_t answered_at;     /* wall time of Graph's last good answer */
    int64_t saved_hold;

    /* sponsors.c, sponsor_ids.c */
    bool sponsors_apart;                /* invitations that name sponsors are refused, and not for the sponsors' sake */
    struct ei_sponsor_ids *sponsor_ids; /* NULL: nobody was asked for yet */

    /* refresh.c */
    struct ei_pace looks; /* so many per time */
    struct ei_refresh refresh;

    /* guest_list.c */
    struct ei_guest_list *guest_lists;

    /* carrier.c */
    struct ei_carrier *carrier; /* of the configuration in force */
    struct ei_deliver *deliver;
    struct ei_channel_trouble channels[EI_CHANNELS];

    /* notices.c */
    struct ei_notice *notices;
    size_t notice_count;

    /* groups.c */
    struct ei_join *joins;
    size_t join_count;
    struct ei_group_trouble *group_troubles;

    /* publish.c */
    bool dirty;                 /* the view may differ from the store */
    int64_t publish_at_ms;      /* not before */
    int64_t last_refresh;       /* wall time: Graph last told a state */
    int64_t view_refresh;       /* last_refresh as the published view has it */
    struct ei_error view_error; /* why the view cannot be published; code EI_OK: it can */
    uint64_t generation;        /* of the published view */
    int64_t published_at;       /* wall time; 0: not yet */
    uint64_t counts[EI_STATES];
    uint64_t standing; /* a hash of who stands where, of the view that the caches were last told of */
    bool standing_told;
    struct ei_tally tally; /* of the same publication */
    bool mail_held;        /* a clone or a restored image: no mail until adopt */
    bool ready_said;

    /* requests.c, request_invite.c, request_doctor.c, request_tenant.c */
    struct ei_waiting *waiting;
    struct ei_dry_run *dry_runs;
    struct ei_resetting *resets; /* request_reset.c */
    struct ei_checkup *checkups;
    struct ei_tenant_list *tenant_lists;

    struct ei_metrics metrics;
    int64_t started_at; /* wall time */

    struct ei_login *login; /* login.c; NULL: nobody signs in just now */
};

/* fd: a listening socket, or -1 to make config->socket. On failure nothing is left. */
enum ei_err ei_worker_new(const struct ei_config *config, struct ei_credential *credential, int listen_fd,
                          struct ei_worker **ret_worker, struct ei_error *err);
/* Runs until SIGTERM or SIGINT. */
enum ei_err ei_worker_run(struct ei_worker *worker, struct ei_error *err);
void ei_worker_free(struct ei_worker *worker);

/* Stores the change; a failure is logged, pauses the jobs and is returned. Marks the view dirty. */
enum ei_err ei_worker_save(struct ei_worker *worker, struct ei_collaborator *collaborator, const char *event,
                           const char *detail);
/* The same with more to tell of it; the ids of the answer that is just dealt with are added. */
struct ei_event_facts;
enum ei_err ei_worker_note(struct ei_worker *worker, struct ei_collaborator *collaborator, const char *event,
                           const struct ei_event_facts *facts);
/* SIGHUP, `refresh`: what was put off, refused or found out before is asked for again at once. */
void ei_worker_look_anew(struct ei_worker *worker);

/* The store failed: say so once, pause. It is over when a write succeeds after the pause. */
void ei_worker_store_failed(struct ei_worker *worker, const struct ei_error *err);

#endif

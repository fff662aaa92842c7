/*
 * One HTTPS request of the graph layer, and the graph itself: for the files of this folder only.
 *
 * A request lives in exactly one list: queue (waits for the token or a free slot), flying (in the multi handle), ended
 * (its callback is due in the next dispatch), or inner of a carrier that flies (batch.h).
 */
#ifndef EI_GRAPH_REQUEST_H
#define EI_GRAPH_REQUEST_H

#include <sys/queue.h>

#include "common/base/buffer.h"
#include "common/base/secret.h"
#include "common/graph/counts.h"
#include "common/graph/errors.h"
#include "common/graph/graph.h"
#include "common/graph/multi.h"
#include "common/graph/pace.h"

enum {
    EI_BODY_MAX = 8 * 1024 * 1024,   /* bytes of the body of a request, or of the answer to one that goes alone */
    EI_ANSWER_MAX = 2 * 1024 * 1024, /* of any other answer: dozens come at once; more is an error */
    EI_HEADERS_MAX = 64 * 1024,      /* bytes of an answer's headers, all lines together */
    EI_REPEATS_MAX = 3,              /* of one request, with another token each time */
    EI_DOUBTS_MAX = 5,
    EI_HEADER_VALUE_MAX = 128, /* of the few header values that are kept */
    EI_CHALLENGE_MAX = 1024,   /* of WWW-Authenticate */
    EI_GUEST_DOMAINS = 2,
};

enum ei_method { EI_GET, EI_POST, EI_PATCH, EI_DELETE };
/* IDENTITY: the managed identity service of this machine (contract 1.6), the only one that plain http goes to. */
enum ei_service { EI_SERVICE_GRAPH, EI_SERVICE_LOGIN, EI_SERVICE_IDENTITY };

struct ei_request_spec {
    enum ei_method method;
    enum ei_service service;     /* GRAPH: with the token, under hold and pace; else neither */
    const char *target;          /* "/path?query" on the service's root, or a whole URL that was checked to be on it */
    const char *body;            /* NULL: none; copied */
    const char *crid;            /* NULL: a new one */
    struct curl_slist **headers; /* NULL: only the usual ones; taken over (and then NULL) where it starts */
    enum ei_about about;         /* how its errors are read */
    bool mail;                   /* a repeat has an effect: X6 */
    bool alone;                  /* not in a batch: its answer is large, or it is a POST without a body */
    bool eventual;               /* an advanced query (contract 3) */
    bool inspect;                /* a connection of its own, and its certificate's end in the result */
};

/* What a request came to. body: what was answered, NUL-terminated; NULL unless the status was 2xx and the body is
 * complete. The callee may change result before it hands it on. */
struct ei_reply {
    struct ei_graph_result *result;
    const char *body;
    size_t length;
    const char *challenge; /* WWW-Authenticate, "" if none */
};

typedef void ei_request_done(void *context, struct ei_reply *reply);

TAILQ_HEAD(ei_request_list, ei_request);

struct ei_request {
    TAILQ_ENTRY(ei_request) link;
    struct ei_graph *graph;
    enum ei_method method;
    enum ei_service service;
    enum ei_about about;
    bool mail;
    unsigned repeats; /* after a 401 */
    bool alone;       /* not in a batch */
    bool eventual;
    bool inspect;
    unsigned serial_at_start; /* the token's when the request was made, 0: there was none */
    unsigned serial_used;
    char *url;
    struct ei_buffer body;
    char crid[EI_REQUEST_ID_MAX];
    ei_request_done *done; /* NULL: a carrier */
    void *context;
    struct ei_request_list inner; /* of a carrier */
    size_t inner_count;

    CURL *easy;
    struct curl_slist *headers;
    char curl_error[CURL_ERROR_SIZE];
    struct ei_buffer answer;
    size_t header_bytes;
    bool too_large;
    char retry_after[EI_HEADER_VALUE_MAX];
    char date[EI_HEADER_VALUE_MAX];
    char request_id[EI_HEADER_VALUE_MAX];
    char answered_id[EI_HEADER_VALUE_MAX]; /* client-request-id as Graph gave it back */
    char challenge[EI_CHALLENGE_MAX];

    struct ei_graph_result result; /* once ended */
};

struct ei_token {
    struct ei_secret value; /* empty: none */
    int64_t renew_ms;       /* monotonic */
    int64_t expires_at;     /* wall */
    int64_t renew_at;       /* wall; both, since the monotonic clock stands still in a suspended machine */
    unsigned taken_serial;  /* of the last one that Graph has taken */
    unsigned doubts;        /* how often one was refused that had been taken, since the last that was not */
    unsigned serial;        /* rises with every token; 0: there never was one */
    bool fetching;
    int64_t mismatch_since_ms; /* no federated credential matches since then (contract 1.3), 0: that was not said */
    bool reload;               /* the credential was refused: read its files first */
    bool stale;                /* the one being fetched is not to be used: it was dropped meanwhile */
};

struct ei_graph {
    char *tenant;
    char *client_id;
    char *login_url;
    char *graph_url;
    char *ca_file;
    struct ei_credential *credential;
    size_t connections;
    long timeout_ms;

    struct ei_multi multi;
    CURLSH *share;
    struct ei_request_list queue;
    struct ei_request_list flying;
    struct ei_request_list ended;
    size_t queued;
    size_t flying_count;
    size_t active;
    bool closing;
    const struct ei_request *delivered; /* whose callback runs, NULL: none */
    bool new_connections;               /* after a 503: none that is open is used again (contract 6) */
    int64_t drain_until_ms;             /* monotonic: so long the next ones wait for those that fly on the old */
    int64_t batch_again_ms;             /* monotonic: no $batch before */

    struct ei_token token;
    struct ei_pace pace;
    struct ei_graph_counts counts;
    int64_t hold_until;                    /* wall, for the store */
    int64_t hold_until_ms;                 /* monotonic: what counts in this run */
    char *guest_domains[EI_GUEST_DOMAINS]; /* behind a guest's #EXT#: initial, then default; NULL: not known */
    bool own_name_refused;                 /* the tenant takes no filter with a guest's own name */
    bool said_identities;                  /* each is said once */
    size_t said_form;                      /* find.c: the plainest that was */
    size_t list_form[2]; /* list.c: the first that was not refused, by whether pending ones are wanted */
};

/* --- request.c: a request's life, and the queue --- */

/* EI_OK: done will be called, from a later dispatch. Else (EI_NOMEM, EI_BUSY while the graph ends) it will not. */
enum ei_err ei_request_start(struct ei_graph *graph, const struct ei_request_spec *spec, ei_request_done *done,
                             void *context);
/* As above, but the request ends unsent with this error: for arguments that must not reach a URL. */
enum ei_err ei_request_start_failed(struct ei_graph *graph, const struct ei_error *err, ei_request_done *done,
                                    void *context);
/* A POST without a callback of its own that carries others, not yet in a list; NULL when out of memory. */
struct ei_request *ei_request_carrier(struct ei_graph *graph, const char *target);
/* It is in no list. */
void ei_request_free(struct ei_request *request);
/* What was kept of the headers of an answer that does not count. */
void ei_request_forget_headers(struct ei_request *request);

void ei_queue_first(struct ei_graph *graph, struct ei_request *request);
void ei_queue_remove(struct ei_graph *graph, struct ei_request *request);

/* It is in no list: its result, or this error of one that was not sent, goes to its callback. */
void ei_request_end(struct ei_request *request);
void ei_request_end_unsent(struct ei_request *request, const struct ei_error *err);
/* Ends every queued request that waits for a token: none of them was sent. */
void ei_graph_fail_waiting(struct ei_graph *graph, const struct ei_graph_result *why);

/* --- graph.c --- */

/* Holds the tenant for so many seconds from now, plus jitter; never shortens a hold. */
void ei_graph_hold(struct ei_graph *graph, int64_t seconds);
/* None of the connections that are open is used again. */
void ei_graph_renew_connections(struct ei_graph *graph);
/* Its result is read and it is in no list: it ends, or, after a 401, goes to the queue once more. */
void ei_request_landed(struct ei_graph *graph, struct ei_request *request);

/* --- http.c --- */

/* Makes the easy handle and adds it to the multi handle. */
bool ei_http_launch(struct ei_request *request);
/* Takes it out again and erases its headers. The answer stays. */
void ei_http_land(struct ei_request *request);

/* --- outcome.c --- */

const char *ei_method_name(enum ei_method method);
/* Reads what the transfer came to into request->result (X5). */
void ei_outcome_read(struct ei_request *request, CURLcode code);
/* The same for a whole answer: its status, where a redirect points (NULL if unknown), and what the request has kept of
 * headers and body. */
void ei_outcome_answered(struct ei_request *request, long status, const char *location);
/* What happened to the batch that carried it happened to it. */
void ei_outcome_shared(struct ei_request *request, const struct ei_graph_result *result);
/* Changes a reply that was 2xx but makes no sense: UNCLEAR, EI_GRAPH_ANSWER. */
void ei_reply_bad(struct ei_reply *reply, const char *what);

/* --- counts.c --- */

/* Once for each transfer, when its result is read; each of those that a batch carries too. */
void ei_request_count(const struct ei_request *request);

/* --- token.c --- */

bool ei_token_usable(const struct ei_graph *graph);
/* Queues the token request before all others. */
enum ei_err ei_token_fetch(struct ei_graph *graph, struct ei_error *err);
void ei_token_drop(struct ei_graph *graph);

#endif

/*
 * The worker's end of the socket: varlink, root only (SO_PEERCRED), bounded in peers, bytes and time.
 *
 * Single-threaded and non-blocking; the worker's loop polls the descriptors that ei_server_pollfds gives. A peer that
 * sends what is not varlink, exceeds a limit, or does not read its answers is dropped. At most 64 peers, the others
 * wait in the socket's backlog; one call at a time is worked on per peer. A peer has 30 s to send its next call (a call
 * in work stops that clock) and 10 s to read an answer. Where others wait, for a place or because unread answers hold
 * EI_SERVER_UNREAD_MAX bytes, whoever has been quiet for longest is dropped before that: after 25 ms without a call,
 * after 250 ms without taking anything of an answer.
 *
 * GetInfo and GetInterfaceDescription are answered here, and so are unknown interfaces and methods, and parameters that
 * io.entrainvite.varlink does not name or that have another type: the handler sees only calls that fit it.
 */
#ifndef EI_IPC_SERVER_H
#define EI_IPC_SERVER_H

#include <cjson/cJSON.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/error.h"

enum {
    EI_SERVER_PEERS = 64,
    EI_SERVER_POLLFDS = EI_SERVER_PEERS + 1,
    EI_SERVER_UNREAD_MAX = 32 * 1024 * 1024, /* all peers together; one more answer may go beyond it */
};

struct ei_server;
/* One method call that has not been answered. Good until it is answered or `gone` was called for it. Oneway calls are
 * answered like the others; nothing is sent then. Their callers often go away at once, so work that was asked for must
 * not hang on the call. */
struct ei_call;

struct ei_server_handler {
    /* Must answer with ei_call_reply or ei_call_fail, now or later. parameters is an object (never NULL), owned by the
     * server, good during this call only. method is the last part of the name ("Show"), likewise. */
    void (*call)(void *context, struct ei_call *call, const char *method, const cJSON *parameters);
    /* The peer of an unanswered call went away: forget the call. */
    void (*gone)(void *context, struct ei_call *call);
    void *context;
};

/* fd: a listening socket, owned by the server from here on. Peers whose uid is neither 0 nor own_uid are refused. */
enum ei_err ei_server_new(int fd, uid_t own_uid, const struct ei_server_handler *handler,
                          struct ei_server **ret_server);
/* Calls `gone` for what is unanswered, tries once to hand out finished answers, closes everything. NULL is fine. */
void ei_server_free(struct ei_server *server);

/* Makes the listening socket at path, mode 0600 (its directory must exist). A stale socket of a dead worker is
 * replaced; a live one is EI_BUSY. */
enum ei_err ei_server_listen(const char *path, int *ret_fd, struct ei_error *err);

/* Fills fds (room for EI_SERVER_POLLFDS) with events; returns how many. ei_server_dispatch takes them back with
 * revents. */
size_t ei_server_pollfds(const struct ei_server *server, struct pollfd *fds);
void ei_server_dispatch(struct ei_server *server, const struct pollfd *fds, size_t count);
/* ms until something is to be done without an event (a peer's time runs out), -1 if nothing. */
int ei_server_timeout(const struct ei_server *server);

/* parameters is taken over (NULL: {}), and erased once it is written (K4). */
void ei_call_reply(struct ei_call *call, cJSON *parameters);
/* For a call with `more`: a reply before the last one. false, and nothing is sent, if the caller did not ask for such
 * or has not read the one before: the next state makes up for it. parameters is taken over. */
bool ei_call_tell(struct ei_call *call, cJSON *parameters);
bool ei_call_wants_more(const struct ei_call *call);
/* Nothing that was told waits to be read: ei_call_tell would tell the next. Until then the poll wakes the worker. */
bool ei_call_read_up(const struct ei_call *call);
/* A person may be paging through the replies to this call: its peer has so long to read each, not 10 s. */
void ei_call_set_patience(struct ei_call *call, int ms);
/* org.varlink.service.ExpectedMore: the call has replies before the last one only. */
void ei_call_fail_without_more(struct ei_call *call);
/* io.entrainvite.Failed with code, message, mend, requestId, permanent (all from err). */
void ei_call_fail(struct ei_call *call, const struct ei_error *err);
/* The peer's, as the kernel says (SO_PEERCRED). */
uid_t ei_call_uid(const struct ei_call *call);

#endif

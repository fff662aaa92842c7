/* One connection of the server: its two buffers, its one call in work, its clock. Internal to common/ipc. */
#ifndef EI_IPC_PEER_H
#define EI_IPC_PEER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buffer.h"

enum { EI_PEER_IDLE_MS = 30 * 1000, EI_PEER_READ_MS = 10 * 1000 };
/* What it has at least where others wait for its place: an honest caller says what it wants right after connecting, and
 * takes what is there. */
enum { EI_PEER_SILENT_MS = 25, EI_PEER_UNREAD_MS = 250 };

struct ei_call {
    bool active; /* in work: handed to the handler and not answered */
    bool oneway;
    bool more;   /* the caller takes replies before the last one */
    int read_ms; /* it has so long to read each; 0: EI_PEER_READ_MS */
};

struct ei_peer {
    int fd; /* -1: the slot is free */
    uid_t uid;
    struct ei_buffer input;
    struct ei_buffer output;
    struct ei_call call;
    bool has_message; /* a NUL is in input */
    bool at_end;      /* it will send no more; what it sent is still worked on */
    bool doomed;      /* dropped at the end of the next dispatch */
    int64_t deadline; /* monotonic ms, while the clock runs */
    int64_t quiet_at; /* monotonic ms: when it connected, was answered, or last took of an answer */
};

void ei_peer_start(struct ei_peer *peer, int fd, uid_t uid);
void ei_peer_stop(struct ei_peer *peer);

/* What poll is to wait for; 0 still reports that the peer is gone. */
short ei_peer_events(const struct ei_peer *peer);

/* Reads once what there is. */
void ei_peer_read(struct ei_peer *peer);
/* Writes what the peer takes. */
void ei_peer_write(struct ei_peer *peer);

/* true if a message can be taken off input now: nothing in work, the last answer read. */
bool ei_peer_ready(const struct ei_peer *peer);

/* Its deadline counts now: a call in work stops it, a reply that waits to be read does not. */
bool ei_peer_clock_runs(const struct ei_peer *peer);
/* From when on, in monotonic ms, it may be dropped for the sake of others; INT64_MAX: not at all, for its call is
 * worked on. */
int64_t ei_peer_expendable_at(const struct ei_peer *peer);
/* true once nothing can come of it any more. */
bool ei_peer_finished(const struct ei_peer *peer);

/* A reply before the last one; false, and nothing is sent, if the caller did not ask for such, or has not read the one
 * before. parameters is taken over. */
bool ei_peer_tell(struct ei_peer *peer, cJSON *parameters);

/* Ends the call in work with {error, parameters} (error NULL: a reply). parameters is taken over, NULL: {}. */
void ei_peer_answer(struct ei_peer *peer, const char *error, cJSON *parameters);

#endif

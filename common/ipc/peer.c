#include "common/ipc/peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ipc/varlink.h"

void ei_peer_start(struct ei_peer *peer, int fd, uid_t uid)
{
    int64_t now = ei_monotonic_ms();

    *peer = (struct ei_peer){.fd = fd, .uid = uid, .deadline = now + EI_PEER_IDLE_MS, .quiet_at = now};
    ei_buffer_init(&peer->input, EI_VARLINK_REQUEST_MAX + 1); /* and its NUL */
    ei_buffer_init(&peer->output, EI_VARLINK_REPLY_MAX + 1);
}

void ei_peer_stop(struct ei_peer *peer)
{
    close(peer->fd);
    ei_buffer_free(&peer->input);
    ei_buffer_free(&peer->output);
    *peer = (struct ei_peer){.fd = -1};
}

short ei_peer_events(const struct ei_peer *peer)
{
    if (peer->output.length != 0)
        return POLLOUT;
    /* While a call is in work or messages wait, the socket's own buffer holds the peer back. */
    return peer->call.active || peer->has_message || peer->at_end ? 0 : POLLIN;
}

void ei_peer_read(struct ei_peer *peer)
{
    char chunk[16 * 1024];
    size_t room = peer->input.limit - peer->input.length;

    ssize_t got = recv(peer->fd, chunk, room < sizeof chunk ? room : sizeof chunk, MSG_DONTWAIT);
    if (got < 0) {
        peer->doomed = errno != EAGAIN && errno != EINTR;
    } else if (got == 0) {
        peer->at_end = true;
    } else {
        peer->has_message = memchr(chunk, '\0', (size_t)got) != NULL;
        peer->doomed = !ei_buffer_append(&peer->input, chunk, (size_t)got) ||
                       (!peer->has_message && peer->input.length == peer->input.limit);
    }
    explicit_bzero(chunk, sizeof chunk);
}

void ei_peer_write(struct ei_peer *peer)
{
    while (peer->output.length != 0) {
        ssize_t put = send(peer->fd, peer->output.data, peer->output.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            peer->doomed = errno != EAGAIN;
            return;
        }
        ei_buffer_consume(&peer->output, (size_t)put);
        peer->quiet_at = ei_monotonic_ms();
    }
    /* Nothing of an answer stays in memory once it is read, and the peer's time for its next call begins. */
    ei_buffer_free(&peer->output);
    peer->deadline = ei_monotonic_ms() + EI_PEER_IDLE_MS;
}

bool ei_peer_ready(const struct ei_peer *peer)
{
    return peer->has_message && !peer->call.active && peer->output.length == 0 && !peer->doomed;
}

bool ei_peer_clock_runs(const struct ei_peer *peer)
{
    return !peer->call.active || peer->output.length != 0;
}

int64_t ei_peer_expendable_at(const struct ei_peer *peer)
{
    if (peer->output.length != 0)
        return peer->quiet_at + EI_PEER_UNREAD_MS;
    if (peer->call.active || peer->has_message)
        return INT64_MAX;
    return peer->quiet_at + EI_PEER_SILENT_MS;
}

bool ei_peer_finished(const struct ei_peer *peer)
{
    bool late = ei_peer_clock_runs(peer) && ei_monotonic_ms() >= peer->deadline;
    bool done = peer->at_end && !peer->call.active && !peer->has_message && peer->output.length == 0;

    return peer->doomed || late || done;
}

/* When a reply that goes out now must have been read. */
static int64_t read_by(const struct ei_call *call)
{
    return ei_monotonic_ms() + (call->read_ms != 0 ? call->read_ms : EI_PEER_READ_MS);
}

static cJSON *envelope(const char *error, cJSON *parameters)
{
    cJSON *message = cJSON_CreateObject();

    if (parameters == NULL)
        parameters = cJSON_CreateObject();
    if (message == NULL || parameters == NULL ||
        (error != NULL && cJSON_AddStringToObject(message, "error", error) == NULL) ||
        !cJSON_AddItemToObject(message, "parameters", parameters)) {
        cJSON_Delete(message);
        ei_varlink_free(parameters);
        return NULL;
    }
    return message;
}

bool ei_peer_tell(struct ei_peer *peer, cJSON *parameters)
{
    if (!peer->call.more || peer->call.oneway || peer->output.length != 0) {
        ei_varlink_free(parameters);
        return false;
    }
    cJSON *message = envelope(NULL, parameters);
    bool told = message != NULL && cJSON_AddTrueToObject(message, "continues") != NULL &&
                ei_varlink_put(&peer->output, message) == EI_OK;
    ei_varlink_free(message);
    if (told) {
        peer->deadline = read_by(&peer->call);
        peer->quiet_at = ei_monotonic_ms();
    }
    return told;
}

void ei_peer_answer(struct ei_peer *peer, const char *error, cJSON *parameters)
{
    bool oneway = peer->call.oneway;
    int64_t deadline = read_by(&peer->call);
    cJSON *message = NULL;

    peer->call = (struct ei_call){0};
    if (oneway) {
        ei_varlink_free(parameters);
        peer->quiet_at = ei_monotonic_ms();
        peer->deadline = peer->quiet_at + EI_PEER_IDLE_MS;
        return;
    }
    message = envelope(error, parameters);
    /* Without an answer the peer would wait for ever: a closed connection tells it. */
    if (message == NULL || ei_varlink_put(&peer->output, message) != EI_OK)
        peer->doomed = true;
    ei_varlink_free(message);
    peer->deadline = deadline;
    peer->quiet_at = ei_monotonic_ms();
}

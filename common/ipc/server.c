#include "common/ipc/server.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/ipc/interface.h"
#include "common/ipc/peer.h"
#include "common/ipc/varlink.h"

enum { ACCEPT_PAUSE_MS = 1000, BACKLOG = 1024, TURN_MS = 50 };

struct ei_server {
    int fd;
    uid_t own_uid;
    struct ei_server_handler handler;
    size_t turn;          /* whose call comes first in the next dispatch */
    int64_t accept_after; /* monotonic ms; after EMFILE and the like the listener rests, so that poll does not spin */
    struct ei_peer peers[EI_SERVER_PEERS];
};

/* An ei_call is a member of its peer, so that it needs no allocation and cannot outlive it. */
static struct ei_peer *peer_of(const struct ei_call *call)
{
    return (struct ei_peer *)((char *)call - offsetof(struct ei_peer, call));
}

enum ei_err ei_server_new(int fd, uid_t own_uid, const struct ei_server_handler *handler, struct ei_server **ret_server)
{
    struct ei_server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return EI_NOMEM;
    server->fd = fd;
    server->own_uid = own_uid;
    server->handler = *handler;
    for (size_t i = 0; i < EI_SERVER_PEERS; i++)
        server->peers[i].fd = -1;
    *ret_server = server;
    return EI_OK;
}

static void drop(struct ei_server *server, struct ei_peer *peer)
{
    if (peer->call.active)
        server->handler.gone(server->handler.context, &peer->call);
    ei_peer_stop(peer);
}

void ei_server_free(struct ei_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        if (server->peers[i].fd < 0)
            continue;
        ei_peer_write(&server->peers[i]);
        drop(server, &server->peers[i]);
    }
    close(server->fd);
    free(server);
}

/* true if something answers at path. */
static bool is_live(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    /* EAGAIN: its backlog is full. */
    bool live = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
    close(fd);
    return live;
}

static enum ei_err make_way(const struct sockaddr_un *address, struct ei_error *err)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? EI_OK : ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return ei_fail(err, EI_IO, "%s: is in the way and is no socket", path);
    if (is_live(address))
        return ei_fail(err, EI_BUSY, "%s: another entra-invited is running", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    return EI_OK;
}

enum ei_err ei_server_listen(const char *path, int *ret_fd, struct ei_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return ei_fail(err, EI_CONFIG, "socket: %s is longer than %zu bytes", path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    enum ei_err result = make_way(&address, err);
    if (result != EI_OK)
        return result;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* bind gives the file the socket's own mode, so there is no instant in which others could connect. */
    if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, BACKLOG) < 0) {
        result = ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return result;
    }
    *ret_fd = fd;
    return EI_OK;
}

static struct ei_peer *free_slot(struct ei_server *server)
{
    for (size_t i = 0; i < EI_SERVER_PEERS; i++)
        if (server->peers[i].fd < 0)
            return &server->peers[i];
    return NULL;
}

/* Who has been quiet for longest of those that may be dropped for another; NULL if there is none yet. */
static struct ei_peer *expendable(struct ei_server *server)
{
    struct ei_peer *quietest = NULL;

    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        struct ei_peer *peer = &server->peers[i];
        if (peer->fd >= 0 && ei_peer_expendable_at(peer) <= ei_monotonic_ms() &&
            (quietest == NULL || peer->quiet_at < quietest->quiet_at))
            quietest = peer;
    }
    return quietest;
}

static bool has_room(struct ei_server *server)
{
    return free_slot(server) != NULL || expendable(server) != NULL;
}

/* So many bytes of answers wait to be read that no other call is taken before they are, or their readers dropped. */
static bool is_laden(const struct ei_server *server)
{
    size_t bytes = 0;

    for (size_t i = 0; i < EI_SERVER_PEERS; i++)
        bytes += server->peers[i].output.capacity;
    return bytes > EI_SERVER_UNREAD_MAX;
}

static bool takes_nothing(const struct ei_peer *peer)
{
    return peer->output.length != 0 && ei_peer_expendable_at(peer) <= ei_monotonic_ms();
}

size_t ei_server_pollfds(const struct ei_server *server, struct pollfd *fds)
{
    size_t count = 0;

    if (has_room((struct ei_server *)server) && ei_monotonic_ms() >= server->accept_after)
        fds[count++] = (struct pollfd){.fd = server->fd, .events = POLLIN};
    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        const struct ei_peer *peer = &server->peers[i];
        if (peer->fd >= 0)
            fds[count++] = (struct pollfd){.fd = peer->fd, .events = ei_peer_events(peer)};
    }
    return count;
}

int ei_server_timeout(const struct ei_server *server)
{
    int64_t now = ei_monotonic_ms();
    int64_t next = INT64_MAX;
    bool laden = is_laden(server);
    bool full = free_slot((struct ei_server *)server) == NULL;

    if (server->accept_after > now)
        next = server->accept_after;
    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        const struct ei_peer *peer = &server->peers[i];
        if (peer->fd < 0)
            continue;
        if (ei_peer_finished(peer) || (laden ? takes_nothing(peer) : ei_peer_ready(peer)))
            return 0;
        int64_t expendable_at = ei_peer_expendable_at(peer);
        if ((full || laden) && expendable_at > now && expendable_at < next)
            next = expendable_at;
        if (ei_peer_clock_runs(peer) && peer->deadline < next)
            next = peer->deadline;
    }
    if (next == INT64_MAX)
        return -1;
    return next - now < INT_MAX ? (int)(next - now) : INT_MAX;
}

static void answer_named(struct ei_peer *peer, const char *error, const char *name, const char *value)
{
    cJSON *parameters = cJSON_CreateObject();

    if (parameters != NULL)
        cJSON_AddStringToObject(parameters, name, value);
    ei_peer_answer(peer, error, parameters);
}

static void invalid_parameter(struct ei_peer *peer, const char *parameter)
{
    answer_named(peer, EI_VARLINK_SERVICE ".InvalidParameter", "parameter", parameter);
}

static void get_info(struct ei_peer *peer)
{
    static const char *const interfaces[] = {EI_VARLINK_SERVICE, EI_VARLINK_INTERFACE};
    cJSON *info = cJSON_CreateObject();

    if (info != NULL) {
        cJSON_AddStringToObject(info, "vendor", "entra-invite");
        cJSON_AddStringToObject(info, "product", "entra-invited");
        cJSON_AddStringToObject(info, "version", EI_VERSION);
        cJSON_AddStringToObject(info, "url", "");
        ei_json_add_item(info, "interfaces", cJSON_CreateStringArray(interfaces, 2));
    }
    ei_peer_answer(peer, NULL, info);
}

static void service_call(struct ei_peer *peer, const char *method, const cJSON *parameters)
{
    if (strcmp(method, "GetInfo") == 0) {
        get_info(peer);
        return;
    }
    const char *name = ei_json_string(parameters, "interface");
    const char *text = ei_interface_text(name);
    if (text == NULL)
        answer_named(peer, EI_VARLINK_SERVICE ".InterfaceNotFound", "interface", name);
    else
        answer_named(peer, NULL, "description", text);
}

static void route(struct ei_server *server, struct ei_peer *peer, const char *full, const cJSON *parameters)
{
    char interface[EI_INTERFACE_NAME_SIZE] = "";
    char bad[EI_INTERFACE_NAME_SIZE];
    const char *dot = strrchr(full, '.');
    size_t length = dot != NULL ? (size_t)(dot - full) : strlen(full);
    const char *text = NULL;

    if (length < sizeof interface) {
        memcpy(interface, full, length);
        text = ei_interface_text(interface);
    }
    if (dot == NULL || text == NULL) {
        answer_named(peer, EI_VARLINK_SERVICE ".InterfaceNotFound", "interface", interface);
        return;
    }
    switch (ei_interface_check(text, dot + 1, parameters, bad)) {
    case EI_INTERFACE_NO_METHOD:
        answer_named(peer, EI_VARLINK_SERVICE ".MethodNotFound", "method", full);
        break;
    case EI_INTERFACE_BAD_PARAMETER:
        invalid_parameter(peer, bad);
        break;
    case EI_INTERFACE_FITS:
        if (strcmp(interface, EI_VARLINK_SERVICE) == 0)
            service_call(peer, dot + 1, parameters);
        else
            server->handler.call(server->handler.context, &peer->call, dot + 1, parameters);
        break;
    }
}

/* The member of a request that no caller of varlink sends so, NULL if it is well made. */
static const char *bad_member(const cJSON *message)
{
    for (const cJSON *item = message->child; item != NULL; item = item->next) {
        const char *name = item->string;
        bool flag = strcmp(name, "oneway") == 0 || strcmp(name, "more") == 0 || strcmp(name, "upgrade") == 0;
        bool parameters = strcmp(name, "parameters") == 0 && (cJSON_IsObject(item) || cJSON_IsNull(item));
        if (!parameters && strcmp(name, "method") != 0 && !(flag && cJSON_IsBool(item)))
            return name;
        if (strcmp(name, "upgrade") == 0 && cJSON_IsTrue(item))
            return name;
    }
    return NULL;
}

static void take_request(struct ei_server *server, struct ei_peer *peer)
{
    cJSON *message = NULL;
    cJSON *empty = NULL;

    if (ei_varlink_take(&peer->input, &message) != EI_OK) {
        peer->doomed = true;
        return;
    }
    peer->has_message = peer->input.length != 0 && memchr(peer->input.data, '\0', peer->input.length) != NULL;
    const char *method = ei_json_string(message, "method");
    if (method == NULL) {
        peer->doomed = true;
        goto out;
    }
    peer->call = (struct ei_call){
        .active = true,
        .oneway = ei_json_bool(message, "oneway", false),
        .more = ei_json_bool(message, "more", false),
    };
    const char *bad = bad_member(message);
    const cJSON *parameters = ei_json_object(message, "parameters");
    if (parameters == NULL)
        parameters = empty = cJSON_CreateObject();
    if (bad != NULL)
        invalid_parameter(peer, bad);
    else if (parameters == NULL)
        peer->doomed = true;
    else
        route(server, peer, method, parameters);
out:
    cJSON_Delete(empty);
    ei_varlink_free(message);
}

/* Best effort: the reason goes out if the socket takes it at once. */
static void refuse(int fd, uid_t uid)
{
    struct ei_error err;
    struct ei_peer peer;

    ei_peer_start(&peer, fd, uid);
    ei_fail(&err, EI_NOT_ROOT, "uid %u may not ask entra-invited", (unsigned)uid);
    ei_call_fail(&peer.call, &err);
    ei_peer_write(&peer);
    ei_peer_stop(&peer);
}

static struct ei_peer *make_room(struct ei_server *server)
{
    struct ei_peer *slot = free_slot(server);

    if (slot == NULL) {
        slot = expendable(server);
        drop(server, slot);
    }
    return slot;
}

static void accept_one(struct ei_server *server)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;

    if (!has_room(server))
        return;
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            server->accept_after = ei_monotonic_ms() + ACCEPT_PAUSE_MS;
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        close(fd);
    else if (peer.uid != 0 && peer.uid != server->own_uid)
        refuse(fd, peer.uid);
    else
        ei_peer_start(make_room(server), fd, peer.uid);
}

static struct ei_peer *peer_by_fd(struct ei_server *server, int fd)
{
    for (size_t i = 0; i < EI_SERVER_PEERS; i++)
        if (server->peers[i].fd == fd && fd >= 0)
            return &server->peers[i];
    return NULL;
}

static void handle_event(struct ei_peer *peer, short revents)
{
    if ((revents & POLLIN) != 0)
        ei_peer_read(peer);
    if ((revents & POLLOUT) != 0)
        ei_peer_write(peer);
    /* Closed at its end. What it sent before is still in the socket (oneway callers do that), so it is read first; a
     * call in work, or an answer, has nobody to go to. */
    if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
        if (peer->call.active || peer->output.length != 0)
            peer->doomed = true;
        else if ((revents & POLLIN) == 0 && !peer->has_message)
            ei_peer_read(peer);
    }
}

/* Calls are taken for so long only: the loop has other work, and a watchdog. The next dispatch goes on with the peer at
 * which this one stopped. */
static void serve_peers(struct ei_server *server)
{
    int64_t until = ei_monotonic_ms() + TURN_MS;
    size_t first = server->turn;
    bool laden = is_laden(server);

    for (size_t i = 0; i < EI_SERVER_PEERS; i++) {
        size_t at = (first + i) % EI_SERVER_PEERS;
        struct ei_peer *peer = &server->peers[at];
        if (peer->fd < 0)
            continue;
        if (ei_peer_ready(peer) && !is_laden(server) && ei_monotonic_ms() < until) {
            take_request(server, peer);
            server->turn = (at + 1) % EI_SERVER_PEERS;
        }
        /* An answer that is there goes out now: what the loop does next (requests to Graph, the view) takes time, and
         * useradd may be waiting. */
        if (peer->output.length != 0 && !peer->doomed)
            ei_peer_write(peer);
        if (ei_peer_finished(peer) || (laden && takes_nothing(peer)))
            drop(server, peer);
    }
}

void ei_server_dispatch(struct ei_server *server, const struct pollfd *fds, size_t count)
{
    bool accepting = false;

    for (size_t i = 0; i < count; i++) {
        struct ei_peer *peer = peer_by_fd(server, fds[i].fd);
        if (fds[i].fd == server->fd)
            accepting = fds[i].revents != 0;
        else if (peer != NULL && fds[i].revents != 0)
            handle_event(peer, fds[i].revents);
    }
    serve_peers(server);
    if (accepting)
        accept_one(server);
}

void ei_call_reply(struct ei_call *call, cJSON *parameters)
{
    ei_peer_answer(peer_of(call), NULL, parameters);
}

bool ei_call_tell(struct ei_call *call, cJSON *parameters)
{
    return ei_peer_tell(peer_of(call), parameters);
}

bool ei_call_wants_more(const struct ei_call *call)
{
    return call->more;
}

bool ei_call_read_up(const struct ei_call *call)
{
    return peer_of(call)->output.length == 0;
}

void ei_call_set_patience(struct ei_call *call, int ms)
{
    call->read_ms = ms;
}

void ei_call_fail_without_more(struct ei_call *call)
{
    ei_peer_answer(peer_of(call), EI_VARLINK_SERVICE ".ExpectedMore", NULL);
}

void ei_call_fail(struct ei_call *call, const struct ei_error *err)
{
    cJSON *parameters = ei_json_error(err, ei_err_fault(err->code) != EI_FAULT_TRANSIENT);

    ei_peer_answer(peer_of(call), EI_VARLINK_INTERFACE ".Failed", parameters);
}

uid_t ei_call_uid(const struct ei_call *call)
{
    return peer_of(call)->uid;
}

#include "common/ipc/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/service_user.h"
#include "common/base/utf8.h"
#include "common/ipc/varlink.h"

static int left_ms(int64_t deadline)
{
    int64_t left = deadline - ei_monotonic_ms();
    return left > 0 ? (int)left : 0;
}

static enum ei_err timed_out(struct ei_error *err)
{
    return ei_fail(err, EI_TIMEOUT, "entra-invited did not answer in time");
}

static enum ei_err connect_error(const char *path, int error, struct ei_error *err)
{
    if (error == EAGAIN || error == EINTR)
        return timed_out(err);
    if (error == EACCES || error == EPERM)
        return ei_fail(err, EI_NOT_ROOT, "%s: %s", path, strerror(error));
    return ei_fail(err, EI_WORKER_DOWN, "entra-invited does not answer on %s: %s", path, strerror(error));
}

static enum ei_err connect_to(const char *path, int64_t deadline, int *ret_fd, struct ei_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return ei_fail(err, EI_WORKER_DOWN, "%s: longer than a socket's path can be", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ei_fail(err, EI_IO, "socket: %s", strerror(errno));
    /* A full backlog makes connect wait; only the send timeout bounds that. 0 would mean for ever. */
    int wait = left_ms(deadline) > 0 ? left_ms(deadline) : 1;
    struct timeval limit = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        enum ei_err result = connect_error(path, errno, err);
        close(fd);
        return result;
    }
    *ret_fd = fd;
    return EI_OK;
}

/* Whoever else listens there could make up answers. */
static enum ei_err check_server(int fd, const char *path, struct ei_error *err)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return ei_fail(err, EI_IO, "%s: %s", path, strerror(errno));
    if (ei_uid_trusted(peer.uid))
        return EI_OK;
    return ei_fail(err, EI_PROTOCOL, "%s: served by uid %u, not by entra-invited", path, (unsigned)peer.uid);
}

static enum ei_err wait_for(int fd, short events, int64_t deadline, struct ei_error *err)
{
    for (;;) {
        struct pollfd pollfd = {.fd = fd, .events = events};
        int left = left_ms(deadline);
        int ready = left > 0 ? poll(&pollfd, 1, left) : 0;
        if (ready > 0)
            return EI_OK;
        if (ready == 0)
            return timed_out(err);
        if (errno != EINTR)
            return ei_fail(err, EI_IO, "poll: %s", strerror(errno));
    }
}

static enum ei_err send_all(int fd, const struct ei_buffer *output, int64_t deadline, struct ei_error *err)
{
    for (size_t sent = 0; sent < output->length;) {
        enum ei_err result = wait_for(fd, POLLOUT, deadline, err);
        if (result != EI_OK)
            return result;
        ssize_t put = send(fd, output->data + sent, output->length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put >= 0)
            sent += (size_t)put;
        else if (errno == EPIPE || errno == ECONNRESET)
            return EI_OK; /* refused unread: the reason may stand in what it sent */
        else if (errno != EAGAIN && errno != EINTR)
            return ei_fail(err, EI_IO, "send: %s", strerror(errno));
    }
    return EI_OK;
}

/* More of what is answered. */
static enum ei_err receive_some(int fd, int64_t deadline, struct ei_buffer *input, struct ei_error *err)
{
    char chunk[16 * 1024];
    ssize_t got;

    do {
        enum ei_err result = wait_for(fd, POLLIN, deadline, err);
        if (result != EI_OK)
            return result;
        got = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    } while (got < 0 && (errno == EAGAIN || errno == EINTR));
    if (got <= 0)
        return ei_fail(err, EI_PROTOCOL, "entra-invited closed the connection without an answer");
    bool kept = ei_buffer_append(input, chunk, (size_t)got);
    explicit_bzero(chunk, sizeof chunk);
    if (kept)
        return EI_OK;
    if (input->starved)
        return ei_fail(err, EI_NOMEM, "no memory for entra-invited's answer");
    return ei_fail(err, EI_PROTOCOL, "entra-invited's answer is larger than %d bytes", EI_VARLINK_REPLY_MAX);
}

static enum ei_err receive(int fd, int64_t deadline, struct ei_buffer *input, cJSON **ret_message, struct ei_error *err)
{
    while (*ret_message == NULL) {
        if (ei_varlink_take(input, ret_message) != EI_OK)
            return ei_fail(err, EI_PROTOCOL, "entra-invited's answer is not varlink");
        enum ei_err result = *ret_message == NULL ? receive_some(fd, deadline, input, err) : EI_OK;
        if (result != EI_OK)
            return result;
    }
    return EI_OK;
}

/* The error a worker of this or another version answered with. */
static enum ei_err remote_error(const char *name, const cJSON *parameters, struct ei_error *err)
{
    const char *text = ei_json_string(parameters, "message");
    const char *code_name = ei_json_string(parameters, "code");
    const char *request_id = ei_json_string(parameters, "requestId");
    const char *client_request_id = ei_json_string(parameters, "clientRequestId");
    enum ei_err code = EI_PROTOCOL;

    if (strcmp(name, EI_VARLINK_INTERFACE ".Failed") != 0) {
        const char *what = ei_json_string(parameters, "parameter");
        return ei_fail(err, EI_PROTOCOL, "entra-invited refuses the call: %s%s%s", name, what != NULL ? " " : "",
                       what != NULL ? what : "");
    }
    if (code_name == NULL || !ei_err_from_name(code_name, &code) || code == EI_OK)
        code = EI_PROTOCOL;
    ei_fail(err, code, "%s", text != NULL ? text : name);
    if (err != NULL && request_id != NULL)
        snprintf(err->request_id, sizeof err->request_id, "%s", request_id);
    if (err != NULL && client_request_id != NULL)
        snprintf(err->client_request_id, sizeof err->client_request_id, "%s", client_request_id);
    return code;
}

static enum ei_err open_reply(cJSON *message, cJSON **ret_parameters, struct ei_error *err)
{
    const char *error = ei_json_string(message, "error");
    enum ei_err result = EI_OK;

    if (error != NULL) {
        result = remote_error(error, ei_json_object(message, "parameters"), err);
    } else if (ei_json_has(message, "error")) {
        result = ei_fail(err, EI_PROTOCOL, "entra-invited's answer is not a reply");
    } else {
        *ret_parameters = cJSON_DetachItemFromObjectCaseSensitive(message, "parameters");
        if (*ret_parameters == NULL)
            *ret_parameters = cJSON_CreateObject();
        if (!cJSON_IsObject(*ret_parameters)) {
            ei_varlink_free(*ret_parameters);
            *ret_parameters = NULL;
            result = ei_fail(err, EI_PROTOCOL, "entra-invited's answer is not a reply");
        }
    }
    return result;
}

static enum ei_err write_request(const char *method, const cJSON *parameters, bool more, struct ei_buffer *output,
                                 struct ei_error *err)
{
    char name[128];
    enum ei_err result = EI_NOMEM;
    cJSON *message = cJSON_CreateObject();

    snprintf(name, sizeof name, "%s.%s", EI_VARLINK_INTERFACE, method);
    if (message != NULL && cJSON_AddStringToObject(message, "method", name) != NULL &&
        (parameters == NULL || cJSON_AddItemReferenceToObject(message, "parameters", (cJSON *)parameters)) &&
        (!more || cJSON_AddTrueToObject(message, "more") != NULL))
        result = ei_varlink_put(output, message);
    cJSON_Delete(message);
    if (result != EI_OK)
        ei_fail(err, result, "the request is larger than %d bytes, or memory is short", EI_VARLINK_REQUEST_MAX);
    return result;
}

/* The last reply; those before it go to told. */
static enum ei_err receive_replies(int fd, int64_t deadline, ei_client_told *told, void *context,
                                   cJSON **ret_parameters, struct ei_error *err)
{
    struct ei_buffer input;
    enum ei_err result;
    bool last = false;

    ei_buffer_init(&input, EI_VARLINK_REPLY_MAX + 1);
    do {
        cJSON *message = NULL;
        cJSON *parameters = NULL;
        result = receive(fd, deadline, &input, &message, err);
        last = !ei_json_bool(message, "continues", false);
        if (result == EI_OK && !last && told == NULL)
            result = ei_fail(err, EI_PROTOCOL, "entra-invited's answer is not a reply");
        if (result == EI_OK)
            result = open_reply(message, &parameters, err);
        ei_varlink_free(message);
        if (result == EI_OK && last) {
            *ret_parameters = parameters;
        } else if (result == EI_OK) {
            /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): ei_fail returned an error where told is NULL */
            deadline = ei_monotonic_ms() + told(context, parameters);
            ei_varlink_free(parameters);
        }
    } while (result == EI_OK && !last);
    ei_buffer_free(&input);
    return result;
}

enum ei_err ei_client_call_more(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                                ei_client_told *told, void *context, cJSON **ret_parameters, struct ei_error *err)
{
    int64_t deadline = ei_monotonic_ms() + timeout_ms;
    struct ei_buffer output;
    int fd = -1;

    *ret_parameters = NULL;
    ei_buffer_init(&output, EI_VARLINK_REQUEST_MAX + 1);
    enum ei_err result = write_request(method, parameters, told != NULL, &output, err);
    if (result == EI_OK)
        result = connect_to(path, deadline, &fd, err);
    if (result == EI_OK)
        result = check_server(fd, path, err);
    if (result == EI_OK)
        result = send_all(fd, &output, deadline, err);
    if (result == EI_OK)
        result = receive_replies(fd, deadline, told, context, ret_parameters, err);
    if (fd >= 0)
        close(fd);
    ei_buffer_free(&output);
    return result;
}

enum ei_err ei_client_call(const char *path, const char *method, const cJSON *parameters, int timeout_ms,
                           cJSON **ret_parameters, struct ei_error *err)
{
    return ei_client_call_more(path, method, parameters, timeout_ms, NULL, NULL, ret_parameters, err);
}

/* A uid in decimal with nothing but a newline behind it; false also for (uid_t)-1, which says "none". */
static bool parse_uid(const char *text, uid_t *ret_uid)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 10 || (text[digits] != '\0' && text[digits] != '\n'))
        return false;
    unsigned long long value = strtoull(text, NULL, 10);
    if (value >= (uid_t)-1)
        return false;
    *ret_uid = (uid_t)value;
    return true;
}

static bool login_uid(uid_t *ret_uid)
{
    char text[16] = "";
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 && parse_uid(text, ret_uid);
}

static uid_t requester_uid(const char *sudo_uid)
{
    uid_t uid = getuid();
    uid_t other = 0;

    return login_uid(&other) || (uid == 0 && sudo_uid != NULL && parse_uid(sudo_uid, &other)) ? other : uid;
}

/* NULL: it has none, or one that is no text. */
static const char *login_of(uid_t uid)
{
    const struct passwd *account = uid != 0 ? getpwuid(uid) : NULL;

    if (uid == 0)
        return "root";
    bool good = account != NULL && strlen(account->pw_name) <= 256 && ei_utf8_printable(account->pw_name);
    return good ? account->pw_name : NULL;
}

void ei_client_requester(const char *sudo_uid, char out[EI_REQUESTER_SIZE])
{
    uid_t uid = requester_uid(sudo_uid);
    const char *login = login_of(uid);

    if (uid == 0)
        snprintf(out, EI_REQUESTER_SIZE, "root");
    else if (login != NULL)
        snprintf(out, EI_REQUESTER_SIZE, "%s (uid %u)", login, (unsigned)uid);
    else
        snprintf(out, EI_REQUESTER_SIZE, "uid %u", (unsigned)uid);
}

void ei_client_requester_login(const char *sudo_uid, char out[EI_REQUESTER_SIZE])
{
    const char *login = login_of(requester_uid(sudo_uid));

    snprintf(out, EI_REQUESTER_SIZE, "%s", login != NULL ? login : "");
}

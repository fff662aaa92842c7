#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "plugin/pam/module.h"

enum {
    BUDGET_MS = 200,
    AGAIN_MS = 10, /* until a full backlog is tried again: a connect cannot be polled for */
    LOGIN_MAX = 256,
    ANSWER_MAX = 4096, /* an answer with long texts may be longer; what is looked for stands in front */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for fd (negative: for nothing) until something happens or the deadline; false: it is past. */
static bool wait_for(int fd, short events, int64_t deadline, int at_most_ms)
{
    struct pollfd waiting = {.fd = fd, .events = events};
    int64_t left = deadline - now_ms();

    if (left <= 0)
        return false;
    int rc = poll(&waiting, 1, left < at_most_ms ? (int)left : at_most_ms);
    return rc >= 0 || errno == EINTR;
}

static int connect_to(const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    while (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if ((errno == EAGAIN || errno == EINTR) && wait_for(-1, 0, deadline, AGAIN_MS))
            continue;
        close(fd);
        return -1;
    }
    return fd;
}

static bool send_all(int fd, const char *data, size_t length, int64_t deadline)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR) && wait_for(fd, POLLOUT, deadline, BUDGET_MS))
            continue;
        if (sent < 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Reads up to the NUL that ends a varlink message, or as much as answer holds. false: no message came. */
static bool receive(int fd, char answer[ANSWER_MAX], int64_t deadline)
{
    size_t length = 0;

    for (;;) {
        ssize_t got = recv(fd, answer + length, ANSWER_MAX - 1 - length, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR) && wait_for(fd, POLLIN, deadline, BUDGET_MS))
            continue;
        if (got <= 0)
            return false;
        bool ended = memchr(answer + length, '\0', (size_t)got) != NULL;
        length += (size_t)got;
        answer[length] = '\0';
        if (ended || length == ANSWER_MAX - 1)
            return true;
    }
}

/* The message, with its NUL. Logins that are not plain ASCII are left to the worker's own reading of the files. */
static size_t compose(const char *login, char message[LOGIN_MAX + 128])
{
    static const char front[] = "{\"method\":\"io.entrainvite.Announce\",\"parameters\":{\"login\":\"";
    static const char back[] = "\",\"source\":\"pam\"}}";
    size_t length = strlen(login);

    if (length == 0 || length > LOGIN_MAX)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (login[i] < ' ' || login[i] > '~' || login[i] == '"' || login[i] == '\\')
            return 0;
    memcpy(message, front, sizeof front - 1);
    memcpy(message + sizeof front - 1, login, length);
    memcpy(message + sizeof front - 1 + length, back, sizeof back);
    return sizeof front - 1 + length + sizeof back;
}

/*
 * Looks for members by their text. In JSON a quote inside a string has a backslash before it, so `"covered":true` can
 * be nothing but that member, whatever the names and addresses in the answer say.
 */
static enum ei_announced understand(const char *answer)
{
    if (strstr(answer, "\"error\":\"") != NULL)
        return EI_ANNOUNCED_NOT;
    if (strstr(answer, "\"covered\":true") == NULL)
        return EI_ANNOUNCED_OTHER;
    if (strstr(answer, "\"state\":\"pending\"") != NULL)
        return EI_ANNOUNCED_INVITED;
    bool other = strstr(answer, "\"state\":\"accepted\"") != NULL || strstr(answer, "\"state\":\"failed\"") != NULL ||
                 strstr(answer, "\"state\":\"removed\"") != NULL;
    return other ? EI_ANNOUNCED_OTHER : EI_ANNOUNCED_QUEUED;
}

enum ei_announced ei_pam_announce(const char *socket_path, const char *login)
{
    char message[LOGIN_MAX + 128], answer[ANSWER_MAX];
    int64_t deadline = now_ms() + BUDGET_MS;
    size_t length = compose(login, message);

    if (length == 0)
        return EI_ANNOUNCED_NOT;
    int fd = connect_to(socket_path, deadline);
    if (fd < 0)
        return EI_ANNOUNCED_NOT;
    bool answered = send_all(fd, message, length, deadline) && receive(fd, answer, deadline);
    close(fd);
    enum ei_announced result = answered ? understand(answer) : EI_ANNOUNCED_NOT;
    explicit_bzero(answer, sizeof answer); /* the redeem URL is in it (S40) */
    return result;
}

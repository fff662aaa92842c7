#include "common/base/journal.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void append(struct ei_journal_entry *entry, const void *data, size_t length)
{
    memcpy(entry->data + entry->length, data, length);
    entry->length += length;
}

void ei_journal_add(struct ei_journal_entry *entry, const char *name, const char *value)
{
    size_t length = value != NULL ? strlen(value) : 0;
    size_t name_length = strlen(name);
    unsigned char size[8];

    if (length == 0 || name_length + sizeof size + length + 2 > sizeof entry->data - entry->length)
        return;
    append(entry, name, name_length);
    if (strchr(value, '\n') == NULL) {
        append(entry, "=", 1);
    } else { /* the form whose value may hold anything */
        for (size_t i = 0; i < sizeof size; i++)
            size[i] = (unsigned char)((uint64_t)length >> 8 * i);
        append(entry, "\n", 1);
        append(entry, size, sizeof size);
    }
    append(entry, value, length);
    append(entry, "\n", 1);
}

bool ei_journal_send(const char *socket_path, const struct ei_journal_entry *entry)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(socket_path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    ssize_t sent =
        sendto(fd, entry->data, entry->length, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof address);
    close(fd);
    return sent == (ssize_t)entry->length;
}

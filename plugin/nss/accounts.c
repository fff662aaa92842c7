/* passwd and group read line by line from a small buffer: a line may be of any length, what is wanted stands in front.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/nss/module.h"

enum { CHUNK = 4096, NAME_SIZE = 257, NAME_FIELD = 0, NUMBER_FIELD = 2 };

struct entry {
    char name[NAME_SIZE];
    size_t name_length; /* NAME_SIZE: longer than any that is asked for */
    uint64_t number;
    unsigned digits;
    bool number_bad;
    int field;
};

/* true: go on with the next line. */
typedef bool visit(void *context, const struct entry *entry);

static int open_regular(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static void add_character(struct entry *entry, char c)
{
    if (c == ':') {
        entry->field++;
    } else if (entry->field == NAME_FIELD) {
        if (entry->name_length < NAME_SIZE - 1)
            entry->name[entry->name_length++] = c;
        else
            entry->name_length = NAME_SIZE;
    } else if (entry->field == NUMBER_FIELD) {
        entry->number_bad |= c < '0' || c > '9' || entry->digits == 10;
        if (!entry->number_bad) {
            entry->number = entry->number * 10 + (uint64_t)(c - '0');
            entry->digits++;
        }
    }
}

static bool whole(const struct entry *entry)
{
    return entry->name_length < NAME_SIZE && entry->field >= NUMBER_FIELD && entry->digits != 0 && !entry->number_bad &&
           entry->number < UINT32_MAX; /* (id_t)-1 is nobody's */
}

static bool end_line(struct entry *entry, visit *each, void *context)
{
    bool more = true;

    if (whole(entry)) {
        entry->name[entry->name_length] = '\0';
        more = each(context, entry);
    }
    memset(entry, 0, sizeof *entry);
    return more;
}

static enum ei_nss_found walk(const char *path, visit *each, void *context)
{
    char chunk[CHUNK];
    struct entry entry = {0};
    enum ei_nss_found found = EI_NSS_ABSENT;
    ssize_t count;
    int fd = open_regular(path);

    if (fd < 0)
        return EI_NSS_FAILED;
    do {
        count = read(fd, chunk, sizeof chunk);
        if (count < 0 && errno != EINTR)
            found = EI_NSS_FAILED;
        for (ssize_t i = 0; i < count && found == EI_NSS_ABSENT; i++) {
            if (chunk[i] != '\n')
                add_character(&entry, chunk[i]);
            else if (!end_line(&entry, each, context))
                found = EI_NSS_FOUND;
        }
    } while (found == EI_NSS_ABSENT && count != 0);
    if (found == EI_NSS_ABSENT && !end_line(&entry, each, context)) /* without a newline at its end */
        found = EI_NSS_FOUND;
    int saved = errno;
    close(fd);
    errno = saved;
    return found;
}

struct search {
    const char *name;
    id_t number;
};

static bool has_name(void *context, const struct entry *entry)
{
    struct search *search = context;

    if (strcmp(entry->name, search->name) != 0)
        return true;
    search->number = (id_t)entry->number;
    return false;
}

static bool has_number(void *context, const struct entry *entry)
{
    const struct search *search = context;
    return (id_t)entry->number != search->number || strcmp(entry->name, search->name) == 0;
}

enum ei_nss_found ei_nss_number(const char *path, const char *name, id_t *ret_number)
{
    struct search search = {.name = name};
    enum ei_nss_found found = walk(path, has_name, &search);

    *ret_number = search.number;
    return found;
}

enum ei_nss_found ei_nss_other_name(const char *path, const char *name, id_t number)
{
    struct search search = {.name = name, .number = number};
    return walk(path, has_number, &search);
}

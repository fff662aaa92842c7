#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/view/view.h"
#include "common/view/view_format.h"

enum {
    RECORD_HEAD = EI_VIEW_RECORD_HEAD,
    SLOT = EI_VIEW_SLOT,
    HEADER_KEY = 1,
    FRONT_MAX = EI_VIEW_TABLE_SIZE + RECORD_HEAD + HEADER_KEY + EI_VIEW_HEADER_MAX,
    FRONT_MIN = EI_VIEW_TABLE_SIZE + RECORD_HEAD + HEADER_KEY + EI_VIEW_H_GROUPS,
};

static enum ei_view_status open_failed(void)
{
    switch (errno) {
    case ENOENT:
        return EI_VIEW_NO_FILE;
    case ELOOP:   /* a symlink, refused by O_NOFOLLOW */
    case ENOTDIR: /* the directory is none */
    case ENXIO:   /* a socket */
    case EACCES:
    case EPERM:
        return EI_VIEW_BAD_FILE;
    default:
        return EI_VIEW_OS_ERROR;
    }
}

/* Opens the directory that path lies in and gives the last part of path. */
static int open_directory(const char *path, const char **ret_name)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);

    if (length >= sizeof directory) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *ret_name = slash == NULL ? path : slash + 1;
    memcpy(directory, path, length);
    directory[length] = '\0';
    const char *name = slash == NULL ? "." : length == 0 ? "/" : directory;
    return open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Opens path if its directory and it are such that only root and the service user can have written it (S6, S7, S8). */
static enum ei_view_status open_checked(const char *path, int *ret_fd, uint64_t *ret_size)
{
    const char *name;
    struct stat dir, file;
    int dir_fd = open_directory(path, &name);

    if (dir_fd < 0)
        return open_failed();
    if (fstat(dir_fd, &dir) < 0) { /* cannot fail for a descriptor that is open */
        close(dir_fd);
        return EI_VIEW_OS_ERROR;
    }
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int saved = errno;
    close(dir_fd);
    errno = saved;
    if (fd < 0)
        return open_failed();

    enum ei_view_status status = EI_VIEW_BAD_FILE;
    const mode_t others_write = S_IWGRP | S_IWOTH;
    if (fstat(fd, &file) < 0)
        status = EI_VIEW_OS_ERROR;
    /* No link at all: replaced by rename since openat, whole all the same (X10). */
    else if (S_ISREG(file.st_mode) && file.st_nlink <= 1 && (file.st_uid == 0 || file.st_uid == dir.st_uid) &&
             ((file.st_mode | dir.st_mode) & others_write) == 0)
        status = EI_VIEW_OK;
    if (status != EI_VIEW_OK) {
        saved = errno;
        close(fd);
        errno = saved;
        return status;
    }
    *ret_fd = fd;
    *ret_size = (uint64_t)file.st_size;
    return EI_VIEW_OK;
}

enum ei_view_status ei_view_read_at(int fd, unsigned char *out, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t count = pread(fd, out, length, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return EI_VIEW_OS_ERROR;
        if (count == 0)
            return EI_VIEW_CORRUPT;
        out += count;
        length -= (size_t)count;
        offset += (uint64_t)count;
    }
    return EI_VIEW_OK;
}

/* The same, where the bytes are: in the writer's map, or in room. */
static enum ei_view_status find_at(const struct ei_view *view, unsigned char *room, size_t length, uint64_t offset,
                                   const unsigned char **ret_bytes)
{
    *ret_bytes = view->map != NULL ? view->map + offset : room;
    return view->map != NULL ? EI_VIEW_OK : ei_view_read_at(view->fd, room, length, offset);
}

/* The groups are names with a NUL behind each, none of them empty. */
static bool groups_well_formed(const unsigned char *groups, size_t length)
{
    bool in_name = false;

    for (size_t i = 0; i < length; i++) {
        if (groups[i] == '\0' && !in_name)
            return false;
        in_name = groups[i] != '\0';
    }
    return !in_name;
}

static enum ei_view_status decode_header(const unsigned char *data, size_t length, uint64_t size,
                                         struct ei_view_header *header)
{
    if (memcmp(data + EI_VIEW_H_MAGIC, EI_VIEW_MAGIC, strlen(EI_VIEW_MAGIC)) != 0)
        return EI_VIEW_CORRUPT;
    header->major = (uint16_t)ei_view_get(data + EI_VIEW_H_MAJOR, 2);
    header->minor = (uint16_t)ei_view_get(data + EI_VIEW_H_MINOR, 2);
    if (header->major != EI_VIEW_MAJOR)
        return EI_VIEW_BAD_VERSION;
    uint64_t check = ei_view_check((const unsigned char *)"H", HEADER_KEY, data, length, EI_VIEW_H_CHECK);
    if (check != ei_view_get(data + EI_VIEW_H_CHECK, EI_VIEW_CHECK_SIZE) ||
        ei_view_get(data + EI_VIEW_H_SIZE, 8) != size)
        return EI_VIEW_CORRUPT;

    size_t groups = (size_t)ei_view_get(data + EI_VIEW_H_GROUPS_LENGTH, 2);
    if (groups > length - EI_VIEW_H_GROUPS || groups >= EI_VIEW_GROUPS_SIZE ||
        !groups_well_formed(data + EI_VIEW_H_GROUPS, groups))
        return EI_VIEW_CORRUPT;
    memcpy(header->groups, data + EI_VIEW_H_GROUPS, groups);
    header->generation = ei_view_get(data + EI_VIEW_H_GENERATION, 8);
    header->created_at = (int64_t)ei_view_get(data + EI_VIEW_H_CREATED, 8);
    header->not_after = (int64_t)ei_view_get(data + EI_VIEW_H_NOT_AFTER, 8);
    header->count = ei_view_get(data + EI_VIEW_H_COUNT, 8);
    header->minimum_uid = (uint32_t)ei_view_get(data + EI_VIEW_H_MINIMUM_UID, 4);
    header->first_trusted = (ei_view_get(data + EI_VIEW_H_FLAGS, 2) & EI_VIEW_FLAG_FIRST_TRUSTED) != 0;
    return EI_VIEW_OK;
}

/* One read brings the table pointers and the header. */
static enum ei_view_status read_front(struct ei_view *view, struct ei_view_header *header)
{
    unsigned char front[FRONT_MAX];
    size_t length = view->size < sizeof front ? (size_t)view->size : sizeof front;

    if (view->size < FRONT_MIN || view->size > UINT32_MAX)
        return EI_VIEW_CORRUPT;
    enum ei_view_status status = ei_view_read_at(view->fd, front, length, 0);
    if (status != EI_VIEW_OK)
        return status;
    memcpy(view->table, front, sizeof view->table);

    const unsigned char *record = front + EI_VIEW_TABLE_SIZE;
    uint64_t data_length = ei_view_get(record + 4, 4);
    if (ei_view_get(record, 4) != HEADER_KEY || record[RECORD_HEAD] != 'H' || data_length < EI_VIEW_H_GROUPS ||
        data_length > length - EI_VIEW_TABLE_SIZE - RECORD_HEAD - HEADER_KEY)
        return EI_VIEW_CORRUPT;
    return decode_header(record + RECORD_HEAD + HEADER_KEY, (size_t)data_length, view->size, header);
}

enum ei_view_status ei_view_open(const char *path, struct ei_view *view, struct ei_view_header *ret_header)
{
    memset(ret_header, 0, sizeof *ret_header);
    memset(view, 0, sizeof *view);
    view->fd = -1;
    enum ei_view_status status = open_checked(path, &view->fd, &view->size);
    if (status != EI_VIEW_OK)
        return status;
    status = read_front(view, ret_header);
    if (status != EI_VIEW_OK) {
        memset(ret_header, 0, sizeof *ret_header);
        ei_view_close(view);
    }
    return status;
}

void ei_view_close(struct ei_view *view)
{
    int saved = errno;

    if (view->fd >= 0)
        close(view->fd);
    view->fd = -1;
    errno = saved;
}

static bool reason_well_formed(const unsigned char *reason, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = reason[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

static enum ei_view_status decode_record(const unsigned char *key, size_t key_length, const unsigned char *data,
                                         size_t length, struct ei_view_record *record)
{
    if (length < EI_VIEW_U_REASON || ei_view_check(key, key_length, data, length, EI_VIEW_U_CHECK) !=
                                         ei_view_get(data + EI_VIEW_U_CHECK, EI_VIEW_CHECK_SIZE))
        return EI_VIEW_CORRUPT;
    size_t reason = (size_t)ei_view_get(data + EI_VIEW_U_REASON_LENGTH, 2);
    if (reason > length - EI_VIEW_U_REASON || reason >= EI_VIEW_REASON_SIZE ||
        !reason_well_formed(data + EI_VIEW_U_REASON, reason) || data[EI_VIEW_U_STATE] == 0)
        return EI_VIEW_CORRUPT;
    memset(record, 0, sizeof *record);
    memcpy(record->reason, data + EI_VIEW_U_REASON, reason);
    record->state = (enum ei_state)data[EI_VIEW_U_STATE];
    record->uid = (uint32_t)ei_view_get(data + EI_VIEW_U_UID, 4);
    record->address_hash = ei_view_get(data + EI_VIEW_U_HASH, 8);
    record->changed_at = (int64_t)ei_view_get(data + EI_VIEW_U_CHANGED, 8);
    record->checked_at = (int64_t)ei_view_get(data + EI_VIEW_U_CHECKED, 8);
    return EI_VIEW_OK;
}

/* The record at position, if its key is this one; then *ret_position is set to it. */
static enum ei_view_status read_record(const struct ei_view *view, uint64_t position, const unsigned char *key,
                                       size_t key_length, struct ei_view_record *record, uint64_t *ret_position)
{
    unsigned char room[RECORD_HEAD + EI_VIEW_KEY_MAX + EI_VIEW_RECORD_MAX];
    const unsigned char *bytes;

    if (position < EI_VIEW_TABLE_SIZE || position > view->size - RECORD_HEAD)
        return EI_VIEW_CORRUPT;
    uint64_t rest = view->size - position;
    size_t length = rest < sizeof room ? (size_t)rest : sizeof room;
    enum ei_view_status status = find_at(view, room, length, position, &bytes);
    if (status != EI_VIEW_OK)
        return status;

    uint64_t found_key = ei_view_get(bytes, 4), data = ei_view_get(bytes + 4, 4);
    if (found_key + data > rest - RECORD_HEAD)
        return EI_VIEW_CORRUPT;
    if (found_key != key_length || memcmp(bytes + RECORD_HEAD, key, key_length) != 0)
        return EI_VIEW_OK;
    if (data > EI_VIEW_RECORD_MAX)
        return EI_VIEW_CORRUPT;
    *ret_position = position;
    return decode_record(key, key_length, bytes + RECORD_HEAD + key_length, (size_t)data, record);
}

/* Follows the probe sequence of a key from slot on, through a table that lies inside the file. */
static enum ei_view_status probe(const struct ei_view *view, uint64_t table, uint64_t table_length,
                                 const unsigned char *key, size_t key_length, struct ei_view_record *record,
                                 uint64_t *ret_position)
{
    unsigned char room[EI_VIEW_PROBES_READ * SLOT];
    const unsigned char *slots;
    uint32_t hash = ei_view_cdb_hash(key, key_length);
    uint64_t slot = (hash >> 8) % table_length;
    uint64_t left = table_length < EI_VIEW_PROBES_READ ? table_length : EI_VIEW_PROBES_READ;

    while (left > 0) {
        /* One read, or two where the sequence wraps round the end of the table. */
        uint64_t count = table_length - slot < left ? table_length - slot : left;
        enum ei_view_status status = find_at(view, room, (size_t)count * SLOT, table + slot * SLOT, &slots);
        if (status != EI_VIEW_OK)
            return status;
        for (const unsigned char *at = slots; at < slots + count * SLOT; at += SLOT) {
            uint64_t position = ei_view_get(at + 4, 4);
            if (position == 0)
                return EI_VIEW_OK;
            if (ei_view_get(at, 4) != hash)
                continue;
            status = read_record(view, position, key, key_length, record, ret_position);
            if (status != EI_VIEW_OK || *ret_position != 0)
                return status;
        }
        left -= count;
        slot = 0;
    }
    /* cdb keeps half of each table empty: a full run of probes is damage, or an attack on the hash (L4). */
    return EI_VIEW_CORRUPT;
}

enum ei_view_status ei_view_find(const struct ei_view *view, const char *login, struct ei_view_record *ret_record,
                                 uint64_t *ret_position)
{
    unsigned char key[EI_VIEW_KEY_MAX];
    size_t length = strlen(login);

    *ret_position = 0;
    if (length == 0 || length > EI_VIEW_LOGIN_MAX)
        return EI_VIEW_OK;
    length = ei_view_key(login, length, key);
    const unsigned char *pointer = view->table + (ei_view_cdb_hash(key, length) & 0xff) * SLOT;
    uint64_t table = ei_view_get(pointer, 4), table_length = ei_view_get(pointer + 4, 4);
    if (table_length == 0)
        return EI_VIEW_OK;
    if (table < EI_VIEW_TABLE_SIZE || table + table_length * SLOT > view->size)
        return EI_VIEW_CORRUPT;
    return probe(view, table, table_length, key, length, ret_record, ret_position);
}

enum ei_view_status ei_view_lookup(const struct ei_view *view, const char *login, struct ei_view_record *ret_record,
                                   bool *ret_found)
{
    uint64_t position;
    enum ei_view_status status = ei_view_find(view, login, ret_record, &position);

    *ret_found = position != 0;
    return status;
}

enum ei_view_status ei_view_read_groups(const char *path, char groups[EI_VIEW_GROUPS_SIZE])
{
    unsigned char text[EI_VIEW_GROUPS_SIZE];
    int fd = -1;
    uint64_t size = 0;

    memset(groups, 0, EI_VIEW_GROUPS_SIZE);
    enum ei_view_status status = open_checked(path, &fd, &size);
    if (status != EI_VIEW_OK)
        return status;
    status = size < sizeof text ? ei_view_read_at(fd, text, (size_t)size, 0) : EI_VIEW_CORRUPT;
    int saved = errno;
    close(fd);
    errno = saved;
    if (status != EI_VIEW_OK)
        return status;

    size_t length = 0;
    for (size_t i = 0; i < (size_t)size; i++) {
        bool end = text[i] == '\n';
        if ((text[i] < ' ' && !end) || text[i] == 0x7f) {
            memset(groups, 0, EI_VIEW_GROUPS_SIZE);
            return EI_VIEW_CORRUPT;
        }
        if (!end)
            groups[length++] = (char)text[i];
        else if (length > 0 && groups[length - 1] != '\0')
            groups[length++] = '\0';
    }
    /* size < sizeof text leaves room for the NUL of an unended last line, but then not for the empty string. */
    if (length == EI_VIEW_GROUPS_SIZE - 1 && groups[length - 1] != '\0') {
        memset(groups, 0, EI_VIEW_GROUPS_SIZE);
        return EI_VIEW_CORRUPT;
    }
    return EI_VIEW_OK;
}

static const char *const state_names[] = {
    [EI_STATE_WAITING] = "waiting", [EI_STATE_HELD] = "held",         [EI_STATE_QUEUED] = "queued",
    [EI_STATE_PENDING] = "pending", [EI_STATE_ACCEPTED] = "accepted", [EI_STATE_FAILED] = "failed",
    [EI_STATE_REMOVED] = "removed", [EI_STATE_EXPIRED] = "expired",
};

enum { STATES = sizeof state_names / sizeof state_names[0] };

const char *ei_state_name(enum ei_state state)
{
    return (unsigned)state < STATES ? state_names[state] : NULL;
}

bool ei_state_from_name(const char *name, enum ei_state *ret_state)
{
    for (unsigned i = 1; i < STATES; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *ret_state = (enum ei_state)i;
            return true;
        }
    }
    return false;
}

const char *ei_view_status_text(enum ei_view_status status)
{
    switch (status) {
    case EI_VIEW_OK:
        return "the status file is good";
    case EI_VIEW_NO_FILE:
        return "the status file is missing";
    case EI_VIEW_BAD_FILE:
        return "the status file is not safe to read";
    case EI_VIEW_CORRUPT:
        return "the status file is damaged";
    case EI_VIEW_BAD_VERSION:
        return "the status file has another format version";
    case EI_VIEW_OS_ERROR:
        return "the status file cannot be read";
    }
    return "the status file is in an unknown condition";
}

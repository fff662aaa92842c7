#include "common/view/view_write.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/view/view_format.h"

struct ei_view_writer {
    char path[PATH_MAX];
    char temp[PATH_MAX];
    struct ei_view_header header;
    struct cdb_make cdb;
    int fd;
    bool made; /* cdb holds memory until cdb_make_finish */
};

static enum ei_err io_failed(const struct ei_view_writer *writer, struct ei_error *err)
{
    return ei_fail(err, ei_err_of_write(errno), "%s: %s", writer->temp, strerror(errno));
}

static size_t groups_length(const char *groups)
{
    size_t length = 0;

    while (length < EI_VIEW_GROUPS_SIZE - 1 && groups[length] != '\0')
        length += strlen(groups + length) + 1;
    return length;
}

static size_t encode_header(const struct ei_view_header *header, uint64_t size, unsigned char *data)
{
    size_t groups = groups_length(header->groups);
    size_t length = EI_VIEW_H_GROUPS + groups;

    memset(data, 0, length);
    memcpy(data + EI_VIEW_H_MAGIC, EI_VIEW_MAGIC, strlen(EI_VIEW_MAGIC));
    ei_view_set(data + EI_VIEW_H_MAJOR, 2, header->major);
    ei_view_set(data + EI_VIEW_H_MINOR, 2, header->minor);
    ei_view_set(data + EI_VIEW_H_GENERATION, 8, header->generation);
    ei_view_set(data + EI_VIEW_H_CREATED, 8, (uint64_t)header->created_at);
    ei_view_set(data + EI_VIEW_H_NOT_AFTER, 8, (uint64_t)header->not_after);
    ei_view_set(data + EI_VIEW_H_COUNT, 8, header->count);
    ei_view_set(data + EI_VIEW_H_SIZE, 8, size);
    ei_view_set(data + EI_VIEW_H_MINIMUM_UID, 4, header->minimum_uid);
    ei_view_set(data + EI_VIEW_H_FLAGS, 2, header->first_trusted ? EI_VIEW_FLAG_FIRST_TRUSTED : 0);
    ei_view_set(data + EI_VIEW_H_GROUPS_LENGTH, 2, groups);
    memcpy(data + EI_VIEW_H_GROUPS, header->groups, groups);
    ei_view_set(data + EI_VIEW_H_CHECK, EI_VIEW_CHECK_SIZE,
                ei_view_check((const unsigned char *)"H", 1, data, length, EI_VIEW_H_CHECK));
    return length;
}

static size_t encode_record(const struct ei_view_record *record, const unsigned char *key, size_t key_length,
                            unsigned char *data)
{
    size_t reason = strlen(record->reason);
    size_t length = EI_VIEW_U_REASON + reason;

    memset(data, 0, length);
    data[EI_VIEW_U_STATE] = (unsigned char)record->state;
    ei_view_set(data + EI_VIEW_U_REASON_LENGTH, 2, reason);
    ei_view_set(data + EI_VIEW_U_UID, 4, record->uid);
    ei_view_set(data + EI_VIEW_U_HASH, 8, record->address_hash);
    ei_view_set(data + EI_VIEW_U_CHANGED, 8, (uint64_t)record->changed_at);
    ei_view_set(data + EI_VIEW_U_CHECKED, 8, (uint64_t)record->checked_at);
    memcpy(data + EI_VIEW_U_REASON, record->reason, reason);
    ei_view_set(data + EI_VIEW_U_CHECK, EI_VIEW_CHECK_SIZE, ei_view_check(key, key_length, data, length, 0));
    return length;
}

/* The header's place is taken now and filled in when the size is known: nobody reads the temp file before. */
static enum ei_err start(struct ei_view_writer *writer, struct ei_error *err)
{
    unsigned char data[EI_VIEW_HEADER_MAX];

    if (unlink(writer->temp) < 0 && errno != ENOENT)
        return io_failed(writer, err);
    writer->fd = open(writer->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    /* The umask of whoever started the worker must not hide the view from those it is for. */
    if (writer->fd < 0 || fchmod(writer->fd, 0644) < 0 || cdb_make_start(&writer->cdb, writer->fd) < 0)
        return io_failed(writer, err);
    writer->made = true;
    size_t length = encode_header(&writer->header, 0, data);
    if (cdb_make_add(&writer->cdb, "H", 1, data, (unsigned)length) < 0)
        return io_failed(writer, err);
    return EI_OK;
}

enum ei_err ei_view_writer_new(const char *path, const struct ei_view_header *header,
                               struct ei_view_writer **ret_writer, struct ei_error *err)
{
    struct ei_view_writer *writer = calloc(1, sizeof *writer);
    enum ei_err rc = EI_OK;

    *ret_writer = NULL;
    if (writer == NULL)
        return ei_fail(err, EI_NOMEM, "no memory to write %s", path);
    writer->fd = -1;
    if (snprintf(writer->path, sizeof writer->path, "%s", path) >= (int)sizeof writer->path ||
        snprintf(writer->temp, sizeof writer->temp, "%s.tmp", path) >= (int)sizeof writer->temp) {
        rc = ei_fail(err, EI_USAGE, "the path of the view is too long");
    } else {
        writer->header = *header;
        writer->header.major = EI_VIEW_MAJOR;
        writer->header.minor = EI_VIEW_MINOR;
        writer->header.count = 0;
        writer->header.groups[EI_VIEW_GROUPS_SIZE - 1] = '\0';
        rc = start(writer, err);
    }
    if (rc != EI_OK) {
        ei_view_writer_free(writer);
        return rc;
    }
    *ret_writer = writer;
    return EI_OK;
}

void ei_view_writer_free(struct ei_view_writer *writer)
{
    if (writer == NULL)
        return;
    /* tinycdb frees its tables in no other way; what it still writes goes to a file that is about to go. */
    if (writer->made)
        cdb_make_finish(&writer->cdb);
    if (writer->fd >= 0) {
        close(writer->fd);
        unlink(writer->temp);
    }
    free(writer);
}

enum ei_err ei_view_writer_add(struct ei_view_writer *writer, const char *login, const struct ei_view_record *record,
                               struct ei_error *err)
{
    unsigned char key[EI_VIEW_KEY_MAX], data[EI_VIEW_RECORD_MAX];
    size_t length = strlen(login);
    enum ei_err reason;

    if (length == 0 || length > EI_VIEW_LOGIN_MAX)
        return ei_fail(err, EI_USAGE, "a login of %zu bytes cannot be in the view (1 to %d)", length,
                       (int)EI_VIEW_LOGIN_MAX);
    if (ei_state_name(record->state) == NULL)
        return ei_fail(err, EI_USAGE, "%s has no state that can be in the view (%d)", login, (int)record->state);
    if (record->reason[0] != '\0' && !ei_err_from_name(record->reason, &reason))
        return ei_fail(err, EI_USAGE, "the reason of %s is not a name of an error", login);

    size_t key_length = ei_view_key(login, length, key);
    size_t data_length = encode_record(record, key, key_length, data);
    if (cdb_make_add(&writer->cdb, key, (unsigned)key_length, data, (unsigned)data_length) < 0)
        return io_failed(writer, err);
    writer->header.count++;
    return EI_OK;
}

/* Tables and header. */
static enum ei_err finish(struct ei_view_writer *writer, struct ei_error *err)
{
    unsigned char data[EI_VIEW_HEADER_MAX];
    struct stat st;

    writer->made = false;
    if (cdb_make_finish(&writer->cdb) < 0 || fstat(writer->fd, &st) < 0)
        return io_failed(writer, err);
    size_t length = encode_header(&writer->header, (uint64_t)st.st_size, data);
    ssize_t written = pwrite(writer->fd, data, length, EI_VIEW_TABLE_SIZE + EI_VIEW_RECORD_HEAD + 1);
    if (written >= 0 && (size_t)written != length)
        errno = EIO;
    if (written != (ssize_t)length || fsync(writer->fd) < 0)
        return io_failed(writer, err);
    return EI_OK;
}

static enum ei_err unreadable(const struct ei_view_writer *writer, enum ei_view_status status, struct ei_error *err)
{
    static const enum ei_err codes[] = {
        [EI_VIEW_NO_FILE] = EI_VIEW_MISSING,     [EI_VIEW_BAD_FILE] = EI_VIEW_UNSAFE,
        [EI_VIEW_CORRUPT] = EI_VIEW_DAMAGED,     [EI_VIEW_OK] = EI_VIEW_DAMAGED,
        [EI_VIEW_BAD_VERSION] = EI_VIEW_DAMAGED, [EI_VIEW_OS_ERROR] = EI_IO,
    };
    bool of_system = status == EI_VIEW_OS_ERROR;
    return ei_fail(err, codes[status], "%s, just written, was read back: %s%s%s", writer->temp,
                   ei_view_status_text(status), of_system ? ": " : "", of_system ? strerror(errno) : "");
}

/* The longest run of taken slots, which is the longest probe of a login that is not in the view. */
static uint64_t longest_run(const unsigned char *table, uint64_t slots)
{
    uint64_t run = 0, longest = 0;

    /* Twice round: a run may go over the end of the table. */
    for (uint64_t i = 0; i < 2 * slots; i++) {
        run = ei_view_get(table + i % slots * EI_VIEW_SLOT + 4, 4) != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static enum ei_err measure_probes(const struct ei_view_writer *writer, const struct ei_view *view, struct ei_error *err)
{
    for (size_t t = 0; t < EI_VIEW_TABLE_SIZE; t += EI_VIEW_SLOT) {
        uint64_t at = ei_view_get(view->table + t, 4), slots = ei_view_get(view->table + t + 4, 4);

        if (at + slots * EI_VIEW_SLOT > view->size)
            return unreadable(writer, EI_VIEW_CORRUPT, err);
        uint64_t longest = longest_run(view->map + at, slots);
        if (longest >= EI_VIEW_PROBES_WRITE)
            return ei_fail(err, EI_VIEW_DAMAGED, "%s: %llu logins collide, more than a reader would look through",
                           writer->temp, (unsigned long long)longest);
    }
    return EI_OK;
}

/* Finds each record of the file by its login, as a module would. */
static enum ei_err verify_records(const struct ei_view_writer *writer, const struct ei_view *view, struct ei_error *err)
{
    uint64_t position = EI_VIEW_TABLE_SIZE, next;

    for (uint64_t i = 0; i <= writer->header.count; i++, position = next) {
        char login[EI_VIEW_LOGIN_MAX + 1];
        struct ei_view_record record;
        uint64_t found = 0;

        if (position > view->size - EI_VIEW_RECORD_HEAD)
            return unreadable(writer, EI_VIEW_CORRUPT, err);
        const unsigned char *bytes = view->map + position;
        uint64_t key = ei_view_get(bytes, 4);
        next = position + EI_VIEW_RECORD_HEAD + key + ei_view_get(bytes + 4, 4);
        if (i == 0)
            continue; /* the header, which ei_view_open has read */
        if (key <= 2 + EI_VIEW_SPREAD_SIZE || key > EI_VIEW_KEY_MAX || next > view->size)
            return unreadable(writer, EI_VIEW_CORRUPT, err);
        size_t length = (size_t)key - 2 - EI_VIEW_SPREAD_SIZE;
        memcpy(login, bytes + EI_VIEW_RECORD_HEAD + 2, length);
        login[length] = '\0';
        enum ei_view_status status = ei_view_find(view, login, &record, &found);
        if (status != EI_VIEW_OK || found == 0)
            return unreadable(writer, status, err);
        if (found != position)
            return ei_fail(err, EI_CONFLICT, "%s is in the view twice", login);
    }
    return EI_OK;
}

/* The modules' reader does the work, but on a map of the file: two system calls less for each of all the records. Only
 * the service user and root can shrink the file meanwhile, and this is the service user's process. */
static enum ei_err verify(const struct ei_view_writer *writer, struct ei_error *err)
{
    struct ei_view view;
    struct ei_view_header header;
    enum ei_view_status status = ei_view_open(writer->temp, &view, &header);

    if (status != EI_VIEW_OK)
        return unreadable(writer, status, err);
    void *map = mmap(NULL, (size_t)view.size, PROT_READ, MAP_SHARED, view.fd, 0);
    if (map == MAP_FAILED) {
        ei_view_close(&view);
        return io_failed(writer, err);
    }
    view.map = map;
    enum ei_err rc = header.count == writer->header.count && header.generation == writer->header.generation
                         ? verify_records(writer, &view, err)
                         : unreadable(writer, EI_VIEW_CORRUPT, err);
    if (rc == EI_OK)
        rc = measure_probes(writer, &view, err);
    munmap(map, (size_t)view.size);
    ei_view_close(&view);
    return rc;
}

enum ei_err ei_view_writer_publish(struct ei_view_writer *writer, struct ei_error *err)
{
    enum ei_err rc = finish(writer, err);

    if (rc == EI_OK)
        rc = verify(writer, err);
    if (rc == EI_OK) {
        EI_FAILPOINT("C13");
        close(writer->fd);
        writer->fd = -1; /* from here on the temp file is ei_file_publish's */
        rc = ei_file_publish(writer->temp, writer->path, err);
    }
    ei_view_writer_free(writer);
    return rc;
}

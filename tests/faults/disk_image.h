/*
 * What is left of a disk when the power fails (X14), from what was done to it call by call (disk_shim.h).
 *
 * The disk is a strict one, as POSIX allows it: a file's bytes are safe once that file was synced, the names in a
 * directory once that directory was synced, and nothing before that. What was not synced is there, is missing, or is
 * there in part, in sectors of 512 bytes; the names of one directory at least change in their order.
 */
#ifndef EI_TESTS_FAULTS_DISK_IMAGE_H
#define EI_TESTS_FAULTS_DISK_IMAGE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/faults/disk_shim.h"

enum { IMAGE_CALLS_MAX = 1 << 16, NAMES_MAX = 64, FILES_MAX = 1 << 14, SECTOR = 512 };

/* Two that are no calls: all is safe now; so many steps are acknowledged (in offset). */
enum { RECORD_SETTLED = DISK_KINDS, RECORD_DONE };

/* Paths begin behind the root. */
struct record {
    struct disk_call call;
    int kind; /* of the call, or one of the two */
};

/* What became of what was not synced. */
enum loss { LOSE_NOTHING, LOSE_ALL, LOSE_SOME };

static inline void image_must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "disk_image.h: %s\n", what);
    abort();
}

struct image_file {
    unsigned char *bytes; /* that are safe */
    size_t length;
    const struct record **pending;
    size_t pending_count;
    size_t pending_room;
};

struct name {
    const char *path;
    int file; /* -1: a directory */
};

struct names {
    struct name all[NAMES_MAX];
    size_t count;
};

/* A change of names that its directory's next sync makes safe. */
struct change {
    const struct record *record;
    int file;
};

static struct image {
    struct image_file files[FILES_MAX];
    size_t file_count;
    struct names now;
    struct names safe;
    struct change pending[IMAGE_CALLS_MAX];
    size_t pending_count;
} image;

static inline struct name *name_find(struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->all[i].path, path) == 0)
            return &names->all[i];
    return NULL;
}

static inline void name_set(struct names *names, const char *path, int file)
{
    struct name *name = name_find(names, path);

    if (name == NULL) {
        image_must(names->count < NAMES_MAX, "too many names");
        name = &names->all[names->count++];
    }
    *name = (struct name){path, file};
}

static inline void name_drop(struct names *names, const char *path)
{
    struct name *name = name_find(names, path);

    if (name != NULL)
        *name = names->all[--names->count];
}

static inline void name_change(struct names *names, const struct change *change)
{
    const struct disk_call *call = &change->record->call;

    if (change->record->kind == DISK_UNLINK || change->record->kind == DISK_RENAME)
        name_drop(names, call->path);
    if (change->record->kind != DISK_UNLINK)
        name_set(names, change->record->kind == DISK_RENAME ? call->to : call->path, change->file);
}

static inline bool lies_in(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(path, directory, length) == 0 && path[length] == '/' && strchr(path + length + 1, '/') == NULL;
}

static inline void image_resize(struct image_file *file, size_t length)
{
    if (length > file->length) {
        file->bytes = realloc(file->bytes, length);
        image_must(file->bytes != NULL, "no memory");
        memset(file->bytes + file->length, 0, length - file->length);
    }
    file->length = length;
}

/* sectors: which of them arrive, a bit for each, round and round. */
static inline void image_apply(struct image_file *file, const struct record *record, unsigned sectors)
{
    const struct disk_call *call = &record->call;

    if (record->kind != DISK_WRITE) {
        if (sectors != 0)
            image_resize(file, record->kind == DISK_TRUNCATE ? (size_t)call->offset : 0);
        return;
    }
    size_t at = (size_t)call->offset, end = at + call->length;
    for (size_t next; at < end; at = next) {
        next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        if ((sectors >> (at / SECTOR % 8) & 1) == 0)
            continue;
        if (next > file->length)
            image_resize(file, next);
        memcpy(file->bytes + at, (const char *)call->data + (at - (size_t)call->offset), next - at);
    }
}

static inline void sync_file(struct image_file *file)
{
    for (size_t i = 0; i < file->pending_count; i++)
        image_apply(file, file->pending[i], 0xff);
    file->pending_count = 0;
}

/* directory NULL: every one. */
static inline void sync_names(const char *directory)
{
    size_t kept = 0;

    for (size_t i = 0; i < image.pending_count; i++) {
        if (directory == NULL || lies_in(image.pending[i].record->call.path, directory))
            name_change(&image.safe, &image.pending[i]);
        else
            image.pending[kept++] = image.pending[i];
    }
    image.pending_count = kept;
}

static inline void image_delay(struct image_file *file, const struct record *record)
{
    if (file->pending_count == file->pending_room) {
        file->pending_room = file->pending_room * 2 + 16;
        file->pending = realloc(file->pending, file->pending_room * sizeof(struct record *));
        image_must(file->pending != NULL, "no memory");
    }
    file->pending[file->pending_count++] = record;
}

static inline void image_change(const struct record *record, int file)
{
    image.pending[image.pending_count] = (struct change){record, file};
    name_change(&image.now, &image.pending[image.pending_count++]);
}

static inline void image_play(const struct record *record)
{
    struct name *name = record->call.path != NULL ? name_find(&image.now, record->call.path) : NULL;
    struct image_file *file = name != NULL && name->file >= 0 ? &image.files[name->file] : NULL;

    switch (record->kind) {
    case DISK_OPEN:
        if (record->call.makes) {
            image_must(image.file_count < FILES_MAX, "too many files");
            image.files[image.file_count].length = 0;
            image.files[image.file_count].pending_count = 0;
            image_change(record, (int)image.file_count++);
            break;
        } /* fall through: it was cut to nothing */
        /* fallthrough */
    case DISK_WRITE:
    case DISK_TRUNCATE:
        image_must(file != NULL, record->call.path);
        image_delay(file, record);
        break;
    case DISK_SYNC:
        if (file != NULL)
            sync_file(file);
        else
            sync_names(record->call.path);
        break;
    case DISK_MKDIR:
        image_change(record, -1);
        break;
    case DISK_RENAME:
    case DISK_UNLINK:
        image_must(file != NULL, record->call.path);
        image_change(record, name->file);
        break;
    case RECORD_SETTLED:
        sync_names(NULL);
        for (size_t i = 0; i < image.file_count; i++)
            sync_file(&image.files[i]);
        break;
    default:
        break;
    }
}

/* What was not synced, as the loss has it. */
static inline void image_lose(enum loss loss, unsigned *seed)
{
    for (size_t i = 0; i < image.pending_count; i++) {
        const struct change *change = &image.pending[i];
        /* A directory loses one change and all behind it. */
        bool lost = loss == LOSE_ALL || (loss == LOSE_SOME && rand_r(seed) % 4 == 0);
        if (!lost) {
            name_change(&image.safe, change);
            continue;
        }
        char directory[PATH_MAX];
        snprintf(directory, sizeof directory, "%s", change->record->call.path);
        *strrchr(directory, '/') = '\0';
        size_t kept = i;
        for (size_t k = i; k < image.pending_count; k++)
            if (!lies_in(image.pending[k].record->call.path, directory))
                image.pending[kept++] = image.pending[k];
        image.pending_count = kept;
        i--;
    }
    for (size_t i = 0; i < image.file_count; i++)
        for (size_t k = 0; k < image.files[i].pending_count && loss != LOSE_ALL; k++)
            image_apply(&image.files[i], image.files[i].pending[k],
                        loss == LOSE_NOTHING    ? 0xff
                        : rand_r(seed) % 3 == 0 ? 0
                                                : (unsigned)rand_r(seed) & 0xff);
}

static inline void image_forget(void)
{
    for (size_t i = 0; i < image.file_count; i++)
        image.files[i].length = image.files[i].pending_count = 0;
    image.file_count = image.now.count = image.safe.count = image.pending_count = 0;
}

static inline void image_free(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        free(image.files[i].bytes);
        free(image.files[i].pending);
    }
}

/* A number that differs where the image does, most probably. */
static inline uint64_t image_hash(void)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < image.safe.count; i++) {
        const struct name *name = &image.safe.all[i];
        for (const char *c = name->path; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        for (size_t k = 0; name->file >= 0 && k < image.files[name->file].length; k++)
            hash = (hash ^ image.files[name->file].bytes[k]) * 0x100000001b3u;
    }
    return hash;
}

/* Lays it out below root. What lies in a directory that was lost is lost. */
static inline void image_write(const char *root)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < image.safe.count; i++)
        if (image.safe.all[i].file < 0) {
            snprintf(path, sizeof path, "%s%s", root, image.safe.all[i].path);
            image_must(mkdir(path, 0700) == 0 || errno == EEXIST, path);
        }
    for (size_t i = 0; i < image.safe.count; i++) {
        const struct name *name = &image.safe.all[i];
        if (name->file < 0)
            continue;
        snprintf(path, sizeof path, "%s%s", root, name->path);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, strstr(path, "/public/") != NULL ? 0644 : 0600);
        if (fd < 0)
            continue;
        const struct image_file *file = &image.files[name->file];
        image_must(write(fd, file->bytes, file->length) == (ssize_t)file->length, path);
        close(fd);
    }
}

#endif

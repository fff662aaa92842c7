/*
 * power-cut RECORD BEFORE AFTER SEED: what is on the disk when the power fails. BEFORE is a copy of the directory when
 * the recording began, RECORD what disk-shim.c has written down since, AFTER an empty directory that gets what is left.
 * SEED decides about what was not synced: every third seed keeps all of it, every third nothing, the others some.
 *
 *   cc -D_GNU_SOURCE -I. -o power-cut tests/faults/power-cut.c
 */
#include "tests/faults/disk_image.h"

#include <dirent.h>

#include "tests/faults/disk_log.h"

static int disk_decide(const struct disk_call *call)
{
    (void)call;
    return DISK_GO;
}

static void disk_done(const struct disk_call *call)
{
    (void)call;
}

static char *read_all(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    char *bytes = NULL;

    image_must(file != NULL && fseek(file, 0, SEEK_END) == 0, path);
    *ret_length = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*ret_length + 1);
    image_must(bytes != NULL && fread(bytes, 1, *ret_length, file) == *ret_length, path);
    fclose(file);
    return bytes;
}

static void play(int kind, const char *path, const char *to, const void *data, const struct disk_line *line)
{
    struct record *record = calloc(1, sizeof *record);

    image_must(record != NULL, "no memory");
    record->kind = kind;
    record->call = (struct disk_call){.kind = (enum disk_kind)kind,
                                      .path = path,
                                      .to = to,
                                      .data = data,
                                      .length = line->data,
                                      .offset = line->offset,
                                      .makes = line->makes,
                                      .cuts = line->cuts};
    image_play(record);
}

/* What was there before is safe. */
static void take_before(const char *root, const char *below)
{
    char path[PATH_MAX];
    struct stat st;

    snprintf(path, sizeof path, "%s%s", root, below);
    DIR *directory = opendir(path);
    image_must(directory != NULL, path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char *name = NULL;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        image_must(asprintf(&name, "%s/%s", below, entry->d_name) > 0, "no memory");
        snprintf(path, sizeof path, "%s%s", root, name);
        image_must(stat(path, &st) == 0, path);
        if (S_ISDIR(st.st_mode)) {
            play(DISK_MKDIR, name, NULL, NULL, &(struct disk_line){0});
            take_before(root, name);
            continue;
        }
        size_t length;
        char *bytes = read_all(path, &length);
        play(DISK_OPEN, name, NULL, NULL, &(struct disk_line){.makes = 1});
        play(DISK_WRITE, name, NULL, bytes, &(struct disk_line){.data = (uint32_t)length});
    }
    closedir(directory);
    play(RECORD_SETTLED, NULL, NULL, NULL, &(struct disk_line){0});
}

static char *text_of(const char **at, uint32_t length)
{
    char *text = strndup(*at, length);

    image_must(text != NULL, "no memory");
    *at += length;
    return text;
}

static size_t take_record(const char *path)
{
    size_t length, count = 0;
    const char *at = read_all(path, &length);

    for (const char *end = at + length; at < end; count++) {
        struct disk_line line;
        image_must((size_t)(end - at) >= sizeof line, "the record is cut off");
        memcpy(&line, at, sizeof line);
        at += sizeof line;
        char *name = text_of(&at, line.path);
        char *to = line.to != 0 ? text_of(&at, line.to) : NULL;
        play((int)line.kind, name, to, at, &line);
        at += line.data;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    unsigned seed = (unsigned)strtoul(argv[4], NULL, 10);
    enum loss loss = (enum loss)(seed % 3);
    take_before(argv[2], "");
    size_t calls = take_record(argv[1]);
    image_lose(loss, &seed);
    image_write(argv[3]);
    printf("seed %s: %zu calls, %s\n", argv[4], calls,
           loss == LOSE_NOTHING ? "all arrived"
           : loss == LOSE_ALL   ? "nothing unsynced arrived"
                                : "some of it arrived");
    return 0; /* the memory goes with the process */
}

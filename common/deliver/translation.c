#include "common/deliver/translation.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/paths.h"

enum {
    MAGIC = 0x950412de, /* of a catalogue in this byte order; in the other one it is not read */
    HEADER_SIZE = 20,   /* magic, revision, count, offset of the originals, offset of the translations */
    ENTRY_SIZE = 8,     /* length, offset */
    PART_SIZE = 9,      /* the longest subtag of a language tag is 8 characters */
    NAME_SIZE = 32,
    NAMES_MAX = 6,
};

struct ei_translation {
    size_t size;
    char data[]; /* size bytes and a NUL */
};

/* --- which names a tag has as a locale --- */

struct tag {
    char language[PART_SIZE];
    char script[PART_SIZE];
    char region[PART_SIZE];
};

struct names {
    char items[NAMES_MAX][NAME_SIZE];
    size_t count;
};

/* "zh-Hant-HK" to its parts; what else is in a tag does not choose a catalogue. false: it is none, and may be a path.
 */
static bool read_tag(const char *text, struct tag *tag)
{
    *tag = (struct tag){0};
    for (size_t part = 0;; part++) {
        size_t length = strcspn(text, "-");
        if (length == 0 || length >= PART_SIZE)
            return false;
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)text[i] >= 0x80 || !isalnum((unsigned char)text[i]))
                return false;
        char *to = NULL;
        if (part == 0)
            to = tag->language;
        else if (length == 4 && isalpha((unsigned char)text[0]) && tag->script[0] == '\0' && tag->region[0] == '\0')
            to = tag->script;
        else if ((length == 2 || length == 3) && tag->region[0] == '\0')
            to = tag->region;
        for (size_t i = 0; to != NULL && i < length; i++)
            to[i] = (char)(to == tag->region ? toupper((unsigned char)text[i]) : tolower((unsigned char)text[i]));
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static void add_name(struct names *names, const char *language, const char *region, const char *modifier)
{
    snprintf(names->items[names->count++], NAME_SIZE, "%s%s%s%s%s", language, region[0] != '\0' ? "_" : "", region,
             modifier[0] != '\0' ? "@" : "", modifier);
}

/* A script is a modifier of a locale, but for Chinese, where the region stands for it. */
static void add_chinese(struct names *names, const struct tag *tag)
{
    bool traditional = strcmp(tag->script, "hant") == 0 ||
                       (tag->script[0] == '\0' && (strcmp(tag->region, "TW") == 0 || strcmp(tag->region, "HK") == 0 ||
                                                   strcmp(tag->region, "MO") == 0));

    if (tag->region[0] != '\0')
        add_name(names, "zh", tag->region, "");
    add_name(names, "zh", traditional ? "TW" : "CN", "");
    add_name(names, "zh", traditional ? "Hant" : "Hans", "");
    add_name(names, "zh", "", "");
}

static void add_others(struct names *names, const struct tag *tag)
{
    static const struct {
        const char *script;
        const char *modifier;
    } modifiers[] = {{"latn", "latin"}, {"cyrl", "cyrillic"}, {"arab", "arabic"}, {"deva", "devanagari"}};
    const char *modifier = "";

    for (size_t i = 0; i < sizeof modifiers / sizeof modifiers[0]; i++)
        if (strcmp(tag->script, modifiers[i].script) == 0)
            modifier = modifiers[i].modifier;
    if (tag->region[0] != '\0' && modifier[0] != '\0')
        add_name(names, tag->language, tag->region, modifier);
    if (tag->region[0] != '\0')
        add_name(names, tag->language, tag->region, "");
    if (modifier[0] != '\0')
        add_name(names, tag->language, "", modifier);
    add_name(names, tag->language, "", "");
}

/* --- the file --- */

static uint32_t number_at(const struct ei_translation *t, size_t at)
{
    uint32_t number;

    memcpy(&number, t->data + at, sizeof number);
    return number;
}

/* The text of entry i of a table; NULL if it is not inside the file, with its NUL. */
static const char *text_at(const struct ei_translation *t, size_t table, size_t i)
{
    size_t length = number_at(t, table + i * ENTRY_SIZE);
    size_t offset = number_at(t, table + i * ENTRY_SIZE + 4);

    if (offset >= t->size || length >= t->size - offset || t->data[offset + length] != '\0')
        return NULL;
    return t->data + offset;
}

static bool table_fits(const struct ei_translation *t, size_t table, size_t count)
{
    return table <= t->size && count <= (t->size - table) / ENTRY_SIZE;
}

static bool makes_sense(const struct ei_translation *t)
{
    if (t->size < HEADER_SIZE || number_at(t, 0) != (uint32_t)MAGIC || number_at(t, 4) >> 16 > 1)
        return false;
    size_t count = number_at(t, 8);
    return table_fits(t, number_at(t, 12), count) && table_fits(t, number_at(t, 16), count);
}

static struct ei_translation *read_catalogue(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > EI_TRANSLATION_MAX)
        return NULL;
    struct ei_translation *t = calloc(1, sizeof *t + (size_t)st.st_size + 1);
    if (t == NULL)
        return NULL;
    t->size = (size_t)st.st_size;
    size_t got = 0;
    ssize_t count = 1;
    while (got < t->size && count > 0) {
        count = read(fd, t->data + got, t->size - got);
        got += count > 0 ? (size_t)count : 0;
    }
    if (got == t->size && makes_sense(t))
        return t;
    free(t);
    return NULL;
}

static struct ei_translation *open_named(const char *dir, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/entra-invite.mo", dir, name);
    int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;

    if (fd < 0)
        return NULL;
    struct ei_translation *t = read_catalogue(fd);
    close(fd);
    return t;
}

struct ei_translation *ei_translation_open(const char *dir, const char *language)
{
    struct ei_translation *t = NULL;
    struct names names = {0};
    struct tag tag;

    if (language == NULL || !read_tag(language, &tag))
        return NULL;
    if (strcmp(tag.language, "zh") == 0)
        add_chinese(&names, &tag);
    else
        add_others(&names, &tag);
    for (size_t i = 0; i < names.count && t == NULL; i++)
        t = open_named(dir != NULL ? dir : EI_LOCALE_DIR, names.items[i]);
    return t;
}

void ei_translation_free(struct ei_translation *translation)
{
    free(translation);
}

/* The originals are sorted as strcmp has it. */
const char *ei_translation_find(const struct ei_translation *t, const char *text)
{
    size_t originals = number_at(t, 12);
    size_t low = 0;
    size_t high = number_at(t, 8);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *original = text_at(t, originals, middle);
        int order = original != NULL ? strcmp(text, original) : 0;
        if (original == NULL)
            return NULL;
        if (order == 0) {
            const char *translated = text_at(t, number_at(t, 16), middle);
            return translated != NULL && translated[0] != '\0' ? translated : NULL;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

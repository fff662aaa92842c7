#include "common/config/source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/keys.h"

enum { FILE_MAX = 1024 * 1024, HEX_DIGITS = 8, LEVELS_MAX = 16 /* no key is below the fifth */ };

/* Whoever can write it can send invitations in the tenant's name. */
static enum ei_err check_file(const char *path, int fd, struct ei_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return ei_fail_file(err, EI_CONFIG, path);
    if (!S_ISREG(st.st_mode))
        return ei_fail(err, EI_CONFIG, "%s: not a regular file", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return ei_fail(err, EI_CONFIG, "%s: owned by uid %u; chown root it", path, st.st_uid);
    if ((st.st_mode & 0022) != 0)
        return ei_fail(err, EI_CONFIG, "%s: mode %04o lets group or others write; chmod go-w it", path,
                       st.st_mode & 07777);
    if (st.st_size > FILE_MAX)
        return ei_fail(err, EI_CONFIG, "%s: larger than %d bytes, which no configuration is", path, FILE_MAX);
    return EI_OK;
}

/* NULL with errno: it cannot be read. One byte more than most tells that there is more. */
static char *read_up_to(int fd, size_t most, size_t *ret_length)
{
    char *text = malloc(most + 2);
    ssize_t got = 1;

    *ret_length = 0;
    while (text != NULL && got > 0 && *ret_length <= most) {
        got = read(fd, text + *ret_length, most + 1 - *ret_length);
        if (got > 0)
            *ret_length += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (text == NULL || got < 0) {
        free(text);
        return NULL;
    }
    text[*ret_length] = '\0';
    return text;
}

enum ei_err ei_source_text(const char *path, size_t most, char **ret_text, struct ei_error *err)
{
    size_t length = 0;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum ei_err rc = fd >= 0 ? check_file(path, fd, err) : ei_fail_file(err, EI_CONFIG, path);

    if (rc == EI_OK) {
        text = read_up_to(fd, most, &length);
        if (text == NULL)
            rc = ei_fail_file(err, EI_CONFIG, path);
        else if (length > most)
            rc = ei_fail(err, EI_CONFIG, "%s: larger than %zu bytes", path, most);
        else if (strlen(text) != length)
            rc = ei_fail(err, EI_CONFIG, "%s: has a NUL in it", path); /* what is behind it would not be seen */
    }
    if (fd >= 0)
        close(fd);
    if (rc != EI_OK) {
        free(text);
        return rc;
    }
    *ret_text = text;
    return EI_OK;
}

/* --- before libconfig reads it --- */

/* NULL: it does not end. */
static const char *skip_string(const char *s, unsigned *line)
{
    for (s++; *s != '\0' && *s != '"'; s++) {
        if (*s == '\\' && s[1] != '\0')
            s++;
        *line += *s == '\n';
    }
    return *s == '"' ? s + 1 : NULL;
}

static const char *skip_comment(const char *s, unsigned *line)
{
    if (*s == '#' || s[1] == '/')
        return s + strcspn(s, "\n");
    for (s += 2; *s != '\0' && (s[0] != '*' || s[1] != '/'); s++)
        *line += *s == '\n';
    return *s != '\0' ? s + 2 : s;
}

/* A number with L behind it is read as 64 bits, and then held against the key's range as any other. */
static bool fits(const char *word, size_t length)
{
    char *end;

    if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
        return strspn(word + 2, "0") + HEX_DIGITS >= strspn(word + 2, "0123456789abcdefABCDEF");
    errno = 0;
    long long value = strtoll(word, &end, 10);
    bool whole = end == word + length || *end == 'L';
    return !whole || (errno == 0 && (*end == 'L' || value <= INT_MAX));
}

/* What libconfig would not say, or not say well: NULL if there is none, else the reason and its line. */
static const char *find_trouble(const char *text, unsigned *ret_line)
{
    unsigned line = 1;
    int level = 0;

    for (const char *s = text; *s != '\0';) {
        *ret_line = line;
        if (*s == '"') {
            s = skip_string(s, &line);
            if (s == NULL)
                return "the string that begins here has no closing quote";
        } else if (*s == '#' || (*s == '/' && (s[1] == '/' || s[1] == '*'))) {
            s = skip_comment(s, &line);
        } else if (isalnum((unsigned char)*s)) {
            size_t length = 1;
            while (isalnum((unsigned char)s[length]) || (s[length] != '\0' && strchr("._-*", s[length]) != NULL))
                length++;
            if (isdigit((unsigned char)*s) && !fits(s, length))
                return "a number is out of range: none may be beyond 2147483647";
            s += length;
        } else {
            level += (strchr("({[", *s) != NULL) - (strchr(")}]", *s) != NULL);
            if (level > LEVELS_MAX)
                return "lists and groups are nested deeper than any key wants"; /* what walks through them recurses */
            line += *s++ == '\n';
        }
    }
    return NULL;
}

/* The text of a file that passed every check of its own; freed by the caller. */
static enum ei_err read_checked(const char *path, char **ret_text, struct ei_error *err)
{
    char *text = NULL;
    unsigned line = 0;
    enum ei_err rc = ei_source_text(path, FILE_MAX, &text, err);
    const char *trouble = rc == EI_OK ? find_trouble(text, &line) : NULL;

    if (trouble != NULL)
        rc = ei_fail(err, EI_CONFIG, "%s:%u: %s", path, line, trouble);
    if (rc == EI_OK)
        *ret_text = text;
    else
        free(text);
    return rc;
}

/* --- where a setting stands --- */

/* libconfig 1.5 tells an included file as it was written, later ones with the directory before it. */
static void name_of(const struct ei_source_file *source, const char *file, char name[EI_SOURCE_NAME])
{
    size_t length = strlen(source->directory);

    if (file == NULL)
        snprintf(name, EI_SOURCE_NAME, "%s", source->path);
    else if (file[0] == '/' || (strncmp(file, source->directory, length) == 0 && file[length] == '/'))
        snprintf(name, EI_SOURCE_NAME, "%s", file);
    else
        snprintf(name, EI_SOURCE_NAME, "%s/%s", source->directory, file);
}

void ei_source_name(const config_setting_t *setting, char name[EI_SOURCE_NAME])
{
    const config_setting_t *root = setting;

    while (!config_setting_is_root(root))
        root = config_setting_parent(root);
    name_of(config_setting_get_hook(root), config_setting_source_file(setting), name);
}

/* What is included can be written by whom the file itself can: each file is held to the same. */
static enum ei_err check_included(const config_setting_t *group, const char **last, struct ei_error *err)
{
    enum ei_err rc = EI_OK;

    for (int i = 0; i < config_setting_length(group) && rc == EI_OK; i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *file = config_setting_source_file(setting);
        if (file != NULL && file != *last) {
            char name[EI_SOURCE_NAME];
            char *text = NULL;
            ei_source_name(setting, name);
            rc = read_checked(name, &text, err);
            free(text);
            *last = file;
        }
        if (rc == EI_OK && config_setting_is_aggregate(setting))
            rc = check_included(setting, last, err);
    }
    return rc;
}

/* --- */

static enum ei_err parse(const struct ei_source_file *source, config_t *parsed, struct ei_error *err)
{
    char name[EI_SOURCE_NAME];
    char *text = NULL;
    const char *last = NULL;
    enum ei_err rc = read_checked(source->path, &text, err);

    if (rc != EI_OK)
        return rc;
    config_set_include_dir(parsed, source->directory);
    /* From memory: where reading fails, libconfig's scanner ends the process. */
    int parsed_well = config_read_string(parsed, text);
    free(text);
    if (parsed_well != CONFIG_TRUE) {
        name_of(source, config_error_file(parsed), name);
        return ei_fail(err, EI_CONFIG, "%s:%d: %s", name, config_error_line(parsed),
                       config_error_text(parsed) != NULL ? config_error_text(parsed) : "unreadable");
    }
    config_setting_set_hook(config_root_setting(parsed), (void *)source);
    return check_included(config_root_setting(parsed), &last, err);
}

enum ei_err ei_source_read(struct ei_source_file *source, const char *path, config_t *parsed, struct ei_error *err)
{
    char *copy = strdup(path);

    *source = (struct ei_source_file){.path = path};
    source->directory = copy != NULL ? strdup(dirname(copy)) : NULL;
    free(copy);
    if (source->directory == NULL)
        return ei_keys_no_memory(err);
    return parse(source, parsed, err);
}

void ei_source_free(struct ei_source_file *source)
{
    free(source->directory);
    source->directory = NULL;
}

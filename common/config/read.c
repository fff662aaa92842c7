#include "common/config/read.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/keys.h"
#include "common/config/source.h"

enum ei_err ei_read_set(char **field, const char *value, struct ei_error *err)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return ei_keys_no_memory(err);
    free(*field);
    *field = copy;
    return EI_OK;
}

enum ei_err ei_read_text(const config_setting_t *group, const char *name, const char *fallback, char **field,
                         struct ei_error *err)
{
    const config_setting_t *setting = group != NULL ? config_setting_get_member(group, name) : NULL;
    const char *value = setting != NULL ? config_setting_get_string(setting) : fallback;

    return value != NULL ? ei_read_set(field, value, err) : EI_OK;
}

int ei_read_number(const config_setting_t *group, const char *name, int fallback)
{
    const config_setting_t *setting = config_setting_get_member(group, name);

    return setting != NULL ? (int)config_setting_get_int64(setting) : fallback;
}

enum ei_err ei_read_path(const config_setting_t *group, const char *name, const char *fallback, char **field,
                         struct ei_error *err)
{
    enum ei_err rc = ei_read_text(group, name, fallback, field, err);

    if (rc == EI_OK && *field != NULL && (*field)[0] != '/')
        rc = ei_keys_fail(config_setting_get_member(group, name), err, "must be an absolute path");
    return rc;
}

/* A systemd credential is a file in $CREDENTIALS_DIRECTORY; its name must not lead out of there. */
static enum ei_err path_of_name(const config_setting_t *setting, char **field, struct ei_error *err)
{
    const char *name = config_setting_get_string(setting);
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    if (strchr(name, '/') != NULL || name[0] == '.')
        return ei_keys_fail(setting, err, "\"%.100s\" is not the name of a credential", name);
    if (directory == NULL)
        return ei_keys_fail(setting, err,
                            "CREDENTIALS_DIRECTORY is not set: systemd passed no credentials; add "
                            "LoadCredential=%.60s:PATH to the service, or name a file",
                            name);
    if (asprintf(field, "%s/%s", directory, name) < 0) {
        *field = NULL;
        return ei_keys_no_memory(err);
    }
    return EI_OK;
}

enum ei_err ei_read_secret_file(const config_setting_t *group, const char *file_key, const char *name_key, char **field,
                                struct ei_error *err)
{
    const config_setting_t *file = file_key != NULL ? config_setting_get_member(group, file_key) : NULL;
    const config_setting_t *name = config_setting_get_member(group, name_key);

    if (file != NULL && name != NULL)
        return ei_keys_fail(name, err, "stands beside %s; leave one of them out", file_key);
    if (name != NULL)
        return path_of_name(name, field, err);
    return file != NULL ? ei_read_path(group, file_key, NULL, field, err) : EI_OK;
}

enum ei_err ei_read_choice(const config_setting_t *group, const char *name, const char *const *choices, int *ret_index,
                           struct ei_error *err)
{
    const config_setting_t *setting = config_setting_get_member(group, name);
    char all[256] = "";

    *ret_index = 0;
    if (setting == NULL)
        return EI_OK;
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], config_setting_get_string(setting)) == 0) {
            *ret_index = i;
            return EI_OK;
        }
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used != 0 ? ", " : "", choices[i]);
    }
    return ei_keys_fail(setting, err, "\"%.60s\" is none of: %s", config_setting_get_string(setting), all);
}

enum ei_err ei_read_strings(const config_setting_t *list, struct ei_strings *strings, struct ei_error *err)
{
    int count = list != NULL ? config_setting_length(list) : 0;

    *strings = (struct ei_strings){0};
    if (count == 0)
        return EI_OK;
    strings->items = calloc((size_t)count, sizeof *strings->items);
    if (strings->items == NULL)
        return ei_keys_no_memory(err);
    for (int i = 0; i < count; i++) {
        enum ei_err rc = ei_read_set(&strings->items[i], config_setting_get_string_elem(list, i), err);
        if (rc != EI_OK)
            return rc;
        strings->count++;
    }
    return EI_OK;
}

void ei_strings_free(struct ei_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct ei_strings){0};
}

enum ei_err ei_strings_copy(const struct ei_strings *from, struct ei_strings *to, struct ei_error *err)
{
    *to = (struct ei_strings){0};
    if (from->count == 0)
        return EI_OK;
    to->items = calloc(from->count, sizeof *to->items);
    if (to->items == NULL)
        return ei_keys_no_memory(err);
    for (size_t i = 0; i < from->count; i++) {
        enum ei_err rc = ei_read_set(&to->items[i], from->items[i], err);
        if (rc != EI_OK)
            return rc;
        to->count++;
    }
    return EI_OK;
}

/* How many bytes at text are HOST or HOST:PORT; 0 if it is neither. */
static size_t authority(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t length = strspn(text, name);

    if (text[0] == '[') {
        length = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        length = text[length] == ']' ? length + 1 : 0;
    }
    if (length == 0 || text[0] == '.' || text[0] == '-')
        return 0;
    if (text[length] != ':')
        return length;
    size_t digits = strspn(text + length + 1, "0123456789");
    long port = digits > 0 && digits <= 5 ? strtol(text + length + 1, NULL, 10) : 0;
    return port > 0 && port <= 65535 ? length + 1 + digits : 0;
}

bool ei_host_and_port(const char *text)
{
    size_t length = authority(text);

    return length != 0 && text[length] == '\0';
}

/* Printable ASCII without what a URL has in percent-encoding only. */
static bool url_characters(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\^`{|}", *text) != NULL)
            return false;
    return true;
}

/* The browser goes there after redemption, so http is allowed for an intranet page, a relative one is not. */
bool ei_redirect_url_valid(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t host = scheme != 0 ? authority(url + scheme) : 0;

    return host != 0 && strchr("/?#", url[scheme + host]) != NULL && url_characters(url);
}

/* ISO 639 with an optional region: "nl-BE" (contract 2.3). */
bool ei_language_valid(const char *language)
{
    size_t letters = 0;

    while (isalpha((unsigned char)language[letters]))
        letters++;
    bool good = letters >= 2 && letters <= 3 && strlen(language) <= 16;
    for (const char *c = language + letters; good && *c != '\0'; c++)
        good = isalnum((unsigned char)*c) || (*c == '-' && isalnum((unsigned char)c[1]));
    return good && (language[letters] == '\0' || language[letters] == '-');
}

enum ei_err ei_read_missing(const config_setting_t *root, const char *key, const char *what, struct ei_error *err)
{
    const config_setting_t *setting = config_setting_get_member(root, key);
    char file[EI_SOURCE_NAME];

    if (setting != NULL)
        return ei_keys_fail(setting, err, "is empty; it must be %s", what);
    ei_source_name(root, file);
    return ei_fail(err, EI_CONFIG, "%.150s: %s: is missing; it must be %s", file, key, what);
}

enum ei_err ei_read_root_url(const config_setting_t *group, const char *name, const char *fallback, char **field,
                             struct ei_error *err)
{
    enum ei_err rc = ei_read_text(group, name, fallback, field, err);

    if (rc != EI_OK)
        return rc;
    char *url = *field;
    size_t length = strlen(url);
    if (length > 8 && url[length - 1] == '/')
        url[length - 1] = '\0';
    if (strncmp(url, "https://", 8) == 0 && ei_host_and_port(url + 8))
        return EI_OK;
    return ei_keys_fail(config_setting_get_member(group, name), err,
                        "\"%.100s\" is not https://HOST or https://HOST:PORT with nothing behind it", url);
}

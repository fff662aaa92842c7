/* Configuration files for the config's tests: a good one, and that one with lines added or replaced. */
#ifndef EI_TESTS_CONFIG_FIXTURE_H
#define EI_TESTS_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/config.h"

struct config_fixture {
    char directory[64];
    char path[96];
    char other[96]; /* for @include */
    struct ei_config *config;
    struct ei_error err;
};

#define TENANT     "tenant = \"contoso.onmicrosoft.com\";\n"
#define CLIENT     "client_id = \"00000000-1111-2222-3333-444444444444\";\n"
#define CREDENTIAL "credential: { type = \"secret\"; file = \"/etc/entra-invite/client-secret\"; };\n"
#define RULE       "rules = ( { name = \"partners\"; group = \"partners\"; } );\n"
/* Four lines; what a test adds stands in line 5. */
#define GOOD TENANT CLIENT CREDENTIAL RULE

static inline int config_setup(void **state)
{
    struct config_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/ei-config-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/test.conf", f->directory);
    snprintf(f->other, sizeof f->other, "%s/other.conf", f->directory);
    *state = f;
    return 0;
}

static inline int config_teardown(void **state)
{
    struct config_fixture *f = *state;
    ei_config_free(f->config);
    remove(f->path);
    remove(f->other);
    rmdir(f->directory);
    free(f);
    return 0;
}

static inline void write_text(const char *path, const char *text)
{
    remove(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline enum ei_err load(struct config_fixture *f)
{
    ei_config_free(f->config);
    f->config = NULL;
    ei_error_clear(&f->err);
    return ei_config_load(f->path, &f->config, &f->err);
}

static inline const struct ei_config *accepted(struct config_fixture *f, const char *text)
{
    write_text(f->path, text);
    if (load(f) != EI_OK)
        fail_msg("refused: %s", f->err.message);
    return f->config;
}

/* line 0: the message has no line. saying: what else the message must have, NULL-terminated. */
static inline void refused(struct config_fixture *f, const char *text, unsigned line, const char *key,
                           const char *saying)
{
    char where[160];

    write_text(f->path, text);
    enum ei_err rc = load(f);
    if (rc != EI_CONFIG)
        fail_msg("expected an error about %s, got %s: %s\n%s", key, ei_err_name(rc), f->err.message, text);
    assert_null(f->config);
    if (line != 0)
        snprintf(where, sizeof where, "%s:%u: %s", f->path, line, key);
    else
        snprintf(where, sizeof where, "%s: %s", f->path, key);
    if (strncmp(f->err.message, where, strlen(where)) != 0 || strstr(f->err.message, saying) == NULL)
        fail_msg("expected \"%s … %s\", got: %s\n%s", where, saying, f->err.message, text);
}

struct refusal {
    const char *line; /* added to a good file, as its fifth line */
    const char *key;
    const char *saying;
};

static inline void refuse_each(struct config_fixture *f, const struct refusal *list, size_t count)
{
    char text[2048];

    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, GOOD "%s\n", list[i].line);
        refused(f, text, 5, list[i].key, list[i].saying);
    }
}

#define REFUSE_EACH(f, list) refuse_each(f, list, sizeof(list) / sizeof(list)[0])

#endif

/* A store in a directory of its own, for the store's tests. */
#ifndef EI_TESTS_STORE_FIXTURE_H
#define EI_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store/store.h"

struct store_fixture {
    char directory[64];    /* is there */
    char private_path[80]; /* the store's own; the store makes it */
    char database[128];
    struct ei_store *store; /* NULL while closed */
    struct ei_error err;
};

static inline void store_open(struct store_fixture *f)
{
    enum ei_err rc = ei_store_open_sqlite(f->private_path, &f->store, &f->err);
    if (rc != EI_OK)
        fail_msg("open: %s: %s", ei_err_name(rc), f->err.message);
}

static inline void store_close(struct store_fixture *f)
{
    ei_store_close(f->store);
    f->store = NULL;
}

static inline void store_reopen(struct store_fixture *f)
{
    store_close(f);
    store_open(f);
}

static inline int store_setup_closed(void **state)
{
    struct store_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/ei-store-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->private_path, sizeof f->private_path, "%s/private", f->directory);
    snprintf(f->database, sizeof f->database, "%s/entra-invite.db", f->private_path);
    *state = f;
    return 0;
}

static inline int store_setup(void **state)
{
    store_setup_closed(state);
    store_open(*state);
    return 0;
}

static inline void remove_all(const char *path)
{
    char below[512];
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        remove(below);
    }
    closedir(directory);
    rmdir(path);
}

static inline int store_teardown(void **state)
{
    struct store_fixture *f = *state;
    store_close(f);
    remove_all(f->private_path);
    remove_all(f->directory);
    free(f);
    return 0;
}

/* An invited-to-be collaborator with one address and one account of that login. */
static inline struct ei_collaborator *collaborator_with(const char *address, const char *login)
{
    struct ei_collaborator *c = ei_collaborator_new();
    assert_non_null(c);
    assert_true(ei_collaborator_add_address(c, address));
    if (login != NULL)
        assert_non_null(ei_collaborator_add_account(c, "host-1", login, 1001, "partners"));
    c->job.step = EI_STEP_QUEUED;
    return c;
}

static inline void put(struct store_fixture *f, struct ei_collaborator *c)
{
    enum ei_err rc = ei_store_put(f->store, c, NULL, NULL, &f->err);
    if (rc != EI_OK)
        fail_msg("put: %s: %s", ei_err_name(rc), f->err.message);
}

static inline struct ei_collaborator *get(struct store_fixture *f, const char *id)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_get(f->store, id, &c, &f->err);
    if (rc != EI_OK)
        fail_msg("get: %s: %s", ei_err_name(rc), f->err.message);
    return c;
}

static inline bool is_stored(struct store_fixture *f, const char *id)
{
    struct ei_collaborator *c = NULL;
    enum ei_err rc = ei_store_get(f->store, id, &c, &f->err);
    ei_collaborator_free(c);
    assert_true(rc == EI_OK || rc == EI_NOT_FOUND);
    return rc == EI_OK;
}

static inline char *read_bytes(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)length + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    fclose(file);
    *ret_length = (size_t)length;
    return bytes;
}

static inline void write_bytes(const char *path, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

/* How often text occurs in the store's files, all of them. */
static inline unsigned occurrences(const struct store_fixture *f, const char *text)
{
    char path[512];
    unsigned count = 0;
    DIR *directory = opendir(f->private_path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        size_t length;
        snprintf(path, sizeof path, "%s/%s", f->private_path, entry->d_name);
        char *bytes = read_bytes(path, &length);
        for (char *at = bytes; (at = memmem(at, length - (size_t)(at - bytes), text, strlen(text))) != NULL; at++)
            count++;
        free(bytes);
    }
    closedir(directory);
    return count;
}

#endif

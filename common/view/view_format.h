/* Offsets and encoding of the view's records, shared by view_read.c and view_write.c. view.h describes them. */
#ifndef EI_VIEW_VIEW_FORMAT_H
#define EI_VIEW_VIEW_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/view/view.h"

#define EI_VIEW_MAGIC "EIVIEW\r\n"

enum {
    EI_VIEW_CHECK_SIZE = 8,
    EI_VIEW_SPREAD_SIZE = 8,
    EI_VIEW_KEY_MAX = 2 + EI_VIEW_LOGIN_MAX + EI_VIEW_SPREAD_SIZE,
    /* cdb */
    EI_VIEW_RECORD_HEAD = 8, /* the lengths of key and data, before each record */
    EI_VIEW_SLOT = 8,        /* hash and position, in tables and in the pointers to them */
    /* "H" */
    EI_VIEW_H_MAGIC = 0,
    EI_VIEW_H_MAJOR = 8,
    EI_VIEW_H_MINOR = 10,
    EI_VIEW_H_CHECK = 16,
    EI_VIEW_H_GENERATION = 24,
    EI_VIEW_H_CREATED = 32,
    EI_VIEW_H_NOT_AFTER = 40,
    EI_VIEW_H_COUNT = 48,
    EI_VIEW_H_SIZE = 56,
    EI_VIEW_H_MINIMUM_UID = 64,
    EI_VIEW_H_FLAGS = 68,
    EI_VIEW_H_GROUPS_LENGTH = 70,
    EI_VIEW_H_GROUPS = 72,
    EI_VIEW_FLAG_FIRST_TRUSTED = 1,
    /* "U:login" */
    EI_VIEW_U_CHECK = 0,
    EI_VIEW_U_STATE = 8,
    EI_VIEW_U_REASON_LENGTH = 10,
    EI_VIEW_U_UID = 12,
    EI_VIEW_U_HASH = 16,
    EI_VIEW_U_CHANGED = 24,
    EI_VIEW_U_CHECKED = 32,
    EI_VIEW_U_REASON = 40,
};

/* Reads length bytes at offset, which the caller has checked against the size; a short read means a shrunken file. */
enum ei_view_status ei_view_read_at(int fd, unsigned char *out, size_t length, uint64_t offset);

/* ei_view_lookup that says where the record is; position 0: there is none. */
enum ei_view_status ei_view_find(const struct ei_view *view, const char *login, struct ei_view_record *ret_record,
                                 uint64_t *ret_position);

static inline uint64_t ei_view_get(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static inline void ei_view_set(unsigned char *at, int bytes, uint64_t value)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        at[i] = (unsigned char)value;
}

#define EI_VIEW_FNV_START 0xcbf29ce484222325u

static inline uint64_t ei_view_fnv(uint64_t hash, const unsigned char *at, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

/* The check of a record whose 8 bytes for it lie at offset check_at of data. */
static inline uint64_t ei_view_check(const unsigned char *key, size_t key_length, const unsigned char *data,
                                     size_t length, size_t check_at)
{
    uint64_t hash = ei_view_fnv(EI_VIEW_FNV_START, key, key_length);
    size_t behind = check_at + EI_VIEW_CHECK_SIZE;

    hash = ei_view_fnv(hash, data, check_at);
    return ei_view_fnv(hash, data + behind, length - behind);
}

/* The key of a login of at most EI_VIEW_LOGIN_MAX bytes; gives its length. */
static inline size_t ei_view_key(const char *login, size_t length, unsigned char key[EI_VIEW_KEY_MAX])
{
    memcpy(key, "U:", 2);
    memcpy(key + 2, login, length);
    length += 2;
    ei_view_set(key + length, EI_VIEW_SPREAD_SIZE, ei_view_fnv(EI_VIEW_FNV_START, key, length));
    return length + EI_VIEW_SPREAD_SIZE;
}

/* cdb's own hash of a key. */
static inline uint32_t ei_view_cdb_hash(const unsigned char *key, size_t length)
{
    uint32_t hash = 5381;

    for (size_t i = 0; i < length; i++)
        hash = (hash + (hash << 5)) ^ key[i];
    return hash;
}

#endif

/* The key table: what may stand in the file, of which type and range. config.c reads by it, the manual is tested by it.
 */
#ifndef EI_CONFIG_KEYS_H
#define EI_CONFIG_KEYS_H

#include <libconfig.h>
#include <stddef.h>

#include "common/base/error.h"

enum ei_key_type { EI_KEY_STRING, EI_KEY_INT, EI_KEY_BOOL, EI_KEY_LIST, EI_KEY_GROUP };

struct ei_key {
    const char *name;
    enum ei_key_type type;
    int minimum; /* INT: the range; STRING: 1 forbids the empty string */
    int maximum;
    const struct ei_key *members; /* GROUP, and LIST of groups: ends with name NULL */
};

extern const struct ei_key ei_config_table[];

/* Holds the whole file against the table: every name known, every type right, every number in range. err names file,
 * line and key (and the nearest key that exists). */
enum ei_err ei_keys_check(const config_setting_t *root, struct ei_error *err);

/* "FILE:LINE: KEY: …", for what only config.c can judge. */
enum ei_err ei_keys_fail(const config_setting_t *setting, struct ei_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* EI_NOMEM, told of the configuration as a whole. */
enum ei_err ei_keys_no_memory(struct ei_error *err);

#endif

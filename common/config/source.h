/* The file and what it includes: who may have written it, that libconfig reads what stands there, and where a setting
 * stands. */
#ifndef EI_CONFIG_SOURCE_H
#define EI_CONFIG_SOURCE_H

#include <libconfig.h>
#include <stddef.h>

#include "common/base/error.h"

enum { EI_SOURCE_NAME = 4096 };

/* Outlives what is parsed from it: the root setting points here. */
struct ei_source_file {
    const char *path;
    char *directory; /* where @include is relative to; freed by ei_source_free */
};

/*
 * Parses path into parsed (which the caller has made with config_init). EI_CONFIG: a file that is not regular, not
 * root's or the caller's own, that group or others can write, that is beyond 1 MiB, or not libconfig; and a number
 * too large for an int, which libconfig 1.5 would cut without a word.
 */
enum ei_err ei_source_read(struct ei_source_file *source, const char *path, config_t *parsed, struct ei_error *err);
void ei_source_free(struct ei_source_file *source);

/* The text of another file that the configuration names, as it stands there, held to the same owner and mode, of at
 * most so many bytes. EI_CONFIG says what is wrong with it; EI_IO, EI_NOMEM: it could not be read now. The caller frees
 * it. */
enum ei_err ei_source_text(const char *path, size_t most, char **ret_text, struct ei_error *err);

/* The file in which setting stands, as a path that leads there. */
void ei_source_name(const config_setting_t *setting, char name[EI_SOURCE_NAME]);

#endif

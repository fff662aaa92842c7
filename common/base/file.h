/* Files replaced whole: temp, fsync, rename, fsync of the directory (S15, X10). */
#ifndef EI_BASE_FILE_H
#define EI_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/error.h"

/* Makes path with mode, whose old content stays whole until the new one is durable. */
enum ei_err ei_file_replace(const char *path, const void *data, size_t length, mode_t mode, struct ei_error *err);

/* Renames temp to path and makes that durable. On failure temp is removed. */
enum ei_err ei_file_publish(const char *temp, const char *path, struct ei_error *err);

#endif

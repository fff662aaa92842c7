/* What is wrong with a row by itself, or beside another one. */
#ifndef EI_CLI_IMPORT_CHECK_H
#define EI_CLI_IMPORT_CHECK_H

#include "plugin/cli/import_file.h"

/* Spoils the bad ones. EI_NOMEM. */
enum ei_err ei_import_check(struct ei_import_file *file, struct ei_error *err);

enum { EI_SPONSORS_TEXT_MAX = 2048 };
/* The next of the sponsors in *at, which stand apart by semicolons or blanks, into out; false at the end. */
bool ei_import_sponsor(const char **at, char *out, size_t size);

#endif

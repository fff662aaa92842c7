/* One run of import: what verb_import.c does and import_report.c tells. */
#ifndef EI_CLI_IMPORT_H
#define EI_CLI_IMPORT_H

#include "plugin/cli/cli.h"
#include "plugin/cli/import_file.h"
#include "plugin/cli/progress.h"

struct ei_import {
    const struct ei_cli *cli;
    const char *path;
    bool dry_run;
    bool skip_bad;
    bool wait;
    struct ei_import_file file;
    struct ei_progress progress;
};

struct ei_import_counts {
    size_t bad;
    size_t failed;
    size_t already; /* were on record before */
    size_t queued;  /* or waiting */
    size_t invited; /* of the others, as --wait sees it */
    size_t missing; /* good, and not handed over */
};

/* It is on record, by this run or before. */
bool ei_import_recorded(const struct ei_import_row *row);
/* Nothing is to be done for it: invited, or accepted. */
bool ei_import_settled(const struct ei_import_row *row);
struct ei_import_counts ei_import_count(const struct ei_import *import);

/* One row that is bad or has failed, on stderr, or each row with --json, on stdout; each only once. */
void ei_import_tell(struct ei_import *import, struct ei_import_row *row);
/* All that were not told of. */
void ei_import_tell_all(struct ei_import *import);
/* What to do, once for each kind of error among the rows. */
void ei_import_tell_mends(const struct ei_import *import);
/* The last line. */
void ei_import_tell_end(const struct ei_import *import);
/* Which rows are bad, and that nothing was done for the others. */
void ei_import_tell_bad(const struct ei_import *import);
/* How far it got, and how to go on. why NULL: what broke it off was told. */
void ei_import_tell_broken(struct ei_import *import, const char *why);

#endif

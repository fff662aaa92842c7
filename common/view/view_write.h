/* Writing the view: only the worker does. See view.h for the format. */
#ifndef EI_VIEW_VIEW_WRITE_H
#define EI_VIEW_VIEW_WRITE_H

#include "common/base/error.h"
#include "common/view/view.h"

struct ei_view_writer;

/*
 * Starts PATH.tmp beside PATH; one left over by a crash is replaced (C13). header is copied; its count, major and minor
 * are filled in by the writer. EI_VIEW_UNSAFE where the directory is such that no reader would take the view.
 */
enum ei_err ei_view_writer_new(const char *path, const struct ei_view_header *header,
                               struct ei_view_writer **ret_writer, struct ei_error *err);

/* login is copied. A login that is empty or longer than EI_VIEW_LOGIN_MAX, or a reason that is not a name of the error
 * table, is EI_USAGE; the writer goes on then. */
enum ei_err ei_view_writer_add(struct ei_view_writer *writer, const char *login, const struct ei_view_record *record,
                               struct ei_error *err);

/*
 * Writes, verifies with the same reader as the modules, fsyncs, renames, fsyncs the directory (X10), mode 0644. Two
 * records of one login are EI_CONFLICT. On any failure the old view stays as it was and the temp file is gone. Frees
 * the writer in either case.
 */
enum ei_err ei_view_writer_publish(struct ei_view_writer *writer, struct ei_error *err);
void ei_view_writer_free(struct ei_view_writer *writer);

#endif

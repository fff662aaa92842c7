/* A sponsor as a URL, for the files of this folder. */
#ifndef EI_GRAPH_SPONSORS_H
#define EI_GRAPH_SPONSORS_H

#include <stdbool.h>

#include "common/base/buffer.h"

enum { EI_SPONSOR_URL_MAX = 2048 };

/* Appends "{graph}/v1.0/users/NAME" for "users/NAME", NAME percent-encoded; groups alike. false when out of memory, or
 * if it is neither. */
bool ei_sponsor_url(struct ei_buffer *out, const char *graph_url, const char *sponsor);

#endif

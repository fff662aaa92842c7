/* Text from outside inside a URL: S30, contract 3 "Quoting". */
#ifndef EI_GRAPH_ODATA_H
#define EI_GRAPH_ODATA_H

#include <stdbool.h>

#include "common/base/buffer.h"

/* Appends text percent-encoded, all but letters, digits and "-._~": good for a query's value, a path's segment and a
 * form's value. false when out of memory or over the buffer's limit; so for all here. */
bool ei_odata_encode(struct ei_buffer *out, const char *text);

/* The body of a POST to .../$ref that adds what url names. To be freed by cJSON_free; NULL when out of memory. */
char *ei_odata_reference(const char *url);

/* Appends 'text' as an OData literal: in quotes, each quote in it doubled, prefix put before it inside the quotes. Not
 * yet percent-encoded. */
bool ei_odata_literal(struct ei_buffer *out, const char *prefix, const char *text);

/* Appends the $filter template with every "{}" replaced by the literal of text, and every "{P}" by the literal of P
 * followed by text ("{SMTP:}" gives 'SMTP:text'). Not yet percent-encoded. */
bool ei_odata_filter(struct ei_buffer *out, const char *pattern, const char *text);

#endif

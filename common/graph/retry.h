/* How long the service asks to wait (X8, contract 6). */
#ifndef EI_GRAPH_RETRY_H
#define EI_GRAPH_RETRY_H

#include <stdint.h>

enum {
    EI_RETRY_CAP = 3600,   /* seconds; a longer Retry-After is taken as this */
    EI_RETRY_DEFAULT = 10, /* for a 429 without a usable Retry-After */
};

/*
 * Seconds of a Retry-After value: a whole number, a decimal (Microsoft's own sample is "2.128"; rounded up) or an
 * HTTP-date, which counts from `date`, the answer's Date, or from ei_now() where that is NULL or unreadable, so that a
 * wrong clock of this host does not matter. 0 to EI_RETRY_CAP; -1 for anything else, a negative number included.
 */
int64_t ei_retry_after(const char *value, const char *date);

/* Seconds since 1970 of an HTTP-date; -1 for what is none. */
int64_t ei_http_date(const char *text);

#endif
